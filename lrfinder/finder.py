"""The whole range test on a user's updater, which is left exactly as it was found.

A scan over nine orders of magnitude finds where to look; a few trial cycles there settle the maximum; a ramp shows what happens
on the way there and beyond. Each run begins from the state in which the updater was found.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clr import attributes
from clr.policies import POLICIES, named, parted, triangular
from lrfinder._names import suggest
from lrfinder.analysis import analyzer, cycles, ramp, search
from lrfinder.analysis import trials as weighing
from lrfinder.analysis.analyzer import Reading
from lrfinder.analysis.batchsize import holds_for
from lrfinder.analysis.curve import make_curve
from lrfinder.analysis.cycles import Length
from lrfinder.analysis.learning import DIVERGED, Score, alike, knows_already, knows_more, learned, surely_loses_less
from lrfinder.analysis.metrics import ACCURACY, LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.analysis.trials import Trial, Verdict, scores_of
from lrfinder.engine.judge import Judge, checked_judge, chosen_judge
from lrfinder.engine.progress import Progress
from lrfinder.engine.protocols import Evaluator, Optimizer, Updater
from lrfinder.engine.rate import Rate
from lrfinder.engine.recorder import Names
from lrfinder.engine.run import OnRow, chosen_optimizer, takes_names
from lrfinder.engine.runner import Runner
from lrfinder.engine.state import preserved
from lrfinder.engine.workers import workers_of
from lrfinder.result import Result

import numpy as np
import numpy.typing as npt
import pandas as pd

# Updates of the three parts: 600 in all.
SCAN_UPDATES = 75
TRIAL_UPDATES, MOST_TRIALS = 90, 5
RAMP_UPDATES = 75
# Between these rates the scan looks. Where it diverges within so many times the lowest, it looks again as far below.
SCAN = (1e-7, 1e2)
FROM_THE_START = 10.0
# The lowest rate of a trial cycle is this share of its highest (arXiv 1506.01186, section 3.3: a third or a fourth).
TRIAL_MIN_SHARE = 0.25
# A trial is judged by its training loss over its last third, and by its answers over its last tenth.
LOSS_UPDATES, ANSWER_UPDATES = TRIAL_UPDATES // 3, TRIAL_UPDATES // 10
# The ramp ends at so many times the rate of the best trial. An exponential one begins at this share of its end.
RAMP_END = weighing.FACTOR
RAMP_START_SHARE = 1e-3
VALIDATIONS = 10
# Trial cycles that come to the same over such a range of rates are those of a network that collapses at each.
COLLAPSED_OVER = 100.0
KNOWN_WARNING = (
    'the model had learned before: the range says which rates it stands and still learns at, not how far it gets; '
    'give an evaluator, and compare with what you had'
)


@takes_names
def find(
    updater: Updater,
    *,
    evaluator: Evaluator | None = None,
    attr: str | None = None,
    value_range: tuple[float, float] | None = None,
    iterations: int = RAMP_UPDATES,
    ramp: str = 'linear',
    optimizer: Optimizer | None = None,
    observer: str = 'main',
    loss: str | None = None,
    accuracy: str | None = None,
    policy: str = 'triangular2',
    length: Length | None = None,
    on_row: OnRow | None = None,
    quiet: bool = False,
) -> Result:
    """Finds the range of rates to train with; the updater and all random state are left exactly as they were found.

    Args:
        updater: A ``chainer.training.StandardUpdater``, or one with its interface, ready to train.
        evaluator: A ``chainer.training.extensions.Evaluator`` over validation data, which trials are judged by. Otherwise a
            fifth of the training data is held out of them, where the iterator is one of Chainer's own; where it is not, they
            are judged by the loss of each batch before it is trained on.
        attr: The optimizer's attribute to move; by default its rate, ``'lr'`` or ``'alpha'``.
        value_range: A question: where to look, the first and the last rate of the ramp. By default this is found. The answer
            is ``suggestion.value_range``.
        iterations: Length of the ramp in updates, 2 or more.
        ramp: ``'linear'`` or ``'exponential'``.
        optimizer: The optimizer to move; the updater's main one by default.
        observer: The prefix of the reported loss and accuracy.
        loss: The name of the reported loss, where that is another than ``observer`` and ``/loss``.
        accuracy: The same for the accuracy.
        policy: The policy that the suggestion names.
        length: How long the training will be, such as ``(30, 'epoch')`` or ``(8000, 'iteration')``: ``step_size`` is then
            that of whole cycles.
        on_row: Called as ``on_row(rate, loss)`` for each row, up to ten at once.
        quiet: Whether to hide the progress bar, and the warnings, which else are printed on standard error. The bar is hidden,
            too, with ``on_row``, or where standard error is no terminal.

    Raises:
        NoRangeError: No range can be given; the message says why, and what to try. Its ``curve`` is what was recorded, as it
            is of any other exception that ends the test.
        ValueError: The optimizer has no such attribute, the updater can't be put back, or an argument is out of its range.

    >>> from lrfinder.cli.build import Builder
    >>> from lrfinder.cli.options import Options
    >>> updater, evaluator = Builder(Options()).build(seed=0)
    >>> low, high = find(updater, evaluator=evaluator).suggestion.value_range
    >>> 0 < low < high < 1
    True
    """
    optimizer = chosen_optimizer(updater, optimizer)
    attr = attr or attributes.rate_attribute(optimizer)
    question = _Question(value_range, iterations, ramp)
    names = Names.chosen(observer, loss, accuracy)
    _check_plan(policy, length)
    workers = workers_of(updater)
    heard = not quiet and on_row is None and workers.rank == 0
    with (
        workers.failing_together(),
        preserved(updater, evaluator) as undo,
        Progress('range test', most_updates(iterations), quiet=not heard) as progress,
    ):
        rate = Rate(optimizer, attr)
        runner = Runner(updater, rate, optimizer, undo, workers, names)
        judge = chosen_judge(updater, evaluator, workers)
        fallback = judge if evaluator is None else chosen_judge(updater, None, workers)
        test = _RangeTest(runner, (judge, fallback), names, on_row or progress.show)
        try:
            estimate = test.run(question)
        except BaseException as error:  # an interruption, too: what was recorded goes with it
            vars(error)['curve'] = test.curve
            raise
    epoch = _iterations_per_epoch(runner)
    plan = cycles.plan(epoch, length, policy)
    batchsize = _batchsize(updater, runner)
    reasons = {**estimate.reasons, 'step_size': plan.reason, 'judged_by': test.judge.words}
    suggestion = Suggestion(
        attr=attr,
        value_range=estimate.value_range,
        step_size=plan.step_size,
        policy=policy,
        iterations_per_epoch=epoch,
        exhausted=estimate.exhausted,
        reasons=reasons if batchsize is None else {**reasons, 'batchsize': holds_for(batchsize, workers.size)},
        warnings=(*estimate.warnings, *_proportion(rate)),
        updates=runner.updates,
        spread=estimate.spread,
        batchsize=None if batchsize is None else batchsize * workers.size,
        proportional=rate.own > 0,
    )
    if heard:
        for warning in suggestion.warnings:
            print(f'lrfinder: warning: {warning}', file=sys.stderr)
    return Result(test.curve, suggestion, {} if estimate.reading is None else {None: estimate.reading})


def most_updates(iterations: int) -> int:
    """How many updates a range test with a ramp of so many takes, or a few fewer.

    >>> most_updates(75)
    600
    """
    return SCAN_UPDATES + MOST_TRIALS * TRIAL_UPDATES + iterations


class _Question:
    """Where to look, and by what ramp.

    Raises:
        ValueError: There is no such ramp.
    """

    def __init__(self, value_range: tuple[float, float] | None, iterations: int, shape: str) -> None:
        self._given = None if value_range is None else ramp.check_range(value_range, shape)
        self._iterations = iterations
        self._shape = shape
        self.ramp(best=1.0)  # refuses a wrong length or shape before any update

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest rate that may be tried."""
        return self._given or (0.0, math.inf)

    def ramp(self, best: float) -> npt.NDArray[np.float64]:
        """The rates of the ramp, given that of the best trial."""
        end = RAMP_END * best
        start = 0.0 if self._shape == 'linear' else RAMP_START_SHARE * end
        return ramp.rates(self._given or (start, end), self._iterations, self._shape)


