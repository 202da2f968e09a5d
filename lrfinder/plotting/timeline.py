"""What pictures of trainings share: panels one below the other, with lines over one time that are named at their ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrfinder.analysis.metrics import LOSS, METRICS
from lrfinder.analysis.smoothing import Floats
from lrfinder.plotting import style
from lrfinder.plotting.style import Limits

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator


@dataclass(frozen=True)
class Line:
    """One metric over time, named at its end if it has a name."""

    name: str
    x: Floats
    y: Floats
    last: float
    pen: Mapping[str, Any]


def line_of(table: pd.DataFrame, x: Floats, metric: str, name: str, pen: Mapping[str, Any]) -> Line:
    """The line of a metric, where it was measured."""
    y = table[metric].to_numpy(float)
    measured = ~np.isnan(y)
    return Line(name, x[measured], y[measured], last(table, metric), pen)


def last(table: pd.DataFrame, metric: str) -> float:
    """The last value measured; NaN where the training had diverged by then."""
    if LOSS in table and len(table) and not np.isfinite(table[LOSS].iloc[-1]):
        return float('nan')
    values = table[metric].dropna()
    return float(values.iloc[-1]) if len(values) else float('nan')


def shown(value: float, share: bool) -> str:
    """A last value in a few signs, as a percentage where it is a share of one."""
    if not np.isfinite(value):
        return 'diverged'
    return f'{value:.1%}' if share else style.number(value)


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The table with what is no number as NaN, in all columns that are to be numbers."""
    columns = [name for name in ('epoch', 'iteration', 'lr', 'alpha', *METRICS) if name in table]
    return table.assign(**{name: pd.to_numeric(table[name], errors='coerce').astype(float) for name in columns})


def time_of(table: pd.DataFrame, per_epoch: float | None = None) -> tuple[Floats, str, float]:
    """Where each row stands in time, the unit, and how many iterations that is."""
    if 'iteration' not in table:
        return table['epoch'].to_numpy(float) if 'epoch' in table else np.arange(float(len(table))), 'epoch', per_epoch or 1.0
    iterations = table['iteration'].to_numpy(float)
    if not per_epoch and 'epoch' in table and len(table) and table['epoch'].iloc[-1] > 0:
        per_epoch = float(iterations[-1] / table['epoch'].iloc[-1])
    return (iterations / per_epoch, 'epoch', per_epoch) if per_epoch else (iterations, 'iteration', 1.0)


def panels_below(heights: Sequence[int]) -> tuple[Figure, list[Axes]]:
    """Panels one below the other, with one time."""
    figure = style.own_figure(1.0 + 0.55 * sum(heights) if sum(heights) > 2 else 1.1 + 1.9 * len(heights))
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.45 / height, top=1 - 0.5 / height, hspace=0.12)
    return figure, list(figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0])


def draw_panel(ax: Axes, label: str, lines: Sequence[Line]) -> None:
    """Draws losses or accuracies over time, with names and last values at the ends of their lines."""
    found = [style.limits(line.y, rising=label == 'accuracy') for line in lines]
    share = style.is_share(label, found)
    bounds = style.union(_of_most(found) if label == 'loss' else found, share)
    style.shelve(ax, bounds, (0.05, 0.95), label, share=share)
    for line in lines:
        alone = len(line.x) == 1
        ax.plot(line.x, style.within(line.y, bounds), marker='o' if alone else '', clip_on=not alone, markersize=4, **line.pen)
    named = [line for line in lines if line.name]
    _name_ends(ax, named, [f'{line.name}: {shown(line.last, share)}' for line in named])


def _of_most(several: Iterable[Limits | None]) -> list[Limits]:
    """Limits that show most of the runs: one that diverged must not flatten the others."""
    known = [one for one in several if one is not None]
    tops = sorted(high for _, high in known)
    top = 2 * tops[(len(tops) - 1) // 2] - min(low for low, _ in known) if known else 0.0
    return [(low, min(high, top)) for low, high in known if low < top] or known


def _name_ends(ax: Axes, lines: Sequence[Line], labels: Sequence[str]) -> None:
    """Names the lines at their right ends, each as near to its own as there is room."""
    low, high = ax.get_ylim()
    ends = [float(np.clip((_finite_end(line.y) - low) / (high - low), 0, 1)) for line in lines]
    order = sorted(range(len(lines)), key=lambda index: ends[index])
    texts = [_name(ax, labels[index], lines[index].pen) for index in order]
    places = style.apart([ends[index] for index in order], [1.1 * style.size(text)[1] for text in texts], 0.0, 1.0)
    for index, text, place in zip(order, texts, places):
        text.set_y(place)
        pen = dict(color=lines[index].pen['color'], linewidth=0.6, clip_on=False)
        ax.plot([1.005, 1.03], [ends[index], place], transform=ax.transAxes, **pen)


def _finite_end(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else 0.0


def _name(ax: Axes, words: str, pen: Mapping[str, Any]) -> Text:
    weight = 'bold' if pen['linewidth'] > style.STRONG else 'normal'
    return style.say(ax, 1.035, 0, words, va='center', fontsize='small', color=style.ink(pen['color']), fontweight=weight)


def finish(figure: Figure, panels: Sequence[Axes], title: str) -> None:
    """Sets the title, and makes as much room at the sides as ticks and names need."""
    panels[0].set_title(title, pad=18, loc='left', parse_math=False)
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    for ax in panels:
        ax.spines['right'].set_visible(False)
    style.make_room(figure)
