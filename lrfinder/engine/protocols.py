"""What is asked of a user's updater, optimizer and evaluator, as types: Chainer's own fit, and whatever behaves alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Optimizer(Protocol):
    """A ``chainer.GradientMethod`` that has been set up, or a multi-node optimizer around one."""

    @property
    def t(self) -> int:
        """How many steps it has made."""

    @property
    def target(self) -> Any:
        """The link whose parameters it steps."""


class Updater(Protocol):
    """A ``chainer.training.StandardUpdater``, or one with its interface, ready to train."""

    @property
    def iteration(self) -> int:
        """How many updates it has made."""

    def update(self) -> None:
        """Makes one update of the parameters."""

    def get_optimizer(self, name: str) -> Any:
        """One of its optimizers."""

    def get_all_optimizers(self) -> Mapping[str, Any]:
        """All of its optimizers by name."""

    def get_iterator(self, name: str) -> Any:
        """One of its iterators."""


class Evaluator(Protocol):
    """A ``chainer.training.extensions.Evaluator``, or what gives the same when it is called."""

    def __call__(self) -> Mapping[str, Any]:
        """The mean of each reported value over the validation data, such as ``'main/loss'``."""
