"""Which rates a range test tries: where a scan says to look, and which trial cycle tells most after those before.

All trial cycles run at rates of one grid, so that tests from other seeds, or with other rounding, compare the same rates. Its
steps are whole numbers, four to a decade (:func:`rate_of`): at 1e-12 as at 1, none is taken for its neighbour. A search first
goes by :data:`COARSE` steps, and by :data:`FINE` ones around what it has found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from lrfinder.analysis.learning import SURE, Score, alike, gains, knows_more, loses_less, moved, sound
from lrfinder.analysis.metrics import ACCURACY, LOSS
from lrfinder.analysis.smoothing import smoothed
from lrfinder.analysis.trials import STEPS, Trial, by_rate, scores_of, verdict

import numpy as np
import numpy.typing as npt
import pandas as pd

# Trial cycles begin where this share of the scan's fall has come.
ANCHOR = 0.8
# How many losses stand for the level at the start of a scan, and are averaged in it.
SCAN_LOSSES = 3
# The standard deviation of the smoothing of a scan, in updates.
SCAN_SMOOTHING = 3.0
# A fall in a scan counts from so many standard deviations of single losses on.
CLEAR = 1.5
# A loss so many of them above the opening level, and further above it than any mean so far was below, is a spike: there a scan
# leaves what the network can stand. What learns after it may be a network that has collapsed, whose last bias alone finds the
# mean. A rise that is a smaller share of all that the scan falls than the second number is none.
SPIKE = 16.0
LEAST_SPIKE = 0.01
# A scan passes a rate in one update, a cycle stays near it for many: it stands no more than about a twentieth of the rate of
# the first spike.
BELOW_SPIKE = 20.0
# Where a scan shows no fall, so far below its end or its first spike.
BELOW = 30.0
# What is found beyond the first spike counts where it is so many times as high.
BEYOND = 10.0
# Where a scan diverges within so many times its lowest rate, or falls until so near to its highest, the rate to look at lies
# outside of it.
AT_THE_START, AT_THE_END = 1000.0, 10.0
# How many steps of the grid the rates of neighbouring trials are apart.
COARSE, FINE = 2, 1
# Learning still speeds up at the highest rate where the loss has fallen by more than so many times what it fell at the next
# one. At rates that are far too low the fall goes with the rate: between coarse steps it is threefold.
SPEEDING_UP = 1.5


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
    first = _fallen(rates[:end], losses[:end], level, noise) or float(rates[end - 1]) / BELOW
    if end < len(losses):
        first = min(first, float(rates[end]) / BELOW_SPIKE)
    beyond = _fallen(rates, losses, level, noise) or 0.0
    return [first, beyond] if beyond > BEYOND * first else [first]


def look_elsewhere(scan: pd.DataFrame, value_range: tuple[float, float]) -> tuple[float, float] | None:
    """Where to scan again, because the rate to look at lies outside of a scan; ``None`` where it does not.

    Args:
        scan: The curve of an exponential scan, as far as it came.
        value_range: Its lowest and its highest rate, as they were meant.

    >>> rates = np.geomspace(1e-7, 1e2, 60)
    >>> scan = pd.DataFrame({'lr': rates, 'main/loss': 1 / (1 + 1e-4 * rates)})
    >>> look_elsewhere(scan, (1e-7, 1e2))
    (100.0, 100000000000.0)
    """
    low, high = value_range
    end = float(scan['lr'].iloc[-1])
    if ends_at_its_start(scan, value_range):
        return end * low / high, end
    losses = scan[LOSS].to_numpy(float)
    if end < high or not np.isfinite(losses).all():
        return None
    level, noise = _opening(losses)
    if _first_spike(losses, level, noise) < len(losses):
        return None
    fallen = _fallen(scan['lr'].to_numpy(float), losses, level, noise)
    return (high, high * high / low) if fallen is None or fallen > high / AT_THE_END else None


def ends_at_its_start(scan: pd.DataFrame, value_range: tuple[float, float]) -> bool:
    """Whether a scan diverged soon after its lowest rate; the arguments are those of :func:`look_elsewhere`."""
    return float(scan['lr'].iloc[-1]) < AT_THE_START * value_range[0]


def _opening(losses: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Level and noise of the losses before anything is learned."""
    before = losses[: max(SCAN_LOSSES, len(losses) // 4)]
    return float(np.median(before)), float(np.std(before))


def _first_spike(losses: npt.NDArray[np.float64], level: float, noise: float) -> int:
    """The index of the first spike after the opening, and where there is none, the number of losses."""
    means = np.convolve(losses, np.full(SCAN_LOSSES, 1 / SCAN_LOSSES), 'valid')
    best = np.minimum(np.minimum.accumulate(means), level)
    rise = losses[SCAN_LOSSES - 1 :] - level
    whole = LEAST_SPIKE * max(level - float(losses.min()), 0.0)
    spikes = np.flatnonzero(rise > np.maximum(np.maximum(SPIKE * noise, whole), level - best))
    return int(spikes[0]) + SCAN_LOSSES - 1 if len(spikes) else len(losses)


def _fallen(rates: npt.NDArray[np.float64], losses: npt.NDArray[np.float64], level: float, noise: float) -> float | None:
    """The rate at which four fifths of the fall have come; ``None`` where there is no more of it than noise."""
    smooth = smoothed(losses, SCAN_SMOOTHING)
    fall = level - float(smooth.min())
    if fall <= CLEAR * noise:
        return None
    return float(rates[int(np.argmax(smooth <= smooth.min() + (1 - ANCHOR) * fall))])


def ruined(scan: pd.DataFrame) -> float:
    """The share of wrong answers where a scan has ruined the model most: the worst mean of three; NaN where it is not known."""
    worst = (1 - scan[ACCURACY]).rolling(SCAN_LOSSES).mean().max()
    return float(worst)


def rate_of(step: int) -> float:
    """The rate of a step of the grid.

    >>> [round(rate_of(step), 4) for step in (-8, -6, -5, 0)]
    [0.01, 0.0316, 0.0562, 1.0]
    """
    return float(10.0 ** (step / STEPS))


def step_of(rate: float, apart: int = FINE) -> int:
    """The step of the grid that is nearest to a rate.

    Args:
        rate: Above 0.
        apart: The steps to choose from: every one, or every second one.

    >>> step_of(0.05), step_of(0.05, COARSE)
    (-5, -6)
    """
    return apart * round(STEPS * math.log10(rate) / apart)


def first_rates(anchor: float, bounds: tuple[float, float]) -> list[float]:
    """The rates of the first two trial cycles: a coarse step above where to look, and there.

    Args:
        anchor: Where to look.
        bounds: The lowest and the highest rate that may be tried.
    """
    there = step_of(anchor, COARSE)
    return _within([there + COARSE, there], bounds, [])


def rates_around(rate: float, bounds: tuple[float, float]) -> list[float]:
    """The rates of the first two trial cycles around what shorter ones speak for: there, and a fine step above.

    Args:
        rate: What they speak for.
        bounds: The lowest and the highest rate that may be tried.
    """
    there = step_of(rate)
    return _within([there, there + FINE], bounds, [])


def next_rate(
    trials: Sequence[Trial],
    start: Score,
    bounds: tuple[float, float],
    examples: int | None = None,
    known: bool = False,
    apart: int = COARSE,
    scan: pd.DataFrame | None = None,
) -> float | None:
    """The rate of the trial cycle that tells most after others.

    =======================================================  =================================
    what the trials say                                      what is tried next
    =======================================================  =================================
    all diverged                                             a step below the lowest
    all ended above where the scan was at their rates        two steps below the lowest, or one
    the highest rate still speeds learning up                two steps above it, or one
    all came to the same, as where a network collapses       two steps below the lowest, or one
    none learned, and no loss moved, or the highest rate     two steps above it, or one
    lost most
    none learned otherwise                                   two steps below the lowest, or one
    the best is the highest or the lowest                    a step beyond it
    the best has a gap beside it                             the middle of the gap
    =======================================================  =================================

    Args:
        trials: Those that have been run, one or more.
        start: The state that they all began with.
        bounds: The lowest and the highest rate that may be tried.
        examples: How many held-out examples there are.
        known: Whether the model had learned before, so that trials which teach it no more are no sign of a collapse.
        apart: The step between neighbours.
        scan: The curve of the scan, where trials are to be compared with it.

    Returns:
        A new rate within the bounds; ``None`` where the best rate is between others, or the bounds are reached.

    >>> start = Score(train=2.0, loss=2.0)
    >>> rising = [Trial(0.01, Score(1.9, 1.9)), Trial(0.0316, Score(0.9, 0.9)), Trial(0.1, Score(0.5, 0.5))]
    >>> round(next_rate(rising, start, (0.0, math.inf)), 3)
    0.316
    """
    wishes = _wishes(by_rate(trials), start, examples, known, apart, scan)
    return next(iter(_within(wishes, bounds, [trial.rate for trial in trials])), None)


def _within(steps: Sequence[int], bounds: tuple[float, float], tried: Sequence[float]) -> list[float]:
    """The rates of steps, those beyond a bound moved to it; each once, and none that has been tried."""
    low, high = bounds
    return [rate for rate in dict.fromkeys(min(max(rate_of(step), low), high) for step in steps) if rate not in tried]


def _wishes(
    trials: Sequence[Trial], start: Score, examples: int | None, known: bool, apart: int, scan: pd.DataFrame | None
) -> list[int]:
    """Steps that would tell most, the best first, whether they may be tried or not."""
    steps = [step_of(trial.rate) for trial in trials]
    lower, higher = steps[0] - apart, steps[-1] + apart
    scores = scores_of(trials)
    found = verdict(trials, start, examples=examples)
    if found is None:
        return [lower]
    if not known and scan is not None and all(overtaxed(trial, scan) for trial in trials if trial.score.sound):
        return [lower - apart, lower]
    if speeding_up(scores, start):
        return [higher + apart, higher]
    if not known and alike(scores, start):
        return [lower - apart, lower]
    if not known and not knows_more(scores, start, examples):
        up = not any(moved(score, start) for score in scores) or _highest_lost_most(scores, start)
        return [higher + apart, higher] if up else [lower - apart, lower]
    best = trials.index(found.best)
    return [higher] * (best == len(trials) - 1) + [lower] * (best == 0) + _gaps(steps, best, apart)


def overtaxed(trial: Trial, scan: pd.DataFrame) -> bool:
    """Whether a trial ended surely above where the scan was when it passed its rate.

    The trial stayed there for longer, and came from rates that were hardly lower: it has learned more, unless the rate is one
    that a network survives for a moment and not in a cycle.

    Args:
        trial: A sound one.
        scan: The curve of the scan; nothing is overtaxed at rates that it did not come to.
    """
    rates, losses = scan['lr'].to_numpy(float), scan[LOSS].to_numpy(float)
    place = int(np.searchsorted(rates, trial.rate))
    if place >= len(rates):
        return False
    _, noise = _opening(losses)
    passing = float(np.mean(losses[max(0, place - 1) : place + 2]))
    return trial.score.train - passing > SURE * math.hypot(trial.score.noise, noise / math.sqrt(SCAN_LOSSES))


def speeding_up(scores: Sequence[Score], start: Score) -> bool:
    """Whether learning still speeds up at the highest rate.

    Args:
        scores: In the order of their rates.
        start: The state that they all began with.
    """
    if len(scores) < 2 or not (scores[-1].sound and scores[-2].sound):
        return False
    next_one, highest = scores[-2:]
    return (
        loses_less(highest, next_one)
        and gains(highest, start)
        and start.loss - highest.loss > SPEEDING_UP * (start.loss - next_one.loss)
    )


def _highest_lost_most(scores: Sequence[Score], start: Score) -> bool:
    """Whether the losses are lowest at the highest rate: then nothing speaks against higher ones."""
    highest = scores[-1]
    return highest.sound and gains(highest, start) and all(loses_less(highest, other) for other in sound(scores[:-1]))


def _gaps(steps: Sequence[int], best: int, apart: int) -> list[int]:
    """The middles of the gaps above and below the best step, where those are wider than the grid's."""
    gaps = [(low, high) for low, high in pairwise(steps) if steps[best] in (low, high) and high - low > apart]
    return [apart * round((low + high) / 2 / apart) for low, high in reversed(gaps)]
