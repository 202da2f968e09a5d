"""Runs through sequences of rates on a user's updater, each from the state in which it was found."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from lrfinder._names import printable
from lrfinder.analysis.curve import make_curve
from lrfinder.analysis.metrics import ACCURACY, VALIDATION_ACCURACY
from lrfinder.engine.judge import Judge
from lrfinder.engine.protocols import Optimizer, Updater
from lrfinder.engine.rate import Rate, SetUpError
from lrfinder.engine.recorder import Names, Shares
from lrfinder.engine.run import OnRow, Run, Steps
from lrfinder.engine.state import Undo, undo_random_numbers
from lrfinder.engine.told import Epochs, main_iterator
from lrfinder.engine.workers import Workers

import chainer
import numpy as np
import pandas as pd
from chainer import training

# What fails before so many updates is no finding, but a fault of the set-up.
FIRST_UPDATES = 3


class Runner:
    """Tries rates on an updater, and counts what that costs.

    Args:
        updater: A ``chainer.training.StandardUpdater``, or one with its interface.
        rate: The rate to move.
        optimizer: The optimizer that has it.
        undo: Puts everything back as it was found; called before each run.
        workers: Those that train together.
        names: What the loss and the accuracy are called.

    Attributes:
        updates: How many steps of the optimizer all runs took.
        epochs_per_iteration: The share of an epoch that an iteration takes, as the last run on all of the user's data had it;
            ``None`` where the iterator does not tell.
        iterations_per_update: How many iterations a step of the optimizer took then, on average.
        failure: What the first update raised that failed at a high rate; empty where none did.
    """

    def __init__(
        self, updater: Updater, rate: Rate, optimizer: Optimizer, undo: Undo, workers: Workers, names: Names | None = None
    ) -> None:
        self._updater: Any = updater
        self._rate = rate
        self._optimizer = optimizer
        self._undo = undo
        self._draw_as_found = undo_random_numbers()
        self._workers = workers
        self._names = names or Names()
        self._reporter = _reporter_for(updater)
        self._run: Run | None = None
        self._iterations = 0
        self.updates = 0
        self.epochs_per_iteration: float | None = None
        self.iterations_per_update = 1.0
        self._shares = Shares()
        self.failure = ''
        self.reported: tuple[str, ...] = ()
        self._findings: set[type[Exception]] = set()

    @property
    def curve(self) -> pd.DataFrame:
        """The curve of the last run, as far as it came, with accuracies from 0 to 1."""
        return make_curve([]) if self._run is None else self._shares.in_curve(self._run.curve)

    @property
    def others(self) -> list[str]:
        """What the updater's other optimizers are called, those of models that hold still left out."""
        others = {name: one for name, one in self._updater.get_all_optimizers().items() if one is not self._optimizer}
        return [name for name, one in others.items() if _trains(one)]

    @property
    def doubts(self) -> list[str]:
        """What of the reported values could not be used, in words."""
        names = {ACCURACY: self._names.accuracy, VALIDATION_ACCURACY: f'validation/{self._names.accuracy}'}
        return [
            f'{names[name]} is neither a share of right answers, from 0 to 1, nor in percent, so it was not judged by'
            for name in self._shares.unknown
        ]

    def run(
        self,
        rates: Sequence[float],
        judge: Judge | None = None,
        validations: int = 0,
        on_row: OnRow | None = None,
        watched: bool = True,
    ) -> Run:
        """One run from the found state.

        Args:
            rates: The rate of each update.
            judge: Validates it; what it holds out is not trained on.
            validations: How often to validate, evenly over the run, the last time after its last update.
            on_row: As for :class:`~lrfinder.engine.run.Run`.
            watched: As for :class:`~lrfinder.engine.run.Run`.

        Returns:
            The run, with its curve. An update that fails at these rates whenever it is tried, but not at a rate of 0, ends it,
            as diverged.

        Raises:
            ValueError: The updates report no loss, do not step the optimizer or run out of data, or something else moves the
                rate.
        """
        try:
            return self._attempt(rates, judge, validations, on_row, watched)
        except SetUpError:
            raise
        except Exception as error:
            run = self._run
            if run is None or run.telling or not self._is_a_finding(error, run, rates, judge, validations, watched):
                raise
            why = f'{type(error).__name__}: {printable(" ".join(str(error).split()), 200)}'
            self.failure = self.failure or why
            run.fail(f'the update failed ({why})')
            return run

    def _attempt(
        self, rates: Sequence[float], judge: Judge | None, validations: int, on_row: OnRow | None, watched: bool
    ) -> Run:
        self._undo()
        run = self._run = Run(rates, self._names, on_row, watched)
        run.average_over(self._workers)
        steps = Steps(self._optimizer)
        if judge is not None:
            judge.hold_out(self._updater)  # until everything is put back
        validate_after = _evenly(validations, len(rates)) if judge is not None and judge.validates else frozenset()
        epochs, iterations, updates = Epochs(main_iterator(self._updater)), self._iterations, self.updates
        with np.errstate(all='ignore'):  # overflow is what a range test looks for
            while run.stop_reason is None:
                epochs.look()
                if self._step(run, steps) and len(run) in validate_after and not run.diverged:
                    assert judge is not None
                    run.record_validation(self._validate(judge))
            run.read()
        self._rate.check_own()
        if judge is None or not judge.holds_out:
            self._count(epochs.done(), self._iterations - iterations, self.updates - updates)
        return run

    def _is_a_finding(
        self, error: Exception, failed: Run, rates: Sequence[float], judge: Judge | None, validations: int, watched: bool
    ) -> bool:
        """Whether a run failed for its rates: it does so again, and does not at a rate of 0."""
        if self._workers.size > 1 or self.updates < FIRST_UPDATES:
            return False
        if type(error) not in self._findings:
            again = self._failure_of(rates, judge, validations, watched)
            at_rest = self._failure_of([0.0] * (len(failed) + 1), judge, 1, watched=False)
            self._run = failed
            if type(again) is not type(error) or at_rest is not None:
                return False
            self._findings.add(type(error))
        return True

    def _failure_of(self, rates: Sequence[float], judge: Judge | None, validations: int, watched: bool) -> Exception | None:
        """What ends a run with an exception; ``None`` where it comes to its end."""
        try:
            self._attempt(rates, judge, validations, None, watched)
        except Exception as error:
            return error
        return None

    def _step(self, run: Run, steps: Steps) -> bool:
        """One iteration; whether it was a row of the curve."""
        self._rate.set(run.rate)
        observation: dict[str, Any] = {}
        with self._reporter.scope(observation):
            self._update()
        self._rate.check_held('the updater itself, or a hook of the optimizer')
        if not steps.made():
            return False
        self.updates += 1
        self.reported = self.reported or tuple(map(str, observation))
        run.record(observation, steps.iterations)
        return True

    def _update(self) -> None:
        self._iterations += 1
        try:
            self._updater.update()
        except StopIteration as error:
            if not _from_an_iterator(error):
                raise RuntimeError('the model raised StopIteration') from error
            raise SetUpError(
                f'the data ran out after {self.updates} updates; make the iterator with repeat=True, so that it begins again'
            ) from None

    def _count(self, epochs: float | None, iterations: int, updates: int) -> None:
        """Notes how long an epoch is, and how many iterations a step takes."""
        self.epochs_per_iteration = epochs / iterations if epochs else None
        self.iterations_per_update = iterations / updates

    def epochs(self, updates: int) -> float | None:
        """How many epochs so many steps of the optimizer take; ``None`` where the iterator does not tell."""
        share = self.epochs_per_iteration
        return None if share is None else updates * self.iterations_per_update * share

    def validated(self, judge: Judge) -> dict[str, float] | Exception:
        """What a judge says of the found state; nothing where it can't validate.

        Where it judges by held-out data, as nobody has asked for, what it raises each time is returned.
        """
        try:
            found = self._validated(judge)
        except Exception as error:
            if not judge.holds_out or self._workers.size > 1:  # of which others may go on
                raise
            try:
                self._validated(judge)
            except type(error):
                return error
            raise
        if VALIDATION_ACCURACY in found:
            found[VALIDATION_ACCURACY] = self._shares.of(VALIDATION_ACCURACY, np.array(found[VALIDATION_ACCURACY])).item()
        return found

    def _validated(self, judge: Judge) -> dict[str, Any]:
        self._undo()
        with np.errstate(all='ignore'):
            return self._names.validated(self._validate(judge)) if judge.validates else {}

    def _validate(self, judge: Judge) -> Mapping[str, float]:
        """Validates, drawing the same random numbers each time: what is said differs by the model, not by luck."""
        go_on_drawing = undo_random_numbers()
        self._draw_as_found()
        try:
            return judge.validate(self._reporter)
        finally:
            go_on_drawing()


def _reporter_for(updater: Any) -> Any:
    """A reporter that names what an updater's models report as that of a trainer does."""
    if hasattr(updater, 'connect_trainer'):
        return training.Trainer(updater).reporter  # of a trainer that never runs
    reporter = chainer.Reporter()
    for name, optimizer in updater.get_all_optimizers().items():
        reporter.add_observer(name, optimizer.target)
        reporter.add_observers(name, optimizer.target.namedlinks(skipself=True))
    return reporter


def _trains(optimizer: Any) -> bool:
    model = getattr(optimizer, 'target', None)
    return model is not None and any(getattr(param.update_rule, 'enabled', True) for param in model.params())


def _from_an_iterator(error: StopIteration) -> bool:
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_code.co_name in ('__next__', 'next')


def _evenly(times: int, length: int) -> frozenset[int]:
    return frozenset(round(length * (k + 1) / times) for k in range(times))
