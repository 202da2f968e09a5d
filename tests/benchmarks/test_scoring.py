"""What the figures of the benchmark's tables come to: by hand, on tables of a few rows."""

import math

import clr  # noqa: F401  makes Chainer importable

import pandas as pd
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import scoring, tables, targets

ONE, OTHER = 'iris-linear-adagrad', 'parity-mlp-adam'  # of the group 'held'


def oracle(errors, seeds=range(6)):
    """The error of each maximum, from whatever seed."""
    rows = [(ONE, high, seed, error, 0) for high, error in errors.items() for seed in seeds]
    return pd.DataFrame(rows, columns=['task', 'max', 'seed', 'error', 'collapsed'])


def test_the_offset_is_in_decades_and_leaves_refusals_out():
    runs = pd.DataFrame({'task': [ONE, ONE, ONE], 'max': [0.1, 10.0, 0.0]})
    assert scoring.offsets(oracle({0.1: 5.0, 1.0: 2.0}), runs)[ONE] == pytest.approx(0)
    assert scoring.offsets(oracle({0.1: 1.0, 1.0: 2.0}), runs)[ONE] == pytest.approx(1)


def test_an_interval_is_asked_about_the_maxima_of_the_other_seeds_alone():
    runs = pd.DataFrame(
        [(ONE, 0, 1.0, 0.5, 2.0), (ONE, 1, 2.0, 1.5, 3.0), (ONE, 2, 9.0, 8.0, 10.0), (ONE, 3, 0.0, math.nan, math.nan)],
        columns=['task', 'seed', 'max', 'low', 'high'],
    )
    assert scoring.coverage(runs)[ONE] == pytest.approx(1 / 6)  # the first holds the second's; seed 3 refused


def test_answers_without_an_interval_are_no_answers_that_miss():
    runs = pd.DataFrame({'task': [ONE, ONE], 'seed': [0, 1], 'max': [1.0, 1.0], 'low': math.nan, 'high': math.nan})
    assert scoring.coverage(runs).empty


def test_a_band_keeps_its_promise_within_a_point_of_the_best_range_from_the_same_seed():
    best = pd.concat([oracle({1.0: 2.0}, [0]), oracle({1.0: 6.0}, [1]), oracle({0.1: 5.0}, [0, 1])])
    runs = pd.DataFrame(
        [(ONE, 0, 3.0, 3.1), (ONE, 1, 7.0, 5.0), (ONE, 2, math.nan, math.nan)],
        columns=['task', 'seed', 'low_error', 'high_error'],
    )
    assert scoring.kept_promises(best, runs)[ONE] == pytest.approx(3 / 4)


def test_a_long_training_is_compared_with_the_best_of_the_ranges_that_both_seeds_trained_in():
    searched = pd.concat([oracle({0.1: 4.0, 1.0: 6.0}, [0, 1]), oracle({10.0: 1.0}, [0])])
    runs = pd.DataFrame({'task': ONE, 'seed': [0, 1], 'error': [4.0, 5.0], 'collapsed': [0, 1]})
    row = scoring.long_trainings(searched, runs).loc[ONE]
    assert (row.best, row.points, row.excess, row.collapses) == (4.0, 0.5, 12.5, 1)


def test_in_a_long_training_the_grid_search_chooses_by_the_other_seed():
    searched = pd.concat([oracle({0.1: 4.0, 1.0: 6.0, 10.0: 1.0}, [0]), oracle({0.1: 9.0, 1.0: 5.0}, [1])])
    found = scoring.long_grid_search(searched).set_index('seed')
    assert found.error.to_dict() == {0: 6.0, 1: 9.0}  # 10 was tried from one of them alone


def optuna(fixed_error):
    rows = [(ONE, 0, 'median', 600, 0.1, 590, 4.0, 0, fixed_error, 1), (ONE, 0, 'median', 1600, 0.1, 1590, 4.0, 0, 5.0, 1)]
    columns = ['task', 'seed', 'rule', 'budget', 'max', 'updates', 'error', 'collapsed', 'fixed_error', 'fixed_collapsed']
    return pd.DataFrame(rows, columns=columns)


def test_optuna_has_the_use_of_its_rate_that_serves_it_better():
    by_rule = scoring.optuna_runs(optuna(fixed_error=3.0)).set_index('rule')
    assert by_rule.error.to_dict() == {'Optuna median, 600': 3.0, 'Optuna median, 1600': 4.0}
    assert by_rule.collapsed.to_dict() == {'Optuna median, 600': 1, 'Optuna median, 1600': 0}
    assert scoring.optuna_runs(optuna(3.0).iloc[:0]).empty


def results(**others):
    """One task, held: its best range is that up to 1, with an error of 2; lrfinder's answer is worth 3 and cost 500."""
    ours = pd.DataFrame({'task': ONE, 'seed': range(6), 'min': 0.5, 'max': 2.0, 'updates': 500, 'error': 3.0, 'collapsed': 0})
    empty = pd.DataFrame(columns=optuna(1.0).columns)
    tables_ = {
        'oracle': oracle({0.1: 5.0, 1.0: 2.0}),
        'ours': {600: ours},
        'optuna': empty,
        'long_oracle': oracle({}),
        'long': {},
    }
    return targets.Results(**{**tables_, **others})


