"""Copies of what can't be changed in place: of built-in iterators, of functions under ``lru_cache``, of tuples and the like."""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

# Makes a copy. Those made already are looked up by the id of what they were made of: what is shared stays shared.
Copy = Callable[[Any, dict[int, Any]], Any]

# Their parts refer to each other, so that a copy would use up the original.
_ENTANGLED = ('_tee', '_tee_dataobject', 'groupby', '_grouper')


def copied_iterator(iterator: Any, made: dict[int, Any]) -> Any:
    """A built-in iterator at the same position, with copies of the iterators that it goes through.

    Raises:
        TypeError: It can't be copied.

    >>> numbers = itertools.count(3)
    >>> copied = copied_iterator(numbers, {})
    >>> next(copied), next(copied), next(numbers)
    (3, 4, 3)
    """
    if id(iterator) not in made:
        with _without_warnings():
            make, arguments, *state = _taken_apart(iterator)
            copied = made[id(iterator)] = make(*_copied_parts(arguments, made))
            if state and state[0] is not None:
                copied.__setstate__(_copied_parts(state, made)[0])
    return made[id(iterator)]


def _copied_parts(parts: Any, made: dict[int, Any]) -> list[Any]:
    return [_copied_part(part, made) for part in parts]


def _copied_part(part: Any, made: dict[int, Any]) -> Any:
    if type(part) is tuple:
        return tuple(_copied_parts(part, made))
    return copied_iterator(part, made) if _is_built_in(part) else part


def passed_through(iterator: Any) -> list[Any]:
    """What a built-in iterator, and the iterators that it goes through, take their items from."""
    try:
        with _without_warnings():
            _, arguments, *state = _taken_apart(iterator)
    except TypeError:
        return []
    sources: list[Any] = []
    for part in (*arguments, *state):
        for source in part if type(part) is tuple else (part,):
            sources += passed_through(source) if _is_built_in(source) else [source]
    return sources


def _taken_apart(iterator: Any) -> tuple[Any, ...]:
    """How to make a built-in iterator anew: what to call, with what, and for some the state to set."""
    kind: Any = type(iterator)
    if not _is_built_in(iterator) or kind.__name__ in _ENTANGLED:
        raise TypeError(f'{kind.__name__} can not be copied')
    if kind.__reduce__ is object.__reduce__:  # from Python 3.14 on, for all of itertools
        return kind, _arguments_of_count(iterator)
    make, arguments, *state = iterator.__reduce__()
    if kind is itertools.cycle:
        seen, at_first = state[0]
        state = [(list(seen), at_first)]  # the list is still being filled
    return make, arguments, *state


def _arguments_of_count(iterator: Any) -> Any:
    """Start and step, out of ``count(3, 2)``."""
    with contextlib.suppress(ValueError, SyntaxError):
        if type(iterator) is itertools.count:
            return ast.literal_eval(repr(iterator).removeprefix('count')[:-1] + ',)')
    raise TypeError(f'{type(iterator).__name__} can not be copied')


def _is_built_in(thing: Any) -> bool:
    made_by_python = type(thing).__module__ in ('builtins', 'itertools', 'collections', '_collections')
    return made_by_python and isinstance(thing, Iterator) and not isinstance(thing, types.GeneratorType)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Python 3.12 and 3.13 warn that iterators will lose their copies."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        yield


def empty_cache(function: Any, made: dict[int, Any]) -> Any:
    """A function under ``functools.lru_cache`` that keeps no results yet.

    >>> square = functools.lru_cache(lambda x: x * x)
    >>> twin = empty_cache(square, {})
    >>> twin(3), twin.cache_info().currsize, square.cache_info().currsize
    (9, 1, 0)
    """
    if id(function) not in made:
        twin = made[id(function)] = functools.lru_cache(**function.cache_parameters())(function.__wrapped__)
        vars(twin).update(vars(function))
    return made[id(function)]


# What can be made anew around other parts.
REBUILT = (tuple, functools.partial, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType)


def rebuilt(thing: Any, replace: Callable[[Any], Any]) -> Any:
    """A tuple, partial or bound method with other parts.

    >>> rebuilt(('a', 'b'), str.upper)
    ('A', 'B')
    """
    if isinstance(thing, tuple):
        return tuple.__new__(type(thing), [replace(part) for part in tuple.__iter__(thing)])
    if isinstance(thing, functools.partial):
        keywords = {name: replace(value) for name, value in thing.keywords.items()}
        return type(thing)(replace(thing.func), *replace(thing.args), **keywords)
    if isinstance(thing, types.MethodType):
        return types.MethodType(replace(thing.__func__), replace(thing.__self__))
    return getattr(replace(thing.__self__), thing.__name__)
