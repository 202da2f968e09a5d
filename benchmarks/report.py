"""The benchmark's result: `python -m benchmarks.report` prints the tables and draws `regret.png` and `frontier.png`.

Reads what the other commands measured, and what they measured it with; trains nothing. `scoring` says what the figures mean.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benchmarks import provenance, tables, targets
from benchmarks.measuring import SEEDS
from benchmarks.oracle import best_ranges
from benchmarks.scoring import GRID_THREE, grid_searches, optuna_runs, score
from benchmarks.tasks import TASKS
from lrfinder._files import replacing

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OURS = 'lrfinder'
UNVALIDATED = 'lrfinder, no evaluator'
ELSEWHERE = 'lrfinder, other seeds'
GROUPS = {
    'fresh': 'that had no say in the rule',
    'kinds': 'of another kind, not tuned on',
    'held': 'looked at, not tuned on',
    'tune': 'tuned on',
}
COLOURS = {'fresh': '#0072B2', 'kinds': '#009E73', 'held': '#56B4E9', 'tune': '#E69F00'}  # told apart by the colour-blind too
MARKERS = {'fresh': 'o', 'kinds': '^', 'held': 's', 'tune': 'D'}
SHIFTS = {'fresh': 0.3, 'kinds': 0.1, 'held': -0.1, 'tune': -0.3}  # of the middle of a row


def main() -> None:
    """Print the tables and draw the pictures."""
    results = targets.read()
    scores = all_scores(results)
    print(markdown(summary(scores)), '\n')
    print('What is aimed at, with the number of tasks in brackets:\n')
    print(markdown(targets.rows(results)), '\n')
    print('Trainings of 6,000 updates:\n')
    print(markdown(targets.long_rows(results)), '\n')
    print(markdown(targets.long_details(results)), '\n')
    print(f'{OURS}, task by task:\n')
    print(markdown(details(scores, results.oracle[results.oracle.seed.isin(SEEDS)])), '\n')
    print('Maxima by a ramp of 1,000 updates over those by one of 100:\n')
    print(markdown(steadiness(tables.read('steady.csv'))), '\n')
    print('What each table was made with:\n')
    origins, versions = provenance.summary(tables.read_provenance())
    print(markdown(origins), '\n')
    for number, text in enumerate(versions, 1):
        print(f'{number}. {text}')
    draw(scores, tables.RESULTS / 'regret.png')
    if len(results.ours) > 1:
        targets.draw_frontier(results, tables.RESULTS / 'frontier.png')


def all_scores(results: targets.Results) -> pd.DataFrame:
    """The scores of lrfinder, of the grid search and of all rivals; see `score`."""
    runs = [
        tables.read('ours.csv').assign(rule=OURS),
        tables.read('ours_without_validation.csv').assign(rule=UNVALIDATED),
        tables.read('ours_other_seeds.csv').assign(rule=ELSEWHERE),
        grid_searches(results.oracle),
        optuna_runs(results.optuna),
        tables.read('peers.csv').merge(tables.read('peers_regret.csv').drop(columns='max'), how='left'),
    ]
    scores = score(results.oracle, pd.concat([rows for rows in runs if len(rows)]), {task.name: task.group for task in TASKS})
    scores.loc[scores.rule.isin([UNVALIDATED, ELSEWHERE, GRID_THREE]), 'spread'] = math.nan  # too few answers, or another row's
    return scores


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a rule, the best first: mean and worst regret in each group, collapses, cost, median and worst spread."""
    by = scores.groupby('rule')
    regrets = {group: _two(scores[scores.group == group].groupby('rule').regret, 'mean') for group in GROUPS}
    table = pd.DataFrame(
        {
            **regrets,
            'collapses': by.collapses.sum().map('{:.0f}'.format),
            'updates': by.updates.mean().map('{:.0f}'.format),
            'spread': _two(by.spread, 'median'),
        }
    )
    return table.loc[order(scores)].fillna('').reset_index()


def _two(by: Any, middle: str) -> pd.Series:
    """The middle and the worst of each group of numbers, as a text."""
    texts = by.agg([middle, 'max']).apply(lambda row: f'{row.iloc[0]:.1f} / {row.iloc[1]:.1f}', axis=1, result_type='reduce')
    return texts.astype(str).replace('nan / nan', '')


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
    best = best_ranges(oracle).reindex(ours.index)
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
    for group in [group for group in GROUPS if group in set(scores.group)]:
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
