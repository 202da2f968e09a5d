"""Training after `find` is bit-identical to training without it, whatever is trained, and however `find` ends."""

import functools
import io
import itertools
import logging
import multiprocessing
import random
import warnings

import lrfinder
from clr.attributes import rate_attribute
from lrfinder.engine.judge import EvaluatorJudge, judges_for
from lrfinder.engine.prefetch import await_rest
from lrfinder.engine.rate import Rate
from lrfinder.engine.runner import Runner
from lrfinder.engine.state import preserved
from lrfinder.engine.workers import Workers
from lrfinder.zoo.models import classifier, cnn, mlp, resnet

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pandas as pd
import pytest
from chainer import iterators, optimizer_hooks, optimizers, training
from chainer.link_hooks import SpectralNormalization
from chainer.serializers import DictionarySerializer
from chainer.training import extensions

IMAGES = np.random.RandomState(0).rand(40, 1, 8, 8).astype(np.float32)
LABELS = (IMAGES.sum(axis=(1, 2, 3)) > 32).astype(np.int32)
DATA = chainer.datasets.TupleDataset(IMAGES, LABELS)
BATCH = 16  # an epoch ends within the third batch: orders are drawn on the way


# ---- what is trained: each function makes an updater


def updater_of(model, optimizer=None, iterator=None, hooks=True, **options):
    optimizer = (optimizer or optimizers.MomentumSGD(0.05)).setup(model)
    if hooks:
        optimizer.add_hook(optimizer_hooks.WeightDecay(0.01))
        optimizer.add_hook(optimizer_hooks.GradientClipping(1.0))
    return training.StandardUpdater(iterator or iterators.SerialIterator(DATA, BATCH), optimizer, **options)


def with_dropout():
    layers = (L.Convolution2D(None, 4, 3), L.BatchNormalization(4), F.relu, functools.partial(F.dropout, ratio=0.3))
    return chainer.Sequential(*layers, L.Linear(None, 2))


def make(model, optimizer):
    models = {'mlp': lambda: mlp(2), 'cnn': lambda: chainer.Sequential(cnn(2)), 'dropout': with_dropout}
    models['resnet'] = lambda: resnet(2, 8)
    kinds = {'sgd': optimizers.SGD, 'momentum': optimizers.MomentumSGD, 'adam': optimizers.Adam}
    return lambda: updater_of(classifier(models[model]()), kinds[optimizer]())


def disabled_rule():
    model = classifier(chainer.Sequential(L.Linear(64, 8), F.relu, L.Linear(8, 2)))
    updater = updater_of(model, optimizers.Adam())
    model.predictor[0].W.update_rule.enabled = False
    model.predictor[2].b.update_rule.hyperparam.alpha = 0.1
    return updater


class StatefulHook:
    """Counts in attributes, an array, slots, a list and a dict."""

    name = 'stateful'
    __slots__ = ('calls', 'later', 'mean', 'seen')

    def __init__(self):
        self.calls = 0
        self.mean = np.zeros(2)
        self.seen = [{}]

    def __call__(self, optimizer):
        self.calls += 1
        self.later = self.calls  # a slot that was empty
        self.mean += self.calls
        self.seen[0][self.calls] = True
        self.seen.append(set())
        for param in optimizer.target.params():
            param.grad *= 1 / (1 + 0.01 * self.mean[0] + 0.01 * len(self.seen))


def stateful_hook():
    updater = updater_of(classifier(mlp(2)))
    updater.get_optimizer('main').add_hook(StatefulHook())
    return updater


def counting_function():
    calls, bins = 0, np.zeros(3)

    def hook(optimizer, history=[]):  # noqa: B006  the default is the state
        nonlocal calls
        calls += 1
        hook.total = getattr(hook, 'total', 0) + calls
        history.append(calls)
        bins[calls % 3] += 1
        for param in optimizer.target.params():
            param.grad *= 1 / (calls + hook.total + len(history) + bins[0])

    return hook


