"""The length of a cycle: 2 to 10 epochs a half (Smith, arXiv 1506.01186, section 3.2), in whole cycles."""

import re

from lrfinder.analysis.cycles import within_budget, without_budget

import pytest


@pytest.mark.parametrize(
    'per_epoch, step_size, epochs',
    [
        (1, 10, 10),  # never more than ten epochs
        (9, 90, 10),
        (10, 100, 10),  # a hundred updates, if ten epochs give them
        (12, 108, 9),
        (34, 102, 3),
        (49, 147, 3),
        (50, 100, 2),
        (51, 102, 2),
        (1000, 2000, 2),  # never fewer than two epochs
    ],
)
def test_without_a_budget_a_half_cycle_is_two_epochs_or_a_hundred_updates(per_epoch, step_size, epochs):
    plan = without_budget(per_epoch)
    assert plan.step_size == step_size
    assert plan.cycles is None
    assert plan.iterations is None
    assert plan.reason == f'{epochs} epochs of {per_epoch} iterations (Smith: 2 to 10 epochs)'


def test_without_even_the_length_of_an_epoch_it_is_a_hundred_updates():
    plan = without_budget(None)
    assert (plan.step_size, plan.reason) == (100, '100 iterations, as the length of an epoch is not known')


@pytest.mark.parametrize(
    'per_epoch, epochs, cycles, step_size',
    [
        (100, 12, 3, 200),  # three cycles
        (100, 30, 3, 500),
        (100, 60, 3, 1000),  # of ten epochs a half, and no more
        (100, 61, 4, 762),
        (100, 200, 10, 1000),
        (100, 11, 2, 275),  # two, where three would be of less than two epochs a half
        (100, 8, 2, 200),
        (100, 7, 1, 350),
        (100, 4, 1, 200),
        (100, 3, 1, 150),  # too short a budget: one cycle all the same
        (100, 1, 1, 50),
        (7, 1, 1, 3),  # whole iterations, within the budget
        (1, 1, 1, 1),
    ],
)
def test_a_budget_is_cut_into_whole_cycles(per_epoch, epochs, cycles, step_size):
    plan = within_budget(per_epoch, epochs)
    assert (plan.cycles, plan.step_size) == (cycles, step_size)
    assert plan.iterations == 2 * cycles * step_size
    assert plan.iterations <= max(2, epochs * per_epoch)
    assert plan.iterations > epochs * per_epoch - 2 * cycles


@pytest.mark.parametrize(
    'per_epoch, epochs, reason',
    [
        (45, 30, '3 whole cycles with half cycles of 5 epochs in 30 epochs (Smith: 2 to 10 epochs)'),
        (100, 61, '4 whole cycles with half cycles of 7.62 epochs in 61 epochs (Smith: 2 to 10 epochs)'),
        (
            100,
            2,
            '1 whole cycle with half cycles of 1 epoch in 2 epochs (too short a budget for what Smith asks: 2 to 10 epochs)',
        ),
        (
            4,
            1,
            '1 whole cycle with half cycles of 0.5 epochs in 1 epoch (too short a budget for what Smith asks: 2 to 10 epochs)',
        ),
    ],
)
def test_the_reason_says_what_was_chosen(per_epoch, epochs, reason):
    assert within_budget(per_epoch, epochs).reason == reason


@pytest.mark.parametrize('value', [0, -3, 2.5, float('nan'), '4', None, True])
def test_what_is_no_count_is_refused(value):
    message = f'^{re.escape(f"iterations_per_epoch must be a whole number, 1 or more, not {value!r}")}$'
    if value is not None:
        with pytest.raises(ValueError, match=message):
            without_budget(value)
    with pytest.raises(ValueError, match=message):
        within_budget(value, 3)
    with pytest.raises(ValueError, match=message.replace('iterations_per_epoch', 'epochs')):
        within_budget(3, value)
