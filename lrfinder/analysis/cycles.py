"""How long a cycle should be: the half cycle that fits the data and the length of the training.

Source: Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186, section 3.2: a half cycle of
2 to 10 epochs; three cycles train most of the way, four or more do better; it is best to stop at the end of a cycle.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from clr.arguments import is_number
from clr.policies import is_endless, length_of, step_size_of
from lrfinder._names import counted
from lrfinder.analysis.suggestion import Suggestion

HALF_CYCLE_EPOCHS = (2, 10)
# In the benchmark (benchmarks/policies.py) triangular2 ends 0.4 points worse with six cycles in 350 updates than with three;
# between one and three, and between the policies, no difference shows.
CYCLES = 3
# A half cycle of fewer updates than this is over before the rate has done anything; small data gets more epochs.
HALF_CYCLE_UPDATES = 100
UNITS = ('epoch', 'iteration')
# So small a share of an iteration comes from rounding.
EDGE = 0.01
# Whoever asks for a longer training has slipped; and files hold no numbers that are much larger.
LONGEST = 10_000_000_000
# A range was not found for a training that is so many times as long, or as short.
OTHER_LENGTH = 2.0

# How long a training is, as ``chainer.training.Trainer`` takes it: ``(30, 'epoch')`` or ``(8000, 'iteration')``.
Length = tuple[float, str]


@dataclass(frozen=True)
class CyclePlan:
    """Whole cycles, and why they are as long as they are.

    Attributes:
        step_size: The half cycle in iterations, 1 or more.
        cycles: How many whole cycles; ``None`` where the length of the training is not known, or the policy knows no cycles.
        iterations: The length of the whole training; ``None`` where it is not known.
        reason: Why, in words.
    """

    step_size: int
    cycles: int | None
    iterations: int | None
    reason: str


def plan(iterations_per_epoch: float | None, length: Length | None = None, policy: str = 'triangular2') -> CyclePlan:
    """The cycles for a training of a given length, or of one that is not known.

    Without a length a half cycle is as few epochs, from 2 to 10, as give 100 updates. With one, three whole cycles fill it;
    more where a half cycle would pass both 10 epochs and 100 updates, fewer where it would fall below 2 epochs. A policy that
    does not go in cycles, such as ``'one_cycle'``, fills it once.

    Args:
        iterations_per_epoch: Above 0, and no whole number where a batch goes on over the edge of an epoch; ``None`` where not
            even that is known.
        length: The number of epochs or of iterations, 1 or more, and which of the two: ``(30, 'epoch')``.
        policy: The name of the policy to train with.

    Raises:
        ValueError: One of them is something else, or epochs are counted and it is not known how long one is.

    >>> plan(45).step_size, plan(390).step_size, plan(4).step_size
    (135, 780, 40)
    >>> plan(45, (30, 'epoch')).reason
    '3 whole cycles with half cycles of 5 epochs in 30 epochs (Smith: 2 to 10 epochs)'
    >>> plan(45, (30, 'epoch'), 'one_cycle')
    CyclePlan(step_size=600, cycles=None, iterations=1350, reason='one_cycle fills 30 epochs')
    """
    if iterations_per_epoch is not None and not (is_number(iterations_per_epoch) and 0 < iterations_per_epoch < math.inf):
        raise ValueError(f'iterations_per_epoch must be a number above 0, not {iterations_per_epoch!r}')
    if length is None:
        return _open_ended(iterations_per_epoch)
    count, unit = checked_length(length)
    iterations = iterations_in(length, iterations_per_epoch)
    if not is_endless(policy):
        step_size = max(1, int(step_size_of(policy, iterations)))
        return CyclePlan(step_size, None, iterations, f'{policy} fills {counted(count, unit)}')
    if iterations_per_epoch is None:
        return _without_epochs(policy, iterations)
    return _filling(policy, iterations_per_epoch, iterations, counted(count, unit))


def replanned(suggestion: Suggestion, plan: CyclePlan, policy: str) -> Suggestion:
    """A suggestion that was found before, with the cycles and the policy of a training that is asked for now."""
    reasons = {**suggestion.reasons, 'step_size': plan.reason}
    warnings = suggestion.warnings
    if suggestion.length and plan.iterations and _far_apart(suggestion.length, plan.iterations):
        found_for = f'the range was found for a training of about {suggestion.length} iterations'
        texts = f'{found_for}, and this one takes {plan.iterations}: a new run with --epoch (length=) finds one for it'
        warnings = (*warnings, texts)
    return dataclasses.replace(suggestion, step_size=plan.step_size, policy=policy, reasons=reasons, warnings=warnings)


def _far_apart(length: int, other: int) -> bool:
    return abs(math.log(other / length)) > math.log(OTHER_LENGTH)


def iterations_in(length: Length, iterations_per_epoch: float | None) -> int:
    """The iterations of a training of a given length: as many as Chainer's triggers let pass until it is reached.

    Raises:
        ValueError: The length is none, or it is in epochs, and it is not known how long one is.

    >>> iterations_in((30, 'epoch'), 45), iterations_in((30, 'epoch'), 3.125), iterations_in((8000, 'iteration'), None)
    (1350, 94, 8000)
    """
    count, unit = checked_length(length)
    if unit == 'iteration':
        return int(count)
    if iterations_per_epoch is None:
        raise ValueError(
            'length is in epochs, but the iterator does not tell how long one is; '
            "give it in iterations, such as length=(8000, 'iteration')"
        )
    return max(1, math.ceil(count * iterations_per_epoch - EDGE))


def checked_length(length: Any) -> Length:
    """The length of a training.

    Raises:
        ValueError: It is not a number, from 1 to :data:`LONGEST`, and a unit.

    >>> checked_length([30, 'epoch'])
    (30.0, 'epoch')
    """
    try:
        number, unit = length
        count = float(number) if is_number(number) else math.nan
    except (TypeError, ValueError, OverflowError):
        count, unit = math.nan, None
    if not (1 <= count < math.inf and isinstance(unit, str) and unit in UNITS):
        raise ValueError(f"length must be a number and its unit, such as (30, 'epoch') or (8000, 'iteration'), not {length!r}")
    if count > LONGEST:
        raise ValueError(f'length must be at most {LONGEST:,} {unit}s, not {number!r}')
    return count, unit


def _open_ended(iterations_per_epoch: float | None) -> CyclePlan:
    if iterations_per_epoch is None:
        reason = f'{HALF_CYCLE_UPDATES} iterations, as the length of an epoch is not known'
        return CyclePlan(HALF_CYCLE_UPDATES, None, None, reason)
    least, most = HALF_CYCLE_EPOCHS
    epochs = min(max(math.ceil(HALF_CYCLE_UPDATES / iterations_per_epoch), least), most)
    reason = f'{epochs} epochs of {counted(iterations_per_epoch, "iteration")} (Smith: {least} to {most} epochs)'
    return CyclePlan(max(1, round(epochs * iterations_per_epoch)), None, None, reason)


def whole_cycles(policy: str, cycles: int, iterations: int, reason: str) -> CyclePlan:
    """So many cycles of a policy in a training of at most that length; fewer where they do not fit.

    >>> whole_cycles('triangular', 3, 500, 'three cycles').iterations
    498
    >>> whole_cycles('cosine:t_mult=1000', 3, 500, 'one cycle').cycles
    1
    """
    cycles = _fitting(policy, cycles, iterations)
    step_size = max(1, int(step_size_of(policy, iterations, cycles)))
    return CyclePlan(step_size, cycles, int(length_of(policy, step_size, cycles)), reason)


def _fitting(policy: str, cycles: int, iterations: int) -> int:
    """So many cycles, or as many as there can be: the first half cycle has an iteration, those after it may be far longer."""
    more = range(2, cycles + 1)
    return 1 + bisect.bisect_left(more, True, key=lambda count: step_size_of(policy, iterations, count) < 1)


def _without_epochs(policy: str, iterations: int) -> CyclePlan:
    cycles = _fitting(policy, CYCLES, iterations)
    length = counted(iterations, 'iteration')
    reason = f'{counted(cycles, "whole cycle")} in {length}, as the length of an epoch is not known'
    return whole_cycles(policy, cycles, iterations, reason)


def _filling(policy: str, iterations_per_epoch: float, iterations: int, length: str) -> CyclePlan:
    least, most = HALF_CYCLE_EPOCHS
    longest = max(most * iterations_per_epoch, HALF_CYCLE_UPDATES)
    cycles = max(CYCLES, math.ceil(iterations / (2 * longest)))
    cycles = _fitting(policy, max(1, min(cycles, int(iterations / (2 * least * iterations_per_epoch)))), iterations)
    step_size = whole_cycles(policy, cycles, iterations, '').step_size
    fits = 'Smith' if step_size <= most * iterations_per_epoch else 'few updates an epoch; Smith'
    fits = fits if step_size >= least * iterations_per_epoch else 'too short a training for what Smith asks'
    half = counted(float(f'{step_size / iterations_per_epoch:.3g}'), 'epoch')
    reason = f'{counted(cycles, "whole cycle")} with half cycles of {half} in {length} ({fits}: {least} to {most} epochs)'
    return whole_cycles(policy, cycles, iterations, reason)
