"""The whole range test on a user's updater, which is left exactly as it was found: :func:`find`."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from clr import attributes
from clr.arguments import checked_attr, checked_callback, checked_flag
from clr.choice import check_first_values
from clr.policies import POLICIES, named, parted
from lrfinder._names import suggest
from lrfinder.analysis import cycles
from lrfinder.analysis.analyzer import Reading
from lrfinder.analysis.batchsize import holds_for
from lrfinder.analysis.budget import BUDGET, spent
from lrfinder.analysis.cycles import Length
from lrfinder.analysis.metrics import ACCURACY, VALIDATION_ACCURACY
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.engine.judge import judges_for
from lrfinder.engine.progress import Progress
from lrfinder.engine.protocols import Evaluator, Optimizer, Updater
from lrfinder.engine.rate import Rate
from lrfinder.engine.recorder import Names
from lrfinder.engine.run import OnRow, chosen_optimizer, takes_names
from lrfinder.engine.runner import Runner
from lrfinder.engine.state import preserved
from lrfinder.engine.told import batchsize_of, epochs_done, examples_in_epoch, main_iterator
from lrfinder.engine.workers import workers_of
from lrfinder.range_test import Question, RangeTest
from lrfinder.result import Result

# A number of batches that is nearer to a whole one than this may be rounded.
WHOLE = 0.1
# And one that is nearer than this is one, but for the rounding of epoch_detail.
ROUNDING = 1e-6


@takes_names
def find(
    updater: Updater,
    *,
    evaluator: Evaluator | None = None,
    attr: str | None = None,
    value_range: tuple[float, float] | None = None,
    iterations: int | None = None,
    ramp: str = 'linear',
    budget: int = BUDGET,
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
            fifth of the training data is held out of them, where the iterator and its order are Chainer's own and the model
            can be validated; where not, they are judged by the loss of each batch before it is trained on.
        attr: The optimizer's attribute to move; by default its rate, ``'lr'`` or ``'alpha'``.
        value_range: A question: where to look, the first and the last rate of the ramp. By default this is found. The answer
            is ``suggestion.value_range``.
        iterations: Length of the ramp in updates, 2 or more; by default it comes out of the budget.
        ramp: ``'linear'`` or ``'exponential'``.
        budget: How many updates the answer may cost, 100 or more, without a ramp of a length of its own. With more of them the
            trials become longer, and those around the best are repeated at four times the length.
        optimizer: The optimizer to move; the updater's main one by default.
        observer: The prefix of the reported loss and accuracy.
        loss: The name of the reported loss, where that is another than ``observer`` and ``/loss``.
        accuracy: The same for the accuracy: a share of right answers, from 0 to 1 or in percent; the tables have shares.
        policy: The policy that the suggestion names.
        length: How long the training will be, such as ``(30, 'epoch')`` or ``(8000, 'iteration')``: the range is then for a
            training of that length, and ``step_size`` that of whole cycles. Otherwise, for one a few times as long as a trial.
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
    attr = attributes.rate_attribute(optimizer) if attr is None else checked_attr(attr)
    question = Question(value_range, ramp, iterations, partial(spent, budget))
    names = Names.chosen(observer, loss, accuracy)
    _check_plan(policy, length, updater)
    on_row, quiet = checked_callback('on_row', on_row, 'on_row(rate, loss)'), checked_flag('quiet', quiet)
    workers = workers_of(updater)
    heard = not quiet and on_row is None and workers.rank == 0
    with (
        workers.failing_together(),
        preserved(updater, evaluator) as undo,
        Progress('range test', question.most, quiet=not heard) as progress,
    ):
        rate = Rate(optimizer, attr)
        runner = Runner(updater, rate, optimizer, undo, workers, names)
        judges = judges_for(updater, evaluator, workers)
        test = RangeTest(runner, judges, names, partial(_updates, updater, runner, length, policy), on_row or progress.show)
        try:
            estimate = test.run(question)
        except BaseException as error:  # an interruption, too: what was recorded goes with it
            vars(error).update(curve=test.curve, trials=test.trials)
            raise
    epoch = _epoch(updater, runner)
    plan = _plan(epoch, length, policy)
    batchsize = _batchsize(updater, runner)
    kind = _kind(optimizer)
    reasons = {**estimate.reasons, 'step_size': plan.reason, 'judged_by': test.judge.words}
    suggestion = Suggestion(
        attr=attr,
        value_range=estimate.value_range,
        step_size=plan.step_size,
        policy=policy,
        iterations_per_epoch=None if epoch is None else cycles.iterations_in((1, 'epoch'), epoch),
        exhausted=estimate.exhausted,
        reasons=reasons if batchsize is None else {**reasons, 'batchsize': holds_for(batchsize, kind, workers.size)},
        warnings=(*estimate.warnings, *_unreported(accuracy, test, runner.reported), *_proportion(rate)),
        updates=runner.updates,
        spread=estimate.spread,
        length=estimate.length,
        band=estimate.band,
        diverges=estimate.diverges,
        batchsize=None if batchsize is None else batchsize * workers.size,
        optimizer=kind,
        proportional=rate.own > 0,
    )
    if heard:
        for warning in suggestion.warnings:
            print(f'lrfinder: warning: {warning}', file=sys.stderr)
    readings: dict[int | None, Reading] = {} if estimate.reading is None else {None: estimate.reading}
    return Result(test.curve, suggestion, readings, test.trials, test.scan)


def _check_plan(policy: Any, length: Any, updater: Updater) -> None:
    """Refuses what would be found out only after the test."""
    if not isinstance(policy, str):
        raise ValueError(f"policy must be the name of one, such as 'triangular2', not {policy!r}")
    if parted(policy)[0] not in POLICIES:
        raise ValueError(f'unknown policy {policy!r}: {suggest(policy, POLICIES)}')
    check_first_values(named(policy), (0.0, 1.0), math.inf)
    if length is not None:
        _, unit = cycles.checked_length(length)
        if unit == 'epoch' and epochs_done(main_iterator(updater)) is None:
            cycles.iterations_in(length, None)  # refuses it


def _kind(optimizer: Optimizer) -> str:
    """The name of the optimizer's class; that of the one inside of a multi-node optimizer."""
    inner = getattr(optimizer, 'actual_optimizer', optimizer)
    return type(inner).__name__


