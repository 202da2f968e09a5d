"""The range test as an extension in Trainers of the user's own."""

import io
import json
import math
import random
import re

import clr  # noqa: F401  makes Chainer importable
from lrfinder import LRRangeTest
from lrfinder.analysis.ramp import rates

import chainer
import chainer.functions as F
import chainer.links as L
import matplotlib
import numpy as np
import pytest
from chainer import iterators, optimizers, serializers, training
from chainer.training import extensions, triggers

X = np.random.RandomState(0).randn(24, 3).astype(np.float32)
DATA = [(x, np.int32(x.sum() > 0)) for x in X]
EPOCH = 4  # updates


class Used:
    """An optimizer hook that notes the rate of each update."""

    name = 'used'

    def __init__(self, attr='lr'):
        self.attr, self.rates = attr, []

    def __call__(self, optimizer):
        self.rates.append(getattr(optimizer, self.attr))


def updater_of(optimizer=None, attr='lr', model=None, data=DATA):
    np.random.seed(0)
    optimizer = (optimizer or optimizers.MomentumSGD(0.7)).setup(model or L.Classifier(L.Linear(3, 2)))
    optimizer.add_hook(Used(attr))
    return training.StandardUpdater(iterators.SerialIterator(data, len(data) // EPOCH), optimizer)


def used(updater):
    return updater.get_optimizer('main')._hookable._pre_update_hooks['used'].rates


def run(tmp_path, test, *others, updater=None, stop=None):
    updater = updater or updater_of()
    trainer = training.Trainer(updater, stop, out=tmp_path)
    for extension in (test, *others):
        trainer.extend(extension)
    with np.errstate(all='ignore'):
        trainer.run()
    return trainer


def weights(trainer):
    return b''.join(param.array.tobytes() for _, param in sorted(trainer.updater.get_optimizer('main').target.namedparams()))


def bits(curve):
    return curve.to_numpy(float, copy=True).tobytes()


# ---- what it does


@pytest.mark.parametrize('ramp', ['linear', 'exponential'])
def test_the_rates_that_are_recorded_are_those_that_are_used(tmp_path, ramp):
    test = LRRangeTest('lr', (0.01, 0.5), 11, ramp)
    trainer = run(tmp_path, test)
    expected = rates((0.01, 0.5), 11, ramp).tolist()
    assert used(trainer.updater) == test.curve['lr'].tolist() == expected
    assert test.curve['iteration'].tolist() == list(range(1, 12))
    assert trainer.updater.iteration == 11
    assert test.stop_reason == 'the ramp has reached its end, 0.5'


def test_the_loss_and_the_accuracy_of_each_update_are_recorded(tmp_path):
    seen = []

    @training.make_extension()
    def note(trainer):
        seen.append([trainer.observation[f'main/{name}'].array.item() for name in ('loss', 'accuracy')])

    test = LRRangeTest('lr', (0, 1), 9)
    with chainer.using_config('keep_graph_on_report', True):  # then a loss is a variable
        run(tmp_path, test, note)
    assert test.curve[['main/loss', 'main/accuracy']].to_numpy().tolist() == seen
    assert test.curve[['validation/main/loss', 'validation/main/accuracy']].isna().all(axis=None)


def test_the_evaluator_is_recorded_where_it_runs(tmp_path):
    updater = updater_of()
    evaluator = extensions.Evaluator(iterators.SerialIterator(DATA, 8, repeat=False), updater.get_optimizer('main').target)
    log = extensions.LogReport(trigger=(1, 'iteration'))
    test = LRRangeTest('lr', (0, 1), 10)
    run(tmp_path, test, evaluator, log, updater=updater)
    validated = test.curve[test.curve['validation/main/loss'].notna()]
    assert validated['iteration'].tolist() == [4, 8]
    entries = [entry for entry in log.log if 'validation/main/loss' in entry]
    for name in ('validation/main/loss', 'validation/main/accuracy'):
        assert validated[name].tolist() == [entry[name] for entry in entries]


def test_for_adam_it_is_alpha(tmp_path):
    updater = updater_of(optimizers.Adam(), 'alpha')
    test = LRRangeTest('alpha', (0, 0.1), 5)
    run(tmp_path, test, updater=updater)
    assert used(updater) == test.curve['lr'].tolist() == rates((0, 0.1), 5).tolist()


def test_the_rates_are_plain_floats(tmp_path):
    # A GPU would compile each kernel anew for NumPy's.
    updater = updater_of()
    run(tmp_path, LRRangeTest('lr', (np.float32(0), np.float64(1)), np.int64(4)), updater=updater)
    assert {type(rate) for rate in used(updater)} == {float}


def test_it_tells_each_row(tmp_path):
    rows = []
    test = LRRangeTest('lr', (0, 1), 5, on_row=lambda rate, loss: rows.append((rate, loss)))
    run(tmp_path, test)
    assert rows == list(zip(test.curve['lr'], test.curve['main/loss']))


def test_the_curve_is_there_while_it_runs(tmp_path):
    lengths = []
    test = LRRangeTest('lr', (0, 1), 5)
    assert len(test.curve) == 0
    note = training.make_extension(priority=0)(lambda trainer: lengths.append((len(test.curve), test.stop_reason)))
    run(tmp_path, test, note)
    assert lengths == [(1, None), (2, None), (3, None), (4, None), (5, 'the ramp has reached its end, 1')]


# ---- when it stops


class Scripted(chainer.Chain):
    """Reports losses by a script."""

    def __init__(self, losses):
        super().__init__()
        self.losses = iter(losses)
        with self.init_scope():
            self.w = chainer.Parameter(np.zeros(1, np.float32))

    def forward(self, x, t):
        loss = F.sum(self.w) * 0 + next(self.losses)
        chainer.report({'loss': loss}, self)
        return loss


@pytest.mark.parametrize('bad, name', [(math.nan, 'nan'), (math.inf, 'inf'), (-math.inf, '-inf')])
def test_it_stops_at_a_loss_that_is_not_finite(tmp_path, bad, name):
    updater = updater_of(model=Scripted([2.0, 1.5, 1.0, bad, 1.0]))
    test = LRRangeTest('lr', (0, 1), 20)
    run(tmp_path, test, updater=updater, stop=(9, 'iteration'))
    assert updater.iteration == len(test.curve) == 4
    assert test.stop_reason == f'the loss is not finite ({name})'


def test_it_stops_where_the_loss_has_risen_for_long(tmp_path):
    updater = updater_of(model=Scripted([-2.0, -2.1, -2.2, -2.3, -2.4, -2.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]))
    test = LRRangeTest('lr', (0, 1), 20)
    run(tmp_path, test, updater=updater, stop=(15, 'iteration'))
    assert updater.iteration == len(test.curve) == 10
    assert test.stop_reason == 'the loss has risen from -2.4 to 3, by more than it had fallen before'


def test_it_stops_where_the_rate_is_too_high(tmp_path):
    updater = updater_of(model=L.Classifier(L.Linear(3, 1), lossfun=lambda y, t: F.sum(y**2), accfun=None))
    updater.get_optimizer('main').target.compute_accuracy = False
    test = LRRangeTest('lr', (0, 10), 1000)
    run(tmp_path, test, updater=updater)
    assert 10 < updater.iteration < 500
    assert re.match(r'the loss (has risen|is not finite)', test.stop_reason)


@pytest.mark.parametrize('stop', [(3, 'iteration'), (1, 'epoch')])
def test_the_users_own_stop_trigger_may_come_first(tmp_path, stop):
    test = LRRangeTest('lr', (0, 1), 50)
    trainer = run(tmp_path, test, stop=stop)
    assert trainer.updater.iteration == len(test.curve) == {'iteration': 3, 'epoch': EPOCH}[stop[1]]
    assert test.stop_reason is None


def test_early_stopping_stops_it_too(tmp_path):
    updater = updater_of(model=Scripted([1.0] * 20))
    stop = triggers.EarlyStoppingTrigger((1, 'iteration'), 'main/loss', patience=3, max_trigger=(9, 'iteration'))
    trainer = run(tmp_path, LRRangeTest('lr', (0, 1), 50), updater=updater, stop=stop)
    assert trainer.updater.iteration == 4


def test_in_the_middle_of_a_training_it_begins_there(tmp_path):
    updater = updater_of()
    for _ in range(5):
        updater.update()
    test = LRRangeTest('lr', (0, 1), 6)
    trainer = run(tmp_path, test, updater=updater)
    assert used(updater)[5:] == test.curve['lr'].tolist() == rates((0, 1), 6).tolist()
    assert trainer.stop_trigger.get_training_length() == (11, 'iteration')


# ---- beside other extensions


def company(updater, out):
    """The usual extensions, by name."""
    model = updater.get_optimizer('main').target
    return {
        'log': lambda: extensions.LogReport(trigger=(1, 'iteration')),
        'print': lambda: extensions.PrintReport(['iteration', 'lr', 'main/loss', 'validation/main/loss'], out=out),
        'plot': lambda: extensions.PlotReport(['main/loss'], 'iteration', trigger=(6, 'iteration'), filename='loss.png'),
        'bar': lambda: extensions.ProgressBar(update_interval=2),
        'snapshot': lambda: extensions.snapshot(filename='snapshot_{.updater.iteration}'),
        'evaluator': lambda: extensions.Evaluator(iterators.SerialIterator(DATA, 8, repeat=False), model),
        'observe': extensions.observe_lr,
        'test': lambda: LRRangeTest('lr', (0, 0.9), 10),
    }


NAMES = sorted(company(updater_of(), None))
ORDERS = [random.Random(seed).sample(NAMES, len(NAMES)) for seed in range(12)]
ORDERS += [['test', *(name for name in NAMES if name != 'test')], [*(name for name in NAMES if name != 'test'), 'test']]


@pytest.mark.filterwarnings('ignore::UserWarning')
@pytest.mark.parametrize('order', ORDERS, ids='-'.join)
def test_it_works_beside_others_in_any_order(tmp_path, capsys, order):
    backend = matplotlib.get_backend()
    matplotlib.use('Agg')
    updater, out = updater_of(), io.StringIO()
    trainer = training.Trainer(updater, (50, 'iteration'), out=tmp_path)
    made = {name: company(updater, out)[name]() for name in order}
    for name, extension in made.items():
        trainer.extend(extension, trigger={'snapshot': (5, 'iteration'), 'observe': (1, 'iteration')}.get(name))
    trainer.run()
    matplotlib.use(backend)

    expected = rates((0, 0.9), 10).tolist()
    curve = made['test'].curve
    log = made['log'].log
    assert used(updater) == curve['lr'].tolist() == [entry['lr'] for entry in log] == expected
    assert curve['main/loss'].tolist() == pytest.approx([entry['main/loss'] for entry in log], rel=1e-12)
    assert curve['validation/main/loss'].notna().tolist() == [row in (4, 8) for row in range(1, 11)]
    assert json.loads((tmp_path / 'log').read_text()) == log
    assert (tmp_path / 'loss.png').stat().st_size > 0
    assert {path.name for path in tmp_path.glob('snapshot_*')} == {'snapshot_5', 'snapshot_10'}
    assert len(out.getvalue().splitlines()) == 11 - (order.index('print') < order.index('log'))
    assert '100.00%' in capsys.readouterr().out  # of the ramp, not of the fifty iterations


@pytest.mark.parametrize(
    'stop, length',
    [((50, 'iteration'), 10), ((7, 'iteration'), 7), ((9, 'epoch'), 10), (None, 10), (triggers.TimeTrigger(1000), 10)],
)
def test_the_progress_bar_shows_the_share_of_the_ramp(tmp_path, capsys, stop, length):
    trainer = run(tmp_path, LRRangeTest('lr', (0, 1), 10), extensions.ProgressBar(update_interval=5), stop=stop)
    assert f'5 iter, 1 epoch / {length} iterations' in capsys.readouterr().out
    assert trainer.stop_trigger.get_training_length() == (length, 'iteration')


# ---- two optimizers


class Two(training.StandardUpdater):
    """Steps the second optimizer in every update, the first in every third."""

    def update_core(self):
        x, t = chainer.dataset.concat_examples(self.get_iterator('main').next())
        for name, every in ('first', 3), ('second', 1):
            optimizer = self.get_optimizer(name)
            if self.iteration % every == 0:
                optimizer.update(optimizer.target, x, t)


def two():
    np.random.seed(0)
    pair = {name: optimizers.SGD(0.5).setup(L.Classifier(L.Linear(3, 2))) for name in ('first', 'second')}
    for optimizer in pair.values():
        optimizer.add_hook(Used())
    return Two(iterators.SerialIterator(DATA, 6), pair), *pair.values()


def test_another_than_the_main_optimizer_can_be_moved(tmp_path):
    updater, first, second = two()
    test = LRRangeTest('lr', (0, 1), 6, optimizer=second, observer='second')
    run(tmp_path, test, updater=updater)
    assert second._hookable._pre_update_hooks['used'].rates == test.curve['lr'].tolist() == rates((0, 1), 6).tolist()
    assert first._hookable._pre_update_hooks['used'].rates == [0.5, 0.5]


def test_updates_that_do_not_step_it_are_no_rows(tmp_path):
    updater, first, _ = two()
    test = LRRangeTest('lr', (0, 1), 3, optimizer=first, observer='first')
    run(tmp_path, test, updater=updater)
    assert first._hookable._pre_update_hooks['used'].rates == test.curve['lr'].tolist() == [0, 0.5, 1]
    assert updater.iteration == 7


def test_an_optimizer_that_is_stepped_now_and_then_is_no_stranger(tmp_path):
    updater, first, _ = two()
    test = LRRangeTest('lr', (0, 0.1), 60, optimizer=first, observer='first')
    run(tmp_path, test, updater=updater)
    assert updater.iteration == 178
    assert test.stop_reason == 'the ramp has reached its end, 0.1'


@pytest.mark.parametrize('before', [False, True])
def test_a_row_is_at_the_iteration_at_which_it_was_recorded(tmp_path, before):
    trainer = training.Trainer(updater_of(), (60, 'iteration'), out=tmp_path)
    test = LRRangeTest('lr', (0, 1), 4)
    trainer.extend(test, trigger=(3, 'iteration'), call_before_training=before)
    trainer.run()
    assert test.curve['iteration'].tolist() == [3, 6, 9, 12]


def test_a_test_that_has_been_run_is_not_run_again(tmp_path):
    test = LRRangeTest('lr', (0, 1), 4)
    run(tmp_path, test)
    updater = updater_of()
    with pytest.raises(ValueError, match=r'^this LRRangeTest has been run before; make a new one for another training$'):
        run(tmp_path, test, updater=updater)
    assert updater.iteration == 0


def test_two_tests_at_once_end_with_the_first_to_be_done(tmp_path):
    updater, first, second = two()
    tests = [
        LRRangeTest('lr', (0, 1), n, optimizer=one, observer=name)
        for n, one, name in ((9, first, 'first'), (5, second, 'second'))
    ]
    run(tmp_path, *tests, updater=updater)
    assert [len(test.curve) for test in tests] == [2, 5]


# ---- what is refused


def refusal(tmp_path, capsys, test, updater=None):
    with pytest.raises(ValueError) as caught:
        run(tmp_path, test, updater=updater, stop=(500, 'iteration'))
    assert '\n' not in str(caught.value)
    return str(caught.value)


def test_what_lacks_a_loss_is_told_what_to_do(tmp_path, capsys):
    updater = updater_of()
    updater.loss_func = lambda x, t: F.sum(updater.get_optimizer('main').target.predictor(x))
    assert refusal(tmp_path, capsys, LRRangeTest('lr', (0, 1), 5), updater) == (
        "the update reported no 'main/loss' (it reported: nothing); "
        'wrap the model in chainer.links.Classifier, or call chainer.report in it'
    )


def test_what_reports_the_loss_by_another_name_is_told_so(tmp_path, capsys):
    updater, first, _ = two()
    assert refusal(tmp_path, capsys, LRRangeTest('lr', (0, 1), 5, optimizer=first), updater) == (
        "the update reported no 'main/loss' (it reported: first/accuracy, first/loss, second/accuracy, second/loss); "
        "say which is the loss: loss='first/loss' or loss='second/loss'"
    )


class Reports(chainer.Chain):
    def __init__(self, loss):
        super().__init__()
        self.loss = loss
        with self.init_scope():
            self.w = chainer.Parameter(np.zeros(1, np.float32))

    def forward(self, x, t):
        chainer.report({'loss': self.loss, 'accuracy': self.loss}, self)
        return F.sum(self.w)


@pytest.mark.parametrize('loss', [np.zeros(3), None, 'low', [1], 1j])
def test_a_loss_that_is_no_number_is_refused(tmp_path, capsys, loss):
    assert refusal(tmp_path, capsys, LRRangeTest('lr', (0, 1), 5), updater_of(model=Reports(loss))) == (
        "the update reported a 'main/loss' that is no number; report one, such as the mean over the batch"
    )


@pytest.mark.parametrize('loss', [2, 2.0, np.float16(2), np.full((1, 1), 2.0), chainer.Variable(np.array(2, np.float16))])
def test_numbers_of_any_kind_are_losses(tmp_path, loss):
    test = LRRangeTest('lr', (0, 1), 3)
    run(tmp_path, test, updater=updater_of(model=Reports(loss)))
    assert test.curve['main/loss'].tolist() == [2, 2, 2]


def test_a_loss_in_an_array_that_is_used_again_is_recorded_as_it_was(tmp_path):
    model = Reports(np.zeros(()))
    forward = model.forward

    def count(x, t):
        model.loss += 1
        return forward(x, t)

    model.forward = count
    test = LRRangeTest('lr', (0, 1), 3)
    run(tmp_path, test, updater=updater_of(model=model))
    assert test.curve['main/loss'].tolist() == [1, 2, 3]


def test_an_updater_without_a_main_optimizer_needs_one_named(tmp_path, capsys):
    updater, *_ = two()
    assert refusal(tmp_path, capsys, LRRangeTest('lr', (0, 1), 5), updater) == (
        "the updater has no optimizer 'main' (it has: 'first', 'second'); give the one to move as optimizer="
    )


def test_an_optimizer_that_nobody_steps_is_found_out(tmp_path, capsys):
    stranger = optimizers.SGD().setup(L.Linear(3, 2))
    assert refusal(tmp_path, capsys, LRRangeTest('lr', (0, 1), 5, optimizer=stranger)) == (
        '100 updates did not step the optimizer (SGD); give the one that the updater steps as optimizer='
    )


@pytest.mark.parametrize('attr, optimizer', [('lr', optimizers.Adam), ('rate', optimizers.SGD), ('alpha', optimizers.AdaDelta)])
def test_an_attribute_that_cannot_be_moved_is_refused_before_the_first_update(tmp_path, capsys, attr, optimizer):
    updater = updater_of(optimizer(), 't')
    message = refusal(tmp_path, capsys, LRRangeTest(attr, (0, 1), 5), updater)
    assert message.startswith(f'{optimizer.__name__} has no attribute {attr!r} that can be set')
    assert updater.iteration == 0
    with pytest.raises(ValueError, match=re.escape(message)):
        LRRangeTest(attr, (0, 1), 5, optimizer=optimizer().setup(L.Linear(3, 2)))


@pytest.mark.parametrize('options', [{'iterations': 1}, {'value_range': (1, 0)}, {'ramp': 'cubic'}, {'ramp': 'exponential'}])
def test_what_is_no_ramp_is_refused_at_once(options):
    with pytest.raises(ValueError):
        LRRangeTest(**{'attr': 'lr', 'value_range': (0, 1), 'iterations': 5, **options})


@pytest.mark.parametrize(
    'options, message',
    [
        ({'attr': ''}, 'attr must be the name of an attribute'),
        ({'loss': ''}, 'loss must be a name'),
        ({'value_range': {0: 1, 1: 2}}, 'value_range must be two numbers'),
        ({'on_row': 3}, r'on_row must be a function to be called as on_row\(rate, loss\), not 3'),
        ({'on_row': lambda: None}, r'on_row must be a function to be called as on_row\(rate, loss\): too many'),
    ],
)
def test_what_is_no_argument_of_its_kind_is_refused_at_once(options, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        LRRangeTest(**{'attr': 'lr', 'value_range': (0, 1), 'iterations': 5, **options})


# ---- snapshots


LOSSES = [2.0, 1.9, 1.5, 1.2, 1.0, 1.1, 1.0, math.nan, 0.8, 0.7]


@training.make_extension(priority=-200)
def reseed(trainer):
    # The generators are not in snapshots: without this, each run would draw orders of its own.
    np.random.seed(trainer.updater.iteration)


def resumable(folder, stop=None, autoload=False, losses=None, test=True, **options):
    updater = updater_of(model=losses and Scripted(losses))
    trainer = training.Trainer(updater, stop, out=folder)
    if not losses:
        validation = iterators.SerialIterator(DATA, 8, repeat=False)
        trainer.extend(extensions.Evaluator(validation, updater.get_optimizer('main').target))
    trainer.extend(extensions.LogReport(trigger=(2, 'iteration')))
    trainer.extend(extensions.snapshot(autoload=autoload, filename='at_{.updater.iteration}'), trigger=(1, 'iteration'))
    trainer.extend(reseed, name='reseed')
    test = LRRangeTest('lr', **{'value_range': (0.1, 0.9), 'iterations': 10, **options}) if test else None
    if test:
        trainer.extend(test)
    return trainer, test


def resumed_at(at, folder, **options):
    trainer, test = resumable(folder / 'again', **options)
    serializers.load_npz(folder / f'at_{at}', trainer)
    reseed(trainer)
    trainer.run()
    return trainer, test


@pytest.mark.parametrize('at', range(1, 11))
def test_it_goes_on_from_a_snapshot_to_the_same_end(tmp_path, at):
    undisturbed, test = resumable(tmp_path)
    undisturbed.run()
    again, resumed = resumed_at(at, tmp_path)
    assert bits(resumed.curve) == bits(test.curve)
    assert weights(again) == weights(undisturbed)
    assert resumed.stop_reason == test.stop_reason == 'the ramp has reached its end, 0.9'
    assert again.updater.iteration == 10
    assert used(again.updater) == test.curve['lr'].tolist()[at:]


@pytest.mark.parametrize('at', range(1, 9))
def test_it_breaks_at_the_same_row_after_a_snapshot(tmp_path, at):
    undisturbed, test = resumable(tmp_path, losses=LOSSES)
    undisturbed.run()
    again, resumed = resumed_at(at, tmp_path, losses=LOSSES[at:])
    assert bits(resumed.curve) == bits(test.curve)
    assert resumed.stop_reason == test.stop_reason == 'the loss is not finite (nan)'
    assert again.updater.iteration == undisturbed.updater.iteration == 8


def test_a_snapshot_that_loads_itself_is_as_good(tmp_path):
    interrupted, _ = resumable(tmp_path, stop=(4, 'iteration'))
    interrupted.run()
    again, test = resumable(tmp_path, autoload=True)
    again.run()
    assert used(again.updater) == test.curve['lr'].tolist()[4:] == rates((0.1, 0.9), 10).tolist()[4:]
    assert test.curve['lr'].tolist() == rates((0.1, 0.9), 10).tolist()
    assert test.stop_reason is not None


def test_the_optimizers_own_rate_plays_no_part_after_a_snapshot(tmp_path):
    trainer, _ = resumable(tmp_path, stop=(3, 'iteration'))
    trainer.run()
    again, test = resumable(tmp_path / 'again')
    again.updater.get_optimizer('main').lr = 1e9
    serializers.load_npz(tmp_path / 'at_3', again)
    again.run()
    assert used(again.updater) == test.curve['lr'].tolist()[3:]


@pytest.mark.parametrize('options', [{'iterations': 20}, {'value_range': (0.1, 1)}, {'ramp': 'exponential'}, {'iterations': 3}])
def test_a_snapshot_of_another_ramp_is_refused(tmp_path, options):
    trainer, _ = resumable(tmp_path, stop=(5, 'iteration'))
    trainer.run()
    again, _ = resumable(tmp_path / 'again', **options)
    message = (
        'the snapshot holds 5 rows of a range test with other rates; '
        'resume it with the value_range, iterations and ramp that it was begun with'
    )
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        serializers.load_npz(tmp_path / 'at_5', again)


def test_a_snapshot_of_a_training_without_the_test_begins_it(tmp_path):
    trainer, _ = resumable(tmp_path, stop=(3, 'iteration'), test=False)
    trainer.run()
    again, test = resumable(tmp_path / 'again')
    serializers.load_npz(tmp_path / 'at_3', again, strict=False)
    again.run()
    assert test.curve['lr'].tolist() == rates((0.1, 0.9), 10).tolist()
    assert again.updater.iteration == 13


def test_a_snapshot_in_hdf5_is_as_good(tmp_path):
    pytest.importorskip('h5py')
    trainer, _ = resumable(tmp_path, stop=(4, 'iteration'))
    trainer.run()
    serializers.save_hdf5(tmp_path / 'h5', trainer.get_extension('LRRangeTest'))
    test = LRRangeTest('lr', (0.1, 0.9), 10)
    serializers.load_hdf5(tmp_path / 'h5', test)
    assert bits(test.curve) == bits(trainer.get_extension('LRRangeTest').curve)
