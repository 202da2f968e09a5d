"""Puts everything that training changes back exactly as it was found.

It is done in place, object by object. An updater, its optimizers, models, hooks and iterators refer to each other, and the
user's script refers to all of them, so that a copy to train on would not do: it would share what can't be copied with the
original, and miss what is outside of it, like the global random generators. Chainer's own ``serialize`` would not do either: it
leaves out rates, gradients, hooks and random states, and knows Chainer's objects alone. So a walk finds whatever is reachable
(:mod:`~lrfinder.engine.state_walk`), the content of each object is remembered, and goes back into the same object: whoever
refers to it sees it as it was. Only what iterators load ahead can't be put back by anybody: they are left alone, and for as
long as it takes their ``__class__`` is swapped for one that loads nothing ahead (:mod:`~lrfinder.engine.prefetch`).

What is kept takes about as much memory as the model with its gradients and the optimizer's state, once more. Data sets are not
copied: their attributes and random generators are put back, their arrays are taken to be only read.

Out of reach are the variables of modules and classes, what compiled code keeps to itself, files, and other processes.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import functools
import operator
import random
from collections.abc import Callable, Collection, Iterator
from typing import Any

from lrfinder.engine.prefetch import PREFETCHING, read_serially
from lrfinder.engine.signals import signals_deferred
from lrfinder.engine.state_walk import EMPTY, Found, attributes, get, parts, reachable, slots

import chainer
import numpy as np
from chainer.backends import cuda
from chainer.dataset import Iterator as ChainerIterator
from chainer.iterators import DaliIterator
from chainer.serializers import DictionarySerializer, NpzDeserializer
from chainer.training import updaters
from chainermn.optimizers import _DoubleBufferingOptimizer

Undo = Callable[[], None]


@contextlib.contextmanager
def preserved(updater: Any, *others: Any) -> Iterator[Undo]:
    """Keeps the updater, and whatever else is given, as it is over the block, however the block ends.

    Yields a function that puts everything back at once, for blocks that begin again from the found state.

    Args:
        updater: A ``chainer.training.StandardUpdater``, or one with its interface.
        others: What else the block changes, such as an evaluator.

    Raises:
        ValueError: Something can't be put back; nothing has been touched then.
    """
    found = reachable([updater, *others])
    _refuse_what_cannot_be_restored(found, [updater, *others])
    prefetching = [thing for thing, _ in found if isinstance(thing, PREFETCHING)]
    with read_serially(prefetching), _own_cupy_random_state():
        state = SavedState(updater, *others)
        try:
            yield state.restore
        finally:
            state.restore()


class SavedState:
    """The state of some objects, and of the global random generators and Chainer's configuration, at one moment.

    >>> weights = {'w': np.zeros(2)}
    >>> state = SavedState(weights)
    >>> weights['w'] += 1
    >>> state.restore()
    >>> weights['w'].tolist()
    [0.0, 0.0]
    """

    def __init__(self, *roots: Any) -> None:
        found = self._found = reachable(roots)  # keeps them alive: what is dropped in between comes back
        self._buffering = [thing for thing, _ in found if isinstance(thing, _DoubleBufferingOptimizer)]
        self._let_gradients_arrive()
        self._undo = [_undo_global_state()]
        self._undo += [undo for thing, lent in found for undo in _remember(thing, lent)]
        self._undo += [_undo_by_serialize(thing) for thing, _ in found if _serializes_itself(thing)]

    def restore(self) -> None:
        """Puts everything back, whatever signals come meanwhile; can be called again and again."""
        errors = []
        with signals_deferred():
            self._let_gradients_arrive()
            for undo in self._undo:
                try:
                    undo()
                except Exception as error:
                    errors.append(error)
        if errors:
            raise errors[0]

    def _let_gradients_arrive(self) -> None:
        """With double buffering, gradients are on their way from the other workers while the next batch is computed."""
        for optimizer in self._buffering:
            optimizer.wait()


# ---- how each thing is put back, where it has changed


def _remember(thing: Any, lent: bool) -> Iterator[Undo]:
    if hasattr(thing, '__dict__'):
        yield _undo_dict(attributes(thing))
    for slot in slots(thing):
        yield _undo_slot(slot, thing)
    if isinstance(thing, dict):
        yield _undo_dict(thing)
    elif isinstance(thing, (list, collections.deque)):
        yield _undo_sequence(thing)
    elif isinstance(thing, set):
        yield _undo_set(thing)
    elif isinstance(thing, (np.ndarray, cuda.ndarray)):
        if not lent and getattr(thing.flags, 'writeable', True):
            yield _undo_array(thing)
    elif isinstance(thing, _GENERATORS):
        yield _undo_random(thing)


def _undo_dict(live: dict[Any, Any]) -> Undo:
    saved = dict(live)

    def undo() -> None:
        if not (_same(live, saved) and _same(live.values(), saved.values())):
            live.clear()
            live.update(saved)

    return undo


def _undo_sequence(live: Any) -> Undo:
    saved = list(live)

    def undo() -> None:
        if not _same(live, saved):
            live.clear()
            live.extend(saved)

    return undo


def _undo_set(live: set[Any]) -> Undo:
    saved = set(live)

    def undo() -> None:
        if live != saved:
            live.clear()
            live.update(saved)

    return undo


def _same(live: Collection[Any], saved: Collection[Any]) -> bool:
    return len(live) == len(saved) and all(map(operator.is_, live, saved))


def _undo_slot(slot: Any, thing: Any) -> Undo:
    saved = get(slot, thing)

    def undo() -> None:
        if saved is not EMPTY:
            slot.__set__(thing, saved)
        elif get(slot, thing) is not EMPTY:
            slot.__delete__(thing)

    return undo


def _undo_array(array: Any) -> Undo:
    saved = array.copy()

    def undo() -> None:
        array[...] = saved

    return undo


_GENERATORS = (np.random.RandomState, np.random.Generator, np.random.BitGenerator, random.Random)


def _undo_random(generator: Any) -> Undo:
    if isinstance(generator, random.Random):
        return functools.partial(generator.setstate, generator.getstate())
    if isinstance(generator, np.random.RandomState):
        return functools.partial(generator.set_state, generator.get_state(legacy=False))
    bits = generator.bit_generator if isinstance(generator, np.random.Generator) else generator
    return functools.partial(setattr, bits, 'state', copy.deepcopy(bits.state))


def _undo_global_state() -> Undo:
    python = random.getstate()
    numpy = np.random.get_state(legacy=False)
    configs = [_undo_dict(vars(config)) for config in (chainer.global_config, chainer.config._local)]

    def undo() -> None:
        random.setstate(python)
        np.random.set_state(numpy)
        for undo_config in configs:
            undo_config()

    return undo


def _serializes_itself(thing: Any) -> bool:
    """Whether it is an iterator of the user's that knows better than its attributes how to be put back."""
    if not isinstance(thing, ChainerIterator):
        return False
    return type(thing).serialize.__module__.partition('.')[0] not in ('chainer', 'chainermn')


