"""What of each type is put back, in place; what stands in for what can't be; what is left alone, and what is refused."""

import argparse
import array
import collections
import contextlib
import contextvars
import copy
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import io
import itertools
import logging
import mmap
import multiprocessing
import operator
import os
import pathlib
import queue
import random
import re
import socket
import string
import subprocess
import sys
import tempfile
import threading
import types
import uuid
import weakref
import zlib
from multiprocessing import managers, shared_memory

import clr  # noqa: F401  makes Chainer importable
from lrfinder.engine import state_walk
from lrfinder.engine.state import SavedState
from lrfinder.engine.state_walk import reachable

import chainer
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tqdm import tqdm


class Thing:
    """Whatever the user has."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


# ---- put back in place


class Point(ctypes.Structure):
    _fields_ = [('x', ctypes.c_int), ('y', ctypes.c_double * 2)]


@dataclasses.dataclass
class Options:
    rates: list


def sequence_of(generator):
    return generator.bit_generator._seed_seq


def set_item(index, value):
    return lambda thing: operator.setitem(thing, index, value)


def set_shape(*shape):
    return lambda thing: setattr(thing, 'shape', shape)


def of_array(values):
    return values.dtype.str, values.shape, values.strides, values.tolist()


def of_frame(frame):
    return repr(frame), [str(dtype) for dtype in getattr(frame, 'dtypes', [])] if frame.ndim == 2 else str(frame.dtype)


def of_stream(stream):
    return stream.getvalue(), stream.tell()


def read_and_write(text):
    return lambda stream: (stream.read(1), stream.write(text))


FRAME = {'a': [1.0, -0.0], 'b': ['x', 'y'], 'c': pd.Categorical(['u', 'v'])}
# What there is, how it is changed, and how to see that.
IN_PLACE = {
    'spawned seeds': (
        lambda: np.random.SeedSequence(3),
        lambda seeds: seeds.spawn(2),
        lambda seeds: (seeds.n_children_spawned, seeds.generate_state(2).tolist()),
    ),
    'spawned generators': (
        lambda: np.random.default_rng(3),
        lambda generator: (sequence_of(generator).spawn(2), generator.random()),
        lambda generator: (sequence_of(generator).n_children_spawned, generator.bit_generator.state),
    ),
    'set': (lambda: {1, 2}, lambda members: members.add(3), list),
    'the object of a method': (
        lambda: np.random.RandomState(3).rand,
        lambda rand: rand(),
        lambda rand: rand.__self__.get_state()[2],
    ),
    'the list of a method': (lambda: [1].append, lambda append: append(2), lambda append: append.__self__),
    'defaultdict': (
        lambda: collections.defaultdict(list),
        lambda found: (found[1].append(2), setattr(found, 'default_factory', None)),
        lambda found: (dict(found), found.default_factory),
    ),
    'a view of a dict': (lambda: {'a': [1]}.values(), lambda view: next(iter(view)).append(2), list),
    'mappingproxy': (lambda: types.MappingProxyType({'a': [1]}), lambda proxy: proxy['a'].append(2), dict),
    'an exception': (lambda: ValueError([1]), lambda error: error.args[0].append(2), repr),
    'defaults': (
        lambda: lambda x=1, *, y=2: None,
        lambda function: (setattr(function, '__defaults__', (5,)), function.__kwdefaults__.update(y=6)),
        lambda function: (function.__defaults__, function.__kwdefaults__),
    ),
    'threading.local': (lambda: threading.local(), lambda local: setattr(local, 'x', 1), vars),
    'a float with attributes': (
        lambda: type('Rate', (float,), {'calls': 0})(0.5),
        lambda rate: setattr(rate, 'calls', 5),
        lambda rate: rate.calls,
    ),
    'a dataclass': (lambda: Options([1]), lambda options: options.rates.append(2), repr),
    'bytearray': (lambda: bytearray(b'abc'), lambda content: content.extend(b'd'), bytes),
    'memoryview': (lambda: memoryview(bytearray(b'abc')), set_item(0, 1), bytes),
    'array': (lambda: array.array('d', [1, 2]), lambda numbers: numbers.append(3), repr),
    'mmap': (lambda: mmap.mmap(-1, 4), lambda memory: memory.write(b'ab'), lambda memory: (memory[:], memory.tell())),
    'BytesIO': (lambda: io.BytesIO(b'abcd'), read_and_write(b'xyz'), of_stream),
    'StringIO': (lambda: io.StringIO('abcd'), read_and_write('xyz'), of_stream),
    'DataFrame: a cell': (lambda: pd.DataFrame(FRAME), lambda frame: operator.setitem(frame.loc, (0, 'a'), 5), of_frame),
    'DataFrame: the sign of a zero': (
        lambda: pd.DataFrame(FRAME),
        lambda frame: operator.setitem(frame.loc, (1, 'a'), 0.0),
        lambda frame: np.signbit(frame.loc[1, 'a']),
    ),
    'DataFrame: a column': (lambda: pd.DataFrame(FRAME), set_item('z', 1), of_frame),
    'DataFrame: a row': (lambda: pd.DataFrame(FRAME), lambda frame: frame.drop(index=0, inplace=True), of_frame),
    'DataFrame: its index': (lambda: pd.DataFrame(FRAME), lambda frame: setattr(frame, 'index', [7, 8]), of_frame),
    'DataFrame: lists in it': (
        lambda: pd.DataFrame({'a': [[1], [2]]}),
        lambda frame: frame.loc[0, 'a'].append(3),
        of_frame,
    ),
    'Series': (lambda: pd.Series([1, 2]), set_item(0, 5), of_frame),
    'Series of times': (lambda: pd.Series(pd.to_datetime(['2026-01-01'])), set_item(0, pd.Timestamp(0)), of_frame),
    'an array of pandas': (lambda: pd.array([1, None]), set_item(0, 5), repr),
    'multiprocessing.Value': (
        lambda: multiprocessing.Value('i', 3),
        lambda shared: setattr(shared, 'value', 4),
        lambda shared: shared.value,
    ),
    'multiprocessing.Array': (lambda: multiprocessing.Array('d', 3), set_item(0, 5.0), list),
    'RawArray': (lambda: multiprocessing.RawArray('d', 3), set_item(0, 5.0), list),
    'c_int': (lambda: ctypes.c_int(1), lambda number: setattr(number, 'value', 2), lambda number: number.value),
    'c_char_p': (lambda: ctypes.c_char_p(b'a'), lambda text: setattr(text, 'value', b'bc'), lambda text: text.value),
    'py_object': (lambda: ctypes.py_object([1]), lambda box: setattr(box, 'value', [2]), lambda box: box.value),
    'a pointer to nothing': (
        lambda: ctypes.POINTER(ctypes.c_int)(),
        lambda pointer: setattr(pointer, 'contents', ctypes.c_int(1)),
        bool,
    ),
    'a structure of C': (
        Point,
        lambda point: (setattr(point, 'x', 5), operator.setitem(point.y, 1, 2.0)),
        lambda point: (point.x, list(point.y)),
    ),
    'a resized array': (
        lambda: np.arange(6.0),
        lambda values: values.resize(10, refcheck=False),
        of_array,
    ),
    'an array made smaller': (lambda: np.arange(6), lambda values: values.resize((2, 2), refcheck=False), of_array),
    'a resized array of objects': (
        lambda: np.array([1, 'a', None], object),
        lambda values: values.resize(5, refcheck=False),
        of_array,
    ),
    'a reshaped array': (lambda: np.arange(6.0), set_shape(2, 3), of_array),
    'an array in the order of Fortran': (
        lambda: np.arange(6.0).reshape(2, 3).copy('F'),
        lambda values: values.resize((3, 3), refcheck=False),
        of_array,
    ),
    'an array of another type': (lambda: np.arange(6.0), lambda values: setattr(values, 'dtype', np.int32), of_array),
    'a reshaped view': (lambda: np.arange(6.0)[:4], set_shape(2, 2), of_array),
    'an array that was locked': (
        lambda: np.arange(6.0),
        lambda values: (values.__setitem__(0, 5), setattr(values.flags, 'writeable', False)),
        lambda values: (values.tolist(), values.flags.writeable),
    ),
    'a record': (lambda: np.ones(2, [('a', 'f4')])[0].copy(), set_item('a', 5), lambda record: record.item()),
}


@pytest.mark.parametrize('what', IN_PLACE)
@pytest.mark.filterwarnings('ignore::DeprecationWarning', 'ignore:The inplace keyword')
def test_it_is_put_back_in_place(what):
    make, change, look = IN_PLACE[what]
    holder = Thing(it=make())
    thing, before = holder.it, repr(look(holder.it))
    saved = SavedState(holder)
    for _ in range(2):
        saved.begin()
        assert repr(look(thing)) == before
        change(thing)
        assert repr(look(thing)) != before
    saved.restore()
    assert repr(look(thing)) == before
    assert holder.it is thing


def test_variables_of_a_context_get_their_value_back():
    variable = contextvars.ContextVar('variable')

    def block():
        variable.set([1])
        value, saved = variable.get(), SavedState(Thing(it=variable))
        variable.get().append(2)
        variable.set(5)
        saved.restore()
        assert variable.get() is value
        assert value == [1]

    contextvars.copy_context().run(block)


def test_memory_that_is_shared_between_processes_is_put_back():
    block = shared_memory.SharedMemory(create=True, size=8)
    try:
        numbers = shared_memory.ShareableList([1, 2.5])
        saved = SavedState(Thing(block=block, numbers=numbers))
        block.buf[0], numbers[0] = 5, 7
        saved.restore()
        assert (block.buf[0], list(numbers)) == (0, [1, 2.5])
    finally:
        block.close()
        block.unlink()
        numbers.shm.close()
        numbers.shm.unlink()


@pytest.mark.parametrize('mode', ['r', 'rb'])
def test_a_file_is_read_on_from_where_it_was(tmp_path, mode):
    (tmp_path / 'words').write_text('one\ntwo\nthree\n')
    with open(tmp_path / 'words', mode) as file:
        first = file.readline()
        saved = SavedState(Thing(file=file))
        second = file.readline()
        saved.restore()
        assert (len(first), file.readline()) == (4, second)


def test_what_is_written_to_a_file_stays_written(tmp_path):
    with open(tmp_path / 'log', 'w+') as file:
        saved = SavedState(Thing(file=file))
        file.write('line')
        saved.restore()
        assert file.tell() == 4


def test_views_go_on_showing_what_is_in_an_array():
    whole = np.arange(6.0)
    thing = Thing(whole=whole, half=whole[:3])
    saved = SavedState(thing)
    thing.half += 5
    saved.restore()
    assert whole.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.shares_memory(thing.half, whole)


# ---- containers, whatever is in them

leaves = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3))
hashable = st.one_of(st.integers(), st.text(max_size=3), st.tuples(st.integers(), st.text(max_size=3)))
nested = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(hashable, inner, max_size=4),
        st.dictionaries(hashable, inner, max_size=4).map(collections.OrderedDict),
        st.sets(hashable, max_size=4),
        st.lists(inner, max_size=4).map(collections.deque),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(lambda items: Thing(items=items)),
        st.lists(st.floats(), max_size=4).map(np.array),
    ),
    max_leaves=20,
)


def spread(thing, into):
    """All objects within one, in order."""
    into.append(thing)
    items = vars(thing) if isinstance(thing, Thing) else thing
    items = [*items.keys(), *items.values()] if isinstance(items, dict) else items
    if isinstance(items, (list, tuple, collections.deque)):
        for item in items:
            spread(item, into)
    return into


def contents(thing):
    if isinstance(thing, np.ndarray):
        return thing.tobytes()
    if isinstance(thing, set):
        return sorted(map(id, thing))
    return list(map(id, spread(thing, [])[1:]))


def spoil(thing, draw):
    if isinstance(thing, (list, collections.deque)):
        draw.shuffle(thing)
        thing.append(None)
    elif isinstance(thing, set):
        thing.add('new')
        thing.discard(next(iter(thing)))
    elif isinstance(thing, dict):
        items = list(thing.items())
        draw.shuffle(items)
        thing.clear()
        thing.update(items[1:], new=1)
    elif isinstance(thing, np.ndarray):
        thing += 1
    elif isinstance(thing, Thing):
        thing.items, thing.new = None, 1


@settings(max_examples=60, deadline=None)
@given(nested, st.randoms(use_true_random=False))
def test_whatever_is_nested_in_whatever_is_the_same_again(thing, draw):
    parts = spread(thing, [])
    before = [contents(part) for part in parts]
    saved = SavedState(thing)
    saved.begin()
    for part in draw.sample(parts, len(parts)):
        spoil(part, draw)
    saved.restore()
    assert list(map(id, spread(thing, []))) == list(map(id, parts))
    assert [contents(part) for part in parts] == before


@pytest.mark.parametrize('members', [{-33, 7}, {3, 1, 2}, {0.5, 8, 16, 24, 32}, set(range(100, 0, -1))])
def test_a_set_that_has_only_grown_keeps_its_order(members):
    order = list(members)
    saved = SavedState([members])
    members.discard(order[0])
    members.update(range(1000))
    saved.restore()
    assert list(members) == order


class Restless(list):
    """Makes new containers whenever it is looked through, and reports no end."""

    def __iter__(self):
        return ([number] for number in itertools.count())

    def __len__(self):
        return 10**9


class RestlessMap(dict):
    def __iter__(self):
        return ((number, []) for number in itertools.count())

    keys = values = items = __iter__

    def update(self, *args):
        raise NotImplementedError


def test_containers_are_looked_through_by_their_own_rules_only():
    numbers, names = Restless([1, 2]), RestlessMap(a=[1])
    saved = SavedState([numbers, names])
    list.append(numbers, 3)
    dict.__getitem__(names, 'a').append(2)
    dict.__setitem__(names, 'b', 3)
    saved.restore()
    assert list.__repr__(numbers) == '[1, 2]'
    assert dict.__repr__(names) == "{'a': [1]}"


def test_long_containers_of_values_are_one_thing():
    long = [list(range(10**5)), {str(number): number for number in range(10**5)}, [(0.5, 'a', np.float32(1))] * 10**5]
    assert len(reachable([long])) == 4


@pytest.mark.parametrize(
    'bound, item, done',
    [('MOST', [0], 'put back after each run'), ('MOST_LOOKED_THROUGH', (0,), 'looked through')],
)
def test_too_many_objects_are_refused(monkeypatch, bound, item, done):
    monkeypatch.setattr(state_walk, bound, 1000)
    message = (
        f'more than 1,000 objects would have to be {done} (the longest list in Thing has 5,000 items); '
        'keep them in a data set or a global variable, where they are left alone'
    )
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        SavedState(Thing(buffer=[copy.copy(item) for _ in range(5000)]))


# ---- stand-ins

ITERATORS = {
    'count': (lambda: itertools.count(2), [2, 3, 4]),
    'count of halves': (lambda: itertools.count(0.5, 0.5), [0.5, 1.0, 1.5]),
    'list': (lambda: iter([1, 2, 3]), [1, 2, 3]),
    'reversed': (lambda: reversed([1, 2, 3]), [3, 2, 1]),
    'range': (lambda: iter(range(3)), [0, 1, 2]),
    'str': (lambda: iter('abc'), ['a', 'b', 'c']),
    'dict': (lambda: iter({1: 0, 2: 0, 3: 0}), [1, 2, 3]),
    'deque': (lambda: iter(collections.deque([1, 2, 3])), [1, 2, 3]),
    'enumerate': (lambda: enumerate('abc'), [(0, 'a'), (1, 'b'), (2, 'c')]),
    'zip': (lambda: zip(iter('abc'), itertools.count()), [('a', 0), ('b', 1), ('c', 2)]),
    'map': (lambda: map(abs, [-1, 2, -3]), [1, 2, 3]),
    'filter': (lambda: filter(None, [1, 0, 2, 3]), [1, 2, 3]),
}
# From Python 3.14 on, these can't be copied any more.
OF_ITERTOOLS = {
    'cycle': (lambda: itertools.cycle([1, 2]), [1, 2, 1]),
    'cycle, begun': (lambda: advanced(itertools.cycle([1, 2, 3]), 2), [3, 1, 2]),
    'cycle, in its second round': (lambda: advanced(itertools.cycle([1, 2, 3]), 4), [2, 3, 1]),
    'chain': (lambda: itertools.chain([1], [2, 3]), [1, 2, 3]),
    'islice': (lambda: itertools.islice(itertools.count(), 3, 9), [3, 4, 5]),
    'accumulate': (lambda: itertools.accumulate([1, 2, 3]), [1, 3, 6]),
    'product': (lambda: itertools.product('ab', 'c'), [('a', 'c'), ('b', 'c')]),
    'zip_longest': (lambda: itertools.zip_longest('ab', 'c'), [('a', 'c'), ('b', None)]),
    'repeat': (lambda: itertools.repeat(0, 3), [0, 0, 0]),
}
until_3_13 = pytest.mark.skipif(sys.version_info >= (3, 14), reason='itertools has no copies from Python 3.14 on')
from_3_14 = pytest.mark.skipif(sys.version_info < (3, 14), reason='itertools has copies until Python 3.13')


def advanced(iterator, steps):
    for _ in range(steps):
        next(iterator)
    return iterator


@pytest.mark.parametrize(
    'make, expected',
    [
        *[pytest.param(*case, id=name) for name, case in ITERATORS.items()],
        *[pytest.param(*case, id=name, marks=until_3_13) for name, case in OF_ITERTOOLS.items()],
    ],
)
def test_a_built_in_iterator_is_not_used_up(make, expected):
    holder = Thing(iterator=make())
    iterator = holder.iterator
    saved = SavedState(holder)
    for _ in range(2):
        saved.begin()
        assert list(itertools.islice(holder.iterator, 3)) == expected
    saved.restore()
    assert holder.iterator is iterator
    assert list(itertools.islice(iterator, 3)) == expected


@from_3_14
@pytest.mark.parametrize('name', OF_ITERTOOLS)
def test_what_has_no_copies_is_refused(name):
    with pytest.raises(ValueError, match=r"^the .* in Thing can't be wound back after the range test; do without it there$"):
        SavedState(Thing(iterator=OF_ITERTOOLS[name][0]()))


def default_argument():
    def draw(numbers=itertools.count()):  # noqa: B008
        return next(numbers)

    return draw, draw


def keyword_default():
    def draw(*, numbers=itertools.count()):  # noqa: B008
        return next(numbers)

    return draw, draw


def closure():
    numbers = itertools.count()
    return (lambda: next(numbers)), None


def bound_method():
    holder = Thing(draw=itertools.count().__next__)
    return lambda: holder.draw(), holder


def partial():
    holder = Thing(draw=functools.partial(next, itertools.count()))
    return lambda: holder.draw(), holder


def keyword_of_a_partial():
    holder = Thing(draw=functools.partial(lambda numbers: next(numbers), numbers=itertools.count()))
    return lambda: holder.draw(), holder


def nested_tuples():
    holder = [((1, itertools.count()),)]
    return lambda: next(holder[0][0][1]), holder


def named_tuple():
    Pair = collections.namedtuple('Pair', 'name numbers')
    holder = Thing(pair=Pair('a', itertools.count()))
    return lambda: next(holder.pair.numbers), holder


def slot():
    class Slotted:
        __slots__ = ('numbers',)

    holder = Slotted()
    holder.numbers = itertools.count()
    return lambda: next(holder.numbers), holder


@pytest.mark.parametrize(
    'make',
    [default_argument, keyword_default, closure, bound_method, partial, keyword_of_a_partial, nested_tuples, named_tuple, slot],
)
def test_it_is_found_wherever_it_is_held(make):
    draw, holder = make()
    saved = SavedState(holder or draw)
    for _ in range(2):
        saved.begin()
        assert [draw(), draw()] == [0, 1]
    saved.restore()
    assert [draw(), draw()] == [0, 1]


def test_what_is_shared_stays_shared():
    numbers = itertools.count()
    pair = Thing(one=numbers, other=[numbers], both=zip(numbers, numbers))
    saved = SavedState(pair)
    for _ in range(2):
        saved.begin()
        assert [next(pair.one), next(pair.other[0]), next(pair.both), next(pair.one)] == [0, 1, (2, 3), 4]
    saved.restore()
    assert next(numbers) == 0


def test_what_an_iterator_goes_through_is_put_back():
    generator = np.random.RandomState(0)
    holder = Thing(noise=map(lambda _: generator.rand(), itertools.count()))  # noqa: C417
    saved = SavedState(holder)
    saved.begin()
    first = next(holder.noise)
    saved.restore()
    assert next(holder.noise) == first


def test_results_that_were_kept_are_kept_and_others_are_not():
    drawn = []

    @functools.lru_cache(maxsize=2)
    def draw(key):
        drawn.append(key)
        return object()

    known = draw('known')
    holder = Thing(draw=draw)
    saved = SavedState(holder)
    for _ in range(2):
        saved.begin()
        assert drawn == ['known']
        assert holder.draw('new') is holder.draw('new')
        assert drawn == ['known', 'new']
    saved.restore()
    assert holder.draw is draw
    assert draw.cache_info()[:4:3] == (0, 1)
    assert draw('known') is known


# ---- refused

GENERATOR = (number for number in [1])
ONE_WAY = "can't be wound back after the range test; do without it there"
HIDDEN = (
    "may change where Python can't see it, so that it can't be put back after the range test; "
    'keep it in a global variable, which is left alone'
)
POINTS = HIDDEN.replace("may change where Python can't see it", 'points to memory that may change')


class PointsTo(ctypes.Structure):
    _fields_ = [('text', ctypes.c_char_p)]


class SeededOnTheGPU:
    __module__ = 'cupy.random._generator'


def read_by_next():
    reader = open(__file__)  # noqa: SIM115
    next(reader)
    return reader


@pytest.mark.parametrize(
    'make, message',
    [
        pytest.param(lambda: GENERATOR, f'the generator in Thing {ONE_WAY}', id='generator'),
        pytest.param(lambda: zip(GENERATOR, [1]), f'the generator in zip {ONE_WAY}', id='generator in zip'),
        pytest.param(lambda: itertools.tee([1])[0], f'the _tee in Thing {ONE_WAY}', id='tee'),
        pytest.param(lambda: itertools.groupby([1]), f'the groupby in Thing {ONE_WAY}', id='groupby'),
        pytest.param(lambda: np.arange(3).flat, f'the flatiter in Thing {ONE_WAY}', id='flat'),
        pytest.param(lambda: frozenset([itertools.count()]), f'the count in frozenset {ONE_WAY}', id='frozenset'),
        pytest.param(lambda: hashlib.md5(), f'the HASH in Thing {HIDDEN}', id='hash'),
        pytest.param(lambda: [zlib.compressobj()], f'the Compress in list {HIDDEN}', id='compressobj'),
        pytest.param(lambda: decimal.Context(), f'the Context in Thing {HIDDEN}', id='decimal.Context'),
        pytest.param(lambda: ctypes.pointer(ctypes.c_int(1)), f'the LP_c_int in Thing {POINTS}', id='pointer'),
        pytest.param(lambda: PointsTo(b'text'), f'the PointsTo in Thing {POINTS}', id='structure with a pointer'),
        pytest.param(
            lambda: contextvars.ContextVar('variable'),
            "the ContextVar in Thing has no value yet, so that it can't be put back after the range test; "
            'call its set() before',
            id='ContextVar',
        ),
        pytest.param(
            lambda: object.__new__(managers.DictProxy),
            "the DictProxy in Thing keeps its content in another process, so that it can't be put back after the range test; "
            'do without it there',
            id='manager',
        ),
        pytest.param(
            SeededOnTheGPU,
            "the SeededOnTheGPU in Thing keeps its state on the GPU, where it can't be read; "
            'draw from cupy.random itself for the range test',
            id='generator of CuPy',
        ),
        pytest.param(
            read_by_next,
            'the TextIOWrapper in Thing does not tell how far it has been read, as with next(), '
            "so that it can't be wound back after the range test",
            id='file read by next()',
        ),
    ],
)
def test_what_cannot_be_put_back_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        SavedState(Thing(it=make()))


def test_a_pipe_is_refused():
    ends = os.pipe()
    with open(ends[0]) as reader, open(ends[1], 'w'), pytest.raises(ValueError, match='TextIOWrapper in Thing does not tell'):
        SavedState(Thing(it=reader))


def test_a_data_set_may_be_of_whatever_it_wants():
    SavedState(Thing(dataset=Thing(reader=zlib.decompressobj())))


def test_a_generator_that_has_ended_is_no_trouble():
    generator = (number for number in [1])
    list(generator)
    SavedState(Thing(it=generator))


def test_what_can_not_be_read_is_refused():
    class Broken(np.random.RandomState):
        def get_state(self, legacy=True):
            raise RuntimeError('no way')

    message = r"^the Broken can't be read to be put back after the range test: RuntimeError\('no way'\)$"
    with pytest.raises(ValueError, match=message):
        SavedState(Thing(it=Broken()))


# ---- left alone


class Handler(logging.Handler):
    def __init__(self, records):
        super().__init__()
        self.records = records

    def emit(self, record):
        self.records.append(record.getMessage())


class Tee:
    """A stream of somebody's own."""

    def __init__(self):
        self.lines = []

    def write(self, text):
        self.lines.append(text)

    def flush(self):
        pass


