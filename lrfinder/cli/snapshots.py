"""Snapshots from which a training goes on to the last bit as if it had never stopped."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder import _files
from lrfinder.cli.errors import UsageError, writing
from lrfinder.zoo.factory import describe

import numpy as np
from chainer import serializers
from chainer.backends import cuda
from chainer.serializer import Deserializer
from chainer.training import extension, extensions
from chainer.training.extensions import snapshot_writers

_PREFIX = 'snapshot_iter_'


class RunState(extension.Extension):
    """Trainer extension that puts into snapshots what Chainer leaves out.

    That is the random generators, which run it is, and the power of beta that MSVAG counts with.

    The state of CuPy's generator can't be read. So that generator is seeded anew when a snapshot is taken, and in the same
    way when training goes on from it: give this extension the trigger of the snapshot's.

    Args:
        run_id (str): Tells the run from others.
        optimizer (~chainer.Optimizer): The optimizer of the training.
    """

    # After the snapshot (-100); and the last to be initialized, so that nothing draws afterwards.
    priority = -200

    def __init__(self, run_id: str, optimizer: Any) -> None:
        self._run_id = run_id
        self._optimizer = optimizer
        self._loaded: str | None = None

    def initialize(self, trainer: Any) -> None:
        if self._loaded is not None:
            _set_random_state(self._loaded)
            _seed_cupy(trainer.updater)

    def __call__(self, trainer: Any) -> None:
        _seed_cupy(trainer.updater)

    def serialize(self, serializer: Any) -> None:
        self._run_id = str(serializer('run_id', self._run_id))
        state = str(serializer('random', _random_state()))
        for name, param in self._optimizer.target.namedparams():
            if hasattr(param.update_rule, 'beta_power'):
                param.update_rule.beta_power = serializer(f'beta_power{name}', param.update_rule.beta_power)
        if isinstance(serializer, Deserializer):
            self._loaded = state


def snapshot() -> Any:
    """A snapshot extension that keeps the newest snapshot alone, written whole or not at all."""
    return extensions.snapshot(filename=_PREFIX + '{.updater.iteration}', writer=_WholeWriter(), n_retains=1)


def snapshot_path(folder: Path, iteration: int) -> Path:
    """Where the snapshot after an iteration is."""
    return folder / f'{_PREFIX}{iteration}'


def newest_snapshot(folder: Path, run_id: str) -> Path | None:
    """The newest snapshot of a run in a folder; ``None`` where there is none.

    Raises:
        UsageError: A snapshot can't be read.
    """
    found = [path for path in folder.glob(f'{_PREFIX}*') if re.fullmatch(r'\d+', path.name.removeprefix(_PREFIX))]
    own = [path for path in found if run_id_of(path) == run_id]
    return max(own, key=lambda path: int(path.name.removeprefix(_PREFIX)), default=None)


def run_id_of(path: Path) -> str | None:
    """Which run a snapshot belongs to; ``None`` where it does not say.

    Raises:
        UsageError: It is no snapshot.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            name = f'extensions/{RunState.__name__}/run_id'
            return str(arrays[name]) if name in arrays else None
    except Exception as error:  # damaged bytes make zipfile and NumPy raise nearly anything
        raise UsageError(f'--resume: {path} is not a snapshot, or is damaged ({describe(error)})') from error


def load(path: Path, trainer: Any) -> None:
    """Puts a trainer in the state of a snapshot. Nothing is unpickled.

    Raises:
        UsageError: It does not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            serializers.NpzDeserializer(arrays).load(trainer)
    except Exception as error:  # the user's model may have changed in any way
        raise UsageError(f'--resume: {path} does not fit the model and its training ({describe(error)})') from error


class _WholeWriter(snapshot_writers.Writer):
    def __call__(self, filename: str, outdir: str, target: Any) -> None:
        with writing(outdir), _files.replacing(Path(outdir) / filename) as file:
            serializers.save_npz(file, target)
        self._post_save()


def _random_state() -> str:
    numpy_state: Any = np.random.get_state()
    return json.dumps([random.getstate(), [*numpy_state[:1], numpy_state[1].tolist(), *numpy_state[2:]]])


def _set_random_state(text: str) -> None:
    (version, internal, gauss), (name, keys, *rest) = json.loads(text)
    random.setstate((version, tuple(internal), gauss))
    np.random.set_state((name, np.array(keys, np.uint32), *rest))


def _seed_cupy(updater: Any) -> None:
    if updater.get_optimizer('main').target.xp is cuda.cupy:
        cuda.cupy.random.seed(updater.iteration)
