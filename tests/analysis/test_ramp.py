"""The rate of each iteration of a range test."""

import re

from lrfinder.analysis.ramp import check_range, rates

import numpy as np
import pytest


def test_a_linear_ramp_has_equal_steps():
    assert rates((0.5, 2.5), 5).tolist() == [0.5, 1.0, 1.5, 2.0, 2.5]
    assert rates((0, 1), 2).tolist() == [0.0, 1.0]


def test_an_exponential_ramp_has_equal_factors():
    assert rates((1.0, 16.0), 5, 'exponential') == pytest.approx([1, 2, 4, 8, 16], rel=1e-12)
    assert rates((1e-3, 10.0), 5, 'exponential') == pytest.approx([0.001, 0.01, 0.1, 1, 10], rel=1e-12)


@pytest.mark.parametrize('shape', ['linear', 'exponential'])
@pytest.mark.parametrize(
    'value_range', [(0.1, 0.3), (1e-7, 10.0), (1 / 3, 2 / 3), (5e-324, 1e308), (1e-308, 1e-300), (1.0, 1.0000001)]
)
@pytest.mark.parametrize('iterations', [2, 3, 101])
def test_the_ends_are_exact_and_every_rate_is_above_the_one_before(value_range, iterations, shape):
    found = rates(value_range, iterations, shape)
    assert (found[0], found[-1]) == value_range
    assert found.shape == (iterations,)
    assert found.dtype == np.float64
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize('iterations', [4, 4.0, np.int32(4), np.float64(4)])
def test_any_whole_number_is_a_length(iterations):
    assert rates((np.float32(0), 3), iterations).tolist() == [0.0, 1.0, 2.0, 3.0]


LENGTH = 'iterations must be a whole number from 2 to 10,000,000, not '
PAIR = 'value_range must be two numbers, such as (0.01, 0.1), not '
ASCENDING = 'value_range must be finite, not negative and in ascending order, not '
REFUSED = [
    ((0, 1), 1, 'linear', LENGTH + '1'),
    ((0, 1), 0, 'linear', LENGTH + '0'),
    ((0, 1), -5, 'linear', LENGTH + '-5'),
    ((0, 1), 2.5, 'linear', LENGTH + '2.5'),
    ((0, 1), float('nan'), 'linear', LENGTH + 'nan'),
    ((0, 1), float('inf'), 'linear', LENGTH + 'inf'),
    ((0, 1), 10**8, 'linear', LENGTH + '100000000'),
    ((0, 1), 10**400, 'linear', LENGTH + str(10**400)),
    ((0, 1), True, 'linear', LENGTH + 'True'),
    ((0, 1), '10', 'linear', LENGTH + "'10'"),
    ((0, 1), None, 'linear', LENGTH + 'None'),
    ((1, 0), 5, 'linear', ASCENDING + '(1, 0)'),
    ((1, 1), 5, 'linear', 'value_range must be two different rates, not (1, 1)'),
    ((-0.1, 1), 5, 'linear', ASCENDING + '(-0.1, 1)'),
    ((0, float('inf')), 5, 'linear', ASCENDING + '(0, inf)'),
    ((float('nan'), 1), 5, 'linear', ASCENDING + '(nan, 1)'),
    ((0,), 5, 'linear', PAIR + '(0,)'),
    ((0, 1, 2), 5, 'linear', PAIR + '(0, 1, 2)'),
    (1.0, 5, 'linear', PAIR + '1.0'),
    ('01', 5, 'linear', PAIR + "'01'"),
    (('a', 'b'), 5, 'linear', PAIR + "('a', 'b')"),
    ((0, 10**400), 5, 'linear', PAIR + f'(0, {10**400})'),
    ((0, 1), 5, 'exponential', 'an exponential ramp must start above 0'),
    ((0, 1), 5, 'cubic', "ramp must be 'linear' or 'exponential', not 'cubic'"),
    ((0, 1), 5, None, "ramp must be 'linear' or 'exponential', not None"),
    ((0, 5e-324), 5, 'linear', 'value_range (0, 5e-324) is too narrow for 5 different rates'),
]


@pytest.mark.parametrize('value_range, iterations, shape, message', REFUSED)
def test_what_is_no_ramp_is_refused(value_range, iterations, shape, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        rates(value_range, iterations, shape)


def test_a_range_alone_can_be_checked():
    assert check_range([np.float32(0.5), 2], 'exponential') == (0.5, 2.0)
    with pytest.raises(ValueError, match='must start above 0'):
        check_range((0, 1), 'exponential')
