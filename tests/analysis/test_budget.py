"""How the updates that an answer may cost are spent."""

from lrfinder.analysis.budget import LEAST_BUDGET, Budget, Rung, spent

import pytest
from hypothesis import given
from hypothesis import strategies as st


def test_the_usual_budget_is_a_scan_five_trials_and_a_ramp():
    assert spent(600) == Budget(scan=60, ramp=50, rungs=(Rung(5, 86),))


def test_a_larger_budget_first_makes_the_trials_longer_and_then_repeats_the_best_at_four_times_the_length():
    assert spent(1200).rungs == (Rung(5, 206),)
    assert spent(1600).rungs == (Rung(5, 84), Rung(3, 336))
    assert [rung.updates for rung in spent(6000).rungs] == [89, 356, 1424]


def test_no_trial_is_longer_than_the_training():
    assert spent(1600, longest=100).rungs == (Rung(5, 84), Rung(3, 100))
    assert spent(1600, longest=50).rungs == (Rung(5, 50),)
    assert spent(100_000, longest=350).rungs == (Rung(5, 97), Rung(3, 350))


@given(st.integers(LEAST_BUDGET, 100_000), st.one_of(st.none(), st.integers(1, 10_000)))
def test_no_budget_is_exceeded_and_every_one_has_trials(budget, longest):
    plan = spent(budget, longest)
    assert plan.most() <= budget
    assert plan.scan >= 20 and plan.ramp >= 8
    assert plan.rungs and all(rung.updates >= 1 for rung in plan.rungs)
    lengths = [rung.updates for rung in plan.rungs]
    assert lengths == sorted(lengths) and (longest is None or lengths[-1] <= longest)


@pytest.mark.parametrize('budget', [99, 0, -1, 1.5, '600', None, 10**8])
def test_a_budget_out_of_its_range_is_refused(budget):
    with pytest.raises(ValueError, match='budget must be'):
        spent(budget)
