"""Learning rate policies: pure functions of the step.

Every policy has the same form: ``policy(step, value_range, step_size, step_size_down=None) -> value``. A cycle is ``step_size +
step_size_down`` steps long, twice ``step_size`` where the second is not given. A step is a scalar or an array; a scalar gives a
float, an array gives an array of floats (float64) of its shape.

- In cycles, for ever: :func:`triangular`, :func:`triangular2` and :func:`exp_range` start at the first bound of
  ``value_range``, reach the second after ``step_size`` steps, and are back at the first at the end of the cycle;
  :func:`cyclic_wsd` holds the second bound for most of the cycle; :func:`cosine` starts at the second bound.
- Once: :func:`wsd` starts and ends at the first bound, :func:`polynomial` falls from the second bound to the first; both are
  one cycle long, and stay where they end. :func:`one_cycle` is an eighth longer. :func:`inverse_sqrt` falls from the second
  bound towards the first and never ends. :data:`LENGTHS` has their lengths.
- Made of others: :func:`warmed_up` and :func:`joined`, whose parts may have a range and a length of their own, by :func:`part`.

Some policies have options, given by keyword: ``functools.partial(cosine, t_mult=2)`` is a policy again.

Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3, where no other is
given.
"""

from __future__ import annotations

import bisect
import functools
import inspect
import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from clr.arguments import checked_number, checked_range, checked_step_size, is_number

DEFAULT_GAMMA = 0.99994

Function = TypeVar('Function', bound=Callable[..., Any])


class Policy(Protocol):
    """What :class:`~clr.training.extensions.CLR` takes for a policy."""

    def __call__(
        self,
        step: Any,
        value_range: tuple[float, float],
        step_size: float,
        /,
        step_size_down: float | None = ...,
    ) -> Any: ...


# What a policy computes for a single step, without any checks.
_of_one_step: dict[Callable[..., Any], Callable[..., Any]] = {}


def _policy(**limits: tuple[float, float]) -> Callable[[Function], Function]:
    """Makes a policy of a function of one step: checks its options, and takes arrays of steps too, with the same values.

    Args:
        limits: The least and the greatest value of each option. One that is ``None`` by default may be ``None``.
    """

    def decorate(function: Function) -> Function:
        parameters = inspect.signature(function).parameters
        names = [name for name in parameters if name != 'step']

        @functools.wraps(function)
        def policy(step: Any, *args: Any, **options: Any) -> Any:
            for name, value in (*zip(names, args), *options.items()):
                if name in limits and not (value is None and parameters[name].default is None):
                    checked_number(name, value, *limits[name])
            if isinstance(step, (int, float)):
                return function(step, *args, **options)
            import numpy

            steps = numpy.asarray(step)
            values = [function(one, *args, **options) for one in steps.ravel().tolist()]
            return numpy.array(values, dtype=float).reshape(steps.shape) if steps.ndim else values[0]

        _of_one_step[policy] = function
        return cast(Function, policy)

    return decorate


def of_one_step(policy: Policy) -> Policy:
    """The same policy for one step at a time, a plain number, and with options that were checked before: faster.

    >>> of_one_step(triangular)(1, (0.0, 1.0), 2)
    0.5
    """
    if isinstance(policy, functools.partial):
        return functools.partial(of_one_step(policy.func), *policy.args, **policy.keywords)
    return _of_one_step.get(policy, policy) if isinstance(policy, types.FunctionType) else policy


@_policy()
def triangular(step: Any, value_range: tuple[float, float], step_size: float, step_size_down: float | None = None) -> Any:
    """Moves linearly from the first bound to the second and back, for ever.

    ``first + (second - first) * wave(step)``, where the wave rises linearly from 0 to 1 in ``step_size`` steps and falls to 0
    in ``step_size_down`` steps (arXiv 1506.01186, section 3.1, figure 2).

    Args:
        step: Number of steps done, 0 or more; a scalar or an array.
        value_range: The value at the start of a cycle, and the value in its middle.
        step_size: Length of the first half cycle in steps, above 0.
        step_size_down: Length of the second half cycle in steps, above 0; ``step_size`` when it is ``None``.

    Returns:
        A float, or an array of floats with the shape of ``step``. No value lies outside of the two bounds.

    >>> [triangular(step, (0.1, 0.5), 2) for step in range(5)]
    [0.1, 0.3, 0.5, 0.3, 0.1]
    """
    return between(value_range, _wave(step, step_size, step_size_down))


