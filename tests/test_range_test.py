"""How a range test decides, on trials of which a function says what they come to."""

import math
from types import SimpleNamespace

from lrfinder.analysis.budget import Budget, Rung
from lrfinder.analysis.learning import Score
from lrfinder.analysis.suggestion import NoRangeError
from lrfinder.analysis.trials import Trial
from lrfinder.range_test import Question, RangeTest

import pytest

START = Score(train=2.0, loss=2.0, error=0.9, wrong=0.9)


class Told(RangeTest):
    """A range test around 0.01 of trials of 90 updates, which take so many epochs, for a training of so many updates."""

    def __init__(self, score, epochs=10.0, length=None):
        self._score, self._epochs = score, epochs
        runner = SimpleNamespace(updates=0, epochs=lambda updates: epochs, doubts=(), failure='', others=())
        judge = SimpleNamespace(examples=1000, words='the evaluator')
        super().__init__(runner, [judge], None, lambda: length)

    def trial(self, rate, updates):
        self._runner.updates += updates
        return Trial(rate, self._score(rate, updates), updates)

    def decided(self, *rungs):
        budget = Budget(60, 50, rungs or (Rung(5, 90),))
        _, found = self.decide([0.01], START, Question(None, 'linear', None, lambda length: budget))
        return found


def test_what_comes_to_the_same_at_each_rate_has_collapsed():
    test = Told(lambda rate, updates: Score(0.5 + 0.001 * rate, 0.5, 0.5, noise=0.01))
    with pytest.raises(NoRangeError, match='all trial cycles came to the same, as when a network collapses at each rate'):
        test.decided()
    assert test.trials['rate'].max() >= 100 * test.trials['rate'].min()


def test_where_the_rate_has_no_part_in_the_training_loss_a_judge_finds_no_range():
    test = Told(lambda rate, updates: Score(2.5, 1.0 + 0.1 * math.log10(rate), noise=0.01))
    with pytest.raises(NoRangeError, match=r'made the model better, and the rate made no difference, .*; check labels'):
        test.decided()


@pytest.mark.parametrize(('length', 'advice'), [(None, 'a larger budget'), (91, 'a larger budget'), (90, 'train longer')])
def test_what_learned_nothing_is_told_what_makes_trials_longer(length, advice):
    with pytest.raises(NoRangeError, match=advice):
        Told(lambda rate, updates: Score(2.0 + rate, 2.0, 0.9), length=length).decided()


def test_rates_of_which_one_stays_behind_have_not():
    found = Told(lambda rate, updates: Score(0.5, 0.5, 0.5, noise=0.01) if rate < 0.02 else Score(1.5, 1.5, 0.8)).decided()
    assert found.rate < 0.02


def overfitting(rate, updates):
    """Ever faster on the training data, best on held-out data at 0.003."""
    return Score(train=1 - rate, loss=0.5, error=0.1 if rate < 0.005 else 0.2 + rate, wrong=0.1 if rate < 0.02 else 0.01)


@pytest.mark.parametrize(('epochs', 'power'), [(0.5, 0), (1, 0), (2, 0.5), (10, 0.9), (None, 0)])
def test_what_is_seen_for_the_first_time_is_not_overfitted(epochs, power):
    """Trials of 90 updates, a training of 900: lowered by a power of ten, the share of what the trials saw again."""
    assert Told(overfitting, epochs, length=900).decided().lowered == pytest.approx(10**power)


def late(rate, updates):
    """On a plateau for a hundred updates."""
    if updates < 100:
        return Score(2.0, 2.0, 0.9, noise=0.01)
    return Score(1.0, 1.0, 0.3, noise=0.01) if rate > 0.05 else Score(1.99, 1.99, 0.89, noise=0.01)


def test_where_short_trials_moved_nothing_longer_ones_begin_anew():
    test = Told(late)
    assert 0.05 < test.decided(Rung(5, 90), Rung(3, 360)).rate < 1
    longer = test.trials[test.trials['updates'] == 360]
    assert longer['rate'].round(4).tolist() == [0.0316, 0.01, 0.3162]
