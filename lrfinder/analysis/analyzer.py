"""Reads a range of rates off a recorded curve, after Smith's procedure; knows NumPy and pandas alone.

Every metric of the curve becomes a :class:`Signal`: lower is better, smoothed over the same share of the ramp whatever its
length, and cut where the run diverged. Each criterion is a short function of one signal that gives a rate. :func:`read` applies
them, and :func:`analyze` weighs what they say.

Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.3.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lrfinder.analysis import cycles
from lrfinder.analysis.curve import check_curve
from lrfinder.analysis.divergence import diverged_at
from lrfinder.analysis.metrics import ACCURACY, LOSS, METRICS, VALIDATION_ACCURACY, VALIDATION_LOSS, WORDS, cost_sign
from lrfinder.analysis.smoothing import RAMP_SMOOTHING, Floats, smoothed, thinned
from lrfinder.analysis.suggestion import NoRangeError, Suggestion

import numpy as np
import pandas as pd

# The metrics that can tell that a run diverged, by preference.
TELLING = (LOSS, VALIDATION_LOSS, ACCURACY, VALIDATION_ACCURACY)

# A metric with fewer values than this shows no trend.
LEAST_VALUES = 5
# Learning has started to pay when this share of the whole gain has come.
ONSET = 0.1
# A curve has degraded where this share of the whole gain is lost again. Where a network began far above chance, chance may be
# little of that; but a network that collapses does so at once, within such a share of the ramp: then the same share of what was
# gained in so many times that on the way to the best, and in the second half of the way at most, is enough.
LOST = 0.25
AT_ONCE, LATE = 0.05, 4
# So many values stand for where a metric began.
FIRST_VALUES = 3
# What is lost for less than this share of the ramp, at its end, may only be noise.
LASTING = 0.05
# A ramp passes through a rate in a moment, a cycle stays near it. So a cycle stands only a share of the rate at which a ramp
# ends to work, or to which it held: the first number for a ramp that needs so many updates as the second for the last doubling
# of the rate, and a little more for a slower one. With ten times the updates a ramp ends at about 1 / 10**(1/8) of the rate:
# `benchmarks.steady`.
RAMP_SHARE = 0.4
RAMP_SHARE_UPDATES = 250
RAMP_SHARE_POWER = 1 / 8
# The least and the largest share of the maximum that the minimum may be: a tenth (arXiv 1803.09820) to a fourth (1506.01186).
MIN_SHARES = (0.1, 0.25)
# A gain is more than noise from so many standard errors on: it is the largest of many, and the start is not smoothed as well.
SIGNIFICANT = 7.0


@dataclass(frozen=True)
class Signal:
    """One metric of a curve up to where the run diverged; lower is better.

    Attributes:
        name: What it is, in words.
        rates: Shape (n,), ascending.
        values: Shape (n,), as shares of the largest magnitude among them: what is read off them depends on no scale.
        smooth: Shape (n,), the values smoothed.
    """

    name: str
    rates: Floats
    values: Floats
    smooth: Floats

    @property
    def start(self) -> float:
        """The smoothed value at the lowest rate."""
        return float(self.smooth[0])

    @property
    def gain(self) -> float:
        """How far the smoothed signal falls from its start to its best."""
        return self.start - float(self.smooth.min())

    @property
    def whole_gain(self) -> float:
        """How far it falls from its first values, which smoothing mixes with what has been learned after them."""
        return max(self.gain, float(np.median(self.values[:FIRST_VALUES])) - float(self.smooth.min()))

    @property
    def noise(self) -> float:
        """Standard error of a smoothed value: the values' median distance from it, over the square root of the window."""
        window = max(1.0, 2 * np.sqrt(np.pi) * RAMP_SMOOTHING * len(self.values))
        return float(1.4826 * np.median(np.abs(self.values - self.smooth)) / np.sqrt(window))  # 1.4826: of a normal spread

    @property
    def significant(self) -> bool:
        """Whether the gain is more than noise, and more than rounding."""
        return self.gain > SIGNIFICANT * self.noise and self.gain > 1e-9

    @property
    def rises(self) -> bool:
        """Whether it ends higher than it began, by more than noise."""
        return float(self.smooth[-1]) - self.start > SIGNIFICANT * self.noise


@dataclass(frozen=True)
class Limit:
    """Where a ramp ceases to work.

    Attributes:
        rate: The rate from which on it does not.
        kind: ``'degrades'``: a metric loses a quarter of its gain for good; or ``'diverges'``: the loss is not finite any more,
            or has risen by more than it had fallen.
        why: Which metric degrades, or why the run has diverged.
    """

    rate: float
    kind: Literal['degrades', 'diverges']
    why: str