@dataclass(frozen=True)
class _Estimate:
    """What the range test says of the range; the fields are those of a Suggestion.

    Attributes:
        reading: What the analyzer reads off the ramp; ``None`` where that is nothing.
    """

    value_range: tuple[float, float]
    exhausted: bool
    reasons: Mapping[str, str]
    warnings: tuple[str, ...]
    spread: Mapping[str, tuple[float, float]]
    reading: Reading | None


class _RangeTest:
    """Scan, trial cycles and ramp.

    Attributes:
        curve: The curve of the last scan or ramp, as far as it came.
        judge: Whom the trials are judged by.
    """

    def __init__(self, runner: Runner, judges: tuple[Judge, Judge], names: Names, on_row: OnRow | None) -> None:
        self._runner = runner
        self._names = names
        self.judge, self._fallback = judges
        self._on_row = on_row
        self._held: Mapping[str, float] = {}
        self._known = False
        self._doubts: list[str] = []
        self.curve = make_curve([])

    def run(self, question: _Question) -> _Estimate:
        """The answer, from scan to ramp."""
        self._ask_the_judge()
        anchors = self._anchors()
        start = self._start()
        self._known = knows_already(start, search.ruined(self.curve))
        trials = self._trials(anchors, start, question.bounds)
        found = self._judged(trials, start)
        self._record(question.ramp(found.best.rate))
        return self._estimate(trials, found, start, question.bounds)

    def _ask_the_judge(self) -> None:
        """Looks whether the judge can judge, before anything is trained."""
        held = self._runner.validated(self.judge)
        self.judge, doubt = checked_judge(self.judge, held, self._names, self._fallback)
        if doubt:
            self._doubts.append(doubt)
            held = self._runner.validated(self.judge)
        self._held = held

    def _anchors(self) -> list[float]:
        """Where to look; and where to look if there is nothing, because what seemed to be a spike was an outlier."""
        low, high = SCAN
        self._record(ramp.rates((low, high), SCAN_UPDATES, 'exponential'), validations=0)
        if self.curve['lr'].iloc[-1] < FROM_THE_START * low:
            self._record(ramp.rates((low * low / high, low), SCAN_UPDATES, 'exponential'), validations=0)
        return search.where_to_look(self.curve)

    def _record(self, rates: npt.NDArray[np.float64], validations: int = VALIDATIONS) -> None:
        try:
            self._runner.run(rates.tolist(), self._ramp_judge, validations, self._on_row)
        finally:
            self.curve = self._runner.curve

    def _start(self) -> Score:
        """The state that all runs begin with."""
        opening = self.curve.iloc[: search.SCAN_LOSSES]
        train = float(opening[LOSS].mean())
        loss = self._held.get(VALIDATION_LOSS, math.nan)
        right = float(opening[ACCURACY].mean())
        return Score(
            train, loss if math.isfinite(loss) else train, error=1 - self._held.get(VALIDATION_ACCURACY, right), wrong=1 - right
        )

    def _trials(self, anchors: list[float], start: Score, bounds: tuple[float, float]) -> list[Trial]:
        """Trial cycles around an anchor, and on until the good ones are between others or the updates are spent."""
        trials: list[Trial] = []
        last_start = self._runner.updates + (MOST_TRIALS - 1) * TRIAL_UPDATES
        for anchor in anchors:
            trials += [self._trial(rate) for rate in search.first_rates(anchor, bounds) if rate not in _rates(trials)]
            if self._known or knows_more(scores_of(trials), start, self.judge.examples):
                break
        while self._runner.updates <= last_start:
            rate = search.next_rate(trials, start, bounds, self.judge.examples, self._known)
            if rate is None:
                break
            trials.append(self._trial(rate))
        return trials

    @property
    def _ramp_judge(self) -> Judge | None:
        """Scan and ramp train on all of the user's data: no example is held out of them."""
        return None if self.judge.holds_out else self.judge

    def _trial(self, rate: float) -> Trial:
        cycle = [triangular(step, (TRIAL_MIN_SHARE * rate, rate), TRIAL_UPDATES / 2) for step in range(TRIAL_UPDATES)]
        run = self._runner.run(cycle, self.judge, 1, self._on_row, watched=False)
        return Trial(rate, DIVERGED if run.diverged else _score(run.curve))

    def _judged(self, trials: list[Trial], start: Score) -> Verdict:
        found = weighing.verdict(trials, start)
        scores, what = scores_of(trials), f'judged by {self.judge.words} ({weighing.outcomes(trials)})'
        if found is None:
            raise NoRangeError(
                f'every trial cycle diverged, down to the rate {min(_rates(trials)):.3g}; check the data and the loss '
                '(where another optimizer trains against this one, hold its model still meanwhile by disable_update())'
            )
        if not (self._known or learned(scores, start, self.judge.examples) or surely_loses_less(scores, start)):
            raise NoRangeError(f'no trial cycle made the model better, {what}; check labels, loss and gradients')
        if not self._known and max(_rates(trials)) >= COLLAPSED_OVER * min(_rates(trials)) and alike(scores):
            raise NoRangeError(
                f'all trial cycles came to the same, as when a network collapses at each rate, {what}; '
                'scale inputs and targets, or look lower with a range of your own'
            )
        return found

    def _estimate(self, trials: list[Trial], found: Verdict, start: Score, bounds: tuple[float, float]) -> _Estimate:
        try:
            reading = analyzer.read(self.curve)
        except NoRangeError:  # too short a ramp to tell by itself; the trial cycles have told
            reading = None
        high = min(max(found.rate, bounds[0]), bounds[1])
        low, why_low = analyzer.minimum(reading or _whole(self.curve), high)
        return _Estimate(
            value_range=(low, high),
            exhausted=(reading is None or reading.limit is None) and found.best.rate == max(_rates(trials)),
            reasons={'min': why_low, 'max': weighing.reason(trials, found)},
            warnings=(
                *self._doubts,
                *self._failures(),
                *(KNOWN_WARNING,) * self._known,
                *weighing.warnings(trials, found, start),
                *_doubts(reading, high),
            ),
            spread=_spread(weighing.spread(trials, start), low, high),
            reading=reading,
        )

    def _failures(self) -> list[str]:
        failure = self._runner.failure
        return [f'at high rates updates failed, which counts as divergence ({failure})'] if failure else []


