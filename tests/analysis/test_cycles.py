"""The length of a cycle: 2 to 10 epochs a half (Smith, arXiv 1506.01186, section 3.2), in whole cycles."""

import re

from lrfinder.analysis.cycles import checked_length, iterations_in, plan

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
def test_without_a_length_a_half_cycle_is_two_epochs_or_a_hundred_updates(per_epoch, step_size, epochs):
    found = plan(per_epoch)
    assert found.step_size == step_size
    assert found.cycles is None
    assert found.iterations is None
    iterations = 'iteration' if per_epoch == 1 else 'iterations'
    assert found.reason == f'{epochs} epochs of {per_epoch} {iterations} (Smith: 2 to 10 epochs)'


def test_without_even_the_length_of_an_epoch_it_is_a_hundred_updates():
    assert (plan(None).step_size, plan(None).reason) == (100, '100 iterations, as the length of an epoch is not known')


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
        (100, 3, 1, 150),  # too short a training: one cycle all the same
        (100, 1, 1, 50),
        (3, 200, 3, 100),  # of a hundred updates a half, though that is more than ten epochs
        (3, 300, 5, 90),
        (7, 1, 1, 3),  # whole iterations, within the length
        (1, 1, 1, 1),
    ],
)
def test_a_length_is_cut_into_whole_cycles(per_epoch, epochs, cycles, step_size):
    found = plan(per_epoch, (epochs, 'epoch'))
    assert (found.cycles, found.step_size) == (cycles, step_size)
    assert found.iterations == 2 * cycles * step_size
    assert found.iterations <= max(2, epochs * per_epoch)
    assert found.iterations > epochs * per_epoch - 2 * cycles


def test_a_length_may_be_in_iterations():
    in_iterations, in_epochs = plan(100, (1200, 'iteration')), plan(100, (12, 'epoch'))
    assert (in_iterations.cycles, in_iterations.step_size) == (in_epochs.cycles, in_epochs.step_size)
    assert in_iterations.reason == '3 whole cycles with half cycles of 2 epochs in 1200 iterations (Smith: 2 to 10 epochs)'


def test_where_an_epoch_is_not_known_a_length_in_iterations_gives_three_cycles():
    found = plan(None, (600, 'iteration'))
    assert (found.cycles, found.step_size) == (3, 100)
    assert found.reason == '3 whole cycles in 600 iterations, as the length of an epoch is not known'
    with pytest.raises(ValueError, match='length is in epochs, but the iterator does not tell how long one is'):
        plan(None, (6, 'epoch'))


@pytest.mark.parametrize('policy, step_size', [('one_cycle', 533), ('wsd', 600), ('polynomial', 600), ('inverse_sqrt', 600)])
def test_a_policy_that_knows_no_cycles_fills_the_training_once(policy, step_size):
    found = plan(100, (12, 'epoch'), policy)
    assert (found.step_size, found.cycles, found.iterations) == (step_size, None, 1200)
    assert found.reason == f'{policy} fills 12 epochs'


@pytest.mark.parametrize(
    'per_epoch, epochs, reason',
    [
        (45, 30, '3 whole cycles with half cycles of 5 epochs in 30 epochs (Smith: 2 to 10 epochs)'),
        (100, 61, '4 whole cycles with half cycles of 7.62 epochs in 61 epochs (Smith: 2 to 10 epochs)'),
        (3, 120, '3 whole cycles with half cycles of 20 epochs in 120 epochs (few updates an epoch; Smith: 2 to 10 epochs)'),
        (
            100,
            2,
            '1 whole cycle with half cycles of 1 epoch in 2 epochs (too short a training for what Smith asks: 2 to 10 epochs)',
        ),
        (
            4,
            1,
            '1 whole cycle with half cycles of 0.5 epochs in 1 epoch '
            '(too short a training for what Smith asks: 2 to 10 epochs)',
        ),
    ],
)
def test_the_reason_says_what_was_chosen(per_epoch, epochs, reason):
    assert plan(per_epoch, (epochs, 'epoch')).reason == reason


@pytest.mark.parametrize(
    ('per_epoch', 'length', 'iterations'),
    [(1.25, 30, 38), (3.125, 10, 32), (3.125, 30, 94), (0.8, 10, 8), (45.000001, 30, 1350)],
)
def test_an_epoch_that_ends_within_a_batch_is_no_whole_number_of_iterations(per_epoch, length, iterations):
    """A trainer stops at the first iteration by which the epochs are done; whole cycles end no more than half of one before."""
    found = plan(per_epoch, (length, 'epoch'))
    assert iterations_in((length, 'epoch'), per_epoch) == iterations
    assert 0 <= iterations - found.iterations < 2 * found.cycles


@pytest.mark.parametrize('value', [0, -3, float('nan'), float('inf'), '4', True])
def test_what_is_no_count_of_iterations_is_refused(value):
    message = f'^{re.escape(f"iterations_per_epoch must be a number above 0, not {value!r}")}$'
    with pytest.raises(ValueError, match=message):
        plan(value)
    with pytest.raises(ValueError, match=message):
        plan(value, (3, 'epoch'))


@pytest.mark.parametrize(
    'length',
    [
        3,
        'ab',
        (3,),
        (0, 'epoch'),
        (-1, 'epoch'),
        (float('nan'), 'epoch'),
        (float('inf'), 'epoch'),
        (3, 'epochs'),
        None,
        ('3', 'epoch'),
        (True, 'epoch'),
    ],
)
def test_what_is_no_length_is_refused(length):
    message = f"length must be a number and its unit, such as (30, 'epoch') or (8000, 'iteration'), not {length!r}"
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        checked_length(length)


def test_cycles_that_grow_fill_a_training_as_whole_ones():
    found = plan(50, (28, 'epoch'), 'cosine:t_mult=2')
    assert (found.cycles, found.step_size, found.iterations) == (3, 100, 1400)


@pytest.mark.parametrize(
    'per_epoch, length, t_mult, cycles, iterations',
    [
        (50, (28, 'epoch'), '100', 2, 2 * 6 * (1 + 100)),  # three would begin with less than an iteration
        (50, (28, 'epoch'), '1e9', 1, 1400),
        (50, (28, 'epoch'), '1e308', 1, 1400),
        (None, (1400, 'iteration'), '1e308', 1, 1400),
        (None, (5, 'iteration'), '1', 2, 4),
    ],
)
def test_there_are_no_more_cycles_than_fit(per_epoch, length, t_mult, cycles, iterations):
    found = plan(per_epoch, length, f'cosine:t_mult={t_mult}')
    assert (found.cycles, found.iterations) == (cycles, iterations)
    assert found.reason.startswith(f'{cycles} whole cycle{"s" if cycles > 1 else ""} ')


def test_a_very_long_training_is_planned_at_once():
    assert plan(2, (10_000_000, 'epoch')).cycles == 100_000
    assert plan(2, (10_000_000, 'epoch'), 'cosine:t_mult=2').cycles == 23  # 2 * (2 ** 23 - 1) iterations
    with pytest.raises(ValueError, match=r'^length must be at most 10,000,000,000 iterations, not 1e\+300$'):
        checked_length((1e300, 'iteration'))


def test_a_policy_that_ends_and_has_options_fills_a_training():
    assert plan(50, (18, 'epoch'), 'one_cycle:step_size_final=100').step_size == 400
