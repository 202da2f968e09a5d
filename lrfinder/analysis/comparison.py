"""Who won a comparison of trainings: the one rule that the summary, the picture and ``tune`` go by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from lrfinder.analysis.metrics import ACCURACIES, BY_WORTH, LOSS, WORDS, cost_sign

# A run's last values by metric; None or NaN stands for what was not finite.
Ends = Mapping[str, float | None]

# The 97.5th and the 95th percentiles of Student's t distribution with 1, 2, ... degrees of freedom; beyond those they are
# nearly those of the normal distribution, and so much more over the degrees of freedom.
_STUDENT = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228), (1.96, 2.5)
_STUDENT_ONE_SIDED = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812), (1.645, 1.6)


@dataclass(frozen=True)
class Difference:
    """How much better one schedule is than another, by trainings of both from the same seeds.

    Attributes:
        mean: The mean over the seeds, above 0 where the first is better; NaN where no seed tells.
        margin: How far off that may be, in 19 of 20 cases; where only the first may be found to be better, by how much the mean
            may be too high, in 19 of 20 cases. Infinite for a single seed.
        diverged: How many trainings of the first diverged, and how many of the second.
    """

    mean: float
    margin: float
    diverged: tuple[int, int] = (0, 0)

    @property
    def shows(self) -> int:
        """1 where the trainings show that the first is better, -1 where the second is, 0 where they can't tell.

        >>> Difference(0.4, 0.3).shows, Difference(-0.4, 0.3).shows, Difference(0.4, 0.5).shows
        (1, -1, 0)
        """
        if self.by_divergence:
            return 1 if self.diverged[0] < self.diverged[1] else -1
        return (1 if self.mean > 0 else -1) if abs(self.mean) > self.margin else 0

    @property
    def by_divergence(self) -> bool:
        """Whether it is decided by how many trainings diverged."""
        ours, theirs = self.diverged
        return ours != theirs

    def in_words(self, metric: str) -> str:
        """The difference in a metric, in words.

        >>> Difference(0.004, 0.003).in_words('validation/main/accuracy')
        '0.4 +- 0.3 points'
        >>> Difference(0.25, 0.5).in_words('validation/main/loss')
        'validation loss 0.25 +- 0.5'
        """
        if math.isnan(self.mean):
            return 'all trainings diverged'
        scale, unit, what = (100.0, ' points', '') if metric in ACCURACIES else (1.0, '', f'{WORDS[metric]} ')
        margin = f' +- {scale * self.margin:.2g}{unit}' if math.isfinite(self.margin) else f'{unit}, by one seed alone'
        return f'{what}{scale * self.mean:.2g}{margin}'


@dataclass(frozen=True)
class Comparison:
    """How runs of the same length compare.

    Attributes:
        metric: By which metric, the one that says most of those that there are.
        ends: Its value at the end of each run, the mean over the seeds; NaN where one had diverged by then. The best comes
            first.
        own: The run under CLR; ``None`` where none is.
        rival: The best of the others; ``None`` where there is none, or all of them had diverged.
        seeds: From how many seeds each was trained.
        spreads: The standard deviation over the seeds of each run; NaN where it is not known.
        difference: How much better the run under CLR is than its rival; ``None`` where there are not both.
    """

    metric: str
    ends: Mapping[str, float]
    own: str | None
    rival: str | None
    seeds: int
    spreads: Mapping[str, float]
    difference: Difference | None


def compare(runs: Mapping[str, Ends | Sequence[Ends]]) -> Comparison | None:
    """Compares runs by their last values.

    Args:
        runs: Each run's last values by its name; those of several seeds as a list, in the same order for all runs. The name of
            that under CLR begins with ``CLR``.

    Returns:
        The comparison; ``None`` where no metric is known.

    >>> found = compare({'CLR': {'main/loss': 0.5}, 'fixed 0.1': {'main/loss': 0.25}, 'fixed 9': {'main/loss': None}})
    >>> found.rival, list(found.ends)
    ('fixed 0.1', ['fixed 0.1', 'CLR', 'fixed 9'])
    """
    several = {name: [ends] if isinstance(ends, Mapping) else list(ends) for name, ends in runs.items()}
    metric = next((name for name in BY_WORTH if any(name in ends for run in several.values() for ends in run)), None)
    if metric is None:
        return None
    values = {name: [_end(ends, metric) for ends in run] for name, run in several.items()}
    means = {name: fmean(run) for name, run in values.items()}
    ranked = sorted(means, key=lambda name: cost_sign(metric) * means[name] if math.isfinite(means[name]) else math.inf)
    own = next((name for name in ranked if name.upper().startswith('CLR')), None)
    rival = next((name for name in ranked if name != own and math.isfinite(means[name])), None)
    return Comparison(
        metric,
        {name: means[name] for name in ranked},
        own,
        rival,
        seeds=max(map(len, values.values())),
        spreads={name: _spread(values[name]) for name in ranked},
        difference=None if own is None or rival is None else difference(values[own], values[rival], metric),
    )


def difference(ours: Sequence[float], theirs: Sequence[float], metric: str, one_sided: bool = False) -> Difference:
    """How much better trainings ended than others from the same seeds.

    The margin is that of the mean of the differences seed by seed, by Student's t distribution: from few seeds it is wide.

    Args:
        ours: The values of the metric at the end, a seed each; NaN where a training had diverged.
        theirs: The same for the others, in the same order.
        metric: The metric, one of :data:`lrfinder.analysis.metrics.METRICS`: it says what is better.
        one_sided: Whether it is only asked if they are better, not if the others are.

    >>> found = difference([0.9, 0.92, 0.94], [0.87, 0.9, 0.93], 'validation/main/accuracy')
    >>> round(found.mean, 3), round(found.margin, 3), found.shows
    (0.02, 0.025, 0)
    """
    pairs = [(a, b) for a, b in zip(ours, theirs) if math.isfinite(a) and math.isfinite(b)]
    gains = [cost_sign(metric) * (b - a) for a, b in pairs]
    diverged = (sum(not math.isfinite(a) for a in ours), sum(not math.isfinite(b) for b in theirs))
    if not gains:
        return Difference(math.nan, math.inf, diverged)
    margin = _student(len(gains) - 1, one_sided) * stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.inf
    return Difference(fmean(gains), margin, diverged)


def _spread(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else math.nan


def _student(freedom: int, one_sided: bool) -> float:
    few, (normal, more) = _STUDENT_ONE_SIDED if one_sided else _STUDENT
    return few[freedom - 1] if freedom <= len(few) else normal + more / freedom


def _end(ends: Ends, metric: str) -> float:
    """The last value of a metric; NaN where the loss is not finite: an accuracy may still be a number then, but of nothing."""
    loss, value = ends.get(LOSS, 0.0), ends.get(metric)
    if loss is None or value is None or not math.isfinite(loss):
        return math.nan
    return value
