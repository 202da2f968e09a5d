"""An iterator of a user's own: as many examples of each class in a batch, however rare it is."""

from __future__ import annotations

from typing import Any

import chainer
import numpy as np


class BalancedIterator(chainer.dataset.Iterator):
    """Draws the class of each example first, all being equally likely, then one of its examples, with replacement.

    An epoch is as many examples as the data set has.

    Args:
        dataset: Pairs of an input and a class.
        batch_size: Examples in a batch.
    """

    def __init__(self, dataset: Any, batch_size: int) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.iteration = 0
        labels = np.array([label for _, label in dataset])
        self._members = [np.flatnonzero(labels == label) for label in np.unique(labels)]

    def __next__(self) -> list[Any]:
        self.iteration += 1
        drawn = np.random.randint(len(self._members), size=self.batch_size)
        return [self.dataset[int(np.random.choice(self._members[one]))] for one in drawn]

    next = __next__

    @property
    def epoch_detail(self) -> float:
        """Epochs so far, with their fraction."""
        return self.iteration * self.batch_size / len(self.dataset)

    @property
    def previous_epoch_detail(self) -> float:
        """Epochs before the last batch."""
        return max(0, self.iteration - 1) * self.batch_size / len(self.dataset)

    @property
    def epoch(self) -> int:
        """Whole epochs so far."""
        return int(self.epoch_detail)

    @property
    def is_new_epoch(self) -> bool:
        """Whether the last batch completed an epoch."""
        return self.epoch > int(self.previous_epoch_detail)

    def serialize(self, serializer: Any) -> None:
        """Save or load the position; the draws are NumPy's."""
        self.iteration = serializer('iteration', self.iteration)
