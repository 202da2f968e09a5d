"""A training problem of the benchmark, and what a range of rates is worth on it: `train` says that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.datasets import Data, Random
from benchmarks.judging import KINDS
from benchmarks.pretraining import Pretraining
from clr.attributes import rate_attribute
from clr.policies import POLICIES

import chainer
import chainer.links as L
import numpy as np
from chainer.iterators import SerialIterator
from chainer.optimizer_hooks import GradientClipping

# Where the best maximum may lie, for each kind of optimizer, in decades.
SGD, ADAPTIVE, ADAGRAD = (-3.5, 1.5), (-5.0, -0.5), (-4.0, 1.0)

AT_CHANCE = 0.95  # of the error of the best constant prediction: whoever ends above it has collapsed

LOOK = 100  # updates after which a training that is lost is given up


@dataclass(frozen=True)
class Setup:
    """One run of a task, ready to train: `find(setup.updater)` or `train` take it from here.

    `fall` are the validation loss at the start and the best one that is known, where the network reports a loss of its own.
    """

    updater: Any
    optimizer: Any
    model: Any
    validation: chainer.datasets.TupleDataset
    attr: str
    fall: tuple[float, float] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a training ended: `error` in percent points; `collapsed`, at chance: no better than the best constant prediction."""

    error: float
    collapsed: bool


@dataclass(frozen=True)
class Task:
    """A training problem.

    `half_cycle` is in updates; `decades` are the exponents between which the oracle looks for the best maximum; gradients are
    clipped to the norm `clip`; `iterator` makes the batches, given the data and the size; `before` is what the network has
    learned already. `kind` is one of `KINDS`, or 'loss': the network is the model and reports a loss of its own, of which
    `best` is the lowest that is known.
    """

    name: str
    group: str
    data: Callable[[Random], Data]
    network: Callable[[], Any]
    optimizer: Callable[[], Any]
    batch: int
    half_cycle: int
    decades: tuple[float, float]
    kind: str = 'classification'
    clip: float | None = None
    iterator: Callable[[Any, int], Any] = SerialIterator
    before: Pretraining | None = None
    best: float | None = None

    def build(self, seed: int) -> Setup:
        """Draw data, weights and the order of the batches from `seed` (NumPy's global generator included)."""
        np.random.seed(seed)
        data = self.data(Random(seed))
        network = self.network()
        if self.before is not None:
            self.before.load(network, self.network, seed)
            np.random.seed(seed)
        model = _target(network, self.kind)
        optimizer = self.optimizer().setup(model)
        if self.clip is not None:
            optimizer.add_hook(GradientClipping(self.clip))
        iterator = self.iterator(chainer.datasets.TupleDataset(data.x, data.y), self.batch)
        updater = chainer.training.updaters.StandardUpdater(iterator, optimizer, device=-1)
        validation = chainer.datasets.TupleDataset(data.x_valid, data.y_valid)
        fall = None if self.best is None else (_loss(model, validation), self.best)
        return Setup(updater, optimizer, model, validation, rate_attribute(optimizer), fall)


def _target(network: Any, kind: str) -> Any:
    if kind == 'loss':
        return network
    model = L.Classifier(network, lossfun=KINDS[kind].loss)
    model.accfun = KINDS[kind].accuracy
    model.compute_accuracy = model.accfun is not None
    return model


def train(task: Task, value_range: tuple[float, float], seed: int, half_cycles: int = 4) -> Outcome:
    """Train from scratch under CLR's `triangular` policy and return the validation error.

    Args:
        task: The task.
        value_range: Lowest and highest rate of the cycle.
        seed: Decides data, weights and batches.
        half_cycles: Length of the run; 4 are two whole cycles.

    Returns:
        Classification: wrong answers in percent. Regression: 100 times the mean squared error over the
        target's variance, at most 100. A loss of the network's own: what is left of its fall from the start to the best that
        is known, in percent, at most 100. A network that diverged, so that its predictions are not finite, has collapsed: it
        counts as the best constant prediction, or as the start.
    """
    return train_cycles(task, value_range, seed, 'triangular', task.half_cycle, half_cycles)


def train_cycles(
    task: Task, value_range: tuple[float, float], seed: int, policy: str, step_size: int, half_cycles: int
) -> Outcome:
    """Train as :func:`train` does, by any of CLR's policies and in half cycles of `step_size` updates."""
    setup = task.build(seed)
    setup.model.compute_accuracy = False  # nobody reads it, and without it and the checks of types a training is faster
    rate = POLICIES[policy]
    with np.errstate(all='ignore'), chainer.using_config('type_check', False):
        for step in range(half_cycles * step_size):
            setattr(setup.optimizer, setup.attr, float(rate(step, value_range, step_size)))
            setup.updater.update()
            if step % LOOK == 0 and lost(setup.model):
                break
        return validate(setup, task.kind)


def lost(model: Any) -> bool:
    """Whether a weight is no number: none comes back from that."""
    return any(np.isnan(param.array).any() for param in model.params())


def validate(setup: Setup, kind: str) -> Outcome:
    """Measure the model on the validation set; see `train` for the unit."""
    if setup.fall is not None:
        return _left_to_fall(_loss(setup.model, setup.validation), *setup.fall)
    x, y = chainer.dataset.concat_examples(setup.validation)
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        parts = np.array_split(x, 4)  # all at once is slower: it falls out of the cache
        prediction = np.concatenate([setup.model.predictor(part).array for part in parts])
    chance = KINDS[kind].chance(y)
    if not np.isfinite(prediction).all():
        return Outcome(chance, True)
    error = KINDS[kind].error(prediction, y)
    return Outcome(error, error >= AT_CHANCE * chance)


def _left_to_fall(loss: float, start: float, best: float) -> Outcome:
    error = min(100.0, 100 * (loss - best) / (start - best)) if np.isfinite(loss) else 100.0
    return Outcome(error, error >= AT_CHANCE * 100)


def _loss(model: Any, validation: chainer.datasets.TupleDataset) -> float:
    """The loss of a model that reports its own, over the whole validation set."""
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        return float(model(*chainer.dataset.concat_examples(validation)).array)