def _check_plan(policy: Any, length: Any) -> None:
    """Refuses what would be found out only after the test."""
    if parted(str(policy))[0] not in POLICIES:
        raise ValueError(f'unknown policy {policy!r}: {suggest(str(policy), POLICIES)}')
    named(policy)  # refuses options that it has not
    if length is not None:
        cycles.checked_length(length)


def _rates(trials: list[Trial]) -> list[float]:
    return [trial.rate for trial in trials]


def _score(curve: pd.DataFrame) -> Score:
    """What a whole trial cycle came to: its late updates, and the validation after it."""
    late = curve[LOSS].to_numpy(float)[-LOSS_UPDATES:]
    train = float(np.mean(late))
    loss = float(curve[VALIDATION_LOSS].iloc[-1])
    validated = not curve[VALIDATION_LOSS].isna().all()
    return Score(
        train=train,
        loss=loss if validated else train,
        error=1 - float(curve[VALIDATION_ACCURACY].iloc[-1]),
        noise=float(np.std(late) / np.sqrt(len(late))),
        wrong=1 - float(curve[ACCURACY].iloc[-ANSWER_UPDATES:].mean()),
    )


def _whole(curve: pd.DataFrame) -> Reading:
    """The reading of a ramp that shows nothing by itself: learning may pay from its first rate on."""
    first, last = curve['lr'].iloc[[0, -1]]
    return Reading(float(first), float(last), pays=0.0)


