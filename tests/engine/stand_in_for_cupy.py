"""A stand-in for CuPy that computes with NumPy and refuses every conversion that is not asked for by name.

:func:`install` puts it in CuPy's place, before Chainer is imported; ``pytest -p stand_in_for_cupy`` does so, too. Chainer then
takes the same paths as on a GPU: its arrays are `cupy.ndarray`, and its kernels are looked up by name in :data:`ELEMENTWISE`
and :data:`REDUCTIONS`, which say in NumPy what they do.

Stricter than CuPy: ``float(array)``, ``int(array)``, ``bool(array)``, iteration and ``print(array)`` are refused, which CuPy
does and which wait for the GPU; and so is ``array[...] = host_array``. Only Chainer's own code may call ``float``, as its
LogReport does. :data:`refused` lists all that was refused, since the TypeError may be caught. :data:`transfers` counts the
conversions that are asked for by name, and those of Chainer's.

What it can't tell: whether the real kernels compile, how they round and in which order they add, how long anything takes, what
CuPy's own compiled code waits for, and anything about streams, memory, several devices, cuDNN and NCCL.
"""

import collections
import functools
import sys
import traceback
import types
from pathlib import Path

import numpy as np

refused: list[str] = []
transfers: collections.Counter[str] = collections.Counter()
numpy_scalars: set[str] = set()  # kernels that were given a number of NumPy's where a plain one would do

# What is in each array, out of Python's sight, as on a GPU: by the array's id, the values and the array that it is a view of.
_memory: dict[int, tuple[np.ndarray, 'ndarray | None']] = {}


def _caller():
    frames = traceback.extract_stack()
    return next(frame for frame in reversed(frames) if frame.filename != __file__ and 'numpy' not in Path(frame.filename).parts)


def _refuse(what):
    caller = _caller()
    refused.append(f'{what} at {caller.filename}:{caller.lineno}: {caller.line}')
    raise TypeError(f'{what}: implicit conversion to a NumPy array is not allowed; use get()')


class ndarray:
    """An array on the device."""

    __slots__ = ()
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, shape, dtype=float):
        _memory[id(self)] = np.zeros(shape, dtype), None

    def __del__(self):
        _memory.pop(id(self), None)

    # by name
    def get(self, stream=None, order='C', out=None, blocking=True):
        transfers['get'] += 1
        return _values(self).copy('K')

    def item(self, *index):
        transfers['item'] += 1
        return _values(self).item(*index)

    def tolist(self):
        transfers['tolist'] += 1
        return _values(self).tolist()

    def set(self, values, stream=None):
        assert isinstance(values, np.ndarray)
        _values(self)[...] = values

    # without asking
    def __array__(self, *args, **kwargs):
        _refuse('__array__')

    def __float__(self):
        if 'chainer' not in Path(_caller().filename).parts:
            _refuse('float()')
        transfers['float in Chainer'] += 1
        return float(_values(self))

    def __int__(self):
        _refuse('int()')

    def __index__(self):
        _refuse('__index__')

    def __complex__(self):
        _refuse('complex()')

    def __bool__(self):
        _refuse('bool()')

    def __iter__(self):
        _refuse('iteration')

    def __contains__(self, value):
        _refuse('in')

    def __repr__(self):
        _refuse('repr()')

    # on the device
    def __len__(self):
        return len(_values(self))

    def __getitem__(self, index):
        return _on_device(lambda values, index: values[index], self, index)

    def __setitem__(self, index, value):
        _values(self)[_host(index)] = _host(value)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        kwargs['out'] = kwargs['out'][0] if kwargs.get('out') else None
        return _on_device(getattr(ufunc, method), *inputs, **kwargs)

    def __array_function__(self, function, kinds, args, kwargs):
        return _on_device(function, *args, **kwargs)

    def scatter_add(self, index, value):
        np.add.at(_values(self), _host(index), _host(value))

    def reduced_view(self):
        return self.ravel()

    @property
    def shape(self):
        return _values(self).shape

    @shape.setter
    def shape(self, shape):
        _values(self).shape = shape

    @property
    def base(self):
        return _memory[id(self)][1]

    @property
    def device(self):
        return Device(0)

    @property
    def flags(self):
        known = _values(self).flags  # of which CuPy has these three
        return types.SimpleNamespace(c_contiguous=known.c_contiguous, f_contiguous=known.f_contiguous, owndata=known.owndata)


