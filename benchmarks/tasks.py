"""The benchmark's tasks: small enough for two cores, different enough that no rule fits all by luck.

A task is one entry of `TASKS`: data, network, optimizer, batch size. The group 'tune' may be looked at when the
constants are chosen; 'held' chooses none, but was measured again and again while the algorithm was designed; 'fresh'
decided nothing, and was measured when both were done. `train` says what a range is worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from clr.attributes import rate_attribute
from clr.policies import triangular

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer import optimizers
from chainer.optimizer_hooks import GradientClipping
from sklearn import datasets

Array = np.ndarray
Random = np.random.RandomState

AT_CHANCE = 0.95  # an error within a twentieth of the constant prediction's has learned nothing


@dataclass(frozen=True)
class Data:
    """Training and validation examples: float32 inputs, or int32 words; int32 classes, or float32 targets (n, outputs)."""

    x: Array
    y: Array
    x_valid: Array
    y_valid: Array


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
    """What a training came to: `error` in percent points, and whether it learned no more than a constant."""

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
        target's variance, at most 100. A run that ended non-finite counts as the best constant prediction.
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


# Data


@cache
def _shipped(name: str) -> tuple[Array, Array]:
    return getattr(datasets, f'load_{name}')(return_X_y=True)


def _split(x: Array, y: Array, train: int, rng: Random) -> Data:
    order = rng.permutation(len(x))
    x = np.asarray(x, np.float32)[order]
    y = y.astype(np.int32)[order] if y.dtype.kind == 'i' else y.astype(np.float32)[order].reshape(-1, 1)
    return Data(x[:train], y[:train], x[train:], y[train:])


def shipped(rng: Random, name: str, train: int) -> Data:
    """A data set of scikit-learn, features as they are: `train` examples to learn from, the rest validate."""
    return _split(*_shipped(name), train, rng)


def digits(rng: Random, train: int = 900, image: bool = False, scale: float = 1.0) -> Data:
    """The 1,797 digits, pixels in 0 to `scale`, flat or as (1, 8, 8)."""
    x, y = _shipped('digits')
    x = x * (scale / 16)
    return _split(x.reshape(-1, 1, 8, 8) if image else x, y, train, rng)


def spirals(rng: Random, turns: float = 1.5) -> Data:
    """Two interleaved spirals in the plane."""
    y = rng.randint(0, 2, 2000)
    radius = np.sqrt(rng.uniform(0.02, 1, 2000))
    angle = 2 * np.pi * turns * radius + np.pi * y
    x = 2 * np.c_[radius * np.cos(angle), radius * np.sin(angle)] + rng.normal(0, 0.08, (2000, 2))
    return _split(x, y, 1000, rng)


def moons(rng: Random) -> Data:
    """Two interleaved half circles."""
    return _split(*datasets.make_moons(2000, noise=0.15, random_state=rng), 1000, rng)


def clusters(rng: Random, classes: int, distance: float, features: int = 20) -> Data:
    """Two Gaussian clusters a class, so that no line separates the classes; `distance` spreads them."""
    centres = rng.normal(0, distance, (2 * classes, features))
    which = rng.randint(0, 2 * classes, 3000)
    return _split(centres[which] + rng.normal(0, 1, (3000, features)), which % classes, 1000, rng)


def friedman(rng: Random) -> Data:
    """Friedman's first regression: ten features in 0 to 1, five of them used."""
    return _split(*datasets.make_friedman1(2000, noise=0.5, random_state=rng), 1000, rng)


def teacher(rng: Random, features: int = 10, hidden: int = 6) -> Data:
    """What a small random network says, with a little noise."""
    x = rng.normal(0, 1, (2000, features))
    y = np.tanh(x @ rng.normal(0, 1, (features, hidden)) / 2) @ rng.normal(0, 1, hidden)
    return _split(x, y + rng.normal(0, 0.1, 2000), 1000, rng)


def friedman2(rng: Random) -> Data:
    """Friedman's second regression: four features whose scales span three decades."""
    return _split(*datasets.make_friedman2(2000, noise=40, random_state=rng), 1000, rng)


def friedman3(rng: Random) -> Data:
    """Friedman's third regression, an arc tangent, without noise."""
    return _split(*datasets.make_friedman3(2000, random_state=rng), 1000, rng)


def hastie(rng: Random) -> Data:
    """Whether the sum of the squares of ten normal features is above its median."""
    x, y = datasets.make_hastie_10_2(3000, random_state=rng)
    return _split(x, (y > 0).astype(int), 1000, rng)


def circles(rng: Random, features: int = 10) -> Data:
    """Two circles around each other in a plane that lies askew in a space of more features."""
    x, y = datasets.make_circles(3000, noise=0.1, factor=0.5, random_state=rng)
    x = np.c_[x, rng.normal(0, 0.3, (3000, features - 2))]
    return _split(x @ np.linalg.qr(rng.normal(0, 1, (features, features)))[0], y, 1000, rng)


