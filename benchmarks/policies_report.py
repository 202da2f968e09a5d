"""What schedules are worth: `python -m benchmarks.policies_report` prints the tables and draws `policies.png` and `tuning.png`.

Reads `policies.csv` and `tuning.csv`, and trains nothing. An error is in points; all are means over seeds first, then over
tasks. The best fixed rate is that of five, chosen for each task by the errors it is then judged by: no search knows it before.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import tables
from benchmarks.policies import CHECKS
from benchmarks.report import markdown
from lrfinder._files import replacing

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

ERRORS = [f'error{check}' for check in range(1, CHECKS + 1)]
GRID = [f'fixed {share:g} max' for share in (0.125, 0.25, 0.5, 1, 2)]
STEPS = [f'steps {share:g} max' for share in (0.25, 1)]
BEST_FIXED, BEST_STEPS = 'fixed, the best of five', 'steps, the better of two'
CYCLES = '#0072B2'
OTHERS = '#D55E00'
WAYS = {'plan': ('find, and its plan', '#6E6E6E'), 'tune': ('find and tune', '#0072B2'), 'optuna': ('Optuna alone', '#D55E00')}
# Updates at which the ways are compared.
BUDGETS = (1000, 2000, 4000, 7000)


def main() -> None:
    """Print the tables and draw the pictures."""
    runs = tables.read('policies.csv')
    for length, rows in runs.groupby('length'):
        print(f'{length} updates: {rows.task.nunique()} tasks, {len(rows.groupby(["task", "seed"]))} tasks and seeds')
    print('\nError over that of the best fixed rate:\n')
    print(markdown(final(runs)), '\n')
    print('How many times as fast as the best fixed rate the error is reached that that ends with:\n')
    print(markdown(speed(runs)))
    draw_policies(runs, tables.RESULTS / 'policies.png')
    if (tables.RESULTS / 'tuning.csv').exists():
        ways = tables.read('tuning.csv')
        print('\nError by the number of updates:\n')
        print(markdown(by_budget(ways)))
        draw_tuning(ways, tables.RESULTS / 'tuning.png')


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """The validation errors on the way of each schedule on each task, means over the seeds; with the best of fixed rates.

    Args:
        rows: Columns task, schedule, seed and error1, error2 ... of one length.

    Returns:
        The errors, indexed by schedule and task.
    """
    means = rows.groupby(['schedule', 'task'])[ERRORS].mean()
    bests = []
    for name, several in ((BEST_FIXED, GRID), (BEST_STEPS, STEPS)):
        found = means[means.index.get_level_values('schedule').isin(several)]
        which = found[ERRORS[-1]].groupby('task').idxmin()
        best = means.loc[which.tolist()].reset_index('schedule', drop=True)
        bests.append(pd.concat({name: best}, names=['schedule']))
    return pd.concat([means, *bests])


def over_best(rows: pd.DataFrame, lowest: bool = False) -> pd.DataFrame:
    """The errors over those of the best fixed rate: a row a schedule, a column a task.

    Args:
        rows: As for :func:`curves`.
        lowest: Whether to take the lowest error on the way, which early stopping would keep, in place of the final one.
    """
    errors = rows[ERRORS].min(axis=1) if lowest else rows[ERRORS[-1]]
    ends = rows.assign(end=errors).groupby(['schedule', 'task']).end.mean().unstack('task')
    over = ends - ends.loc[GRID].min()
    over.loc[BEST_FIXED], over.loc[BEST_STEPS] = 0.0, over.loc[STEPS].min()
    return over


def final(runs: pd.DataFrame) -> pd.DataFrame:
    """A row a schedule, the best by the shortest trainings first: its error over that of the best fixed rate, and how often
    it is lower.
    """
    found = {length: (over_best(rows), over_best(rows, lowest=True)) for length, rows in runs.groupby('length')}
    order = next(iter(found.values()))[0].mean(axis=1).sort_values(kind='stable').index
    table = {'schedule': order}
    for length, (over, stopped) in found.items():
        table[f'{length:,}: median / mean / worst'] = [_three(over.loc[name]) for name in order]
        table['better on' + ' ' * len(table)] = [f'{(over.loc[name] < 0).sum()} of {over.shape[1]}' for name in order]
        table['stopped in time' + ' ' * len(table)] = [_three(stopped.loc[name]) for name in order]
    return pd.DataFrame(table).rename(columns=str.strip)


def _three(errors: pd.Series) -> str:
    return f'{errors.median():+.2f} / {errors.mean():+.2f} / {errors.max():+.1f}'


def factors(rows: pd.DataFrame) -> pd.DataFrame:
    """How many times as fast as the best fixed rate each schedule gets to the error that that ends with.

    Both are counted to the first of twenty validations at which the error is that or lower.

    Returns:
        A row a schedule, a column a task; 0 where it never gets there.
    """
    found = curves(rows)
    target = found.loc[BEST_FIXED][ERRORS[-1]]
    reached = found.le(target.reindex(found.index.get_level_values('task')).to_numpy(), axis=0).to_numpy()
    first = pd.Series(np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf), found.index).unstack('task')
    return first.loc[BEST_FIXED] / first


def speed(runs: pd.DataFrame) -> pd.DataFrame:
    """A row a schedule: on how many tasks it gets to the error of the best fixed rate, and how fast where it does."""
    found = {length: factors(rows) for length, rows in runs.groupby('length')}
    order = (next(iter(found.values())) > 0).sum(axis=1).sort_values(ascending=False, kind='stable').index
    table = {'schedule': order}
    for length, several in found.items():
        table[f'{length:,}: reaches it on'] = [f'{(several.loc[name] > 0).sum()} of {several.shape[1]}' for name in order]
        table['median factor there' + ' ' * len(table)] = [_factor(several.loc[name]) for name in order]
    return pd.DataFrame(table).rename(columns=str.strip)


def _factor(values: pd.Series) -> str:
    reached = values[values > 0]
    return f'{reached.median():.2f}' if len(reached) else ''


def by_budget(ways: pd.DataFrame) -> pd.DataFrame:
    """A row a way: the mean error of what it would answer after so many updates; empty before it would have an answer."""
    table = {'way': [WAYS[way][0] for way in WAYS]}
    for budget in BUDGETS:
        table[f'{budget:,} updates'] = [_mean_at(ways[ways.way == way], budget) for way in WAYS]
    table['at the end'] = [_mean_at(ways[ways.way == way], 10**9) for way in WAYS]
    return pd.DataFrame(table)


def _mean_at(rows: pd.DataFrame, budget: float) -> str:
    keys = len(rows.groupby(['task', 'seed']))
    last = rows[rows.updates <= budget].dropna().groupby(['task', 'seed']).error.last()
    return f'{last.mean():.2f}' if len(last) == keys else ''


def draw_policies(runs: pd.DataFrame, path: Path) -> None:
    """Draw a row a schedule, a dot a task and a bar at the mean, a panel a length; to be read at a width of 600 pixels."""
    lengths = sorted(runs.length.unique())
    shown = {length: over_best(runs[runs.length == length]) for length in lengths}
    order = shown[lengths[0]].mean(axis=1).sort_values(ascending=False).index
    order = [name for name in order if name not in (*GRID, *STEPS, 'fixed default')]
    figure = Figure(figsize=(6, 0.28 * len(order) + 1.4), dpi=200, layout='constrained')
    panels = figure.subplots(1, len(lengths), sharey=True, squeeze=False)[0]
    for axes, length in zip(panels, lengths):
        for row, name in enumerate(order):
            values = shown[length].loc[name]
            colour = OTHERS if name in (BEST_FIXED, BEST_STEPS) else CYCLES
            axes.scatter(values, np.full(len(values), row), s=12, alpha=0.45, linewidths=0, color=colour, clip_on=False)
            axes.scatter(values.mean(), row, marker='|', s=120, color=colour)
        axes.axvline(0, color='black', linewidth=0.6)
        axes.set_xscale('symlog', linthresh=1, linscale=1)
        axes.set_xticks([-2, -1, 0, 1, 2, 5], ['-2', '-1', '0', '1', '2', '5'])
        axes.minorticks_off()
        axes.set_title(f'{length:,} updates, {shown[length].shape[1]} tasks', fontsize=9)
        axes.spines[['top', 'right', 'left']].set_visible(False)
        axes.grid(axis='x', alpha=0.3)
    panels[0].set_yticks(range(len(order)), order, fontsize=8)
    figure.supxlabel('validation error over that of the best fixed rate of five, in points', fontsize=9)
    with replacing(path) as file:
        figure.savefig(file)


def draw_tuning(ways: pd.DataFrame, path: Path) -> None:
    """Draw the mean error of the three ways over the number of updates."""
    figure = Figure(figsize=(6, 3.2), dpi=200, layout='constrained')
    axes = figure.subplots()
    end = ways.groupby(['task', 'seed']).updates.max().max()
    budgets = np.arange(400, end + 50, 50)
    for way, (name, colour) in WAYS.items():
        rows = ways[ways.way == way]
        values = [float(_mean_at(rows, budget) or 'nan') for budget in budgets]
        axes.step(budgets, values, where='post', color=colour, linewidth=1.8, label=name)
    axes.set_yscale('log')
    axes.set_yticks([10, 15, 20, 30, 40], ['10', '15', '20', '30', '40'])
    axes.minorticks_off()
    axes.set_xlabel('updates in all, the range test included')
    axes.set_ylabel('test error in points')
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False)
    with replacing(path) as file:
        figure.savefig(file)


if __name__ == '__main__':
    main()
