"""Rows that say themselves that they are of the validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lrfinder.analysis.formats.columns import plain
from lrfinder.analysis.formats.table import Block, Table

_NAMES = ('mode', 'phase', 'split', 'stage', 'subset')
_OTHERS = ('val', 'eval', 'test', 'dev')


def of_training(table: Table) -> Table:
    """The table, its cells empty in rows of the validation: there a loss has the name of that of the training.

    Such rows are known by a column ``mode``, ``phase`` or the like (MMCV's logs, and many loops over ``('train', 'val')``).

    >>> from lrfinder.analysis.formats.table import of_columns
    >>> table = of_columns(['phase', 'loss'], [['train', 'val', 'train'], [2.3, 2.5, 1.9]])
    >>> list(of_training(table).blocks([1]))
    [[[2.3, '', 1.9]]]
    """
    place = next((place for place, name in enumerate(table.names) if plain(name) in _NAMES), None)
    if place is None:
        return table

    def blocks(places: Sequence[int]) -> Iterator[Block]:
        for *columns, phases in table.blocks([*places, place]):
            others = [str(phase).strip().lower().startswith(_OTHERS) for phase in phases]
            yield [_without(column, others) for column in columns] if any(others) else columns

    return Table(table.names, blocks, table.decimal)


def _without(cells: Sequence[Any], rows: Sequence[bool]) -> Sequence[Any]:
    """The cells, empty in some rows; as they are where the rows are those of another list."""
    return ['' if gone else cell for cell, gone in zip(cells, rows)] if len(cells) == len(rows) else cells
