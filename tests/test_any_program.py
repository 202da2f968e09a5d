"""Programs as people write them: nothing of theirs is replaced or misread, and what can't be tested is said in one line."""

import re

import clr  # noqa: F401
import lrfinder
from clr.training.extensions import CLR

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from chainer import iterators, optimizers, training
from chainer.training import extensions


def examples(count=320, classes=3, seed=0):
    """Clusters that a linear model tells apart."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, classes, count).astype(np.int32)
    centres = np.random.RandomState(7).normal(0, 2, (classes, 8))
    return (centres[labels] + random.normal(0, 1, (count, 8))).astype(np.float32), labels


class Model(chainer.Chain):
    """A classifier with two layers that reports what it is told to."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.body = L.Linear(8, 16)
            self.head = L.Linear(16, 3)

    def logits(self, x):
        return self.head(F.relu(self.body(x)))

    def forward(self, x, t):
        y = self.logits(x)
        loss = F.softmax_cross_entropy(y, t)
        self.report(loss, F.accuracy(y, t))
        return loss

    def report(self, loss, accuracy):
        chainer.report({'loss': loss, 'accuracy': accuracy}, self)


def updater_of(model=Model, iterator=None, optimizer=None, kind=training.StandardUpdater, **options):
    np.random.seed(0)
    model = model()
    optimizer = (optimizer or optimizers.MomentumSGD()).setup(model)
    iterator = iterator or iterators.SerialIterator(chainer.datasets.TupleDataset(*examples()), 16)
    return kind(iterator, optimizer, **options)


def evaluator_of(updater, kind=extensions.Evaluator, **options):
    data = iterators.SerialIterator(chainer.datasets.TupleDataset(*examples(200, seed=1)), 50, shuffle=False, **options)
    return kind(data, updater.get_optimizer('main').target)


def find(updater, **options):
    return lrfinder.find(updater, quiet=True, **options).suggestion


# The iterator


class Balanced(iterators.SerialIterator):
    """Every batch has as many examples of each class; the last third of the data is left out."""

    batches = 0

    def __next__(self):
        super().__next__()
        self.batches = Balanced.batches = Balanced.batches + 1
        labels = np.array([self.dataset[i][1] for i in range(200)])
        return [self.dataset[int(np.random.choice(np.flatnonzero(labels == k)))] for k in (0, 1, 2, 0, 1, 2)]

    next = __next__


def test_an_iterator_of_the_users_own_is_trained_on_always():
    Balanced.batches = 0
    updater = updater_of(iterator=Balanced(chainer.datasets.TupleDataset(*examples()), 6))
    found = find(updater)
    assert found.updates <= Balanced.batches
    assert found.reasons['judged_by'] == 'the training loss of each batch before it is trained on'


def test_where_the_iterator_is_chainers_own_a_fifth_is_held_out():
    assert find(updater_of()).reasons['judged_by'] == '64 examples held out of the training data'


def test_an_evaluator_is_what_trials_are_judged_by():
    updater = updater_of()
    assert find(updater, evaluator=evaluator_of(updater, repeat=False)).reasons['judged_by'] == 'the evaluator (200 examples)'


def most_of_them(order, position):
    """An epoch of the first hundred examples alone."""
    return np.random.permutation(100)


def test_an_order_of_the_users_own_is_trained_in_always():
    iterator = iterators.SerialIterator(chainer.datasets.TupleDataset(*examples()), 10, order_sampler=most_of_them)
    found = find(updater_of(iterator=iterator), budget=100)
    assert found.reasons['judged_by'] == 'the training loss of each batch before it is trained on'
    assert (found.iterations_per_epoch, found.batchsize) == (10, 10)


class Virtual:
    """Makes each example when it is asked for, and has no end to speak of."""

    def __len__(self):
        return 2**50

    def __getitem__(self, index):
        return EXAMPLES[int(index) % 320]


EXAMPLES = list(zip(*examples()))


def test_of_more_examples_than_can_be_stored_none_are_held_out():
    found = find(updater_of(iterator=iterators.SerialIterator(Virtual(), 16, shuffle=False)), budget=100)
    assert found.reasons['judged_by'] == 'the training loss of each batch before it is trained on'


class Threads(iterators.MultithreadIterator):
    """Leaves out every second example."""

    def __next__(self):
        return super().__next__()[::2]

    next = __next__


def test_an_iterator_that_loads_ahead_in_a_way_of_its_own_is_refused():
    iterator = Threads(chainer.datasets.TupleDataset(*examples()), 16, n_threads=1)
    with pytest.raises(ValueError, match='the iterator Threads loads examples ahead in a way of its own'):
        find(updater_of(iterator=iterator))
    iterator.finalize()


