"""The command on several workers: ``mpiexec -n 4 python -m lrfinder --communicator naive``.

All workers do the same job, so that they stay in step; the first alone is heard, and keeps its files. When one of them fails
it ends all, for the others would wait for it forever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder.cli import find
from lrfinder.cli.errors import UsageError
from lrfinder.cli.options import Options
from lrfinder.engine.workers import MultiNodeWorkers
from lrfinder.zoo.factory import describe

import chainermn
import numpy as np

# So many seconds a worker that has failed waits for the others, which may be about to fail in the same way.
PATIENCE = 3.0
# So many seconds mpiexec gets to pass on what was written before an abort, which throws away what it still holds.
PASSING_ON = 1.0


def run(options: Options, tell: Callable[[BaseException], int]) -> None:
    """Does the job of the command together with the other workers.

    Args:
        options: The command's; ``communicator`` is one of ChainerMN's.
        tell: Says what has gone wrong, and returns the exit status; raises what is no error of the user's.

    Raises:
        UsageError: There is no such communicator here.
        SystemExit: The job has failed in all workers, and the first has said why.
    """
    communicator = _communicator(str(options.communicator))
    failures = communicator.mpi_comm.Dup()  # apart from what the job itself sends around
    try:
        with _place(communicator.rank, options) as own:
            find.run(own, MultiNodeWorkers(communicator))
    except BaseException as error:
        first = communicator.rank == 0
        status = _told(error, tell) if first else 0
        agreed = _agreed(status, failures)
        if agreed is not None:
            raise SystemExit(agreed) from error
        if not first:
            status = _told(error, tell)
        sys.stderr.flush()
        time.sleep(PASSING_ON)
        failures.Abort(status)


def _agreed(status: int, failures: Any) -> int | None:
    """The exit status of the first worker if all of them have failed; ``None`` if some go on, and have to be aborted."""
    from mpi4py import MPI

    highest = np.zeros(1, 'i')
    request = failures.Iallreduce(np.array([status], 'i'), highest, op=MPI.MAX)
    deadline = time.monotonic() + PATIENCE
    while not request.Test():
        if time.monotonic() > deadline:
            return None
        time.sleep(0.01)
    return int(highest[0])


def _communicator(name: str) -> Any:
    try:
        return chainermn.create_communicator(name)
    except Exception as error:  # mpi4py is missing, or has no MPI; NCCL is missing, or finds no GPU
        raise UsageError(
            f"--communicator {name}: {describe(error)}; pip install 'chainer-lrfinder[mpi]' brings MPI, naive needs no GPU"
        ) from error


def _told(error: BaseException, tell: Callable[[BaseException], int]) -> int:
    try:
        return tell(error)
    except BaseException:
        traceback.print_exc()
        return 1


@contextlib.contextmanager
def _place(rank: int, options: Options) -> Iterator[Options]:
    """Where a worker works: the first in ``--out``; each other in a folder that goes away, and nobody hears it."""
    if rank == 0:
        yield options
        return
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, 'w') as nothing, contextlib.redirect_stdout(nothing):
        yield dataclasses.replace(options, out=folder, quiet=True)