def redundant(rng: Random, classes: int = 4) -> Data:
    """Clusters in 8 features, with 12 that repeat them and 10 that say nothing."""
    return _split(
        *datasets.make_classification(
            4000,
            30,
            n_informative=8,
            n_redundant=12,
            n_classes=classes,
            n_clusters_per_class=2,
            class_sep=1.5,
            random_state=rng,
        ),
        2000,
        rng,
    )


def quantiles(rng: Random, classes: int = 3, features: int = 10) -> Data:
    """Shells around each other: a normal point's class is how far it lies from the middle."""
    return _split(
        *datasets.make_gaussian_quantiles(n_samples=3000, n_features=features, n_classes=classes, random_state=rng), 1000, rng
    )


def swiss_roll(rng: Random) -> Data:
    """How far along a rolled-up sheet a point lies: coordinates in their tens, the target in standard units."""
    x, y = datasets.make_swiss_roll(2500, noise=0.3, random_state=rng)
    return _split(x, (y - y.mean()) / y.std(), 1000, rng)


def waves(rng: Random) -> Data:
    """Two waves that cross in the plane, in standard units."""
    x = rng.uniform(-1, 1, (2500, 2))
    y = np.sin(4 * x[:, 0]) * np.cos(3 * x[:, 1])
    return standardised(_split(x, y + rng.normal(0, 0.05, 2500), 1000, rng))


def sparse(rng: Random) -> Data:
    """A linear target of four among ten features, with noise, in standard units."""
    return standardised(_split(*datasets.make_sparse_uncorrelated(2000, 10, random_state=rng), 1000, rng))


def unequal(rng: Random, features: int = 12) -> Data:
    """A linear target of features whose scales span three decades."""
    x = rng.normal(0, 1, (2000, features))
    y = x @ rng.normal(0, 1, features) + rng.normal(0, 0.5, 2000)
    return _split(x * np.logspace(-1.5, 1.5, features), y, 1000, rng)


def chequered(rng: Random, squares: int = 4) -> Data:
    """The colour of a chequered board, a little blurred at the edges."""
    x = rng.uniform(0, squares, (3000, 2))
    y = (np.floor(x + rng.normal(0, 0.05, x.shape)).sum(axis=1) % 2).astype(int)
    return _split(x - squares / 2, y, 1500, rng)


def valued_digits(rng: Random) -> Data:
    """Which number a digit stands for, as a regression in standard units."""
    x, y = _shipped('digits')
    return standardised(_split(x.reshape(-1, 1, 8, 8), y.astype(float), 900, rng))


def mirrored_digits(rng: Random) -> Data:
    """The digits, which are to be said again: inputs and targets around the mean of each pixel."""
    data = digits(rng)
    mean = data.x.mean(axis=0)
    x, x_valid = data.x - mean, data.x_valid - mean
    return Data(x, x, x_valid, x_valid)


def documents(rng: Random, classes: int = 5, words: int = 200, length: int = 20) -> Data:
    """Texts of words, a class of which prefers some: shape (n, length) of word numbers."""
    likely = rng.dirichlet(np.full(words, 0.3), classes)
    y = rng.randint(0, classes, 2500)
    x = np.array([rng.choice(words, length, p=0.4 * likely[one] + 0.6 / words) for one in y])
    return _as_words(_split(x, y, 1000, rng))


def rhythms(rng: Random, classes: int = 4, length: int = 16) -> Data:
    """Sines of one frequency a class, of any phase, in noise: shape (n, length, 1)."""
    y = rng.randint(0, classes, 2500)
    phase = rng.uniform(0, 2 * np.pi, (2500, 1))
    x = np.sin(phase + np.arange(length) * (0.4 + 0.4 * y[:, None])) + rng.normal(0, 0.4, (2500, length))
    return _split(x[..., None], y, 1000, rng)


def cubic(rng: Random, features: int = 5) -> Data:
    """A polynomial of the third degree: a target that is in its tens."""
    x = rng.uniform(-1, 1, (2000, features))
    y = 30 * (x @ rng.normal(0, 1, features)) ** 3 + 20 * x[:, 0] * x[:, 1] + rng.normal(0, 2, 2000)
    return _split(x, y, 1000, rng)


def folded(rng: Random) -> Data:
    """On which of four parts of a sheet a point lies that is bent like an S."""
    x, along = datasets.make_s_curve(3000, noise=0.15, random_state=rng)
    return _split(x, np.digitize(along, [-2.4, 0.0, 2.4]), 1000, rng)


def even_digits(rng: Random) -> Data:
    """Whether a digit is even."""
    data = digits(rng)
    return replace(data, y=data.y % 2, y_valid=data.y_valid % 2)


