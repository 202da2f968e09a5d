"""What `lrfinder.find` is worth: `python -m benchmarks.ours` writes `ours.csv` and two tables more.

Every task is asked from ten seeds, for the spread of the answer, and trained in the range found from six of
them, and from three for a budget ten times as long (`error10`, `collapsed10`). `ours_other_seeds.csv` has what the answers
of the six are worth from another one each, `ours_without_validation.csv` what they are worth without an evaluator.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks import provenance, tables
from benchmarks.measuring import PARTNER, SEEDS, SPREAD_SEEDS, in_parallel, options, suggested, trained

import pandas as pd


def main() -> None:
    """Measure the tasks asked for and put their rows into the tables."""
    args = options(__doc__)
    origin = provenance.here()
    names = [task.name for task in args.tasks]
    tables.update('ours.csv', found(names, SPREAD_SEEDS, True, {1: PARTNER, 10: SEEDS}, args.jobs), origin)
    tables.update('ours_other_seeds.csv', elsewhere(tables.read('ours.csv'), names, args.jobs), origin)
    tables.update('ours_without_validation.csv', found(names, PARTNER, False, {1: PARTNER}, args.jobs), origin)


def found(
    names: Iterable[str], seeds: Iterable[int], validated: bool, scales: dict[int, Iterable[int]], jobs: int
) -> pd.DataFrame:
    """Ask from each seed, and train in the answers: `scales` has how many times as long, and from which of the seeds."""
    keys = [(name, seed) for name in names for seed in seeds]
    asked = pd.DataFrame(keys, columns=['task', 'seed'])
    asked[['min', 'max', 'updates']] = in_parallel(suggested, [(*key, validated) for key in keys], jobs)
    for scale, judges in scales.items():
        rows = asked[asked.seed.isin(judges)]
        columns = ['error', 'collapsed'] if scale == 1 else [f'error{scale}', f'collapsed{scale}']
        asked = asked.join(pd.DataFrame(trained(rows, jobs, scale), rows.index, columns))
    return asked


def elsewhere(asked: pd.DataFrame, names: Iterable[str], jobs: int) -> pd.DataFrame:
    """Train in the answers of six seeds, each from its partner: seeds decide the data, too."""
    rows = asked[asked.task.isin(names) & asked.seed.isin(PARTNER)][['task', 'seed', 'min', 'max', 'updates']].copy()
    rows['seed'] = rows.seed.map(PARTNER)
    rows[['error', 'collapsed']] = trained(rows, jobs)
    return rows


if __name__ == '__main__':
    main()
