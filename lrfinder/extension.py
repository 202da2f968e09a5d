"""The learning rate range test as a Trainer extension."""

from __future__ import annotations

import contextlib
from typing import Any

from clr import attributes
from clr.arguments import checked_attr, checked_callback
from clr.training.rivals import refuse_others
from lrfinder.analysis import ramp as ramp_module
from lrfinder.engine.protocols import Optimizer
from lrfinder.engine.rate import Rate
from lrfinder.engine.recorder import Names
from lrfinder.engine.run import OnRow, Run, Steps, chosen_optimizer
from lrfinder.engine.workers import workers_of

import pandas as pd
from chainer import serializer as serializer_module
from chainer.training import extension


class LRRangeTest(extension.Extension):
    """Trainer extension that raises a rate over a short run, and records what comes of it.

    The attribute is ``value_range[0]`` for the first update and ``value_range[1]`` for the last. After each update the rate
    that was used, the loss and the accuracy are recorded, and so are the results of an ``Evaluator`` whenever it runs. The
    extension ends the training after the last iteration of the ramp, or before when the run has diverged. It goes on from
    snapshots.

    Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.3.

    >>> import lrfinder
    >>> test = lrfinder.LRRangeTest('lr', value_range=(0.0, 1.0), iterations=300)
    >>> # trainer.extend(test); trainer.run(); lrfinder.analyze(test.curve)

    Args:
        attr (str): Name of the optimizer attribute to move: ``'lr'``, or ``'alpha'`` for Adam and its like.
        value_range (tuple of float): The first and the last rate, ascending, 0 or more.
        iterations (int): The length of the ramp in updates, 2 or more.
        ramp (str): ``'linear'`` or ``'exponential'``.
        optimizer (~chainer.Optimizer): Target optimizer. If it is None, the main optimizer of the trainer is used.
        observer (str): The prefix of the reported loss and accuracy: ``'main'`` for the main optimizer's model.
        loss (str): The name of the reported loss, where that is another than the observer and ``/loss``.
        accuracy (str): The same for the accuracy.
        on_row (callable): Called as ``on_row(rate, loss)`` for each row, up to ten at once.

    Raises:
        ValueError: An argument is out of its range, or the optimizer has no such attribute that can be set.

    """

    # After the Evaluator (PRIORITY_WRITER), and with those that read what has been observed.
    priority = extension.PRIORITY_READER
    trigger = 1, 'iteration'

    def __init__(
        self,
        attr: str,
        value_range: tuple[float, float],
        iterations: int,
        ramp: str = 'linear',
        optimizer: Optimizer | None = None,
        *,
        observer: str = 'main',
        loss: str | None = None,
        accuracy: str | None = None,
        on_row: OnRow | None = None,
    ) -> None:
        self._attr = checked_attr(attr)
        rates = ramp_module.rates(value_range, iterations, ramp)
        told = checked_callback('on_row', on_row, 'on_row(rate, loss)')
        self._run = Run(rates.tolist(), Names.chosen(observer, loss, accuracy), told)
        self._optimizer = optimizer
        self._rate: Rate | None = None
        self._steps: Steps | None = None
        self._begun: int | None = None  # the iteration at which the current rate was set
        if optimizer is not None:
            attributes.check_settable(optimizer, attr)

    @property
    def curve(self) -> pd.DataFrame:
        """The curve so far, a row an update; the columns are those of ``lrfinder.analysis.curve.COLUMNS``.

        With several workers, extend all their trainers with the test: its rows are means over all, up to ten of the last ones
        still this worker's own while the test runs. Any worker may look at it alone.
        """
        return self._run.curve

    @property
    def stop_reason(self) -> str | None:
        """Why the test has ended; None while it has not."""
        return self._run.stop_reason

    @property
    def moved_attributes(self) -> tuple[str, ...]:
        """The names of the attributes of the optimizer that it moves."""
        return (self._attr,)

    def initialize(self, trainer: Any) -> None:
        if self._rate is not None and len(self._run):
            raise ValueError('this LRRangeTest has been run before; make a new one for another training')
        optimizer = chosen_optimizer(trainer.updater, self._optimizer)
        refuse_others(trainer, self, optimizer)
        self._run.average_over(workers_of(trainer.updater))
        self._start(Rate(optimizer, self._attr), optimizer)
        self._begun = trainer.updater.iteration
        trainer.stop_trigger = _StopWhenDone(self._run, trainer)

    def __call__(self, trainer: Any) -> None:
        if self._rate is None or self._steps is None or self.stop_reason is not None:
            return
        self._rate.check_held('the updater, a hook of the optimizer, or another extension')
        if self._steps.made():
            now = trainer.updater.iteration
            since = self._steps.iterations if self._begun is None else now - self._begun
            self._run.record(trainer.observation, since)
            self._begun = now
            self._rate.set(self._run.rate)

    def on_error(self, trainer: Any, exception: Exception, traceback: Any) -> None:
        """Takes an exception that ends the training for the end of the test: the curve then ends with a row without values."""
        started = self._rate is not None and self.stop_reason is None and len(self._run)
        if started and not self._run.telling:
            with contextlib.suppress(Exception):  # of on_row: the first one is to come through
                self._run.fail(f'the training failed ({type(exception).__name__}: {exception})')

    def serialize(self, serializer: Any) -> None:
        if isinstance(serializer, serializer_module.Serializer):
            for name, value in zip(('_rows', '_read'), self._run.rows):
                serializer(name, value)
            return
        rows = serializer('_rows', None)
        if rows is not None:  # else it is a snapshot of a training without this extension, leniently loaded
            self._run.load(rows, int(serializer('_read', 0)))
        if self._rate is not None and self._steps is not None:  # snapshot(autoload=True) loads after initialize
            self._start(self._rate, self._steps.optimizer)

    def _start(self, rate: Rate, optimizer: Any) -> None:
        self._rate = rate
        self._steps = Steps(optimizer)
        self._begun = None
        rate.set(self._run.rate)


class _StopWhenDone:
    """A trainer's stop trigger: that which the user gave, or the end of the test."""

    def __init__(self, run: Run, trainer: Any) -> None:
        self._run = run
        self._given = trainer.stop_trigger
        self._end = trainer.updater.iteration + run.left

    def __call__(self, trainer: Any) -> bool:
        if self._run.stop_reason is None and self._given(trainer):
            self._run.read()  # what no full block has brought over
            return True
        return self._run.stop_reason is not None

    def get_training_length(self) -> tuple[float, str]:
        """What a ProgressBar shows the share of."""
        length, unit = getattr(self._given, 'get_training_length', lambda: (self._end, 'iteration'))()
        return (min(length, self._end) if unit == 'iteration' else self._end), 'iteration'

    def __getattr__(self, name: str) -> Any:  # serialize, where the given one has it
        return getattr(self._given, name)
