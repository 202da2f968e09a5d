"""Which rates a range test tries."""

import math

from lrfinder.analysis import search
from lrfinder.analysis.learning import DIVERGED, Score
from lrfinder.analysis.search import where_to_look
from lrfinder.analysis.trials import FACTOR, Trial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

START = Score(train=2.0, loss=2.0, error=0.9)
ANYWHERE = (0.0, math.inf)


def first(scan):
    return where_to_look(scan)[0]


def trials(scores):
    """Trial cycles by the power of ten of their rate."""
    return [Trial(10.0**power, score) for power, score in scores.items()]


def following(scores, bounds=ANYWHERE):
    """The power of ten of the next rate."""
    rate = search.next_rate(trials(scores), START, bounds)
    return None if rate is None else round(math.log10(rate), 6)


WORSE, GOOD, BEST = Score(1.9, 1.9, 0.85), Score(1.3, 1.3, 0.6), Score(0.3, 0.3, 0.1)
DEAD = Score(2.3, 2.3, 0.9)
SLOW = Score(1.98, 1.98, 0.89)

# Where a scan says to look


def test_where_to_look_is_where_most_of_the_fall_has_come():
    rates = np.geomspace(1e-7, 1e2, 91)
    losses = np.where(rates < 1e-3, 2.0, np.where(rates < 1e-1, 1.0, 9.0))
    scan = pd.DataFrame({'lr': rates, 'main/loss': losses})[rates < 0.2]
    assert 5e-4 < first(scan) < 1e-2


def test_where_to_look_is_before_a_spike_after_which_a_dead_network_learns_the_mean():
    rates = np.geomspace(1e-7, 1e2, 91)
    noise = np.random.RandomState(0).normal(0, 0.05, 91)
    losses = np.where(rates < 1e-3, 2.0, np.where(rates < 1e-2, 1.5, 0.9)) + noise
    calm = pd.DataFrame({'lr': rates, 'main/loss': losses})
    assert 5e-3 < first(calm) < 3e-2
    spiking = calm.copy()
    spiking.loc[np.searchsorted(rates, 1e-2), 'main/loss'] = 40.0
    assert 4e-4 < first(spiking) < 3e-3


def test_a_rise_that_noise_or_rounding_explains_is_no_spike():
    rates = np.geomspace(1e-7, 1e2, 91)
    losses = np.where(rates < 1e-3, 2.0, 1.0)
    losses[40] = 2.01  # without any noise before, but a hundredth of the loss
    assert 5e-4 < first(pd.DataFrame({'lr': rates, 'main/loss': losses})) < 1e-2
    noisy = losses + np.random.RandomState(0).normal(0, 0.1, 91)
    noisy[55] += 1.2  # ten standard deviations above the opening
    assert 5e-4 < first(pd.DataFrame({'lr': rates, 'main/loss': noisy})) < 1e-2


@pytest.mark.parametrize('losses', [[], [np.nan], [1.0, np.inf], [1.0, 2.0, 900.0], [3.0, np.nan, np.nan]])
def test_where_to_look_is_below_the_end_when_the_scan_diverged_at_once(losses):
    scan = pd.DataFrame({'lr': np.geomspace(1e-7, 1e-6, max(len(losses), 1)), 'main/loss': losses or [np.nan]})
    assert 1e-7 / 32 < first(scan) < 1e-6


def test_where_to_look_is_below_the_end_when_the_scan_shows_nothing():
    scan = pd.DataFrame({'lr': np.geomspace(1e-7, 2.7, 70), 'main/loss': np.ones(70)})
    assert where_to_look(scan) == [pytest.approx(2.7 / 10**1.5)]


def test_where_to_look_is_a_twentieth_of_the_first_spike_at_most():
    """The loss falls up to the spike itself: a scan passes in one update what a cycle would have to stand."""
    rates = np.geomspace(1e-7, 1e2, 91)
    losses = np.where(rates < 0.1, 2.0 - 0.1 * (np.log10(rates) + 7), 50.0)
    assert first(pd.DataFrame({'lr': rates, 'main/loss': losses})) == pytest.approx(0.1 / 20, rel=0.3)


