"""Data sets with held-out validation data: embedded digits, Chainer's own, ``.npz`` files, and the user's.

``digits.npz`` holds scikit-learn's 1,797 images of handwritten digits, 8x8 pixels from 0 to 16: a copy of the
test set of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, doi 10.24432/C50P49, licence CC BY 4.0. It was made, from the repository's root, with::

    python -c "import numpy, sklearn.datasets as s; d = s.load_digits(); numpy.savez_compressed(
        'lrfinder/zoo/digits.npz', x=d.images.astype('uint8'), y=d.target.astype('uint8'))"
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import URLError

from lrfinder._names import DATASET_NAMES, suggest
from lrfinder.zoo.data import Array, Data, checked_labels, count_classes, split, split_arrays
from lrfinder.zoo.factory import call_factory, describe, hint, is_factory, load_object
from lrfinder.zoo.npz import load_npz

import chainer
import numpy as np


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
        For all but the user's own data sets, a :class:`Data` of ``TupleDataset`` of x in Chainer's
        ``config.dtype`` (float32, unless ``CHAINER_DTYPE`` says otherwise), and int32 labels of shape () or targets of
        shape (targets,) in the same type as x.

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
        return load_npz(spec, seed)
    if is_factory(spec):
        return _from_factory(spec, seed)
    if os.path.isfile(f'{spec}.npz'):
        raise ValueError(f'unknown data {spec!r}: did you mean {spec}.npz?')
    raise ValueError(f'unknown data {spec!r}: {hint(spec) or suggest(spec, [*DATASET_NAMES, "FILE.npz", "module:factory"])}')


def _digits() -> Data:
    with np.load(pathlib.Path(__file__).with_name('digits.npz'), allow_pickle=False) as arrays:
        x = arrays['x'][:, None].astype(chainer.get_dtype()) / 16
        y = arrays['y'].astype(np.int32)
    return Data(*split_arrays(x, y, seed=0), n_classes=10, name='digits')


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
        train, validation = loader(ndim=3)
    except URLError as error:
        raise ValueError(f"Chainer can't load {name}: {error.reason}; or use digits or your own FILE.npz") from error
    except MemoryError:
        raise
    except Exception as error:  # whatever an archive or a damaged cache may raise
        folder = chainer.dataset.get_dataset_root()
        raise ValueError(
            f"Chainer can't load {name} ({describe(error)}): remove its files in {folder} and try again"
        ) from error
    return Data(train, validation, n_classes=n_classes, name=name)


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
    return Data(train, validation, n_classes=count_classes(*labels, *names))


def _from_one(dataset: Any, seed: int) -> Data:
    _check_dataset('returned', dataset, fewest=2)
    if not _has_labels(dataset):
        return Data(*split(dataset, np.zeros(len(dataset)), seed), n_targets=_count_targets(dataset))
    labels = _labels('the data', dataset)
    return Data(*split(dataset, labels, seed), n_classes=count_classes(labels, labels, 'the data', 'the data'))


def _check_dataset(which: str, dataset: Any, fewest: int) -> None:
    indexed = hasattr(dataset, '__len__') and hasattr(dataset, '__getitem__')
    if not indexed or isinstance(dataset, (str, bytes, tuple, Mapping, np.ndarray)):
        raise ValueError(
            f'the {which} data is of type {type(dataset).__name__}: return (training, validation) or one '
            'data set, such as chainer.datasets.TupleDataset(x, labels)'
        )
    if len(dataset) < fewest:
        raise ValueError(f'the {which} data has {len(dataset)} examples, but needs at least {fewest}')


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
    return checked_labels(what, labels)
