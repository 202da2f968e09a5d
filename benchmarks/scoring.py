"""What the figures of the tables come to, task by task: regret, offset, coverage and the like. Pure; the report shows them.

Regret is the validation error after training in a rule's range, minus that of the best of the oracle's ranges by the same three
seeds, both means over them, in points.
"""

from __future__ import annotations

from benchmarks.long import LENGTH
from benchmarks.measuring import OTHER_SEEDS, PARTNER, SEEDS
from benchmarks.oracle import best_ranges
from benchmarks.tasks import TASKS

import numpy as np
import pandas as pd

GRID_ONE = 'grid search, one seed'
GRID_THREE = 'grid search, three seeds'
KEPT = 1.0  # points over the best that the band promises not to exceed


def score(oracle: pd.DataFrame, runs: pd.DataFrame, groups: dict[str, str]) -> pd.DataFrame:
    """Regret, collapses and cost of each rule on each task.

    Args:
        oracle: Columns task, max, seed, error. The seeds may come in two halves, SEEDS and others.
        runs: Columns task, rule, seed, max, error, collapsed, updates. A run that was not
            trained has no error and counts for the spread alone.
        groups: The group of each task.

    Returns:
        Columns rule, task, group, max (the median), regret, collapses (runs), updates (mean; refusals, which do not tell
        theirs, apart), spread (the 90th over the 10th percentile of max).
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


def optuna_runs(table: pd.DataFrame) -> pd.DataFrame:
    """Optuna's runs as those of rules, such as 'Optuna median, 600'.

    Args:
        table: `optuna.csv`.

    Returns:
        Columns task, rule, seed, max, updates, error, collapsed. Of the two ways to use a rate, as the maximum of a cycle or as
        a fixed rate, each rule has the one that serves it better over all tasks.
    """
    runs = []
    for (rule, budget), rows in table.groupby(['rule', 'budget']):
        prefix = 'fixed_' if rows.fixed_error.mean() < rows.error.mean() else ''
        used = rows.assign(error=rows[f'{prefix}error'], collapsed=rows[f'{prefix}collapsed'])
        runs.append(used.assign(rule=f'Optuna {rule}, {budget}'))
    columns = ['task', 'rule', 'seed', 'max', 'updates', 'error', 'collapsed']
    return pd.concat(runs)[columns] if runs else pd.DataFrame(columns=columns)


def offsets(oracle: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """How far the maxima lie from the best one by all of the oracle's seeds, in decades: the mean of each task.

    Args:
        oracle: Columns task, max, error.
        runs: Columns task and max; 0 is a refusal, which does not count.
    """
    given = runs[runs['max'] > 0]
    found = np.log10(given['max'] / given.task.map(best_ranges(oracle)['max']))
    return found.groupby(given.task).mean()


def coverage(runs: pd.DataFrame) -> pd.Series:
    """How often the interval of one answer holds the maximum of another seed's: the share of each task.

    Args:
        runs: Columns task, seed, max, low and high; NaN where an answer has no interval.
    """
    given = runs.loc[runs['max'] > 0, ['task', 'seed', 'max', 'low', 'high']]
    pairs = given.dropna().merge(given[['task', 'seed', 'max']], on='task', suffixes=('', '_other'))
    pairs = pairs[pairs.seed != pairs.seed_other]
    held = (pairs.low <= pairs.max_other) & (pairs.max_other <= pairs.high)
    return held.groupby(pairs.task).mean()


def kept_promises(oracle: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """How often a training with a maximum at an end of the band is within a point of the best: the share of each task.

    Args:
        oracle: Columns task, max, seed, error; compared is with the range that is best on average, from the same seed.
        runs: Columns task, seed, low_error and high_error; NaN where there is no band.
    """
    rows = oracle[oracle.seed.isin(SEEDS)]
    best = rows[rows['max'] == rows.task.map(best_ranges(rows)['max'])][['task', 'seed', 'error']]
    ends = runs.melt(['task', 'seed'], ['low_error', 'high_error'], value_name='reached').dropna().merge(best)
    return (ends.reached <= ends.error + KEPT).groupby(ends.task).mean()


def long_trainings(oracle: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """What a range is worth in a long training.

    Args:
        oracle: `long_oracle.csv`; only ranges that all seeds trained in can be the best.
        runs: `long.csv`.

    Returns:
        A row a task: `best`, the error in the best range, `points` more than that, `excess`, the same in percent of it, and
        `collapses`, both of means over the seeds.
    """
    best = best_ranges(_by_all_seeds(oracle)).error
    by = runs.groupby('task')
    points = (by.error.mean() - best).dropna()
    best = best[points.index]
    return pd.DataFrame(
        {'best': best, 'points': points, 'excess': 100 * points / best, 'collapses': by.collapsed.sum()[best.index]}
    )


def long_grid_search(oracle: pd.DataFrame) -> pd.DataFrame:
    """What the search of `long_oracle.csv` is worth where each seed trains in the range that the others chose.

    Args:
        oracle: That table; chosen is from the ranges that all seeds trained in.

    Returns:
        Columns task, seed, updates, error and collapsed, as in `long.csv`.
    """
    rows = _by_all_seeds(oracle)
    judged = [
        best_ranges(rows[rows.seed != seed])['max'].reset_index().merge(rows[rows.seed == seed]) for seed in rows.seed.unique()
    ]
    updates = LENGTH[0] * oracle.groupby('task')['max'].nunique()
    return pd.concat(judged).assign(updates=lambda runs: runs.task.map(updates))[
        ['task', 'seed', 'updates', 'error', 'collapsed']
    ]


def _by_all_seeds(oracle: pd.DataFrame) -> pd.DataFrame:
    """The ranges that all seeds trained in."""
    return oracle[oracle.groupby(['task', 'max']).seed.transform('nunique') == oracle.seed.nunique()]
