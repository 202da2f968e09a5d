"""Puts everything that training changes back exactly as it was found.

It is done in place, object by object. An updater, its optimizers, models, hooks and iterators refer to each other, and the
user's script refers to all of them, so that a copy to train on would not do: it would share what can't be copied with the
original, and miss what is outside of it, like the global random generators. Chainer's own ``serialize`` would not do either: it
leaves out rates, gradients, hooks and random states, and knows Chainer's objects alone. So a walk finds whatever is reachable
(:mod:`~lrfinder.engine.state_walk`), the content of each object is remembered, and goes back into the same object: whoever
refers to it sees it as it was. Only what iterators load ahead can't be put back by anybody: they are left alone, and for as
long as it takes their ``__class__`` is swapped for one that loads nothing ahead (:mod:`~lrfinder.engine.prefetch`).

Kept are the gradients as they are, and one copy of what else is in arrays: the model's and the optimizer's. Data sets are not
copied: their attributes and random generators are put back, their content is taken to be only read.

Out of reach are the variables of modules and classes, what is written to files, and other processes.
"""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Callable, Iterator
from typing import Any

from lrfinder.engine.prefetch import PREFETCHING, read_serially
from lrfinder.engine.signals import signals_deferred
from lrfinder.engine.state_kinds import kind_of
from lrfinder.engine.state_stand_ins import StandIns
from lrfinder.engine.state_walk import Reached, all_parts, attributes_of, name, places, reachable

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
    with read_serially(_prefetching(updater, *others)), _own_cupy_random_state():
        state = SavedState(updater, *others)
        try:
            state.begin()
            yield state.begin
        finally:
            state.restore()


class SavedState:
    """The state of some objects, and of the global random generators and Chainer's configuration, at one moment.

    Raises:
        ValueError: Something can't be put back; nothing has been touched then.

    >>> weights = {'w': np.zeros(2)}
    >>> state = SavedState(weights)
    >>> state.begin()
    >>> weights['w'] += 1
    >>> state.restore()
    >>> weights['w'].tolist()
    [0.0, 0.0]
    """

    def __init__(self, *roots: Any) -> None:
        found = reachable(roots)
        _refuse_what_cannot_be_put_back(found)
        self._buffering = [each.thing for each in found if isinstance(each.thing, _DoubleBufferingOptimizer)]
        self._let_gradients_arrive()
        all_places = [place for each in found for place in places(each)]
        # The rest is of iterators that make themselves a new one.
        possible = [each for each in found if not each.kind.refusal(each.thing)]
        self._stand_ins = StandIns(possible, all_places)
        self._undo = [_undo_global_state(), *(place.restore for place in all_places)]
        self._undo += _undo_states(possible, self._stand_ins)
        self._undo += [_undo_by_serialize(each) for each in found if _serializes_itself(each.thing)]

    def begin(self) -> None:
        """Puts everything back, for changes that :meth:`restore` or another ``begin`` undo.

        Meanwhile copies are used up in the place of what can't be wound back.
        """
        self.restore()
        self._stand_ins.use()

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


# ---- how things are put back


def _undo_states(found: list[Reached], stand_ins: StandIns) -> Iterator[Undo]:
    """What there is to each thing beside what it refers to."""
    kept = {id(each.thing) for each in found if not each.lent}
    for thing, kind, lent in found:
        if kind.state is None or kind.set_state is None or thing in stand_ins:
            continue
        is_view = isinstance(thing, np.ndarray) and id(thing.base) in kept  # of what is kept itself
        if not (kind.is_data and (lent or is_view)):
            try:
                saved = kind.state(thing)
            except Exception as error:
                raise ValueError(f"the {name(thing)} can't be read to be put back after the range test: {error!r}") from error
            yield functools.partial(kind.set_state, thing, saved)


