"""The look that all pictures share: colours, robust limits, and words that fit.

The colours are those of Masataka Okabe and Kei Ito, "Color Universal Design" (2008), which the colour-blind can tell apart.
"""

from __future__ import annotations

import io
import math
import os
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lrfinder import _files
from lrfinder._names import printable
from lrfinder.analysis.metrics import ACCURACIES, LOSSES, VALIDATION, WORDS
from lrfinder.analysis.smoothing import Floats
from lrfinder.analysis.suggestion import Suggestion

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, PercentFormatter, ScalarFormatter

Limits = tuple[float, float]

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = '#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'
GREY = '#6E6E6E'
STRONG, THIN = 1.8, 0.7

# Figures are drawn for a width of 600 pixels, at twice as many.
WIDTH, DPI = 6.0, 200
_LOOK = {
    'font.size': 9.5,
    'axes.labelsize': 9.5,
    'axes.titlesize': 10,
    'axes.spines.top': False,
    'axes.linewidth': 0.7,
    'xtick.labelsize': 9,
    'ytick.labelsize': 9,
    'legend.frameon': False,
}

# No line of words is shorter than so many characters.
NARROWEST = 12

# How far a curve may rise above its best before it leaves the picture: so many times its fall, or its usual jitter.
RISE, JITTERS = 1.6, 5.0
# Larger numbers are drawn as this one, so that differences of two are numbers again.
LARGEST = 1e300


@contextmanager
def own_style() -> Iterator[None]:
    """The look of the project's own figures, whatever the user's style is; that is as it was afterwards."""
    with style.context(['default', _LOOK]):
        yield


def own_figure(height: float) -> Figure:
    """A figure of its own, unknown to pyplot, with a canvas that needs no screen."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def make_room(figure: Figure) -> None:
    """Moves the sides of the panels so far inward that all ticks, labels and names are in the picture."""
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    width, pad = figure.bbox.width, 0.012
    left = max((pad - box.x0 / width for box in boxes if box), default=0)
    right = max((box.x1 / width - (1 - pad) for box in boxes if box), default=0)
    sides = figure.subplotpars
    figure.subplots_adjust(left=sides.left + max(0, left), right=sides.right - max(0, right))


def ink(color: str) -> tuple[float, float, float]:
    """A colour dark enough for words on white."""
    red, green, blue = to_rgb(color)
    return 0.75 * red, 0.75 * green, 0.75 * blue


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes the figure to a file, whole or not at all; the name's suffix says in which format, PNG where there is none.

    Raises:
        OSError: The file can't be written.
    """
    with _files.replacing(path) as file:
        file.write(drawn(figure, Path(path).suffix[1:] or 'png'))