def low_rank(rng: Random) -> Data:
    """A linear target of 40 features that lie near a space of six dimensions, in standard units."""
    x = datasets.make_low_rank_matrix(2000, 40, effective_rank=6, random_state=rng)
    y = x @ rng.normal(0, 1, 40)
    return standardised(_split(x, y + rng.normal(0, 0.2 * y.std(), 2000), 1000, rng))


def ratings(rng: Random, people: int = 40, things: int = 30) -> Data:
    """How much one of some people likes one of some things: the numbers of both, and a rating in about standard units."""
    x = np.c_[rng.randint(0, people, 4000), people + rng.randint(0, things, 4000)]
    tastes, traits = rng.normal(0, 1, (people, 3)), rng.normal(0, 1, (things, 3))
    y = (tastes[x[:, 0]] * traits[x[:, 1] - people]).sum(axis=1) / np.sqrt(3) + rng.normal(0, 0.2, 4000)
    return _as_words(_split(x, y, 2500, rng))


def echoes(rng: Random, length: int = 12) -> Data:
    """Noise of which a weighted sum is asked, the latest first, in standard units: inputs of shape (n, length, 1)."""
    x = rng.normal(0, 1, (2500, length))
    y = np.tanh(x @ 0.7 ** np.arange(length)[::-1])
    return _as_sequences(standardised(_split(x, y + rng.normal(0, 0.05, 2500), 1000, rng)))


def parity(rng: Random, features: int = 8) -> Data:
    """Whether an odd number of the first three features is negative."""
    x = rng.normal(0, 1, (3500, features))
    return _split(x, (x[:, :3] < 0).sum(axis=1) % 2, 1500, rng)


def shifted_digits(rng: Random) -> Data:
    """The digits, each moved by a pixel at most in both directions, around the edges."""
    data = digits(rng, image=True)
    x, x_valid = (
        np.stack([np.roll(one, rng.randint(-1, 2, 2), axis=(1, 2)) for one in images]) for images in (data.x, data.x_valid)
    )
    return replace(data, x=x, x_valid=x_valid)


def votes(rng: Random, words: int = 60, length: int = 15) -> Data:
    """Which third of all words a text takes most of its words from: shape (n, length) of word numbers."""
    x = rng.randint(0, words, (3000, length))
    third = x // (words // 3)
    counts = np.stack([(third == one).sum(axis=1) for one in range(3)], axis=1)
    return _as_words(_split(x, counts.argmax(axis=1), 1500, rng))


def ripples(rng: Random) -> Data:
    """Rings around the middle of a cube that fade outwards, in standard units."""
    x = rng.uniform(-1, 1, (2500, 3))
    distance = np.sqrt((x**2).sum(axis=1))
    return standardised(_split(x, np.cos(6 * distance) * np.exp(-distance) + rng.normal(0, 0.03, 2500), 1200, rng))


def summits(rng: Random, length: int = 10) -> Data:
    """The highest of some numbers, in standard units: inputs of shape (n, length, 1)."""
    x = rng.normal(0, 1, (2500, length))
    return _as_sequences(standardised(_split(x, x.max(axis=1), 1200, rng)))


def proline(rng: Random) -> Data:
    """How much proline a wine has, of what else it has."""
    x, _ = _shipped('wine')
    return standardised(_split(x[:, :-1], x[:, -1], 90, rng))


def _as_sequences(data: Data) -> Data:
    return replace(data, x=data.x[..., None], x_valid=data.x_valid[..., None])


def _as_words(data: Data) -> Data:
    return replace(data, x=data.x.astype(np.int32), x_valid=data.x_valid.astype(np.int32))


# What may be wrong with data


def standardised(data: Data) -> Data:
    """Features and, in regression, the target brought to mean 0 and deviation 1."""
    shift, scale = data.x.mean(axis=0), data.x.std(axis=0) + 1e-8
    data = replace(data, x=(data.x - shift) / scale, x_valid=(data.x_valid - shift) / scale)
    if data.y.dtype.kind == 'i':
        return data
    shift, scale = data.y.mean(), data.y.std()
    return replace(data, y=(data.y - shift) / scale, y_valid=(data.y_valid - shift) / scale)


def flipped(data: Data, share: float, rng: Random) -> Data:
    """A share of the training labels replaced by other classes."""
    classes = data.y.max() + 1
    wrong = rng.rand(len(data.y)) < share
    other = (data.y + rng.randint(1, classes, len(data.y))) % classes
    return replace(data, y=np.where(wrong, other, data.y).astype(np.int32))


def heavy_tailed(data: Data, scale: float, rng: Random) -> Data:
    """Training targets with Student's noise of two degrees of freedom, whose variance is infinite."""
    noise = scale * rng.standard_t(2, data.y.shape)
    return replace(data, y=(data.y + noise).astype(np.float32))


def imbalanced(data: Data, keep: float, rng: Random) -> Data:
    """Only a share of the training examples of the upper classes; the validation set stays as it is."""
    rare = data.y > data.y.max() // 2
    kept = ~rare | (rng.rand(len(data.y)) < keep)
    return replace(data, x=data.x[kept], y=data.y[kept])


