"""The Trainer extension for cyclical learning rates."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from clr import arguments, attributes, policies
from clr.training import companions

import numpy
from chainer.serializer import Deserializer
from chainer.training import extension


class CLR(extension.Extension):
    """Trainer extension to move an optimizer attribute in cycles.

    The attribute starts at the first value of ``value_range``, moves to the second in ``step_size`` calls of the extension and
    back to the first in as many, again and again, as the policy says. The typical use case is the learning rate; the momentum
    may cycle the other way at the same time.

    Like ``LinearShift``, this extension sets the attribute before the training loop starts, and then after each update the
    value of the next one. Its state goes into snapshots: a resumed run has the values of an undisturbed one to the last bit.
    Two of these extensions in one trainer are ``CLR`` and ``CLR_1`` in a snapshot, in the order of extending; where that may
    change, give each a name of its own: ``trainer.extend(CLR(...), name='momentum')``.

    Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.

    >>> from clr.training.extensions import CLR
    >>> extension = CLR('lr', value_range=(0.01, 0.1), step_size=2000, policy='triangular2')
    >>> extension = CLR('lr', (0.01, 0.1), 2000, 'one_cycle', inverse=('momentum', (0.85, 0.95)))

    Args:
        attr (str): Name of the optimizer attribute to move: ``'lr'``, or ``'alpha'`` for Adam and its like.
        value_range (tuple of float): The first and the second value of the attribute, finite and not negative, in either order.
        step_size (int): Half the length of a cycle, in calls of this extension; 1 or more.
        policy (str or callable): A name in ``clr.policies.POLICIES`` (``'triangular'``, ``'triangular2'``, ``'exp_range'``,
            ``'one_cycle'``, ``'cosine'``), or a function of the user's own ``policy(step, value_range, step_size)`` that
            returns the value after ``step`` calls. With ``step_size_down`` it is given that as a keyword argument.
        gamma (float): Factor that shrinks the amplitude in each call, from 0 to 1, for ``'exp_range'`` alone; 0.99994 by
            default.
        optimizer (~chainer.Optimizer): Target optimizer. If it is None, the main optimizer of the trainer is used.
        step_size_down (int): Length of the second half of a cycle where it differs from ``step_size``.
        inverse (tuple): Another attribute to move the other way, and its bounds: ``('momentum', (0.85, 0.95))``. It is at its
            upper bound where the first attribute is at its lower, and at its lower where that is at its upper.
        proportional (bool): Whether parameters that have a value of the attribute of their own, in
            ``param.update_rule.hyperparam``, keep its ratio to the optimizer's. They keep their value by default.

    Raises:
        ValueError: An argument is out of its range, or the optimizer has no such attribute that can be set (this is found out
            when the training starts if ``optimizer`` is None).

    Attributes:
        policy_choices (dict): The policies by name.
    """

    policy_choices = policies.POLICIES

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
        inverse: tuple[str, Sequence[float]] | None = None,
        proportional: bool = False,
    ) -> None:
        self._attr = attr
        self._value_range = arguments.checked_range('value_range', value_range)
        self._step_size = arguments.checked_step_size('step_size', step_size)
        self._policy = arguments.checked_policy(policy, gamma, step_size_down)
        arguments.check_first_value(self._policy, self._value_range, self._step_size)
        self._companions = companions.chosen(attr, self._value_range, inverse, proportional)
        self._optimizer = optimizer
        self._target = optimizer
        self._trigger: Any = None
        self._t = 0
        self._last_value: float | None = None
        if optimizer is not None:
            self._check(optimizer)

    def initialize(self, trainer: Any) -> None:
        self._trigger = _trigger_of(trainer, self.name)
        self._start(self._get_optimizer(trainer))

    def __call__(self, trainer: Any) -> None:
        self._t += 1
        self._update_value(self._get_optimizer(trainer), self._compute_next_value())

    def serialize(self, serializer: Any) -> None:
        self._t = int(serializer('_t', self._t))
        self._last_value = serializer('_last_value', self._last_value)
        if isinstance(self._last_value, numpy.ndarray):
            self._last_value = self._last_value.item()
        for companion in self._companions:
            companion.serialize(serializer)
        if not isinstance(serializer, Deserializer):
            _keep_unfinished(self._trigger)
        elif self._target is not None:
            # snapshot(autoload=True) loads after initialize, and a finished trigger has none called.
            self._start(self._target)

    def _start(self, optimizer: Any) -> None:
        self._target = optimizer
        self._check(optimizer)
        for companion in self._companions:
            companion.start(optimizer)
        value = self._compute_next_value() if self._last_value is None else self._last_value
        self._update_value(optimizer, value)

    def _check(self, optimizer: Any) -> None:
        attributes.check_settable(optimizer, self._attr)
        for companion in self._companions:
            companion.check(optimizer)

    def _get_optimizer(self, trainer: Any) -> Any:
        return self._optimizer or trainer.updater.get_optimizer('main')

    def _compute_next_value(self) -> float:
        return float(self._policy(self._t, self._value_range, self._step_size))

    def _update_value(self, optimizer: Any, value: float) -> None:
        setattr(optimizer, self._attr, value)
        for companion in self._companions:
            companion.move(optimizer, value)
        self._last_value = value


def _trigger_of(trainer: Any, name: str | None) -> Any:
    entry = getattr(trainer, '_extensions', {}).get(name)
    return getattr(entry, 'trigger', None)


def _keep_unfinished(trigger: Any) -> None:
    # A resumed trainer does not initialize an extension whose trigger was saved as finished (ManualScheduleTrigger after its
    # last point), and the optimizer would go on with the rate of its constructor. The trainer saves a trigger after its
    # extension, and reads the flag for nothing else.
    if getattr(trigger, 'finished', False):
        with contextlib.suppress(AttributeError):  # OnceTrigger derives its own
            trigger.finished = False
