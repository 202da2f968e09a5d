"""Data sets: what they hold, what is held out, and how bad ones are refused."""

import gzip
import io
import pickle
import re
import struct
import zipfile

import clr  # noqa: F401  makes Chainer importable
from lrfinder.zoo.datasets import Data, load_dataset

import chainer
import numpy as np
import pytest


def arrays_of(dataset):
    """All x and all labels (or targets) of a data set."""
    x, y = zip(*[dataset[i] for i in range(len(dataset))], strict=True)
    return np.stack(x), np.stack(y)


# ---- digits


@pytest.fixture(scope='module')
def digits():
    return load_dataset('digits')


def test_digits_are_images_from_0_to_1(digits):
    x, y = arrays_of(digits.train)
    assert x.shape == (1437, 1, 8, 8) and x.dtype == np.float32
    assert y.shape == (1437,) and y.dtype == np.int32
    assert (x.min(), x.max()) == (0, 1)
    assert (digits.n_classes, digits.n_targets, digits.name) == (10, None, 'digits')


def test_digits_are_those_of_scikit_learn(digits):
    x, y = (np.concatenate(both) for both in zip(arrays_of(digits.train), arrays_of(digits.validation), strict=True))
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert x.sum() * 16 == 561718
    first_zero = """
        0  0  5 13  9  1  0  0
        0  0 13 15 10 15  5  0
        0  3 15  2  0 11  8  0
        0  4 12  0  0  8  8  0
        0  5  8  0  0  9  8  0
        0  4 11  0  1 12  7  0
        0  2 14  5 10 12  0  0
        0  0  6 13 10  0  0  0"""
    wanted = np.array(first_zero.split(), np.float32) / 16
    assert y[(x.reshape(-1, 64) == wanted).all(axis=1)].tolist() == [0]


def test_digits_hold_out_a_fifth_of_every_class(digits):
    _, y = arrays_of(digits.validation)
    assert np.bincount(y).tolist() == [36, 36, 36, 36, 36, 37, 36, 36, 35, 36]


def test_digits_are_split_in_the_same_way_for_every_seed(digits):
    other = load_dataset('digits', seed=5)
    assert (arrays_of(digits.validation)[0] == arrays_of(other.validation)[0]).all()
    assert arrays_of(digits.validation)[1][:12].tolist() == [0, 3, 4, 6, 6, 3, 4, 5, 8, 9, 7, 1]


# ---- Chainer's own, through its loaders, from files in its cache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder in which Chainer keeps its data sets; what is not there can't be downloaded."""
    root = chainer.dataset.get_dataset_root()
    chainer.dataset.set_dataset_root(str(tmp_path))
    for name in 'http_proxy', 'https_proxy':
        monkeypatch.setenv(name, 'http://127.0.0.1:9')  # nobody listens there
    for name in 'no_proxy', 'NO_PROXY':
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr('urllib.request._opener', None)  # it remembers the proxies
    yield tmp_path
    chainer.dataset.set_dataset_root(root)


@pytest.mark.parametrize('name, folder', [('mnist', 'mnist'), ('fashion_mnist', 'fashion-mnist')])
def test_mnist_is_what_chainer_loads(cache, name, folder):
    folder = cache / 'pfnet' / 'chainer' / folder
    folder.mkdir(parents=True)
    np.savez(folder / 'train.npz', x=np.full((3, 784), 51, np.uint8), y=np.array([7, 0, 9], np.uint8))
    np.savez(folder / 'test.npz', x=np.full((2, 784), 255, np.uint8), y=np.array([1, 2], np.uint8))
    data = load_dataset(name)
    (x, y), (x_val, y_val) = arrays_of(data.train), arrays_of(data.validation)
    assert x.shape == (3, 1, 28, 28) and x.dtype == np.float32 and np.allclose(x, 0.2)
    assert y.tolist() == [7, 0, 9] and y.dtype == np.int32
    assert x_val.shape == (2, 1, 28, 28) and (x_val == 1).all()
    assert y_val.tolist() == [1, 2]
    assert (data.n_classes, data.name) == (10, name)


