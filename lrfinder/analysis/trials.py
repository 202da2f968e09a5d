"""Weighs trials: short cycles at candidate rates, each from the same state, and what they say of a training.

A ramp alone does not settle the maximum of a cycle: what it survives for a moment is more than what a cycle can stand, and
a loss that falls does not tell whether what is learned holds. So a few short cycles are run, and what counts is how good the
model is on held-out data after each of them. The whole rule:

* A trial's *shortfall* is how far it stays behind the best trial, as a share of what that one has gained: 0 for the best, 1 for
  no gain. Between the trials it changes evenly with the logarithm of the rate (:func:`shortfalls`).
* What a trial stands may break a longer run, and what is good for one initialization may be too much for another. So the *cost*
  of a rate is the mean shortfall of the rates from itself up to :data:`FORESIGHT` above (:func:`costs`).
* The answer is the mean of all rates on the logarithmic scale, each weighed by exp(-cost): not the best rate, which may have
  been lucky, but the middle of the good ones (:func:`verdict`). Costs tell rates apart the less, the fewer held-out examples
  there are (:func:`sampling_error`).
* A training is longer than a trial, and in time it gets to where a trial at a higher rate is already. That is no harm as long
  as higher rates are better. But where they learn the training data ever faster and other data ever worse, a training that is q
  times as long passes the best trial's state at a q-th of its rate. The answer is lowered by q where that is clear, and by less
  where it is not: the farther the rate that learns the training data fastest is above the one that is best on held-out data
  (:func:`apart`), and the more of what the trials saw they had seen before (:func:`seen_again`), the clearer
  (:func:`lowering`).

What each of the numbers is worth: ``python -m benchmarks.rules``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lrfinder._names import counted
from lrfinder.analysis.learning import Score, by_loss_alone, few, learned_little, lost

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Steps of the grid of rates in a decade; the maxima of neighbouring trials are two steps apart, and one in the end.
STEPS = 4
# Rates that are weighed from one step of the grid to the next.
RATES_BETWEEN = 6
# The weight of a rate is down to 1 / e where its cost is above the least by this share of the median of all costs.
TEMPERATURE = 0.2
# Costs that are closer than this are the same.
LEAST_COST = 0.001
# How far above a rate its cost looks, in decades.
FORESIGHT = 0.35
# How many updates a training takes, where that is not known.
USUAL_LENGTH = 360
# How far above the rate that is best on held-out data the fastest one is anyway, and from where on a longer training is sure to
# overfit, in decades. Trials tell nothing of a training that is more than so many times as long.
ANYWAY, CLEAR = 1 / STEPS, 2 / STEPS
FARTHEST = 100.0
# A training that is more than so many times as long as the trials is far longer than those that the range was tested on, which
# is said then. An answer that is as many times lower than what the trials speak for is warned of.
FAR = 10.0
# Another test, with other weights and batches, answers otherwise: by the spread of the weights, and by a standard deviation of
# so many decades more. So many standard deviations to each side hold eight of ten answers.
BETWEEN_TESTS = 0.175
EIGHT_OF_TEN = 1.2816
# So much nearer or farther apart may the best and the fastest rate be in another test: both vary.
APART_BY_CHANCE = EIGHT_OF_TEN * math.sqrt(2) * BETWEEN_TESTS
# What is lost within the band, of all answers; of what was gained, where answers are not known.
BAND = 0.01


@dataclass(frozen=True)
class Trial:
    """A short cycle.

    Attributes:
        rate: Its highest rate.
        score: What it came to.
        updates: Its length.
    """

    rate: float
    score: Score
    updates: int = 0


@dataclass(frozen=True)
class Verdict:
    """What trials speak for.

    Attributes:
        rate: The highest rate of a cycle: between those of the trials, or below where a training overfits.
        best: The trial with the most weight.
        weights: Shape (trials,), the weights at their rates in ascending order; at most 1.
        interval: The rates between which the answer of another test is expected in eight of ten cases.
        band: The rates that are expected to lose no more than a point of the answers to the best one, for a run as long as
            the trials.
        variance: How widely the weights are spread, those of the shorter trials before them included, in decades squared.
        apart: How far the rate that learns the training data fastest is above the one that is best on held-out data (decades).
        lowered: By how much the rates were divided, for a longer training that overfits.
    """

    rate: float
    best: Trial
    weights: Floats
    interval: tuple[float, float]
    band: tuple[float, float]
    variance: float = 0.0
    apart: float = 0.0
    lowered: float = 1.0


def by_rate(trials: Iterable[Trial]) -> list[Trial]:
    """The trials in ascending order of their rates."""
    return sorted(trials, key=lambda trial: trial.rate)


def scores_of(trials: Iterable[Trial]) -> list[Score]:
    """What the trials came to."""
    return [trial.score for trial in trials]


def times_as_long(length: int | None, updates: int) -> float:
    """How many times as long as a trial a training is.

    Args:
        length: The updates of the training; ``None`` where they are not known.
        updates: Those of a trial.

    >>> times_as_long(900, 90), times_as_long(9, 90), times_as_long(None, 90)
    (10.0, 1.0, 4.0)
    """
    return max(1.0, (USUAL_LENGTH if length is None else length) / updates)


def beyond(length: int | None, updates: int) -> dict[str, str]:
    """That trials do not show what comes in a training far longer than they are, as a reason by its name; nothing otherwise.

    Args:
        length: As for :func:`times_as_long`.
        updates: Those of a trial.

    >>> beyond(900, 90), list(beyond(6000, 90))
    ({}, ['length'])
    """
    times = times_as_long(length, updates)
    if times <= FAR:
        return {}
    text = (
        f'the training is {times:.3g} times as long as the trials of {counted(updates, "update")}, which do not show what comes'
    )
    return {'length': f'{text} later: a larger budget makes them longer (--budget, budget=)'}


def seen_again(epochs: float | None) -> float:
    """The share of what a run of so many epochs sees that it has seen before: nothing else can be learned by heart.

    Args:
        epochs: Its passes over the training data; ``None`` where they are not known, which counts as none.

    >>> seen_again(0.5), seen_again(4.0), seen_again(None)
    (0.0, 0.75, 0.0)
    """
    return 0.0 if epochs is None or epochs <= 1 else 1 - 1 / epochs


def verdict(
    trials: Sequence[Trial],
    start: Score,
    longer: float = 1.0,
    before: Verdict | None = None,
    *,
    again: float = 1.0,
    examples: int | None = None,
) -> Verdict | None:
    """Weighs trials against each other.

    Args:
        trials: In any order, of different rates and the same length.
        start: The state that they all began with.
        longer: How many times as long as they are the training is, 1 or more: :func:`times_as_long`.
        before: What shorter trials spoke for. They have decided where these lie, and their rates reach farther.
        again: Which share of what they saw they had seen before: :func:`seen_again`.
        examples: How many held-out examples they were judged by; ``None`` where that is not known.

    Returns:
        The verdict; ``None`` where no trial is sound.

    >>> start = Score(train=2.0, loss=2.0)
    >>> runs = [Trial(0.1, Score(1.0, 1.0)), Trial(0.3, Score(0.5, 0.5)), Trial(0.9, Score(1.9, 1.9))]
    >>> found = verdict(runs, start)
    >>> 0.1 < found.rate < 0.4
    True
    """
    ordered = by_rate(trials)
    scores = scores_of(ordered)
    sound = np.array([score.sound for score in scores])
    if not sound.any():
        return None
    tried = np.log10([trial.rate for trial in ordered])
    logs = _between(tried)
    known = np.interp(logs, tried, sound.astype(float)) > 1 - 1e-9  # not on the way to a rate that diverged
    behind, held_out, training = (
        np.interp(logs, tried, np.minimum(shortfall, 1.0))
        for shortfall in (shortfalls(scores, start), *_by_one_measure(scores, start, examples))
    )
    weights = _weights(costs(logs, behind, FORESIGHT), known, sampling_error(scores, start, examples))
    answer = float(np.sum(weights * logs) / np.sum(weights))
    variance = float(np.sum(weights * (logs - answer) ** 2) / np.sum(weights)) + (before.variance if before else 0.0)
    low, high = _band(logs, np.where(known, np.interp(logs, tried, _lost(scores, start)), np.inf), answer)
    decades = max(before.apart if before else 0.0, apart(logs, held_out, training, known))
    lower, less, more = (lowering(decades + doubt, longer, again) for doubt in (0.0, -APART_BY_CHANCE, APART_BY_CHANCE))
    reach = EIGHT_OF_TEN * math.sqrt(variance + BETWEEN_TESTS**2)
    at_trials = np.interp(tried, logs, weights)
    return Verdict(
        rate=_power(answer - lower),
        best=ordered[int(np.argmax(at_trials))],
        weights=at_trials,
        interval=(
            _power(answer - lower - math.hypot(reach, more - lower)),
            _power(answer - lower + math.hypot(reach, lower - less)),
        ),
        band=(_power(low - lower), _power(high - lower)),
        variance=variance,
        apart=decades,
        lowered=_power(lower),
    )


def apart(logs: Floats, held_out: Floats, training: Floats, known: npt.NDArray[np.bool_]) -> float:
    """How far the rate that is fastest on the training data is above that which is best on held-out data, in decades.

    Args:
        logs: Shape (n,), logarithms of rates, ascending.
        held_out: Shape (n,), how far those rates fall short on held-out data: by answers where those are known, or by loss.
        training: Shape (n,), the same on the training data.
        known: Shape (n,), which rates count.

    >>> logs, all_of_them = np.array([0.0, 0.5, 1.0]), np.ones(3, bool)
    >>> round(apart(logs, np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0]), all_of_them), 2)
    0.98
    >>> apart(logs, np.array([1.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0]), all_of_them)
    0.0
    """
    best, fastest = (np.average(logs, weights=_weights(behind, known)) for behind in (held_out, training))
    return float(fastest - best)


def lowering(decades: float, longer: float, again: float = 1.0) -> float:
    """By how many decades the rates are lowered, for a training that overfits in time.

    Args:
        decades: How far :func:`apart` the fastest and the best rate are: the farther, the surer it is that it does.
        longer: How many times as long as the trials the training is, 1 or more.
        again: Which share of what the trials saw they had seen before: :func:`seen_again`.

    >>> [lowering(decades, longer=10) for decades in (0.1, 0.375, 0.9)]
    [0.0, 0.5, 1.0]
    >>> lowering(0.9, longer=10, again=0.5)
    0.5
    """
    sure = float(np.interp(decades, [ANYWAY, CLEAR], [0.0, 1.0]))
    return again * sure * math.log10(min(longer, FARTHEST))


def sampling_error(scores: Sequence[Score], start: Score, examples: int | None) -> float:
    """The standard error of the best share of wrong answers, as a share of what was gained; 0 where answers tell nothing.

    That of a binomial share, with one right and one wrong answer more than there were (Laplace's rule of succession: of few
    examples all may be right by chance).

    >>> round(sampling_error([Score(0.5, 0.5, error=0.1)], Score(2.0, 2.0, error=0.9), 98), 3)
    0.039
    """
    if examples is None or by_loss_alone(scores, start):
        return 0.0
    best = min(score.error for score in scores if score.sound)
    if best >= start.error:
        return 0.0
    share = (best * examples + 1) / (examples + 2)
    return math.sqrt(share * (1 - share) / examples) / (start.error - best)


def shortfalls(scores: Sequence[Score], start: Score) -> Floats:
    """How far each run stays behind the best on held-out data: 0 for the best, 1 for no gain over the start, or more.

    The mean of the shortfalls in loss and in error where both are known. A loss alone rates a network as overfitted that is
    only too sure of itself; an error alone is too coarse early in the training.
    """
    by_loss = _behind(np.array([score.loss for score in scores]), start.loss)
    if by_loss_alone(scores, start):
        return by_loss
    by_error = _behind(np.array([score.error for score in scores]), start.error)
    return np.where([score.sound for score in scores], (by_loss + by_error) / 2, np.inf)


def training_shortfalls(scores: Sequence[Score], start: Score) -> Floats:
    """How far each run stays behind the fastest on the training data, like :func:`shortfalls`."""
    return _behind(np.array([score.train for score in scores]), start.train)


def _by_one_measure(scores: Sequence[Score], start: Score, examples: int | None) -> tuple[Floats, Floats]:
    """How far runs stay behind on held-out data and on the training data: by answers where both are known, or by loss.

    A network that grows too sure of itself loses more while its answers get better still: losses tell of overfitting too soon.
    But of few held-out examples answers tell less than losses.
    """
    errors, wrong = (
        np.array([getattr(score, share) if score.sound else math.inf for score in scores]) for share in ('error', 'wrong')
    )
    unknown = np.isnan([start.error, start.wrong, *errors, *wrong]).any()
    if unknown or errors.min() >= start.error or few(examples):
        return shortfalls(scores, start), training_shortfalls(scores, start)
    return _behind(errors, start.error), _behind(wrong, start.wrong)


def costs(logs: Floats, shortfall: Floats, ahead: float) -> Floats:
    """The mean shortfall from each rate to one further ahead; beyond the last one it stays as it is there.

    Args:
        logs: Shape (n,), logarithms of rates, ascending.
        shortfall: Shape (n,), finite, at those rates.
        ahead: How far, 0 or more, in the unit of ``logs``.

    >>> costs(np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 1.0]), 1.0).tolist()
    [0.5, 0.5, 1.0]
    """
    if ahead <= 0 or len(logs) == 1:
        return shortfall
    area = np.concatenate([[0.0], np.cumsum(np.diff(logs) * (shortfall[1:] + shortfall[:-1]) / 2)])
    ends = logs + ahead
    beyond = np.maximum(ends - logs[-1], 0.0) * shortfall[-1]
    return (np.interp(ends, logs, area) + beyond - area) / ahead


def _between(tried: Floats) -> Floats:
    """The logarithms that are weighed: those of the trials, and as many to a decade between them everywhere."""
    gaps = [
        np.linspace(low, high, max(1, round(RATES_BETWEEN * STEPS * (high - low))), endpoint=False)
        for low, high in pairwise(tried)
    ]
    return np.concatenate([*gaps, tried[-1:]])


def _weights(cost: Floats, known: npt.NDArray[np.bool_], error: float = 0.0) -> Floats:
    """The less a rate costs, the more, as far as costs with such a standard error tell; none where that is not known."""
    usual = TEMPERATURE * float(np.median(cost[known]))
    temperature = max(math.hypot(usual, min(error, TEMPERATURE)), LEAST_COST)
    return np.where(known, np.exp(-(cost - cost[known].min()) / temperature), 0.0)


def _behind(values: Floats, start: float) -> Floats:
    """How far values are above the lowest, as a share of its fall from the start; infinite for what is not finite."""
    finite = np.isfinite(values)
    best = float(np.min(values[finite])) if finite.any() else 0.0
    fall = max(start - best, 1e-12 * max(abs(start), abs(best)), 1e-300) if math.isfinite(start) else max(abs(best), 1e-300)
    return np.where(finite, (np.where(finite, values, best) - best) / fall, np.inf)


def _lost(scores: Sequence[Score], start: Score) -> Floats:
    """What each run loses to the best: the share of all answers, or where those are not known, of what the best has gained."""
    if by_loss_alone(scores, start):
        return np.minimum(_behind(np.array([score.loss for score in scores]), start.loss), 1.0)
    errors = np.array([score.error if score.sound else 1.0 for score in scores])
    return errors - errors.min()


def _band(logs: Floats, lost: Floats, answer: float) -> tuple[float, float]:
    """From where to where, around the rate that loses least, others lose hardly more; the answer among them."""
    least = int(np.argmin(lost))
    worse = np.flatnonzero(lost > lost[least] + BAND)
    low = logs[max(worse[worse < least], default=-1) + 1]
    high = logs[min(worse[worse > least], default=len(logs)) - 1]
    return float(min(low, answer)), float(max(high, answer))


def band_of_losses(trials: Sequence[Trial], start: Score) -> dict[str, str]:
    """What the band says where no answers are known, as a reason by its name; nothing where they are."""
    return {'band': f'within {BAND:.0%} of what the best one gains'} if by_loss_alone(scores_of(trials), start) else {}


def _power(log: float) -> float:
    return float(10.0**log)


# In words


def reason(trials: Sequence[Trial], found: Verdict) -> str:
    """Why the rate of a verdict, in words."""
    lowered = f'{found.lowered:.2g} times lower, as a longer training may overfit: ' if found.lowered > 1.1 else ''
    cycles = counted(len(trials), 'trial cycle')
    middle = f'the middle of the rates that did well in {cycles}, and still do up to twice as high'
    return f'{lowered}{middle}; by their highest rate: {outcomes(trials)}'


def outcomes(trials: Sequence[Trial]) -> str:
    """What came of each trial, in words."""
    return '; '.join(f'{trial.rate:.2g}: {_outcome(trial.score)}' for trial in by_rate(trials))


def diverges(trials: Sequence[Trial], found: Verdict, start: Score) -> float | None:
    """The lowest rate above that of a verdict at which a trial diverged or ended above the start; ``None`` where none did."""
    broken = [trial.rate for trial in trials if not trial.score.sound or lost(trial.score, start)]
    return min((rate for rate in broken if rate > found.rate), default=None)


def warnings(trials: Sequence[Trial], found: Verdict, start: Score, epochs: float | None) -> list[str]:
    """Where a verdict is weak, and what to do about it; ``epochs`` as for :func:`seen_again`, those of a trial."""
    texts = []
    if learned_little(scores_of(trials), start):
        texts.append(
            'the trial cycles learned little, so they tell rates apart poorly: let the answer cost more (--budget, budget=)'
        )
    if found.lowered > FAR:
        texts.append(
            'the training is much longer than the trial cycles, and seems to overfit in time: its maximum was put '
            f'{found.lowered:.2g} times lower than theirs, which longer trials would make surer (--budget, budget=)'
        )
    if epochs is None and lowering(found.apart, FARTHEST) > 0:
        texts.append(
            'a long training may overfit here, but how often the trials saw an example is not known, so the maximum was not '
            'lowered for that: let the iterator have epoch_detail'
        )
    rates = [trial.rate for trial in trials]
    if min(rates) == max(rates):
        texts.append(
            'only one rate was tried, with which nothing could be compared: look over a wider range '
            '(--value-range, value_range=), or let the answer cost more (--budget, budget=)'
        )
    if found.best.rate == min(rates) < max(rates):
        texts.append(_elsewhere('lowest', 'lower', found.best.rate / 100, found.best.rate))
    if found.best.rate == max(rates) > min(rates):
        texts.append(_elsewhere('highest', 'higher', found.best.rate, 100 * found.best.rate))
    return texts


def _elsewhere(edge: str, beyond: str, low: float, high: float) -> str:
    return (
        f'the {edge} rate tried was the best: {beyond} ones may do better, look there '
        f'(--value-range {low:.2g} {high:.2g}, value_range=({low:.2g}, {high:.2g}))'
    )


def _outcome(score: Score) -> str:
    if not score.sound:
        return 'diverged'
    error = f', {100 * score.error:.3g}% wrong' if math.isfinite(score.error) else ''
    return f'loss {score.loss:.3g}{error}'
