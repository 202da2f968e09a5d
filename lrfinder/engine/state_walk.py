"""What training can change: everything that is reachable from an updater.

Followed, from the updater and the evaluator on: attributes and slots of objects, items of containers, and what functions refer
to: variables of functions around them, defaults, and the objects that methods are bound to.

Not followed, and left as they are: modules, classes and global variables; loggers and their handlers; streams and files (but a
file that is open for reading goes back to its position); progress bars, notebooks, plots and trackers; threads, processes,
locks, queues and sockets; whatever is an attribute of the module ``sys``; and what is only referred to weakly.

Data sets, and the graphs of results, are only lent: training reads them, and they may be large. They are searched for random
generators and the like, but not for examples, and their content is not kept.

Refused, by name and before anything is touched: what can't be wound back, like a generator; what compiled code may keep where
Python can't see it (:mod:`~lrfinder.engine.state_kinds` has the types that are known); and more than 100,000 objects.
"""

from __future__ import annotations

import functools
import operator
import os
import sys
import types
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from typing import Any, NamedTuple

from lrfinder.engine.state_kinds import EMPTY, OPAQUE, Kind, dict_parts, kind_of, set_dict_parts

# What things are called where Python's own name says little.
_NAMES: dict[type, str] = {types.CellType: 'closure', functools._lru_cache_wrapper: 'lru_cache'}
# What hangs on these attributes is lent.
_LENT = ('dataset', '_dataset', '_creator_node')
# What hangs on this attribute only wraps the gradient, which is found without it.
_WRAPPER = '_grad_var'
# Longer containers than this are not searched in what is lent: they hold examples.
_FEW = 100
# They matter only for what is in them.
_CONSTANT = (tuple, frozenset)
# To put more things back takes seconds, after each run; and so does looking through more tuples and the like.
MOST = 100_000
MOST_LOOKED_THROUGH = 1_000_000


class Reached(NamedTuple):
    """Something that training can change.

    Attributes:
        thing: What it is.
        kind: How it is kept and put back.
        lent: Whether it is a part of a data set, or of the graph of a result.
    """

    thing: Any
    kind: Kind
    lent: bool


def reachable(roots: Iterable[Any]) -> list[Reached]:
    """Everything within some objects, each thing once. What is lent stays so where it hangs elsewhere, too.

    Raises:
        ValueError: There is more than can be put back in seconds.

    >>> [found.thing for found in reachable([{'a': [1, 2]}])]
    [{'a': [1, 2]}, [1, 2]]
    """
    roots = list(roots)
    lent = {id(part) for found in _walk(roots, ()) for part, is_lent in named_parts(found.thing, found.kind) if is_lent}
    return _walk(roots, lent)


def _walk(roots: Iterable[Any], lent_anyway: Collection[int]) -> list[Reached]:
    found: list[Reached] = []
    kinds, seen = _Kinds(), _ids_of_the_interpreter()
    owned, borrowed = list(roots), list[Any]()
    looked_through = 0
    while owned or borrowed:
        lent = not owned
        thing = (owned or borrowed).pop()
        kind = kinds[type(thing)]
        if kind is OPAQUE or id(thing) in seen or (lent and kind.is_hidden):
            continue
        if not lent and id(thing) in lent_anyway:
            borrowed.append(thing)
            continue
        looked_through += 1
        if len(found) > MOST or looked_through > MOST_LOOKED_THROUGH:
            raise ValueError(_too_many(found))
        items = kind.parts(thing)
        items = [] if lent and len(items) > _FEW else [item for item in items if kinds[type(item)] is not OPAQUE]
        if type(thing) in _CONSTANT and not items:
            continue
        seen.add(id(thing))
        found.append(Reached(thing, kind, lent))
        (borrowed if lent else owned).extend(items)
        for part, part_lent in named_parts(thing, kind):
            (borrowed if lent or part_lent else owned).append(part)
    return found


class _Kinds(dict[type, Kind]):
    def __missing__(self, cls: type) -> Kind:
        self[cls] = kind_of(cls)
        return self[cls]


