"""The picture of a range test.

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
from lrfinder.plotting import style
from lrfinder.plotting.style import Limits

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox, TransformedBbox

# The words at the top of a range test take this share of its height at most; the curves have the rest.
WORDS_SHARE = 0.45
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
    _draw_range_test(ax, _seeds(table), table, suggestion, _reasons(suggestion))
    return ax


def save_range_test(
    path: str | os.PathLike[str],
    curve: pd.DataFrame,
    suggestion: Suggestion | None,
    note: str | None = None,
    readings: Readings | None = None,
    trials: pd.DataFrame | None = None,
) -> None:
    """Draws a range test as :func:`plot` does, and writes it to a file, whole or not at all.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        curve: As :func:`plot` takes it.
        suggestion: As :func:`plot` takes it.
        note: What else to say; why there is no range, for one.
        readings: What the analyzer read off each seed's ramp, where that is known (:attr:`lrfinder.Result.readings`).

    Raises:
        ValueError: It is no curve.
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(range_test_figure(curve, suggestion, note, readings), path)


def png_bytes(
    curve: pd.DataFrame, suggestion: Suggestion | None, note: str | None = None, readings: Readings | None = None
) -> bytes:
    """The picture of :func:`save_range_test` as the content of a PNG file.

    >>> curve = pd.DataFrame({'lr': [0.1, 0.2, 0.3], 'main/loss': [2.0, 1.0, 0.5]})
    >>> png_bytes(curve, None, note='too few values')[1:4]
    b'PNG'
    """
    with style.own_style():
        return style.drawn(range_test_figure(curve, suggestion, note, readings))


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
    curve: pd.DataFrame, suggestion: Suggestion | None, note: str | None = None, readings: Readings | None = None
) -> Figure:
    """The figure of :func:`save_range_test`."""
    figure = style.own_figure(4.6)
    table = check_curve(curve)
    figure.subplots_adjust(left=0.12, right=0.97 if len(style.groups(table)) == 1 else 0.88, bottom=0.11, top=0.93)
    ax = figure.subplots()
    words = {**({'note' if suggestion else 'why': note} if note else {}), **_reasons(suggestion)}
    _draw_range_test(ax, _seeds(table, readings), table, suggestion, words)
    ax.spines['right'].set_visible(len(figure.axes) > 1)
    style.make_room(figure)
    ax.set_title(f'Range test: {style.title(suggestion) if suggestion else "no range"}', loc='left', parse_math=False)
    return figure


def _reasons(suggestion: Suggestion | None) -> dict[str, str]:
    reasons = suggestion.reasons if suggestion else {}
    return {bound: reasons[bound] for bound in ('min', 'max') if reasons.get(bound)}


def _draw_range_test(
    ax: Axes, seeds: list[_Seed], table: pd.DataFrame, suggestion: Suggestion | None, words: Mapping[str, str]
) -> None:
    metrics = [metric for metric in METRICS if metric in table and np.isfinite(table[metric]).any()]
    limit = common_limit([seed.reading for seed in seeds])
    _rate_axis(ax, table, suggestion, limit)
    top = _write(ax, _key(metrics, len(seeds)), words)
    top = _mark_range(ax, suggestion, limit, float(table['lr'].max()), top)
    _draw_metrics(ax, seeds, metrics, top)


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
    rates = rates[np.isfinite(rates) & (rates >= 0)]
    bounds = np.array(suggestion.value_range if suggestion else ())
    attr = f' ({printable(suggestion.attr)})' if suggestion else ''
    ax.set_xlabel(f'learning rate{attr}', parse_math=False)
    if not len(rates):
        return
    if _is_exponential(rates):
        shown = np.concatenate([rates, bounds])
        low, high = shown[shown > 0].min(), shown.max()
        margin = (high / low) ** 0.02
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
    return middle / (rates[0] * rates[-1]) ** 0.5 < (rates[0] + rates[-1]) / 2 / middle


def _key(metrics: Sequence[str], seeds: int) -> list[Line2D]:
    """What the legend shows."""
    kinds = {style.kind(metric): style.pen(metric) for metric in metrics}
    strong = [Line2D([], [], label=kind, **pen) for kind, pen in kinds.items()]
    thin = 'as measured' if seeds == 1 else f'each of {seeds} seeds'
    return strong + ([Line2D([], [], label=thin, linewidth=style.THIN, color=style.GREY)] if kinds else [])


def _write(ax: Axes, key: list[Line2D], words: Mapping[str, str]) -> float:
    """Writes legend and words into the top of the axes; returns the height, in shares of the axes, that is free below."""
    top = 0.985
    if key:
        legend = _legend(ax, key)
        top = 0.99 - legend.get_window_extent().height / max(ax.bbox.height, 1)
    heads = [style.say(ax, 0.015, top, name, va='top', fontsize='small', fontweight='bold') for name in words]
    sizes = [style.size(head) for head in heads]
    indent = 0.015 + max((width for width, _ in sizes), default=0) + 0.015 * any(words)
    # Reasons that are too long for the axes are cut, so that the curve stays in sight.
    line = 1.3 * max((height for _, height in sizes), default=0)
    most = int((WORDS_SHARE - (1 - top)) / line / len(words)) if line else 0
    for head, reason in zip(heads, words.values()):
        if most < 1:
            head.remove()
            continue
        text = style.say(ax, indent, top, reason, va='top', fontsize='small', linespacing=1.15)
        style.wrap(text, 0.95 - indent, most)
        head.set_y(top)
        top -= style.size(text)[1] + 0.25 * line
    return top


