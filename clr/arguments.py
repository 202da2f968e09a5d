"""The arguments of the user's: each is returned in plain Python numbers, or refused by a ValueError of one line."""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Callable
from typing import Any

from clr import policies


def checked_range(name: str, value_range: Any, ascending: bool = False) -> tuple[float, float]:
    """Two finite numbers, not negative, in either order, or in ascending order alone (equal ones are).

    Raises:
        ValueError: ``value_range``, the argument called ``name``, is something else.

    >>> checked_range('value_range', [0.1, 0])
    (0.1, 0.0)
    """
    try:
        first, second = value_range
        bounds = float(first), float(second)
    except (TypeError, ValueError, OverflowError):
        bounds = None
    if bounds is None or isinstance(value_range, str):
        raise ValueError(f'{name} must be two numbers, such as (0.01, 0.1), not {value_range!r}')
    sound = all(math.isfinite(bound) and bound >= 0 for bound in bounds)
    if not sound or (ascending and bounds[0] > bounds[1]):
        wanted = 'finite, not negative and in ascending order' if ascending else 'finite and not negative'
        raise ValueError(f'{name} must be {wanted}, not {value_range!r}')
    return bounds


def checked_count(name: str, count: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number from ``least`` to ``most``, or without an end.

    Raises:
        ValueError: ``count``, the argument called ``name``, is something else.

    >>> checked_count('iterations', 100.0)
    100
    """
    number = isinstance(count, numbers.Real) and not isinstance(count, bool) and -math.inf < count < math.inf
    if not (number and count == int(count) and least <= count <= (count if most is None else most)):
        limits = f', {least} or more' if most is None else f' from {least} to {most:,}'
        raise ValueError(f'{name} must be a whole number{limits}, not {count!r}')
    return int(count)


def checked_step_size(name: str, step_size: Any) -> float:
    """A number of calls, 1 or more, whole or not.

    Raises:
        ValueError: ``step_size``, the argument called ``name``, is something else.

    >>> checked_step_size('step_size', 2000.0)
    2000
    """
    number = isinstance(step_size, numbers.Real) and not isinstance(step_size, bool)
    if not (number and 1 <= step_size < math.inf):
        raise ValueError(f'{name} must be a number of calls, 1 or more, not {step_size!r}')
    # A NumPy integer would turn every value into a NumPy scalar.
    return int(step_size) if step_size == int(step_size) else float(step_size)


def checked_policy(policy: Any, gamma: float | None = None, step_size_down: float | None = None) -> Callable[..., Any]:
    """The function of a policy, given by its name or as such, with the options that were given bound to it.

    Raises:
        ValueError: There is no policy of that name, ``gamma`` is no number from 0 to 1, or ``step_size_down`` no number of
            calls.

    >>> checked_policy('triangular')(1, (0.0, 1.0), 2)
    0.5
    """
    options = {}
    if gamma is not None and not (isinstance(gamma, numbers.Real) and 0 <= gamma <= 1):
        raise ValueError(f'gamma must be a number from 0 to 1, not {gamma!r}')
    if gamma is not None and policy == 'exp_range':
        options['gamma'] = float(gamma)
    if step_size_down is not None:
        options['step_size_down'] = checked_step_size('step_size_down', step_size_down)
    function = policy if callable(policy) else _named_policy(policy)
    return functools.partial(function, **options) if options else function


def check_first_value(policy: Callable[..., Any], value_range: tuple[float, float], step_size: float) -> None:
    """Calls a policy once, so that what it lacks is found out before the training.

    Raises:
        ValueError: It can't be called as a policy is, or gives no finite number.

    >>> check_first_value(lambda step, value_range, step_size: 'a lot', (0.0, 1.0), 2)
    Traceback (most recent call last):
        ...
    ValueError: policy must be callable as policy(step, value_range, step_size) and return a number: could not ...
    """
    try:
        finite = math.isfinite(float(policy(0, value_range, step_size)))
    except (TypeError, ValueError) as error:
        form = 'policy(step, value_range, step_size)'
        raise ValueError(f'policy must be callable as {form} and return a number: {error}') from error
    if not finite:
        raise ValueError('policy must return a finite number; it does not at step 0')


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
    if not isinstance(other, str) or other == attr:
        raise ValueError(
            f"inverse must be another attribute than {attr!r} and its bounds, such as ('momentum', (0.85, 0.95)), "
            f'not {inverse!r}'
        )
    return other, checked_range('the range of inverse', bounds)


def _named_policy(name: Any) -> Callable[..., Any]:
    if not (isinstance(name, str) and name in policies.POLICIES):
        choices = ', '.join(map(repr, policies.POLICIES))
        raise ValueError(f'unknown policy {name!r}; use {choices}, or a function policy(step, value_range, step_size)')
    return policies.POLICIES[name]
