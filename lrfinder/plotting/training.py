"""Pictures of what goes over time: a training, a comparison of several, and a policy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clr.policies import POLICIES, Policy
from lrfinder.analysis.analyzer import ACCURACIES, NAMES
from lrfinder.analysis.curve import ACCURACY, LOSS, METRICS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.plotting import style
from lrfinder.plotting.style import Floats, Limits

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

# A run at a fixed rate: its colour and its dashes; there are as many different ones as their least common multiple.
COLORS = (style.VERMILLION, style.GREEN, style.PURPLE, style.GREY, style.ORANGE, style.SKY)
DASHES = ((0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)), '-', (0, (3, 3)))

# More cycles than these are too narrow to be marked.
MOST_CYCLES = 20

# The example of arXiv 1506.01186, section 4.1: CIFAR-10.
EXAMPLE_RANGE, EXAMPLE_STEP_SIZE = (0.001, 0.006), 2000


def save_training(path: str | os.PathLike[str], entries: Sequence[Mapping[str, Any]], suggestion: Suggestion) -> None:
    """Draws a training under CLR, and writes it to a file, whole or not at all: accuracy, loss and the rate, cycle by cycle.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        entries: The log of Chainer's ``LogReport``: ``iteration``, ``epoch``, the rate (``lr`` or ``alpha``), and any of the
            metrics of :data:`lrfinder.analysis.curve.METRICS`; ``None`` and NaN stand for what was not finite.
        suggestion: What was trained with. Its policy is drawn as a line, the logged rates as dots.

    Raises:
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(training_figure(entries, suggestion), path)


