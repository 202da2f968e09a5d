"""Errors of the user's, told in one line that names the flag or the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What to do where a run can't be gone on with.
ANEW = 'start a new run without --resume'


class UsageError(Exception):
    """Bad usage or bad input. The message is one line that names the flag or the file."""


class WriteError(UsageError):
    """A file can't be written."""


@contextmanager
def blaming(flag: str) -> Iterator[None]:
    """Turns a ValueError of the block into a :class:`UsageError` that names the flag.

    >>> with blaming('--epoch'):
    ...     int('many')
    Traceback (most recent call last):
        ...
    lrfinder.cli.errors.UsageError: --epoch: invalid literal for int() with base 10: 'many'
    """
    try:
        yield
    except ValueError as error:
        raise UsageError(f'{flag}: {" ".join(str(error).split())}') from error


@contextmanager
def looking(what: str) -> Iterator[None]:
    """Turns an OSError of the block, which only looks what is there, into a :class:`UsageError` that names flag and path.

    >>> with looking('--out there'):
    ...     raise PermissionError(13, 'Permission denied')
    Traceback (most recent call last):
        ...
    lrfinder.cli.errors.UsageError: --out there: Permission denied
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f'{what}: {error.strerror or error}') from error


@contextmanager
def writing(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Makes the folder where it is missing; turns an OSError of the block, which writes into it, into a :class:`WriteError`.

    >>> with writing('.'):
    ...     raise OSError(28, 'No space left on device')
    Traceback (most recent call last):
        ...
    lrfinder.cli.errors.WriteError: --out .: No space left on device
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        blocked = isinstance(error, (FileExistsError, NotADirectoryError))
        why = 'something that is not a directory is in the way; choose another --out' if blocked else error.strerror or error
        raise WriteError(f'--out {os.fspath(folder)}: {why}') from error
