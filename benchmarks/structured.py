"""The benchmark's data with structure: text, sequences, images with a label a pixel, graphs, sets of points."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from benchmarks.datasets import Array, Data, Random, split, standardised

import numpy as np
from sklearn import datasets


@cache
def _manual() -> tuple[Array, str]:
    """What scikit-learn says of the data sets that it ships, as numbers of characters; and the characters."""
    texts = [getattr(datasets, f'load_{name}')().DESCR for name in ('iris', 'wine', 'breast_cancer', 'diabetes', 'digits')]
    text = ' '.join(' '.join(texts).lower().split())
    characters = sorted(set(text))
    return np.array([characters.index(one) for one in text]), ''.join(characters)


CHARACTERS = 80  # more than the text has: its number depends on scikit-learn's version


def sentences(rng: Random, length: int = 16, train: int = 2500) -> Data:
    """Pieces of an English text, and the character that follows each of theirs; both of shape (n, length).

    The validation set is from another part of the text.
    """
    text, _ = _manual()
    text = np.roll(text, rng.randint(len(text)))
    cut = 3 * len(text) // 4
    starts = rng.randint(0, cut - length - 1, train), cut + rng.randint(0, len(text) - cut - length - 1, 600)
    x, x_valid = (text[start[:, None] + np.arange(length + 1)].astype(np.int32) for start in starts)
    return Data(x[:, :-1], x[:, 1:], x_valid[:, :-1], x_valid[:, 1:])


def brackets(rng: Random, length: int = 12) -> Data:
    """Whether brackets match: words 0 and 1 open and close; half of the texts have two of them exchanged."""
    x = np.array([_matching(length, rng) for _ in range(4000)])
    y = rng.randint(0, 2, len(x))
    for row in np.flatnonzero(y == 0):
        exchanged = [rng.choice(np.flatnonzero(x[row] == one)) for one in (0, 1)]
        x[row, exchanged] = [1, 0]
    depth = np.cumsum(1 - 2 * x, axis=1)
    data = split(x, (depth.min(axis=1) >= 0).astype(int), 2500, rng)
    return replace(data, x=data.x.astype(np.int32), x_valid=data.x_valid.astype(np.int32))


def _matching(length: int, rng: Random) -> list[int]:
    """A text of matching brackets, of which each step opens or closes one where both are possible."""
    depth, text = 0, []
    for left in range(length, 0, -1):
        closes = depth == left or (depth > 0 and rng.rand() < 0.5)
        depth += -1 if closes else 1
        text.append(int(closes))
    return text


def chaos(rng: Random, length: int = 24, delay: int = 17) -> Data:
    """Windows of the chaotic series of Mackey and Glass, and how it goes on after six steps; in standard units.

    Shape (n, 1, length).
    """
    series = [1.2 + 0.2 * rng.rand() for _ in range(delay + 1)]
    for _ in range(6000):
        late = series[-1 - delay]
        series.append(0.9 * series[-1] + 0.2 * late / (1 + late**10))
    values = np.array(series[500:]) + rng.normal(0, 0.01, len(series) - 500)
    starts = rng.permutation(len(values) - length - 6)[:3000]
    data = standardised(split(values[starts[:, None] + np.arange(length)], values[starts + length + 5], 1500, rng))
    return replace(data, x=data.x[:, None], x_valid=data.x_valid[:, None])


def blots(rng: Random, size: int = 12) -> Data:
    """Noisy images of a disc and a square, shape (n, 1, size, size); the class of each pixel: ground, disc or square."""
    rows, columns = np.mgrid[:size, :size]
    place = rng.uniform(2, size - 3, (1600, 2, 2, 1, 1))
    disc = (rows - place[:, 0, 0]) ** 2 + (columns - place[:, 0, 1]) ** 2 <= 6
    square = np.maximum(np.abs(rows - place[:, 1, 0]), np.abs(columns - place[:, 1, 1])) <= 1.6
    classes = np.where(square, 2, np.where(disc, 1, 0))
    images = (classes > 0) + rng.normal(0, 0.3, classes.shape)
    return split(images[:, None], classes, 800, rng)


def outlines(rng: Random, points: int = 20) -> Data:
    """Which outline noisy points lie on, of any size and angle: a circle, a square, a line or a cross; shape (n, points, 2)."""
    y = rng.randint(0, 4, 3000)
    along, side = rng.uniform(-1, 1, (3000, points)), rng.randint(0, 4, (3000, points))
    angle = np.pi * along
    ones = np.where(side < 2, -1.0, 1.0)
    across = side % 2 == 0
    shapes = np.stack(
        [
            np.stack([np.cos(angle), np.sin(angle)], axis=-1),
            np.stack([np.where(across, along, ones), np.where(across, ones, along)], axis=-1),
            np.stack([along, 0 * along], axis=-1),
            np.stack([np.where(across, along, 0.0), np.where(across, 0.0, along)], axis=-1),
        ]
    )[y, np.arange(3000)]
    turn, scale = rng.uniform(0, 2 * np.pi, 3000), rng.uniform(0.5, 2, 3000)
    rotation = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return split(np.einsum('npi,ijn->npj', shapes, rotation) + rng.normal(0, 0.08, shapes.shape), y, 1500, rng)


def graphs(rng: Random, nodes: int = 12) -> Data:
    """How a graph came to be: at random, around a ring, or by joining the popular; its adjacency, shape (n, nodes, nodes)."""
    y = rng.randint(0, 3, 2000)
    makers = (_random_graph, _ring, _hubs)
    x = np.stack([makers[one](nodes, rng) for one in y])
    order = np.stack([rng.permutation(nodes) for _ in y])
    return split(x[np.arange(len(x))[:, None, None], order[:, :, None], order[:, None, :]], y, 1000, rng)


def _random_graph(nodes: int, rng: Random) -> Array:
    edges = np.triu(rng.rand(nodes, nodes) < 4 / (nodes - 1), 1).astype(float)
    return edges + edges.T


def _ring(nodes: int, rng: Random) -> Array:
    """Each node beside its two next ones on either side; a fifth of the edges go elsewhere."""
    edges = np.zeros((nodes, nodes))
    for node in range(nodes):
        for step in (1, 2):
            other = rng.randint(nodes) if rng.rand() < 0.2 else (node + step) % nodes
            edges[node, other] = edges[other, node] = float(other != node)
    return edges


def _hubs(nodes: int, rng: Random) -> Array:
    """Each node joins two of those before it, rather those that have many neighbours."""
    edges = np.zeros((nodes, nodes))
    edges[0, 1] = edges[1, 0] = 1
    for node in range(2, nodes):
        popular = edges[:node].sum(axis=1)
        for other in rng.choice(node, 2, replace=False, p=popular / popular.sum()):
            edges[node, other] = edges[other, node] = 1
    return edges
