"""One run through a sequence of rates: the one room that knows the next rate, what was reported, and when to stop.

``find`` and the Trainer extension both give it what their updates report, so that both stop alike, and so do all workers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from lrfinder.analysis.divergence import Divergence, not_finite
from lrfinder.engine.protocols import Optimizer, Updater
from lrfinder.engine.recorder import Names, Recorder
from lrfinder.engine.told import examples_in, main_iterator
from lrfinder.engine.workers import Workers

import pandas as pd

OnRow = Callable[[float, float], None]
Function = TypeVar('Function', bound=Callable[..., Any])

# So many updates without a step of the optimizer, one after another, mean that it is not the one that is trained.
PATIENCE = 100


class Run:
    """Gives the rate of the next update, takes what the update reported, and says when to stop.

    Args:
        rates: The rate of each update.
        names: What the loss and the accuracy are called in what is reported.
        on_row: Called as ``on_row(rate, loss)`` for each row, up to ten at once.
        watched: Whether a finite loss that has risen ends the run, too. A cycle may recover from that, a ramp does not.

    Attributes:
        stop_reason: Why the run has ended; ``None`` while it goes on.
        diverged: Whether it ended because it diverged.
        telling: Whether ``on_row`` is being called; it stays so where that raises.
    """

    def __init__(
        self, rates: Sequence[float], names: Names | None = None, on_row: OnRow | None = None, watched: bool = True
    ) -> None:
        # Plain floats: elementwise kernels on a GPU would compile anew for NumPy's.
        self._rates = [float(rate) for rate in rates]
        self._recorder = Recorder(names)
        self._why_diverged = Divergence().update if watched else not_finite
        self._on_row = on_row
        self.stop_reason: str | None = None
        self.diverged = False
        self.telling = False

    def __len__(self) -> int:
        return len(self._recorder)

    @property
    def rate(self) -> float:
        """The rate of the next update; after the end, that of the last."""
        return self._rates[min(len(self), len(self._rates) - 1)]

    @property
    def left(self) -> int:
        """How many updates are left."""
        return len(self._rates) - len(self)

    @property
    def curve(self) -> pd.DataFrame:
        """The rows so far."""
        return self._recorder.curve

    @property
    def rows(self) -> tuple[Any, int]:
        """The rows so far, and how many of them have been read, for a snapshot."""
        return self._recorder.rows()

    def average_over(self, workers: Workers) -> None:
        """Averages what is recorded from here on over some workers, which all must do the same."""
        self._recorder.workers = workers

    def load(self, rows: Any, read: int) -> None:
        """Goes on from the rows of a snapshot, of which so many had been read.

        Raises:
            ValueError: They were recorded with other rates.
        """
        rates = rows[:, 1].tolist()
        if rates != self._rates[: len(rates)]:
            raise ValueError(
                f'the snapshot holds {len(rates)} rows of a range test with other rates; '
                'resume it with the value_range, iterations and ramp that it was begun with'
            )
        losses = self._recorder.load(rows, read)
        self._why_diverged = Divergence().update
        self.stop_reason, self.diverged = None, False
        self._watch(losses, first=0)

    def record(self, observation: Mapping[str, Any], iterations: int = 1) -> None:
        """Takes what the update with the current rate reported.

        Args:
            observation: What it reported.
            iterations: How many iterations of the trainer it took.

        Raises:
            ValueError: It reported no loss.
        """
        self._recorder.add(iterations, self.rate, observation)
        if self._recorder.due or not self.left:
            self.read()

    def fail(self, why: str) -> None:
        """Ends the run, as diverged: its update with the current rate failed."""
        if len(self) < len(self._rates):
            self._recorder.add_failed(1, self.rate)
        self.read()
        self.stop_reason, self.diverged = why, True

    def record_validation(self, observation: Mapping[str, Any]) -> None:
        """Takes what a validation after the last update reported."""
        self._recorder.add_validation(observation)

    def read(self) -> None:
        """Reads what waits, all workers together, and looks whether the run has diverged or has come to its end."""
        losses = self._recorder.read()
        self._watch(losses, first=len(self) - len(losses))

    def _watch(self, losses: Sequence[float], first: int) -> None:
        for row, loss in enumerate(losses, start=first):
            if self._on_row is not None:
                self.telling = True
                self._on_row(self._rates[row], loss)
                self.telling = False
            self.stop_reason = self._why_diverged(loss)
            if self.stop_reason is not None:
                self.diverged = True
                self._recorder.cut(row + 1)  # the rows after it came before anyone looked
                break
        if self.stop_reason is None and not self.left:
            self.stop_reason = f'the ramp has reached its end, {self._rates[-1]:g}'


class Steps:
    """Tells the iterations that stepped an optimizer from others.

    The first one of a multi-node optimizer only sends the weights around; gradients may be accumulated over several; a critic
    may be stepped more often than the rest.

    Attributes:
        optimizer: The optimizer.
        iterations: How many iterations there have been since the step before the last.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._last = optimizer.t
        self._idle = 0
        self.iterations = 1

    def made(self) -> bool:
        """Whether the iteration since the last call stepped the optimizer.

        Raises:
            ValueError: None of the last :data:`PATIENCE` did.
        """
        stepped = self.optimizer.t != self._last
        self._last = self.optimizer.t
        self.iterations = self._idle + 1
        self._idle = 0 if stepped else self._idle + 1
        if self._idle >= PATIENCE:
            raise ValueError(
                f'{PATIENCE} updates did not step the optimizer ({type(self.optimizer).__name__}); '
                'give the one that the updater steps as optimizer='
            )
        return stepped


