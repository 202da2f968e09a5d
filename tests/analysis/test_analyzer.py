"""The analyzer on synthetic curves whose answer is known, and on curves that the method's authors recorded."""

import math
from pathlib import Path

import lrfinder
from lrfinder.analysis import analyzer

import numpy as np
import pandas as pd
import pytest

AUTHORS = Path(__file__).parents[3] / 'shared' / 'curves'


def ramp(losses, stop=1.0, **metrics):
    rates = np.linspace(0, stop, len(losses))
    return pd.DataFrame({'lr': rates, 'main/loss': losses, **metrics})


def learning(rows=200, stop=1.0, pays=0.1, degrades=None, noise=0.0, seed=0):
    """Loss 2 at first, falling from half of ``pays`` on, at 0.5 from ``2 * pays`` on; 3 from ``degrades`` on."""
    rates = np.linspace(0, stop, rows)
    losses = np.interp(rates, [0.5 * pays, 2 * pays], [2.0, 0.5])
    if degrades is not None:
        losses[rates >= degrades] = 3.0
    return ramp(losses + np.random.RandomState(seed).normal(0, noise, rows), stop)


def test_a_curve_that_holds_to_its_end_is_exhausted():
    suggestion = lrfinder.analyze(learning())
    assert suggestion.exhausted
    assert suggestion.value_range == pytest.approx((0.065, 0.36), abs=0.01)
    assert suggestion.reasons['max'] == '0.36 of the rate 1 at which the ramp ended before the curve degraded; higher may do'


def test_the_maximum_is_well_below_the_limit():
    suggestion = lrfinder.analyze(learning(degrades=0.6))
    assert not suggestion.exhausted
    assert suggestion.value_range[1] == pytest.approx(0.33 * 0.6, rel=0.1)
    assert suggestion.reasons['max'].startswith('0.33 of the rate 0.5')
    assert suggestion.reasons['max'].endswith('at which the curve degrades (training loss)')


@pytest.mark.parametrize('noise', [0.0, 0.05, 0.2])
@pytest.mark.parametrize(('rows', 'share'), [(100, 0.31), (300, 0.35), (1000, 0.41), (20_000, 0.6)])
def test_noise_and_the_length_of_the_ramp_change_little(rows, share, noise):
    suggestion = lrfinder.analyze(learning(rows, degrades=0.6, noise=noise))
    assert suggestion.value_range[1] == pytest.approx(share * 0.6, rel=0.05)


def test_a_slow_ramp_is_trusted_more_than_a_fast_one():
    """By how many updates the last doubling of the rate took."""
    assert analyzer.ramp_share(250) == 0.4
    assert analyzer.ramp_share(250 * 256) == pytest.approx(0.8)
    assert analyzer.ramp_share(10**9) == 1.0
    curve = learning(rows=201, degrades=0.6)
    assert analyzer.read(curve).updates == 59  # rates from 0.295 to 0.585
    assert analyzer.read(curve.assign(iteration=np.arange(201) * 100)).updates == 5800  # a row of a log every 100 updates


def test_the_minimum_is_where_learning_starts_to_pay():
    reading = analyzer.read(learning(pays=0.1))
    assert reading.pays == pytest.approx(0.065, abs=0.015)  # a tenth of the way from 0.05 to 0.2
    assert analyzer.minimum(reading, 0.4) == (reading.pays, f'learning starts to pay at {reading.pays:.3g}')


def test_the_minimum_keeps_within_a_tenth_and_a_fourth_of_the_maximum():
    reading = analyzer.Reading(lowest=0.0, highest=1.0, pays=0.05)
    assert analyzer.minimum(reading, 1.0) == (0.1, 'a tenth of the maximum; learning starts to pay at 0.05 already')
    assert analyzer.minimum(reading, 0.1) == (0.025, 'a fourth of the maximum, as Smith advises')