def _doubts(reading: Reading | None, high: float) -> list[str]:
    """What the ramp says against a maximum that the trial cycles speak for."""
    limit = reading.limit if reading else None
    if limit is None or high < limit.rate:
        return []
    return [
        f'the ramp {limit.kind} at {limit.rate:.3g} ({limit.why}), which the trial cycles survived: '
        'try several seeds (--seeds, lrfinder.find_seeds)'
    ]


def _spread(rates: tuple[float, float], low: float, high: float) -> dict[str, tuple[float, float]]:
    """The spread of both bounds: the lower one goes with the upper one."""
    around = (min(rates[0], high), max(rates[1], high))
    return {'min': (low / high * around[0], low / high * around[1]), 'max': around}


def _proportion(rate: Rate) -> list[str]:
    """What to do about parameters that have rates of their own."""
    if not rate.own:
        return []
    which = '1 parameter has a rate of its own' if rate.own == 1 else f'{rate.own} parameters have rates of their own'
    return [f'{which}, which the test moved in proportion: train with CLR(..., proportional=True)']


def _iterations_per_epoch(runner: Runner) -> int | None:
    """Iterations of the trainer in an epoch, where the main iterator tells; a batch on the edge counts as a whole one."""
    share = runner.epochs_per_iteration
    return max(1, math.ceil(1 / share - 0.01)) if share else None


def _batchsize(updater: Updater, runner: Runner) -> int | None:
    """The examples of a step of the optimizer, which may take several batches, where the main iterator tells."""
    try:
        iterator = updater.get_iterator('main')
        examples = int(iterator.batch_size)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    with contextlib.suppress(AttributeError, TypeError):
        examples = max(examples, round((runner.epochs_per_iteration or 0) * len(iterator.dataset)))
    return examples * max(1, round(runner.iterations_per_update))
