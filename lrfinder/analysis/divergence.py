"""When a run has broken, and why: the rule that ends a range test, and that cuts a recorded curve."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median

# How many losses stand for the level at the start.
OPENING = 5
# A mean of the losses so far that are at the end: a thirtieth, 3 at the least. So long must the run look broken, too.
SHARE = 30
LEAST = 3
# A rise counts as a rise only from so many times the usual change from one loss to the next.
CHANGES = 8.0
# A rise that is a smaller share of the loss than this comes from rounding.
ROUNDING = 1e-9


def not_finite(loss: float) -> str | None:
    """Why a run has broken that is not to be judged by the size of its losses; ``None`` where it has not."""
    return None if math.isfinite(loss) else f'the loss is not finite ({loss})'


class Divergence:
    """Watches the losses of a run, one after another, and says when it has broken.

    A run has broken when a loss is not finite; or when its last losses' mean has been above the best such mean by more than
    all that the loss had fallen before, and by more than noise explains, for longer than that mean is: one outlier does not do
    it. That is a rise, not a factor: it serves negative losses too. The rule looks back alone: what comes after a break does
    not change it.

    >>> watch = Divergence()
    >>> [watch.update(loss) for loss in (2.0, 1.9, 1.5, 1.2, 1.0)]
    [None, None, None, None, None]
    >>> watch.update(float('nan'))
    'the loss is not finite (nan)'
    """

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._sums = [(0.0, 0.0)]  # of the losses so far; and what rounding has taken from it
        self._start = math.nan
        self._changes = 0.0
        self._best = math.inf
        self._noise_at_best = 0.0
        self._above = 0

    def update(self, loss: float) -> str | None:
        """Takes the next loss; returns why the run has broken, or ``None``."""
        if (why := not_finite(loss)) is not None:
            return why
        self._append(float(loss))  # NumPy's would warn of overflow
        if len(self._losses) < OPENING:
            return None
        if len(self._losses) == OPENING:
            self._start = median(self._losses)
        start = self._start
        width = max(LEAST, len(self._losses) // SHARE)
        mean = self._mean(width)
        if not math.isfinite(mean):
            return f'the loss is too large to be summed up ({loss:.4g})'
        if min(mean, start) < self._best:
            self._best = min(mean, start)
            self._noise_at_best = self._changes / (len(self._losses) - 1)
        rise = mean - self._best
        broken = rise > max(start - self._best, CHANGES * self._noise_at_best, ROUNDING * abs(start))
        self._above = self._above + 1 if broken else 0
        if self._above <= width:
            return None
        return f'the loss has risen from {self._best:.4g} to {mean:.4g}, by more than it had fallen before'

    def _append(self, loss: float) -> None:
        if self._losses:
            self._changes += abs(loss - self._losses[-1])
        self._losses.append(loss)
        before, rest = self._sums[-1]
        total = before + loss
        # Knuth's two-sum: small losses count after a huge one, too.
        added = total - before
        self._sums.append((total, rest + (before - (total - added)) + (loss - added)))

    def _mean(self, width: int) -> float:
        (total, rest), (earlier, earlier_rest) = self._sums[-1], self._sums[-1 - width]
        return (total - earlier + (rest - earlier_rest)) / width


def diverged_at(losses: Iterable[float]) -> tuple[int, str] | None:
    """The index of the loss at which a run has broken, and why; ``None`` where it has not.

    >>> diverged_at([2.0, 1.0, float('inf'), 1.0])
    (2, 'the loss is not finite (inf)')
    """
    watch = Divergence()
    return next(((index, why) for index, loss in enumerate(losses) if (why := watch.update(loss)) is not None), None)
