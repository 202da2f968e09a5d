"""What ``--tune`` keeps in the folder of a run; loads no Optuna."""

from __future__ import annotations

from pathlib import Path

from lrfinder.analysis.suggestion import Suggestion
from lrfinder.cli.errors import writing

STUDY, TABLE, CURVES, BY_POLICY = 'tune.db', 'tune.csv', 'tune.png', 'tune_policies.png'
FILES = (STUDY, TABLE, CURVES, BY_POLICY)
# The range as it was found, and a folder for each training that may go on.
FOLDER, RANGE = 'tune', 'range.json'


def trainings(folder: Path) -> list[Path]:
    """The folders of the trainings that may go on, in a run's folder."""
    return [path for path in (folder / FOLDER).glob('*') if path.is_dir()]


def parts(folder: Path) -> list[str]:
    """The names of the folders in a run's folder that tuning writes to, as far as they are there."""
    return [FOLDER, *(path.relative_to(folder).as_posix() for path in trainings(folder))]


def begin_anew(folder: Path) -> None:
    """Removes the study of an earlier run."""
    with writing(folder):
        for name in (STUDY, f'{STUDY}-journal', f'{FOLDER}/{RANGE}'):
            (folder / name).unlink(missing_ok=True)


def range_before(folder: Path) -> Suggestion | None:
    """The range without tuning, of a run that is resumed; ``None`` where tuning had not begun."""
    path = folder / FOLDER / RANGE
    return Suggestion.load(path) if path.is_file() else None
