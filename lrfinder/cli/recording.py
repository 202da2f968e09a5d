"""The curve of a range test as it grows, so that a process that is killed loses little of it."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path

from lrfinder.analysis.curve import make_curve, write_curve
from lrfinder.analysis.metrics import METRICS

# Rows come in blocks. A file is written after one of them, if that takes no more than this share of the time.
_BLOCK = 10
_SHARE = 0.01


class Recording:
    """The rate and the loss of all updates so far, those of scan and trials too, in a file.

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
        self._rows: list[list[float]] = []
        self._seeds: list[int] = []
        self._seed, self._first = 0, 0
        self._next = -math.inf

    def begin(self, seed: int) -> None:
        """What comes is of this seed."""
        self._seed, self._first = seed, len(self._rows)

    def add(self, rate: float, loss: float) -> None:
        """Takes a row."""
        self._rows.append([len(self._rows) - self._first + 1, rate, loss, *[math.nan] * (len(METRICS) - 1)])
        self._seeds.append(self._seed)
        began = time.monotonic()
        if len(self._rows) % _BLOCK == 0 and began > self._next:
            with contextlib.suppress(OSError):
                self.save()
            ended = time.monotonic()
            self._next = ended + (ended - began) / _SHARE

    def save(self) -> bool:
        """Writes the file; returns whether there was anything to write.

        Raises:
            OSError: It can't be written.
        """
        curve = make_curve(self._rows)
        if self._several:
            curve.insert(0, 'seed', self._seeds)
        if self._rows:
            write_curve(curve, self._path)
        return bool(self._rows)
