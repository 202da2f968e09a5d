"""One run through a sequence of rates: what each update reported, and whether to go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lrfinder.breakdown import Breakdown
from lrfinder.recorder import Recorder

import pandas as pd

OnRow = Callable[[float, float], None]


class Run:
    """Gives the rate of the next update, takes what the update reported, and says when to stop.

    Args:
        rates: The rate of each update.
        recorder: Where the rows go.
        on_row: Called as ``on_row(rate, loss)`` whenever values have been read off the device.

    Attributes:
        stop_reason: Why the run has ended; ``None`` while it goes on.
        broken: Whether it ended because it broke.
    """

    def __init__(self, rates: Sequence[float], recorder: Recorder, on_row: OnRow | None = None) -> None:
        # Plain floats: elementwise kernels on a GPU would compile anew for NumPy's.
        self._rates = [float(rate) for rate in rates]
        self._recorder = recorder
        self._breakdown = Breakdown()
        self._on_row = on_row
        self.stop_reason: str | None = None
        self.broken = False

    @property
    def rate(self) -> float:
        """The rate of the next update; after the end, that of the last."""
        return self._rates[min(len(self._recorder), len(self._rates) - 1)]

    @property
    def curve(self) -> pd.DataFrame:
        """The rows so far."""
        return self._recorder.curve

    @property
    def rows(self) -> Any:
        """The rows so far, for a snapshot."""
        return self._recorder.rows()

    def load(self, rows: Any) -> None:
        """Goes on from the rows of a snapshot."""
        self._recorder.load(rows)
        self._breakdown = Breakdown()
        self.read()

    def record(self, observation: Mapping[str, Any]) -> None:
        """Takes what the update with the current rate reported.

        Raises:
            ValueError: It reported no loss.
        """
        done = len(self._recorder)
        self._recorder.add(done + 1, self._rates[done], observation)
        at_end = done + 1 == len(self._rates)
        if at_end or self._recorder.full:
            self.read()
        if at_end and self.stop_reason is None:
            self.stop_reason = f'the ramp has reached its end, {self._rates[-1]:g}'

    def read(self) -> None:
        """Reads what waits on the device, and looks whether the run has broken."""
        losses = self._recorder.read()
        first = len(self._recorder) - len(losses)
        for row, loss in enumerate(losses, start=first):
            self.stop_reason = self._breakdown.update(loss)
            if self.stop_reason is not None:
                self.broken = True
                self._recorder.cut(row + 1)  # the rows after it came before anyone looked
                break
        if losses and self._on_row is not None:
            self._on_row(self._rates[len(self._recorder) - 1], losses[-1])