def _undo_by_serialize(iterator: Any) -> Undo:
    saved = DictionarySerializer()

    def undo() -> None:
        iterator.serialize(NpzDeserializer(saved.target))

    try:
        iterator.serialize(saved)
        undo()
    except Exception as error:
        raise ValueError(f"{_name(iterator)}.serialize() fails, so that its position can't be put back: {error!r}") from error
    return undo


# ---- what is outside of Python's objects


@contextlib.contextmanager
def _own_cupy_random_state() -> Iterator[None]:
    """Lets the block draw from a CuPy generator of its own: the state of CuPy's can't be read, so that is left alone.

    Its seed follows from NumPy's state: the same block draws the same.
    """
    if not cuda.available:
        yield
        return
    generators = cuda.cupy.random._generator._random_states
    saved = dict(generators)
    generators.clear()
    try:
        if cuda.cupy.cuda.is_available():
            cuda.cupy.random.seed(int(np.random.get_state(legacy=False)['state']['key'][0]))
        yield
    finally:
        generators.clear()
        generators.update(saved)


# ---- what can't be put back


def _refuse_what_cannot_be_restored(found: Found, roots: list[Any]) -> None:
    updater, *others = roots
    if isinstance(updater, updaters.MultiprocessParallelUpdater):
        raise ValueError(
            "MultiprocessParallelUpdater keeps state in other processes, which can't be put back; "
            'use a StandardUpdater for the range test'
        )
    # An evaluator begins anew with its iterators, each time.
    begun_anew = [iterator for other in others for iterator in attributes(other).get('_iterators', {}).values()]
    for thing, _ in found:
        if isinstance(thing, ChainerIterator):
            _refuse_unserializable(thing, any(thing is iterator for iterator in begun_anew))
        elif isinstance(thing, Iterator) and not hasattr(thing, '__dict__'):
            _refuse_one_way(thing, found)


def _refuse_unserializable(iterator: Any, begun_anew: bool) -> None:
    if isinstance(iterator, DaliIterator):
        raise ValueError(
            "DaliIterator can't be put back, since its serialize() leaves out the pipeline; use another for the range test"
        )
    if not begun_anew and type(iterator).serialize is ChainerIterator.serialize:
        raise ValueError(
            f"the iterator {_name(iterator)} has no serialize(), so that its position can't be put back; "
            'use one of chainer.iterators, or give it serialize()'
        )


def _refuse_one_way(thing: Any, found: Found) -> None:
    """Refuses generators and the like, unless they belong to an iterator that can make itself a new one."""
    holders = [holder for holder, _ in found if any(part is thing for part, _ in parts(holder))]
    named = [holder for holder in holders if not _serializes_itself(holder)]
    if named or not holders:
        where = f' in {_name(named[0])}' if named else ''
        raise ValueError(f"the {_name(thing)}{where} can't be wound back after the range test; do without it there")


def _name(thing: Any) -> str:
    return type(thing).__name__