def _give_array_its_methods():
    def method(name):
        return lambda self, *args, **kwargs: _on_device(getattr(np.ndarray, name), self, *args, **kwargs)

    def attribute(name):
        return property(lambda self: _on_device(lambda values: getattr(values, name), self))

    def in_place(name):
        operation = method(name)
        return lambda self, other: self if operation(self, other) is not NotImplemented else NotImplemented

    binary = ('add', 'sub', 'mul', 'truediv', 'floordiv', 'mod', 'pow', 'matmul', 'and', 'or', 'xor', 'lshift', 'rshift')
    for name in binary:
        setattr(ndarray, f'__{name}__', method(f'__{name}__'))
        setattr(ndarray, f'__r{name}__', method(f'__r{name}__'))
        setattr(ndarray, f'__i{name}__', in_place(f'__i{name}__'))
    for name in ('eq', 'ne', 'lt', 'le', 'gt', 'ge', 'neg', 'pos', 'abs', 'invert'):
        setattr(ndarray, f'__{name}__', method(f'__{name}__'))
    reducing = ('all', 'any', 'argmax', 'argmin', 'dot', 'max', 'mean', 'min', 'prod', 'std', 'sum', 'trace', 'var')
    shaping = ('diagonal', 'flatten', 'ravel', 'repeat', 'reshape', 'squeeze', 'swapaxes', 'take', 'transpose', 'view')
    for name in (*reducing, *shaping, 'argsort', 'astype', 'clip', 'copy', 'cumsum', 'fill', 'nonzero', 'round', 'sort'):
        setattr(ndarray, name, method(name))
    for name in ('T', 'dtype', 'itemsize', 'nbytes', 'ndim', 'size', 'strides', 'real', 'imag'):
        setattr(ndarray, name, attribute(name))


_give_array_its_methods()


def _values(array):
    return _memory[id(array)][0]


def _array(values, base=None):
    array = ndarray.__new__(ndarray)
    _memory[id(array)] = values, base
    return array


def _host(value):
    """What the device works with, for what it was given."""
    if isinstance(value, ndarray):
        return _values(value)
    if isinstance(value, np.ndarray):
        _refuse('numpy.ndarray in an operation of CuPy')
    if isinstance(value, tuple | list):
        return type(value)(map(_host, value))
    return value


def _on_device(function, *args, **kwargs):
    """Calls a function of NumPy's with what is in the arrays; what comes out of it stays on the device."""
    inputs = [array for array in (*args, *kwargs.values()) if isinstance(array, ndarray)]
    inputs += [array for group in args if isinstance(group, tuple | list) for array in group if isinstance(array, ndarray)]

    def sent(result):
        if isinstance(result, tuple | list):
            return type(result)(map(sent, result))
        if not isinstance(result, np.ndarray | np.generic):
            return result
        for array in inputs:
            if _values(array) is result:
                return array
            if isinstance(result, np.ndarray) and result.base is not None and np.may_share_memory(_values(array), result):
                return _array(result, array if array.base is None else array.base)
        return _array(np.asarray(result))

    return sent(function(*_host(args), **{name: _host(value) for name, value in kwargs.items()}))


# ---- kernels


def _momentum_sgd(grad, lr, momentum, param, v):
    v = momentum * v - lr * grad
    return param + v, v


def _adam(grad, alpha_t, one_minus_beta1, one_minus_beta2, eps, eta, weight_decay_rate, dummy, param, m, v):
    m = m + one_minus_beta1 * (grad - m)
    v = v + one_minus_beta2 * (grad * grad - v)
    return param - eta * (alpha_t * m / (np.sqrt(v) + eps) + weight_decay_rate * param), m, v


def _dropout(x, r, scale, ratio):
    mask = (r >= ratio) * np.asarray(scale, x.dtype)
    return mask, x * mask


def _running_statistics(mean, var, decay, adjust, r_mean, r_var):
    return r_mean * decay + mean * (1 - decay), r_var * decay + var * (1 - decay) * adjust


def _batch_normalization_gradient(gy, x_hat, gamma, inv_std, ggamma, gbeta, inv_m):
    return ((gamma * inv_std) * (gy - (x_hat * ggamma + gbeta) * inv_m),)


