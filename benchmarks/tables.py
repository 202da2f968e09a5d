"""The benchmark's data files: tables in `results/`, each replaced whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.provenance import Origin
from lrfinder._files import write_text

import pandas as pd

RESULTS = Path(__file__).parent / 'results'
PROVENANCE = 'provenance.csv'
BUDGET = 600  # updates that an answer may cost, where nothing else is asked for
RAMPS = 'ramps.npz'


def read(name: str) -> pd.DataFrame:
    """Read a table of the benchmark."""
    return pd.read_csv(RESULTS / name)


def of_budget(name: str, budget: int | None) -> str:
    """The table of what was found with a budget.

    >>> of_budget('ours', None), of_budget('ours', 1600)
    ('ours.csv', 'ours_1600.csv')
    """
    return f'{name}.csv' if budget in (None, BUDGET) else f'{name}_{budget}.csv'


def read_budgets(name: str) -> dict[int, pd.DataFrame]:
    """The tables of what was found with each budget, the smallest first; see `of_budget`."""
    others = {int(file.stem.rpartition('_')[2]): file.name for file in RESULTS.glob(f'{name}_[0-9]*.csv')}
    files = {BUDGET: f'{name}.csv', **others}
    return {budget: read(files[budget]) for budget in sorted(files) if (RESULTS / files[budget]).exists()}


def read_or_empty(name: str, columns: list[str]) -> pd.DataFrame:
    """A table, or none of its rows where it was not measured yet."""
    return read(name) if (RESULTS / name).exists() else pd.DataFrame(columns=columns)


def read_provenance() -> pd.DataFrame:
    """Read what each table was made with: texts, for a commit such as 0026528 is no number."""
    return pd.read_csv(RESULTS / PROVENANCE, dtype=str)


def update(name: str, rows: pd.DataFrame, origin: Origin) -> None:
    """Put new rows into a table in place of those of the same tasks, and note what they were made with.

    The order within a task stays.
    """
    measured = rows.task.unique()
    if (RESULTS / name).exists():
        kept = read(name)
        rows = pd.concat([kept[~kept.task.isin(measured)], rows])
    rows = rows.sort_values('task', kind='stable')
    write_text(RESULTS / name, rows.to_csv(index=False, float_format='%.6g'))
    note(name, measured, origin)


def note(name: str, tasks: Iterable[str], origin: Origin) -> None:
    """Note what a file's figures of these tasks were made with, in place of what was noted of them before."""
    rows = pd.DataFrame({'table': name, 'task': list(tasks), **asdict(origin)})
    if (RESULTS / PROVENANCE).exists():
        kept = read_provenance()
        rows = pd.concat([kept[(kept.table != name) | ~kept.task.isin(rows.task)], rows])
    write_text(RESULTS / PROVENANCE, rows.sort_values(['table', 'task']).to_csv(index=False))
