"""Chainer's convolution and batch normalization on a CPU, with fewer copies of the data and fewer passes over them.

They are equal to Chainer's own within rounding. Chainer's are left to do whatever else there is: GPUs, iDeep, groups of
channels. ``CLR_KERNELS=0`` in the environment leaves them everything.

Chainer gathers the patches of an image with their channels outermost. Before it can multiply matrices, NumPy copies them once
more, value by value. Here channels are innermost, which is how Chainer lays out the result of a convolution in memory anyway:
whole rows are copied, once. Batch normalization sums over such rows by a matrix product, and works in place.
"""

import functools
import itertools
import math
import os
import types
from collections.abc import Callable
from typing import Any

import numpy as np

VARIABLE = 'CLR_KERNELS'

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]

# Fewer channels than these make rows too short to be worth their own loop.
_SHORT_ROW = 8
# A transposed convolution is computed as one with the kernel turned around up to so many times the channels that it gives.
_TURNED_UP_TO = 4
# Arrays of NumPy's, in memory or, as joblib has large ones, in a file.
_PLAIN = (np.ndarray, np.memmap)
# NumPy sums up numbers of half precision with more care than a matrix product does.
_SINGLE = 4


def mend(module: types.ModuleType) -> None:
    """Mends one of Chainer's modules, unless ``CLR_KERNELS`` is 0.

    Args:
        module: ``chainer.functions.connection.convolution_2d``, ``convolution_nd``, ``deconvolution_2d``, ``deconvolution_nd``,
            or ``chainer.functions.normalization.batch_normalization``.
    """
    if os.environ.get(VARIABLE) != '0':
        _MENDED[module.__name__.rpartition('.')[2]](module)


# ---- convolution


def _mend_convolution_2d(module: types.ModuleType) -> None:
    _replace(module.Convolution2DFunction, '_forward_cpu_core', lambda self, x, W, b: _convolve(x, W, b, *_of_2d(self)))
    _replace(
        module.Convolution2DGradW,
        '_forward_cpu_core',
        lambda self, x, gy: _weight_gradient(x, gy, (self.kh, self.kw), self.W_dtype, *_of_2d(self)),
    )


def _mend_convolution_nd(module: types.ModuleType) -> None:
    _replace(module.ConvolutionND, '_forward_xp_core', lambda self, x, W, b, _: _convolve(x, W, b, *_of_nd(self)))
    _replace(
        module.ConvolutionNDGradW,
        '_forward_xp_core',
        lambda self, x, gy, _: _weight_gradient(x, gy, self.ksize, self.W_dtype, *_of_nd(self)),
    )


def _mend_deconvolution_2d(module: types.ModuleType) -> None:
    def forward(self: Any, x: Array, W: Array, b: Array | None) -> Any:
        return _deconvolve(x, W, b, (self.outh, self.outw), *_of_2d(self)[:3])

    _replace(module.Deconvolution2DFunction, '_forward_cpu_core', forward)


def _mend_deconvolution_nd(module: types.ModuleType) -> None:
    def forward(self: Any, x: Array, W: Array, b: Array | None, _: Any) -> Any:
        return _deconvolve(x, W, b, self.outs, self.stride, self.pad, self.dilate)

    _replace(module.DeconvolutionND, '_forward_xp_core', forward)


def _replace(kind: type, name: str, mended: Callable[..., Any]) -> None:
    """Has a method do what is mended for arrays of NumPy's; where that gives None, and for all else, what it did."""
    own = getattr(kind, name)

    @functools.wraps(own)
    def method(self: Any, *given: Any) -> Any:
        arrays = [one for one in given if one is not None and one is not np]
        plain = _are_plain(*arrays) and not getattr(self, '_use_ideep', False)
        found = mended(self, *given) if plain else None
        return own(self, *given) if found is None else (found,)

    setattr(kind, name, method)


def _of_2d(function: Any) -> tuple[Any, ...]:
    """Stride, padding, dilation, and whether the whole image is covered."""
    sides = (function.sy, function.sx), (function.ph, function.pw), (function.dy, function.dx)
    return (*sides, getattr(function, 'cover_all', False))


def _of_nd(function: Any) -> tuple[Any, ...]:
    return function.stride, function.pad, function.dilate, function.cover_all


