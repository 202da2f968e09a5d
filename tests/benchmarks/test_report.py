"""The arithmetic of the benchmark's report; what it reports on stands in benchmarks/results."""

import math

import clr  # noqa: F401  makes Chainer importable

import pandas as pd
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import report, scoring

QUICK = 'iris-linear-adagrad'

ORACLE = pd.DataFrame(
    [('a', 0.1, 0, 10.0), ('a', 0.1, 1, 20.0), ('a', 1.0, 0, 2.0), ('a', 1.0, 1, 40.0), ('b', 1.0, 0, 5.0), ('b', 1.0, 1, 5.0)],
    columns=['task', 'max', 'seed', 'error'],
)

RUNS = pd.DataFrame(
    [
        ('a', 'x', 0, 1.0, 16.0, 0, 100),
        ('a', 'x', 1, 4.0, 18.0, 0, 200),
        ('b', 'x', 0, 1.0, 5.0, 0, 100),
        ('b', 'x', 1, 1.0, 90.0, 1, 100),
        ('a', 'y', 0, 1.0, 15.0, 0, 50),
        ('b', 'y', 0, 1.0, 6.0, 0, 50),
    ],
    columns=['task', 'rule', 'seed', 'max', 'error', 'collapsed', 'updates'],
)


def test_regret_is_the_mean_error_over_that_of_the_best_range():
    scores = scoring.score(ORACLE, RUNS, {'a': 'tune', 'b': 'held'}).set_index(['rule', 'task'])
    assert scores.regret['x', 'a'] == pytest.approx(17 - 15)  # the best range is 0.1: 15 on average; 1 has 21
    assert scores.regret['x', 'b'] == pytest.approx(47.5 - 5)
    assert scores.regret['y', 'a'] == 0
    assert scores.collapses['x', 'b'] == 1
    assert scores.updates['x', 'a'] == 150
    assert scores.spread['x', 'a'] == pytest.approx(3.7 / 1.3)
    assert scores.group['x', 'a'] == 'tune'


def test_a_grid_search_is_judged_by_other_seeds_than_it_chooses_by():
    errors = {0.1: [10, 20, 30, 1, 9, 9], 1.0: [2, 40, 3, 2, 8, 8]}
    searched = pd.DataFrame(
        [(QUICK, high, seed, float(error), 0) for high, row in errors.items() for seed, error in enumerate(row)],
        columns=['task', 'max', 'seed', 'error', 'collapsed'],
    )
    found = scoring.grid_searches(searched).set_index('rule').sort_values('seed')
    one, three = found.loc[scoring.GRID_ONE], found.loc[scoring.GRID_THREE]
    # Seed 3 prefers 0.1, which is judged by seed 0; 4 and 5 prefer 1.0, judged by 1 and 2; and the other way round.
    assert one['max'].tolist() == [0.1, 1.0, 1.0, 1.0, 0.1, 1.0]
    assert one.error.tolist() == [10, 40, 3, 2, 9, 8]
    assert one.updates.tolist() == [2 * 300] * 6
    # Either three together prefer 1.0: 6 to 6.33 on average, and 15 to 20.
    assert three['max'].tolist() == [1.0] * 6
    assert three.error.tolist() == [2, 40, 3, 2, 8, 8]
    assert three.updates.tolist() == [3 * 2 * 300] * 6


def test_a_run_from_another_seed_is_compared_with_the_best_range_of_the_seeds_beside_it():
    oracle = pd.concat([ORACLE, ORACLE.assign(seed=ORACLE.seed + 3, error=ORACLE.error / 2)])
    runs = RUNS[RUNS.rule == 'x'].assign(seed=RUNS.seed + 3)
    scores = scoring.score(oracle, runs, {}).set_index(['rule', 'task'])
    assert scores.regret['x', 'a'] == pytest.approx(17 - 15 / 2)
    assert scores.regret['x', 'b'] == pytest.approx(47.5 - 5 / 2)


def test_the_summary_has_the_best_rule_first():
    table = report.summary(scoring.score(ORACLE, RUNS, {'a': 'tune', 'b': 'fresh'}))
    assert table.rule.tolist() == ['y', 'x']
    assert table.tune.tolist() == ['0.0 / 0.0', '2.0 / 2.0']
    assert table.fresh.tolist() == ['1.0 / 1.0', '42.5 / 42.5']
    assert table.collapses.tolist() == ['0', '1']
    assert table.updates.tolist() == ['50', '125']
    assert table.spread.tolist() == ['1.0 / 1.0', '1.9 / 2.8']  # of the maxima 1 and 4: 3.7 over 1.3


def test_steadiness_is_the_ratio_of_the_long_ramps_maximum_to_the_short_ones():
    steady = pd.DataFrame(
        [('a', 100, 0, 1.0, 2.0), ('a', 1000, 0, 1.5, 2.0), ('a', 100, 1, 2.0, math.nan), ('a', 1000, 1, 1.0, 3.0)],
        columns=['task', 'updates', 'seed', 'max', 'alone'],
    )
    table = report.steadiness(steady)
    assert table.values.tolist() == [['a', '0.50 to 1.50', '1.00 to 1.00']]


def test_a_run_that_was_not_trained_counts_for_the_spread_alone():
    untrained = pd.DataFrame([('a', 'y', 1, 3.0, 50)], columns=['task', 'rule', 'seed', 'max', 'updates'])
    scores = scoring.score(ORACLE, pd.concat([RUNS, untrained]), {}).set_index(['rule', 'task'])
    assert scores.regret['y', 'a'] == 0
    assert scores.spread['y', 'a'] == pytest.approx(2.8 / 1.2)


def test_a_refusal_does_not_make_the_answer_look_cheaper():
    refused = pd.DataFrame([('a', 'y', 1, 0.0, 0)], columns=['task', 'rule', 'seed', 'max', 'updates'])
    scores = scoring.score(ORACLE, pd.concat([RUNS, refused]), {}).set_index(['rule', 'task'])
    assert scores.updates['y', 'a'] == 50


def test_a_table_in_markdown():
    assert report.markdown(pd.DataFrame({'rule': ['x'], 'n': ['1']})) == '| rule | n |\n| --- | --- |\n| x | 1 |'


def test_the_picture_is_drawn(tmp_path):
    scores = scoring.score(ORACLE, RUNS, {'a': 'tune', 'b': 'fresh'})
    report.draw(scores, tmp_path / 'regret.png')
    assert (tmp_path / 'regret.png').read_bytes().startswith(b'\x89PNG')
