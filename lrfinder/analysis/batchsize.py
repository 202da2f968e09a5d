"""Which batch a range holds for, and what it becomes for another one.

How a rate goes with the batch depends on the optimizer. One whose step is as long as the gradient (SGD, momentum) takes k
times the rate with k times the examples (Goyal et al., "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 2.1). One
that divides the gradient by its own size (Adam, RMSprop and their like) takes the square root of k times the rate (Malladi et
al., "On the SDEs and Scaling Rules for Adaptive Gradient Algorithms", arXiv 2205.10287, sections 4 and 5). Both hold while the
noise of the batches outweighs the gradient: for a few times as many examples, and the less the further from the batch that was
measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from clr.arguments import checked_count
from lrfinder._names import counted

# Chainer's optimizers that divide the gradient by its size.
ADAPTIVE = ('Adam', 'AdamW', 'AMSGrad', 'AdaBound', 'AMSBound', 'AdaGrad', 'RMSprop', 'RMSpropGraves', 'SMORMS3')
STEPS_WITH_THE_GRADIENT = ('SGD', 'MomentumSGD', 'CorrectedMomentumSGD', 'NesterovAG', 'MSVAG')
# Beyond so many times the batch, or below that share of it, a rule is a guess no more.
FAR = 8.0
# No batch is larger.
LARGEST = 10**12


@dataclass(frozen=True)
class Rule:
    """How rates go with the batch: as its ``power``.

    Attributes:
        power: 1 for the linear rule, 1/2 for that of the square root.
        words: Which rule that is, with its source.
    """

    power: float
    words: str

    def factor(self, ratio: float) -> float:
        """How many times as high rates are with so many times the examples."""
        return float(ratio**self.power)


LIMITS = 'the rule holds for a few times as many or as few, while the noise of the batches outweighs the gradient'
LINEAR = Rule(1.0, 'the linear scaling rule, arXiv 1706.02677')
SQUARE_ROOT = Rule(0.5, 'the square root scaling rule of adaptive optimizers, arXiv 2205.10287')


def rule_of(optimizer: str | None) -> Rule | None:
    """The rule for an optimizer, by the name of its class; ``None`` where none is known.

    >>> rule_of('MomentumSGD').power, rule_of('Adam').power, rule_of('LARS')
    (1.0, 0.5, None)
    """
    if optimizer in ADAPTIVE:
        return SQUARE_ROOT
    return LINEAR if optimizer in STEPS_WITH_THE_GRADIENT else None


def holds_for(batchsize: int, optimizer: str | None = None, workers: int = 1) -> str:
    """For which updates a range holds, and what to do about larger or smaller ones, in words.

    Args:
        batchsize: The examples of an update, of each worker; 1 or more.
        optimizer: The name of the optimizer's class.
        workers: How many workers there are.

    >>> holds_for(32, 'Adam', workers=4)[:72]
    'the range holds for updates with 128 examples (4 workers with 32 each); '
    """
    each = f' ({workers} workers with {batchsize} each)' if workers > 1 else ''
    rule = rule_of(optimizer)
    if rule is None:
        what = f'no rule is known for {optimizer or "the optimizer"}: find it again for others'
    else:
        times = 'k times' if rule.power == 1 else 'the square root of k times'
        what = f'with k times as many, {times} both bounds are a first guess ({rule.words})'
    return f'the range holds for updates with {counted(workers * batchsize, "example")}{each}; {what}'


def checked_batchsize(batchsize: int) -> int:
    """A number of examples, from 1 to :data:`LARGEST`.

    Raises:
        ValueError: It is something else.
    """
    return checked_count('batchsize', batchsize, 1, LARGEST)


def scaled(batchsize: int, other: int, rule: Rule) -> tuple[str, list[str]]:
    """What is said of a range that was scaled to another batch: the reason, and warnings.

    >>> print(scaled(32, 128, LINEAR)[0])
    4 times the range that was measured with 32 examples, for 128 (the linear scaling rule, arXiv 1706.02677); the rule holds \
for a few times as many or as few, while the noise of the batches outweighs the gradient
    """
    ratio = other / batchsize
    reason = (
        f'{rule.factor(ratio):.4g} times the range that was measured with {counted(batchsize, "example")}, '
        f'for {other} ({rule.words}); {LIMITS}'
    )
    far = abs(math.log(ratio)) > math.log(FAR) + 1e-9
    warning = (
        f'updates with {counted(other, "example")} are far from those with {batchsize} that were measured: '
        'the rule is a guess there, measure again'
    )
    return reason, [warning] if far else []
