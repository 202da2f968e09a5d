"""What else moves an attribute that CLR moves: known before the training, or noticed in it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from chainer.training import extensions

# All of Chainer's that set an attribute of an optimizer.
SHIFTS = (
    extensions.ExponentialShift,
    extensions.InverseShift,
    extensions.LinearShift,
    extensions.MultistepShift,
    extensions.PolynomialShift,
    extensions.StepShift,
    extensions.WarmupShift,
)

# Whose extensions set none but those above and CLR.
PACKAGES = ('chainer', 'chainermn', 'clr', 'lrfinder')


def refuse_others(trainer: Any, extension: Any, optimizer: Any) -> None:
    """Refuses a trainer with another schedule of an attribute that an extension moves.

    Two of them overwrite each other, and the order of ``extend`` would decide silently which one holds.

    Args:
        trainer (~chainer.training.Trainer): The trainer of the extension.
        extension (~clr.training.extensions.CLR): What moves its attributes, ``extension.moved_attributes``, of the optimizer.
        optimizer (~chainer.Optimizer): The optimizer.

    Raises:
        ValueError: There is one: an extension of Chainer's or another CLR. The message names it.
    """
    for name, other in _extensions_of(trainer):
        both = [attr for attr in extension.moved_attributes if attr in _moves(other)]
        if other is not extension and both and _same(_target_of(trainer, other), optimizer):
            raise ValueError(
                f'{name} and {extension.name} both move {both[0]}, and their order would decide its value; '
                'take one of them out of the trainer'
            )


def warn_of_change(trainer: Any, attr: str, meant: float, found: Any, step: int) -> None:
    """Warns that an attribute is not what CLR has set, and names what may have changed it.

    Args:
        trainer (~chainer.training.Trainer): The trainer.
        attr (str): Name of the attribute.
        meant (float): What CLR had set.
        found (float): What the attribute is.
        step (int): How many times CLR was called before.
    """
    own = [name for name, other in _extensions_of(trainer) if _package_of(other) not in PACKAGES]
    suspects = [*own, 'the updater', 'hooks of the optimizer']
    warnings.warn(
        f'{attr} is {found} after {step} calls of CLR, which had set {meant}: something else moves it too, and CLR sets it '
        f'anew in each call; take one of them out of the training (it may be: {", ".join(suspects)})',
        stacklevel=3,
    )


def _extensions_of(trainer: Any) -> Iterator[tuple[str, Any]]:
    for name, entry in getattr(trainer, '_extensions', {}).items():
        yield name, entry.extension


def _moves(extension: Any) -> tuple[str, ...]:
    return (extension._attr,) if isinstance(extension, SHIFTS) else getattr(extension, 'moved_attributes', ())


def _target_of(trainer: Any, extension: Any) -> Any:
    return getattr(extension, '_optimizer', None) or trainer.updater.get_optimizer('main')


def _same(one: Any, other: Any) -> bool:
    # A multi-node optimizer stands for the one that it holds.
    return getattr(one, 'actual_optimizer', one) is getattr(other, 'actual_optimizer', other)


def _package_of(extension: Any) -> str:
    return str(getattr(extension, '__module__', '')).partition('.')[0]
