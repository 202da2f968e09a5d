"""Training with a range, at fixed rates, and on from a snapshot."""

import dataclasses
import inspect
import json
import math
import os

import clr  # noqa: F401
from clr import policies
from lrfinder._names import OPTIMIZER_NAMES
from lrfinder.analysis.cycles import plan, replanned
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.cli import snapshots, train
from lrfinder.cli.build import Builder
from lrfinder.cli.errors import UsageError
from lrfinder.cli.options import Options
from lrfinder.zoo.optimizers import make_optimizer

import chainer
import numpy as np
import pytest

# Dropout draws from NumPy's global generator at every update.
NETS = """
    import chainer
    import chainer.functions as F
    import chainer.links as L
    import random

    class Net(chainer.Chain):
        def __init__(self, n_classes):
            super().__init__()
            with self.init_scope():
                self.first = L.Linear(None, 10)
                self.norm = L.BatchNormalization(10)
                self.last = L.Linear(10, n_classes)

        def forward(self, x):
            h = F.dropout(F.relu(self.norm(self.first(x))), 0.2 + 0.1 * random.random())
            return self.last(h)

    def broken(n_classes):
        return chainer.Sequential(lambda x: x * float('nan'), L.Linear(None, n_classes))
"""


@pytest.fixture
def builder(user_module):
    user_module('nets', NETS)

    def make(**options):
        return Builder(Options(**{'model': 'nets:Net', 'batchsize': 256, **options}))

    return make


def course(folder, iterations, earlier=None, run_id='a'):
    return train.Course(folder, iterations, 6, run_id, earlier, quiet=True)


def weights(parts):
    return {name: param.array.copy() for name, param in parts.updater.get_optimizer('main').target.namedparams()}


def without_time(log):
    return [{name: value for name, value in entry.items() if name != 'elapsed_time'} for entry in log]


def suggestion(built, iterations=12, **changes):
    attr = 'alpha' if built.build(0).updater.get_optimizer('main').hyperparam.get_dict().get('lr') is None else 'lr'
    return Suggestion(attr, (0.001, 0.01), step_size=iterations // 2, **changes)


def test_the_rates_are_those_of_the_policy(builder, tmp_path):
    parts = builder().build(0)
    log = train.train_with_clr(parts, suggestion(builder(), 12), course(tmp_path / 'out', 24))

    assert [entry['iteration'] for entry in log] == [6, 12, 18, 24]
    assert [entry['epoch'] for entry in log] == [1, 2, 3, 4]
    assert [entry['lr'] for entry in log] == pytest.approx(
        [policies.triangular2(last, (0.001, 0.01), 6) for last in (5, 11, 17, 23)]
    )


def test_a_last_epoch_that_is_cut_short_is_logged_validated_and_saved_too(builder, tmp_path):
    log = train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 8))
    assert [entry['iteration'] for entry in log] == [6, 8]
    assert 'validation/main/accuracy' in log[-1]
    assert [path.name for path in tmp_path.glob('snapshot*')] == ['snapshot_iter_8']


def test_the_log_is_that_of_log_report(builder, tmp_path):
    log = train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 12))
    assert json.loads((tmp_path / 'log').read_text()) == log
    assert set(log[0]) == {
        'main/loss',
        'main/accuracy',
        'validation/main/loss',
        'validation/main/accuracy',
        'lr',
        'epoch',
        'iteration',
        'elapsed_time',
    }


def test_a_fixed_rate_is_fixed(builder, tmp_path):
    log = train.train_at(0.02, builder().build(0), 'lr', course(tmp_path, 12))
    assert [entry['lr'] for entry in log] == [0.02, 0.02]


def test_fixed_rates_start_with_the_weights_and_the_batches_of_clr(builder, tmp_path):
    chosen, built = suggestion(builder()), builder()
    fixed = train.train_at(0.01, built.build(3), 'lr', course(tmp_path / 'fixed', 1))
    cycled = train.train_with_clr(built.build(3), chosen, course(tmp_path / 'cycled', 1))
    assert fixed[0]['main/loss'] == cycled[0]['main/loss']
    assert fixed[0]['lr'] != cycled[0]['lr']


