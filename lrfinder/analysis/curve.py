"""The recorded curve of a range test: its columns, and how it is read and written."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from lrfinder import _files
from lrfinder.analysis import formats

import numpy as np
import pandas as pd

LOSS = 'main/loss'
ACCURACY = 'main/accuracy'
VALIDATION_LOSS = 'validation/main/loss'
VALIDATION_ACCURACY = 'validation/main/accuracy'

METRICS = (LOSS, ACCURACY, VALIDATION_LOSS, VALIDATION_ACCURACY)
COLUMNS = ('iteration', 'lr', *METRICS)
_COUNTS = ('iteration', 'seed')
MOST_SHOWN = 20


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

    >>> write_curve(make_curve([(1, 0.1, 2.3, 0.1, float('nan'), float('nan'))]), 'curve.csv')
    >>> print(open('curve.csv').read(), end='')
    iteration,lr,main/loss,main/accuracy,validation/main/loss,validation/main/accuracy
    1,0.1,2.3,0.1,,
    """
    _files.write_text(path, curve.to_csv(index=False, lineterminator='\n'))


def read_curve(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Reads a recorded curve: CSV as :func:`write_curve` writes it, the JSON log of Chainer's ``LogReport``, or another tool's.

    What other tools call the columns is known where it is usual: ``loss``, ``train_loss``, ``val_acc`` and more, as in
    :data:`lrfinder.analysis.formats.KNOWN`. The forms of JSON are told in :func:`lrfinder.analysis.formats.parse`.

    Args:
        path: The file. JSON is told by its first character, not by the name.
        columns: What the file calls its columns, where that is not known: ``{'lr': 'rate', 'loss': 'objective'}``; the keys
            ``accuracy``, ``val_loss``, ``val_accuracy`` and ``iteration`` may be there, too.

    Returns:
        Table with the columns ``lr`` and any of :data:`METRICS`, ``iteration``, ``epoch`` and ``seed``, all of floats (whole
        numbers for the counts), a row an iteration.

    Raises:
        ValueError: The file is no such curve; the message names the file and what is wrong.
        OSError: The file can't be read.

    >>> with open('history.json', 'w') as file:
    ...     _ = file.write('{"rate": [0.1, 0.2], "loss": [2.3, 1.9]}')
    >>> read_curve('history.json', columns={'lr': 'rate'})
        lr  main/loss
    0  0.1        2.3
    1  0.2        1.9
    """
    name = os.fspath(path)
    try:
        with open(path, encoding='utf-8-sig') as file:
            text = file.read()
        names, column = formats.parse(text)
        return _joined(_curve(names, column, columns))
    except (ValueError, RecursionError, OverflowError) as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise ValueError(f'{name}: not a curve: {" ".join(str(error).split())}') from None


def check_curve(curve: Any) -> pd.DataFrame:
    """The curve with its known columns as numbers, in the order of recording.

    Raises:
        ValueError: It is no table with ``lr`` and at least one metric, or a cell is no number.

    >>> check_curve(pd.DataFrame({'learning_rate': ['0.1'], 'loss': [2.3], 'note': ['first']}))
        lr  main/loss
    0  0.1        2.3
    """
    if not isinstance(curve, pd.DataFrame):
        raise ValueError(f'a curve is a pandas DataFrame, not {type(curve).__name__}')
    return _curve([str(name) for name in curve.columns], lambda place: curve.iloc[:, place])


def _curve(names: list[str], column: Callable[[int], Iterable[Any]], columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The known columns of a table, given the names of all, and the cells of the one at a place."""
    places = formats.places(names, columns)
    _check_columns(places, names)
    return pd.DataFrame({name: _numbers(column(place), name) for name, place in places.items()})


def _check_columns(known: Container[str], names: Sequence[str]) -> None:
    found = ', '.join([*names[:MOST_SHOWN], *(['...'] if len(names) > MOST_SHOWN else [])]) or 'none'
    if 'lr' not in known:
        raise ValueError(
            f"no column 'lr' (columns: {found}); record it with chainer's observe_lr, or say which it is: "
            "columns={'lr': NAME}, on the command line --columns lr=NAME"
        )
    if not any(name in known for name in METRICS):
        raise ValueError(
            f"no column {LOSS!r} or other metric (columns: {found}); say which it is: columns={{'loss': NAME}}, on the command "
            'line --columns loss=NAME'
        )


def _joined(curve: pd.DataFrame) -> pd.DataFrame:
    """One row an iteration, where the rate was logged in other rows than the loss (by Lightning's CSVLogger, for one)."""
    apart = {'iteration', LOSS} <= set(curve.columns) and not curve[['lr', LOSS]].notna().all(axis=1).any()
    if not apart or curve['lr'].notna().all():  # in the latter there is no loss at all
        return curve
    rows = curve.groupby('iteration', as_index=False, sort=False).first()
    return rows.loc[rows['lr'].notna(), curve.columns].reset_index(drop=True)


def _numbers(values: Iterable[Any], name: str) -> np.ndarray[Any, Any]:
    if isinstance(values, pd.Series) and isinstance(values.dtype, np.dtype) and values.dtype.kind in 'iuf':
        found = values.to_numpy(dtype=float, copy=True)
    else:
        found = np.array([_number(value, name, row) for row, value in enumerate(values, start=1)], dtype=float)
    whole = name in _COUNTS and bool((abs(found) < 2**53).all() and (found == found.round()).all())
    return found.astype('int64') if whole else found


def _number(value: Any, name: str, row: int) -> float:
    try:
        if isinstance(value, str):
            if '_' not in value:  # Python reads 1_000 as a number
                return float(value) if value.strip() else math.nan
        elif value is None or value is pd.NA:
            return math.nan
        elif isinstance(value, numbers.Real) and not isinstance(value, bool):
            return float(value)
        problem = f'{_shown(value)} is no number'
    except ValueError:
        problem = f'{_shown(value)} is no number'
    except OverflowError:
        problem = 'the number is too large'
    raise ValueError(f'column {name!r}, row {row}: {problem}')


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:40] + '...'
