"""The benchmark's result: `python -m benchmarks.report` prints the tables and draws `regret.png`.

Regret is the validation error after training in a rule's range, minus that of the best of the oracle's ranges by the same three
seeds, both means over them, in points. Reads what the other commands measured, and what they measured it with; trains nothing.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benchmarks import provenance, tables
from benchmarks.measuring import OTHER_SEEDS, PARTNER, SEEDS
from benchmarks.oracle import best_ranges
from benchmarks.tasks import TASKS
from lrfinder._files import replacing

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OURS = 'lrfinder'
UNVALIDATED = 'lrfinder, no evaluator'
ELSEWHERE = 'lrfinder, other seeds'
GRID_ONE = 'grid search, one seed'
GRID_THREE = 'grid search, three seeds'
GROUPS = {'fresh': 'never looked at', 'held': 'looked at, not tuned on', 'tune': 'tuned on'}
COLOURS = {'fresh': '#0072B2', 'held': '#56B4E9', 'tune': '#E69F00'}  # told apart by the colour-blind too
MARKERS = {'fresh': 'o', 'held': 's', 'tune': 'D'}
SHIFTS = {'fresh': 0.25, 'held': 0.0, 'tune': -0.25}  # of the middle of a row


def main() -> None:
    """Print the tables and draw the picture."""
    oracle = tables.read('oracle.csv')
    peers = tables.read('peers.csv').merge(tables.read('peers_regret.csv').drop(columns='max'), how='left')
    ours = tables.read('ours.csv').assign(rule=OURS)
    unvalidated = tables.read('ours_without_validation.csv').assign(rule=UNVALIDATED)
    elsewhere = tables.read('ours_other_seeds.csv').assign(rule=ELSEWHERE)
    runs = pd.concat([ours, unvalidated, elsewhere, grid_searches(oracle), peers])
    scores = score(oracle, runs, {task.name: task.group for task in TASKS})
    scores.loc[scores.rule.isin([UNVALIDATED, ELSEWHERE, GRID_THREE]), 'spread'] = math.nan  # too few answers, or another row's
    print(markdown(summary(scores)), '\n')
    print(f'{OURS}, task by task:\n')
    print(markdown(details(scores, oracle[oracle.seed.isin(SEEDS)])), '\n')
    print('Maxima by a ramp of 1,000 updates over those by one of 100:\n')
    print(markdown(steadiness(tables.read('steady.csv'))), '\n')
    print('What each table was made with:\n')
    origins, versions = provenance.summary(tables.read_provenance())
    print(markdown(origins), '\n')
    for number, text in enumerate(versions, 1):
        print(f'{number}. {text}')
    draw(scores, tables.RESULTS / 'regret.png')


def score(oracle: pd.DataFrame, runs: pd.DataFrame, groups: dict[str, str]) -> pd.DataFrame:
    """Regret, collapses and cost of each rule on each task.

    Args:
        oracle: Columns task, max, seed, error. The seeds may come in two halves, SEEDS and others.
        runs: Columns task, rule, seed, max, error, collapsed, updates; collapsed10 where measured. A run that was
            not trained has no error and counts for the spread alone.
        groups: The group of each task.

    Returns:
        Columns rule, task, group, max (the median), regret, collapses and collapses10 (runs), updates (mean; refusals, which
        do not tell theirs, apart), spread (the 90th over the 10th percentile of max).
    """
    first = oracle.seed.isin(SEEDS)
    by_first, by_others = (runs.task.map(best_ranges(rows).error) for rows in (oracle[first], oracle[~first]))
    best = by_first.where(runs.seed.isin(SEEDS), by_others)
    by = runs.assign(error=runs.error - best, updates=runs.updates.where(runs.updates > 0)).groupby(['rule', 'task'])
    scores = pd.DataFrame(
        {
            'max': by['max'].median(),
            'regret': by.error.mean(),
            'collapses': by.collapsed.sum(),
            'collapses10': by.collapsed10.sum(min_count=1),
            'updates': by.updates.mean(),
            'spread': by['max'].quantile(0.9) / by['max'].quantile(0.1),
        }
    ).reset_index()
    return scores.assign(group=scores.task.map(groups))


def grid_searches(oracle: pd.DataFrame) -> pd.DataFrame:
    """What the oracle's own search is worth where it must choose by other seeds than it is judged by.

    Args:
        oracle: Columns task, max, seed, error, collapsed; the seeds are SEEDS and OTHER_SEEDS.

    Returns:
        Columns task, max, seed, rule, updates, error and collapsed: a row a task and seed that judges. Where one seed chooses,
        it is the partner of that which judges; where three do, they are the other three.
    """
    seeds = {seed: oracle[oracle.seed == seed] for seed in PARTNER}
    halves = [oracle[oracle.seed.isin(half)] for half in (SEEDS, OTHER_SEEDS)]
    by_one = [_searched(seeds[seed]).merge(seeds[judge]) for seed, judge in PARTNER.items()]
    by_three = [_searched(half).merge(judge) for half, judge in zip(halves, reversed(halves))]
    return pd.concat([pd.concat(by_one).assign(rule=GRID_ONE), pd.concat(by_three).assign(rule=GRID_THREE)])


def _searched(rows: pd.DataFrame) -> pd.DataFrame:
    """The range of each task that did best, and the updates of all trainings it was chosen from."""
    found = best_ranges(rows)['max'].reset_index()
    length = {task.name: 4 * task.half_cycle for task in TASKS}
    return found.assign(updates=found.task.map(length) * found.task.map(rows.task.value_counts()))


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a rule, the best first: mean and worst regret in each group, collapses, cost, median and worst spread."""
    by = scores.groupby('rule')
    regrets = {group: _two(scores[scores.group == group].groupby('rule').regret, 'mean') for group in GROUPS}
    table = pd.DataFrame(
        {
            **regrets,
            'collapses': by.collapses.sum().map('{:.0f}'.format),
            'ten times as long': by.collapses10.sum(min_count=1).map('{:.0f}'.format).replace('nan', ''),
            'updates': by.updates.mean().map('{:.0f}'.format),
            'spread': _two(by.spread, 'median').replace('nan / nan', ''),
        }
    )
    return table.loc[order(scores)].reset_index()


