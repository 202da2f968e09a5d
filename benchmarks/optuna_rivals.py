"""What Optuna makes of the same updates: `python -m benchmarks.optuna_rivals` writes `optuna.csv`.

Optuna looks for the rate by trials, as it is usually set up: between 1e-7 and 1e2, evenly in the logarithm; each trial is a
short training at one rate from fresh weights, judged by the validation error again and again, so that bad ones are pruned.
Trials go on as long as the budget has the updates for a whole one: what a pruned or a diverged trial leaves is spent on others.
They have the data, the weights and the batches of the training that follows, and their judge is the benchmark's own.

median: TPE, with the pruner that stops what is worse than the median of the trials before it. A trial is a tenth of 600
    updates, or a twentieth of 1,600.
hyperband: TPE, with Hyperband, whose longest trials are one and a half times as long.

The first five rates are drawn at random, as the pruner needs five trials, too: ten, the sampler's default, would be nearly all
of 600 updates. All else is at its default; on six tasks of the group 'tune' the pruner did no better when it waited for a third
or a half of a trial.

The rate that did best is used in two ways: as the maximum of a cycle from a fourth of it (`error`), and as a fixed rate
(`fixed_error`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import provenance, tables
from benchmarks.measuring import SEEDS, errors_together, in_parallel, options
from benchmarks.task import Task, lost, validate
from benchmarks.tasks import BY_NAME

import chainer
import numpy as np
import optuna
import pandas as pd

RATES = (1e-7, 1e2)
RANDOM_TRIALS = 5
STEP = 10  # updates between two looks at the validation set
TRIAL = {600: 60, 1600: 80}  # updates of a trial, by the budget
PRUNERS: dict[str, tuple[float, Callable[[int], optuna.pruners.BasePruner]]] = {
    'median': (1.0, lambda steps: optuna.pruners.MedianPruner()),
    'hyperband': (1.5, lambda steps: optuna.pruners.HyperbandPruner(min_resource=1, max_resource=steps)),
}


def main() -> None:
    """Measure the tasks asked for, one after the other, and put their rows into the table."""
    args = options(__doc__)
    origin = provenance.here('optuna')
    for task in args.tasks:
        tables.update('optuna.csv', measured(task, args.jobs), origin)


def measured(task: Task, jobs: int) -> pd.DataFrame:
    """A row a seed, rule and budget."""
    keys = [(task.name, seed, rule, budget) for seed in SEEDS for budget in TRIAL for rule in PRUNERS]
    rows = pd.DataFrame(keys, columns=['task', 'seed', 'rule', 'budget'])
    rows[['max', 'updates', 'trials']] = in_parallel(searched, keys, jobs)
    for prefix, share in (('', 4), ('fixed_', 1)):
        calls = [(task.name, [(rate / share, rate) for rate in rates], seed) for seed, rates in rows.groupby('seed')['max']]
        found = in_parallel(errors_together, calls, jobs)
        rows[[f'{prefix}error', f'{prefix}collapsed']] = [outcome for outcomes in found for outcome in outcomes]
    return rows


def searched(name: str, seed: int, rule: str, budget: int) -> tuple[float, int, int]:
    """The rate that Optuna finds (0 if no trial came to its end), the updates that were spent, and how many trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    times, pruner = PRUNERS[rule]
    length = int(times * TRIAL[budget])
    sampler = optuna.samplers.TPESampler(n_startup_trials=RANDOM_TRIALS, seed=seed)
    study = optuna.create_study(study_name=name, sampler=sampler, pruner=pruner(length // STEP))  # Hyperband draws by the name
    spent = 0
    while spent + length <= budget:
        trial = study.ask()
        rate = trial.suggest_float('rate', *RATES, log=True)
        error, updates, pruned = tried(BY_NAME[name], rate, seed, length, trial)
        study.tell(trial, None if pruned else error, optuna.trial.TrialState.PRUNED if pruned else None)
        spent += updates
    whole = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    return study.best_params['rate'] if whole else 0.0, spent, len(study.trials)


def tried(task: Task, rate: float, seed: int, length: int, trial: Any) -> tuple[float, int, bool]:
    """Train at a fixed rate: the error, the updates that were spent, and whether the trial was pruned."""
    setup = task.build(seed)
    setattr(setup.optimizer, setup.attr, rate)
    with np.errstate(all='ignore'), chainer.using_config('type_check', False):
        for update in range(STEP, length + 1, STEP):
            for _ in range(STEP):
                setup.updater.update()
            error = validate(setup, task.kind).error
            trial.report(error, update // STEP)
            if lost(setup.model):
                return error, update, False
            if update < length and trial.should_prune():
                return error, update, True
    return error, length, False


if __name__ == '__main__':
    from benchmarks import optuna_rivals  # by its name: other processes find its functions there

    optuna_rivals.main()
