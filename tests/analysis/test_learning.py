"""Whether a model has learned: told by falls and noise, never by the size of a loss itself."""

import math

from lrfinder.analysis import learning
from lrfinder.analysis.learning import DIVERGED, Score

import pytest
from hypothesis import given
from hypothesis import strategies as st

START = Score(train=2.0, loss=2.0, error=0.9)


@pytest.mark.parametrize(
    ('score', 'examples', 'more'),
    [
        (Score(1.0, 1.0, 0.7), 500, True),
        (Score(0.1, 0.1, 0.88), 500, False),  # a loss that fell to chance, from that of a network that was too sure of itself
        (Score(0.1, 0.1, 0.88, wrong=0.2), 500, False),  # enough held-out examples to see that it was learned by heart
        (Score(0.1, 0.1, 0.88, wrong=0.2), 40, True),
        (Score(0.1, 0.1, 0.88, wrong=0.7), 40, False),
        (Score(1.0, 1.0, 0.3, wrong=0.7), 40, False),  # of so few, a dead network may get more right by luck
        (Score(1.0, 1.0), 500, True),  # a loss alone
        (Score(1.95, 2.05), 500, False),
        (DIVERGED, 500, False),
    ],
)
def test_whether_a_run_knows_more_than_the_start(score, examples, more):
    assert learning.knows_more([score], Score(2.0, 2.0, 0.9, wrong=0.9), examples) is more


@pytest.mark.parametrize(('error', 'more'), [(0.3, True), (0.85, False)])
def test_of_few_held_out_examples_answers_count_where_those_on_the_training_data_are_not_known(error, more):
    """As when only the evaluator's model reports an accuracy."""
    assert learning.knows_more([Score(1.0, 1.0, error)], START, 40) is more


@pytest.mark.parametrize(
    ('score', 'learned'),
    [
        (Score(1.0, 1.0, 0.5), True),
        (Score(2.0, 1.95, 0.6), True),  # the loss hardly fell, but more answers are right
        (Score(0.1, 2.5, 0.88), False),  # random labels, learned by heart
        (Score(1.5, 1.5, 0.88), False),  # random labels, and a network that is less sure of itself
        (Score(0.5, 0.5, 0.88), False),  # a network that was far too sure of itself, and has collapsed
        (Score(1.7, 1.7, noise=0.05), True),  # no answers to go by
        (Score(1.7, 2.1, noise=0.05), False),  # learned by heart
        (Score(1.97, 1.97, noise=0.05), False),  # noise may explain it
        (DIVERGED, False),
    ],
)
def test_whether_anything_was_learned_is_judged_on_held_out_data(score, learned):
    assert learning.learned([score], START, examples=500) is learned


def test_few_held_out_examples_cannot_show_that_nothing_was_learned():
    assert learning.learned([Score(1.0, 2.1, 0.9, noise=0.1)], START, examples=40)
    assert not learning.learned([Score(1.9, 1.9, 0.9, noise=0.2)], START, examples=40)


@pytest.mark.parametrize(
    ('runs', 'expected'),
    [
        ([Score(1.0, 1.0, noise=0.01), Score(1.01, 0.99, noise=0.01), Score(0.98, 1.0, noise=0.01)], True),
        ([Score(1.0, 1.0, noise=0.01)], False),
        ([Score(1.0, 1.0, noise=0.01), Score(0.5, 1.0, noise=0.01)], False),
        ([Score(0.03, 0.03, noise=0.001), Score(0.01, 0.01, noise=0.001)], False),  # all fell far, and are still told apart
        ([Score(-9.0, -9.0, noise=0.1), Score(-9.1, -9.0, noise=0.1), DIVERGED], True),
    ],
)
def test_runs_that_came_to_the_same(runs, expected):
    assert learning.alike(runs, START) is expected


def test_runs_that_stayed_where_they_began_came_to_the_same_and_have_not_collapsed():
    runs = [Score(1.99, 1.99, noise=0.1), Score(1.99, 1.99, noise=0.1)]
    assert learning.same(runs, START)
    assert not learning.alike(runs, START)


def test_a_loss_that_is_as_noisy_at_the_start_has_not_surely_fallen():
    runs = [Score(1.7, 1.7, noise=0.1)]
    assert learning.learned(runs, Score(2.0, 2.0, noise=0.2))
    assert not learning.learned(runs, Score(2.0, 2.0, noise=0.3))


def test_rates_that_leave_the_training_loss_to_the_last_digits_have_no_part_in_it():
    assert learning.untouched([Score(0.268445, 3.0), Score(0.26844501, -2.0), DIVERGED])
    assert not learning.untouched([Score(0.268445, 3.0), Score(0.26845, 3.0)])
    assert not learning.untouched([Score(0.268445, 3.0), DIVERGED])
    assert not learning.untouched([Score(0.0, 0.1), Score(0.0, 0.2)])  # solved, as a hinge loss may be


def test_little_was_learned_where_the_fall_is_hardly_more_than_noise():
    assert learning.learned_little([Score(1.5, 1.5, noise=0.1)], START)
    assert not learning.learned_little([Score(1.5, 1.5, noise=0.01), DIVERGED], START)
    assert learning.learned_little([DIVERGED], START)


def test_one_noisy_run_does_not_make_others_alike():
    runs = [Score(1.0, 1.0, noise=0.01), Score(1.5, 1.5, noise=0.01), Score(9.0, 1.2, noise=3.0)]
    assert not learning.alike(runs, Score(160.0, 160.0))


def test_a_model_knows_already_what_it_gets_right_until_a_rate_ruins_it():
    assert learning.knows_already(Score(0.1, 0.1, wrong=0.04), ruined=0.9)
    assert not learning.knows_already(START, ruined=math.nan)


numbers = st.integers(-1000, 1000).map(lambda tenths: tenths / 10)  # falls that are no rounding
noises = st.floats(0.001, 1)
runs = st.lists(st.builds(Score, numbers, numbers, st.just(math.nan), noises), min_size=1, max_size=4)


@given(runs, numbers, st.sampled_from([1e-4, 0.1, 10.0, 1e4]), st.sampled_from([-1e3, -30.0, 30.0, 1e3]))
def test_neither_scale_nor_zero_of_the_loss_changes_anything(scores, before, scale, shift):
    def moved(score):
        return Score(scale * (score.train + shift), scale * (score.loss + shift), score.error, scale * score.noise)

    start = Score(before, before)
    others, other = [moved(score) for score in scores], moved(start)
    assert learning.learned(others, other) is learning.learned(scores, start)
    assert learning.alike(others, other) is learning.alike(scores, start)
    assert learning.learned_little(others, other) is learning.learned_little(scores, start)


@pytest.mark.parametrize(
    ('score', 'expected'),
    [
        (Score(2.0, 1.9, noise=0.01), True),
        (Score(2.0, 2.1, noise=0.01), True),
        (Score(2.0, 1.98, noise=0.01), False),  # two standard errors
        (learning.DIVERGED, True),
    ],
)
def test_a_loss_has_moved_where_it_differs_from_that_of_the_start_by_more_than_noise(score, expected):
    assert learning.moved(score, Score(2.0, 2.0)) is expected


def test_what_ended_above_the_start_is_lost_unless_that_may_be_noise():
    start = Score(2.0, 2.0)
    assert learning.lost(Score(2.1, 2.1, noise=0.01), start)
    assert not learning.lost(Score(2.1, 2.1, noise=0.1), start)
    assert not learning.lost(Score(1.0, 2.1, noise=0.01), start)
