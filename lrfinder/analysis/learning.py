"""Whether a model has learned: the one place that says so of a trial, and of several.

Three words are kept apart everywhere. A run has *diverged* where its loss is not finite or has risen by more than it had fallen
(:mod:`~lrfinder.analysis.divergence`); a network has *collapsed* where it answers no better than chance, whatever its loss did;
and a curve *degrades* where it loses a quarter of its gain (:mod:`~lrfinder.analysis.analyzer`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# The model has learned when its share of wrong answers has fallen by so many standard deviations, and by so much. A loss that
# has risen by as many standard errors has risen.
SURE = 2.5
ERROR_FALL = 0.02
# Without answers, a fall of the held-out loss by so many standard errors of the training loss is learning, however small a
# share of the loss that is: it may have any constant in it.
SURE_BY_LOSS = 1.0
# What is a smaller share of a loss than this comes from rounding.
ROUNDING = 1e-6
# So few held-out examples can't show that nothing was learned; then this share of the wrong answers on the training data has to
# go.
FEW_EXAMPLES = 100
WRONG_FALL = 0.5
# A fall of fewer standard errors than this is little: rates are told apart poorly by it.
LITTLE_FALL = 10.0
# Losses are the same that differ by no more than this share of their fall, and by no more than so many standard errors.
SAME_SHARE = 0.05
SAME_ERRORS = 7.0
# A model has learned already where it gives no more than this share of the wrong answers that it gives at a rate that ruins it.
KNOWN = 0.25


@dataclass(frozen=True)
class Score:
    """What a run came to, or the state that it began with.

    Attributes:
        train: Training loss: the mean over the last third of the run.
        loss: Loss on held-out data after the run; the training loss where there is none.
        error: Share of wrong answers on held-out data, 0 to 1; NaN where it is not known.
        noise: Standard error of ``train``; of the start, that of ``loss``: 0 where it was measured on held-out data.
        wrong: Share of wrong answers on the training data, over the last tenth of the run; NaN where it is not known.
    """

    train: float
    loss: float
    error: float = math.nan
    noise: float = 0.0
    wrong: float = math.nan

    @property
    def sound(self) -> bool:
        """Whether the run came to its end with finite losses."""
        return math.isfinite(self.train) and math.isfinite(self.loss)


# What a run that diverged came to.
DIVERGED = Score(math.inf, math.inf)


def learned(scores: Iterable[Score], start: Score, examples: int | None = None) -> bool:
    """Whether any run made the model better on held-out data, and not just less sure of what it does not know.

    By its answers, where those are known and enough: the loss alone also falls with random labels, and where a network that is
    far too sure of itself collapses. No constant in the loss changes what this says, nor does its scale.

    Args:
        scores: What the runs came to.
        start: The state that they all began with.
        examples: How many held-out examples there are; ``None`` where that is not known.

    >>> start = Score(train=2.3, loss=2.3, error=0.9)
    >>> learned([Score(0.5, 0.6, error=0.2)], start), learned([Score(2.2, 2.3, error=0.9)], start)
    (True, False)
    """
    scores = sound(scores)
    if few(examples):
        return any(_surely(start.train - score.train, score, start) for score in scores)
    if by_loss_alone(scores, start):
        return any(_surely(start.loss - score.loss, score, start) for score in scores)
    return knows_more(scores, start, examples)


def knows_more(scores: Iterable[Score], start: Score, examples: int | None = None) -> bool:
    """Whether any run gives more right answers than the start did; where answers are not known, whether any loses less.

    Of few held-out examples, what always gives the same answer may get many more right than the start did; then half of the
    wrong answers on the training data have to go, where those are known.

    Args:
        scores: As for :func:`learned`.
        start: As for :func:`learned`.
        examples: As for :func:`learned`.
    """
    scores = sound(scores)
    if by_loss_alone(scores, start):
        return any(gains(score, start) for score in scores)
    if few(examples) and math.isfinite(start.wrong):
        return any(start.wrong - score.wrong > WRONG_FALL * start.wrong for score in scores)
    return any(_answers_better(score, start, examples) for score in scores)


def gains(score: Score, start: Score) -> bool:
    """Whether the held-out loss of a run is below that of the start by more than rounding.

    The training loss of the start is that of other batches than the run's: where a few examples decide, it tells nothing.
    """
    return start.loss - score.loss > ROUNDING * abs(score.loss)


def lost(score: Score, start: Score) -> bool:
    """Whether a run ended above the start, on held-out data and, surely, on the training data."""
    return score.loss > start.loss and score.train - start.train > SURE * score.noise


def moved(score: Score, start: Score) -> bool:
    """Whether the held-out loss of a run differs from that of the start, up or down, by more than noise."""
    return not score.sound or abs(score.loss - start.loss) > SURE * score.noise


def loses_less(score: Score, other: Score) -> bool:
    """Whether the losses of a run, on training and on held-out data, are below those of another by more than rounding."""
    return gains(score, other) and other.train - score.train > ROUNDING * abs(score.train)


def knows_already(start: Score, ruined: float) -> bool:
    """Whether the model had learned before the test.

    Args:
        start: The state that all runs begin with.
        ruined: The share of wrong answers at a rate that ruins it; NaN where that is not known.

    >>> knows_already(Score(0.1, 0.1, wrong=0.04), ruined=0.9), knows_already(Score(2.3, 2.3, wrong=0.9), ruined=1.0)
    (True, False)
    """
    return start.wrong <= KNOWN * ruined


def learned_little(scores: Iterable[Score], start: Score) -> bool:
    """Whether no training loss has fallen by as much as tells rates apart well."""
    return not any(start.train - score.train > LITTLE_FALL * score.noise for score in sound(scores))


def alike(scores: Iterable[Score], start: Score) -> bool:
    """Whether the losses of all sound runs came to the same whatever their rate, as when a network collapses at each.

    What stayed where it began has not collapsed: it may only need longer.
    """
    scores = sound(scores)
    return same(scores, start) and any(moved(score, start) for score in scores)


def same(scores: Iterable[Score], start: Score) -> bool:
    """Whether the losses of all sound runs, two or more, came to the same whatever their rate: then they tell none apart."""
    scores = sound(scores)
    if len(scores) < 2:
        return False
    noise = min(score.noise for score in scores)
    pairs = (
        ([score.train for score in scores], start.train),
        ([score.loss for score in scores], start.loss),
    )
    return all(
        max(losses) - min(losses) <= min(SAME_SHARE * max(before - min(losses), 0.0), SAME_ERRORS * noise)
        for losses, before in pairs
    )


def untouched(scores: Iterable[Score]) -> bool:
    """Whether the training losses of all sound runs, two or more, are equal but for rounding: the rate had no part in them.

    Those that are 0 have come to the end of what there is to learn.

    >>> untouched([Score(0.268445, 1.0), Score(0.268445, 2.0)]), untouched([Score(0.26, 1.0), Score(0.27, 1.0)])
    (True, False)
    """
    losses = [score.train for score in sound(scores)]
    return len(losses) > 1 and any(losses) and max(losses) - min(losses) <= ROUNDING * max(map(abs, losses))


def sound(scores: Iterable[Score]) -> list[Score]:
    """Those that came to their end with finite losses."""
    return [score for score in scores if score.sound]


def by_loss_alone(scores: Iterable[Score], start: Score) -> bool:
    """Whether there are no answers to judge by, only losses."""
    return not all(math.isfinite(score.error) for score in (start, *sound(scores)))


def few(examples: int | None) -> bool:
    """Whether there are so few held-out examples that single answers decide."""
    return examples is not None and examples < FEW_EXAMPLES


def _answers_better(score: Score, start: Score, examples: int | None) -> bool:
    chance = (score.error + start.error) / 2
    deviation = math.sqrt(2 * chance * (1 - chance) / (examples or math.inf)) if chance == chance else math.inf
    return start.error - score.error > max(SURE * deviation, ERROR_FALL)


def _surely(fall: float, score: Score, start: Score) -> bool:
    """Whether a fall of a loss from the start to that of a run is more than noise, and than rounding."""
    return fall > max(SURE_BY_LOSS * math.hypot(score.noise, start.noise), ROUNDING * abs(score.train))
