"""The range test on a GPU, and what is said where there is none.

`make gpu` runs those that need one, and measures what they don't (`benchmarks.gpu`). `test_gpu_rehearsal` runs some of them
without one.
"""

import os
import subprocess
import sys
from pathlib import Path

import lrfinder
from lrfinder.zoo.datasets import load_dataset

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from chainer import iterators, optimizers, training
from chainer.backends import cuda


def no_gpu():
    """Why nothing can run on a GPU here; empty where it can."""
    if not cuda.available:
        return f'Chainer has no CuPy: {cuda._resolution_error}'.splitlines()[0]
    return '' if cuda.cupy.cuda.is_available() else 'CuPy finds no GPU'


def gpu(test):
    """Marks a test that needs a GPU."""
    return pytest.mark.gpu(pytest.mark.skipif(bool(no_gpu()), reason=no_gpu() or 'there is a GPU')(test))


SHORT = dict(value_range=(0.0, 0.1), iterations=40)
SPIN = 'extern "C" __global__ void spin(long long n) { long long t = clock64(); while (clock64() - t < n); }'


class Net(chainer.Chain):
    """It has all that a training changes: weights, statistics, and random numbers drawn on the device."""

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.hidden = L.Linear(64, 32)
            self.norm = L.BatchNormalization(32)
            self.out = L.Linear(32, 10)

    def forward(self, x):
        return self.out(F.dropout(F.relu(self.norm(self.hidden(x)))))


@pytest.fixture
def updater():
    """On the GPU, in the middle of a training."""
    chainer.get_device('@cupy:0').use()
    np.random.seed(0)
    cuda.cupy.random.seed(0)
    model = L.Classifier(Net())
    model.to_device('@cupy:0')
    optimizer = optimizers.Adam().setup(model)
    examples = iterators.SerialIterator(load_dataset('digits').train, 32)
    updater = training.StandardUpdater(examples, optimizer, device='@cupy:0')
    for _ in range(5):
        updater.update()
    return updater


def arrays(link, optimizer):
    """Every array of a model and its optimizer: the object, and its bits on the CPU."""
    found = [param.array for param in link.params()] + [param.grad for param in link.params()]
    found += [value for param in link.params() for _, value in sorted(param.update_rule.state.items())]
    found += [child.avg_mean for child in link.links() if hasattr(child, 'avg_mean')]
    return [(array, cuda.to_cpu(array).tobytes()) for array in found if isinstance(array, cuda.ndarray)]


# With a GPU


@gpu
def test_find_puts_back_arrays_and_random_state_to_the_last_bit(updater):
    optimizer = updater.get_optimizer('main')
    before = arrays(optimizer.target, optimizer)
    assert len(before) > 15
    cuda.cupy.random.seed(7)
    expected = [cuda.cupy.random.uniform(size=5).get() for _ in range(2)]
    cuda.cupy.random.seed(7)
    drawn = [cuda.cupy.random.uniform(size=5).get()]
    lrfinder.find(updater, **SHORT)
    drawn.append(cuda.cupy.random.uniform(size=5).get())
    np.testing.assert_array_equal(drawn, expected)
    after = arrays(optimizer.target, optimizer)
    assert all(one is other and bits == same for (one, bits), (other, same) in zip(before, after, strict=True))


@gpu
def test_find_repeats_itself_although_the_device_draws(updater):
    first, second = (lrfinder.find(updater, **SHORT) for _ in range(2))
    np.testing.assert_allclose(first.curve['main/loss'], second.curve['main/loss'], rtol=1e-3)


