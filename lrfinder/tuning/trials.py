"""The trials of a study: asked for, trained, told. All that is known of them is in the study, so that it can go on anywhere."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lrfinder.analysis.comparison import Difference, difference
from lrfinder.analysis.cycles import CyclePlan
from lrfinder.analysis.metrics import LOSS, WORDS, cost_sign
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.tuning.schedules import FIXED, MOST_CYCLES, Schedule, choices, suggested

import pandas as pd

with warnings.catch_warnings():
    warnings.filterwarnings('ignore', 'IProgress not found')  # said in a notebook of a bar that is not shown here
    import optuna
    from optuna.trial import FrozenTrial, TrialState
    from sqlalchemy.engine import URL

NAME = 'lrfinder'
# The first trials are chosen without looking at others, and end without being compared with others.
STARTUP_TRIALS = 4
# A trial is stopped in the last third of its training where its best validation so far is among the worst quarter at that time:
# in the middle of a cycle a schedule may well be behind.
KEPT, WARMUP = 75.0, 2 / 3
# Trials that Optuna names again are answered from memory, so many in a row.
MOST_REPETITIONS = 50
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_REPEATED = 'repeated '
_OWNER = 'of the run and its range'

# Called after each validation with the iteration and what was measured; returns whether to stop.
Watch = Callable[[int, Mapping[str, Any]], bool]


@dataclasses.dataclass(frozen=True)
class Training:
    """A training that is to be made.

    Attributes:
        name: Tells it from the others of a study: ``'trial_3'``.
        title: What it is, in words.
        suggestion: What to train with.
        iterations: How long.
        seed: From which seed.
    """

    name: str
    title: str
    suggestion: Suggestion
    iterations: int
    seed: int


# Trains, and returns what was measured last.
Train = Callable[[Training, Watch], Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Task:
    """What is tuned.

    Attributes:
        base: The range, with the cycles that it would be trained in without any tuning.
        cycles: Those cycles.
        metric: What trainings are judged by, one of ``lrfinder.analysis.metrics.VALIDATION``.
        trials: How many schedules are tried.
        seed: The seed of all trials.
        train: Makes a training.
        own: Whether nobody else works on the study, so that an unfinished trial in it is one that was interrupted.
    """

    base: Suggestion
    cycles: CyclePlan
    metric: str
    trials: int
    seed: int
    train: Train
    own: bool = False

    @property
    def default(self) -> Schedule:
        """The schedule without tuning."""
        return Schedule(self.base.policy, self.cycles.cycles)

    @property
    def iterations(self) -> int:
        """How long a training may be."""
        return self.cycles.iterations or 0

    @property
    def most_cycles(self) -> int:
        """How many cycles are tried at most; no fewer than without tuning."""
        return max(min(MOST_CYCLES, self.iterations // 2), self.cycles.cycles or 1)

    def plan(self, schedule: Schedule) -> CyclePlan:
        """The cycles of a schedule."""
        return self.cycles if schedule == self.default else schedule.plan(self.base, self.iterations)

    def first(self) -> list[Schedule]:
        """The schedules that are tried first: the one without tuning, a fixed rate, and what does well in the benchmark."""
        return list(dict.fromkeys([self.default, Schedule(FIXED), Schedule('cosine', 1), Schedule('wsd')]))[: self.trials]

    def training(self, schedule: Schedule, name: str, title: str, seed: int) -> Training:
        """A training with a schedule."""
        plan = self.plan(schedule)
        return Training(name, f'{title}: {schedule}', schedule.within(self.base, plan), plan.iterations or 0, seed)

    @property
    def direction(self) -> str:
        """That of a study for it."""
        return 'maximize' if cost_sign(self.metric) < 0 else 'minimize'


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Which schedule is the best, and how sure that is.

    Attributes:
        default: The trial without tuning.
        best: The best trial, which may be the same.
        difference: How much better the best is than the default, by trainings from other seeds than that of the trials;
            ``None`` where the default is the best.
        seeds: From how many seeds both were trained again.
        updates: What all trainings cost.
    """

    default: FrozenTrial
    best: FrozenTrial
    difference: Difference | None
    seeds: int
    updates: int

    @property
    def chosen(self) -> FrozenTrial:
        """The best trial, where it is shown to be better than the default; else that."""
        return self.best if self.difference is not None and self.difference.shows > 0 else self.default


