"""What a range test gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lrfinder.analysis.analyzer import Reading
from lrfinder.analysis.suggestion import Suggestion

import pandas as pd


@dataclass(frozen=True)
class Result:
    """What a range test found.

    Attributes:
        curve: The recorded curve, a row an update; the columns are those of ``lrfinder.analysis.curve.COLUMNS``, and with
            several seeds a first column ``seed``.
        suggestion: The range, with its reasons.
        readings: What the analyzer reads off the ramp, by its seed (``None`` where there is no column ``seed``); a ramp that
            shows nothing by itself has none. ``None`` where the curve has not been read yet.
        trials: The trial cycles, a row each; the columns are those of ``analysis.trial_table.COLUMNS``, and with several
            seeds a first column ``seed``. ``None`` where none were run.
        scan: The scan that said where to look, with the columns of ``curve``. ``None`` where it is not known.

    >>> result = Result(pd.DataFrame({'lr': [0.1], 'main/loss': [2.3]}), Suggestion('lr', (0.01, 0.1), step_size=90))
    >>> result.suggestion.value_range
    (0.01, 0.1)
    """

    curve: pd.DataFrame
    suggestion: Suggestion
    readings: Mapping[int | None, Reading] | None = None
    trials: pd.DataFrame | None = None
    scan: pd.DataFrame | None = None

    def _repr_png_(self) -> bytes:
        """The picture, as notebooks show it."""
        from lrfinder import plotting

        return plotting.png_bytes(self.curve, self.suggestion, None, self.readings, self.trials, self.scan)
