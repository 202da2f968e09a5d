"""How the updates that an answer may cost are spent: on a scan, on rungs of trials, each longer than the last, and on a ramp.

Many short trials, and longer ones of the best alone, tell as much as elaborate methods do (arXiv 2307.15422). With a small
budget there is one rung; with a larger one there are as many as leave the trials of the first one long enough to tell anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from clr.arguments import checked_count

BUDGET = 600
LEAST_BUDGET, MOST_BUDGET = 100, 10_000_000
# A scan gets a fifth of the budget and a ramp a twelfth, up to so many updates. A second scan is rare: a tenth is kept for it.
LONGEST_SCAN, LONGEST_RAMP = 60, 50
# The first rung finds the region, those after it look around the best of the one before.
FIRST_TRIALS, LATER_TRIALS = 5, 3
# The trials of a rung are so many times as long as those of the one before.
LONGER = 4
# The trials of the first of several rungs are at least so long.
SHORT = 80


@dataclass(frozen=True)
class Rung:
    """Trials of one length: ``trials`` of them at most, with ``updates`` each."""

    trials: int
    updates: int


@dataclass(frozen=True)
class Budget:
    """How updates are spent.

    Attributes:
        scan: The updates of a scan.
        ramp: Those of a ramp.
        rungs: The trials, short ones first.
    """

    scan: int
    ramp: int
    rungs: tuple[Rung, ...]

    def most(self, ramp: int | None = None) -> int:
        """How many updates all of it may take, with a ramp of its own length or of another: more only for a second scan.

        >>> spent(600).most(), spent(600).most(ramp=1000)
        (540, 1490)
        """
        trials = sum(rung.trials * rung.updates for rung in self.rungs)
        return self.scan + (self.ramp if ramp is None else ramp) + trials


def spent(budget: int = BUDGET, longest: int | None = None) -> Budget:
    """How a budget is spent.

    Args:
        budget: How many updates an answer may cost, 100 or more.
        longest: The updates of the training that the answer is for: no trial is longer.

    Raises:
        ValueError: The budget is out of its range.

    >>> spent(600)
    Budget(scan=60, ramp=50, rungs=(Rung(trials=5, updates=86),))
    >>> spent(1600).rungs
    (Rung(trials=5, updates=84), Rung(trials=3, updates=336))
    """
    budget = checked_count('budget', budget, LEAST_BUDGET, MOST_BUDGET)
    scan, ramp = min(budget // 5, LONGEST_SCAN), min(budget // 12, LONGEST_RAMP)
    return Budget(scan, ramp, _rungs(budget - scan - min(scan, budget // 10) - ramp, longest or budget))


def _rungs(updates: int, longest: int) -> tuple[Rung, ...]:
    rungs = [Rung(FIRST_TRIALS, updates // FIRST_TRIALS)]
    while (longer := _with_one_more(rungs, updates))[0].updates >= SHORT:
        rungs = longer
    shorter = [rung for rung in rungs if rung.updates < longest]
    return (*shorter, *(Rung(rung.trials, longest) for rung in rungs[len(shorter) :][:1]))


def _with_one_more(rungs: list[Rung], updates: int) -> list[Rung]:
    lengths = [LONGER**power for power in range(len(rungs) + 1)]
    trials = [FIRST_TRIALS] + [LATER_TRIALS] * len(rungs)
    unit = updates // sum(count * length for count, length in zip(trials, lengths))
    return [Rung(count, unit * length) for count, length in zip(trials, lengths)]
