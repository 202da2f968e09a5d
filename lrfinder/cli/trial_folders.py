"""What ``--tune`` keeps in the folder of a run; loads no Optuna."""

from __future__ import annotations

from pathlib import Path

from lrfinder._names import RUN
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.cli.errors import UsageError, writing

STUDY, TABLE, CURVES, BY_POLICY = 'tune.db', 'tune.csv', 'tune.png', 'tune_policies.png'
FILES = (STUDY, TABLE, CURVES, BY_POLICY)
# The range as it was found, and a folder for each training that may go on.
FOLDER = 'tune'
RANGE_FILE = f'{FOLDER}/range.json'


def trainings(folder: Path) -> list[Path]:
    """The folders of the trainings that may go on, in a run's folder."""
    return [path for path in (folder / FOLDER).glob('*') if path.is_dir()]


def parts(folder: Path) -> list[str]:
    """The names of the folders in a run's folder that tuning writes to, as far as they are there."""
    return [FOLDER, *(path.relative_to(folder).as_posix() for path in trainings(folder))]


def begin_anew(folder: Path) -> None:
    """Removes the study of an earlier run.

    Raises:
        UsageError: The folder has a study of somebody else's.
    """
    if (folder / STUDY).exists() and not (folder / RUN).exists():
        raise UsageError(f'--out {folder}: there is a {STUDY} of no run; move it away, or choose another --out')
    with writing(folder):
        for name in (STUDY, f'{STUDY}-journal', RANGE_FILE):
            (folder / name).unlink(missing_ok=True)


def keep_range(folder: Path, suggestion: Suggestion) -> None:
    """Keeps the range without tuning, which is where a run that is resumed goes on from."""
    with writing(folder / FOLDER):
        suggestion.save(folder / RANGE_FILE)
