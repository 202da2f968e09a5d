"""Every workaround that Chainer 7.8.1 needs on today's Python and NumPy, each with its reason.

They are applied while Chainer is imported, and to Chainer's own modules alone. ``numpy`` stays as it is: where the user's
code reads a name that NumPy has removed, it fails as it should.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

# Modules of Chainer's that read a name which NumPy has removed: that name, and what it stood for.
_REPLACED = {
    'chainer.functions.array.as_strided': {  # numpy.sctypes, removed in NumPy 2.0; read at import
        "np.sctypes['int']": '(np.int8, np.int16, np.int32, np.int64)',
        "np.sctypes['float']": '(np.float16, np.float32, np.float64, np.longdouble)',
    },
    'chainer.functions.array.resize_images': {  # numpy.float, removed in NumPy 1.24
        'dtype=numpy.float)': 'dtype=float)',
    },
}

# Chainer's own check imports numpy.distutils (gone in Python 3.12) and pkg_resources (gone in setuptools 82), only to print
# warnings about the versions of other packages.
_CHECK = 'chainer._environment_check'


def install() -> None:
    """Makes ``import chainer`` work from here on; a second call changes nothing."""
    if not any(isinstance(finder, _ChainerFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ChainerFinder())


class _ChainerFinder(importlib.abc.MetaPathFinder):
    """Finds the few modules of Chainer's that need a workaround, and leaves all others to Python."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname == _CHECK:
            return importlib.machinery.ModuleSpec(fullname, _EmptyCheck())
        if fullname not in _REPLACED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _ReplacingLoader(fullname, spec.origin)
        return spec


class _EmptyCheck(importlib.abc.Loader):
    """Loads a check that finds nothing."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)['check'] = lambda: None


class _ReplacingLoader(importlib.machinery.SourceFileLoader):
    """Compiles a module with the removed names replaced; the bytecode on disk is neither read nor written."""

    def get_code(self, fullname: str) -> types.CodeType:
        source = self.get_source(fullname)
        assert source is not None
        for removed, replacement in _REPLACED[fullname].items():
            source = source.replace(removed, replacement)
        return compile(source, self.get_filename(fullname), 'exec', dont_inherit=True)
