"""Whether a model has learned: the one place that says so of a trial, and of several.

Three words are kept apart everywhere. A run has *diverged* where its loss is not finite or has risen by more than it had fallen
(:mod:`~lrfinder.analysis.divergence`); a network has *collapsed* where it answers no better than chance, whatever its loss did;
and a curve *degrades* where it loses a quarter of its gain (:mod:`~lrfinder.analysis.analyzer`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# The model has learned when its share of wrong answers has fallen by so many standard deviations, and by so much, or when its
# loss has fallen by such a share: a larger one where there are answers to go by.
SURE = 2.5
ERROR_FALL = 0.02
LOSS_FALL = 0.5
LOSS_FALL_ALONE = 0.1
# So few held-out examples can't show that nothing was learned; then the training data have to.
FEW_EXAMPLES = 100
# A smaller fall than this share of the loss is little: rates are told apart poorly by it.
LITTLE_FALL = 0.3
# Losses that differ by no more than this share of them are the same.
SAME_LOSS = 0.05
# A model has learned already where it gives no more than this share of the wrong answers that it gives at a rate that ruins it.
KNOWN = 0.25
# Without answers, a fall of both losses by so many standard errors is learning, too, however small a share of the loss it is:
# that may have a constant in it. Losses that differ by so many of them are not the same.
SURE_ALONE = 3.0
SURELY_DIFFERENT = 7.0


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
        """Whether the run came to its end with finite losses."""
        return math.isfinite(self.train) and math.isfinite(self.loss)


# What a run that diverged came to.
DIVERGED = Score(math.inf, math.inf)


def learned(scores: Iterable[Score], start: Score, examples: int | None = None) -> bool:
    """Whether any run made the model better on held-out data, and not just less sure of what it does not know.

    Args:
        scores: What the runs came to.
        start: The state that they all began with.
        examples: How many held-out examples there are; ``None`` where that is not known.

    >>> start = Score(train=2.3, loss=2.3, error=0.9)
    >>> learned([Score(0.5, 0.6, error=0.2)], start), learned([Score(2.2, 2.3, error=0.9)], start)
    (True, False)
    """
    scores = sound(scores)
    if _few(examples):
        return any(start.train - score.train > LOSS_FALL_ALONE * abs(start.train) for score in scores)
    return any(_answers_better(score, start, examples) or _loses_less(score, start) for score in scores)


def knows_more(scores: Iterable[Score], start: Score, examples: int | None = None) -> bool:
    """Whether any run gives more right answers than the start did; where answers are not known, whether any learned.

    A loss that falls is not enough, unlike in :func:`learned`. On features as they are, the loss of the first state may be far
    above that of chance, and falls to it at rates at which the network collapses. Of few held-out examples, what always gives
    the same answer may get many more right than the start did; then half of the wrong answers on the training data have to go,
    where those are known.

    Args:
        scores: As for :func:`learned`.
        start: As for :func:`learned`.
        examples: As for :func:`learned`.
    """
    scores = sound(scores)
    if not scores or by_loss_alone(scores, start):
        return learned(scores, start, examples)
    if _few(examples) and math.isfinite(start.wrong):
        return any(start.wrong - score.wrong > LOSS_FALL * start.wrong for score in scores)
    return any(_answers_better(score, start, examples) for score in scores)


def surely_loses_less(scores: Iterable[Score], start: Score) -> bool:
    """Whether the loss of any run has fallen by more than noise, on training and held-out data; where answers are not known.

    Args:
        scores: As for :func:`learned`.
        start: As for :func:`learned`.
    """
    scores = sound(scores)
    return by_loss_alone(scores, start) and any(
        min(start.loss - score.loss, start.train - score.train) > SURE_ALONE * score.noise > 0 for score in scores
    )


def knows_already(start: Score, ruined: float) -> bool:
    """Whether the model had learned before the test.

    Args:
        start: The state that all runs begin with.
        ruined: The share of wrong answers at a rate that ruins it; NaN where that is not known.

    >>> knows_already(Score(0.1, 0.1, wrong=0.04), ruined=0.9), knows_already(Score(2.3, 2.3, wrong=0.9), ruined=1.0)
    (True, False)
    """
    return start.wrong <= KNOWN * ruined


def learned_little(loss: float, start: Score) -> bool:
    """Whether a held-out loss has fallen by less than tells rates apart well."""
    return start.loss - loss < LITTLE_FALL * abs(start.loss)


def alike(scores: Iterable[Score]) -> bool:
    """Whether the losses of all sound runs came to the same whatever their rate, as when a network collapses at each."""
    scores = sound(scores)
    if len(scores) < 2:
        return False
    losses = [value for score in scores for value in (score.train, score.loss)]
    differ = max(losses) - min(losses)
    # Without answers, the loss may have a large constant in it: then noise tells.
    by_noise = (
        all(math.isnan(score.error) for score in scores)
        and differ > SURELY_DIFFERENT * max(score.noise for score in scores) > 0
    )
    return differ <= SAME_LOSS * max(map(abs, losses)) and not by_noise


def sound(scores: Iterable[Score]) -> list[Score]:
    """Those that came to their end with finite losses."""
    return [score for score in scores if score.sound]


def by_loss_alone(scores: Iterable[Score], start: Score) -> bool:
    """Whether there are no answers to judge by, only losses."""
    return not all(math.isfinite(score.error) for score in (start, *sound(scores)))


def _few(examples: int | None) -> bool:
    return examples is not None and examples < FEW_EXAMPLES


def _answers_better(score: Score, start: Score, examples: int | None) -> bool:
    chance = (score.error + start.error) / 2
    deviation = math.sqrt(2 * chance * (1 - chance) / (examples or math.inf)) if chance == chance else math.inf
    return start.error - score.error > max(SURE * deviation, ERROR_FALL)


def _loses_less(score: Score, start: Score) -> bool:
    # With random labels, too, the loss falls: from that of a network that is sure of itself to that of one that is not.
    least = LOSS_FALL_ALONE if math.isnan(score.error) else LOSS_FALL
    return start.loss - score.loss > least * abs(start.loss)