class Arrays(chainer.dataset.Iterator):
    """Yields whole arrays, and has neither a data set nor a batch size."""

    epoch, is_new_epoch, epoch_detail = 0, False, 0.0

    def __init__(self):
        self.x, self.t = examples()
        self.place = 0

    def __next__(self):
        self.place = (self.place + 16) % 320
        self.epoch_detail += 16 / 320
        return self.x[self.place : self.place + 16], self.t[self.place : self.place + 16]

    def serialize(self, serializer):
        self.place = serializer('place', self.place)
        self.epoch_detail = serializer('epoch_detail', self.epoch_detail)


def test_an_iterator_may_yield_arrays():
    found = find(updater_of(iterator=Arrays(), converter=lambda batch, device: batch))
    assert found.batchsize is None
    assert found.iterations_per_epoch == 20


class Placed(Arrays):
    """Knows its place, and nothing of epochs."""

    def __next__(self):
        self.place = (self.place + 16) % 320
        return self.x[self.place : self.place + 16], self.t[self.place : self.place + 16]

    def serialize(self, serializer):
        self.place = serializer('place', self.place)


def says(name, value):
    """An iterator that says something odd of itself."""
    return type('Odd', (Placed,), {name: property(lambda self: value() if callable(value) else value)})()


def unknown():
    raise NotImplementedError


@pytest.mark.parametrize('value', [None, float('nan'), 'some', unknown, 3.5])
def test_an_iterator_need_not_tell_its_epochs(value):
    found = find(updater_of(iterator=says('epoch_detail', value), converter=lambda batch, device: batch), budget=100)
    assert found.iterations_per_epoch is None


@pytest.mark.parametrize('name', ['dataset', 'batch_size'])
@pytest.mark.parametrize('value', [None, 0, 'auto', (4, 4), unknown])
def test_an_iterator_need_not_tell_its_examples(name, value):
    found = find(updater_of(iterator=says(name, value), converter=lambda batch, device: batch), budget=100)
    assert found.batchsize is None


class CountsAnew(Placed):
    """Says where it is in its epoch, and not in which one."""

    @property
    def epoch_detail(self):
        return self.place / 320


def test_an_iterator_that_counts_anew_in_each_epoch_does_not_tell_how_long_one_is():
    assert find(updater_of(iterator=CountsAnew(), converter=lambda batch, device: batch)).iterations_per_epoch is None


class OwnLoop:
    """An updater that has what it takes to train, and nothing of Chainer's."""

    def __init__(self):
        self.model = Model()
        self.optimizer = optimizers.MomentumSGD().setup(self.model)
        self.x, self.t = examples()

    def update(self):
        batch = np.random.randint(0, 320, 16)
        self.optimizer.update(self.model, self.x[batch], self.t[batch])

    def get_optimizer(self, name):
        return self.optimizer

    def get_all_optimizers(self):
        return {'main': self.optimizer}


def test_an_updater_need_not_be_chainers():
    np.random.seed(0)
    found = find(OwnLoop())
    assert found.value_range[1] > 0.001 and found.iterations_per_epoch is None


# The evaluator


class OnlyAuc(extensions.Evaluator):
    def evaluate(self):
        return {'main/auc': 0.5}


def test_an_evaluator_that_reports_neither_loss_nor_accuracy_is_told_and_others_judge():
    updater = updater_of()
    found = find(updater, evaluator=evaluator_of(updater, OnlyAuc, repeat=False))
    assert found.value_range == find(updater_of()).value_range
    assert found.warnings[0] == (
        "the evaluator reports neither 'main/loss' nor 'main/accuracy' (it reports 'main/auc': loss= and accuracy= name what "
        'counts), so the trials are judged by 64 examples held out of the training data'
    )


def test_a_refusal_says_by_whom_it_was_judged_and_why():
    updater = updater_of()
    updater.get_optimizer('main').target.disable_update()
    with pytest.raises(
        lrfinder.NoRangeError, match=r"; the evaluator reports neither .* \(it reports 'main/auc': .*\), so the"
    ):
        find(updater, evaluator=evaluator_of(updater, OnlyAuc, repeat=False))


class TwoOptimizers(training.StandardUpdater):
    """Steps a second model at random, beside the first one."""

    def update_core(self):
        x, t = chainer.dataset.concat_examples(self.get_iterator('main').next())
        self.get_optimizer('main').update(self.get_optimizer('main').target, x, t)
        self.get_optimizer('critic').update(self.get_optimizer('critic').target, x, t)


@pytest.mark.parametrize('still', [False, True])
def test_a_refusal_names_what_else_is_trained_meanwhile(still):
    critic = optimizers.SGD().setup(Model())
    updater = updater_of(kind=lambda iterator, main: TwoOptimizers(iterator, {'main': main, 'critic': critic}))
    updater.get_optimizer('main').target.disable_update()
    if still:
        updater.get_optimizer('critic').target.disable_update()
    with pytest.raises(lrfinder.NoRangeError) as error:
        find(updater)
    assert ("the updater steps the optimizer 'critic', too" in str(error.value)) is not still