@pytest.mark.parametrize('name, file, n_classes', [('cifar10', 'cifar-10', 10), ('cifar100', 'cifar-100', 100)])
def test_cifar_is_what_chainer_loads(cache, name, file, n_classes):
    folder = cache / 'pfnet' / 'chainer' / 'cifar'
    folder.mkdir(parents=True)
    images = np.zeros((2, 3072), np.uint8)
    images[:, :1024] = 255  # red
    labels = np.array([9, 4], np.uint8)
    np.savez(folder / f'{file}.npz', train_x=images, train_y=labels, test_x=images[:1], test_y=labels[:1])
    data = load_dataset(name)
    x, y = arrays_of(data.train)
    assert x.shape == (2, 3, 32, 32) and x.dtype == np.float32
    assert x.mean(axis=(0, 2, 3)).tolist() == [1, 0, 0]
    assert y.tolist() == [9, 4] and y.dtype == np.int32
    assert len(data.validation) == 1
    assert (data.n_classes, data.name) == (n_classes, name)


@pytest.mark.parametrize('name', ['mnist', 'fashion_mnist', 'cifar10', 'cifar100'])
def test_without_a_network_the_error_is_one_line(cache, name):
    message = rf"^Chainer can't load {name}: http\S+ .*{cache}\S+; or use digits or your own FILE\.npz$"
    with pytest.raises(ValueError, match=message):
        load_dataset(name)


def test_a_damaged_cache_is_told_in_one_line(cache):
    folder = cache / 'pfnet' / 'chainer' / 'mnist'
    folder.mkdir(parents=True)
    (folder / 'train.npz').write_bytes(b'not a zip')
    with pytest.raises(ValueError, match=rf"^Chainer can't load mnist \(.+\): remove its files in {cache} and try again$"):
        load_dataset('mnist')


@pytest.mark.parametrize('dtype, wanted', [(np.float16, 'float16'), (chainer.mixed16, 'float16'), (np.float64, 'float64')])
def test_data_is_of_chainer_s_dtype(tmp_path, dtype, wanted):
    path = saved(tmp_path, x=X, y=X[:, 0])
    with chainer.using_config('dtype', dtype):
        (digits, _), (x, y) = (arrays_of(load_dataset(spec).train) for spec in ('digits', path))
    assert [array.dtype.name for array in (digits, x, y)] == [wanted] * 3


# ---- .npz files

X = np.arange(20, dtype=np.float32).reshape(10, 2)
Y = np.array([0, 1, 2, 1, 0, 0, 1, 2, 1, 0])
IMAGES = np.full((4, 1, 2, 2), 51, np.uint8)


def saved(folder, **arrays):
    path = folder / 'own.npz'
    np.savez(path, **arrays)
    return str(path)


def test_npz_with_validation_arrays_keeps_them_apart(tmp_path):
    data = load_dataset(saved(tmp_path, x=X, y=Y, x_val=X[:3] + 100, y_val=Y[:3]))
    (x, y), (x_val, y_val) = arrays_of(data.train), arrays_of(data.validation)
    assert (x == X).all() and x.dtype == np.float32
    assert y.tolist() == Y.tolist() and y.dtype == np.int32
    assert x_val.tolist() == [[100, 101], [102, 103], [104, 105]]
    assert y_val.tolist() == [0, 1, 2]
    assert (data.n_classes, data.n_targets, data.name) == (3, None, 'own.npz')


