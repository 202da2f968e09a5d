"""The whole range test on updaters whose good rates are known."""

import lrfinder
from clr.training.extensions import CLR
from lrfinder import range_test
from lrfinder.analysis import analyzer

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from chainer.training import extensions


def blobs(count=400, classes=3, seed=0, scale=1.0):
    """Clusters that a linear model tells apart."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, classes, count).astype(np.int32)
    centres = np.random.RandomState(7).normal(0, 2, (classes, 8))
    return (scale * (centres[labels] + random.normal(0, 1, (count, 8)))).astype(np.float32), labels


def updater(x, t, network=None, optimizer=None, batchsize=20, seed=0):
    np.random.seed(seed)
    model = L.Classifier(network or chainer.Sequential(L.Linear(8, 32), F.relu, L.Linear(32, 3)))
    optimizer = (optimizer or chainer.optimizers.MomentumSGD()).setup(model)
    iterator = chainer.iterators.SerialIterator(chainer.datasets.TupleDataset(x, t), batchsize)
    return chainer.training.StandardUpdater(iterator, optimizer)


def updater_of(model):
    """One for a model that reports a loss of its own."""
    iterator = chainer.iterators.SerialIterator(chainer.datasets.TupleDataset(*blobs()), 20)
    return chainer.training.StandardUpdater(iterator, chainer.optimizers.SGD().setup(model))


def evaluator(of, x, t):
    data = chainer.iterators.SerialIterator(chainer.datasets.TupleDataset(x, t), 100, repeat=False, shuffle=False)
    return extensions.Evaluator(data, of.get_optimizer('main').target)


def test_result_and_cost():
    found = lrfinder.find(updater(*blobs()))
    suggestion = found.suggestion
    low, high = suggestion.value_range
    assert list(found.curve.columns) == [
        'iteration',
        'lr',
        'main/loss',
        'main/accuracy',
        'validation/main/loss',
        'validation/main/accuracy',
    ]
    assert list(found.scan.columns) == list(found.curve.columns)
    assert found.scan['lr'].iloc[0] == 1e-7 and found.scan['lr'].is_monotonic_increasing
    assert 0 < low < high <= found.curve['lr'].max()
    assert 0.1 <= low / high <= 0.25 + 1e-9
    assert suggestion.attr == 'lr'
    assert suggestion.iterations_per_epoch == 20
    assert suggestion.step_size == 100
    assert suggestion.batchsize == 20
    assert len(found.curve) < suggestion.updates <= 600
    assert set(suggestion.reasons) == {'min', 'max', 'step_size', 'batchsize', 'judged_by'}
    assert suggestion.spread['max'][0] <= high <= suggestion.spread['max'][1]


@pytest.mark.parametrize(('updates', 'said'), [(860, set()), (8600, {'length'})])
def test_what_comes_late_in_a_far_longer_training_is_said_not_to_be_known(updates, said):
    found = lrfinder.find(updater(*blobs()), length=(updates, 'iteration'), quiet=True).suggestion
    assert set(found.reasons) - {'min', 'max', 'step_size', 'batchsize', 'judged_by'} == said
    text = 'length: the training is 100 times as long as the trials of 86 updates, which do not show what comes later:'
    assert (text in ' '.join(str(found).split())) == bool(said)


@pytest.mark.parametrize(
    ('optimizer', 'attr', 'least', 'most'),
    [
        (chainer.optimizers.SGD, 'lr', 0.02, 5.0),
        (chainer.optimizers.MomentumSGD, 'lr', 0.005, 1.0),
        (chainer.optimizers.Adam, 'alpha', 0.0005, 0.3),
    ],
)
def test_the_scale_is_found_for_each_optimizer(optimizer, attr, least, most):
    # A rate of the user's own makes no difference.
    for given in (1e-5, 100.0):
        suggestion = lrfinder.find(updater(*blobs(), optimizer=optimizer(given))).suggestion
        assert suggestion.attr == attr
        assert least <= suggestion.value_range[1] <= most


def test_badly_scaled_inputs_move_the_range():
    """A linear model on inputs a hundred times as large wants a rate that is smaller by orders of magnitude."""

    def highest(scale):
        linear = L.Linear(8, 3, nobias=True)
        return lrfinder.find(
            updater(*blobs(scale=scale), network=linear, optimizer=chainer.optimizers.SGD())
        ).suggestion.value_range[1]

    assert 100 < highest(1.0) / highest(100.0) < 1e5


def test_validation_is_recorded_where_there_is_an_evaluator():
    this = updater(*blobs())
    curve = lrfinder.find(this, evaluator=evaluator(this, *blobs(seed=1))).curve
    assert curve['validation/main/accuracy'].notna().sum() >= 5
    assert curve['validation/main/accuracy'].max() > 0.8


def test_the_range_stays_within_a_range_that_is_given():
    found = lrfinder.find(updater(*blobs()), value_range=(0.001, 0.02), iterations=60)
    assert found.curve['lr'].iloc[[0, -1]].tolist() == [0.001, 0.02]
    assert 0.001 <= found.suggestion.value_range[0] <= found.suggestion.value_range[1] <= 0.02
    assert found.suggestion.exhausted


@pytest.mark.parametrize('value_range', [(0.02, 0.03), (0.3, 0.5), (5.0, 50.0)])
def test_a_narrow_or_a_high_range_is_not_left(value_range):
    try:
        low, high = lrfinder.find(updater(*blobs()), value_range=value_range, iterations=50).suggestion.value_range
    except lrfinder.NoRangeError:
        assert value_range[0] > 1
    else:
        assert value_range[0] <= low <= high <= value_range[1]


def test_a_ramp_that_degrades_where_the_trial_cycles_did_not_is_told_and_decides_nothing():
    reading = analyzer.Reading(lowest=0.0, highest=0.3, pays=0.1, limit=analyzer.Limit(0.2, 'degrades', 'training loss'))
    assert range_test.doubts(reading, 0.1) == []
    assert range_test.doubts(reading, 0.25) == [
        'the ramp degrades at 0.2 (training loss), which the trial cycles survived: '
        'try several seeds (--seeds, lrfinder.find_seeds)'
    ]


def test_the_length_of_the_ramp_changes_little():
    highs = [
        lrfinder.find(updater(*blobs()), value_range=(0.0, 2.0), iterations=iterations).suggestion.value_range[1]
        for iterations in (100, 1000)
    ]
    assert 0.5 <= highs[0] / highs[1] <= 2


def test_the_same_seed_gives_the_same_answer():
    assert lrfinder.find(updater(*blobs())).suggestion == lrfinder.find(updater(*blobs())).suggestion


class Dead(chainer.Chain):
    """Its output does not depend on its weights."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.linear = L.Linear(8, 3)

    def forward(self, x):
        return 0 * self.linear(x)


