"""How trial cycles are weighed."""

import dataclasses
import math

from lrfinder.analysis import trials as weighing
from lrfinder.analysis.learning import DIVERGED, Score
from lrfinder.analysis.trials import Trial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

START = Score(train=2.0, loss=2.0, error=0.9)
STEP = math.sqrt(10)


def trials(*scores, rates=(0.01, 0.0316, 0.1, 0.316)):
    return [Trial(rate, score, 90) for rate, score in zip(rates, scores)]


def by_loss(*losses):
    return trials(*(Score(loss, loss) if math.isfinite(loss) else DIVERGED for loss in losses))


# The shortfall


def test_the_shortfall_is_a_share_of_what_the_best_has_gained():
    runs = [Score(1.0, 1.0), Score(0.5, 0.5), Score(2.0, 2.0), DIVERGED]
    assert weighing.shortfalls(runs, Score(2.0, 2.0)).tolist() == pytest.approx([1 / 3, 0.0, 1.0, math.inf])


def test_loss_and_error_count_alike():
    # Behind by half of the fall in loss, and by a fourth of the fall in error.
    runs = [Score(1.0, 1.0, 0.3), Score(0.5, 0.0, 0.1)]
    assert weighing.shortfalls(runs, START).tolist() == pytest.approx([(0.5 + 0.25) / 2, 0.0])


# The cost


def test_the_cost_is_the_mean_shortfall_from_a_rate_to_one_further_ahead():
    logs = np.array([0.0, 0.5, 1.0])
    assert weighing.costs(logs, np.array([1.0, 0.0, 1.0]), 0.5).tolist() == pytest.approx([0.5, 0.5, 1.0])
    assert weighing.costs(logs, np.array([1.0, 0.0, 1.0]), 1.0).tolist() == pytest.approx([0.5, 0.75, 1.0])
    assert weighing.costs(logs, np.array([1.0, 0.0, 1.0]), 0.0).tolist() == [1.0, 0.0, 1.0]


def test_how_many_times_as_long_as_a_trial_the_training_is():
    assert weighing.times_as_long(900, 90) == 10
    assert weighing.times_as_long(9, 90) == 1
    assert weighing.times_as_long(None, 90) == weighing.USUAL_LENGTH / 90


# The answer


def test_the_rate_is_near_a_clear_best():
    found = weighing.verdict(
        trials(Score(1.5, 1.5, 0.5), Score(1.0, 1.0, 0.3), Score(0.4, 0.4, 0.1), Score(1.9, 1.9, 0.8)), START
    )
    assert 0.03 < found.rate < 0.1
    assert found.best.rate in (0.0316, 0.1)


def test_the_rate_stays_below_a_cliff():
    assert 0.0316 < weighing.verdict(by_loss(1.0, 0.6, 0.5, math.inf), Score(2.0, 2.0)).rate < 0.1


def test_the_rate_does_not_stay_below_a_plateau():
    """Rates that all do alike share the weight: the answer is their middle."""
    flat = weighing.verdict(by_loss(0.5, 0.5, 0.5, 0.5), Score(2.0, 2.0))
    assert flat.rate == pytest.approx(math.sqrt(0.01 * 0.316))


# Ever faster on the training data, ever worse on other data: the fastest rate is a decade above the best.
OVERFITTING = trials(Score(1.2, 1.0, 0.3), Score(0.8, 0.4, 0.1), Score(0.3, 1.3, 0.3), Score(0.1, 1.8, 0.4))


def test_a_longer_training_that_overfits_takes_a_lower_rate_by_as_much_as_it_is_longer():
    found = [weighing.verdict(OVERFITTING, START, longer) for longer in (1, 2, 4)]
    assert [round(one.lowered, 3) for one in found] == [1, 2, 4]
    assert [found[0].rate / one.rate for one in found] == pytest.approx([1, 2, 4])
    assert found[0].interval[0] / found[2].interval[0] == pytest.approx(4)
    assert found[0].band[0] / found[2].band[0] == pytest.approx(4)


def test_it_is_lowered_by_less_where_that_is_less_clear():
    """One step of the grid between the best and the fastest rate may be chance, two are clear."""
    found = [weighing.lowering(steps / 4, longer=16) for steps in (1, 1.5, 2)]
    assert found == pytest.approx([0, math.log10(4), math.log10(16)])