def test_no_bound_is_below_what_was_tested():
    reading = analyzer.Reading(lowest=0.2, highest=1.0, pays=0.05)
    assert analyzer.minimum(reading, 1.0) == (0.2, 'the ramp began at 0.2')
    with pytest.raises(lrfinder.NoRangeError) as error:
        analyzer.maximum(
            analyzer.Reading(lowest=0.2, highest=1.0, pays=0.25, limit=analyzer.Limit(0.4, 'degrades', 'training loss'))
        )
    assert str(error.value) == (
        'the curve degrades at 0.4, too near to its start at 0.2 (training loss); start the ramp at a lower rate'
    )


def test_accuracy_alone_is_enough():
    curve = learning(degrades=0.6).rename(columns={'main/loss': 'validation/main/accuracy'})
    curve['validation/main/accuracy'] = 1 - curve['validation/main/accuracy'] / 3
    assert lrfinder.analyze(curve).value_range[1] == pytest.approx(0.33 * 0.6, rel=0.1)


def test_the_earliest_limit_of_any_metric_counts():
    curve = learning(degrades=0.9)
    curve['validation/main/loss'] = learning(degrades=0.5)['main/loss']
    suggestion = lrfinder.analyze(curve)
    assert suggestion.value_range[1] == pytest.approx(0.33 * 0.5, rel=0.1)
    assert 'validation loss' in suggestion.reasons['max']


def test_a_metric_that_is_measured_now_and_then_counts():
    curve = learning()
    curve['validation/main/loss'] = learning(degrades=0.5)['main/loss'].where(np.arange(200) % 10 == 0)
    assert lrfinder.analyze(curve).value_range[1] == pytest.approx(0.33 * 0.5, rel=0.15)


def test_a_dip_that_recovers_is_no_degradation():
    curve = learning()
    curve.loc[100:104, 'main/loss'] = 2.0
    assert lrfinder.analyze(curve).exhausted


def test_nothing_from_the_first_non_finite_loss_on_counts():
    losses = learning()['main/loss'].to_numpy().copy()
    losses[150] = np.nan
    suggestion = lrfinder.analyze(ramp(losses))
    assert suggestion.value_range[1] == pytest.approx(0.344 * 0.75, rel=0.02)
    assert suggestion.reasons['max'].endswith('(the loss is not finite (nan))')


def test_a_run_that_goes_on_without_numbers_has_diverged():
    losses = learning()['main/loss'].to_numpy().copy()
    losses[80:] = np.nan
    suggestion = lrfinder.analyze(ramp(losses))
    assert not suggestion.exhausted
    assert suggestion.value_range[1] == pytest.approx(0.318 * 0.4, rel=0.02)


def test_a_metric_that_is_measured_now_and_then_and_then_no_more_has_diverged():
    losses = learning()['main/loss'].where((np.arange(200) % 10 == 0) & (np.arange(200) < 110))
    assert not lrfinder.analyze(ramp(losses)).exhausted
    assert lrfinder.analyze(ramp(learning()['main/loss'].where(np.arange(200) % 10 == 0))).exhausted


def test_rows_after_the_break_change_nothing():
    diverged = learning(300, degrades=0.6)
    longer = pd.concat([diverged, diverged.tail(50).assign(lr=np.linspace(1.01, 2, 50))], ignore_index=True)
    assert lrfinder.analyze(longer).value_range == lrfinder.analyze(diverged).value_range


@pytest.mark.parametrize('scale', [1e-3, 7.0, 1e6])
def test_scaling_the_rates_scales_the_answer(scale):
    curve = learning(degrades=0.6, noise=0.1)
    low, high = lrfinder.analyze(curve).value_range
    scaled = lrfinder.analyze(curve.assign(lr=curve['lr'] * scale)).value_range
    assert scaled == (pytest.approx(scale * low), pytest.approx(scale * high))


@pytest.mark.parametrize(('scale', 'shift'), [(1e-4, 0.0), (1e5, 0.0), (1.0, -10.0), (1.0, 1000.0)])
def test_scale_and_zero_of_the_loss_do_not_matter(scale, shift):
    curve = learning(degrades=0.6, noise=0.1)
    moved = curve.assign(**{'main/loss': scale * curve['main/loss'] + shift})
    assert lrfinder.analyze(moved).value_range == pytest.approx(lrfinder.analyze(curve).value_range)


