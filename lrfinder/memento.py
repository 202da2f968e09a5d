"""Puts everything that training changes back exactly as it was found.

What an updater can change is found by walking from it through attributes and containers: links, parameters, update rules,
optimizers, hooks, iterators, random generators. Every object keeps its identity: contents are put back in place.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import random
import types
from collections.abc import Callable, Iterator
from typing import Any

import chainer
import numpy as np
from chainer.backends import cuda
from chainer.dataset import Iterator as ChainerIterator
from chainer.iterators import MultiprocessIterator, MultithreadIterator, SerialIterator
from chainer.training import updaters

Undo = Callable[[], None]

# Values that can't change, and things that hold no state of the training.
_OPAQUE = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type,
    np.generic,
    np.dtype,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    chainer.backend.Device,
    chainer.FunctionNode,
    chainer.Reporter,
)


@contextlib.contextmanager
def preserved(updater: Any, *others: Any) -> Iterator[Undo]:
    """Keeps the updater, and whatever else is given, as it is over the block, however the block ends.

    Yields a function that puts everything back at once, for blocks that begin again from the found state.

    Raises:
        ValueError: Something can't be put back; nothing has been touched then.
    """
    _refuse_what_cannot_be_restored(updater)
    with _own_iterators(updater), _own_cupy_random_state():
        memento = Memento(updater, *others)
        try:
            yield memento.restore
        finally:
            memento.restore()


class Memento:
    """The state of some objects, and of the global random generators and Chainer's configuration, at one moment.

    >>> weights = {'w': np.zeros(2)}
    >>> memento = Memento(weights)
    >>> weights['w'] += 1
    >>> memento.restore()
    >>> weights['w'].tolist()
    [0.0, 0.0]
    """

    def __init__(self, *roots: Any) -> None:
        self._undo: list[Undo] = [_undo_global_state()]
        self._seen: dict[int, Any] = {}  # keeps the objects alive, so that no id is used twice
        for root in roots:
            self._visit(root)

    def restore(self) -> None:
        """Puts everything back; can be called again and again."""
        for undo in self._undo:
            undo()

    def _visit(self, thing: Any) -> None:
        stack = [thing]
        while stack:
            thing = stack.pop()
            if id(thing) in self._seen or isinstance(thing, _OPAQUE):
                continue
            self._seen[id(thing)] = thing
            undo, inner = _remember(thing)
            if undo is not None:
                self._undo.append(undo)
            stack.extend(inner)


def _remember(thing: Any) -> tuple[Undo | None, list[Any]]:
    """How to put one object back, and the objects within it."""
    if isinstance(thing, (np.ndarray, cuda.ndarray)):
        return _undo_array(thing), []
    if isinstance(thing, (np.random.RandomState, np.random.Generator, random.Random)):
        return _undo_random(thing), []
    if isinstance(thing, (tuple, frozenset)):
        return None, list(thing)
    if isinstance(thing, dict):
        return _undo_dict(thing), list(thing.values())
    if isinstance(thing, (list, collections.deque)):
        return _undo_sequence(thing), list(thing)
    if isinstance(thing, set):
        return _undo_set(thing), list(thing)
    if isinstance(thing, chainer.Variable) and not isinstance(thing, chainer.Parameter):
        return None, []  # a result such as a classifier's last loss; it is replaced, not changed
    return _remember_object(thing)


def _remember_object(thing: Any) -> tuple[Undo | None, list[Any]]:
    attributes = getattr(thing, '__dict__', None)
    if not isinstance(attributes, dict):
        return None, []
    saved = dict(attributes)

    def undo() -> None:
        attributes.clear()
        attributes.update(saved)

    # A data set is only read. Its arrays may be large, so that a copy of them is out of the question.
    inner = [value for name, value in saved.items() if name not in ('dataset', '_dataset', '_node')]
    return undo, inner


def _undo_array(array: Any) -> Undo | None:
    if isinstance(array, np.ndarray) and (array.dtype.hasobject or not array.flags.writeable):
        return None
    saved = array.copy()

    def undo() -> None:
        array[...] = saved

    return undo


def _undo_dict(mapping: dict[Any, Any]) -> Undo:
    saved = list(mapping.items())

    def undo() -> None:
        mapping.clear()
        for key, value in saved:
            mapping[key] = value

    return undo


def _undo_sequence(sequence: Any) -> Undo:
    saved = list(sequence)

    def undo() -> None:
        sequence.clear()
        sequence.extend(saved)

    return undo


def _undo_set(members: set[Any]) -> Undo:
    saved = set(members)

    def undo() -> None:
        members.clear()
        members.update(saved)

    return undo


def _undo_random(generator: Any) -> Undo:
    if isinstance(generator, np.random.Generator):
        bits = generator.bit_generator
        state = copy.deepcopy(bits.state)
        return lambda: setattr(bits, 'state', state)
    if isinstance(generator, np.random.RandomState):
        state = generator.get_state()
        return lambda: generator.set_state(state)
    state = generator.getstate()
    return lambda: generator.setstate(state)


def _undo_global_state() -> Undo:
    numpy_state, python_state = np.random.get_state(), random.getstate()
    configs = [(vars(config), dict(vars(config))) for config in (chainer.global_config, chainer.config)]

    def undo() -> None:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        for live, saved in configs:
            live.clear()
            live.update(saved)

    return undo


@contextlib.contextmanager
def _own_cupy_random_state() -> Iterator[None]:
    """Lets the block draw from CuPy generators of its own: the state of CuPy's can't be read, so they are left alone."""
    if not cuda.available:
        yield
        return
    generators = cuda.cupy.random._generator._random_states
    saved = dict(generators)
    generators.clear()
    try:
        yield
    finally:
        generators.clear()
        generators.update(saved)


@contextlib.contextmanager
def _own_iterators(updater: Any) -> Iterator[None]:
    """Lets the block use iterators of its own where the updater's work ahead in threads or processes."""
    iterators = updater._iterators
    saved = dict(iterators)
    twins = {name: _twin(iterator) for name, iterator in saved.items() if _works_ahead(iterator)}
    iterators.update(twins)
    try:
        yield
    finally:
        iterators.update(saved)
        for twin in twins.values():
            twin.finalize()


def _works_ahead(iterator: Any) -> bool:
    return isinstance(iterator, (MultiprocessIterator, MultithreadIterator))


def _twin(iterator: Any) -> Any:
    """A serial iterator that goes on from where the given one is, and leaves it alone."""
    twin = SerialIterator(iterator.dataset, iterator.batch_size, repeat=iterator.repeat, shuffle=False)
    twin.order_sampler = iterator.order_sampler
    twin._state = iterator._state
    twin._previous_epoch_detail = iterator._previous_epoch_detail
    return twin


def _refuse_what_cannot_be_restored(updater: Any) -> None:
    if isinstance(updater, updaters.MultiprocessParallelUpdater):
        raise ValueError(
            "MultiprocessParallelUpdater keeps state in other processes, which can't be put back; "
            'use a StandardUpdater for the range test'
        )
    for name, iterator in updater._iterators.items():
        if getattr(type(iterator), 'serialize', ChainerIterator.serialize) is ChainerIterator.serialize:
            raise ValueError(
                f"the iterator {name!r} ({type(iterator).__name__}) has no serialize(), so that its position can't be put "
                'back; use one of chainer.iterators, or give it serialize()'
            )