def _convolve(x: Array, W: Array, b: Array | None, stride: Sizes, pad: Sizes, dilate: Sizes, cover_all: bool) -> Array | None:
    from chainer.utils.conv import get_conv_outsize

    sides = zip(x.shape[2:], W.shape[2:], stride, pad, dilate)
    out = tuple(get_conv_outsize(n, k, s, p, cover_all, d) for n, k, s, p, d in sides)
    if min(out) <= 0:  # Chainer says so
        return None
    return _biased(_correlate(x, W, out, stride, pad, dilate), b)


def _weight_gradient(
    x: Array, gy: Array, kernel: Sizes, dtype: Any, stride: Sizes, pad: Sizes, dilate: Sizes, cover_all: bool
) -> Array:
    rows = _rows(_channels_last(gy), 1)
    gradient = np.dot(rows.T, _patches(x, kernel, gy.shape[2:], stride, pad, dilate)).astype(dtype, copy=False)
    return np.ascontiguousarray(_channels_second(gradient.reshape(gy.shape[1], *kernel, x.shape[1])))


def _deconvolve(x: Array, W: Array, b: Array | None, out: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes) -> Array | None:
    channels, kernel = W.shape[1], W.shape[2:]
    # What a convolution without strides is transposed is another one, with the kernel turned around.
    around = tuple(d * (k - 1) - p for k, p, d in zip(kernel, pad, dilate))
    if max(stride) == 1 and min(around) >= 0 and len(W) <= _TURNED_UP_TO * channels:
        turned = np.flip(W, tuple(range(2, W.ndim))).swapaxes(0, 1)
        return _biased(_correlate(x, turned, out, stride, around, dilate), b)
    if channels < _SHORT_ROW:
        return None
    last = _channels_last(x)
    parts = np.dot(_rows(last, 1), _rows(_channels_last(W), len(kernel) + 1)).astype(x.dtype, copy=False)
    return _biased(_summed(parts.reshape(*last.shape[:-1], *kernel, channels), out, stride, pad, dilate), b)


def _correlate(x: Array, W: Array, out: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes) -> Array:
    """The sums over each patch of an image, channels last."""
    weights = _rows(_channels_last(W), W.ndim - 1)
    y = np.dot(_patches(x, W.shape[2:], out, stride, pad, dilate), weights.T).astype(x.dtype, copy=False)
    return y.reshape(len(x), *out, len(W))


def _patches(x: Array, kernel: Sizes, out: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes) -> Array:
    """A row for each patch of an image: its values, channels innermost."""
    sides = zip(x.shape[2:], kernel, out, stride, pad, dilate)
    size = tuple(max(p + n, (o - 1) * s + (k - 1) * d + 1) for n, k, o, s, p, d in sides)
    image = _channels_last(x)
    if size != x.shape[2:]:
        image = np.zeros((len(x), *size, x.shape[1]), x.dtype)
        image[(slice(None), *(slice(p, p + n) for n, p in zip(x.shape[2:], pad)))] = _channels_last(x)
    image = np.ascontiguousarray(image)
    first, *steps, last = image.strides
    shape = len(x), *out, *kernel, x.shape[1]
    strides = first, *map(math.prod, zip(stride, steps)), *map(math.prod, zip(dilate, steps)), last
    return _rows(np.ndarray(shape, x.dtype, image, 0, strides), len(kernel) + 1)


def _summed(parts: Array, out: Sizes, stride: Sizes, pad: Sizes, dilate: Sizes) -> Array:
    """The image that patches add up to, channels last; the reverse of :func:`_patches`."""
    dimensions = len(out)
    size, kernel = parts.shape[1 : 1 + dimensions], parts.shape[1 + dimensions : -1]
    image = np.zeros((len(parts), *(o + 2 * p + s - 1 for o, p, s in zip(out, pad, stride)), parts.shape[-1]), parts.dtype)
    for place in itertools.product(*map(range, kernel)):
        sides = zip(place, size, stride, dilate)
        taken = tuple(slice(k * d, k * d + s * n, s) for k, n, s, d in sides)
        image[(slice(None), *taken)] += parts[(slice(None),) * (1 + dimensions) + place]
    return image[(slice(None), *(slice(p, p + o) for o, p in zip(out, pad)))]


def _biased(y: Array, b: Array | None) -> Array:
    """With the bias, and the channels where Chainer has them."""
    if b is not None:
        y += b
    return _channels_second(y)


def _channels_last(x: Array) -> Array:
    return x.transpose(0, *range(2, x.ndim), 1)


def _channels_second(y: Array) -> Array:
    return y.transpose(0, y.ndim - 1, *range(1, y.ndim - 1))


