"""Cells as numbers, and what stands for a missing one."""

from __future__ import annotations

import math
import numbers as kinds
from collections.abc import Iterable
from typing import Any

from lrfinder._names import printable

import numpy as np
import pandas as pd

# What stands for a value that was not measured, whatever the capitals: pandas, R, Excel, JSON, Python and C write these.
MISSING = frozenset(
    ('', '-', 'na', 'n/a', '#n/a', '#na', '<na>', 'null', 'none', 'nan', '+nan', '-nan')
    + ('1.#ind', '-1.#ind', '1.#qnan', '-1.#qnan')
)
_MOST_SHOWN = 40


def numbers(cells: Iterable[Any], name: str, first: int = 1, decimal: str = '.') -> np.ndarray[Any, Any]:
    """The cells of a column as floats; NaN for those that are missing.

    Args:
        cells: Texts or numbers of any kind.
        name: The column's, for the message.
        first: The number of the first row, for the message.
        decimal: The sign before the decimals in a text: ``'.'`` or ``','``.

    Raises:
        ValueError: One of them is no number; the message names column and row.

    >>> numbers(['0.5', ' 2', '', 'NA', None, 3], 'lr').tolist()
    [0.5, 2.0, nan, nan, nan, 3.0]
    >>> numbers(['0,5'], 'lr', decimal=',').tolist()
    [0.5]
    """
    if isinstance(cells, pd.Series) and isinstance(cells.dtype, np.dtype) and cells.dtype.kind in 'iuf':
        return cells.to_numpy(dtype=float, copy=True)
    cells = list(cells)
    found = _of_texts(cells, decimal)
    return _one_by_one(cells, name, first, decimal) if found is None else found


def is_number(text: str, decimal: str = '.') -> bool:
    """Whether a text is a number; one that is missing is none.

    >>> is_number('1e-3'), is_number('1,5'), is_number('1,5', decimal=','), is_number('nan')
    (True, False, True, False)
    """
    try:
        return not math.isnan(_number(text, decimal))
    except ValueError:
        return False


def is_missing(text: str) -> bool:
    """Whether a text stands for a value that was not measured.

    >>> is_missing(' NULL '), is_missing('0')
    (True, False)
    """
    return text.strip().lower() in MISSING


def _of_texts(cells: list[Any], decimal: str) -> np.ndarray[Any, Any] | None:
    """The same, fast, where all cells are plain numbers in text or empty; ``None`` where they are not."""
    try:
        text = ''.join(cells)
        if decimal != '.' and '.' not in text:
            cells = [cell.replace(decimal, '.') for cell in cells]
        elif decimal != '.':
            return None
        return None if '_' in text else np.array([float(cell) if cell else math.nan for cell in cells], dtype=float)
    except (TypeError, ValueError):
        return None


def _one_by_one(cells: list[Any], name: str, first: int, decimal: str) -> np.ndarray[Any, Any]:
    found = np.empty(len(cells))
    for index, cell in enumerate(cells):
        try:
            found[index] = _number(cell, decimal)
        except ValueError as error:
            raise ValueError(f'column {name!r}, row {first + index}: {error}') from None
    return found


def _number(cell: Any, decimal: str) -> float:
    if cell is None or cell is pd.NA:
        return math.nan
    try:
        if isinstance(cell, str):
            return math.nan if is_missing(cell) else float(_with_point(cell, decimal))
        if isinstance(cell, kinds.Real) and not isinstance(cell, bool):
            return float(cell)
    except ValueError:
        pass
    except OverflowError:
        raise ValueError('the number is too large') from None
    raise ValueError(f'{printable(repr(cell), _MOST_SHOWN)} is no number' + (' with a decimal comma' if decimal == ',' else ''))


def _with_point(text: str, decimal: str) -> str:
    """The number as Python writes it, to which alone 1_000 is a number."""
    if '_' in text or (decimal != '.' and '.' in text):
        raise ValueError
    return text.replace(decimal, '.')