def _ids_of_the_interpreter() -> set[int]:
    """What is of the interpreter itself: the attributes of ``sys``, and the variables of all modules."""
    modules = [module for module in list(sys.modules.values()) if isinstance(module, types.ModuleType)]
    return {id(thing) for thing in (*vars(sys).values(), os.environ, *map(vars, modules))}


def named_parts(thing: Any, kind: Kind) -> list[tuple[Any, bool]]:
    """What is in the attributes and slots of an object, and whether it is lent there."""
    named = dict.items(attributes(thing) or {}) if kind.has_attributes else ()
    found = [(value, name in _LENT) for name, value in named if name != _WRAPPER]
    if kind.slots:
        found += [(value, slot.__name__ in _LENT) for slot in kind.slots if (value := _in_slot(slot, thing)) is not EMPTY]
    return found


def all_parts(found: Reached) -> list[Any]:
    """What one thing refers to."""
    return [part for part, _ in named_parts(found.thing, found.kind)] + found.kind.parts(found.thing)


def attributes(thing: Any) -> dict[str, Any] | None:
    """The ``__dict__`` of an object, itself; ``None`` where it has none."""
    try:
        found = getattr(thing, '__dict__', None)
    except Exception:  # of an object that makes up its attributes
        return None
    return found if isinstance(found, dict) else None


class Place:
    """Where a thing refers to others: its attributes, a slot, or its items.

    It remembers what it refers to at first.
    """

    def __init__(self, read: Callable[[], list[Any]], write: Callable[[list[Any]], None]) -> None:
        self._read = read
        self._write = write
        self._saved = read()

    def restore(self) -> None:
        """Makes it refer to the same again."""
        found = self._read()
        if len(found) != len(self._saved) or not all(map(operator.is_, found, self._saved)):
            self._write(self._saved)

    def replace(self, replacement: Callable[[Any], Any]) -> None:
        """Makes it refer to what replaces the things that it referred to at first."""
        self._write([replacement(thing) for thing in self._saved])

    def held(self, ids: Container[int]) -> bool:
        """Whether it referred to something with one of these ids at first."""
        return any(id(thing) in ids for thing in self._saved)


def places(found: Reached) -> Iterator[Place]:
    """All places of a thing, with what they refer to now."""
    thing, kind, _ = found
    if kind.has_attributes and attributes(thing) is not None:
        yield attributes_of(thing)
    for slot in kind.slots:
        yield Place(functools.partial(_slot_parts, slot, thing), functools.partial(_set_slot_parts, slot, thing))
    if kind.set_parts is not None:
        yield Place(functools.partial(kind.parts, thing), functools.partial(kind.set_parts, thing))


def attributes_of(thing: Any) -> Place:
    """The attributes of an object that has a ``__dict__``."""
    return Place(lambda: dict_parts(attributes(thing)), lambda items: set_dict_parts(attributes(thing), items))


def _in_slot(slot: Any, thing: Any) -> Any:
    try:
        return slot.__get__(thing)
    except (AttributeError, ValueError):  # of slots and of cells
        return EMPTY


def _slot_parts(slot: Any, thing: Any) -> list[Any]:
    return [_in_slot(slot, thing)]


def _set_slot_parts(slot: Any, thing: Any, items: list[Any]) -> None:
    if items[0] is EMPTY:
        slot.__delete__(thing)
    else:
        slot.__set__(thing, items[0])


def name(thing: Any) -> str:
    """What to call a thing where it is refused."""
    return _NAMES.get(type(thing), type(thing).__name__)


def _too_many(found: list[Reached]) -> str:
    what = f'{MOST:,} objects would have to be put back after each run'
    if len(found) <= MOST:
        what = f'{MOST_LOOKED_THROUGH:,} objects would have to be looked through'
    longest = max(found, key=_length)
    holders = [each.thing for each in found if any(part is longest.thing for part in all_parts(each))]
    where = f' in {name(holders[0])}' if holders else ''
    return (
        f'more than {what} (the longest {name(longest.thing)}{where} has {_length(longest):,} items); '
        'keep them in a data set or a global variable, where they are left alone'
    )


def _length(found: Reached) -> int:
    items = len(found.kind.parts(found.thing))
    return items // 2 if isinstance(found.thing, dict) else items
