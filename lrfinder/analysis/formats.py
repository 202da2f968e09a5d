"""Curves that other tools recorded: the shapes of their files, and what they call the columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lrfinder._names import suggest

# What the columns are called here, and what by Chainer's observe_lr, Keras, Lightning, fastai, torch-lr-finder and ignite. The
# first that is there is taken; capitals, and spaces in place of underscores, make no difference.
KNOWN = {
    'seed': (),
    'epoch': (),
    'iteration': ('step', 'global_step'),
    'lr': ('alpha', 'main/lr', 'main/alpha', 'lrs', 'learning_rate'),
    'main/loss': ('loss', 'losses', 'train_loss', 'train/loss', 'training_loss'),
    'main/accuracy': ('accuracy', 'acc', 'train_accuracy', 'train_acc', 'train/accuracy', 'training_accuracy'),
    'validation/main/loss': ('val_loss', 'valid_loss', 'val/loss', 'validation_loss'),
    'validation/main/accuracy': ('val_accuracy', 'val_acc', 'valid_accuracy', 'val/accuracy', 'validation_accuracy'),
}
# What a user may call them when he says which is which.
SHORT = {
    'loss': 'main/loss',
    'accuracy': 'main/accuracy',
    'val_loss': 'validation/main/loss',
    'val_accuracy': 'validation/main/accuracy',
}
# The columns of a file that names none.
PAIR = ['lr', 'loss']

# The names of all columns, and the cells of the one at a place.
Table = tuple[list[str], Callable[[int], Sequence[Any]]]


def parse(text: str) -> Table:
    """The names and the columns in the text of a CSV or JSON file, as they are there.

    JSON may be a list of objects, one a row (Chainer's ``LogReport``); an object of lists, one a column (Lightning, Keras,
    torch-lr-finder); or a list of pairs, the rate and the loss. CSV may be separated by commas, semicolons or tabs; without
    names in its first line it must have two columns, the rate and the loss.

    Raises:
        ValueError: It is none of these.

    >>> names, column = parse('{"lr": [0.1, 0.2], "loss": [2.3, 1.9]}')
    >>> names, column(1)
    (['lr', 'loss'], [2.3, 1.9])
    """
    if not text.strip():
        raise ValueError('it is empty')
    return _from_json(text) if text.lstrip()[0] in '[{' else _from_csv(text)


def places(names: Sequence[str], columns: Mapping[str, str] | None = None) -> dict[str, int]:
    """Where the columns of a curve are among those of a file.

    Args:
        names: The file's.
        columns: What the file calls them, where that is not known: ``{'lr': 'rate', 'loss': 'objective'}``. The keys are those
            of :data:`KNOWN` and of :data:`SHORT`.

    Returns:
        The places by the names of :data:`KNOWN`, in their order; without those that are not there.

    Raises:
        ValueError: A column is there twice, or one of ``columns`` is not, or has an unknown key.

    >>> places(['Train loss', 'rate'], {'lr': 'rate'})
    {'lr': 1, 'main/loss': 0}
    """
    stripped = [name.strip() for name in names]
    chosen = {**_recognised(stripped), **_named(stripped, columns or {})}
    twice = next((name for name in chosen.values() if stripped.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f'the column {twice!r} occurs twice')
    return {name: stripped.index(chosen[name]) for name in KNOWN if name in chosen}


def _from_json(text: str) -> Table:
    try:
        content = json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise ValueError(f'broken JSON: {error}') from None
    except RecursionError:
        raise ValueError('it is nested too deeply') from None
    if isinstance(content, dict) and any(isinstance(values, list) for values in content.values()):
        return _from_lists({name: values for name, values in content.items() if isinstance(values, list)})
    entries = content if isinstance(content, list) else []
    if entries and all(isinstance(entry, dict) for entry in entries):
        names = list(dict.fromkeys(name for entry in entries for name in entry))
        return names, lambda place: [entry.get(names[place]) for entry in entries]
    if entries and all(isinstance(entry, list) and len(entry) == len(PAIR) for entry in entries):
        return PAIR, lambda place: [entry[place] for entry in entries]
    raise ValueError('a list of log entries, an object of lists, or a list of pairs of rate and loss is expected')


def _whole(digits: str) -> float:
    # Python refuses to make an int of thousands of digits.
    return int(digits) if len(digits) < 400 else float(digits)


def _from_lists(lists: Mapping[str, list[Any]]) -> Table:
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        shown = ', '.join(f'{name!r} {length}' for name, length in lengths.items())
        raise ValueError(f'its lists are not equally long ({shown})')
    return list(lists), list(lists.values()).__getitem__


def _from_csv(text: str) -> Table:
    first = text.lstrip().splitlines()[0]
    separator = max(',;\t', key=first.count)
    try:
        lines = csv.reader(io.StringIO(text, newline=''), delimiter=separator, skipinitialspace=True, strict=True)
        rows = [cells for cells in lines if cells]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    names = PAIR if _names_no_columns(rows[0]) else rows.pop(0)
    for number, cells in enumerate(rows, start=1):
        if len(cells) != len(names):
            raise ValueError(f'row {number} has {len(cells)} cells, but there are {len(names)} columns')
    return names, lambda place: [cells[place] for cells in rows]


def _names_no_columns(cells: list[str]) -> bool:
    """Whether the first line has numbers alone."""
    if not all(map(_is_number, cells)):
        return False
    if len(cells) != len(PAIR):
        raise ValueError(
            f'the first line names no columns; without names there must be two, the rate and the loss, and not {len(cells)}'
        )
    return True


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _recognised(names: Sequence[str]) -> dict[str, str]:
    """Our names for the columns that are known, and theirs."""
    by_plain = {_plain(name): name for name in reversed(names)}
    found = {}
    for name, others in KNOWN.items():
        theirs = next((known for known in (name, *others) if known in by_plain), None)
        if theirs is not None:
            found[name] = by_plain[theirs]
    return found


def _named(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """The same for those that the user has named."""
    found = {}
    for name, theirs in columns.items():
        known = SHORT.get(name, name)
        if known not in KNOWN:
            raise ValueError(f'unknown column {name!r}: {suggest(name, ["lr", *SHORT, "iteration"])}')
        if theirs not in names:
            raise ValueError(f'there is no column {theirs!r}: {suggest(theirs, names)}')
        found[known] = theirs
    return found


def _plain(name: str) -> str:
    return name.lower().replace(' ', '_')