def test_nothing_is_learned_by_heart_within_an_epoch():
    """A share of 1 - 1 / epochs of what was seen had been seen before; where epochs are not known, nothing is said of it."""
    shares = [weighing.seen_again(epochs) for epochs in (None, 0.1, 1, 2, 10)]
    assert shares == pytest.approx([0, 0, 0, 0.5, 0.9])
    found = [weighing.verdict(OVERFITTING, START, 16, again=share) for share in (0, 0.5, 1)]
    assert [one.lowered for one in found] == pytest.approx([1, 4, 16])


def test_how_far_the_fastest_rate_is_above_the_best():
    steps, everywhere = np.arange(9), np.ones(9, bool)
    best_at, fastest_at = (np.where(steps == step, 0.0, 1.0) for step in (3, 5))
    assert weighing.apart(steps / 4, best_at, fastest_at, everywhere) == pytest.approx(0.5, abs=0.05)


def cycles(*scores):
    return trials(*(Score(train, loss, error, wrong=wrong) for train, loss, error, wrong in scores))


def test_overfitting_is_told_by_answers_where_they_are_known():
    """The first runs lose ever less, while ever more answers are wrong that are right on the training data.

    The second ones lose ever more, as they grow too sure of themselves, while their answers get better still.
    """
    start = dataclasses.replace(START, wrong=0.9)
    wrong = cycles((0.9, 0.9, 0.05, 0.10), (0.7, 0.7, 0.10, 0.06), (0.5, 0.5, 0.20, 0.03), (0.4, 0.4, 0.30, 0.01))
    assert weighing.verdict(wrong, start, 10).lowered == pytest.approx(10)
    too_sure = cycles((0.9, 0.5, 0.30, 0.30), (0.7, 0.6, 0.20, 0.20), (0.5, 0.9, 0.10, 0.10), (0.4, 1.3, 0.05, 0.05))
    assert weighing.verdict(too_sure, start, 10).lowered == 1
    assert weighing.verdict(too_sure, START, 10).lowered > 5  # the answers on the training data are not known
    few, enough = (weighing.verdict(too_sure, start, 10, examples=examples).lowered for examples in (99, 100))
    assert (few > 5, enough) == (True, 1)


def test_answers_that_get_no_better_tell_nothing_of_overfitting():
    runs = cycles((0.9, 0.9, 0.9, 0.9), (0.7, 0.7, 0.9, 0.9), (0.5, 0.5, 0.9, 0.9), (0.4, 0.4, 0.9, 0.1))
    assert weighing.verdict(runs, dataclasses.replace(START, wrong=0.9), 10).lowered == 1


def test_a_training_that_is_judged_by_itself_can_not_be_seen_to_overfit():
    """Its right answers on the training data may peak elsewhere than its loss."""
    runs = trials(*(Score(loss, loss, wrong=wrong) for loss, wrong in ((0.3, 0.3), (0.5, 0.2), (0.9, 0.1))))
    assert weighing.verdict(runs, dataclasses.replace(START, wrong=0.9), 10).lowered == 1


def test_few_held_out_examples_tell_rates_apart_less():
    """A fifth of 20 answers is four: the worse trial may have been unlucky. Of 20,000 they are no luck."""
    runs = trials(Score(0.9, 0.9, 0.3), Score(0.5, 0.5, 0.1), Score(0.5, 0.5, 0.1))
    few, many, unknown = (weighing.verdict(runs, START, examples=examples) for examples in (20, 20_000, None))
    assert few.rate < 0.98 * many.rate
    assert few.variance > many.variance
    assert many.rate == pytest.approx(unknown.rate, rel=0.03)


def test_the_sampling_error_is_that_of_a_binomial_share():
    start, runs = Score(2.0, 2.0, error=0.9), [Score(0.5, 0.5, error=0.1), Score(1.0, 1.0, error=0.5), DIVERGED]
    assert weighing.sampling_error(runs, start, 98) == pytest.approx(math.sqrt(0.108 * 0.892 / 98) / 0.8)
    assert weighing.sampling_error(runs, start, None) == 0
    assert weighing.sampling_error([Score(0.5, 0.5)], Score(2.0, 2.0), 98) == 0
    assert weighing.sampling_error([Score(0.5, 0.5, error=0.95)], start, 98) == 0


