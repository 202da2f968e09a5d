"""Reads what a run reports, and keeps it as the rows of a curve.

Reading a value off a GPU waits for the GPU, and averaging one over several workers waits for all of them. So values stay where
they are until a block of them is full: a whole block comes over in one transfer, and is averaged in one go. On a CPU, too, it
costs less to look at ten losses at once; one that is not finite is seen at once there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lrfinder.analysis.curve import COLUMNS, make_curve
from lrfinder.analysis.metrics import ACCURACY, LOSS, METRICS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.engine.workers import Workers

import chainer
import numpy as np
import pandas as pd
from chainer.backends import cuda

BLOCK = 10
_FIRST_METRIC = COLUMNS.index(METRICS[0])
_LOSS = COLUMNS.index(LOSS)
_NOT_MEASURED = [math.nan] * len(METRICS)


class Recorder:
    """The rows of a curve, as they come.

    Args:
        observer: The prefix of the reported loss and accuracy: ``'main'`` for the main optimizer's model.
        block: How many rows may wait to be read.
        workers: Over whom to average.

    Attributes:
        workers: The same; it may be set before the first row.
    """

    def __init__(self, observer: str = 'main', block: int = BLOCK, workers: Workers | None = None) -> None:
        self._loss = f'{observer}/loss'
        # An evaluator calls its model main, whatever the optimizer is called; where both names occur, the last one counts.
        self._places = {
            f'{observer}/accuracy': COLUMNS.index(ACCURACY),
            **{f'validation/{name}/loss': COLUMNS.index(VALIDATION_LOSS) for name in ('main', observer)},
            **{f'validation/{name}/accuracy': COLUMNS.index(VALIDATION_ACCURACY) for name in ('main', observer)},
        }
        self._block = block
        self.workers = workers or Workers()
        self._rows: list[list[float]] = []
        self._waiting: list[tuple[int, int, Any]] = []  # row, column, value on its device
        self._read = 0  # rows that were averaged, and whose losses were handed out

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def due(self) -> bool:
        """Whether to read now: a block is full, or the last loss is seen not to be finite, and no other worker need agree."""
        rows = self._rows
        if len(rows) % self._block == 0:
            return True
        return not self._waiting and self.workers.size == 1 and not math.isfinite(rows[-1][_LOSS])

    def add(self, iteration: int, rate: float, observation: Mapping[str, Any]) -> None:
        """Takes what one update reported.

        Raises:
            ValueError: The update reported no loss under the expected name, or one that is no number.
        """
        if self._loss not in observation:
            raise ValueError(_no_loss(self._loss, observation))
        self._rows.append([iteration, rate, *_NOT_MEASURED])
        if not self._put(_LOSS, observation[self._loss]):
            raise ValueError(
                f'the update reported a {self._loss!r} that is no number; report one, such as the mean over the batch'
            )
        self.add_validation(observation)

    def add_validation(self, observation: Mapping[str, Any]) -> None:
        """Takes what a validation after the last update reported."""
        for name, place in self._places.items():
            if name in observation:
                self._put(place, observation[name])

    def read(self) -> list[float]:
        """Brings all waiting values over, all workers together; returns the losses that came since the last call."""
        self._flush()
        fresh = self._rows[self._read :]
        self.workers.average(fresh, _FIRST_METRIC)
        self._read = len(self._rows)
        return _losses(fresh)

    def cut(self, length: int) -> None:
        """Forgets the rows from ``length`` on."""
        del self._rows[length:]
        self._read = min(self._read, length)

    @property
    def curve(self) -> pd.DataFrame:
        """The curve so far."""
        self._flush()
        return make_curve(self._rows)

    def rows(self) -> tuple[np.ndarray[Any, Any], int]:
        """All rows as an array of shape (rows, columns), and how many of them have been read, for a snapshot."""
        self._flush()
        return np.asarray(self._rows, dtype=float).reshape(-1, len(COLUMNS)), self._read

    def load(self, rows: Any, read: int) -> list[float]:
        """Takes the rows of a snapshot in place of those it has; returns the losses of those that have been read."""
        self._rows = np.asarray(rows, dtype=float).reshape(-1, len(COLUMNS)).tolist()
        self._waiting.clear()
        self._read = read
        return _losses(self._rows[:read])

    def _put(self, place: int, value: Any) -> bool:
        """Enters a value into the last row; whether it is a number."""
        array = value.array if isinstance(value, chainer.Variable) else value
        if isinstance(array, cuda.ndarray):
            if array.size == 1:
                self._waiting.append((len(self._rows) - 1, place, array))
            return array.size == 1
        try:
            self._rows[-1][place] = float(array.item() if hasattr(array, 'item') else array)
        except (TypeError, ValueError):
            return False
        return True

    def _flush(self) -> None:
        if not self._waiting:
            return
        numbers = _fetch([value for *_, value in self._waiting])
        for (row, place, _), number in zip(self._waiting, numbers, strict=True):
            self._rows[row][place] = number
        self._waiting.clear()


def _losses(rows: list[list[float]]) -> list[float]:
    return [row[_LOSS] for row in rows]


def _no_loss(name: str, observation: Mapping[str, Any]) -> str:
    reported = sorted(map(str, observation))
    others = [other.removesuffix('/loss') for other in reported if other.endswith('/loss')]
    advice = 'wrap the model in chainer.links.Classifier, or call chainer.report in it'
    if others:
        advice = f'say which by observer={others[0]!r}'
    return f'the update reported no {name!r} (it reported: {", ".join(reported) or "nothing"}); {advice}'


def _fetch(arrays: list[Any]) -> list[float]:
    """Arrays of one element each on a GPU as floats, with one transfer for all."""
    joined = cuda.cupy.concatenate([array.ravel().astype('float64') for array in arrays])
    return [float(number) for number in cuda.to_cpu(joined)]
