"""The table of what is aimed at: each measure for each group of tasks and each budget, with the number of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import scoring, tables
from benchmarks.tasks import TASKS
from lrfinder._files import replacing

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

COLUMNS = {'fresh': ['fresh'], '72 tasks': ['held', 'tune'], 'held': ['held'], 'tune': ['tune'], 'kinds': ['kinds']}
GROUP = {task.name: task.group for task in TASKS}
FRONTIER: dict[str, dict[str, Any]] = {
    '72 tasks': {'marker': 's', 'linestyle': '-'},
    'fresh': {'marker': 'o', 'linestyle': ':', 'fillstyle': 'none'},
}
LABELLED = '72 tasks'  # the colours tell the other
AVERAGES: dict[str, dict[str, Any]] = {'mean': FRONTIER['72 tasks'], 'median': FRONTIER['fresh']}
COLOURS = {'lrfinder': '#0072B2', 'Optuna median': '#D55E00', 'Optuna hyperband': '#CC79A7', 'grid search': '#666666'}
OPTUNA = 'Optuna median, 1600'  # that which the target is set against


@dataclass(frozen=True)
class Results:
    """The tables that the measures are made of; `ours` and `long` by their budgets."""

    oracle: pd.DataFrame
    ours: Mapping[int, pd.DataFrame]
    optuna: pd.DataFrame
    long_oracle: pd.DataFrame
    long: Mapping[int, pd.DataFrame]


def read() -> Results:
    """What is measured so far; a table that is missing is empty."""
    return Results(
        tables.read('oracle.csv'),
        tables.read_budgets('ours'),
        tables.read_or_empty('optuna.csv', ['task', 'seed', 'rule', 'budget', 'error', 'fixed_error']),
        tables.read_or_empty('long_oracle.csv', ['task', 'max', 'seed', 'error', 'collapsed']),
        tables.read_budgets('long'),
    )


def rows(results: Results) -> pd.DataFrame:
    """A row a measure and budget, as texts: columns measure, budget, and those of `COLUMNS`."""
    found = [row for budget in results.ours for row in _of_budget(results, budget)]
    found += _of_optuna(results)
    return pd.DataFrame(found, columns=['measure', 'budget', *COLUMNS])


def _of_budget(results: Results, budget: int) -> list[list[str]]:
    ours = results.ours[budget]
    scores = scoring.score(results.oracle, _as_rule(ours), GROUP).set_index('task')
    measures = {
        'regret in points: mean / worst': _in_groups(scores.regret, ['mean', 'max']),
        'collapses': _in_groups(scores.collapses, ['sum'], '.0f'),
        'updates: median': _in_groups(ours[ours.updates > 0].set_index('task').updates, ['median'], '.0f'),
        'offset from the best rate in decades: mean': _in_groups(scoring.offsets(results.oracle, ours), ['mean'], '+.2f'),
        '90th over 10th percentile of the maximum: median / worst': _in_groups(scores.spread, ['median', 'max']),
    }
    if 'low' in ours:
        shares = 100 * scoring.coverage(ours)
        measures["the interval holds another seed's maximum, in percent"] = _in_groups(shares, ['mean'], '.0f')
    if 'low_error' in ours:
        shares = 100 * scoring.kept_promises(results.oracle, ours)
        measures['the ends of the band are within a point of the best, in percent'] = _in_groups(shares, ['mean'], '.0f')
    return [[name, str(budget), *cells] for name, cells in measures.items()]


def _of_optuna(results: Results) -> list[list[str]]:
    runs = scoring.optuna_runs(results.optuna)
    if runs.empty:
        return []
    scores = scoring.score(results.oracle, runs, GROUP).set_index('task')
    found = []
    for rule, those in scores.groupby('rule'):
        name, _, budget = str(rule).rpartition(', ')
        found.append([f'regret of {name}: mean / worst', budget, *_in_groups(those.regret, ['mean', 'max'])])
    if tables.BUDGET in results.ours:
        ours = scoring.score(results.oracle, _as_rule(results.ours[tables.BUDGET]), GROUP).set_index('task').regret
        theirs = scores[scores.rule == OPTUNA].regret
        shared = theirs.index.intersection(ours.index)
        pairs = [(_group(theirs[shared], groups), _group(ours[shared], groups)) for groups in COLUMNS.values()]
        cells = [
            '' if of_theirs.empty else f'{of_theirs.mean() / of_ours.mean():.1f} ({len(of_ours)})'
            for of_theirs, of_ours in pairs
        ]
        found.append([f'regret of {OPTUNA} over ours at {tables.BUDGET}', '', *cells])
    return found


def _as_rule(ours: pd.DataFrame) -> pd.DataFrame:
    return ours.assign(rule='lrfinder')


def _group(values: pd.Series, groups: list[str]) -> pd.Series:
    return values[[GROUP.get(task) in groups for task in values.index]].dropna()


def _in_groups(values: pd.Series, how: list[str], form: str = '.1f') -> list[str]:
    """A cell a column: the values of its tasks in short, and in brackets how many there are."""
    cells = []
    for groups in COLUMNS.values():
        some = _group(values, groups)
        figures = ' / '.join(f'{some.agg(one):{form}}' for one in how)
        cells.append(f'{figures} ({some.index.nunique()})' if len(some) else '')
    return cells


def long_rows(results: Results) -> pd.DataFrame:
    """A row a budget, as texts: what the range is worth in a training ten times as long as the test; and a grid search's."""
    how_of = {'points': ['mean', 'max'], 'excess': ['mean', 'median', 'max']}
    found = []
    for rule, runs in _long_rules(results).items():
        by_task = scoring.long_trainings(results.long_oracle, runs)
        if len(by_task):
            pairs = (' / '.join(f'{by_task[name].agg(how):.1f}' for how in how_of[name]) for name in how_of)
            found.append([rule, str(len(by_task)), *pairs, f'{by_task.collapses.sum():.0f}'])
    columns = ['budget', 'tasks', 'points: mean / worst', 'excess in percent: mean / median / worst', 'collapses']
    return pd.DataFrame(found, columns=columns)


