"""Curves that other tools recorded: the shapes of their files, and what they call the columns."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TextIO

from lrfinder.analysis.formats import delimited, objects
from lrfinder.analysis.formats.cells import numbers
from lrfinder.analysis.formats.columns import KNOWN, SHORT, check, how_to_name, places, shown
from lrfinder.analysis.formats.files import opened
from lrfinder.analysis.formats.lightning import corrected
from lrfinder.analysis.formats.phases import of_training
from lrfinder.analysis.formats.table import Block, Table, of_columns

__all__ = [
    'KNOWN',
    'SHORT',
    'Block',
    'Table',
    'check',
    'corrected',
    'how_to_name',
    'numbers',
    'of_columns',
    'of_training',
    'opened',
    'parse',
    'places',
    'shown',
]


def parse(file: TextIO, columns: Mapping[str, str] | None = None) -> Table:
    """The table in a text file, its cells as they are there: JSON where it begins with a bracket, and else lines of cells.

    What there may be is told in :func:`lrfinder.analysis.formats.objects.parse` and
    :func:`lrfinder.analysis.formats.delimited.parse`.

    Args:
        file: The file; it must stay open until the cells have been read.
        columns: As for :func:`places`.

    Raises:
        ValueError: It is no table.

    >>> import io
    >>> parse(io.StringIO('{"lr": [0.1, 0.2], "loss": [2.3, 1.9]}')).names
    ['lr', 'loss']
    """
    for line in file:
        if line.strip():
            is_json = line.lstrip()[0] in '[{'
            return objects.parse(line + file.read(), columns) if is_json else delimited.parse(chain([line], file))
    raise ValueError('it is empty')
