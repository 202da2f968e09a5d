"""Trains many times at once, one process a core.

What the processes run stands here, not in the commands: a command's own functions would reach them as a copy
that imports Chainer before `clr`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import lrfinder
from benchmarks.stacked import train_together
from benchmarks.task import Setup, Task, train
from benchmarks.tasks import BY_NAME, TASKS

import chainer
import numpy as np
import pandas as pd
from joblib import Parallel, delayed

SEEDS = (0, 1, 2)  # trained from
OTHER_SEEDS = (3, 4, 5)  # the oracle trains from them, too, to see what its answer is worth from other seeds
PARTNER = dict(zip(SEEDS + OTHER_SEEDS, OTHER_SEEDS + SEEDS))  # judges what each of them finds
UNTOLD = (math.nan, math.nan)
SPREAD_SEEDS = range(10)  # asked for a range, to see how much the answer varies


def options(description: str | None, budget: bool = False) -> argparse.Namespace:
    """Read the options that every measuring command has: `tasks`, a list of them, `jobs` and, if wanted, `budget`."""
    return arguments(description, budget).parse_args()


def arguments(description: str | None, budget: bool = False) -> argparse.ArgumentParser:
    """The parser of those options, for a command that has more."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--tasks', type=_tasks, default=TASKS, help='measure only these, or these groups; comma separated')
    parser.add_argument('--jobs', type=_count, default=-1, help='processes (default: one a core)')
    if budget:
        parser.add_argument('--budget', type=_counts, default=[None], help='updates that an answer may cost; comma separated')
    return parser


def _tasks(names: str) -> list[Task]:
    asked = names.split(',')
    unknown = set(asked) - set(BY_NAME) - {task.group for task in TASKS}
    if unknown:
        raise argparse.ArgumentTypeError(f'no such task or group: {", ".join(unknown)}; see TASKS in benchmarks/tasks.py')
    return [task for task in TASKS if task.name in asked or task.group in asked]


def _counts(text: str) -> list[int]:
    return [_count(part) for part in text.split(',')]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'must be a positive number, not {text!r}')
    return int(text)


def in_parallel(function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], jobs: int) -> list[Any]:
    """Call the function with each of the tuples of arguments."""
    return Parallel(n_jobs=jobs, verbose=5, batch_size=1)(delayed(function)(*call) for call in calls)


def errors(name: str, value_range: tuple[float, float], seed: int) -> tuple[float, int]:
    """Train a task in a range: the error in points, and 1 if the network collapsed to chance."""
    outcome = train(BY_NAME[name], value_range, seed)
    return outcome.error, int(outcome.collapsed)


def errors_together(name: str, ranges: Sequence[tuple[float, float]], seed: int) -> list[tuple[float, int]]:
    """What :func:`errors` says of each of the ranges, from one seed."""
    task = BY_NAME[name]
    outcomes = train_together(task, ranges, seed, 'triangular', task.half_cycle, 4)
    return [(outcome.error, int(outcome.collapsed)) for outcome in outcomes]


def trained(rows: pd.DataFrame, jobs: int) -> list[tuple[float, int]]:
    """What :func:`errors` says of each row; columns task, min, max and seed."""
    return in_parallel(errors, zip(rows.task, zip(rows['min'], rows['max']), rows.seed), jobs)


def losses(name: str, rates: Iterable[float], seed: int) -> list[float]:
    """Train a task at the given rates: the training loss of each update's batch."""
    setup = BY_NAME[name].build(seed)
    reporter = chainer.Reporter()
    reporter.add_observer('main', setup.model)
    found = []
    with np.errstate(all='ignore'):
        for rate in rates:
            setattr(setup.optimizer, setup.attr, float(rate))
            with reporter.scope({}):
                setup.updater.update()
                found.append(float(reporter.observation['main/loss'].array))
    return found


class Answer(NamedTuple):
    """What `lrfinder.find` says; all 0 if there is no range, NaN for what it does not tell.

    Attributes:
        min: The lowest rate of the range.
        max: The highest.
        updates: What the answer cost.
        low: The lowest maximum that another test might give.
        high: The highest.
        band_low: The lowest maximum that is about as good as the best.
        band_high: The highest.
        diverges: The rate at which the training diverges.
    """

    min: float = 0.0
    max: float = 0.0
    updates: int = 0
    low: float = math.nan
    high: float = math.nan
    band_low: float = math.nan
    band_high: float = math.nan
    diverges: float = math.nan


def suggested(
    name: str,
    seed: int,
    validated: bool = True,
    budget: int | None = None,
    length: tuple[float, str] | None = None,
) -> Answer:
    """Ask `lrfinder.find` about a task; without a budget it takes as many updates as by default."""
    setup = BY_NAME[name].build(seed)
    wishes = {'budget': budget, 'length': length, 'evaluator': evaluator(setup) if validated else None}
    wishes = {wish: value for wish, value in wishes.items() if value is not None}
    try:
        found = lrfinder.find(setup.updater, quiet=True, **wishes).suggestion
    except lrfinder.NoRangeError:
        return Answer()
    spread = found.spread.get('max', UNTOLD)
    band = getattr(found, 'band', None) or UNTOLD
    diverges = getattr(found, 'diverges', None)
    return Answer(*found.value_range, found.updates, *spread, *band, math.nan if diverges is None else diverges)


def evaluator(setup: Setup) -> chainer.training.extensions.Evaluator:
    """What a user would give `lrfinder.find` to judge by."""
    validation = chainer.iterators.SerialIterator(setup.validation, 256, repeat=False, shuffle=False)
    return chainer.training.extensions.Evaluator(validation, setup.model)
