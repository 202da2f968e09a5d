"""How long `lrfinder.analyze` takes on long curves: `python -m benchmarks.analyze_speed`.

In the peers' environment it times fastai's `valley`, too, on curves short enough to wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import lrfinder

import numpy as np
import pandas as pd


def main() -> None:
    """Print the seconds for each length, and how the time grows when the length grows tenfold."""
    report('lrfinder.analyze', lambda table: lrfinder.analyze(table), [10_000, 100_000, 1_000_000])
    try:
        from fastai.callback.schedule import valley
    except ImportError:
        return
    report(
        'fastai valley',
        lambda table: valley(table['lr'].tolist(), table['main/loss'].tolist(), len(table)),
        [100, 1_000, 10_000],
    )


def report(name: str, rule: Callable[[pd.DataFrame], object], lengths: list[int]) -> None:
    """Print a row a length."""
    before = None
    for length in lengths:
        seconds = duration(rule, curve(length))
        growth = '' if before is None else f'  {seconds / before:.1f} times the time before'
        print(f'{name:16} {length:>9,} rows  {seconds:8.3f} s{growth}')
        before = seconds


def duration(rule: Callable[[pd.DataFrame], object], table: pd.DataFrame) -> float:
    """The shortest of three runs, in seconds."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        rule(table)
        found.append(time.perf_counter() - start)
    return min(found)


def curve(length: int) -> pd.DataFrame:
    """A linear ramp that learns up to a rate of 0.4 and diverges at 0.8."""
    rates = np.linspace(0, 1, length)
    loss = 0.3 + 2 * np.exp(-15 * rates) + 2 * np.clip(rates - 0.4, 0, None) + 3 * (rates > 0.8)
    loss = loss + np.random.RandomState(0).normal(0, 0.1, length)
    return pd.DataFrame({'iteration': np.arange(1, length + 1), 'lr': rates, 'main/loss': loss})


if __name__ == '__main__':
    main()
