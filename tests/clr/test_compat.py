"""After ``import clr``, or ``import lrfinder``, a plain ``import chainer`` works, and nothing else is changed."""

import inspect
import pathlib
import subprocess
import sys
import traceback

import clr
from clr import _compat

import numpy
import pytest
from chainer import Variable
from chainer import functions as F

ROOT = pathlib.Path(clr.__file__).parents[1]


def python(code, *flags):
    """Runs the code in a Python of its own that finds the project and starts with nothing loaded."""
    code = f'import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}'
    return subprocess.run([sys.executable, '-I', *flags, '-c', code], capture_output=True, text=True)


def printed(code, *flags):
    result = python(code, *flags)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    'use',
    [
        'import clr',
        'from clr import policies; policies.one_cycle(2000, (0.01, 0.1), 300)',
        'from clr import attributes, arguments',
    ],
)
def test_importing_clr_loads_nothing_heavy(use):
    assert printed(f"{use}; print({{'chainer', 'numpy', 'matplotlib', 'pandas'}} & set(sys.modules))") == ['set()']


def test_chainer_imports_afterwards_and_numpy_stays_as_it_is():
    assert printed(
        """
import numpy
removed = 'sctypes', 'float', 'int', 'bool', 'object'
before = [name in vars(numpy) for name in removed]
import clr
import chainer
print(chainer.__version__)
print(before == [name in vars(numpy) for name in removed])
"""
    ) == ['7.8.1', 'True']


def test_the_extension_alone_makes_chainer_importable():
    code = "from clr.training.extensions import CLR; print(CLR('lr', (0.01, 0.1), 3).default_name, 'matplotlib' in sys.modules)"
    assert printed(code) == ['CLR False']


def test_code_of_the_user_s_that_reads_a_removed_name_fails_as_it_should():
    result = python('import clr, chainer, numpy\nnumpy.float')
    assert "AttributeError: module 'numpy' has no attribute 'float'" in result.stderr


def test_a_missing_chainer_is_named():
    result = python('import clr\nimport chainer', '-S')
    assert result.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'chainer'"


def test_a_second_installation_changes_nothing():
    finders = list(sys.meta_path)
    _compat.install()
    _compat.install()
    assert sys.meta_path == finders
    assert sum(type(finder).__name__ == '_ChainerFinder' for finder in finders) == 1


@pytest.mark.parametrize('name', ['json', 'numpy', 'chainer', 'chainer.functions.array.reshape', 'chainer.functions'])
def test_other_modules_are_left_to_python(name):
    (finder,) = (finder for finder in sys.meta_path if type(finder).__name__ == '_ChainerFinder')
    assert finder.find_spec(name) is None


def test_chainer_s_check_of_other_packages_finds_nothing():
    from chainer import _environment_check

    assert _environment_check.check() is None
    assert not {'pkg_resources', 'numpy.distutils'} & set(printed('import clr, chainer; print(*sys.modules, sep="\\n")'))


# ---- the functions that were repaired


def test_resize_images_works_forward_and_backward():
    x = Variable(numpy.array([[[[0.0, 2.0], [4.0, 6.0]]]], dtype='f'))
    y = F.resize_images(x, (3, 3))
    assert y.array.tolist() == [[[[0.0, 1.0, 2.0], [2.0, 3.0, 4.0], [4.0, 5.0, 6.0]]]]
    y.grad = numpy.ones_like(y.array)
    y.backward()
    assert x.grad.tolist() == [[[[2.25, 2.25], [2.25, 2.25]]]]


@pytest.mark.parametrize('dtype', ['float16', 'float32', 'float64'])
def test_as_strided_works_forward_and_backward(dtype):
    x = Variable(numpy.arange(4, dtype=dtype))
    y = F.as_strided(x, (3, 2), (1, 1))
    assert y.array.tolist() == [[0, 1], [1, 2], [2, 3]]
    y.grad = numpy.ones_like(y.array)
    y.backward()
    assert x.grad.tolist() == [1, 2, 2, 1]


def test_tracebacks_and_inspection_show_the_source_of_repaired_modules():
    with pytest.raises(TypeError) as caught:
        F.resize_images(Variable(numpy.zeros((1, 1, 2, 2), 'f')), 3)
    lines = traceback.format_exception(caught.value)
    assert any('resize_images.py' in line and 'self.out_H = output_shape[0]' in line for line in lines)
    assert inspect.getsource(F.as_strided).startswith('def as_strided(')