@pytest.fixture
def logger():
    logger = logging.Logger('training')
    logger.addHandler(Handler([]))
    return logger


def test_a_logger_and_its_handlers_are_no_state_of_the_training(logger):
    saved = SavedState(Thing(logger=logger, adapter=logging.LoggerAdapter(logger, {}), say=logger.warning))
    saved.begin()
    logger.warning('loss %s', 0.5)
    logger.setLevel(logging.ERROR)
    saved.restore()
    assert logger.handlers[0].records == ['loss 0.5']
    assert logger.level == logging.ERROR


def test_streams_are_no_state_of_the_training(capsys, monkeypatch):
    lines = io.StringIO()
    monkeypatch.setattr(sys, 'stdout', lines)
    tee = Tee()
    saved = SavedState(Thing(out=sys.stdout, say=sys.stdout.write, tee=tee))
    print('line', file=lines)
    tee.write('line')
    saved.restore()
    assert lines.getvalue() == 'line\n'
    assert tee.lines == ['line']


def test_variables_of_modules_and_what_belongs_to_the_interpreter_are_left_alone(monkeypatch):
    module = types.ModuleType('notebook')
    module.rows = []
    monkeypatch.setitem(sys.modules, 'notebook', module)
    saved = SavedState(Thing(module=module, namespace=vars(module), path=sys.path, environment=os.environ))
    module.rows.append(1)
    module.other = 2
    sys.path.append('elsewhere')
    monkeypatch.setenv('LRFINDER_TEST', '1')
    saved.restore()
    assert (module.rows, module.other, sys.path.pop(), os.environ['LRFINDER_TEST']) == ([1], 2, 'elsewhere', '1')