def save_compare(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Draws the same training under several rates, and writes it to a file, whole or not at all.

    Each run has one colour, its validation a strong line and its training a thin one; at the end stands the last value. Of
    several seeds, the lines are the means.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        table: A row an observation: ``run`` (its name; the one that begins with CLR is emphasised), ``epoch`` or
            ``iteration``, ``seed`` where there are several, and any of the metrics of :data:`lrfinder.analysis.curve.METRICS`.

    Raises:
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(compare_figure(table), path)


def save_policy(path: str | os.PathLike[str], name: str, policy: Policy, cycles: float = 3) -> None:
    """Draws a policy over its steps, and writes it to a file, whole or not at all.

    Bounds and length are those of an example, CIFAR-10 in arXiv 1506.01186, section 4.1.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        name: What to call it.
        policy: One of :mod:`clr.policies`, or any other of their form.
        cycles: How many cycles to show.

    Raises:
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(policy_figure(name, policy, cycles), path)


# A training


def training_figure(entries: Sequence[Mapping[str, Any]], suggestion: Suggestion) -> Figure:
    """The figure of :func:`save_training`: accuracy, loss and rate, one panel below the other, as far as they were logged."""
    table = _numbers(pd.DataFrame(list(entries)))
    groups = style.groups(table)
    figure, panels = _panels([3] * len(groups) + [2])
    x, unit, per_epoch = _time(table, suggestion.iterations_per_epoch)
    for ax, (label, metrics) in zip(panels, reversed(groups)):
        lines = [_line(table, x, metric, style.kind(metric), style.pen(metric)) for metric in metrics]
        _draw_panel(ax, label, lines)
    _draw_rate(panels[-1], table, x, per_epoch, suggestion)
    panels[-1].set_xlabel(unit)
    _mark_cycles(panels, 2 * suggestion.step_size / per_epoch)
    _finish(figure, panels, f'Training: {style.title(suggestion)}')
    return figure


def _draw_rate(ax: Axes, table: pd.DataFrame, x: Floats, per_epoch: float, suggestion: Suggestion) -> None:
    column = next((name for name in ('lr', suggestion.attr) if name in table), None)
    logged = table[column].to_numpy(float) if column else np.full(len(x), np.nan)
    end = float(np.max(x, initial=0)) or 1.0
    steps = np.linspace(0, end * per_epoch, 1500)
    policy = POLICIES.get(suggestion.policy)
    rates = policy(steps, suggestion.value_range, suggestion.step_size) if policy else steps[:0]
    bounds = style.union([(min(values), max(values)) for values in (rates, logged[np.isfinite(logged)]) if len(values)])
    style.shelve(ax, bounds, (0.1, 0.9), suggestion.attr)
    ax.set_xlim(0, end)
    ax.plot(steps[: len(rates)] / per_epoch, rates, color=style.GREEN, linewidth=1.2)
    ax.plot(x, logged, '.', color=style.GREEN, markersize=4)


def _mark_cycles(panels: Sequence[Axes], length: float) -> None:
    """Shades every other cycle, and counts them at the top."""
    end = panels[-1].get_xlim()[1]
    count = int(np.ceil(end / length - 1e-6))
    for cycle in range(count if count <= MOST_CYCLES else 0):
        left, right = cycle * length, min((cycle + 1) * length, end)
        for ax in panels if cycle % 2 else ():
            ax.axvspan(left, right, color=style.GREY, alpha=0.1, linewidth=0, zorder=0)
        words = f'cycle {cycle + 1}' if count <= 6 else f'{cycle + 1}'
        style.say(panels[0], (left + right) / 2 / end, 1.02, words, ha='center', fontsize='small', color=style.GREY)


# A comparison


def compare_figure(table: pd.DataFrame) -> Figure:
    """The figure of :func:`save_compare`: accuracy and loss, one panel below the other, as far as they were measured."""
    table = _numbers(table)
    runs = {str(name): _mean_of_seeds(part) for name, part in table.groupby('run', sort=False)}
    groups = style.groups(table)
    figure, panels = _panels([1] * max(1, len(groups)))
    times = {name: _time(part) for name, part in runs.items()}
    for ax, (label, metrics) in zip(panels, reversed(groups)):
        strong = [metric for metric in metrics if metric in style.VALIDATION] or metrics
        lines = []
        for (name, part), pen in zip(runs.items(), _pens(list(runs))):
            x = times[name][0]
            thin = {**pen, 'linewidth': style.THIN, 'alpha': 0.5, 'linestyle': '-'}
            lines += [_line(part, x, metric, '', thin) for metric in metrics if metric not in strong]
            lines += [_line(part, x, metric, name, pen) for metric in strong]
        _draw_panel(ax, label, lines)
    panels[-1].set_xlabel(next((unit for _, unit, _ in times.values()), 'epoch'))
    panels[-1].set_xlim(0, max((x.max(initial=0) for x, _, _ in times.values()), default=0) or 1)
    if any(len(metrics) > 1 for _, metrics in groups):
        style.say(panels[0], 0, 1.02, 'strong: validation, thin: training', fontsize='small', color=style.GREY)
    _finish(figure, panels, _verdict(runs, [metric for _, metrics in groups for metric in metrics]))
    return figure


def _mean_of_seeds(run: pd.DataFrame) -> pd.DataFrame:
    """One run for its seeds; a mean with a broken one in it is none."""
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


def _verdict(runs: Mapping[str, pd.DataFrame], metrics: Sequence[str]) -> str:
    """How CLR and the best of the others end, whichever is ahead; short enough for a picture of 600 pixels."""
    best_first = (VALIDATION_ACCURACY, VALIDATION_LOSS, ACCURACY, LOSS)
    metric = next((name for name in best_first if name in metrics), None)
    if metric is None:
        return 'Comparison'
    sign = -1 if metric in ACCURACIES else 1
    lasts = {name: _last(part, metric) for name, part in runs.items()}
    ranked = sorted(lasts, key=lambda name: sign * lasts[name] if np.isfinite(lasts[name]) else np.inf)
    share = metric in ACCURACIES and all(0 <= last <= 1 for last in lasts.values() if np.isfinite(last))
    clr = next((name for name in ranked if name.upper().startswith('CLR')), None)
    other = next((name for name in ranked if name != clr), None)
    ends = [f'CLR {_shown(lasts[clr], share)}'] if clr else []
    ends += [f'{other} {_shown(lasts[other], share)}'] if other else []
    return f'{NAMES[metric].capitalize()} at the end: {", ".join(ends)}'


# A policy


def policy_figure(name: str, policy: Policy, cycles: float) -> Figure:
    """The figure of :func:`save_policy`."""
    figure = style.own_figure(2.2)
    figure.subplots_adjust(left=0.12, right=0.92, bottom=0.22, top=0.88)
    ax = figure.subplots()
    low, high = EXAMPLE_RANGE
    end = 2 * cycles * EXAMPLE_STEP_SIZE
    steps = np.linspace(0, end * (1 - 1e-9), 3001)  # without the restart at the end
    style.shelve(ax, EXAMPLE_RANGE, (0.2, 0.94), 'learning rate')
    ax.set_xlim(0, end)
    ax.set_xlabel('iteration')
    ax.set_title(name, loc='left')
    ax.spines['right'].set_visible(False)
    for rate, word in zip(EXAMPLE_RANGE, ('min', 'max')):
        ax.axhline(rate, color=style.GREY, linewidth=0.7, linestyle=':')
        ax.annotate(word, (1.01, rate), xycoords=('axes fraction', 'data'), va='center', fontsize='small', fontweight='bold')
    ax.plot(steps, policy(steps, (low, high), EXAMPLE_STEP_SIZE), color=style.BLUE, linewidth=style.STRONG, clip_on=False)
    _mark_step_size(ax)
    return figure


def _mark_step_size(ax: Axes) -> None:
    end = EXAMPLE_STEP_SIZE / ax.get_xlim()[1]
    ax.annotate('', (0, 0.08), (end, 0.08), xycoords='axes fraction', arrowprops=dict(arrowstyle='<->', shrinkA=0, shrinkB=0))
    style.say(ax, end + 0.01, 0.08, f'step_size {EXAMPLE_STEP_SIZE}', va='center', fontsize='small')


# Lines over time


@dataclass(frozen=True)
class _Line:
    """One metric over time, named at its end if it has a name."""

    name: str
    x: Floats
    y: Floats
    last: float
    pen: Mapping[str, Any]


def _line(table: pd.DataFrame, x: Floats, metric: str, name: str, pen: Mapping[str, Any]) -> _Line:
    y = table[metric].to_numpy(float)
    measured = ~np.isnan(y)
    return _Line(name, x[measured], y[measured], _last(table, metric), pen)


def _last(table: pd.DataFrame, metric: str) -> float:
    """The last value measured; NaN where the training had broken by then."""
    if LOSS in table and len(table) and not np.isfinite(table[LOSS].iloc[-1]):
        return float('nan')
    values = table[metric].dropna()
    return float(values.iloc[-1]) if len(values) else float('nan')


def _shown(value: float, share: bool) -> str:
    if not np.isfinite(value):
        return 'broke'
    return f'{value:.1%}' if share else style.number(value)


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The table with what is no number as NaN, in all columns that are to be numbers."""
    columns = [name for name in ('epoch', 'iteration', 'lr', 'alpha', *METRICS) if name in table]
    return table.assign(**{name: pd.to_numeric(table[name], errors='coerce').astype(float) for name in columns})


def _time(table: pd.DataFrame, per_epoch: float | None = None) -> tuple[Floats, str, float]:
    """Where each row stands in time, the unit, and how many iterations that is."""
    if 'iteration' not in table:
        return table['epoch'].to_numpy(float) if 'epoch' in table else np.arange(float(len(table))), 'epoch', per_epoch or 1.0
    iterations = table['iteration'].to_numpy(float)
    if not per_epoch and 'epoch' in table and len(table) and table['epoch'].iloc[-1] > 0:
        per_epoch = float(iterations[-1] / table['epoch'].iloc[-1])
    return (iterations / per_epoch, 'epoch', per_epoch) if per_epoch else (iterations, 'iteration', 1.0)


def _panels(heights: Sequence[int]) -> tuple[Figure, list[Axes]]:
    """Panels one below the other, with one time."""
    figure = style.own_figure(1.0 + 0.55 * sum(heights) if sum(heights) > 2 else 1.1 + 1.9 * len(heights))
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.45 / height, top=1 - 0.5 / height, hspace=0.12)
    return figure, list(figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0])