@_policy()
def triangular2(step: Any, value_range: tuple[float, float], step_size: float, step_size_down: float | None = None) -> Any:
    """As :func:`triangular`, with half the amplitude after each cycle.

    ``first + (second - first) * wave(step) / 2 ** cycle``, cycles counted from 0 (arXiv 1506.01186, section 3.1). Arguments and
    result are those of :func:`triangular`.

    >>> [triangular2(step, (0.0, 1.0), 2) for step in range(9)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0]
    """
    cycle = step // _period(step_size, step_size_down)
    return between(value_range, _wave(step, step_size, step_size_down) * 0.5**cycle)


@_policy(gamma=(0, 1))
def exp_range(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    gamma: float = DEFAULT_GAMMA,
) -> Any:
    """As :func:`triangular`, with an amplitude that shrinks by the factor ``gamma`` at each step.

    ``first + (second - first) * wave(step) * gamma ** step``. The first bound stays where it is: so do the Keras and PyTorch
    implementations and the original clr_chainer. The paper (arXiv 1506.01186, section 3.1) lets both bounds decline by ``gamma
    ** step``.

    Args:
        gamma: Factor of a step, from 0 to 1. The other arguments are those of :func:`triangular`.

    Raises:
        ValueError: ``gamma`` is no number from 0 to 1.

    >>> [exp_range(step, (0.0, 1.0), 2, gamma=0.5) for step in range(5)]
    [0.0, 0.25, 0.25, 0.0625, 0.0]
    """
    return between(value_range, _wave(step, step_size, step_size_down) * float(gamma) ** step)


@_policy(step_size_final=(1, math.inf), final_ratio=(0, 1))
def one_cycle(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    step_size_final: float | None = None,
    final_ratio: float = 1e-4,
) -> Any:
    """One cycle as of :func:`triangular`, then a final phase in which the value falls far below the first bound.

    After the cycle the value moves linearly from ``first`` to ``first * final_ratio`` in ``step_size_final`` steps, and stays
    there. So the training is to last ``step_size + step_size_down + step_size_final`` steps (arXiv 1803.09820, section 4.1: the
    cycle is shorter than the training, and in the remaining iterations the rate falls by several orders of magnitude).

    Args:
        step_size_final: Length of the final phase in steps, 1 or more; when it is ``None``, an eighth of the cycle, and so a
            ninth of the training.
        final_ratio: The last value as a part of the first bound, from 0 to 1. The other arguments are those of
            :func:`triangular`.

    Raises:
        ValueError: An option is out of its range.

    >>> [one_cycle(step, (0.1, 0.5), 2, step_size_final=2, final_ratio=0.01) for step in range(8)]
    [0.1, 0.3, 0.5, 0.3, 0.1, 0.0505, 0.001, 0.001]
    """
    cycle = _period(step_size, step_size_down)
    length = cycle / 8 if step_size_final is None else step_size_final
    if step < cycle:
        return between(value_range, _wave(step, step_size, step_size_down))
    return between((value_range[0], value_range[0] * final_ratio), min(1.0, (step - cycle) / length))


