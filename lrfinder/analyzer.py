"""Reads a range of rates off a recorded curve, after Smith's procedure; knows NumPy and pandas alone.

Every metric of the curve becomes a :class:`Signal`: lower is better, smoothed over the same share of the ramp whatever its
length, cut where the run broke. Each criterion is a short function of one signal that gives a rate. :func:`analyze` weighs them.

Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from lrfinder import schedule
from lrfinder.breakdown import broken_at
from lrfinder.curve import ACCURACY, LOSS, METRICS, VALIDATION_ACCURACY, VALIDATION_LOSS, check_curve
from lrfinder.suggestion import NoRangeError, Suggestion

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

NAMES = {
    LOSS: 'training loss',
    ACCURACY: 'training accuracy',
    VALIDATION_LOSS: 'validation loss',
    VALIDATION_ACCURACY: 'validation accuracy',
}

# A curve is brought down to so many points: what is finer than this is noise, and long curves stay cheap.
POINTS = 4096
# The smoothing's standard deviation, as a share of the ramp.
SMOOTHING = 0.02
# Learning has started to pay when this share of the whole gain has come.
ONSET = 0.1
# A curve has collapsed where this share of the whole gain is lost again.
LOST = 0.25
# What a rising ramp survives for a moment is more than what a cycle can stand: the share of the collapsing rate to trust.
TRUST = 0.5
# The largest and the smallest share of the maximum that the minimum may be (arXiv 1803.09820: a third to a twentieth).
MIN_SHARES = (0.1, 0.25)
# A gain is one from so many standard errors of the noise on.
SIGNIFICANT = 4.0


@dataclass(frozen=True)
class Signal:
    """One metric of a curve up to where the run broke; lower is better.

    Attributes:
        name: What it is, in words.
        rates: Shape (n,), ascending.
        values: Shape (n,), finite.
        smooth: Shape (n,), the values smoothed.
        noise: Standard deviation of the values around the smoothed ones.
    """

    name: str
    rates: Floats
    values: Floats
    smooth: Floats
    noise: float

    @property
    def start(self) -> float:
        return float(self.smooth[0])

    @property
    def best(self) -> float:
        return float(self.smooth.min())

    @property
    def gain(self) -> float:
        """How far the smoothed signal falls from its start to its best."""
        return self.start - self.best

    @property
    def significant(self) -> bool:
        """Whether the gain is more than noise."""
        window = max(1.0, 2 * SMOOTHING * len(self.values))
        return self.gain > SIGNIFICANT * self.noise / window**0.5 and self.gain > 1e-9 * abs(self.start)


# Criteria: each gives a rate, read off one signal.


def onset(signal: Signal) -> float:
    """The rate where learning has started to pay: a tenth of the whole gain has come."""
    reached = signal.smooth <= signal.start - ONSET * signal.gain
    return float(signal.rates[int(np.argmax(reached))])


def collapse(signal: Signal) -> float | None:
    """The first rate after the best at which a quarter of the whole gain is lost; ``None`` where that never happens."""
    best = int(np.argmin(signal.smooth))
    lost = signal.smooth[best:] > signal.best + LOST * signal.gain
    return float(signal.rates[best + int(np.argmax(lost))]) if lost.any() else None


def analyze(
    curve: pd.DataFrame,
    *,
    attr: str = 'lr',
    policy: str = 'triangular2',
    iterations_per_epoch: int | None = None,
) -> Suggestion:
    """Picks a range of rates for cyclical training off the curve of a range test.

    Args:
        curve: A row an iteration: ``lr`` ascending, and any of the metrics of :data:`lrfinder.curve.METRICS`.
        attr: What the suggestion is for: the name of the optimizer's attribute.
        policy: The policy that the suggestion names.
        iterations_per_epoch: For the length of a cycle; where it is not given, it comes from a column ``epoch``, or a half
            cycle is as long as the ramp (arXiv 1506.01186, section 3.3).

    Returns:
        The range, within the rates that were tested, with reasons.

    Raises:
        NoRangeError: The curve shows no range; the message says why, and what to try.
        ValueError: It is no curve.

    >>> rates = np.linspace(0, 1, 200)
    >>> curve = pd.DataFrame({'lr': rates, 'main/loss': 1 / (1 + 20 * rates) + np.where(rates > 0.8, 50, 0)})
    >>> low, high = analyze(curve).value_range
    >>> 0 < low < high < 0.8
    True
    """
    table, broken = _until_break(_ascending(check_curve(curve)))
    found = signals(table)
    learning = [signal for signal in found if signal.significant]
    if not learning:
        raise NoRangeError(_why_nothing(table, found, broken))
    highest = float(table['lr'].iloc[-1])
    collapses = [(rate, signal.name) for signal in learning if (rate := collapse(signal)) is not None]
    if broken is not None:
        collapses.append((highest, broken))
    high, high_reason = _high(collapses, highest)
    low, low_reason = _low(learning, high)
    step_size, step_reason = _step_size(table, iterations_per_epoch)
    return Suggestion(
        attr=attr,
        value_range=(low, high),
        step_size=step_size,
        policy=policy,
        iterations_per_epoch=iterations_per_epoch,
        exhausted=not collapses,
        reasons={'min': low_reason, 'max': high_reason, 'step_size': step_reason},
        warnings=(),
        updates=len(table),
    )


def signals(table: pd.DataFrame) -> list[Signal]:
    """The signals of a curve; metrics with fewer than five values are left out."""
    found = []
    for metric in METRICS:
        if metric in table.columns:
            measured = table[np.isfinite(table[metric])]
            if len(measured) >= 5:
                sign = -1.0 if metric in (ACCURACY, VALIDATION_ACCURACY) else 1.0
                found.append(_signal(NAMES[metric], measured['lr'].to_numpy(float), sign * measured[metric].to_numpy(float)))
    return found


def _signal(name: str, rates: Floats, values: Floats) -> Signal:
    smooth = _smoothed(values, SMOOTHING * len(values))
    return Signal(name, rates, values, smooth, float(np.sqrt(np.mean((values - smooth) ** 2))))


def _smoothed(values: Floats, deviation: float) -> Floats:
    """Gaussian smoothing, the weights renormalised at the ends so that it is right from the first value on."""
    reach = max(1, int(np.ceil(3 * deviation)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 0.5)) ** 2)
    centre = values.mean()
    weights = np.convolve(np.ones(len(values)), kernel)[reach:-reach]
    return centre + np.convolve(values - centre, kernel)[reach:-reach] / weights


def _ascending(table: pd.DataFrame) -> pd.DataFrame:
    rates = table['lr'].to_numpy(float)
    if len(rates) == 0:
        raise NoRangeError('the curve has no rows; record a range test first')
    if not np.isfinite(rates).all() or (rates < 0).any():
        row = int(np.argmax(~(np.isfinite(rates) & (rates >= 0))))
        raise ValueError(f"column 'lr', row {row + 1}: a rate must be finite and 0 or more, not {rates[row]}")
    if (np.diff(rates) < 0).any():
        row = int(np.argmax(np.diff(rates) < 0)) + 1
        raise ValueError(
            f"column 'lr', row {row + 1}: the rates of a range test ascend, but {rates[row]:g} follows {rates[row - 1]:g}"
        )
    if rates[0] == rates[-1]:
        raise NoRangeError(f'all {len(rates)} rows have the same rate {rates[0]:g}; record a ramp')
    return _thinned(table)


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Means of so many neighbouring rows, a power of two, that at most :data:`POINTS` remain."""
    size = 1 << max(0, int(np.ceil(np.log2(len(table) / POINTS))))
    return table if size == 1 else table.groupby(np.arange(len(table)) // size).mean()


def _until_break(table: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """The rows before the run broke, and why it did, or ``None``."""
    if LOSS not in table.columns:
        return table, None
    losses = table[LOSS]
    dense = losses if losses.notna().mean() > 0.5 else losses.dropna()
    broken = broken_at(dense.to_numpy(float))
    if broken is None:
        return table, None
    position = table.index.get_loc(dense.index[broken[0]])
    return table.iloc[:position], broken[1]


def _high(collapses: list[tuple[float, str]], highest: float) -> tuple[float, str]:
    if not collapses:
        return highest, f'the ramp ended at {highest:.4g} before the curve broke: higher rates may do as well'
    rate, what = min(collapses)
    return TRUST * rate, f'{TRUST:g} of {rate:.4g}, where the curve collapsed ({what})'


def _low(learning: list[Signal], high: float) -> tuple[float, str]:
    pays = min(onset(signal) for signal in learning)
    least, most = (share * high for share in MIN_SHARES)
    low = min(max(pays, least), most)
    return (
        low,
        f'learning starts to pay at {pays:.4g}; kept between max / {1 / MIN_SHARES[1]:.0f} and max / {1 / MIN_SHARES[0]:.0f}',
    )


def _step_size(table: pd.DataFrame, iterations_per_epoch: int | None) -> tuple[int, str]:
    if iterations_per_epoch is None:
        return max(1, len(table)), 'as long as the ramp: the iterations of an epoch are not known'
    plan = schedule.without_budget(iterations_per_epoch)
    return plan.step_size, plan.reason


def _why_nothing(table: pd.DataFrame, found: list[Signal], broken: str | None) -> str:
    if broken is not None:
        return f'the run broke before it had learned anything ({broken}); start the ramp at a lower rate'
    if not found:
        return f'too few values to see a trend ({len(table)} rows); record a longer ramp'
    return 'no metric improved by more than noise; check the data and the gradients, or ramp to higher rates'