@pytest.mark.parametrize('still', [False, True])
def test_a_range_is_warned_of_where_something_else_is_trained_meanwhile(still):
    critic = optimizers.SGD().setup(Model())
    updater = updater_of(kind=lambda iterator, main: TwoOptimizers(iterator, {'main': main, 'critic': critic}))
    if still:
        critic.target.disable_update()
    warning = (
        "the updater steps the optimizer 'critic', too: where that works against this one, hold its model still meanwhile by "
        'disable_update()'
    )
    assert (warning in find(updater).warnings) is not still


class RatesMakeNoDifference(training.StandardUpdater):
    """Reports a loss that no parameter has a part in, as that of a network whose opponent is sure of itself."""

    def update_core(self):
        self.get_iterator('main').next()
        optimizer = self.get_optimizer('main')
        optimizer.update(lambda: 0.0 * F.sum(optimizer.target.body.W))
        chainer.report({'loss': np.random.gamma(1.0)}, optimizer.target)


@pytest.mark.parametrize('seed', [6, 12, 20])
def test_where_no_rate_makes_a_difference_there_is_no_range(seed):
    updater = updater_of(kind=RatesMakeNoDifference)
    np.random.seed(seed)  # by these the loss happens to be lower later than it is at first
    with pytest.raises(lrfinder.NoRangeError, match='no trial cycle made the model better'):
        find(updater, budget=300)


class GrowsHarder(training.StandardUpdater):
    """Reports a loss that rises by itself, as beside an opponent that learns."""

    updates = 0

    def update_core(self):
        super().update_core()
        self.updates += 1
        chainer.report({'loss': 1 + 0.1 * self.updates}, self.get_optimizer('main').target)


def test_a_loss_that_rises_by_itself_gives_no_range():
    with pytest.raises(lrfinder.NoRangeError, match=r'^the loss diverges whatever the rate, from .* as from 1e-07; .*loss=\)$'):
        find(updater_of(kind=GrowsHarder))


class OfFewEpisodes(extensions.Evaluator):
    """Draws at random by itself, as the mean return of a few episodes."""

    generator = np.random.RandomState(0)

    def evaluate(self):
        return {'main/loss': OfFewEpisodes.generator.normal(-15, 5)}


def test_an_evaluator_that_contradicts_itself_does_not_judge():
    updater = updater_of()
    found = find(updater, evaluator=evaluator_of(updater, OfFewEpisodes, repeat=False))
    assert found.value_range == find(updater_of()).value_range
    assert re.fullmatch(
        r'the evaluator says -[0-9.]+ and -[0-9.]+ of one and the same model \(it draws random numbers of its own\), '
        'so the trials are judged by 64 examples held out of the training data',
        found.warnings[0],
    )


class OnlyAccuracy(extensions.Evaluator):
    def evaluate(self):
        return {'main/accuracy': super().evaluate()['main/accuracy']}


def test_an_evaluator_that_reports_no_loss_judges_by_the_accuracy():
    updater = updater_of()
    evaluator = evaluator_of(updater, OnlyAccuracy, repeat=False)
    result = lrfinder.find(updater, evaluator=evaluator, accuracy='main/accuracy', quiet=True)
    assert result.suggestion.warnings == ()
    assert result.trials['validation/main/accuracy'].notna().all() and result.trials['validation/main/loss'].isna().all()


class WithAcc(Model):
    """Calls its accuracy as many do."""

    def forward(self, x, t):
        y = self.logits(x)
        loss = F.softmax_cross_entropy(y, t)
        chainer.report({'loss': loss, 'acc': F.accuracy(y, t)}, self)
        return loss


def test_what_may_be_an_accuracy_is_named():
    found = find(updater_of(WithAcc))
    assert found.warnings == ("'main/acc' may be an accuracy, and was not judged by: say accuracy='main/acc' if it is",)
    assert 'within 1% of what the best one gains: max ' in str(found)
    told = find(updater_of(WithAcc), accuracy='main/acc')
    assert told.warnings == ()
    assert 'within a point of the best: max ' in str(told)


AVERAGE = [0.0]


class WithABaseline(training.StandardUpdater):
    """Counts in a mean of all losses so far, which it keeps where nothing of the updater's leads."""

    def update_core(self):
        x, t = chainer.dataset.concat_examples(self.get_iterator('main').next())
        optimizer = self.get_optimizer('main')
        loss = F.softmax_cross_entropy(optimizer.target.logits(x), t)
        optimizer.target.cleargrads()
        loss.backward()
        optimizer.update()
        AVERAGE[0] += 0.02 * (min(float(loss.array), 1.0) - AVERAGE[0])
        chainer.report({'loss': loss.array + AVERAGE[0]}, optimizer.target)


def test_what_is_not_put_back_is_warned_of():
    [warning] = [text for text in find(updater_of(kind=WithABaseline)).warnings if 'is not put back' in text]
    assert warning.startswith('the first update of the scan had the loss ')


