"""Trained weights, for tasks that begin with them: fine-tuning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.datasets import Array, Data, Random

import chainer
import chainer.links as L
import numpy as np
from chainer import optimizers

UPDATES, BATCH = 400, 32


@dataclass(frozen=True)
class Pretraining:
    """What a classifier learned before the task begins.

    Attributes:
        data: What it learned from; as many classes as the task has.
        new_head: Whether its last layer is a fresh one again.
    """

    data: Callable[[Random], Data]
    new_head: bool = False

    def load(self, network: chainer.Sequential, make: Callable[[], Any], seed: int) -> None:
        """Give a new network the weights that one made by `make` had after training; both are drawn from `seed`.

        NumPy's global generator is left in another state the first time than later: seed it afterwards.
        """
        trained = weights(make, self.data, seed)
        head = f'/{network[-1].name}/'
        for name, param in network.namedparams():
            if not (self.new_head and name.startswith(head)):
                param.array[...] = trained[name]


@cache
def weights(make: Callable[[], Any], data: Callable[[Random], Data], seed: int) -> dict[str, Array]:
    """The parameters of a classifier after some hundred updates of Adam, by their names."""
    np.random.seed(seed)
    drawn = data(Random(seed))
    model = L.Classifier(make())
    optimizer = optimizers.Adam().setup(model)
    iterator = chainer.iterators.SerialIterator(chainer.datasets.TupleDataset(drawn.x, drawn.y), BATCH)
    for _ in range(UPDATES):
        optimizer.update(model, *chainer.dataset.concat_examples(iterator.next()))
    return {name: param.array.copy() for name, param in model.predictor.namedparams()}
