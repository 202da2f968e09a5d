"""Which rates a range test tries."""

import math

from lrfinder.analysis import search
from lrfinder.analysis.learning import DIVERGED, Score
from lrfinder.analysis.search import where_to_look
from lrfinder.analysis.trials import Trial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

START = Score(train=2.0, loss=2.0, error=0.9)
ANYWHERE = (0.0, math.inf)
SCAN = (1e-7, 1e2)


def first(scan):
    return where_to_look(scan)[0]


def trials(scores):
    """Trial cycles by the power of ten of their rate."""
    return [Trial(10.0**power, score) for power, score in scores.items()]


def following(scores, bounds=ANYWHERE):
    """The power of ten of the next rate."""
    rate = search.next_rate(trials(scores), START, bounds)
    return None if rate is None else round(math.log10(rate), 6)


WORSE, GOOD, BETTER, BEST = Score(1.9, 1.9, 0.85), Score(1.3, 1.3, 0.6), Score(0.6, 0.6, 0.3), Score(0.3, 0.3, 0.1)
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
    assert where_to_look(scan) == [pytest.approx(2.7 / 30)]


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


# Where to scan again


def scan_of(loss, rates=None):
    rates = np.geomspace(1e-7, 1e2, 60) if rates is None else rates
    return pd.DataFrame({'lr': rates, 'main/loss': [loss(rate) for rate in rates]})


def test_a_scan_that_falls_to_its_end_is_continued_above():
    assert search.look_elsewhere(scan_of(lambda rate: 1 / (1 + 1e-3 * rate)), SCAN) == (1e2, pytest.approx(1e11))


def test_a_scan_that_shows_nothing_is_continued_above():
    assert search.look_elsewhere(scan_of(lambda rate: 1.0), SCAN) == (1e2, pytest.approx(1e11))


def test_a_scan_that_diverges_at_its_start_is_repeated_up_to_there():
    early = scan_of(lambda rate: 1.0, np.geomspace(1e-7, 2e-5, 15))
    assert search.look_elsewhere(early, SCAN) == (pytest.approx(2e-14), 2e-5)


def test_a_scan_that_shows_where_to_look_is_not_repeated():
    assert search.look_elsewhere(scan_of(lambda rate: 1 / (1 + 1e3 * rate)), SCAN) is None
    cut = scan_of(lambda rate: 1 / (1 + 1e3 * rate), np.geomspace(1e-7, 3.0, 50))
    assert search.look_elsewhere(cut, SCAN) is None


@given(st.sampled_from([1e-3, 1.0, 1e3]), st.sampled_from([-100.0, -30.0, 30.0, 100.0]), st.integers(0, 5))
def test_where_to_look_depends_neither_on_the_scale_nor_on_the_zero_of_the_loss(scale, shift, seed):
    noise = np.random.RandomState(seed).normal(0, 0.01, 60)
    scan = scan_of(lambda rate: 1 / (1 + 1e3 * rate) if rate < 3 else 9.0)
    scan['main/loss'] += noise
    moved = scan.assign(**{'main/loss': scale * (scan['main/loss'] + shift)})
    assert where_to_look(moved) == where_to_look(scan)


# The grid


@given(st.floats(1e-30, 1e30))
def test_the_grid_has_four_rates_to_a_decade(rate):
    near = search.rate_of(search.step_of(rate))
    assert 10**-0.125 * (1 - 1e-9) <= near / rate <= 10**0.125 * (1 + 1e-9)
    assert search.step_of(near) == search.step_of(rate)
    assert search.rate_of(search.step_of(near) + 4) == pytest.approx(10 * near)


@given(st.integers(-200, 200))
def test_coarse_steps_are_every_second_one(step):
    assert search.step_of(search.rate_of(step), search.COARSE) % 2 == 0
    assert search.step_of(search.rate_of(2 * step), search.COARSE) == 2 * step


# Trial cycles


@pytest.mark.parametrize(
    ('anchor', 'bounds', 'expected'),
    [
        (0.01, ANYWHERE, [10**-1.5, 0.01]),
        (0.012, ANYWHERE, [10**-1.5, 0.01]),
        (1e-12, ANYWHERE, [10**-11.5, 1e-12]),
        (0.01, (0.0, 0.02), [0.02, 0.01]),  # the highest that is allowed, and the next below it
        (0.01, (0.03, 0.5), [10**-1.5, 0.03]),
        (0.01, (0.5, 0.6), [0.5]),
        (100.0, (0.5, 0.6), [0.6]),
    ],
)
def test_the_first_rates(anchor, bounds, expected):
    assert search.first_rates(anchor, bounds) == pytest.approx(expected)


def test_the_first_rates_of_a_later_rung_are_around_what_the_earlier_one_speaks_for():
    assert search.rates_around(0.012, ANYWHERE) == pytest.approx([0.01, 10**-1.75])
    assert search.rates_around(0.012, (0.0, 0.01)) == [0.01]


# A network on a plateau.
STILL = Score(2.001, 2.001, 0.9, noise=0.005)


