"""What a rule of decision is worth, in seconds: `python -m benchmarks.rules`, on the trials that `benchmarks.trials` recorded.

Replays the range test of each task and seed at two positions of the grid, with the search and the weighing of lrfinder itself,
and takes the error of its answer from the oracle, between whose ranges it is interpolated. Prints, for the rule as it is and
with each of its constants changed: the mean and the worst regret over the tasks, how much the mean differs from that of the
rule as it is (with the standard error of that difference over the tasks), the mean distance from the best rate in decades, the
median of the updates, and the mean and the worst excess of the long trainings of `benchmarks.long`, in percent. A rule that
wins here is to be confirmed by training in its ranges: `python -m benchmarks.ours`.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple
from unittest import mock

from benchmarks import tables
from benchmarks.datasets import Random
from benchmarks.measuring import arguments
from benchmarks.report import markdown
from benchmarks.tasks import BY_NAME
from benchmarks.trials import SEEDS, TABLE, read_scans
from lrfinder import range_test
from lrfinder.analysis import learning, search, trials
from lrfinder.analysis.budget import Budget, Rung
from lrfinder.analysis.learning import Score
from lrfinder.analysis.suggestion import NoRangeError
from lrfinder.analysis.trials import Trial
from lrfinder.range_test import Question, RangeTest

import numpy as np
import pandas as pd

# The rungs that the recorded lengths allow for, by the budget that is nearest.
BUDGETS = {600: Budget(60, 50, (Rung(5, 90),)), 1600: Budget(60, 50, (Rung(5, 90), Rung(3, 360)))}
# The grid is moved by so many of its fine steps.
POSITIONS = (0, 1)
# What may be changed: where it is, what it is called, and to what; first to what takes its effect away, where that can be.
CONSTANTS: tuple[tuple[Any, str, tuple[float, ...]], ...] = (
    (trials, 'FORESIGHT', (0.0, 0.2, 0.5)),
    (trials, 'TEMPERATURE', (0.05, 0.5)),
    (trials, 'LEAST_COST', (1e-6, 0.01)),
    (trials, 'USUAL_LENGTH', (90, 180, 720)),
    (trials, 'ANYWAY', (0.0, 0.125, 0.375)),
    (trials, 'CLEAR', (0.375, 0.75, 1.0)),
    (trials, 'FARTHEST', (1.0, 10.0, 1000.0)),
    (trials, 'RATES_BETWEEN', (1, 24)),
    (search, 'SPEEDING_UP', (math.inf, 1.2, 2.0)),
    (search, 'SCAN_LOSSES', (1, 2, 5)),
    (search, 'SCAN_SMOOTHING', (0.5, 1.5, 5.0)),
    (search, 'ANCHOR', (0.5, 0.95)),
    (search, 'CLEAR', (0.0, 0.5, 3.0)),
    (search, 'SPIKE', (math.inf, 8.0, 32.0)),
    (search, 'LEAST_SPIKE', (0.0, 0.1)),
    (search, 'BELOW_SPIKE', (1.0, 5.0, 80.0)),
    (search, 'BELOW', (1.0, 10.0, 100.0)),
    (search, 'BEYOND', (math.inf, 3.0, 30.0)),
    (learning, 'SURE', (0.0, 1.0, 5.0)),
    (learning, 'ERROR_FALL', (0.0, 0.05)),
    (learning, 'SURE_BY_LOSS', (0.0, 3.0)),
    (learning, 'FEW_EXAMPLES', (0, 300)),
    (learning, 'WRONG_FALL', (0.25, 0.75)),
    (learning, 'SAME_SHARE', (0.0, 0.2)),
    (learning, 'SAME_ERRORS', (2.0, 20.0)),
    (range_test, 'COLLAPSED_OVER', (math.inf, 10.0)),
)
# The length of the long trainings.
LONG = 6000


def main() -> None:
    """Print what the rule is worth, and what it is worth with other constants."""
    parser = arguments(__doc__)
    parser.add_argument('--budget', type=int, choices=BUDGETS, default=600, help='updates that an answer may cost')
    args: argparse.Namespace = parser.parse_args()
    recorded = list(recordings([task.name for task in args.tasks]))
    oracle = Oracle(tables.read('oracle.csv'))
    long = LongOracle(tables.read('long_oracle.csv'))
    plain = worth(recorded, oracle, long, args.budget)
    rows = [row('as it is', plain, plain)]
    for module, name, values in CONSTANTS:
        for value in values:
            with mock.patch.object(module, name, value):
                what = f'{module.__name__.rpartition(".")[2]}.{name} {value:g}'
                rows.append(row(what, worth(recorded, oracle, long, args.budget), plain))
    print(markdown(pd.DataFrame(rows)))


class Recorded(NamedTuple):
    """What was recorded of a task from a seed: its scan, its start, and its trials by length and step.

    `examples` are those that they were judged by, `epoch` the updates in one.
    """

    task: str
    seed: int
    examples: int
    epoch: float
    scan: pd.DataFrame
    start: Score
    scores: dict[int, dict[int, Score]]


def recordings(names: list[str]) -> Iterator[Recorded]:
    """What was recorded of these tasks, where anything was."""
    rows, scans = tables.read(TABLE), read_scans()
    for (task, seed), table in rows[rows.task.isin(names)].groupby(['task', 'seed']):
        scores: dict[int, dict[int, Score]] = {}
        for one in table.itertuples():
            step = search.step_of(one.rate) if one.rate else 0
            scores.setdefault(one.updates, {})[step] = Score(one.train, one.loss, one.error, one.noise, one.wrong)
        scan = pd.DataFrame(scans[f'{task}/{seed}'].T.astype(float), columns=['lr', 'main/loss'])
        yield Recorded(task, seed, *sizes(task), scan, scores.pop(0)[0], scores)


@functools.cache
def sizes(task: str) -> tuple[int, float]:
    """How many examples a task has for validation, and how many updates in an epoch."""
    data = BY_NAME[task].data(Random(0))
    return len(data.y_valid), len(data.y) / BY_NAME[task].batch


class Oracle:
    """The error of each maximum, between those of `oracle.csv`.

    Args:
        rows: That table.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        table = rows[rows.seed.isin(SEEDS)].sort_values('max')
        self._curves = {key: (np.log10(part['max']), part.error.to_numpy()) for key, part in table.groupby(['task', 'seed'])}
        means = table.groupby(['task', 'max']).error.mean()
        self._best = {task: means[task].idxmin() for task in table.task.unique()}

    def regret(self, task: str, seed: int, high: float) -> float:
        """Points that a range with this maximum loses against the best by all seeds."""
        logs, errors = self._curves[task, seed]
        found, best = np.interp([math.log10(high), math.log10(self._best[task])], logs, errors)
        return float(found - best)

    def distance(self, task: str, high: float) -> float:
        """Decades from the best range's maximum to another."""
        return math.log10(high / self._best[task])