def closure_hook():
    updater = updater_of(classifier(mlp(2)))
    updater.get_optimizer('main').add_hook(counting_function())
    return updater


class Annealer:
    def __init__(self):
        self.temperature = 1.0

    def anneal(self, scale, optimizer):
        self.temperature *= 0.9
        for param in optimizer.target.params():
            param.grad *= scale * self.temperature


def bound_method_hook():
    updater = updater_of(classifier(mlp(2)))
    updater.get_optimizer('main').add_hook(functools.partial(Annealer().anneal, 0.5), name='anneal')
    return updater


class NoisyConverter:
    def __init__(self):
        self.random = random.Random(3)
        self.generator = np.random.default_rng(3)
        self.bits = np.random.PCG64(3)
        self.legacy = np.random.RandomState(3)

    def __call__(self, batch, device):
        x, t = chainer.dataset.concat_examples(batch, device)
        noise = self.random.random() + self.generator.random() + self.legacy.rand() + self.bits.random_raw() / 2**64
        return x + np.float32(random.random() + np.random.rand() + noise), t


def own_generators():
    return updater_of(classifier(mlp(2)), converter=NoisyConverter())


class Augmented(chainer.dataset.DatasetMixin):
    def __init__(self):
        self.random = np.random.RandomState(0)
        self.reads = 0

    def __len__(self):
        return len(DATA)

    def get_example(self, i):
        self.reads += 1
        x, t = DATA[i]
        return x + np.float32(self.random.rand() + 0.01 * self.reads), t


def augmented_data():
    return updater_of(classifier(mlp(2)), iterator=iterators.SerialIterator(Augmented(), BATCH))


def own_order_sampler():
    sampler = iterators.ShuffleOrderSampler(np.random.RandomState(5))
    return updater_of(classifier(mlp(2)), iterator=iterators.SerialIterator(DATA, BATCH, order_sampler=sampler))


def multithread():
    return updater_of(classifier(mlp(2)), iterator=iterators.MultithreadIterator(DATA, BATCH, n_threads=2))


def multiprocess():
    return updater_of(classifier(mlp(2)), iterator=iterators.MultiprocessIterator(DATA, BATCH, n_processes=1))


def multiprocess_ahead():
    iterator = iterators.MultiprocessIterator(DATA, BATCH, n_processes=1, n_prefetch=3, shared_mem=10_000)
    return updater_of(classifier(mlp(2)), iterator=iterator)


class GAN(training.StandardUpdater):
    """Steps a critic twice for each step of a generator, with data from a second iterator."""

    def update_core(self):
        x = chainer.dataset.concat_examples(self.get_iterator('main').next())[0].reshape(-1, 64)
        y = chainer.dataset.concat_examples(self.get_iterator('other').next())[0].reshape(-1, 64)
        generator, critic = (self.get_optimizer(name) for name in ('main', 'critic'))
        for _ in range(2):
            fake = generator.target(np.random.rand(len(x), 4).astype(np.float32))
            real_score = F.mean(critic.target(x) + 0.1 * critic.target(y))
            critic.update(lambda real=real_score, f=fake: F.mean(critic.target(f)) - real)
        loss = -F.mean(critic.target(generator.target(np.random.rand(len(x), 4).astype(np.float32))))
        generator.target.cleargrads()
        loss.backward()
        generator.update()
        chainer.report({'loss': loss}, generator.target)


def gan():
    pairs = {'main': optimizers.Adam(), 'critic': optimizers.RMSprop()}
    pairs['main'].setup(chainer.Sequential(L.Linear(None, 8), L.BatchNormalization(8), F.relu, L.Linear(None, 64)))
    pairs['critic'].setup(chainer.Sequential(L.Linear(None, 8), F.relu, L.Linear(None, 1)))
    sources = {'main': iterators.SerialIterator(DATA, BATCH), 'other': iterators.MultithreadIterator(DATA, BATCH)}
    return GAN(sources, pairs)