def long_details(results: Results) -> pd.DataFrame:
    """A row a long task and budget, as texts."""
    found = [
        [str(task), str(budget), *(f'{row[name]:.1f}' for name in ('best', 'points', 'excess')), f'{row.collapses:.0f}']
        for budget, runs in results.long.items()
        for task, row in scoring.long_trainings(results.long_oracle, runs).iterrows()
    ]
    return pd.DataFrame(found, columns=['task', 'budget', 'best error', 'points over it', 'in percent', 'collapses'])


def frontier(results: Results) -> pd.DataFrame:
    """How much regret is left at what cost: lrfinder, Optuna and the grid search.

    Returns:
        Columns group, family, rule, and the mean updates and regret over all tasks of the group; a rule that was not measured
        on all of them is left out.
    """
    ours = [_as_rule(runs).assign(rule=f'lrfinder, {budget}') for budget, runs in results.ours.items()]
    rivals = scoring.optuna_runs(results.optuna), scoring.grid_searches(results.oracle)
    scores = scoring.score(results.oracle, pd.concat([rows for rows in (*ours, *rivals) if len(rows)]), GROUP)
    parts = []
    for column in FRONTIER:
        some = scores[scores.group.isin(COLUMNS[column])].dropna(subset='regret')
        whole = some[some.groupby('rule').task.transform('count') == _size(column)]
        parts.append(whole.groupby('rule')[['updates', 'regret']].mean().reset_index().assign(group=column))
    found = pd.concat(parts)
    found['family'] = [rule.partition(',')[0] for rule in found.rule]
    return found.sort_values('updates')


def _size(column: str) -> int:
    return sum(group in COLUMNS[column] for group in GROUP.values())


def long_frontier(results: Results) -> pd.DataFrame:
    """How far trainings of 6,000 updates end above the best range at what cost: lrfinder, and a grid search from another seed.

    Returns:
        Columns family, updates (the mean), mean and median: of the excess over all tasks, in percent.
    """
    rows = []
    for rule, runs in _long_rules(results).items():
        excess = scoring.long_trainings(results.long_oracle, runs).excess
        family = 'grid search' if rule == scoring.GRID_ONE else 'lrfinder'
        rows.append((family, runs.updates[runs.updates > 0].mean(), excess.mean(), excess.median()))
    return pd.DataFrame(rows, columns=['family', 'updates', 'mean', 'median'])


def _long_rules(results: Results) -> dict[str, pd.DataFrame]:
    """The long trainings by the budget of an answer, and those of a grid search; none where none was measured."""
    rules = {str(budget): runs for budget, runs in results.long.items()}
    return {**rules, scoring.GRID_ONE: scoring.long_grid_search(results.long_oracle)} if rules else {}


def draw_frontier(results: Results, path: Path) -> None:
    """Draw :func:`frontier` and :func:`long_frontier` side by side, all axes logarithmic."""
    figure = Figure(figsize=(10, 4), dpi=200, layout='constrained')
    short, long = figure.subplots(1, 2, width_ratios=(3, 2))
    for (group, family), those in frontier(results).groupby(['group', 'family']):
        _draw_course(short, those[['updates', 'regret']], family, family * (group == LABELLED), **FRONTIER[group])
    for group, style in FRONTIER.items():
        short.plot([], [], color='black', label=group, **style)
    for family, those in long_frontier(results).groupby('family'):
        for how, style in AVERAGES.items():
            _draw_course(long, those[['updates', how]], str(family), f'{family}, {how}', **style)
    short.set(xlabel='updates that an answer costs', ylabel='mean regret, in points', title='trainings of 350 updates')
    long.set(xlabel='updates that an answer costs', ylabel='error over the best, in percent', title='of 6,000 updates')
    short.legend(frameon=False)
    for axes, updates in ((short, (100, 200, 500, 1000, 2000, 5000, 10000, 20000)), (long, (500, 2000, 10000, 50000))):
        for axis, ticks in ((axes.xaxis, updates), (axes.yaxis, (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50))):
            axis.set_major_locator(FixedLocator(ticks))
            axis.set_major_formatter('{x:,g}')
            axis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
    with replacing(path) as file:
        figure.savefig(file)


def _draw_course(axes: Axes, points: pd.DataFrame, family: str, name: str, **style: Any) -> None:
    """Draw updates and what is left after them; the name stands at the end."""
    axes.loglog(*points.to_numpy().T, color=COLOURS[family], **style)
    axes.annotate(name, tuple(points.iloc[-1]), (5, 5), textcoords='offset points', fontsize=7, color=COLOURS[family])
