"""The picture of a training under CLR."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from clr.policies import is_endless, length_of, named
from lrfinder.analysis.smoothing import Floats
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.plotting import style
from lrfinder.plotting.timeline import draw_panel, finish, line_of, numbers, panels_below, time_of

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# More cycles than these are too narrow to be marked.
MOST_CYCLES = 20


def save_training(path: str | os.PathLike[str], entries: Sequence[Mapping[str, Any]], suggestion: Suggestion) -> None:
    """Draws a training under CLR, and writes it to a file, whole or not at all: accuracy, loss and the rate, cycle by cycle.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        entries: The log of Chainer's ``LogReport``: ``iteration``, ``epoch``, the rate (``lr`` or ``alpha``), and any of the
            metrics of :data:`lrfinder.analysis.metrics.METRICS`; ``None`` and NaN stand for what was not finite.
        suggestion: What was trained with. Its policy is drawn as a line, the logged rates as dots: a rate is that of the last
            update before it was logged.

    Raises:
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(training_figure(entries, suggestion), path)


def training_figure(entries: Sequence[Mapping[str, Any]], suggestion: Suggestion) -> Figure:
    """The figure of :func:`save_training`: accuracy, loss and rate, one panel below the other, as far as they were logged."""
    table = numbers(pd.DataFrame(list(entries)))
    groups = style.groups(table)
    figure, panels = panels_below([3] * len(groups) + [2])
    x, unit, per_epoch = time_of(table, suggestion.iterations_per_epoch)
    for ax, (label, metrics) in zip(panels, reversed(groups)):
        lines = [line_of(table, x, metric, style.kind(metric), style.pen(metric)) for metric in metrics]
        draw_panel(ax, label, lines)
    _draw_rate(panels[-1], table, x, per_epoch, suggestion)
    panels[-1].set_xlabel(unit)
    if is_endless(suggestion.policy):
        _mark_cycles(panels, suggestion, per_epoch)
    finish(figure, panels, f'Training: {style.title(suggestion)}')
    return figure


def _draw_rate(ax: Axes, table: pd.DataFrame, x: Floats, per_epoch: float, suggestion: Suggestion) -> None:
    column = next((name for name in ('lr', suggestion.attr) if name in table), None)
    logged = table[column].to_numpy(float) if column else np.full(len(x), np.nan)
    end = float(np.max(x, initial=0)) or 1.0
    steps = np.linspace(0, end * per_epoch, 1500)
    try:
        rates = named(suggestion.policy)(steps, suggestion.value_range, suggestion.step_size)
    except ValueError:  # a policy of the user's own, which has but a name here
        rates = steps[:0]
    bounds = style.union([(min(values), max(values)) for values in (rates, logged[np.isfinite(logged)]) if len(values)])
    style.shelve(ax, bounds, (0.1, 0.9), suggestion.attr)
    ax.set_xlim(0, end)
    ax.plot(steps[: len(rates)] / per_epoch, rates, color=style.GREEN, linewidth=1.2)
    # The last update of n is that of step n - 1.
    ax.plot(x - 1 / per_epoch, logged, '.', color=style.GREEN, markersize=4)


def _mark_cycles(panels: Sequence[Axes], suggestion: Suggestion, per_epoch: float) -> None:
    """Shades every other cycle, and counts them at the top."""
    end = panels[-1].get_xlim()[1]
    ends = [0.0]
    while ends[-1] < end * (1 - 1e-6) and len(ends) <= MOST_CYCLES + 1:
        ends.append(length_of(suggestion.policy, suggestion.step_size, len(ends)) / per_epoch)
    count = len(ends) - 1
    for cycle in range(count if count <= MOST_CYCLES else 0):
        left, right = ends[cycle], min(ends[cycle + 1], end)
        for ax in panels if cycle % 2 else ():
            ax.axvspan(left, right, color=style.GREY, alpha=0.1, linewidth=0, zorder=0)
        words = f'cycle {cycle + 1}' if count <= 6 else f'{cycle + 1}'
        style.say(panels[0], (left + right) / 2 / end, 1.02, words, ha='center', fontsize='small', color=style.GREY)
