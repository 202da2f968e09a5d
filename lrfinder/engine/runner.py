"""Runs through sequences of rates on a user's updater, each from the state in which it was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lrfinder.analysis.curve import make_curve
from lrfinder.engine.holdout import HoldOut
from lrfinder.engine.protocols import Evaluator, Optimizer, Updater
from lrfinder.engine.run import OnRow, Run, Steps
from lrfinder.engine.state import Undo
from lrfinder.engine.workers import workers_of

import numpy as np
import pandas as pd
from chainer import training


class Runner:
    """Tries rates on an updater, and counts what that costs.

    Args:
        updater: A ``chainer.training.StandardUpdater``, or one with its interface.
        attr: The attribute of the optimizer to move.
        optimizer: The optimizer that has it.
        undo: Puts everything back as it was found; called before each run.
        evaluator: A ``chainer.training.extensions.Evaluator``, or ``None``.
        observer: The prefix of the reported loss and accuracy.

    Attributes:
        updates: How many parameter updates all runs took.
        epochs_per_update: The share of an epoch that an update takes, as the last run on the user's own data had it; ``None``
            where the iterator does not tell.
    """

    def __init__(
        self,
        updater: Updater,
        attr: str,
        optimizer: Optimizer,
        undo: Undo,
        evaluator: Evaluator | None = None,
        observer: str = 'main',
    ) -> None:
        self._updater: Any = updater
        self._attr = attr
        self._optimizer = optimizer
        self._undo = undo
        self._evaluator = evaluator
        self._observer = observer
        self._workers = workers_of(updater)
        self._workers.check_alike('whether there is an evaluator', evaluator is not None)
        # A trainer that never runs: it knows how observers of an updater's models are named.
        self._reporter = training.Trainer(updater).reporter
        self._run: Run | None = None
        self.updates = 0
        self.epochs_per_update: float | None = None

    @property
    def curve(self) -> pd.DataFrame:
        """The curve of the last run, as far as it came."""
        return make_curve([]) if self._run is None else self._run.curve

    def run(
        self,
        rates: Sequence[float],
        validations: int = 0,
        on_row: OnRow | None = None,
        held_out: HoldOut | None = None,
        watched: bool = True,
    ) -> Run:
        """One run from the found state.

        Args:
            rates: The rate of each update.
            validations: How often to validate, evenly over the run, the last time after its last update.
            on_row: As for :class:`~lrfinder.engine.run.Run`.
            watched: As for :class:`~lrfinder.engine.run.Run`.
            held_out: Trains on the one part of it and validates on the other, in place of the user's data.

        Returns:
            The run, with its curve.

        Raises:
            ValueError: The updates report no loss, do not step the optimizer, or run out of data.
        """
        self._undo()
        run = self._run = Run(rates, self._observer, on_row, watched)
        run.average_over(self._workers)
        steps = Steps(self._optimizer)
        evaluator = self._judge(held_out)
        if held_out is not None:
            self._updater._iterators['main'] = held_out.iterator()  # until everything is put back
        validate_after = _evenly(validations, len(rates)) if evaluator is not None else frozenset()
        began, updates = self._epoch_detail(), self.updates
        with np.errstate(all='ignore'):  # overflow is what a range test looks for
            while run.stop_reason is None:
                if self._step(run, steps) and len(run) in validate_after and not run.diverged:
                    run.record_validation(self._validate(evaluator))
            run.read()
        if held_out is None and began is not None:
            self.epochs_per_update = (self._epoch_detail() - began) / (self.updates - updates)
        return run

    def _epoch_detail(self) -> Any:
        try:
            return self._updater.get_iterator('main').epoch_detail
        except (AttributeError, KeyError):
            return None

    def _step(self, run: Run, steps: Steps) -> bool:
        """One update; whether it was a row of the curve."""
        setattr(self._optimizer, self._attr, run.rate)
        observation: dict[str, Any] = {}
        with self._reporter.scope(observation):
            self._update()
        if not steps.made():
            return False
        self.updates += 1
        run.record(observation)
        return True

    def _update(self) -> None:
        try:
            self._updater.update()
        except StopIteration:
            raise ValueError(
                f'the data ran out after {self.updates} updates; make the iterator with repeat=True, so that it begins again'
            ) from None

    def validated(self, held_out: HoldOut | None = None) -> dict[str, float]:
        """What the evaluator says of the found state; nothing without an evaluator."""
        self._undo()
        evaluator = self._judge(held_out)
        if evaluator is None:
            return {}
        with np.errstate(all='ignore'):
            return self._validate(evaluator)

    def examples(self, held_out: HoldOut | None = None) -> int | None:
        """How many examples the evaluator has, over all workers; ``None`` where that is not known."""
        evaluator = self._judge(held_out)
        try:
            return len(evaluator.get_iterator('main').dataset) * self._workers.size
        except (AttributeError, KeyError, TypeError):
            return None

    def _judge(self, held_out: HoldOut | None) -> Any:
        return self._evaluator if held_out is None else held_out.evaluator

    def _validate(self, evaluator: Any) -> dict[str, float]:
        # Where the evaluator belongs to a trainer, that has given it a name.
        name = getattr(evaluator, 'name', None)
        prefix = f'{name}/' if name else ''
        with self._reporter.scope({}):  # not into the observation of a trainer that may be running around this
            result = evaluator()
        found = {key.removeprefix(prefix): float(result[key]) for key in result if key.endswith(('/loss', '/accuracy'))}
        return {f'validation/{key}': float(mean) for key, mean in zip(found, self._workers.mean(list(found.values())))}


def _evenly(times: int, length: int) -> frozenset[int]:
    return frozenset(round(length * (k + 1) / times) for k in range(times))