class Net(chainer.Chain):
    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.hidden, self.norm, self.out = L.Linear(None, 8), L.BatchNormalization(8), L.Linear(None, 2)

    def forward(self, x):
        return self.out(F.relu(self.norm(self.hidden(x))))


def parallel():
    optimizer = optimizers.MomentumSGD(0.05).setup(classifier(Net()))
    devices = {'main': '@numpy', 'second': '@numpy'}
    return training.updaters.ParallelUpdater(iterators.SerialIterator(DATA, BATCH), optimizer, devices=devices)


def half_precision():
    with chainer.using_config('dtype', np.float16):
        model = classifier(chainer.Sequential(L.Linear(None, 8), F.relu, L.Linear(None, 2)))
    optimizer = optimizers.MomentumSGD(0.05)
    optimizer.use_fp32_update()
    half = [(x.astype(np.float16), t) for x, t in DATA]
    updater = updater_of(model, optimizer, iterators.SerialIterator(half, BATCH))
    updater.get_optimizer('main').loss_scaling(interval=2, scale=2.0**10)
    return updater


class Recurrent(chainer.Chain):
    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.lstm, self.out = L.LSTM(None, 4), L.Linear(None, 2)

    def forward(self, x, t):
        loss = F.softmax_cross_entropy(self.out(self.lstm(x[:, 0, 0])), t)
        chainer.report({'loss': loss}, self)
        return loss


class TruncatedBackprop(training.StandardUpdater):
    """Keeps the state of the LSTM from update to update, and the graph over two of them."""

    def update_core(self):
        x, t = chainer.dataset.concat_examples(self.get_iterator('main').next())
        optimizer = self.get_optimizer('main')
        loss = optimizer.target(x, t)
        optimizer.target.cleargrads()
        loss.backward()
        if self.iteration % 2:
            loss.unchain_backward()
        optimizer.update()


def recurrent():
    return TruncatedBackprop(iterators.SerialIterator(DATA, BATCH), optimizers.SGD(0.1).setup(Recurrent()))


def spectral_normalization():
    model = classifier(chainer.Sequential(L.Linear(64, 8).add_hook(SpectralNormalization()), F.relu, L.Linear(None, 2)))
    return updater_of(model, optimizers.Adam())


class Streaming(chainer.dataset.Iterator):
    """Goes through the data by a generator, and makes a new one where it is told its position."""

    def __init__(self):
        self.epoch, self.is_new_epoch, self.position = 0, False, 0
        self.batches = self.stream(0)

    def stream(self, start):
        for self.position in itertools.count(start + 1):
            yield [DATA[(self.position * BATCH + i) % len(DATA)] for i in range(BATCH)]

    def __next__(self):
        return next(self.batches)

    def serialize(self, serializer):
        self.position = serializer('position', self.position)
        self.batches = self.stream(self.position)


def streaming():
    return updater_of(classifier(mlp(2)), iterator=Streaming())


class WithUnlabeled(training.StandardUpdater):
    """Has an iterator that Chainer knows nothing of."""

    def __init__(self, *args):
        super().__init__(*args)
        self.unlabeled = iterators.MultithreadIterator(DATA, 4)

    def update_core(self):
        super().update_core()
        self.get_optimizer('main').target.predictor[0].b.array += 0.01 * np.mean([x for x, _ in self.unlabeled.next()])


def hidden_iterator():
    model = classifier(chainer.Sequential(L.Linear(64, 8), F.relu, L.Linear(8, 2)))
    return WithUnlabeled(iterators.SerialIterator(DATA, BATCH), optimizers.SGD(0.1).setup(model))


