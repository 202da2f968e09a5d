"""Which batch a range holds for, and what it becomes for another one."""

import dataclasses

import lrfinder
from lrfinder import Suggestion
from lrfinder._names import OPTIMIZER_NAMES
from lrfinder.analysis.batchsize import LINEAR, SQUARE_ROOT, holds_for, rule_of
from lrfinder.zoo.optimizers import make_optimizer

import pytest

MEASURED = Suggestion(
    'lr',
    (0.01, 0.04),
    step_size=90,
    iterations_per_epoch=45,
    batchsize=32,
    optimizer='MomentumSGD',
    spread={'min': (0.005, 0.02), 'max': (0.02, 0.08)},
    band=(0.03, 0.06),
    diverges=1.0,
)


def test_a_range_says_for_which_updates_it_holds():
    assert holds_for(32, 'SGD').startswith('the range holds for updates with 32 examples; with k times as many, k times both')
    assert 'the square root of k times both bounds' in holds_for(32, 'Adam')
    assert holds_for(32, 'LARS').endswith('no rule is known for LARS: find it again for others')


@pytest.mark.parametrize('name', OPTIMIZER_NAMES)
def test_every_optimizer_of_chainer_has_a_rule(name):
    expected = LINEAR if name.replace('corrected_', '') in ('sgd', 'momentum_sgd', 'nesterov_ag', 'msvag') else SQUARE_ROOT
    assert rule_of(type(make_optimizer(name)).__name__) == expected


def test_four_times_the_batch_takes_four_times_the_rate_where_a_step_is_as_long_as_the_gradient():
    other = MEASURED.at(batchsize=128)
    assert other.value_range == pytest.approx((0.04, 0.16))
    assert other.spread['max'] == pytest.approx((0.08, 0.32))
    assert other.band == pytest.approx((0.12, 0.24))
    assert other.diverges == 4.0
    assert (other.batchsize, other.step_size, other.iterations_per_epoch) == (128, 22, 12)
    assert other.reasons['batchsize'] == (
        '4 times the range that was measured with 32 examples, for 128 (the linear scaling rule, arXiv 1706.02677); '
        'the rule holds for a few times as many or as few, while the noise of the batches outweighs the gradient'
    )
    assert other.warnings == ()


def test_four_times_the_batch_takes_twice_the_rate_of_an_adaptive_optimizer():
    adam = lrfinder.Suggestion('alpha', (0.001, 0.004), 90, batchsize=32, optimizer='Adam')
    assert adam.at(batchsize=128).value_range == pytest.approx((0.002, 0.008))
    assert adam.at(batchsize=8).value_range == pytest.approx((0.0005, 0.002))
    assert 'arXiv 2205.10287' in adam.at(batchsize=8).reasons['batchsize']


def test_there_and_back_is_the_same_range():
    assert MEASURED.at(64).at(32).value_range == pytest.approx(MEASURED.value_range)
    assert MEASURED.at(64).at(32).reasons['batchsize'].startswith('the range holds for updates with 32 examples; ')
    assert MEASURED.at(32) is MEASURED


def test_far_from_the_batch_that_was_measured_it_says_that_it_guesses():
    assert MEASURED.at(256).warnings == ()
    assert MEASURED.at(257).warnings == (
        'updates with 257 examples are far from those with 32 that were measured: the rule is a guess there, measure again',
    )


def test_scaled_again_it_still_speaks_of_the_batch_that_was_measured(tmp_path):
    again = MEASURED.at(256).at(2048)
    assert again.value_range == pytest.approx((0.64, 2.56))
    assert again.reasons['batchsize'].startswith('64 times the range that was measured with 32 examples, for 2048')
    assert [text[:51] for text in again.warnings] == ['updates with 2048 examples are far from those with ']
    assert again.at(64).warnings == ()
    again.save(tmp_path / 'suggestion.json')
    assert Suggestion.load(tmp_path / 'suggestion.json') == again


def test_a_cycle_of_as_many_epochs_says_so():
    told = dataclasses.replace(MEASURED, reasons={'step_size': '2 epochs of 45 iterations'})
    assert told.at(1).reasons['step_size'] == 'as many epochs as with 32 examples'
    assert 'step_size' not in MEASURED.at(1).reasons


@pytest.mark.parametrize(
    ('suggestion', 'batchsize', 'message'),
    [
        (MEASURED, 0, 'batchsize must be'),
        (MEASURED, 1.5, 'batchsize must be'),
        (MEASURED, 10**400, 'batchsize must be'),
        (Suggestion('lr', (0.01, 0.04), 90), 64, 'it is not known for which batch this range was found'),
        (Suggestion('lr', (0.01, 0.04), 90, batchsize=32, optimizer='LARS'), 64, 'no rule is known for LARS'),
    ],
)
def test_what_cannot_be_scaled_is_refused(suggestion, batchsize, message):
    with pytest.raises(ValueError, match=message):
        suggestion.at(batchsize=batchsize)
