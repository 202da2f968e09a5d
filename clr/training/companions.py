"""What moves along with the attribute that CLR moves: another attribute, or the parameters' own rates."""

from __future__ import annotations

from typing import Any

from clr import arguments, attributes, policies

import numpy
from chainer.serializer import Deserializer


class Companion:
    """What :class:`~clr.training.extensions.CLR` asks of all of them."""

    # The attribute of the optimizer that it moves, and what it was set to last, if it moves one.
    attr: str | None = None
    value: float | None = None

    def check(self, optimizer: Any) -> None:
        """Raises a ValueError where the optimizer has not what is to be moved."""

    def start(self, optimizer: Any) -> None:
        """Gets ready, before the attribute is set to the first value of a run."""

    def move(self, optimizer: Any, value: float) -> None:
        """Follows the attribute to its new value."""
        raise NotImplementedError

    def serialize(self, serializer: Any) -> None:
        """Saves or loads what does not follow from the value."""


class Inverse(Companion):
    """Moves another attribute of the optimizer the other way, as is done with the momentum.

    It is at its upper bound where the value of the first attribute is at its lower bound or below, at its lower bound where
    that value is at its upper bound or above, and moves linearly in between. So it follows from the value alone.

    Source: Leslie N. Smith, "A disciplined approach to neural network hyper-parameters", arXiv 1803.09820, section 4.3.

    Args:
        attr (str): Name of the attribute: ``'momentum'``, or ``'beta1'`` for Adam and its like.
        bounds (tuple of float): Its bounds, in either order.
        value_range (tuple of float): The bounds of the first attribute, in either order.
    """

    def __init__(self, attr: str, bounds: tuple[float, float], value_range: tuple[float, float]) -> None:
        self.attr: str = attr
        self._bounds = max(bounds), min(bounds)
        self._low, self._high = min(value_range), max(value_range)

    def check(self, optimizer: Any) -> None:
        attributes.check_settable(optimizer, self.attr)

    def move(self, optimizer: Any, value: float) -> None:
        self.value = policies.between(self._bounds, self._height(value))
        setattr(optimizer, self.attr, self.value)

    def _height(self, value: float) -> float:
        if value <= self._low:
            return 0.0
        return 1.0 if value >= self._high else (value - self._low) / (self._high - self._low)


class Proportional(Companion):
    """Moves the rates that parameters have of their own, each in proportion to the optimizer's.

    A parameter has a rate of its own where its ``update_rule.hyperparam`` was given one. Its ratio to the optimizer's rate is
    taken once, when the training starts, and goes into snapshots.

    Args:
        attr (str): Name of the attribute: ``'lr'``, or ``'alpha'`` for Adam and its like.
    """

    def __init__(self, attr: str) -> None:
        self._attr = attr
        self._own: list[Any] = []
        self._ratios: list[float] | None = None

    def start(self, optimizer: Any) -> None:
        self._own = attributes.own_hyperparameters(optimizer, self._attr)
        if self._ratios is None:
            self._ratios = self._ratios_to(getattr(optimizer, self._attr))
        if len(self._ratios) != len(self._own):
            raise ValueError(
                f'{len(self._own)} parameters have a rate {self._attr!r} of their own, but the snapshot was taken with '
                f'{len(self._ratios)}; give the same parameters their own rate before resuming'
            )

    def move(self, optimizer: Any, value: float) -> None:
        for hyperparam, ratio in zip(self._own, self._ratios or ()):
            setattr(hyperparam, self._attr, value * ratio)

    def holds(self, value: float) -> bool:
        """Whether the parameters' own rates are those that :meth:`move` gave them for such a value."""
        return all(getattr(own, self._attr) == value * ratio for own, ratio in zip(self._own, self._ratios or ()))

    def serialize(self, serializer: Any) -> None:
        if isinstance(serializer, Deserializer):
            self._load(serializer)
        elif self._ratios is not None:
            serializer('_ratios', numpy.array(self._ratios))

    def _load(self, serializer: Any) -> None:
        try:
            ratios = serializer('_ratios', None)
        except KeyError:  # a snapshot taken without ratios: they are those of the optimizer as it is
            return
        if ratios is not None:
            self._ratios = ratios.tolist()

    def _ratios_to(self, rate: float) -> list[float]:
        if self._own and rate == 0:
            raise ValueError(
                f"the optimizer's {self._attr} is 0, so the parameters' own can't be moved in proportion to it; "
                'give it the rate beside which theirs were chosen'
            )
        return [float(getattr(hyperparam, self._attr)) / rate for hyperparam in self._own]


def chosen(attr: str, value_range: tuple[float, float], inverse: Any, proportional: bool) -> list[Companion]:
    """The companions that the arguments of CLR ask for.

    Raises:
        ValueError: ``inverse`` is not another attribute and its bounds.
    """
    companions: list[Companion] = []
    if inverse is not None:
        other, bounds = arguments.checked_inverse(inverse, attr)
        companions.append(Inverse(other, bounds, value_range))
    if proportional:
        companions.append(Proportional(attr))
    return companions
