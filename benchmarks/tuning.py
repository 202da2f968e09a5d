"""What tuning the schedule is worth: `python -m benchmarks.tuning` writes `tuning.csv`, `policies_report` draws it.

Eight tasks, from three seeds each, are trained for 400 updates in three ways, with about the same number of updates in all:

- plan: `lrfinder.find`, and a training by its plan,
- tune: `lrfinder.find`, and `lrfinder.tune` with its twelve trials and the repetitions that it asks for,
- optuna: Optuna alone, over the maximum (nine decades), policy and cycles, with the same sampler and pruner.

One half of the validation set chooses; the error is that on the other half. A row is what the way would answer after so many
updates. It takes ten minutes on one core, may be ended at any time, and goes on where it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import lrfinder
from benchmarks import provenance, tables
from benchmarks.measuring import SEEDS, evaluator, options
from benchmarks.task import validate
from benchmarks.tasks import BY_NAME
from lrfinder.analysis import cycles
from lrfinder.analysis.metrics import cost_sign
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.tuning import trials
from lrfinder.tuning.schedules import Schedule, choices, suggested
from lrfinder.tuning.training import Trainer, validated
from lrfinder.tuning.trials import Training
from lrfinder.tuning.tuner import SEEDS as REPETITIONS
from lrfinder.tuning.tuner import TRIALS, search, task_of, tuned_by

import optuna
import pandas as pd
from chainer.datasets import split_dataset_random

TABLE = 'tuning.csv'
LENGTH = 400
DECADES = (1e-7, 1e2)
NAMES = (
    'digits-mlp-momentum',
    'teacher-mlp-sgd',
    'parity-mlp-adam',
    'cancer-noise-dropout-rmsprop',
    'digits-wide-adagrad',
    'diabetes-mlp-adam',
    'quantiles-mlp-momentum',
    'digits60-mlp-momentum',
)


class Bench:
    """Trains a task; half of its validation set judges, the other half tests.

    Attributes:
        errors: The errors on the half that tests, by the name of the training.
        updates: How many updates all trainings made so far.
    """

    def __init__(self, name: str, per_epoch: int) -> None:
        self._task = BY_NAME[name]
        self._trainer = Trainer(self.build, per_epoch, quiet=True)
        self.errors: dict[str, float] = {}
        self.updates = 0

    def build(self, seed: int) -> tuple[Any, Any]:
        """What `lrfinder.tune` trains."""
        setup = self._task.build(seed)
        judges, tests = split_dataset_random(setup.validation, len(setup.validation) // 2, seed=0)
        self._tested = dataclasses.replace(setup, validation=tests)
        return setup.updater, evaluator(dataclasses.replace(setup, validation=judges))

    def __call__(self, training: Training, watch: Any) -> Mapping[str, Any]:
        found = self._trainer(training, watch)
        self.errors[training.name] = validate(self._tested, self._task.kind).error
        self.updates += self._tested.updater.iteration
        return found


def main() -> None:
    """Measure what is missing of the tasks asked for, and put it into the table."""
    args = options(__doc__)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    origin = provenance.here()
    for seed in SEEDS:
        for name in [name for name in NAMES if name in {task.name for task in args.tasks}]:
            kept = tables.read(TABLE) if (tables.RESULTS / TABLE).exists() else pd.DataFrame(columns=['task', 'seed'])
            kept = kept[kept.task == name]
            if not (kept.seed == seed).any():
                rows = pd.DataFrame(measured(name, seed), columns=['way', 'updates', 'error']).assign(task=name, seed=seed)
                tables.update(TABLE, pd.concat([kept, rows])[['task', 'seed', 'way', 'updates', 'error']], origin)
                print(f'seed {seed}: {name}', flush=True)


def measured(name: str, seed: int) -> list[tuple[str, int, float]]:
    """The ways with what they have spent, and the error of what they would answer then."""
    updater, judge = Bench(name, 1).build(seed)
    found = lrfinder.find(updater, evaluator=judge, length=(LENGTH, 'iteration'), quiet=True).suggestion
    per_epoch = found.iterations_per_epoch or 1
    rows = list(_tune(Bench(name, per_epoch), found, seed))
    plan = [('plan', *rows[0][1:])]  # the first trial
    return plan + rows + list(_optuna(Bench(name, per_epoch), found, seed, rows[-1][1]))


def _tune(bench: Bench, found: Suggestion, seed: int) -> Iterator[tuple[str, int, float]]:
    plan = cycles.plan(found.iterations_per_epoch, (LENGTH, 'iteration'), found.policy)
    task = task_of(found, plan, validated(*bench.build(seed)), TRIALS, seed, bench, own=True)
    study = trials.new_study(task)
    seen: list[tuple[str, int, float]] = []

    def on_training(done: int, _most: int, _words: str) -> None:
        if done <= TRIALS:
            best = trials.best_of(study, task)[1]
            seen.append(('tune', found.updates + bench.updates, bench.errors[f'trial_{best.number}']))

    tuned = tuned_by(study, task, search(study, task, REPETITIONS, on_training=on_training))
    yield from seen
    yield 'tune', tuned.suggestion.updates, bench.errors[f'trial_{tuned.chosen}']


def _optuna(bench: Bench, found: Suggestion, seed: int, budget: int) -> Iterator[tuple[str, int, float]]:
    plan = cycles.plan(found.iterations_per_epoch, (LENGTH, 'iteration'), found.policy)
    task = task_of(found, plan, validated(*bench.build(seed)), TRIALS, seed, bench, own=True)
    study = trials.new_study(task)
    sign, best, answer = cost_sign(task.metric), float('inf'), float('nan')
    while bench.updates < budget:
        trial = study.ask()
        high = trial.suggest_float('rate', *DECADES, log=True)
        schedule = _within(suggested(trial, choices(found), task.most_cycles))
        base = Suggestion(found.attr, (high / 4, high), found.step_size)
        own = schedule.plan(base, LENGTH)
        training = Training(f'trial_{trial.number}', '', schedule.within(base, own), own.iterations or LENGTH, seed)
        watcher = trials.Watcher(task, training, trial, may_stop=True)
        bench(training, watcher)
        study.tell(trial, *((None, trials.TrialState.PRUNED) if watcher.stopped else (watcher.value,)))
        if not watcher.stopped and sign * watcher.value < best:
            best, answer = sign * watcher.value, bench.errors[training.name]
        yield 'optuna', bench.updates, answer


def _within(schedule: Schedule) -> Schedule:
    """The maximum is the trial's own."""
    return Schedule(schedule.policy, schedule.cycles)


if __name__ == '__main__':
    main()
