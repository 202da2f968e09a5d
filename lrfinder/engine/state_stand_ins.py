"""Stand-ins for what can't be wound back: built-in iterators like ``itertools.count``, and the results kept by ``lru_cache``.

Over the block, whatever refers to such a thing refers to a copy instead, which is used up in its place. The thing itself goes
on afterwards as if nothing had been.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Iterable
from typing import Any

from lrfinder.engine.state_copies import REBUILT, Copy, rebuilt
from lrfinder.engine.state_walk import Place, Reached, all_parts, name, named_parts


class StandIns:
    """Puts copies in the place of things, wherever these are referred to.

    Args:
        found: Everything that there is.
        places: Every place that refers to something.

    Raises:
        ValueError: A thing can't be wound back, and is referred to by something that can't refer to a copy.
    """

    def __init__(self, found: list[Reached], places: Iterable[Place]) -> None:
        self._copies: dict[int, Copy] = {}
        self._around: set[int] = set()
        holders = _holders(found, [each.thing for each in found if each.kind.copy is not None])
        for each in found:
            if each.kind.copy is not None and not self._adopt(each.thing, each.kind.copy, holders):
                where = ''.join(f' in {name(holder.thing)}' for holder in holders[id(each.thing)][:1])
                raise ValueError(f"the {name(each.thing)}{where} can't be wound back after the range test; do without it there")
        ids = self._copies.keys() | self._around
        self._places = [place for place in places if place.held(ids)]

    def __contains__(self, thing: Any) -> bool:
        return id(thing) in self._copies

    def use(self) -> None:
        """Lets new copies take the place of things."""
        replacement = functools.partial(self._replacement, made={})
        for place in self._places:
            place.replace(replacement)

    def _replacement(self, thing: Any, made: dict[int, Any]) -> Any:
        if id(thing) in self._copies:
            return self._copies[id(thing)](thing, made)
        if id(thing) in self._around and id(thing) not in made:
            made[id(thing)] = rebuilt(thing, functools.partial(self._replacement, made=made))
        return made.get(id(thing), thing)

    def _adopt(self, thing: Any, copy: Copy, holders: dict[int, list[Reached]]) -> bool:
        """Takes a thing in, with the tuples and the like around it; whether all that holds it can hold a copy."""
        around: set[int] = set()
        inside = [thing]
        while inside:
            part = inside.pop()
            for holder in holders[id(part)]:
                if isinstance(holder.thing, REBUILT):
                    if id(holder.thing) not in around:
                        around.add(id(holder.thing))
                        inside.append(holder.thing)
                elif not _can_hold_another(holder, part):
                    return False
            if not holders[id(part)]:
                return False
        self._around |= around
        self._copies[id(thing)] = copy
        return True


def _holders(found: list[Reached], things: list[Any]) -> dict[int, list[Reached]]:
    """By the id of a thing, or of a tuple or the like: what refers to it."""
    holders: dict[int, list[Reached]] = collections.defaultdict(list)
    wanted = {id(thing) for thing in things} | {id(each.thing) for each in found if isinstance(each.thing, REBUILT)}
    for each in found:
        for part in all_parts(each):
            if id(part) in wanted:
                holders[id(part)].append(each)
    return holders


def _can_hold_another(holder: Reached, part: Any) -> bool:
    # A copy of an iterator has copies of the iterators in it.
    changeable = holder.kind.copy is not None or holder.kind.set_parts is not None
    return changeable or any(part is other for other, _ in named_parts(holder.thing, holder.kind))