@_policy(t_mult=(1, math.inf), cycle_decay=(0, 1))
def cosine(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    t_mult: float = 1,
    cycle_decay: float = 1,
) -> Any:
    """Cosine annealing with warm restarts: falls from the second bound to the first, and starts again at the second.

    ``first + (second - first) * (1 + cos(pi * t / T)) / 2``, with ``t`` steps done since the last restart out of ``T`` until
    the next (Ilya Loshchilov and Frank Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", arXiv 1608.03983,
    equation 5). ``T`` is the cycle, ``step_size + step_size_down``, at first, and ``t_mult`` times as long after each restart.
    As with all policies, ``value_range`` is the smaller rate and the larger one, the ``eta_min`` and ``eta_max`` of the paper.

    With ``cycle_decay`` each restart is at that much of the last one's maximum: ``second * cycle_decay ** restarts``.

    The values are those of torch's ``CosineAnnealingWarmRestarts`` (``T_0=T``, ``T_mult=t_mult``, ``eta_min=first``), of
    optax's ``sgdr_schedule`` with such cycles, and of timm's ``CosineLRScheduler`` (``t_initial=T``, ``lr_min=first``,
    ``cycle_mul=t_mult``, the same ``cycle_decay``). Two differences to timm: a maximum that would decay below the first bound
    stays at it, where timm's goes on below ``lr_min``; and the restarts go on for ever, where timm's end after ``cycle_limit``
    cycles, which is 1 by default.

    Args:
        t_mult: Factor by which each cycle is longer than the one before, 1 or more.
        cycle_decay: Factor by which each maximum is lower than the one before, from 0 to 1. Below 1, the range must not
            descend. The other arguments are those of :func:`triangular`.

    Raises:
        ValueError: An option is out of its range, or a descending range has a ``cycle_decay``.

    >>> [round(cosine(step, (0.0, 1.0), 2), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 1.0, 0.854]
    >>> [cosine(step, (0.0, 1.0), 1, cycle_decay=0.5) for step in range(6)]
    [1.0, 0.5, 0.5, 0.25, 0.25, 0.125]
    """
    restarts, since_restart, length = 0, step, _period(step_size, step_size_down)
    if t_mult == 1:
        restarts, since_restart = step // length, step % length  # not divmod, which old NumPy has for no fractions
    while since_restart >= length:
        restarts += 1
        since_restart -= length
        length *= t_mult
    bounds = value_range if cycle_decay == 1 else _decayed(value_range, cycle_decay, restarts)
    return between(bounds, (1 + math.cos(math.pi * since_restart / length)) / 2)


@_policy(warmup_steps=(0, math.inf), cooldown_steps=(0, math.inf))
def cyclic_wsd(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    warmup_steps: float | None = None,
    cooldown_steps: float | None = None,
) -> Any:
    """As :func:`wsd`, again in each cycle: warms up, holds, cools down, for ever.

    So a training has a cooled model at the end of each cycle, and may end with any of them. Source: Kaiyue Wen et al.,
    "Understanding Warmup-Stable-Decay Learning Rates: A River Valley Loss Landscape Perspective", arXiv 2410.05192, whose
    WSD-S goes back to the high rate at once after each cool-down: with ``warmup_steps=0`` so does this. Arguments, result and
    errors are those of :func:`wsd`.

    >>> [cyclic_wsd(step, (0.0, 1.0), 4, warmup_steps=2, cooldown_steps=4) for step in range(11)]
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.2928932188134524, 0.1339745962155614, 0.0, 0.5, 1.0]
    """
    length = _period(step_size, step_size_down)
    return between(value_range, _trapezoid(step % length, length, warmup_steps, cooldown_steps))


# ---- once


@_policy(warmup_steps=(0, math.inf), cooldown_steps=(0, math.inf))
def wsd(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    warmup_steps: float | None = None,
    cooldown_steps: float | None = None,
) -> Any:
    """Warms up, holds, cools down: a trapezoid whose falling side is ``1 - sqrt``.

    Rises linearly from the first bound to the second in ``warmup_steps`` steps, holds the second, and falls in the last
    ``cooldown_steps`` of ``step_size + step_size_down`` steps as ``first + (second - first) * (1 - sqrt(t / cooldown_steps))``,
    with ``t`` steps of the cool-down done. Then it stays at the first bound, which may well be 0 (Alexander Hägele et al.,
    "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", arXiv 2405.18392, section 3).

    The values are those of ``get_wsd_schedule`` of the transformers library with ``decay_type='1-sqrt'`` (there ``'cosine'`` is
    the default), ``num_decay_steps=cooldown_steps`` and ``min_lr_ratio=first / second``. optax, torch and timm have no such
    schedule.

    To cool down from wherever a running training is, see ``CLR.cool_down``.

    Args:
        warmup_steps: Length of the warm-up in steps, 0 or more; a tenth of the whole when it is ``None``.
        cooldown_steps: Length of the cool-down in steps, 0 or more; a fifth of the whole when it is ``None``. The other
            arguments are those of :func:`triangular`; only the sum of the two lengths matters.

    Raises:
        ValueError: Warm-up and cool-down are no such numbers, or longer than the whole.

    >>> [wsd(step, (0.0, 1.0), 4, warmup_steps=2, cooldown_steps=4) for step in range(10)]
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.2928932188134524, 0.1339745962155614, 0.0, 0.0]
    """
    return between(value_range, _trapezoid(step, _period(step_size, step_size_down), warmup_steps, cooldown_steps))


