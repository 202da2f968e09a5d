"""The pictures of a tuned schedule: how the trials went, and how they ended by policy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lrfinder._names import counted, printable
from lrfinder.analysis.metrics import ACCURACIES, WORDS, cost_sign
from lrfinder.analysis.smoothing import Floats
from lrfinder.plotting import style
from lrfinder.plotting.timeline import Line, draw_panel, finish, panels_below, shown

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# The first validations of a training are far from the others, and left out.
_START = 0.2
_CHOSEN = dict(color=style.BLUE, linewidth=2.6, zorder=5)
_DEFAULT = dict(color=style.VERMILLION, linewidth=1.5, linestyle=(0, (5, 1.5)), zorder=4)
_BEST = dict(color=style.GREEN, linewidth=1.5, linestyle=(0, (1.5, 1)), zorder=3)
_OTHER = dict(color=style.GREY, linewidth=0.8, alpha=0.55, zorder=2)


def save_tuning(path: str | os.PathLike[str], trials: pd.DataFrame, curves: pd.DataFrame, metric: str, chosen: int) -> None:
    """Draws the validation of all trials, that of the answer in front, and writes it to a file, whole or not at all.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        trials: A row a trial, the first without tuning; columns as of :class:`lrfinder.Tuned`.
        curves: A row a validation: ``trial``, ``iteration``, ``value``.
        metric: What was measured, one of ``lrfinder.analysis.metrics.VALIDATION``.
        chosen: The trial that the answer is of.

    Raises:
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(tuning_figure(trials, curves, metric, chosen), path)


def save_by_policy(path: str | os.PathLike[str], trials: pd.DataFrame, metric: str, chosen: int) -> None:
    """Draws how the trials ended, a row a policy; arguments and errors are those of :func:`save_tuning`."""
    with style.own_style():
        style.save(by_policy_figure(trials, metric, chosen), path)


def tuning_png(trials: pd.DataFrame, curves: pd.DataFrame, metric: str, chosen: int) -> bytes:
    """The picture of :func:`save_tuning` as the content of a PNG file."""
    with style.own_style():
        return style.drawn(tuning_figure(trials, curves, metric, chosen))


def tuning_figure(trials: pd.DataFrame, curves: pd.DataFrame, metric: str, chosen: int) -> Figure:
    """The figure of :func:`save_tuning`."""
    figure, (ax,) = panels_below([6])
    pens = _pens(trials, metric, chosen)
    end = max(int(curves['iteration'].max()), 1) if len(curves) else 1
    lines = []
    for number, curve in curves[curves['iteration'] >= _START * end].groupby('trial', sort=True):
        name, pen = pens.get(int(str(number)), ('', _OTHER))
        values = curve['value'].to_numpy(float)
        lines.append(Line(name, curve['iteration'].to_numpy(float), values, float(values[-1]), pen))
    draw_panel(ax, 'accuracy' if metric in ACCURACIES else 'loss', sorted(lines, key=lambda line: line.pen['zorder']))
    ax.set_xlim(_START * end, end)
    ax.set_xlabel('iteration')
    finish(figure, [ax], f'{WORDS[metric].capitalize()} of {len(trials)} trials')
    return figure


def _pens(trials: pd.DataFrame, metric: str, chosen: int) -> dict[int, tuple[str, Mapping[str, Any]]]:
    """What the trials that matter are called, and how they are drawn; one may be several of them."""
    names = dict(zip(trials['trial'], map(_name, trials.to_dict('records'))))
    costs = cost_sign(metric) * trials.set_index('trial')['value'].dropna()
    best = {int(str(costs.idxmin())): ('best trial', _BEST)} if len(costs) else {}
    found = {**best, int(trials['trial'].iloc[0]): ('without tuning', _DEFAULT)}
    words = {number: f'{word}\n{names[number]}' for number, (word, _) in found.items()}
    found = {number: (words[number], pen) for number, (_, pen) in found.items()}
    return {**found, chosen: (f'the answer\n{names[chosen]}', _CHOSEN)}


def by_policy_figure(trials: pd.DataFrame, metric: str, chosen: int) -> Figure:
    """The figure of :func:`save_by_policy`."""
    ended = trials[np.isfinite(trials['value'].astype(float))]
    best = (cost_sign(metric) * ended['value']).groupby(ended['policy']).min().sort_values(ascending=False)
    policies = [*sorted(set(trials['policy']) - set(best.index)), *best.index]
    figure = style.own_figure(1.2 + 0.3 * len(policies))
    figure.subplots_adjust(left=0.18, right=0.95, bottom=0.55 / figure.get_figheight(), top=1 - 0.4 / figure.get_figheight())
    ax = figure.subplots()
    share = metric in ACCURACIES
    values: Floats = ended['value'].to_numpy(float) * (100 if share else 1)
    rows = ended['policy'].map(policies.index).to_numpy(float)
    own = (ended['trial'] == chosen).to_numpy()
    ax.scatter(values[~own], rows[~own], s=26, color=style.GREY, alpha=0.7, linewidths=0)
    ax.scatter(values[own], rows[own], s=60, color=style.BLUE, zorder=3)
    for value, row, policy, factor in zip(values, rows, ended['policy'], ended['max'] / trials['max'].iloc[0]):
        if policy != 'fixed' and not 0.99 < factor < 1.01:
            ax.annotate(f'x{factor:.2g}', (value, row), (0, 5), textcoords='offset points', ha='center', fontsize=6.5)
    for row, policy in enumerate(policies):
        lost = trials[(trials['policy'] == policy) & (trials['state'] != 'finished')]
        words = ', '.join(f'{count} {state}' for state, count in lost['state'].value_counts().items())
        style.say(ax, 1.02, (row + 0.5) / len(policies), words, va='center', fontsize='x-small', color=style.GREY)
    ax.set_yticks(range(len(policies)), [printable(name) for name in policies])
    ax.set_ylim(-0.5, len(policies) - 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.grid(axis='x', alpha=0.3)
    ax.spines[['left', 'right']].set_visible(False)
    ax.set_xlabel(
        WORDS[metric] + (' at the end (%)' if share else ' at the end') + '; x2, x0.5: times the maximum that was found'
    )
    chosen_row = trials[trials['trial'] == chosen].to_dict('records')[0]
    value = chosen_row['value']
    told = shown(float('nan') if value is None else float(value), share)
    ax.set_title(f'{len(trials)} trials; in blue the answer, {_name(chosen_row)}: {told}', loc='left', parse_math=False)
    style.make_room(figure)
    return figure


def _name(row: Mapping[Any, Any]) -> str:
    cycles = row['cycles']
    return f'{row["policy"]}' if pd.isna(cycles) else f'{row["policy"]}, {counted(cycles, "cycle")}'
