"""Chainer's optimizers by name."""

from __future__ import annotations

import inspect

import clr  # noqa: F401  makes Chainer importable
from lrfinder._names import OPTIMIZER_NAMES, canonical, suggest

import chainer
from chainer import optimizers


def make_optimizer(name: str) -> chainer.Optimizer:
    """Makes the optimizer of this name, with Chainer's own settings.

    Args:
        name: One of :data:`lrfinder._names.OPTIMIZER_NAMES`, however it is written: ``MomentumSGD`` is ``momentum_sgd``.

    Raises:
        ValueError: There is no such optimizer, or it has no rate to move.

    >>> type(make_optimizer('momentum_sgd')).__name__
    'MomentumSGD'
    """
    known = canonical(name, OPTIMIZER_NAMES)
    if known is None:
        raise ValueError(f'unknown optimizer {name!r}: {suggest(name, OPTIMIZER_NAMES)}')
    return _classes()[known.replace('_', '')]()


def _classes() -> dict[str, type[chainer.Optimizer]]:
    return {name.lower(): value for name, value in vars(optimizers).items() if inspect.isclass(value)}
