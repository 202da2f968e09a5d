"""What the command prints. Nothing that can't be printed ends it: what it was asked for is in its files.

A reader may go away (``| head -1``), a disk may be full, a terminal may close, a stream may be closed from the start.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from lrfinder._names import printable

_LONGEST_LINE = 2000
_STANDARD = (0, 1, 2)


class Output:
    """What the command says: all of it, or under ``--quiet`` the answer alone.

    Args:
        stream: Where to.

    Attributes:
        quiet: Whether only the answer is said.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.quiet = False

    def say(self, *lines: str) -> None:
        """Prints lines for a person; none of them under ``--quiet``."""
        if not self.quiet:
            self._print(lines)

    def answer(self, line: str) -> None:
        """Prints the line for a script, under ``--quiet`` alone."""
        if self.quiet:
            self._print([line])

    @contextlib.contextmanager
    def asked(self, quiet: bool) -> Iterator[None]:
        """Is quiet over the block, if it is asked to be.

        What others print then (the user's code, libraries, processes that are started) goes to standard error.
        """
        if not quiet:
            yield
            return
        stream, self.quiet = self._stream, True
        with _diverted(stream) as self._stream, contextlib.redirect_stdout(sys.stderr):
            try:
                yield
            finally:
                stream.problem = stream.problem or self._stream.problem
                self._stream, self.quiet = stream, False

    @property
    def problem(self) -> str:
        """Why something could not be printed that somebody waits for; empty if nothing was lost."""
        self._stream.flush()
        return str(self._stream.problem)

    def _print(self, lines: Iterable[str]) -> None:
        print(*(printable(line, _LONGEST_LINE) for line in lines), sep='\n', file=self._stream, flush=True)


@contextlib.contextmanager
def output() -> Iterator[Output]:
    """Standard output and standard error as they are needed here: nothing that can't be written to them raises an error.

    >>> with output() as out:
    ...     out.say('value_range: 0.01 to 0.1')
    value_range: 0.01 to 0.1
    """
    _open_what_is_closed()
    with open(os.devnull, 'w') as nothing:
        out, errors = Lenient(sys.stdout or nothing), Lenient(sys.stderr or nothing)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                yield Output(out)
            finally:
                out.flush()
                errors.flush()


class Lenient:
    """A text stream that drops what can't be written, and knows why.

    Attributes:
        problem: Why something could not be written that somebody waits for; a reader who has gone waits for nothing.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.problem = ''

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            return self.write(text.encode('ascii', 'backslashreplace').decode())
        except (OSError, ValueError) as error:  # a ValueError: the stream is closed
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: Exception) -> None:
        if not isinstance(error, BrokenPipeError):
            self.problem = self.problem or getattr(error, 'strerror', None) or str(error)
        # What is in its buffer would be tried again when Python ends; so it goes nowhere from here on.
        with contextlib.suppress(OSError, ValueError), open(os.devnull, 'wb') as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


@contextlib.contextmanager
def _diverted(stream: Lenient) -> Iterator[Lenient]:
    """Sends the process's standard output to its standard error; gives what standard output was."""
    if not _is_standard(stream):
        yield stream
        return
    stream.flush()
    was = os.dup(1)
    os.dup2(2, 1)
    try:
        with open(was, 'w', encoding=stream.encoding, closefd=False) as file:
            yield Lenient(file)
    finally:
        os.dup2(was, 1)
        os.close(was)


def _is_standard(stream: Any) -> bool:
    try:
        return bool(stream.fileno() == 1)
    except (AttributeError, OSError, ValueError):
        return False


def _open_what_is_closed() -> None:
    """Else the next file to be opened would be standard output, and whoever prints would print into it."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
