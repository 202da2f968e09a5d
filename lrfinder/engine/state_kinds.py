"""How things of each type are followed, kept and put back: the one table to add a type to.

A type that is not in the table is looked at. Where attributes and slots are all that its objects have, these are put back.
Values that can't change need nothing. What is left keeps something where Python can't see it: that is refused, so that nothing
changes in silence.
"""

from __future__ import annotations

import array
import collections
import contextlib
import contextvars
import ctypes
import dataclasses
import functools
import gc
import io
import mmap
import multiprocessing.managers
import multiprocessing.shared_memory
import multiprocessing.sharedctypes
import random
import re
import types
import weakref
from _thread import _local
from collections.abc import Callable, Iterator
from typing import Any

from lrfinder.engine import state_contents as contents
from lrfinder.engine import state_copies as copies

import chainer
import numpy as np
import pandas as pd
from chainer.backends import cuda
from chainermn import CommunicatorBase

# Stands for the value of a slot that has none.
EMPTY = object()


def _nothing(thing: Any) -> list[Any]:
    return []


def _possible(thing: Any) -> str:
    return ''


@dataclasses.dataclass(frozen=True)
class Kind:
    """How things of one type are followed, kept and put back.

    Attributes:
        parts: What a thing refers to, beside its attributes and slots.
        set_parts: Makes it refer to these instead, in place; ``None`` where it always refers to the same.
        slots: Descriptors of what else it refers to and can be made to.
        state: What else of it can change, as a value that doesn't.
        set_state: Puts that back, in place.
        copy: Makes what is used up in its place, where the thing itself can't be wound back.
        refusal: Why a thing can't be put back, and what to do; empty where it can.
        is_data: Whether its state may be large: it is not kept of what is only lent.
        has_attributes: Whether its ``__dict__`` is followed and put back.
    """

    parts: Callable[[Any], list[Any]] = _nothing
    set_parts: Callable[[Any, list[Any]], None] | None = None
    slots: tuple[Any, ...] = ()
    state: Callable[[Any], Any] | None = None
    set_state: Callable[[Any, Any], None] | None = None
    copy: copies.Copy | None = None
    refusal: Callable[[Any], str] = _possible
    is_data: bool = False
    has_attributes: bool = True

    @property
    def is_hidden(self) -> bool:
        """Whether there is more to a thing than Python sees."""
        return self.refusal is _hidden


# Attributes and slots are all there is.
PLAIN = Kind()
# Neither followed nor touched.
OPAQUE = Kind(has_attributes=False)


# ---- what refers to other things: by the built-in type's own methods, since those of a subclass may do anything


def _items(container: Any) -> Callable[[Any], list[Any]]:
    return lambda thing: list(container.__iter__(thing))


def dict_parts(thing: Any) -> list[Any]:
    """Keys of a dict, then its values."""
    return [*dict.keys(thing), *dict.values(thing)]


def set_dict_parts(thing: Any, items: list[Any]) -> None:
    """Gives a dict such keys and values in place of its own."""
    half = len(items) // 2
    dict.clear(thing)
    dict.update(thing, zip(items[:half], items[half:]))


def _ordered_parts(thing: Any) -> list[Any]:
    keys = list(collections.OrderedDict.keys(thing))
    return keys + [dict.__getitem__(thing, key) for key in keys]


def _set_ordered_parts(thing: Any, items: list[Any]) -> None:
    half = len(items) // 2
    collections.OrderedDict.clear(thing)
    for key, value in zip(items[:half], items[half:]):
        collections.OrderedDict.__setitem__(thing, key, value)


def _set_list_parts(thing: Any, items: list[Any]) -> None:
    list.__setitem__(thing, slice(None), items)


def _set_deque_parts(thing: Any, items: list[Any]) -> None:
    collections.deque.clear(thing)
    collections.deque.extend(thing, items)


def _array_parts(values: Any) -> list[Any]:
    return np.asarray(values).ravel().tolist() if values.dtype.hasobject else []


def _viewed(view: Any) -> list[Any]:
    with contextlib.suppress(ValueError):  # it has been released
        return [view.obj]
    return []


