"""What the panels of a range test share: the legend and the words at the top, the marked rates, and the shelves below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrfinder.analysis.suggestion import Suggestion
from lrfinder.plotting import style
from lrfinder.plotting.style import Limits

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox, TransformedBbox

# The words at the top of a panel take this share of its height at most; the curves have the rest.
WORDS_SHARE = 0.45
# How high a bar is that goes from one rate to another, in shares of the axes.
BAR = 0.035
# How the spread of a bound is drawn, and the band.
SPREAD: dict[str, Any] = dict(color=style.GREEN, linewidth=1, marker='|', markersize=6)
BAND: dict[str, Any] = dict(color=style.GREEN, linewidth=4, alpha=0.45, solid_capstyle='butt')

_BOUND: dict[str, Any] = dict(color=style.GREEN, linewidth=1.4)
_LIMIT: dict[str, Any] = dict(color=style.GREY, linewidth=1, linestyle=':')


@dataclass(frozen=True)
class Mark:
    """A rate to be marked by an upright line, and what it is called."""

    rate: float
    label: str
    pen: Mapping[str, Any] = field(default_factory=lambda: _LIMIT)


def reasons_of(suggestion: Suggestion | None, bounds: Sequence[str]) -> dict[str, str]:
    """Why these bounds, in few words: what follows a semicolon goes into details."""
    reasons = suggestion.reasons if suggestion else {}
    return {bound: reasons[bound].split('; ')[0] for bound in bounds if reasons.get(bound)}


def bounds_of(suggestion: Suggestion, end: str = '') -> list[Mark]:
    """The marks of both bounds; ``end`` is said of the upper one."""
    low, high = suggestion.value_range
    return [Mark(low, f'min {style.number(low)}', _BOUND), Mark(high, f'max {style.number(high)}{end}', _BOUND)]


def write(ax: Axes, key: Sequence[Artist], words: Mapping[str, str], rows: int = 1) -> float:
    """Writes legend and words into the top of the axes; returns the height, in shares of the axes, that is free below.

    Args:
        key: What the legend shows; what is last is left out where it does not fit into so many ``rows``.
        words: What is said, each under a name.
    """
    top = 0.985
    if key:
        legend = _legend(ax, key, rows)
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


def _legend(ax: Axes, key: Sequence[Artist], most_rows: int) -> Legend:
    for rows in range(1, most_rows + 1):
        columns = -(-len(key) // rows)
        legend = ax.legend(handles=key, loc='upper left', bbox_to_anchor=(0, 1), ncols=columns, fontsize='small', frameon=False)
        if legend.get_window_extent().width <= ax.bbox.width:
            return legend
    return legend if len(key) == 1 else _legend(ax, key[:-1], most_rows)


def mark(ax: Axes, marks: Iterable[Mark], suggestion: Suggestion | None, top: float) -> float:
    """Draws upright lines, names them in a row below ``top``, shades the range, and draws how sure its bounds are.

    Returns:
        The height that is free below.
    """
    marks = sorted(marks, key=lambda mark: mark.rate)
    if not marks:
        return top
    base = _label_lines(ax, marks, top)
    left, right = ax.get_xlim()
    for one in marks:
        ax.axvline(min(max(one.rate, left), right), 0, base, zorder=1.5, **one.pen)
    return base if suggestion is None else _show_range(ax, suggestion, base)


def _show_range(ax: Axes, suggestion: Suggestion, top: float) -> float:
    left, right = ax.get_xlim()
    low, high = suggestion.value_range
    ax.axvspan(max(low, left), min(high, right), 0, top, color=style.GREEN, alpha=0.12, linewidth=0, zorder=0.5)
    if suggestion.exhausted:
        pen: dict[str, Any] = dict(marker='>', markersize=6, color=style.GREEN, clip_on=False, zorder=5)
        ax.plot([place_of(ax, high)], [top / 2], transform=ax.transAxes, **pen)
    for pair in suggestion.spread.values():
        top = bar(ax, pair, SPREAD, top)
    return top


def bar(ax: Axes, rates: Limits, pen: Mapping[str, Any], top: float) -> float:
    """Draws a bar from one rate to another below ``top``; returns the height that is free below."""
    ax.plot(rates, [top - BAR / 2] * 2, transform=ax.get_xaxis_transform(), zorder=2, **pen)
    return top - BAR


def _label_lines(ax: Axes, marks: Sequence[Mark], top: float) -> float:
    """Names upright lines in a row below ``top``, each over its own as far as there is room; returns where the lines end."""
    texts = [style.say(ax, 0, top, one.label, ha='center', va='top', fontsize='small', fontweight='bold') for one in marks]
    if sum(style.size(text)[0] for text in texts) > 0.9:  # a small panel: the names alone
        for text, one in zip(texts, marks):
            text.set_text(one.label.split()[0])
    sizes = [style.size(text) for text in texts]
    row = max(height for _, height in sizes)
    places = [place_of(ax, one.rate) for one in marks]
    centres = style.apart(places, [width + 0.025 for width, _ in sizes], 0.0, 1.0)
    base = top - 1.6 * row
    for text, place, centre in zip(texts, places, centres):
        text.set_x(centre)
        ax.plot([place, centre], [base, top - 1.15 * row], color=style.GREY, linewidth=0.6, transform=ax.transAxes)
    return base


def place_of(ax: Axes, rate: float) -> float:
    """Where a rate lies on the axis, in shares of it."""
    left, right = ax.get_xlim()
    return float((ax.transScale + ax.transLimits).transform((min(max(rate, left), right), 0.5))[0])


def shelves(count: int, top: float) -> list[Limits]:
    """The heights, in shares of the axes, between which each of one or two metrics is drawn, from below to ``top``."""
    middle = top / 2
    return [(0.03, middle - 0.03), (middle + 0.03, top - 0.02)] if count == 2 else [(0.03, top - 0.02)]


def clip(artists: Iterable[Artist], ax: Axes, shelf: Limits) -> None:
    """Cuts off what leaves a shelf."""
    box = TransformedBbox(Bbox([(0, shelf[0] - 0.02), (1, shelf[1] + 0.02)]), ax.transAxes)
    for artist in artists:
        artist.set_clip_box(box)