# The study


def new_study(task: Task, storage: Any = None) -> optuna.Study:
    """A study for a task; the one that is there already in its storage, if there is one."""
    pruner = optuna.pruners.PercentilePruner(KEPT, STARTUP_TRIALS, n_warmup_steps=int(WARMUP * task.iterations))
    return optuna.create_study(
        storage=storage, study_name=NAME, direction=task.direction, pruner=pruner, sampler=_sampler(0), load_if_exists=True
    )


def study_for(task: Task, storage: Any, run_id: str) -> optuna.Study:
    """The study of a run in a storage; it begins anew where there is one of another run, or of another range."""
    study, owner = new_study(task, storage), [run_id, *task.base.value_range]
    if study.user_attrs.get(_OWNER, owner) != owner:
        optuna.delete_study(study_name=NAME, storage=storage)
        study = new_study(task, storage)
    study.set_user_attr(_OWNER, owner)
    return study


def in_file(path: str | os.PathLike[str]) -> optuna.storages.RDBStorage:
    """The storage in a file of SQLite, which several processes may use at once."""
    # A path may hold what has a meaning in an address, and releases of SQLAlchemy differ in what they quote.
    url = URL.create('sqlite', database=Path(path).resolve().as_uri(), query={'uri': 'true'})
    return optuna.storages.RDBStorage(url.render_as_string(), engine_kwargs={'connect_args': {'timeout': 60}})


def check_study(study: Any, task: Task) -> None:
    """Refuses a study that does not fit.

    Raises:
        ValueError: It is none, has several objectives, or another direction.
    """
    if not isinstance(study, optuna.Study):
        raise ValueError(f'study must be an optuna.Study, not {study!r}')
    directions = [direction.name.lower() for direction in study.directions]
    if directions != [task.direction]:
        raise ValueError(
            f'study must {task.direction} one value, as trainings are judged by {task.metric}; it has {directions}'
        )


def is_shared(study: optuna.Study) -> bool:
    """Whether other processes see the study."""
    return not isinstance(study._storage, optuna.storages.InMemoryStorage)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keeps Optuna from telling each trial over the block."""
    earlier = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(earlier)


def _sampler(seed: int) -> optuna.samplers.BaseSampler:
    return optuna.samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed)


def tried(study: optuna.Study) -> list[FrozenTrial]:
    """The finished trials, each schedule once; not those that somebody else has put into the study."""
    finished = study.get_trials(deepcopy=False, states=_FINISHED)
    return [trial for trial in finished if 'updates' in trial.user_attrs]


def schedule_of(trial: FrozenTrial) -> Schedule:
    """What a trial tried."""
    return Schedule.of_params(trial.params)


# What is to be done


def prepare(study: optuna.Study, task: Task) -> None:
    """Enqueues the first trials, unless the study has them."""
    trials = study.get_trials(deepcopy=False)
    known = [trial.params or trial.system_attrs.get('fixed_params') for trial in trials if trial.state != TrialState.FAIL]
    for schedule in task.first():
        if schedule.to_params() not in known:
            study.enqueue_trial(schedule.to_params())


def unfinished(study: optuna.Study, task: Task) -> list[int]:
    """The numbers of the trials that were interrupted."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [trial.number for trial in running] if task.own else []


