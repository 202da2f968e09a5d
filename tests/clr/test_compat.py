"""After ``import clr``, or ``import lrfinder``, a plain ``import chainer`` works, and nothing else is changed."""

import inspect
import pathlib
import subprocess
import sys
import traceback
import urllib.error
from typing import ClassVar

import clr
from clr import _compat
from clr._compat import requirements
from clr.training.extensions.clr import CLR

import chainer
import numpy
import pytest
from chainer import Variable
from chainer import functions as F
from chainer import links as L

ROOT = pathlib.Path(clr.__file__).parents[1]
STARTUP = ROOT / 'building' / 'startup.py'
# A Python that finds all packages, and in which nothing was done when it started.
UNPREPARED = f'import sys; sys.path += {[path for path in sys.path if path.endswith("-packages")]!r}\n'
# What an installed .pth file does.
START = f'exec(open({str(STARTUP)!r}).read())\n'


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


@pytest.mark.parametrize(
    ('place', 'content'), [('clr.py', ''), ('clr/__init__.py', ''), ('clr/__init__.py', "__version__ = '3.0'"), ('clr', None)]
)
def test_another_package_of_that_name_is_named(tmp_path, place, content):
    path = tmp_path / place
    if content is None:
        path.mkdir()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    (tmp_path / 'lrfinder').symlink_to(ROOT / 'lrfinder')
    result = python(f'sys.path[0] = {str(tmp_path)!r}\nimport lrfinder', '-S')
    assert result.stderr.splitlines()[-1] == (
        f'ImportError: lrfinder needs the package clr that it came with, but finds {path} in its place (pythonnet, too, '
        'brings a module of that name): rename or uninstall that, or start where it is not found'
    )


def test_another_module_of_that_name_need_come_from_no_file():
    result = python("import sys, types; sys.modules['clr'] = types.ModuleType('clr')\nimport lrfinder", '-S')
    assert (
        'lrfinder needs the package clr that it came with, but finds another module in its place'
        in result.stderr.splitlines()[-1]
    )


def test_a_second_installation_changes_nothing():
    finders = list(sys.meta_path)
    _compat.install()
    _compat.install()
    assert sys.meta_path == finders
    assert sum(isinstance(finder, _compat.ChainerFinder) for finder in finders) == 1


@pytest.mark.parametrize('name', ['json', 'numpy', 'chainercv', 'chainer.functions.array.reshape', 'chainer.functions'])
def test_other_modules_are_left_to_python(name):
    assert _compat.ChainerFinder.find_spec(name) is None


# ---- the order of imports

NOT_TODAY = f'{UNPREPARED}try: import chainer\nexcept Exception: pass\nelse: raise SystemExit("no workaround is needed here")\n'


def test_chainer_imports_after_an_import_of_it_failed():
    code = NOT_TODAY + 'import clr, chainer; print(chainer.functions.relu.__module__, chainer.training.Trainer.__name__)'
    assert printed(code, '-S') == ['chainer.functions.activation.relu Trainer']


def test_reloading_chainer_keeps_its_modules():
    code = 'import importlib, clr, chainer; Trainer = chainer.training.Trainer; importlib.reload(chainer)\n'
    assert printed(f'{code}print(chainer.training.Trainer is Trainer)') == ['True']


def test_with_what_an_installation_starts_chainer_may_come_first():
    assert printed(f'{UNPREPARED}{START}import chainer, clr, lrfinder; print(chainer.__version__)', '-S') == ['7.8.1']
    assert printed(f'{UNPREPARED}{START}import clr, chainer; print(chainer.__version__)', '-S') == ['7.8.1']


def test_what_an_installation_starts_loads_nothing():
    assert printed(f'before = set(sys.modules)\n{START}print(set(sys.modules) - before)', '-S') == ['set()']


def test_what_an_installation_starts_does_no_harm_without_the_package():
    code = f'{UNPREPARED}sys.modules["clr"] = None\n{{}}import chainer'
    assert python(code.format(START), '-S').stderr == python(code.format('\n'), '-S').stderr