def test_a_second_place_to_look_is_beyond_an_outlier():
    rates = np.geomspace(1e-7, 1e2, 91)
    losses = np.where(rates < 1e-2, 2.0, 1.0) + np.random.RandomState(0).normal(0, 0.01, 91)
    losses[30] = 1e6
    likely, other = where_to_look(pd.DataFrame({'lr': rates, 'main/loss': losses}))
    assert likely < 1e-5
    assert 5e-3 < other < 1e-1


# Trial cycles


@pytest.mark.parametrize(
    ('anchor', 'bounds', 'expected'),
    [
        (0.01, ANYWHERE, [10**-1.5, 0.01]),
        (0.012, ANYWHERE, [10**-1.5, 0.01]),
        (0.01, (0.0, 0.02), [0.02, 0.01]),  # the highest that is allowed, and the next below it
        (0.01, (0.03, 0.5), [10**-1.5, 0.03]),
        (0.01, (0.5, 0.6), [0.5, 0.6]),
        (100.0, (0.5, 0.6), [0.6, 0.5]),
    ],
)
def test_the_first_two_rates(anchor, bounds, expected):
    assert search.first_rates(anchor, bounds) == pytest.approx(expected)


@pytest.mark.parametrize(
    ('scores', 'power'),
    [
        ({-2: BEST, -1.5: GOOD}, -2.5),  # the lowest is the best
        ({-2: GOOD, -1.5: BEST}, -2.5),  # a longer run at the lowest may do as well
        ({-2.5: WORSE, -2: GOOD, -1.5: BEST}, -1.0),  # the highest is the best
        ({-2.5: WORSE, -2: GOOD, -1.5: BEST, -1: DEAD}, None),  # the best is between others
        ({-2: DIVERGED, -1.5: DIVERGED}, -2.5),
        ({-2: DEAD, -1.5: DEAD}, -3.0),  # a network that dies at all rates, a decade lower
        ({-2: SLOW, -1.5: Score(1.9, 1.9, 0.88)}, -0.5),  # little was learned, and faster the higher the rate
        ({-2: Score(1.99, 1.99, 0.895), -1.5: SLOW, -1: DEAD}, -3.0),  # little was learned, and death above
        ({-2: Score(0.5, 0.5, 0.9), -1.5: Score(0.7, 0.7, 0.89)}, -3.0),  # the loss fell, and no more answers are right
        ({-3.5: WORSE, -3: GOOD, -2: BEST, -1: DEAD}, -1.5),  # a gap above the best
        ({-3.5: WORSE, -3: GOOD, -2: BEST, -1.5: DEAD}, -2.5),  # a gap below it
    ],
)
def test_the_next_rate(scores, power):
    assert following(scores) == power


def test_the_next_rate_stays_within_the_bounds():
    assert following({-2: BEST, -1.5: GOOD}, bounds=(10**-2.2, 1.0)) is None
    assert following({-2.5: WORSE, -2: GOOD, -1.5: BEST}, bounds=(0.0, 0.05)) is None
    # A decade further is out of bounds: half of it is not.
    assert following({-2: SLOW, -1.5: Score(1.9, 1.9, 0.88)}, bounds=(0.0, 0.2)) == -1.0


positive = st.floats(0.01, 100.0)
scores = st.one_of(st.just(DIVERGED), st.builds(Score, positive, positive, st.floats(0, 1)))


@given(st.lists(scores, min_size=1, max_size=6), st.builds(Score, positive, positive, st.floats(0, 1)), positive, positive)
def test_the_next_rate_is_new_on_the_grid_and_within_the_bounds(runs, start, low, factor):
    tried = [Trial(10.0 ** (power / 2), score) for power, score in enumerate(runs)]
    rate = search.next_rate(tried, start, (low, low * (1 + factor)))
    if rate is not None:
        assert low <= rate <= low * (1 + factor)
        assert rate == search.on_grid(rate)
        assert not np.isclose(rate, [trial.rate for trial in tried]).any()


@given(st.floats(1e-9, 1e9))
def test_the_grid_has_two_rates_to_a_decade(rate):
    near = search.on_grid(rate)
    assert FACTOR**-0.5 * (1 - 1e-9) <= near / rate <= FACTOR**0.5 * (1 + 1e-9)
    assert search.on_grid(near) == near
    assert search.on_grid(near * FACTOR) == pytest.approx(near * FACTOR)
