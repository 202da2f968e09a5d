"""The scripts in examples/ run, on a little data in the place of what Chainer downloads."""

import os
import re
import subprocess
import sys
from pathlib import Path

import clr  # noqa: F401  makes Chainer importable
import lrfinder

import chainer
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / 'examples'
HANGS = 1800  # seconds: each script takes a few
# What makes each script short.
ARGUMENTS = {
    'train_mnist.py': ('-e', '2', '-u', '50'),
    'train_gan.py': ('-e', '2', '-u', '50'),
    'train_ptb.py': ('-e', '2', '-u', '20', '-l', '5'),
    'train_loop.py': ('-e', '2', '-u', '50'),
    'train_accumulate.py': ('-e', '2', '-u', '50'),
}

pytestmark = pytest.mark.timeout(2 * HANGS)


@pytest.fixture(scope='module')
def downloads(tmp_path_factory):
    """A folder with what Chainer has downloaded: a little data in the form of MNIST and of the Penn Treebank."""
    root = tmp_path_factory.mktemp('downloads')
    mnist = root / 'pfnet' / 'chainer' / 'mnist'
    mnist.mkdir(parents=True)
    with np.load(ROOT / 'lrfinder' / 'zoo' / 'digits.npz') as digits:
        x = np.pad(digits['x'].repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2))).reshape(-1, 784) * 15
        np.savez(mnist / 'train.npz', x=x[:1500], y=digits['y'][:1500])
        np.savez(mnist / 'test.npz', x=x[1500:], y=digits['y'][1500:])
    ptb = root / 'pfnet' / 'chainer' / 'ptb'
    ptb.mkdir()
    words = np.frombuffer((ROOT / 'LICENSE').read_bytes(), np.uint8).astype(np.int32)
    for name, part in ('train', np.tile(words, 3)), ('valid', words[:200]), ('test', words[:200]):
        np.savez(ptb / f'{name}.npz', x=part)
    return root


@pytest.fixture
def run(downloads, tmp_path):
    """Runs an example in an empty folder, with the arguments that make it short and others; returns what it printed."""
    environment = {
        **os.environ,
        'PYTHONPATH': str(ROOT),
        'CHAINER_DATASET_ROOT': str(downloads),
        'OMP_NUM_THREADS': '1',
        'MPLBACKEND': 'agg',
    }

    def run_script(name, *more, script=None):
        command = [sys.executable, str(script or EXAMPLES / name), *ARGUMENTS[name], *map(str, more)]
        found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS)
        assert found.returncode == 0, found.stderr
        return found.stdout

    return run_script


def new_lines(name):
    return [line for line in (EXAMPLES / name).read_text(encoding='utf-8').splitlines() if '# new' in line]


def test_every_script_is_run_by_a_test():
    assert sorted(path.name for path in EXAMPLES.glob('*.py')) == sorted(ARGUMENTS)
    here = Path(__file__).read_text(encoding='utf-8')
    assert [name for name in ARGUMENTS if f"run('{name}'" not in here] == []


@pytest.mark.slow
def test_chainers_mnist_example_trains_in_its_range_and_resumes_in_the_same(run, tmp_path):
    run('train_mnist.py')
    found = {path.name for path in (tmp_path / 'result').iterdir()}
    assert {'log', 'snapshot_iter_30', 'loss.png', 'accuracy.png', 'cg.dot'} <= found
    suggestion = lrfinder.Suggestion.load(tmp_path / 'range.json')
    assert suggestion.attr == 'alpha'
    run('train_mnist.py', '-e', 3, '-r', 'result/snapshot_iter_30')
    assert lrfinder.Suggestion.load(tmp_path / 'range.json') == suggestion
    assert (tmp_path / 'result' / 'snapshot_iter_45').exists()


def test_six_lines_are_new_in_chainers_mnist_example():
    assert 1 <= len(new_lines('train_mnist.py')) <= 6


@pytest.mark.slow
def test_chainers_mnist_example_runs_without_them(run, tmp_path):
    lines = (EXAMPLES / 'train_mnist.py').read_text(encoding='utf-8').splitlines()
    before = tmp_path / 'before.py'
    before.write_text('\n'.join(['import clr', *(line for line in lines if '# new' not in line)]), encoding='utf-8')
    run('train_mnist.py', script=before)
    assert (tmp_path / 'result' / 'snapshot_iter_30').exists()


@pytest.mark.slow
def test_each_network_of_a_gan_has_its_range(run):
    out = run('train_gan.py')
    assert 'gen/loss' in out and 'dis/loss' in out


@pytest.mark.slow
def test_a_recurrent_language_model_is_judged_by_the_evaluator_of_its_trainer(run):
    assert 'validation/main/loss' in run('train_ptb.py')
    assert any("trainer.get_extension('validation')" in line for line in new_lines('train_ptb.py'))


@pytest.mark.slow
def test_a_loop_without_a_trainer_trains_in_its_range(run):
    assert re.findall(r'^epoch (\d)', run('train_loop.py'), flags=re.MULTILINE) == ['1', '2']


@pytest.mark.slow
def test_an_update_of_four_batches_is_one_iteration_of_the_trainer(run):
    out = run('train_accumulate.py')
    rows = re.findall(r'^\D*([12]) +(\d+) ', out, flags=re.MULTILINE)
    assert rows == [('1', '15'), ('2', '30')]  # 1,500 examples, in updates of 4 x 25


def test_the_mean_gradient_of_the_small_batches_is_that_of_the_large_one(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from train_accumulate import AccumulatingUpdater

    x = np.random.RandomState(0).rand(8, 3).astype(np.float32)
    t = np.array([0, 1, 2, 3, 0, 1, 2, 3], np.int32)

    def weights_after_a_step(batchsize, batches):
        np.random.seed(0)
        model = chainer.links.Classifier(chainer.links.Linear(3, 4))
        optimizer = chainer.optimizers.SGD(lr=1.0).setup(model)
        data = chainer.datasets.TupleDataset(x, t)
        iterator = chainer.iterators.SerialIterator(data, batchsize, shuffle=False)
        AccumulatingUpdater(iterator, optimizer, batches, '@numpy').update()
        assert optimizer.t == 1
        return model.predictor.W.array

    np.testing.assert_allclose(weights_after_a_step(2, 4), weights_after_a_step(8, 1), rtol=1e-5)