def test_clr_says_so_when_chainer_came_before_it():
    code = 'import types; sys.modules["chainer"] = types.ModuleType("chainer")\nimport clr'
    (line, _) = python(code, '-S').stderr.splitlines()
    assert line.endswith(
        'RuntimeWarning: chainer was imported before clr, so that not all of it works with this NumPy '
        '(F.resize_images does not): import clr or lrfinder first'
    )


def test_a_failing_chainer_is_told_in_one_line():
    last = python('import clr, numpy; numpy.lib.NumpyVersion = None; import chainer').stderr.splitlines()[-1]
    version = '.'.join(map(str, sys.version_info[:3]))
    assert last == (
        f'ImportError: chainer 7.8.1 does not import with Python {version} and NumPy {numpy.__version__} (TypeError: '
        "'NoneType' object is not callable): what clr mends is Chainer 7.8.1; install that one, or an older NumPy"
    )


@pytest.mark.parametrize('name', ['CHAINER_DEBUG', 'CHAINER_KEEP_GRAPH_ON_REPORT', 'CHAINER_DTYPE', 'SOURCE_DATE_EPOCH'])
def test_a_setting_that_chainer_can_t_read_is_named(name):
    found = python(f'import os; os.environ[{name!r}] = "x"; import clr, chainer')
    if name == 'SOURCE_DATE_EPOCH' and found.returncode == 0:
        pytest.skip('older packages do not read it when they are imported')
    last = found.stderr.splitlines()[-1]
    assert last.startswith('ImportError: chainer does not import (')
    assert last.endswith(f"): put the environment variable {name}='x' right, or unset it")


# ---- packages that are missing

HIDDEN = """import clr
class Hide:
    def find_spec(name, path=None, target=None):
        if name == {package!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Hide)
"""


@pytest.mark.parametrize('use', ['from clr.training.extensions import CLR', 'import lrfinder; lrfinder.find'])
def test_a_missing_chainer_comes_with_what_to_do(use):
    last = python(HIDDEN.format(package='chainer') + use).stderr.splitlines()[-1]
    assert last == (
        'ModuleNotFoundError: Chainer is not installed: "pip install ./building/chainer" in a clone installs it, and so does '
        '"pip install \'setuptools<82\' wheel && pip install --no-build-isolation chainer==7.8.1" anywhere'
    )


@pytest.mark.parametrize('package', ['numpy', 'pandas', 'chainer'])
def test_the_command_says_in_one_line_what_is_missing(package):
    code = 'sys.argv[1:] = ["--model", "mlp"]\nfrom lrfinder.__main__ import run; run()'
    result = python(HIDDEN.format(package=package) + code)
    (line,) = result.stderr.splitlines()
    assert line.lower().startswith(f'lrfinder: error: {package} is not installed: "pip install ')
    assert result.returncode == 2


def test_the_error_of_a_package_that_is_not_ours_stays_as_it_is(tmp_path):
    (tmp_path / 'numpy.py').write_text('import nowhere_to_be_found')
    result = python(f'sys.path.insert(0, {str(tmp_path)!r})\nimport lrfinder; lrfinder.analyze', '-S')
    assert result.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'nowhere_to_be_found'"


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


def test_a_categorical_distribution_gives_probabilities():
    log_p = numpy.log(numpy.array([[0.25, 0.75], [0.5, 0.5]], 'f'))
    distribution = chainer.distributions.Categorical(logit=log_p)
    assert numpy.exp(distribution.log_prob(numpy.array([1, 0], 'i')).array).round(6).tolist() == [0.75, 0.5]
    assert numpy.exp(distribution.log_prob(Variable(numpy.array([0, 1], 'i'))).array).round(6).tolist() == [0.25, 0.5]


@pytest.mark.filterwarnings('error')
def test_what_will_go_from_numpy_is_not_asked_for():
    assert F.fix(numpy.array([-1.5, 1.5], 'f')).array.tolist() == [-1.0, 1.0]
    batch = [numpy.array([1, 2], 'f'), numpy.array([3], 'f')]
    assert chainer.dataset.concat_examples(batch, padding=0).tolist() == [[1, 2], [3, 0]]


