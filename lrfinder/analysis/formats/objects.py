"""Tables in JSON, in whatever way they are nested there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lrfinder.analysis.formats.cells import is_number
from lrfinder.analysis.formats.columns import ONE_SCALAR, PAIR, places
from lrfinder.analysis.formats.table import Table, of_columns
from lrfinder.analysis.metrics import METRICS

# How deep within objects a table may lie. Keras, pandas, Hugging Face and torch-lr-finder wrap theirs once.
_DEEPEST = 3
# What Python prints for a dictionary or a list of them.
_PYTHON = re.compile(r"[\s\[{]*'")
_FROM_PYTHON = '; it is as Python prints it: write it with json.dump instead'
# Seconds since 1970: TensorBoard's exports begin their rows with the time.
_NOW = 1e9


def parse(text: str, columns: Mapping[str, str] | None = None) -> Table:
    """The table in a text of JSON, or of JSON lines.

    It may be a list of objects, one a row; a list of pairs, the rate and the loss; an object of lists, one a column; what
    pandas' ``to_json`` or a table of Weights & Biases is; or any of these as a value within an object. Of several the first
    that has a rate and a metric is taken.

    Args:
        text: The text.
        columns: As for :func:`lrfinder.analysis.formats.places`.

    Raises:
        ValueError: It is no JSON, or holds no table.

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
    return max(found, key=lambda table: (_likeness(table, columns), _likeness(table, None)))


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
    """How much of a curve is there: the rate, a metric, both or none."""
    try:
        found = places(table.names, columns)
    except ValueError:
        return 0
    return ('lr' in found) + (not set(METRICS).isdisjoint(found))


def _tables(content: Any, depth: int = 0) -> Iterator[Table]:
    """What may be read as a table, from the outside in."""
    if isinstance(content, list) and content:
        if _all(content, dict):
            yield _of_rows(content)
        elif _all(content, list) and all(len(pair) == len(PAIR) for pair in content):
            yield _of_lists(PAIR, content)
    elif isinstance(content, dict):
        yield from _of_object(content)
        for value in content.values() if depth < _DEEPEST else ():
            yield from _tables(value, depth + 1)


def _of_object(content: Mapping[str, Any]) -> Iterator[Table]:
    names, rows = content.get('columns'), content.get('data')
    if isinstance(names, list) and isinstance(rows, list) and _all(rows, list):
        yield _of_lists([str(name) for name in names], rows)
    lists = {name: values for name, values in content.items() if isinstance(values, list)}
    if lists:
        yield of_columns(list(lists), list(lists.values()))
    objects = {name: cells for name, cells in content.items() if isinstance(cells, dict)}
    if objects and all(map(is_number, objects)) and not all(map(is_number, next(iter(objects.values())))):
        yield _of_rows(list(objects.values()))
    elif objects:
        yield _of_objects(objects)


def _of_rows(entries: list[dict[str, Any]]) -> Table:
    """Objects, one a row; without those of the validation where they say so themselves (MMCV's logs)."""
    if any(entry.get('mode') == 'train' for entry in entries):
        entries = [entry for entry in entries if entry.get('mode') in (None, 'train')]
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


def _all(values: Sequence[Any], kind: type) -> bool:
    return all(isinstance(value, kind) for value in values)


def _why_none(content: Any) -> str:
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, list) and len(first) == 3 and isinstance(first[0], float) and first[0] > _NOW:
        return ONE_SCALAR
    return 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'
