"""What training can change: everything that is reachable from an updater.

The walk goes from object to object through attributes, slots, items of containers, closures and defaults of functions. It does
not enter what can't change, modules and classes, and what belongs to other threads or the system.

Data sets, and the graphs of results, are only lent: training reads them, and they may be large. They are searched for
generators and the like, but not for examples.
"""

from __future__ import annotations

import collections
import concurrent.futures
import functools
import multiprocessing.pool
import queue
import random
import threading
import types
import weakref
from collections.abc import Collection, Iterable
from typing import Any

import chainer
import numpy as np
from chainermn import CommunicatorBase

# Things, and whether each is only lent.
Found = list[tuple[Any, bool]]

# Stands for the value of a slot that has none.
EMPTY = object()

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
# What hangs on these attributes is lent.
_LENT = ('dataset', '_dataset', '_creator_node')
# Longer containers than this are not searched in what is lent: they hold examples.
_FEW = 100


def reachable(roots: Iterable[Any]) -> Found:
    """Everything within some objects, each thing once. What is lent stays so where it hangs elsewhere, too.

    >>> [thing for thing, lent in reachable([{'a': [1, 2]}])]
    [{'a': [1, 2]}, [1, 2]]
    """
    roots = list(roots)
    lent = {id(part) for thing, _ in _walk(roots, ()) for part, is_lent in parts(thing) if is_lent}
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
            for part, part_lent in parts(thing):
                (borrowed if lent or part_lent else owned).append(part)
    return found


def _holds_examples(thing: Any) -> bool:
    if isinstance(thing, np.ndarray):
        return thing.size > _FEW
    return isinstance(thing, _CONTAINERS) and len(thing) > _FEW


def parts(thing: Any) -> Found:
    """What one object refers to."""
    found = [(value, name in _LENT) for name, value in attributes(thing).items()]
    return found + [(part, False) for part in _contents(thing)]


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
    return [value for slot in slots(thing) if (value := get(slot, thing)) is not EMPTY]


def attributes(thing: Any) -> dict[str, Any]:
    """The ``__dict__`` of an object, itself; an empty one where it has none."""
    found = getattr(thing, '__dict__', None)
    return found if isinstance(found, dict) else {}


def slots(thing: Any) -> list[Any]:
    """The places of an object for values beside its ``__dict__``; each may be empty."""
    if isinstance(thing, types.CellType):
        return [types.CellType.cell_contents]
    classes = [cls for cls in type(thing).__mro__ if '__slots__' in vars(cls)]
    return [slot for cls in classes for slot in vars(cls).values() if isinstance(slot, types.MemberDescriptorType)]


def get(slot: Any, thing: Any) -> Any:
    """What is in a slot of an object; :data:`EMPTY` where nothing is."""
    try:
        return slot.__get__(thing)
    except (AttributeError, ValueError):  # of slots and of cells
        return EMPTY
