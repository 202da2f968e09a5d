"""The processes that train together, as ChainerMN's do: each on a part of the data, in the same steps.

What they measure is averaged where it is read. So all see the same numbers, and all decide alike.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder.engine.failures import failing_together
from lrfinder.engine.protocols import Updater

import chainermn
import numpy as np
from chainer.datasets import SubDataset


class Workers:
    """Those that train together. As it stands: one process, whose numbers, data and optimizer are all there are.

    Attributes:
        size: How many processes there are.
        rank: Which of them this is, from 0 on.
    """

    size = 1
    rank = 0

    def mean(self, numbers: Sequence[Any]) -> Sequence[Any]:
        """The means over all processes of some numbers, or rows of numbers; all processes must call this together."""
        return numbers

    def average(self, rows: Sequence[list[float]], first: int) -> None:
        """Puts the means over all processes into rows, from place ``first`` on; all processes must call this together."""

    def check_alike(self, what: str, value: Any) -> None:
        """Raises a ValueError in every process where ``value``, called ``what``, is not the same in all."""

    def failing_together(self) -> contextlib.AbstractContextManager[None]:
        """Ends all processes where one alone fails in the block: the others would wait for it for ever."""
        return contextlib.nullcontext()

    def share(self, dataset: Any) -> Any:
        """This process's part of a data set that all have; the parts are of the same length."""
        return dataset

    def optimizer(self, optimizer: Any) -> Any:
        """An optimizer that steps with the mean gradient of all processes."""
        return optimizer

    def evaluator(self, evaluator: Any) -> Any:
        """An evaluator that gives the means over all processes."""
        return evaluator

    def seed(self, seed: int) -> int:
        """This process's seed: of the first one it is the given one."""
        return seed

    def device(self, spec: str) -> str:
        """This process's device: of the first one on each machine it is the given one, the next has the next GPU."""
        return spec


class MultiNodeWorkers(Workers):
    """Several processes, those of a communicator of ChainerMN's.

    Args:
        communicator: A ``chainermn.CommunicatorBase``.
    """

    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator
        self.size = communicator.size
        self.rank = communicator.rank

    def mean(self, numbers: Sequence[Any]) -> Sequence[Any]:
        # Objects are summed up by one process for all: the sum is the same to the last bit everywhere.
        total = self._communicator.allreduce_obj(np.asarray(numbers, dtype=float))
        return (total / self.size).tolist()

    def average(self, rows: Sequence[list[float]], first: int) -> None:
        for row, means in zip(rows, self.mean([row[first:] for row in rows])):
            row[first:] = means

    def check_alike(self, what: str, value: Any) -> None:
        values = self._communicator.allreduce_obj([value])
        if any(other != values[0] for other in values):
            raise ValueError(f'{what} is not the same in all workers; give all of them the same')

    def failing_together(self) -> contextlib.AbstractContextManager[None]:
        return failing_together(self._communicator)

    def share(self, dataset: Any) -> Any:
        order = np.random.RandomState(0).permutation(len(dataset))
        begin, end = chainermn.scatter_index(len(dataset), self._communicator)
        return SubDataset(dataset, begin, end, order)

    def optimizer(self, optimizer: Any) -> Any:
        return chainermn.create_multi_node_optimizer(optimizer, self._communicator)

    def evaluator(self, evaluator: Any) -> Any:
        return chainermn.create_multi_node_evaluator(evaluator, self._communicator)

    def seed(self, seed: int) -> int:
        return seed if self.rank == 0 else int(np.random.SeedSequence([seed, self.rank]).generate_state(1)[0])

    def device(self, spec: str) -> str:
        kind, colon, number = spec.rpartition(':')
        gpu = number.isdecimal() and kind in ('', '@cupy')
        return f'{kind}{colon}{int(number) + self._communicator.intra_rank}' if gpu else spec


def workers_of(updater: Updater) -> Workers:
    """Those that train together with an updater: its multi-node optimizer knows them.

    Raises:
        ValueError: The model itself is spread over workers, so that the loss is on one of them alone. All of them raise it.
    """
    optimizers = updater.get_all_optimizers().values()
    communicators = [found for one in optimizers if (found := getattr(one, 'communicator', None)) is not None]
    for optimizer in optimizers:
        _refuse_model_parallel(optimizer.target, data_parallel=bool(communicators))
    return MultiNodeWorkers(communicators[0]) if communicators else Workers()


def _refuse_model_parallel(model: Any, data_parallel: bool) -> None:
    for link in model.links():
        # A multi-node batch normalization communicates, too: with the optimizer, on all workers alike.
        talks = not data_parallel and any(isinstance(value, chainermn.CommunicatorBase) for value in vars(link).values())
        if talks or isinstance(link, chainermn.MultiNodeChainList):
            raise ValueError(
                f'{type(link).__name__} spreads the model over workers, of which only one has the loss; '
                'run the range test on the whole model in one process'
            )
