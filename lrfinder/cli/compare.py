"""The job of ``--compare``: the same training at fixed rates, from as many seeds as there are, and how they end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from lrfinder import _files
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.cli import train
from lrfinder.cli.build import Builder
from lrfinder.cli.errors import writing
from lrfinder.cli.options import Options
from lrfinder.engine.processes import alone, at_once
from lrfinder.engine.progress import Progress

import pandas as pd

TABLE, PICTURE = 'compare.csv', 'compare.png'
FILES = (TABLE, PICTURE)


@dataclasses.dataclass(frozen=True)
class Run:
    """One training of a comparison.

    Attributes:
        kind: ``'CLR'``, or one of :data:`lrfinder.cli.train.FIXED`.
        seed: From which seed.
        folder: The name of its folder within that of the command's run; ``'.'`` is that itself.
    """

    kind: str
    seed: int
    folder: str


def runs(options: Options) -> list[Run]:
    """All trainings of a comparison; the first is the command's own.

    >>> [run.folder for run in runs(Options(compare=True, seeds=2))][-4:]
    ['seed_1', 'seed_1/fixed_min', 'seed_1/fixed_middle', 'seed_1/fixed_max']
    """
    if not options.compare:
        return []
    found = []
    for seed in range(options.seed, options.seed + options.seeds):
        home = '' if seed == options.seed else f'seed_{seed}/'
        found += [Run('CLR', seed, home.rstrip('/') or '.'), *(Run(kind, seed, f'{home}fixed_{kind}') for kind in train.FIXED)]
    return found


def folders(options: Options) -> list[str]:
    """The names of the folders that a comparison writes to."""
    return [run.folder for run in runs(options)[1:]]


def compared(
    options: Options, builder: Builder, suggestion: Suggestion, own: train.Log, course_of: Callable[[str], train.Course]
) -> dict[str, list[train.Log]]:
    """Makes the trainings of a comparison.

    Args:
        options: The command's.
        builder: Builds what is trained.
        suggestion: What the command's own training was made with.
        own: Its log.
        course_of: The course of a training, by the name of its folder.

    Returns:
        The logs of each rate by its name, a seed each.
    """
    rates = train.fixed_rates(suggestion.value_range)
    names = {'CLR': 'CLR', **{kind: f'fixed {rate:.4g}' for kind, rate in rates.items()}}
    logs: dict[str, list[train.Log]] = {names[kind]: [] for kind in ('CLR', *train.FIXED)}
    several, left = options.jobs > 1, runs(options)[1:]
    calls = []
    for number, run in enumerate(left, start=1):
        course = course_of(run.folder)
        title = f'training {number} of {len(left)}: {names[run.kind]}, seed {run.seed}'
        course = dataclasses.replace(course, title=title, quiet=course.quiet or several)
        calls.append((builder, suggestion, rates.get(run.kind), run.seed, course))
    found = {(run.kind, run.seed): log for run, log in zip(left, _made(calls, options))}
    found['CLR', options.seed] = own
    for run in runs(options):
        logs[names[run.kind]].append(found[run.kind, run.seed])
    return logs


def _made(calls: Sequence[tuple[Builder, Suggestion, float | None, int, train.Course]], options: Options) -> list[train.Log]:
    if options.jobs == 1:
        return [_train(*call) for call in calls]
    found: dict[int, train.Log] = {}
    with Progress('trainings', len(calls), options.quiet) as progress:
        for index, log in at_once(_train_alone, list(enumerate(calls)), options.jobs):
            found[index] = log
            progress.count(len(found))
    return [found[index] for index in range(len(calls))]


def _train_alone(index: int, call: tuple[Builder, Suggestion, float | None, int, train.Course]) -> tuple[int, train.Log]:
    with alone():
        return index, _train(*call)


def _train(builder: Builder, suggestion: Suggestion, rate: float | None, seed: int, course: train.Course) -> train.Log:
    parts = builder.build(seed)
    if rate is None:
        return train.train_with_clr(parts, suggestion, course)
    return train.train_at(rate, parts, suggestion.attr, course)


def table(logs: dict[str, list[train.Log]], first_seed: int) -> pd.DataFrame:
    """All logs as one table; of several seeds with a first column ``seed``.

    >>> log = [{'epoch': 1, 'iteration': 45, 'lr': 0.1, 'main/loss': 0.7}]
    >>> table({'CLR': [log, log], 'fixed 0.1': [log, log]}, first_seed=3)['seed'].tolist()
    [3, 4, 3, 4]
    """
    parts = []
    for name, several in logs.items():
        for seed, log in enumerate(several, start=first_seed):
            part = train.comparison({name: log})
            if len(several) > 1:
                part.insert(0, 'seed', seed)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def save(folder: Path, logs: dict[str, list[train.Log]], first_seed: int) -> None:
    """Writes the table and the picture of a comparison."""
    from lrfinder import plotting

    found = table(logs, first_seed)
    with writing(folder):
        _files.write_text(folder / TABLE, found.to_csv(index=False, lineterminator='\n'))
        plotting.save_compare(folder / PICTURE, found)