def _frame_parts(frame: Any) -> list[Any]:
    return [item for values in frame._mgr.arrays if values.dtype == object for item in np.ravel(values)]


# ---- why something can't be put back

_LOST = "so that it can't be put back after the range test; keep it in a global variable, which is left alone"
_POINTS = f'points to memory that may change, {_LOST}'
_ONE_WAY = "can't be wound back after the range test; do without it there"


def _hidden(thing: Any) -> str:
    return f"may change where Python can't see it, {_LOST}"


def _on_the_gpu(generator: Any) -> str:
    return "keeps its state on the GPU, where it can't be read; draw from cupy.random itself for the range test"


def _elsewhere(proxy: Any) -> str:
    return "keeps its content in another process, so that it can't be put back after the range test; do without it there"


def _running(generator: Any) -> str:
    frames = [getattr(generator, frame, None) for frame in ('gi_frame', 'cr_frame', 'ag_frame')]
    return _ONE_WAY if any(frame is not None for frame in frames) else ''


def _uncopied(iterator: Any) -> str:
    try:
        copies.copied_iterator(iterator, {})
    except TypeError:
        return _ONE_WAY
    return ''


def _nowhere(file: Any) -> str:
    try:
        contents.of_file(file)
    except OSError:
        return "does not tell how far it has been read, as with next(), so that it can't be wound back after the range test"
    return ''


def _pointing(thing: Any) -> str:
    return _POINTS if _points(thing._objects) else ''


def _points(kept: Any) -> bool:
    """Whether a ctypes object keeps other objects alive, beside the memory that it is in."""
    if isinstance(kept, dict):
        return any(_points(value) for value in kept.values())
    return kept is not None and not isinstance(kept, memoryview)


def _valueless(variable: Any) -> str:
    unset = variable not in contextvars.copy_context()
    return "has no value yet, so that it can't be put back after the range test; call its set() before" if unset else ''


# ---- the table

_DICT = Kind(dict_parts, set_dict_parts)
_ARRAY = Kind(_array_parts, state=contents.of_array, set_state=contents.set_array, is_data=True)
_FRAME = Kind(_frame_parts, state=contents.of_frame, set_state=contents.set_frame, is_data=True)
_STREAM = Kind(state=contents.of_stream, set_state=contents.set_stream)
_MEMORY = Kind(state=contents.of_c, set_state=contents.set_c, refusal=_pointing, is_data=True)
_BOUND = Kind(lambda method: [method.__self__])
_WRAPPED = Kind(lambda method: [method.__func__])
_VIEW = Kind(gc.get_referents)
_GENERATOR = Kind(refusal=_running)
_ITERATOR = Kind(copies.passed_through, copy=copies.copied_iterator, refusal=_uncopied)
_VALUES = (bool, int, float, complex, str, bytes, np.generic)
_OF_FUNCTIONS = vars(types.FunctionType)

