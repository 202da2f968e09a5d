"""What is in things that hold more than references: how it is read, and how it is put back in place."""

from __future__ import annotations

import array
import contextlib
import copy
import ctypes
import operator
import warnings
from typing import Any, NamedTuple

import numpy as np
from chainer.backends import cuda

# ---- arrays


class ArrayContent(NamedTuple):
    """What is in an array, and how it lies there."""

    values: Any
    dtype: Any
    strides: tuple[int, ...]


def of_array(array: Any) -> ArrayContent | None:
    """The content of an array; ``None`` where it is only for reading.

    >>> weights = np.arange(6.0)
    >>> saved = of_array(weights)
    >>> weights[:] = 0
    >>> weights.resize((2, 2), refcheck=False)
    >>> set_array(weights, saved)
    >>> weights
    array([0., 1., 2., 3., 4., 5.])
    """
    if not getattr(array.flags, 'writeable', True):  # CuPy's have no such flag
        return None
    plain = _plain(array)
    return ArrayContent(plain.copy('K'), plain.dtype, plain.strides)


def set_array(array: Any, saved: ArrayContent | None) -> None:
    """Puts the content back, also where the array has been resized, reshaped or given another type."""
    if saved is None:
        return
    plain = _plain(array)
    if (plain.dtype, plain.shape, plain.strides) != (saved.dtype, saved.values.shape, saved.strides):
        _lay_out(array, saved)
    if not getattr(array.flags, 'writeable', True):
        array.flags.writeable = True
    _plain(array)[...] = saved.values


def _plain(array: Any) -> Any:
    """Without what a subclass makes of it, like the mask of a masked array."""
    return array.view(np.ndarray) if isinstance(array, np.ndarray) else array


