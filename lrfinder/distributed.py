"""The command on several workers: ``mpiexec -n 4 python -m lrfinder --communicator naive``.

All workers do the same job, so that they stay in step; the first alone is heard, and keeps its files. When one of them fails
it ends all, for the others would wait for it forever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder import job
from lrfinder.errors import UsageError
from lrfinder.factory import describe
from lrfinder.options import Options
from lrfinder.suggestion import NoRangeError
from lrfinder.workers import Workers

import chainermn

# So many seconds the others leave to the first one to say what has gone wrong, where that has gone wrong for all.
PATIENCE = 3.0


def run(options: Options, tell: Callable[[BaseException], int]) -> None:
    """Does the job of the command together with the other workers.

    Args:
        options: The command's; ``communicator`` is one of ChainerMN's.
        tell: Says what has gone wrong, and returns the exit status; raises what is no error of the user's.

    Raises:
        UsageError: There is no such communicator here.
        NoRangeError: There is no range to give.
        SystemExit: The same, in all workers but the first.
    """
    communicator = _communicator(str(options.communicator))
    try:
        with _place(communicator.rank, options) as own:
            job.run(own, Workers(communicator))
    except NoRangeError as error:  # all workers have come to it together
        communicator.mpi_comm.barrier()  # the first has written what was recorded
        if communicator.rank > 0:
            raise SystemExit(1) from error
        raise
    except BaseException as error:
        if communicator.rank > 0:
            time.sleep(PATIENCE)
        communicator.mpi_comm.Abort(_told(error, tell))


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
