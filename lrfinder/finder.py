"""The whole range test on a user's updater, which is left exactly as it was found.

A scan over nine orders of magnitude finds where to look; a few trial cycles there settle the maximum; a ramp shows what happens
on the way there and beyond. Each run begins from the state in which the updater was found.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from clr import attributes
from clr.policies import triangular
from lrfinder.analysis import analyzer, cycles, search
from lrfinder.analysis import ramp as ramp_module
from lrfinder.analysis import trials as weighing
from lrfinder.analysis.curve import ACCURACY, LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS, make_curve
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.analysis.trials import Score, Trial, Verdict
from lrfinder.engine.holdout import HoldOut, hold_out
from lrfinder.engine.progress import Progress
from lrfinder.engine.run import OnRow, chosen_optimizer
from lrfinder.engine.runner import Runner
from lrfinder.engine.state import preserved
from lrfinder.engine.workers import holds_for, workers_of
from lrfinder.result import Result

import numpy as np
import numpy.typing as npt
import pandas as pd

# Updates of the three parts: 600 in all.
SCAN_UPDATES = 75
TRIAL_UPDATES = 90
MOST_TRIAL_UPDATES = 5 * TRIAL_UPDATES
RAMP_UPDATES = 75
# Between these rates the scan looks. Where it finds the run broken from the start, it looks again as far below.
SCAN = (1e-7, 1e2)
# The lowest rate of a trial cycle is this share of its highest (arXiv 1506.01186, section 3.3: a third or a fourth).
TRIAL_MIN_SHARE = 0.25
VALIDATIONS = 10
# Trial cycles that come to the same over such a range of rates are those of a network that dies.
DEAD = 100.0


def find(
    updater: Any,
    *,
    evaluator: Any = None,
    attr: str | None = None,
    value_range: tuple[float, float] | None = None,
    iterations: int = RAMP_UPDATES,
    ramp: str = 'linear',
    optimizer: Any = None,
    observer: str = 'main',
    policy: str = 'triangular2',
    on_row: OnRow | None = None,
    quiet: bool = False,
) -> Result:
    """Finds the range of rates to train with; the updater and all random state are left exactly as they were found.

    Args:
        updater: A ``chainer.training.StandardUpdater``, or one with its interface, ready to train.
        evaluator: A ``chainer.training.extensions.Evaluator`` over validation data. Without one, a fifth of the training
            data is kept from the trial cycles to judge them by.
        attr: The optimizer's attribute to move; by default its rate, ``'lr'`` or ``'alpha'``.
        value_range: First and last rate of the ramp; found by default.
        iterations: Length of the ramp in updates, 2 or more.
        ramp: ``'linear'`` or ``'exponential'``.
        optimizer: The optimizer to move; the updater's main one by default.
        observer: The prefix of the reported loss and accuracy.
        policy: The policy that the suggestion names.
        on_row: Called as ``on_row(rate, loss)`` for each row, up to ten at once.
        quiet: Whether to show no progress bar. There is none either with ``on_row``, or where standard error is no terminal.

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
    attributes.check_settable(optimizer, attr)
    if value_range is not None:
        value_range = ramp_module.check_range(value_range, ramp)
    ramp_module.rates(value_range or (0.5, 1.0), iterations, ramp)  # refuses a wrong length or shape before any update
    hidden = quiet or on_row is not None or workers_of(updater).rank > 0
    with preserved(updater, evaluator) as undo, Progress('range test', quiet=hidden) as progress:
        bench = Runner(updater, attr, optimizer, undo, evaluator, observer)
        held_out = None if evaluator is not None else hold_out(updater)
        search = _Search(bench, held_out, on_row or progress.show)
        try:
            result = search.anywhere(iterations, ramp) if value_range is None else search.within(value_range, iterations, ramp)
        except BaseException as error:  # an interruption, too: what was recorded goes with it
            vars(error)['curve'] = search.curve
            raise
    suggestion = _scheduled(result.suggestion, updater, bench, policy)
    return Result(result.curve, dataclasses.replace(suggestion, attr=attr, updates=bench.updates))


