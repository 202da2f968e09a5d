"""The job of ``--curve``: reads a range off a recorded curve. Loads no Chainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrfinder import plotting
from lrfinder._names import PICTURE, SUGGESTION
from lrfinder.analysis.analyzer import analyze
from lrfinder.analysis.curve import read_curve
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.cli import summary
from lrfinder.cli.errors import UsageError, blaming, writing
from lrfinder.cli.options import Options

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
    lines = [summary.quiet_line(suggestion)] if options.quiet else summary.range_lines(suggestion, str(folder / PICTURE))
    print(*lines, sep='\n')


def _analyze(curve: pd.DataFrame, **options: Any) -> Suggestion:
    """As :func:`lrfinder.analyze`; of a curve of several seeds, the answer that they give together."""
    if 'seed' not in curve or curve['seed'].nunique() < 2:
        return analyze(curve, **options)
    from lrfinder import seeds

    outcomes = []
    for seed in curve['seed'].unique().tolist():
        part = curve[curve['seed'] == seed].reset_index(drop=True)
        try:
            outcomes.append(seeds.Outcome(seed, part, analyze(part, **options)))
        except NoRangeError as error:
            outcomes.append(seeds.Outcome(seed, part, None, str(error)))
    return seeds.joined(outcomes).suggestion
