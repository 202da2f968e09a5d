"""The whole range test on a user's updater, which is left exactly as it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clr import attributes
from lrfinder import ramp as ramp_module
from lrfinder.analyzer import analyze
from lrfinder.bench import Bench
from lrfinder.memento import preserved
from lrfinder.run import OnRow
from lrfinder.suggestion import NoRangeError, Suggestion

import pandas as pd

ITERATIONS = 150


@dataclass(frozen=True)
class Result:
    """What a range test found.

    Attributes:
        curve: The recorded curve, a row an update; columns as in ``lrfinder.curve.COLUMNS``.
        suggestion: The range, with its reasons.
    """

    curve: pd.DataFrame
    suggestion: Suggestion


def find(
    updater: Any,
    *,
    evaluator: Any = None,
    attr: str | None = None,
    value_range: tuple[float, float] | None = None,
    iterations: int = ITERATIONS,
    ramp: str = 'linear',
    optimizer: Any = None,
    observer: str = 'main',
    policy: str = 'triangular2',
    on_row: OnRow | None = None,
) -> Result:
    """Finds the range of rates to train with; the updater and all random state are left exactly as they were found."""
    optimizer = optimizer or updater.get_optimizer('main')
    attr = attr or attributes.rate_attribute(optimizer)
    attributes.check_settable(optimizer, attr)
    with preserved(updater, evaluator) as undo:
        bench = Bench(updater, attr, optimizer, undo, evaluator, observer)
        curve, _ = bench.run(ramp_module.rates(value_range or (0, 1), iterations, ramp), 10, on_row)
    try:
        return Result(curve, analyze(curve, attr=attr, policy=policy))
    except NoRangeError as error:
        error.curve = curve
        raise