@pytest.mark.parametrize(
    ('losses', 'why'),
    [
        ([2.0] * 100, 'no metric improved by more than noise; check the data and the gradients, or ramp to higher rates'),
        (
            2.3 + np.random.RandomState(0).normal(0, 0.1, 200),
            'no metric improved by more than noise; check the data and the gradients, or ramp to higher rates',
        ),
        ([2.0, 1.9, 1.8], 'too few values to see a trend (3 rows); record a longer ramp'),
        (
            [2.0, 3.0, 9.0, 81.0, 1e4, 1e9, np.inf],
            'the run diverged before it had learned anything (the loss is not finite (inf)); start the ramp at a lower rate',
        ),
        (
            [np.nan] * 20,
            'the run diverged before it had learned anything (the loss is not finite (nan)); start the ramp at a lower rate',
        ),
    ],
)
def test_no_range_says_why_and_what_to_try(losses, why):
    with pytest.raises(lrfinder.NoRangeError) as error:
        lrfinder.analyze(ramp(np.asarray(losses, float)))
    assert str(error.value) == why


@pytest.mark.parametrize(
    ('rates', 'error', 'message'),
    [
        ([0.3, 0.2, 0.1], ValueError, "column 'lr', row 2: rates must ascend, but 0.2 follows 0.3"),
        ([0.1, -0.2, 0.3], ValueError, "column 'lr', row 2: a rate must be finite and 0 or more, not -0.2"),
        ([0.1, 0.2, np.inf], ValueError, "column 'lr', row 3: a rate must be finite and 0 or more, not inf"),
        ([0.1, 0.1, 0.1], lrfinder.NoRangeError, 'all 3 rows have the same rate 0.1; record a ramp'),
        ([], lrfinder.NoRangeError, 'the curve has no rows; record a range test first'),
    ],
)
def test_what_is_no_ramp_is_refused(rates, error, message):
    with pytest.raises(error) as raised:
        lrfinder.analyze(pd.DataFrame({'lr': np.array(rates, float), 'main/loss': np.ones(len(rates))}))
    assert str(raised.value) == message


def test_smoothing_is_right_from_the_first_value_on():
    line = np.linspace(5.0, 4.0, 50)
    assert analyzer.smoothed(np.full(50, 3.0), 2.0).tolist() == [3.0] * 50
    assert abs(analyzer.smoothed(line, 2.0) - line).max() < 0.05


def test_the_length_of_a_cycle_follows_from_the_epoch():
    assert lrfinder.analyze(learning(), iterations_per_epoch=45).step_size == 135
    assert lrfinder.analyze(learning(rows=300)).step_size == 300


@pytest.mark.skipif(not AUTHORS.is_dir(), reason="the authors' curves are not here")
@pytest.mark.parametrize(
    ('name', 'least', 'most', 'exhausted'),
    [
        ('resnet56-cifar10-0-3-20k.csv', (0.03, 1.0), (0.3, 3.0), True),
        ('resnet110-cifar10-0-2-80k.csv', (0.03, 1.0), (0.3, 2.0), True),
        ('clipped-0-3-20k-a.csv', (0.0, 0.15), (0.42, 0.42), False),
    ],
)
def test_the_authors_own_curves(name, least, most, exhausted):
    suggestion = lrfinder.analyze(lrfinder.read_curve(AUTHORS / name))
    assert suggestion.exhausted is exhausted
    for bound, low, high in zip(suggestion.value_range, least, most):
        assert low <= bound <= high


# Logs whose rows are not iterations


def test_the_length_of_a_ramp_is_in_iterations_where_a_row_is_logged_each_fifty():
    curve = learning(rows=200).assign(iteration=np.arange(50, 10_001, 50))
    suggestion = lrfinder.analyze(curve)
    assert (suggestion.step_size, suggestion.updates) == (10_000, 10_000)