def test_each_measure_has_a_row_and_each_figure_the_number_of_its_tasks():
    rows = targets.rows(results()).set_index('measure')
    assert rows.held.to_dict() == {
        'regret in points: mean / worst': '1.0 / 1.0 (1)',
        'collapses': '0 (1)',
        'updates: median': '500 (1)',
        'offset from the best rate in decades: mean': '+0.30 (1)',
        '90th over 10th percentile of the maximum: median / worst': '1.0 / 1.0 (1)',
    }
    assert rows['72 tasks'].tolist() == rows.held.tolist()
    assert set(rows.fresh) == {''}
    assert set(rows.budget) == {'600'}


def test_the_rows_of_intervals_and_bands_are_there_where_an_answer_tells_them():
    ours = (
        results().ours[600].assign(low=1.9, high=2.1, low_error=2.5, high_error=[2.5, 3.5, 3.5, math.nan, math.nan, math.nan])
    )
    rows = targets.rows(results(ours={600: ours})).set_index('measure').held
    assert rows["the interval holds another seed's maximum, in percent"] == '100 (1)'
    assert rows['the ends of the band are within a point of the best, in percent'] == '67 (1)'  # 4 of 6


def test_optunas_regret_is_set_against_ours():
    rows = targets.rows(results(optuna=optuna(fixed_error=3.0))).set_index(['measure', 'budget']).held
    assert rows['regret of Optuna median: mean / worst', '600'] == '1.0 / 1.0 (1)'
    assert rows['regret of Optuna median: mean / worst', '1600'] == '2.0 / 2.0 (1)'
    assert rows['regret of Optuna median, 1600 over ours at 600', ''] == '2.0 (1)'


def test_long_trainings_have_a_row_a_budget():
    runs = pd.DataFrame({'task': ONE, 'seed': [0, 1], 'error': [4.0, 5.0], 'collapsed': [0, 0]})
    found = results(long_oracle=oracle({0.1: 4.0, 1.0: 6.0}, [0, 1]), long={600: runs, 1600: runs})
    assert targets.long_rows(found).values.tolist() == [
        ['600', '1', '0.5 / 0.5', '12.5 / 12.5 / 12.5', '0'],
        ['1600', '1', '0.5 / 0.5', '12.5 / 12.5 / 12.5', '0'],
        ['grid search, one seed', '1', '0.0 / 0.0', '0.0 / 0.0 / 0.0', '0'],
    ]
    assert targets.long_details(found).values.tolist()[0] == [ONE, '600', '4.0', '0.5', '12.5', '0']


def test_the_frontier_has_the_rules_that_were_measured_on_all_tasks_of_a_group(tmp_path, monkeypatch):
    ours = results().ours[600]
    found = results(ours={600: ours, 1600: ours.assign(updates=1500, error=2.5)}, optuna=optuna(3.0))
    assert targets.frontier(found).empty  # the group has 71 tasks more
    monkeypatch.setattr(targets, 'GROUP', {ONE: 'held'})
    rows = targets.frontier(found).set_index('rule')
    assert rows.loc['lrfinder, 600', ['group', 'family', 'updates', 'regret']].tolist() == ['72 tasks', 'lrfinder', 500, 1.0]
    assert rows.loc['lrfinder, 1600', ['updates', 'regret']].tolist() == [1500, 0.5]
    assert set(rows.family) == {'lrfinder', 'Optuna median', 'grid search'} == set(targets.COLOURS) - {'Optuna hyperband'}
    targets.draw_frontier(found, tmp_path / 'frontier.png')
    assert (tmp_path / 'frontier.png').read_bytes().startswith(b'\x89PNG')


def test_the_frontier_of_long_trainings_ends_with_the_grid_search():
    runs = pd.DataFrame({'task': ONE, 'seed': [0, 1], 'error': [4.0, 5.0], 'collapsed': [0, 0], 'updates': [500, 600]})
    found = results(long_oracle=oracle({0.1: 4.0, 1.0: 6.0}, [0, 1]), long={600: runs})
    assert targets.long_frontier(found).values.tolist() == [['lrfinder', 550.0, 12.5, 12.5], ['grid search', 12000.0, 0.0, 0.0]]


def test_the_tables_of_a_name_are_found_by_their_budgets(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, 'RESULTS', tmp_path)
    for name in ('ours.csv', 'ours_1600.csv', 'ours_other_seeds.csv'):
        (tmp_path / name).write_text('task\n')
    assert list(tables.read_budgets('ours')) == [600, 1600]
    assert tables.of_budget('ours', 600) == tables.of_budget('ours', None) == 'ours.csv'
    assert tables.of_budget('ours', 1600) == 'ours_1600.csv'
    assert tables.read_or_empty('long.csv', ['task']).empty