class OnlyNan(extensions.Evaluator):
    def evaluate(self):
        return {'main/loss': float('nan')}


def test_an_evaluator_that_says_nothing_of_the_model_as_it_is_is_told_and_others_judge():
    updater = updater_of()
    found = find(updater, evaluator=evaluator_of(updater, OnlyNan, repeat=False))
    assert found.value_range == find(updater_of()).value_range
    assert found.warnings[0] == (
        'what the evaluator reports is not finite as the model is now, so the trials are judged by 64 examples held out of the '
        'training data'
    )


class Reports(extensions.Evaluator):
    """Reports what it measured, as a trainer listens to that, and returns nothing."""

    def __call__(self, trainer=None):
        chainer.report({'validation/main/loss': super().__call__()['main/loss'], 3: 'three'})


def test_what_an_evaluator_reports_counts_where_it_returns_nothing():
    updater = updater_of()
    result = lrfinder.find(updater, evaluator=evaluator_of(updater, Reports, repeat=False), budget=100, quiet=True)
    assert result.suggestion.reasons['judged_by'] == 'the evaluator (200 examples)'
    assert result.trials['validation/main/loss'].notna().any()


class OddlyNamed(extensions.Evaluator):
    def evaluate(self):
        return {**super().evaluate(), 3: 4.0}


def test_what_an_evaluator_calls_by_no_name_is_none_of_ours():
    updater = updater_of()
    assert find(updater, evaluator=evaluator_of(updater, OddlyNamed, repeat=False), budget=100).updates


class Pairs(extensions.Evaluator):
    def evaluate(self):
        return list(super().evaluate().items())


@pytest.mark.parametrize(
    ('evaluator', 'message'),
    [
        (lambda updater: lambda: 0.5, "must return a dictionary of what it measured, such as {'main/loss': 0.5}, not float"),
        (
            lambda updater: evaluator_of(updater, Pairs, repeat=False),
            'must return a dictionary of what it measured, .*not list',
        ),
        (lambda updater: extensions.Evaluator(iterators.SerialIterator([], 1, False), Model()), "'s data are empty"),
    ],
)
def test_an_evaluator_that_is_none_is_found_out_before_anything_is_trained(evaluator, message):
    updater = updater_of()
    with pytest.raises(ValueError, match=f'^the evaluator ?{message}'):
        find(updater, evaluator=evaluator(updater))


class OwnMistake(extensions.Evaluator):
    def evaluate(self):
        return {'main/loss': self.eval_hook.level}


def test_a_mistake_in_an_evaluator_is_not_taken_for_the_lack_of_a_trainer():
    updater = updater_of()
    with pytest.raises(AttributeError, match='level'):
        find(updater, evaluator=evaluator_of(updater, OwnMistake, repeat=False))


class NeedsTrainer(extensions.Evaluator):
    def __call__(self, trainer):
        return {'main/loss': trainer.updater.epoch}


class UsesTrainer(extensions.Evaluator):
    def __call__(self, trainer=None):
        return {'main/loss': trainer.updater.epoch}


class KeepsTrainer(extensions.Evaluator):
    def initialize(self, trainer):
        self.trainer = trainer

    def evaluate(self):
        return {'main/loss': self.trainer.updater.epoch}


@pytest.mark.parametrize('kind', [NeedsTrainer, UsesTrainer, KeepsTrainer])
def test_an_evaluator_that_needs_a_trainer_is_found_out_before_anything_is_trained(kind):
    updater = updater_of()
    seen = []
    updater.get_optimizer('main').add_hook(lambda optimizer: seen.append(1), 'count')
    with pytest.raises(ValueError, match='the evaluator needs a trainer, and find calls it without one'):
        find(updater, evaluator=evaluator_of(updater, kind, repeat=False))
    assert not seen


@pytest.mark.filterwarnings('ignore:The `repeat` property')
def test_an_evaluator_that_would_never_end_is_refused():
    updater = updater_of()
    with pytest.raises(ValueError, match="the evaluator's iterator would never end; make it with repeat=False"):
        find(updater, evaluator=evaluator_of(updater, repeat=True))


# A model that can't be validated


class GradientPenalty(Model):
    """Has the gradient of its input in its loss: without backpropagation there is none."""

    def forward(self, x, t):
        x = chainer.Variable(x)
        y = self.logits(x)
        (slope,) = chainer.grad([F.sum(y)], [x], enable_double_backprop=True)
        loss = F.softmax_cross_entropy(y, t) + 0.01 * F.mean(slope * slope)
        self.report(loss, F.accuracy(y, t))
        return loss


class AnswersInTestMode(Model):
    """Gives its answers in test mode, and reports nothing then."""

    def forward(self, x, t):
        return super().forward(x, t) if chainer.config.train else self.logits(x)


