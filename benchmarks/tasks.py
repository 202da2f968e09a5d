"""The benchmark's tasks: small enough for two cores, different enough that no rule fits all by luck.

A task is one entry of `TASKS`: data, network, optimizer, batch size. The group 'tune' may be looked at when the
constants are chosen; 'held' chooses none, but was measured again and again while the algorithm was designed; 'fresh'
decided nothing, and was measured when both were done. `train` says what a range is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.datasets import (
    Array,
    Data,
    Random,
    chequered,
    circles,
    clusters,
    cubic,
    digits,
    documents,
    echoes,
    even_digits,
    flipped,
    folded,
    friedman,
    friedman2,
    friedman3,
    hastie,
    heavy_tailed,
    imbalanced,
    low_rank,
    mirrored_digits,
    moons,
    parity,
    proline,
    quantiles,
    ratings,
    redundant,
    rhythms,
    ripples,
    shifted_digits,
    shipped,
    sparse,
    spirals,
    standardised,
    summits,
    swiss_roll,
    teacher,
    unequal,
    valued_digits,
    votes,
    waves,
)
from benchmarks.networks import (
    Elman,
    Residual,
    RowGRU,
    RowLSTM,
    Words,
    conv,
    grouped_conv,
    mlp,
    normalised_conv,
    resnet,
    row_conv,
    valued_conv,
)
from clr.attributes import rate_attribute
from clr.policies import triangular

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer import optimizers
from chainer.optimizer_hooks import GradientClipping

AT_CHANCE = 0.95  # of the error of the best constant prediction: whoever ends above it has collapsed


@dataclass(frozen=True)
class Setup:
    """One run of a task, ready to train: `find(setup.updater)` or `train` take it from here."""

    updater: Any
    optimizer: Any
    model: Any
    validation: chainer.datasets.TupleDataset
    attr: str


@dataclass(frozen=True)
class Outcome:
    """How a training ended: `error` in percent points; `collapsed`, at chance: no better than the best constant prediction."""

    error: float
    collapsed: bool


@dataclass(frozen=True)
class Task:
    """A training problem.

    `half_cycle` is in updates; `decades` are the exponents between which the oracle
    looks for the best maximum; gradients are clipped to the norm `clip`.
    """

    name: str
    group: str
    data: Callable[[Random], Data]
    network: Callable[[], Any]
    optimizer: Callable[[], Any]
    batch: int
    half_cycle: int
    decades: tuple[float, float]
    kind: str = 'classification'
    clip: float | None = None

    def build(self, seed: int) -> Setup:
        """Draw data, weights and the order of the batches from `seed` (NumPy's global generator included)."""
        np.random.seed(seed)
        data = self.data(Random(seed))
        model = _target(self.network(), self.kind)
        optimizer = self.optimizer().setup(model)
        if self.clip is not None:
            optimizer.add_hook(GradientClipping(self.clip))
        iterator = chainer.iterators.SerialIterator(chainer.datasets.TupleDataset(data.x, data.y), self.batch)
        updater = chainer.training.updaters.StandardUpdater(iterator, optimizer, device=-1)
        validation = chainer.datasets.TupleDataset(data.x_valid, data.y_valid)
        return Setup(updater, optimizer, model, validation, rate_attribute(optimizer))


def _target(network: Any, kind: str) -> Any:
    if kind == 'classification':
        return L.Classifier(network)
    model = L.Classifier(network, lossfun=F.mean_squared_error)
    model.compute_accuracy = False
    return model


# What a range is worth


def train(task: Task, value_range: tuple[float, float], seed: int, half_cycles: int = 4, scale: int = 1) -> Outcome:
    """Train from scratch under CLR's `triangular` policy and return the validation error.

    Args:
        task: The task.
        value_range: Lowest and highest rate of the cycle.
        seed: Decides data, weights and batches.
        half_cycles: Length of the run; 4 are two whole cycles.
        scale: How many times longer a half cycle is than the task's own.

    Returns:
        Classification: wrong answers in percent. Regression: 100 times the mean squared error over the
        target's variance, at most 100. A network that diverged, so that its predictions are not finite, has collapsed: it
        counts as the best constant prediction.
    """
    setup = task.build(seed)
    step_size = task.half_cycle * scale
    with np.errstate(all='ignore'):
        for step in range(half_cycles * step_size):
            setattr(setup.optimizer, setup.attr, float(triangular(step, value_range, step_size)))
            setup.updater.update()
        return validate(setup, task.kind)


def validate(setup: Setup, kind: str) -> Outcome:
    """Measure the model on the validation set; see `train` for the unit."""
    x, y = chainer.dataset.concat_examples(setup.validation)
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        parts = np.array_split(x, 4)  # all at once is slower: it falls out of the cache
        prediction = np.concatenate([setup.model.predictor(part).array for part in parts])
    measure, chance = (_wrong, _wrong_at_best(y)) if kind == 'classification' else (_unexplained, 100.0)
    if not np.isfinite(prediction).all():
        return Outcome(chance, True)
    error = measure(prediction, y)
    return Outcome(error, error >= AT_CHANCE * chance)


def _wrong(prediction: Array, y: Array) -> float:
    return float(100 * np.mean(prediction.argmax(axis=1) != y))


def _wrong_at_best(y: Array) -> float:
    return float(100 * (1 - np.bincount(y).max() / len(y)))


def _unexplained(prediction: Array, y: Array) -> float:
    residual = np.mean((prediction.astype(np.float64) - y) ** 2)
    return float(min(100.0, 100 * residual / np.var(y, dtype=np.float64)))


# The tasks

# Where the best maximum may lie, for each kind of optimizer, in decades.
SGD, ADAPTIVE, ADAGRAD = (-3.5, 1.5), (-5.0, -0.5), (-4.0, 1.0)

# A task on six lines is read at a glance; on twelve it is not.
# fmt: off
TASKS = (
    Task(
        name='digits-mlp-momentum', group='tune',
        data=digits,
        network=lambda: mlp(64, 100, 10),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=80, decades=SGD,
    ),
    Task(
        name='digits-conv-adam', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=conv,
        optimizer=optimizers.Adam, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='digits-deep-sgd', group='tune',
        data=digits,
        network=lambda: mlp(64, *[64] * 7, 10),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='spirals-mlp-rmsprop', group='tune',
        data=spirals,
        network=lambda: mlp(2, 64, 64, 2),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='digits-raw-noise-linear-sgd', group='tune',
        data=lambda rng: flipped(digits(rng, scale=16.0), share=0.2, rng=rng),
        network=lambda: mlp(64, 10),
        optimizer=optimizers.SGD, batch=64, half_cycle=75, decades=(-4.0, 0.5),
    ),
    Task(
        name='wine-mlp-adagrad', group='tune',
        data=lambda rng: standardised(shipped(rng, 'wine', train=80)),
        network=lambda: mlp(13, 32, 32, 3),
        optimizer=optimizers.AdaGrad, batch=16, half_cycle=75, decades=ADAGRAD,
    ),
    Task(
        name='diabetes-mlp-adam', group='tune', kind='regression',
        data=lambda rng: standardised(shipped(rng, 'diabetes', train=220)),
        network=lambda: mlp(10, 32, 32, 1),
        optimizer=optimizers.Adam, batch=32, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='friedman-norm-momentum', group='tune', kind='regression',
        data=lambda rng: standardised(friedman(rng)),
        network=lambda: mlp(10, 64, 64, 1, norm=L.BatchNormalization),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits60-mlp-momentum', group='tune',
        data=lambda rng: digits(rng, train=60),
        network=lambda: mlp(64, 64, 64, 10),
        optimizer=optimizers.MomentumSGD, batch=20, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-noise-norm-nesterov', group='tune',
        data=lambda rng: flipped(digits(rng), share=0.25, rng=rng),
        network=lambda: mlp(64, 64, 64, 10, norm=L.BatchNormalization),
        optimizer=optimizers.NesterovAG, batch=128, half_cycle=80, decades=SGD,
    ),
    Task(
        name='clusters-imbalanced-dropout-adam', group='tune',
        data=lambda rng: imbalanced(clusters(rng, classes=6, distance=0.8), keep=0.15, rng=rng),
        network=lambda: mlp(20, 64, 64, 6, dropout=0.3),
        optimizer=optimizers.Adam, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='digits-resnet-momentum', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=resnet,
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-norm-sgd', group='held',
        data=digits,
        network=lambda: mlp(64, *[48] * 5, 10, norm=L.BatchNormalization),
        optimizer=optimizers.SGD, batch=64, half_cycle=80, decades=SGD,
    ),
    Task(
        name='digits-conv-dropout-nesterov', group='held',
        data=lambda rng: digits(rng, image=True),
        network=lambda: conv(dropout=0.4),
        optimizer=optimizers.NesterovAG, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='moons-deep-adam', group='held',
        data=moons,
        network=lambda: mlp(2, *[32] * 9, 2),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='teacher-mlp-sgd', group='held', kind='regression',
        data=teacher,
        network=lambda: mlp(10, 64, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='cancer-raw-mlp-adam', group='held',
        data=lambda rng: shipped(rng, 'breast_cancer', train=280),
        network=lambda: mlp(30, 32, 2),
        optimizer=optimizers.Adam, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='iris-linear-adagrad', group='held',
        data=lambda rng: shipped(rng, 'iris', train=60),
        network=lambda: mlp(4, 3),
        optimizer=optimizers.AdaGrad, batch=16, half_cycle=75, decades=(-2.5, 2.0),
    ),
    Task(
        name='unequal-linear-rmsprop', group='held', kind='regression',
        data=unequal,
        network=lambda: mlp(12, 1),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=100, decades=(-3.0, 1.5),
    ),
    Task(
        name='diabetes-raw-mlp-nesterov', group='held', kind='regression',
        data=lambda rng: shipped(rng, 'diabetes', train=220),
        network=lambda: mlp(10, 32, 1),
        optimizer=optimizers.NesterovAG, batch=16, half_cycle=80, decades=(-6.5, -1.5),
    ),
    Task(
        name='digits80-conv-adam', group='held',
        data=lambda rng: digits(rng, train=80, image=True),
        network=conv,
        optimizer=optimizers.Adam, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='clusters-noise-mlp-sgd', group='held',
        data=lambda rng: flipped(clusters(rng, classes=4, distance=0.8), share=0.3, rng=rng),
        network=lambda: mlp(20, 64, 4),
        optimizer=optimizers.SGD, batch=128, half_cycle=80, decades=SGD,
    ),
    Task(
        name='digits-imbalanced-mlp-momentum', group='held',
        data=lambda rng: imbalanced(digits(rng), keep=0.15, rng=rng),
        network=lambda: mlp(64, 64, 64, 10),
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits-resnet-sgd', group='held',
        data=lambda rng: digits(rng, image=True),
        network=resnet,
        optimizer=optimizers.SGD, batch=16, half_cycle=90, decades=SGD,
    ),
    Task(
        name='hastie-tanh-adamw', group='tune',
        data=hastie,
        network=lambda: mlp(10, 64, 64, 2, activation=F.tanh),
        optimizer=partial(optimizers.AdamW, weight_decay_rate=1e-3), batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='friedman2-layernorm-nesterov', group='tune', kind='regression',
        data=lambda rng: standardised(friedman2(rng)),
        network=lambda: mlp(4, 48, 48, 48, 1, norm=L.LayerNormalization),
        optimizer=optimizers.NesterovAG, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits-normconv-sgd', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=normalised_conv,
        optimizer=optimizers.SGD, batch=128, half_cycle=75, decades=SGD,
    ),
    Task(
        name='circles-deep-leaky-momentum', group='tune',
        data=circles,
        network=lambda: mlp(10, *[32] * 8, 2, activation=F.leaky_relu),
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='digits-lstm-amsgrad', group='tune',
        data=lambda rng: digits(rng, image=True),
        network=lambda: RowLSTM(units=48),
        optimizer=optimizers.AMSGrad, batch=32, half_cycle=80, decades=ADAPTIVE,
    ),
    Task(
        name='friedman3-outliers-mlp-sgd', group='tune', kind='regression',
        data=lambda rng: heavy_tailed(standardised(friedman3(rng)), scale=0.3, rng=rng),
        network=lambda: mlp(4, 64, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='cancer-raw-deep-rmsprop', group='tune',
        data=lambda rng: shipped(rng, 'breast_cancer', train=200),
        network=lambda: mlp(30, 64, 64, 64, 2),
        optimizer=optimizers.RMSprop, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='redundant-imbalanced-mlp-adagrad', group='tune',
        data=lambda rng: imbalanced(redundant(rng), keep=0.05, rng=rng),
        network=lambda: mlp(30, 64, 64, 4),
        optimizer=optimizers.AdaGrad, batch=64, half_cycle=90, decades=ADAGRAD,
    ),
    Task(
        name='quantiles-mlp-momentum', group='held',
        data=quantiles,
        network=lambda: mlp(10, 96, 48, 3),
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='swissroll-raw-mlp-adam', group='held', kind='regression',
        data=swiss_roll,
        network=lambda: mlp(3, 64, 64, 1),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='digits-gru-clipped-sgd', group='held',
        data=lambda rng: digits(rng, image=True),
        network=lambda: RowGRU(units=48),
        optimizer=optimizers.SGD, batch=32, half_cycle=90, decades=SGD, clip=1.0,
    ),
    Task(
        name='digits-groupnorm-adam', group='held',
        data=lambda rng: digits(rng, image=True),
        network=grouped_conv,
        optimizer=optimizers.Adam, batch=64, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='wine-raw-mlp-adam', group='held',
        data=lambda rng: shipped(rng, 'wine', train=90),
        network=lambda: mlp(13, 48, 3),
        optimizer=optimizers.Adam, batch=16, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='waves-deep-elu-nesterov', group='held', kind='regression',
        data=waves,
        network=lambda: mlp(2, *[32] * 5, 1, activation=F.elu),
        optimizer=optimizers.NesterovAG, batch=32, half_cycle=100, decades=SGD,
    ),
    Task(
        name='sparse-mlp-dropout-rmspropgraves', group='held', kind='regression',
        data=sparse,
        network=lambda: mlp(10, 64, 64, 1, dropout=0.2),
        optimizer=optimizers.RMSpropGraves, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='digits-noise-normconv-momentum', group='held',
        data=lambda rng: flipped(digits(rng, image=True), share=0.3, rng=rng),
        network=normalised_conv,
        optimizer=optimizers.MomentumSGD, batch=16, half_cycle=90, decades=SGD,
    ),
    Task(
        name='chequered-mlp-adamw', group='tune',
        data=chequered,
        network=lambda: mlp(2, 96, 96, 2),
        optimizer=partial(optimizers.AdamW, weight_decay_rate=1e-4), batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='values-conv-momentum', group='tune', kind='regression',
        data=valued_digits,
        network=valued_conv,
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='mirror-tanh-adam', group='tune', kind='regression',
        data=mirrored_digits,
        network=lambda: mlp(64, 32, 8, 32, 64, activation=F.tanh),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='documents-words-adagrad', group='tune',
        data=documents,
        network=lambda: Words(words=200, size=16, network=mlp(16, 32, 5)),
        optimizer=optimizers.AdaGrad, batch=32, half_cycle=90, decades=ADAGRAD,
    ),
    Task(
        name='rhythms-elman-rmsprop', group='tune',
        data=rhythms,
        network=lambda: Elman(features=1, units=48, outputs=4),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='cubic-mlp-sgd', group='tune', kind='regression',
        data=cubic,
        network=lambda: mlp(5, 64, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=(-5.5, -0.5),
    ),
    Task(
        name='cancer-residual-nesterov', group='tune',
        data=lambda rng: standardised(shipped(rng, 'breast_cancer', train=280)),
        network=lambda: Residual(features=30, width=32, depth=5, outputs=2),
        optimizer=optimizers.NesterovAG, batch=32, half_cycle=75, decades=SGD,
    ),
    Task(
        name='folded-mlp-adabound', group='tune',
        data=folded,
        network=lambda: mlp(3, 48, 48, 4),
        optimizer=optimizers.AdaBound, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='even-softplus-sgd', group='held',
        data=even_digits,
        network=lambda: mlp(64, 64, 64, 2, activation=F.softplus),
        optimizer=optimizers.SGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='digits-rowconv-momentum', group='held',
        data=lambda rng: digits(rng, image=True),
        network=row_conv,
        optimizer=optimizers.MomentumSGD, batch=64, half_cycle=80, decades=SGD,
    ),
    Task(
        name='lowrank-mlp-adam', group='held', kind='regression',
        data=low_rank,
        network=lambda: mlp(40, 64, 1),
        optimizer=optimizers.Adam, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='clusters-many-noise-wide-nesterov', group='held',
        data=lambda rng: flipped(clusters(rng, classes=10, distance=1.2), share=0.2, rng=rng),
        network=lambda: mlp(20, 192, 10),
        optimizer=optimizers.NesterovAG, batch=16, half_cycle=100, decades=SGD,
    ),
    Task(
        name='ratings-words-adam', group='held', kind='regression',
        data=ratings,
        network=lambda: Words(words=70, size=8, network=mlp(16, 48, 48, 1), mean=False),
        optimizer=optimizers.Adam, batch=64, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='echoes-elman-clipped-rmsprop', group='held', kind='regression',
        data=echoes,
        network=lambda: Elman(features=1, units=32, outputs=1),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=90, decades=ADAPTIVE, clip=1.0,
    ),
    Task(
        name='proline-mlp-momentum', group='held', kind='regression',
        data=proline,
        network=lambda: mlp(12, 32, 32, 1),
        optimizer=optimizers.MomentumSGD, batch=16, half_cycle=75, decades=SGD,
    ),
    Task(
        name='quantiles-residual-smorms3', group='held',
        data=lambda rng: quantiles(rng, classes=4, features=6),
        network=lambda: Residual(features=6, width=48, depth=3, outputs=4),
        optimizer=optimizers.SMORMS3, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='cancer-norm-adam', group='held',
        data=lambda rng: standardised(shipped(rng, 'breast_cancer', train=300)),
        network=lambda: mlp(30, 48, 48, 2, norm=L.BatchNormalization),
        optimizer=optimizers.Adam, batch=32, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='digits-wide-adagrad', group='held',
        data=digits,
        network=lambda: mlp(64, 200, 10),
        optimizer=optimizers.AdaGrad, batch=128, half_cycle=80, decades=ADAGRAD,
    ),
    Task(
        name='diabetes-linear-sgd', group='held', kind='regression',
        data=lambda rng: standardised(shipped(rng, 'diabetes', train=220)),
        network=lambda: mlp(10, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-conv-rmsprop', group='held',
        data=lambda rng: digits(rng, image=True),
        network=conv,
        optimizer=optimizers.RMSprop, batch=64, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='friedman-tanh-sgd', group='held', kind='regression',
        data=lambda rng: standardised(friedman(rng)),
        network=lambda: mlp(10, 64, 64, 1, activation=F.tanh),
        optimizer=optimizers.SGD, batch=64, half_cycle=100, decades=SGD,
    ),
    Task(
        name='moons-noise-mlp-nesterov', group='held',
        data=lambda rng: flipped(moons(rng), share=0.15, rng=rng),
        network=lambda: mlp(2, 48, 48, 2),
        optimizer=optimizers.NesterovAG, batch=16, half_cycle=90, decades=SGD,
    ),
    Task(
        name='iris-mlp-momentum', group='held',
        data=lambda rng: shipped(rng, 'iris', train=60),
        network=lambda: mlp(4, 16, 3),
        optimizer=optimizers.MomentumSGD, batch=16, half_cycle=75, decades=SGD,
    ),
    Task(
        name='digits-raw-deep-norm-adam', group='held',
        data=lambda rng: digits(rng, scale=16.0),
        network=lambda: mlp(64, *[48] * 4, 10, norm=L.BatchNormalization),
        optimizer=optimizers.Adam, batch=128, half_cycle=80, decades=ADAPTIVE,
    ),
    Task(
        name='parity-mlp-adam', group='fresh',
        data=parity,
        network=lambda: mlp(8, 64, 64, 2),
        optimizer=optimizers.Adam, batch=32, half_cycle=100, decades=ADAPTIVE,
    ),
    Task(
        name='shifted-conv-momentum', group='fresh',
        data=shifted_digits,
        network=conv,
        optimizer=optimizers.MomentumSGD, batch=32, half_cycle=90, decades=SGD,
    ),
    Task(
        name='friedman-raw-mlp-sgd', group='fresh', kind='regression',
        data=friedman,
        network=lambda: mlp(10, 64, 1),
        optimizer=optimizers.SGD, batch=32, half_cycle=100, decades=(-5.5, -0.5),
    ),
    Task(
        name='votes-words-nesterov', group='fresh',
        data=votes,
        network=lambda: Words(words=60, size=12, network=mlp(12, 32, 3)),
        optimizer=optimizers.NesterovAG, batch=64, half_cycle=90, decades=SGD,
    ),
    Task(
        name='ripples-layernorm-adagrad', group='fresh', kind='regression',
        data=ripples,
        network=lambda: mlp(3, 64, 64, 1, norm=L.LayerNormalization),
        optimizer=optimizers.AdaGrad, batch=32, half_cycle=100, decades=ADAGRAD,
    ),
    Task(
        name='summits-elman-adam', group='fresh', kind='regression',
        data=summits,
        network=lambda: Elman(features=1, units=32, outputs=1),
        optimizer=optimizers.Adam, batch=32, half_cycle=90, decades=ADAPTIVE,
    ),
    Task(
        name='cancer-noise-dropout-rmsprop', group='fresh',
        data=lambda rng: flipped(standardised(shipped(rng, 'breast_cancer', train=300)), share=0.2, rng=rng),
        network=lambda: mlp(30, 64, 64, 2, dropout=0.3),
        optimizer=optimizers.RMSprop, batch=32, half_cycle=75, decades=ADAPTIVE,
    ),
    Task(
        name='clusters-classes-norm-sgd', group='fresh',
        data=lambda rng: clusters(rng, classes=20, distance=1.5),
        network=lambda: mlp(20, *[64] * 3, 20, norm=L.BatchNormalization),
        optimizer=optimizers.SGD, batch=64, half_cycle=90, decades=SGD,
    ),
)
# fmt: on

BY_NAME = {task.name: task for task in TASKS}
