"""What lrfinder and clr do on a GPU, rehearsed without one, on a stand-in for CuPy.

The stand-in (`stand_in_for_cupy`) computes with NumPy, refuses every conversion to NumPy that is not asked for by name, and
counts the others. So this proves that no array of NumPy's gets among those on the device, that nothing is brought over but
once in ten updates and at validations, and that all is put back to the last bit where Chainer takes its paths for a GPU. It
says nothing of the real kernels, of CuPy's own code, of rounding, memory and streams, or of speed: for that there is
`make gpu`.

Each test is a process of its own, since the stand-in must be there before Chainer is imported.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIMIT = 900  # seconds; against hangs alone

pytestmark = pytest.mark.slow


def on_the_stand_in(*arguments):
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    environment = {**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1', 'CHAINER_CUDNN': '0'}
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'stand_in_for_cupy', '-p', 'no:cacheprovider', *map(str, arguments)]
    ran = subprocess.run(command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True, timeout=LIMIT)
    return ran.returncode, ran.stdout + ran.stderr


def test_nothing_is_converted_silently_and_all_is_put_back():
    status, output = on_the_stand_in(HERE / 'rehearsal_on_stand_in.py')
    assert status == 0, output


def test_the_tests_that_need_a_gpu_pass_as_far_as_the_stand_in_goes():
    status, output = on_the_stand_in('-m', 'gpu', '-k', 'puts_back_arrays or repeats_itself', HERE / 'test_gpu.py')
    assert status == 0, output
    assert '2 passed' in output