@pytest.mark.parametrize(
    ('model', 'why'),
    [(GradientPenalty, 'fails (TypeError: '), (AnswersInTestMode, "reports neither 'main/loss' nor 'main/accuracy'")],
)
def test_a_model_that_is_only_for_training_is_judged_by_that(model, why):
    found = find(updater_of(model))
    assert found.reasons['judged_by'] == 'the training loss of each batch before it is trained on'
    assert found.warnings[0].startswith(f'the model in test mode (chainer.config.train is False) {why}')
    assert found.warnings[0].endswith('so the trials are judged by the training loss of each batch before it is trained on')


# Steps and iterations


class Accumulating(training.StandardUpdater):
    """Steps the optimizer in every fourth iteration, with the gradients of four batches."""

    def update_core(self):
        optimizer = self.get_optimizer('main')
        x, t = self.converter(self.get_iterator('main').next(), self.device)
        if self.iteration % 4 == 0:
            optimizer.target.cleargrads()
        optimizer.target(x, t).backward()
        if self.iteration % 4 == 3:
            optimizer.update()


def test_step_size_counts_iterations_of_the_trainer_and_the_batch_is_that_of_a_step():
    found = find(updater_of(kind=Accumulating))
    assert found.iterations_per_epoch == 20
    assert found.step_size == 100  # five epochs, as for an updater that steps each time
    assert found.batchsize == 64


class SeveralBatches(training.StandardUpdater):
    """Takes four batches in each iteration, and steps once."""

    def update_core(self):
        optimizer = self.get_optimizer('main')
        optimizer.target.cleargrads()
        for _ in range(4):
            x, t = self.converter(self.get_iterator('main').next(), self.device)
            optimizer.target(x, t).backward()
        optimizer.update()


def test_the_batch_is_that_of_a_step_too_where_an_iteration_takes_several():
    found = find(updater_of(kind=SeveralBatches))
    assert (found.iterations_per_epoch, found.batchsize) == (5, 64)


class Pauses(training.StandardUpdater):
    """Does nothing in every third iteration."""

    def update_core(self):
        if self.iteration % 3:
            super().update_core()


def test_an_iteration_without_a_batch_adds_none_to_the_step():
    found = find(updater_of(kind=Pauses))
    assert (found.iterations_per_epoch, found.batchsize) == (30, 16)


def test_the_rows_of_a_test_in_a_trainer_are_at_the_iterations_of_the_trainer():
    trainer = training.Trainer(updater_of(kind=Accumulating), (200, 'iteration'))
    test = lrfinder.LRRangeTest('lr', (0, 1), 10)
    trainer.extend(test)
    trainer.run()
    assert test.curve['iteration'].tolist() == list(range(4, 41, 4))


# Something else that moves the rate


class SetsItsRate(training.StandardUpdater):
    def update_core(self):
        self.get_optimizer('main').lr = 0.01
        super().update_core()


def test_an_updater_that_sets_the_rate_is_told():
    message = (
        r'^lr was 0\.01 after an update for which the range test had set 1e-07: something else moves it '
        r'\(the updater itself, or a hook of the optimizer\); take that out for the range test$'
    )
    with pytest.raises(ValueError, match=message):
        find(updater_of(kind=SetsItsRate))


@pytest.mark.parametrize(
    'other', [lambda: extensions.LinearShift('lr', (0.1, 0.2), (1, 9)), lambda: extensions.ExponentialShift('lr', 0.5)]
)
def test_a_schedule_beside_the_range_test_is_refused(other, tmp_path):
    trainer = training.Trainer(updater_of(), (20, 'iteration'), out=tmp_path)
    trainer.extend(other())
    trainer.extend(lrfinder.LRRangeTest('lr', (0, 1), 10))
    with pytest.raises(ValueError, match='both move lr, and their order would decide its value; take one of them out'):
        trainer.run(show_loop_exception_msg=False)


def test_clr_beside_the_range_test_is_refused(tmp_path):
    trainer = training.Trainer(updater_of(), (20, 'iteration'), out=tmp_path)
    trainer.extend(lrfinder.LRRangeTest('lr', (0, 1), 10))
    trainer.extend(CLR('lr', (0.1, 0.2), 5))
    with pytest.raises(ValueError, match='both move lr'):
        trainer.run(show_loop_exception_msg=False)


class Limited(optimizers.MomentumSGD):
    """Has a rate with limits, of which nothing is said where they are reached."""

    @property
    def rate(self):
        return self.lr

    @rate.setter
    def rate(self, value):
        self.lr = min(max(value, self.least), self.most)


@pytest.mark.parametrize(('least', 'most', 'kept', 'set_to'), [(0.001, 1e9, 0.001, r'1e-07'), (0, 0.01, 0.01, r'0\.0\d+')])
def test_a_rate_that_the_optimizer_keeps_within_limits_is_told(least, most, kept, set_to):
    optimizer = Limited()
    optimizer.least, optimizer.most = least, most
    message = f'^rate is {kept} where the range test has set {set_to}: the optimizer keeps it within limits of its own; take'
    with pytest.raises(ValueError, match=message):
        find(updater_of(optimizer=optimizer), attr='rate')


