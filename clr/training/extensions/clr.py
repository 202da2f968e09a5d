"""The Trainer extension for cyclical learning rates."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from clr import arguments, attributes, choice, policies
from clr.training import companions, rivals

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

    Nothing else may move the attribute. One of Chainer's shifts, or another CLR, is refused when the training starts. Where the
    attribute is not what this extension has set, as when an extension of the user's sets it, a warning says so once, and the
    value of the policy is set all the same.

    Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.

    >>> from clr.training.extensions import CLR
    >>> extension = CLR('lr', value_range=(0.01, 0.1), step_size=2000, policy='triangular2')
    >>> extension = CLR('lr', (0.01, 0.1), 2000, 'one_cycle', inverse=('momentum', (0.85, 0.95)))
    >>> extension = CLR('lr', (0.0, 0.1), 2000, 'cosine', options={'t_mult': 2, 'cycle_decay': 0.5})

    Args:
        attr (str): Name of the optimizer attribute to move: ``'lr'``, or ``'alpha'`` for Adam and its like.
        value_range (tuple of float): The first and the second value of the attribute, finite and not negative, in either order.
        step_size (int): Half the length of a cycle, in calls of this extension; 1 or more. Of a policy that does not go in
            cycles it is half its length, or as ``clr.policies.LENGTHS`` says.
        policy (str or callable): A name in ``clr.policies.POLICIES`` (``'triangular'``, ``'triangular2'``, ``'exp_range'``,
            ``'one_cycle'``, ``'cosine'``, ``'wsd'``, ``'cyclic_wsd'``, ``'polynomial'``, ``'inverse_sqrt'``); what
            ``clr.policies.warmed_up`` or ``joined`` returns, or one of these two names; or a function of the user's own
            ``policy(step, value_range, step_size)`` that returns the value after ``step`` calls. With ``step_size_down`` it is
            given that as a keyword argument.
        gamma (float): Factor that shrinks the amplitude in each call, from 0 to 1, for ``'exp_range'`` alone; 0.99994 by
            default.
        optimizer (~chainer.Optimizer): Target optimizer. If it is None, the main optimizer of the trainer is used.
        options (dict): The options of the policy by their names, such as ``{'t_mult': 2}`` for ``'cosine'``.
        step_size_down (int): Length of the second half of a cycle where it differs from ``step_size``.
        inverse (tuple): Another attribute to move the other way, and its bounds: ``('momentum', (0.85, 0.95))``. It is at its
            upper bound where the first attribute is at its lower, and at its lower where that is at its upper.
        proportional (bool): Whether parameters that have a value of the attribute of their own, in
            ``param.update_rule.hyperparam``, keep its ratio to the optimizer's. They keep their value by default.

    Raises:
        ValueError: An argument is out of its range, or the optimizer has no such attribute that can be set (this is found out
            when the training starts if ``optimizer`` is None). In the training: something else is a schedule of the same
            attribute, or the policy returns no finite number. Where a snapshot is loaded: it was taken with other arguments.

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
        options: Mapping[str, Any] | None = None,
        step_size_down: float | None = None,
        inverse: tuple[str, Sequence[float]] | None = None,
        proportional: bool = False,
    ) -> None:
        proportional = arguments.checked_flag('proportional', proportional)
        self._attr = arguments.checked_attr(attr)
        self._value_range = arguments.checked_range('value_range', value_range)
        self._step_size = arguments.checked_step_size('step_size', step_size)
        self._policy = choice.checked_policy(policy, gamma, step_size_down, options)
        choice.check_first_values(self._policy, self._value_range, self._step_size)
        self._arguments = {
            'attr': repr(self._attr),
            'value_range': choice.described(self._value_range),
            'step_size': choice.described(self._step_size),
            'policy': choice.described(self._policy),
            'inverse': choice.described(inverse),
            'proportional': repr(proportional),
        }
        self._value_after = policies.of_one_step(self._policy)
        self._companions = companions.chosen(attr, self._value_range, inverse, proportional)
        self._optimizer = optimizer
        self._target = optimizer
        self._trigger: Any = None
        self._t = 0
        self._last_value: float | None = None
        self._cool_down: tuple[float, ...] | None = None
        self._warned = False
        if optimizer is not None:
            self._check(optimizer)

    @property
    def moved_attributes(self) -> tuple[str, ...]:
        """The names of the attributes of the optimizer that it moves."""
        return (self._attr, *(companion.attr for companion in self._companions if companion.attr is not None))

    def cool_down(self, steps: float, to: float | None = None) -> None:
        """Lets the attribute fall from where it is, whatever the policy says from now on.

        May be called at any time of a training, from another extension as well. In the next ``steps`` calls the attribute falls
        as ``final + (value - final) * (1 - sqrt(t / steps))``, and stays at the final value. Snapshots hold this, too. Another
        call starts anew from where the attribute is then.

        Source: arXiv 2405.18392, section 3: a training at a high rate may be cooled down whenever a model is wanted.

        >>> from chainer.training import make_extension, triggers
        >>> extension = CLR('lr', (0.0, 0.1), 2000)
        >>> @make_extension(trigger=triggers.ManualScheduleTrigger(9, 'epoch'))  # once, not each ninth epoch
        ... def finish(trainer):
        ...     extension.cool_down(500)

        Args:
            steps (int): Length of the cool-down in calls of this extension; 1 or more.
            to (float): The final value, finite and not negative. If it is None, the first value of ``value_range``, or the
                value from which it starts if that is beyond.

        Raises:
            ValueError: An argument is no such number.

        """
        steps = arguments.checked_step_size('steps', steps)
        value = self._compute_next_value() if self._last_value is None else self._last_value
        final = self._lowest(value) if to is None else arguments.checked_number('to', to, 0)
        self._cool_down = float(self._t), float(steps), final, value

    def initialize(self, trainer: Any) -> None:
        self._trigger = _trigger_of(trainer, self.name)
        optimizer = self._get_optimizer(trainer)
        rivals.refuse_others(trainer, self, optimizer)
        self._start(optimizer)

    def __call__(self, trainer: Any) -> None:
        optimizer = self._get_optimizer(trainer)
        if getattr(optimizer, self._attr) != self._last_value or self._companions:
            self._watch(trainer, optimizer)
        self._t += 1
        self._update_value(optimizer, self._compute_next_value())

    def serialize(self, serializer: Any) -> None:
        if isinstance(serializer, Deserializer):
            self._refuse_others(_loaded(serializer, '_arguments'))
        else:
            serializer('_arguments', numpy.frombuffer(json.dumps(self._arguments).encode(), numpy.uint8))
        self._t = int(serializer('_t', self._t))
        self._last_value = serializer('_last_value', self._last_value)
        if isinstance(self._last_value, numpy.ndarray):
            self._last_value = self._last_value.item()
        for companion in self._companions:
            companion.serialize(serializer)
        if isinstance(serializer, Deserializer):
            cool_down = _loaded(serializer, '_cool_down')
            self._cool_down = None if cool_down is None else tuple(cool_down.tolist())
            if self._target is not None:
                # snapshot(autoload=True) loads after initialize, and a finished trigger has none called.
                self._start(self._target)
        else:
            if self._cool_down is not None:
                serializer('_cool_down', numpy.array(self._cool_down))
            _keep_unfinished(self._trigger)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != '_value_after'}  # has no name to be found by

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _value_after=policies.of_one_step(state['_policy']))

    def _refuse_others(self, saved: Any) -> None:
        """Refuses what was saved under other arguments; older versions have not saved them."""
        was = {} if saved is None else json.loads(saved.tobytes())
        own = self.name or self.default_name
        for name, value in self._arguments.items():
            if was.get(name, value) != value:
                raise ValueError(
                    f'the snapshot of {own} was taken with {name} {was[name]}, not {value}; give it the same arguments, or '
                    f"load all but it: load_npz(file, trainer, ignore_names=lambda name: name.startswith('extensions/{own}/'))"
                )

    def _start(self, optimizer: Any) -> None:
        self._target = optimizer
        self._check(optimizer)
        for companion in self._companions:
            companion.start(optimizer)
        self._update_value(optimizer, self._compute_next_value() if self._last_value is None else self._last_value)

    def _check(self, optimizer: Any) -> None:
        attributes.check_settable(optimizer, self._attr)
        for companion in self._companions:
            companion.check(optimizer)

    def _get_optimizer(self, trainer: Any) -> Any:
        return self._optimizer or trainer.updater.get_optimizer('main')

    def _compute_next_value(self) -> float:
        if self._cool_down is not None:
            start, steps, *value_range = self._cool_down
            return policies.cooled(self._t - start, (value_range[0], value_range[1]), steps)
        value = self._value_after(self._t, self._value_range, self._step_size)
        return value if type(value) is float and isfinite(value) else choice.checked_value(value, self._t)

    def _lowest(self, value: float) -> float:
        # The momentum cools down upwards.
        first, second = self._value_range
        return min(first, value) if first <= second else max(first, value)

    def _update_value(self, optimizer: Any, value: float) -> None:
        setattr(optimizer, self._attr, value)
        for companion in self._companions:
            companion.move(optimizer, value)
        self._last_value = value

    def _watch(self, trainer: Any, optimizer: Any) -> None:
        """Notices, once, that an attribute is not what it was set to."""
        if self._warned or optimizer is not self._target:
            return
        moved = [(self._attr, self._last_value), *((companion.attr, companion.value) for companion in self._companions)]
        for attr, value in moved:
            if attr is None or value is None or getattr(optimizer, attr) == value:
                continue
            found = getattr(optimizer, attr)
            setattr(optimizer, attr, value)
            if getattr(optimizer, attr) != found:  # else it is the optimizer that rounds what it is given
                rivals.warn_of_change(trainer, attr, value, found, self._t)
                self._warned = True


def _loaded(serializer: Any, key: str) -> Any:
    try:
        return serializer(key, None)
    except KeyError:  # a snapshot that was taken without it
        return None


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
