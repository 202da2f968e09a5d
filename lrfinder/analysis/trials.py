"""Weighs trial runs: short cycles at candidate rates, each from the same state, and what they say of longer training.

A ramp alone does not settle the maximum of a cycle: what it survives for a moment is more than what a cycle can stand, and
a loss that falls does not tell whether what is learned holds. So a few short cycles are run, their maxima a factor apart.
Three things count, each read by a short function below:

* how good the model is on held-out data after the cycle (:func:`held_out_regrets`);
* whether a higher rate was no faster on the training data: then it is past what the network can stand (:func:`fastest`);
* where a run three times as long would get to. Small steps add up: as long as the training is stable, a cycle at three times
  the rate gets about as far as one three times as long. So a trial foretells the overfitting of longer runs at the rate below
  (:func:`look_ahead`).

Between the trials' rates both losses are taken to change evenly with the logarithm of the rate, so that the answer does not
jump with the rates that happen to be tried. :func:`verdict` weighs all rates from the lowest to the highest trial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The maxima of neighbouring trials are so far apart: two to a decade.
FACTOR = math.sqrt(10)
# Rates that are weighed from one trial's to that of a neighbour.
POINTS = 12
# Training losses closer than these shares of the whole fall are the same: for being faster, and for being slower.
FASTER = 0.02
SLOWER = 0.1
# Losses that differ by no more than this share of them are the same.
SAME = 0.05
# How fast the weight of a rate goes down as it falls behind the best, as a share of what sets the rates around that apart.
TEMPERATURE = 0.15
# Those rates: up to so many times the best one above and below it.
AROUND = FACTOR**3
# The weight of a rate that is judged by what a higher one foretells, where one that is judged by itself has 1: exp(-1).
LOOK_AHEAD_WEIGHT = 0.37
# Rates that are less apart than this, as a share of the whole improvement, are weighed as if they were: shares of wrong
# answers are coarse, a loss alone is not.
LEAST = 0.1
LEAST_ALONE = 0.01
# A trial with less than this share of the best one's weight is none of the good ones.
GOOD = 0.1
# A training is longer than a trial, and what a trial stands may break it later: the share of the weighed rate that it gets.
TRUST = 0.8
# The model has learned when its share of wrong answers has fallen by so many standard deviations, and by so much, or when its
# loss has fallen by such a share: a larger one where there are answers to go by.
SURE = 2.5
LEAST_ERROR_FALL = 0.02
LEAST_FALL = 0.5
LEAST_FALL_ALONE = 0.1
# So few held-out examples can't show that nothing was learned; then the training loss has to.
FEW = 100
# Below this fall the trial cycles were too short to tell rates apart well.
WEAK_FALL = 0.3
# Resampled verdicts for the spread, and the percentiles that it spans.
RESAMPLES = 200
PERCENTILES = (10, 90)


@dataclass(frozen=True)
class Score:
    """What a run came to, or the state that it began with.

    Attributes:
        train: Training loss: the mean over the last third of the run.
        loss: Loss on held-out data after the run; the training loss where there is none.
        error: Share of wrong answers on held-out data, 0 to 1; NaN where it is not known.
        noise: Standard error of ``train``.
        wrong: Share of wrong answers on the training data, over the last tenth of the run; NaN where it is not known.
    """

    train: float
    loss: float
    error: float = math.nan
    noise: float = 0.0
    wrong: float = math.nan

    @property
    def sound(self) -> bool:
        return math.isfinite(self.train) and math.isfinite(self.loss)


# What a run that broke came to.
DIVERGED = Score(math.inf, math.inf)


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
    ordered = sorted(trials, key=lambda trial: trial.rate)
    scores = [trial.score for trial in ordered]
    if not any(score.sound for score in scores):
        return None
    tried = np.log([trial.rate for trial in ordered])
    logs, plain, weights = _weighed(tried, scores, start)
    sound = np.array([score.sound for score in scores])
    plain, at_trials = (sound * np.interp(tried, logs, values) for values in (plain, weights))
    good = np.flatnonzero(plain > GOOD * plain.max())
    return Verdict(
        rate=TRUST * float(np.exp(np.sum(weights * logs) / np.sum(weights))),
        best=ordered[int(np.argmax(at_trials))],
        weights=at_trials,
        lowest=0 in good,
        highest=len(ordered) - 1 in good,
    )


def _weighed(tried: Floats, scores: Sequence[Score], start: Score) -> tuple[Floats, Floats, Floats]:
    """Logarithms of rates from the lowest to the highest tried, and their weights, without and with regard to hearsay."""
    logs = np.linspace(tried[0], tried[-1], 1 + round(POINTS * (tried[-1] - tried[0]) / math.log(FACTOR)))
    behind = np.interp(logs, tried, np.minimum(held_out_regrets(scores, start), 1.0))
    slower = np.interp(logs, tried, np.minimum(training_regrets(scores, start), 1.0))
    quicker = faster_above(logs, slower)
    apart = _apart(logs, behind, LEAST_ALONE if _by_loss_alone(scores, start) else LEAST)
    plain = _weights(look_ahead(logs, behind, quicker), slower, apart)
    return logs, plain, np.where(quicker, LOOK_AHEAD_WEIGHT, 1.0) * plain


def held_out_regrets(scores: Sequence[Score], start: Score) -> Floats:
    """How far each run stays behind the best on held-out data: 0 for the best, 1 for no improvement over the start.

    The mean of the held_out_regrets in loss and in error where both are known. A loss alone rates a network as overfitted that is
    only too sure of itself; an error alone is too coarse early in the training.
    """
    by_loss = _regrets(np.array([score.loss for score in scores]), start.loss)
    if _by_loss_alone(scores, start):
        return by_loss
    by_error = _regrets(np.array([score.error for score in scores]), start.error)
    return np.where([score.sound for score in scores], (by_loss + by_error) / 2, np.inf)


def training_regrets(scores: Sequence[Score], start: Score) -> Floats:
    """How far each run stays behind the fastest on the training data, like :func:`held_out_regrets`."""
    return _regrets(np.array([score.train for score in scores]), start.train)


def faster_above(logs: Floats, slower: Floats) -> npt.NDArray[np.bool_]:
    """Whether a rate that is :data:`FACTOR` times as high is faster on the training data, for each rate.

    Args:
        logs: Shape (n,), logarithms of rates, ascending.
        slower: Shape (n,), :func:`training_regrets` at them.
    """
    return _above(logs, slower) < slower - FASTER


def look_ahead(logs: Floats, behind: Floats, quicker: npt.NDArray[np.bool_]) -> Floats:
    """The held_out_regrets of longer runs: where a higher rate is faster, its shortfall is what this rate gets to later.

    Args:
        logs: Shape (n,), logarithms of rates, ascending.
        behind: Shape (n,), :func:`held_out_regrets` at them.
        quicker: Shape (n,), :func:`faster_above` for them.
    """
    return np.where(quicker, _above(logs, behind), behind)


def fastest(slower: Floats) -> int:
    """The index of the highest rate that is still among the fastest on the training data."""
    return int(np.flatnonzero(slower <= slower.min() + SLOWER)[-1])


def _above(logs: Floats, values: Floats) -> Floats:
    """The values at rates that are :data:`FACTOR` times as high; infinite where that is beyond the last."""
    return np.interp(logs + math.log(FACTOR) - 1e-9, logs, values, right=np.inf)


def _apart(logs: Floats, behind: Floats, least: float) -> float:
    """What sets the rates around the best one apart."""
    around = np.abs(logs - logs[int(np.argmin(behind))]) <= math.log(AROUND) + 1e-9
    return max(float(np.median(behind[around])), least)


def _weights(later: Floats, slower: Floats, apart: float) -> Floats:
    """The better a rate, the more: none beyond the fastest."""
    within = np.arange(len(later)) <= fastest(slower)
    return np.where(within, np.exp(-(later - later[within].min()) / (TEMPERATURE * apart)), 0.0)


def _by_loss_alone(scores: Sequence[Score], start: Score) -> bool:
    return not all(math.isfinite(score.error) for score in (start, *(score for score in scores if score.sound)))


def _regrets(values: Floats, start: float) -> Floats:
    """How far values stay behind the lowest, as a share of the fall from the start; infinite for what is not finite."""
    finite = np.isfinite(values)
    best = float(np.min(values[finite])) if finite.any() else 0.0
    fall = max(start - best, 1e-12 * max(abs(start), abs(best)), 1e-300) if math.isfinite(start) else max(abs(best), 1e-300)
    return np.where(finite, (np.where(finite, values, best) - best) / fall, np.inf)


def learned(trials: Sequence[Trial], start: Score, examples: int | None = None) -> bool:
    """Whether any run made the model better on held-out data, and not just less sure of what it does not know.

    Args:
        trials: The runs.
        start: The state that they all began with.
        examples: How many held-out examples there are.
    """
    scores = _sound(trials)
    if _few(examples):
        return any(start.train - score.train > LEAST_FALL_ALONE * abs(start.train) for score in scores)
    return any(_answers_better(score, start, examples) or _loses_less(score, start) for score in scores)


def knows_more(trials: Sequence[Trial], start: Score, examples: int | None = None) -> bool:
    """Whether any run gives more right answers than the start did; where answers are not known, whether any learned.

    A loss that falls is not enough, unlike in :func:`learned`. On features as they are, the loss of the first state may be far
    above that of chance, and falls to it at rates at which the network dies. Of few held-out examples, what always gives the
    same answer may get many more right than the start did; then half of the wrong answers on the training data have to go,
    where those are known.
    """
    scores = _sound(trials)
    if not scores or _by_loss_alone(scores, start):
        return learned(trials, start, examples)
    if _few(examples) and math.isfinite(start.wrong):
        return any(_trains_better(score, start) for score in scores)
    return any(_answers_better(score, start, examples) for score in scores)


def _sound(trials: Sequence[Trial]) -> list[Score]:
    return [trial.score for trial in trials if trial.score.sound]


def _few(examples: int | None) -> bool:
    return examples is not None and examples < FEW


def _trains_better(score: Score, start: Score) -> bool:
    return start.wrong - score.wrong > LEAST_FALL * start.wrong


def _answers_better(score: Score, start: Score, examples: int | None) -> bool:
    chance = (score.error + start.error) / 2
    deviation = math.sqrt(2 * chance * (1 - chance) / (examples or math.inf)) if chance == chance else math.inf
    return start.error - score.error > max(SURE * deviation, LEAST_ERROR_FALL)


def _loses_less(score: Score, start: Score) -> bool:
    # With random labels, too, the loss falls: from that of a network that is sure of itself to that of one that is not.
    least = LEAST_FALL_ALONE if math.isnan(score.error) else LEAST_FALL
    return start.loss - score.loss > least * abs(start.loss)


def promising(trials: Sequence[Trial], start: Score) -> bool:
    """Whether a far higher rate may do far better: little was learned so far, and the highest rate is clearly the fastest."""
    ordered = sorted(trials, key=lambda trial: trial.rate)
    scores = [trial.score for trial in ordered]
    slower, highest = training_regrets(scores, start), scores[-1]
    little = start.loss - min(score.loss for score in scores) < WEAK_FALL * abs(start.loss)
    better = highest.loss < start.loss and highest.train < start.train
    return little and better and len(scores) > 1 and bool(slower[-1] < slower[:-1].min() - FASTER)


def alike(trials: Sequence[Trial]) -> bool:
    """Whether the losses of all sound runs came to the same whatever their rate, as they do when a network dies at each."""
    scores = _sound(trials)
    losses = [value for score in scores for value in (score.train, score.loss)]
    return len(scores) > 1 and max(losses) - min(losses) <= SAME * max(map(abs, losses))


def reason(trials: Sequence[Trial], found: Verdict) -> str:
    """Why the rate of a verdict, in words."""
    outcomes = '; '.join(f'{trial.rate:.2g}: {_outcome(trial.score)}' for trial in sorted(trials, key=lambda one: one.rate))
    return (
        f'{TRUST:g} of {found.rate / TRUST:.3g}, as a training is longer than a trial; '
        f'{len(trials)} trial cycles speak for that, by their highest rate: {outcomes}'
    )


def warnings(trials: Sequence[Trial], found: Verdict, start: Score) -> list[str]:
    """Where a verdict is weak, and what to do about it."""
    texts = []
    if start.loss - found.best.score.loss < WEAK_FALL * abs(start.loss):
        texts.append('the trial cycles learned little, so that they tell rates apart poorly: try several seeds')
    rates = [trial.rate for trial in trials]
    if found.best.rate == min(rates) < max(rates):
        texts.append('the lowest rate tried was the best: lower ones may do better')
    if found.best.rate == max(rates) > min(rates):
        texts.append('the highest rate tried was the best: higher ones may do better')
    return texts


def _outcome(score: Score) -> str:
    if not score.sound:
        return 'broke'
    error = f', {100 * score.error:.3g}% wrong' if math.isfinite(score.error) else ''
    return f'loss {score.loss:.3g}{error}'


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
