"""The command: ``python -m lrfinder``, also installed as ``lrfinder``. What is slow to load is loaded when it is needed."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence

from clr._compat import missing
from lrfinder._names import printable
from lrfinder.analysis.suggestion import NoRangeError
from lrfinder.cli.errors import UsageError
from lrfinder.cli.interrupts import Interrupted, deadly, interruptible
from lrfinder.cli.options import Options, asks_for_workers, parse
from lrfinder.cli.output import Output, output

FOUND, NO_RANGE, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130

# What goes wrong on a machine, rather than in this program.
_OF_THE_MACHINE = (OSError, MemoryError, ImportError, RecursionError)
_LONGEST_MESSAGE = 2000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Those of the command line; ``sys.argv[1:]`` if there are none.

    Returns:
        The exit status: 0 a range was given; 1 there is none to give; 2 bad usage or bad input; 130, 143 or 129 interrupted.

    >>> main(['--compare'])  # and one line on standard error
    2
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    with output() as out, interruptible():
        status = _status(lambda: _run(arguments, out))
        return _end(BAD_USAGE, f'error: standard output: {out.problem}') if status == FOUND and out.problem else status


def _status(job: Callable[[], None]) -> int:
    """Does the job; says in one line what ended it early, and returns the exit status."""
    try:
        try:
            job()
            return FOUND
        except SystemExit as error:  # --help and --version; several workers that have agreed
            return int(error.code or 0)
        except BaseException as error:
            return _tell(error)
    except KeyboardInterrupt as error:  # while it was told
        return _tell(error)


def _run(arguments: Sequence[str], out: Output) -> None:
    with _without_windows(), warnings.catch_warnings():
        warnings.filterwarnings('ignore', module='cupy')  # of libraries that it does not find, and that are not used
        warnings.filterwarnings('ignore', 'cuDNN is not enabled')  # Chainer's; CuPy 14 knows none, and Chainer needs none
        if _others_wait(arguments):
            with deadly():  # until it has joined them: mpiexec ends all where one is killed, not where one ends by itself
                from lrfinder.cli import mpi

                world = mpi.joined(arguments)
            mpi.run(arguments, world, out, _job, _tell)
        else:
            _job(parse(arguments), out)


def _job(options: Options, out: Output) -> None:
    with out.asked(options.quiet):
        if options.curve is not None:
            from lrfinder.cli import analyze

            analyze.run(options, out)
            return
        from lrfinder.cli import find

        find.run(options, out)


def _others_wait(arguments: Sequence[str]) -> bool:
    """Whether other processes may wait for this one in MPI: if so even bad usage is something to tell them.

    The ``mpiexec`` of MPICH, whose variables these are, does not end them where one of them ends before it has joined them.
    """
    if asks_for_workers(arguments):
        return True
    try:
        os.fstat(int(os.environ['PMI_FD']))  # else they were left to a process that such a process has started
        return int(os.environ['PMI_SIZE']) > 1
    except (KeyError, ValueError, OSError):
        return False


@contextlib.contextmanager
def _without_windows() -> Iterator[None]:
    """Pictures go into files: a MPLBACKEND that there is not must not end the command.

    Nor need anybody read what Matplotlib warns of, such as a home that it can't write to.
    """
    backend, logger = os.environ.pop('MPLBACKEND', None), logging.getLogger('matplotlib')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
        if backend is not None:
            os.environ['MPLBACKEND'] = backend


def _tell(error: BaseException) -> int:
    """Says in one line what ended the command, and returns the exit status."""
    if isinstance(error, UsageError):
        return _end(BAD_USAGE, f'error: {error}')
    if isinstance(error, NoRangeError):
        return _end(NO_RANGE, f'no range: {error}')
    if isinstance(error, KeyboardInterrupt):
        status = error.status if isinstance(error, Interrupted) else INTERRUPTED
        return _end(status, str(error) or 'interrupted before anything was recorded')
    if isinstance(error, ModuleNotFoundError) and (explained := missing.explained(error)) is not error:
        return _end(BAD_USAGE, f'error: {explained}')
    if not isinstance(error, _OF_THE_MACHINE):
        traceback.print_exception(error)  # this is a fault in the program: who mends it needs to know where
    told = f'{error.filename}: {error.strerror}' if isinstance(error, OSError) and error.filename else str(error)
    return _end(BAD_USAGE, f'error: {type(error).__name__}: {told}')


def _end(status: int, message: str) -> int:
    print('lrfinder:', printable(' '.join(message.split()), _LONGEST_MESSAGE), file=sys.stderr, flush=True)
    return status
