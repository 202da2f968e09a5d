"""Weighs trials: short cycles at candidate rates, each from the same state, and what they say of longer training.

A ramp alone does not settle the maximum of a cycle: what it survives for a moment is more than what a cycle can stand, and
a loss that falls does not tell whether what is learned holds. So a few short cycles are run, their maxima a factor apart.
Three things count, each read by a short function below:

* how good the model is on held-out data after the cycle (:func:`held_out_regrets`);
* whether a higher rate was no faster on the training data: then it is past what the network can stand (:func:`fastest`);
* where a run three times as long would get to. Small steps add up: as long as the training is stable, a cycle at three times
  the rate gets about as far as one three times as long. So a trial looks ahead for the rate below it: it shows the
  overfitting of longer runs there (:func:`look_ahead`).

Between the trials' rates both regrets are taken to change evenly with the logarithm of the rate, so that the answer does not
jump with the rates that happen to be tried. :func:`verdict` weighs all rates from the lowest to the highest trial.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lrfinder.analysis.learning import Score, by_loss_alone, learned_little

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The maxima of neighbouring trials are so far apart: two to a decade.
FACTOR = math.sqrt(10)
# Rates that are weighed from one trial's to that of a neighbour.
RATES_BETWEEN = 12
# Training regrets closer than these are the same: for being faster, and for being slower.
FASTER = 0.02
SLOWER = 0.1
# How fast the weight of a rate goes down with its regret, as a share of what sets the rates around apart.
TEMPERATURE = 0.15
# Those rates: up to so many times the best one above and below it.
AROUND = FACTOR**3
# The weight of a rate that is judged by looking ahead, where one that is judged by itself has 1: exp(-1).
LOOK_AHEAD_WEIGHT = 0.37
# Rates that are less apart than this, as a share of the whole improvement, are weighed as if they were: shares of wrong
# answers are coarse, a loss alone is not.
LEAST_APART = 0.1
LEAST_APART_BY_LOSS = 0.01
# A trial with less than this share of the best one's weight is none of the good ones.
GOOD = 0.1
# A training is longer than a trial, and what a trial stands may break it later: the share of the weighed rate that it gets.
TRAINING_SHARE = 0.8
# Resampled verdicts for the spread, and the percentiles that it spans.
RESAMPLES = 200
PERCENTILES = (10, 90)


@dataclass(frozen=True)
class Trial:
    """A short cycle: its highest rate, and what it came to."""

    rate: float
    score: Score


@dataclass(frozen=True)
class Verdict:
    """The rate that the trials speak for.

    Attributes:
        rate: The highest rate of a cycle: between the trials' rates, or a little below the lowest.
        best: The trial with the most weight.
        weights: Shape (trials,), the weights at their rates in ascending order; at most 1.
        lowest: Whether the lowest trial is among the good ones, so that a lower one may be better still.
        highest: The same for the highest.
    """

    rate: float
    best: Trial
    weights: Floats
    lowest: bool
    highest: bool


def by_rate(trials: Iterable[Trial]) -> list[Trial]:
    """The trials in ascending order of their rates."""
    return sorted(trials, key=lambda trial: trial.rate)


def scores_of(trials: Iterable[Trial]) -> list[Score]:
    """What the trials came to."""
    return [trial.score for trial in trials]


def verdict(trials: Sequence[Trial], start: Score) -> Verdict | None:
    """Weighs trials against each other.

    Args:
        trials: In any order, of different rates.
        start: The state that they all began with.

    Returns:
        The verdict; ``None`` where no trial is sound.

    >>> start = Score(train=2.0, loss=2.0)
    >>> runs = [Trial(0.1, Score(1.0, 1.0)), Trial(0.3, Score(0.5, 0.5)), Trial(0.9, Score(1.9, 1.9))]
    >>> found = verdict(runs, start)
    >>> 0.08 < found.rate <= 0.24
    True
    """
    ordered = by_rate(trials)
    scores = scores_of(ordered)
    if not any(score.sound for score in scores):
        return None
    tried = np.log([trial.rate for trial in ordered])
    logs, plain, weights = _weighed(tried, scores, start)
    sound = np.array([score.sound for score in scores])
    plain, at_trials = (sound * np.interp(tried, logs, values) for values in (plain, weights))
    good = np.flatnonzero(plain > GOOD * plain.max())
    return Verdict(
        rate=TRAINING_SHARE * float(np.exp(np.sum(weights * logs) / np.sum(weights))),
        best=ordered[int(np.argmax(at_trials))],
        weights=at_trials,
        lowest=0 in good,
        highest=len(ordered) - 1 in good,
    )


def _weighed(tried: Floats, scores: Sequence[Score], start: Score) -> tuple[Floats, Floats, Floats]:
    """Logarithms of rates from the lowest to the highest tried, and their weights, without and with regard to looking ahead."""
    logs = np.linspace(tried[0], tried[-1], 1 + round(RATES_BETWEEN * (tried[-1] - tried[0]) / math.log(FACTOR)))
    held_out = np.interp(logs, tried, np.minimum(held_out_regrets(scores, start), 1.0))
    training = np.interp(logs, tried, np.minimum(training_regrets(scores, start), 1.0))
    speeding_up = faster_above(logs, training)
    apart = _apart(logs, held_out, LEAST_APART_BY_LOSS if by_loss_alone(scores, start) else LEAST_APART)
    plain = _weights(look_ahead(logs, held_out, speeding_up), training, apart)
    return logs, plain, np.where(speeding_up, LOOK_AHEAD_WEIGHT, 1.0) * plain


def held_out_regrets(scores: Sequence[Score], start: Score) -> Floats:
    """How far each run falls short of the best on held-out data: 0 for the best, 1 for no improvement over the start.

    The mean of the regrets in loss and in error where both are known. A loss alone rates a network as overfitted that is
    only too sure of itself; an error alone is too coarse early in the training.
    """
    by_loss = _regrets(np.array([score.loss for score in scores]), start.loss)
    if by_loss_alone(scores, start):
        return by_loss
    by_error = _regrets(np.array([score.error for score in scores]), start.error)
    return np.where([score.sound for score in scores], (by_loss + by_error) / 2, np.inf)


def training_regrets(scores: Sequence[Score], start: Score) -> Floats:
    """How far each run falls short of the fastest on the training data, like :func:`held_out_regrets`."""
    return _regrets(np.array([score.train for score in scores]), start.train)


def faster_above(logs: Floats, training: Floats) -> npt.NDArray[np.bool_]:
    """Whether a rate that is :data:`FACTOR` times as high is faster on the training data, for each rate.

    Args:
        logs: Shape (n,), logarithms of rates, ascending.
        training: Shape (n,), :func:`training_regrets` at them.
    """
    return _above(logs, training) < training - FASTER


def look_ahead(logs: Floats, held_out: Floats, speeding_up: npt.NDArray[np.bool_]) -> Floats:
    """The regrets of longer runs: where a higher rate is faster, its regret is what this rate gets to later.

    Args:
        logs: Shape (n,), logarithms of rates, ascending.
        held_out: Shape (n,), :func:`held_out_regrets` at them.
        speeding_up: Shape (n,), :func:`faster_above` for them.
    """
    return np.where(speeding_up, _above(logs, held_out), held_out)


def fastest(training: Floats) -> int:
    """The index of the highest rate that is still among the fastest on the training data."""
    return int(np.flatnonzero(training <= training.min() + SLOWER)[-1])


def promising(trials: Sequence[Trial], start: Score) -> bool:
    """Whether a far higher rate may do far better: little was learned so far, and the highest rate is clearly the fastest."""
    scores = scores_of(by_rate(trials))
    training, highest = training_regrets(scores, start), scores[-1]
    little = learned_little(min(score.loss for score in scores), start)
    better = highest.loss < start.loss and highest.train < start.train
    return little and better and len(scores) > 1 and bool(training[-1] < training[:-1].min() - FASTER)


def _above(logs: Floats, values: Floats) -> Floats:
    """The values at rates that are :data:`FACTOR` times as high; infinite where that is beyond the last."""
    return np.interp(logs + math.log(FACTOR) - 1e-9, logs, values, right=np.inf)


def _apart(logs: Floats, held_out: Floats, least: float) -> float:
    """What sets the rates around the best one apart."""
    around = np.abs(logs - logs[int(np.argmin(held_out))]) <= math.log(AROUND) + 1e-9
    return max(float(np.median(held_out[around])), least)


def _weights(later: Floats, training: Floats, apart: float) -> Floats:
    """The less a rate's regret, the more: none beyond the fastest."""
    within = np.arange(len(later)) <= fastest(training)
    return np.where(within, np.exp(-(later - later[within].min()) / (TEMPERATURE * apart)), 0.0)


