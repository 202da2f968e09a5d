"""What the range is worth in a long training: `python -m benchmarks.long oracle` and `python -m benchmarks.long ours`.

Sixteen tasks are trained 6,000 updates, ten times what an answer costs, in whole cycles just as lrfinder plans them for a
training of that length. `long_oracle.csv` has what 16 ranges come to (max over the task's decades, min a quarter of max) from
two seeds; the second trains only in ranges that may still be the best. `long.csv` has what comes of the range that
`lrfinder.find` gives when it is told the length; `--budget 600,1600` asks for answers that cost as much, and those of 1,600 go
to `long_1600.csv`. Each task is written down when it is measured: what is cut off is continued with the tasks that are left.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from benchmarks import provenance, tables
from benchmarks.measuring import Answer, arguments, in_parallel, suggested
from benchmarks.oracle import grid
from benchmarks.stacked import train_together
from benchmarks.task import Task, train_cycles
from benchmarks.tasks import BY_NAME
from lrfinder.analysis import cycles

import pandas as pd

LENGTH = (6000, 'iteration')
SEEDS = (0, 1)
NAMES = (
    'deepteacher-mlp-momentum',
    'varied-mlp-sgd',
    'library-words-adam',
    'bigboard-mlp-adamw',
    'digits-mlp-momentum',
    'cancer-noise-dropout-rmsprop',
    'friedman-tanh-sgd',
    'diabetes-mlp-adam',
    'documents-words-adagrad',
    'hastie-tanh-adamw',
    'clusters-noise-mlp-sgd',
    'swissroll-raw-mlp-adam',
    'redundant-imbalanced-mlp-adagrad',
    'digits-noise-norm-nesterov',
    'shifted-conv-momentum',
    'summits-elman-adam',
)
IN_REACH = 1.5, 2.0  # the error of a range that may still be the best: so many times that of the best, and points more
POLICY = 'triangular2'  # the tool's own


def main() -> None:
    """Measure those of the sixteen tasks that are asked for, one after the other."""
    parser = arguments(__doc__, budget=True)
    parser.add_argument('what', choices=['oracle', 'ours'], help='ranges on a grid, or those that lrfinder finds')
    args = parser.parse_args()
    asked = [task.name for task in args.tasks]
    for name in [name for name in NAMES if name in asked]:
        measure(BY_NAME[name], args)


def measure(task: Task, args: argparse.Namespace) -> None:
    """Measure one task and put its rows into the tables."""
    origin = provenance.here()
    if args.what == 'oracle':
        tables.update('long_oracle.csv', searched(task, args.jobs), origin)
        return
    for budget in args.budget:
        tables.update(tables.of_budget('long', budget), found(task, budget, args.jobs), origin)


def searched(task: Task, jobs: int) -> pd.DataFrame:
    """Train in all ranges of the grid from the first seed, and in those in reach of the best from the others."""
    rows = from_seed(task.name, grid(task), SEEDS[0])
    maxima = in_reach(rows)['max'].tolist()
    others = in_parallel(from_seed, [(task.name, maxima, seed) for seed in SEEDS[1:]], jobs)
    return pd.concat([rows, *others])


def from_seed(name: str, maxima: list[float], seed: int) -> pd.DataFrame:
    """Train in ranges with these maxima and a fourth of them as minima."""
    task = BY_NAME[name]
    plan = planned(task, seed)
    ranges = [(high / 4, high) for high in maxima]
    outcomes = train_together(task, ranges, seed, POLICY, plan.step_size, 2 * (plan.cycles or 0))
    rows = pd.DataFrame({'task': name, 'max': maxima, 'seed': seed})
    return rows.assign(error=[one.error for one in outcomes], collapsed=[int(one.collapsed) for one in outcomes])


def in_reach(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of a task's ranges that may be the best by other seeds, too; column error.

    >>> in_reach(pd.DataFrame({'error': [4.0, 7.9, 8.1, 90.0]})).error.tolist()
    [4.0, 7.9]
    """
    times, points = IN_REACH
    return rows[rows.error <= times * rows.error.min() + points]


def found(task: Task, budget: int | None, jobs: int) -> pd.DataFrame:
    """Ask from each seed, told the length, and train in the answers; no answer is a training at rate 0."""
    answers = in_parallel(suggested, [(task.name, seed, True, budget, LENGTH) for seed in SEEDS], jobs)
    rows = pd.DataFrame(answers, columns=Answer._fields).assign(task=task.name, seed=SEEDS)
    rows[['error', 'collapsed']] = trained(rows, jobs)
    return rows[['task', 'seed', 'min', 'max', 'updates', 'error', 'collapsed']]


def trained(rows: pd.DataFrame, jobs: int) -> list[tuple[float, int]]:
    """Train in the range of each row; columns task, min, max and seed."""
    calls: Iterable[tuple[str, tuple[float, float], int]] = zip(rows.task, zip(rows['min'], rows['max']), rows.seed)
    return in_parallel(errors, calls, jobs)


def errors(name: str, value_range: tuple[float, float], seed: int) -> tuple[float, int]:
    """Train a task for the whole length: the error in points, and 1 if the network collapsed to chance."""
    task = BY_NAME[name]
    plan = planned(task, seed)
    outcome = train_cycles(task, value_range, seed, POLICY, plan.step_size, 2 * (plan.cycles or 0))
    return outcome.error, int(outcome.collapsed)


def planned(task: Task, seed: int) -> cycles.CyclePlan:
    """The cycles that lrfinder plans for the length: as many as fit its data.

    >>> planned(BY_NAME['digits-mlp-momentum'], 0).reason
    '20 whole cycles with half cycles of 10 epochs in 6000 iterations (Smith: 2 to 10 epochs)'
    """
    iterator = task.build(seed).updater.get_iterator('main')
    return cycles.plan(max(1, -(-len(iterator.dataset) // iterator.batch_size)), LENGTH, POLICY)


if __name__ == '__main__':
    from benchmarks import long  # by its name: other processes find its functions there

    long.main()
