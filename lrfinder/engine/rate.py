"""Moves the rate of an optimizer, and the rates that parameters have of their own in proportion to it."""

from __future__ import annotations

from typing import Any

from clr import attributes
from clr.training.companions import Proportional
from lrfinder.engine.protocols import Optimizer

# An optimizer may round a rate by so much, as to half precision.
ROUNDING = 0.01


class SetUpError(ValueError):
    """The set-up is not fit for a range test, whatever the rate: no finding of the test."""


class Rate:
    """The rate of an optimizer, which nothing else may move meanwhile.

    Args:
        optimizer: The optimizer, as it was found: the ratios of the parameters' own rates are taken here.
        attr: The name of the attribute that holds the rate.

    Attributes:
        own: How many parameters have a rate of their own.

    Raises:
        ValueError: The optimizer has no such attribute that can be set; or its rate is 0 while parameters have their own.
    """

    def __init__(self, optimizer: Optimizer, attr: str) -> None:
        attributes.check_settable(optimizer, attr)
        self._optimizer = optimizer
        self._attr = attr
        self._value: Any = None
        self._held: Any = None
        self.own = len(attributes.own_hyperparameters(optimizer, attr))
        self._companion: Proportional | None = None
        if self.own:
            self._companion = Proportional(attr)
            self._companion.start(optimizer)

    def set(self, value: float) -> None:
        """Sets the rate of the next update."""
        self._value = value
        setattr(self._optimizer, self._attr, value)
        if self._companion is not None:
            self._companion.move(self._optimizer, value)
        self._held = getattr(self._optimizer, self._attr)  # as the optimizer keeps it
        if abs(self._held - value) > ROUNDING * value:
            raise SetUpError(
                f'{self._attr} is {self._held:.4g} where the range test has set {value:.4g}: the optimizer keeps it within '
                'limits of its own; take those out for the range test'
            )

    def check_own(self) -> None:
        """Checks that the parameters which have rates of their own are still the same ones, and have those that were set.

        Raises:
            SetUpError: They are not.
        """
        own = attributes.own_hyperparameters(self._optimizer, self._attr)
        moved = self._companion is not None and not self._companion.holds(self._value)
        if len(own) != self.own or moved:
            raise SetUpError(
                f'something in the training gives parameters their own {self._attr} (the updater itself, or a hook of the '
                'optimizer); take that out for the range test'
            )

    def check_held(self, suspects: str) -> None:
        """Checks that the rate is still the one that was set.

        Args:
            suspects: What may have moved it, for the message.

        Raises:
            SetUpError: It is not.
        """
        found = getattr(self._optimizer, self._attr)
        if self._held is not None and found != self._held:
            raise SetUpError(
                f'{self._attr} was {found:.4g} after an update for which the range test had set {self._held:.4g}: '
                f'something else moves it ({suspects}); take that out for the range test'
            )
