"""The benchmark's data files: tables beside this module, replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent


def read(name: str) -> pd.DataFrame:
    """Read a table of the benchmark."""
    return pd.read_csv(HERE / name)


def update(name: str, rows: pd.DataFrame) -> None:
    """Put new rows into a table in place of those of the same tasks."""
    if (HERE / name).exists():
        kept = read(name)
        rows = pd.concat([kept[~kept.task.isin(rows.task.unique())], rows])
    rows = rows.sort_values([column for column in ('task', 'rule', 'max', 'seed') if column in rows])
    unfinished = HERE / f'.{name}.unfinished'
    unfinished.write_text(rows.to_csv(index=False, float_format='%.6g'))
    os.replace(unfinished, HERE / name)
