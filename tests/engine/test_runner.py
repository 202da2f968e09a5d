"""Runs through rates on an updater: what they read, and what they refuse."""

import itertools
import random
import re

import clr  # noqa: F401  makes Chainer importable
from lrfinder.engine.judge import EvaluatorJudge
from lrfinder.engine.rate import Rate
from lrfinder.engine.run import Run
from lrfinder.engine.runner import Runner
from lrfinder.engine.state import preserved
from lrfinder.engine.workers import Workers

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from chainer import iterators, optimizers, training
from chainer.training import extensions

DATA = [(np.full(2, i, np.float32), np.int32(i % 2)) for i in range(12)]


class Used:
    name = 'used'

    def __init__(self):
        self.rates = []

    def __call__(self, optimizer):
        self.rates.append(optimizer.lr)


def updater_of(model=None, **options):
    optimizer = optimizers.SGD(0.5).setup(model or L.Classifier(L.Linear(2, 2, initialW=0.1)))
    optimizer.add_hook(Used())
    return training.StandardUpdater(iterators.SerialIterator(DATA, 4, **options), optimizer)


def runner_of(updater, undo=lambda: None, optimizer=None):
    optimizer = optimizer or updater.get_optimizer('main')
    return Runner(updater, Rate(optimizer, 'lr'), optimizer, undo, Workers())


def evaluator_of(updater):
    return extensions.Evaluator(iterators.SerialIterator(DATA, 4, repeat=False), updater.get_optimizer('main').target)


def judge_of(updater):
    return EvaluatorJudge(evaluator_of(updater), Workers())


def test_each_update_has_its_rate_as_a_plain_float():
    updater = updater_of()
    runner = runner_of(updater)
    run = runner.run(np.array([0.25, 0.0, 0.5]))
    used = updater.get_optimizer('main')._hookable._pre_update_hooks['used'].rates
    assert used == run.curve['lr'].tolist() == [0.25, 0.0, 0.5]
    assert {type(rate) for rate in used} == {float}
    assert runner.updates == 3


def test_each_run_begins_with_the_found_state():
    updater = updater_of()
    with preserved(updater) as undo:
        runner = runner_of(updater, undo=undo)
        curves = [runner.run([0.1, 0.2, 0.3]).curve for _ in range(2)]
    assert curves[0].equals(curves[1])
    assert runner.updates == 6


@pytest.mark.parametrize(
    'times, rows',
    [(0, []), (1, [8]), (2, [4, 8]), (3, [3, 5, 8]), (8, [1, 2, 3, 4, 5, 6, 7, 8]), (99, [1, 2, 3, 4, 5, 6, 7, 8])],
)
def test_validations_are_spread_evenly_and_one_is_at_the_end(times, rows):
    updater = updater_of()
    curve = runner_of(updater).run([0.0] * 8, judge_of(updater), times).curve
    for name in ('validation/main/loss', 'validation/main/accuracy'):
        assert curve.loc[curve[name].notna(), 'iteration'].tolist() == rows


def test_the_name_that_a_trainer_gave_the_evaluator_does_not_matter():
    updater = updater_of()
    evaluator = evaluator_of(updater)
    evaluator.name = 'held/out'
    assert runner_of(updater).run([0.0], EvaluatorJudge(evaluator, Workers()), 1).curve['validation/main/loss'].notna().all()


@pytest.mark.parametrize('draw', [lambda: np.random.rand(3).sum(), lambda: random.random()])
def test_an_evaluator_that_draws_random_numbers_draws_the_same_each_time(draw):
    """One may take windows of random width, or samples of a VAE; what it says shall differ by the model alone."""

    class Lottery(extensions.Evaluator):
        def evaluate(self):
            return {'main/loss': draw()}

    def losses(validations):
        updater = updater_of()
        seen = []
        updater.get_optimizer('main').add_hook(lambda optimizer: seen.append(draw()), 'draws too')
        runner = runner_of(updater)
        judge = EvaluatorJudge(
            Lottery(iterators.SerialIterator(DATA, 4, repeat=False), updater.get_optimizer('main').target), Workers()
        )
        first = runner.validated(judge)['validation/main/loss']
        return {first, *runner.run([0.1] * 4, judge, validations).curve['validation/main/loss'].dropna()}, seen

    def seeded(validations):
        random.seed(0)
        np.random.seed(0)
        return losses(validations)

    alike, trained = seeded(4)
    assert len(alike) == 1
    assert seeded(1)[1] == trained  # nor do the updates notice how often there is a validation