def random_labels():
    x, t = blobs(count=800)
    return x, np.random.RandomState(5).permutation(t)


@pytest.mark.parametrize(
    'build', [lambda: updater(*random_labels()), lambda: updater(*blobs(), network=Dead())], ids=['random labels', 'dead']
)
def test_nothing_to_learn_gives_no_range(build):
    with pytest.raises(lrfinder.NoRangeError, match='no trial cycle made the model better') as error:
        lrfinder.find(build())
    assert len(error.value.curve) > 10


def test_a_loss_that_is_never_finite_gives_no_range():
    x, t = blobs()
    x[:] = np.nan
    with pytest.raises(lrfinder.NoRangeError) as error:
        lrfinder.find(updater(x, t))
    assert str(error.value) == 'the loss diverges whatever the rate, from 1e-16 on as from 1e-07; check the data and the loss'


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'attr': 'lrr'}, "MomentumSGD has no attribute 'lrr' that can be set; use 'lr'"),
        ({'value_range': (1, 0.1)}, 'value_range must'),
        ({'value_range': (0, float('inf'))}, 'value_range must'),
        ({'value_range': (0, 1), 'ramp': 'exponential'}, 'exponential'),
        ({'ramp': 'quadratic'}, "ramp must be 'linear' or 'exponential', not 'quadratic'"),
        ({'iterations': 1}, 'iterations must be a whole number from 2 to 10,000,000, not 1'),
    ],
)
def test_bad_options_are_refused_before_any_update(options, message):
    this = updater(*blobs())
    with pytest.raises(ValueError, match=message):
        lrfinder.find(this, **options)
    assert this.get_optimizer('main').t == 0


def test_an_outlier_that_looks_like_a_spike_does_not_keep_the_range_from_being_found():
    class Outlier(L.Classifier):
        calls = 0

        def forward(self, x, t):
            loss = super().forward(x, t)
            self.calls += 1
            if self.calls == 20:  # of the scan, at a rate far too low to learn anything
                chainer.report({'loss': 1e6}, self)
            return loss

    inputs, labels = blobs()
    this = updater(inputs, labels)
    plain = lrfinder.find(this, quiet=True).suggestion.value_range
    this.get_optimizer('main').setup(Outlier(this.get_optimizer('main').target.predictor))
    assert lrfinder.find(this, quiet=True).suggestion.value_range[1] == pytest.approx(plain[1], rel=2)


def test_the_maximum_is_not_below_the_rates_of_a_range_that_was_given():
    inputs, labels = blobs()
    low, high = lrfinder.find(updater(inputs, labels), value_range=(0.5, 0.55), quiet=True).suggestion.value_range
    assert 0.5 <= low <= high <= 0.55


