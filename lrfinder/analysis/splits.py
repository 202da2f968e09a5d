"""Which examples are held out of the training data to judge by: a fifth of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# A fifth, the same share that one of five folds has.
HELD_OUT = 0.2


def stratified(targets: np.ndarray[Any, Any], seed: int) -> npt.NDArray[np.bool_]:
    """Marks a fifth of the examples: every fifth in the order of their targets, at random within a label.

    Args:
        targets: Shape (examples,) or (examples, targets): labels, or targets of a regression.
        seed: Decides which examples of a label.

    Returns:
        Shape (examples,): whether each is held out.

    >>> int(stratified(np.array([0] * 50 + [1] * 25), seed=0)[:50].sum())
    10
    """
    order = np.random.RandomState(seed).permutation(len(targets))
    first_target = targets.reshape(len(targets), -1)[order, 0]
    by_target = order[np.argsort(first_target, kind='stable')]
    held_out = np.zeros(len(targets), bool)
    held_out[by_target[1 :: round(1 / HELD_OUT)]] = True
    return held_out


def at_random(examples: int, most: int, seed: int = 0) -> tuple[list[int], list[int]]:
    """Splits examples whose labels are not known: those to train on, and a fifth, but no more than ``most``, to judge by.

    >>> train, held_out = at_random(10, most=1000)
    >>> len(train), len(held_out), sorted(train + held_out) == list(range(10))
    (8, 2, True)
    """
    order = np.random.RandomState(seed).permutation(examples).tolist()
    kept = min(int(HELD_OUT * examples), most)
    return order[kept:], order[:kept]
