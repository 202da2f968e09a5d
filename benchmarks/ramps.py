"""Records what the peers look at: `python -m benchmarks.ramps` writes `ramps.npz`, the input of `peers.py`.

Each peer has its own ramp, recorded here by Chainer on every task and seed, to its end: where to stop is up to
the peer. An array of shape (2, updates) a ramp: rates, and the training loss of the batch at each of them.
"""

from __future__ import annotations

from benchmarks import tables
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
    """Record the ramps of the tasks asked for."""
    args = options(__doc__)
    keys = [(peer, task.name, seed) for peer in RAMPS for task in args.tasks for seed in SPREAD_SEEDS]
    found = in_parallel(losses, [(name, RAMPS[peer], seed) for peer, name, seed in keys], args.jobs)
    ramps = {'/'.join(map(str, key)): np.array([RAMPS[key[0]], row]) for key, row in zip(keys, found)}
    file = tables.HERE / 'ramps.npz'
    if file.exists():
        with np.load(file) as before:
            ramps = {**before, **ramps}
    with replacing(file) as new:
        np.savez_compressed(new, **ramps)


if __name__ == '__main__':
    main()
