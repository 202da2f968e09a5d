"""The learning rate range test as a Trainer extension."""

from __future__ import annotations

from typing import Any

from clr import attributes
from lrfinder import ramp as ramp_module
from lrfinder.recorder import Recorder
from lrfinder.run import OnRow, Run

import pandas as pd
from chainer import serializer as serializer_module
from chainer.training import extension


class LRRangeTest(extension.Extension):
    """Trainer extension that raises a rate over a short run, and records what comes of it.

    The attribute is ``value_range[0]`` for the first update and ``value_range[1]`` for the last. After each update the rate that
    was used, the loss and the accuracy are recorded, and so are the results of an ``Evaluator`` whenever it runs. The
    extension ends the training after the last iteration of the ramp, or before when the run has broken.

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
        on_row (callable): Called as ``on_row(rate, loss)`` whenever values have been read off the device.

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
        optimizer: Any = None,
        *,
        observer: str = 'main',
        on_row: OnRow | None = None,
    ) -> None:
        self._attr = attr
        rates = ramp_module.rates(value_range, iterations, ramp)
        self._run = Run(rates.tolist(), Recorder(observer), on_row)
        self._optimizer = optimizer
        self._steps: int | None = None
        if optimizer is not None:
            attributes.check_settable(optimizer, attr)

    @property
    def curve(self) -> pd.DataFrame:
        """The curve so far, a row an update; the columns are those of ``lrfinder.curve.COLUMNS``."""
        return self._run.curve

    @property
    def stop_reason(self) -> str | None:
        """Why the test has ended; None while it runs."""
        return self._run.stop_reason

    def initialize(self, trainer: Any) -> None:
        optimizer = self._get_optimizer(trainer)
        attributes.check_settable(optimizer, self._attr)
        self._steps = optimizer.t
        setattr(optimizer, self._attr, self._run.rate)
        trainer.stop_trigger = _StopWhenDone(self, trainer.stop_trigger)

    def __call__(self, trainer: Any) -> None:
        optimizer = self._get_optimizer(trainer)
        # An update that did not step the optimizer is no row: the first one of a multi-node optimizer only sends the weights
        # around, for one.
        if self.stop_reason is None and optimizer.t != self._steps:
            self._steps = optimizer.t
            self._run.record(trainer.observation)
            setattr(optimizer, self._attr, self._run.rate)

    def finalize(self) -> None:
        self._run.read()

    def serialize(self, serializer: Any) -> None:
        if isinstance(serializer, serializer_module.Serializer):
            serializer('_rows', self._run.rows)
        else:
            self._run.load(serializer('_rows', None))

    def _get_optimizer(self, trainer: Any) -> Any:
        return self._optimizer or trainer.updater.get_optimizer('main')


class _StopWhenDone:
    """A trainer's stop trigger: that which the user gave, or the end of the test."""

    def __init__(self, test: LRRangeTest, given: Any) -> None:
        self._test = test
        self._given = given

    def __call__(self, trainer: Any) -> bool:
        return self._test.stop_reason is not None or self._given(trainer)

    def __getattr__(self, name: str) -> Any:  # serialize and get_training_length, where the given one has them
        return getattr(self._given, name)
