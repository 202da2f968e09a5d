"""The best range of each task by exhaustive search: `python -m benchmarks.oracle` writes `oracle.csv`.

Every task is trained in 16 ranges (max over four or five decades, min a quarter of max) from three seeds, and from three other
ones. Regret is over the best range of the three that judge; the other three show what such a search is worth on other data.
The rows of tasks that --tasks does not name stay as they are.
"""

from __future__ import annotations

from benchmarks import provenance, tables
from benchmarks.measuring import OTHER_SEEDS, SEEDS, errors_together, in_parallel, options
from benchmarks.task import Task

import numpy as np
import pandas as pd

RANGES = 16


def main() -> None:
    """Measure the tasks asked for, one after the other, and put their rows into the table."""
    args = options(__doc__)
    origin = provenance.here()
    for task in args.tasks:
        seeds, maxima = SEEDS + OTHER_SEEDS, grid(task)
        calls = [(task.name, [(high / 4, high) for high in maxima], seed) for seed in seeds]
        found = in_parallel(errors_together, calls, args.jobs)
        rows = [(task.name, high, seed, *one) for seed, outcomes in zip(seeds, found) for high, one in zip(maxima, outcomes)]
        table = pd.DataFrame(rows, columns=['task', 'max', 'seed', 'error', 'collapsed'])
        tables.update('oracle.csv', table.sort_values(['max', 'seed']), origin)


def grid(task: Task) -> list[float]:
    """The maxima to try, spaced evenly in the logarithm over the task's decades."""
    return [float(f'{high:.6g}') for high in np.logspace(*task.decades, RANGES)]


def best_ranges(rows: pd.DataFrame) -> pd.DataFrame:
    """The range of each task that did best.

    Args:
        rows: Columns task, max, error.

    Returns:
        Columns max and error, the mean over a range's rows; indexed by the task. Of equal ones, the lowest range.
    """
    means = rows.groupby(['task', 'max'], as_index=False).error.mean()
    return means.loc[means.groupby('task').error.idxmin()].set_index('task')


if __name__ == '__main__':
    main()
