"""How trial cycles are weighed."""

import math

from lrfinder.analysis import learning
from lrfinder.analysis import trials as weighing
from lrfinder.analysis.learning import DIVERGED, Score
from lrfinder.analysis.trials import Trial, scores_of

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

START = Score(train=2.0, loss=2.0, error=0.9)


def trials(*scores, rates=(0.01, 0.03, 0.09, 0.27)):
    return [Trial(rate, score) for rate, score in zip(rates, scores)]


def test_the_rate_lies_below_a_clear_best():
    found = weighing.verdict(
        trials(Score(1.5, 1.5, 0.5), Score(1.0, 1.0, 0.3), Score(0.4, 0.4, 0.1), Score(1.9, 1.9, 0.8)), START
    )
    assert 0.03 <= found.rate <= 0.8 * 0.09
    assert found.best.rate in (0.03, 0.09)
    assert not found.lowest
    assert not found.highest


def test_a_diverged_cycle_has_no_weight():
    found = weighing.verdict(trials(Score(1.0, 1.0, 0.2), DIVERGED), START)
    assert found.weights.tolist() == [1.0, 0.0]
    assert found.rate == pytest.approx(0.8 * 0.01, rel=0.05)


def test_no_sound_cycle_gives_no_verdict():
    assert weighing.verdict(trials(DIVERGED, DIVERGED), START) is None


def test_the_order_of_the_cycles_does_not_matter():
    runs = trials(Score(1.5, 1.5, 0.5), Score(0.5, 0.6, 0.2), Score(0.6, 0.9, 0.3))
    assert weighing.verdict(runs, START).rate == weighing.verdict(runs[::-1], START).rate


def test_overfitting_at_the_next_rate_counts_against_a_rate():
    """Ever faster on the training data, ever worse on other data: a longer run at a low rate would get there as well."""
    overfitting = trials(Score(1.2, 1.0, 0.2), Score(0.8, 0.9, 0.19), Score(0.3, 1.3, 0.3), Score(0.1, 1.8, 0.4))
    behind = weighing.held_out_regrets([run.score for run in overfitting], START)
    assert behind.argmin() == 1
    assert weighing.verdict(overfitting, START).rate < 0.02


def test_what_a_higher_rate_foretells():
    logs = np.log(weighing.FACTOR) * np.array([0, 1, 2, 3])
    quicker = weighing.faster_above(logs, np.array([0.8, 0.3, 0.0, 0.5]))
    assert quicker.tolist() == [True, True, False, False]
    assert weighing.look_ahead(logs, np.array([0.2, 0.0, 0.6, 1.0]), quicker) == pytest.approx([0.0, 0.6, 0.6, 1.0], abs=1e-6)


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
        (Score(1.95, 1.95), 500, False),
        (DIVERGED, 500, False),
    ],
)
def test_whether_a_run_knows_more_than_the_start(score, examples, more):
    assert learning.knows_more(scores_of(trials(score)), Score(2.0, 2.0, 0.9, wrong=0.9), examples) is more


@pytest.mark.parametrize(('error', 'more'), [(0.3, True), (0.85, False)])
def test_of_few_held_out_examples_answers_count_where_those_on_the_training_data_are_not_known(error, more):
    """As when only the evaluator's model reports an accuracy."""
    assert learning.knows_more(scores_of(trials(Score(1.0, 1.0, error))), START, 40) is more


def test_the_rate_hardly_depends_on_which_rates_were_tried():
    """Losses that follow one smooth curve, tried at two sets of rates half a step apart."""

    def tried(shift):
        rates = [10.0 ** ((power + shift) / 2) for power in range(-6, 1)]
        losses = [0.1 + 0.3 * abs(math.log10(rate) + 1.6) ** 2 for rate in rates]
        return weighing.verdict([Trial(rate, Score(loss, loss)) for rate, loss in zip(rates, losses)], Score(2.0, 2.0)).rate

    assert tried(0.5) == pytest.approx(tried(0.0), rel=0.3)


def test_a_rate_beyond_the_fastest_is_not_taken_even_if_it_was_lucky():
    lucky = trials(Score(1.5, 1.5, 0.5), Score(0.6, 0.6, 0.2), Score(0.9, 0.55, 0.19))
    assert weighing.verdict(lucky, START).weights[2] == 0.0


def test_without_errors_the_loss_alone_decides():
    runs = [Score(1.0, 1.0), Score(0.5, 0.5)]
    assert weighing.held_out_regrets(runs, Score(2.0, 2.0)).tolist() == pytest.approx([1 / 3, 0.0])


def test_a_small_part_of_the_fall_tells_rates_apart_by_a_loss_but_not_by_coarse_errors():
    """All fell from 2 to about 0.1, the last one by 2% of that further."""
    by_loss = trials(Score(0.14, 0.14), Score(0.13, 0.13), Score(0.1, 0.1))
    found = weighing.verdict(by_loss, Score(2.0, 2.0))
    assert found.best.rate == 0.09 and found.weights[0] < 0.05
    with_errors = [Trial(one.rate, Score(one.score.train, one.score.loss, one.score.loss)) for one in by_loss]
    assert weighing.verdict(with_errors, Score(2.0, 2.0, 2.0)).weights[0] > 0.2


def test_loss_and_error_count_alike():
    # Behind by half of the fall in loss, and by a fourth of the fall in error.
    runs = [Score(1.0, 1.0, 0.3), Score(0.5, 0.0, 0.1)]
    assert weighing.held_out_regrets(runs, START).tolist() == pytest.approx([(0.5 + 0.25) / 2, 0.0])