def test_fixed_rates_are_the_ends_of_the_range_and_its_middle():
    assert train.fixed_rates((0.1, 0.4)) == {'min': 0.1, 'middle': 0.2, 'max': 0.4}
    assert train.fixed_rates((0.0, 0.4)) == {'min': 0.0, 'middle': 0.2, 'max': 0.4}


def test_a_loss_that_is_not_finite_is_null_in_the_log(builder, tmp_path):
    log = train.train_at(0.1, builder(model='nets:broken').build(0), 'lr', course(tmp_path, 6))
    assert log[0]['main/loss'] is None
    assert 'NaN' not in (tmp_path / 'log').read_text()


@pytest.mark.parametrize(('name', 'stop'), [*((name, 6) for name in OPTIMIZER_NAMES), ('momentum_sgd', 12)])
def test_a_resumed_training_ends_as_an_undisturbed_one(builder, tmp_path, name, stop):
    built = builder(optimizer=name)
    chosen = suggestion(built, 18)
    undisturbed = built.build(0)
    log = train.train_with_clr(undisturbed, chosen, course(tmp_path / 'undisturbed', 18))

    train.train_with_clr(built.build(0), chosen, course(tmp_path / 'resumed', stop))
    np.random.seed(99)  # another process draws other numbers
    resumed = built.build(99)
    earlier = snapshots.newest_snapshot(tmp_path / 'resumed', 'a')
    resumed_log = train.train_with_clr(resumed, chosen, course(tmp_path / 'resumed', 18, earlier))

    assert without_time(resumed_log) == without_time(log)
    for name, array in weights(undisturbed).items():
        np.testing.assert_array_equal(weights(resumed)[name], array)


@pytest.mark.parametrize('stop', [6, 18])
@pytest.mark.parametrize('left', [None, '', '[{'])
def test_the_log_of_a_resumed_training_is_whole_again(builder, tmp_path, stop, left):
    """Its snapshot has it, whatever has become of the file, and whether there is anything left to train."""
    built = builder()
    chosen = suggestion(built, 18)
    train.train_with_clr(built.build(0), chosen, course(tmp_path, stop))
    (tmp_path / 'log').unlink()
    if left is not None:
        (tmp_path / 'log').write_text(left)
    log = train.train_with_clr(built.build(0), chosen, course(tmp_path, 18, snapshots.newest_snapshot(tmp_path, 'a')))
    assert json.loads((tmp_path / 'log').read_text()) == log
    assert [row['iteration'] for row in log] == [6, 12, 18]


def test_a_training_that_was_finished_is_not_begun_again(builder, tmp_path):
    log = train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 12))
    earlier = snapshots.newest_snapshot(tmp_path, 'a')
    parts = builder().build(5)
    again = train.train_with_clr(parts, suggestion(builder()), course(tmp_path, 12, earlier))
    assert again == log
    assert parts.updater.iteration == 12


def test_the_newest_snapshot_is_that_of_the_last_iteration_of_the_same_run(builder, tmp_path):
    train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 12, run_id='mine'))
    assert snapshots.newest_snapshot(tmp_path, 'mine') == tmp_path / 'snapshot_iter_12'
    assert snapshots.newest_snapshot(tmp_path, 'another') is None
    assert snapshots.newest_snapshot(tmp_path / 'nowhere', 'mine') is None


def test_a_snapshot_removes_the_one_before_by_its_name(builder, tmp_path):
    others = {'snapshot_iter_best', 'snapshot_iter_3', 'snapshot_iter_99'}
    for name in others:
        np.savez(tmp_path / 'x.npz', x=1)
        (tmp_path / 'x.npz').rename(tmp_path / name)
        os.utime(tmp_path / name, (2e9, 2e9))  # newer than whatever is written now
    train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 18))
    assert {path.name for path in tmp_path.glob('snapshot*')} == {*others, 'snapshot_iter_18'}


