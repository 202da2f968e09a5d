"""Curves that other tools recorded: the shapes of their files, and what they call the columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lrfinder.names import suggest

import pandas as pd

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


def parse(text: str) -> pd.DataFrame:
    """The table in the text of a CSV or JSON file: columns as they are called there, cells as they are written there.

    JSON may be a list of objects, one a row (Chainer's ``LogReport``); an object of lists, one a column (Lightning, Keras,
    torch-lr-finder); or a list of pairs, the rate and the loss. CSV may be separated by commas, semicolons or tabs; without
    names in its first line it must have two columns, the rate and the loss.

    Raises:
        ValueError: It is none of these.

    >>> parse('{"lr": [0.1, 0.2], "loss": [2.3, 1.9]}')['loss'].tolist()
    [2.3, 1.9]
    >>> parse('0.1;2.3')
        lr loss
    0  0.1  2.3
    """
    if not text.strip():
        raise ValueError('it is empty')
    return _from_json(json.loads(text)) if text.lstrip()[0] in '[{' else _from_csv(text)


def renamed(table: pd.DataFrame, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The columns that make up a curve, called as here.

    Args:
        table: With columns called as here or in :data:`KNOWN`.
        columns: What the table calls them, where it is something else: ``{'lr': 'rate', 'loss': 'objective'}``. The keys are
            those of :data:`KNOWN` and of :data:`SHORT`.

    Raises:
        ValueError: A column is not there, or there twice, or ``columns`` has an unknown key.

    >>> renamed(pd.DataFrame({'step_size': [0.1], 'Train loss': [2.3]}), {'lr': 'step_size'}).columns.tolist()
    ['lr', 'main/loss']
    """
    names = [str(name).strip() for name in table.columns]
    chosen = {**_recognised(names), **_named(names, columns or {})}
    twice = next((name for name in chosen.values() if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f'the column {twice!r} occurs twice')
    found = {name: table.iloc[:, names.index(chosen[name])] for name in KNOWN if name in chosen}
    return _joined(pd.DataFrame(found))


def _from_json(content: Any) -> pd.DataFrame:
    if isinstance(content, dict):
        return _from_lists({name: values for name, values in content.items() if isinstance(values, list)})
    if content and all(isinstance(entry, dict) for entry in content):
        return pd.DataFrame(content, dtype=object)
    if content and all(isinstance(entry, list) and len(entry) == 2 for entry in content):
        return pd.DataFrame(content, columns=PAIR, dtype=object)
    raise ValueError('a list of log entries, an object of lists, or a list of pairs of rate and loss is expected')


def _from_lists(lists: Mapping[str, list[Any]]) -> pd.DataFrame:
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        shown = ', '.join(f'{name!r} {length}' for name, length in lengths.items())
        raise ValueError(f'its lists are not equally long ({shown})')
    return pd.DataFrame(lists, dtype=object)


def _from_csv(text: str) -> pd.DataFrame:
    first = text.lstrip().partition('\n')[0]
    separator = max(',;\t', key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=''), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    numbered = [(number, cells) for number, cells in enumerate(lines, start=1) if cells]
    names = PAIR if _names_no_columns(numbered[0][1]) else numbered.pop(0)[1]
    for number, cells in numbered:
        if len(cells) != len(names):
            raise ValueError(f'line {number} has {_cells(len(cells))}, and there are {_cells(len(names), "column")}')
    return pd.DataFrame([cells for _, cells in numbered], columns=names, dtype=object)


def _names_no_columns(cells: list[str]) -> bool:
    """Whether the first line has numbers alone."""
    if not all(map(_is_number, cells)):
        return False
    if len(cells) != len(PAIR):
        raise ValueError(
            f'the first line names no columns; without names there must be two, the rate and the loss, and not {len(cells)}'
        )
    return True


def _cells(number: int, what: str = 'cell') -> str:
    return f'{number} {what}{"" if number == 1 else "s"}'


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


def _joined(table: pd.DataFrame) -> pd.DataFrame:
    """One row an iteration, where the rate is logged in other rows than the loss (Lightning's CSVLogger)."""
    if not {'lr', 'main/loss', 'iteration'} <= set(table.columns):
        return table
    filled = table.replace('', None)
    if filled[['lr', 'main/loss']].notna().all(axis=1).any():
        return table
    rows = filled.groupby('iteration', as_index=False, sort=False).first()
    return rows[rows['lr'].notna()][table.columns].reset_index(drop=True)


def _plain(name: str) -> str:
    return name.lower().replace(' ', '_')
