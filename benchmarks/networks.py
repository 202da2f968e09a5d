"""The benchmark's networks; they draw their weights from NumPy's global generator when they are made."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np


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


def conv(dropout: float = 0.0, outputs: int = 10) -> chainer.Sequential:
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
        L.Linear(32, outputs),
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


class RowGRU(chainer.Chain):
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


class RowLSTM(chainer.Chain):
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
    """An embedding of words; the network reads the mean of their vectors, or all of them one after the other."""

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
    """A plain recurrent layer (Elman's) that reads a sequence, and a linear layer at the end."""

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
    """A residual block: two normalised convolutions beside the identity, or a 1 x 1 convolution where the image shrinks."""

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
