"""Training with the range that was found: under CLR in whole cycles, and at fixed rates to compare with."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from clr.training.extensions import CLR
from lrfinder import _files
from lrfinder.analysis.metrics import LOSS, METRICS
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.cli import snapshots
from lrfinder.cli.build import Parts
from lrfinder.cli.errors import writing
from lrfinder.engine.progress import Progress

import numpy as np
import pandas as pd
from chainer import training
from chainer.training import extension, extensions

Entry = dict[str, Any]
Log = list[Entry]


@dataclasses.dataclass(frozen=True)
class Course:
    """A training from its start to its end.

    Attributes:
        folder: Where its log and its snapshot go.
        iterations: Its length in updates.
        iterations_per_epoch: How often it is validated, logged and saved.
        run_id: Which run it belongs to.
        earlier: The snapshot to go on from.
        quiet: Whether to show no progress bar.
        title: What the progress bar calls it.
        watch: Called after each validation with the iteration and the entry of the log; returns whether to stop.
    """

    folder: Path
    iterations: int
    iterations_per_epoch: int
    run_id: str
    earlier: Path | None = None
    quiet: bool = False
    title: str = ''
    watch: Callable[[int, Entry], bool] | None = None


def train_with_clr(parts: Parts, suggestion: Suggestion, course: Course) -> Log:
    """Trains under CLR in a range; writes LogReport's ``log`` and a snapshot.

    Returns:
        The entries of the log.

    Raises:
        UsageError: A file can't be written, or the snapshot to go on from does not fit.
    """
    cycles = CLR(suggestion.attr, suggestion.value_range, suggestion.step_size, suggestion.policy)
    return _train(parts, trained_with(suggestion), course, 'CLR', cycles)


def trained_with(suggestion: Suggestion) -> dict[str, Any]:
    """What decides the rates of a training under CLR, as its snapshots have it.

    >>> trained_with(Suggestion('lr', (0.1, 0.4), 90))
    {'attr': 'lr', 'value_range': [0.1, 0.4], 'step_size': 90, 'policy': 'triangular2'}
    """
    return {
        'attr': suggestion.attr,
        'value_range': list(suggestion.value_range),
        'step_size': suggestion.step_size,
        'policy': suggestion.policy,
    }


def train_at(rate: float, parts: Parts, attr: str, course: Course) -> Log:
    """Trains at a fixed rate; files, result and errors are those of :func:`train_with_clr`."""
    setattr(parts.updater.get_optimizer('main'), attr, rate)
    return _train(parts, {'attr': attr, 'rate': rate}, course, f'fixed rate {rate:.4g}')


# The fixed rates to compare with, by name.
FIXED = ('min', 'middle', 'max')


def fixed_rates(value_range: tuple[float, float]) -> dict[str, float]:
    """The fixed rates to compare with: both ends of a range and its geometric middle.

    >>> fixed_rates((0.1, 0.4))
    {'min': 0.1, 'middle': 0.2, 'max': 0.4}
    """
    low, high = value_range
    return dict(zip(FIXED, (low, math.sqrt(low * high) if low else high / 2, high)))


def comparison(logs: Mapping[str, Log]) -> pd.DataFrame:
    """The logs of several runs as one table, with the name of the run in a first column.

    >>> comparison({'CLR': [{'epoch': 1, 'iteration': 45, 'lr': 0.1, 'main/loss': 0.7}]})['run'].tolist()
    ['CLR']
    """
    columns = ['run', 'epoch', 'iteration', 'lr', *METRICS]
    rows = [{'run': name, **entry} for name, log in logs.items() for entry in log]
    table = pd.DataFrame(rows)
    return table[[name for name in columns if name in table]]


def _train(parts: Parts, trained_with: Mapping[str, Any], course: Course, title: str, cycles: Any = None) -> Log:
    updater = parts.updater
    optimizer = updater.get_optimizer('main')
    watch = _Watch(course)
    trainer = training.Trainer(updater, watch.ended, out=str(course.folder))
    at_epochs = _EveryEpoch(course.iterations_per_epoch, course.iterations)
    log = extensions.LogReport(trigger=at_epochs, postprocess=_null_for_non_finite, log_name=None)
    rate = _reader(optimizer, trained_with['attr'])
    with Progress(course.title or title, course.iterations, course.quiet) as progress:
        trainer.extend(parts.evaluator, trigger=at_epochs)
        trainer.extend(extensions.observe_value('lr', rate), name='rate', trigger=at_epochs)  # that of the last update
        if cycles is not None:
            trainer.extend(cycles)
        trainer.extend(log)
        trainer.extend(_log_writer(log, course.folder), trigger=at_epochs)
        trainer.extend(watch.look(log), trigger=at_epochs)
        trainer.extend(snapshots.Snapshots(snapshots.Origin(course.run_id, trained_with), optimizer), trigger=at_epochs)
        if progress.visible:
            trainer.extend(_bar(progress, rate), name='bar', priority=extension.PRIORITY_WRITER)  # before the next rate is set
        if course.earlier is None:
            with writing(course.folder):
                pass  # found out now that it can't be
        else:
            snapshots.load(course.earlier, trainer, trained_with)
            _write_log(log, course.folder)  # as it was then: it may be gone, or have a row more
        with np.errstate(all='ignore'):  # a fixed rate may well be too large
            trainer.run(show_loop_exception_msg=False)
    return log.log


class _EveryEpoch:
    """Triggers after every epoch, and at the end. It has no state, so that there is none to resume."""

    def __init__(self, iterations_per_epoch: int, iterations: int) -> None:
        self._iterations_per_epoch = iterations_per_epoch
        self._iterations = iterations

    def __call__(self, trainer: Any) -> bool:
        iteration = trainer.updater.iteration
        return iteration % self._iterations_per_epoch == 0 or iteration == self._iterations


class _Watch:
    """Knows when a training has ended: at its end, or where its course is told to stop."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._stopped = False

    def ended(self, trainer: Any) -> bool:
        return self._stopped or bool(trainer.updater.iteration >= self._course.iterations)

    def look(self, log: Any) -> Any:
        @training.make_extension(priority=extension.PRIORITY_READER - 2)
        def watch(trainer: Any) -> None:
            if self._course.watch is not None:
                self._stopped = self._course.watch(trainer.updater.iteration, log.log[-1])

        return watch


def _reader(optimizer: Any, attr: str) -> Callable[[Any], float]:
    return lambda _: float(getattr(optimizer, attr))


def _log_writer(log: Any, folder: Path) -> Any:
    """Writes LogReport's log whole or not at all; LogReport itself leaves a folder behind when the process is killed."""

    @training.make_extension(priority=extension.PRIORITY_READER - 1)
    def write_log(_: Any) -> None:
        _write_log(log, folder)

    return write_log


def _write_log(log: Any, folder: Path) -> None:
    with writing(folder):
        _files.write_text(folder / 'log', json.dumps(log.log, indent=4, allow_nan=False))


def _bar(progress: Progress, rate: Callable[[Any], float]) -> Any:
    def show(trainer: Any) -> None:
        if progress.due:
            loss = trainer.observation[LOSS]
            progress.show(rate(trainer), float(getattr(loss, 'array', loss)), trainer.updater.iteration)

    return show


def _null_for_non_finite(entry: Entry) -> None:
    """JSON has no NaN."""
    for name, value in entry.items():
        if not math.isfinite(value):
            entry[name] = None
