"""What the peers suggest: `.venv-peers/bin/python -m benchmarks.peers` reads `ramps.npz` and writes `peers.csv`.

Every peer runs its own, unchanged learning rate finder with everything at its default: schedule, smoothing, the
stop at divergence, the rule. Its model only replays the losses that Chainer recorded at the same rates. Runs in an
environment of its own, which `requirements-peers.txt` describes, and needs no Chainer.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping

from benchmarks import provenance, tables

import lightning
import matplotlib.figure
import numpy as np
import pandas as pd
import torch
from fastai.callback import schedule
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from lightning.pytorch.tuner import Tuner
from torch.utils.data import DataLoader, TensorDataset
from torch_lr_finder import LRFinder

Answer = tuple[str, float, int]  # rule, suggested rate (NaN: none), updates


class Replay(torch.nn.Module):
    """A model whose output, and loss, is the next recorded one; its parameter does not matter."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.losses = iter(losses)
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return next(self.losses) + 0 * self.weight.sum()


def fastai(rates: np.ndarray, losses: list[float]) -> Iterator[Answer]:
    """The four rules of fastai, on one run of its `lr_find`."""
    rules = schedule.valley, schedule.slide, schedule.minimum, schedule.steep
    learner = Learner(DataLoaders(_loader(rates), _loader(rates)), Replay(losses), lambda loss, _: loss)
    with learner.no_bar():
        found = learner.lr_find(show_plot=False, suggest_funcs=rules)
    used = learner.recorder.lrs
    _check(used, rates)
    for rule in rules:
        yield f'fastai {rule.__name__}', getattr(found, rule.__name__), len(used)


def torch_lr_finder(rates: np.ndarray, losses: list[float]) -> Iterator[Answer]:
    """The rule of torch-lr-finder; it gives none when fewer than 17 updates are left."""
    model = Replay(losses)
    finder = LRFinder(model, torch.optim.SGD(model.parameters(), lr=rates[0]), lambda loss, _: loss, device='cpu')
    finder.range_test(_loader(rates))
    used = finder.history['lr']
    _check(used, rates)
    try:
        _, rate = finder.plot(ax=matplotlib.figure.Figure().subplots())
    except RuntimeError:
        rate = math.nan
    yield 'torch-lr-finder', rate, len(used)


class Module(lightning.LightningModule):
    """A replayed model as Lightning wants it."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self.replay = Replay(losses)
        self.lr = 1e-3

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        return self.replay(batch[0])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def lightning_(rates: np.ndarray, losses: list[float]) -> Iterator[Answer]:
    """The rule of Lightning; None when it has too few losses."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            default_root_dir=folder,
            accelerator='cpu',
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            max_epochs=1,
        )
        found = Tuner(trainer).lr_find(Module(losses), _loader(rates))
    used = found.results['lr']
    _check(used, rates)
    yield 'Lightning', found.suggestion() or math.nan, len(used)


def _loader(rates: np.ndarray) -> DataLoader:
    """An epoch of empty batches that is just long enough."""
    return DataLoader(TensorDataset(torch.zeros(len(rates), 1), torch.zeros(len(rates), 1)), batch_size=1)


def _check(used: list[float], rates: np.ndarray) -> None:
    """The peer trained at the rates that were recorded, or the replay means nothing."""
    np.testing.assert_allclose(used, rates[: len(used)], rtol=1e-5)


PEERS = {'fastai': fastai, 'lightning': lightning_, 'torch-lr-finder': torch_lr_finder}


def main() -> None:
    """Replay every recorded ramp to the peer that it belongs to."""
    origin = provenance.here()
    with np.load(tables.RESULTS / tables.RAMPS) as ramps:
        table = pd.DataFrame(answers(ramps), columns=['task', 'seed', 'rule', 'max', 'updates'])
    tables.update('peers.csv', table.sort_values(['rule', 'seed']), origin)


def answers(ramps: Mapping[str, np.ndarray]) -> Iterator[tuple[str, int, str, float, int]]:
    """What each peer says of each of its ramps; see `benchmarks.ramps` for the names of the arrays."""
    for key in ramps:
        peer, _, task = key.partition('/')
        if task:
            for seed, losses in enumerate(ramps[key]):
                for answer in PEERS[peer](ramps[peer], losses.tolist()):
                    yield task, seed, *answer


if __name__ == '__main__':
    warnings.simplefilter('ignore')
    logging.getLogger('lightning.pytorch').setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main()