def before(**said):
    """A verdict on shorter trials."""
    sure = weighing.verdict(by_loss(1.0), START)
    return dataclasses.replace(sure, **said)


def test_what_shorter_trials_say_of_overfitting_counts():
    alone = weighing.verdict(by_loss(1.0, 0.5, 0.6), START, 16)
    told = weighing.verdict(by_loss(1.0, 0.5, 0.6), START, 16, before(apart=0.375))
    assert (alone.lowered, told.lowered) == (1, pytest.approx(4))
    assert weighing.verdict(OVERFITTING, START, 16, before(apart=0.5)).lowered == pytest.approx(16)
    # Another test may find them nearer or farther apart, and answer anything between: the interval says so.
    assert told.interval[0] < told.rate / 4 and told.interval[1] > 4 * told.rate
    assert alone.interval[0] > alone.rate / 4 and alone.interval[1] < 4 * alone.rate


def test_the_interval_is_as_wide_as_the_place_of_the_trials_is_unsure():
    """Another test might have put them elsewhere, by what shorter trials spoke for there."""
    alone = weighing.verdict(by_loss(0.5), START)
    placed = weighing.verdict(by_loss(0.5), START, before=before(variance=0.1))
    assert math.log10(alone.interval[1] / alone.rate) == pytest.approx(1.2816 * 0.175)
    assert math.log10(placed.interval[1] / placed.rate) == pytest.approx(1.2816 * math.sqrt(0.1 + 0.175**2))
    assert (placed.rate, placed.variance) == (alone.rate, pytest.approx(0.1))


def test_trials_say_nothing_of_a_training_a_million_times_as_long():
    assert weighing.verdict(OVERFITTING, START, 1e6).lowered == pytest.approx(100)


def test_a_longer_training_takes_the_same_rate_where_the_fastest_is_the_best():
    runs = by_loss(1.5, 0.5, 1.4)
    assert weighing.verdict(runs, Score(2.0, 2.0), 100).rate == pytest.approx(weighing.verdict(runs, Score(2.0, 2.0)).rate)


def test_a_diverged_cycle_has_no_weight():
    found = weighing.verdict(trials(Score(1.0, 1.0, 0.2), DIVERGED), START)
    assert found.weights.tolist() == [1.0, 0.0]
    assert found.rate == pytest.approx(0.01)


def test_no_sound_cycle_gives_no_verdict():
    assert weighing.verdict(trials(DIVERGED, DIVERGED), START) is None


def test_one_cycle_speaks_for_its_own_rate():
    alone = trials(Score(1.0, 1.0))
    found = weighing.verdict(alone, START)
    assert found.rate == pytest.approx(0.01)
    assert found.band == (pytest.approx(0.01), pytest.approx(0.01))
    assert weighing.reason(alone, found).startswith('the middle of the rates that did well in 1 trial cycle, and')
    assert [text[:23] for text in weighing.warnings(alone, found, START, 2)] == ['only one rate was tried']


def test_the_order_of_the_cycles_does_not_matter():
    runs = trials(Score(1.5, 1.5, 0.5), Score(0.5, 0.6, 0.2), Score(0.6, 0.9, 0.3))
    assert weighing.verdict(runs, START).rate == weighing.verdict(runs[::-1], START).rate


def test_the_rate_hardly_depends_on_which_rates_were_tried():
    """Losses that follow one smooth curve, tried at two sets of rates half a step apart."""

    def tried(shift):
        rates = [10.0 ** ((power + shift) / 2) for power in range(-6, 1)]
        losses = [0.1 + 0.3 * abs(math.log10(rate) + 1.6) ** 2 for rate in rates]
        return weighing.verdict([Trial(rate, Score(loss, loss)) for rate, loss in zip(rates, losses)], Score(2.0, 2.0)).rate

    assert tried(0.5) == pytest.approx(tried(0.0), rel=0.3)