def test_the_edges_are_told():
    rising = weighing.verdict(trials(Score(1.8, 1.8, 0.8), Score(1.4, 1.4, 0.6), Score(0.5, 0.5, 0.1)), START)
    assert rising.highest and not rising.lowest
    falling = weighing.verdict(trials(Score(0.5, 0.5, 0.1), Score(1.8, 1.8, 0.8), DIVERGED), START)
    assert falling.lowest and not falling.highest


@pytest.mark.parametrize(
    ('score', 'learned'),
    [
        (Score(1.0, 1.0, 0.5), True),
        (Score(2.0, 1.95, 0.6), True),  # the loss hardly fell, but more answers are right
        (Score(0.1, 2.5, 0.88), False),  # random labels, learned by heart
        (Score(1.5, 1.5, 0.88), False),  # random labels, and a network that is less sure of itself
        (Score(1.7, 1.7), True),  # no answers to go by
        (DIVERGED, False),
    ],
)
def test_whether_anything_was_learned_is_judged_on_held_out_data(score, learned):
    assert learning.learned(scores_of(trials(score)), START, examples=500) is learned


def test_the_spread_is_that_of_the_noise():
    exact = trials(Score(1.5, 1.5), Score(0.5, 0.5), Score(1.9, 1.9))
    start = Score(2.0, 2.0)
    low, high = weighing.spread(exact, start)
    assert low == high == pytest.approx(weighing.verdict(exact, start).rate)
    noisy = trials(Score(1.0, 1.0, noise=0.3), Score(0.9, 0.9, noise=0.3), Score(1.1, 1.1, noise=0.3))
    low, high = weighing.spread(noisy, start)
    assert 0.8 * 0.01 <= low < high <= 0.8 * 0.09
    assert weighing.spread(noisy, start) == (low, high)


def test_reason_and_warnings_name_the_numbers():
    runs = trials(Score(1.9, 1.9, 0.85), DIVERGED)
    found = weighing.verdict(runs, START)
    assert weighing.reason(runs, found) == (
        '0.8 of 0.0102, as a training is longer than a trial; '
        '2 trial cycles speak for that, by their highest rate: 0.01: loss 1.9, 85% wrong; 0.03: diverged'
    )
    assert weighing.warnings(runs, found, START) == [
        'the trial cycles learned little, so they tell rates apart poorly: try several seeds (--seeds, lrfinder.find_seeds)',
        'the lowest rate tried was the best: lower ones may do better',
    ]


@pytest.mark.parametrize(
    ('runs', 'expected'),
    [
        ([Score(1.0, 1.0, 0.6), Score(1.02, 0.99, 0.61), Score(0.98, 1.0, 0.6)], True),
        ([Score(1.1, 1.1, 0.6), Score(1.1, 1.09, 0.3)], True),  # dead ones that name different classes
        ([Score(1.0, 1.0, 0.6)], False),
        ([Score(1.0, 1.0), Score(0.5, 1.0)], False),
        ([Score(-1.0, -1.0), Score(-1.01, -1.0), DIVERGED], True),
    ],
)
def test_runs_that_came_to_the_same(runs, expected):
    assert learning.alike(scores_of(trials(*runs))) is expected


numbers = st.floats(-1e6, 1e6)
scores = st.one_of(st.just(DIVERGED), st.builds(Score, numbers, numbers, st.one_of(st.floats(0, 1), st.just(math.nan))))


@given(st.lists(scores, min_size=1, max_size=6), st.builds(Score, numbers, numbers, st.floats(0, 1)))
def test_the_verdict_lies_between_the_cycles_or_a_fifth_below(runs, start):
    tried = [Trial(3.0**power, score) for power, score in enumerate(runs)]
    found = weighing.verdict(tried, start)
    if found is None:
        assert not any(score.sound for score in runs)
    else:
        assert tried[0].rate * (1 - 1e-9) <= found.rate / 0.8 <= tried[-1].rate * (1 + 1e-9)
        assert found.best.score.sound
        # Not even a little of the way to a rate that diverged above all others is gone.
        assert found.rate < max(trial.rate for trial in tried if trial.score.sound)


def test_the_highest_rate_is_promising_while_little_is_learned_and_it_is_clearly_the_fastest():
    slow = trials(Score(1.98, 1.98, 0.88), Score(1.9, 1.9, 0.85))
    assert weighing.promising(slow, START)
    assert not weighing.promising(slow[:1], START)
    assert not weighing.promising(trials(Score(1.9, 1.9, 0.85), Score(1.9, 1.9, 0.85)), START)
    assert not weighing.promising(trials(Score(1.5, 1.5, 0.5), Score(0.5, 0.5, 0.1)), START)  # much was learned
    assert not weighing.promising(trials(Score(1.98, 1.98, 0.88), DIVERGED), START)


@given(st.lists(st.builds(Score, numbers, numbers), min_size=2, max_size=5), st.floats(0.01, 100), st.floats(-100, 100))
def test_the_scale_and_the_zero_of_the_loss_do_not_matter(runs, scale, shift):
    def moved(score):
        return Score(scale * score.train + shift, scale * score.loss + shift)

    start = Score(2e6, 2e6)
    tried = [Trial(3.0**power, score) for power, score in enumerate(runs)]
    other = [Trial(trial.rate, moved(trial.score)) for trial in tried]
    behind = weighing.held_out_regrets([trial.score for trial in tried], start)
    assert weighing.held_out_regrets([trial.score for trial in other], moved(start)) == pytest.approx(behind, abs=1e-6)