@pytest.mark.parametrize('epochs', [np.arange(1, 10_001) / 450, np.arange(10_000) // 450])
def test_the_columns_of_a_log_tell_how_long_an_epoch_is(epochs):
    rows = np.arange(49, 10_000, 50)
    curve = learning(rows=200).assign(iteration=rows + 1, epoch=epochs[rows])
    suggestion = lrfinder.analyze(curve)
    assert suggestion.iterations_per_epoch == pytest.approx(450, rel=0.02)
    assert suggestion.step_size == 2 * suggestion.iterations_per_epoch


def test_a_row_each_epoch_tells_it_exactly():
    curve = learning(rows=200).assign(iteration=np.arange(45, 9001, 45), epoch=np.arange(1, 201))
    assert lrfinder.analyze(curve).iterations_per_epoch == 45


def test_a_loss_that_rises_from_the_first_rows_on_asks_for_lower_rates():
    rates = np.linspace(0, 1, 200)
    curve = pd.DataFrame({'lr': rates, 'main/loss': 4 + 31 * rates})
    with pytest.raises(lrfinder.NoRangeError, match='start the ramp at a lower rate'):
        lrfinder.analyze(curve)


# ---- death where a start far above chance hides it


def dying(start, rows, shape, noise):
    """A loss that plunges to chance, ln 2, falls to 0.25 from there, and is back at chance for good from a rate on."""
    random = np.random.RandomState(0)
    rates, death = (np.geomspace(1e-6, 1e-2, rows), 1e-4) if shape == 'exponential' else (np.linspace(1e-6, 1e-3, rows), 6e-4)
    middle = 1e-5 if shape == 'exponential' else 5e-5
    alive = 0.25 + (math.log(2) - 0.25) / (1 + (rates / middle) ** 2) + (start - math.log(2)) * np.exp(-3 * (rates / 1e-6 - 1))
    losses = np.where(rates > death, math.log(2), alive) + random.normal(0, noise, rows) * np.where(rates > death, 0.2, 1.0)
    return pd.DataFrame({'lr': rates, 'main/loss': losses}), death


@pytest.mark.parametrize('start', [0.7, 2.3, 40.0, 1000.0])
@pytest.mark.parametrize('rows', [100, 1000])
@pytest.mark.parametrize('shape', ['exponential', 'linear'])
@pytest.mark.parametrize('noise', [0.0, 0.02, 0.1])
def test_a_death_at_chance_is_seen_however_far_above_chance_the_loss_began(start, rows, shape, noise):
    curve, death = dying(start, rows, shape, noise)
    reading = analyzer.read(curve)
    assert reading.limit is not None
    assert reading.limit.rate == pytest.approx(death, rel=0.3)


def test_a_curve_that_gets_worse_little_by_little_has_not_died():
    """As of the authors' ramp to 3 in 100,000 updates: the accuracy jumps up in the first rows, and sinks slowly to the end."""
    rows = 1000
    rates = np.linspace(0, 3, rows)
    accuracy = 0.1 + 0.76 * (1 - np.exp(-rates / 0.03)) - 0.05 * rates
    curve = pd.DataFrame({'lr': rates, 'validation/main/accuracy': accuracy + np.random.RandomState(0).normal(0, 0.02, rows)})
    assert analyzer.read(curve).limit is None


@pytest.mark.parametrize('unit', [1e18, 1e300, math.inf, -math.inf, math.nan])
@pytest.mark.filterwarnings('error')  # as under python -W error
def test_iterations_that_can_be_none_are_left_out_of_account(unit):
    table = pd.DataFrame({'lr': np.linspace(0.01, 1, 100), 'main/loss': 2.3 - np.minimum(1, np.linspace(0, 3, 100))})
    rows = np.arange(1.0, 101.0)
    counted = lrfinder.analyze(table.assign(iteration=rows * unit, epoch=rows // 7 * 1e-290))
    assert (counted.value_range, counted.step_size) == (lrfinder.analyze(table).value_range, 100)
