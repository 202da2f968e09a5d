"""The benchmark's tasks, and what a training says of a range."""

import dataclasses
import math

import clr  # noqa: F401  makes Chainer importable

import numpy as np
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import oracle
from benchmarks.datasets import flipped, hastie, heavy_tailed, imbalanced, shipped, standardised
from benchmarks.measuring import losses
from benchmarks.networks import RowLSTM
from benchmarks.tasks import BY_NAME, TASKS, train, validate

QUICK = BY_NAME['iris-linear-adagrad']
ALL = pytest.mark.parametrize('task', TASKS, ids=lambda task: task.name)


def weights(setup):
    return np.concatenate([param.array.ravel() for _, param in sorted(setup.model.namedparams())])


def inputs(setup):
    return np.stack([x for x, _ in setup.validation[:100]])


def group(name):
    return [task for task in TASKS if task.group == name]


def optimizers_of(tasks):
    return {type(task.optimizer()).__name__ for task in tasks}


def test_half_of_the_tasks_at_most_may_be_tuned_on():
    assert (len(group('tune')), len(group('held')), len(group('fresh'))) == (28, 44, 8)
    assert len(TASKS) == len(BY_NAME)


def test_each_half_has_every_kind_of_optimizer():
    for half in (group('held'), group('tune')):
        assert optimizers_of(half) >= {'SGD', 'MomentumSGD', 'NesterovAG', 'Adam', 'RMSprop', 'AdaGrad'}
        assert {task.kind for task in half} == {'classification', 'regression'}


def test_the_fresh_tasks_have_losses_and_optimizers_that_the_others_lack():
    assert optimizers_of(group('fresh')) > {'SGD', 'MomentumSGD', 'NesterovAG', 'Adam', 'RMSprop', 'AdaGrad'}
    assert {task.kind for task in group('fresh')} == {'classification', 'margin', 'labels', 'regression', 'counts'}


@ALL
def test_a_task_builds_and_trains_a_step(task):
    setup = task.build(0)
    before = weights(setup)
    setattr(setup.optimizer, setup.attr, 1e-3)
    setup.updater.update()
    assert np.isfinite(weights(setup)).all()
    assert (weights(setup) != before).any()
    assert setup.attr == ('alpha' if optimizers_of([task]) <= {'AdaBound', 'Adam', 'AdamW', 'AMSGrad'} else 'lr')
    assert 300 <= 4 * task.half_cycle <= 400
    assert 16 <= task.batch <= 128
    assert len(setup.validation) >= 88


def test_a_task_with_clipped_gradients_takes_small_steps_only():
    setup = BY_NAME['digits-gru-clipped-sgd'].build(0)
    before = weights(setup)
    setup.optimizer.lr = 100.0
    setup.updater.update()
    clipped = np.linalg.norm(weights(setup) - before)
    assert 0 < clipped <= 100.0 * 1.0 + 1e-3
    setup = dataclasses.replace(BY_NAME['digits-gru-clipped-sgd'], clip=0.01).build(0)
    setup.optimizer.lr = 100.0
    setup.updater.update()
    assert np.linalg.norm(weights(setup) - before) == pytest.approx(1.0, rel=1e-3)


@ALL
def test_a_seed_decides_data_and_weights(task):
    one, same, other = task.build(1), task.build(1), task.build(2)
    assert (weights(one) == weights(same)).all()
    assert (weights(one) != weights(other)).any()
    assert (inputs(one) == inputs(same)).all()
    assert (inputs(one) != inputs(other)).any()


def test_a_training_is_repeated_exactly():
    first = train(QUICK, (0.1, 0.4), seed=3)
    assert train(QUICK, (0.1, 0.4), seed=3) == first
    assert first.error < 20
    assert not first.collapsed


def test_no_rate_leaves_the_network_untrained():
    outcome = train(BY_NAME['diabetes-raw-mlp-nesterov'], (0.0, 0.0), seed=0)
    assert outcome.error == 100
    assert outcome.collapsed