class GivesRates:
    """A hook that gives each parameter a rate."""

    name, call_for_each_param, timing = 'gives', True, 'pre'

    def __call__(self, rule, param):
        rule.hyperparam.lr = 0.01


@pytest.mark.parametrize('slow_body', [False, True])
def test_a_hook_that_gives_parameters_their_rates_is_told(slow_body):
    updater = with_a_slow_body() if slow_body else updater_of()
    updater.get_optimizer('main').add_hook(GivesRates())
    with pytest.raises(ValueError, match=r'^something in the training gives parameters their own lr'):
        find(updater)


# Parameters with rates of their own


def with_a_slow_body():
    updater = updater_of(optimizer=optimizers.MomentumSGD(lr=0.1))
    for param in updater.get_optimizer('main').target.body.params():
        param.update_rule.hyperparam.lr = 0.001
    return updater


def test_parameters_with_rates_of_their_own_move_in_proportion():
    updater = with_a_slow_body()
    used = []

    def watch(optimizer):
        used.append((optimizer.lr, optimizer.target.body.W.update_rule.hyperparam.lr))

    updater.get_optimizer('main').add_hook(watch, 'watch')
    found = find(updater)
    assert found.proportional
    assert found.warnings[-1] == (
        '2 parameters have rates of their own, which the test moved in proportion: train with CLR(..., proportional=True)'
    )
    assert updater.get_optimizer('main').target.body.W.update_rule.hyperparam.lr == 0.001
    assert find(updater_of()).proportional is False


def test_each_update_of_the_test_keeps_their_ratio():
    updater = with_a_slow_body()
    trainer = training.Trainer(updater, (20, 'iteration'))
    ratios = []

    @training.make_extension(trigger=(1, 'iteration'), priority=1000)
    def watch(trainer):
        optimizer = updater.get_optimizer('main')
        if optimizer.lr:
            ratios.append(optimizer.target.body.W.update_rule.hyperparam.lr / optimizer.lr)

    trainer.extend(watch)
    trainer.extend(lrfinder.LRRangeTest('lr', (0, 1), 10))
    trainer.run()
    assert ratios == pytest.approx([0.01] * 9)


# Failures


class RaisesOnNan(Model):
    def forward(self, x, t):
        loss = super().forward(x, t)
        if not np.isfinite(loss.array):
            raise FloatingPointError('the loss is NaN')
        return loss


class ReportsNoNan(Model):
    def report(self, loss, accuracy):
        if np.isfinite(loss.array):
            super().report(loss, accuracy)


class SkipsTheStep(training.StandardUpdater):
    def update_core(self):
        optimizer = self.get_optimizer('main')
        x, t = self.converter(self.get_iterator('main').next(), self.device)
        optimizer.target.cleargrads()
        optimizer.target(x, t).backward()
        if all(np.isfinite(param.grad).all() for param in optimizer.target.params()):
            optimizer.update()


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
@pytest.mark.parametrize(
    ('model', 'kind'),
    [(RaisesOnNan, training.StandardUpdater), (ReportsNoNan, training.StandardUpdater), (Model, SkipsTheStep)],
)
def test_a_failure_at_a_high_rate_is_a_divergence(model, kind):
    usual, found = find(updater_of()), find(updater_of(model, kind=kind))
    assert usual.value_range[1] / 4 < found.value_range[1] < usual.value_range[1] * 4


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
def test_chainers_debug_mode_is_no_obstacle():
    with chainer.using_config('debug', True):
        assert find(updater_of()).value_range[1] > 0.001


class FailsAt(Model):
    def __init__(self, call):
        super().__init__()
        self.call, self.calls = call, 0

    def forward(self, x, t):
        self.calls += 1
        if self.calls == self.call:
            raise KeyError('a broken example')
        return super().forward(x, t)


@pytest.mark.parametrize('call', [1, 2, 40])
def test_a_failure_that_has_nothing_to_do_with_the_rate_is_the_users(call):
    updater = updater_of()
    with pytest.raises(KeyError, match='a broken example'):
        find(updater_of(lambda: FailsAt(call)), evaluator=evaluator_of(updater, repeat=False))


class FailsOnce(Model):
    """Fails in one call of the whole process, as where a file is away for a moment, or the memory is full."""

    calls = 0

    def forward(self, x, t):
        FailsOnce.calls += 1
        if FailsOnce.calls == self.call:
            raise self.failure
        return super().forward(x, t)


