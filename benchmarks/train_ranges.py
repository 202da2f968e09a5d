"""What the peers' rates are worth: `python -m benchmarks.train_ranges` writes `peers_regret.csv`.

Trains every task between a quarter of the rate in `peers.csv` and that rate, from three of its seeds.
"""

from __future__ import annotations

from benchmarks import provenance, tables
from benchmarks.measuring import SEEDS, options, trained


def main() -> None:
    """Measure the tasks asked for and put their rows into the table."""
    args = options(__doc__)
    origin = provenance.here()
    rows = tables.read('peers.csv').fillna({'max': 0.0})  # no answer: the network stays untrained
    rows = rows[rows.task.isin(task.name for task in args.tasks) & rows.seed.isin(SEEDS)].copy()
    rows[['error', 'collapsed']] = trained(rows.assign(min=rows['max'] / 4), args.jobs)
    tables.update('peers_regret.csv', rows[['task', 'rule', 'seed', 'max', 'error', 'collapsed']], origin)


if __name__ == '__main__':
    main()
