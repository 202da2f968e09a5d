"""Every workaround that Chainer 7.8.1 needs on today's Python and NumPy, each with its reason.

They are applied while Chainer is imported, and to Chainer's own modules alone. ``numpy`` stays as it is: where the user's
code reads a name that NumPy has removed, it fails as it should. Importing this package costs less than a millisecond; the rest
is loaded when Chainer is.

* ``repairs``: which modules of Chainer's are mended, how and why;
* ``kernels``: Chainer's convolution and batch normalization, faster on a CPU;
* ``workers``: processes that Python or Chainer start;
* ``requirements``: what ``chainer.testing`` needs of ``pkg_resources``;
* ``downloads`` and ``missing``: errors that say what to do.

An installation also puts ``building/startup.py`` into an environment, so that there Chainer may be imported first.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_LATE = (
    'chainer was imported before clr, so that not all of it works with this NumPy (F.resize_images does not): '
    'import clr or lrfinder first'
)


def install() -> None:
    """Makes ``import chainer`` work from here on; a second call changes nothing."""
    if any(isinstance(finder, ChainerFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, ChainerFinder())
    if 'chainer' in sys.modules:
        import warnings

        warnings.warn(_LATE, RuntimeWarning, stacklevel=2)


class ChainerFinder:
    """Finds the few modules of Chainer's that need a workaround, and leaves all others to Python."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> 'ModuleSpec | None':
        if fullname.partition('.')[0] not in ('chainer', 'chainermn'):
            return None
        from clr._compat import repairs

        return repairs.find_spec(fullname, path)
