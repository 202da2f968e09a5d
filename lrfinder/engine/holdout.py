"""A part of the training data kept from trial runs, to judge them by where the user gives no validation data."""

from __future__ import annotations

from typing import Any

import numpy as np
from chainer.datasets import SubDataset
from chainer.iterators import SerialIterator
from chainer.training import StandardUpdater, extensions

# A fifth of the data, but no more than says enough.
SHARE = 0.2
MOST = 1000
# Fewer examples than these say nothing.
LEAST = 10


class HoldOut:
    """Splits an updater's data: an iterator over most of it to train on, an evaluator over the rest.

    The split is the same each time and draws nothing from the global random generators.

    Attributes:
        evaluator: A ``chainer.training.extensions.Evaluator`` over the part that is kept.
    """

    def __init__(self, updater: StandardUpdater) -> None:
        iterator = updater.get_iterator('main')
        dataset, batchsize = iterator.dataset, iterator.batch_size
        order = np.random.RandomState(0).permutation(len(dataset))
        kept = min(int(SHARE * len(dataset)), MOST)
        self._batchsize = batchsize
        self._rest = SubDataset(dataset, 0, len(dataset) - kept, order[kept:].tolist() + order[:kept].tolist())
        self._shuffled = getattr(iterator, 'order_sampler', None) is not None
        held = SubDataset(dataset, 0, kept, order.tolist())
        self.evaluator = extensions.Evaluator(
            SerialIterator(held, batchsize, repeat=False, shuffle=False),
            updater.get_optimizer('main').target,
            converter=updater.converter,
            device=updater.input_device,
            eval_func=updater.loss_func,
        )

    def iterator(self) -> SerialIterator:
        """A new iterator over the part to train on."""
        return SerialIterator(self._rest, self._batchsize, shuffle=self._shuffled)


def hold_out(updater: Any) -> HoldOut | None:
    """A hold-out of the updater's data; ``None`` where it can't be split: an update of the user's own, or too little data."""
    if type(updater).update_core is not StandardUpdater.update_core or 'main' not in updater.get_all_optimizers():
        return None
    iterator = updater.get_iterator('main')
    try:
        length = len(iterator.dataset)
    except (AttributeError, TypeError):
        return None
    enough = SHARE * length >= LEAST and (1 - SHARE) * length >= iterator.batch_size
    return HoldOut(updater) if enough else None