def _cross_entropy_gradient(y, t, gloss, coeff, n_channel, n_unit, ignore_label):
    channel = np.arange(n_channel).reshape(1, -1, *[1] * (y.ndim - 2))
    return (np.where(t == ignore_label, 0, gloss * coeff * (y - (channel == t))),)


def _cross_entropy(t, log_y, n_channel, coeff, ignore_label):
    chosen = log_y.reshape(-1, n_channel)[np.arange(t.size), t.ravel()]
    return np.where(t.ravel() == ignore_label, 0, chosen).sum() * -coeff


def _im2col(img, h, w, out_h, out_w, kh, kw, sy, sx, ph, pw, dy, dx, col):
    from chainer.utils import conv  # which must not be imported before there is a CuPy

    images = img.reshape(*col.shape[:2], h, w)
    return (conv.im2col_cpu(images, kh, kw, sy, sx, ph, pw, dy=dy, dx=dx, out_h=out_h, out_w=out_w),)


def _col2im(col, h, w, out_h, out_w, kh, kw, sy, sx, ph, pw, dx, dy, img):
    from chainer.utils import conv

    columns = col.reshape(*img.shape[:2], kh, kw, out_h, out_w)
    return (conv.col2im_cpu(columns, sy, sx, ph, pw, h, w, dy, dx),)


def _rsqrt(x, dtype):
    return np.reciprocal(np.sqrt(x, dtype=dtype))


ELEMENTWISE = {
    'momentum_sgd': _momentum_sgd,
    'adam': _adam,
    'dropout_fwd': _dropout,
    'relu_bwd': lambda y, gy: (np.where(y > 0, gy, 0),),
    'update_mean_var': _running_statistics,
    'bn_fwd': lambda x, mean, inv_std, gamma, beta: (gamma * (x - mean) * inv_std + beta,),
    'bn_bwd': _batch_normalization_gradient,
    'softmax_crossent_bwd': _cross_entropy_gradient,
    'im2col': _im2col,
    'col2im': _col2im,
}
REDUCTIONS = {'crossent_fwd': _cross_entropy}


class ElementwiseKernel:
    """A kernel of Chainer's: what it is given beyond its inputs is written to."""

    def __init__(self, in_params, out_params, operation, name):
        self._name = name
        self._inputs = in_params.count(',') + 1

    def __call__(self, *args):
        if any(isinstance(argument, np.generic) for argument in args):
            numpy_scalars.add(self._name)
        if self._name not in ELEMENTWISE:
            raise NotImplementedError(f'the stand-in for CuPy does not know the kernel {self._name!r}')
        with np.errstate(all='ignore'):  # a GPU says nothing
            results = ELEMENTWISE[self._name](*_host(args))
        outputs = args[self._inputs :]
        for output, result in zip(outputs, results):
            _values(output)[...] = result
        found = outputs or [_array(result.astype(args[0].dtype, copy=False)) for result in results]
        return found[0] if len(found) == 1 else tuple(found)


class ReductionKernel:
    """A kernel of Chainer's that sums up."""

    def __init__(self, in_params, out_params, map_expr, reduce_expr, post_map_expr, identity, name):
        self._name = name

    def __call__(self, *args):
        if self._name not in REDUCTIONS:
            raise NotImplementedError(f'the stand-in for CuPy does not know the kernel {self._name!r}')
        return _on_device(REDUCTIONS[self._name], *args)


def fuse(function=None, **options):
    return function if function is not None else (lambda function: function)


def memoize(for_each_device=False):
    return functools.cache


# ---- arrays from elsewhere


def array(values, dtype=None, copy=True, order='K'):
    return _array(np.array(_values(values) if isinstance(values, ndarray) else values, dtype, order=order))


def asarray(values, dtype=None, order=None):
    if isinstance(values, ndarray) and dtype in (None, values.dtype):
        return values
    return array(values, dtype)


def asnumpy(values, stream=None):
    return values.get() if isinstance(values, ndarray) else np.asarray(values)


def get_array_module(*arrays):
    return sys.modules['cupy'] if any(isinstance(array, ndarray) for array in arrays) else np


def _of_numpy(name):
    """A function of NumPy's, for arrays on the device; its types and constants as they are."""
    found = getattr(np, name)  # or AttributeError
    if isinstance(found, type) or not callable(found):
        return found
    return functools.partial(_on_device, found)


# ---- devices


