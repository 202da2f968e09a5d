"""Data sets with held-out validation data: embedded digits, Chainer's own, ``.npz`` files, and the user's.

``digits.npz`` holds scikit-learn's 1,797 images of handwritten digits, 8x8 pixels from 0 to 16: a copy of the
test set of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, doi 10.24432/C50P49, licence CC BY 4.0. It was made, from the repository's root, with::

    python -c "import numpy, sklearn.datasets as s; d = s.load_digits(); numpy.savez_compressed(
        'lrfinder/zoo/digits.npz', x=d.images.astype('uint8'), y=d.target.astype('uint8'))"
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, TypeAlias

import clr  # noqa: F401  makes Chainer importable
from lrfinder._names import DATASET_NAMES, suggest
from lrfinder.zoo.factory import call_factory, describe, is_factory, load_object

import chainer
import numpy as np
from chainer.datasets import TupleDataset, split_dataset

Array: TypeAlias = 'np.ndarray[Any, Any]'

MOST_CLASSES = 1_000_000  # a label above is taken for a mistake: the model's last layer would fill the memory


@dataclasses.dataclass(frozen=True)
class Data:
    """Training data and held-out validation data.

    Attributes:
        train: Examples to train on, a Chainer data set of (x, label) or (x, targets).
        validation: Examples of the same form that are never trained on.
        n_classes: Number of classes, labels being 0 to ``n_classes - 1``; ``None`` where examples have no
            label.
        n_targets: Number of float targets of an example (regression); ``None`` where examples have none.
        name: What to call the data in a summary; :func:`load_dataset` puts what was asked for where it is
            empty.
    """

    train: Any
    validation: Any
    n_classes: int | None = None
    n_targets: int | None = None
    name: str = ''


def load_dataset(spec: str, seed: int = 0) -> Data:
    """Loads the data that ``spec`` names.

    * ``digits``: 1,437 and 360 images (1, 8, 8) from 0 to 1, always split in the same way; no network needed.
    * ``mnist``, ``fashion_mnist``, ``cifar10``, ``cifar100``: by Chainer's loaders, images (channels, height,
      width) from 0 to 1; their test set is the validation data.
    * ``FILE.npz``: arrays ``x`` (examples, ...) and ``y``, and optionally ``x_val`` and ``y_val``. Integer
      (or boolean) ``y`` of shape (examples,) are labels that count from 0; float ``y`` of shape (examples,)
      or (examples, targets) are targets of a regression. 8-bit unsigned ``x`` are taken for pixels and scaled
      to 0 to 1, other numbers are used as they are. Pickled objects are never loaded.
    * ``module:factory``: called without arguments, it returns (training, validation), or one data set, or a
      :class:`Data`. Its examples are used as they are. The number of classes is that of the labels found in
      one pass over all examples, where the last item of an example is an integer; return a :class:`Data` to
      name it and to spare the pass.

    Without validation data a fifth is held out, at random by ``seed``, with the same share of every label.

    Args:
        spec: A name, a file or ``module:factory``.
        seed: Decides which examples are held out of an ``.npz`` file or a user's data set.

    Returns:
        For all but the user's own data sets, a :class:`Data` of ``TupleDataset`` of float32 x, and int32
        labels of shape () or float32 targets of shape (targets,).

    Raises:
        ValueError: There is no such data, or it could not be loaded, or it is not fit for training, in one
            line.

    >>> data = load_dataset('digits')
    >>> len(data.train), len(data.validation), data.n_classes
    (1437, 360, 10)
    """
    if spec == 'digits':
        return _digits()
    if spec in _LOADERS:
        return _chainers_own(spec)
    if spec.lower().endswith('.npz'):
        return _from_npz(spec, seed)
    if is_factory(spec):
        return _from_factory(spec, seed)
    raise ValueError(f'unknown data {spec!r}: {suggest(spec, [*DATASET_NAMES, "FILE.npz", "module:factory"])}')


def _digits() -> Data:
    with np.load(pathlib.Path(__file__).with_name('digits.npz'), allow_pickle=False) as arrays:
        x = arrays['x'][:, None].astype(np.float32) / 16
        y = arrays['y'].astype(np.int32)
    return Data(*_split_arrays(x, y, seed=0), n_classes=10, name='digits')


# ---- Chainer's own

_LOADERS: dict[str, tuple[Callable[..., Any], int]] = {
    'mnist': (chainer.datasets.get_mnist, 10),
    'fashion_mnist': (chainer.datasets.get_fashion_mnist, 10),
    'cifar10': (chainer.datasets.get_cifar10, 10),
    'cifar100': (chainer.datasets.get_cifar100, 100),
}


def _chainers_own(name: str) -> Data:
    loader, n_classes = _LOADERS[name]
    try:
        train, validation = loader(ndim=3, dtype=np.float32)
    except Exception as error:  # whatever a download, an archive or a damaged cache may raise
        folder = chainer.dataset.get_dataset_root()
        raise ValueError(
            f"Chainer can't load {name} ({describe(error)}): it downloads the files once, into {folder}; "
            'without a network use digits or a file of yours, FILE.npz'
        ) from error
    return Data(train, validation, n_classes=n_classes, name=name)


# ---- arrays in an .npz file


def _from_npz(path: str, seed: int) -> Data:
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
    except Exception as error:  # damaged bytes make zipfile and NumPy raise nearly anything
        if 'allow_pickle' in str(error):
            raise ValueError(f'{what} holds pickled Python objects, which are never loaded; save numbers') from error
        raise ValueError(f'{what} is truncated or damaged ({describe(error)})') from error


def _check_names(names: list[str]) -> None:
    for name in ('x', 'y'):
        if name not in names:
            raise ValueError(f'there is no array {name} (found: {", ".join(names) or "none"})')
    for name, other in ('x_val', 'y_val'), ('y_val', 'x_val'):
        if name in names and other not in names:
            raise ValueError(f'there is an array {name} and no {other}')


def _from_arrays(arrays: dict[str, Array], seed: int) -> Data:
    x, y = _examples(arrays, 'x', 'y', fewest=2)
    if 'x_val' in arrays:
        x_val, y_val = _examples(arrays, 'x_val', 'y_val', fewest=1)
        _check_alike(arrays, y, y_val)
        train, validation = TupleDataset(x, y), TupleDataset(x_val, y_val)
    else:
        y_val = y
        train, validation = _split_arrays(x, y, seed)
    if y.ndim == 2:
        return Data(train, validation, n_targets=y.shape[1])
    return Data(train, validation, n_classes=_count_classes(y, y_val, 'y', 'y_val'))


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
        raise ValueError(f'{name} has {len(x)} of at least {fewest} examples')
    values = _finite(name, x)
    if x.dtype == np.uint8:
        values /= 255
    return values


def _targets(name: str, y: Array) -> Array:
    """Labels as int32 of shape (examples,), or regression targets as float32 of shape (examples, targets)."""
    if y.dtype.kind not in 'biuf':
        raise ValueError(f'{name} is of type {y.dtype}: integers (labels) or floats (targets) are needed')
    if y.dtype.kind == 'f':
        if y.ndim not in (1, 2) or 0 in y.shape[1:]:
            raise ValueError(f'{name} has the shape {y.shape}: targets need (examples,) or (examples, targets)')
        return _finite(name, y[:, None] if y.ndim == 1 else y)
    if y.ndim != 1:
        raise ValueError(f'{name} has the shape {y.shape}: labels need (examples,), one integer each')
    return _checked_labels(name, y)


def _finite(name: str, array: Array) -> Array:
    with np.errstate(over='ignore'):
        values = array.astype(np.float32)
    bad = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if bad.any():
        raise ValueError(f'{name} is NaN, infinite or too large for float32 in example {bad.argmax()}')
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


# ---- the user's own


def _from_factory(spec: str, seed: int) -> Data:
    made = call_factory(spec, load_object(spec))
    try:
        data = _as_data(made, seed)
    except ValueError as error:
        raise ValueError(f'{spec!r}: {" ".join(str(error).split())}') from error
    except Exception as error:  # a data set of the user's runs the user's code
        raise ValueError(f'{spec!r}: its data raised {describe(error)}') from error
    return dataclasses.replace(data, name=data.name or spec)


def _as_data(made: Any, seed: int) -> Data:
    if isinstance(made, Data):
        _check_dataset('training', made.train, fewest=2)
        _check_dataset('validation', made.validation, fewest=1)
        return made
    if isinstance(made, tuple) and len(made) == 2:
        return _from_pair(*made)
    return _from_one(made, seed)


def _from_pair(train: Any, validation: Any) -> Data:
    _check_dataset('training', train, fewest=2)
    _check_dataset('validation', validation, fewest=1)
    if not _has_labels(train):
        return Data(train, validation, n_targets=_count_targets(train))
    names = 'the training data', 'the validation data'
    labels = _labels(names[0], train), _labels(names[1], validation)
    return Data(train, validation, n_classes=_count_classes(*labels, *names))


def _from_one(dataset: Any, seed: int) -> Data:
    _check_dataset('returned', dataset, fewest=2)
    if not _has_labels(dataset):
        return Data(*_split(dataset, np.zeros(len(dataset)), seed), n_targets=_count_targets(dataset))
    labels = _labels('the data', dataset)
    return Data(*_split(dataset, labels, seed), n_classes=_count_classes(labels, labels, 'the data', 'the data'))


def _check_dataset(which: str, dataset: Any, fewest: int) -> None:
    indexed = hasattr(dataset, '__len__') and hasattr(dataset, '__getitem__')
    if not indexed or isinstance(dataset, (str, bytes, tuple, Mapping, np.ndarray)):
        raise ValueError(
            f'the {which} data is of type {type(dataset).__name__}: return (training, validation) or one '
            'data set, such as chainer.datasets.TupleDataset(x, labels)'
        )
    if len(dataset) < fewest:
        raise ValueError(f'the {which} data has {len(dataset)} of at least {fewest} examples')


def _target(dataset: Any) -> Array | None:
    """The last item of the first example, where an example is a tuple."""
    example = dataset[0]
    return np.asarray(example[-1]) if isinstance(example, tuple) and len(example) > 1 else None


def _has_labels(dataset: Any) -> bool:
    target = _target(dataset)
    return target is not None and target.dtype.kind in 'biu' and target.ndim == 0


def _count_targets(dataset: Any) -> int | None:
    target = _target(dataset)
    return target.size if target is not None and target.dtype.kind == 'f' and target.ndim <= 1 else None


def _labels(what: str, dataset: Any) -> Array:
    labels = np.asarray([dataset[i][-1] for i in range(len(dataset))])
    if labels.dtype.kind != 'i':
        raise ValueError(f'{what} has labels of type {labels.dtype}: Chainer needs signed integers, such as int32')
    return _checked_labels(what, labels)


# ---- what all of them need


def _checked_labels(what: str, labels: Array) -> Array:
    wrong = (labels < 0) | (labels >= MOST_CLASSES)
    if wrong.any():
        raise ValueError(
            f'{what} has the label {labels[wrong.argmax()]} (example {wrong.argmax()}): '
            f'labels are counted from 0 and below {MOST_CLASSES:,}'
        )
    return labels.astype(np.int32)


def _count_classes(y: Array, y_val: Array, name: str, name_val: str) -> int:
    if y.min() == y.max():
        raise ValueError(f'every label of {name} is {y[0]}: there is nothing to tell apart')
    if y_val.max() > y.max():
        raise ValueError(f'{name_val} has the label {y_val.max()}, and those of {name} end at {y.max()}')
    return int(y.max()) + 1


def _split(dataset: Any, targets: Array, seed: int) -> tuple[Any, Any]:
    held_out = _held_out(targets, seed)
    order = np.argsort(held_out, kind='stable')
    return split_dataset(dataset, int(np.sum(~held_out)), order)


def _split_arrays(x: Array, y: Array, seed: int) -> tuple[Any, Any]:
    held_out = _held_out(y, seed)
    return TupleDataset(x[~held_out], y[~held_out]), TupleDataset(x[held_out], y[held_out])


def _held_out(targets: Array, seed: int) -> Array:
    """Marks a fifth of the examples: every fifth in the order of their targets, at random within a label."""
    order = np.random.RandomState(seed).permutation(len(targets))
    first_target = targets.reshape(len(targets), -1)[order, 0]
    by_target = order[np.argsort(first_target, kind='stable')]
    held_out = np.zeros(len(targets), bool)
    held_out[by_target[1::5]] = True
    return held_out
