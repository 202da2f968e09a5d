"""The form that every kind of file is brought into: the names of its columns, and their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# The cells of some columns in some rows, a sequence a column.
Block = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Table:
    """A table as a file holds it, its cells not yet numbers.

    Attributes:
        names: What the file calls the columns.
        blocks: Gives the cells of the columns at some places, block of rows after block of rows, so that a long file need not
            be in memory as text. It can be asked once, as long as the file is open.
        decimal: The sign before the decimals of a number.
    """

    names: Sequence[str]
    blocks: Callable[[Sequence[int]], Iterable[Block]]
    decimal: str = '.'


def of_columns(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> Table:
    """The table of columns that are in memory.

    >>> list(of_columns(['lr', 'loss'], [[0.1, 0.2], [2.3, 1.9]]).blocks([1]))
    [[[2.3, 1.9]]]
    """
    return Table(names, lambda places: [[columns[place] for place in places]])