@dataclass(frozen=True)
class Reading:
    """What the criteria say of a curve.

    Attributes:
        lowest: The lowest rate that was tested.
        highest: The highest rate that the run got through.
        pays: The rate where learning starts to pay.
        updates: How many updates the ramp took for the last doubling of the rate, up to its limit or to its end.
        limit: Where the curve degrades or diverges; ``None`` where it does neither within the ramp.
    """

    lowest: float
    highest: float
    pays: float
    updates: int = RAMP_SHARE_UPDATES
    limit: Limit | None = None


def analyze(
    curve: pd.DataFrame,
    *,
    attr: str = 'lr',
    policy: str = 'triangular2',
    iterations_per_epoch: int | None = None,
) -> Suggestion:
    """Picks a range of rates for cyclical training off the curve of a range test.

    The maximum is well below the rate where the curve degrades or diverges, or below the end of the ramp where it does
    neither: the less, the slower the ramp. The minimum is where learning starts to pay, kept between a tenth and a fourth of
    the maximum.

    Args:
        curve: A row an iteration: ``lr`` ascending, and any of the metrics of :data:`lrfinder.analysis.metrics.METRICS`.
        attr: What the suggestion is for: the name of the optimizer's attribute.
        policy: The policy that the suggestion names.
        iterations_per_epoch: For the length of a cycle; taken from the columns ``iteration`` and ``epoch`` where it is not
            given. Where they don't tell, a half cycle is as long as the ramp (arXiv 1506.01186, section 3.3).

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
    reading = read(curve)
    high, why = maximum(reading)
    low, why_low = minimum(reading, high)
    pace = _pace(check_curve(curve))
    per_epoch = pace.iterations_per_epoch if iterations_per_epoch is None else iterations_per_epoch
    step_size, why_step = _step_size(pace.iterations, per_epoch)
    return Suggestion(
        attr=attr,
        value_range=(low, high),
        step_size=step_size,
        policy=policy,
        iterations_per_epoch=per_epoch,
        exhausted=reading.limit is None,
        reasons={'min': why_low, 'max': why, 'step_size': why_step},
        updates=pace.iterations,
    )


@np.errstate(all='ignore')  # the numbers of a run that diverges may be too large to be subtracted
def read(curve: pd.DataFrame) -> Reading:
    """Applies the criteria to every metric of a curve.

    Args:
        curve: As for :func:`analyze`.

    Raises:
        NoRangeError: No metric improves by more than noise.
        ValueError: It is no curve.
    """
    whole = _ascending(check_curve(curve))
    table, diverged = _until_divergence(thinned(whole))
    found = signals(table)
    learning = [signal for signal in found if signal.significant]
    if not learning:
        raise NoRangeError(_why_nothing(len(table), found, diverged))
    highest = float(table['lr'].iloc[-1])
    limit = _lowest_limit(learning, highest, diverged)
    return Reading(
        lowest=float(whole['lr'].iloc[0]),
        highest=highest,
        pays=min(onset(signal) for signal in learning),
        updates=_last_doubling(whole, limit.rate if limit else highest),
        limit=limit,
    )


def maximum(reading: Reading) -> tuple[float, str]:
    """The upper bound that a curve speaks for, and why.

    Raises:
        NoRangeError: The curve ceases to work so near to its start that what can be trusted was not tested.
    """
    share = ramp_share(reading.updates)
    limit = reading.limit
    if limit is None:
        high = max(share * reading.highest, reading.lowest)
        return (
            high,
            f'{share:.2g} of the rate {reading.highest:.3g} at which the ramp ended before the curve degraded; higher may do',
        )
    high = share * limit.rate
    if high < reading.lowest:
        raise NoRangeError(
            f'the curve {limit.kind} at {limit.rate:.3g}, too near to its start at {reading.lowest:.3g} ({limit.why}); '
            'start the ramp at a lower rate'
        )
    return high, f'{share:.2g} of the rate {limit.rate:.3g} at which the curve {limit.kind} ({limit.why})'


def ramp_share(updates: int) -> float:
    """The share of a rate that a ramp has shown which a cycle can stand, by how many updates the last doubling took.

    >>> round(ramp_share(25), 2), ramp_share(250), round(ramp_share(25_000), 2)
    (0.3, 0.4, 0.71)
    """
    return min(1.0, RAMP_SHARE * (updates / RAMP_SHARE_UPDATES) ** RAMP_SHARE_POWER)


def minimum(reading: Reading, high: float) -> tuple[float, str]:
    """The lower bound that goes with an upper one, and why."""
    least, most = (share * high for share in MIN_SHARES)
    if reading.lowest > min(max(reading.pays, least), most):
        return min(reading.lowest, high), f'the ramp began at {reading.lowest:.3g}'
    if reading.pays < least:
        return least, f'a tenth of the maximum; learning starts to pay at {reading.pays:.3g} already'
    if reading.pays > most:
        return most, 'a fourth of the maximum, as Smith advises'
    return reading.pays, f'learning starts to pay at {reading.pays:.3g}'


def readings(curve: pd.DataFrame) -> dict[int | None, Reading]:
    """The reading of each seed's ramp, ``None`` standing for the seed where there is but one; without ramps that show nothing.

    Raises:
        ValueError: It is no curve.
    """
    parts: Iterable[tuple[Any, pd.DataFrame]] = curve.groupby('seed') if 'seed' in curve else [(None, curve)]
    found = {}
    for seed, part in parts:
        with contextlib.suppress(NoRangeError):
            found[seed] = read(part.reset_index(drop=True))
    return found


def common_limit(readings: Sequence[Reading | None]) -> Limit | None:
    """The lowest limit of several ramps where at least half of them have one."""
    limits = [reading.limit for reading in readings if reading is not None and reading.limit is not None]
    if 2 * len(limits) < len(readings):
        return None
    return min(limits, key=lambda limit: limit.rate, default=None)


# Criteria: each reads a rate off one signal.


def onset(signal: Signal) -> float:
    """The rate where learning has started to pay: a tenth of the whole gain has come."""
    return float(signal.rates[int(np.argmax(signal.smooth <= signal.start - ONSET * signal.gain))])


def degradation(signal: Signal, diverged: bool = False) -> float | None:
    """The rate after the best one from which a quarter of the whole gain is lost for good; ``None`` where that never happens.

    Args:
        signal: The metric.
        diverged: Whether the run diverged after the last value: then even a short loss at the end is for good.
    """
    least = 1 if diverged else LASTING * len(signal.smooth)
    firsts = [_lost_for_good(signal, float(signal.smooth.min()) + LOST * signal.whole_gain), _lost_at_once(signal)]
    found = [first for first in firsts if first is not None and len(signal.smooth) - first >= least]
    return float(signal.rates[min(found)]) if found else None


def _lost_for_good(signal: Signal, level: float) -> int | None:
    """The index from which on a signal stays above a level; ``None`` where it ends below."""
    first = int(np.flatnonzero(signal.smooth <= level)[-1]) + 1
    return first if first < len(signal.smooth) else None


def _lost_at_once(signal: Signal) -> int | None:
    """The index at which a signal jumps up for good; ``None`` where it does not.

    A jump is more than noise explains, and than the signal changes as fast from the middle of the way to the best on: no curve
    that gets worse little by little has one.
    """
    smooth, width = signal.smooth, max(2, round(AT_ONCE * len(signal.smooth)))
    least_after = np.minimum.accumulate(smooth[::-1])[::-1]
    jump = least_after[width:] - smooth[:-width]
    best = int(np.argmin(smooth))
    late_gain = float(smooth[max(best // 2, best - LATE * width)] - smooth[best])
    usual = float(np.quantile(np.abs(smooth[width:] - smooth[:-width])[min(best // 2, len(jump) - 1) :], 0.25))
    highest = int(np.argmax(jump))
    if jump[highest] <= max(SIGNIFICANT * signal.noise, SIGNIFICANT * usual, LOST * late_gain):
        return None
    return _lost_for_good(signal, float(smooth[highest] + jump[highest] / 2))


def signals(table: pd.DataFrame) -> list[Signal]:
    """The signals of a curve; a metric with fewer than five values is left out."""
    measured = {name: table[np.isfinite(table[name])] for name in METRICS if name in table.columns}
    return [
        _signal(name, rows['lr'].to_numpy(float), cost_sign(name) * rows[name].to_numpy(float))
        for name, rows in measured.items()
        if len(rows) >= LEAST_VALUES
    ]


def _signal(name: str, rates: Floats, values: Floats) -> Signal:
    shares = values / (np.abs(values).max() or 1.0)
    return Signal(WORDS[name], rates, shares, smoothed(shares, RAMP_SMOOTHING * len(shares)))


def _lowest_limit(learning: Sequence[Signal], highest: float, diverged: str) -> Limit | None:
    """The first rate at which a signal degrades, or at which the run diverged (and why, where it did)."""
    degraded = [(degradation(signal, bool(diverged)), signal.name) for signal in learning]
    limits = [Limit(rate, 'degrades', name) for rate, name in degraded if rate is not None]
    limits += [Limit(highest, 'diverges', diverged)] if diverged else []
    return min(limits, key=lambda limit: (limit.rate, limit.why), default=None)


def _last_doubling(table: pd.DataFrame, rate: float) -> int:
    """How many updates a ramp spends between half a rate and the rate; a log need not have a row for each."""
    rows = table[table['lr'].between(rate / 2, rate)]
    counted = rows['iteration'].max() - rows['iteration'].min() if 'iteration' in rows else math.nan
    return max(1, len(rows), int(counted) if counted <= cycles.LONGEST else 0)


def _ascending(table: pd.DataFrame) -> pd.DataFrame:
    """The table itself, when its rates are those of a ramp."""
    rates = table['lr'].to_numpy(float)
    if len(rates) == 0:
        raise NoRangeError('the curve has no rows; record a range test first')
    wrong = ~np.isfinite(rates) | (rates < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"column 'lr', row {row + 1}: a rate must be finite and 0 or more, not {rates[row]}")
    falls = np.diff(rates) < 0
    if falls.any():
        row = int(np.argmax(falls)) + 1
        raise ValueError(f"column 'lr', row {row + 1}: rates must ascend, but {rates[row]:g} follows {rates[row - 1]:g}")
    if rates[0] == rates[-1]:
        raise NoRangeError(f'all {len(rates)} rows have the same rate {rates[0]:g}; record a ramp')
    return table


def _until_divergence(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows before the run diverged, and why it did; all rows and nothing where it did not."""
    name = next(name for name in TELLING if name in table.columns)
    values = _measured(cost_sign(name) * table[name])
    diverged = diverged_at(values.to_numpy(float))
    if diverged is None:
        return table, ''
    index, why = diverged
    return table.loc[table.index < values.index[index]], why


