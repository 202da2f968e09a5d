"""Puts everything that training changes back exactly as it was found.

What an updater can change is found by walking from it through attributes, containers and closures: links, parameters, update
rules, optimizers, hooks, iterators, random generators. Every object keeps its identity: contents are put back in place.

What is kept takes about as much memory as the model with its gradients and the optimizer's state, once more. Data sets are not
copied: their attributes and random generators are put back, their arrays are taken to be only read.

Out of reach are the variables of modules and classes, what compiled code keeps to itself, files, and other processes.

A ``MultiprocessIterator`` or ``MultithreadIterator`` is left alone, with the batches that it has loaded ahead, and the block
reads the same examples one by one in its place. Before that it is let come to rest, since its threads draw from NumPy's
global generator: the order of an epoch, and what the data set draws. So training goes on exactly, too, wherever Chainer
repeats itself at all. It does not where the model draws as well (dropout): then threads race for the numbers at the start of
each epoch, range test or not.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import copy
import functools
import multiprocessing.pool
import operator
import queue
import random
import signal
import threading
import time
import types
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import chainer
import numpy as np
from chainer.backends import cuda
from chainer.dataset import Iterator as ChainerIterator
from chainer.iterators import DaliIterator, MultiprocessIterator, MultithreadIterator, SerialIterator
from chainer.serializers import DictionarySerializer, NpzDeserializer
from chainer.training import updaters
from chainermn import CommunicatorBase
from chainermn.optimizers import _DoubleBufferingOptimizer

Undo = Callable[[], None]
# Things, and whether each is only lent.
Found = list[tuple[Any, bool]]

# Values that can't change, things that hold no state of the training, and what belongs to other threads.
_OPAQUE = (
    *weakref.ProxyTypes,
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
    types.BuiltinFunctionType,
    chainer.backend.Device,
    chainer.Reporter,
    CommunicatorBase,
    random.SystemRandom,
    threading.Thread,
    threading.Condition,
    threading.Event,
    queue.Queue,
    concurrent.futures.Executor,
    multiprocessing.pool.Pool,
)
_CONTAINERS = (tuple, list, dict, set, frozenset, collections.deque)
# What hangs on these attributes is lent: data sets, and the graphs of results. It is only read, and may be large.
_LENT = ('dataset', '_dataset', '_creator_node')
# Longer containers than this are not searched in what is lent: they hold examples.
_FEW = 100
# Iterators that load examples ahead, in threads or processes.
_AHEAD = (MultiprocessIterator, MultithreadIterator)
_EMPTY = object()


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
    found = _reachable([updater, *others])
    _refuse_what_cannot_be_restored(found, [updater, *others])
    with _serial([thing for thing, _ in found if isinstance(thing, _AHEAD)]), _own_cupy_random_state():
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
        found = self._found = _reachable(roots)  # keeps them alive: what is dropped in between comes back
        self._buffering = [thing for thing, _ in found if isinstance(thing, _DoubleBufferingOptimizer)]
        self._let_gradients_arrive()
        self._undo = [_undo_global_state()]
        self._undo += [undo for thing, lent in found for undo in _remember(thing, lent)]
        self._undo += [_undo_by_serialize(thing) for thing, _ in found if _serializes_itself(thing)]

    def restore(self) -> None:
        """Puts everything back, whatever signals come meanwhile; can be called again and again."""
        errors = []
        with _signals_deferred():
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


# ---- what there is


def _reachable(roots: Iterable[Any]) -> Found:
    """Everything within some objects, each thing once. What is lent stays so where it hangs elsewhere, too."""
    roots = list(roots)
    lent = {id(part) for thing, _ in _walk(roots, ()) for part, is_lent in _parts(thing) if is_lent}
    return _walk(roots, lent)


def _walk(roots: Iterable[Any], lent_ids: Collection[int]) -> Found:
    found: Found = []
    seen: set[int] = set()
    owned, borrowed = list(roots), list[Any]()
    while owned or borrowed:
        lent = not owned
        thing = (owned or borrowed).pop()
        if id(thing) in seen or isinstance(thing, _OPAQUE):
            continue
        if not lent and id(thing) in lent_ids:
            borrowed.append(thing)
            continue
        seen.add(id(thing))
        found.append((thing, lent))
        if not (lent and _holds_examples(thing)):
            for part, part_lent in _parts(thing):
                (borrowed if lent or part_lent else owned).append(part)
    return found


def _holds_examples(thing: Any) -> bool:
    if isinstance(thing, np.ndarray):
        return thing.size > _FEW
    return isinstance(thing, _CONTAINERS) and len(thing) > _FEW


def _parts(thing: Any) -> Found:
    """What one object refers to."""
    parts = [(value, name in _LENT) for name, value in _attributes(thing).items()]
    return parts + [(part, False) for part in _contents(thing)]


def _contents(thing: Any) -> Iterable[Any]:
    if isinstance(thing, dict):
        return [*thing, *thing.values()]
    if isinstance(thing, _CONTAINERS):
        return thing
    if isinstance(thing, np.ndarray):
        return thing.ravel().tolist() if thing.dtype.hasobject else ()
    if isinstance(thing, types.FunctionType):
        return [*(thing.__closure__ or ()), *(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
    if isinstance(thing, types.MethodType):
        return thing.__self__, thing.__func__
    if isinstance(thing, functools.partial):
        return thing.func, thing.args, thing.keywords
    return [value for slot in _slots(thing) if (value := _get(slot, thing)) is not _EMPTY]


def _attributes(thing: Any) -> dict[str, Any]:
    attributes = getattr(thing, '__dict__', None)
    return attributes if isinstance(attributes, dict) else {}


def _slots(thing: Any) -> list[Any]:
    """The places of an object for values beside its ``__dict__``; each may be empty."""
    if isinstance(thing, types.CellType):
        return [types.CellType.cell_contents]
    classes = [cls for cls in type(thing).__mro__ if '__slots__' in vars(cls)]
    return [slot for cls in classes for slot in vars(cls).values() if isinstance(slot, types.MemberDescriptorType)]


def _get(slot: Any, thing: Any) -> Any:
    try:
        return slot.__get__(thing)
    except (AttributeError, ValueError):  # of slots and of cells
        return _EMPTY


# ---- how each thing is put back, where it has changed


def _remember(thing: Any, lent: bool) -> Iterator[Undo]:
    attributes = _attributes(thing)
    if attributes or hasattr(thing, '__dict__'):
        yield _undo_dict(attributes)
    for slot in _slots(thing):
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
    saved = _get(slot, thing)

    def undo() -> None:
        if saved is not _EMPTY:
            slot.__set__(thing, saved)
        elif _get(slot, thing) is not _EMPTY:
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
def _signals_deferred() -> Iterator[None]:
    """Lets the block end before Ctrl-C, or whatever signal the program handles, has its effect."""
    came: list[int] = []
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # signals are handled there alone
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


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


@contextlib.contextmanager
def _serial(iterators: Iterable[Any]) -> Iterator[None]:
    """Turns iterators that load ahead into serial ones over the block, at the same position; their threads sleep meanwhile."""
    saved = []
    try:
        for iterator in iterators:
            _await_rest(iterator)
            twin = SerialIterator(iterator.dataset, iterator.batch_size, repeat=iterator.repeat, shuffle=False)
            twin.order_sampler = iterator.order_sampler
            twin._state = iterator._state
            twin._previous_epoch_detail = iterator._previous_epoch_detail
            saved.append((iterator, type(iterator), vars(iterator).copy()))
            _become(iterator, SerialIterator, vars(twin))
        yield
    finally:
        with _signals_deferred():
            for iterator, kind, attributes in saved:
                _become(iterator, kind, attributes)


def _become(thing: Any, kind: type, attributes: dict[str, Any]) -> None:
    thing.__class__ = kind
    vars(thing).clear()
    vars(thing).update(attributes)


def _await_rest(iterator: Any) -> None:
    """Waits until an iterator has loaded ahead as much as it will before its next batch is asked for."""
    if isinstance(iterator, MultithreadIterator):
        if iterator._next is not None:
            iterator._next.wait()
        return
    thread = iterator._prefetch_loop and iterator._prefetch_loop.thread  # none once it is finalized, or before its first batch
    while thread and thread.is_alive() and not iterator._comm._not_full_cond._waiters:
        time.sleep(0.001)


# ---- what can't be put back


def _refuse_what_cannot_be_restored(found: Found, roots: list[Any]) -> None:
    updater, *others = roots
    if isinstance(updater, updaters.MultiprocessParallelUpdater):
        raise ValueError(
            "MultiprocessParallelUpdater keeps state in other processes, which can't be put back; "
            'use a StandardUpdater for the range test'
        )
    # An evaluator begins anew with its iterators, each time.
    begun_anew = [iterator for other in others for iterator in _attributes(other).get('_iterators', {}).values()]
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
    holders = [holder for holder, _ in found if any(part is thing for part, _ in _parts(holder))]
    named = [holder for holder in holders if not _serializes_itself(holder)]
    if named or not holders:
        where = f' in {_name(named[0])}' if named else ''
        raise ValueError(f"the {_name(thing)}{where} can't be wound back after the range test; do without it there")


def _name(thing: Any) -> str:
    return type(thing).__name__
