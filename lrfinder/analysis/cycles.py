"""How long a cycle should be: the half cycle that fits the data and the budget.

Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.2: a half cycle of
2 to 10 epochs; three cycles train most of the way, four or more do better; it is best to stop at the end of a cycle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from clr.arguments import checked_count

EPOCHS = (2, 10)
CYCLES = 3
# A half cycle of fewer updates than this is over before the rate has done anything; small data gets more epochs.
UPDATES = 100


@dataclass(frozen=True)
class CyclePlan:
    """Whole cycles, and why they are as long as they are.

    Attributes:
        step_size: The half cycle in iterations, 1 or more.
        cycles: How many whole cycles; ``None`` without a budget.
        reason: Why, in words.
    """

    step_size: int
    cycles: int | None
    reason: str

    @property
    def iterations(self) -> int | None:
        """The length of the whole training; ``None`` without a budget."""
        return None if self.cycles is None else 2 * self.cycles * self.step_size


def without_budget(iterations_per_epoch: int | None) -> CyclePlan:
    """The half cycle where nothing is known of the length of the training: as few epochs, from 2 to 10, as give 100 updates.

    Args:
        iterations_per_epoch: 1 or more; ``None`` where not even that is known.

    Raises:
        ValueError: It is no such number.

    >>> without_budget(45).step_size, without_budget(390).step_size, without_budget(4).step_size
    (135, 780, 40)
    """
    if iterations_per_epoch is None:
        return CyclePlan(UPDATES, None, f'{UPDATES} iterations, as the length of an epoch is not known')
    checked_count('iterations_per_epoch', iterations_per_epoch)
    least, most = EPOCHS
    epochs = min(max(math.ceil(UPDATES / iterations_per_epoch), least), most)
    reason = f'{epochs} epochs of {iterations_per_epoch} iterations (Smith: {least} to {most} epochs)'
    return CyclePlan(epochs * iterations_per_epoch, None, reason)


def within_budget(iterations_per_epoch: int, epochs: int) -> CyclePlan:
    """Whole cycles that fill a budget: three, more where a half cycle would pass 10 epochs, fewer where it would fall below 2.

    Args:
        iterations_per_epoch: 1 or more.
        epochs: The budget, 1 or more.

    Raises:
        ValueError: One of them is no such number.

    >>> within_budget(45, 30)
    CyclePlan(step_size=225, cycles=3, reason='3 whole cycles with half cycles of 5 epochs in 30 epochs (Smith: ...)')
    """
    checked_count('iterations_per_epoch', iterations_per_epoch)
    checked_count('epochs', epochs)
    least, most = EPOCHS
    cycles = max(CYCLES, math.ceil(epochs / (2 * most)))
    cycles = max(1, min(cycles, epochs // (2 * least)))
    step_size = max(1, epochs * iterations_per_epoch // (2 * cycles))
    length = f'{step_size / iterations_per_epoch:.3g} epoch{"" if step_size == iterations_per_epoch else "s"}'
    fits = 'Smith' if step_size >= least * iterations_per_epoch else 'too short a budget for what Smith asks'
    reason = (
        f'{cycles} whole cycle{"s" if cycles > 1 else ""} with half cycles of {length} in {epochs} epoch'
        f'{"s" if epochs > 1 else ""} ({fits}: {least} to {most} epochs)'
    )
    return CyclePlan(step_size, cycles, reason)
