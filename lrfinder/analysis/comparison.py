"""Who won a comparison of trainings: the one rule that the summary and the picture go by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lrfinder.analysis.metrics import BY_WORTH, LOSS, cost_sign

# A run's last values by metric; None or NaN stands for what was not finite.
Ends = Mapping[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """How runs of the same length compare.

    Attributes:
        metric: By which metric, the one that says most of those that there are.
        ends: Its value at the end of each run; NaN where the run had diverged by then. The best comes first.
        own: The run under CLR; ``None`` where none is.
        rival: The best of the others; ``None`` where there is none, or all of them had diverged.
    """

    metric: str
    ends: Mapping[str, float]
    own: str | None
    rival: str | None


def compare(runs: Mapping[str, Ends]) -> Comparison | None:
    """Compares runs by their last values.

    Args:
        runs: Each run's last values by its name; that of CLR begins with ``CLR``.

    Returns:
        The comparison; ``None`` where no metric is known.

    >>> found = compare({'CLR': {'main/loss': 0.5}, 'fixed 0.1': {'main/loss': 0.25}, 'fixed 9': {'main/loss': None}})
    >>> found.rival, list(found.ends)
    ('fixed 0.1', ['fixed 0.1', 'CLR', 'fixed 9'])
    """
    metric = next((name for name in BY_WORTH if any(name in ends for ends in runs.values())), None)
    if metric is None:
        return None
    values = {name: _end(ends, metric) for name, ends in runs.items()}
    ranked = sorted(values, key=lambda name: cost_sign(metric) * values[name] if math.isfinite(values[name]) else math.inf)
    own = next((name for name in ranked if name.upper().startswith('CLR')), None)
    rival = next((name for name in ranked if name != own and math.isfinite(values[name])), None)
    return Comparison(metric, {name: values[name] for name in ranked}, own, rival)


def _end(ends: Ends, metric: str) -> float:
    """The last value of a metric; NaN where the loss is not finite: an accuracy may still be a number then, but of nothing."""
    loss, value = ends.get(LOSS, 0.0), ends.get(metric)
    if loss is None or value is None or not math.isfinite(loss):
        return math.nan
    return value
