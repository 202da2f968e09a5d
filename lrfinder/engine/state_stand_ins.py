"""Stand-ins for what can't be wound back: built-in iterators like ``itertools.count``, and the results kept by ``lru_cache``.

Over the block, whatever refers to such a thing refers to a copy instead, which is used up in its place. The thing itself goes
on afterwards as if nothing had been.

The same is done with gradients, to save memory: each update drops them and makes others, so that their copies are soon gone,
where a kept content would stay beside them.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Iterable, Iterator
from typing import Any

from lrfinder.engine.state_copies import REBUILT, Copy, rebuilt
from lrfinder.engine.state_walk import Place, Reached, all_parts, name, named_parts

import chainer
import numpy as np
from chainer.backends import cuda

_ARRAYS = (np.ndarray, cuda.ndarray)


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
        gradients = list(_gradients(found))
        one_way = [each.thing for each in found if each.kind.copy is not None]
        holders = _holders(found, [*one_way, *(gradient for gradient, _ in gradients)])
        for each in found:
            if each.kind.copy is not None and not self._adopt(each.thing, each.kind.copy, holders):
                where = ''.join(f' in {name(holder.thing)}' for holder in holders[id(each.thing)][:1])
                raise ValueError(f"the {name(each.thing)}{where} can't be wound back after the range test; do without it there")
        for gradient, variable in gradients:
            if self._adopt(gradient, _copied_array, holders) and variable is not None:
                self._copies[id(variable)] = _nothing
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


def _gradients(found: list[Reached]) -> Iterator[tuple[Any, Any]]:
    """The gradients that are nobody's but a parameter's, and the variables that Chainer makes of them when it is asked to."""
    viewed = {id(each.thing.base) for each in found if isinstance(each.thing, _ARRAYS)}
    for each in found:
        if isinstance(each.thing, chainer.Parameter):
            parameter: Any = vars(each.thing)
            gradient, variable = parameter.get('_grad'), parameter.get('_grad_var')
            own = type(gradient) in _ARRAYS and gradient.base is None and id(gradient) not in viewed
            if own and (variable is None or (variable.creator_node is None and variable.array is gradient)):
                yield gradient, variable


def _copied_array(array: Any, made: dict[int, Any]) -> Any:
    if id(array) not in made:
        made[id(array)] = array.copy('K')
    return made[id(array)]


def _nothing(thing: Any, made: dict[int, Any]) -> None:
    return None
