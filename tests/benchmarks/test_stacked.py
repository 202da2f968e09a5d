"""Many trainings at once come to what each of them comes to by itself."""

import dataclasses

import clr  # noqa: F401  makes Chainer importable

import numpy as np
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import stacked
from benchmarks.stacked import train_together
from benchmarks.task import train_cycles
from benchmarks.tasks import BY_NAME, TASKS

RANGES = [(0.0005, 0.002), (0.005, 0.02), (0.05, 0.2)]


@pytest.mark.parametrize(
    'name',
    [
        'digits-mlp-momentum',
        'diabetes-mlp-adam',
        'calls-mlp-momentum',
        'tagged-mlp-msvag',
        'friedman-norm-momentum',  # normalised in batches
        'cancer-noise-dropout-rmsprop',  # draws at random between the batches
        'documents-words-adagrad',  # an embedding
        'shifted-conv-momentum',  # can't be stacked
        'echoes-elman-clipped-rmsprop',
    ],
)
def test_each_range_is_worth_what_it_is_worth_by_itself(name):
    together = train_together(BY_NAME[name], RANGES, 1, 'triangular2', 8, 4)
    alone = [train_cycles(BY_NAME[name], value_range, 1, 'triangular2', 8, 4) for value_range in RANGES]
    assert [outcome.error for outcome in together] == pytest.approx([outcome.error for outcome in alone], abs=0.01)
    assert [outcome.collapsed for outcome in together] == [outcome.collapsed for outcome in alone]
    assert len({outcome.error for outcome in together}) > 1


def test_a_training_that_diverges_leaves_the_others_alone():
    first, second = train_together(BY_NAME['teacher-mlp-sgd'], [(0.01, 0.04), (1e3, 1e4)], 0, 'triangular', 20, 2)
    assert first == train_together(BY_NAME['teacher-mlp-sgd'], [(0.01, 0.04)], 0, 'triangular', 20, 2)[0]
    assert first.error < 100
    assert second.collapsed


def test_copies_start_with_the_weights_of_the_network_and_give_them_back():
    network = BY_NAME['friedman-norm-momentum'].build(0).model.predictor
    before = [param.array.copy() for param in network.params()]
    stack = stacked.Stack(network, 3)
    for param in stack.params():
        param.array[1] += 1
    stack.copy_to(network, 1)
    assert all(np.allclose(param.array, old + 1) for param, old in zip(network.params(), before))
    stack.copy_to(network, 2)
    assert all((param.array == old).all() for param, old in zip(network.params(), before))


def test_most_tasks_are_stacked():
    networks = {task.name: task.network() for task in TASKS if task.kind != 'loss' and task.clip is None}
    can = {name for name, network in networks.items() if stacked._can_be_stacked(network)}
    assert len(can) > len(TASKS) / 2
    assert not can & {'digits-conv-adam', 'digits-lstm-amsgrad', 'ripples-layernorm-adagrad', 'ratings-words-adam'}


def test_on_the_way_each_training_stands_where_it_would_have_ended():
    task = BY_NAME['friedman-norm-momentum']
    rates = [lambda step: 0.01, lambda step: 0.1 / (1 + step)]
    halfway, end = zip(*stacked.courses(task, 0, rates, 20, checks=2))
    assert list(halfway) == [course[-1] for course in stacked.courses(task, 0, rates, 10)]
    assert list(end) == [course[-1] for course in stacked.courses(task, 0, rates, 20)]
    assert halfway != end


def test_clipped_gradients_are_not_stacked():
    clipped = dataclasses.replace(BY_NAME['teacher-mlp-sgd'], clip=0.1)
    together = train_together(clipped, RANGES, 0, 'triangular', 5, 2)
    assert together == [train_cycles(clipped, value_range, 0, 'triangular', 5, 2) for value_range in RANGES]