def test_a_progress_bar_goes_on():
    with tqdm(total=5, file=io.StringIO()) as bar:
        saved = SavedState(Thing(bar=bar, update=bar.update))
        bar.update(2)
        saved.restore()
        assert bar.n == 2


def test_what_writes_and_is_called_is_no_stream():
    class Hook(Tee):
        def __call__(self, optimizer):
            self.write('line')

    hook = Hook()
    saved = SavedState(hook)
    hook(None)
    saved.restore()
    assert hook.lines == []


def test_only_what_is_referred_to_strongly_counts():
    thing = Thing(value=1)
    saved = SavedState(Thing(ref=weakref.ref(thing), proxy=weakref.proxy(thing)))
    thing.value = 2
    saved.restore()
    assert thing.value == 2


def test_a_model_is_a_model_whatever_else_it_is():
    class Model(logging.Filterer, chainer.Chain):
        def __init__(self):
            chainer.Chain.__init__(self)
            self.steps = 0

    model = Model()
    saved = SavedState(model)
    model.steps = 1
    saved.restore()
    assert model.steps == 0


class Color(enum.Enum):
    RED = 1


class Slotted:
    __slots__ = ('__weakref__', 'value')


@dataclasses.dataclass(frozen=True)
class Frozen:
    value: int = 0


