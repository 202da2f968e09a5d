"""Training with cyclical learning rates: the counterpart of ``chainer.training``."""
