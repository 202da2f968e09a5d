"""Digests of what a run gets from the user, so that it never goes on with something else."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder._names import DATASET_NAMES
from lrfinder.zoo.data import Data
from lrfinder.zoo.factory import is_factory, is_the_users

import chainer
import numpy as np
from chainer.datasets import TupleDataset

# Of data sets whose examples are made when they are asked for, so many are looked at.
_SAMPLE = 32


def of_data(spec: str, data: Data) -> dict[str, str]:
    """The digest of the user's data by its name; nothing for data that comes with a name of its own.

    >>> of_data('digits', Data([], []))
    {}
    """
    if spec in DATASET_NAMES:
        return {}
    content = hashlib.sha256()
    for dataset in (data.train, data.validation):
        content.update(_examples(dataset))
    return {spec: content.hexdigest()}


def of_modules(specs: Iterable[str]) -> dict[str, str]:
    """The digests of the user's source files that were loaded for some ``module:factory``, by their paths in its folder.

    >>> of_modules(['mlp', 'math:hypot'])
    {}
    """
    files = {path for spec in specs if is_factory(spec) for path in _files_of(spec.rpartition(':')[0])}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(files)}


def of_chainer() -> dict[str, str]:
    """The digest of the setting of Chainer that changes what is computed, by the name of the variable that sets it."""
    return {'CHAINER_DTYPE': hashlib.sha256(str(chainer.config.dtype).encode()).hexdigest()}


def _files_of(module: str) -> Iterator[tuple[str, Path]]:
    """The module's file, and those of others in its folder."""
    top = getattr(sys.modules.get(module.partition('.')[0]), '__file__', None)
    if top is None:
        return
    folder = Path(top).parent.parent if Path(top).name == '__init__.py' else Path(top).parent
    for loaded in list(sys.modules.values()):
        file = getattr(loaded, '__file__', None)
        if isinstance(file, str) and is_the_users(file) and Path(file).is_relative_to(folder) and os.path.isfile(file):
            yield Path(file).relative_to(folder).as_posix(), Path(file)


def _examples(dataset: Any) -> bytes:
    """The digest of a data set's examples; of their number alone where they are drawn anew whenever they are asked for."""
    if isinstance(dataset, TupleDataset) and all(isinstance(part, np.ndarray) for part in dataset._datasets):
        return _digest(dataset._datasets)
    count = len(dataset)
    chosen = range(0, count, max(1, count // _SAMPLE))
    first, again = (_digest([count, *(dataset[index] for index in chosen)]) for _ in range(2))
    return first if first == again else _digest(count)


def _digest(value: Any) -> bytes:
    content = hashlib.sha256()
    _feed(content, value)
    return content.digest()


def _feed(content: Any, value: Any) -> None:
    """Feeds a hash with a value, as far as it is made of containers, arrays, numbers and texts."""
    if isinstance(value, dict):
        value = sorted(value.items(), key=lambda item: str(item[0]))
    if isinstance(value, (list, tuple)):
        content.update(b'%d(' % len(value))
        for part in value:
            _feed(content, part)
    elif isinstance(value, (str, bytes)):
        content.update(value.encode('utf-8', 'surrogatepass') if isinstance(value, str) else value)
    elif isinstance(value, (np.ndarray, np.generic, int, float)):
        array = np.asarray(value)
        content.update(f'{array.dtype.str}{array.shape}'.encode())
        content.update(np.ascontiguousarray(array) if array.dtype.kind in 'biufc' else b'')
    else:
        content.update(type(value).__name__.encode())
