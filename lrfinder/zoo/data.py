"""What all data sets are made of: training data, held-out validation data, and labels that are checked."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

import clr  # noqa: F401  makes Chainer importable
from lrfinder.analysis.splits import stratified

import numpy as np
from chainer.datasets import TupleDataset, split_dataset

Array: TypeAlias = 'np.ndarray[Any, Any]'

# A label above is taken for a mistake: the model's last layer would fill the memory.
MOST_CLASSES = 1_000_000
# And so are more classes than so many for each example, where they are more than a few.
CLASSES_PER_EXAMPLE, A_FEW_CLASSES = 10, 1000


@dataclasses.dataclass(frozen=True)
class Data:
    """Training data and held-out validation data.

    Attributes:
        train: Examples to train on, a Chainer data set of (x, label) or (x, targets).
        validation: Examples of the same form that are never trained on.
        n_classes: Number of classes, labels being 0 to ``n_classes - 1``; ``None`` where examples have no
            label.
        n_targets: Number of float targets of an example (regression); ``None`` where examples have none.
        name: What to call the data in a summary; :func:`load_dataset` puts what was asked for where it is
            empty.
        note: What the user should know of how it was read.
    """

    train: Any
    validation: Any
    n_classes: int | None = None
    n_targets: int | None = None
    name: str = ''
    note: str = ''


def checked_labels(what: str, labels: Array) -> Array:
    """Labels as int32, shape (examples,).

    Raises:
        ValueError: One is negative, or so large that it must be a mistake; the message names ``what`` and the example.

    >>> checked_labels('y', np.array([0, 2])).dtype.name
    'int32'
    """
    wrong = (labels < 0) | (labels >= MOST_CLASSES)
    if wrong.any():
        raise ValueError(
            f'{what} has the label {labels[wrong.argmax()]} (example {wrong.argmax()}): '
            f'labels must count from 0 and stay below {MOST_CLASSES:,}'
        )
    return labels.astype(np.int32)


def count_classes(y: Array, y_val: Array, name: str, name_val: str) -> int:
    """How many classes labels have that count from 0.

    Raises:
        ValueError: All are the same, or the validation data have others, or they can't be numbers of classes.

    >>> count_classes(np.array([0, 2]), np.array([1]), 'y', 'y_val')
    3
    """
    if y.min() == y.max():
        raise ValueError(f'every label of {name} is {y[0]}: at least two classes are needed')
    if y_val.max() > y.max():
        raise ValueError(f'{name_val} has the label {y_val.max()}, but those of {name} end at {y.max()}')
    classes = int(y.max()) + 1
    if classes > max(CLASSES_PER_EXAMPLE * len(y), A_FEW_CLASSES):
        raise ValueError(
            f'the labels of {name} go up to {classes - 1:,} in {len(y):,} examples, which would need as many outputs: '
            'number the classes from 0 without gaps'
        )
    return classes


def split(dataset: Any, targets: Array, seed: int) -> tuple[Any, Any]:
    """A data set in two: four fifths to train on, and a fifth held out, with the same share of every target."""
    held_out = stratified(targets, seed)
    order = np.argsort(held_out, kind='stable')
    return split_dataset(dataset, int(np.sum(~held_out)), order)


def split_arrays(x: Array, y: Array, seed: int) -> tuple[Any, Any]:
    """The same for arrays of examples and of their targets."""
    held_out = stratified(y, seed)
    return TupleDataset(x[~held_out], y[~held_out]), TupleDataset(x[held_out], y[held_out])
