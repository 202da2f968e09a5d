"""Which rates a range test tries: where a scan says to look, and which trial cycle tells most after those before.

All trial cycles run at rates of one grid, two to a decade (:func:`on_grid`), so that tests from other seeds, or with other
rounding, compare the same rates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from lrfinder.analysis.learning import Score, alike, knows_more
from lrfinder.analysis.metrics import ACCURACY, LOSS
from lrfinder.analysis.smoothing import smoothed
from lrfinder.analysis.trials import FACTOR, Trial, by_rate, promising, scores_of, verdict

import numpy as np
import numpy.typing as npt
import pandas as pd

# Trial cycles begin where this share of the scan's fall has come.
ANCHOR = 0.8
# How many losses stand for the level at the start of a scan, and are averaged in it.
SCAN_LOSSES = 3
# The standard deviation of the smoothing of a scan, in updates.
SCAN_SMOOTHING = 1.5
# A fall in a scan counts from so many standard deviations of single losses on.
CLEAR = 1.5
# A loss so many of them above the opening level, and further above it than any mean so far was below, is a spike: there a scan
# leaves what the network can stand. What learns after it may be a network that has collapsed, whose last bias alone finds the
# mean. A rise that is a smaller share of the level than the second number is none.
SPIKE = 16.0
LEAST_SPIKE = 0.01
# A scan passes a rate in one update, a cycle stays near it for many: it stands no more than about a twentieth of the rate of
# the first spike.
BELOW_SPIKE = 20.0
# Where a scan shows no fall, so far below its end or its first spike.
BELOW = FACTOR**3
# What is found beyond the first spike counts where it is so many times as high.
BEYOND = FACTOR**2


def where_to_look(scan: pd.DataFrame) -> list[float]:
    """The rates around which trial cycles should begin, the likeliest first.

    Args:
        scan: The curve of an exponential scan up to where it diverged.

    Returns:
        One rate; a second one where there seems to be something to learn beyond the first spike of the loss, in case that
        was an outlier.

    >>> rates = np.geomspace(1e-7, 1e2, 91)
    >>> scan = pd.DataFrame({'lr': rates, 'main/loss': 1 / (1 + 1000 * rates)})
    >>> [anchor] = where_to_look(scan)
    >>> 0.001 < anchor < 0.01
    True
    """
    rates, losses = scan['lr'].to_numpy(float), scan[LOSS].to_numpy(float)
    finite = np.isfinite(losses)
    if np.count_nonzero(finite) < SCAN_LOSSES:
        return [float(rates[-1]) / BELOW]
    rates, losses = rates[finite], losses[finite]
    level, noise = _opening(losses)
    end = _first_spike(losses, level, noise)
    first = _fallen(rates[:end], losses[:end], level, noise)
    if end < len(losses):
        first = min(first, float(rates[end]) / BELOW_SPIKE)
    beyond = _fallen(rates, losses, level, noise)
    return [first, beyond] if beyond > BEYOND * first else [first]


def _opening(losses: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Level and noise of the losses before anything is learned."""
    before = losses[: max(SCAN_LOSSES, len(losses) // 4)]
    return float(np.median(before)), float(np.std(before))


def _first_spike(losses: npt.NDArray[np.float64], level: float, noise: float) -> int:
    """The index of the first spike after the opening, and where there is none, the number of losses."""
    means = np.convolve(losses, np.full(SCAN_LOSSES, 1 / SCAN_LOSSES), 'valid')
    best = np.minimum(np.minimum.accumulate(means), level)
    rise = losses[SCAN_LOSSES - 1 :] - level
    spikes = np.flatnonzero(rise > np.maximum(SPIKE * noise, np.maximum(level - best, LEAST_SPIKE * abs(level))))
    return int(spikes[0]) + SCAN_LOSSES - 1 if len(spikes) else len(losses)


def _fallen(rates: npt.NDArray[np.float64], losses: npt.NDArray[np.float64], level: float, noise: float) -> float:
    """The rate at which four fifths of the fall have come; where there is no more of it than noise, one well below the last."""
    smooth = smoothed(losses, SCAN_SMOOTHING)
    fall = level - float(smooth.min())
    if fall <= CLEAR * noise:
        return float(rates[-1]) / BELOW
    return float(rates[int(np.argmax(smooth <= smooth.min() + (1 - ANCHOR) * fall))])


def ruined(scan: pd.DataFrame) -> float:
    """The share of wrong answers where a scan has ruined the model most: the worst mean of three; NaN where it is not known."""
    worst = (1 - scan[ACCURACY]).rolling(SCAN_LOSSES).mean().max()
    return float(worst)


def on_grid(rate: float) -> float:
    """The nearest rate of the grid that trial cycles run at.

    >>> [round(on_grid(rate), 4) for rate in (0.012, 0.025, 0.08)]
    [0.01, 0.0316, 0.1]
    """
    return float(10.0 ** (round(2 * math.log10(rate)) / 2))


def first_rates(anchor: float, bounds: tuple[float, float]) -> list[float]:
    """The rates of the first two trial cycles: a step above where to look, and there.

    Args:
        anchor: Where to look.
        bounds: The lowest and the highest rate that may be tried.
    """
    low, high = bounds
    first = max(min(on_grid(anchor * FACTOR), high), low)
    second = max(on_grid(first / FACTOR), low) if first > low else min(on_grid(first * FACTOR), high)
    return [first, second] if first != second else [first]


def next_rate(
    trials: Sequence[Trial], start: Score, bounds: tuple[float, float], examples: int | None = None, known: bool = False
) -> float | None:
    """The rate of the trial cycle that tells most after others.

    Args:
        trials: Those that have been run, one or more.
        start: The state that they all began with.
        bounds: The lowest and the highest rate that may be tried.
        examples: How many held-out examples there are.
        known: Whether the model had learned before, so that trials which teach it no more are no sign of a collapse.

    Returns:
        A new rate within the bounds; ``None`` where the good rates are between others, or the bounds are reached.

    >>> start = Score(train=2.0, loss=2.0)
    >>> rising = [Trial(0.01, Score(1.5, 1.5)), Trial(0.1, Score(0.9, 0.9))]
    >>> round(next_rate(rising, start, (0.0, math.inf)), 3)
    0.316
    """
    low, high = bounds
    rates = [trial.rate for trial in trials]
    wishes = _wishes(by_rate(trials), start, examples, known)
    return next((rate for rate in wishes if low <= rate <= high and not np.isclose(rate, rates).any()), None)


def _wishes(trials: Sequence[Trial], start: Score, examples: int | None, known: bool) -> list[float]:
    """Rates that would tell most, the best first, whether they may be tried or not."""
    lowest, highest = trials[0].rate, trials[-1].rate
    lower, higher = on_grid(lowest / FACTOR), on_grid(highest * FACTOR)
    found = verdict(trials, start)
    if found is None:
        return [lower]
    if promising(trials, start):
        return [on_grid(higher * FACTOR), higher]
    scores = scores_of(trials)
    if not known and (alike(scores) or not knows_more(scores, start, examples)):  # as when a network collapses at each
        return [on_grid(lower / FACTOR), lower]
    edges = [lower] * found.lowest + [higher] * found.highest
    return edges + _gaps(trials, found.best.rate)


def _gaps(trials: Sequence[Trial], best: float) -> list[float]:
    """The middles of the gaps above and below the best rate, where those are wider than the grid's."""
    gaps = [(below.rate, above.rate) for below, above in pairwise(trials) if best in (below.rate, above.rate)]
    return [on_grid(math.sqrt(below * above)) for below, above in reversed(gaps) if above > FACTOR**1.5 * below]