@_policy(power=(0, math.inf))
def polynomial(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    power: float = 1,
) -> Any:
    """Falls from the second bound to the first as a power of the steps that are left, and stays there.

    ``first + (second - first) * (1 - step / T) ** power``, with ``T`` the whole of ``step_size + step_size_down`` steps. A
    ``power`` of 1 is a straight line; 0.9 is common in segmentation (Liang-Chieh Chen et al., "DeepLab", arXiv 1606.00915).

    The values are those of optax's ``polynomial_schedule`` (``init_value=second``, ``end_value=first``,
    ``transition_steps=T``), of torch's ``PolynomialLR`` (``total_iters=T``) where the first bound is 0, as that has no other,
    of timm's ``PolyLRScheduler`` (``t_initial=T``, ``lr_min=first``), whose ``power`` is 0.5 by default, and of Chainer's
    ``PolynomialShift`` (``rate=power``, ``max_count=T``) where the first bound is 0.

    Args:
        power: The exponent, 0 or more. The other arguments are those of :func:`triangular`; only the sum of the two lengths
            matters.

    Raises:
        ValueError: ``power`` is no such number.

    >>> [polynomial(step, (0.0, 1.0), 2, power=2) for step in range(6)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """
    left = 1 - min(1.0, step / _period(step_size, step_size_down))
    return between(value_range, left**power)


@_policy(timescale=(1, math.inf))
def inverse_sqrt(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    timescale: float | None = None,
) -> Any:
    """Falls from the second bound towards the first as the inverse square root of the steps, and never ends.

    ``first + (second - first) / sqrt(1 + step / timescale)``. By default it is a fifth of the way above the first bound after
    ``step_size + step_size_down`` steps; the ``timescale`` is a 24th of them then, about what it is in Ashish Vaswani et al.,
    "Attention Is All You Need", arXiv 1706.03762, section 5.3: 4,000 of 100,000 steps. There, a warm-up comes before it:
    ``warmed_up('inverse_sqrt', steps)``.

    With that warm-up the values are those of ``get_inverse_sqrt_schedule`` of the transformers library
    (``num_warmup_steps=steps``, the same ``timescale``, which is there as long as the warm-up by default) where the first bound
    is 0, as that has no other. optax, torch and timm have no such schedule.

    Args:
        timescale: After this many steps, 1 or more, the height above the first bound is ``1 / sqrt(2)``. The other arguments
            are those of :func:`triangular`; only the sum of the two lengths matters, and only where ``timescale`` is ``None``.

    Raises:
        ValueError: ``timescale`` is no such number.

    >>> [inverse_sqrt(step, (0.0, 1.0), 4, timescale=1) for step in (0, 3, 8, 15)]
    [1.0, 0.5, 0.3333333333333333, 0.25]
    """
    if timescale is None:
        timescale = _period(step_size, step_size_down) / 24
    return between(value_range, 1 / math.sqrt(1 + step / timescale))


POLICIES: dict[str, Policy] = {
    'triangular': triangular,
    'triangular2': triangular2,
    'exp_range': exp_range,
    'one_cycle': one_cycle,
    'cosine': cosine,
    'wsd': wsd,
    'cyclic_wsd': cyclic_wsd,
    'polynomial': polynomial,
    'inverse_sqrt': inverse_sqrt,
}

# How many times step_size those policies last that don't go in cycles for ever. To fill a training with one of them, step_size
# is the length of the training over this number. inverse_sqrt, which never ends, is at a fifth of its height then.
LENGTHS = {'one_cycle': 2.25, 'wsd': 2.0, 'polynomial': 2.0, 'inverse_sqrt': 2.0}


def named(policy: str | Policy) -> Policy:
    """The policy of a name in :data:`POLICIES`; a function is returned as it is.

    A name may have options: ``'cosine:t_mult=2,cycle_decay=0.5'``. They are numbers, or ``none`` for what is not given.

    Raises:
        ValueError: There is no policy of that name, or it has no such option.

    >>> named('cosine') is named(cosine) is cosine
    True
    >>> named('polynomial:power=2')(1, (0.0, 1.0), 1)
    0.25
    """
    if callable(policy):
        return policy
    name, options = parted(policy) if isinstance(policy, str) else (policy, {})
    if not (isinstance(name, str) and name in POLICIES):
        choices = ', '.join(map(repr, POLICIES))
        raise ValueError(f'unknown policy {name!r}; use {choices}, or a function policy(step, value_range, step_size)')
    return with_options(POLICIES[name], options)


