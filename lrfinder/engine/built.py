"""What a user's ``build(seed)`` makes, for whatever begins anew from a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Build = Callable[[int], tuple[Any, Any]]


def built(build: Build, seed: int) -> tuple[Any, Any]:
    """An updater and its evaluator, made from a seed.

    Raises:
        ValueError: What is made is no such pair.

    >>> built(lambda seed: 'updater', 0)
    Traceback (most recent call last):
        ...
    ValueError: build(seed) must return an updater and its evaluator or None, as a pair, not str
    """
    made: Any = build(seed)
    if not isinstance(made, (tuple, list)) or len(made) != 2:
        what = type(made).__name__
        raise ValueError(f'build(seed) must return an updater and its evaluator or None, as a pair, not {what}')
    updater, evaluator = made
    return updater, evaluator
