"""Cyclical learning rate policies: pure functions of the step.

Every policy has the same form: ``policy(step, value_range, step_size, step_size_down=None) -> value``. The value starts at the
first bound of ``value_range``, reaches the second after ``step_size`` steps, and is back at the first after another
``step_size_down`` steps (the same number when it is not given): one cycle. :func:`cosine` alone starts at the second bound. A
step is a scalar or an array; a scalar gives a float, an array gives an array of floats (float64) of its shape.

Some policies have options, given by keyword: ``functools.partial(cosine, t_mult=2)`` is a policy again.

Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3, where no other is
given.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

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


def _for_arrays_too(policy: Function) -> Function:
    """Lets a function of one step take an array of them, with the same values to the last bit."""

    @functools.wraps(policy)
    def policy_of_steps(step: Any, *args: Any, **options: Any) -> Any:
        if isinstance(step, (int, float)):  # the case of every training iteration, which does without NumPy
            return policy(step, *args, **options)
        import numpy

        steps = numpy.asarray(step)
        values = [policy(one, *args, **options) for one in steps.ravel().tolist()]
        return numpy.array(values, dtype=float).reshape(steps.shape) if steps.ndim else values[0]

    return cast(Function, policy_of_steps)


@_for_arrays_too
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


@_for_arrays_too
def triangular2(step: Any, value_range: tuple[float, float], step_size: float, step_size_down: float | None = None) -> Any:
    """As :func:`triangular`, with half the amplitude after each cycle.

    ``first + (second - first) * wave(step) / 2 ** cycle``, cycles counted from 0 (arXiv 1506.01186, section 3.1). Arguments and
    result are those of :func:`triangular`.

    >>> [triangular2(step, (0.0, 1.0), 2) for step in range(9)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0]
    """
    cycle = step // _period(step_size, step_size_down)
    return between(value_range, _wave(step, step_size, step_size_down) * 0.5**cycle)


@_for_arrays_too
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

    >>> [exp_range(step, (0.0, 1.0), 2, gamma=0.5) for step in range(5)]
    [0.0, 0.25, 0.25, 0.0625, 0.0]
    """
    return between(value_range, _wave(step, step_size, step_size_down) * float(gamma) ** step)


@_for_arrays_too
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
        step_size_final: Length of the final phase in steps, above 0; when it is ``None``, an eighth of the cycle, and so a
            ninth of the training.
        final_ratio: The last value as a part of the first bound, from 0 to 1. The other arguments are those of
            :func:`triangular`.

    >>> [one_cycle(step, (0.1, 0.5), 2, step_size_final=2, final_ratio=0.01) for step in range(8)]
    [0.1, 0.3, 0.5, 0.3, 0.1, 0.0505, 0.001, 0.001]
    """
    cycle = _period(step_size, step_size_down)
    if step < cycle:
        return between(value_range, _wave(step, step_size, step_size_down))
    first = value_range[0]
    length = cycle / 8 if step_size_final is None else step_size_final
    return between((first, first * final_ratio), min(1.0, (step - cycle) / length))


@_for_arrays_too
def cosine(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    t_mult: float = 1,
) -> Any:
    """Cosine annealing with warm restarts: falls from the second bound to the first, and starts again at the second.

    ``first + (second - first) * (1 + cos(pi * t / T)) / 2``, with ``t`` steps done since the last restart out of ``T`` until
    the next (Ilya Loshchilov and Frank Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", arXiv 1608.03983,
    equation 5). ``T`` is the cycle, ``step_size + step_size_down``, at first, and ``t_mult`` times as long after each restart.
    As with all policies, ``value_range`` is the smaller rate and the larger one, the ``eta_min`` and ``eta_max`` of the paper.

    Args:
        t_mult: Factor by which each cycle is longer than the one before, 1 or more. The other arguments are those of
            :func:`triangular`.

    Raises:
        ValueError: ``t_mult`` is below 1.

    >>> [round(cosine(step, (0.0, 1.0), 2), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 1.0, 0.854]
    """
    if not t_mult >= 1:
        raise ValueError(f't_mult must be 1 or more, not {t_mult!r}')
    since_restart, length = step, _period(step_size, step_size_down)
    if t_mult == 1:
        since_restart %= length
    while since_restart >= length:
        since_restart -= length
        length *= t_mult
    return between(value_range, (1 + math.cos(math.pi * since_restart / length)) / 2)


POLICIES: dict[str, Policy] = {
    'triangular': triangular,
    'triangular2': triangular2,
    'exp_range': exp_range,
    'one_cycle': one_cycle,
    'cosine': cosine,
}


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
