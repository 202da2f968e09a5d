"""When a run has diverged, and why."""

import math
import warnings

from lrfinder.analysis.divergence import Divergence, diverged_at

import numpy as np
import pytest

LEARNING = [2.0, 1.9, 1.7, 1.4, 1.2, 1.1, 1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize('bad, name', [(math.nan, 'nan'), (math.inf, 'inf'), (-math.inf, '-inf')])
@pytest.mark.parametrize('place', [0, 1, 4, 9])
def test_diverged_at_the_first_loss_that_is_not_finite(bad, name, place):
    losses = [*LEARNING[:place], bad, *LEARNING, math.nan]
    assert diverged_at(losses) == (place, f'the loss is not finite ({name})')


@pytest.mark.parametrize(
    'losses',
    [
        [],
        [1.0],
        LEARNING,
        [1.0] * 50,
        [2.0, 1.0] * 30,  # noise
        [3 - k / 50 + 0.5 * (-1) ** k for k in range(100)],  # noise around a fall
        [*LEARNING, 9.0, *LEARNING[-5:]],  # one outlier
        [*LEARNING, 1.8, 1.9, 1.8, 1.9, 1.8],  # back up, but by no more than it had fallen
        [-k / 10 for k in range(100)],  # negative losses that fall
    ],
)
def test_a_run_that_has_not_diverged(losses):
    assert diverged_at(losses) is None


@pytest.mark.parametrize('shift', [0.0, -100.0, 1e6])
def test_diverged_once_the_mean_of_three_has_been_too_high_four_times_in_a_row(shift):
    # The best mean of three is 1.0. Until then the loss had changed by 0.125 from one to the next; eight times that is more
    # than the fall of 0.7 from the median of the first five. From 2.0 on the means are 1.33, 2.0, 3.0, 4.0, 5.0, 6.0.
    losses = [shift + loss for loss in [*LEARNING, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]
    index, why = diverged_at(losses)
    assert index == 15
    assert why == f'the loss has risen from {1 + shift:.4g} to {6 + shift:.4g}, by more than it had fallen before'


def test_a_run_that_only_rises_has_risen_from_its_start():
    index, why = diverged_at([1.0, 1.0, 1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0])
    assert index == 9
    assert why.startswith('the loss has risen from 1 to ')


def test_in_a_long_run_the_means_are_of_a_thirtieth():
    falling = [2.0 - k / 300 for k in range(300)]
    index, _ = diverged_at([*falling, *[10.0] * 100])
    # Means of ten are above the start from the second high loss on, then for longer than ten.
    assert index == 300 + 1 + 10
    assert diverged_at([*falling, *[10.0] * 11]) is None


def test_a_rise_that_noise_explains_is_none():
    noisy = [5.0, 1.0] * 20
    assert diverged_at([*noisy, 10.0, 10.0, 10.0, 10.0, 10.0]) is None
    assert diverged_at([*noisy, *[100.0] * 5]) is not None


def test_what_comes_after_a_break_does_not_change_it():
    losses = [*LEARNING, *[50.0] * 6]
    assert diverged_at(losses) == diverged_at([*losses, *[0.0] * 100]) == diverged_at([*losses, math.nan])


def test_it_says_the_same_one_by_one():
    watch = Divergence()
    said = [watch.update(loss) for loss in [*LEARNING, 10.0, 20.0, 30.0, 40.0]]
    assert said[:-1] == [None] * 13
    assert said[-1] == 'the loss has risen from 1 to 30, by more than it had fallen before'


def test_small_losses_count_after_a_huge_one():
    after = diverged_at([1e17, *LEARNING, *[1e17] * 20])
    assert after is not None
    watch = Divergence()
    for loss in [1e17, *LEARNING]:
        watch.update(loss)
    assert watch._best == 1.0  # the sums have not swallowed it


@pytest.mark.parametrize('losses', [[1e308] * 9, [-1e308] * 9])
def test_losses_too_large_for_sums_are_a_break(losses):
    assert diverged_at(losses) == (4, f'the loss is too large to be summed up ({losses[0]:.4g})')


def test_numpys_numbers_are_as_good_and_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert diverged_at(np.array([1e308, -1e308] * 9)) is None
        assert diverged_at(np.array(LEARNING, np.float32)) is None
        assert diverged_at(np.float32(loss) for loss in [1, 2, math.inf]) == (2, 'the loss is not finite (inf)')
