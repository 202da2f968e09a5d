"""Tunes the schedule: the range first, then policy, cycles and maximum by whole trainings, and how sure the answer is."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clr.arguments import checked_callback, checked_count
from lrfinder._names import counted
from lrfinder.analysis import cycles
from lrfinder.analysis.comparison import Difference
from lrfinder.analysis.cycles import CyclePlan, Length
from lrfinder.analysis.metrics import BY_WORTH
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.engine.built import Build, built
from lrfinder.engine.processes import MANY, alone, at_once, checked_jobs
from lrfinder.tuning import trials as studies
from lrfinder.tuning.training import VALIDATIONS, Trainer, validated
from lrfinder.tuning.trials import Task, Train, Verdict, schedule_of

import pandas as pd

TRIALS, SEEDS = 12, 3
LARGEST_SEED = 2**32 - 1  # NumPy's

# Called when a training is done: how many are, how many there are at most, and what it came to, in words.
OnTraining = Callable[[int, int, str], None]


@dataclasses.dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes:
        suggestion: What to train with. Its ``reasons['tuned']`` says how much better that is than without tuning.
        plan: Its cycles, and how long a training with it is: ``plan.iterations``.
        trials: A row a schedule that was tried, the one without tuning first: ``trial``, ``policy``, ``cycles``, ``min``,
            ``max``, ``step_size``, ``updates``, ``state`` (``'finished'``, ``'stopped early'`` or ``'diverged'``), and
            ``value``, the metric after its training.
        curves: A row a validation of a trial: ``trial``, ``iteration``, ``value``.
        metric: What trainings are judged by: ``'validation/main/accuracy'``, or the loss where there is no accuracy.
        chosen: The number of the trial that ``suggestion`` is of.
        best: The number of the best trial, which may be so by chance.
        difference: How much better that is than the trial without tuning, from other seeds; ``None`` where it is that.
        study: The Optuna study.

    >>> table = pd.DataFrame({'trial': [0], 'policy': ['wsd'], 'value': [0.9]})
    >>> base = Suggestion('lr', (0.1, 0.4), 12)
    >>> found = Tuned(base, cycles.plan(6, (4, 'epoch')), table, pd.DataFrame(), 'validation/main/accuracy', 0, 0, None, None)
    >>> found.trials['policy'].tolist()
    ['wsd']
    """

    suggestion: Suggestion
    plan: CyclePlan
    trials: pd.DataFrame
    curves: pd.DataFrame
    metric: str
    chosen: int
    best: int
    difference: Difference | None
    study: Any = dataclasses.field(repr=False)

    def _repr_png_(self) -> bytes:
        """The picture, as notebooks show it."""
        from lrfinder import plotting

        return plotting.tuning_png(self.trials, self.curves, self.metric, self.chosen)


