"""The benchmark's networks for data with structure, and those that report a loss of their own."""

from __future__ import annotations

import itertools
from typing import Any

from benchmarks.networks import mlp

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np


class Block(chainer.Chain):
    """Attention of several heads, then two linear layers; each beside the identity, after a normalisation.

    Reads and gives vectors of shape (n * length, size): all positions one below the other.
    """

    def __init__(self, size: int, heads: int, length: int, causal: bool) -> None:
        super().__init__()
        self.shape = (-1, length, heads, size // heads)
        self.hidden = np.where(np.tri(length, dtype=bool) | (not causal), 0, -1e9).astype(np.float32)
        with self.init_scope():
            self.norm1, self.norm2 = L.LayerNormalization(size), L.LayerNormalization(size)
            self.query, self.key, self.value, self.out = (L.Linear(size, size) for _ in range(4))
            self.feed = mlp(size, 2 * size, size)

    def forward(self, x: Any) -> Any:
        h = self.norm1(x)
        query, key, value = (self._by_head(link(h)) for link in (self.query, self.key, self.value))
        scores = F.matmul(query, key, transb=True) * (1 / np.sqrt(self.shape[-1]))
        weights = F.softmax(scores + np.broadcast_to(self.hidden, scores.shape), axis=3)
        heard = F.transpose(F.matmul(weights, value), (0, 2, 1, 3))
        x = x + self.out(F.reshape(heard, x.shape))
        return x + self.feed(self.norm2(x))

    def _by_head(self, x: Any) -> Any:
        return F.transpose(F.reshape(x, self.shape), (0, 2, 1, 3))


class Transformer(chainer.Chain):
    """Words and their places as vectors, then blocks of attention, then a linear layer.

    With `causal` it says something of each position by what comes up to it: shape (n, outputs, length). Otherwise it says one
    thing of the whole: (n, outputs).
    """

    def __init__(self, words: int, length: int, size: int, heads: int, blocks: int, outputs: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        with self.init_scope():
            self.words, self.places = L.EmbedID(words, size), L.EmbedID(length, size)
            self.blocks = chainer.Sequential(*[Block(size, heads, length, causal) for _ in range(blocks)])
            self.norm = L.LayerNormalization(size)
            self.out = L.Linear(size, outputs)

    def forward(self, x: Any) -> Any:
        n, length = x.shape
        vectors = self.words(x) + self.places(self.xp.tile(self.xp.arange(length, dtype=np.int32), (n, 1)))
        h = self.norm(self.blocks(F.reshape(vectors, (n * length, -1))))
        if not self.causal:
            return self.out(F.mean(F.reshape(h, (n, length, -1)), axis=1))
        return F.transpose(F.reshape(self.out(h), (n, length, -1)), (0, 2, 1))


class Autoencoder(chainer.Chain):
    """A variational autoencoder, which reports its negative evidence bound, in nats an example.

    Args:
        deviation: Of normal noise on each pixel; `None`: a pixel is the probability of being on.

    Source: D. Kingma and M. Welling, "Auto-Encoding Variational Bayes", arXiv 1312.6114, section 3.
    """

    def __init__(self, pixels: int, units: int, codes: int, deviation: float | None = None) -> None:
        super().__init__()
        self.deviation = deviation
        with self.init_scope():
            self.encoder = mlp(pixels, units, 2 * codes, activation=F.tanh)
            self.decoder = mlp(codes, units, pixels, activation=F.tanh)

    def forward(self, x: Any, y: Any) -> Any:
        mean, log_variance = F.split_axis(self.encoder(x), 2, axis=1)
        output = self.decoder(F.gaussian(mean, log_variance))
        loss = (self._unlikelihood(output, y) + F.gaussian_kl_divergence(mean, log_variance)) / len(x)
        chainer.report({'loss': loss}, self)
        return loss

    def _unlikelihood(self, output: Any, y: Any) -> Any:
        if self.deviation is None:
            return F.bernoulli_nll(y, output)
        return F.gaussian_nll(y, output, self.xp.full_like(y, 2 * np.log(self.deviation)))


class Dilated(chainer.Chain):
    """Gated convolutions over ever longer parts of a series, shape (n, 1, length); the last of each says how it goes on."""

    def __init__(self, channels: int, layers: int, outputs: int) -> None:
        super().__init__()
        with self.init_scope():
            self.first = L.Convolution1D(1, channels, 1)
            self.layers = chainer.ChainList(
                *[L.Convolution1D(channels, 2 * channels, 2, dilate=2**layer) for layer in range(layers)]
            )
            self.out = L.Linear(channels, outputs)

    def forward(self, x: Any) -> Any:
        h = self.first(x)
        for layer in self.layers:
            value, gate = F.split_axis(layer(h), 2, axis=1)
            h = h[:, :, -value.shape[2] :] + F.tanh(value) * F.sigmoid(gate)
        return self.out(h[:, :, -1])


def hourglass(classes: int) -> chainer.Sequential:
    """Convolutions that shrink an image to a half and enlarge it again: scores of shape (n, classes, height, width)."""
    return chainer.Sequential(
        L.Convolution2D(1, 8, 3, pad=1),
        F.relu,
        L.Convolution2D(8, 16, 4, stride=2, pad=1),
        F.relu,
        L.Deconvolution2D(16, 8, 4, stride=2, pad=1),
        F.relu,
        L.Convolution2D(8, classes, 1),
    )


class Together(chainer.Chain):
    """Looks at each point of a set alike, shape (n, points, features); what is largest of each feature says what they are."""

    def __init__(self, features: int, units: int, outputs: int) -> None:
        super().__init__()
        with self.init_scope():
            self.each = mlp(features, units, units)
            self.all = mlp(units, units, outputs)

    def forward(self, x: Any) -> Any:
        n, points, features = x.shape
        each = self.each(F.reshape(x, (n * points, features)))
        return self.all(F.max(F.reshape(each, (n, points, -1)), axis=1))


class Neighbours(chainer.Chain):
    """A graph network: each node takes the mean of its neighbours, by the adjacency of shape (n, nodes, nodes).

    Source: T. Kipf and M. Welling, "Semi-Supervised Classification with Graph Convolutional Networks", arXiv 1609.02907.
    """

    def __init__(self, units: int, layers: int, outputs: int) -> None:
        super().__init__()
        widths = [1, *[units] * layers]
        with self.init_scope():
            self.layers = chainer.ChainList(*[L.Linear(2 * before, after) for before, after in itertools.pairwise(widths)])
            self.out = L.Linear(units, outputs)

    def forward(self, x: Any) -> Any:
        n, nodes, _ = x.shape
        degree = x.sum(axis=2, keepdims=True)
        passes = x / np.maximum(degree, 1)
        h = degree
        for layer in self.layers:
            both = F.concat([F.matmul(passes, h), h], axis=2)
            h = F.reshape(F.relu(layer(F.reshape(both, (n * nodes, -1)))), (n, nodes, -1))
        return self.out(F.mean(h, axis=1))
