"""What each table was made with: `results/provenance.csv`, a row a table and task.

`tables.update` writes it, and `python -m benchmarks.report` prints it under the tables. Its columns:

table, task: The rows that were measured.
commit: The commit that was checked out when the measurement began.
tree: 'clean': the code was that of the commit. 'changed': it had changes that were not committed. 'unrecorded': the rows are
    older than this file and came into the repository with that commit; whether its code measured them is not known.
    'unknown': there was no Git.
date: The day of the measurement; where the tree is unrecorded, of the commit.
versions: Python; those of `PACKAGES` that were installed; and the kernels that the linear algebra chose for the processor.
    Others round otherwise, which may change an answer: `OPENBLAS_CORETYPE=Haswell`, set for a command, chooses them.
"""

from __future__ import annotations

import datetime
import platform
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_info

ROOT = Path(__file__).parent.parent

# What may move a figure; of these each environment has some.
PACKAGES = ('chainer', 'numpy', 'pandas', 'scikit-learn', 'torch', 'fastai', 'lightning', 'torch-lr-finder')

UNKNOWN = 'unknown'
LABELS = {'clean': '{}', 'changed': '{} with changes', 'unrecorded': 'came with {}', UNKNOWN: UNKNOWN}


@dataclass(frozen=True)
class Origin:
    """What a measurement is made with; see the module for the fields."""

    commit: str
    tree: str
    date: str
    versions: str


def here(*packages: str) -> Origin:
    """What a measurement that begins now is made with; `packages` are more that its figures depend on.

    Files in `results/` are no changes: a command that writes three tables would find its own first one.
    """
    try:
        commit = _git('rev-parse', 'HEAD')
        tree = 'changed' if _git('status', '--porcelain', '--', ':/', ':(top,exclude)benchmarks/results') else 'clean'
    except (OSError, subprocess.CalledProcessError):  # no Git here, or not a clone
        commit = tree = UNKNOWN
    return Origin(commit, tree, datetime.date.today().isoformat(), ', '.join(_versions(packages)))


def _git(*args: str) -> str:
    return subprocess.run(['git', *args], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _versions(more: Iterable[str]) -> Iterator[str]:
    yield f'Python {platform.python_version()}'
    for package in (*PACKAGES, *more):
        with suppress(metadata.PackageNotFoundError):
            yield f'{package} {metadata.version(package)}'
    yield from sorted(
        {f'{blas["internal_api"]} {blas["architecture"]}' for blas in threadpool_info() if 'architecture' in blas}
    )


def summary(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """What the tables were made with, in short.

    Args:
        rows: The columns of `provenance.csv`.

    Returns:
        A row a table and origin, as texts: table, tasks (how many), commit, date, and the number of the versions; and the
        versions, the first of which has number 1.
    """
    counts = rows.groupby(['table', 'date', 'commit', 'tree', 'versions']).task.count().reset_index()
    numbers, versions = counts.versions.factorize()
    table = pd.DataFrame(
        {
            'table': counts.table,
            'tasks': counts.task.astype(str),
            'commit': [LABELS[tree].format(commit[:7]) for commit, tree in zip(counts.commit, counts.tree)],
            'date': counts.date,
            'versions': (numbers + 1).astype(str),
        }
    )
    return table, list(versions)
