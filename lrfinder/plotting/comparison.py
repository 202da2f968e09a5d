"""The picture of a comparison: the same training under several rates."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from typing import Any

from lrfinder.analysis.comparison import Comparison, compare
from lrfinder.analysis.metrics import ACCURACIES, METRICS, VALIDATION, WORDS
from lrfinder.plotting import style
from lrfinder.plotting.timeline import draw_panel, finish, last, line_of, numbers, panels_below, shown, time_of

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

# A run at a fixed rate: its colour and its dashes; there are as many different ones as their least common multiple.
COLORS = (style.VERMILLION, style.GREEN, style.PURPLE, style.GREY, style.ORANGE, style.SKY)
DASHES = ((0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)), '-', (0, (3, 3)))


def save_compare(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Draws the same training under several rates, and writes it to a file, whole or not at all.

    Each run has one colour, its validation a strong line and its training a thin one; at the end stands the last value. Of
    several seeds, the lines are the means.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        table: A row an observation: ``run`` (its name; the one that begins with CLR is emphasised), ``epoch`` or
            ``iteration``, ``seed`` where there are several, and any of ``lrfinder.analysis.metrics.METRICS``.

    Raises:
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(compare_figure(table), path)


def compare_figure(table: pd.DataFrame) -> Figure:
    """The figure of :func:`save_compare`: accuracy and loss, one panel below the other, as far as they were measured."""
    table = numbers(table)
    runs = {str(name): _mean_of_seeds(part) for name, part in table.groupby('run', sort=False)}
    groups = style.groups(table)
    figure, panels = panels_below([1] * max(1, len(groups)))
    times = {name: time_of(part) for name, part in runs.items()}
    for ax, (label, metrics) in zip(panels, reversed(groups)):
        strong = [metric for metric in metrics if metric in VALIDATION] or metrics
        lines = []
        for (name, part), pen in zip(runs.items(), _pens(list(runs))):
            x = times[name][0]
            thin = {**pen, 'linewidth': style.THIN, 'alpha': 0.5, 'linestyle': '-'}
            lines += [line_of(part, x, metric, '', thin) for metric in metrics if metric not in strong]
            lines += [line_of(part, x, metric, name, pen) for metric in strong]
        draw_panel(ax, label, lines)
    panels[-1].set_xlabel(next((unit for _, unit, _ in times.values()), 'epoch'))
    panels[-1].set_xlim(0, max((x.max(initial=0) for x, _, _ in times.values()), default=0) or 1)
    found = compare({str(name): _ends(part) for name, part in table.groupby('run', sort=False)})
    notes = ['strong: validation, thin: training'] if any(len(metrics) > 1 for _, metrics in groups) else []
    style.say(panels[0], 0, 1.02, '; '.join([*notes, *_verdict(found)]), fontsize='small', color=style.GREY)
    finish(figure, panels, _title(found))
    return figure


def _mean_of_seeds(run: pd.DataFrame) -> pd.DataFrame:
    """One run for its seeds; a mean with a diverged one in it is none."""
    if 'seed' not in run:
        return run
    time = 'iteration' if 'iteration' in run else 'epoch'
    by_time = run[[name for name in run if name in ('epoch', 'iteration', *METRICS)]].groupby(time)
    return by_time.mean().where(by_time.count().eq(by_time.size(), axis=0)).reset_index()


def _pens(names: Sequence[str]) -> list[dict[str, Any]]:
    pens = []
    others = 0
    for name in names:
        if name.upper().startswith('CLR'):
            pens.append(dict(color=style.BLUE, linewidth=2.6, zorder=4))
            continue
        pens.append(dict(color=COLORS[others % len(COLORS)], linestyle=DASHES[others % len(DASHES)], linewidth=1.3, zorder=3))
        others += 1
    return pens


def _title(found: Comparison | None) -> str:
    """How CLR and the best of the others end, whichever is ahead; short enough for a picture of 600 pixels."""
    if found is None:
        return 'Comparison'
    share = found.metric in ACCURACIES and all(0 <= end <= 1 for end in found.ends.values() if np.isfinite(end))
    others = (name for name in found.ends if name != found.own)
    ends = [f'CLR {shown(found.ends[found.own], share)}'] if found.own else []
    ends += [f'{name} {shown(found.ends[name], share)}' for name in islice(others, 1)]
    return f'{WORDS[found.metric].capitalize()} at the end: {", ".join(ends)}'


def _verdict(found: Comparison | None) -> list[str]:
    """What several seeds show."""
    if found is None or found.seeds == 1 or found.difference is None:
        return []
    words = {1: 'CLR is better', 0: 'no difference', -1: f'{found.rival} is better'}
    return [f'means of {found.seeds} seeds, which show: {words[found.difference.shows]}']


def _ends(run: pd.DataFrame) -> list[dict[str, float]]:
    """The last values of a run, a seed each."""
    parts = [part for _, part in run.groupby('seed')] if 'seed' in run else [run]
    return [{metric: last(part, metric) for metric in METRICS if metric in part} for part in parts]
