"""Trainer extensions: the counterpart of ``chainer.training.extensions``."""

from clr.training.extensions.clr import CLR

__all__ = ['CLR']