@pytest.mark.parametrize(
    ('scores', 'power'),
    [
        ({-2: BEST, -1.5: GOOD}, -2.5),  # the lowest is the best
        ({-2.5: WORSE, -2: GOOD, -1.5: BEST}, -0.5),  # learning still speeds up: two steps
        ({-2.5: GOOD, -2: BETTER, -1.5: BEST}, -1.0),  # the highest is the best, but it no longer does
        ({-2.5: WORSE, -2: GOOD, -1.5: BEST, -1: DEAD}, None),  # the best is between others
        ({-2: DIVERGED, -1.5: DIVERGED}, -2.5),
        ({-2: DEAD, -1.5: DEAD}, -3.0),  # a network that dies at all rates, a decade lower
        ({-2: SLOW, -1.5: Score(1.9, 1.9, 0.88)}, -0.5),  # little was learned, and faster the higher the rate
        ({-2: Score(1.9, 1.9, 0.89), -1.5: Score(1.88, 1.88, 0.885)}, -0.5),  # nothing was learned, but the loss fell more
        ({-2: Score(1.99, 1.99, 0.895), -1.5: SLOW, -1: DEAD}, -3.0),  # little was learned, and death above
        ({-2: Score(0.5, 0.5, 0.9), -1.5: Score(0.7, 0.7, 0.89)}, -3.0),  # the loss fell, and no more answers are right
        ({-2: STILL, -1.5: Score(2.01, 2.01, 0.9, noise=0.005)}, -0.5),  # no loss moved by more than noise, up or down
        ({-2: STILL, -1.5: Score(2.02, 2.02, 0.9, noise=0.005)}, -3.0),  # the highest one rose
        ({-3.5: WORSE, -3: GOOD, -2: BEST, -1: DEAD}, -1.5),  # a gap above the best
        ({-3.5: WORSE, -3: GOOD, -2: BEST, -1.5: DEAD}, -2.5),  # a gap below it
    ],
)
def test_the_next_rate(scores, power):
    assert following(scores) == power


def test_the_next_rate_around_the_best_is_a_fine_step_away():
    runs = trials({-2.25: GOOD, -2: BETTER, -1.75: BEST})
    assert search.next_rate(runs, START, ANYWHERE, apart=search.FINE) == pytest.approx(10**-1.5)


def test_the_next_rate_stays_within_the_bounds():
    assert following({-2: BEST, -1.5: GOOD}, bounds=(10**-2.2, 1.0)) == pytest.approx(-2.2)
    assert following({-2.2: BEST, -2.0: GOOD}, bounds=(10**-2.2, 1.0)) is None
    assert following({-2.5: WORSE, -2: GOOD, -1.5: BEST}, bounds=(0.0, 0.05)) == pytest.approx(math.log10(0.05), abs=1e-6)
    # A decade further is out of bounds: the bound is not.
    assert following({-2: SLOW, -1.5: Score(1.9, 1.9, 0.88)}, bounds=(0.0, 0.2)) == pytest.approx(math.log10(0.2), abs=1e-6)


# Falls from 2 at 1e-4 to 0.8 at 1e-2, and diverges at 0.1.
PASSING = pd.DataFrame(
    {'lr': np.geomspace(1e-7, 0.1, 61), 'main/loss': np.interp(np.arange(61), [30, 50, 55, 60], [2.0, 0.8, 0.8, 9.0])}
)


@pytest.mark.parametrize(
    ('rate', 'train', 'expected'),
    [
        (1e-2, 0.7, False),
        (1e-2, 0.95, False),  # above by no more than noise
        (1e-2, 1.3, True),  # the scan stood it for a moment
        (1e-4, 1.9, False),
        (1.0, 9.0, False),  # the scan did not come so far
    ],
)
def test_a_trial_is_overtaxed_where_it_ends_above_where_the_scan_was_at_its_rate(rate, train, expected):
    assert search.overtaxed(Trial(rate, Score(train, 2.0, noise=0.1)), PASSING) is expected


def test_the_next_rate_is_far_below_trials_that_are_all_overtaxed():
    fast, faster = Score(1.8, 1.8, noise=0.1), Score(1.5, 1.5, noise=0.1)
    runs = trials({-2.5: fast, -2: faster})
    assert search.next_rate(runs, START, ANYWHERE) == pytest.approx(10**-1)  # it seems to speed up
    assert search.next_rate(runs, START, ANYWHERE, scan=PASSING) == pytest.approx(10**-3.5)
    assert search.next_rate(trials({-2.5: BEST, -2: faster}), START, ANYWHERE, scan=PASSING) == pytest.approx(10**-3)
    assert search.next_rate([*runs, Trial(0.1, DIVERGED)], START, ANYWHERE, scan=PASSING) == pytest.approx(10**-3.5)
    assert search.next_rate(runs, START, ANYWHERE, known=True, scan=PASSING) == pytest.approx(10**-1)


@pytest.mark.parametrize('power', [-30, -8, 0, 8])
def test_at_any_scale_a_neighbour_of_a_rate_is_another_one(power):
    assert following({power: BEST, power + 0.5: GOOD}) == power - 0.5


def test_learning_speeds_up_while_the_fall_grows_by_more_than_a_half():
    start = Score(2.0, 2.0)
    slow, half_more, treble = Score(1.9, 1.9, noise=0.01), Score(1.86, 1.86, noise=0.01), Score(1.7, 1.7, noise=0.01)
    assert search.speeding_up([slow, treble], start)
    assert not search.speeding_up([slow, half_more], start)
    assert not search.speeding_up([treble], start)
    assert not search.speeding_up([slow, DIVERGED], start)
    assert not search.speeding_up([slow, Score(1.7, 1.95)], start)  # learned by heart


positive = st.floats(0.01, 100.0)
scores = st.one_of(st.just(DIVERGED), st.builds(Score, positive, positive, st.floats(0, 1)))


@given(st.lists(scores, min_size=1, max_size=6), st.builds(Score, positive, positive, st.floats(0, 1)), positive, positive)
def test_the_next_rate_is_new_and_within_the_bounds(runs, start, low, factor):
    tried = [Trial(10.0 ** (power / 2), score) for power, score in enumerate(runs)]
    bounds = (low, low * (1 + factor))
    rate = search.next_rate(tried, start, bounds)
    if rate is not None:
        assert bounds[0] <= rate <= bounds[1]
        assert rate in bounds or rate == search.rate_of(search.step_of(rate, search.COARSE))
        assert rate not in [trial.rate for trial in tried]
