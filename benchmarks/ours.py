"""What `lrfinder.find` is worth: `python -m benchmarks.ours` writes `ours.csv` and two tables more.

Every task is asked from ten seeds, for the spread of the answer, and trained in the range found from three of
them, for the usual budget and for one ten times as long (`error10`, `collapsed10`). `ours_other_seeds.csv` has what the answers
of six seeds are worth from another one each. `ours_without_validation.csv` is about `find` without an evaluator, from three
seeds and for the usual budget.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks import tables
from benchmarks.measuring import PARTNER, SEEDS, SPREAD_SEEDS, in_parallel, options, suggested, trained

import pandas as pd


def main() -> None:
    """Measure the tasks asked for and put their rows into the tables."""
    args = options(__doc__)
    names = [task.name for task in args.tasks]
    tables.update('ours.csv', found(names, SPREAD_SEEDS, True, (1, 10), args.jobs))
    tables.update('ours_other_seeds.csv', elsewhere(tables.read('ours.csv'), names, args.jobs))
    tables.update('ours_without_validation.csv', found(names, SEEDS, False, (1,), args.jobs))


def found(names: Iterable[str], seeds: Iterable[int], validated: bool, scales: Iterable[int], jobs: int) -> pd.DataFrame:
    """Ask from each seed, and train in the answers from some of them."""
    keys = [(name, seed) for name in names for seed in seeds]
    asked = pd.DataFrame(keys, columns=['task', 'seed'])
    asked[['min', 'max', 'updates']] = in_parallel(suggested, [(*key, validated) for key in keys], jobs)
    rows = asked[asked.seed.isin(SEEDS)].copy()
    for scale in scales:
        columns = ['error', 'collapsed'] if scale == 1 else [f'error{scale}', f'collapsed{scale}']
        rows[columns] = trained(rows, jobs, scale)
    return asked.merge(rows, how='left')


def elsewhere(asked: pd.DataFrame, names: Iterable[str], jobs: int) -> pd.DataFrame:
    """Train in the answers of six seeds, each from its partner: seeds decide the data, too."""
    rows = asked[asked.task.isin(names) & asked.seed.isin(PARTNER)][['task', 'seed', 'min', 'max', 'updates']].copy()
    rows['seed'] = rows.seed.map(PARTNER)
    rows[['error', 'collapsed']] = trained(rows, jobs)
    return rows


if __name__ == '__main__':
    main()