class Device:
    """The only one."""

    def __init__(self, device=None):
        self.id = int(device or 0)
        if self.id:
            raise RuntimeError('cudaErrorInvalidDevice: invalid device ordinal')

    def use(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def __eq__(self, other):
        return isinstance(other, Device)

    def __hash__(self):
        return self.id

    def __int__(self):
        return self.id

    def synchronize(self):
        transfers['Device.synchronize'] += 1


class Stream:
    """All there is to do has been done."""

    done = True

    def __init__(self, null=False, non_blocking=False):
        pass

    def synchronize(self):
        transfers['Stream.synchronize'] += 1


Stream.null = Stream()


class Event:
    """As a stream."""

    def synchronize(self):
        transfers['Event.synchronize'] += 1


# ---- random numbers


class RandomState:
    """Its state can't be read, as CuPy's can't."""

    __slots__ = ()

    def __init__(self, seed=None):
        _generators[id(self)] = np.random.RandomState(seed)

    def __del__(self):
        _generators.pop(id(self), None)

    def seed(self, seed=None):
        _generators[id(self)].seed(seed)

    def uniform(self, low=0.0, high=1.0, size=None, dtype=float):
        return _array(np.asarray(_generators[id(self)].uniform(low, high, size), dtype))

    def normal(self, loc=0.0, scale=1.0, size=None, dtype=float):
        return _array(np.asarray(_generators[id(self)].normal(loc, scale, size), dtype))

    def rand(self, *shape, dtype=float):
        return self.uniform(size=shape, dtype=dtype)


RandomState.__module__ = 'cupy.random._generator'
_generators: dict[int, np.random.RandomState] = {}  # out of Python's sight, too


def _random():
    states: dict[int, RandomState] = {}

    def current():
        return states.setdefault(0, RandomState())

    def of_current(name):
        return lambda *args, **kwargs: getattr(current(), name)(*args, **kwargs)

    return _module(
        'cupy.random',
        RandomState=RandomState,
        get_random_state=current,
        **{name: of_current(name) for name in ('seed', 'uniform', 'normal', 'rand')},
        _generator=_module('cupy.random._generator', _random_states=states),
        __path__=[],
    )


# ---- in CuPy's place


def install():
    """Puts the stand-in in CuPy's place; returns it."""
    if 'chainer' in sys.modules:
        raise RuntimeError('the stand-in for CuPy must be there before Chainer is imported')
    ndarray.__module__ = 'cupy'
    scipy = _module('cupyx.scipy', linalg=_module('cupyx.scipy.linalg'), special=_module('cupyx.scipy.special'), __path__=[])
    _module('cupyx', scipy=scipy, rsqrt=functools.partial(_on_device, _rsqrt), __path__=[])
    pool = types.SimpleNamespace(free_all_blocks=lambda: None, total_bytes=lambda: 0)
    runtime = _module(
        'cupy.cuda.runtime',
        getDeviceCount=lambda: 1,
        getDevice=lambda: 0,
        getDeviceProperties=lambda device: {'name': b'none (a stand-in for CuPy)'},
        runtimeGetVersion=lambda: 0,
        memcpy=lambda *args: None,
    )
    cuda = _module(
        'cupy.cuda',
        Device=Device,
        Stream=Stream,
        Event=Event,
        runtime=runtime,
        cublas=_module('cupy.cuda.cublas'),
        is_available=lambda: True,
        get_device_id=lambda: 0,
        __path__=[],
    )
    return _module(
        'cupy',
        **{name: globals()[name] for name in ('ndarray', 'array', 'asarray', 'asnumpy', 'get_array_module')},
        **{name: globals()[name] for name in ('ElementwiseKernel', 'ReductionKernel', 'fuse', 'memoize')},
        ascontiguousarray=lambda values, dtype=None: asarray(values, dtype),
        clear_memo=lambda: None,
        random=_random(),
        cuda=cuda,
        get_default_memory_pool=lambda: pool,
        get_default_pinned_memory_pool=lambda: pool,
        _util=_module('cupy._util', PerformanceWarning=type('PerformanceWarning', (Warning,), {})),
        __version__='14.0.0',
        __path__=[],
        __getattr__=_of_numpy,
    )


def _module(name, **content):
    module = sys.modules[name] = types.ModuleType(name, 'A stand-in for CuPy.')
    vars(module).update(content)
    return module


def pytest_configure(config):
    """As a plugin of pytest."""
    install()
