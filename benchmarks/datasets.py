"""The benchmark's data: sets that scikit-learn ships, sets drawn at random, and what may be wrong with data.

Whatever is drawn is drawn from `rng` alone, in a fixed order: the same state gives the same data to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from sklearn import datasets

Array = np.ndarray
Random = np.random.RandomState


@dataclass(frozen=True)
class Data:
    """Training and validation examples: float32 inputs, or int32 words; int32 classes, or float32 targets (n, outputs)."""

    x: Array
    y: Array
    x_valid: Array
    y_valid: Array


@cache
def of_scikit_learn(name: str) -> tuple[Array, Array]:
    """Inputs and targets of a data set that scikit-learn ships."""
    return getattr(datasets, f'load_{name}')(return_X_y=True)


def split(x: Array, y: Array, train: int, rng: Random) -> Data:
    """Shuffle, and part `train` examples from those that validate; one target an example becomes a column."""
    order = rng.permutation(len(x))
    x = np.asarray(x, np.float32)[order]
    y = y.astype(np.int32)[order] if y.dtype.kind == 'i' else y.astype(np.float32)[order].reshape(len(y), -1)
    return Data(x[:train], y[:train], x[train:], y[train:])


def shipped(rng: Random, name: str, train: int) -> Data:
    """A data set that scikit-learn ships, features unscaled: `train` examples to learn from, the rest validate."""
    return split(*of_scikit_learn(name), train, rng)


def digits(rng: Random, train: int = 900, image: bool = False, scale: float = 1.0) -> Data:
    """The 1,797 digits, pixels in 0 to `scale`, flat or as (1, 8, 8)."""
    x, y = of_scikit_learn('digits')
    x = x * (scale / 16)
    return split(x.reshape(-1, 1, 8, 8) if image else x, y, train, rng)


def spirals(rng: Random, turns: float = 1.5) -> Data:
    """Two interleaved spirals in the plane."""
    y = rng.randint(0, 2, 2000)
    radius = np.sqrt(rng.uniform(0.02, 1, 2000))
    angle = 2 * np.pi * turns * radius + np.pi * y
    x = 2 * np.c_[radius * np.cos(angle), radius * np.sin(angle)] + rng.normal(0, 0.08, (2000, 2))
    return split(x, y, 1000, rng)


def moons(rng: Random) -> Data:
    """Two interleaved half circles."""
    return split(*datasets.make_moons(2000, noise=0.15, random_state=rng), 1000, rng)


def clusters(rng: Random, classes: int, distance: float, features: int = 20) -> Data:
    """Two Gaussian clusters a class, so that no line separates the classes; `distance` spreads them."""
    centres = rng.normal(0, distance, (2 * classes, features))
    which = rng.randint(0, 2 * classes, 3000)
    return split(centres[which] + rng.normal(0, 1, (3000, features)), which % classes, 1000, rng)


def friedman(rng: Random) -> Data:
    """Friedman's first regression: ten features in 0 to 1, five of them used."""
    return split(*datasets.make_friedman1(2000, noise=0.5, random_state=rng), 1000, rng)


def teacher(rng: Random, features: int = 10, hidden: int = 6) -> Data:
    """The output of a small random network, with a little noise."""
    x = rng.normal(0, 1, (2000, features))
    y = np.tanh(x @ rng.normal(0, 1, (features, hidden)) / 2) @ rng.normal(0, 1, hidden)
    return split(x, y + rng.normal(0, 0.1, 2000), 1000, rng)


def friedman2(rng: Random) -> Data:
    """Friedman's second regression: four features whose scales span three decades."""
    return split(*datasets.make_friedman2(2000, noise=40, random_state=rng), 1000, rng)


def friedman3(rng: Random) -> Data:
    """Friedman's third regression, an arc tangent, without noise."""
    return split(*datasets.make_friedman3(2000, random_state=rng), 1000, rng)


def hastie(rng: Random) -> Data:
    """Whether the sum of the squares of ten normal features is above its median."""
    x, y = datasets.make_hastie_10_2(3000, random_state=rng)
    return split(x, (y > 0).astype(int), 1000, rng)


