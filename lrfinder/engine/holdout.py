"""A part of the training data kept from trial runs, to judge them by where the user gives no validation data."""

from __future__ import annotations

import clr  # noqa: F401  makes Chainer importable
from lrfinder.analysis.splits import HELD_OUT, at_random
from lrfinder.engine.protocols import Updater

from chainer.datasets import SubDataset
from chainer.iterators import SerialIterator
from chainer.training import StandardUpdater, extensions

# More examples than these say no more.
MOST_HELD_OUT = 1000
# Fewer examples than these say nothing.
LEAST_HELD_OUT = 10


class HoldOut:
    """Splits an updater's data: an iterator over most of it to train on, an evaluator over the rest.

    The split is the same each time and draws nothing from the global random generators.

    Attributes:
        evaluator: A ``chainer.training.extensions.Evaluator`` over the part that is kept.
    """

    def __init__(self, updater: StandardUpdater) -> None:
        iterator = updater.get_iterator('main')
        dataset, batchsize = iterator.dataset, iterator.batch_size
        rest, kept = at_random(len(dataset), MOST_HELD_OUT)
        self._batchsize = batchsize
        self._rest = SubDataset(dataset, 0, len(rest), rest + kept)
        self._shuffled = getattr(iterator, 'order_sampler', None) is not None
        held = SubDataset(dataset, 0, len(kept), kept + rest)
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


def hold_out(updater: Updater) -> HoldOut | None:
    """A hold-out of the updater's data; ``None`` where it can't be split: an update of the user's own, or too little data."""
    if (
        getattr(type(updater), 'update_core', None) is not StandardUpdater.update_core
        or 'main' not in updater.get_all_optimizers()
    ):
        return None
    iterator = updater.get_iterator('main')
    try:
        length = len(iterator.dataset)
    except (AttributeError, TypeError):
        return None
    enough = HELD_OUT * length >= LEAST_HELD_OUT and (1 - HELD_OUT) * length >= iterator.batch_size
    return HoldOut(updater) if enough else None
