"""Reads what a run reports, and keeps it as the rows of a curve.

Reading a value off a GPU waits for the GPU, and averaging one over several workers waits for all of them. So values stay where
they are until a block of them is full: a whole block comes over in one transfer, and is averaged in one go. On a CPU, too, it
costs less to look at ten losses at once; one that is not finite is seen at once there.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrfinder.analysis.curve import COLUMNS, make_curve
from lrfinder.analysis.metrics import ACCURACIES, ACCURACY, LOSS, METRICS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.engine.workers import Workers

import chainer
import numpy as np
import numpy.typing as npt
import pandas as pd
from chainer.backends import cuda

BLOCK = 10
# So many names are told, of those that may be meant.
MOST_NAMED = 5
# A mean of shares may be so much when it has been rounded.
_ROUNDED_UP = 1.001
_EXAMPLES = {'observer': 'main', 'loss': LOSS, 'accuracy': ACCURACY}
_FIRST_METRIC = COLUMNS.index(METRICS[0])
_ITERATION, _LOSS, _ACCURACY = (COLUMNS.index(name) for name in ('iteration', LOSS, ACCURACY))
_NOT_MEASURED = [math.nan] * len(METRICS)


@dataclass(frozen=True)
class Names:
    """What the loss and the accuracy are called in what updates and evaluators report.

    Attributes:
        loss: ``'main/loss'`` for a loss that the model of the main optimizer reports, a bare name for one that is reported
            without an observer.
        accuracy: The same.
    """

    loss: str = LOSS
    accuracy: str = ACCURACY

    @classmethod
    def chosen(cls, observer: str = 'main', loss: str | None = None, accuracy: str | None = None) -> Names:
        """Those that were given, or else ``loss`` and ``accuracy`` of an observer.

        Raises:
            ValueError: One of them is no name.
        """
        for what, name in (('observer', observer), ('loss', loss), ('accuracy', accuracy)):
            if not ((isinstance(name, str) and name) or (name is None and what != 'observer')):
                raise ValueError(f'{what} must be a name, such as {_EXAMPLES[what]!r}, not {name!r}')
        return cls(loss or f'{observer}/loss', accuracy or f'{observer}/accuracy')

    def validated(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """The results of a validation by the names of a curve's columns, as far as they are there."""
        found = {}
        for ours, known in self._of_validations:
            name = next((name for name in known if name in observation), None)
            if name is not None:
                found[ours] = observation[name]
        return found

    @functools.cached_property
    def _of_validations(self) -> list[tuple[str, tuple[str, ...]]]:
        """What an evaluator may call them: it calls its model main, whatever the optimizer is called. The nearest counts."""
        names: list[tuple[str, tuple[str, ...]]] = []
        for ours, theirs in ((VALIDATION_LOSS, self.loss), (VALIDATION_ACCURACY, self.accuracy)):
            last = theirs.rpartition('/')[2]
            names.append((ours, (f'validation/{theirs}', f'validation/main/{last}', f'validation/{last}', ours)))
        return names