def test_the_dataset_size_of_a_multi_node_iterator_reaches_the_other_workers():
    from chainermn.iterators import multi_node_iterator

    class Line:
        """What the first worker says, the second hears."""

        said: ClassVar = []

        def bcast(self, what, root):
            return self.said.pop(0) if what is None else self.said.append(what)

    dataset = chainer.datasets.TupleDataset(numpy.arange(12, dtype='f'), numpy.arange(12, dtype='i'))
    first = multi_node_iterator._MultiNodeIteratorMaster(chainer.iterators.SerialIterator(dataset, 4), Line(), 0)
    order = [int(index) for index in first.actual_iterator._state.order]
    second = multi_node_iterator._MultiNodeIteratorSlave(Line(), 0)
    assert second.dataset_size == 12
    assert list(second._order) == order


def test_gradient_check_and_testing_work():
    from chainer import gradient_check, testing

    x = numpy.array([[-1.0, 0.5]], 'd')
    gradient_check.check_backward(F.tanh, x, numpy.ones_like(x))
    with pytest.raises(AssertionError):
        gradient_check.check_backward(lambda v: v * v.array, x, numpy.ones_like(x))
    testing.assert_allclose([1.0], [1.0])
    assert not hasattr(testing.with_requires('numpy>=1.10')(lambda: None), '__unittest_skip__')
    assert testing.with_requires('numpy>=99')(lambda: None).__unittest_skip__


@pytest.mark.parametrize('met', ['numpy', 'numpy>=1.10,<99', 'chainer==7.8.1'])
def test_requirements_that_are_met(met):
    requirements.WorkingSet().require(met)


@pytest.mark.parametrize('unmet', ['numpy<1', 'nowhere-to-be-found', 'numpy>=99'])
def test_requirements_that_are_not_met(unmet):
    with pytest.raises(requirements.ResolutionError):
        requirements.WorkingSet().require('chainer', unmet)


def test_a_network_goes_to_caffe_and_comes_back(tmp_path):
    from chainer.exporters import caffe
    from chainer.links.caffe import CaffeFunction

    model = chainer.Sequential(L.Convolution2D(3, 4, 3), F.relu, L.Linear(4 * 6 * 6, 5))
    x = numpy.random.RandomState(0).rand(1, 3, 8, 8).astype('f')
    with chainer.using_config('train', False):
        caffe.export(model, [Variable(x)], str(tmp_path), True)
        function = CaffeFunction(str(tmp_path / 'chainer_model.caffemodel'))
        (y,) = function({function.layers[0][1][0]: x}, outputs=[function.layers[-1][2][0]])
        numpy.testing.assert_allclose(y.array, model(x).array, rtol=1e-6)


def test_mnist_comes_from_where_it_still_is(monkeypatch):
    from chainer.datasets import mnist

    asked = []
    monkeypatch.setattr(mnist, 'make_npz', lambda path, urls: asked.extend(urls))
    monkeypatch.setattr(mnist.download, 'cache_or_load_file', lambda path, creator, loader: creator(path))
    mnist._retrieve_mnist_training(), mnist._retrieve_mnist_test()
    folder = 'https://ossci-datasets.s3.amazonaws.com/mnist/'
    names = 'train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'
    assert asked == [f'{folder}{name}-ubyte.gz' for name in names]


def test_a_download_that_fails_names_the_address_and_the_way_out(monkeypatch, tmp_path):
    from chainer.dataset import download

    monkeypatch.setattr(download, '_dataset_root', str(tmp_path))
    url = 'http://127.0.0.1:9/train.gz'
    with pytest.raises(urllib.error.URLError) as caught:
        download.cached_download(url)
    message = str(caught.value)
    assert message.startswith(f'<urlopen error {url} cannot be fetched (')
    place = message.partition('; fetch it by hand and put it at ')[2].removesuffix('>')
    pathlib.Path(place).write_text('by hand')
    assert download.cached_download(url) == place


# ---- scripts of the original clr_chainer


def test_the_original_s_names_are_there():
    from clr.training import extensions

    assert extensions.CLR is CLR
    names = list(CLR.policy_choices)
    assert names[:3] == ['triangular', 'triangular2', 'exp_range']
    assert [CLR.policy_choices[name](100, (0.01, 0.1), 100) for name in names[:2]] == [0.1, 0.1]
    for name in names:
        CLR('lr', (0.01, 0.1), 2 * 45, name)
