"""The picture of a range test: its trials, and its ramp below them.

Training is blue and solid, validation vermillion and dashed, the range green. :func:`plot` draws into the user's axes and in
the user's style; the files come from figures of their own, which all look alike. Pyplot is loaded by :func:`plot` without axes
alone, and no setting of Matplotlib is other than before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrfinder._names import printable
from lrfinder.analysis.analyzer import LEAST_VALUES, Limit, Reading, common_limit, read
from lrfinder.analysis.curve import check_curve
from lrfinder.analysis.metrics import ACCURACIES, METRICS, WORDS
from lrfinder.analysis.smoothing import RAMP_SMOOTHING, Floats, smoothed, thinned
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.plotting import marks, style
from lrfinder.plotting.marks import Mark
from lrfinder.plotting.style import Limits
from lrfinder.plotting.trials import draw_trials

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# How high panels are, in inches: that of a ramp alone; those of trials and ramp.
ALONE, BOTH = (3.7,), (3.3, 2.7)
# Why the ramp does not say where the maximum is.
BY_TRIALS = 'by the trials above: the ramp is past each rate after one update'
# A linear axis ends at so many times the rate at which the curve degrades or diverges: nothing of use is beyond.
BEYOND = 4.0

# What the analyzer read off each seed's ramp; None is the seed where there is but one.
Readings = Mapping[int | None, Reading]


def plot(curve: pd.DataFrame, suggestion: Suggestion | None, ax: Axes | None = None) -> Axes:
    """Draws a range test: the loss over the rate with the accuracy above it, both bounds, and the reason for each.

    The rate's axis is linear for a linear ramp and logarithmic for an exponential one. Measured values are thin, smoothed ones
    strong; of several seeds, each is a thin line, the strong one is their median, and a band goes from the lowest to the
    highest. A tail that explodes leaves the picture at the top. The words are wrapped to the size that the axes have now.

    Args:
        curve: The recorded curve; the columns are those of ``lrfinder.analysis.curve.COLUMNS``, and ``seed`` where there are
            several.
        suggestion: The range to show; ``None`` for the curve alone.
        ax: Where to draw; the accuracy goes on a twin of it. Without it, pyplot's current axes are taken, or those of a new
            figure if there is something in them already.

    Returns:
        The axes, with the loss (the accuracy where there is no loss).

    Raises:
        ValueError: It is no curve.

    >>> from matplotlib.figure import Figure
    >>> rates = np.linspace(0, 1, 200)
    >>> curve = pd.DataFrame({'lr': rates, 'main/loss': 1 / (1 + 20 * rates) + np.where(rates > 0.8, 50, 0)})
    >>> ax = plot(curve, Suggestion('lr', (0.1, 0.4), step_size=90), Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('learning rate (lr)', 'loss')
    """
    table = check_curve(curve)
    ax = _current_axes() if ax is None else ax
    _draw_range_test(ax, _seeds(table), table, suggestion, marks.reasons_of(suggestion, ('min', 'max')))
    return ax


def save_range_test(
    path: str | os.PathLike[str],
    curve: pd.DataFrame,
    suggestion: Suggestion | None,
    note: str | None = None,
    readings: Readings | None = None,
    trials: pd.DataFrame | None = None,
    scan: pd.DataFrame | None = None,
) -> None:
    """Draws a range test, and writes it to a file, whole or not at all: the curve as :func:`plot` does, the trials above it.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        curve: As :func:`plot` takes it.
        suggestion: As :func:`plot` takes it.
        note: What else to say; why there is no range, for one.
        readings: What the analyzer read off each seed's ramp, where that is known (:attr:`lrfinder.Result.readings`).
        trials: The trials (:attr:`lrfinder.Result.trials`); ``None``, or a table without rows, where there are none.
        scan: The scan that said where to look (:attr:`lrfinder.Result.scan`); ``None`` where it is not known.

    Raises:
        ValueError: It is no curve.
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(range_test_figure(curve, suggestion, note, readings, trials, scan), path)


def png_bytes(
    curve: pd.DataFrame,
    suggestion: Suggestion | None,
    note: str | None = None,
    readings: Readings | None = None,
    trials: pd.DataFrame | None = None,
    scan: pd.DataFrame | None = None,
) -> bytes:
    """The picture of :func:`save_range_test` as the content of a PNG file.

    >>> curve = pd.DataFrame({'lr': [0.1, 0.2, 0.3], 'main/loss': [2.0, 1.0, 0.5]})
    >>> png_bytes(curve, None, note='too few values')[1:4]
    b'PNG'
    """
    with style.own_style():
        return style.drawn(range_test_figure(curve, suggestion, note, readings, trials, scan))


# The range test


@dataclass(frozen=True)
class _Seed:
    """The curve of one seed, the rates ascending, and what the analyzer reads off it; ``None`` where that is nothing."""

    table: pd.DataFrame
    reading: Reading | None

    @property
    def limit(self) -> float | None:
        """The rate at which the ramp degrades or diverges."""
        return self.reading.limit.rate if self.reading and self.reading.limit else None

    def measured(self, metric: str) -> tuple[Floats, Floats]:
        rows = self.table[self.table[metric].notna()]
        return rows['lr'].to_numpy(float), rows[metric].to_numpy(float)

    def smooth(self, metric: str, bounds: Limits) -> tuple[Floats, Floats] | None:
        """The smoothed values before the run diverged; ``None`` where there are too few.

        What is far outside of the limits is cut before: one exploding value would lift all of its neighbours.
        """
        rows = self.table[['lr', metric]].dropna()
        rows = thinned(rows[rows['lr'] <= self.reading.highest] if self.reading else rows)
        if len(rows) < LEAST_VALUES:
            return None
        margin = 0.5 * (bounds[1] - bounds[0])
        values = rows[metric].clip(bounds[0] - margin, bounds[1] + margin).to_numpy(float)
        return rows['lr'].to_numpy(float), smoothed(values, RAMP_SMOOTHING * len(values))

    def limits(self, metric: str, until: float | None) -> Limits | None:
        """The limits that show an accuracy, or a loss up to a rate; ``None`` where there are no values."""
        if metric in ACCURACIES:
            return style.limits(self.table[metric].to_numpy(float), rising=True)
        return style.limits(self.table[metric][self.table['lr'] <= (np.inf if until is None else until)].to_numpy(float))


def range_test_figure(
    curve: pd.DataFrame,
    suggestion: Suggestion | None,
    note: str | None = None,
    readings: Readings | None = None,
    trials: pd.DataFrame | None = None,
    scan: pd.DataFrame | None = None,
) -> Figure:
    """The figure of :func:`save_range_test`."""
    table = check_curve(curve)
    told = {'note' if suggestion else 'why': note} if note else {}
    if trials is None or not len(trials):
        figure, (ax,) = _panels(ALONE)
        told |= marks.reasons_of(suggestion, ('min', 'max'))
    else:
        # Each panel gives the reason for the bound that it decides.
        figure, (above, ax) = _panels(BOTH)
        draw_trials(above, trials, suggestion, {**told, **marks.reasons_of(suggestion, ('max',))}, scan)
        told = {**marks.reasons_of(suggestion, ('min',)), **({'max': BY_TRIALS} if suggestion else {})}
    _draw_range_test(ax, _seeds(table, readings), table, suggestion, told)
    style.make_room(figure)
    title = f'Range test: {style.title(suggestion) if suggestion else "no range"}'
    figure.axes[0].set_title(title, loc='left', parse_math=False)
    return figure


def _panels(heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A figure with panels one below the other."""
    gap = 0.5
    height = sum(heights) + gap * len(heights) + 0.4
    figure = style.own_figure(height)
    figure.subplots_adjust(left=0.12, bottom=gap / height, top=1 - 0.4 / height, hspace=gap * len(heights) / sum(heights))
    panels = list(figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0])
    for ax in panels:
        ax.spines['right'].set_visible(False)  # that of a twin stays
    return figure, panels


def _draw_range_test(
    ax: Axes, seeds: list[_Seed], table: pd.DataFrame, suggestion: Suggestion | None, words: Mapping[str, str]
) -> None:
    metrics = [metric for metric in METRICS if metric in table and np.isfinite(table[metric]).any()]
    limit = common_limit([seed.reading for seed in seeds])
    _rate_axis(ax, table, suggestion, limit)
    top = marks.write(ax, _key(metrics, len(seeds)), words)
    top = marks.mark(ax, _marks(suggestion, limit, float(table['lr'].max())), suggestion, top)
    _draw_metrics(ax, seeds, metrics, top)


def _marks(suggestion: Suggestion | None, limit: Limit | None, highest: float) -> list[Mark]:
    found = []
    if suggestion:
        at_the_end = suggestion.value_range[1] >= highest
        end = '' if not suggestion.exhausted else ', end of ramp' if at_the_end else ', higher may do'
        found += marks.bounds_of(suggestion, end)
    if limit is not None:
        found.append(Mark(limit.rate, f'{limit.kind} {style.number(limit.rate)}'))
    return found


def _current_axes() -> Axes:
    from matplotlib import pyplot

    ax = pyplot.gca()
    return pyplot.figure().subplots() if ax.has_data() else ax


def _seeds(table: pd.DataFrame, readings: Readings | None = None) -> list[_Seed]:
    table = table[np.isfinite(table['lr']) & (table['lr'] >= 0)]
    parts: Iterable[tuple[Any, pd.DataFrame]] = table.groupby('seed') if 'seed' in table else [(None, table)]
    seeds = []
    for seed, part in parts:
        if len(part):
            part = part.sort_values('lr', kind='stable', ignore_index=True)
            seeds.append(_Seed(part, _read(part) if readings is None else readings.get(seed)))
    return seeds


def _read(table: pd.DataFrame) -> Reading | None:
    try:
        return read(table)
    except NoRangeError:
        return None


def _rate_axis(ax: Axes, table: pd.DataFrame, suggestion: Suggestion | None, limit: Limit | None) -> None:
    rates = np.sort(table['lr'].to_numpy(float))
    rates = np.minimum(rates[np.isfinite(rates) & (rates >= 0)], style.LARGEST)
    bounds = np.minimum(suggestion.value_range if suggestion else (), style.LARGEST)
    attr = f' ({printable(suggestion.attr)})' if suggestion else ''
    ax.set_xlabel(f'learning rate{attr}', parse_math=False)
    if not len(rates):
        return
    if _is_exponential(rates):
        shown = np.concatenate([rates, bounds])
        low, high = shown[shown > 0].min(), shown.max()
        margin = min(high**0.02 / low**0.02, 10.0)
        ax.set_xscale('log')
        ax.set_xlim(low / margin, high * margin)
        return
    low, high = rates[0], max([rates[-1], *bounds])
    if limit is not None and high > BEYOND * limit.rate > max(bounds, default=0):
        ax.set_xlabel(f'learning rate{attr}, tested up to {style.number(high)}')
        high = BEYOND * limit.rate
    low, high = style.union([(low, high)])
    ax.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))


def _is_exponential(rates: Floats) -> bool:
    """Whether the middle of ascending rates is nearer to their geometric mean than to the arithmetic one."""
    rates = rates[rates > 0]
    if len(rates) < 3 or rates[-1] < 10 * rates[0]:
        return False
    middle = float(np.median(rates))
    geometric = np.sqrt(rates[0]) * np.sqrt(rates[-1])  # their product may be no number
    return bool(middle / geometric < (rates[0] + rates[-1]) / 2 / middle)


def _key(metrics: Sequence[str], seeds: int) -> list[Line2D]:
    """What the legend shows."""
    kinds = {style.kind(metric): style.pen(metric) for metric in metrics}
    strong = [Line2D([], [], label=kind, **pen) for kind, pen in kinds.items()]
    thin = 'as measured' if seeds == 1 else f'each of {seeds} seeds'
    return strong + ([Line2D([], [], label=thin, linewidth=style.THIN, color=style.GREY)] if kinds else [])


def _draw_metrics(ax: Axes, seeds: list[_Seed], metrics: Sequence[str], top: float) -> None:
    groups = style.groups(metrics)
    for index, ((label, shown), shelf) in enumerate(zip(groups, marks.shelves(len(groups), top))):
        axes = ax if index == 0 else ax.twinx()
        known = [found for seed in seeds for metric in shown if (found := seed.limits(metric, seed.limit))]
        known = known or [found for seed in seeds for metric in shown if (found := seed.limits(metric, None))]
        share = style.is_share(label, known)
        bounds = style.union(known, share)
        style.shelve(axes, bounds, shelf, label, share=share)
        before = list(axes.get_children())
        for metric in shown:
            _draw_metric(axes, seeds, metric, bounds)
        marks.clip((artist for artist in axes.get_children() if artist not in before), axes, shelf)


def _draw_metric(ax: Axes, seeds: list[_Seed], metric: str, bounds: Limits) -> None:
    pen = style.pen(metric)
    thin = dict(color=pen['color'], linewidth=style.THIN, alpha=0.5)
    smooth = []
    for seed in seeds:
        rates, values = seed.measured(metric)
        found = seed.smooth(metric, bounds)
        smooth += [found] if found else []
        if found and len(seeds) > 1:
            rates, values = found
        few = len(rates) <= 40 and len(seeds) == 1
        ax.plot(rates, style.within(values, bounds), marker='.' if few else '', markersize=3, **thin)
    if smooth:
        rates, middle, low, high = _summary(smooth)
        ax.plot(rates, middle, label=WORDS[metric], zorder=3, **pen)
        if len(smooth) > 1:
            ax.fill_between(rates, low, high, color=pen['color'], alpha=0.15, linewidth=0)


def _summary(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats, Floats, Floats]:
    """Rates that all curves reach; median, lowest and highest of their values there."""
    first, last = max(rates[0] for rates, _ in curves), min(rates[-1] for rates, _ in curves)
    grid = np.unique(np.concatenate([rates for rates, _ in curves]))
    grid = grid[(grid >= first) & (grid <= last)]
    values = np.array([np.interp(grid, rates, values) for rates, values in curves])
    return grid, np.median(values, axis=0), values.min(axis=0), values.max(axis=0)
