"""How much the answer depends on the length of the ramp: `python -m benchmarks.steady` writes `steady.csv`.

Six tasks are asked twice from each of three seeds, by ramps of 100 and of 1,000 updates from 0 to five times
the best maximum of the oracle. `max` is what `lrfinder.find` says, `alone` what `lrfinder.analyze` reads off that ramp alone:
NaN where it refuses.
"""

from __future__ import annotations

import math

import lrfinder
from benchmarks import provenance, tables
from benchmarks.measuring import SEEDS, evaluator, in_parallel, options
from benchmarks.oracle import best_ranges
from benchmarks.tasks import BY_NAME

import pandas as pd

NAMES = (
    'digits-mlp-momentum',
    'digits-norm-sgd',
    'moons-deep-adam',
    'diabetes-raw-mlp-nesterov',
    'hastie-tanh-adamw',
    'redundant-imbalanced-mlp-adagrad',
)
LENGTHS = (100, 1000)
STOP = 5  # times the best maximum: high enough for the loss to diverge


def main() -> None:
    """Measure those of the six tasks that are asked for, and put their rows into the table."""
    args = options(__doc__)
    origin = provenance.here()
    names = [task.name for task in args.tasks if task.name in NAMES]
    searched = tables.read('oracle.csv')
    best = best_ranges(searched[searched.seed.isin(SEEDS)])['max']
    calls = [(name, STOP * best[name], length, seed) for name in names for seed in SEEDS for length in LENGTHS]
    found = in_parallel(maxima, calls, args.jobs)
    rows = [(*call, *row) for call, row in zip(calls, found)]
    tables.update('steady.csv', pd.DataFrame(rows, columns=['task', 'stop', 'updates', 'seed', 'max', 'alone']), origin)


def maxima(name: str, stop: float, length: int, seed: int) -> tuple[float, float]:
    """The maximum that `find` suggests by a ramp of this length, and the one that the ramp alone suggests."""
    setup = BY_NAME[name].build(seed)
    result = lrfinder.find(setup.updater, evaluator=evaluator(setup), value_range=(0.0, stop), iterations=length)
    try:
        alone = lrfinder.analyze(result.curve).value_range[1]
    except lrfinder.NoRangeError:
        alone = math.nan
    return result.suggestion.value_range[1], alone


if __name__ == '__main__':
    main()
