"""What is faster on a CPU than Chainer's own is equal to it within rounding, in all gradients."""

import contextlib
import itertools
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import clr

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.functions.connection import convolution_2d, convolution_nd, deconvolution_2d, deconvolution_nd
from chainer.functions.normalization import batch_normalization
from hypothesis import given, settings
from hypothesis import strategies as st

MENDED = [
    (convolution_2d.Convolution2DFunction, '_forward_cpu_core'),
    (convolution_2d.Convolution2DGradW, '_forward_cpu_core'),
    (deconvolution_2d.Deconvolution2DFunction, '_forward_cpu_core'),
    (convolution_nd.ConvolutionND, '_forward_xp_core'),
    (convolution_nd.ConvolutionNDGradW, '_forward_xp_core'),
    (deconvolution_nd.DeconvolutionND, '_forward_xp_core'),
    (batch_normalization.GeneralBatchNormalizationImpl, 'get_mean_and_var'),
    (batch_normalization.GeneralBatchNormalizationImpl, 'get_ggamma_and_gbeta'),
    (batch_normalization.GeneralBatchNormalizationImpl, 'backward'),
    (batch_normalization, '_apply_bn_fwd'),
]
# Relative to the largest value: sums of some hundred products, whose gradients are sums of such sums.
ROUNDING = {'e': 0.02, 'f': 2e-5, 'd': 1e-13}


@contextlib.contextmanager
def chainers_own():
    with contextlib.ExitStack() as stack:
        for owner, name in MENDED:
            stack.enter_context(mock.patch.object(owner, name, getattr(owner, name).__wrapped__))
        yield


def everything(function, arrays):
    """The result, the gradients of a mean of its values, each with a weight of its own, and those of such means of them."""
    variables = [chainer.Variable(array) for array in arrays]
    result = function(*variables)
    first = chainer.grad([weighed(result)], variables, enable_double_backprop=True)
    second = chainer.grad([sum(F.cast(weighed(gradient), 'd') for gradient in first)], variables)
    return [None if one is None else one.array for one in (result, *first, *second)]


def weighed(variable):
    return F.mean(variable * drawn(variable.shape, variable.dtype, seed=9))


def assert_same(function, arrays):
    rounding = max(ROUNDING[array.dtype.char] for array in arrays)
    found = everything(function, arrays)
    with chainers_own():
        expected = everything(function, arrays)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
            largest = float(np.abs(theirs.astype(float)).max(initial=0))
            assert np.isfinite(largest)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=rounding * largest)


def drawn(shape, dtype, last=False, seed=0):
    """Numbers, channels last in memory or second."""
    array = np.random.RandomState(seed).uniform(-1, 1, shape).astype(dtype)
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1) if last else array


sides = st.integers(1, 3)
shapes = st.fixed_dictionaries(
    {
        'size': st.lists(
            st.tuples(st.integers(1, 7), sides, sides, st.integers(0, 3), st.integers(1, 2)), min_size=1, max_size=3
        ),
        'batch': sides,
        'channels': st.sampled_from([1, 2, 9]),
        'outputs': st.sampled_from([2, 3, 12]),
        'dtype': st.sampled_from(['f', 'f', 'd', 'e']),
        'bias': st.booleans(),
        'last': st.booleans(),
        'cover_all': st.booleans(),
    }
)


@settings(max_examples=150, deadline=None)
@given(shapes)
def test_convolution(shape):
    size, kernel, stride, pad, dilate = map(tuple, zip(*shape['size']))
    if any(n + 2 * p < d * (k - 1) + 1 for n, k, p, d in zip(size, kernel, pad, dilate)):
        return
    x = drawn((shape['batch'], shape['channels'], *size), shape['dtype'], shape['last'])
    w = drawn((shape['outputs'], shape['channels'], *kernel), shape['dtype'], seed=1)
    bias = [drawn((shape['outputs'],), shape['dtype'], seed=2)] if shape['bias'] else []
    how = dict(stride=stride, pad=pad, dilate=dilate, cover_all=shape['cover_all'])
    assert_same(lambda *given: F.convolution_nd(*given, **how), [x, w, *bias])
    if len(size) == 2:
        assert_same(lambda *given: F.convolution_2d(*given, **how), [x, w, *bias])


