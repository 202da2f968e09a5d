"""What the extensions cost: `python -m benchmarks.overhead`.

Trains with an extension and without, in turn, in one process, and prints the median of the ratios of their times.
In the peers' environment it is torch-lr-finder against a bare loop of torch's, on the same network.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import clr
import lrfinder

import numpy as np

try:
    import chainer
    from chainer import training
    from chainer.training.extensions import LinearShift
except ImportError:  # the peers' environment
    chainer = None

Run = Callable[[], float]  # trains, and returns the seconds of an update

PAIRS = 45
BATCH = 32
# Short runs: what else the machine does meets both of a pair alike.
UPDATES = {'MLP on digits': 100, 'ResNet-20 at 32x32': 2}
# Rates at which nothing diverges.
RATES = 0.001, 0.01


def main() -> None:
    """Print a line for each comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pairs', type=int, default=PAIRS, help=f'how often to compare (default: {PAIRS})')
    pairs = parser.parse_args().pairs
    for what, with_it, without, target in comparisons_with_torch() if chainer is None else comparisons():
        ratios, seconds = compare(with_it, without, pairs)
        low, _, high = quantiles(ratios, n=4)
        wanted = f', target {target}' if target else ''
        print(f'{what:50} {median(ratios):.4f} (quartiles {low:.4f} to {high:.4f}{wanted}); {1000 * seconds:.2f} ms an update')


def compare(with_it: Run, without: Run, pairs: int) -> tuple[list[float], float]:
    """The ratio of each pair of runs, which take turns to be first; and the median seconds of an update without."""
    with_it(), without()  # what is only done once
    ratios, bare = [], []
    for pair in range(pairs):
        order = [with_it, without] if pair % 2 else [without, with_it]
        seconds = {run: run() for run in order}
        ratios.append(seconds[with_it] / seconds[without])
        bare.append(seconds[without])
    return ratios, median(bare)


def comparisons() -> list[tuple[str, Run, Run, float | None]]:
    """What is compared, the run with it and the run without, and what the ratio should be at the most."""
    targets = {'MLP on digits': 1.03, 'ResNet-20 at 32x32': 1.005}
    found: list[tuple[str, Run, Run, float | None]] = [
        (
            f'LRRangeTest over a bare Trainer, {model}',
            functools.partial(trained, model, range_test),
            functools.partial(trained, model, None),
            target,
        )
        for model, target in targets.items()
    ]
    model = 'MLP on digits'
    shift, cycles = functools.partial(trained, model, linear_shift), functools.partial(trained, model, cyclical)
    return [*found, (f'CLR over LinearShift, {model}', cycles, shift, 1.0)]


def range_test(updates: int) -> object:
    """The extension that is to cost nothing."""
    return lrfinder.LRRangeTest('lr', RATES, updates)


def linear_shift(updates: int) -> object:
    """Chainer's own extension that moves a rate."""
    return LinearShift('lr', RATES, (0, updates))


def cyclical(updates: int) -> object:
    """Cycles."""
    from clr.training.extensions import CLR

    return CLR('lr', RATES, 50)


def trained(
    model: str,
    make_extension: Callable[[int], object] | None,
    batch: int = BATCH,
    updates: int | None = None,
    device: str = '@numpy',
) -> float:
    """Train with an extension; the seconds of an update."""
    updates = updates or UPDATES[model]
    trainer = training.Trainer(updater(model, batch, device), (updates, 'iteration'))
    if make_extension is not None:
        trainer.extend(make_extension(updates))
    gc.collect()  # of what came before
    start = time.perf_counter()
    trainer.run()
    if device != '@numpy':
        chainer.backends.cuda.Stream.null.synchronize()
    return (time.perf_counter() - start) / updates


def updater(model: str, batch: int, device: str) -> object:
    """The same network, data and order of batches each time."""
    from lrfinder.zoo.models import load_model

    np.random.seed(0)
    images, labels = digits() if model == 'MLP on digits' else (np.random.rand(128, 3, 32, 32).astype('f'), np.arange(128) % 10)
    network = load_model('mlp' if model == 'MLP on digits' else 'resnet:20', 10)
    network.to_device(device)
    optimizer = chainer.optimizers.MomentumSGD(RATES[0]).setup(network)
    data = chainer.datasets.TupleDataset(images, labels.astype('i'))
    return training.StandardUpdater(chainer.iterators.SerialIterator(data, batch), optimizer, device=device)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The embedded images and their labels."""
    with np.load(Path(clr.__file__).parents[1] / 'lrfinder' / 'zoo' / 'digits.npz') as arrays:
        return arrays['x'].astype('f')[:, None] / 16, arrays['y']


# ---- the peer


def comparisons_with_torch() -> list[tuple[str, Run, Run, float | None]]:
    """As `comparisons`."""
    return [('torch-lr-finder over a bare loop, MLP on digits', torch_lr_finder, bare_loop, None)]


def torch_lr_finder() -> float:
    """As `trained`, with the peer's range test, which does not stop early."""
    from torch_lr_finder import LRFinder

    network, optimizer, criterion, loader = torch_parts()
    finder = LRFinder(network, optimizer, criterion)
    updates = UPDATES['MLP on digits']
    with open(os.devnull, 'w') as nothing, contextlib.redirect_stderr(nothing), contextlib.redirect_stdout(nothing):
        start = time.perf_counter()
        finder.range_test(loader, start_lr=RATES[0], end_lr=RATES[1], num_iter=updates, diverge_th=1e9)
        return (time.perf_counter() - start) / updates


def bare_loop() -> float:
    """As `trained`, in torch, without anything else."""
    network, optimizer, criterion, loader = torch_parts()
    network.train()
    updates, done = UPDATES['MLP on digits'], 0
    start = time.perf_counter()
    while done < updates:
        for images, labels in loader:
            optimizer.zero_grad()
            criterion(network(images), labels).backward()
            optimizer.step()
            done += 1
            if done == updates:
                break
    return (time.perf_counter() - start) / updates


def torch_parts() -> tuple:
    """The same network, optimizer, loss and data as Chainer's."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    images, labels = digits()
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=RATES[0], momentum=0.9)
    data = TensorDataset(torch.from_numpy(images), torch.from_numpy(labels.astype('int64')))
    return network, optimizer, torch.nn.CrossEntropyLoss(), DataLoader(data, BATCH, shuffle=True)


if __name__ == '__main__':
    main()