class Recorder:
    """The rows of a curve, as they come.

    Args:
        names: What the loss and the accuracy are called.
        block: How many rows may wait to be read.
        workers: Over whom to average.

    Attributes:
        workers: The same; it may be set before the first row.
    """

    def __init__(self, names: Names | None = None, block: int = BLOCK, workers: Workers | None = None) -> None:
        self._names = names or Names()
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

    def add(self, iterations: int, rate: float, observation: Mapping[str, Any]) -> None:
        """Takes what one update reported.

        Args:
            iterations: How many iterations of the trainer it took since the last row.
            rate: The rate that was used.
            observation: What was reported.

        Raises:
            ValueError: The update reported no loss under the expected name, or one that is no number.
        """
        if self._names.loss not in observation:
            raise ValueError(_no_loss(self._names.loss, observation))
        self._begin(iterations, rate)
        if not self._put(_LOSS, observation[self._names.loss]):
            raise ValueError(
                f'the update reported a {self._names.loss!r} that is no number; report one, such as the mean over the batch'
            )
        if self._names.accuracy in observation:
            self._put(_ACCURACY, observation[self._names.accuracy])
        self.add_validation(observation)

    def add_failed(self, iterations: int, rate: float) -> None:
        """Takes an update that failed: a row without values."""
        self._begin(iterations, rate)

    def add_validation(self, observation: Mapping[str, Any]) -> None:
        """Takes what a validation after the last update reported."""
        for name, value in self._names.validated(observation).items():
            self._put(COLUMNS.index(name), value)

    def _begin(self, iterations: int, rate: float) -> None:
        before = self._rows[-1][_ITERATION] if self._rows else 0
        self._rows.append([before + iterations, rate, *_NOT_MEASURED])

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
        number = as_number(array)
        if number is not None:
            self._rows[-1][place] = number
        return number is not None

    def _flush(self) -> None:
        if not self._waiting:
            return
        numbers = _fetch([value for *_, value in self._waiting])
        for (row, place, _), number in zip(self._waiting, numbers, strict=True):
            self._rows[row][place] = number
        self._waiting.clear()


class Shares:
    """Turns accuracies into shares of right answers, from 0 to 1, whether they are reported so or in percent.

    Which of the two it is, each one's first values tell. What is neither says nothing of right answers, and is left out.

    Attributes:
        unknown: The names of those that were left out.

    >>> shares = Shares()
    >>> shares.of('main/accuracy', np.array([50.0, 0.5])).tolist()
    [0.5, 0.005]
    >>> shares.of('validation/main/accuracy', np.array([0.5])).tolist()
    [0.5]
    """

    def __init__(self) -> None:
        self._wholes: dict[str, float] = {}
        self.unknown: list[str] = []

    def of(self, name: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The values of the accuracy called ``name`` as shares; NaN where they are none."""
        known = values[np.isfinite(values)]
        if not len(known):
            return values
        whole = self._wholes.get(name) or (1.0 if known.max() <= _ROUNDED_UP else 100.0)
        if (known.min() < 0 or known.max() > _ROUNDED_UP * whole) and name not in self.unknown:
            self.unknown.append(name)
        self._wholes[name] = whole
        return np.full_like(values, math.nan) if name in self.unknown else values / whole

    def in_curve(self, curve: pd.DataFrame) -> pd.DataFrame:
        """A curve with its accuracies as shares."""
        return curve.assign(**{name: self.of(name, curve[name].to_numpy(float)) for name in ACCURACIES})


def as_number(value: Any) -> float | None:
    """A reported value as a number, for which a GPU is waited for; ``None`` where it is none.

    >>> as_number(chainer.Variable(np.array(0.5))), as_number('a word')
    (0.5, None)
    """
    array = value.array if isinstance(value, chainer.Variable) else value
    try:
        return float(array.item() if hasattr(array, 'item') else array)
    except (TypeError, ValueError):
        return None


def _losses(rows: list[list[float]]) -> list[float]:
    return [row[_LOSS] for row in rows]


def _no_loss(name: str, observation: Mapping[str, Any]) -> str:
    reported = sorted(map(str, observation))
    others = [other for other in reported if 'loss' in other]
    advice = 'wrap the model in chainer.links.Classifier, or call chainer.report in it'
    if others:
        advice = f'say which is the loss: {" or ".join(f"loss={other!r}" for other in others[:MOST_NAMED])}'
    return f'the update reported no {name!r} (it reported: {", ".join(reported) or "nothing"}); {advice}'


def _fetch(arrays: list[Any]) -> list[float]:
    """Arrays of one element each on a GPU as floats, with one transfer for all."""
    joined = cuda.cupy.concatenate([array.ravel().astype('float64') for array in arrays])
    return [float(number) for number in cuda.to_cpu(joined)]