_KINDS: dict[type, Kind] = {
    # what holds other things
    tuple: Kind(_items(tuple)),
    list: Kind(_items(list), _set_list_parts),
    dict: _DICT,
    collections.OrderedDict: Kind(_ordered_parts, _set_ordered_parts),
    collections.defaultdict: dataclasses.replace(_DICT, slots=(vars(collections.defaultdict)['default_factory'],)),
    collections.deque: Kind(_items(collections.deque), _set_deque_parts),
    set: Kind(_items(set), state=contents.of_set, set_state=contents.set_members),
    frozenset: Kind(_items(frozenset)),
    **dict.fromkeys((types.MappingProxyType, type({}.keys()), type({}.values()), type({}.items())), _VIEW),
    BaseException: Kind(lambda error: [error.args]),
    np.ndarray: _ARRAY,
    cuda.ndarray: dataclasses.replace(_ARRAY, parts=_nothing),
    np.void: Kind(_array_parts, state=np.void.copy, set_state=contents.set_record),
    # functions
    types.FunctionType: Kind(
        lambda function: [*(function.__closure__ or ())],
        slots=(_OF_FUNCTIONS['__defaults__'], _OF_FUNCTIONS['__kwdefaults__']),
    ),
    types.CellType: Kind(slots=(vars(types.CellType)['cell_contents'],)),
    types.MethodType: Kind(lambda method: [method.__self__, method.__func__]),
    types.BuiltinFunctionType: _BOUND,
    types.MethodWrapperType: _BOUND,
    functools.partial: Kind(lambda partial: [partial.func, partial.args, partial.keywords]),
    functools._lru_cache_wrapper: Kind(copy=copies.empty_cache),
    staticmethod: _WRAPPED,
    classmethod: _WRAPPED,
    property: Kind(lambda found: [found.fget, found.fset, found.fdel]),
    # random generators
    random.Random: Kind(state=random.Random.getstate, set_state=random.Random.setstate),
    np.random.RandomState: Kind(
        lambda generator: [generator._bit_generator],
        state=lambda generator: generator.get_state(legacy=False),
        set_state=lambda generator, state: generator.set_state(state),
    ),
    np.random.Generator: Kind(lambda generator: [generator.bit_generator]),
    np.random.BitGenerator: Kind(lambda bits: [bits._seed_seq], state=contents.of_bits, set_state=contents.set_bits),
    np.random.SeedSequence: Kind(state=contents.of_seeds, set_state=contents.set_seeds),
    # buffers and files
    bytearray: Kind(state=bytes, set_state=contents.set_bytes, is_data=True),
    array.array: Kind(state=array.array.tobytes, set_state=contents.set_numbers, is_data=True),
    memoryview: Kind(_viewed),
    mmap.mmap: Kind(state=contents.of_map, set_state=contents.set_map, is_data=True),
    io.BytesIO: _STREAM,
    io.StringIO: _STREAM,
    io.IOBase.__mro__[1]: Kind(state=contents.of_file, set_state=contents.set_file, refusal=_nowhere, has_attributes=False),
    # what processes share
    multiprocessing.sharedctypes.SynchronizedBase: PLAIN,
    multiprocessing.shared_memory.ShareableList: PLAIN,
    multiprocessing.shared_memory.SharedMemory: Kind(
        state=contents.of_shared_memory, set_state=contents.set_shared_memory, is_data=True, has_attributes=False
    ),
    multiprocessing.managers.BaseProxy: Kind(refusal=_elsewhere, has_attributes=False),
    # C
    ctypes._SimpleCData: Kind(state=contents.of_number, set_state=contents.set_number),
    **dict.fromkeys((ctypes.Structure, ctypes.Union, ctypes.Array), _MEMORY),
    ctypes._Pointer: dataclasses.replace(_MEMORY, refusal=lambda pointer: _POINTS if pointer else ''),
    ctypes.CFUNCTYPE(None).__mro__[1]: Kind(lambda function: [function._objects]),
    # variables of a context, and of a thread
    contextvars.ContextVar: Kind(
        lambda variable: [variable.get(None)],
        state=lambda variable: variable.get(),
        set_state=lambda variable, value: variable.set(value),
        refusal=_valueless,
    ),
    _local: PLAIN,
    # pandas
    pd.DataFrame: _FRAME,
    pd.Series: _FRAME,
    pd.api.extensions.ExtensionArray: Kind(
        state=lambda values: values.copy(), set_state=contents.set_values, is_data=True, has_attributes=False
    ),
    # what goes one way
    **dict.fromkeys((types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType), _GENERATOR),
    # values
    **dict.fromkeys(_VALUES, PLAIN),  # types that derive from them may have attributes
    **dict.fromkeys(
        (
            *(type(None), type(...), type(NotImplemented), slice, re.Match, np.dtype, np.ufunc),
            *(type, types.ModuleType, types.CodeType, types.FrameType, types.TracebackType, weakref.ref, *weakref.ProxyTypes),
            *(types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType),
            *(types.GetSetDescriptorType, types.MemberDescriptorType, contextvars.Context, contextvars.Token),
            *(random.SystemRandom, np.random.bit_generator.SeedlessSeedSequence),
            *(chainer.backend.Device, chainer.Reporter, CommunicatorBase),
        ),
        OPAQUE,
    ),
}