numbers = st.floats(-1e6, 1e6)
scores = st.one_of(st.just(DIVERGED), st.builds(Score, numbers, numbers, st.one_of(st.floats(0, 1), st.just(math.nan))))
longer = st.floats(1, 100)


@given(st.lists(scores, min_size=1, max_size=6), st.builds(Score, numbers, numbers, st.floats(0, 1)), longer)
def test_rate_and_band_lie_between_the_sound_cycles_and_the_interval_holds_the_rate(runs, start, longer):
    tried = [Trial(STEP**power, score) for power, score in enumerate(runs)]
    found = weighing.verdict(tried, start, longer)
    sound = [trial.rate for trial in tried if trial.score.sound]
    if found is None:
        assert not sound
        return
    assert found.best.score.sound
    assert 1 <= found.lowered <= longer * (1 + 1e-9)
    low, high, rate = (found.lowered * rate for rate in (*found.band, found.rate))
    assert min(sound) * (1 - 1e-9) <= low <= rate * (1 + 1e-9)
    assert rate * (1 - 1e-9) <= high <= max(sound) * (1 + 1e-9)
    assert found.interval[0] < found.rate < found.interval[1]


@given(st.lists(st.builds(Score, numbers, numbers), min_size=2, max_size=5), st.floats(0.01, 100), st.floats(-100, 100), longer)
def test_the_scale_and_the_zero_of_the_loss_do_not_matter(runs, scale, shift, longer):
    def moved(score):
        return Score(scale * score.train + shift, scale * score.loss + shift)

    start = Score(2e6, 2e6)
    tried = [Trial(STEP**power, score) for power, score in enumerate(runs)]
    other = [Trial(trial.rate, moved(trial.score)) for trial in tried]
    behind = weighing.shortfalls([trial.score for trial in tried], start)
    assert weighing.shortfalls([trial.score for trial in other], moved(start)) == pytest.approx(behind, abs=1e-6)
    assert weighing.verdict(other, moved(start), longer).rate == pytest.approx(
        weighing.verdict(tried, start, longer).rate, rel=0.05
    )


@given(st.lists(scores, min_size=2, max_size=5), st.floats(1e-12, 1e12))
def test_the_unit_of_the_rate_does_not_matter(runs, unit):
    tried = [Trial(STEP**power, score) for power, score in enumerate(runs)]
    found = weighing.verdict(tried, Score(2e6, 2e6, 0.9), 4.0)
    if found is not None:
        other = weighing.verdict([Trial(unit * trial.rate, trial.score) for trial in tried], Score(2e6, 2e6, 0.9), 4.0)
        assert other.rate == pytest.approx(unit * found.rate, rel=0.05)


# Interval and band


def test_the_interval_is_the_spread_of_the_weights_and_what_other_tests_add():
    sharp = weighing.verdict(by_loss(0.5), Score(2.0, 2.0))
    reach = 10 ** (1.2816 * 0.175)
    assert sharp.interval == (pytest.approx(0.01 / reach), pytest.approx(0.01 * reach))
    flat = weighing.verdict(by_loss(0.5, 0.5, 0.5), Score(2.0, 2.0))  # evenly over a decade: a variance of a twelfth
    reach = 10 ** (1.2816 * (1 / 12 + 0.175**2) ** 0.5)
    assert flat.interval == (pytest.approx(0.0316 / reach, rel=0.1), pytest.approx(0.0316 * reach, rel=0.1))


def test_the_band_has_the_rates_that_lose_no_more_than_a_point():
    errors = [0.3, 0.1, 0.1, 0.1, 0.1, 0.5]
    runs = [Trial(10 ** (power / 2 - 3), Score(1.0, 1.0, error)) for power, error in enumerate(errors)]
    low, high = weighing.verdict(runs, START).band
    # 20 points in half a decade below 0.00316, 40 above 0.1: a point is lost within a fortieth of a decade.
    assert (low, high) == (pytest.approx(0.00316, rel=0.05), pytest.approx(0.1, rel=0.05))
    gentle = [Trial(rate, Score(1.0, 1.0, error)) for rate, error in ((0.001, 0.12), (0.01, 0.1), (0.1, 0.12))]
    low, high = weighing.verdict(gentle, START).band
    assert (low, high) == (pytest.approx(0.01 / 10**0.5, rel=0.1), pytest.approx(0.01 * 10**0.5, rel=0.1))