# Networks


def mlp(*widths: int, norm: Any = None, dropout: float = 0.0, activation: Any = F.relu) -> chainer.Sequential:
    """Linear layers of the given widths, the input's first, with ReLU or another function between."""
    network = chainer.Sequential()
    for before, after in itertools.pairwise(widths[:-1]):
        network.append(L.Linear(before, after))
        if norm:
            network.append(norm(after))
        network.append(activation)
        if dropout:
            network.append(partial(F.dropout, ratio=dropout))
    network.append(L.Linear(*widths[-2:]))
    return network


def conv(dropout: float = 0.0) -> chainer.Sequential:
    """Two convolutions with pooling, then two linear layers, for 8 x 8 images."""
    return chainer.Sequential(
        L.Convolution2D(1, 8, 3, pad=1),
        F.relu,
        partial(F.max_pooling_2d, ksize=2),
        L.Convolution2D(8, 16, 3, pad=1),
        F.relu,
        partial(F.max_pooling_2d, ksize=2),
        L.Linear(64, 32),
        F.relu,
        partial(F.dropout, ratio=dropout),
        L.Linear(32, 10),
    )


def normalised_conv() -> chainer.Sequential:
    """Two normalised convolutions with strides, then a linear layer, for 8 x 8 images."""
    return chainer.Sequential(
        L.Convolution2D(1, 12, 3, stride=2, pad=1, nobias=True),
        L.BatchNormalization(12),
        F.relu,
        L.Convolution2D(12, 24, 3, stride=2, pad=1, nobias=True),
        L.BatchNormalization(24),
        F.relu,
        L.Linear(96, 10),
    )


def grouped_conv() -> chainer.Sequential:
    """Two convolutions, normalised in groups of channels, pooling, then a linear layer, for 8 x 8 images."""
    return chainer.Sequential(
        L.Convolution2D(1, 16, 3, pad=1),
        L.GroupNormalization(4, 16),
        F.relu,
        partial(F.max_pooling_2d, ksize=2),
        L.Convolution2D(16, 16, 3, pad=1),
        L.GroupNormalization(4, 16),
        F.relu,
        partial(F.average_pooling_2d, ksize=2),
        L.Linear(64, 10),
    )


class Gated(chainer.Chain):
    """A GRU that reads an 8 x 8 image row by row, and a linear layer at the end."""

    def __init__(self, units: int) -> None:
        super().__init__()
        with self.init_scope():
            self.gru = L.StatelessGRU(8, units)
            self.out = L.Linear(units, 10)

    def forward(self, x: Any) -> Any:
        state = self.xp.zeros((len(x), self.gru.U.out_size), np.float32)
        for row in range(8):
            state = self.gru(state, x[:, 0, row])
        return self.out(state)


class Recurrent(chainer.Chain):
    """An LSTM that reads an 8 x 8 image row by row, and a linear layer at the end."""

    def __init__(self, units: int) -> None:
        super().__init__()
        with self.init_scope():
            self.lstm = L.StatelessLSTM(8, units)
            self.out = L.Linear(units, 10)

    def forward(self, x: Any) -> Any:
        cell, state = None, None
        for row in range(8):
            cell, state = self.lstm(cell, state, x[:, 0, row])
        return self.out(state)


class Words(chainer.Chain):
    """A vector a word; the network reads their mean, or all of them."""

    def __init__(self, words: int, size: int, network: chainer.Sequential, mean: bool = True) -> None:
        super().__init__()
        self.mean = mean
        with self.init_scope():
            self.embed = L.EmbedID(words, size)
            self.network = network

    def forward(self, x: Any) -> Any:
        vectors = self.embed(x)
        return self.network(F.mean(vectors, axis=1) if self.mean else F.reshape(vectors, (len(x), -1)))


class Elman(chainer.Chain):
    """A plain recurrent layer that reads a sequence, and a linear layer at the end."""

    def __init__(self, features: int, units: int, outputs: int) -> None:
        super().__init__()
        with self.init_scope():
            self.come_in = L.Linear(features, units)
            self.go_on = L.Linear(units, units, nobias=True)
            self.out = L.Linear(units, outputs)

    def forward(self, x: Any) -> Any:
        state = F.tanh(self.come_in(x[:, 0]))
        for step in range(1, x.shape[1]):
            state = F.tanh(self.come_in(x[:, step]) + self.go_on(state))
        return self.out(state)


class Residual(chainer.Chain):
    """Linear layers beside the identity, without normalisation."""

    def __init__(self, features: int, width: int, depth: int, outputs: int) -> None:
        super().__init__()
        with self.init_scope():
            self.first = L.Linear(features, width)
            self.layers = chainer.ChainList(*[L.Linear(width, width) for _ in range(depth)])
            self.out = L.Linear(width, outputs)

    def forward(self, x: Any) -> Any:
        h = self.first(x)
        for layer in self.layers:
            h = h + F.relu(layer(h))
        return self.out(h)


