"""Cyclical learning rates for Chainer.

Importing this package, or ``lrfinder``, makes a plain ``import chainer`` work on every supported Python and NumPy.
Neither Chainer nor NumPy is loaded by it.

>>> import clr
>>> from clr.training.extensions import CLR
"""

from clr import _compat

__version__ = '0.1.0'

_compat.install()