class ManyStates:
    """A converter whose noise depends on what NumPy, Python and pandas keep outside of attributes."""

    def __init__(self):
        self.seeds = np.random.SeedSequence(1)
        self.numbers = itertools.count()
        self.tape = io.BytesIO(np.random.RandomState(0).rand(64).tobytes())
        self.shared = multiprocessing.Value('d', 0.0)
        self.table = pd.DataFrame({'seen': [0.0]})
        self.grown = np.zeros(1)
        self.kept = functools.lru_cache(maxsize=None)(lambda number: np.random.rand())

    def __call__(self, batch, device):
        x, t = chainer.dataset.concat_examples(batch, device)
        number = next(self.numbers)
        self.shared.value += 0.1
        self.table.loc[len(self.table)] = self.shared.value
        self.grown.resize(len(self.grown) + 1, refcheck=False)
        drawn = np.random.default_rng(self.seeds.spawn(1)[0]).random() + self.kept(number % 5)
        read = np.frombuffer(self.tape.read(8) or self.tape.getvalue()[:8])[0]
        return x + np.float32(drawn + read + self.table['seen'].mean() + 0.01 * (number + len(self.grown))), t


def many_states():
    return updater_of(classifier(mlp(2)), converter=ManyStates())


SETUPS = [
    *[
        pytest.param(make(*names), id='-'.join(names))
        for names in itertools.product(('mlp', 'dropout'), ('sgd', 'momentum', 'adam'))
    ],
    *[pytest.param(make(*names), id='-'.join(names)) for names in (('cnn', 'momentum'), ('resnet', 'adam'))],
    disabled_rule,
    stateful_hook,
    closure_hook,
    bound_method_hook,
    own_generators,
    augmented_data,
    own_order_sampler,
    multithread,
    multiprocess,
    multiprocess_ahead,
    gan,
    parallel,
    half_precision,
    recurrent,
    spectral_normalization,
    streaming,
    hidden_iterator,
    many_states,
]


# ---- what is compared


def state_of(updater):
    """All that a snapshot holds of an updater, all that it leaves out, and the random generators."""
    state = {'iteration': updater.iteration, 'random': (random.getstate(), repr(np.random.get_state()))}
    for name, iterator in updater._iterators.items():
        # Those that read ahead drop it when they are serialized.
        state['iterator:' + name] = {key: as_bits(value) for key, value in position(iterator).items()}
    for name, optimizer in updater.get_all_optimizers().items():
        saved = DictionarySerializer()
        optimizer.target.serialize(saved)
        state.update({f'{name}/{path}': as_bits(array) for path, array in saved.target.items()})
        state[name] = optimizer.t, optimizer.epoch, optimizer.hyperparam.get_dict(), optimizer._loss_scale
        for path, param in optimizer.target.namedparams():
            rule = param.update_rule
            kept = {key: as_bits(value) for key, value in (rule.state or {}).items()}
            state[name + path + ':rule'] = (
                as_bits(param.grad if param._grad_valid else None),
                rule.t,
                rule.enabled,
                rule.hyperparam.get_dict(),
                kept,
            )
    return state


def position(iterator):
    if isinstance(iterator, Streaming):
        return {'position': iterator.position}
    return {**iterator._state._asdict(), 'previous': iterator.previous_epoch_detail}


def as_bits(array):
    array = np.asarray(array)
    return str(array.dtype), array.shape, array.tobytes() if array.dtype != object else repr(array)


def settle(updater):
    """Lets what reads ahead come to rest, so that the random state is no race."""
    for iterator in updater._iterators.values():
        if hasattr(iterator, 'n_prefetch') or hasattr(iterator, 'n_threads'):
            await_rest(iterator)


def train(updater, updates):
    for _ in range(updates):
        updater.update()
    settle(updater)


def seed():
    random.seed(1)
    np.random.seed(1)


def find(updater, **options):
    try:
        return lrfinder.find(updater, **{'value_range': (0.0, 5.0), 'iterations': 12} | options)
    except lrfinder.NoRangeError as error:
        return error