def row_conv(outputs: int = 10) -> chainer.Sequential:
    """Convolutions over whole rows of an 8 x 8 image, then a linear layer."""
    return chainer.Sequential(
        L.Convolution2D(1, 24, (3, 8), pad=(1, 0)),
        F.relu,
        L.Convolution2D(24, 24, (3, 1), pad=(1, 0)),
        F.relu,
        L.Linear(192, outputs),
    )


def valued_conv() -> chainer.Sequential:
    """Two convolutions with pooling, then one output, for 8 x 8 images."""
    return chainer.Sequential(
        L.Convolution2D(1, 12, 3, pad=1),
        F.relu,
        partial(F.average_pooling_2d, ksize=2),
        L.Convolution2D(12, 24, 3, pad=1),
        F.relu,
        partial(F.max_pooling_2d, ksize=2),
        L.Linear(96, 1),
    )


class Block(chainer.Chain):
    """A residual block: two normalised convolutions beside the identity, or a 1 x 1 when it shrinks."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        with self.init_scope():
            self.conv1 = L.Convolution2D(channels, channels, 3, stride, 1, nobias=True)
            self.norm1 = L.BatchNormalization(channels)
            self.conv2 = L.Convolution2D(channels, channels, 3, 1, 1, nobias=True)
            self.norm2 = L.BatchNormalization(channels)
            if stride > 1:
                self.shortcut = L.Convolution2D(channels, channels, 1, stride, nobias=True)

    def forward(self, x: Any) -> Any:
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(h)) + (self.shortcut(x) if self.stride > 1 else x))


def resnet(channels: int = 16) -> chainer.Sequential:
    """A residual network of depth 8 for 8 x 8 images."""
    return chainer.Sequential(
        L.Convolution2D(1, channels, 3, pad=1, nobias=True),
        L.BatchNormalization(channels),
        F.relu,
        Block(channels, 1),
        Block(channels, 2),
        Block(channels, 2),
        partial(F.mean, axis=(2, 3)),
        L.Linear(channels, 10),
    )


# The tasks

SGD, ADAPTIVE, ADAGRAD = (-3.5, 1.5), (-5.0, -0.5), (-4.0, 1.0)

TASKS = (
    Task('digits-mlp-momentum', 'tune', digits, lambda: mlp(64, 100, 10), optimizers.MomentumSGD, 64, 80, SGD),
    Task('digits-conv-adam', 'tune', lambda rng: digits(rng, image=True), conv, optimizers.Adam, 32, 90, ADAPTIVE),
    Task('digits-deep-sgd', 'tune', digits, lambda: mlp(64, *[64] * 7, 10), optimizers.SGD, 32, 100, SGD),
    Task('spirals-mlp-rmsprop', 'tune', spirals, lambda: mlp(2, 64, 64, 2), optimizers.RMSprop, 32, 100, ADAPTIVE),
    Task(
        'digits-raw-noise-linear-sgd',
        'tune',
        lambda rng: flipped(digits(rng, scale=16.0), 0.2, rng),
        lambda: mlp(64, 10),
        optimizers.SGD,
        64,
        75,
        (-4.0, 0.5),
    ),
    Task(
        'wine-mlp-adagrad',
        'tune',
        lambda rng: standardised(shipped(rng, 'wine', 80)),
        lambda: mlp(13, 32, 32, 3),
        optimizers.AdaGrad,
        16,
        75,
        ADAGRAD,
    ),
    Task(
        'diabetes-mlp-adam',
        'tune',
        lambda rng: standardised(shipped(rng, 'diabetes', 220)),
        lambda: mlp(10, 32, 32, 1),
        optimizers.Adam,
        32,
        75,
        ADAPTIVE,
        'regression',
    ),
    Task(
        'friedman-norm-momentum',
        'tune',
        lambda rng: standardised(friedman(rng)),
        lambda: mlp(10, 64, 64, 1, norm=L.BatchNormalization),
        optimizers.MomentumSGD,
        64,
        90,
        SGD,
        'regression',
    ),
    Task(
        'digits60-mlp-momentum',
        'tune',
        lambda rng: digits(rng, train=60),
        lambda: mlp(64, 64, 64, 10),
        optimizers.MomentumSGD,
        20,
        75,
        SGD,
    ),
    Task(
        'digits-noise-norm-nesterov',
        'tune',
        lambda rng: flipped(digits(rng), 0.25, rng),
        lambda: mlp(64, 64, 64, 10, norm=L.BatchNormalization),
        optimizers.NesterovAG,
        128,
        80,
        SGD,
    ),
    Task(
        'clusters-imbalanced-dropout-adam',
        'tune',
        lambda rng: imbalanced(clusters(rng, 6, 0.8), 0.15, rng),
        lambda: mlp(20, 64, 64, 6, dropout=0.3),
        optimizers.Adam,
        64,
        90,
        ADAPTIVE,
    ),
    Task('digits-resnet-momentum', 'tune', lambda rng: digits(rng, image=True), resnet, optimizers.MomentumSGD, 32, 75, SGD),
    Task(
        'digits-norm-sgd',
        'held',
        digits,
        lambda: mlp(64, *[48] * 5, 10, norm=L.BatchNormalization),
        optimizers.SGD,
        64,
        80,
        SGD,
    ),
    Task(
        'digits-conv-dropout-nesterov',
        'held',
        lambda rng: digits(rng, image=True),
        lambda: conv(dropout=0.4),
        optimizers.NesterovAG,
        64,
        90,
        SGD,
    ),
    Task('moons-deep-adam', 'held', moons, lambda: mlp(2, *[32] * 9, 2), optimizers.Adam, 32, 100, ADAPTIVE),
    Task('teacher-mlp-sgd', 'held', teacher, lambda: mlp(10, 64, 64, 1), optimizers.SGD, 32, 100, SGD, 'regression'),
    Task(
        'cancer-raw-mlp-adam',
        'held',
        lambda rng: shipped(rng, 'breast_cancer', 280),
        lambda: mlp(30, 32, 2),
        optimizers.Adam,
        16,
        75,
        ADAPTIVE,
    ),
    Task(
        'iris-linear-adagrad',
        'held',
        lambda rng: shipped(rng, 'iris', 60),
        lambda: mlp(4, 3),
        optimizers.AdaGrad,
        16,
        75,
        (-2.5, 2.0),
    ),
    Task('unequal-linear-rmsprop', 'held', unequal, lambda: mlp(12, 1), optimizers.RMSprop, 32, 100, (-3.0, 1.5), 'regression'),
    Task(
        'diabetes-raw-mlp-nesterov',
        'held',
        lambda rng: shipped(rng, 'diabetes', 220),
        lambda: mlp(10, 32, 1),
        optimizers.NesterovAG,
        16,
        80,
        (-6.5, -1.5),
        'regression',
    ),
    Task('digits80-conv-adam', 'held', lambda rng: digits(rng, train=80, image=True), conv, optimizers.Adam, 16, 75, ADAPTIVE),
    Task(
        'clusters-noise-mlp-sgd',
        'held',
        lambda rng: flipped(clusters(rng, 4, 0.8), 0.3, rng),
        lambda: mlp(20, 64, 4),
        optimizers.SGD,
        128,
        80,
        SGD,
    ),
    Task(
        'digits-imbalanced-mlp-momentum',
        'held',
        lambda rng: imbalanced(digits(rng), 0.15, rng),
        lambda: mlp(64, 64, 64, 10),
        optimizers.MomentumSGD,
        32,
        90,
        SGD,
    ),
    Task('digits-resnet-sgd', 'held', lambda rng: digits(rng, image=True), resnet, optimizers.SGD, 16, 90, SGD),
    Task(
        'hastie-tanh-adamw',
        'tune',
        hastie,
        lambda: mlp(10, 64, 64, 2, activation=F.tanh),
        partial(optimizers.AdamW, weight_decay_rate=1e-3),
        64,
        90,
        ADAPTIVE,
    ),
    Task(
        'friedman2-layernorm-nesterov',
        'tune',
        lambda rng: standardised(friedman2(rng)),
        lambda: mlp(4, 48, 48, 48, 1, norm=L.LayerNormalization),
        optimizers.NesterovAG,
        32,
        90,
        SGD,
        'regression',
    ),
    Task('digits-normconv-sgd', 'tune', lambda rng: digits(rng, image=True), normalised_conv, optimizers.SGD, 128, 75, SGD),
    Task(
        'circles-deep-leaky-momentum',
        'tune',
        circles,
        lambda: mlp(10, *[32] * 8, 2, activation=F.leaky_relu),
        optimizers.MomentumSGD,
        32,
        100,
        SGD,
    ),
    Task(
        'digits-lstm-amsgrad',
        'tune',
        lambda rng: digits(rng, image=True),
        lambda: Recurrent(48),
        optimizers.AMSGrad,
        32,
        80,
        ADAPTIVE,
    ),
    Task(
        'friedman3-outliers-mlp-sgd',
        'tune',
        lambda rng: heavy_tailed(standardised(friedman3(rng)), 0.3, rng),
        lambda: mlp(4, 64, 64, 1),
        optimizers.SGD,
        32,
        100,
        SGD,
        'regression',
    ),
    Task(
        'cancer-raw-deep-rmsprop',
        'tune',
        lambda rng: shipped(rng, 'breast_cancer', 200),
        lambda: mlp(30, 64, 64, 64, 2),
        optimizers.RMSprop,
        16,
        75,
        ADAPTIVE,
    ),
    Task(
        'redundant-imbalanced-mlp-adagrad',
        'tune',
        lambda rng: imbalanced(redundant(rng), 0.05, rng),
        lambda: mlp(30, 64, 64, 4),
        optimizers.AdaGrad,
        64,
        90,
        ADAGRAD,
    ),
    Task('quantiles-mlp-momentum', 'held', quantiles, lambda: mlp(10, 96, 48, 3), optimizers.MomentumSGD, 64, 90, SGD),
    Task(
        'swissroll-raw-mlp-adam',
        'held',
        swiss_roll,
        lambda: mlp(3, 64, 64, 1),
        optimizers.Adam,
        32,
        100,
        ADAPTIVE,
        'regression',
    ),
    Task(
        'digits-gru-clipped-sgd',
        'held',
        lambda rng: digits(rng, image=True),
        lambda: Gated(48),
        optimizers.SGD,
        32,
        90,
        SGD,
        clip=1.0,
    ),
    Task('digits-groupnorm-adam', 'held', lambda rng: digits(rng, image=True), grouped_conv, optimizers.Adam, 64, 75, ADAPTIVE),
    Task(
        'wine-raw-mlp-adam',
        'held',
        lambda rng: shipped(rng, 'wine', 90),
        lambda: mlp(13, 48, 3),
        optimizers.Adam,
        16,
        75,
        ADAPTIVE,
    ),
    Task(
        'waves-deep-elu-nesterov',
        'held',
        waves,
        lambda: mlp(2, *[32] * 5, 1, activation=F.elu),
        optimizers.NesterovAG,
        32,
        100,
        SGD,
        'regression',
    ),
    Task(
        'sparse-mlp-dropout-rmspropgraves',
        'held',
        sparse,
        lambda: mlp(10, 64, 64, 1, dropout=0.2),
        optimizers.RMSpropGraves,
        32,
        90,
        ADAPTIVE,
        'regression',
    ),
    Task(
        'digits-noise-normconv-momentum',
        'held',
        lambda rng: flipped(digits(rng, image=True), 0.3, rng),
        normalised_conv,
        optimizers.MomentumSGD,
        16,
        90,
        SGD,
    ),
    Task(
        'chequered-mlp-adamw',
        'tune',
        chequered,
        lambda: mlp(2, 96, 96, 2),
        partial(optimizers.AdamW, weight_decay_rate=1e-4),
        32,
        100,
        ADAPTIVE,
    ),
    Task('values-conv-momentum', 'tune', valued_digits, valued_conv, optimizers.MomentumSGD, 32, 90, SGD, 'regression'),
    Task(
        'mirror-tanh-adam',
        'tune',
        mirrored_digits,
        lambda: mlp(64, 32, 8, 32, 64, activation=F.tanh),
        optimizers.Adam,
        32,
        100,
        ADAPTIVE,
        'regression',
    ),
    Task(
        'documents-words-adagrad',
        'tune',
        documents,
        lambda: Words(200, 16, mlp(16, 32, 5)),
        optimizers.AdaGrad,
        32,
        90,
        ADAGRAD,
    ),
    Task('rhythms-elman-rmsprop', 'tune', rhythms, lambda: Elman(1, 48, 4), optimizers.RMSprop, 32, 90, ADAPTIVE),
    Task('cubic-mlp-sgd', 'tune', cubic, lambda: mlp(5, 64, 64, 1), optimizers.SGD, 32, 100, (-5.5, -0.5), 'regression'),
    Task(
        'cancer-residual-nesterov',
        'tune',
        lambda rng: standardised(shipped(rng, 'breast_cancer', 280)),
        lambda: Residual(30, 32, 5, 2),
        optimizers.NesterovAG,
        32,
        75,
        SGD,
    ),
    Task('folded-mlp-adabound', 'tune', folded, lambda: mlp(3, 48, 48, 4), optimizers.AdaBound, 64, 90, ADAPTIVE),
    Task(
        'even-softplus-sgd',
        'held',
        even_digits,
        lambda: mlp(64, 64, 64, 2, activation=F.softplus),
        optimizers.SGD,
        32,
        90,
        SGD,
    ),
    Task('digits-rowconv-momentum', 'held', lambda rng: digits(rng, image=True), row_conv, optimizers.MomentumSGD, 64, 80, SGD),
    Task('lowrank-mlp-adam', 'held', low_rank, lambda: mlp(40, 64, 1), optimizers.Adam, 64, 90, ADAPTIVE, 'regression'),
    Task(
        'clusters-many-noise-wide-nesterov',
        'held',
        lambda rng: flipped(clusters(rng, 10, 1.2), 0.2, rng),
        lambda: mlp(20, 192, 10),
        optimizers.NesterovAG,
        16,
        100,
        SGD,
    ),
    Task(
        'ratings-words-adam',
        'held',
        ratings,
        lambda: Words(70, 8, mlp(16, 48, 48, 1), mean=False),
        optimizers.Adam,
        64,
        100,
        ADAPTIVE,
        'regression',
    ),
    Task(
        'echoes-elman-clipped-rmsprop',
        'held',
        echoes,
        lambda: Elman(1, 32, 1),
        optimizers.RMSprop,
        32,
        90,
        ADAPTIVE,
        'regression',
        clip=1.0,
    ),
    Task(
        'proline-mlp-momentum',
        'held',
        proline,
        lambda: mlp(12, 32, 32, 1),
        optimizers.MomentumSGD,
        16,
        75,
        SGD,
        'regression',
    ),
    Task(
        'quantiles-residual-smorms3',
        'held',
        lambda rng: quantiles(rng, classes=4, features=6),
        lambda: Residual(6, 48, 3, 4),
        optimizers.SMORMS3,
        64,
        90,
        ADAPTIVE,
    ),
    Task(
        'cancer-norm-adam',
        'held',
        lambda rng: standardised(shipped(rng, 'breast_cancer', 300)),
        lambda: mlp(30, 48, 48, 2, norm=L.BatchNormalization),
        optimizers.Adam,
        32,
        75,
        ADAPTIVE,
    ),
    Task('digits-wide-adagrad', 'held', digits, lambda: mlp(64, 200, 10), optimizers.AdaGrad, 128, 80, ADAGRAD),
    Task(
        'diabetes-linear-sgd',
        'held',
        lambda rng: standardised(shipped(rng, 'diabetes', 220)),
        lambda: mlp(10, 1),
        optimizers.SGD,
        32,
        75,
        SGD,
        'regression',
    ),
    Task('digits-conv-rmsprop', 'held', lambda rng: digits(rng, image=True), conv, optimizers.RMSprop, 64, 90, ADAPTIVE),
    Task(
        'friedman-tanh-sgd',
        'held',
        lambda rng: standardised(friedman(rng)),
        lambda: mlp(10, 64, 64, 1, activation=F.tanh),
        optimizers.SGD,
        64,
        100,
        SGD,
        'regression',
    ),
    Task(
        'moons-noise-mlp-nesterov',
        'held',
        lambda rng: flipped(moons(rng), 0.15, rng),
        lambda: mlp(2, 48, 48, 2),
        optimizers.NesterovAG,
        16,
        90,
        SGD,
    ),
    Task(
        'iris-mlp-momentum',
        'held',
        lambda rng: shipped(rng, 'iris', 60),
        lambda: mlp(4, 16, 3),
        optimizers.MomentumSGD,
        16,
        75,
        SGD,
    ),
    Task(
        'digits-raw-deep-norm-adam',
        'held',
        lambda rng: digits(rng, scale=16.0),
        lambda: mlp(64, *[48] * 4, 10, norm=L.BatchNormalization),
        optimizers.Adam,
        128,
        80,
        ADAPTIVE,
    ),
    Task('parity-mlp-adam', 'fresh', parity, lambda: mlp(8, 64, 64, 2), optimizers.Adam, 32, 100, ADAPTIVE),
    Task('shifted-conv-momentum', 'fresh', shifted_digits, conv, optimizers.MomentumSGD, 32, 90, SGD),
    Task(
        'friedman-raw-mlp-sgd', 'fresh', friedman, lambda: mlp(10, 64, 1), optimizers.SGD, 32, 100, (-5.5, -0.5), 'regression'
    ),
    Task(
        'votes-words-nesterov',
        'fresh',
        votes,
        lambda: Words(60, 12, mlp(12, 32, 3)),
        optimizers.NesterovAG,
        64,
        90,
        SGD,
    ),
    Task(
        'ripples-layernorm-adagrad',
        'fresh',
        ripples,
        lambda: mlp(3, 64, 64, 1, norm=L.LayerNormalization),
        optimizers.AdaGrad,
        32,
        100,
        ADAGRAD,
        'regression',
    ),
    Task('summits-elman-adam', 'fresh', summits, lambda: Elman(1, 32, 1), optimizers.Adam, 32, 90, ADAPTIVE, 'regression'),
    Task(
        'cancer-noise-dropout-rmsprop',
        'fresh',
        lambda rng: flipped(standardised(shipped(rng, 'breast_cancer', 300)), 0.2, rng),
        lambda: mlp(30, 64, 64, 2, dropout=0.3),
        optimizers.RMSprop,
        32,
        75,
        ADAPTIVE,
    ),
    Task(
        'clusters-classes-norm-sgd',
        'fresh',
        lambda rng: clusters(rng, 20, 1.5),
        lambda: mlp(20, *[64] * 3, 20, norm=L.BatchNormalization),
        optimizers.SGD,
        64,
        90,
        SGD,
    ),
)

BY_NAME = {task.name: task for task in TASKS}