@gpu
def test_only_every_tenth_update_waits_for_the_gpu():
    """A kernel runs for long before each call: where the stream has nothing left to do after it, the call has waited."""
    cupy = cuda.cupy
    spin = cupy.RawKernel(SPIN, 'spin')
    model = L.Classifier(L.Linear(2, 2))
    model.to_device('@cupy:0')
    updater = training.StandardUpdater(iterators.SerialIterator([], 1), optimizers.SGD().setup(model), device='@cupy:0')
    trainer = training.Trainer(updater, (100, 'iteration'))
    test = lrfinder.LRRangeTest('lr', (0.001, 0.01), 100)
    test.initialize(trainer)
    loss, accuracy = chainer.Variable(cupy.array(1.5, 'f')), cupy.array(0.5, 'f')
    stream, waited = cupy.cuda.Stream.null, []
    for update in range(1, 31):
        stream.synchronize()
        updater.get_optimizer('main').t += 1
        trainer.observation = {'main/loss': loss, 'main/accuracy': accuracy}
        spin((1,), (1,), (np.int64(200_000_000),))  # about a tenth of a second
        test(trainer)
        if stream.done:
            waited.append(update)
    assert waited == [10, 20, 30]


@gpu
def test_the_command_runs_on_the_first_gpu(tmp_path, capsys):
    from lrfinder.cli.main import main

    assert main(['--device', '0', '--model', 'cnn', '--out', str(tmp_path), '--epoch', '2']) == 0
    assert 'Device: @cupy:0' in capsys.readouterr().out


@gpu
def test_gradients_on_their_way_between_workers_are_put_back(updater):
    """Double buffering; one worker is enough for it."""
    pytest.importorskip('mpi4py')
    import chainermn
    from chainermn import nccl

    if not nccl._available:
        pytest.skip('CuPy has no NCCL')
    actual = updater.get_optimizer('main')
    communicator = chainermn.create_communicator('pure_nccl')
    optimizer = chainermn.create_multi_node_optimizer(actual, communicator, double_buffering=True)
    updater._optimizers['main'] = optimizer
    for _ in range(3):
        updater.update()
    optimizer.wait()

    def state():
        buffered = [param.grad for _, param in sorted(optimizer.communicated_target.namedparams())]
        return arrays(actual.target, actual) + [(grad, cuda.to_cpu(grad).tobytes()) for grad in buffered]

    before, needs_update = state(), optimizer.needs_update
    lrfinder.find(updater, **SHORT)
    after = state()
    assert optimizer.needs_update == needs_update
    assert all(one is other and bits == same for (one, bits), (other, same) in zip(before, after, strict=True))


# Without one


def test_a_cupy_that_cannot_be_loaded_is_one_line(tmp_path):
    (tmp_path / 'cupy').mkdir()
    broken = "raise ImportError('a page\\nof advice') from OSError('libcublas.so.12 is missing')\n"
    (tmp_path / 'cupy' / '__init__.py').write_text(broken)
    path = os.pathsep.join([str(tmp_path), str(Path(lrfinder.__file__).parents[1])])
    command = [sys.executable, '-m', 'lrfinder', '--device', '0']
    found = subprocess.run(command, cwd=tmp_path, env={**os.environ, 'PYTHONPATH': path}, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (2, '')
    assert found.stderr.startswith("lrfinder: error: --device 0: CuPy can't be used (OSError: libcublas.so.12 is missing")
    assert found.stderr.endswith("brings it with CUDA's libraries; -1 is the CPU\n")
    assert found.stderr.count('\n') == 1


@pytest.mark.skipif(not no_gpu() or not cuda.available, reason='it takes a CuPy without a GPU')
def test_a_cupy_without_a_gpu_is_one_line(tmp_path):
    environment = {**os.environ, 'PYTHONPATH': str(Path(lrfinder.__file__).parents[1])}
    command = [sys.executable, '-m', 'lrfinder', '--device', '0']
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (2, '')
    assert found.stderr.startswith('lrfinder: error: --device 0: there is no such GPU (')
    assert found.stderr.count('\n') == 1


def test_devices_of_workers_count_up_from_the_given_one_on_each_machine():
    from lrfinder.engine.workers import MultiNodeWorkers, Workers

    class Third:
        size, rank, intra_rank = 8, 6, 2

    devices = ['-1', '0', '1', '@cupy:0', '@numpy']
    assert [Workers().device(spec) for spec in devices] == devices
    assert [MultiNodeWorkers(Third()).device(spec) for spec in devices] == ['-1', '2', '3', '@cupy:2', '@numpy']
