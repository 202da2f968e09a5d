"""The command on several workers: ``mpiexec -n 4 python -m lrfinder --communicator naive``.

All workers do the same job, so that they stay in step; the first alone is heard, and keeps its files. When one of them fails
it ends all, for the others would wait for it forever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder.cli import find
from lrfinder.cli.errors import UsageError
from lrfinder.cli.options import Options
from lrfinder.engine.failures import failing_together
from lrfinder.engine.workers import MultiNodeWorkers
from lrfinder.zoo.factory import describe

import chainermn


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
    with (
        failing_together(communicator, functools.partial(_told, tell)),
        _place(communicator.rank, options) as own,
    ):
        find.run(own, MultiNodeWorkers(communicator))


def _communicator(name: str) -> Any:
    try:
        return chainermn.create_communicator(name)
    except Exception as error:  # mpi4py is missing, or has no MPI; NCCL is missing, or finds no GPU
        raise UsageError(
            f"--communicator {name}: {describe(error)}; pip install 'chainer-lrfinder[mpi]' brings MPI, naive needs no GPU"
        ) from error


def _told(tell: Callable[[BaseException], int], error: BaseException) -> int:
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