def _rows(array: Array, dimensions: int) -> Array:
    """As a matrix, whose rows hold the last so many dimensions."""
    return array.reshape(math.prod(array.shape[:-dimensions]), math.prod(array.shape[-dimensions:]))


# ---- batch normalization


def _mend_batch_normalization(module: types.ModuleType) -> None:
    # The sums remain methods of their own, which the batch normalization of several workers overrides.
    kind = module.GeneralBatchNormalizationImpl
    own_statistics, own_sums, own_backward, own_apply = (
        kind.get_mean_and_var,
        kind.get_ggamma_and_gbeta,
        kind.backward,
        module._apply_bn_fwd,
    )

    @functools.wraps(own_statistics)
    def get_mean_and_var(self: Any, axis: Sizes, gamma: Any, x: Any, xp: Any, dtype: Any) -> Any:
        rows = _key_rows(x, axis, dtype)
        if rows is None:
            return own_statistics(self, axis, gamma, x, xp, dtype)
        mean = _column_sums(rows) / len(rows)
        centred = rows - mean
        var = _column_products(centred, centred) / len(rows)
        shape = [side for place, side in enumerate(x.shape) if place not in axis]
        return mean.reshape(shape), var.reshape(shape)

    @functools.wraps(own_sums)
    def get_ggamma_and_gbeta(self: Any, axis: Sizes, gamma: Any, gy: Any, x_hat: Any, xp: Any) -> Any:
        rows, hats = (_key_rows(array, axis, gamma.dtype) for array in (gy, x_hat))
        if rows is None or hats is None:
            return own_sums(self, axis, gamma, gy, x_hat, xp)
        return _column_sums(rows).reshape(gamma.shape), _column_products(rows, hats).reshape(gamma.shape)

    @functools.wraps(own_backward)
    def backward(
        self: Any,
        axis: Any,
        gamma: Any,
        gy: Any,
        x: Any,
        layout: Any,
        xp: Any,
        expander: Any,
        mean: Any,
        inv_std: Any,
        *rest: Any,
    ) -> Any:
        if not _are_plain(gamma, gy, x, mean, inv_std):
            return own_backward(self, axis, gamma, gy, x, layout, xp, expander, mean, inv_std, *rest)
        gx = module._x_hat(x, mean[expander], inv_std[expander])
        gbeta, ggamma = self.get_ggamma_and_gbeta(axis, gamma, gy, gx, xp)
        share = gamma.dtype.type(-1 / (x.size // gamma.size))
        gx *= (share * ggamma)[expander]
        gx += (share * gbeta)[expander]
        gx += gy
        gx *= (gamma * inv_std)[expander]
        return gx.astype(x.dtype, copy=False), None, ggamma, gbeta

    @functools.wraps(own_apply)
    def apply(xp: Any, x: Any, mean: Any, inv_std: Any, gamma: Any, beta: Any) -> Any:
        if not _are_plain(x, mean, inv_std, gamma, beta):
            return own_apply(xp, x, mean, inv_std, gamma, beta)
        y = x - mean
        y *= inv_std * gamma
        y += beta
        return y.astype(x.dtype, copy=False)

    kind.get_mean_and_var, kind.get_ggamma_and_gbeta, kind.backward = get_mean_and_var, get_ggamma_and_gbeta, backward
    vars(module)['_apply_bn_fwd'] = apply


def _key_rows(x: Any, axis: Sizes, dtype: Any) -> Array | None:
    """The values as a matrix with a column for each mean, where they lie so in memory; ``None`` where they do not."""
    if not _are_plain(x) or x.dtype != dtype or x.dtype.itemsize < _SINGLE or not x.size:
        return None
    key_axis = [each for each in range(x.ndim) if each not in axis]
    turned = x.transpose(*axis, *key_axis)
    return _rows(turned, len(key_axis)) if key_axis and turned.flags.c_contiguous else None


def _column_sums(rows: Array) -> Array:
    return np.dot(np.ones(len(rows), rows.dtype), rows)


def _column_products(one: Array, other: Array) -> Array:
    return np.einsum('ij,ij->j', one, other)


def _are_plain(*arrays: Any) -> bool:
    return all(type(array) in _PLAIN for array in arrays)


_MENDED = {
    'convolution_2d': _mend_convolution_2d,
    'convolution_nd': _mend_convolution_nd,
    'deconvolution_2d': _mend_deconvolution_2d,
    'deconvolution_nd': _mend_deconvolution_nd,
    'batch_normalization': _mend_batch_normalization,
}
