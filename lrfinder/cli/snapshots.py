"""Snapshots from which a training goes on to the last bit as if it had never stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder import _files
from lrfinder.cli.errors import ANEW, UsageError, writing
from lrfinder.zoo.factory import describe

import numpy as np
from chainer import serializers
from chainer.backends import cuda
from chainer.serializer import Deserializer
from chainer.training import extension

_PREFIX = 'snapshot_iter_'
_IS_ITERATION = re.compile(r'0|[1-9][0-9]{0,17}').fullmatch


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a snapshot comes from.

    Attributes:
        run_id: Which run.
        trained_with: What decides the rates of the training, by name.
        earlier: The names of older snapshots of the run, which are removed as soon as there is a newer one.
    """

    run_id: str
    trained_with: Mapping[str, Any]
    earlier: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Origin:
        """From the JSON text in a snapshot."""
        content = json.loads(text)
        return cls(str(content['run_id']), dict(content['trained_with']), tuple(map(str, content['earlier'])))

    def to_json(self) -> str:
        """The JSON text for a snapshot."""
        return json.dumps(dataclasses.asdict(self))


class Snapshots(extension.Extension):
    """Trainer extension that saves the training, and then removes what it saved before: the newest snapshot alone stays.

    It removes none but the run's own, by the names that it wrote. Those of a run that goes on are in its snapshot.

    Into a snapshot goes what Chainer leaves out: the random generators, and the power of beta that MSVAG counts with. The state
    of CuPy's generator can't be read. So that generator is seeded anew when a snapshot is taken, and in the same way when
    training goes on from it.

    Args:
        origin (Origin): Which run it is, and what it is trained with.
        optimizer (~chainer.Optimizer): The optimizer of the training.
    """

    # After all that belongs into a snapshot; and the last to be initialized, so that nothing draws afterwards.
    priority = -200

    def __init__(self, origin: Origin, optimizer: Any) -> None:
        self._origin = origin
        self._optimizer = optimizer
        self._loaded: str | None = None

    def initialize(self, trainer: Any) -> None:
        if self._loaded is not None:
            _set_random_state(self._loaded)
            _seed_cupy(trainer.updater)
            self._remember(snapshot_name(trainer.updater.iteration))

    def __call__(self, trainer: Any) -> None:
        folder, name = Path(trainer.out), snapshot_name(trainer.updater.iteration)
        with writing(folder), _files.replacing(folder / name) as file:
            serializers.save_npz(file, trainer)
        for other in self._origin.earlier:
            if other != name:
                self._remove(folder / other)
        self._origin = dataclasses.replace(self._origin, earlier=())
        self._remember(name)
        _seed_cupy(trainer.updater)

    def serialize(self, serializer: Any) -> None:
        self._origin = Origin.of(str(serializer('origin', self._origin.to_json())))
        state = str(serializer('random', _random_state()))
        for name, param in self._optimizer.target.namedparams():
            if hasattr(param.update_rule, 'beta_power'):
                param.update_rule.beta_power = serializer(f'beta_power{name}', param.update_rule.beta_power)
        if isinstance(serializer, Deserializer):
            self._loaded = state

    def _remember(self, name: str) -> None:
        self._origin = dataclasses.replace(self._origin, earlier=(*self._origin.earlier, name))

    def _remove(self, path: Path) -> None:
        if own_origin(path, self._origin.run_id) is not None:
            with contextlib.suppress(OSError):
                path.unlink()


def snapshot_name(iteration: int) -> str:
    """The name of the snapshot after an iteration.

    >>> snapshot_name(540)
    'snapshot_iter_540'
    """
    return f'{_PREFIX}{iteration}'


def all_names(folder: Path) -> list[str]:
    """The names of all snapshots in a folder, of whatever run, the newest by its iteration at the end."""
    found = (path.name.removeprefix(_PREFIX) for path in folder.glob(f'{_PREFIX}*'))
    return [snapshot_name(iteration) for iteration in sorted(int(number) for number in found if _IS_ITERATION(number))]


def newest_snapshot(folder: Path, run_id: str, sure: bool = False) -> Path | None:
    """The newest snapshot of a run in a folder, by its iteration; ``None`` where there is none.

    Args:
        folder: The folder.
        run_id: Which run.
        sure: Whether the run's own can be read for sure, as where this process wrote them: then others need not be.

    Raises:
        UsageError: A file that may be it can't be read.
    """
    for name in reversed(all_names(folder)):
        path = folder / name
        origin = (own_origin(path, run_id) if sure else origin_of(path)) if path.is_file() else None
        if origin is not None and origin.run_id == run_id:
            return path
    return None


def origin_of(path: Path) -> Origin | None:
    """Where a snapshot comes from; ``None`` where it does not say.

    Raises:
        UsageError: It is no snapshot.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            name = f'extensions/{Snapshots.__name__}/origin'
            return Origin.of(str(arrays[name])) if name in arrays else None
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes make zipfile and NumPy raise nearly anything
        raise UsageError(f'--resume: {path} is not a snapshot, or is damaged ({describe(error)}); {ANEW}') from error


def own_origin(path: Path, run_id: str) -> Origin | None:
    """Where a snapshot of a run comes from; ``None`` for that of another run, and for what is no snapshot."""
    with contextlib.suppress(UsageError, OSError):
        origin = origin_of(path)
        return origin if origin is not None and origin.run_id == run_id else None
    return None


def load(path: Path, trainer: Any, trained_with: Mapping[str, Any]) -> None:
    """Puts a trainer in the state of a snapshot. Nothing is unpickled.

    Raises:
        UsageError: It does not fit, or was trained with something else.
    """
    origin = origin_of(path)
    for name, value in trained_with.items():
        other = None if origin is None else origin.trained_with.get(name)
        if other != value:
            raise UsageError(f'--resume: {path} was trained with {name} {other}, not {value}; {ANEW}')
    try:
        with np.load(path, allow_pickle=False) as arrays:
            serializers.NpzDeserializer(arrays).load(trainer)
    except MemoryError:
        raise
    except Exception as error:  # the user's model may have changed in any way
        raise UsageError(f'--resume: {path} does not fit the model and its training ({describe(error)}); {ANEW}') from error


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
