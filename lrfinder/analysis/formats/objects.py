"""Tables in JSON, in whatever way they are nested there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lrfinder.analysis.formats.columns import ONE_SCALAR, PAIR, listed, places
from lrfinder.analysis.formats.table import Table, of_columns
from lrfinder.analysis.metrics import METRICS

# How deep within objects a table may lie. Keras, pandas, Hugging Face and torch-lr-finder wrap theirs once.
_DEEPEST = 3
# A rate and a metric.
_WHOLE = 2
# What Python prints for a dictionary or a list of them.
_PYTHON = re.compile(r"[\s\[{]*'")
_FROM_PYTHON = '; it is as Python prints it: write it with json.dump instead'
# Seconds since 1970: TensorBoard's exports begin their rows with the time.
_NOW = 1e9

# The names of the objects within objects that hold a table.
Way = tuple[str, ...]


def parse(text: str, columns: Mapping[str, str] | None = None) -> Table:
    """The table in a text of JSON, or of JSON lines.

    It may be a list of objects, one a row; a list of pairs, the rate and the loss; an object of lists, one a column; what
    pandas' ``to_json`` or a table of Weights & Biases is; or any of these but pairs as a value within an object. What has a
    rate and a metric is taken.

    Args:
        text: The text.
        columns: As for :func:`lrfinder.analysis.formats.places`.

    Raises:
        ValueError: It is no JSON, or holds no table, or more than one curve.

    >>> parse('{"best": 0.1, "log_history": [{"learning_rate": 0.1, "loss": 2.3}]}').names
    ['learning_rate', 'loss']
    """
    try:
        content = _loaded(text)
    except RecursionError:
        raise ValueError('it is nested too deeply') from None
    found = list(_tables(content))
    if not found:
        raise ValueError(_why_none(content))
    place, best = max(found, key=lambda pair: (_likeness(pair[1], columns), _likeness(pair[1], None)))
    others = [other for other, table in found if other[: len(place)] != place and _likeness(table, columns) == _WHOLE]
    if others and _likeness(best, columns) == _WHOLE:
        names = listed(['/'.join(way) for way in dict.fromkeys([place, *others])])
        raise ValueError(f'it holds more than one curve ({names}); write one of them to a file of its own')
    return best


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        broken = f'broken JSON: {error}' + (_FROM_PYTHON if _PYTHON.match(text) else '')
        if error.msg != 'Extra data':
            raise ValueError(broken) from None
    content = []
    for number, line in enumerate(text.split('\n'), start=1):
        try:
            content += [json.loads(line, parse_int=_whole)] if line.strip() else []
        except json.JSONDecodeError as error:
            raise ValueError(f'broken JSON in line {number}: {error}' if content else broken) from None
    return content


def _whole(digits: str) -> float:
    # Python refuses to make an int of thousands of digits.
    return int(digits) if len(digits) < 400 else float(digits)


def _likeness(table: Table, columns: Mapping[str, str] | None) -> int:
    """How much of a curve is there: of the rate and a metric none, one or both."""
    try:
        found = places(table.names, columns)
    except ValueError:
        return 0
    return ('lr' in found) + (not set(METRICS).isdisjoint(found))


def _tables(content: Any, way: Way = ()) -> Iterator[tuple[Way, Table]]:
    """What may be read as a table, from the outside in, and the way there."""
    if isinstance(content, list) and content:
        if _all(content, dict):
            yield way, _of_rows(content)
        elif not way and _all(content, list) and all(len(pair) == len(PAIR) for pair in content):
            yield way, _of_lists(PAIR, content)
    elif isinstance(content, dict):
        names, rows = content.get('columns'), content.get('data')
        if isinstance(names, list) and isinstance(rows, list) and _all(rows, list):
            yield way, _of_lists([str(name) for name in names], rows)
            return
        yield from ((way, table) for table in _of_object(content))
        for name, value in content.items() if len(way) < _DEEPEST else ():
            yield from _tables(value, (*way, name))


def _of_object(content: Mapping[str, Any]) -> Iterator[Table]:
    """The tables that an object may be: of lists, of objects that are columns, of objects that are rows."""
    lists = {name: values for name, values in content.items() if isinstance(values, list)}
    if lists:
        yield of_columns(list(lists), list(lists.values()))
    objects = [value for value in content.values() if isinstance(value, dict)]
    simple = not any(isinstance(cell, dict | list) for row in objects for cell in row.values())
    if objects and len(objects) == len(content) and simple:
        yield _of_objects(content)
        yield _of_rows(objects)


def _of_rows(entries: list[dict[str, Any]]) -> Table:
    """Objects, one a row."""
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    return Table(names, lambda places: [[[entry.get(names[place]) for entry in entries] for place in places]])


def _of_lists(names: Sequence[str], rows: list[list[Any]]) -> Table:
    """Lists, one a row."""
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(f'row {number} has {len(row)} cells, but there are {len(names)} columns')
    return Table(names, lambda places: [[[row[place] for row in rows] for place in places]])


def _of_objects(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """Objects, one a column, with the cells by the names of the rows."""
    names = list(columns)
    rows = list(dict.fromkeys(row for cells in columns.values() for row in cells))
    return Table(names, lambda places: [[[columns[names[place]].get(row) for row in rows] for place in places]])


def _all(values: Iterable[Any], kind: type) -> bool:
    return all(isinstance(value, kind) for value in values)


def _why_none(content: Any) -> str:
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, list) and len(first) == 3 and isinstance(first[0], float) and first[0] > _NOW:
        return ONE_SCALAR
    return 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'