def test_without_answers_the_band_is_a_hundredth_of_what_was_gained():
    losses = [1.9, 0.109, 0.1, 0.109, 0.1, 1.9]
    runs = [Trial(10 ** (power / 2 - 3), Score(loss, loss)) for power, loss in enumerate(losses)]
    low, high = weighing.verdict(runs, Score(2.0, 2.0)).band
    assert (low, high) == (pytest.approx(0.00316, rel=0.05), pytest.approx(0.1, rel=0.05))


# In words and as a table


def test_reason_and_warnings_name_the_numbers():
    runs = trials(Score(1.9, 1.9, 0.85, noise=0.02), DIVERGED)
    found = weighing.verdict(runs, START)
    assert weighing.reason(runs, found) == (
        'the middle of the rates that did well in 2 trial cycles, and still do up to twice as high; by their highest rate: '
        '0.01: loss 1.9, 85% wrong; 0.032: diverged'
    )
    assert weighing.warnings(runs, found, START, 2) == [
        'the trial cycles learned little, so they tell rates apart poorly: let the answer cost more (--budget, budget=)',
        'the lowest rate tried was the best: lower ones may do better, look there '
        '(--value-range 0.0001 0.01, value_range=(0.0001, 0.01))',
    ]


def test_the_reason_says_by_how_much_a_longer_training_lowers_the_rate():
    assert weighing.reason(OVERFITTING, weighing.verdict(OVERFITTING, START, 4)).startswith(
        '4 times lower, as a longer training may overfit: the middle of'
    )


def test_a_range_that_is_put_far_below_the_trials_is_said_to_be_unsure():
    warned = [weighing.warnings(OVERFITTING, weighing.verdict(OVERFITTING, START, longer), START, 2) for longer in (4, 40)]
    assert warned == [
        [],
        [
            'the training is much longer than the trial cycles, and seems to overfit in time: its maximum was put 40 times '
            'lower than theirs, which longer trials would make surer (--budget, budget=)'
        ],
    ]


def test_the_best_at_the_highest_rate_says_where_to_look():
    runs = by_loss(1.0, 0.5)
    assert weighing.warnings(runs, weighing.verdict(runs, START), START, 2) == [
        'the highest rate tried was the best: higher ones may do better, look there '
        '(--value-range 0.032 3.2, value_range=(0.032, 3.2))'
    ]


def test_where_it_diverges_is_the_lowest_such_rate_above_the_answer():
    runs = trials(DIVERGED, Score(1.0, 1.0), DIVERGED, DIVERGED)
    assert weighing.diverges(runs, weighing.verdict(runs, START), START) == 0.1
    calm = trials(Score(1.0, 1.0), Score(1.0, 1.0))
    assert weighing.diverges(calm, weighing.verdict(calm, START), START) is None


def test_what_ends_above_the_start_has_diverged_too_unless_that_may_be_noise():
    runs = trials(Score(1.0, 1.0), Score(9.0, 7.0, noise=2.0))
    assert weighing.diverges(runs, weighing.verdict(runs, START), START) == 0.0316
    noisy = trials(Score(1.0, 1.0), Score(9.0, 7.0, noise=3.0))
    assert weighing.diverges(noisy, weighing.verdict(noisy, START), START) is None
    learned_by_heart = trials(Score(1.0, 1.0), Score(0.1, 7.0))
    assert weighing.diverges(learned_by_heart, weighing.verdict(learned_by_heart, START), START) is None


def test_where_epochs_are_not_told_a_warning_says_what_was_not_done():
    found = weighing.verdict(OVERFITTING, START, 10, again=weighing.seen_again(None))
    assert found.lowered == 1
    assert any('epoch_detail' in text for text in weighing.warnings(OVERFITTING, found, START, None))
    assert not any('epoch_detail' in text for text in weighing.warnings(OVERFITTING, found, START, 0.5))
    sound = by_loss(1.0, 0.5, 0.6)
    assert not any('epoch_detail' in text for text in weighing.warnings(sound, weighing.verdict(sound, START), START, None))
