"""The Trainer extension for cyclical learning rates."""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy
from chainer.training import extension

from clr import attributes, policies


class CLR(extension.Extension):
    """Trainer extension to move an optimizer attribute in cycles.

    The attribute starts at the first value of ``value_range``, moves to the second in ``step_size`` calls of the extension and
    back to the first in as many, again and again, as the policy says. The typical use case is the learning rate; the momentum
    may cycle the other way at the same time, with the bounds in descending order.

    Like ``LinearShift``, this extension sets the attribute before the training loop starts, and then after each update the
    value of the next one. Its state goes into snapshots: a resumed run has the values of an undisturbed one to the last bit.

    Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.

    >>> from clr.training.extensions import CLR
    >>> extension = CLR('lr', value_range=(0.01, 0.1), step_size=2000, policy='triangular2')

    Args:
        attr (str): Name of the optimizer attribute to move: ``'lr'``, or ``'alpha'`` for Adam and its like.
        value_range (tuple of float): The first and the second value of the attribute, finite and not negative, in either order.
        step_size (int): Half the length of a cycle, in calls of this extension; 1 or more.
        policy (str or callable): ``'triangular'``, ``'triangular2'``, ``'exp_range'``, or a function of the user's own
            ``policy(step, value_range, step_size)`` that returns the value after ``step`` calls. With ``step_size_down`` it is
            given that as a keyword argument.
        gamma (float): Factor that shrinks the amplitude in each call, from 0 to 1, for ``'exp_range'`` alone; 0.99994 by default.
        optimizer (~chainer.Optimizer): Target optimizer. If it is None, the main optimizer of the trainer is used.
        step_size_down (int): Length of the second half of a cycle where it differs from ``step_size``.

    Raises:
        ValueError: An argument is out of its range, or the optimizer has no such attribute that can be set (this is found out
            when the training starts if ``optimizer`` is None).

    """

    def __init__(
        self,
        attr: str,
        value_range: Sequence[float],
        step_size: float,
        policy: str | policies.Policy = 'triangular',
        gamma: float | None = None,
        optimizer: Any = None,
        *,
        step_size_down: float | None = None,
    ) -> None:
        self._attr = attr
        self._value_range = _checked_range(value_range)
        self._step_size = _checked_step_size('step_size', step_size)
        self._optimizer = optimizer
        self._policy = _resolved(policy, gamma)
        if step_size_down is not None:
            down = _checked_step_size('step_size_down', step_size_down)
            self._policy = functools.partial(self._policy, step_size_down=down)
        self._t = 0
        self._last_value: float | None = None
        self._check_policy(policy)
        if optimizer is not None:
            attributes.check_settable(optimizer, attr)

    def initialize(self, trainer: Any) -> None:
        optimizer = self._get_optimizer(trainer)
        attributes.check_settable(optimizer, self._attr)
        value = self._compute_next_value() if self._last_value is None else self._last_value
        self._update_value(optimizer, value)

    def __call__(self, trainer: Any) -> None:
        self._t += 1
        self._update_value(self._get_optimizer(trainer), self._compute_next_value())

    def serialize(self, serializer: Any) -> None:
        self._t = int(serializer('_t', self._t))
        self._last_value = serializer('_last_value', self._last_value)
        if isinstance(self._last_value, numpy.ndarray):
            self._last_value = self._last_value.item()

    def _get_optimizer(self, trainer: Any) -> Any:
        return self._optimizer or trainer.updater.get_optimizer('main')

    def _compute_next_value(self) -> float:
        return float(self._policy(self._t, self._value_range, self._step_size))

    def _update_value(self, optimizer: Any, value: float) -> None:
        setattr(optimizer, self._attr, value)
        self._last_value = value

    def _check_policy(self, policy: Any) -> None:
        try:
            finite = math.isfinite(self._compute_next_value())
        except (TypeError, ValueError) as error:
            raise ValueError(
                f'policy {policy!r} must be callable as policy(step, value_range, step_size) and return a number: {error}'
            ) from error
        if not finite:
            raise ValueError(f'policy {policy!r} gives a value that is not finite at step 0')


def _checked_range(value_range: Sequence[float]) -> tuple[float, float]:
    try:
        first, second = (float(value) for value in value_range)
    except (TypeError, ValueError):
        raise ValueError(f'value_range must be two numbers, such as (0.01, 0.1), not {value_range!r}') from None
    for value in (first, second):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f'value_range must be finite and not negative, not {value_range!r}')
    return first, second


def _checked_step_size(name: str, step_size: float) -> float:
    number = isinstance(step_size, numbers.Real) and not isinstance(step_size, bool)
    if not (number and math.isfinite(step_size) and step_size >= 1):
        raise ValueError(f'{name} must be a number of calls, 1 or more, not {step_size!r}')
    # A NumPy integer would turn every value into a NumPy scalar.
    return int(step_size) if step_size == int(step_size) else float(step_size)


def _resolved(policy: Any, gamma: float | None) -> Any:
    if gamma is not None and not (isinstance(gamma, numbers.Real) and 0 <= gamma <= 1):
        raise ValueError(f'gamma must be a number from 0 to 1, not {gamma!r}')
    if callable(policy):
        return policy
    if not (isinstance(policy, str) and policy in policies.POLICIES):
        choices = ', '.join(map(repr, policies.POLICIES))
        raise ValueError(f'unknown policy {policy!r}; use {choices}, or a function policy(step, value_range, step_size)')
    if policy == 'exp_range' and gamma is not None:
        return functools.partial(policies.exp_range, gamma=float(gamma))
    return policies.POLICIES[policy]