# What is given wrong


def test_all_but_the_updater_goes_by_its_name():
    given = updater(*blobs())
    message = r'^find takes all but the updater by name, such as find\(updater, evaluator=...\): Evaluator came without one$'
    with pytest.raises(TypeError, match=message):
        lrfinder.find(given, evaluator(given, *blobs()))


@pytest.mark.parametrize(
    'named, message',
    [
        (dict(evaluator=L.Linear(2, 3)), 'evaluator must be one of chainer.training.extensions, such as .*, not Linear'),
        (dict(evaluator=extensions.Evaluator), 'evaluator must be .*, such as .*, not the class Evaluator'),
        (dict(evaluator=[1, 2]), 'evaluator must be one of chainer.training.extensions, such as .*, not list'),
        (dict(optimizer='main'), 'optimizer must be one of chainer.optimizers, not str'),
        (dict(loss=5), "loss must be a name, such as 'main/loss', not 5"),
        (dict(accuracy=5), "accuracy must be a name, such as 'main/accuracy', not 5"),
        (dict(observer=None), "observer must be a name, such as 'main', not None"),
        (dict(observer=''), "observer must be a name, such as 'main', not ''"),
        (dict(loss=''), "loss must be a name, such as 'main/loss', not ''"),
        (dict(attr=''), "attr must be the name of an attribute of the optimizer, such as 'lr' or 'alpha', not ''"),
        (dict(optimizer=chainer.optimizers.SGD), 'optimizer must be one of chainer.optimizers, not the class SGD'),
        (dict(on_row=3), r'on_row must be a function to be called as on_row\(rate, loss\), not 3'),
        (dict(on_row=lambda rate: 0), r'on_row must be a function .* as on_row\(rate, loss\): too many positional arguments'),
        (dict(quiet='no'), "quiet must be True or False, not 'no'"),
        (dict(budget=True), 'budget must be a whole number from 100 to 10,000,000, not True'),
        (dict(length=('3', 'epoch')), r"length must be a number and its unit, .*, not \('3', 'epoch'\)"),
        (dict(value_range=('0', '1')), r"value_range must be two numbers, such as \(0.01, 0.1\), not \('0', '1'\)"),
        (dict(policy=None), "policy must be the name of one, such as 'triangular2', not None"),
        (dict(policy=lambda step, value_range, step_size: 0.1), 'policy must be the name of one, .*, not <function .*>'),
        (dict(policy='cosine:t_mult=0'), 't_mult must be 1 or more, not 0'),
    ],
)
def test_what_is_something_else_is_refused_before_any_update(named, message):
    given = updater(*blobs())
    with pytest.raises(ValueError, match=f'^{message}$'):
        lrfinder.find(given, **named)
    assert given.iteration == 0


def test_a_larger_budget_repeats_the_best_at_four_times_the_length():
    found = lrfinder.find(updater(*blobs()), budget=1600, quiet=True)
    lengths = found.trials['updates'].tolist()
    assert lengths == sorted(lengths) and set(lengths) == {84, 336}
    assert found.suggestion.updates <= 1600
    longest = found.trials[found.trials['updates'] == 336]
    assert longest['weight'].max() > 0.1 and (found.trials['weight'][found.trials['updates'] == 84] == 0).all()
    assert longest['rate'].min() / 3 < found.suggestion.value_range[1] < 3 * longest['rate'].max()