def test_a_snapshot_of_another_run_is_not_removed(builder, tmp_path):
    train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 6, run_id='another'))
    train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 12, run_id='mine'))
    # That of the same name was replaced by the first of mine, which made way for the second.
    assert snapshots.all_names(tmp_path) == ['snapshot_iter_12']
    train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path / 'b', 6, run_id='another'))
    (tmp_path / 'b' / 'snapshot_iter_6').rename(tmp_path / 'snapshot_iter_6')
    train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 15, tmp_path / 'snapshot_iter_12', 'mine'))
    assert snapshots.all_names(tmp_path) == ['snapshot_iter_6', 'snapshot_iter_15']


def test_a_run_that_goes_on_removes_what_it_had_written(builder, tmp_path):
    chosen = suggestion(builder(), 18)
    train.train_with_clr(builder().build(0), chosen, course(tmp_path, 6))
    older = (tmp_path / 'snapshot_iter_6').read_bytes()
    train.train_with_clr(builder().build(0), chosen, course(tmp_path, 12, tmp_path / 'snapshot_iter_6'))
    assert snapshots.all_names(tmp_path) == ['snapshot_iter_12']
    (tmp_path / 'snapshot_iter_6').write_bytes(older)  # as if the process had been killed before it was removed
    train.train_with_clr(builder().build(0), chosen, course(tmp_path, 18, tmp_path / 'snapshot_iter_12'))
    assert snapshots.all_names(tmp_path) == ['snapshot_iter_18']


def test_the_newest_is_that_of_the_last_iteration_whatever_the_clock_says(builder, tmp_path):
    chosen = suggestion(builder(), 18)
    train.train_with_clr(builder().build(0), chosen, course(tmp_path / 'a', 12))
    train.train_with_clr(builder().build(0), chosen, course(tmp_path / 'b', 6))
    newest = tmp_path / 'a' / 'snapshot_iter_12'
    os.utime(newest, (0, 0))
    (tmp_path / 'b' / 'snapshot_iter_6').rename(tmp_path / 'a' / 'snapshot_iter_6')
    assert snapshots.newest_snapshot(tmp_path / 'a', 'a') == newest


@pytest.mark.parametrize(
    ('changes', 'what'),
    [
        ({'value_range': (0.001, 0.02)}, 'value_range [0.001, 0.01], not [0.001, 0.02]'),
        ({'step_size': 7}, 'step_size 6, not 7'),
        ({'policy': 'triangular'}, 'policy triangular2, not triangular'),
        ({'attr': 'momentum'}, 'attr lr, not momentum'),
    ],
)
def test_a_training_does_not_go_on_with_other_cycles(builder, tmp_path, changes, what):
    chosen = suggestion(builder())
    train.train_with_clr(builder().build(0), chosen, course(tmp_path, 6))
    changed = dataclasses.replace(chosen, **changes)
    path = tmp_path / 'snapshot_iter_6'
    with pytest.raises(UsageError) as found:
        train.train_with_clr(builder().build(0), changed, course(tmp_path, 12, path))
    assert str(found.value) == f'--resume: {path} was trained with {what}; start a new run without --resume'


def test_a_training_at_a_fixed_rate_does_not_go_on_under_clr(builder, tmp_path):
    train.train_at(0.01, builder().build(0), 'lr', course(tmp_path, 6))
    with pytest.raises(UsageError, match=r'was trained with value_range None, not \[0\.001, 0\.01\]'):
        train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 12, tmp_path / 'snapshot_iter_6'))


def test_a_snapshot_of_another_model_does_not_fit(builder, tmp_path):
    train.train_with_clr(builder().build(0), suggestion(builder()), course(tmp_path, 6))
    other = builder(model='mlp')
    with pytest.raises(UsageError, match=r'^--resume: .*snapshot_iter_6 does not fit the model and its training \(KeyError'):
        train.train_with_clr(other.build(0), suggestion(other), course(tmp_path, 6, tmp_path / 'snapshot_iter_6'))


def test_a_damaged_snapshot_is_refused(tmp_path):
    path = tmp_path / 'snapshot_iter_6'
    path.write_bytes(b'PK\x03\x04 and so on')
    with pytest.raises(UsageError, match=r'^--resume: .*snapshot_iter_6 is not a snapshot, or is damaged'):
        snapshots.newest_snapshot(tmp_path, 'a')