def _regrets(values: Floats, start: float) -> Floats:
    """How far values fall short of the lowest, as a share of the fall from the start; infinite for what is not finite."""
    finite = np.isfinite(values)
    best = float(np.min(values[finite])) if finite.any() else 0.0
    fall = max(start - best, 1e-12 * max(abs(start), abs(best)), 1e-300) if math.isfinite(start) else max(abs(best), 1e-300)
    return np.where(finite, (np.where(finite, values, best) - best) / fall, np.inf)


# In words


def reason(trials: Sequence[Trial], found: Verdict) -> str:
    """Why the rate of a verdict, in words."""
    return (
        f'{TRAINING_SHARE:g} of {found.rate / TRAINING_SHARE:.3g}, as a training is longer than a trial; '
        f'{len(trials)} trial cycles speak for that, by their highest rate: {outcomes(trials)}'
    )


def outcomes(trials: Sequence[Trial]) -> str:
    """What came of each trial, in words."""
    return '; '.join(f'{trial.rate:.2g}: {_outcome(trial.score)}' for trial in by_rate(trials))


def warnings(trials: Sequence[Trial], found: Verdict, start: Score) -> list[str]:
    """Where a verdict is weak, and what to do about it."""
    texts = []
    if learned_little(found.best.score.loss, start):
        texts.append(
            'the trial cycles learned little, so they tell rates apart poorly: try several seeds (--seeds, lrfinder.find_seeds)'
        )
    rates = [trial.rate for trial in trials]
    if found.best.rate == min(rates) < max(rates):
        texts.append('the lowest rate tried was the best: lower ones may do better')
    if found.best.rate == max(rates) > min(rates):
        texts.append('the highest rate tried was the best: higher ones may do better')
    return texts


def _outcome(score: Score) -> str:
    if not score.sound:
        return 'diverged'
    error = f', {100 * score.error:.3g}% wrong' if math.isfinite(score.error) else ''
    return f'loss {score.loss:.3g}{error}'


# How sure


def spread(trials: Sequence[Trial], start: Score) -> tuple[float, float]:
    """Between which rates the verdict stays when the losses are drawn again with their noise.

    Returns:
        The 10th and the 90th percentile of the rate over resampled verdicts.
    """
    random = np.random.default_rng(0)  # the same answer for the same runs
    drawn = [verdict([_redrawn(trial, random) for trial in trials], start) for _ in range(RESAMPLES)]
    rates = [found.rate for found in drawn if found is not None]
    low, high = np.percentile(rates, PERCENTILES)
    return float(low), float(high)


def _redrawn(trial: Trial, random: np.random.Generator) -> Trial:
    score = trial.score
    shifts = random.normal(0.0, score.noise if math.isfinite(score.noise) else 0.0, size=2)
    return Trial(trial.rate, Score(score.train + shifts[0], score.loss + shifts[1], score.error, score.noise))