def try_rates(updater, evaluator=None):
    """What `find` does to an updater, in a few updates: runs on all of the data, and on a part of it."""
    optimizer = updater.get_optimizer('main')
    with preserved(updater, evaluator) as undo:
        runner = Runner(updater, Rate(optimizer, rate_attribute(optimizer)), optimizer, undo, Workers())
        judge = None if evaluator is None else EvaluatorJudge(evaluator, Workers())
        curve = runner.run([0.0, 0.5, 1.0, 5.0, 1e3], judge, 2).curve
        runner.run([0.1, 1.0, 0.1], judges_for(updater, None, Workers())[0], 1)
        again = runner.run([0.0, 0.5, 1.0, 5.0, 1e3], judge, 2).curve
    assert as_bits(curve) == as_bits(again)


@pytest.mark.filterwarnings('ignore::DeprecationWarning', 'ignore::RuntimeWarning')
@pytest.mark.parametrize('before', [0, 3])
@pytest.mark.parametrize('setup', SETUPS)
def test_training_goes_on_as_if_no_rates_had_been_tried(setup, before):
    seed()
    undisturbed = setup()
    train(undisturbed, before + 4)
    expected = state_of(undisturbed)
    undisturbed.finalize()

    seed()
    updater = setup()
    train(updater, before)
    found = state_of(updater)
    try_rates(updater)
    assert state_of(updater) == found
    train(updater, 4)
    assert state_of(updater) == expected
    updater.finalize()


@pytest.mark.parametrize('setup', [make('dropout', 'adam'), stateful_hook])
def test_the_same_after_the_whole_of_find(setup):
    seed()
    undisturbed = setup()
    train(undisturbed, 5)

    seed()
    updater = setup()
    train(updater, 3)
    find(updater)
    train(updater, 2)
    assert state_of(updater) == state_of(undisturbed)


def test_the_comparison_sees_one_more_update():
    seed()
    updater = recurrent()
    train(updater, 1)
    before = state_of(updater)
    train(updater, 1)
    after = state_of(updater)
    assert {name for name in before if before[name] != after[name]} >= {'iteration', 'main', 'main/lstm/upward/W'}


# ---- however it ends


class Failing(chainer.Chain):
    """A model that draws, changes its own state and Chainer's configuration, and fails at a given call."""

    def __init__(self, failure, call):
        super().__init__()
        self.failure, self.call, self.calls = failure, call, 0
        with self.init_scope():
            self.net = L.Linear(None, 2)

    def forward(self, x, t):
        self.calls += 1
        chainer.config.train = False
        chainer.config.user_setting = self.calls
        chainer.global_config.dtype = np.dtype(np.float64)
        random.random()
        loss = F.softmax_cross_entropy(self.net(F.dropout(x)), t)
        chainer.report({'loss': loss}, self)
        if self.calls == self.call:
            raise self.failure
        return loss


@pytest.mark.parametrize('call', [1, 2, 9])
@pytest.mark.parametrize('failure', [RuntimeError('out of memory'), KeyboardInterrupt(), SystemExit(143), StopIteration()])
def test_it_changes_nothing_when_it_ends_by_an_exception(failure, call):
    seed()
    updater = updater_of(Failing(failure, call))
    found, config = state_of(updater), config_of_chainer()
    with pytest.raises((type(failure), ValueError, RuntimeError)):
        find(updater)
    assert config_of_chainer() == config
    assert state_of(updater) == found
    assert updater.get_optimizer('main').target.calls == 0
    assert updater.get_optimizer('main').target.net.W.array is None


def config_of_chainer():
    return dict(vars(chainer.global_config)), dict(vars(chainer.config._local))


def test_it_changes_nothing_when_there_is_no_range():
    seed()
    model = mlp(2)
    updater = updater_of(L.Classifier(model, lossfun=lambda y, t: 0 * F.sum(y)))
    train(updater, 2)
    found = state_of(updater)
    with pytest.raises(lrfinder.NoRangeError):
        lrfinder.find(updater, value_range=(0.0, 1.0), iterations=20)
    assert state_of(updater) == found


