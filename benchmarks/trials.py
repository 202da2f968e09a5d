"""Records trial cycles at every rate of a fine grid: `python -m benchmarks.trials` writes `trials.csv` and `scans.npz`.

With them, :mod:`benchmarks.rules` replays a range test in milliseconds and says what a rule of decision is worth, and no
network has to be trained for that. A row of `trials.csv` is a trial as `lrfinder.find` runs it:

task, seed: The task, and the seed that decides data, weights and batches.
updates: The length of the cycle; 0 for the state that all of them begin with.
rate: Its highest rate.
train, loss, error, noise, wrong: What it came to, the fields of :class:`~lrfinder.analysis.learning.Score`; infinite where it
    diverged.

`scans.npz` has the scans that go before the trials: an array `TASK/SEED` with the rates and the losses, shape (2, updates).
What is too long to record at every rate is recorded around the best of the trials of a fourth of the length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks import provenance, tables
from benchmarks.measuring import arguments, evaluator, in_parallel
from benchmarks.task import Task
from benchmarks.tasks import BY_NAME
from lrfinder._files import replacing
from lrfinder.analysis.budget import LONGEST_SCAN
from lrfinder.analysis.search import rate_of, step_of
from lrfinder.analysis.trials import STEPS
from lrfinder.engine.judge import EvaluatorJudge
from lrfinder.engine.rate import Rate
from lrfinder.engine.recorder import Names
from lrfinder.engine.runner import Runner
from lrfinder.engine.state import preserved
from lrfinder.engine.workers import workers_of
from lrfinder.range_test import RangeTest

import numpy as np
import pandas as pd

TABLE, SCANS = 'trials.csv', 'scans.npz'
SEEDS = (0, 1, 2)
LENGTHS = (30, 90, 360)
# So many decades beyond those of the oracle.
MARGIN = 0.5
# Trials of this length and longer ones are recorded so many decades to each side of the best of those before.
LONG, AROUND = 360, 1.0


def main() -> None:
    """Record the tasks asked for and put their rows into the files."""
    args = arguments(__doc__).parse_args()
    origin = provenance.here()
    file = tables.RESULTS / SCANS
    for task in args.tasks:  # what is cut off is continued with the tasks that are left
        found = in_parallel(record, [(task.name, seed) for seed in SEEDS], args.jobs)
        tables.update(TABLE, pd.concat([rows for rows, _ in found]), origin)
        scans = {f'{task.name}/{seed}': scan for seed, (_, scan) in zip(SEEDS, found)}
        with replacing(file) as new:
            np.savez_compressed(new, **{**read_scans(), **scans})
        tables.note(SCANS, [task.name], origin)


def read_scans() -> dict[str, np.ndarray]:
    """The scans by task and seed; none where none were recorded."""
    file = tables.RESULTS / SCANS
    if not file.exists():
        return {}
    with np.load(file) as arrays:
        return dict(arrays)


def record(name: str, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Record a task from a seed: the rows of its trials, and its scan."""
    setup = BY_NAME[name].build(seed)
    workers = workers_of(setup.updater)
    judge, names = EvaluatorJudge(evaluator(setup), workers), Names()
    with preserved(setup.updater, None) as undo:
        runner = Runner(setup.updater, Rate(setup.optimizer, setup.attr), setup.optimizer, undo, workers, names)
        test = RangeTest(runner, (judge, judge), names, lambda: None)
        test.look(LONGEST_SCAN)
        scan = test.curve[['lr', 'main/loss']].to_numpy(np.float32).T
        rows = pd.DataFrame([{'updates': 0, 'rate': 0.0, **asdict(test.start())}, *trials(test, BY_NAME[name])])
    rows.insert(0, 'task', name)
    rows.insert(1, 'seed', seed)
    return rows, scan


def trials(test: RangeTest, task: Task) -> Iterator[dict[str, Any]]:
    """Run the trials of all lengths, short ones first."""
    best = math.nan
    for updates in LENGTHS:
        scores = {rate: test.trial(rate, updates).score for rate in rates(task, best if updates >= LONG else None)}
        best = min(scores, key=lambda rate: scores[rate].loss)
        yield from ({'updates': updates, 'rate': rate, **asdict(score)} for rate, score in scores.items())


def rates(task: Task, centre: float | None = None) -> list[float]:
    """The rates of the grid that trials are recorded at: all of a task's, or those around one.

    >>> [round(rate, 4) for rate in rates(BY_NAME['digits-conv-adam'], centre=0.001)][:3]
    [0.0001, 0.0002, 0.0003]
    """
    low, high = task.decades
    steps = range(step_of(10 ** (low - MARGIN)), step_of(10 ** (high + MARGIN)) + 1)
    return [rate_of(step) for step in steps if centre is None or abs(step - step_of(centre)) <= AROUND * STEPS]


if __name__ == '__main__':
    from benchmarks import trials as this  # by its name: other processes find its functions there

    this.main()
