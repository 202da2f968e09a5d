"""Tasks of other kinds: what they are trained by and judged by, weights that were trained before, a user's own iterator."""

import dataclasses
import math

import clr  # noqa: F401  makes Chainer importable

import numpy as np
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks.datasets import digits
from benchmarks.iterators import BalancedIterator
from benchmarks.judging import KINDS, deviance, unexplained, wrong, wrong_at_best, wrong_labels, wrong_labels_at_best
from benchmarks.structured import brackets, graphs, sentences
from benchmarks.structured_networks import Transformer
from benchmarks.task import train, validate
from benchmarks.tasks import BY_NAME

import chainer

RARE = BY_NAME['digits-balanced-mlp-momentum']
VAE = dataclasses.replace(BY_NAME['digits-vae-adam'], best=20.0)


def test_wrong_answers_are_counted_in_each_position():
    scores = np.array([[[2.0, 0.0], [1.0, 1.0]]])  # one example, two classes, two positions
    assert wrong(scores, np.array([[0, 0]])) == 50
    assert wrong_at_best(np.array([[0, 0], [1, 0]])) == 25


def test_labels_are_yes_or_no_and_the_best_constant_says_the_commoner_of_each():
    y = np.array([[1, 0], [1, 0], [0, 0], [1, 1]])
    assert wrong_labels(np.array([[3.0, -1], [0.5, 2], [-1, -1], [-4, 0.1]]), y) == 25
    assert wrong_labels_at_best(y) == 25


def test_unexplained_variance_is_100_for_the_mean_and_never_more():
    y = np.array([[1.0], [3.0]], np.float32)
    assert unexplained(np.full_like(y, 2), y) == 100
    assert unexplained(np.full_like(y, 9), y) == 100
    assert unexplained(np.array([[1.5], [2.5]]), y) == 25


def test_deviance_is_none_for_the_counts_and_100_for_their_mean():
    y = np.array([[1.0], [3.0]], np.float32)
    assert deviance(np.log(y), y) == pytest.approx(0, abs=1e-3)
    assert deviance(np.full_like(y, np.log(2)), y) == pytest.approx(100)
    assert deviance(np.full_like(y, 800.0), y) == 100
    assert deviance(np.array([[-50.0]]), np.array([[0.0], [2.0]])) == 100  # no count at all is no logarithm of 0


def test_poissons_loss_is_least_at_the_logarithm_of_the_mean():
    y = np.array([[1.0], [3.0]], np.float32)
    losses = {mean: float(KINDS['counts'].loss(np.full_like(y, np.log(mean)), y).array) for mean in (1.8, 2.0, 2.2)}
    assert losses[2.0] < min(losses[1.8], losses[2.2])


def test_a_loss_alone_is_judged_by_what_is_left_of_its_fall():
    setup = VAE.build(0)
    start, best = setup.fall
    assert best == 20
    assert 40 < start < 60
    assert validate(setup, 'loss').error == pytest.approx(100, abs=1)  # noise is drawn again
    assert validate(dataclasses.replace(setup, fall=(start + 30, start - 10)), 'loss').error == pytest.approx(25, abs=3)
    assert not train(VAE, (0.001, 0.004), seed=0).collapsed


def test_a_loss_that_is_no_number_has_collapsed():
    setup = VAE.build(0)
    for param in setup.model.params():
        param.array[...] = math.nan
    outcome = validate(setup, 'loss')
    assert (outcome.error, outcome.collapsed) == (100, True)


def test_a_training_whose_weights_are_no_numbers_is_given_up(monkeypatch):
    task = BY_NAME['teacher-mlp-sgd']
    setup, updates = task.build(0), []
    update = setup.updater.update
    monkeypatch.setattr(setup.updater, 'update', lambda: updates.append(update()))
    monkeypatch.setattr(type(task), 'build', lambda self, seed: setup)
    assert train(task, (1e3, 1e4), seed=0).collapsed
    assert len(updates) == 101