def parted(policy: str) -> tuple[str, dict[str, float | None]]:
    """The name of a policy and its options, as of ``'cosine:t_mult=2'``.

    Raises:
        ValueError: After the colon there are no options.

    >>> parted('wsd:warmup_steps=10,cooldown_steps=none'), parted('wsd')
    (('wsd', {'warmup_steps': 10, 'cooldown_steps': None}), ('wsd', {}))
    """
    name, colon, rest = policy.partition(':')
    return name, {} if not colon else dict(_option(policy, text) for text in rest.split(','))


def _option(policy: str, text: str) -> tuple[str, float | None]:
    name, equals, value = (part.strip() for part in text.partition('='))
    try:
        if not (name and equals):
            raise ValueError
        return name, None if value.lower() == 'none' else _number(value)
    except ValueError:
        wanted = f"options are NAME=NUMBER with commas between them, such as 'cosine:t_mult=2', not {text!r}"
        raise ValueError(f'policy {policy!r}: {wanted}') from None


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def step_size_of(policy: str, length: float, cycles: int = 1) -> float:
    """The ``step_size`` with which a policy fills a training: one that ends does so once, another in so many cycles.

    Args:
        policy: A name in :data:`POLICIES`, maybe with options.
        length: The length of the training in steps.
        cycles: How many cycles.

    Raises:
        ValueError: The final phase of ``one_cycle`` is as long as that or longer.

    >>> step_size_of('triangular', 600, 3), step_size_of('one_cycle', 900), step_size_of('cosine:t_mult=2', 1400, 3)
    (100.0, 400.0, 100.0)
    """
    factor, final = _proportions(policy, cycles)
    if final >= length:
        raise ValueError(f'step_size_final must be less than the {length:g} steps of the training, not {final:g}')
    return (length - final) / factor


def length_of(policy: str, step_size: float, cycles: int = 1) -> float:
    """How many steps a policy fills with a ``step_size``: the opposite of :func:`step_size_of`.

    >>> length_of('triangular', 100, 3), length_of('one_cycle:step_size_final=50', 100)
    (600, 250)
    """
    factor, final = _proportions(policy, cycles)
    return factor * step_size + final


def _proportions(policy: str, cycles: int) -> tuple[float, float]:
    """How many times ``step_size`` a policy lasts, and how many steps besides."""
    name, options = parted(policy)
    final = options.get('step_size_final')
    if name == 'one_cycle' and final is not None:
        return 2, final
    return LENGTHS.get(name, 2 * _growing(options.get('t_mult') or 1, cycles)), 0


def _growing(factor: float, cycles: int) -> float:
    """How many times the first of some cycles all of them last, each ``factor`` times as long as the one before.

    >>> _growing(2, 3), _growing(1, 10**12), _growing(1e300, 3)
    (7.0, 1000000000000, inf)
    """
    if factor == 1:
        return cycles
    try:
        return (float(factor) ** cycles - 1) / (factor - 1)
    except OverflowError:
        return math.inf


def is_endless(policy: str) -> bool:
    """Whether a policy goes in cycles for ever.

    >>> is_endless('cosine:t_mult=2'), is_endless('wsd')
    (True, False)
    """
    return parted(policy)[0] not in LENGTHS


# ---- made of others


