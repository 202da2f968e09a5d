"""The recorded curve of a range test: its columns, and how it is read and written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lrfinder import _files
from lrfinder._names import printable
from lrfinder.analysis import formats
from lrfinder.analysis.metrics import LOSS, METRICS

import numpy as np
import pandas as pd

COLUMNS = ('iteration', 'lr', *METRICS)
_COUNTS = ('iteration', 'seed')
_LONGEST_PATH = 500

Floats = np.ndarray[Any, Any]


def make_curve(rows: Sequence[Sequence[float]]) -> pd.DataFrame:
    """A curve from rows of values in the order of :data:`COLUMNS`; NaN stands for what was not measured.

    >>> make_curve([(1, 0.1, 2.3, 0.1, float('nan'), float('nan'))])['main/loss'].tolist()
    [2.3]
    """
    columns = dict(zip(COLUMNS, np.asarray(rows, dtype=float).reshape(-1, len(COLUMNS)).T))
    return pd.DataFrame({**columns, 'iteration': columns['iteration'].astype(int)})


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
    :data:`lrfinder.analysis.formats.KNOWN`. What is read as JSON is told in
    :func:`lrfinder.analysis.formats.objects.parse`, what as CSV in :func:`lrfinder.analysis.formats.delimited.parse`; both may
    be compressed by gzip, and be in UTF-8 or UTF-16.

    A row without a rate is joined with the one that has a rate and the same iteration; where there is none, it is dropped.
    The losses of Lightning's ``lr_find`` are put right (:func:`lrfinder.analysis.formats.corrected`).

    Args:
        path: The file. What it holds is told by its content, not by its name.
        columns: What the file calls its columns, where that is not known: ``{'lr': 'rate', 'loss': 'objective'}``; the keys
            ``accuracy``, ``val_loss``, ``val_accuracy``, ``iteration`` and ``epoch`` may be there, too.

    Returns:
        Table with the columns ``lr`` and any of :data:`lrfinder.analysis.metrics.METRICS`, ``iteration``, ``epoch`` and
        ``seed``, all of floats (whole numbers for the counts), a row for each that was logged.

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
    try:
        with formats.opened(path) as file:
            return _counted(_with_rates(_curve(formats.parse(file, columns), columns)))
    except (ValueError, RecursionError, OverflowError) as error:
        raise ValueError(
            f'{printable(os.fsdecode(path), _LONGEST_PATH)}: not a curve: {" ".join(str(error).split())}'
        ) from None


def check_curve(curve: Any) -> pd.DataFrame:
    """The curve with its known columns as numbers, in the order of recording; the losses of Lightning's ``lr_find`` put right.

    Raises:
        ValueError: It is no table with ``lr`` and at least one metric, or a cell is no number.

    >>> check_curve(pd.DataFrame({'learning_rate': ['0.1'], 'loss': [2.3], 'note': ['first']}))
        lr  main/loss
    0  0.1        2.3
    """
    if not isinstance(curve, pd.DataFrame):
        raise ValueError(f'a curve is a pandas DataFrame, not {type(curve).__name__}')
    names = [str(name) for name in curve.columns]
    cells: list[Any] = [curve.iloc[:, place] for place in range(len(names))]
    table = formats.of_columns(names, cells)
    return _counted(_with_rates(_curve(table)))


class _Column(NamedTuple):
    """A column of a file that is one of a curve's: what it is called here and there, and where it is."""

    name: str
    theirs: str
    place: int


def _curve(table: formats.Table, named: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The known columns of a table, all of floats."""
    places = formats.places(table.names, named)
    formats.check(table.names, places)
    columns = [_Column(name, table.names[place], place) for name, several in places.items() for place in several]
    parts: list[list[Floats]] = [[] for _ in columns]
    row = 1
    for block in formats.of_training(table).blocks([column.place for column in columns]):
        block = _of_one_length(block, columns)
        for part, column, cells in zip(parts, columns, block):
            part.append(formats.numbers(cells, column.name, row, table.decimal))
        row += len(block[0])
    values = [np.concatenate(part) if part else np.empty(0) for part in parts]
    _check_same(columns, values)
    curve = pd.DataFrame({column.name: found for column, found in zip(columns, values)})
    return curve if LOSS in table.names else formats.corrected(curve)  # no other tool calls it so


def _of_one_length(block: formats.Block, columns: Sequence[_Column]) -> formats.Block:
    """The cells, without the last rate (and iteration) where there is one more of them than values."""
    lengths = [len(cells) for cells in block]
    rows = min(length for length, column in zip(lengths, columns) if column.name in METRICS)
    most = [rows if column.name in METRICS else rows + 1 for column in columns]
    if any(not rows <= length <= limit for length, limit in zip(lengths, most)):
        shown = ', '.join(f'{formats.shown(column.theirs)} {length}' for column, length in zip(columns, lengths))
        raise ValueError(f'its lists are not equally long ({shown})')
    return [cells if length == rows else cells[:rows] for cells, length in zip(block, lengths)]


def _check_same(columns: Sequence[_Column], values: Sequence[Floats]) -> None:
    """Refuses several columns of which each may be meant, unless they hold the same."""
    first: dict[str, tuple[_Column, Floats]] = {}
    for column, found in zip(columns, values):
        other, expected = first.setdefault(column.name, (column, found))
        if not np.array_equal(found, expected, equal_nan=True):
            raise ValueError(
                f'the columns {formats.shown(other.theirs)} and {formats.shown(column.theirs)} differ, and both may be '
                f'{column.name!r}; say which it is: {formats.how_to_name({column.name: other.theirs})}'
            )


def _with_rates(curve: pd.DataFrame) -> pd.DataFrame:
    """The rows with a rate, and in them what rows without one hold of the same iteration (Lightning logs the rates apart)."""
    rated = curve['lr'].notna()
    if rated.all():
        return curve
    if not rated.any():
        raise ValueError("column 'lr' has no value in any row")
    rows, others = _joined(curve[rated], curve[~rated]), curve[~rated]
    metrics = [name for name in METRICS if name in curve]
    if rows[metrics].isna().all(axis=None) and others[metrics].notna().any(axis=None):
        raise ValueError('no row has both a rate and a metric, and no iteration tells which rows belong together')
    return rows.reset_index(drop=True)


def _joined(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """The rows, what they lack filled in from others of the same iteration."""
    keys = [name for name in ('seed', 'iteration') if name in rows]
    if 'iteration' not in keys or rows.duplicated(keys).any():  # it is no count of all iterations
        return rows
    found = others.groupby(keys, as_index=False).first()
    partners = rows[keys].merge(found, on=keys, how='left', indicator=True).set_axis(rows.index)
    apart = rows[[name for name in METRICS if name in rows]].isna().all(axis=None)
    filled = rows.fillna(partners.drop(columns='_merge'))
    return filled[partners['_merge'] == 'both'] if apart else filled


def _counted(curve: pd.DataFrame) -> pd.DataFrame:
    """The curve with whole numbers for the counts, where all are whole; without seeds that are not there."""
    for name in curve.columns.intersection(list(_COUNTS)):
        values = curve[name]
        if (abs(values) < 2**53).all() and (values == values.round()).all():
            curve = curve.astype({name: 'int64'})
        elif name == 'seed' and values.isna().all():
            curve = curve.drop(columns=name)
    return curve