class _Search:
    """Scan, trial cycles and ramp on a bench."""

    def __init__(self, bench: Runner, held_out: HoldOut | None, on_row: OnRow | None) -> None:
        self._bench = bench
        self._held_out = held_out
        self._on_row = on_row
        self.curve = make_curve([])

    def anywhere(self, iterations: int, shape: str) -> Result:
        """The answer where nothing is known of the scale."""
        bounds = (0.0, math.inf)
        trials, found, start = self._trials(self._anchors(), bounds)
        stop = weighing.FACTOR * found.best.rate
        self._record(ramp_module.rates((0.0 if shape == 'linear' else stop / 1000, stop), iterations, shape))
        return self._answer(trials, found, start, bounds)

    def within(self, value_range: tuple[float, float], iterations: int, shape: str) -> Result:
        """The answer between rates that are given."""
        trials, found, start = self._trials(self._anchors(), value_range)
        self._record(ramp_module.rates(value_range, iterations, shape))
        return self._answer(trials, found, start, value_range)

    def _anchors(self) -> list[float]:
        """Where to look; and where to look if there is nothing, because what seemed to be a spike was an outlier."""
        low, high = SCAN
        self._record(ramp_module.rates((low, high), SCAN_UPDATES, 'exponential'), validations=0)
        if self.curve['lr'].iloc[-1] < 10 * low:
            self._record(ramp_module.rates((low * low / high, low), SCAN_UPDATES, 'exponential'), validations=0)
        return search.where_to_look(self.curve)

    def _record(self, rates: npt.NDArray[np.float64], validations: int = VALIDATIONS) -> None:
        try:
            self._bench.run(rates.tolist(), validations, self._on_row)
        finally:
            self.curve = self._bench.curve

    def _trials(self, anchors: list[float], bounds: tuple[float, float]) -> tuple[list[Trial], Verdict, Score]:
        """Trial cycles around an anchor, and on until the good ones are between others or the updates are spent."""
        start = self._start()
        examples = self._bench.examples(self._held_out)
        trials: list[Trial] = []
        last_start = self._bench.updates + MOST_TRIAL_UPDATES - TRIAL_UPDATES
        for anchor in anchors:
            trials += [self._trial(rate) for rate in search.first_rates(anchor, bounds) if rate not in _rates(trials)]
            if weighing.knows_more(trials, start, examples):
                break
        while self._bench.updates <= last_start:
            rate = search.next_rate(trials, start, bounds, examples)
            if rate is None:
                break
            trials.append(self._trial(rate))
        return trials, self._judged(trials, start, examples), start

    def _start(self) -> Score:
        """The state that all runs begin with."""
        opening = self.curve.iloc[: search.OPENING]
        train = float(opening[LOSS].mean())
        held = self._bench.validated(self._held_out)
        loss = held.get(VALIDATION_LOSS, math.nan)
        right = float(opening[ACCURACY].mean())
        return Score(
            train, loss if math.isfinite(loss) else train, error=1 - held.get(VALIDATION_ACCURACY, right), wrong=1 - right
        )

    def _trial(self, rate: float) -> Trial:
        cycle = [triangular(step, (TRIAL_MIN_SHARE * rate, rate), TRIAL_UPDATES / 2) for step in range(TRIAL_UPDATES)]
        run = self._bench.run(cycle, 1, self._on_row, self._held_out, watched=False)
        return Trial(rate, weighing.DIVERGED if run.broken else _score(run.curve))

    def _judged(self, trials: list[Trial], start: Score, examples: int | None) -> Verdict:
        found = weighing.verdict(trials, start)
        if found is None:
            raise NoRangeError(
                f'every trial cycle broke, down to the rate {min(_rates(trials)):.3g}; check the data and the loss '
                '(where another optimizer trains against this one, hold its model still meanwhile by disable_update())'
            )
        if not weighing.learned(trials, start, examples):
            raise NoRangeError(
                'no trial cycle made the model better on data it was not trained on; check labels, loss and gradients'
            )
        lowest, highest = min(_rates(trials)), max(_rates(trials))
        if highest >= DEAD * lowest and weighing.alike(trials):
            raise NoRangeError(
                f'all trial cycles from {lowest:.3g} to {highest:.3g} came to the same, as when a network dies at each rate; '
                'scale inputs and targets, or look lower with a range of your own'
            )
        return found

    def _answer(self, trials: list[Trial], found: Verdict, start: Score, bounds: tuple[float, float]) -> Result:
        try:
            reading = analyzer.read(self.curve)
        except NoRangeError:  # too short a ramp to tell by itself; the trial cycles have told
            first, last = self.curve['lr'].iloc[[0, -1]]
            reading = analyzer.Reading(float(first), float(last), pays=0.0)
        rate = min(max(found.rate, bounds[0]), bounds[1])
        low, why_low = analyzer.minimum(reading, rate)
        return Result(
            self.curve,
            Suggestion(
                attr='lr',
                value_range=(low, rate),
                step_size=1,
                exhausted=reading.collapse is None and found.best.rate == max(_rates(trials)),
                reasons={'min': why_low, 'max': weighing.reason(trials, found)},
                warnings=(*weighing.warnings(trials, found, start), *_doubts(reading, rate)),
                spread=_spread(weighing.spread(trials, start), low, rate),
            ),
        )


