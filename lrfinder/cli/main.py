"""The command: ``python -m lrfinder``, also installed as ``lrfinder``. What is slow to load is loaded when it is needed."""

from __future__ import annotations

import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lrfinder.analysis.suggestion import NoRangeError
from lrfinder.cli.errors import UsageError
from lrfinder.cli.options import Options, parse

FOUND, NO_RANGE, BAD_USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Those of the command line; ``sys.argv[1:]`` if there are none.

    Returns:
        The exit status: 0 a range was given; 1 there is none to give; 2 bad usage or bad input; 130 or 143 interrupted.

    >>> main(['--compare'])  # and one line on standard error
    2
    """
    try:
        with _sigterm_raises():
            _run(parse(arguments))
        return FOUND
    except SystemExit as error:  # --help and --version
        return int(error.code or 0)
    except (UsageError, NoRangeError, KeyboardInterrupt) as error:
        return _tell(error)


def _run(options: Options) -> None:
    if options.curve is not None:
        from lrfinder.cli import analyze

        analyze.run(options)
        return
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', module='cupy')  # of libraries that it does not find, and that are not used
        warnings.filterwarnings('ignore', 'cuDNN is not enabled')  # Chainer's; CuPy 14 knows none, and Chainer needs none
        from lrfinder.cli import find
    if options.communicator is not None:
        from lrfinder.cli import mpi

        mpi.run(options, _tell)
    else:
        find.run(options)


def _tell(error: BaseException) -> int:
    """Says in one line what ended the command, and returns the exit status."""
    if isinstance(error, UsageError):
        return _end(BAD_USAGE, f'error: {error}')
    if isinstance(error, NoRangeError):
        return _end(NO_RANGE, f'no range: {error}')
    if isinstance(error, KeyboardInterrupt):
        status = TERMINATED if isinstance(error, Terminated) else INTERRUPTED
        return _end(status, str(error) or 'interrupted before anything was recorded')
    raise error


def _end(status: int, message: str) -> int:
    print('lrfinder:', *message.split(), file=sys.stderr)
    return status


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Lets SIGTERM end the block by an exception, so that what was recorded can be kept."""

    def handle(*_: Any) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    earlier = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)
