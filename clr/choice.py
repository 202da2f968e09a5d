"""Which policy :class:`~clr.training.extensions.CLR` moves by, and the values that it gives."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from clr import policies
from clr.arguments import checked_number, checked_step_size, is_number

NOT_A_POLICY = 'policy must be callable as policy(step, value_range, step_size) and return a number'


def checked_policy(
    policy: Any,
    gamma: float | None = None,
    step_size_down: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> Callable[..., Any]:
    """The function of a policy, given by its name or as such, with the options that were given bound to it.

    Raises:
        ValueError: There is no policy of that name, it has no such option, ``gamma`` is no number from 0 to 1, or
            ``step_size_down`` no number of calls. The values of options are checked when the policy is called.

    >>> checked_policy('triangular')(1, (0.0, 1.0), 2)
    0.5
    >>> checked_policy('warmed_up', options={'policy': 'cosine', 'steps': 2})(1, (0.0, 1.0), 2)
    0.5
    """
    bound = _checked_options(options)
    if gamma is not None:
        checked_number('gamma', gamma, 0, 1)
    if gamma is not None and (policy is policies.exp_range or policy == 'exp_range'):
        if 'gamma' in bound:
            raise ValueError('gamma must be given once, not as an argument and in options')
        bound['gamma'] = float(gamma)
    if isinstance(policy, str) and policy in policies.COMBINATIONS:
        function = _combination(policy, bound)
    else:
        function = policies.with_options(policy, bound)
    if step_size_down is None:
        return function
    return functools.partial(function, step_size_down=checked_step_size('step_size_down', step_size_down))


def check_first_values(policy: Callable[..., Any], value_range: tuple[float, float], step_size: float) -> None:
    """Calls a policy where it starts, and where each of its parts does, so that what it lacks is found out before the training.

    Raises:
        ValueError: It can't be called as a policy is, or gives no finite number.

    >>> check_first_values(lambda step, value_range, step_size: 'a lot', (0.0, 1.0), 2)
    Traceback (most recent call last):
        ...
    ValueError: policy must be callable as policy(step, value_range, step_size) and return a number: could not ...
    """
    for start in policies.starts(policy):
        try:
            value = policy(start, value_range, step_size)
        except ValueError:  # it says itself what it lacks
            raise
        except Exception as error:
            why = error if isinstance(error, TypeError) else repr(error)
            raise ValueError(f'{NOT_A_POLICY}: {why}') from error
        checked_value(value, start)


def checked_value(value: Any, step: float) -> float:
    """The value of a policy at a step, as a plain float.

    Raises:
        ValueError: It is no finite number.

    >>> checked_value(1, 1000)
    1.0
    >>> checked_value(float('nan'), 1000)
    Traceback (most recent call last):
        ...
    ValueError: policy must return a finite number; it does not at step 1000
    """
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{NOT_A_POLICY}: {error}') from error
    if not math.isfinite(number):
        raise ValueError(f'policy must return a finite number; it does not at step {step}')
    return number


def described(value: Any) -> str:
    """A policy, or what it was given, in words that are the same whenever it does the same.

    Of a function of the user's it is the name alone.

    >>> described(checked_policy('warmed_up', options={'policy': 'cosine', 'steps': 2}))
    'joined(boundaries=[2], policies=[rise(policy=cosine, start_factor=0, steps=2), cosine])'
    """
    if isinstance(value, functools.partial):
        given = ', '.join(f'{name}={described(option)}' for name, option in sorted(value.keywords.items()))
        return f'{described(value.func)}({given})'
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(map(described, value))}]'
    if is_number(value):
        return repr(float(value)).removesuffix('.0')
    if callable(value):
        return str(getattr(value, '__name__', type(value).__name__)).removeprefix('_')
    return repr(value) if value is None or isinstance(value, (str, bool)) else type(value).__name__


def _checked_options(options: Any) -> dict[str, Any]:
    if options is None:
        return {}
    if not (isinstance(options, Mapping) and all(isinstance(name, str) for name in options)):
        raise ValueError(f"options must be a dictionary by names, such as {{'t_mult': 2}}, not {options!r}")
    return dict(options)


def _combination(name: str, options: dict[str, Any]) -> Callable[..., Any]:
    make = policies.COMBINATIONS[name]
    try:
        inspect.signature(make).bind(**options)
    except TypeError as error:
        raise ValueError(f'options of {name!r}: {error}; they are {", ".join(inspect.signature(make).parameters)}') from None
    return make(**options)