def _unreported(accuracy: str | None, test: RangeTest, reported: Sequence[str]) -> list[str]:
    """That an accuracy which was asked for was not found, or that something which was not may be one."""
    seen = [test.scan[ACCURACY], *([test.trials[VALIDATION_ACCURACY]] if len(test.trials) else [])]
    if any(values.notna().any() for values in seen):
        return []
    if accuracy is not None:
        return [f'nothing reported the accuracy {accuracy!r}, so it was not judged by']
    others = [name for name in reported if 'acc' in name.lower()]
    return [f'{name!r} may be an accuracy, and was not judged by: say accuracy={name!r} if it is' for name in others[:1]]


def _proportion(rate: Rate) -> list[str]:
    """What to do about parameters that have rates of their own."""
    if not rate.own:
        return []
    which = '1 parameter has a rate of its own' if rate.own == 1 else f'{rate.own} parameters have rates of their own'
    return [f'{which}, which the test moved in proportion: train with CLR(..., proportional=True)']


def _plan(iterations_per_epoch: float | None, length: Length | None, policy: str) -> cycles.CyclePlan:
    """The cycles of the training; refuses options of the policy that don't fit into them."""
    plan = cycles.plan(iterations_per_epoch, length, policy)
    check_first_values(named(policy), (0.0, 1.0), plan.step_size)
    return plan


def _updates(updater: Updater, runner: Runner, length: Length | None, policy: str) -> int | None:
    """The updates of a training of a given length, as far as the runs so far tell."""
    epoch = _epoch(updater, runner)
    _plan(epoch, length, policy)  # it is known from here on whether there is one
    if length is None:
        return None
    return max(1, round(cycles.iterations_in(length, epoch) / runner.iterations_per_update))


def _epoch(updater: Updater, runner: Runner) -> float | None:
    """Iterations of the trainer in an epoch, where the main iterator tells.

    No whole number where a batch goes on over the edge of an epoch, so that all are of one size; where the last one is smaller,
    it counts as a whole one.
    """
    share = runner.epochs_per_iteration
    if not share:
        return None
    iterator = main_iterator(updater)
    batch, examples = batchsize_of(iterator), examples_in_epoch(iterator)
    if batch is not None and examples is not None:
        batches = share * examples / batch
        if round(batches) >= 1 and abs(batches - round(batches)) < ROUNDING:
            return round(1 / share, 6)
    return cycles.iterations_in((1, 'epoch'), 1 / share)


def _batchsize(updater: Updater, runner: Runner) -> int | None:
    """The examples of a step of the optimizer, which may take several batches, where the main iterator tells."""
    iterator = main_iterator(updater)
    batch, epoch = batchsize_of(iterator), examples_in_epoch(iterator)
    if batch is None:
        return None
    batches = runner.iterations_per_update
    if epoch is not None and runner.epochs_per_iteration is not None:
        counted = batches * runner.epochs_per_iteration * epoch / batch
        if abs(counted - max(1, round(counted))) < WHOLE:  # else its epochs are not those of its data set
            batches = counted
    return batch * max(1, round(batches))
