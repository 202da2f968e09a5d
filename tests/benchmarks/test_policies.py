"""What schedules are worth: the arithmetic of the report, and that the measurement goes on where it was."""

import clr  # noqa: F401  makes Chainer importable

import pandas as pd
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import policies, policies_report, stacked, tables
from benchmarks.policies import CHECKS, SCHEDULES
from benchmarks.policies_report import BEST_FIXED
from benchmarks.tasks import BY_NAME


def row(task, schedule, start, end, seed=0):
    """A training whose error falls evenly."""
    errors = {f'error{check}': start + (end - start) * check / CHECKS for check in range(1, CHECKS + 1)}
    return {'task': task, 'schedule': schedule, 'seed': seed, 'length': 350, **errors}


@pytest.fixture
def runs():
    """All schedules end at 20 but those that a test is about."""
    rows = [row(task, schedule, 100.0, 20.0) for task in 'ab' for schedule in SCHEDULES]
    others = [
        row('a', 'fixed 1 max', 100.0, 10.0),
        row('a', 'fixed 0.5 max', 100.0, 12.0),
        row('a', 'wsd', 100.0, 5.0),
        row('b', 'wsd', 100.0, 26.0),
        row('b', 'one_cycle', 60.0, 20.0),
    ]
    table = pd.DataFrame(rows).set_index(['task', 'schedule'])
    return pd.concat([table.drop([(one['task'], one['schedule']) for one in others]).reset_index(), pd.DataFrame(others)])


def test_the_best_fixed_rate_is_the_best_of_each_task(runs):
    over = policies_report.over_best(runs)
    assert over.loc[BEST_FIXED].tolist() == [0.0, 0.0]
    assert over.loc['wsd'].tolist() == pytest.approx([-5.0, 6.0])
    assert over.loc['fixed 0.5 max'].tolist() == pytest.approx([2.0, 0.0])


def test_what_is_stopped_in_time_counts_by_its_lowest_error(runs):
    wsd = (runs.task == 'b') & (runs.schedule == 'wsd')
    over = policies_report.over_best(runs.assign(error3=runs.error3.where(~wsd, 4.0)), lowest=True)
    assert over.loc['wsd'].tolist() == pytest.approx([-5.0, -16.0])


def test_the_seeds_are_averaged_before_the_best_is_chosen(runs):
    runs = pd.concat([runs, runs.assign(seed=1, error20=runs.error20 + 10)])
    assert policies_report.over_best(runs).loc['wsd'].tolist() == pytest.approx([-5.0, 6.0])


def test_the_factor_is_in_updates_of_the_best_fixed_rate(runs):
    factors = policies_report.factors(runs)
    # On a, wsd falls by 4.75 a check and the fixed rate by 4.5: to 10 in 19 checks, not in 20. On b it never gets to 20.
    assert factors.loc['wsd'].tolist() == pytest.approx([20 / 19, 0.0])
    assert factors.loc[BEST_FIXED].tolist() == [1.0, 1.0]
    assert factors.loc['one_cycle', 'b'] == 1.0


def test_the_tables_have_a_row_a_schedule(runs):
    table = policies_report.final(runs).set_index('schedule')
    assert len(table) == len(SCHEDULES) + 2
    assert table.loc['wsd'].tolist() == ['+0.50 / +0.50 / +6.0', '1 of 2', '+0.50 / +0.50 / +6.0']
    assert policies_report.speed(runs).set_index('schedule').loc['wsd'].tolist() == ['1 of 2', '1.05']


def test_what_a_way_would_answer_is_what_it_had_last():
    ways = pd.DataFrame(
        [('a', 0, 'plan', 900, 10.0), ('a', 0, 'tune', 900, 10.0), ('a', 0, 'tune', 1300, 8.0), ('a', 0, 'optuna', 400, 30.0)],
        columns=['task', 'seed', 'way', 'updates', 'error'],
    )
    table = policies_report.by_budget(ways).set_index('way')
    assert table['1,000 updates'].tolist() == ['10.00', '10.00', '30.00']
    assert table['at the end'].tolist() == ['10.00', '8.00', '30.00']


def test_every_schedule_gives_rates_from_the_first_update_to_the_last():
    for schedule in SCHEDULES.values():
        rates = [schedule(step, 90, (0.1, 0.4), 0.01) for step in range(90)]
        assert all(0 <= rate <= 0.8 for rate in rates)


def test_a_rate_that_falls_in_steps_is_a_tenth_after_half_and_a_hundredth_after_three_quarters():
    rates = [SCHEDULES['steps 1 max'](step, 8, (0.1, 0.4), 0.01) for step in range(8)]
    assert rates == pytest.approx([0.4] * 4 + [0.04] * 2 + [0.004] * 2)


@pytest.mark.parametrize('name', policies.NAMES)
def test_all_tasks_can_be_stacked(name):
    assert stacked.can_be_stacked(BY_NAME[name])


@pytest.mark.slow
def test_a_measurement_that_was_ended_goes_on_with_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, 'RESULTS', tmp_path)
    monkeypatch.setattr(policies, 'LENGTHS', (20,))
    monkeypatch.setattr(policies, 'SEEDS', (0,))
    monkeypatch.setattr('sys.argv', ['policies', '--tasks', 'digits-mlp-momentum', '--jobs', '1'])
    policies.main()
    whole = tables.read(policies.TABLE)
    assert whole.schedule.tolist() == list(SCHEDULES)
    whole.drop(index=[3, 5]).to_csv(tmp_path / policies.TABLE, index=False)
    policies.main()
    again = tables.read(policies.TABLE)
    pd.testing.assert_frame_equal(
        again.sort_values('schedule', ignore_index=True), whole.sort_values('schedule', ignore_index=True)
    )
