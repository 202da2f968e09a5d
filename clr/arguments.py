"""The arguments of the user's: each is returned in plain Python numbers, or refused by a ValueError of one line."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Mapping, Set
from typing import Any


def checked_range(name: str, value_range: Any, ascending: bool = False) -> tuple[float, float]:
    """Two finite numbers, not negative, in either order, or in ascending order alone (equal ones are).

    Raises:
        ValueError: ``value_range``, the argument called ``name``, is something else.

    >>> checked_range('value_range', [0.1, 0])
    (0.1, 0.0)
    """
    bounds = _two_numbers(value_range)
    if bounds is None:
        raise ValueError(f'{name} must be two numbers, such as (0.01, 0.1), not {value_range!r}')
    sound = all(math.isfinite(bound) and bound >= 0 for bound in bounds)
    if not sound or (ascending and bounds[0] > bounds[1]):
        wanted = 'finite, not negative and in ascending order' if ascending else 'finite and not negative'
        raise ValueError(f'{name} must be {wanted}, not {value_range!r}')
    return bounds


def _two_numbers(values: Any) -> tuple[float, float] | None:
    # A set has no order, and the items of a dictionary are its keys.
    if isinstance(values, (str, bytes, Mapping, Set)):
        return None
    try:
        first, second = values
        # Text can be turned into a number, too, but is none.
        if any(isinstance(value, (str, bytes, bool)) for value in (first, second)):
            return None
        return float(first), float(second)
    except (TypeError, ValueError, OverflowError):
        return None


def checked_flag(name: str, flag: Any) -> bool:
    """True or False, which a text such as ``'no'`` is not.

    Raises:
        ValueError: ``flag``, the argument called ``name``, is something else.

    >>> checked_flag('quiet', True)
    True
    """
    if type(flag).__name__ not in ('bool', 'bool_'):  # NumPy's, too, which is not loaded here
        raise ValueError(f'{name} must be True or False, not {flag!r}')
    return bool(flag)


def checked_callback(name: str, callback: Any, call: str, optional: bool = True) -> Any:
    """A function to be called as ``call`` says, or ``None`` where it is optional.

    Raises:
        ValueError: ``callback``, the argument called ``name``, can't be called so.

    >>> checked_callback('on_row', print, 'on_row(rate, loss)') is print
    True
    >>> checked_callback('on_row', 3, 'on_row(rate, loss)')
    Traceback (most recent call last):
        ...
    ValueError: on_row must be a function to be called as on_row(rate, loss), not 3
    """
    if callback is None and optional:
        return None
    names = call.partition('(')[2].rstrip(')').split(', ')
    wanted = f'{name} must be a function to be called as {call}'
    if not callable(callback):
        raise ValueError(f'{wanted}, not {callback!r}')
    try:
        inspect.signature(callback).bind(*names)
    except TypeError as error:
        raise ValueError(f'{wanted}: {error}') from None
    except ValueError:  # one of compiled code has no signature to look at
        pass
    return callback


def checked_count(name: str, count: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number from ``least`` to ``most``, or without an end.

    Raises:
        ValueError: ``count``, the argument called ``name``, is something else.

    >>> checked_count('iterations', 100.0)
    100
    """
    finite = is_number(count) and -math.inf < count < math.inf
    if not (finite and count == int(count) and least <= count <= (count if most is None else most)):
        limits = f', {least} or more' if most is None else f' from {least} to {most:,}'
        raise ValueError(f'{name} must be a whole number{limits}, not {count!r}')
    return int(count)


def checked_number(name: str, number: Any, least: float, most: float = math.inf) -> float:
    """A finite number from ``least`` to ``most``, or without an end.

    Raises:
        ValueError: ``number``, the argument called ``name``, is something else.

    >>> checked_number('gamma', 0.5, 0, 1)
    0.5
    """
    if not (is_number(number) and least <= number <= most):
        limits = f'{least} or more' if most == math.inf else f'a number from {least} to {most}'
        raise ValueError(f'{name} must be {limits}, not {number!r}')
    if number == math.inf:
        raise ValueError(f'{name} must be finite, not {number!r}')
    return float(number)


def checked_step_size(name: str, step_size: Any) -> float:
    """A number of calls, 1 or more, whole or not.

    Raises:
        ValueError: ``step_size``, the argument called ``name``, is something else.

    >>> checked_step_size('step_size', 2000.0)
    2000
    """
    if not (is_number(step_size) and 1 <= step_size < math.inf):
        raise ValueError(f'{name} must be a number of calls, 1 or more, not {step_size!r}')
    # A NumPy integer would turn every value into a NumPy scalar.
    return int(step_size) if step_size == int(step_size) else float(step_size)


def is_number(value: Any) -> bool:
    """Whether a value is a real number of any type, which True and False are not.

    >>> is_number(0.5), is_number(True), is_number('1')
    (True, False, False)
    """
    return isinstance(value, (int, float, numbers.Real)) and not isinstance(value, bool)


def checked_attr(attr: Any) -> str:
    """The name of an attribute.

    Raises:
        ValueError: ``attr`` is something else.

    >>> checked_attr('lr')
    'lr'
    """
    if not (isinstance(attr, str) and attr):
        raise ValueError(f"attr must be the name of an attribute of the optimizer, such as 'lr' or 'alpha', not {attr!r}")
    return attr


def checked_inverse(inverse: Any, attr: str) -> tuple[str, tuple[float, float]]:
    """The name of another attribute than ``attr``, and its bounds.

    Raises:
        ValueError: ``inverse`` is something else.

    >>> checked_inverse(('momentum', (0.85, 0.95)), 'lr')
    ('momentum', (0.85, 0.95))
    """
    try:
        other, bounds = inverse
    except (TypeError, ValueError):
        other, bounds = None, None
    if not (isinstance(other, str) and other) or other == attr:
        raise ValueError(
            f"inverse must be another attribute than {attr!r} and its bounds, such as ('momentum', (0.85, 0.95)), "
            f'not {inverse!r}'
        )
    return other, checked_range('the range of inverse', bounds)