def closed(stream):
    stream.close()
    return stream


def detached():
    stream = open(__file__)  # noqa: SIM115
    stream.detach()
    return stream


HARMLESS = {
    'lock': threading.Lock,
    'rlock': threading.RLock,
    'condition': threading.Condition,
    'semaphore': threading.Semaphore,
    'thread': threading.Thread,
    'queue': queue.Queue,
    'simple queue': queue.SimpleQueue,
    'queue of processes': multiprocessing.Queue,
    'lock of processes': multiprocessing.Lock,
    'process': multiprocessing.Process,
    'file': lambda: open(os.devnull, 'w'),  # noqa: SIM115
    'temporary file': tempfile.TemporaryFile,
    'named temporary file': tempfile.NamedTemporaryFile,
    'temporary directory': tempfile.TemporaryDirectory,
    'spooled file': tempfile.SpooledTemporaryFile,
    'socket': socket.socket,
    'finished process': lambda: subprocess.run([sys.executable, '-c', '']),
    'regex': lambda: re.compile('a'),
    'match': lambda: re.match('a', 'a'),
    'path': lambda: pathlib.Path('a'),
    'enum': lambda: Color.RED,
    'slots': Slotted,
    'frozen dataclass': Frozen,
    'datetime': datetime.datetime.now,
    'timedelta': datetime.timedelta,
    'timezone': lambda: datetime.timezone.utc,
    'Decimal': lambda: decimal.Decimal(1),
    'Fraction': lambda: fractions.Fraction(1, 2),
    'uuid': uuid.uuid4,
    'handler': logging.StreamHandler,
    'itemgetter': lambda: operator.itemgetter(1),
    'weak keys': weakref.WeakKeyDictionary,
    'weak values': weakref.WeakValueDictionary,
    'namespace': lambda: types.SimpleNamespace(a=1),
    'options': lambda: argparse.Namespace(a=1),
    'template': lambda: string.Template('a'),
    'ufunc': lambda: np.sin,
    'vectorize': lambda: np.vectorize(len),
    'dtype': lambda: np.dtype([('a', 'f4')]),
    'scalar': lambda: np.float64(1),
    'property': lambda: property(len),
    'slice': lambda: slice(1),
    'range': lambda: range(3),
    'object': object,
    'class': lambda: Thing,
    'module': lambda: np,
    'built-in function': lambda: len,
    'compiled method': lambda: np.random.rand,
    'type of a list': lambda: list[int],
    'stack': contextlib.ExitStack,
    'null context': contextlib.nullcontext,
    'library of C': lambda: ctypes.CDLL(None),
    'function of C': lambda: ctypes.CDLL(None).abs,
    'index': lambda: pd.Index([1]),
    'locked array of pandas': lambda: pd.Series(pd.Categorical(['a'])).array,
    'detached file': detached,
    'closed file': lambda: closed(open(__file__)),  # noqa: SIM115
    'closed buffer': lambda: closed(io.BytesIO()),
    'timestamp': lambda: pd.Timestamp(0),
    'groups': lambda: pd.DataFrame({'a': [1]}).groupby('a'),
    'system random': random.SystemRandom,
    'capturing function': lambda: functools.wraps(len)(lambda *args: len(*args)),
    'single dispatch': lambda: functools.singledispatch(len),
    'cached property': lambda: functools.cached_property(len),
    'generator function': lambda: read_by_next,
    'frame': sys._getframe,
}


@pytest.mark.parametrize('what', HARMLESS)
def test_ordinary_things_are_no_trouble(what):
    thing = Thing(it=HARMLESS[what]())
    it, saved = thing.it, SavedState(thing)
    saved.begin()
    saved.restore()
    assert thing.it is it