@pytest.mark.parametrize('name', ['upper-finetuned-conv-momentum', 'turned-finetuned-mlp-adam'])
def test_fine_tuning_begins_with_trained_weights_and_the_same_each_time(name):
    task = BY_NAME[name]
    untrained = dataclasses.replace(task, before=None).build(0)
    setups = [task.build(0) for _ in range(2)]
    first, same, other = ([param.array for _, param in sorted(setup.model.namedparams())] for setup in (*setups, untrained))
    assert all((one == two).all() for one, two in zip(first, same))
    assert (first[0] != other[0]).any()
    batches = [[x for x, _ in setup.updater.get_iterator('main').next()] for setup in setups]
    assert (np.array(batches[0]) == np.array(batches[1])).all()


def test_what_was_learned_before_helps_where_the_head_is_kept():
    data = digits(np.random.RandomState(0))
    setup = BY_NAME['turned-finetuned-mlp-adam'].build(0)
    with chainer.using_config('train', False):
        assert wrong(setup.model.predictor(data.x_valid).array, data.y_valid) < 10


def test_a_new_head_knows_nothing():
    task = BY_NAME['upper-finetuned-conv-momentum']
    trained, fresh = task.build(0).model.predictor, dataclasses.replace(task, before=None).build(0).model.predictor
    assert (trained[0].W.array != fresh[0].W.array).any()
    assert (trained[-1].W.array == fresh[-1].W.array).all()


def test_a_balanced_iterator_draws_rare_classes_as_often():
    np.random.seed(0)
    iterator = RARE.build(0).updater.get_iterator('main')
    assert type(iterator) is BalancedIterator
    counts = np.bincount([label for _ in range(100) for _, label in iterator.next()], minlength=10)
    assert counts.sum() == 3200
    assert 250 < counts.min() < counts.max() < 400


def test_a_balanced_iterator_counts_epochs_and_resumes():
    iterator = BalancedIterator([(0, 0), (1, 1), (2, 1)], 2)
    seen = [(iterator.epoch, iterator.is_new_epoch) for _ in range(3) if iterator.next()]
    assert seen == [(0, False), (1, True), (2, True)]
    assert iterator.epoch_detail == 2
    saved = chainer.serializers.DictionarySerializer()
    iterator.serialize(saved)
    resumed = BalancedIterator(iterator.dataset, 2)
    resumed.serialize(chainer.serializers.NpzDeserializer(saved.target))
    assert resumed.epoch_detail == 2


def test_a_causal_transformer_does_not_look_ahead():
    np.random.seed(0)
    network = Transformer(words=5, length=4, size=8, heads=2, blocks=2, outputs=3, causal=True)
    text = np.array([[0, 1, 2, 3]], np.int32)
    changed = np.array([[0, 1, 2, 4]], np.int32)
    scores, others = network(text).array, network(changed).array
    assert scores.shape == (1, 3, 4)
    np.testing.assert_allclose(scores[:, :, :3], others[:, :, :3], atol=1e-6)
    assert not np.allclose(scores[:, :, 3], others[:, :, 3])


def test_sentences_follow_the_text_by_one_character():
    data = sentences(np.random.RandomState(0))
    assert (data.x[:, 1:] == data.y[:, :-1]).all()


def test_brackets_match_where_the_label_says_so():
    data = brackets(np.random.RandomState(0))
    depth = np.cumsum(1 - 2 * data.x_valid, axis=1)
    assert (depth[:, -1] == 0).all()
    assert ((depth.min(axis=1) >= 0) == data.y_valid).all()
    assert 0.5 < data.y_valid.mean() < 0.9


def test_graphs_are_not_directed():
    data = graphs(np.random.RandomState(0))
    assert (data.x == data.x.transpose(0, 2, 1)).all()
    assert (data.x[:, range(12), range(12)] == 0).all()