class LongOracle:
    """The excess of each maximum in a long training, between those of `long_oracle.csv`, by the first seed.

    Args:
        rows: That table.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        first = rows[rows.seed == rows.seed.min()].sort_values('max')
        self._curves = {task: (np.log10(part['max']), part.error.to_numpy()) for task, part in first.groupby('task')}

    def __contains__(self, task: str) -> bool:
        return task in self._curves

    def excess(self, task: str, high: float) -> float:
        """Percent that the error of a range with this maximum is above that of the best."""
        logs, errors = self._curves[task]
        return float(100 * (np.interp(math.log10(high), logs, errors) / errors.min() - 1))


class Replay(RangeTest):
    """A range test whose trials were recorded.

    Args:
        recorded: What was recorded.
        position: By how many fine steps the grid is moved.
        length: The updates of the training, where that is told.
    """

    # It is its own runner, and one that has nothing to remark.
    doubts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    failure = ''

    def __init__(self, recorded: Recorded, position: int, length: int | None = None) -> None:
        self._recorded, self._moved = recorded, search.rate_of(position)
        self.updates = len(recorded.scan)
        judge = mock.Mock(examples=recorded.examples)
        super().__init__(self, (judge,), None, lambda: length)  # type: ignore[arg-type]

    def epochs(self, updates: int) -> float:
        """How many epochs so many updates take."""
        return updates / self._recorded.epoch

    def answer(self, budget: Budget) -> float:
        """The maximum; where nothing would be answered, the lowest rate that was tried."""
        anchors = [anchor / self._moved for anchor in search.where_to_look(self._recorded.scan)]
        question = Question(None, 'linear', None, lambda length: budget)
        try:
            _, found = self.decide(anchors, self._recorded.start, question)
        except NoRangeError:
            return self._moved * float(self.trials['rate'].min())
        return self._moved * found.rate

    def trial(self, rate: float, updates: int) -> Trial:
        """What was recorded at this rate, or at the nearest one."""
        scores = self._recorded.scores[updates]
        step = min(max(search.step_of(rate * self._moved), min(scores)), max(scores))
        self.updates += updates
        return Trial(rate, scores[step], updates)


def worth(recorded: list[Recorded], oracle: Oracle, long: LongOracle, budget: int) -> pd.DataFrame:
    """Regret, distance from the best, updates, and excess in a long training, of each task; columns of these names."""
    rows = []
    for one in recorded:
        for position in POSITIONS:
            test = Replay(one, position)
            with contextlib.suppress(KeyError):  # trials of this length were not recorded
                high = test.answer(BUDGETS[budget])
                found = oracle.regret(one.task, one.seed, high), oracle.distance(one.task, high)
                excess = math.nan
                if one.task in long:
                    excess = long.excess(one.task, Replay(one, position, LONG).answer(BUDGETS[budget]))
                rows.append((one.task, *found, test.updates + BUDGETS[budget].ramp, excess))
    return pd.DataFrame(rows, columns=['task', 'regret', 'distance', 'updates', 'excess']).groupby('task').mean()


def row(name: str, found: pd.DataFrame, plain: pd.DataFrame) -> dict[str, str]:
    """A row of the table that is printed."""
    differs = (found.regret - plain.regret).dropna()
    error = differs.std() / math.sqrt(len(differs))
    return {
        'rule': name,
        'regret': f'{found.regret.mean():.2f} / {found.regret.max():.1f}',
        'difference': f'{differs.mean():+.2f} ± {error:.2f}',
        'distance': f'{found.distance.mean():+.2f}',
        'updates': f'{found.updates.median():.0f}',
        'long': f'{found.excess.mean():.0f}% / {found.excess.max():.0f}%',
    }


if __name__ == '__main__':
    main()
