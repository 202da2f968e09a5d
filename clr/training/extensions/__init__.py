"""Trainer extensions: the counterpart of ``chainer.training.extensions``."""

from clr._compat import missing

try:
    from clr.training.extensions.clr import CLR
except ModuleNotFoundError as error:
    raise missing.explained(error) from None

__all__ = ['CLR']
