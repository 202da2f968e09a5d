"""The job of ``--curve``: reads a range off a recorded curve. Loads no Chainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lrfinder import plotting
from lrfinder._names import PICTURE, RUN, SUGGESTION
from lrfinder.analysis.analyzer import analyze
from lrfinder.analysis.curve import read_curve
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.cli import summary
from lrfinder.cli.errors import UsageError, blaming, writing
from lrfinder.cli.folder import check_names, reserved
from lrfinder.cli.options import Options
from lrfinder.cli.output import Output

import pandas as pd

BESIDE_A_RUN = 'from_curve'


def run(options: Options, out: Output) -> None:
    """Analyzes the curve, and writes the picture and the suggestion.

    Args:
        options: The command's.
        out: Where it says what it finds.

    Raises:
        NoRangeError: The curve shows no range; the picture is written.
        UsageError: It is no curve, or the files can't be written.
    """
    path, folder = Path(str(options.curve)), _folder(options)
    try:
        with blaming('--curve'):
            curve = read_curve(path, columns=dict(options.columns))
    except OSError as error:
        raise UsageError(f'--curve {path}: {error.strerror}') from error
    picture = folder / PICTURE
    check_names(folder, [PICTURE, SUGGESTION])
    try:
        suggestion = _analyze(curve, policy=options.policy)
    except NoRangeError as error:
        with reserved(folder), writing(folder):
            plotting.save_range_test(picture, curve, None, note=str(error))
        raise
    except ValueError as error:
        raise UsageError(f'--curve {path}: {error}') from error
    out.answer(summary.quiet_line(suggestion))
    out.say(*summary.range_lines(suggestion))
    with reserved(folder), writing(folder):
        suggestion.save(folder / SUGGESTION)
        plotting.save_range_test(picture, curve, suggestion)
    out.say(f'Picture: {picture}', '', *summary.how_to_train(suggestion))


def _folder(options: Options) -> Path:
    """``--out``; in the folder of a run, one that leaves the run's own answer alone."""
    folder = Path(options.out)
    return folder / BESIDE_A_RUN if (folder / RUN).exists() else folder


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
