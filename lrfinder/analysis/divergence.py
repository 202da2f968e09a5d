"""When a run has diverged, and why: the rule that ends a range test, and that cuts a recorded curve."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from itertools import islice
from statistics import fmean, median

# How many losses stand for the level at the start.
START_LOSSES = 5
# The mean of the latest losses is over a thirtieth of all so far, from 3 to 100 of them. The run must look diverged for longer
# than that, too.
SHARE = 30
SHORTEST, LONGEST = 3, 100
# A rise counts as a rise only from so many times the usual change from one loss to the next.
CHANGES = 8.0
# A rise that is a smaller share of the loss than this comes from rounding.
ROUNDING = 1e-9


def not_finite(loss: float) -> str | None:
    """Why a run has diverged whose losses are not to be judged by their size; ``None`` where it has not."""
    return None if math.isfinite(loss) else f'the loss is not finite ({loss})'


class Divergence:
    """Watches the losses of a run, one after another, and says when it has diverged.

    A run has diverged when a loss is not finite; or when its latest losses' mean has been above the best such mean by more than
    all that the loss had fallen before, and by more than noise explains, for longer than that mean is: one outlier does not do
    it. That is a rise, not a factor: it serves negative losses too. The rule looks back alone: what comes after does not change
    it.

    >>> watch = Divergence()
    >>> [watch.update(loss) for loss in (2.0, 1.9, 1.5, 1.2, 1.0)]
    [None, None, None, None, None]
    >>> watch.update(float('nan'))
    'the loss is not finite (nan)'
    """

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=LONGEST)
        self._count = 0
        self._changes = 0.0
        self._start = math.nan
        self._best = math.inf
        self._noise_at_best = 0.0
        self._above = 0

    def update(self, loss: float) -> str | None:
        """Takes the next loss; returns why the run has diverged, or ``None``."""
        if (why := not_finite(loss)) is not None:
            return why
        self._append(float(loss))  # NumPy's would warn of overflow
        if self._count < START_LOSSES:
            return None
        if self._count == START_LOSSES:
            self._start = median(self._latest)
        width = min(max(SHORTEST, self._count // SHARE), LONGEST)
        mean = self._mean(width)
        if not math.isfinite(mean):
            return f'the loss is too large to be summed up ({loss:.4g})'
        self._above = self._above + 1 if self._has_risen(mean) else 0
        if self._above <= width:
            return None
        return f'the loss has risen from {self._best:.4g} to {mean:.4g}, by more than it had fallen before'

    def _append(self, loss: float) -> None:
        if self._latest:
            self._changes += abs(loss - self._latest[-1])
        self._latest.append(loss)
        self._count += 1

    def _mean(self, width: int) -> float:
        try:
            return fmean(islice(self._latest, len(self._latest) - width, None))
        except OverflowError:
            return math.inf

    def _has_risen(self, mean: float) -> bool:
        if min(mean, self._start) < self._best:
            self._best = min(mean, self._start)
            self._noise_at_best = self._changes / (self._count - 1)
        fallen = self._start - self._best
        return mean - self._best > max(fallen, CHANGES * self._noise_at_best, ROUNDING * abs(self._start))


def diverged_at(losses: Iterable[float]) -> tuple[int, str] | None:
    """The index of the loss at which a run has diverged, and why; ``None`` where it has not.

    >>> diverged_at([2.0, 1.0, float('inf'), 1.0])
    (2, 'the loss is not finite (inf)')
    """
    watch = Divergence()
    return next(((index, why) for index, loss in enumerate(losses) if (why := watch.update(loss)) is not None), None)
