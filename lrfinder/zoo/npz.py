"""The user's arrays in an ``.npz`` file: read without unpickling anything, and checked."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any, BinaryIO

from lrfinder._names import printable
from lrfinder.zoo.data import Array, Data, checked_labels, count_classes, split_arrays
from lrfinder.zoo.factory import describe

import chainer
import numpy as np
from chainer.datasets import TupleDataset

_MOST_SHOWN = 200


def load_npz(path: str, seed: int = 0) -> Data:
    """Loads the arrays ``x`` and ``y``, and ``x_val`` and ``y_val`` if they are there, of an ``.npz`` file.

    Args:
        path: The file.
        seed: Decides which examples are held out where the file has no validation data.

    Raises:
        ValueError: There is no such file, or its arrays are not fit for training; the message names the file.

    >>> np.savez('a.npz', x=np.zeros((10, 4)), y=np.arange(10) % 2)
    >>> data = load_npz('a.npz')
    >>> len(data.train), len(data.validation), data.n_classes
    (8, 2, 2)
    """
    try:
        with open(path, 'rb') as file:
            data = _from_arrays(_read(file), seed)
    except OSError as error:
        raise ValueError(f'{path}: {error.strerror}') from error
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    return dataclasses.replace(data, name=pathlib.Path(path).name)


def _read(file: BinaryIO) -> dict[str, Array]:
    if file.read(4) not in (b'PK\x03\x04', b'PK\x05\x06'):
        raise ValueError('not an .npz file; numpy.savez(FILE, x=x, y=y) makes one')
    file.seek(0)
    with _undamaged('the file', np.load, file, allow_pickle=False) as archive:
        _check_names(archive.files)
        names = [name for name in ('x', 'y', 'x_val', 'y_val') if name in archive.files]
        return {name: np.asarray(_undamaged(name, archive.__getitem__, name)) for name in names}


def _undamaged(what: str, read: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return read(*args, **kwargs)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes make zipfile and NumPy raise nearly anything
        if 'allow_pickle' in str(error):
            raise ValueError(f'{what} holds pickled Python objects, which are never loaded; save numbers') from error
        raise ValueError(f'{what} is truncated or damaged ({describe(error)})') from error


def _check_names(names: list[str]) -> None:
    for name in ('x', 'y'):
        if name not in names:
            raise ValueError(f'the array {name} is missing (found: {printable(", ".join(names), _MOST_SHOWN) or "none"})')
    for name, other in ('x_val', 'y_val'), ('y_val', 'x_val'):
        if name in names and other not in names:
            raise ValueError(f'the array {name} needs the array {other}')


def _from_arrays(arrays: dict[str, Array], seed: int) -> Data:
    x, y = _examples(arrays, 'x', 'y', fewest=2)
    if 'x_val' in arrays:
        x_val, y_val = _examples(arrays, 'x_val', 'y_val', fewest=1)
        _check_alike(arrays, y, y_val)
        train, validation = TupleDataset(x, y), TupleDataset(x_val, y_val)
    else:
        y_val = y
        train, validation = split_arrays(x, y, seed)
    if y.ndim == 2:
        return Data(train, validation, n_targets=y.shape[1], note=_note(arrays['y']))
    return Data(train, validation, n_classes=count_classes(y, y_val, 'y', 'y_val'))


def _examples(arrays: dict[str, Array], x_name: str, y_name: str, fewest: int) -> tuple[Array, Array]:
    x, y = _inputs(x_name, arrays[x_name], fewest), _targets(y_name, arrays[y_name])
    if len(x) != len(y):
        raise ValueError(f'{x_name} has {len(x)} examples and {y_name} has {len(y)}')
    return x, y


def _inputs(name: str, x: Array, fewest: int) -> Array:
    if x.dtype.kind not in 'biuf':
        raise ValueError(f'{name} is of type {x.dtype}: numbers are needed')
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise ValueError(f'{name} has the shape {x.shape}, not (examples, features) or (examples, channels, height, width)')
    if len(x) < fewest:
        raise ValueError(f'{name} has {len(x)} examples, but needs at least {fewest}')
    values = _finite(name, x)
    if x.dtype == np.uint8:
        values /= 255
    return values


def _targets(name: str, y: Array) -> Array:
    """Labels as int32 of shape (examples,), or regression targets as floats of shape (examples, targets)."""
    if y.dtype.kind not in 'biuf':
        raise ValueError(f'{name} is of type {y.dtype}: integers (labels) or floats (targets) are needed')
    if y.dtype.kind == 'f':
        if y.ndim not in (1, 2) or 0 in y.shape[1:]:
            raise ValueError(f'{name} has the shape {y.shape}: targets need (examples,) or (examples, targets)')
        return _finite(name, y[:, None] if y.ndim == 1 else y)
    if y.ndim != 1:
        raise ValueError(f'{name} has the shape {y.shape}: labels need (examples,), one integer each')
    return checked_labels(name, y)


def _note(y: Array) -> str:
    """What to know of targets that look like labels."""
    if y.size > len(y) or not (y == np.round(y)).all():
        return ''
    return f'y holds whole numbers as {y.dtype}, which are taken for targets of a regression; for classes, save integers'


def _finite(name: str, array: Array) -> Array:
    with np.errstate(over='ignore'):
        values = array.astype(chainer.get_dtype())
    bad = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if bad.any():
        raise ValueError(f'{name} is NaN, infinite or too large for {values.dtype} in example {bad.argmax()}')
    return values


def _check_alike(arrays: dict[str, Array], y: Array, y_val: Array) -> None:
    """Validation arrays must be of the same form as the training arrays."""
    x, x_val = arrays['x'], arrays['x_val']
    if x.shape[1:] != x_val.shape[1:]:
        raise ValueError(f'the examples of x have the shape {x.shape[1:]}, those of x_val {x_val.shape[1:]}')
    if (x.dtype == np.uint8) != (x_val.dtype == np.uint8):
        raise ValueError(f'x is of type {x.dtype} and x_val of type {x_val.dtype}: only uint8 is scaled to 0 to 1')
    if y.shape[1:] != y_val.shape[1:]:
        raise ValueError(f'{_form("y", y)} and {_form("y_val", y_val)}')


def _form(name: str, y: Array) -> str:
    return f'{name} holds labels' if y.ndim == 1 else f'{name} holds {y.shape[1]} targets an example'
