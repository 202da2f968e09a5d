"""The trial cycles as a table, and that table as CSV."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from typing import Any

from lrfinder import _files
from lrfinder.analysis.metrics import LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.analysis.trials import Trial, Verdict, by_rate

import pandas as pd

# The columns of a table of trials; the rate is the highest of a trial's cycle.
COLUMNS = ('rate', 'updates', LOSS, VALIDATION_LOSS, VALIDATION_ACCURACY, 'diverged', 'weight')


def table(trials: Sequence[Trial], deciding: Sequence[Trial], found: Verdict | None, validated: bool) -> pd.DataFrame:
    """The trials as a table, a row each, in the order in which they were run.

    Args:
        trials: All of them.
        deciding: Those that a verdict was given on.
        found: The verdict; ``None`` where there is none.
        validated: Whether their losses were measured on held-out data.

    Returns:
        The columns of :data:`COLUMNS`; cells without a number are empty (NaN).
    """
    weights = {} if found is None else {trial.rate: weight for trial, weight in zip(by_rate(deciding), found.weights)}
    chosen = {id(trial) for trial in deciding}
    rows = [
        (
            trial.rate,
            trial.updates,
            trial.score.train if trial.score.sound else math.nan,
            trial.score.loss if trial.score.sound and validated else math.nan,
            1 - trial.score.error if trial.score.sound else math.nan,
            not trial.score.sound,
            float(weights.get(trial.rate, 0.0)) if id(trial) in chosen else 0.0,
        )
        for trial in trials
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write(trials: pd.DataFrame | None, path: str | os.PathLike[str]) -> None:
    """Writes a table of trials as CSV, whole or not at all; nothing where there is none.

    Raises:
        OSError: The file can't be written.
    """
    if trials is not None:
        _files.write_text(path, trials.to_csv(index=False, lineterminator='\n'))


def read(path: str | os.PathLike[str]) -> pd.DataFrame | None:
    """Reads what :func:`write` wrote; ``None`` where there is no such table."""
    try:
        with open(path, encoding='utf-8') as file:
            return from_text(file.read())
    except (OSError, ValueError):
        return None


def from_text(text: str) -> pd.DataFrame:
    """A table of trials from its CSV text.

    Raises:
        ValueError: It is something else.
    """
    cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    if list(cells.columns)[-len(COLUMNS) :] != list(COLUMNS):
        raise ValueError('these are no trials')
    return cells.apply(lambda column: [_KINDS.get(column.name, _number)(cell) for cell in column])


def _number(cell: str) -> float:
    return float(cell or 'nan')  # to the last digit, as pandas alone does not promise


_KINDS: dict[Any, Callable[[str], Any]] = {'seed': int, 'updates': int, 'diverged': 'True'.__eq__}
