"""Has Chainer import in every program of an environment, whatever is imported first.

The installation puts a copy of this file and a line that imports it beside the packages; Python does so at every start. So this
imports nothing, and loads clr only when a program asks for Chainer.
"""

import sys


class BeforeChainer:
    """Finds nothing itself; loads clr before Chainer."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        if fullname != 'chainer' or BeforeChainer not in sys.meta_path:
            return None
        sys.meta_path.remove(BeforeChainer)
        try:
            from clr._compat import ChainerFinder
        except ImportError:  # the package was removed, or another one is named clr
            return None
        return ChainerFinder.find_spec(fullname, path)


sys.meta_path.insert(0, BeforeChainer)
