"""The curve of a range test as it grows, so that a process that is killed loses little of it."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path

from lrfinder.analysis.curve import make_curve, write_curve
from lrfinder.analysis.metrics import METRICS

import pandas as pd

# Rows come in blocks. A file is written after one of them, if that takes no more than this share of the time.
_BLOCK = 10
_SHARE = 0.01


class Recording:
    """The rate and the loss of all updates so far, those of scan and trials too, in a file; of a seed that is done, its curve.

    When the test ends its curve takes the file's place. A disk that is full for a while is none of its business.

    Args:
        path: The file.
        several: Whether there is a first column ``seed``.

    >>> recording = Recording(Path('curve.csv'))
    >>> recording.add(0.1, 2.3)
    >>> recording.save()
    True
    >>> print(open('curve.csv').read(), end='')
    iteration,lr,main/loss,main/accuracy,validation/main/loss,validation/main/accuracy
    1,0.1,2.3,,,
    """

    def __init__(self, path: Path, several: bool = False) -> None:
        self._path = path
        self._several = several
        self._finished: list[pd.DataFrame] = []
        self._rows: list[list[float]] = []
        self._seed = 0
        self._next = -math.inf

    def begin(self, seed: int) -> None:
        """What comes is of this seed."""
        self._seed = seed
        self._rows.clear()

    def add(self, rate: float, loss: float) -> None:
        """Takes a row."""
        self._rows.append([len(self._rows) + 1, rate, loss, *[math.nan] * (len(METRICS) - 1)])
        began = time.monotonic()
        if len(self._rows) % _BLOCK == 0 and began > self._next:
            with contextlib.suppress(OSError):
                self.save()
            ended = time.monotonic()
            self._next = ended + (ended - began) / _SHARE

    def finish(self, seed: int, curve: pd.DataFrame) -> None:
        """Takes the curve of a seed whose range test is done, in the place of its rows."""
        self._finished.append(self._with_seed(curve, seed))
        self._rows.clear()
        with contextlib.suppress(OSError):
            self.save()

    def save(self) -> bool:
        """Writes the file; returns whether there was anything to write.

        Raises:
            OSError: It can't be written.
        """
        parts = [*self._finished, *([self._with_seed(make_curve(self._rows), self._seed)] if self._rows else [])]
        if parts:
            write_curve(pd.concat(parts, ignore_index=True), self._path)
        return bool(parts)

    def _with_seed(self, curve: pd.DataFrame, seed: int) -> pd.DataFrame:
        return curve.assign(seed=seed)[['seed', *curve.columns]] if self._several else curve
