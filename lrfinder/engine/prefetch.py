"""Chainer's iterators that load examples ahead, in threads or processes.

What such an iterator has loaded can't be put back: the batches are in queues of other threads and processes, and to tell it a
position makes it drop them. So it is left alone, and the block reads the same examples one by one in its place. The object
must stay the same one, since updater, evaluator and the user's own code refer to it. Hence its ``__class__`` and attributes
are swapped for those of a ``SerialIterator``, and swapped back.

Before that it is let come to rest, since its threads draw from NumPy's global generator: the order of an epoch, and what the
data set draws. So training goes on exactly, too, wherever Chainer repeats itself at all. It does not where the model draws as
well (dropout): then threads race for the numbers at the start of each epoch, range test or not.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Any

from lrfinder.engine.signals import signals_deferred

from chainer.iterators import MultiprocessIterator, MultithreadIterator, SerialIterator

PREFETCHING = (MultiprocessIterator, MultithreadIterator)


@contextlib.contextmanager
def read_serially(iterators: Iterable[Any]) -> Iterator[None]:
    """Turns iterators that load ahead into serial ones over the block, at the same position; their threads sleep meanwhile."""
    saved = []
    try:
        for iterator in iterators:
            await_rest(iterator)
            twin = SerialIterator(iterator.dataset, iterator.batch_size, repeat=iterator.repeat, shuffle=False)
            twin.order_sampler = iterator.order_sampler
            twin._state = iterator._state
            twin._previous_epoch_detail = iterator._previous_epoch_detail
            saved.append((iterator, type(iterator), vars(iterator).copy()))
            _become(iterator, SerialIterator, vars(twin))
        yield
    finally:
        with signals_deferred():
            for iterator, kind, attributes in saved:
                _become(iterator, kind, attributes)


def _become(thing: Any, kind: type, attributes: dict[str, Any]) -> None:
    thing.__class__ = kind
    vars(thing).clear()
    vars(thing).update(attributes)


def await_rest(iterator: Any) -> None:
    """Waits until an iterator has loaded ahead as much as it will before its next batch is asked for."""
    if isinstance(iterator, MultithreadIterator):
        if iterator._next is not None:
            iterator._next.wait()
        return
    thread = iterator._prefetch_loop and iterator._prefetch_loop.thread  # none once it is finalized, or before its first batch
    while thread and thread.is_alive() and not iterator._comm._not_full_cond._waiters:
        time.sleep(0.001)