def test_it_changes_nothing_when_the_loss_explodes():
    seed()
    updater = updater_of(classifier(mlp(2)), hooks=False)
    found = state_of(updater)
    find(updater, value_range=(0.0, 1e30), iterations=8)
    assert state_of(updater) == found


def test_it_changes_nothing_when_the_model_reports_no_loss():
    updater = updater_of(classifier(mlp(2)), loss_func=lambda x, t: F.mean(x))
    found = state_of(updater)
    with pytest.raises(ValueError, match="the update reported no 'main/loss'"):
        find(updater)
    assert state_of(updater) == found


# ---- around the updater


@pytest.mark.parametrize('kind', [iterators.SerialIterator, iterators.MultithreadIterator, iterators.MultiprocessIterator])
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_an_evaluator_with_a_shuffling_iterator_is_left_alone(kind):
    def build():
        seed()
        updater = updater_of(classifier(mlp(2)))
        options = {} if kind is iterators.SerialIterator else {'n_threads' if 'thread' in kind.__name__ else 'n_processes': 1}
        validation = kind(DATA, 8, repeat=False, shuffle=True, **options)
        return updater, extensions.Evaluator(validation, updater.get_optimizer('main').target)

    updater, evaluator = build()
    evaluator()
    train(updater, 2)
    expected = evaluator(), state_of(updater)
    evaluator.get_iterator('main').finalize()

    updater, evaluator = build()
    evaluator()
    found = state_of(updater)
    try_rates(updater, evaluator)
    assert state_of(updater) == found
    train(updater, 2)
    assert (evaluator(), state_of(updater)) == expected
    evaluator.get_iterator('main').finalize()


def test_the_results_of_an_evaluator_stay_out_of_a_running_trainer():
    seed()
    updater = updater_of(classifier(mlp(2)))
    evaluator = extensions.Evaluator(iterators.SerialIterator(DATA, 8, repeat=False), updater.get_optimizer('main').target)
    observed = []

    def look(trainer):
        loss = trainer.observation['main/loss'].item()
        try_rates(updater, evaluator)
        observed.append((sorted(trainer.observation), loss == trainer.observation['main/loss'].item()))

    trainer = training.Trainer(updater, (3, 'iteration'))
    trainer.extend(look, name='look', trigger=(1, 'iteration'))
    trainer.run()
    assert observed == [(['main/accuracy', 'main/loss'], True)] * 3


def test_within_a_trainer_it_does_not_disturb_the_training():
    def run(extension):
        seed()
        updater = updater_of(classifier(with_dropout()))
        trainer = training.Trainer(updater, (5, 'iteration'))
        trainer.extend(extension, name='extension', trigger=(2, 'iteration'), call_before_training=True)
        trainer.run()
        return state_of(updater)

    assert run(lambda trainer: try_rates(trainer.updater)) == run(lambda trainer: None)


def test_no_global_state_is_left_changed():
    def state():
        return np.geterr(), list(warnings.filters), config_of_chainer(), np.random.get_bit_generator().state['state']['pos']

    updater = updater_of(classifier(mlp(2)))
    with np.errstate(over='raise', under='warn'), chainer.using_config('train', False), chainer.using_config('mine', 1):
        before = state()
        find(updater)
        assert state() == before


class Rows(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def test_what_is_logged_meanwhile_stays_logged():
    updater, rows = updater_of(classifier(mlp(2))), Rows()
    logger = updater.get_optimizer('main').target.logger = logging.Logger('training')
    logger.addHandler(rows)
    seen = []

    def on_row(rate, loss):
        seen.append(f'{rate} {loss}')
        logger.warning('%s %s', rate, loss)

    find(updater, on_row=on_row)
    assert len(seen) > 100
    assert rows.messages == seen


def test_found_again_it_is_the_same():
    updater = updater_of(classifier(mlp(2)))
    train(updater, 1)
    first, second = find(updater), find(updater)
    assert as_bits(first.curve) == as_bits(second.curve)
    assert first.suggestion == second.suggestion