def _two(by: Any, middle: str) -> pd.Series:
    """The middle and the worst of each group of numbers, as a text."""
    return by.agg([middle, 'max']).apply(lambda row: f'{row.iloc[0]:.1f} / {row.iloc[1]:.1f}', axis=1)


def steadiness(steady: pd.DataFrame) -> pd.DataFrame:
    """A row a task: the smallest and the largest ratio over the seeds, of what `find` says and of what the ramp alone does."""
    short, long = (steady[steady.updates == length].set_index(['task', 'seed'])[['max', 'alone']] for length in (100, 1000))
    by = (long / short).groupby('task')
    return pd.DataFrame(
        {
            name: by[column].agg(['min', 'max']).apply(lambda row: f'{row.iloc[0]:.2f} to {row.iloc[1]:.2f}', axis=1)
            for column, name in (('max', 'find'), ('alone', 'the ramp alone'))
        }
    ).reset_index()


def details(scores: pd.DataFrame, oracle: pd.DataFrame) -> pd.DataFrame:
    """A row a task: the maximum found, the oracle's, and what the difference costs."""
    ours = scores[scores.rule == OURS].set_index('task')
    best = best_ranges(oracle)
    return (
        pd.DataFrame(
            {
                'group': ours.group,
                'best max': best['max'].map('{:.2g}'.format),
                'best error': best.error.map('{:.1f}'.format),
                'max found': ours['max'].map('{:.2g}'.format),
                'regret': ours.regret.map('{:.1f}'.format),
                'spread': ours.spread.map('{:.1f}'.format),
                'updates': ours.updates.map('{:.0f}'.format),
            }
        )
        .sort_values('group')
        .reset_index()
    )


def order(scores: pd.DataFrame) -> list[str]:
    """The rules, the smallest mean regret over all tasks first."""
    return scores.groupby('rule').regret.mean().sort_values().index.tolist()


def markdown(table: pd.DataFrame) -> str:
    """A table of texts in Markdown."""
    rows: list[Any] = [table.columns, ['---'] * len(table.columns), *table.itertuples(index=False)]
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows)


def draw(scores: pd.DataFrame, path: Path) -> None:
    """Draw a row a rule, a dot a task, to be read at a width of 600 pixels."""
    rules = order(scores)[::-1]
    figure = Figure(figsize=(6, 0.5 * len(rules) + 1.5), dpi=200, layout='constrained')
    axes = figure.subplots()
    for group in GROUPS:
        _dots(axes, scores[scores.group == group], rules, group)
    axes.set_xscale('symlog', linthresh=1, linscale=0.6)
    axes.set_xlim(1.3 * min(-1.0, scores.regret.min()), 110)
    axes.set_xticks([-1, 0, 1, 2, 5, 10, 20, 50, 100], [str(tick) for tick in (-1, 0, 1, 2, 5, 10, 20, 50, 100)])
    axes.minorticks_off()
    axes.set_yticks(range(len(rules)), rules)
    axes.grid(axis='x', alpha=0.3)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.set_xlabel('validation error over the best range of 16, in points')
    figure.legend(loc='outside upper center', ncols=2, frameon=False)
    with replacing(path) as file:
        figure.savefig(file)


def _dots(axes: Axes, scores: pd.DataFrame, rules: list[str], group: str) -> None:
    """The dots of one group, in a line of their own within the row, and a bar at their mean."""
    rows = scores.rule.map(rules.index) + SHIFTS[group]
    style: dict[str, Any] = dict(color=COLOURS[group], marker=MARKERS[group], s=20, alpha=0.7, linewidths=0)
    axes.scatter(scores.regret, rows, label=f'a task {GROUPS[group]}', **style)
    means = scores.groupby('rule').regret.mean()
    axes.scatter(
        means,
        [rules.index(rule) + SHIFTS[group] for rule in means.index],
        marker='|',
        s=80,
        color='black',
        linewidths=1.8,
        label='their mean' if group == 'tune' else None,
        zorder=3,
    )


if __name__ == '__main__':
    main()