def _lay_out(array: Any, saved: ArrayContent) -> None:
    """Goes by way of a single row of elements, or of bytes where the type has changed."""
    if isinstance(array, cuda.ndarray):
        array.shape = saved.values.shape
        return

    def put(name: str, value: Any) -> None:
        if getattr(array, name) != value:
            getattr(np.ndarray, name).__set__(array, value)

    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # NumPy wants a new array instead; this must stay the same one
        put('strides', np.empty(array.shape, array.dtype).strides)
        put('shape', (array.size,))
        if array.dtype != saved.dtype:
            put('dtype', np.dtype(np.uint8))
        if array.nbytes != saved.values.nbytes:
            np.ndarray.resize(array, saved.values.nbytes // array.itemsize, refcheck=False)
        put('dtype', saved.dtype)
        put('shape', saved.values.shape)
        put('strides', saved.strides)


def set_record(record: Any, saved: Any) -> None:
    """Puts back what was in a record of a structured array."""
    record.setfield(saved, record.dtype)


# ---- sets


def of_set(members: Any) -> tuple[list[Any], set[Any]]:
    """What is in a set: in order, and as a set of the same build."""
    return list(set.__iter__(members)), set(members)


def set_members(members: Any, saved: tuple[list[Any], set[Any]]) -> None:
    """Puts it back; in the same order, too, unless that stems from a history of members that came and went."""
    order, twin = saved
    for fill in (lambda: set.update(members, twin), lambda: [set.add(members, member) for member in order]):
        found = list(set.__iter__(members))
        if len(found) == len(order) and all(map(operator.is_, found, order)):
            return
        set.clear(members)
        fill()


# ---- random generators


def of_bits(generator: Any) -> Any:
    """The state of a bit generator."""
    return copy.deepcopy(generator.state)


def set_bits(generator: Any, state: Any) -> None:
    """Puts it back."""
    generator.state = state


def of_seeds(sequence: Any) -> Any:
    """The state of a seed sequence: how many seeds it has given out, too."""
    return sequence.__reduce__()[2]


def set_seeds(sequence: Any, state: Any) -> None:
    """Puts it back."""
    sequence.__setstate__(state)


# ---- buffers


def set_bytes(content: Any, saved: bytes) -> None:
    """Puts back what was in a ``bytearray``."""
    bytearray.__setitem__(content, slice(None), saved)


def set_numbers(numbers: Any, saved: bytes) -> None:
    """Puts back what was in an ``array.array``."""
    array.array.__setitem__(numbers, slice(None), array.array(numbers.typecode, saved))


def of_stream(stream: Any) -> Any:
    """What is in an ``io.BytesIO`` or ``io.StringIO``, and the position; ``None`` where it is closed."""
    return None if stream.closed else stream.__getstate__()[:-1]  # the last are its attributes


def set_stream(stream: Any, state: Any) -> None:
    """Puts it back."""
    if state is not None:
        stream.__setstate__((*state, None))


def of_shared_memory(block: Any) -> bytes | None:
    """What is in a ``SharedMemory``; ``None`` where it is closed."""
    return None if block.buf is None else bytes(block.buf)


def set_shared_memory(block: Any, saved: bytes | None) -> None:
    """Puts it back."""
    if saved is not None:
        block.buf[:] = saved


def of_map(memory: Any) -> tuple[bytes, int] | None:
    """What is in an ``mmap``, and the position; ``None`` where it is closed, or only for reading."""
    with contextlib.suppress(ValueError), memoryview(memory) as view:
        return None if view.readonly else (bytes(view), memory.tell())
    return None


def set_map(memory: Any, saved: tuple[bytes, int] | None) -> None:
    """Puts it back."""
    if saved is not None:
        memory[:], position = saved
        memory.seek(position)


def of_c(thing: Any) -> bytes:
    """The memory of a ``ctypes`` object."""
    return ctypes.string_at(ctypes.addressof(thing), ctypes.sizeof(thing))


def set_c(thing: Any, saved: bytes) -> None:
    """Puts it back."""
    ctypes.memmove(ctypes.addressof(thing), saved, len(saved))


def of_number(number: Any) -> Any:
    """The value of one number of ``ctypes``."""
    return number.value


def set_number(number: Any, value: Any) -> None:
    """Puts it back."""
    number.value = value


# ---- files


def of_file(file: Any) -> int | None:
    """How far a file has been read. Nothing is kept of others: what is written stays written.

    Raises:
        OSError: That can't be told, as while a text file is read by ``next``, or never, as of a pipe.
    """
    return file.tell() if _is_only_read(file) else None


def _is_only_read(file: Any) -> bool:
    try:
        return not file.closed and file.readable() and not file.writable()
    except ValueError:  # what it wraps has been closed or detached
        return False


def set_file(file: Any, position: int | None) -> None:
    """Puts it back there."""
    if position is not None and not file.closed:
        file.seek(position)


# ---- pandas


def of_frame(frame: Any) -> Any:
    """What is in a ``DataFrame`` or ``Series``."""
    return frame.copy()


def set_frame(frame: Any, saved: Any) -> None:
    """Puts it back, unless nothing has changed: then the frame keeps its arrays, of which there may be views."""
    if not _same_frame(frame, saved):
        frame._update_inplace(saved.copy())


def _same_frame(frame: Any, saved: Any) -> bool:
    arrays, kept = frame._mgr.arrays, saved._mgr.arrays
    same_axes = all(axis.identical(other) for axis, other in zip(frame.axes, saved.axes))
    return same_axes and len(arrays) == len(kept) and all(map(_same_values, arrays, kept))


def _same_values(values: Any, kept: Any) -> bool:
    """Whether two arrays have the same bits; never, where they are of pandas or hold objects."""
    if not isinstance(values, np.ndarray) or values.dtype.hasobject or (values.dtype, values.shape) != (kept.dtype, kept.shape):
        return False
    return values.tobytes() == kept.tobytes()


def set_values(values: Any, saved: Any) -> None:
    """Puts back what was in an array of pandas."""
    if not values.equals(saved):
        values[:] = saved