# Objects of these packages, and of classes that derive from theirs, belong to the process, run beside the training, or watch
# it. Types in the table come first.
_OF_THE_PROCESS = frozenset(
    (
        # logs, progress bars, notebooks, plots, trackers
        *('logging', 'loguru', 'structlog', 'warnings', 'tqdm', 'rich', 'matplotlib', 'IPython', 'ipykernel', 'ipywidgets'),
        *('tensorboard', 'tensorboardX', 'wandb', 'mlflow', 'comet_ml', 'neptune', 'clearml', 'visdom'),
        # threads, processes, networks
        *('threading', '_thread', 'queue', '_queue', 'concurrent', 'asyncio', '_asyncio', 'subprocess'),
        *('multiprocessing', '_multiprocessing', 'mpi4py', 'distributed'),
        *('socket', '_socket', 'select', 'selectors', 'ssl', '_ssl', 'zmq', 'tornado'),
        # files and data bases
        *('sqlite3', 'lmdb', 'h5py', '_csv'),
    )
)
# What compiled code of these packages keeps is nothing of the training, beside the types in the table.
_HARMLESS = frozenset(('operator', 'zoneinfo', '_json', '_struct', '_lsprof', 'pandas', 'cupy', 'cupyx', 'cupy_backends'))


def kind_of(cls: type) -> Kind:
    """How things of a type are followed, kept and put back.

    >>> kind_of(int) is OPAQUE, kind_of(np.ndarray) is OPAQUE
    (True, False)
    """
    kind = _kind_of(cls)
    declared = [] if kind is OPAQUE else _declared_slots(cls)
    return dataclasses.replace(kind, slots=(*kind.slots, *declared)) if declared else kind


def _kind_of(cls: type) -> Kind:
    known = next((base for base in cls.__mro__ if base in _KINDS), None)
    if known is not None:
        is_bare = not cls.__dictoffset__ and not _declared_slots(cls)
        return OPAQUE if known in _VALUES and is_bare else _KINDS[known]
    if any(str(base.__module__).startswith('cupy.random') for base in cls.__mro__):
        return Kind(refusal=_on_the_gpu)
    packages = {str(base.__module__).partition('.')[0] for base in cls.__mro__}
    apart = 'chainer' not in packages and (_is_stream(cls) or not packages.isdisjoint(_OF_THE_PROCESS))
    if not apart and not _hides_something(cls):
        return PLAIN
    if issubclass(cls, Iterator):
        return _ITERATOR
    return OPAQUE if apart or _is_value(cls) or not packages.isdisjoint(_HARMLESS) else Kind(refusal=_hidden)


def _is_stream(cls: type) -> bool:
    """Whether its objects do nothing but take what is written to them."""
    is_written = callable(getattr(cls, 'write', None)) and callable(getattr(cls, 'flush', None))
    return is_written and not any('__call__' in vars(base) for base in cls.__mro__)


def _hides_something(cls: type) -> bool:
    """Whether its objects take more memory than their attributes and slots do (as ``object.__reduce_ex__`` asks, too)."""
    places = len(_declared_slots(cls)) + bool(cls.__dictoffset__) + bool(cls.__weakrefoffset__)
    return cls.__itemsize__ > 0 or cls.__basicsize__ > object.__basicsize__ + places * ctypes.sizeof(ctypes.c_void_p)


def _is_value(cls: type) -> bool:
    """Whether compiled code compares and hashes it by what it is, so that it can't change; or it is a function of Cython's."""
    own: list[Any] = [cls.__eq__, cls.__hash__]
    by_value = all(type(method) is types.WrapperDescriptorType and method not in vars(object).values() for method in own)
    return by_value or str(cls.__module__).startswith('_cython_')


def _declared_slots(cls: type) -> list[Any]:
    """The descriptors of what a class and those it derives from name in ``__slots__``."""
    classes = [base for base in cls.__mro__ if '__slots__' in vars(base)]
    return [slot for base in classes for slot in vars(base).values() if isinstance(slot, types.MemberDescriptorType)]
