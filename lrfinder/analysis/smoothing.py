"""Smoothing and thinning of curves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

# A curve is brought down to so many rows: what is finer is noise, and long curves stay cheap.
MOST_ROWS = 4096
# The standard deviation of the smoothing of a ramp, as a share of its length.
RAMP_SMOOTHING = 0.02


def smoothed(values: Floats, deviation: float) -> Floats:
    """Gaussian smoothing, with the weights made up for at both ends, so that it is right from the first value on.

    Args:
        values: Shape (n,), finite.
        deviation: The standard deviation of the weights, in values.

    >>> smoothed(np.array([2.0, 2.0, 2.0]), deviation=1.0).tolist()
    [2.0, 2.0, 2.0]
    """
    reach = max(1, int(np.ceil(3 * deviation)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 0.3)) ** 2)
    weights = np.convolve(np.ones(len(values)), kernel)[reach:-reach]
    level = values[0]  # exact for a constant
    return level + np.convolve(values - level, kernel)[reach:-reach] / weights


def thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Means of so many neighbouring rows, a power of two, that at most :data:`MOST_ROWS` remain.

    >>> len(thinned(pd.DataFrame({'lr': np.linspace(0, 1, 10_000)})))
    2500
    """
    if len(table) <= MOST_ROWS:
        return table
    size = 1 << int(np.ceil(np.log2(len(table) / MOST_ROWS)))
    # A copy has its columns side by side: pandas' sums differ in the last bit by how they lie in memory.
    return table.copy().groupby(np.arange(len(table)) // size).mean()