def tune(
    build: Build,
    length: Length,
    *,
    trials: int = TRIALS,
    seed: int = 0,
    seeds: int = SEEDS,
    jobs: int = 1,
    suggestion: Suggestion | None = None,
    study: Any = None,
    out: str | None = None,
    on_training: OnTraining | None = None,
    quiet: bool = False,
    **find_options: Any,
) -> Tuned:
    """Finds the range, and then by whole trainings the policy, the number of cycles and the maximum to train with in it.

    The first trial is the plan without tuning, the second a fixed rate in the middle of the range; one ``cosine`` and ``wsd``,
    which do well in the benchmark, follow. Then Optuna chooses, from all policies, 1 to 6 cycles, and half and twice the
    maximum. A trial is validated after each epoch, and stopped in its last third where it is among the worst. At the end the
    best one and the plan without tuning are trained from other seeds. Only where these show a difference is the best one the
    answer.

    Args:
        build: Called as ``build(seed)``, it makes everything anew and returns an updater and its evaluator. All that is random
            must come from the seed. With ``jobs`` it is sent to other processes.
        length: How long a training is, such as ``(30, 'epoch')`` or ``(8000, 'iteration')``.
        trials: How many schedules to try, 2 or more; those count that a study has already.
        seed: The seed of the range test and of all trials.
        seeds: From how many others the best one and the plan without tuning are trained.
        jobs: How many trainings run at once; -1 for as many as there are cores.
        suggestion: The range, where it is known; by default :func:`lrfinder.find` finds it.
        study: An ``optuna.Study`` to work in, of any storage, with its own sampler and pruner. It goes on where it has
            trials already, and several machines may share one. By default, one is made.
        out: A folder that gets the snapshot of the answer's training, ``snapshot``; by default nothing is written.
        on_training: Called as ``on_training(done, most, words)`` after each training.
        quiet: Whether to show no progress bars.
        **find_options: Whatever :func:`lrfinder.find` takes, such as ``policy``, where that finds the range.

    Raises:
        NoRangeError: There is no range to give.
        ValueError: There is no evaluator, the study does not fit, or an argument is out of its range.

    >>> from lrfinder.cli.build import Builder
    >>> from lrfinder.cli.options import Options
    >>> build = Builder(Options(model='mlp:8', batchsize=256)).build
    >>> found = Suggestion('lr', (0.1, 0.4), 12, iterations_per_epoch=6)  # by lrfinder.find
    >>> tuned = tune(build, (4, 'epoch'), trials=2, seeds=1, suggestion=found)
    >>> tuned.trials['policy'].tolist()
    ['triangular2', 'fixed']
    """
    trials, seeds = checked_count('trials', trials, 2, MANY), checked_count('seeds', seeds, 1, MANY)
    seed = checked_count('seed', seed, 0, LARGEST_SEED - seeds)
    jobs = checked_jobs(jobs)
    cycles.checked_length(length)
    _check_suggestion(suggestion, find_options)
    checked_callback('build', build, 'build(seed)', optional=False)
    measured = validated(*built(build, seed))
    if suggestion is None:
        from lrfinder.finder import find

        updater, evaluator = built(build, seed)
        suggestion = find(updater, evaluator=evaluator, length=length, quiet=quiet, **find_options).suggestion
    plan = cycles.plan(suggestion.iterations_per_epoch, length, suggestion.policy)
    assert plan.iterations is not None
    per_epoch = suggestion.iterations_per_epoch or max(1, plan.iterations // VALIDATIONS)
    with _folder(out) as folder:
        train = Trainer(build, per_epoch, folder, quiet or jobs != 1)
        task = task_of(suggestion, plan, measured, trials, seed, train)
        with _study(study, task, jobs) as own_study:
            verdict = search(own_study, task, seeds, jobs, on_training)
            tuned = tuned_by(own_study, task, verdict)
        if folder is not None:
            _keep(folder, tuned.chosen, Path(str(out)))
    return tuned


def _check_suggestion(suggestion: Any, find_options: Mapping[str, Any]) -> None:
    if suggestion is None:
        return
    if not isinstance(suggestion, Suggestion):
        raise ValueError(f'suggestion must be a lrfinder.Suggestion, not {suggestion!r}')
    if find_options:
        raise ValueError(f'suggestion is given, so that none is to be found: drop {", ".join(find_options)}')


def task_of(
    suggestion: Suggestion, plan: CyclePlan, measured: Any, trials: int, seed: int, train: Train, own: bool = False
) -> Task:
    """What is tuned.

    Args:
        suggestion: The range.
        plan: The cycles of a training without tuning.
        measured: What a validation gives, by the names of the metrics.
        trials: How many schedules to try.
        seed: The seed of all trials.
        train: Makes a training.
        own: Whether nobody else works on the study.
    """
    base = cycles.replanned(suggestion, plan, suggestion.policy)
    metric = next(name for name in BY_WORTH if name in measured)
    return Task(base, plan, metric, trials, seed, train, own)


def search(study: Any, task: Task, seeds: int, jobs: int = 1, on_training: OnTraining | None = None) -> Verdict:
    """Makes the trials that a study lacks, then the repetitions that tell how sure its best one is.

    Raises:
        ValueError: The study does not fit.
    """
    studies.check_study(study, task)
    if jobs != 1 and not studies.is_shared(study):
        raise ValueError("with more than one job the study needs a storage that processes share, such as 'sqlite:///tune.db'")
    most = task.trials + 2 * seeds
    told = on_training or (lambda done, most, words: None)
    studies.prepare(study, task)
    left = studies.unfinished(study, task) + (studies.begun(study) if jobs != 1 else [])
    new = max(0, task.trials - len(studies.tried(study)) - len(left))
    for number in _made(studies.make_trial, [(study, task, number, jobs != 1) for number in [*left, *[None] * new]], jobs):
        if number is not None:
            told(len(studies.tried(study)), most, studies.told(study, task, number))
    studies.make_default(study, task)
    repetitions = studies.repetitions(study, task, seeds)
    calls = [
        (study, task, schedule, seed, f'repetition {2 * seeds - len(repetitions) + index} of {2 * seeds}')
        for index, (schedule, seed) in enumerate(repetitions, start=1)
    ]
    for done, words in enumerate(_made(studies.repeat, calls, jobs), start=most - len(calls) + 1):
        told(done, most, words)
    return studies.judge(study, task, seeds)


def _made(function: Callable[..., Any], calls: list[tuple[Any, ...]], jobs: int) -> Iterator[Any]:
    if jobs == 1:
        return (function(*call) for call in calls)
    return at_once(_alone, [(function, *call) for call in calls], jobs)


def _alone(function: Callable[..., Any], *arguments: Any) -> Any:
    with alone():
        return function(*arguments)


def tuned_by(study: Any, task: Task, verdict: Verdict) -> Tuned:
    """The answer."""
    schedule = schedule_of(verdict.chosen)
    plan = task.plan(schedule)
    suggestion = schedule.within(task.base, plan)
    reasons = {**suggestion.reasons, 'tuned': reason(verdict, task.metric)}
    return Tuned(
        suggestion=dataclasses.replace(suggestion, reasons=reasons, updates=task.base.updates + verdict.updates),
        plan=plan,
        trials=studies.table(study, task),
        curves=studies.curves(study),
        metric=task.metric,
        chosen=verdict.chosen.number,
        best=verdict.best.number,
        difference=verdict.difference,
        study=study,
    )


def reason(verdict: Verdict, metric: str) -> str:
    """Why this is the answer, in words."""
    schedule, cost = schedule_of(verdict.best), f'cost {verdict.updates:,} updates'
    if verdict.difference is None:
        return f'no schedule ended better than the plan without tuning; {cost}'
    found, seeds = verdict.difference, counted(verdict.seeds, 'seed')
    if found.by_divergence:
        ours, theirs = found.diverged
        kept = '' if found.shows > 0 else 'the plan without tuning is kept: '
        return f'{kept}{schedule} diverged from {ours} of {seeds}, the plan without tuning from {theirs}; {cost}'
    if found.shows > 0:
        return f'{schedule}: {found.in_words(metric)} better than the plan without tuning, by {seeds}; {cost}'
    return (
        f'the plan without tuning is kept: the best trial, {schedule}, shows no difference to it that {seeds} can tell '
        f'({found.in_words(metric)}); {cost}'
    )


@contextlib.contextmanager
def _study(study: Any, task: Task, jobs: int) -> Iterator[Any]:
    """The user's study, or one of our own, which other processes see where there are several."""
    if study is not None:
        yield study
    elif jobs == 1:
        with studies.silent():
            yield studies.new_study(dataclasses.replace(task, own=True))
    else:
        with tempfile.TemporaryDirectory() as folder, studies.silent():
            yield studies.new_study(task, studies.in_file(Path(folder) / 'tune.db'))


@contextlib.contextmanager
def _folder(out: str | None) -> Iterator[Path | None]:
    """A folder for the snapshots of the trials, where one of them is to be kept."""
    if out is None:
        yield None
        return
    Path(out).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        yield Path(folder)


def _keep(folder: Path, number: int, out: Path) -> None:
    (folder / f'trial_{number}').replace(out / 'snapshot')