def _rates(trials: list[Trial]) -> list[float]:
    return [trial.rate for trial in trials]


def _score(curve: pd.DataFrame) -> Score:
    """What a whole trial cycle came to: its last third, and the validation after it."""
    late = curve[LOSS].to_numpy(float)[-TRIAL_UPDATES // 3 :]
    train = float(np.mean(late))
    loss = float(curve[VALIDATION_LOSS].iloc[-1])
    validated = not curve[VALIDATION_LOSS].isna().all()
    return Score(
        train=train,
        loss=loss if validated else train,
        error=1 - float(curve[VALIDATION_ACCURACY].iloc[-1]),
        noise=float(np.std(late) / np.sqrt(len(late))),
        wrong=1 - float(curve[ACCURACY].iloc[-TRIAL_UPDATES // 10 :].mean()),
    )


def _doubts(reading: analyzer.Reading, rate: float) -> list[str]:
    """What the ramp says against a maximum that the trial cycles speak for."""
    if reading.collapse is None or rate < reading.collapse:
        return []
    return [f'the ramp collapsed at {reading.collapse:.3g} ({reading.why}), which the trial cycles got over: try several seeds']


def _spread(rates: tuple[float, float], low: float, high: float) -> dict[str, tuple[float, float]]:
    """The spread of both bounds: the lower one goes with the upper one."""
    around = (min(rates[0], high), max(rates[1], high))
    return {'min': (low / high * around[0], low / high * around[1]), 'max': around}


def _scheduled(suggestion: Suggestion, updater: Any, bench: Runner, policy: str) -> Suggestion:
    """The suggestion with the length of a cycle that fits the updater's data, and the batch that it holds for."""
    iterations_per_epoch, batchsize = _epoch(updater, bench.epochs_per_update)
    plan = cycles.without_budget(iterations_per_epoch)
    reasons = {**suggestion.reasons, 'step_size': plan.reason}
    if batchsize is not None:
        workers = workers_of(updater)
        reasons['batchsize'] = holds_for(batchsize, workers.size)
        batchsize *= workers.size
    return dataclasses.replace(
        suggestion,
        policy=policy,
        step_size=plan.step_size,
        iterations_per_epoch=iterations_per_epoch,
        batchsize=batchsize,
        reasons=reasons,
    )


def _epoch(updater: Any, epochs_per_update: float | None) -> tuple[int | None, int | None]:
    """Iterations of an epoch and examples of a batch, where the main iterator tells."""
    # An update may take several batches, as that of a recurrent network does. A batch on the edge counts as a whole one.
    iterations = max(1, math.ceil(1 / epochs_per_update - 0.01)) if epochs_per_update else None
    try:
        return iterations, int(updater.get_iterator('main').batch_size)
    except (AttributeError, KeyError):
        return iterations, None