class LateBloomer(chainer.Chain):
    """Every answer is wrong until the sum of all rates is 1, and every rate above 0.01 diverges."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.progress = chainer.Parameter(np.zeros(1, np.float32))
            self.shaky = chainer.Parameter(np.ones(1, np.float32))

    def forward(self, x, t):
        loss = F.sum(3 - self.progress + 100 * self.shaky**2)
        chainer.report({'loss': loss, 'accuracy': float(self.progress.array[0] > 1)}, self)
        return loss


def test_what_learns_too_late_for_short_trials_gets_long_ones_before_it_is_refused():
    given = updater_of(LateBloomer())
    with pytest.raises(lrfinder.NoRangeError, match='a larger budget'):  # trials of 86 updates at 0.01 come to a sum of 0.5
        lrfinder.find(given, evaluator=evaluator(given, *blobs()), quiet=True)
    given = updater_of(LateBloomer())
    found = lrfinder.find(given, evaluator=evaluator(given, *blobs()), budget=1600, quiet=True)  # those of 336 come to 2
    assert 0.003 < found.suggestion.value_range[1] <= 0.011


def test_no_trial_is_longer_than_the_training():
    found = lrfinder.find(updater(*blobs()), length=(40, 'iteration'), quiet=True)
    assert set(found.trials['updates']) == {40}
    assert found.suggestion.length == 40


def test_whole_cycles_end_with_a_training_whose_epochs_end_within_a_batch():
    """Ten epochs of 100 examples in batches of 32 are 32 iterations: 31 and a fourth."""
    given = updater(*blobs(100), batchsize=32)
    found = lrfinder.find(given, length=(10, 'epoch'), budget=100, quiet=True).suggestion
    trainer = chainer.training.Trainer(given, (10, 'epoch'))
    trainer.extend(CLR(found.attr, found.value_range, found.step_size, found.policy))
    trainer.run()
    assert (given.iteration, 4 * found.step_size, found.length, found.iterations_per_epoch) == (32, 32, 32, 4)
    assert found.reasons['step_size'].startswith('2 whole cycles with half cycles of 2.56 epochs in 10 epochs')


@pytest.mark.parametrize('budget', [99, 0, '600', 1.5])
def test_a_budget_out_of_its_range_is_refused(budget):
    with pytest.raises(ValueError, match='budget must be'):
        lrfinder.find(updater(*blobs()), budget=budget)


@pytest.mark.parametrize('budget', [100, 250, 600])
def test_every_budget_gives_an_answer_and_is_kept(budget):
    suggestion = lrfinder.find(updater(*blobs()), budget=budget, quiet=True).suggestion
    assert suggestion.updates <= budget
    assert 0.001 < suggestion.value_range[1] < 3


def test_the_answer_says_what_was_tried_where_it_is_as_good_and_where_it_diverges():
    found = lrfinder.find(updater(*blobs(), optimizer=chainer.optimizers.SGD()), quiet=True)
    suggestion = found.suggestion
    assert found.trials.columns.tolist()[0] == 'rate' and len(found.trials) >= 3
    low, high = suggestion.band
    assert low <= suggestion.value_range[1] <= high
    assert suggestion.diverges is None or suggestion.diverges > suggestion.value_range[1]


@pytest.mark.parametrize('constant', [-100.0, -30.0, 30.0, 100.0])
def test_a_constant_in_the_loss_changes_no_answer(constant):
    class Shifted(L.Classifier):
        def forward(self, x, t):
            loss = super().forward(x, t) + constant
            chainer.report({'loss': loss}, self)
            return loss

    def answer(classifier):
        inputs, labels = blobs()
        this = updater(inputs, labels)
        this.get_optimizer('main').setup(classifier(this.get_optimizer('main').target.predictor))
        return lrfinder.find(this, quiet=True).suggestion.value_range

    assert answer(Shifted) == pytest.approx(answer(L.Classifier), rel=0.02)


@pytest.mark.parametrize('scale', [1e-4, 1e-2, 1e2, 1e4])
def test_the_scale_of_the_inputs_moves_the_answer_of_a_linear_model_by_its_square(scale):
    """To a step of the grid."""

    def answer(by):
        inputs = np.random.RandomState(1).normal(0, 1, (400, 8)).astype('f')
        targets = (inputs @ np.arange(8, dtype='f')[:, None] + 0.5).astype('f')
        linear = L.Linear(8, 1, nobias=True)
        this = updater((by * inputs).astype('f'), targets, network=linear, optimizer=chainer.optimizers.SGD())
        linear.W.array[...] /= by
        classifier = L.Classifier(linear, lossfun=F.mean_squared_error)
        classifier.compute_accuracy = False
        this.get_optimizer('main').setup(classifier)
        return by * by * lrfinder.find(this, quiet=True).suggestion.value_range[1]

    assert 1 / 2 < answer(scale) / answer(1.0) < 2


def test_a_class_in_place_of_an_updater_is_named():
    with pytest.raises(ValueError, match=r'^an updater is needed, such as .*, not the class StandardUpdater$'):
        lrfinder.find(chainer.training.StandardUpdater)


def test_a_length_in_epochs_needs_an_iterator_that_tells_them():
    given = updater(*blobs())
    given.get_iterator('main').__class__ = type('Untold', (chainer.iterators.SerialIterator,), {'epoch_detail': None})
    with pytest.raises(ValueError, match=r'^length is in epochs, but the iterator does not tell how long one is'):
        lrfinder.find(given, length=(30, 'epoch'))
    assert given.iteration == 0


@pytest.mark.parametrize(
    'policy, message',
    [
        ('wsd:cooldown_steps=1000', 'warmup_steps and cooldown_steps must fit into'),
        ('one_cycle:step_size_final=1000', 'step_size_final must be less than'),
    ],
)
def test_a_policy_that_does_not_fit_into_the_training_is_refused_before_the_trials(policy, message):
    rows = []
    with pytest.raises(ValueError, match=f'^{message}'):
        lrfinder.find(updater(*blobs()), policy=policy, length=(2, 'epoch'), on_row=lambda *row: rows.append(row))
    assert len(rows) <= 60  # those of the scan