def _measured(values: pd.Series) -> pd.Series:
    """The values of a metric without the cells that are empty because it is measured now and then only.

    Where it is measured always, an empty cell is no number; and so it is when nothing has come for longer than usual.
    """
    rows = np.flatnonzero(values.notna())
    if len(rows) < 2:
        return values
    usual = float(np.median(np.diff(rows)))
    if usual == 1:
        return values.iloc[rows[0] :]
    missed = int(rows[-1] + usual)
    return values.iloc[rows] if len(values) <= missed + usual else values.iloc[[*rows, missed]]


@dataclass(frozen=True)
class _Pace:
    """How many iterations a ramp took, and an epoch takes; a log need not have a row for each."""

    iterations: int
    iterations_per_epoch: int | None


def _pace(table: pd.DataFrame) -> _Pace:
    iterations = table['iteration'].to_numpy(float) if 'iteration' in table else np.array([np.nan])
    if not (np.abs(iterations) <= cycles.LONGEST).all():
        return _Pace(len(table), None)
    usual = float(np.median(np.diff(iterations))) if len(iterations) > 1 else 1.0
    taken = round(iterations[-1] - iterations[0] + usual)
    return _Pace(max(1, taken), _per_epoch(iterations, table['epoch'].to_numpy(float)) if 'epoch' in table else None)