def _draw_panel(ax: Axes, label: str, lines: Sequence[_Line]) -> None:
    found = [style.limits(line.y, rising=label == 'accuracy') for line in lines]
    share = style.is_share(label, found)
    bounds = style.union(_of_most(found) if label == 'loss' else found, share)
    style.shelve(ax, bounds, (0.05, 0.95), label, share=share)
    for line in lines:
        alone = len(line.x) == 1
        ax.plot(line.x, style.within(line.y, bounds), marker='o' if alone else '', clip_on=not alone, markersize=4, **line.pen)
    named = [line for line in lines if line.name]
    _name_ends(ax, named, [f'{line.name}: {_shown(line.last, share)}' for line in named])


def _of_most(several: Iterable[Limits | None]) -> list[Limits]:
    """Limits that show most of the runs: one that broke must not flatten the others."""
    known = [one for one in several if one is not None]
    tops = sorted(high for _, high in known)
    top = 2 * tops[(len(tops) - 1) // 2] - min(low for low, _ in known) if known else 0.0
    return [(low, min(high, top)) for low, high in known if low < top] or known


def _name_ends(ax: Axes, lines: Sequence[_Line], labels: Sequence[str]) -> None:
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


def _finish(figure: Figure, panels: Sequence[Axes], title: str) -> None:
    """Sets the title, and makes as much room at the sides as ticks and names need."""
    panels[0].set_title(title, pad=18, loc='left')
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    for ax in panels:
        ax.spines['right'].set_visible(False)
    style.make_room(figure)
