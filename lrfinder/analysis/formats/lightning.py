"""The results of Lightning's ``lr_find``, whose first losses are about half of what they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

# Lightning records a running mean of the losses, in which each counts for this much less than the next.
BETA = 0.98
# So many losses tell what has been done to them: the rates there are too small to change them.
_TELLING = 10
# How far the steps of the ramp may be from equal: numbers in a file may be rounded.
_ROUNDING = 0.01

Floats = np.ndarray[Any, Any]


def corrected(curve: pd.DataFrame) -> pd.DataFrame:
    """The curve, its losses put right where it is the result of Lightning's ``lr_find``.

    Lightning divides the running mean of the first ``n`` losses, which starts from zero, by ``1 - BETA ** (n + 1)``: the step
    that it takes for ``n - 1`` is ``n`` already (``_LRCallback`` in ``tuner/lr_finder.py``, as of version 2.6). The right
    divisor is ``1 - BETA ** n`` (Kingma and Ba, arXiv 1412.6980, section 3). What is recorded is therefore 1 / 1.98 of the
    first loss, and about 2 / 3 and 3 / 4 of the next means: a curve that rises where nothing happens. Here it is multiplied by
    the one divisor and divided by the other, which is exact.

    Such a curve is known by its rates and its losses together. Lightning's ramp leaves out its second rate, so that its first
    step is twice as long as each later one (on a linear or a logarithmic scale), which no other tool's is. And put right, the
    first losses are on one level, while they are not as they stand, so that a curve that is right already stays as it is.
    Where single losses vary by more than about a fifth from the start, it can't be told, and nothing is changed.

    Args:
        curve: With the columns ``lr`` and ``main/loss``.

    >>> rates = [1e-8] + [1e-8 * 1e8 ** (step / 20) for step in range(2, 21)]
    >>> mean = [1 - BETA**n for n in range(1, 21)]  # of losses that are all 1
    >>> recorded = [value / (1 - BETA ** (n + 1)) for n, value in enumerate(mean, start=1)]
    >>> table = pd.DataFrame({'lr': rates, 'main/loss': recorded})
    >>> table['main/loss'].head(3).round(3).tolist(), corrected(table)['main/loss'].head(3).round(3).tolist()
    ([0.505, 0.673, 0.758], [1.0, 1.0, 1.0])
    """
    if set(curve.columns) != {'lr', 'main/loss'} or len(curve) <= _TELLING:
        return curve
    rates, losses = curve['lr'].to_numpy(float), curve['main/loss'].to_numpy(float)
    with np.errstate(all='ignore'):
        if not (_skips_second(rates) and _counts_ahead(losses[:_TELLING])):
            return curve
    return curve.assign(**{'main/loss': _sums(losses) / (1 - BETA ** np.cumsum(np.isfinite(losses)))})


def _sums(losses: Floats) -> Floats:
    """The running means as they are before Lightning divides them."""
    return losses * (1 - BETA ** np.arange(2, len(losses) + 2))


def _skips_second(rates: Floats) -> bool:
    """Whether the first step of the ramp is twice as long as each later one."""
    return _first_is_double(np.diff(rates)) or _first_is_double(np.diff(np.log(rates)))


def _first_is_double(steps: Floats) -> bool:
    usual = np.median(steps)
    return bool(usual > 0 and abs(steps[0] / usual - 2) < _ROUNDING and (abs(steps[1:] / usual - 1) < _ROUNDING).all())


def _counts_ahead(losses: Floats) -> bool:
    """Whether the single losses behind these means are on one level if the count was ahead, and not if it was right.

    The two differ in the first loss: it is twice the first mean, or the mean itself. The former must be the likelier by a
    factor of e squared, if losses vary by chance alone.
    """
    sums = _sums(losses)
    single = np.diff(sums, prepend=0) + (1 - BETA) * np.concatenate([[0], sums[:-1]])
    first, others = single[0] / (1 - BETA), single[1:] / (1 - BETA)
    level, noise = others.mean(), others.std()
    return bool((losses[0] - level) ** 2 - (first - level) ** 2 > 4 * noise**2)
