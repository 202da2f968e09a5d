"""Tables in lines of text: CSV in its many forms, and columns between spaces."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter

from lrfinder.analysis.formats.cells import is_missing, is_number
from lrfinder.analysis.formats.columns import PAIR
from lrfinder.analysis.formats.table import Block, Table

# How many rows are held as text at a time (few stay in the processor's cache), and how many lines tell how a file is written.
_BLOCK = 512
_TELLING = 100
_SIGNS = '\t;,|'
_COMMENT = '#'
# What Excel writes or reads in a first line: sep=;
_SAYS_SEPARATOR = re.compile(r'\s*"?sep=([^\w\r\n\0"])"?\s*', re.IGNORECASE)
_DECIMALS = re.compile(r'\s*[-+]?\d*([.,])\d+([eE][-+]?\d+)?\s*')


Row = list[str]


def parse(lines: Iterable[str]) -> Table:
    """The table in lines of text.

    Cells are separated by commas, semicolons, tabs, bars or spaces, as the lines show, or as a first line ``sep=;`` says.
    Numbers may have decimal commas, if all have them. Lines that begin with ``#`` are comments; the last one at the top holds
    the names of the columns where no other line does (``np.savetxt``). Without any names there must be two columns, the rate
    and the loss. A row of units under the names, and empty cells at the ends of rows, are left out.

    Raises:
        ValueError: It is no table; so may the blocks raise it, and name the row.

    >>> table = parse(['lr;loss', '0,1;2,3', '0,2;1,9'])
    >>> table.names, list(table.blocks([1])), table.decimal
    (['lr', 'loss'], [[['2,3', '1,9']]], ',')
    """
    lines = iter(lines)
    separator, comments, first = _top(lines)
    telling = [first, *islice(lines, _TELLING)]
    separator = separator or _separator(telling)
    decimal = _decimal(telling, separator)
    rows = _rows(chain(telling, lines), separator)
    names = next(rows, [''])
    if _are_values(names, decimal):
        rows = chain([names], rows)
        names = _names_of(_without_empty_end(names), comments, separator)
    elif separator == ' ':
        names, rows = _with_index(names, rows)
    return Table(names, lambda places: _blocks(_fitted(rows, names), places, decimal), decimal)


def _top(lines: Iterator[str]) -> tuple[str | None, list[str], str]:
    """The separator that is named at the top, the comments there, and the first line of the table."""
    separator, comments = None, []
    for line in lines:
        if (named := _SAYS_SEPARATOR.fullmatch(line)) is not None:
            separator = named[1]
        elif line.startswith(_COMMENT):
            comments.append(line.strip(f'{_COMMENT} \t\r\n'))
        elif line.strip():
            return separator, comments, line
    return separator, comments, comments[-1] if comments else ''


def _separator(lines: Sequence[str]) -> str:
    """What separates the cells: that by which all lines have as many, and by which most cells are numbers."""
    telling = [line for line in lines if line.strip() and not line.startswith(_COMMENT)]
    found = {separator: list(_rows(telling, separator, strict=False)) for separator in (*_SIGNS, ' ')}
    even = [separator for separator, rows in found.items() if len(set(map(len, rows))) == 1 and len(rows[0]) > 1]
    if even:
        return max(even, key=lambda separator: _share_of_numbers(found[separator]))
    return max((sign for sign in _SIGNS if sign in lines[0]), key=lines[0].count, default=' ')


def _share_of_numbers(rows: Sequence[Sequence[str]]) -> float:
    cells = list(chain.from_iterable(rows))
    return sum(is_number(cell) or is_number(cell, ',') for cell in cells) / len(cells)


def _decimal(lines: Sequence[str], separator: str) -> str:
    """The sign before the decimals: that of the first number that has one."""
    cells = chain.from_iterable(_rows(lines, separator, strict=False))
    return next((number[1] for number in map(_DECIMALS.fullmatch, cells) if number), '.')


def _rows(lines: Iterable[str], separator: str, strict: bool = True) -> Iterator[Row]:
    """The cells, line by line; a space as the separator stands for any number of them."""
    if separator == ' ':
        yield from filter(None, ([cell.strip('\'"') for cell in line.split()] for line in lines))
        return
    try:
        yield from filter(None, csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict))
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _are_values(cells: Sequence[str], decimal: str) -> bool:
    """Whether a row has no words, but at least one number."""
    words = [cell for cell in cells if not is_number(cell, decimal)]
    return all(map(is_missing, words)) and len(words) < len(cells)


def _names_of(cells: Sequence[str], comments: Sequence[str], separator: str) -> Row:
    """The names of columns whose first cells are these: those in a comment above, or those of a pair."""
    for comment in reversed(comments):
        for names in (*([] if separator == ' ' else [comment.split(separator)]), re.split(r'[\s,;]+', comment)):
            if len(names) == len(cells):
                return names
    if len(cells) != len(PAIR):
        raise ValueError(
            f'the first line names no columns; without names there must be two, the rate and the loss, and not {len(cells)}'
        )
    return list(PAIR)


def _with_index(names: Row, rows: Iterator[Row]) -> tuple[Row, Iterator[Row]]:
    """Names and rows, where each row may begin with one cell more, its own name (``print(frame)``, R's ``write.table``)."""
    first = next(rows, None)
    if first is None:
        return names, rows
    return ['', *names] if len(first) == len(names) + 1 else names, chain([first], rows)


def _blocks(blocks: Iterator[list[Row]], places: Sequence[int], decimal: str) -> Iterator[Block]:
    """The cells at some places, block by block; without a row of units at the top."""
    for number, block in enumerate(blocks):
        if number == 0 and _begins_with_units([[row[place] for place in places] for row in block[:2]], decimal):
            del block[0]
        yield [list(map(itemgetter(place), block)) for place in places]


def _fitted(rows: Iterator[Row], names: Sequence[str]) -> Iterator[list[Row]]:
    """The rows in blocks, all as wide as the names, without comments and rows of nothing."""
    width, least = len(names), len(_without_empty_end(names))
    before = 0
    while block := list(islice(rows, _BLOCK)):
        if {*map(len, block)} != {width} or _COMMENT in ''.join(map(itemgetter(0), block)):
            block = [row for row in block if any(map(str.strip, row)) and not row[0].startswith(_COMMENT)]
            block = [_of_width(row, width, least, before + number) for number, row in enumerate(block, start=1)]
        before += len(block)
        if block:
            yield block


def _of_width(cells: Row, width: int, least: int, number: int) -> Row:
    """A row as wide as the names: cells without a name need not be there, and empty ones may be more."""
    found = _without_empty_end(cells, width) if len(cells) > width else [*cells, *[''] * (width - max(least, len(cells)))]
    if len(found) != width:
        raise ValueError(f'row {number} has {len(cells)} cells, but there are {width} columns')
    return found


def _without_empty_end(cells: Sequence[str], width: int = 1) -> Row:
    """The cells without empty ones at the end, as far as they are more than ``width``."""
    length = len(cells)
    while length > width and not cells[length - 1].strip():
        length -= 1
    return list(cells[:length])


def _begins_with_units(rows: Sequence[Sequence[str]], decimal: str) -> bool:
    """Whether the first row has a word and no number, and the second a number."""
    if len(rows) < 2 or any(is_number(cell, decimal) for cell in rows[0]) or all(map(is_missing, rows[0])):
        return False
    return any(is_number(cell, decimal) for cell in rows[1])
