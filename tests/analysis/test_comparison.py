"""Who won: by one run each, and by several seeds, where only a difference beyond their spread counts."""

import math

from lrfinder.analysis.comparison import Difference, compare, difference
from lrfinder.analysis.metrics import LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS

import pytest
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def accuracies(*values):
    return [{VALIDATION_ACCURACY: value} for value in values]


def test_the_margin_is_that_of_students_t_over_the_seeds():
    found = difference([0.92, 0.95, 0.95], [0.90, 0.92, 0.94], VALIDATION_ACCURACY)  # ahead by 0.02, 0.03 and 0.01
    assert found.mean == pytest.approx(0.02)
    assert found.margin == pytest.approx(4.303 * 0.01 / math.sqrt(3))
    assert found.shows == 0


def test_a_difference_that_all_seeds_agree_on_shows():
    assert difference([0.95, 0.96, 0.955], [0.90, 0.91, 0.904], VALIDATION_ACCURACY).shows == 1
    assert difference([0.90, 0.91, 0.904], [0.95, 0.96, 0.955], VALIDATION_ACCURACY).shows == -1


def test_who_only_asks_whether_one_is_better_needs_less_of_a_difference():
    ours, theirs = [0.92, 0.95, 0.95], [0.90, 0.92, 0.94]  # ahead by 0.02, 0.03 and 0.01: 0.02, of a standard error of 0.00577
    both, one = (difference(ours, theirs, VALIDATION_ACCURACY, one_sided) for one_sided in (False, True))
    assert (both.margin, both.shows) == (pytest.approx(4.303 * 0.00577, rel=1e-3), 0)
    assert (one.margin, one.shows) == (pytest.approx(2.920 * 0.00577, rel=1e-3), 1)


def test_the_margin_of_many_seeds_is_nearly_that_of_the_normal_distribution():
    many = [0.5, 0.6] * 50
    for one_sided, expected in ((False, 1.984), (True, 1.660)):  # Student's t with 99 degrees of freedom
        found = difference(many, [0.0] * 100, VALIDATION_ACCURACY, one_sided)
        assert found.margin == pytest.approx(expected * 0.1 * math.sqrt(25 / 99) / 10, rel=0.005)


def test_of_a_loss_less_is_better():
    assert difference([0.5, 0.51], [0.9, 0.91], VALIDATION_LOSS).mean == pytest.approx(0.4)


def test_one_seed_shows_nothing():
    assert difference([0.9], [0.1], VALIDATION_ACCURACY) == Difference(pytest.approx(0.8), math.inf)
    assert difference([0.9], [0.1], VALIDATION_ACCURACY).shows == 0


def test_who_diverges_less_often_is_better():
    found = difference([0.5, 0.5], [0.9, math.nan], VALIDATION_ACCURACY)
    assert (found.diverged, found.shows) == ((0, 1), 1)
    assert difference([math.nan], [0.1], VALIDATION_ACCURACY).shows == -1
    assert difference([math.nan], [math.nan], VALIDATION_ACCURACY).shows == 0


@given(VALUES, VALUES)
def test_the_other_way_round_it_is_the_opposite(ours, theirs):
    there, back = difference(ours, theirs, VALIDATION_ACCURACY), difference(theirs, ours, VALIDATION_ACCURACY)
    assert there.mean == pytest.approx(-back.mean)
    assert there.shows == -back.shows


@given(VALUES)
def test_equal_runs_show_no_difference(values):
    assert difference(values, values, VALIDATION_LOSS).shows == 0


def test_a_difference_in_words():
    assert Difference(-0.0123, 0.02).in_words(VALIDATION_ACCURACY) == '-1.2 +- 2 points'
    assert Difference(0.25, 0.125).in_words(VALIDATION_LOSS) == 'validation loss 0.25 +- 0.12'
    assert Difference(0.012, math.inf).in_words(VALIDATION_ACCURACY) == '1.2 points, by one seed alone'
    assert Difference(math.nan, math.inf, (2, 2)).in_words(VALIDATION_LOSS) == 'all trainings diverged'


def test_where_one_diverges_more_often_that_decides():
    assert Difference(0.1, 0.2, (0, 2)).by_divergence
    assert not Difference(0.1, 0.2, (2, 2)).by_divergence


def test_several_seeds_are_ranked_by_their_means():
    found = compare({'CLR': accuracies(0.9, 0.7), 'fixed 1': accuracies(0.85, 0.85), 'fixed 2': accuracies(0.5, 0.6)})
    assert list(found.ends) == ['fixed 1', 'CLR', 'fixed 2']
    assert found.ends['CLR'] == pytest.approx(0.8)
    assert found.spreads['CLR'] == pytest.approx(0.2 / math.sqrt(2))
    assert (found.seeds, found.rival, found.difference.shows) == (2, 'fixed 1', 0)


def test_a_seed_that_diverged_is_not_averaged_away():
    runs = {'CLR': accuracies(0.9, 0.9), 'fixed 1': [{VALIDATION_ACCURACY: 0.99, LOSS: value} for value in (0.1, None)]}
    found = compare(runs)
    assert math.isnan(found.ends['fixed 1'])
    assert found.rival is None
