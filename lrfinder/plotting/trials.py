"""The panel of a range test that shows its trials: what each came to, over its highest rate, and the maximum that they gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrfinder._names import printable
from lrfinder.analysis.metrics import ACCURACIES, LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS, cost_sign
from lrfinder.analysis.smoothing import Floats
from lrfinder.analysis.suggestion import Suggestion, what_is_in_the_band
from lrfinder.plotting import marks, style
from lrfinder.plotting.marks import Mark
from lrfinder.plotting.style import Limits

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

# The axis goes so many times beyond what is shown on it, to each side.
MARGIN = 3.0
# An axis of fewer decades than this has ticks between the powers of ten, too.
FEW_DECADES = 1.5
# The panel goes so many times as far from the best trial as three in four trials do. What is worse is marked at its edge.
FAR = 3.0
# How strong trials are, and how they are marked: those of the longest rung, of the one before, and of all before that.
STRENGTHS, MARKERS = (1.0, 0.5, 0.3), 'osD'
# The area of a marker in square points, and what the one with the most weight has on top of it.
AREA, MORE_AREA = 16.0, 60.0
# Where there are several seeds, lines and markers are fainter by this.
OF_SEVERAL = 0.6

_SCAN: dict[str, Any] = dict(color=style.GREY, linewidth=style.THIN, alpha=0.6)
_DIVERGED: dict[str, Any] = dict(color=style.VERMILLION, linestyle='', marker='x', markersize=6, markeredgewidth=1.6)


@dataclass(frozen=True)
class _Rung:
    """Trials of one seed and one length that came to their end.

    Attributes:
        rows: Of the table of trials, the rates ascending.
        updates: Their length.
        place: How many longer rungs the seed has: that without any decides.
        seeds: How many seeds there are.
    """

    rows: pd.DataFrame
    updates: int
    place: int
    seeds: int

    @property
    def marker(self) -> str:
        return MARKERS[min(self.place, len(MARKERS) - 1)]

    @property
    def areas(self) -> Floats:
        """Those of the markers: the more weight, the larger."""
        weights = self.rows['weight'].to_numpy(float)
        return (AREA + MORE_AREA * weights / (weights.max() or 1.0)) * (1.0 if self.seeds == 1 else OF_SEVERAL)

    def pen(self, metric: str) -> dict[str, Any]:
        alpha = STRENGTHS[min(self.place, len(STRENGTHS) - 1)] * (1.0 if self.seeds == 1 else OF_SEVERAL)
        return {**style.pen(metric), 'linewidth': style.THIN if self.place else 1.2, 'alpha': alpha}


def draw_trials(
    ax: Axes, trials: pd.DataFrame, suggestion: Suggestion | None, words: Mapping[str, str], scan: pd.DataFrame | None = None
) -> None:
    """Draws trials over a logarithmic axis, those that decide in front, with the range that they gave and the scan behind.

    Args:
        ax: Where to draw; a second metric goes on a twin of it.
        trials: One row or more; the columns are those of ``analysis.trial_table.COLUMNS``, and ``seed`` where there are
            several.
        suggestion: The range; ``None`` where there is none.
        words: What is said at the top, each under a name.
        scan: The curve of the scan; ``None`` where it is not known.
    """
    rungs, metrics = _rungs(trials), _metrics(trials)
    _rate_axis(ax, trials, suggestion)
    top = marks.write(ax, _key(trials, rungs, metrics[0], suggestion, scan), words, rows=4)
    if suggestion:
        top = marks.mark(ax, _marks(suggestion), suggestion, top)
        top = top if suggestion.band is None else marks.bar(ax, suggestion.band, marks.BAND, top)
    shelves = marks.shelves(len(metrics), top)
    for index, (metric, shelf) in enumerate(zip(metrics, shelves)):
        axes = ax if index == 0 else ax.twinx()
        bounds = _shelve(axes, metric, trials[metric].to_numpy(float), shelf)
        before = list(axes.get_children())
        if index == 0 and scan is not None:
            _draw_scan(axes, scan, bounds)
        for rung in rungs:
            _draw_rung(axes, rung, metric, bounds)
        marks.clip((artist for artist in axes.get_children() if artist not in before), axes, shelf)
    broken = trials.loc[trials['diverged'], 'rate'].to_numpy(float)
    ax.plot(broken, np.full(len(broken), shelves[0][1]), transform=ax.get_xaxis_transform(), zorder=4, **_DIVERGED)


def _rungs(trials: pd.DataFrame) -> list[_Rung]:
    """The rungs of all seeds, the short ones first."""
    sound = trials[~trials['diverged']]
    seeds = [part for _, part in sound.groupby('seed')] if 'seed' in sound else [sound]
    rungs = []
    for part in seeds:
        for place, updates in enumerate(sorted(part['updates'].unique().tolist(), reverse=True)):
            rows = part[part['updates'] == updates].sort_values('rate')
            rungs.append(_Rung(rows, int(updates), place, len(seeds)))
    return sorted(rungs, key=lambda rung: rung.updates)


def _metrics(trials: pd.DataFrame) -> list[str]:
    """What the trials were judged by."""
    held_out = [metric for metric in (VALIDATION_LOSS, VALIDATION_ACCURACY) if np.isfinite(trials[metric]).any()]
    return held_out or [LOSS]


def _rate_axis(ax: Axes, trials: pd.DataFrame, suggestion: Suggestion | None) -> None:
    attr = f' ({printable(suggestion.attr)})' if suggestion else ''
    ax.set_xlabel(f'highest learning rate of a trial{attr}', parse_math=False)
    also = [*suggestion.value_range, *(suggestion.band or ()), suggestion.diverges or 0.0] if suggestion else []
    rates = np.array([*trials['rate'], *also], dtype=float)
    rates = rates[np.isfinite(rates) & (rates > 0)]
    low, high = rates.min() / MARGIN, rates.max() * MARGIN
    ax.set_xscale('log')
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 10**FEW_DECADES * low else (1,)))
    ax.xaxis.set_major_formatter(lambda rate, _: f'{rate:g}')
    ax.xaxis.set_minor_formatter(NullFormatter())


def _key(
    trials: pd.DataFrame, rungs: Sequence[_Rung], metric: str, suggestion: Suggestion | None, scan: pd.DataFrame | None
) -> list[Artist]:
    """What the legend shows."""
    key: list[Artist] = []
    for rung in sorted(rungs, key=lambda rung: (-rung.updates, rung.place)):
        words = f'after {rung.updates} updates'
        if not key:
            seeds = f', {rung.seeds} seeds' * (rung.seeds > 1)
            key.append(_entry(f'{style.kind(metric)} {words}{seeds}', rung, metric))
        elif words not in str(key[-1].get_label()):
            key.append(_entry(words, rung, metric))
    if trials['weight'].any():
        pen: dict[str, Any] = dict(linestyle='', marker=MARKERS[0], markersize=(AREA + MORE_AREA) ** 0.5)
        key.append(Line2D([], [], label='larger: more weight', color=style.pen(metric)['color'], **pen))
    key += [Line2D([], [], label='diverged', **_DIVERGED)] if trials['diverged'].any() else []
    key += [] if scan is None else [Line2D([], [], label='scan (loss, own scale)', **_SCAN)]
    if suggestion and suggestion.band:
        key.append(Line2D([], [], label=f'max {what_is_in_the_band(suggestion)}', **marks.BAND))
    if suggestion and suggestion.spread:
        key.append(Line2D([], [], label='bounds of another test', **marks.SPREAD))
    return key


def _entry(label: str, rung: _Rung, metric: str) -> Line2D:
    return Line2D([], [], label=label, marker=rung.marker, markersize=AREA**0.5, **rung.pen(metric))


def _marks(suggestion: Suggestion) -> list[Mark]:
    found = marks.bounds_of(suggestion, ', higher may do' if suggestion.exhausted else '')
    if suggestion.diverges is not None:
        found.append(Mark(suggestion.diverges, f'diverges {style.number(suggestion.diverges)}'))
    return found


def _shelve(ax: Axes, metric: str, values: Floats, shelf: Limits) -> Limits:
    """Gives a metric its shelf; returns the limits within which it is shown."""
    label = 'accuracy' if metric in ACCURACIES else 'loss'
    found = _limits(values, metric)
    share = found is not None and style.is_share(label, [found])
    bounds = style.union([found], share)
    style.shelve(ax, bounds, (shelf[0] + 0.03, shelf[1] - 0.03), label, share=share)
    if found is None:  # all of them diverged
        ax.set_yticks([])
    return bounds


def _limits(values: Floats, metric: str) -> Limits | None:
    """The limits that show good trials apart, however bad the others are; ``None`` where no value is finite."""
    costs = cost_sign(metric) * values[np.isfinite(values)]
    if not len(costs):
        return None
    best, worst = float(costs.min()), float(costs.max())
    worst = min(worst, best + FAR * (float(np.quantile(costs, 0.75)) - best))
    return (-worst, -best) if metric in ACCURACIES else (best, worst)


def _draw_scan(ax: Axes, scan: pd.DataFrame, bounds: Limits) -> None:
    """Draws the losses of a scan, from their lowest to their first ones, as high as the trials' are shown."""
    parts = [part for _, part in scan.groupby('seed')] if 'seed' in scan else [scan]
    for part in parts:
        rows = part.sort_values('lr')
        low, high = style.union([style.limits(rows[LOSS].to_numpy(float))])
        heights = bounds[0] + (rows[LOSS].to_numpy(float) - low) / (high - low) * (bounds[1] - bounds[0])
        ax.plot(rows['lr'], style.within(heights, bounds), zorder=1, **_SCAN)


def _draw_rung(ax: Axes, rung: _Rung, metric: str, bounds: Limits) -> None:
    pen, order = rung.pen(metric), 3 - 0.1 * rung.place
    rates, values = rung.rows['rate'].to_numpy(float), rung.rows[metric].to_numpy(float)
    ax.plot(rates, style.within(values, bounds), zorder=order, **pen)
    low, high = bounds
    for shown, marker in (((low <= values) & (values <= high), rung.marker), (values < low, 'v'), (values > high, '^')):
        heights, areas = np.clip(values[shown], low, high), rung.areas[shown]
        look: dict[str, Any] = dict(color=pen['color'], alpha=pen['alpha'], linewidths=0, zorder=order)
        ax.scatter(rates[shown], heights, s=areas, marker=marker, **look)
