"""The benchmark's data files: tables beside this module, replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

from lrfinder._files import write_text

import pandas as pd

HERE = Path(__file__).parent


def read(name: str) -> pd.DataFrame:
    """Read a table of the benchmark."""
    return pd.read_csv(HERE / name)


def update(name: str, rows: pd.DataFrame) -> None:
    """Put new rows into a table in place of those of the same tasks; the order within a task stays."""
    if (HERE / name).exists():
        kept = read(name)
        rows = pd.concat([kept[~kept.task.isin(rows.task.unique())], rows])
    rows = rows.sort_values('task', kind='stable')
    write_text(HERE / name, rows.to_csv(index=False, float_format='%.6g'))
