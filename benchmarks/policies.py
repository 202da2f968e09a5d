"""What a schedule is worth: `python -m benchmarks.policies` writes `policies.csv`, `benchmarks.policies_report` reads it.

Sixteen tasks are trained under each policy, with one to six cycles, in the range that `lrfinder.find` gives for the length; at
fixed rates around its maximum; at the optimizer's default rate; and at a rate that falls in steps. Twice: for 350 updates, and
for 6,000. The validation error is measured twenty times on the way.

It takes half an hour on one core, and may be ended at any time: what is finished is kept, and a later call goes on.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from benchmarks import provenance, stacked, tables
from benchmarks.measuring import SEEDS, in_parallel, options, suggested
from benchmarks.tasks import BY_NAME
from clr.policies import LENGTHS as POLICY_LENGTHS
from clr.policies import POLICIES

import pandas as pd

TABLE = 'policies.csv'
KEY = ['task', 'seed', 'length', 'schedule']
LENGTHS = (350, 6000)  # updates
CHECKS = 20
# Cheap tasks of all kinds, mixed, so that the first of them are a sample: images of digits, other real data, drawn data; with
# noise, with few examples; regressions. Trainings of each can be stacked.
NAMES = (
    'digits-mlp-momentum',
    'parity-mlp-adam',
    'teacher-mlp-sgd',
    'digits-wide-adagrad',
    'cancer-noise-dropout-rmsprop',
    'clusters-many-noise-wide-nesterov',
    'diabetes-mlp-adam',
    'even-softplus-sgd',
    'spirals-mlp-rmsprop',
    'digits60-mlp-momentum',
    'quantiles-mlp-momentum',
    'digits-raw-noise-linear-sgd',
    'friedman-tanh-sgd',
    'lowrank-mlp-adam',
    'digits-imbalanced-mlp-momentum',
    'moons-noise-mlp-nesterov',
)

# A rate of an update from: the update, the length of the training, the range, the optimizer's default rate.
Schedule = Callable[[int, int, tuple[float, float], float], float]


def cycles(policy: str, count: int) -> Schedule:
    """A policy in so many whole cycles; one that knows none fills the training."""
    halves = POLICY_LENGTHS.get(policy, 2 * count)
    return lambda step, length, value_range, _: float(POLICIES[policy](step, value_range, length / halves))


def fixed(share: float) -> Schedule:
    """A fixed rate: a share of the range's maximum."""
    return lambda _step, _length, value_range, _default: share * value_range[1]


def steps(share: float) -> Schedule:
    """The same, a tenth of it after half of the training, and a hundredth after three quarters.

    Source: Kaiming He et al., "Deep Residual Learning for Image Recognition", arXiv 1512.03385, section 4.2.
    """
    return lambda step, length, value_range, _: (
        share * value_range[1] * 0.1 ** ((4 * step >= 2 * length) + (4 * step >= 3 * length))
    )


SCHEDULES: dict[str, Schedule] = {
    **{f'triangular x{count}': cycles('triangular', count) for count in (1, 3, 6)},
    **{f'triangular2 x{count}': cycles('triangular2', count) for count in (3, 6)},
    'exp_range x3': cycles('exp_range', 3),
    'one_cycle': cycles('one_cycle', 1),
    **{f'cosine x{count}': cycles('cosine', count) for count in (1, 3)},
    'wsd': cycles('wsd', 1),
    'cyclic_wsd x3': cycles('cyclic_wsd', 3),
    'polynomial': cycles('polynomial', 1),
    'inverse_sqrt': cycles('inverse_sqrt', 1),
    **{f'fixed {share:g} max': fixed(share) for share in (0.125, 0.25, 0.5, 1, 2)},
    'fixed default': lambda _step, _length, _range, default: default,
    **{f'steps {share:g} max': steps(share) for share in (0.25, 1)},
}


def main() -> None:
    """Measure what is missing of the tasks asked for, and put it into the table."""
    args = options(__doc__)
    origin = provenance.here()
    for length, seed in itertools.product(LENGTHS, SEEDS):
        names = [task.name for task in args.tasks if task.name in NAMES]
        for name in sorted(names, key=NAMES.index):
            if missing := _missing(name, seed, length):
                _measure(name, seed, length, missing, args.jobs, origin)
                print(f'{length} updates, seed {seed}: {name}', flush=True)


def _missing(name: str, seed: int, length: int) -> list[str]:
    if not (tables.RESULTS / TABLE).exists():
        return list(SCHEDULES)
    rows = tables.read(TABLE)
    found = rows[(rows.task == name) & (rows.seed == seed) & (rows.length == length)]
    return [schedule for schedule in SCHEDULES if schedule not in set(found.schedule)]


def _measure(name: str, seed: int, length: int, schedules: list[str], jobs: int, origin: provenance.Origin) -> None:
    low, high = _range(name, seed, length)
    parts = [schedules[part::jobs] for part in range(min(jobs, len(schedules)))]
    courses = in_parallel(trained, [(name, seed, length, part, (low, high)) for part in parts], jobs)
    rows = [
        (name, seed, length, schedule, low, high, *errors)
        for part, course in zip(parts, courses)
        for schedule, errors in zip(part, course)
    ]
    columns = [*KEY, 'min', 'max', *(f'error{check}' for check in range(1, CHECKS + 1))]
    measured = pd.DataFrame(rows, columns=columns)
    if (tables.RESULTS / TABLE).exists():
        kept = tables.read(TABLE)
        measured = pd.concat([kept[kept.task == name], measured])
    tables.update(TABLE, measured, origin)


def _range(name: str, seed: int, length: int) -> tuple[float, float]:
    """The range that lrfinder finds for the length; that of the table, where some schedules have been trained in it."""
    if (tables.RESULTS / TABLE).exists():
        rows = tables.read(TABLE)
        found = rows[(rows.task == name) & (rows.seed == seed) & (rows.length == length)]
        if len(found):
            return float(found['min'].iloc[0]), float(found['max'].iloc[0])
    return suggested(name, seed, length=(length, 'iteration'))[:2]


def trained(name: str, seed: int, length: int, schedules: Sequence[str], value_range: tuple[float, float]) -> list[list[float]]:
    """Train a task under each of the schedules: the validation errors on the way, the last of them at the end.

    A network that has diverged stays at the error of a constant.
    """
    task = BY_NAME[name]
    setup = task.build(seed)
    default = float(getattr(setup.optimizer, setup.attr))

    def rates(schedule: Schedule) -> stacked.Rate:
        return lambda step: schedule(step, length, value_range, default)

    together = stacked.courses(task, seed, [rates(SCHEDULES[one]) for one in schedules], length, CHECKS)
    return [[outcome.error for outcome in course] for course in together]


if __name__ == '__main__':
    main()
