"""Records what the peers look at: `python -m benchmarks.ramps` writes `ramps.npz`, the input of `benchmarks.peers`.

Each peer has its own ramp, recorded here by Chainer on every task and seed, to its end: where to stop is up to
the peer. `PEER` is an array of the rates, shape (updates,); `PEER/TASK` the training loss of the batch at each of them,
a row a seed of `SPREAD_SEEDS`, shape (seeds, updates), in the float32 that Chainer computes in.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks import provenance, tables
from benchmarks.measuring import SPREAD_SEEDS, in_parallel, losses, options
from lrfinder._files import replacing

import numpy as np

UPDATES = 100

# The rates at which each peer trains by default, exactly as its code computes them. torch-lr-finder starts at
# the optimizer's own rate, and its manual sets that to 1e-7.
RAMPS = {
    'fastai': 1e-7 * (10 / 1e-7) ** (np.arange(UPDATES + 1) / UPDATES),
    'lightning': 1e-8 * (1 / 1e-8) ** (np.r_[0, 2 : UPDATES + 1] / UPDATES),
    'torch-lr-finder': 1e-7 * (10 / 1e-7) ** (np.arange(UPDATES) / (UPDATES - 1)),
}


def main() -> None:
    """Record the ramps of the tasks asked for and put them into the file."""
    args = options(__doc__)
    origin = provenance.here()
    names = [task.name for task in args.tasks]
    file = tables.RESULTS / tables.RAMPS
    ramps = {**_read(file), **RAMPS, **recorded(names, args.jobs)}
    with replacing(file) as new:
        np.savez_compressed(new, **ramps)
    tables.note(file.name, names, origin)


def recorded(names: Iterable[str], jobs: int) -> dict[str, np.ndarray]:
    """Record every peer's ramp of each task: the losses, by `PEER/TASK`."""
    keys = [(peer, name) for peer in RAMPS for name in names]
    calls = [(name, RAMPS[peer], seed) for peer, name in keys for seed in SPREAD_SEEDS]
    found = iter(in_parallel(losses, calls, jobs))
    return {f'{peer}/{name}': np.array([next(found) for _ in SPREAD_SEEDS], np.float32) for peer, name in keys}


def _read(file: Path) -> dict[str, np.ndarray]:
    if not file.exists():
        return {}
    with np.load(file) as arrays:
        return dict(arrays)


if __name__ == '__main__':
    main()
