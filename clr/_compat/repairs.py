"""What is mended in which module of Chainer's, and why."""

import importlib.abc
import importlib.machinery
import importlib.metadata
import linecache
import os
import platform
import re
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from clr._compat import workers


def find_spec(fullname: str, path: Any = None) -> importlib.machinery.ModuleSpec | None:
    """Where a module of Chainer's comes from that needs a workaround; ``None`` for one that needs none."""
    if fullname == 'chainer' and fullname not in sys.modules:
        _forget_a_failed_import()
    if fullname in _EMPTIED:
        return importlib.machinery.ModuleSpec(fullname, _EmptyLoader())
    if fullname not in _LOADERS and fullname not in _EDITS:
        return None
    spec = importlib.machinery.PathFinder.find_spec(fullname, path)
    if spec is not None and spec.origin is not None:
        spec.loader = _LOADERS.get(fullname, _EditingLoader)(fullname, spec.origin)
    return spec


def _forget_a_failed_import() -> None:
    # Python forgets a package whose import failed, but not those of its modules that were imported by then: they would be
    # mixed with new ones.
    for name in [name for name in sys.modules if name.startswith('chainer.')]:
        del sys.modules[name]


class _EmptyLoader(importlib.abc.Loader):
    """Loads a check that finds nothing."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)['check'] = lambda: None


class _EditingLoader(importlib.machinery.SourceFileLoader):
    """Compiles a module with its source edited; the bytecode on disk is then neither read nor written."""

    def get_code(self, fullname: str) -> types.CodeType | None:
        if fullname not in _EDITS:
            return super().get_code(fullname)
        source = self.get_source(fullname)
        assert source is not None
        return compile(_EDITS[fullname](source), self.get_filename(fullname), 'exec', dont_inherit=True)


class _ChainerLoader(importlib.machinery.SourceFileLoader):
    """Loads Chainer itself, and has the processes that it starts mended too."""

    def exec_module(self, module: types.ModuleType) -> None:
        workers.pass_on()
        try:
            super().exec_module(module)
        except ImportError:
            raise
        except Exception as error:
            raise ImportError(_why_it_fails(error)) from error


def _why_it_fails(error: Exception) -> str:
    told = f'{type(error).__name__}: {error}'
    setting = _setting(error)
    if setting:
        return f'chainer does not import ({told}): put the environment variable {setting} right, or unset it'
    here = f'Python {platform.python_version()} and NumPy {importlib.metadata.version("numpy")}'
    what = f'chainer {importlib.metadata.version("chainer")} does not import with {here} ({told})'
    return f'{what}: what clr mends is Chainer 7.8.1; install that one, or an older NumPy'


def _setting(error: Exception) -> str:
    """The environment variable that an error is about, by its words or where it was raised; empty where it is about none."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    statement = linecache.getlines(where.filename)[(where.lineno or 1) - 1 :][:2]  # Chainer's go on in the next line at most
    named = re.findall(r'[A-Z]+_[A-Z_]+', ''.join([str(error), *statement]))
    return next((f'{name}={os.environ[name]!r}' for name in named if name in os.environ), '')


class _IteratorLoader(_EditingLoader):
    """Loads MultiprocessIterator, and has it end where its workers or its data fail."""

    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)
        workers.mend_iterator(module)


class _KernelLoader(_EditingLoader):
    """Loads a function of Chainer's, and makes it faster on a CPU."""

    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)
        from clr._compat import kernels

        kernels.mend(module)


def _replacing(texts: dict[str, str]) -> Callable[[str], str]:
    def edit(source: str) -> str:
        for old, new in texts.items():
            source = source.replace(old, new)
        return source

    return edit


def _with_today_s_protobuf(source: str) -> str:
    # What an old protoc generated does not run with protobuf 4 and later, but it holds the description of the messages, from
    # which protobuf makes them anew.
    found = re.search(r"serialized_pb=_b\(('.*')\)", source)
    if found is None:
        return source
    return (
        'from google.protobuf import descriptor_pool\n'
        'from google.protobuf.internal import builder\n'
        f"DESCRIPTOR = descriptor_pool.Default().AddSerializedFile({found[1]}.encode('latin1'))\n"
        'builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())\n'
        'builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, globals())\n'
    )


