"""Which batch a range holds for."""

from __future__ import annotations


def holds_for(batchsize: int, workers: int = 1) -> str:
    """For which updates a range holds, and what to do about larger or smaller ones, in words.

    Source: Goyal et al., "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 2.1.

    Args:
        batchsize: The examples of an update, of each worker; 1 or more.
        workers: How many workers there are.

    >>> holds_for(32, workers=4)[:72]
    'the range holds for updates with 128 examples (4 workers with 32 each); '
    """
    each = f' ({workers} workers with {batchsize} each)' if workers > 1 else ''
    return (
        f'the range holds for updates with {workers * batchsize} examples{each}; with k times as many, k times both bounds are '
        'a first guess (the linear scaling rule, arXiv 1706.02677)'
    )
