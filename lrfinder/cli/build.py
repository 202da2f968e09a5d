"""From the options to what is trained: the model, its optimizer, an updater and an evaluator."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import random
import warnings
from typing import Any, NamedTuple

import clr  # noqa: F401  makes Chainer importable
from lrfinder.cli import inputs
from lrfinder.cli.errors import UsageError, blaming
from lrfinder.cli.options import Options
from lrfinder.engine.workers import Workers
from lrfinder.zoo.data import Data
from lrfinder.zoo.datasets import load_dataset
from lrfinder.zoo.factory import describe
from lrfinder.zoo.models import load_model
from lrfinder.zoo.optimizers import make_optimizer

import chainer
import numpy as np
from chainer.backends import cuda
from chainer.iterators import SerialIterator
from chainer.training import extensions, updaters


class Parts(NamedTuple):
    """What a training needs.

    Attributes:
        updater: A ``chainer.training.updaters.StandardUpdater`` that has done nothing yet.
        evaluator: A ``chainer.training.extensions.Evaluator`` for its model on the validation data.
    """

    updater: Any
    evaluator: Any


class Builder:
    """Builds the same training again and again, for a seed.

    Args:
        options: What to train; the data is loaded at once.
        workers: Those that train together.

    Attributes:
        data: The training and validation data; of several workers, this one's part.
        inputs: The digest of the user's data, by its name.
        workers: Those that train together.
        device: Where the model is trained.

    Raises:
        UsageError: There is no such data or device.

    >>> Builder(Options(batchsize=128)).iterations_per_epoch
    12
    """

    def __init__(self, options: Options, workers: Workers | None = None) -> None:
        self._options = options
        self.workers = workers or Workers()
        self.device = _device(self.workers.device(options.device))
        data = self._load()
        share = self.workers.share
        self.data: Data = dataclasses.replace(data, train=share(data.train), validation=share(data.validation))
        examples = len(self.data.train)
        if options.batchsize > examples:
            raise UsageError(f'--batchsize {options.batchsize}: the training data has {examples} examples')

    def _load(self) -> Data:
        self._seed(self._options.seed)  # data that are drawn at random are the same in all workers, and when a run goes on
        spec = self._options.dataset
        with blaming('--dataset'):
            data = load_dataset(spec, self._options.seed)
            try:
                self.inputs = inputs.of_data(spec, data)
            except Exception as error:  # examples of a data set of the user's run the user's code
                raise ValueError(f'{spec!r}: its data raised {describe(error)}') from error
            self.workers.check_alike('the data', (self.inputs, len(data.train), len(data.validation)))
        return data

    @property
    def epoch(self) -> float:
        """Updates in an epoch; no whole number where a batch goes on over its edge."""
        return len(self.data.train) / self._options.batchsize

    @property
    def iterations_per_epoch(self) -> int:
        """Updates until every example has been seen."""
        return math.ceil(self.epoch)

    def build(self, seed: int) -> Parts:
        """Builds everything anew; the global random generators start at the seed.

        Raises:
            UsageError: The model can't be built, or is not the same in all workers.
        """
        self._seed(self.workers.seed(seed))
        with blaming('--model'):
            model = load_model(self._options.model, self.data.n_classes, self.data.n_targets)
            self.workers.check_alike('the model', _shapes(model))
        model.to_device(self.device)
        optimizer = self.workers.optimizer(make_optimizer(self._options.optimizer)).setup(model)
        train = SerialIterator(self.data.train, self._options.batchsize)
        validation = SerialIterator(self.data.validation, self._options.batchsize, repeat=False, shuffle=False)
        return Parts(
            updaters.StandardUpdater(train, optimizer, device=self.device),
            self.workers.evaluator(extensions.Evaluator(validation, model, device=self.device)),
        )

    def _seed(self, seed: int) -> None:
        self.device.use()  # in another process, too
        random.seed(seed)
        np.random.seed(seed)
        if self.device.xp is cuda.cupy:
            cuda.cupy.random.seed(seed)


def _shapes(model: Any) -> dict[str, tuple[int, ...] | None]:
    """The shapes of a model's parameters by name; ``None`` for one that is made with the first batch."""
    return {name: None if param.array is None else param.shape for name, param in model.namedparams()}


def _device(spec: str) -> Any:
    """The device, in use.

    Raises:
        UsageError: It is not there, or this is no device.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', 'cuDNN is not enabled')  # CuPy 14 knows none, and Chainer needs none
            device = chainer.get_device(spec)
            device.use()
    except Exception as error:  # a driver's errors are of its own classes
        raise UsageError(f'--device {spec}: {_why_no_device(spec, error)}') from error
    return device


def _why_no_device(spec: str, error: Exception) -> str:
    gpu = spec.isdecimal() or spec.startswith('@cupy')
    brings = "pip install 'chainer-lrfinder[cuda12]' (or cuda13) brings"
    if gpu and importlib.util.find_spec('cupy') is None:
        return f'there is no CuPy here; {brings} it; -1 is the CPU'
    if gpu and not cuda.available:
        why = cuda._resolution_error.__cause__ or cuda._resolution_error  # CuPy's own error is a page long
        return f"CuPy can't be used ({describe(why)}); {brings} it with CUDA's libraries; -1 is the CPU"
    if gpu:
        return f'there is no such GPU ({describe(error)}); -1 is the CPU'
    why = '' if 'ChainerX' in str(error) else f' ({describe(error)})'  # which is what Chainer takes any other word for
    return f'no such device{why}; use -1 for the CPU, 0 for the first GPU'
