"""How Optuna is asked: with the updates that it has, and no more."""

import clr  # noqa: F401  makes Chainer importable

import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')
pytest.importorskip('optuna', reason='the rival is Optuna')

from benchmarks import optuna_rivals
from benchmarks.tasks import BY_NAME

NAME = 'iris-linear-adagrad'


class Trial:
    """A trial that is to be pruned after some looks."""

    def __init__(self, pruned_at):
        self.reports = []
        self.pruned_at = pruned_at

    def report(self, value, step):
        self.reports.append((step, value))

    def should_prune(self):
        return len(self.reports) == self.pruned_at


def test_a_pruned_trial_gives_its_updates_back():
    trial = Trial(pruned_at=2)
    error, updates, pruned = optuna_rivals.tried(BY_NAME[NAME], 0.5, 0, 60, trial)
    assert (updates, pruned) == (20, True)
    assert [step for step, _ in trial.reports] == [1, 2]
    assert trial.reports[-1][1] == error


def test_a_whole_trial_is_looked_at_every_ten_updates():
    trial = Trial(pruned_at=None)
    _, updates, pruned = optuna_rivals.tried(BY_NAME[NAME], 0.5, 0, 60, trial)
    assert (updates, pruned, len(trial.reports)) == (60, False, 6)


def test_a_trial_that_diverges_ends_there():
    error, updates, pruned = optuna_rivals.tried(BY_NAME['teacher-mlp-sgd'], 1e4, 0, 60, Trial(None))
    assert (error, updates, pruned) == (100, 10, False)


@pytest.mark.parametrize('rule', optuna_rivals.PRUNERS)
def test_a_search_spends_what_it_has_and_is_repeated_exactly(rule):
    rate, updates, trials = optuna_rivals.searched(NAME, 0, rule, 600)
    assert (rate, updates, trials) == optuna_rivals.searched(NAME, 0, rule, 600)
    assert 510 < updates <= 600  # less than the longest trial is left
    assert 1e-7 <= rate <= 1e2
    assert trials >= 6
