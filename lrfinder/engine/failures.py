"""What happens to several workers where one of them fails: none is left waiting for it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from lrfinder._names import printable

import numpy as np

# So many seconds a worker that has failed waits for the others, which may be about to fail in the same way.
PATIENCE = 3.0
# So many seconds mpiexec gets to pass on what was written before an abort, which throws away what it still holds.
PASSING_ON = 1.0

# Communicators whose failures are looked after already.
_watched: set[int] = set()


@contextlib.contextmanager
def failing_together(communicator: Any, tell: Callable[[BaseException], int] | None = None) -> Iterator[None]:
    """Lets an exception out where all workers have one; ends all of them where the others go on, and would wait for ever.

    Within such a block another one for the same communicator does nothing.

    Args:
        communicator: A ``chainermn.CommunicatorBase``; all its workers must enter the block.
        tell: Says what has gone wrong, and returns the exit status. By default a line on standard error does, with status 1.

    Raises:
        SystemExit: With ``tell``: all workers have failed, and the first has said why; the status is what ``tell`` returned.
    """
    if id(communicator) in _watched:
        yield
        return
    failures = communicator.mpi_comm.Dup()  # apart from what the block itself sends around
    _watched.add(id(communicator))
    try:
        yield
    except BaseException as error:
        first = communicator.rank == 0
        status = tell(error) if tell and first else 0
        agreed = _agreed(status, failures)
        if agreed is None:
            _end_all(failures, status if tell and first else (tell or _say)(error))
        if tell:
            raise SystemExit(agreed) from error
        raise
    finally:
        _watched.discard(id(communicator))


def _say(error: BaseException) -> int:
    message = printable(' '.join(str(error).split()), 500)
    print(f'lrfinder: a worker failed, which ends all: {type(error).__name__}: {message}', file=sys.stderr)
    return 1


def _end_all(failures: Any, status: int) -> None:
    sys.stderr.flush()
    time.sleep(PASSING_ON)
    failures.Abort(status)


def _agreed(status: int, failures: Any) -> int | None:
    """The highest exit status of all workers if all of them have failed; ``None`` if some go on, and have to be aborted."""
    from mpi4py import MPI

    highest = np.zeros(1, 'i')
    request = failures.Iallreduce(np.array([status], 'i'), highest, op=MPI.MAX)
    deadline = time.monotonic() + PATIENCE
    while not request.Test():
        if time.monotonic() > deadline:
            return None
        time.sleep(0.01)
    return int(highest[0])