def test_nothing_is_validated_once_the_run_has_diverged():
    calls = []
    updater = updater_of()
    evaluator = evaluator_of(updater)
    evaluator.eval_hook = calls.append
    run = runner_of(updater).run([0.0, 1e38, 1e38, 1e38, 0.0], EvaluatorJudge(evaluator, Workers()), 5)
    assert run.diverged
    assert len(calls) == len(run.curve) - 1
    assert run.curve['validation/main/loss'].isna().tolist()[-1]


def test_overflow_is_no_matter():
    with np.errstate(all='raise'):
        assert runner_of(updater_of()).run([1e38] * 9).stop_reason == 'the loss is not finite (nan)'


def test_data_that_runs_out_is_told():
    with pytest.raises(ValueError) as caught:
        runner_of(updater_of(repeat=False)).run([0.0] * 9)
    assert str(caught.value) == (
        'the data ran out after 3 updates; make the iterator with repeat=True, so that it begins again'
    )


def test_a_model_that_reports_no_loss_is_told():
    updater = updater_of()
    updater.loss_func = lambda x, t: F.sum(x)
    message = "the update reported no 'main/loss' (it reported: nothing); wrap the model in chainer.links.Classifier"
    with pytest.raises(ValueError, match=f'^{re.escape(message)}'):
        runner_of(updater).run([0.0] * 9)


def test_an_optimizer_that_nobody_steps_is_found_out():
    updater = updater_of()
    stranger = optimizers.SGD().setup(L.Linear(2, 2))
    with pytest.raises(ValueError, match='100 updates did not step the optimizer'):
        runner_of(updater, optimizer=stranger).run([0.0] * 9)


def test_an_updater_may_call_its_iterator_as_it_likes():
    class Own(training.StandardUpdater):
        def update_core(self):
            x, t = chainer.dataset.concat_examples(self.get_iterator('labelled').next())
            self.get_optimizer('main').update(self.get_optimizer('main').target, x, t)

    optimizer = optimizers.SGD(0.5).setup(L.Classifier(L.Linear(2, 2)))
    updater = Own({'labelled': iterators.SerialIterator(DATA, 4)}, optimizer)
    assert len(runner_of(updater).run([0.0] * 3).curve) == 3


# ---- values that come in blocks, from a GPU or over several workers


class Pair(Workers):
    """Two workers that see the same: one has to wait for the other."""

    size = 2


def run_of_two(on_row=None):
    """A run that two workers make together."""
    run = Run([0.1] * 50, on_row=on_row)
    run.average_over(Pair())
    return run


def test_what_came_after_a_divergence_before_anyone_looked_is_forgotten():
    told = []
    run = run_of_two(lambda *row: told.append(row))
    losses = itertools.chain([1.0] * 13, [float('inf')], itertools.repeat(1.0))
    while run.stop_reason is None:
        run.record({'main/loss': next(losses)})
    assert len(run.curve) == 14
    assert run.stop_reason == 'the loss is not finite (inf)'
    assert told == [(0.1, 1.0)] * 13 + [(0.1, float('inf'))]


def test_alone_a_loss_that_is_not_finite_is_seen_at_once():
    run = Run([0.1] * 50)
    for loss in [1.0] * 13 + [float('nan')]:
        assert run.stop_reason is None
        run.record({'main/loss': loss})
    assert run.stop_reason == 'the loss is not finite (nan)'


def test_what_waits_is_in_the_curve_all_the_same():
    run = run_of_two()
    for _ in range(13):
        run.record({'main/loss': chainer.Variable(np.array(2.0))})
    assert run.curve['main/loss'].tolist() == [2.0] * 13


@pytest.mark.parametrize('at', [1, 9, 10, 13, 14, 19])
def test_a_run_that_is_loaded_looks_at_the_same_rows_as_before(at):
    def record(run, losses):
        for loss in losses:
            if run.stop_reason is None:
                run.record({'main/loss': loss})
        return run

    losses = [1.0] * 13 + [float('nan')] + [1.0] * 36
    undisturbed = record(run_of_two(), losses)
    first = record(run_of_two(), losses[:at])
    second = run_of_two()
    second.load(*first.rows)
    assert second.stop_reason is None
    record(second, losses[at:])
    assert second.curve.equals(undisturbed.curve)
    assert second.stop_reason == undisturbed.stop_reason
