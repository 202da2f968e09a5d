"""The recorded curve of a range test: its columns, and how it is read and written."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from typing import Any

from lrfinder import files

import numpy as np
import pandas as pd

LOSS = 'main/loss'
ACCURACY = 'main/accuracy'
VALIDATION_LOSS = 'validation/main/loss'
VALIDATION_ACCURACY = 'validation/main/accuracy'

METRICS = (LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION_ACCURACY)
COLUMNS = ('iteration', 'lr', *METRICS)

# What Chainer's observe_value and observe_lr call the rate in a log, by preference.
_RATE_NAMES = ('lr', 'alpha', 'main/lr', 'main/alpha')


def make_curve(rows: Sequence[Sequence[float]]) -> pd.DataFrame:
    """A curve from rows of values in the order of :data:`COLUMNS`; NaN stands for what was not measured.

    >>> make_curve([(1, 0.1, 2.3, 0.1, float('nan'), float('nan'))])['main/loss'].tolist()
    [2.3]
    """
    table = pd.DataFrame(np.asarray(rows, dtype=float).reshape(-1, len(COLUMNS)), columns=list(COLUMNS))
    return table.astype({'iteration': int})


def write_curve(curve: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Writes the curve as CSV, whole or not at all; empty cells for what was not measured.

    Raises:
        OSError: The file can't be written.
    """
    files.write_text(path, curve.to_csv(index=False, lineterminator='\n'))


def read_curve(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Reads a recorded curve: CSV as :func:`write_curve` writes it, or the JSON log of Chainer's ``LogReport``.

    Args:
        path: The file. JSON is told by its first character, not by the name.

    Returns:
        Table with the columns ``lr`` and any of :data:`METRICS`, ``iteration``, ``epoch`` and ``seed``, all of floats (whole
        numbers for the counts), a row an iteration.

    Raises:
        ValueError: The file is no such curve; the message names the file and what is wrong.
        OSError: The file can't be read.
    """
    name = os.fspath(path)
    try:
        with open(path, encoding='utf-8-sig') as file:
            text = file.read()
        table = _parse(text)
        return _normalised(table)
    except (ValueError, RecursionError, OverflowError) as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise ValueError(f'{name}: not a curve: {" ".join(str(error).split())}') from None


def check_curve(curve: Any) -> pd.DataFrame:
    """The curve with its known columns as numbers, in the order of recording.

    Raises:
        ValueError: It is no table with ``lr`` and at least one metric, or a cell is no number.
    """
    if not isinstance(curve, pd.DataFrame):
        raise ValueError(f'a curve is a pandas DataFrame, not {type(curve).__name__}')
    return _normalised(curve)


def _parse(text: str) -> pd.DataFrame:
    if not text.strip():
        raise ValueError('it is empty')
    if text.lstrip()[0] in '[{':
        return _from_log(json.loads(text))
    try:
        return pd.read_csv(io.StringIO(text), skipinitialspace=True, float_precision='round_trip')
    except pd.errors.ParserError as error:
        raise ValueError(str(error)) from None


def _from_log(entries: Any) -> pd.DataFrame:
    if not (isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries)):
        raise ValueError('a list of log entries is expected')
    return pd.DataFrame(entries)


def _normalised(table: pd.DataFrame) -> pd.DataFrame:
    table = table.rename(columns={name: str(name).strip() for name in table.columns})
    if 'lr' not in table.columns:
        other = next((name for name in _RATE_NAMES if name in table.columns), None)
        table = table.rename(columns={other: 'lr'}) if other else table
    _check_columns(table)
    known = [name for name in ('seed', 'epoch', *COLUMNS) if name in table.columns]
    return pd.DataFrame({name: _numbers(table[name], name) for name in known}).reset_index(drop=True)


def _check_columns(table: pd.DataFrame) -> None:
    found = ', '.join(map(str, table.columns)) or 'none'
    if 'lr' not in table.columns:
        raise ValueError(f"no column 'lr' (columns: {found}); record it with chainer's observe_lr")
    if not any(name in table.columns for name in METRICS):
        raise ValueError(f'no column {LOSS!r} or other metric (columns: {found})')
    if table.columns.duplicated().any():
        raise ValueError(f'the column {table.columns[table.columns.duplicated()][0]!r} occurs twice')


def _numbers(column: pd.Series, name: str) -> pd.Series:
    try:
        numbers = pd.to_numeric(column).astype(float)
    except (ValueError, TypeError, OverflowError):
        bad = pd.to_numeric(column, errors='coerce').isna() & column.notna()
        row = int(np.flatnonzero(bad.to_numpy())[0]) if bad.any() else 0
        raise ValueError(f'column {name!r}, row {row + 1}: {column.iloc[row]!r} is no number') from None
    whole = name in ('iteration', 'seed') and np.isfinite(numbers).all() and (numbers == numbers.round()).all()
    return numbers.astype('int64') if whole and (numbers.abs() < 2**53).all() else numbers