@pytest.mark.parametrize('failure', [MemoryError('full'), OSError('no such device'), KeyError('key'), RecursionError('deep')])
@pytest.mark.parametrize('call', [1, 2, 30, 90])
def test_a_failure_that_does_not_come_again_is_no_divergence(failure, call):
    FailsOnce.calls, FailsOnce.call, FailsOnce.failure = 0, call, failure
    updater = updater_of(FailsOnce)
    with pytest.raises(type(failure)):
        find(updater)
    assert updater.iteration == 0


class RaisesBoth(Model):
    """Fails where the loss is above 20, and some time after that once for another reason."""

    calls_since = None

    def forward(self, x, t):
        if RaisesBoth.calls_since is not None:
            RaisesBoth.calls_since += 1
        if RaisesBoth.calls_since == 200:
            raise OSError('no such device')
        loss = super().forward(x, t)
        if loss.array > 20:
            RaisesBoth.calls_since = RaisesBoth.calls_since or 0
            raise FloatingPointError('the loss explodes')
        return loss


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
def test_what_fails_at_high_rates_may_still_fail_for_another_reason():
    RaisesBoth.calls_since = None
    with pytest.raises(OSError, match='no such device'):
        find(updater_of(RaisesBoth))


class Enough(Exception):
    pass


@pytest.mark.parametrize('row', [5, 70])
def test_an_exception_of_on_row_comes_through(row):
    rows = []

    def on_row(rate, loss):
        rows.append(loss)
        if len(rows) == row:
            raise Enough

    with pytest.raises(Enough):
        find(updater_of(), on_row=on_row)
    assert len(rows) == row


def test_an_exception_of_on_row_is_no_divergence_in_a_trainer_either(tmp_path):
    trainer = training.Trainer(updater_of(), (20, 'iteration'), out=tmp_path)
    test = lrfinder.LRRangeTest('lr', (0, 1), 20, on_row=lambda rate, loss: {}['row'])
    trainer.extend(test)
    with pytest.raises(KeyError, match='row'):
        trainer.run(show_loop_exception_msg=False)
    assert test.stop_reason is None
    assert test.curve['main/loss'].notna().all()


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
def test_a_trainer_that_fails_on_nan_leaves_a_curve_that_can_be_analyzed(tmp_path):
    trainer = training.Trainer(updater_of(optimizer=optimizers.SGD()), (1000, 'iteration'), out=tmp_path)
    test = lrfinder.LRRangeTest('lr', (0, 1e40), 300)
    trainer.extend(extensions.FailOnNonNumber())
    trainer.extend(test)
    with pytest.raises(RuntimeError):
        trainer.run(show_loop_exception_msg=False)
    assert test.stop_reason.startswith('the training failed (RuntimeError: ')


# Names


class Bare(Model):
    def report(self, loss, accuracy):
        chainer.report({'loss_gen': loss, 'hits': accuracy})


def test_a_loss_may_have_any_name():
    usual, bare = updater_of(), updater_of(Bare)
    names = {'loss': 'loss_gen', 'accuracy': 'hits'}
    found = lrfinder.find(bare, evaluator=evaluator_of(bare, repeat=False), quiet=True, **names)
    assert found.curve['main/accuracy'].notna().all()
    assert found.suggestion.value_range == find(usual, evaluator=evaluator_of(usual, repeat=False)).value_range


def test_a_test_in_a_trainer_takes_the_name_of_the_loss_too():
    trainer = training.Trainer(updater_of(Bare), (20, 'iteration'))
    test = lrfinder.LRRangeTest('lr', (0, 1), 10, loss='loss_gen')
    trainer.extend(test)
    trainer.run()
    assert test.curve['main/loss'].notna().all() and test.curve['main/accuracy'].isna().all()


def test_where_no_loss_is_found_the_message_lists_what_was_reported():
    with pytest.raises(ValueError) as caught:
        find(updater_of(Bare))
    assert str(caught.value) == (
        "the update reported no 'main/loss' (it reported: hits, loss_gen); say which is the loss: loss='loss_gen'"
    )


def test_an_accuracy_that_was_asked_for_and_not_found_is_told():
    found = find(updater_of(iterator=Arrays(), converter=lambda batch, device: batch), accuracy='main/acc')
    assert "nothing reported the accuracy 'main/acc', so it was not judged by" in found.warnings
    assert 'wrong' not in found.reasons['max']


class Percent(Model):
    def report(self, loss, accuracy):
        super().report(loss, 100 * accuracy)


class PercentEvaluator(extensions.Evaluator):
    def evaluate(self):
        result = super().evaluate()
        return {**result, 'main/accuracy': 100 * result['main/accuracy']}


