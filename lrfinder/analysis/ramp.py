"""The ramp of a range test: the rate of each iteration, a pure function."""

from __future__ import annotations

from clr.arguments import checked_count, checked_range
from lrfinder._names import RAMP_NAMES

import numpy as np
import numpy.typing as npt

MOST = 10_000_000


def rates(value_range: tuple[float, float], iterations: int, shape: str = 'linear') -> npt.NDArray[np.float64]:
    """The rate of each iteration, from the first value to the last.

    A linear ramp gives every rate the same number of iterations (arXiv 1506.01186, section 3.3); an exponential one gives every
    order of magnitude the same number.

    Args:
        value_range: First and last rate, finite, ascending; above 0 for an exponential ramp, 0 or more for a linear one.
        iterations: How many, from 2 to 10,000,000.
        shape: ``'linear'`` or ``'exponential'``.

    Returns:
        Array of shape (iterations,), strictly ascending; the ends are exactly those of ``value_range``.

    Raises:
        ValueError: An argument is out of its range.

    >>> rates((0.0, 1.0), 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> rates((0.001, 10.0), 5, 'exponential').round(3).tolist()
    [0.001, 0.01, 0.1, 1.0, 10.0]
    """
    start, stop = check_range(value_range, shape)
    length = checked_count('iterations', iterations, 2, MOST)
    found = np.linspace(start, stop, length) if shape == 'linear' else np.geomspace(start, stop, length)
    if not (np.diff(found) > 0).all():
        raise ValueError(f'value_range {value_range!r} is too narrow for {length} different rates')
    return found


def check_range(value_range: tuple[float, float], shape: str) -> tuple[float, float]:
    """The two ends of a ramp as floats.

    Raises:
        ValueError: They are not a range that a ramp of this shape can go through.
    """
    if shape not in RAMP_NAMES:
        raise ValueError(f'ramp must be {" or ".join(map(repr, RAMP_NAMES))}, not {shape!r}')
    start, stop = checked_range('value_range', value_range, ascending=True)
    if start == stop:
        raise ValueError(f'value_range must be two different rates, not {value_range!r}')
    if shape == 'exponential' and start == 0:
        raise ValueError('an exponential ramp must start above 0')
    return start, stop
