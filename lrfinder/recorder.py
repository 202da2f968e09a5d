"""Reads what a run reports, in blocks, and keeps it as the rows of a curve.

Reading a value off a GPU waits for the GPU. So values stay where they are until a block of them is full, and a whole block
comes over in one transfer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lrfinder.curve import ACCURACY, COLUMNS, LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS, make_curve

import chainer
import numpy as np
import pandas as pd

BLOCK = 10


class Recorder:
    """The rows of a curve, as they come.

    Args:
        prefix: Name of the observer that reports loss and accuracy: ``'main'`` for the model of the main optimizer.
        block: How many rows' values may wait on the device.
    """

    def __init__(self, prefix: str = 'main', block: int = BLOCK) -> None:
        self._loss_key = f'{prefix}/loss'
        self._accuracy_key = f'{prefix}/accuracy'
        self._block = block
        self._rows: list[list[float]] = []
        self._waiting: list[tuple[int, int, Any]] = []  # row, column, value on its device
        self._read = 0  # rows whose losses were handed out

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def full(self) -> bool:
        """Whether a block is waiting to be read."""
        return len(self._rows) - self._read >= self._block

    def add(self, iteration: int, rate: float, observation: Mapping[str, Any]) -> None:
        """Takes what one update reported.

        Raises:
            ValueError: The update reported no loss under the expected name.
        """
        if self._loss_key not in observation:
            reported = ', '.join(sorted(map(str, observation))) or 'nothing'
            raise ValueError(
                f'the update reported no {self._loss_key!r} (it reported: {reported}); '
                'wrap the model in chainer.links.Classifier, or call chainer.report in it'
            )
        row = len(self._rows)
        self._rows.append([iteration, rate, *[math.nan] * (len(COLUMNS) - 2)])
        self._put(row, LOSS, observation[self._loss_key])
        self._put(row, ACCURACY, observation.get(self._accuracy_key))
        self.add_validation(observation)

    def add_validation(self, observation: Mapping[str, Any]) -> None:
        """Takes what a validation after the last update reported."""
        row = len(self._rows) - 1
        self._put(row, VALIDATION_LOSS, observation.get(f'validation/{self._loss_key}'))
        self._put(row, VALIDATION_ACCURACY, observation.get(f'validation/{self._accuracy_key}'))

    def read(self) -> list[float]:
        """Brings all waiting values over; returns the losses that came since the last call."""
        for (row, column, _), number in zip(self._waiting, _to_floats([value for *_, value in self._waiting]), strict=True):
            self._rows[row][column] = number
        self._waiting.clear()
        fresh = [row[COLUMNS.index(LOSS)] for row in self._rows[self._read :]]
        self._read = len(self._rows)
        return fresh

    def cut(self, length: int) -> None:
        """Forgets the rows from ``length`` on."""
        del self._rows[length:]
        self._read = min(self._read, length)

    @property
    def curve(self) -> pd.DataFrame:
        """The curve so far."""
        self._flush()
        return make_curve(self._rows)

    def _flush(self) -> None:
        read = self._read
        self.read()
        self._read = read

    def rows(self) -> np.ndarray[Any, Any]:
        """All rows as an array of shape (rows, columns), for a snapshot."""
        self._flush()
        return np.asarray(self._rows, dtype=float).reshape(-1, len(COLUMNS))

    def load(self, rows: Any) -> None:
        """Takes the rows of a snapshot in place of those it has."""
        self._rows = np.asarray(rows, dtype=float).reshape(-1, len(COLUMNS)).tolist()
        self._waiting.clear()
        self._read = 0

    def _put(self, row: int, column: str, value: Any) -> None:
        if value is None:
            return
        array = value.array if isinstance(value, chainer.Variable) else value
        self._waiting.append((row, COLUMNS.index(column), array))


def _to_floats(values: list[Any]) -> list[float]:
    """Scalars of any device as floats, with one transfer for all that lie on a GPU."""
    on_gpu = [value for value in values if isinstance(value, chainer.backends.cuda.ndarray)]
    fetched = iter(_fetch(on_gpu))
    return [next(fetched) if isinstance(value, chainer.backends.cuda.ndarray) else float(_cpu(value)) for value in values]


def _fetch(arrays: list[Any]) -> list[float]:
    if not arrays:
        return []
    cupy = chainer.backends.cuda.cupy
    joined = cupy.concatenate([array.ravel().astype('float64') for array in arrays])
    return [float(number) for number in chainer.backends.cuda.to_cpu(joined)]


def _cpu(value: Any) -> Any:
    # A loss may be an array of one element.
    return value.item() if hasattr(value, 'item') else value