@pytest.mark.parametrize('updates', [0, 400])
@pytest.mark.parametrize('evaluates', [False, True])
def test_accuracies_in_percent_are_what_they_are_as_shares(updates, evaluates):
    def result(model):
        updater = updater_of(model)
        for _ in range(updates):
            updater.update()
        evaluator = evaluator_of(updater, repeat=False) if evaluates else None
        return lrfinder.find(updater, evaluator=evaluator, budget=100, quiet=True)

    shares, percent = result(Model), result(Percent)
    assert percent.suggestion.value_range == pytest.approx(shares.suggestion.value_range)
    assert percent.suggestion.reasons == shares.suggestion.reasons
    assert percent.suggestion.warnings == shares.suggestion.warnings
    assert percent.curve['main/accuracy'].tolist() == pytest.approx(shares.curve['main/accuracy'].tolist())


def test_an_evaluator_may_report_in_percent_what_the_model_does_not():
    updater = updater_of()
    expected = find(updater, evaluator=evaluator_of(updater, repeat=False), budget=100)
    found = find(updater, evaluator=evaluator_of(updater, PercentEvaluator, repeat=False), budget=100)
    assert found.value_range == pytest.approx(expected.value_range) and found.reasons == expected.reasons


class ReportsBleu(Model):
    def report(self, loss, accuracy):
        super().report(loss, 1000 * accuracy - 200)


def test_what_is_no_share_of_right_answers_is_not_judged_by_and_told():
    found = find(updater_of(ReportsBleu))
    said = 'is neither a share of right answers, from 0 to 1, nor in percent, so it was not judged by'
    assert f'main/accuracy {said}' in found.warnings and f'validation/main/accuracy {said}' in found.warnings
    assert 'wrong' not in found.reasons['max']


# Models that learn on, and losses with a constant


def test_a_model_that_has_learned_before_gets_a_range_that_it_stands():
    updater = updater_of()
    for _ in range(400):
        updater.update()
    evaluator = evaluator_of(updater, repeat=False)
    before = float(evaluator()['main/loss'])
    found = find(updater, evaluator=evaluator)
    assert any(warning.startswith('the model had learned before') for warning in found.warnings)
    trainer = training.Trainer(updater, (2 * found.step_size, 'iteration'))
    trainer.extend(CLR(found.attr, found.value_range, found.step_size))
    trainer.run()
    assert float(evaluator()['main/loss']) < 1.5 * before


class Offset(Model):
    """A loss with a constant, as that of a VAE has, and no accuracy."""

    def forward(self, x, t):
        loss = F.mean_squared_error(self.logits(x), np.eye(3, dtype=np.float32)[t]) + 500
        chainer.report({'loss': loss}, self)
        return loss


def test_a_loss_with_a_large_constant_in_it_may_fall_by_a_small_share():
    updater = updater_of(Offset)
    low, high = find(updater, evaluator=evaluator_of(updater, repeat=False)).value_range
    assert 0.0005 < low < high < 1


# Late refusals


def test_what_is_no_updater_is_named():
    updater = updater_of()
    with pytest.raises(ValueError, match=r'^an updater is needed, such as trainer\.updater, not Trainer$'):
        find(training.Trainer(updater, (1, 'epoch')))
    with pytest.raises(
        ValueError,
        match=r'^an updater is needed, such as chainer\.training\.StandardUpdater\(iterator, optimizer\), not MomentumSGD$',
    ):
        find(updater.get_optimizer('main'))


def test_an_optimizer_without_a_model_is_named():
    iterator = iterators.SerialIterator(chainer.datasets.TupleDataset(*examples()), 16)
    updater = training.StandardUpdater(iterator, optimizers.SGD())
    with pytest.raises(ValueError, match=r'^the optimizer \(SGD\) has no model: call optimizer\.setup\(model\) first$'):
        find(updater)


def test_data_that_are_empty_are_told():
    with pytest.raises(ValueError, match='the training data are empty'):
        find(updater_of(iterator=iterators.SerialIterator([], 16)))


class Stops(Model):
    def forward(self, x, t):
        raise StopIteration


def test_a_stop_iteration_of_the_models_is_not_the_end_of_the_data():
    with pytest.raises(RuntimeError, match='the model raised StopIteration'):
        find(updater_of(Stops), evaluator=lambda: {'main/loss': 1.0})


def test_a_policy_and_a_length_are_checked_before_the_test():
    with pytest.raises(ValueError, match=r"^unknown policy 'triangle': did you mean triangular\?$"):
        find(updater_of(), policy='triangle')
    with pytest.raises(ValueError, match='length must be a number and its unit'):
        find(updater_of(), length=30)


def test_the_length_of_the_training_gives_whole_cycles():
    found = find(updater_of(), length=(24, 'epoch'))
    assert found.step_size == 80  # 3 cycles of 160 iterations are 24 epochs of 20
    assert found.reasons['step_size'] == '3 whole cycles with half cycles of 4 epochs in 24 epochs (Smith: 2 to 10 epochs)'


def test_warnings_are_said_once_on_standard_error(capsys):
    warnings = lrfinder.find(with_a_slow_body()).suggestion.warnings
    assert capsys.readouterr().err.splitlines() == [f'lrfinder: warning: {text}' for text in warnings]
