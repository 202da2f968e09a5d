"""The command on several workers: ``mpiexec -n 4 python -m lrfinder --communicator naive``.

All workers do the same job, so that they stay in step; the first alone is heard, and keeps its files. When one of them fails
it ends all, for the others would wait for it forever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder.cli.errors import UsageError
from lrfinder.cli.folder import passing
from lrfinder.cli.interrupts import interruptible
from lrfinder.cli.options import Options, asks_for_workers, flag, parse
from lrfinder.cli.output import Lenient, Output
from lrfinder.engine.failures import failing_together
from lrfinder.zoo.factory import describe

Tell = Callable[[BaseException], int]


def joined(arguments: Sequence[str]) -> Any:
    """Waits until all processes have joined each other in MPI.

    Returns:
        The communicator of all of them; ``None`` where nobody asks for one, and there is no MPI to ask by.

    Raises:
        UsageError: There is no MPI here.
    """
    try:
        from mpi4py import MPI
    except Exception as error:  # it is missing, or finds no MPI
        if not asks_for_workers(arguments):
            return None
        raise _unavailable(parse(arguments).communicator, error) from error
    return MPI.COMM_WORLD


def run(arguments: Sequence[str], world: Any, out: Output, alone: Callable[[Options, Output], None], tell: Tell) -> None:
    """Does the job of the command together with the other workers.

    Args:
        arguments: Those of the command line.
        world: What :func:`joined` returned.
        out: Where the first worker says what it finds.
        alone: Does the job without others, where none of them asks for that.
        tell: Says what has gone wrong, and returns the exit status.

    Raises:
        SystemExit: The job has failed in all workers, and the first has said why; or help was asked for.
    """
    told = functools.partial(_told, tell)
    communicator, options = None, Options()
    if world is not None:
        with failing_together(SimpleNamespace(mpi_comm=world, rank=world.rank), told):
            if any(world.allgather(asks_for_workers(arguments))):
                options = _agreed(arguments, world)
                communicator = _communicator(str(options.communicator))
    if communicator is None:
        alone(parse(arguments), out)
        return
    with (
        failing_together(communicator, told),
        _place(communicator.rank, options, out) as (own, heard),
        heard.asked(own.quiet),
        interruptible(),  # once more: what is below MPI may have taken a signal for itself
    ):
        from lrfinder.cli import find
        from lrfinder.engine.workers import MultiNodeWorkers, Workers

        # One worker trains as if there were no communicator.
        find.run(own, heard, MultiNodeWorkers(communicator) if communicator.size > 1 else Workers())


def _agreed(arguments: Sequence[str], world: Any) -> Options:
    """The options, if they are right, and the same in all workers.

    Raises:
        UsageError: They are not, in one worker at least; all of them raise it.
        SystemExit: One of them was asked for help, and has given it.
    """
    everyones, said, wrong = zip(*world.allgather(_parsed(arguments)))
    if any(wrong):
        raise UsageError(next(filter(None, wrong)))
    if any(said):
        print(next(filter(None, said)) if world.rank == 0 else '', end='')
        raise SystemExit(0)
    for field in dataclasses.fields(Options):
        values = [getattr(one, field.name) for one in everyones]
        if field.name != 'given' and any(value != values[0] for value in values):
            raise UsageError(f'{flag(field.name)} is not the same in all workers; give all of them the same')
    options: Options = everyones[world.rank]
    return options


def _parsed(arguments: Sequence[str]) -> tuple[Options | None, str, str]:
    """The options; or else what was printed as they ask for, or what is wrong with them."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            return parse(arguments), '', ''
        except UsageError as error:
            return None, '', str(error)
        except SystemExit:
            return None, said.getvalue(), ''


def _communicator(name: str) -> Any:
    try:
        import chainermn

        return chainermn.create_communicator(name)
    except Exception as error:  # NCCL is missing, or finds no GPU
        raise _unavailable(name, error) from error


def _unavailable(name: str | None, error: Exception) -> UsageError:
    return UsageError(
        f"--communicator {name}: {describe(error)}; pip install 'chainer-lrfinder[mpi]' brings MPI, naive needs no GPU"
    )


def _told(tell: Tell, error: BaseException) -> int:
    try:
        return int(error.code or 0) if isinstance(error, SystemExit) else tell(error)
    except BaseException:
        traceback.print_exc()
        return 2


@contextlib.contextmanager
def _place(rank: int, options: Options, out: Output) -> Iterator[tuple[Options, Output]]:
    """Where a worker works: the first in ``--out``; each other in a folder that goes away, and nobody hears it."""
    if rank == 0:
        yield options, out
        return
    with (
        passing() as folder,
        open(os.devnull, 'w') as nothing,
        contextlib.redirect_stdout(nothing),
    ):
        try:
            yield dataclasses.replace(options, out=str(folder), quiet=True), Output(Lenient(nothing))
        except KeyboardInterrupt as error:
            error.args = (f'worker {rank} was interrupted; what was recorded is in {options.out}',)
            raise
