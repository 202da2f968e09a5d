"""What `lrfinder.find` is worth: `python -m benchmarks.ours` writes `ours.csv` and two tables more.

Every task is asked from ten seeds, for the spread of the answer, and trained in the range found from six of them. Where the
answer has a band of maxima, both of its ends are tried from three (`low_error`, `high_error`). `ours_other_seeds.csv` has what
the answers of the six are worth from another one each, `ours_without_validation.csv` what they are worth without an evaluator.

`--budget 600,1600` asks for answers that cost as much: those of 1,600 go to `ours_1600.csv`, without the rest. Each task is
written down when it is measured: what is cut off is continued with the tasks that are left.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks import provenance, tables
from benchmarks.measuring import PARTNER, SEEDS, SPREAD_SEEDS, Answer, in_parallel, options, suggested, trained
from benchmarks.provenance import Origin

import pandas as pd


def main() -> None:
    """Measure the tasks asked for, one after the other."""
    args = options(__doc__, budget=True)
    origin = provenance.here()
    for task in args.tasks:
        for budget in args.budget:
            measure(task.name, budget, args.jobs, origin)


def measure(name: str, budget: int | None, jobs: int, origin: Origin) -> None:
    """Measure one task and put its rows into the tables."""
    table = tables.of_budget('ours', budget)
    whole = table == 'ours.csv'
    asked = found(name, SPREAD_SEEDS, jobs, budget)
    tables.update(table, asked.join(at_the_ends(asked, jobs)), origin)
    if whole:
        tables.update('ours_other_seeds.csv', elsewhere(asked, jobs), origin)
        unvalidated = found(name, PARTNER, jobs, budget, validated=False)
        tables.update('ours_without_validation.csv', unvalidated, origin)


def found(name: str, seeds: Iterable[int], jobs: int, budget: int | None, validated: bool = True) -> pd.DataFrame:
    """Ask from each seed, and train in the answers of those that have a partner."""
    seeds = list(seeds)
    answers = in_parallel(suggested, [(name, seed, validated, budget) for seed in seeds], jobs)
    asked = pd.DataFrame(answers, columns=Answer._fields)
    asked.insert(0, 'task', name)
    asked.insert(1, 'seed', seeds)
    rows = asked[asked.seed.isin(PARTNER)]
    return asked.join(pd.DataFrame(trained(rows, jobs), rows.index, ['error', 'collapsed']))


def at_the_ends(asked: pd.DataFrame, jobs: int) -> pd.DataFrame:
    """The errors of trainings with a maximum at either end of the band, the minimum in proportion; NaN without one."""
    errors = pd.DataFrame(index=asked.index)
    banded = asked[asked.seed.isin(SEEDS) & asked.band_high.notna()]
    for end in 'low', 'high':
        highest = banded[f'band_{end}']
        rows = banded.assign(max=highest, min=highest * banded['min'] / banded['max'])
        errors[f'{end}_error'] = pd.Series([error for error, _ in trained(rows, jobs)], rows.index, float)
    return errors


def elsewhere(asked: pd.DataFrame, jobs: int) -> pd.DataFrame:
    """Train in the answers of six seeds, each from its partner: seeds decide the data, too."""
    rows = asked.loc[asked.seed.isin(PARTNER), ['task', 'seed', 'min', 'max', 'updates']].copy()
    rows['seed'] = rows.seed.map(PARTNER)
    rows[['error', 'collapsed']] = trained(rows, jobs)
    return rows


if __name__ == '__main__':
    main()
