"""What an updater's main iterator tells of itself, which may be nothing: people write iterators of all kinds.

Where an attribute that is asked for raises something, or is no such number, the iterator does not tell.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any


def main_iterator(updater: Any) -> Any:
    """The main iterator of an updater; ``None`` where there is none."""
    return _told(lambda: updater.get_iterator('main'))


def examples_in(iterator: Any) -> int | None:
    """How many examples the data set of an iterator has; ``None`` where that is not told.

    >>> from chainer.iterators import SerialIterator
    >>> examples_in(SerialIterator('abc', 2)), examples_in(iter('abc'))
    (3, None)
    """
    return _told(lambda: len(iterator.dataset))


def examples_in_epoch(iterator: Any) -> int | None:
    """How many examples an epoch of an iterator has: fewer or more than its data set, where an order sampler says so."""
    return _whole(_told(lambda: iterator._epoch_size)) or examples_in(iterator)


def batchsize_of(iterator: Any) -> int | None:
    """How many examples an iterator yields at once, 1 or more; ``None`` where that is not told."""
    return _whole(_told(lambda: iterator.batch_size))


def epochs_done(iterator: Any) -> float | None:
    """How many epochs an iterator has done, with fractions; ``None`` where that is not told.

    >>> from chainer.iterators import SerialIterator
    >>> iterator = SerialIterator('abcd', 2)
    >>> batch = iterator.next()
    >>> epochs_done(iterator), epochs_done(iter('abcd'))
    (0.5, None)
    """
    epochs = _told(lambda: float(iterator.epoch_detail))
    return epochs if epochs is not None and math.isfinite(epochs) else None


class Epochs:
    """How many epochs an iterator does from here on.

    >>> from chainer.iterators import SerialIterator
    >>> iterator = SerialIterator('abcd', 2)
    >>> epochs = Epochs(iterator)
    >>> batches = iterator.next(), iterator.next()
    >>> epochs.done()
    1.0
    """

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator
        self._began = self._last = epochs_done(iterator)

    def look(self) -> None:
        """Looks how far it is; to be called often: one that counts anew in each epoch does not tell."""
        now = epochs_done(self._iterator)
        self._last = None if now is None or self._last is None or now < self._last else now

    def done(self) -> float | None:
        """How many it has done; ``None`` where that is not told."""
        self.look()
        return None if self._last is None or self._began is None else self._last - self._began


def _told(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception:
        return None


def _whole(number: Any) -> int | None:
    return int(number) if isinstance(number, numbers.Integral) and int(number) >= 1 else None
