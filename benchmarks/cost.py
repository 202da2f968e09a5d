"""What a range test costs: `python -m benchmarks.cost` prints a table.

Whole processes, one thread, in turn: `lrfinder.find` in Chainer, and torch-lr-finder's range test of the same network, data and
batch in PyTorch. Each says where its time goes. Then what `find` adds to the memory of a training of 50 million parameters.

torch-lr-finder is in an environment of its own, see `requirements-peers.txt`: `--peers` names its Python.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
MODELS = 'mlp', 'resnet'
BATCH = 32
MILLIONS = 50
# How many numbers an optimizer keeps for each parameter.
KEPT = {'SGD': 0, 'MomentumSGD': 1, 'Adam': 2}

Figures = dict[str, float]


def main() -> None:
    """Measure one thing in this process, as the first argument names it; or all of them, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('one', nargs='*', help='a measurement of those below, and what of')
    parser.add_argument('--rounds', type=int, default=5, help='how often to time each (default: 5)')
    parser.add_argument('--peers', default='.venv-peers/bin/python', help='the Python with torch-lr-finder')
    options = parser.parse_args()
    if options.one:
        name, *what = options.one
        print(json.dumps(ONE[name](*what)))
        return
    peers = options.peers if Path(options.peers).exists() else None
    for model in MODELS:
        print_times(model, measured(model, peers, options.rounds))
    for optimizer in KEPT:
        print_memory(optimizer, *(in_a_process(sys.executable, what, optimizer) for what in ('trained', 'tested')))


def measured(model: str, peers: str | None, rounds: int) -> dict[str, list[Figures]]:
    """The figures of each round, by what was measured, which took turns."""
    pythons = {'ours': sys.executable, **({'torch': peers} if peers else {})}
    found: dict[str, list[Figures]] = {name: [] for name in pythons}
    for name, python in [*pythons.items()] * rounds:
        found[name].append(in_a_process(python, name, model))
    return found


def in_a_process(python: str, *arguments: str) -> Figures:
    """Measure one thing in a process of its own; how long that took in all is the figure `whole`."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    begin = time.perf_counter()
    command = [python, '-W', 'ignore', '-m', 'benchmarks.cost', *arguments]
    found = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return {**json.loads(found.stdout.splitlines()[-1]), 'whole': time.perf_counter() - begin}


def print_times(model: str, found: dict[str, list[Figures]]) -> None:
    """Print the medians, and the ratios of the two."""
    print(f'\n{model}, seconds (the median of {len(found["ours"])} processes)')
    for name, rounds in found.items():
        middle = {figure: median(one[figure] for one in rounds) for figure in rounds[0]}
        print(f'  {name:6}', ', '.join(f'{figure} {value:.3g}' for figure, value in middle.items()))
    if 'torch' in found:
        for figure in 'whole', 'update':
            ratios = [ours[figure] / torch[figure] for ours, torch in zip(found['ours'], found['torch'])]
            print(f'  {figure}, ours over torch: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})')


def print_memory(optimizer: str, trained: Figures, tested: Figures) -> None:
    """Print what a range test adds to the peak of a training, also in copies of all parameters."""
    added = tested['peak'] - trained['peak']
    copy = 4 * trained['parameters']
    print(f'\n{optimizer}, {trained["parameters"] / 1e6:.0f} million parameters, {trained["peak"] / 1e6:.0f} MB')
    print(
        f'  find adds {added / 1e6:.0f} MB: {added / copy:.2f} times the parameters; it puts back {1 + KEPT[optimizer]} times'
    )


# ---- one thing, in a process of its own


def ours(model: str) -> Figures:
    """A range test of ours, and where its time goes."""
    begin = time.perf_counter()
    from benchmarks.profile_demo import TRAINING, VALIDATION, Clock
    from lrfinder.cli.build import Builder
    from lrfinder.cli.options import Options
    from lrfinder.finder import find

    import chainer
    from chainer.training import StandardUpdater, extensions

    updater, evaluator = Builder(Options(model=model, batchsize=BATCH)).build(0)
    clock = Clock()
    for part, owner, name in (
        (TRAINING, chainer.GradientMethod, 'update'),
        (VALIDATION, extensions.Evaluator, 'evaluate'),
        ('batches', StandardUpdater, 'update_core'),
    ):
        clock.watch(part, owner, name)
    begun = first_call(StandardUpdater, 'update')
    started = time.perf_counter()
    updates = find(updater, evaluator=evaluator, quiet=True).suggestion.updates
    spent = time.perf_counter() - started
    updating = clock.seconds[TRAINING] + clock.seconds['batches']
    return {
        'start': begun[0] - begin,
        'updates': updates,
        'update': spent / updates,
        'forward and backward': clock.seconds[TRAINING],
        'batches': clock.seconds['batches'],
        'validations': clock.seconds[VALIDATION],
        'ours': spent - updating - clock.seconds[VALIDATION],
        'ours, share of the updates': (spent - updating - clock.seconds[VALIDATION]) / updating,
    }


def first_call(owner: Any, name: str) -> list[float]:
    """A list that gets the time of the first call of a method."""
    method, times = getattr(owner, name), []

    def noted(self: Any) -> None:
        if not times:
            times.append(time.perf_counter())
        method(self)

    setattr(owner, name, noted)
    return times


def torch(model: str) -> Figures:
    """The range test of torch-lr-finder with everything at its default, in PyTorch."""
    begin = time.perf_counter()
    from benchmarks import torch_networks as nets

    finder, loader = nets.finder(model, BATCH)
    started = time.perf_counter()
    finder.range_test(loader, num_iter=100)
    steps = len(finder.history['lr'])
    return {'start': started - begin, 'updates': steps, 'update': (time.perf_counter() - started) / steps}


def large(optimizer: str) -> Any:
    """An updater of a large network after its first update, which leaves the optimizer's state, and without gradients."""
    import clr  # noqa: F401

    import chainer
    import numpy as np

    side = round((MILLIONS * 1e6 / 2) ** 0.5)
    network = chainer.Sequential(chainer.links.Linear(side, side), chainer.functions.relu, chainer.links.Linear(side, side))
    model = chainer.links.Classifier(network)
    setup = getattr(chainer.optimizers, optimizer)().setup(model)
    data = chainer.datasets.TupleDataset(np.zeros((64, side), 'f'), np.zeros(64, 'i'))
    updater = chainer.training.StandardUpdater(chainer.iterators.SerialIterator(data, 4), setup)
    updater.update()
    model.cleargrads()
    return updater


def trained(optimizer: str) -> Figures:
    """The peak of the memory of a short training."""
    updater = large(optimizer)
    for _ in range(3):
        updater.update()
    return peak(updater)


def tested(optimizer: str) -> Figures:
    """The same with a range test before it."""
    import lrfinder

    updater = large(optimizer)
    with contextlib.suppress(lrfinder.NoRangeError):
        lrfinder.find(updater, value_range=(0.0, 1e-3), iterations=2, quiet=True)
    return peak(updater)


def peak(updater: Any) -> Figures:
    """The highest resident memory of this process so far, in bytes."""
    unit = 1 if sys.platform == 'darwin' else 1024
    parameters = updater.get_optimizer('main').target.count_params()
    return {'peak': unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 'parameters': parameters}


ONE = {'ours': ours, 'torch': torch, 'trained': trained, 'tested': tested}

if __name__ == '__main__':
    main()