@pytest.mark.parametrize('seed', [0, 1])
def test_npz_without_validation_arrays_is_split(tmp_path, seed):
    data = load_dataset(saved(tmp_path, x=X, y=Y), seed=seed)
    (x, y), (x_val, y_val) = arrays_of(data.train), arrays_of(data.validation)
    assert (len(x), len(x_val)) == (8, 2)
    assert sorted(np.concatenate([x, x_val])[:, 0]) == X[:, 0].tolist()
    assert (y == Y[x[:, 0].astype(int) // 2]).all() and (y_val == Y[x_val[:, 0].astype(int) // 2]).all()


def test_the_seed_decides_what_is_held_out(tmp_path):
    path = saved(tmp_path, x=np.arange(100.0)[:, None], y=np.arange(100) % 4)
    held_out = [arrays_of(load_dataset(path, seed).validation) for seed in (3, 3, 4)]
    assert (held_out[0][0] == held_out[1][0]).all()
    assert (held_out[0][0] != held_out[2][0]).any()
    assert [np.bincount(y).tolist() for _, y in held_out] == [[5, 5, 5, 5]] * 3


@pytest.mark.parametrize('examples, held_out', [(2, 1), (3, 1), (5, 1), (6, 1), (7, 2), (10, 2), (100, 20)])
def test_a_fifth_is_held_out_and_at_least_one(tmp_path, examples, held_out):
    data = load_dataset(saved(tmp_path, x=np.ones((examples, 3)), y=np.arange(examples)))
    assert (len(data.train), len(data.validation)) == (examples - held_out, held_out)


@pytest.mark.parametrize(
    'x, expected',
    [
        (IMAGES, 0.2),
        (IMAGES.astype(np.int64), 51),
        (IMAGES.astype('>f8'), 51),
        (IMAGES.astype(np.float16), 51),
        (IMAGES.astype(bool), 1),
    ],
    ids=['uint8', 'int64', 'big-endian', 'float16', 'bool'],
)
def test_8_bit_pixels_are_scaled_and_other_numbers_are_not(tmp_path, x, expected):
    x, _ = arrays_of(load_dataset(saved(tmp_path, x=x, y=[0, 1, 0, 1])).train)
    assert x.dtype == np.float32 and x.dtype.isnative
    assert np.allclose(x, expected)


@pytest.mark.parametrize('dtype', [np.int64, np.uint8, '>i4', bool])
def test_integers_and_booleans_are_labels(tmp_path, dtype):
    data = load_dataset(saved(tmp_path, x=X[:2], y=np.array([1, 0], dtype), x_val=X[:2], y_val=np.array([0, 1], dtype)))
    _, y = arrays_of(data.train)
    assert y.dtype == np.int32 and y.tolist() == [1, 0]
    assert data.n_classes == 2


@pytest.mark.parametrize('most, n_classes', [(999, 1000), (99_999, 100_000)])
def test_many_classes_are_few_for_many_examples(tmp_path, most, n_classes):
    examples = 10 if most < 1000 else 10_000
    np.savez(
        tmp_path / 'a.npz', x=np.zeros((examples, 1)), y=np.where(np.arange(examples) == 3, most, 0), x_val=X[:, :1], y_val=Y
    )
    assert load_dataset(str(tmp_path / 'a.npz')).n_classes == n_classes


@pytest.mark.parametrize(
    'y, note',
    [
        (
            np.arange(10) % 2 * 1.0,
            'y holds whole numbers as float64, which are taken for targets of a regression; for classes, ',
        ),
        (
            np.arange(10).reshape(-1, 1) % 2 * 1.0,
            'y holds whole numbers as float64, which are taken for targets of a regression; for classes, ',
        ),
        (np.arange(10) / 3, ''),
        (np.arange(10) % 2, ''),
        (np.ones((10, 2)), ''),
    ],
)
def test_labels_that_are_floats_are_noted(tmp_path, y, note):
    np.savez(tmp_path / 'a.npz', x=X, y=y)
    found = load_dataset(str(tmp_path / 'a.npz')).note
    assert found == (note and note + 'save integers')


@pytest.mark.parametrize('y, n_targets', [(np.arange(10.0), 1), (np.arange(30.0).reshape(10, 3), 3)])
def test_floats_are_targets_of_a_regression(tmp_path, y, n_targets):
    data = load_dataset(saved(tmp_path, x=X, y=y))
    _, targets = arrays_of(data.train)
    assert targets.shape == (8, n_targets) and targets.dtype == np.float32
    assert (data.n_classes, data.n_targets) == (None, n_targets)


def with_nan(array, example):
    array = array.astype(float)
    array[example] = np.nan
    return array


BAD_ARRAYS = [
    (dict(a=X), 'the array x is missing (found: a)'),
    (dict(X=X, Y=Y), 'the array x is missing (found: X, Y)'),
    (dict(), 'the array x is missing (found: none)'),
    ({'a\x1b[31m' + 'b' * 300: X}, 'the array x is missing (found: a\\x1b[31m' + 'b' * 194 + '...)'),
    (
        dict(x=X, y=np.where(Y == 0, 2, 900_000)),
        'the labels of y go up to 900,000 in 10 examples, which would need as many outputs: number the classes from 0 without '
        'gaps',
    ),
    (dict(x=X), 'the array y is missing (found: x)'),
    (dict(x=X, y=Y, x_val=X), 'the array x_val needs the array y_val'),
    (dict(x=X, y=Y, y_val=Y), 'the array y_val needs the array x_val'),
    (dict(x=X, y=Y[:9]), 'x has 10 examples and y has 9'),
    (dict(x=X, y=Y, x_val=X[:2], y_val=Y), 'x_val has 2 examples and y_val has 10'),
    (dict(x=X[:0], y=Y[:0]), 'x has 0 examples, but needs at least 2'),
    (dict(x=X[:1], y=Y[:1]), 'x has 1 examples, but needs at least 2'),
    (dict(x=X, y=Y, x_val=X[:0], y_val=Y[:0]), 'x_val has 0 examples, but needs at least 1'),
    (dict(x=X[:, :0], y=Y), 'x has the shape (10, 0), not (examples, features) or (examples, channels, height, width)'),
    (dict(x=X[:, 0], y=Y), 'x has the shape (10,), not (examples, features) or (examples, channels, height, width)'),
    (dict(x=5.0, y=Y), 'x has the shape (), not (examples, features) or (examples, channels, height, width)'),
    (dict(x=X.astype(str), y=Y), 'x is of type <U32: numbers are needed'),
    (dict(x=X.astype(complex), y=Y), 'x is of type complex128: numbers are needed'),
    (dict(x=X.astype('datetime64[s]'), y=Y), 'x is of type datetime64[s]: numbers are needed'),
    (dict(x=X.astype(object), y=Y), 'x holds pickled Python objects, which are never loaded; save numbers'),
    (dict(x=X, y=Y.astype(object)), 'y holds pickled Python objects, which are never loaded; save numbers'),
    (dict(x=with_nan(X, 3), y=Y), 'x is NaN, infinite or too large for float32 in example 3'),
    (dict(x=np.where(X == 4, np.inf, X), y=Y), 'x is NaN, infinite or too large for float32 in example 2'),
    (dict(x=X.astype(float) * 1e300, y=Y), 'x is NaN, infinite or too large for float32 in example 0'),
    (dict(x=X, y=Y, x_val=with_nan(X, 9), y_val=Y), 'x_val is NaN, infinite or too large for float32 in example 9'),
    (dict(x=X, y=with_nan(Y, 1)), 'y is NaN, infinite or too large for float32 in example 1'),
    (dict(x=X, y=Y - 1), 'y has the label -1 (example 0): labels must count from 0 and stay below 1,000,000'),
    (
        dict(x=X, y=Y + 2**40),
        'y has the label 1099511627776 (example 0): labels must count from 0 and stay below 1,000,000',
    ),
    (
        dict(x=X, y=Y, x_val=X, y_val=Y - 2),
        'y_val has the label -2 (example 0): labels must count from 0 and stay below 1,000,000',
    ),
    (dict(x=X, y=Y, x_val=X, y_val=Y + 1), 'y_val has the label 3, but those of y end at 2'),
    (dict(x=X, y=Y * 0 + 4), 'every label of y is 4: at least two classes are needed'),
    (dict(x=X, y=Y[:, None]), 'y has the shape (10, 1): labels need (examples,), one integer each'),
    (dict(x=X, y=np.eye(10, dtype=int)), 'y has the shape (10, 10): labels need (examples,), one integer each'),
    (dict(x=X, y=3), 'y has the shape (): labels need (examples,), one integer each'),
    (dict(x=X, y=1.5), 'y has the shape (): targets need (examples,) or (examples, targets)'),
    (dict(x=X, y=np.ones((10, 0))), 'y has the shape (10, 0): targets need (examples,) or (examples, targets)'),
    (dict(x=X, y=np.ones((10, 2, 2))), 'y has the shape (10, 2, 2): targets need (examples,) or (examples, targets)'),
    (dict(x=X, y=Y.astype('U1')), 'y is of type <U1: integers (labels) or floats (targets) are needed'),
    (dict(x=X, y=Y.astype(complex)), 'y is of type complex128: integers (labels) or floats (targets) are needed'),
    (
        dict(x=X, y=Y, x_val=np.ones((2, 3)), y_val=Y[:2]),
        'the examples of x have the shape (2,), those of x_val (3,)',
    ),
    (
        dict(x=IMAGES, y=Y[:4], x_val=IMAGES / 255, y_val=Y[:4]),
        'x is of type uint8 and x_val of type float64: only uint8 is scaled to 0 to 1',
    ),
    (dict(x=X, y=Y, x_val=X, y_val=Y * 1.0), 'y holds labels and y_val holds 1 targets an example'),
    (
        dict(x=X, y=np.ones((10, 2)), x_val=X, y_val=np.ones((10, 3))),
        'y holds 2 targets an example and y_val holds 3 targets an example',
    ),
]


@pytest.mark.parametrize('arrays, message', BAD_ARRAYS, ids=[message for _, message in BAD_ARRAYS])
@pytest.mark.filterwarnings('error')
def test_bad_arrays_are_told_in_one_line(tmp_path, arrays, message):
    path = saved(tmp_path, **arrays)
    with pytest.raises(ValueError, match=f'^{re.escape(path)}: {re.escape(message)}$'):
        load_dataset(path)


def npz_bytes(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zip_bytes(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_member(content):
    """An archive whose x is a given member and whose y is sound."""
    return zip_bytes(**{'x.npy': content, 'y.npy': npy_bytes(Y)})


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self):
        return open, ('exploded', 'w')


NOT_NPZ = r'not an \.npz file; numpy\.savez\(FILE, x=x, y=y\) makes one'
GOOD = npz_bytes(x=X, y=Y)

BAD_FILES = {
    'empty': (b'', NOT_NPZ),
    'text': (b'x,y\n1,2\n', NOT_NPZ),
    'npy': (npy_bytes(X), NOT_NPZ),
    'pickle': (pickle.dumps(Bomb()), NOT_NPZ),
    'gzip': (gzip.compress(GOOD), NOT_NPZ),
    'truncated': (GOOD[:-30], r'the file is truncated or damaged \(BadZipFile: File is not a zip file\)'),
    'only the start': (GOOD[:4], r'the file is truncated or damaged \(.+\)'),
    'a wrong byte': (GOOD.replace(b'\0\0\x80?', b'\0\0\x80@', 1), r'x is truncated or damaged \(BadZipFile: Bad CRC-32.+\)'),
    'half an array': (with_member(npy_bytes(X)[:-8]), r'x is truncated or damaged \(.+\)'),
    'an endless array': (
        with_member(npy_bytes(X).replace(b'(10, 2), }        ', b'(99999999999,2),}')),
        r'x is truncated or damaged \(.+\)',
    ),
    'a bad header': (with_member(npy_bytes(X).replace(b"{'descr'", b"{['desc'")), r'x is truncated or damaged \(.+\)'),
    'a bad version': (with_member(b'\x93NUMPY\x09\x09' + bytes(20)), r'x is truncated or damaged \(.+\)'),
    'bytes for an array': (with_member(b'hello'), r'x is of type \|S5: numbers are needed'),
    'a pickled member': (
        with_member(npy_bytes(np.array([Bomb()] * 10))),
        'x holds pickled Python objects, which are never loaded; save numbers',
    ),
    'another zip': (zip_bytes(document='text'), r'the array x is missing \(found: document\)'),
}


@pytest.mark.parametrize('content, message', BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_files_are_told_in_one_line_and_never_unpickled(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'bad.npz').write_bytes(content)
    with pytest.raises(ValueError, match=rf'^bad\.npz: {message}$') as caught:
        load_dataset('bad.npz')
    assert '\n' not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ['bad.npz']


def test_the_damaged_files_were_sound_before(tmp_path):
    assert GOOD.count(b'\0\0\x80?') == 1
    assert b'(10, 2), }        ' in npy_bytes(X) and b"{'descr'" in npy_bytes(X)
    (tmp_path / 'good.npz').write_bytes(with_member(npy_bytes(X)))
    assert len(load_dataset(str(tmp_path / 'good.npz')).train) == 8


def test_every_truncation_is_told_in_one_line(tmp_path):
    path = tmp_path / 'cut.npz'
    for length in range(0, len(GOOD), 7):
        path.write_bytes(GOOD[:length])
        with pytest.raises(ValueError, match=f'^{re.escape(str(path))}: .+$'):
            load_dataset(str(path))


def test_damage_anywhere_gives_a_data_set_or_one_line(tmp_path):
    path = tmp_path / 'damaged.npz'
    random = np.random.RandomState(0)
    refused = 0
    for _ in range(300):
        content = bytearray(GOOD)
        content[random.randint(len(GOOD))] = random.randint(256)
        path.write_bytes(content)
        try:
            load_dataset(str(path))
        except ValueError as error:
            assert re.match(f'^{re.escape(str(path))}: .+$', str(error))
            refused += 1
    assert refused > 100


def test_a_missing_file_and_a_folder_are_told_in_one_line(tmp_path):
    (tmp_path / 'folder.npz').mkdir()
    for name, message in ('missing.npz', 'No such file or directory'), ('folder.npz', 'Is a directory'):
        with pytest.raises(ValueError, match=f'^{re.escape(str(tmp_path / name))}: {message}$'):
            load_dataset(str(tmp_path / name))


def test_arrays_of_other_names_are_not_read(tmp_path):
    assert load_dataset(saved(tmp_path, x=X, y=Y, notes=np.array([{}], object))).n_classes == 3


# ---- the user's own

SETS = """
    import numpy as np
    from chainer.datasets import TransformDataset, TupleDataset
    from lrfinder.zoo.datasets import Data

    x = np.arange(20, dtype=np.float32).reshape(10, 2)
    labels = np.array([0, 1, 2, 1, 0, 0, 1, 2, 1, 0], np.int32)
    both = TupleDataset(x, labels)

    def many(): return TupleDataset(np.ones((100, 2), np.float32), np.arange(100, dtype=np.int32) // 25)
    def pair(): return TupleDataset(x[:8], labels[:8]), TupleDataset(x[8:], labels[8:])
    def one(): return both
    def a_list(): return [(row, int(label)) for row, label in zip(x, labels)]
    def ready(): return Data(both, both, n_classes=7)
    def named(): return Data(both, both, n_classes=7, name='my data')
    def floats(): return TupleDataset(x, x[:, 0])
    def vectors(): return TupleDataset(x, x)
    def inputs_alone(): return x.tolist()
    def maps(): return TupleDataset(x, np.zeros((10, 4, 4), np.int32))

    def arrays(): return x, labels
    def three(): return both, both, both
    def nothing(): pass
    def number(): return 3
    def mapping(): return {'x': x}
    def generator(): yield 1
    def short(): return TupleDataset(x[:1], labels[:1])
    def empty_validation(): return both, TupleDataset(x[:0], labels[:0])
    def empty_list(): return []
    def unsigned(): return TupleDataset(x, labels.astype(np.uint8))
    def mixed(): return [(0, 1), (0, 1.5)]
    def negative(): return TupleDataset(x, labels - 1)
    def single(): return TupleDataset(x, labels * 0)
    def more_later(): return both, TupleDataset(x, labels + 3)
    def fails(): raise OSError('no disk')
    def with_argument(path): pass
    def broken(example): return open('missing.png')
    def missing_images(): return TransformDataset(both, broken)
"""


@pytest.fixture
def sets(user_module):
    user_module('sets', SETS)


def test_a_pair_is_training_and_validation_data(sets):
    data = load_dataset('sets:pair')
    assert (len(data.train), len(data.validation)) == (8, 2)
    assert (data.n_classes, data.n_targets, data.name) == (3, None, 'sets:pair')


@pytest.mark.parametrize('factory', ['one', 'a_list'])
def test_one_data_set_is_split(sets, factory):
    data = load_dataset(f'sets:{factory}', seed=3)
    (x, y), (x_val, y_val) = arrays_of(data.train), arrays_of(data.validation)
    assert sorted(np.concatenate([x, x_val])[:, 0]) == X[:, 0].tolist()
    assert (len(y), len(y_val), data.n_classes) == (8, 2, 3)
    again = load_dataset(f'sets:{factory}', seed=3)
    assert (arrays_of(again.validation)[0] == x_val).all()


def test_one_data_set_keeps_the_share_of_every_label(sets):
    _, y = arrays_of(load_dataset('sets:many').validation)
    assert np.bincount(y).tolist() == [5, 5, 5, 5]


def test_a_data_is_used_as_it_is(sets):
    data = load_dataset('sets:ready')
    assert (len(data.train), len(data.validation), data.n_classes, data.name) == (10, 10, 7, 'sets:ready')
    assert load_dataset('sets:named').name == 'my data'
    assert isinstance(data, Data)


@pytest.mark.parametrize('factory, n_targets', [('floats', 1), ('vectors', 2), ('inputs_alone', None), ('maps', None)])
def test_data_without_labels_has_no_classes(sets, factory, n_targets):
    data = load_dataset(f'sets:{factory}')
    assert (data.n_classes, data.n_targets) == (None, n_targets)
    assert (len(data.train), len(data.validation)) == (8, 2)


RETURN = 'return (training, validation) or one data set, such as chainer.datasets.TupleDataset(x, labels)'

BAD_SETS = [
    ('arrays', f"'sets:arrays': the training data is of type ndarray: {RETURN}"),
    ('three', f"'sets:three': the returned data is of type tuple: {RETURN}"),
    ('nothing', f"'sets:nothing': the returned data is of type NoneType: {RETURN}"),
    ('number', f"'sets:number': the returned data is of type int: {RETURN}"),
    ('mapping', f"'sets:mapping': the returned data is of type dict: {RETURN}"),
    ('generator', f"'sets:generator': the returned data is of type generator: {RETURN}"),
    ('short', "'sets:short': the returned data has 1 examples, but needs at least 2"),
    ('empty_list', "'sets:empty_list': the returned data has 0 examples, but needs at least 2"),
    ('empty_validation', "'sets:empty_validation': the validation data has 0 examples, but needs at least 1"),
    (
        'unsigned',
        "'sets:unsigned': the data has labels of type uint8: Chainer needs signed integers, such as int32",
    ),
    ('mixed', "'sets:mixed': the data has labels of type float64: Chainer needs signed integers, such as int32"),
    (
        'negative',
        "'sets:negative': the data has the label -1 (example 0): labels must count from 0 and stay below 1,000,000",
    ),
    ('single', "'sets:single': every label of the data is 0: at least two classes are needed"),
    (
        'more_later',
        "'sets:more_later': the validation data has the label 5, but those of the training data end at 2",
    ),
    ('fails', "'sets:fails' raised OSError: no disk (sets.py, line 35)"),
    (
        'with_argument',
        "'sets:with_argument' raised TypeError: with_argument() missing 1 required positional argument: 'path'",
    ),
    (
        'missing_images',
        "'sets:missing_images': its data raised FileNotFoundError: [Errno 2] No such file or directory: "
        "'missing.png' (sets.py, line 37)",
    ),
    ('pairs', "'sets:pairs': there is no 'pairs': did you mean pair?"),
]


@pytest.mark.parametrize('factory, message', BAD_SETS, ids=[factory for factory, _ in BAD_SETS])
def test_a_bad_data_set_is_told_in_one_line(sets, factory, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        load_dataset(f'sets:{factory}')


BAD_NAMES = [
    ('digit', "unknown data 'digit': did you mean digits?"),
    ('cifar-10', "unknown data 'cifar-10': did you mean cifar10?"),
    ('digits:3', "unknown data 'digits:3': did you mean digits?"),
    (
        'imagenet',
        "unknown data 'imagenet': choose from digits, mnist, fashion_mnist, cifar10, cifar100, FILE.npz, module:factory",
    ),
]


@pytest.mark.parametrize('spec, message', BAD_NAMES)
def test_an_unknown_name_is_told_in_one_line(spec, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        load_dataset(spec)


def test_an_empty_zip_header_is_no_archive(tmp_path):
    (tmp_path / 'odd.npz').write_bytes(b'PK\x05\x06' + struct.pack('<4H2LH', 0, 0, 0, 0, 0, 0, 0))
    with pytest.raises(ValueError, match=r': the array x is missing \(found: none\)$'):
        load_dataset(str(tmp_path / 'odd.npz'))
