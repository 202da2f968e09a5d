"""What a range test gives."""

from __future__ import annotations

from dataclasses import dataclass

from lrfinder.suggestion import Suggestion

import pandas as pd


@dataclass(frozen=True)
class Result:
    """What a range test found.

    Attributes:
        curve: The recorded curve, a row an update; columns as in ``lrfinder.curve.COLUMNS``, and with several seeds a first
            column ``seed``.
        suggestion: The range, with its reasons.
    """

    curve: pd.DataFrame
    suggestion: Suggestion
