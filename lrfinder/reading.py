"""The job of ``--curve``: reads a range off a recorded curve. Loads no Chainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrfinder import plotting, report
from lrfinder.analyzer import analyze
from lrfinder.curve import read_curve
from lrfinder.errors import UsageError, blaming, writing
from lrfinder.names import PICTURE, SUGGESTION
from lrfinder.options import Options
from lrfinder.suggestion import NoRangeError, Suggestion

import pandas as pd


def run(options: Options) -> None:
    """Analyzes the curve, and writes the picture and the suggestion.

    Raises:
        NoRangeError: The curve shows no range; the picture is written.
        UsageError: It is no curve, or the files can't be written.
    """
    path, folder = Path(str(options.curve)), Path(options.out)
    try:
        with blaming('--curve'):
            curve = read_curve(path, columns=dict(options.columns))
    except OSError as error:
        raise UsageError(f'--curve {path}: {error.strerror}') from error
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        suggestion = _analyze(curve, policy=options.policy)
    except NoRangeError as error:
        with writing(folder):
            plotting.save_range_test(folder / PICTURE, curve, None, note=str(error))
        raise
    except ValueError as error:
        raise UsageError(f'--curve {path}: {error}') from error
    with writing(folder):
        suggestion.save(folder / SUGGESTION)
        plotting.save_range_test(folder / PICTURE, curve, suggestion)
    lines = [report.quiet_line(suggestion)] if options.quiet else report.range_lines(suggestion, str(folder / PICTURE))
    print(*lines, sep='\n')


def _analyze(curve: pd.DataFrame, **options: Any) -> Suggestion:
    """As :func:`lrfinder.analyze`; of a curve of several seeds, the answer that they give together."""
    if 'seed' not in curve or curve['seed'].nunique() < 2:
        return analyze(curve, **options)
    from lrfinder import ensemble

    outcomes = []
    for seed in curve['seed'].unique().tolist():
        part = curve[curve['seed'] == seed].reset_index(drop=True)
        try:
            outcomes.append(ensemble.Outcome(seed, part, analyze(part, **options)))
        except NoRangeError as error:
            outcomes.append(ensemble.Outcome(seed, part, None, str(error)))
    return ensemble.joined(outcomes).suggestion