def warmed_up(policy: str | Policy, steps: float, start_factor: float = 0.0) -> Policy:
    """A policy with a warm-up before it, which rises linearly to the value at which the policy starts.

    In the first ``steps`` steps the value is ``start * (start_factor + (1 - start_factor) * step / steps)``, with ``start`` the
    first value of the policy, and from there on the policy's: it is ``steps`` later than without.

    The values are those of torch's ``SequentialLR`` of a ``LinearLR`` and the policy, ``milestones=[steps]`` (``start_factor``
    is 1 / 3 there by default, and must be above 0); of optax's ``join_schedules`` of a ``linear_schedule`` and the policy; and
    of timm's schedulers with ``warmup_t=steps``, ``warmup_prefix=True`` and ``warmup_lr_init=start * start_factor``.

    Args:
        policy: A name in :data:`POLICIES`, or a function of the form of a policy.
        steps: Length of the warm-up in steps, 0 or more.
        start_factor: The very first value as a part of the one to which it rises, from 0 to 1. With the default, the first
            update has a rate of 0.

    Raises:
        ValueError: An argument is no such policy or number.

    >>> warm = warmed_up('polynomial', 2)
    >>> [warm(step, (0.0, 1.0), 2) for step in range(8)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    function = named(policy)
    checked_number('start_factor', start_factor, 0, 1)
    if not checked_number('steps', steps, 0):
        return function
    return joined([functools.partial(_rise, policy=function, steps=steps, start_factor=start_factor), function], [steps])


def joined(policies: Sequence[str | Policy], boundaries: Sequence[float]) -> Policy:
    """Several policies one after another, each of which counts from its own boundary.

    Before the first boundary it is ``policies[0](step)``; from ``boundaries[i]`` on, ``policies[i + 1](step - boundaries[i])``.
    So do optax's ``join_schedules`` and torch's ``SequentialLR``, whose ``milestones`` are the boundaries; neither checks that
    they ascend, and optax not even how many there are.

    Args:
        policies: One or more, each a name in :data:`POLICIES` or a function of the form of a policy. All have the range and the
            length that the joined policy is given, unless :func:`part` gives them their own.
        boundaries: The steps from which on the second policy and each one after it hold, above 0, in ascending order.

    Raises:
        ValueError: There is no such policy, or the boundaries don't ascend or are not one fewer than the policies.

    >>> cycle_and_fall = joined(['triangular', part('polynomial', (0.0, 0.5))], [4])
    >>> [cycle_and_fall(step, (0.0, 1.0), 2) for step in range(9)]
    [0.0, 0.5, 1.0, 0.5, 0.5, 0.375, 0.25, 0.125, 0.0]
    """
    parts = tuple(named(policy) for policy in _listed('policies', policies))
    steps = tuple(_listed('boundaries', boundaries))
    if len(steps) != len(parts) - 1:
        raise ValueError(f'boundaries must be one fewer than the policies, not {len(steps)} for {len(parts)} policies')
    if not all(_ascends(last, step) for last, step in zip((0, *steps), steps)):
        raise ValueError(f'boundaries must be numbers above 0 in ascending order, not {list(steps)!r}')
    return functools.partial(_joined, policies=parts, boundaries=steps)


def part(
    policy: str | Policy,
    value_range: tuple[float, float] | None = None,
    step_size: float | None = None,
    step_size_down: float | None = None,
    **options: Any,
) -> Policy:
    """A policy with a range, a length or options of its own, whatever it is called with: for :func:`joined`.

    Args:
        policy: A name in :data:`POLICIES`, or a function of the form of a policy.
        value_range: Its range; when it is ``None``, the one it is called with.
        step_size: Its length, 1 or more; when it is ``None``, the one it is called with.
        step_size_down: The length of its second half cycle, to be given with ``step_size``; as long as that by default.
        options: Its options.

    Raises:
        ValueError: An argument is no such policy, range or number, or the policy has no such option.

    >>> part('polynomial', (0.0, 0.5), 1, power=2)(1, (0.0, 1.0), 1000)
    0.125
    """
    if step_size is None and step_size_down is not None:
        raise ValueError('step_size_down must be given with step_size')
    return functools.partial(
        _part,
        policy=with_options(policy, options),
        own_range=None if value_range is None else checked_range('value_range', value_range),
        own_step_size=None if step_size is None else checked_step_size('step_size', step_size),
        own_step_size_down=None if step_size_down is None else checked_step_size('step_size_down', step_size_down),
    )


def with_options(policy: str | Policy, options: Mapping[str, Any]) -> Policy:
    """A policy with its options bound to it. Their values are checked when it is called.

    Args:
        policy: A name in :data:`POLICIES`, or a function of the form of a policy.
        options: By the names of the arguments that the policy has besides those of the common form.

    Raises:
        ValueError: There is no such policy, or it has no such option.

    >>> with_options('cosine', {'t_mult': 2})(4, (0.0, 1.0), 2)
    1.0
    >>> with_options('cosine', {'t_mul': 2})
    Traceback (most recent call last):
        ...
    ValueError: 'cosine' has no option 't_mul'; it has t_mult, cycle_decay
    """
    function = named(policy)
    known = _option_names(function)
    for name in options:
        if known is not None and name not in known:
            called = policy if isinstance(policy, str) else getattr(policy, '__name__', 'the policy')
            raise ValueError(f'{called!r} has no option {name!r}; it has {", ".join(known) or "none"}')
    return functools.partial(function, **options) if options else function


def starts(policy: Policy) -> list[float]:
    """The steps at which the parts of a policy start; 0 alone for one that is not joined.

    >>> starts(joined(['cosine', warmed_up('wsd', 10)], [500])), starts(cosine)
    ([0, 500, 510], [0])
    """
    function, own = getattr(policy, 'func', None), getattr(policy, 'keywords', {})
    if function is _part:
        return starts(own['policy'])
    if function is not _joined:
        return [0]
    return [start + inner for one, start in zip(own['policies'], (0, *own['boundaries'])) for inner in starts(one)]


@_policy()
def _joined(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    *,
    policies: tuple[Policy, ...],
    boundaries: tuple[float, ...],
) -> Any:
    index = bisect.bisect(boundaries, step)
    since = step - boundaries[index - 1] if index else step
    return _value(policies[index], since, value_range, step_size, step_size_down)


@_policy()
def _rise(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    *,
    policy: Policy,
    steps: float,
    start_factor: float,
) -> Any:
    start = _value(policy, 0, value_range, step_size, step_size_down)
    return between((start * start_factor, start), step / steps)


@_policy()
def _part(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    *,
    policy: Policy,
    own_range: tuple[float, float] | None,
    own_step_size: float | None,
    own_step_size_down: float | None,
) -> Any:
    if own_step_size is not None:
        step_size, step_size_down = own_step_size, own_step_size_down
    return _value(policy, step, own_range or value_range, step_size, step_size_down)


def _value(
    policy: Policy, step: Any, value_range: tuple[float, float], step_size: float, step_size_down: float | None
) -> float:
    # A function of the user's need not know of a second half cycle that differs.
    halves = {} if step_size_down is None else {'step_size_down': step_size_down}
    return float(policy(step, value_range, step_size, **halves))


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f'{name} must be a list, not {values!r}')
    return list(values)


def _ascends(last: Any, number: Any) -> bool:
    return is_number(number) and last < number < math.inf


def _option_names(function: Callable[..., Any]) -> list[str] | None:
    """What a policy takes besides the arguments of the common form; ``None`` where that can't be told."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters[3:] if parameter.name != 'step_size_down']