def circles(rng: Random, features: int = 10) -> Data:
    """Two circles around each other in a plane that lies askew in a space of more features."""
    x, y = datasets.make_circles(3000, noise=0.1, factor=0.5, random_state=rng)
    x = np.c_[x, rng.normal(0, 0.3, (3000, features - 2))]
    return split(x @ np.linalg.qr(rng.normal(0, 1, (features, features)))[0], y, 1000, rng)


def redundant(rng: Random, classes: int = 4) -> Data:
    """Clusters in 8 features, with 12 that combine them and 10 of noise alone."""
    return split(
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
    return split(
        *datasets.make_gaussian_quantiles(n_samples=3000, n_features=features, n_classes=classes, random_state=rng), 1000, rng
    )


def swiss_roll(rng: Random) -> Data:
    """How far along a rolled-up sheet a point lies: coordinates in their tens, the target in standard units."""
    x, y = datasets.make_swiss_roll(2500, noise=0.3, random_state=rng)
    return split(x, (y - y.mean()) / y.std(), 1000, rng)


def waves(rng: Random) -> Data:
    """Two waves that cross in the plane, in standard units."""
    x = rng.uniform(-1, 1, (2500, 2))
    y = np.sin(4 * x[:, 0]) * np.cos(3 * x[:, 1])
    return standardised(split(x, y + rng.normal(0, 0.05, 2500), 1000, rng))


def sparse(rng: Random) -> Data:
    """A linear target of four among ten features, with noise, in standard units."""
    return standardised(split(*datasets.make_sparse_uncorrelated(2000, 10, random_state=rng), 1000, rng))


def unequal(rng: Random, features: int = 12) -> Data:
    """A linear target of features whose scales span three decades."""
    x = rng.normal(0, 1, (2000, features))
    y = x @ rng.normal(0, 1, features) + rng.normal(0, 0.5, 2000)
    return split(x * np.logspace(-1.5, 1.5, features), y, 1000, rng)


def chequered(rng: Random, squares: int = 4, train: int = 1500) -> Data:
    """The colour of a chequered board, a little blurred at the edges."""
    x = rng.uniform(0, squares, (train + 1500, 2))
    y = (np.floor(x + rng.normal(0, 0.05, x.shape)).sum(axis=1) % 2).astype(int)
    return split(x - squares / 2, y, train, rng)


def valued_digits(rng: Random) -> Data:
    """The number that an image of a digit shows, as a regression in standard units."""
    x, y = of_scikit_learn('digits')
    return standardised(split(x.reshape(-1, 1, 8, 8), y.astype(float), 900, rng))


def mirrored_digits(rng: Random) -> Data:
    """The digits as their own targets, as for an autoencoder; each pixel minus its mean."""
    data = digits(rng)
    mean = data.x.mean(axis=0)
    x, x_valid = data.x - mean, data.x_valid - mean
    return Data(x, x, x_valid, x_valid)


def documents(rng: Random, classes: int = 5, words: int = 200, length: int = 20) -> Data:
    """Texts of word numbers, shape (n, length); each class prefers words of its own."""
    likely = rng.dirichlet(np.full(words, 0.3), classes)
    y = rng.randint(0, classes, 2500)
    x = np.array([rng.choice(words, length, p=0.4 * likely[one] + 0.6 / words) for one in y])
    return _as_words(split(x, y, 1000, rng))


def rhythms(rng: Random, classes: int = 4, length: int = 16) -> Data:
    """Sines of one frequency a class, of any phase, in noise: shape (n, length, 1)."""
    y = rng.randint(0, classes, 2500)
    phase = rng.uniform(0, 2 * np.pi, (2500, 1))
    x = np.sin(phase + np.arange(length) * (0.4 + 0.4 * y[:, None])) + rng.normal(0, 0.4, (2500, length))
    return split(x[..., None], y, 1000, rng)


def cubic(rng: Random, features: int = 5) -> Data:
    """A polynomial of the third degree, whose values are in the tens."""
    x = rng.uniform(-1, 1, (2000, features))
    y = 30 * (x @ rng.normal(0, 1, features)) ** 3 + 20 * x[:, 0] * x[:, 1] + rng.normal(0, 2, 2000)
    return split(x, y, 1000, rng)


def folded(rng: Random) -> Data:
    """Which of the four parts of an S-shaped sheet a point lies on."""
    x, along = datasets.make_s_curve(3000, noise=0.15, random_state=rng)
    return split(x, np.digitize(along, [-2.4, 0.0, 2.4]), 1000, rng)


def even_digits(rng: Random) -> Data:
    """Whether a digit is even."""
    data = digits(rng)
    return replace(data, y=data.y % 2, y_valid=data.y_valid % 2)


def low_rank(rng: Random) -> Data:
    """A linear target of 40 features that lie near a space of six dimensions, in standard units."""
    x = datasets.make_low_rank_matrix(2000, 40, effective_rank=6, random_state=rng)
    y = x @ rng.normal(0, 1, 40)
    return standardised(split(x, y + rng.normal(0, 0.2 * y.std(), 2000), 1000, rng))


def ratings(rng: Random, people: int = 40, things: int = 30) -> Data:
    """How a person rates a thing, given the number of each; in about standard units."""
    x = np.c_[rng.randint(0, people, 4000), people + rng.randint(0, things, 4000)]
    tastes, traits = rng.normal(0, 1, (people, 3)), rng.normal(0, 1, (things, 3))
    y = (tastes[x[:, 0]] * traits[x[:, 1] - people]).sum(axis=1) / np.sqrt(3) + rng.normal(0, 0.2, 4000)
    return _as_words(split(x, y, 2500, rng))


def echoes(rng: Random, length: int = 12) -> Data:
    """Sequences of noise, shape (n, length, 1), and a weighted sum that fades backwards in time, in standard units."""
    x = rng.normal(0, 1, (2500, length))
    y = np.tanh(x @ 0.7 ** np.arange(length)[::-1])
    return _as_sequences(standardised(split(x, y + rng.normal(0, 0.05, 2500), 1000, rng)))


def parity(rng: Random, features: int = 8) -> Data:
    """Whether an odd number of the first three features is negative."""
    x = rng.normal(0, 1, (3500, features))
    return split(x, (x[:, :3] < 0).sum(axis=1) % 2, 1500, rng)


def shifted_digits(rng: Random) -> Data:
    """The digits, each shifted by at most a pixel in both directions; what leaves on one side enters on the other."""
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
    return _as_words(split(x, counts.argmax(axis=1), 1500, rng))


def ripples(rng: Random) -> Data:
    """Rings around the middle of a cube that fade outwards, in standard units."""
    x = rng.uniform(-1, 1, (2500, 3))
    distance = np.sqrt((x**2).sum(axis=1))
    return standardised(split(x, np.cos(6 * distance) * np.exp(-distance) + rng.normal(0, 0.03, 2500), 1200, rng))


def summits(rng: Random, length: int = 10) -> Data:
    """The highest of a sequence of numbers, in standard units: inputs of shape (n, length, 1)."""
    x = rng.normal(0, 1, (2500, length))
    return _as_sequences(standardised(split(x, x.max(axis=1), 1200, rng)))


def proline(rng: Random) -> Data:
    """How much proline a wine contains, from its other twelve measurements."""
    x, _ = of_scikit_learn('wine')
    return standardised(split(x[:, :-1], x[:, -1], 90, rng))


def deep_teacher(rng: Random, features: int = 12, hidden: int = 16, train: int = 12000) -> Data:
    """The output of a random network of two hidden layers, with a little noise, in standard units."""
    x = rng.normal(0, 1, (train + 2000, features))
    h = np.tanh(1.5 * x @ rng.normal(0, 1, (features, hidden)) / np.sqrt(features))
    h = np.tanh(3 * h @ rng.normal(0, 1, (hidden, hidden)) / np.sqrt(hidden))
    y = h @ rng.normal(0, 1, hidden)
    return standardised(split(x, y + rng.normal(0, 0.1 * y.std(), len(y)), train, rng))


def varied_digits(rng: Random, copies: int = 12) -> Data:
    """Each digit in many copies: shifted by at most a pixel, brighter or darker, and noisy; flat."""
    data = digits(rng)
    x, x_valid = (_varied(images.reshape(-1, 8, 8), count, rng) for images, count in ((data.x, copies), (data.x_valid, 2)))
    return Data(x, np.repeat(data.y, copies), x_valid, np.repeat(data.y_valid, 2))


def _varied(images: Array, copies: int, rng: Random) -> Array:
    images = np.repeat(images, copies, axis=0)
    shifted = np.stack([np.roll(one, shift, axis=(0, 1)) for one, shift in zip(images, rng.randint(-1, 2, (len(images), 2)))])
    noisy = shifted * rng.uniform(0.5, 1.5, (len(images), 1, 1)) + rng.normal(0, 0.15, images.shape)
    return noisy.reshape(len(images), -1).astype(np.float32)


def lower_digits(rng: Random) -> Data:
    """The digits 0 to 4, as images."""
    return _of_classes(digits(rng, image=True), 0)


def upper_digits(rng: Random, train: int) -> Data:
    """The digits 5 to 9, as images; few of them."""
    data = _of_classes(digits(rng, image=True), 5)
    return replace(data, x=data.x[:train], y=data.y[:train])


def _of_classes(data: Data, first: int) -> Data:
    """Five classes from `first` on, which counts as 0."""
    kept, kept_valid = (np.isin(y, range(first, first + 5)) for y in (data.y, data.y_valid))
    return Data(data.x[kept], data.y[kept] - first, data.x_valid[kept_valid], data.y_valid[kept_valid] - first)


def turned_digits(rng: Random, train: int) -> Data:
    """The digits, flat, turned by a quarter."""
    data = digits(rng, train=train)
    x, x_valid = (np.rot90(x.reshape(-1, 8, 8), axes=(1, 2)).reshape(len(x), 64).copy() for x in (data.x, data.x_valid))
    return replace(data, x=x, x_valid=x_valid)


def true_digits(rng: Random) -> Data:
    """The digits as their own targets, pixels in 0 to 1."""
    data = digits(rng)
    return Data(data.x, data.x, data.x_valid, data.x_valid)


def photograph(rng: Random, train: int = 8000, frequencies: int = 24) -> Data:
    """The colours of a photograph's pixels, given random waves of their coordinates; minus the mean, of deviation 1."""
    image = datasets.load_sample_image('china.jpg').astype(np.float64)
    at = rng.permutation(image.shape[0] * image.shape[1])[: train + 2000]
    rows, columns = np.divmod(at, image.shape[1])
    place = 2 * np.c_[rows / image.shape[0], columns / image.shape[1]] - 1
    phase = place @ rng.normal(0, 4, (2, frequencies))
    y = image[rows, columns]
    return split(np.c_[np.sin(phase), np.cos(phase)], (y - y.mean(axis=0)) / y.std(), train, rng)


def tagged(rng: Random, words: int = 40, tags: int = 8) -> Data:
    """How often each word occurs in a text, and which of the tags it has: several, or none."""
    x, y = datasets.make_multilabel_classification(3000, words, n_classes=tags, n_labels=3, length=40, random_state=rng)
    return split(x, y.astype(int), 1200, rng)


def pendulum(rng: Random, step: float = 0.01) -> Data:
    """How angle and speed of a driven pendulum change in a short time: targets of hundredths, as they are.

    Inputs are the angle, the speed and the torque.
    """
    angle, speed, torque = (rng.uniform(-limit, limit, 3000) for limit in (np.pi, 8.0, 2.0))
    pull = 15 * np.sin(angle) + 3 * torque - 0.3 * speed * np.abs(speed)
    changes = step * np.c_[speed + step * pull / 2, pull]
    return split(np.c_[angle, speed, torque], changes + rng.normal(0, 0.05 * step, changes.shape), 1200, rng)


def calls(rng: Random, features: int = 8) -> Data:
    """How many calls come in an hour: counts, from none to some dozens."""
    x = rng.normal(0, 1, (3000, features))
    mean = np.exp(1.0 + 0.6 * np.sin(2 * x[:, 0]) + 0.4 * x[:, 1] * x[:, 2] + 0.3 * x[:, 3])
    return split(x, rng.poisson(np.minimum(mean, 50)).astype(float), 1200, rng)


def library(rng: Random, classes: int = 12, words: int = 1000, length: int = 24, train: int = 10000) -> Data:
    """Many texts of word numbers from a large vocabulary; each class prefers words of its own."""
    likely = np.cumsum(0.3 * rng.dirichlet(np.full(words, 0.1), classes) + 0.7 / words, axis=1)
    y = rng.randint(0, classes, train + 2000)
    draws = rng.uniform(0, 1, (len(y), length))
    x = np.stack([np.searchsorted(likely[one], draw) for one, draw in zip(y, draws)])
    return _as_words(split(np.minimum(x, words - 1), y, train, rng))


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