def test_a_network_that_diverges_has_collapsed():
    assert train(BY_NAME['teacher-mlp-sgd'], (1e3, 1e4), seed=0, half_cycles=1).collapsed


def test_the_first_update_has_the_lowest_rate_and_the_middle_one_the_highest(monkeypatch):
    rates = []
    setup = QUICK.build(0)
    setup.updater.update = lambda: rates.append(setup.optimizer.lr)
    monkeypatch.setattr(type(QUICK), 'build', lambda self, seed: setup)
    train(QUICK, (0.1, 0.4), seed=0, half_cycles=2)
    assert len(rates) == 150
    assert rates[0] == pytest.approx(0.1)
    assert rates[75] == pytest.approx(0.4)
    assert rates[149] == pytest.approx(0.104)


def test_a_network_with_nan_is_worth_the_best_constant():
    setup = QUICK.build(0)
    for param in setup.model.params():
        param.array[...] = math.nan
    labels = np.array([y for _, y in setup.validation])
    outcome = validate(setup, 'classification')
    assert outcome.error == pytest.approx(100 * (1 - max(np.mean(labels == label) for label in range(3))))
    assert outcome.collapsed


def test_flipped_labels_are_wrong_ones_and_leave_the_validation_set():
    clean = shipped(np.random.RandomState(0), 'digits', 1000)
    noisy = flipped(clean, 0.25, np.random.RandomState(1))
    assert np.mean(noisy.y != clean.y) == pytest.approx(0.25, abs=0.05)
    assert set(noisy.y) == set(range(10))
    assert (noisy.y_valid == clean.y_valid).all()


def test_imbalance_thins_the_upper_classes_only():
    full = shipped(np.random.RandomState(0), 'digits', 1000)
    counts = np.bincount(imbalanced(full, 0.1, np.random.RandomState(1)).y, minlength=10)
    assert (counts[:5] == np.bincount(full.y)[:5]).all()
    assert counts[5:].sum() < 0.2 * np.bincount(full.y)[5:].sum()


def test_heavy_tails_are_added_to_the_training_targets_alone():
    clean = shipped(np.random.RandomState(0), 'diabetes', 200)
    noisy = heavy_tailed(clean, 0.5, np.random.RandomState(1))
    noise = noisy.y - clean.y
    assert np.median(np.abs(noise)) == pytest.approx(0.5 * 0.816, abs=0.1)  # the third quartile of Student's t with two degrees
    assert np.abs(noise).max() > 10 * np.median(np.abs(noise))
    assert (noisy.y_valid == clean.y_valid).all()


def test_hastie_tells_whether_the_squares_are_many():
    data = hastie(np.random.RandomState(0))
    assert (data.y == ((data.x**2).sum(axis=1) > 9.34)).all()


def test_a_recurrent_network_reads_the_rows_in_their_order():
    np.random.seed(0)
    network, image = RowLSTM(4), np.random.rand(1, 1, 8, 8).astype('f')
    turned = image[:, :, ::-1].copy()
    assert not np.allclose(network(image).array, network(turned).array)
    assert network(image).shape == (1, 10)


def test_standardised_means_the_training_set():
    data = standardised(shipped(np.random.RandomState(0), 'diabetes', 200))
    np.testing.assert_allclose(data.x.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose([data.x.std(), data.y.std()], 1, rtol=1e-3)


def test_the_grid_has_16_ranges_over_the_decades_of_the_task():
    grid = oracle.grid(QUICK)
    assert len(grid) == 16
    assert (grid[0], grid[-1]) == pytest.approx((10**-2.5, 100), rel=1e-5)
    assert grid[8] / grid[7] == pytest.approx(10 ** (4.5 / 15), rel=1e-5)


def test_a_ramp_records_the_loss_of_every_update():
    found = losses(QUICK.name, [0.0, 0.0, 0.0], 0)
    assert len(found) == 3
    assert len(set(found)) == 3  # the network stays, the batches differ
    assert all(0 < loss < 10 for loss in found)