COMBINATIONS: dict[str, Callable[..., Policy]] = {'warmed_up': warmed_up, 'joined': joined}


# ---- shapes


def cooled(step: float, value_range: tuple[float, float], steps: float) -> float:
    """The value of a cool-down by ``1 - sqrt``, from the second bound to the first in so many steps, where it stays.

    Source: arXiv 2405.18392, section 3.

    >>> [cooled(step, (0.0, 1.0), 4) for step in (0, 1, 4, 5)]
    [1.0, 0.5, 0.0, 0.0]
    """
    return between(value_range, 1 - math.sqrt(min(1.0, step / steps)))


def between(value_range: tuple[float, float], height: float) -> float:
    """The value at a height from 0, the first of two bounds, to 1, the second; each is met exactly, and neither is passed.

    >>> between((0.1, 0.5), 0.25), between((0.1, 0.5), 1)
    (0.2, 0.5)
    """
    first, second = value_range
    if height < 0.5:
        return float(first + (second - first) * height)
    return float(second + (first - second) * (1 - height))


def _period(step_size: float, step_size_down: float | None) -> float:
    return step_size + (step_size if step_size_down is None else step_size_down)


def _wave(step: float, step_size: float, step_size_down: float | None) -> float:
    """The height of the triangle wave, from 0 to 1."""
    period = _period(step_size, step_size_down)
    position = step % period
    return position / step_size if position < step_size else (period - position) / (period - step_size)


def _trapezoid(step: float, length: float, warmup_steps: float | None, cooldown_steps: float | None) -> float:
    """The height of :func:`wsd`, from 0 to 1."""
    rise = length / 10 if warmup_steps is None else warmup_steps
    fall = length / 5 if cooldown_steps is None else cooldown_steps
    if rise + fall > length:
        raise ValueError(f'warmup_steps and cooldown_steps must fit into {length:g} steps; they are {rise:g} and {fall:g}')
    if step < rise:
        return step / rise
    if step >= length:
        return 0.0
    return 1.0 if step < length - fall else cooled(step - (length - fall), (0.0, 1.0), fall)


def _decayed(value_range: tuple[float, float], factor: float, times: float) -> tuple[float, float]:
    first, second = value_range
    if second < first:
        raise ValueError(f'cycle_decay lowers the second bound, so it must not be the lower one already: {value_range!r}')
    return first, max(first, second * factor**times)
