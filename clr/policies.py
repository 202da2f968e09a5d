"""Cyclical learning rate policies: pure functions of the step.

Every policy has the same form: ``policy(step, value_range, step_size, step_size_down=None) -> value``. The value starts at the
first bound of ``value_range``, reaches the second after ``step_size`` steps, and is back at the first after another
``step_size_down`` steps (the same number when it is not given): one cycle. A step is a scalar or an array; a scalar gives a
float, an array gives an array of floats of its shape.

Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.
"""

from __future__ import annotations

import numbers
from typing import Any, Protocol, TypeVar

DEFAULT_GAMMA = 0.99994

Step = TypeVar('Step')


class Policy(Protocol):
    """What :class:`~clr.training.extensions.CLR` takes for a policy."""

    def __call__(
        self, step: Any, value_range: tuple[float, float], step_size: float, /, step_size_down: float | None = ...
    ) -> Any: ...


def triangular(
    step: Any, value_range: tuple[float, float], step_size: float, step_size_down: float | None = None
) -> Any:
    """Moves linearly from the first bound to the second and back, for ever.

    ``first + (second - first) * wave(step)``, where the wave rises linearly from 0 to 1 in ``step_size`` steps and falls to 0
    in ``step_size_down`` steps (arXiv 1506.01186, section 3.1, figure 2).

    Args:
        step: Number of steps done, 0 or more; a scalar or an array.
        value_range: The value at the start of a cycle, and the value in its middle.
        step_size: Length of the first half cycle in steps, above 0.
        step_size_down: Length of the second half cycle in steps, above 0; ``step_size`` when it is ``None``.

    Returns:
        A float, or an array of floats with the shape of ``step``.

    >>> [triangular(step, (0.1, 0.5), 2) for step in range(5)]
    [0.1, 0.3, 0.5, 0.3, 0.1]
    """
    wave, _ = _wave_and_cycle(step, step_size, step_size_down)
    return _at(value_range, wave)


def triangular2(
    step: Any, value_range: tuple[float, float], step_size: float, step_size_down: float | None = None
) -> Any:
    """As :func:`triangular`, with half the amplitude after each cycle.

    ``first + (second - first) * wave(step) / 2 ** cycle``, cycles counted from 0 (arXiv 1506.01186, section 3.1). Arguments and
    result are those of :func:`triangular`.

    >>> [triangular2(step, (0.0, 1.0), 2) for step in range(9)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0]
    """
    wave, cycle = _wave_and_cycle(step, step_size, step_size_down)
    return _at(value_range, wave * 0.5**cycle)


def exp_range(
    step: Any,
    value_range: tuple[float, float],
    step_size: float,
    step_size_down: float | None = None,
    gamma: float = DEFAULT_GAMMA,
) -> Any:
    """As :func:`triangular`, with an amplitude that shrinks by the factor ``gamma`` at each step.

    ``first + (second - first) * wave(step) * gamma ** step``. The first bound stays where it is: so do the Keras and PyTorch
    implementations and the original clr_chainer. The paper (arXiv 1506.01186, section 3.1) lets both bounds decline by
    ``gamma ** step``.

    Args:
        gamma: Factor of a step, from 0 to 1. The other arguments are those of :func:`triangular`.

    >>> [exp_range(step, (0.0, 1.0), 2, gamma=0.5) for step in range(5)]
    [0.0, 0.25, 0.25, 0.0625, 0.0]
    """
    wave, _ = _wave_and_cycle(step, step_size, step_size_down)
    return _at(value_range, wave * float(gamma) ** step)


POLICIES: dict[str, Policy] = {
    'triangular': triangular,
    'triangular2': triangular2,
    'exp_range': exp_range,
}


def _wave_and_cycle(step: Any, step_size: float, step_size_down: float | None) -> tuple[Any, Any]:
    """The height of the triangle wave, from 0 to 1, and the number of whole cycles done."""
    down = step_size if step_size_down is None else step_size_down
    cycle, position = divmod(step, step_size + down)
    return _minimum(position / step_size, (step_size + down - position) / down), cycle


def _minimum(rising: Any, falling: Any) -> Any:
    # A scalar is the case of every training iteration, and NumPy would cost it ten times as much.
    if isinstance(rising, numbers.Real):
        return min(rising, falling)
    import numpy

    return numpy.minimum(rising, falling)


def _at(value_range: tuple[float, float], height: Any) -> Any:
    first, second = value_range
    value = first + (second - first) * height
    return float(value) if isinstance(value, numbers.Real) else value