def test_a_snapshot_is_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / 'sprung'), 'w'))

    np.savez(tmp_path / 'trap.npz', **{'extensions/Snapshots/origin': np.array(Trap(), dtype=object)})
    with pytest.raises(UsageError, match=r'trap\.npz is not a snapshot'):
        snapshots.origin_of(tmp_path / 'trap.npz')
    assert not (tmp_path / 'sprung').exists()


def test_the_optimizers_are_those_of_chainers_that_have_a_rate():
    def has_rate(optimizer):
        return {'lr', 'alpha'} & set(optimizer.hyperparam.get_dict())

    classes = {value for value in vars(chainer.optimizers).values() if inspect.isclass(value)}
    assert {type(make_optimizer(name)) for name in OPTIMIZER_NAMES} == {one for one in classes if has_rate(one())}


def test_an_optimizer_may_be_written_as_its_class():
    assert type(make_optimizer('MomentumSGD')).__name__ == 'MomentumSGD'
    assert type(make_optimizer('adam-w')).__name__ == 'AdamW'
    with pytest.raises(ValueError, match=r"^unknown optimizer 'adm': did you mean adam\?$"):
        make_optimizer('adm')


def test_the_plan_of_a_training_replaces_that_of_the_suggestion():
    found = Suggestion('lr', (0.01, 0.1), step_size=90, reasons={'min': 'a', 'max': 'b', 'step_size': 'c'})
    planned = replanned(found, plan(45, (30, 'epoch')), 'triangular')
    assert (planned.step_size, planned.policy, planned.value_range) == (225, 'triangular', (0.01, 0.1))
    assert planned.reasons == {'min': 'a', 'max': 'b', 'step_size': plan(45, (30, 'epoch')).reason}


def test_the_comparison_is_a_table_of_all_logs():
    logs = {
        'CLR': [{'epoch': 1, 'iteration': 6, 'lr': 0.1, 'main/loss': 0.5, 'elapsed_time': 1.0}],
        'fixed 0.2': [{'epoch': 1, 'iteration': 6, 'lr': 0.2, 'main/loss': None, 'elapsed_time': 1.0}],
    }
    table = train.comparison(logs)
    assert list(table.columns) == ['run', 'epoch', 'iteration', 'lr', 'main/loss']
    assert table['run'].tolist() == ['CLR', 'fixed 0.2']
    assert table['main/loss'][0] == 0.5 and math.isnan(table['main/loss'][1])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'dataset': 'digitz'}, r"^--dataset: unknown data 'digitz': did you mean digits\?$"),
        ({'batchsize': 1438}, r'^--batchsize 1438: the training data has 1437 examples$'),
        (
            {'device': '@nothing'},
            r'^--device @nothing: no such device \(ValueError: .*\); use -1 for the CPU, 0 for the first GPU$',
        ),
        ({'device': 'zero'}, r'^--device zero: no such device; use -1 for the CPU, 0 for the first GPU$'),
    ],
)
def test_what_can_not_be_built_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Builder(Options(**options))


@pytest.mark.skipif(chainer.backends.cuda.available, reason='there is a CuPy')
def test_a_gpu_without_cupy_names_what_to_install():
    with pytest.raises(UsageError, match=r"^--device 0: there is no CuPy here; pip install 'chainer-lrfinder\[cuda12\]'"):
        Builder(Options(device='0'))


def test_a_model_that_can_not_be_built_is_refused(builder):
    with pytest.raises(UsageError, match=r"^--model: unknown model 'resent': did you mean resnet\?$"):
        builder(model='resent').build(0)


def test_the_same_seed_builds_the_same(builder):
    def first_batch_and_weight(seed):
        parts = builder(model='mlp').build(seed)
        parts.updater.update()
        return parts.updater.get_optimizer('main').target.predictor[2].W.array.copy()

    np.testing.assert_array_equal(first_batch_and_weight(1), first_batch_and_weight(1))
    assert (first_batch_and_weight(1) != first_batch_and_weight(2)).any()
