"""What tuning tries: policies, cycles and maxima within a range."""

from clr.policies import LENGTHS, POLICIES
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.tuning.schedules import FIXED, Schedule, choices, suggested

import pytest

optuna = pytest.importorskip('optuna')

BASE = Suggestion('lr', (0.1, 0.4), step_size=50, policy='triangular2', reasons={'max': 'found'})


def within(schedule, length=600):
    plan = schedule.plan(BASE, length)
    return schedule.within(BASE, plan), plan


def test_cycles_fill_a_training_and_end_with_it():
    suggestion, plan = within(Schedule('triangular', 4), 605)
    assert (suggestion.policy, suggestion.step_size, plan.iterations, plan.cycles) == ('triangular', 75, 600, 4)


@pytest.mark.parametrize('policy', sorted(LENGTHS))
def test_a_policy_that_ends_fills_a_training_once(policy):
    suggestion, plan = within(Schedule(policy), 900)
    assert suggestion.step_size == int(900 / LENGTHS[policy])
    assert plan.iterations == 900


def test_a_factor_is_of_both_bounds():
    assert within(Schedule('cosine', 1, 2.0))[0].value_range == (0.2, 0.8)


def test_a_fixed_rate_is_the_geometric_middle():
    assert within(Schedule(FIXED, factor=0.5))[0].value_range == pytest.approx((0.1, 0.1))


def test_the_reasons_for_the_range_stay():
    assert within(Schedule('cosine', 2))[0].reasons == {'max': 'found', 'step_size': '2 whole cycles in 600 iterations'}


def test_more_cycles_than_updates_are_none():
    assert Schedule('triangular', 6).plan(BASE, 3).step_size == 1


def test_a_policy_with_options_may_be_the_default():
    assert choices(Suggestion('lr', (0.1, 1.0), 9, 'cosine:t_mult=2')) == (*POLICIES, 'cosine:t_mult=2', FIXED)


def test_every_policy_is_tried_with_the_cycles_that_it_knows():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    tried = [suggested(study.ask(), choices(BASE)) for _ in range(200)]
    assert {schedule.policy for schedule in tried} == {*POLICIES, FIXED}
    assert {schedule.factor for schedule in tried} == {0.5, 1.0, 2.0}
    for schedule in tried:
        known = schedule.policy not in LENGTHS and schedule.policy != FIXED
        assert schedule.cycles in range(1, 7) if known else schedule.cycles is None


@pytest.mark.parametrize('schedule', [Schedule('wsd'), Schedule('cosine', 3, 2.0)])
def test_a_schedule_is_that_of_its_parameters(schedule):
    assert Schedule.of_params(schedule.to_params()) == schedule