@settings(max_examples=150, deadline=None)
@given(shapes)
def test_deconvolution(shape):
    size, kernel, stride, pad, dilate = map(tuple, zip(*shape['size']))
    if any(s * (n - 1) + d * (k - 1) + 1 <= 2 * p for n, k, s, p, d in zip(size, kernel, stride, pad, dilate)):
        return
    x = drawn((shape['batch'], shape['outputs'], *size), shape['dtype'], shape['last'])
    w = drawn((shape['outputs'], shape['channels'], *kernel), shape['dtype'], seed=1)
    bias = [drawn((shape['channels'],), shape['dtype'], seed=2)] if shape['bias'] else []
    how = dict(stride=stride, pad=pad, dilate=dilate)
    assert_same(lambda *given: F.deconvolution_nd(*given, **how), [x, w, *bias])
    if len(size) == 2:
        assert_same(lambda *given: F.deconvolution_2d(*given, **how), [x, w, *bias])


@pytest.mark.parametrize('groups', [2, 4])
def test_groups_of_channels_are_chainers(groups):
    x, w = drawn((2, 4, 6, 6), 'f', last=True), drawn((8, 4 // groups, 3, 3), 'f', seed=1)
    assert_same(lambda *given: F.convolution_2d(*given, pad=1, groups=groups), [x, w])
    assert_same(lambda *given: F.deconvolution_2d(*given, pad=1, groups=groups), [drawn((2, 8, 6, 6), 'f'), w])


def test_mixed_precision_gives_the_precision_of_the_input():
    x, w = drawn((2, 3, 5, 5), 'e'), drawn((4, 3, 3, 3), 'f')
    assert F.convolution_2d(x, w).dtype == np.float16
    assert F.deconvolution_2d(drawn((2, 4, 5, 5), 'e'), w).dtype == np.float16


def test_what_has_no_room_is_refused_as_chainer_does():
    with pytest.raises(AssertionError, match='Height in the output should be positive'):
        F.convolution_2d(drawn((1, 1, 2, 2), 'f'), drawn((1, 1, 3, 3), 'f'))


AXES = [None, 0, (0, 1), (0, 2), (0, 2, 3), (0, 1, 2), (1, 2, 3)]


@pytest.mark.parametrize(
    'axis, x_type, gamma_type, last',
    [case for case in itertools.product(AXES, 'fde', 'fde', [False, True]) if case[1] <= 'f' or case[2] != 'e'],
)
def test_batch_normalization(axis, x_type, gamma_type, last):
    x = drawn((6, 3, 4, 5), x_type, last)
    reduced = (0,) if axis == 0 else (0, 2, 3) if axis is None else axis
    shape = [side for place, side in enumerate(x.shape) if place not in reduced] if axis != None else [3]  # noqa: E711
    gamma, beta = drawn(shape, gamma_type, seed=1), drawn(shape, gamma_type, seed=2)
    assert_same(lambda *given: F.batch_normalization(*given, axis=axis), [x, gamma + 2, beta])
    mean, var = drawn(shape, gamma_type, seed=3), drawn(shape, gamma_type, seed=4) ** 2 + 1
    arrays = [x, gamma + 2, beta, mean, var.astype(gamma_type)]
    assert_same(lambda *given: F.fixed_batch_normalization(*given, axis=axis), arrays)


def test_arrays_in_a_file_or_that_repeat_one_value_give_the_same(tmp_path):
    x, w = drawn((2, 3, 5, 5), 'f'), drawn((4, 3, 3, 3), 'f')
    expected = F.convolution_2d(x, w).array
    np.save(tmp_path / 'x.npy', x)
    np.testing.assert_array_equal(F.convolution_2d(np.load(tmp_path / 'x.npy', mmap_mode='c'), w).array, expected)
    ones = np.broadcast_to(np.float32(1), x.shape)
    np.testing.assert_array_equal(F.convolution_2d(ones, w).array, F.convolution_2d(ones.copy(), w).array)


def test_an_empty_batch_is_one():
    w, b = drawn((4, 3, 3, 3), 'f'), drawn((4,), 'f')
    assert F.convolution_2d(drawn((0, 3, 5, 5), 'f'), w, b).shape == (0, 4, 3, 3)
    assert F.deconvolution_2d(drawn((0, 4, 5, 5), 'f'), w).shape == (0, 3, 7, 7)


def test_a_variable_switches_all_of_it_off():
    code = """if True:
        import clr
        import chainer
        from chainer.functions.connection.convolution_2d import Convolution2DFunction
        from chainer.functions.normalization import batch_normalization
        for mended in Convolution2DFunction._forward_cpu_core, batch_normalization._apply_bn_fwd:
            print(hasattr(mended, '__wrapped__'))
    """
    for value, mended in (('0', False), ('1', True)):
        environment = {**os.environ, 'PYTHONPATH': str(Path(clr.__file__).parents[1]), 'CLR_KERNELS': value}
        found = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True, check=True)
        assert found.stdout == f'{mended}\n{mended}\n'