def _undo_global_state() -> Undo:
    undo_random = undo_random_numbers()
    configs = [attributes_of(config) for config in (chainer.global_config, chainer.config._local)]

    def undo() -> None:
        undo_random()
        for config in configs:
            config.restore()

    return undo


def undo_random_numbers() -> Undo:
    """Puts the random generators of Python and NumPy that are global back to where they are now."""
    python = random.getstate()
    numpy = np.random.get_state(legacy=False)

    def undo() -> None:
        random.setstate(python)
        np.random.set_state(numpy)

    return undo


def _serializes_itself(thing: Any) -> bool:
    """Whether it is an iterator of the user's that knows better than its attributes how to be put back."""
    if not isinstance(thing, ChainerIterator):
        return False
    return type(thing).serialize.__module__.partition('.')[0] not in ('chainer', 'chainermn')


def _undo_by_serialize(found: Reached) -> Undo:
    """Tells an iterator its position again.

    Raises:
        ValueError: It can't take that, or holds what can't be put back and makes itself no new one.
    """
    iterator, saved = found.thing, DictionarySerializer()
    before = attributes_of(iterator)
    stuck = [part for part in all_parts(found) if kind_of(type(part)).refusal(part)]

    def undo() -> None:
        iterator.serialize(NpzDeserializer(saved.target))

    try:
        iterator.serialize(saved)
        undo()
    except Exception as error:
        raise ValueError(f"{name(iterator)}.serialize() fails, so that its position can't be put back: {error!r}") from error
    left = [part for part in stuck if any(part is other for other in all_parts(found))]
    if left:
        before.restore()
        raise ValueError(f'the {name(left[0])} in {name(iterator)} {kind_of(type(left[0])).refusal(left[0])}')
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


def _refuse_what_cannot_be_put_back(found: list[Reached]) -> None:
    """Raises for the first thing that there is no way back for, unless it is of an iterator that makes itself a new one."""
    for thing, kind, _ in found:
        reason = kind.refusal(thing)
        if reason:
            holders = [each.thing for each in found if any(part is thing for part in all_parts(each))]
            named = [holder for holder in holders if not _serializes_itself(holder)]
            if named or not holders:
                where = f' in {name(named[0])}' if named else ''
                raise ValueError(f'the {name(thing)}{where} {reason}')


def _prefetching(updater: Any, *others: Any) -> list[Any]:
    """The iterators that load ahead.

    Raises:
        ValueError: There are other things of Chainer's that can't be put back.
    """
    if isinstance(updater, updaters.MultiprocessParallelUpdater):
        raise ValueError(
            "MultiprocessParallelUpdater keeps state in other processes, which can't be put back; "
            'use a StandardUpdater for the range test'
        )
    # An evaluator begins anew with its iterators, each time.
    begun_anew = [iterator for other in others for iterator in getattr(other, '_iterators', {}).values()]
    iterators = [each.thing for each in reachable([updater, *others]) if isinstance(each.thing, ChainerIterator)]
    for iterator in iterators:
        _refuse_unserializable(iterator, any(iterator is other for other in begun_anew))
    return [iterator for iterator in iterators if isinstance(iterator, PREFETCHING)]


def _refuse_unserializable(iterator: Any, begun_anew: bool) -> None:
    if isinstance(iterator, DaliIterator):
        raise ValueError(
            "DaliIterator can't be put back, since its serialize() leaves out the pipeline; use another for the range test"
        )
    if isinstance(iterator, PREFETCHING) and type(iterator).__next__ not in [kind.__next__ for kind in PREFETCHING]:
        raise ValueError(
            f"the iterator {name(iterator)} loads examples ahead in a way of its own, which can't be put back; "
            'derive it from SerialIterator for the range test'
        )
    if not begun_anew and type(iterator).serialize is ChainerIterator.serialize:
        raise ValueError(
            f"the iterator {name(iterator)} has no serialize(), so that its position can't be put back; "
            'use one of chainer.iterators, or give it serialize()'
        )