def begun(study: optuna.Study) -> list[int]:
    """Begins the trials that are enqueued: two processes that begin them by SQLite may get the same one."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return [study.ask().number for _ in waiting]


def make_trial(study: optuna.Study, task: Task, number: int | None = None, several: bool = False) -> int | None:
    """Makes one trial, from what is asked of the study to what it is told.

    Args:
        study: The study.
        task: What is tuned.
        number: That of a trial that was interrupted, and goes on.
        several: Whether other processes do the same.

    Returns:
        Its number; ``None`` where there is nothing new to try.
    """
    with silent():
        if several:  # which have copies of one sampler
            study.sampler.reseed_rng()
        elif task.own:  # so that a study goes on as if it had never been interrupted
            study.sampler = _sampler(1000 * task.seed + (len(study.get_trials(deepcopy=False)) if number is None else number))
        if number is None and len(tried(study)) >= task.trials and has_default(study, task):
            return None
        trial = _asked(study, task) if number is None else _running(study, number)
        if trial is not None:
            _try(study, task, trial)
        return None if trial is None else trial.number


def make_default(study: optuna.Study, task: Task) -> None:
    """Makes the trial without tuning where the study has none, as where it was interrupted in a study that others work on."""
    if not has_default(study, task):
        study.enqueue_trial(task.default.to_params())
    while not has_default(study, task):
        make_trial(study, task)


def _running(study: optuna.Study, number: int) -> optuna.Trial:
    return optuna.Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)


def _asked(study: optuna.Study, task: Task) -> optuna.Trial | None:
    """A trial of a schedule that is new. One that has been tried would end as before, so that it is told at once."""
    for _ in range(MOST_REPETITIONS):
        trial = study.ask()
        params = suggested(trial, choices(task.base), task.most_cycles).to_params()
        same = [other for other in study.get_trials(deepcopy=False) if other.params == params and other.number < trial.number]
        known = next((other for other in same if other.state in (*_FINISHED, TrialState.RUNNING)), None)
        if known is None:
            return trial
        if known.state == TrialState.RUNNING:  # in another process
            study.tell(trial, state=TrialState.FAIL)
            continue
        study.tell(trial, known.value if known.state == TrialState.COMPLETE else None, state=known.state)
        if task.own:
            study.sampler = _sampler(1000 * task.seed + trial.number + 1)
    return None


def _try(study: optuna.Study, task: Task, trial: optuna.Trial) -> None:
    schedule = suggested(trial, choices(task.base), task.most_cycles)
    training = task.training(schedule, f'trial_{trial.number}', f'trial {len(tried(study)) + 1} of {task.trials}', task.seed)
    watcher = Watcher(task, training, trial, may_stop=schedule != task.default)
    try:
        if not watcher.was_stopped():
            watcher.take(task.train(training, watcher), training.iterations)
    except BaseException:
        if not task.own:
            study.tell(trial, state=TrialState.FAIL)
        raise
    suggestion = training.suggestion
    trial.set_user_attr('value_range', list(suggestion.value_range))
    trial.set_user_attr('step_size', suggestion.step_size)
    trial.set_user_attr('updates', watcher.iteration)
    trial.set_user_attr('diverged', watcher.diverged)
    if watcher.stopped:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, watcher.value)


class Watcher:
    """Reports each validation of a trial, and stops it where it diverges or the pruner says so.

    Attributes:
        iteration: How far it has come.
        value: The last value.
        diverged: Whether a loss was not finite.
        stopped: Whether it was ended early.
    """

    def __init__(self, task: Task, training: Training, trial: Any = None, may_stop: bool = False) -> None:
        self._task, self._trial, self._may_stop = task, trial, may_stop
        self._length = training.iterations
        self._reported = {} if trial is None else dict(trial.study.trials[trial.number].intermediate_values)
        self.iteration = 0
        self.value = math.nan
        self.diverged = self.stopped = False

    def __call__(self, iteration: int, found: Mapping[str, Any]) -> bool:
        self.iteration = iteration
        self.value = _number(found.get(self._task.metric))
        self.diverged = not math.isfinite(self.value) or not math.isfinite(_number(found.get(LOSS, 0.0)))
        if self._trial is not None and not self.diverged and iteration not in self._reported:
            self._trial.report(self.value, iteration)
        unfinished = self._may_stop and iteration < self._length
        self.stopped = self.diverged or (unfinished and self._trial.should_prune())
        return self.stopped

    def was_stopped(self) -> bool:
        """Whether a trial that was interrupted had been about to end early."""
        if self._reported and self._may_stop and self._trial.should_prune():
            self.iteration = max(self._reported)
            self.value, self.stopped = self._reported[self.iteration], True
        return self.stopped

    def take(self, last: Mapping[str, Any], iterations: int) -> None:
        """What a training came to that had been finished before."""
        if not self.iteration:
            self(iterations, last)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


# How sure it is


def best_of(study: optuna.Study, task: Task) -> tuple[FrozenTrial, FrozenTrial]:
    """The trial without tuning, and the best of all."""
    trials = tried(study)
    default = next(trial for trial in trials if schedule_of(trial) == task.default)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    sign = cost_sign(task.metric)
    return default, min([default, *complete], key=lambda trial: sign * trial.value if _completed(trial) else math.inf)


def has_default(study: optuna.Study, task: Task) -> bool:
    """Whether the trial without tuning is done."""
    return any(schedule_of(trial) == task.default for trial in tried(study))


def _completed(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.COMPLETE


def repetitions(study: optuna.Study, task: Task, seeds: int) -> list[tuple[Schedule, int]]:
    """What is trained again to tell the best from the default, and from which seed; without what has been."""
    default, best = map(schedule_of, best_of(study, task))
    if default == best:
        return []
    wanted = [(schedule, task.seed + offset) for offset in range(1, seeds + 1) for schedule in (default, best)]
    return [(schedule, seed) for schedule, seed in wanted if _key(schedule, seed) not in study.user_attrs]


def repeat(study: optuna.Study, task: Task, schedule: Schedule, seed: int, title: str) -> str:
    """Trains with a schedule from another seed, keeps how that ended in the study, and says it in words."""
    training = task.training(schedule, _name(schedule, seed), title, seed)
    watcher = Watcher(task, training)
    with silent():
        watcher.take(task.train(training, watcher), training.iterations)
        value = None if watcher.diverged else watcher.value
        study.set_user_attr(_key(schedule, seed), {'name': training.name, 'value': value, 'updates': watcher.iteration})
    return f'{schedule}, from seed {seed}: {_ended(task, watcher.value, watcher.diverged)}'


def is_repeated(study: optuna.Study, name: str) -> bool:
    """Whether the repetition whose training has this name is done."""
    return any(key.startswith(_REPEATED) and value['name'] == name for key, value in study.user_attrs.items())


def _name(schedule: Schedule, seed: int) -> str:
    return re.sub(r'[^\w.]+', '_', f'{schedule} seed {seed}')


def _key(schedule: Schedule, seed: int) -> str:
    return f'{_REPEATED}{schedule}, seed {seed}'


def judge(study: optuna.Study, task: Task, seeds: int) -> Verdict:
    """The verdict on a study whose trials and repetitions are done."""
    default, best = best_of(study, task)
    found = study.user_attrs
    updates = sum(trial.user_attrs.get('updates', 0) for trial in tried(study))
    updates += sum(one['updates'] for name, one in found.items() if name.startswith(_REPEATED))
    if default.number == best.number:
        return Verdict(default, best, None, 0, updates)
    ends = [
        [_number(found[_key(schedule_of(trial), task.seed + offset)]['value']) for offset in range(1, seeds + 1)]
        for trial in (best, default)
    ]
    return Verdict(default, best, difference(ends[0], ends[1], task.metric, one_sided=True), seeds, updates)


# What is shown


def table(study: optuna.Study, task: Task) -> pd.DataFrame:
    """A row a trial, that without tuning first: what was tried, and what it came to."""
    rows = [
        {
            'trial': trial.number,
            'policy': trial.params['policy'],
            'cycles': trial.params.get('cycles'),
            'min': trial.user_attrs['value_range'][0],
            'max': trial.user_attrs['value_range'][1],
            'step_size': trial.user_attrs['step_size'],
            'updates': trial.user_attrs['updates'],
            'state': _state(trial),
            'value': trial.value if _completed(trial) else None,
        }
        for trial in sorted(tried(study), key=lambda trial: schedule_of(trial) != task.default)
    ]
    return pd.DataFrame(rows).astype({'cycles': 'Int64', 'value': float})


def curves(study: optuna.Study) -> pd.DataFrame:
    """A row a validation: ``trial``, ``iteration``, ``value``."""
    rows = [
        (trial.number, iteration, value)
        for trial in tried(study)
        for iteration, value in sorted(trial.intermediate_values.items())
    ]
    return pd.DataFrame(rows, columns=['trial', 'iteration', 'value'])


def told(study: optuna.Study, task: Task, number: int) -> str:
    """What a trial came to, in words."""
    trial = study.get_trials(deepcopy=False)[number]
    ended = _ended(task, trial.value, trial.user_attrs['diverged'])
    early = ', stopped early' if trial.state == TrialState.PRUNED and not trial.user_attrs['diverged'] else ''
    return f'{schedule_of(trial)}: {ended}{early}'


def _ended(task: Task, value: float | None, diverged: bool) -> str:
    return 'diverged' if diverged else f'{WORDS[task.metric]} {value:.4g}'


def _state(trial: FrozenTrial) -> str:
    if trial.user_attrs.get('diverged'):
        return 'diverged'
    return 'stopped early' if trial.state == TrialState.PRUNED else 'finished'