def takes_names(function: Function) -> Function:
    """Has a function that takes an updater, and whatever else by its name, say so where something else comes without one.

    >>> @takes_names
    ... def find(updater, *, evaluator=None): ...
    >>> find('updater', 'evaluator')
    Traceback (most recent call last):
        ...
    TypeError: find takes all but the updater by name, such as find(updater, evaluator=...): str came without one
    """
    name = function.__name__

    @functools.wraps(function)
    def checked(*given: Any, **named: Any) -> Any:
        if len(given) > 1:
            raise TypeError(
                f'{name} takes all but the updater by name, such as {name}(updater, evaluator=...): '
                f'{type(given[1]).__name__} came without one'
            )
        return function(*given, **named)

    return cast(Function, checked)


def chosen_optimizer(updater: Updater, optimizer: Optimizer | None = None) -> Any:
    """The optimizer that was given, or else the main one of an updater.

    Raises:
        ValueError: This is no updater, its data are empty, it has no optimizer called main and none was given, or the optimizer
            is none or has no model.
    """
    _check_updater(updater)
    if optimizer is None:
        optimizers = updater.get_all_optimizers()
        if 'main' not in optimizers:
            names = ', '.join(map(repr, optimizers))
            raise ValueError(f"the updater has no optimizer 'main' (it has: {names}); give the one to move as optimizer=")
        optimizer = optimizers['main']
    if not all(hasattr(optimizer, name) for name in ('t', 'target')) or isinstance(optimizer, type):
        raise ValueError(f'optimizer must be one of chainer.optimizers, not {_named(optimizer)}')
    if getattr(optimizer, 'target', None) is None:
        raise ValueError(f'the optimizer ({type(optimizer).__name__}) has no model: call optimizer.setup(model) first')
    return optimizer


def _check_updater(updater: Any) -> None:
    known = all(hasattr(updater, name) for name in ('update', 'get_optimizer', 'get_all_optimizers'))
    if not known or isinstance(updater, type):
        instead = 'trainer.updater' if hasattr(updater, 'updater') else 'chainer.training.StandardUpdater(iterator, optimizer)'
        raise ValueError(f'an updater is needed, such as {instead}, not {_named(updater)}')
    if examples_in(main_iterator(updater)) == 0:
        raise ValueError('the training data are empty')


def _named(thing: Any) -> str:
    """What something is; a class is called one, as where it has not been called."""
    return f'the class {thing.__name__}' if isinstance(thing, type) else type(thing).__name__