def _per_epoch(iterations: Floats, epochs: Floats) -> int | None:
    """Iterations of an epoch, from the rows at which epochs begin; ``None`` where fewer than two do."""
    begins = np.flatnonzero(np.diff(epochs) > 0) + 1
    if len(begins) < 2 or not np.isfinite(epochs).all():
        return None
    first, last = begins[0], begins[-1]
    found = (iterations[last] - iterations[first]) / (epochs[last] - epochs[first])
    return max(1, round(found)) if found <= cycles.LONGEST else None


def _step_size(iterations: int, iterations_per_epoch: int | None) -> tuple[int, str]:
    if iterations_per_epoch is None:
        return iterations, 'as long as the ramp, as the iterations of an epoch are not known'
    plan = cycles.plan(iterations_per_epoch)
    return plan.step_size, plan.reason


def _why_nothing(rows: int, found: list[Signal], diverged: str) -> str:
    if diverged:
        return f'the run diverged before it had learned anything ({diverged}); start the ramp at a lower rate'
    if not found:
        return f'too few values to see a trend ({rows} rows); record a longer ramp'
    rising = next((signal for signal in found if signal.rises), None)
    if rising is not None:
        return f'the {rising.name} gets worse from the first rates on; start the ramp at a lower rate'
    return 'no metric improved by more than noise; check the data and the gradients, or ramp to higher rates'
