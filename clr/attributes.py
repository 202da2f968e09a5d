"""Which attribute of an optimizer holds its rate, and whether an attribute can be moved."""

from __future__ import annotations

import numbers
import warnings
from typing import Any

# In the order of preference: most optimizers of Chainer's call the rate lr, the family of Adam calls it alpha.
RATE_ATTRIBUTES = ('lr', 'alpha')


def rate_attribute(optimizer: Any) -> str:
    """The name of the attribute that holds the optimizer's learning rate: ``'lr'``, or ``'alpha'`` for Adam and its like.

    Args:
        optimizer: A ``chainer.GradientMethod``, or a multi-node optimizer around one.

    Raises:
        ValueError: The optimizer has no rate to move (AdaDelta finds its own).

    >>> from chainer import optimizers
    >>> rate_attribute(optimizers.MomentumSGD()), rate_attribute(optimizers.Adam())
    ('lr', 'alpha')
    """
    for attr in RATE_ATTRIBUTES:
        if attr in _hyperparameters(optimizer):
            return attr
    raise ValueError(
        f'{_name(optimizer)} has no learning rate to move (no {" or ".join(RATE_ATTRIBUTES)}); '
        'use an optimizer that has one, such as MomentumSGD or Adam'
    )


def check_settable(optimizer: Any, attr: str) -> None:
    """Checks that the attribute of the optimizer can be read and set.

    Raises:
        ValueError: It can't; the message names an attribute that can. ``lr`` of Adam is derived from ``alpha``, for one.

    >>> from chainer import optimizers
    >>> check_settable(optimizers.Adam(), 'alpha')
    >>> check_settable(optimizers.Adam(), 'lr')
    Traceback (most recent call last):
        ...
    ValueError: Adam has no attribute 'lr' that can be set; use 'alpha' (others: beta1, beta2, eps, eta, ...)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Adam.lr is deprecated, and raises a RuntimeError before the first update
            value = getattr(optimizer, attr)
        if isinstance(value, bool):
            raise TypeError
        float(value)  # what is no number, such as a method or a switch, is not to be overwritten with one
        setattr(optimizer, attr, value)
    except (AttributeError, RuntimeError, TypeError, ValueError):
        raise ValueError(f'{_name(optimizer)} has no attribute {attr!r} that can be set; {_advice(optimizer)}') from None


def own_hyperparameters(optimizer: Any, attr: str) -> list[Any]:
    """The hyperparameters of those parameters of the target that have a value of the attribute of their own.

    All others have the optimizer's. The order is that of the parameters' names.

    >>> from chainer import links, optimizers
    >>> optimizer = optimizers.SGD(lr=0.1).setup(links.Linear(2, 3))
    >>> optimizer.target.b.update_rule.hyperparam.lr = 0.2
    >>> own_hyperparameters(optimizer, 'lr')
    [Hyperparameter(lr=0.2)]
    """
    rules = [param.update_rule for _, param in optimizer.target.namedparams()]
    return [rule.hyperparam for rule in rules if rule is not None and attr in vars(rule.hyperparam)]


def _advice(optimizer: Any) -> str:
    names = [
        name
        for name, value in _hyperparameters(optimizer).items()
        if isinstance(value, numbers.Real) and not isinstance(value, bool)
    ]
    rate = next((name for name in RATE_ATTRIBUTES if name in names), None)
    others = ', '.join(sorted(name for name in names if name != rate))
    if rate is not None:
        return f'use {rate!r}' + (f' (others: {others})' if others else '')
    return f'it has {others}' if others else 'it has none to set'


def _hyperparameters(optimizer: Any) -> dict[str, Any]:
    hyperparam = getattr(optimizer, 'hyperparam', None)
    return {} if hyperparam is None else hyperparam.get_dict()


def _name(optimizer: Any) -> str:
    # A multi-node optimizer stands for the one that it holds.
    return type(getattr(optimizer, 'actual_optimizer', optimizer)).__name__