# Chainer's own check imports numpy.distutils (gone in Python 3.12) and pkg_resources (gone in setuptools 82), only to print
# warnings about the versions of other packages.
_EMPTIED = {'chainer._environment_check'}

_LOADERS: dict[str, type[importlib.machinery.SourceFileLoader]] = {
    'chainer': _ChainerLoader,
    'chainer.iterators.multiprocess_iterator': _IteratorLoader,
    'chainer.functions.connection.convolution_2d': _KernelLoader,
    'chainer.functions.connection.convolution_nd': _KernelLoader,
    'chainer.functions.connection.deconvolution_2d': _KernelLoader,
    'chainer.functions.connection.deconvolution_nd': _KernelLoader,
    'chainer.functions.normalization.batch_normalization': _KernelLoader,
}

# pkg_resources is gone in setuptools 82; chainer.gradient_check needs chainer.testing.
_WITHOUT_PKG_RESOURCES = _replacing({'import pkg_resources': 'from clr._compat import requirements as pkg_resources'})

_EDITS: dict[str, Callable[[str], str]] = {
    'chainer.functions.array.as_strided': _replacing(
        {  # numpy.sctypes, removed in NumPy 2.0; read at import
            "np.sctypes['int']": '(np.int8, np.int16, np.int32, np.int64)',
            "np.sctypes['float']": '(np.float16, np.float32, np.float64, np.longdouble)',
        }
    ),
    'chainer.functions.array.resize_images': _replacing(
        {  # numpy.float, removed in NumPy 1.24
            'dtype=numpy.float)': 'dtype=float)',
        }
    ),
    'chainer.functions.connection.deconvolution_2d': _replacing(
        {  # arrays in the place of their shapes, where a gradient's gradient is that of the kernel alone
            '_set_cover_all(x, W)': '_set_cover_all(x.shape, W.shape)',
        }
    ),
    'chainermn.iterators.multi_node_iterator': _replacing(
        {  # an array of one number is no number any more since NumPy 2.4
            'int(_size)': 'int(_size[0])',
        }
    ),
    'chainer.distributions.categorical': _replacing(
        {  # numpy.meshgrid returns a tuple since NumPy 2.0
            'self.log_p[mg + [': 'self.log_p[list(mg) + [',
        }
    ),
    'chainer.functions.math.fix': _replacing(
        {  # the same, and not deprecated in NumPy 2.5
            'xp.fix(x)': 'xp.trunc(x)',
        }
    ),
    'chainer.dataset.convert': _replacing(
        {  # an output that is not named is deprecated in NumPy 2.4
            'numpy.maximum(shape, array.shape, shape)': 'numpy.maximum(shape, array.shape, out=shape)',
        }
    ),
    'chainer.datasets.mnist': _replacing(
        {  # answers 403 since 2021; this mirror is PyTorch's
            'http://yann.lecun.com/exdb/mnist/t': 'https://ossci-datasets.s3.amazonaws.com/mnist/t',
        }
    ),
    'chainer.dataset.download': _replacing(
        {  # a failed download names neither the address nor a way out
            'from six.moves.urllib import request': 'from six.moves.urllib import request; from clr._compat import downloads',
            'request.urlretrieve(url, temp_path)': 'downloads.retrieve(url, temp_path, cache_path)',
        }
    ),
    'chainer.iterators.multiprocess_iterator': _replacing(
        {
            'multiprocessing.Pool(': '_Pool(',  # put there by workers.mend_iterator
            'thread.setDaemon(True)': 'thread.daemon = True',  # deprecated since Python 3.10
        }
    ),
    'chainer.training.extensions.snapshot_writers': _replacing(
        {  # waited for ever for a queue whose reader had died
            'from chainer import utils': 'from chainer import utils; from clr._compat import workers',
            'self._queue.join()\n                self._consumer.join()': 'workers.end_writer(self)',
        }
    ),
    'chainer.testing.helper': _WITHOUT_PKG_RESOURCES,
    'chainer.testing.doctest_helper': _WITHOUT_PKG_RESOURCES,
    'chainer.links.caffe.protobuf3.caffe_pb2': _with_today_s_protobuf,
}
