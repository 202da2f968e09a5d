"""A run never goes on with something else."""

import json

from lrfinder.cli import inputs
from lrfinder.cli.main import main
from lrfinder.zoo.data import Data
from lrfinder.zoo.factory import load_object

import chainer
import numpy as np
import pytest
from chainer.datasets import TransformDataset, TupleDataset

NETS = """
    import chainer.links as L
    import sizes

    def make(n_classes):
        return L.Linear(None, n_classes)
"""
DATA = """
    import chainer
    import numpy as np

    def make():
        x = np.random.normal(size=(100, 4)).astype('f')
        return chainer.datasets.TupleDataset(x, (x[:, 0] > 0).astype('i'))
"""


def data(*arrays):
    return Data(TupleDataset(*arrays), TupleDataset(*arrays))


X, Y = np.zeros((100, 4), np.float32), np.zeros(100, np.int32)


def other(array):
    """The array with another last value."""
    changed = array.copy()
    changed.flat[-1] += 1
    return changed


def test_the_digest_of_data_is_that_of_all_arrays():
    same = inputs.of_data('my.npz', data(X, Y))
    assert inputs.of_data('my.npz', data(X.copy(), Y.copy())) == same
    assert list(same) == ['my.npz']
    for changed in (data(other(X), Y), data(X, other(Y)), data(X.astype('d'), Y), data(X.reshape(100, 2, 2), Y)):
        assert inputs.of_data('my.npz', changed) != same


def test_data_with_a_name_of_its_own_needs_no_digest():
    assert inputs.of_data('digits', data(X, Y)) == {}


def test_examples_that_are_drawn_anew_each_time_are_no_other_data():
    random = np.random.default_rng(0)

    def augmented():
        dataset = TransformDataset(TupleDataset(X, Y), lambda one: (one[0] + random.normal(), one[1]))
        return inputs.of_data('nets:data', Data(dataset, dataset))

    assert augmented() == augmented()


def test_examples_of_any_kind_have_a_digest():
    def digest(*examples):
        return inputs.of_data('nets:data', Data(list(examples), []))

    one = ({'a': [1, 2.5], 'b': 'text'}, b'x', None, np.float32(3))
    assert digest(one) == digest(one)
    assert digest(one) != digest(one, one)
    assert digest(({'a': 1}, 0)) != digest(({'a': 2}, 0))
    assert digest((['a', 'b'], 0)) != digest((['a'], 'b', 0))


def test_the_digests_of_modules_are_those_of_all_files_in_the_folder(user_module, tmp_path):
    user_module('nets', NETS)
    user_module('sizes', 'N = 1')
    load_object('nets:make')
    found = inputs.of_modules(['nets:make', 'digits'])
    assert list(found) == ['nets.py', 'sizes.py']
    user_module('sizes', 'N = 2')
    changed = inputs.of_modules(['nets:make'])
    assert changed['nets.py'] == found['nets.py'] and changed['sizes.py'] != found['sizes.py']


@pytest.fixture
def run(user_module, tmp_path):
    """The arguments of a finished run with data and code of the user's."""
    user_module('nets', NETS)
    user_module('sizes', 'N = 1')
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 4))
    np.savez('ok.npz', x=x, y=(x[:, 0] > 0).astype(int))
    assert main(['--model', 'nets:make', '--dataset', 'ok.npz', '--iterations', '60', '--quiet', '--out', 'out']) == 0
    return ['--resume', 'out', '--quiet']


def refused(capsys, run, name):
    capsys.readouterr()
    assert main(run) == 2
    advice = 'put it back, or start a new run without --resume'
    assert capsys.readouterr().err == f'lrfinder: error: --resume out: {name} is not what it was when the run began; {advice}\n'


def test_a_run_goes_on_with_the_same(run):
    with np.load('ok.npz') as arrays:
        np.savez_compressed('ok.npz', **arrays)  # other bytes, the same numbers
    assert main(run) == 0


def test_a_run_does_not_go_on_with_other_data(run, capsys):
    with np.load('ok.npz') as arrays:
        np.savez('ok.npz', x=other(arrays['x']), y=arrays['y'])
    refused(capsys, run, 'ok.npz')


@pytest.mark.parametrize(('name', 'source'), [('nets', NETS + '\n    # more'), ('sizes', 'N = 2')])
def test_a_run_does_not_go_on_with_other_code(run, capsys, user_module, name, source):
    user_module(name, source)
    refused(capsys, run, f'{name}.py')


def test_a_run_does_not_go_on_in_another_precision(run, capsys):
    with chainer.using_config('dtype', np.dtype('float64')):
        refused(capsys, run, 'CHAINER_DTYPE')


def test_before_the_test_was_done_nothing_is_mixed(run, user_module, tmp_path):
    user_module('sizes', 'N = 2')
    content = json.loads((tmp_path / 'out' / 'run.json').read_text())
    (tmp_path / 'out' / 'run.json').write_text(json.dumps({**content, 'digests': {}}))
    assert main(run) == 0


def test_data_that_are_drawn_at_random_are_the_same_when_a_run_goes_on(user_module):
    user_module('datas', DATA)
    given = ['--dataset', 'datas:make', '--iterations', '60', '--batchsize', '16', '--quiet', '--out', 'out']
    assert main(given) == 0
    assert main(['--resume', 'out', '--quiet']) == 0