def drawn(figure: Figure, form: str = 'png') -> bytes:
    """The figure as the content of a file of this format."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form)
    return buffer.getvalue()


# Metrics


def groups(metrics: Iterable[Any]) -> list[tuple[str, list[str]]]:
    """What there is of losses and of accuracies, with a label each.

    >>> groups(['lr', 'main/loss', 'validation/main/loss'])
    [('loss', ['main/loss', 'validation/main/loss'])]
    """
    known = set(metrics)
    found = [('loss', [name for name in LOSSES if name in known]), ('accuracy', [name for name in ACCURACIES if name in known])]
    return [(label, shown) for label, shown in found if shown]


def kind(metric: str) -> str:
    """Training or validation."""
    return WORDS[metric].split()[0]


def pen(metric: str) -> dict[str, Any]:
    """How a metric is drawn: training blue and solid, validation vermillion and dashed."""
    if metric in VALIDATION:
        return dict(color=VERMILLION, linestyle=(0, (4, 1.5)), linewidth=STRONG)
    return dict(color=BLUE, linestyle='-', linewidth=STRONG)


def title(suggestion: Suggestion) -> str:
    """A suggestion in one line."""
    low, high = map(number, suggestion.value_range)
    attr, policy = printable(suggestion.attr), printable(suggestion.policy)
    return f'{attr} {low} to {high}, step_size {suggestion.step_size}, {policy}'


# Limits


def limits(values: Floats, rising: bool = False) -> Limits | None:
    """The limits that show a falling curve, also where its tail explodes; ``None`` where no value is finite.

    The curve may rise above its best by :data:`RISE` times what it had fallen; what is higher leaves the picture. Its first
    values may be outliers, too.

    Args:
        values: In the order in which they were measured.
        rising: Higher is better, as it is for an accuracy.

    >>> limits(np.array([2.0, 1.5, 1.0, 1e30, float('inf'), float('nan')]))
    (1.0, 2.6)
    >>> limits(np.array([0.1, 0.5, 0.9]), rising=True)
    (0.1, 0.9)
    """
    finite = np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)
    if not len(finite):
        return None
    if rising and finite.min() >= 0 and finite.max() <= 1:  # shares can't explode
        return float(finite.min()), float(finite.max())
    if rising:
        low, high = limits(-finite) or (0.0, 1.0)
        return -high, -low
    start = float(np.median(finite[: 3 if len(finite) >= 30 else 1]))
    best = float(finite.min())
    # Second differences: those of a curve that falls evenly are none.
    jitter = float(np.median(np.abs(np.diff(finite, 2)))) if len(finite) >= 10 else 0.0
    return best, min(float(finite.max()), best + max(RISE * (start - best), JITTERS * jitter))


def union(several: Iterable[Limits | None], share: bool = False) -> Limits:
    """The limits that hold all of these; 0 to 1 where there are none, and never empty.

    Args:
        share: The values are shares of one: the limits don't pass 0 and 1.

    >>> union([(0.5, 2.0), None, (1.0, 3.0)]), union([(1.0, 1.0)]), union([(1.0, 1.0)], share=True)
    ((0.5, 3.0), (0.5, 1.5), (0.5, 1.0))
    """
    known = [one for one in several if one is not None]
    low, high = (min(low for low, _ in known), max(high for _, high in known)) if known else (0.0, 1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        margin = 0.5 * abs(low) or 0.5
        low, high = low - margin, high + margin
    return (max(low, 0.0), min(high, 1.0)) if share else (low, high)


def is_share(label: str, several: Iterable[Limits | None]) -> bool:
    """Whether the values are shares of one, to be shown in percent: accuracies from 0 to 1."""
    return label == 'accuracy' and all(one[0] >= 0 and one[1] <= 1 for one in several if one is not None)


def within(values: Floats, bounds: Limits) -> Floats:
    """The values to draw: no number is too large for the canvas, and gaps are where a value is not finite."""
    low, high = bounds
    far = 10 * (high - low)
    return np.where(np.isfinite(values), np.clip(values, low - far, high + far), np.nan)


class _Ticks(MaxNLocator):  # type: ignore[misc, unused-ignore]
    """Ticks at round values between two limits, and nowhere else."""

    def __init__(self, bounds: Limits, most: int) -> None:
        super().__init__(nbins=most, steps=[1, 2, 2.5, 5, 10])
        self._bounds = bounds

    def tick_values(self, vmin: float, vmax: float) -> Any:
        low, high = self._bounds
        ticks = np.asarray(super().tick_values(max(low, min(vmin, vmax)), min(high, max(vmin, vmax))))
        margin = 1e-9 * (high - low)
        return ticks[(ticks >= low - margin) & (ticks <= high + margin)]


def shelve(ax: Axes, bounds: Limits, shelf: Limits, label: str, *, share: bool = False) -> None:
    """Gives values between ``bounds`` a shelf of the axes, from one height to another (0 to 1), with its ticks and label.

    Args:
        share: The values are shares of one, to be shown in percent.
    """
    (low, high), (bottom, top) = bounds, shelf
    scale = (high - low) / (top - bottom)
    ax.set_ylim(low - bottom * scale, low + (1 - bottom) * scale)
    ax.set_ylabel(printable(label) + ' (%)' * share, y=(bottom + top) / 2, parse_math=False)
    box = ax.yaxis.label.get_window_extent()
    room = (top - bottom) * ax.bbox.height / max(1.6 * min(box.width, box.height), 1)
    ax.yaxis.set_major_locator(_Ticks(bounds, min(5, max(1, int(room)))))
    if share:
        ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=''))
    elif 1e-3 <= max(abs(low), abs(high)) < 1e6:
        ax.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    else:  # without a common factor, which would be written over the title
        ax.yaxis.set_major_formatter(lambda value, _: f'{value:g}')


# Words


def say(ax: Axes, x: float, y: float, words: str, **options: Any) -> Text:
    """A text at a place in shares of the axes; no word of it is taken for a formula."""
    return ax.text(x, y, words, transform=ax.transAxes, parse_math=False, **options)


def size(text: Text) -> tuple[float, float]:
    """Width and height of a text, in shares of its axes."""
    assert text.axes is not None
    box, whole = text.get_window_extent(), text.axes.bbox
    return box.width / max(whole.width, 1), box.height / max(whole.height, 1)


def wrap(text: Text, room: float, most: int) -> None:
    """Breaks the text into at most so many lines of a width in shares of the axes; what does not fit ends in dots."""
    words = ' '.join(text.get_text().split())
    text.set_text(words)
    per_line = min(len(words), int(1.1 * len(words) * room / max(size(text)[0], 1e-9)))
    while size(text)[0] > room and per_line > NARROWEST:
        text.set_text('\n'.join(textwrap.wrap(words, per_line)))
        per_line -= 1
    lines = text.get_text().count('\n') + 1
    # Lines of about one length: no word stays alone on the last one.
    while lines > 1 and per_line > NARROWEST and len(textwrap.wrap(words, per_line)) == lines:
        text.set_text('\n'.join(textwrap.wrap(words, per_line)))
        per_line -= 1
    if lines > most:
        text.set_text('\n'.join(text.get_text().split('\n')[:most]) + ' ...')


def apart(centres: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Moves labels on a line as little as needed so that none covers another, and all lie between two ends if they fit.

    Args:
        centres: Where each label belongs, ascending.
        sizes: How long each is.

    >>> apart([0.125, 0.25, 0.75], [0.5, 0.25, 0.125], 0.0, 1.0)
    [0.25, 0.625, 0.8125]
    """
    placed: list[float] = []
    edge = low
    for centre, length in zip(centres, sizes):
        placed.append(max(centre, edge + length / 2))
        edge = placed[-1] + length / 2
    edge = high
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], edge - sizes[index] / 2)
        edge = placed[index] - sizes[index] / 2
    return placed


def number(value: float) -> str:
    """A value as people read it: three digits.

    >>> number(0.03125), number(1234.5), number(2e-5)
    ('0.0312', '1234', '2e-05')
    """
    if math.isfinite(value) and 1000 <= abs(value) < 1e6:
        return f'{value:.0f}'
    return f'{value:.3g}'
