"""What is tried: a policy, its cycles and its maximum, within a range that was found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from clr.policies import POLICIES, is_endless, step_size_of
from lrfinder._names import counted
from lrfinder.analysis.cycles import CyclePlan, replanned, whole_cycles
from lrfinder.analysis.suggestion import Suggestion

FIXED = 'fixed'
MOST_CYCLES = 6
# The maximum, as a factor of the one that was found.
FACTORS = (0.5, 1.0, 2.0)


@dataclasses.dataclass(frozen=True)
class Schedule:
    """One schedule within a range.

    Attributes:
        policy: The name of a policy, or :data:`FIXED`: a fixed rate, the geometric middle of the range.
        cycles: How many whole cycles; ``None`` where the policy knows none.
        factor: What both bounds of the range are multiplied by.

    >>> str(Schedule('cosine', 1)), str(Schedule('one_cycle', factor=2.0)), str(Schedule('fixed'))
    ('cosine, 1 cycle', 'one_cycle, max x2', 'fixed')
    """

    policy: str
    cycles: int | None = None
    factor: float = 1.0

    def __str__(self) -> str:
        cycles = '' if self.cycles is None else f', {counted(self.cycles, "cycle")}'
        return f'{self.policy}{cycles}' + (f', max x{self.factor:g}' if self.factor != 1 else '')

    def to_params(self) -> dict[str, Any]:
        """The parameters of an Optuna trial that stand for it."""
        params: dict[str, Any] = {'policy': self.policy, 'factor': self.factor}
        return params if self.cycles is None else {**params, 'cycles': self.cycles}

    @classmethod
    def of_params(cls, params: Mapping[str, Any]) -> Schedule:
        """The schedule of a trial's parameters.

        >>> Schedule.of_params(Schedule('cosine', 2).to_params())
        Schedule(policy='cosine', cycles=2, factor=1.0)
        """
        return cls(params['policy'], params.get('cycles'), params['factor'])

    def plan(self, base: Suggestion, iterations: int) -> CyclePlan:
        """Its cycles in a training of a length, which ends with the last of them.

        >>> Schedule('cosine', 3).plan(Suggestion('lr', (0.25, 1.0), step_size=90), 500)
        CyclePlan(step_size=83, cycles=3, iterations=498, reason='3 whole cycles in 500 iterations')
        """
        if self.policy == FIXED:
            return CyclePlan(base.step_size, None, iterations, f'a fixed rate for {iterations} iterations')
        if self.cycles is None:
            step_size = max(1, int(step_size_of(self.policy, iterations)))
            return CyclePlan(step_size, None, iterations, f'{self.policy} fills {iterations} iterations')
        plan = whole_cycles(self.policy, self.cycles, iterations, '')
        whole = counted(plan.cycles or 0, 'whole cycle')
        return dataclasses.replace(plan, reason=f'{whole} in {iterations} iterations')

    def within(self, base: Suggestion, plan: CyclePlan) -> Suggestion:
        """The schedule in a range.

        Args:
            base: The range as it was found.
            plan: Its cycles.

        >>> base = Suggestion('lr', (0.25, 1.0), step_size=90)
        >>> Schedule('fixed', factor=2.0).within(base, Schedule('fixed').plan(base, 500)).value_range
        (1.0, 1.0)
        """
        low, high = (self.factor * bound for bound in base.value_range)
        if self.policy == FIXED:  # which any policy gives in an empty range
            rate = math.sqrt(low * high) if low else high / 2
            return replanned(dataclasses.replace(base, value_range=(rate, rate)), plan, 'triangular')
        return replanned(dataclasses.replace(base, value_range=(low, high)), plan, self.policy)


def suggested(trial: Any, policies: tuple[str, ...], most_cycles: int = MOST_CYCLES) -> Schedule:
    """The schedule that an Optuna trial is to try."""
    policy = trial.suggest_categorical('policy', policies)
    factor = trial.suggest_categorical('factor', FACTORS)
    if policy == FIXED or not is_endless(policy):
        return Schedule(policy, None, factor)
    return Schedule(policy, trial.suggest_int('cycles', 1, most_cycles), factor)


def choices(base: Suggestion) -> tuple[str, ...]:
    """The policies to choose from: all that there are, and a fixed rate.

    >>> choices(Suggestion('lr', (0.1, 1.0), 90))[-2:]
    ('inverse_sqrt', 'fixed')
    """
    return tuple(dict.fromkeys((*POLICIES, base.policy, FIXED)))