def _legend(ax: Axes, key: list[Line2D]) -> Legend:
    legend = ax.legend(handles=key, loc='upper left', bbox_to_anchor=(0, 1), ncols=len(key), fontsize='small', frameon=False)
    too_wide = len(key) > 1 and legend.get_window_extent().width > ax.bbox.width
    return _legend(ax, key[:-1]) if too_wide else legend


def _mark_range(ax: Axes, suggestion: Suggestion | None, limit: Limit | None, highest: float, top: float) -> float:
    """Marks bounds and limit, and names them in a row below ``top``; returns the height that is free below."""
    marks: list[tuple[float, str, dict[str, Any]]] = []
    if suggestion:
        low, high = suggestion.value_range
        end = '' if not suggestion.exhausted else ', end of ramp' if high >= highest else ', higher may do'
        pen = dict(color=style.GREEN, linewidth=1.4)
        marks += [(low, f'min {style.number(low)}', pen), (high, f'max {style.number(high)}{end}', pen)]
    if limit is not None:
        pen = dict(color=style.GREY, linewidth=1, linestyle=':')
        marks.append((limit.rate, f'{limit.kind} {style.number(limit.rate)}', pen))
    if not marks:
        return top
    marks.sort(key=lambda mark: mark[0])
    base = _label_lines(ax, [rate for rate, _, _ in marks], [label for _, label, _ in marks], top)
    left, right = ax.get_xlim()
    for rate, _, pen in marks:
        ax.axvline(min(max(rate, left), right), 0, base, zorder=1.5, **pen)
    if suggestion:
        _shade(ax, suggestion, base)
    return base


def _shade(ax: Axes, suggestion: Suggestion, top: float) -> None:
    left, right = ax.get_xlim()
    spans = [(suggestion.value_range, 0.10), *((tuple(pair), 0.22) for pair in suggestion.spread.values())]
    for (low, high), alpha in spans:
        ax.axvspan(max(low, left), min(high, right), 0, top, color=style.GREEN, alpha=alpha, linewidth=0, zorder=0.5)
    if suggestion.exhausted:
        x = _share(ax, suggestion.value_range[1])
        ax.plot([x], [top / 2], marker='>', markersize=6, color=style.GREEN, transform=ax.transAxes, clip_on=False, zorder=5)


def _label_lines(ax: Axes, rates: Sequence[float], labels: Sequence[str], top: float) -> float:
    """Names upright lines in a row below ``top``, each over its own as far as there is room; returns where the lines end."""
    texts = [style.say(ax, 0, top, label, ha='center', va='top', fontsize='small', fontweight='bold') for label in labels]
    if sum(style.size(text)[0] for text in texts) > 0.9:  # a small panel: the names alone
        for text, label in zip(texts, labels):
            text.set_text(label.split()[0])
    sizes = [style.size(text) for text in texts]
    row = max(height for _, height in sizes)
    places = [_share(ax, rate) for rate in rates]
    centres = style.apart(places, [width + 0.025 for width, _ in sizes], 0.0, 1.0)
    base = top - 1.6 * row
    for text, place, centre in zip(texts, places, centres):
        text.set_x(centre)
        ax.plot([place, centre], [base, top - 1.15 * row], color=style.GREY, linewidth=0.6, transform=ax.transAxes)
    return base


def _share(ax: Axes, rate: float) -> float:
    """Where a rate lies on the axis, in shares of it."""
    left, right = ax.get_xlim()
    return float((ax.transScale + ax.transLimits).transform((min(max(rate, left), right), 0.5))[0])


def _draw_metrics(ax: Axes, seeds: list[_Seed], metrics: Sequence[str], top: float) -> None:
    groups = style.groups(metrics)
    middle = top / 2
    shelves = [(0.03, middle - 0.03), (middle + 0.03, top - 0.02)] if len(groups) == 2 else [(0.03, top - 0.02)]
    for index, ((label, shown), shelf) in enumerate(zip(groups, shelves)):
        axes = ax if index == 0 else ax.twinx()
        known = [found for seed in seeds for metric in shown if (found := seed.limits(metric, seed.limit))]
        known = known or [found for seed in seeds for metric in shown if (found := seed.limits(metric, None))]
        share = style.is_share(label, known)
        bounds = style.union(known, share)
        style.shelve(axes, bounds, shelf, label, share=share)
        before = list(axes.get_children())
        for metric in shown:
            _draw_metric(axes, seeds, metric, bounds)
        clip = TransformedBbox(Bbox([(0, shelf[0] - 0.02), (1, shelf[1] + 0.02)]), axes.transAxes)
        for artist in axes.get_children():
            if artist not in before:
                artist.set_clip_box(clip)


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
