"""What `lrfinder.find` is worth: `python -m benchmarks.ours` writes `ours.csv`.

Every task is asked from ten seeds, for the spread of the answer, and trained in the range found from three of
them, for the usual budget and for one ten times as long (`error10`, `collapsed10`).
"""

from __future__ import annotations

from benchmarks import tables
from benchmarks.measuring import SEEDS, SPREAD_SEEDS, errors, in_parallel, options, suggested

import pandas as pd


def main() -> None:
    """Measure the tasks asked for and put their rows into the table."""
    args = options(__doc__)
    keys = [(task.name, seed) for task in args.tasks for seed in SPREAD_SEEDS]
    found = pd.DataFrame(keys, columns=['task', 'seed'])
    found[['min', 'max', 'updates']] = in_parallel(suggested, keys, args.jobs)
    trained = found[found.seed.isin(SEEDS)].copy()
    ranges = list(zip(trained.task, zip(trained['min'], trained['max']), trained.seed))
    trained[['error', 'collapsed']] = in_parallel(errors, ranges, args.jobs)
    trained[['error10', 'collapsed10']] = in_parallel(errors, [(*call, 10) for call in ranges], args.jobs)
    tables.update('ours.csv', found.merge(trained, how='left'))


if __name__ == '__main__':
    main()
