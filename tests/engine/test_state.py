"""What is put back after a range test, what is left alone, and what is refused."""

import collections
import csv
import functools
import io
import itertools
import random
import re
import signal
import sqlite3
import threading
import time
import tracemalloc

import clr  # noqa: F401  makes Chainer importable
from lrfinder.engine.prefetch import await_rest
from lrfinder.engine.state import SavedState, preserved

import chainer
import chainer.links as L
import numpy as np
import pandas as pd
import pytest
from chainer import iterators, optimizers, training
from chainer.training import extensions

DATA = [(np.full(3, i, np.float32), np.int32(i % 2)) for i in range(20)]


class Thing:
    """Whatever the user has."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


def begun(*things):
    saved = SavedState(*things)
    saved.begin()
    return saved


class Slotted:
    __slots__ = ('__private', 'empty', 'full')

    def __init__(self):
        self.__private, self.full = 1, [2]

    def change(self):
        self.__private, self.empty = 5, 6
        del self.full

    def state(self):
        return self.__private, getattr(self, 'full', None), hasattr(self, 'empty')


def updater_of(iterator, **options):
    optimizer = optimizers.SGD(0.1).setup(L.Classifier(L.Linear(3, 2, initialW=0.1)))
    return training.StandardUpdater(iterator, optimizer, **options)


# ---- everything is put back, in place


def changed_in_place():
    thing = Thing(number=1, array=np.arange(3.0), gone=5)

    def change():
        thing.number, thing.new = 2, 3
        thing.array *= 2
        del thing.gone

    return thing, change, lambda: (thing.number, thing.array.tolist(), list(vars(thing)))


def changed_containers():
    inner = [1, 2]
    queue, ordered = collections.deque([1, 2, 3], maxlen=3), collections.OrderedDict(a=inner, b=2)
    thing = Thing(list=inner, dict=ordered, set={1, 2}, deque=queue, tuple=(inner, {'k': inner}))

    def change():
        thing.set.add(3)
        queue.append(4)
        ordered.move_to_end('a')
        ordered['c'] = inner.append(3)
        thing.tuple[1].clear()

    return thing, change, lambda: (inner, list(ordered.items()), thing.set, list(queue), queue.maxlen, thing.tuple[1])


def changed_arrays():
    objects = np.array([[1], None, 'x'], dtype=object)
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    floats = np.array([np.nan, -0.0, np.inf, 1e-310])
    thing = Thing(objects=objects, masked=masked, view=floats[::-1], empty=np.zeros((0, 3)), scalar=np.array(7))

    def change():
        objects[0].append(2)
        objects[1:] = 0
        masked[:] = 5
        floats[...] = 1
        thing.scalar += 1

    return thing, change, lambda: (objects.tolist(), masked.tolist(), floats.tobytes(), thing.scalar.item())


def changed_subclasses():
    class Named(dict):
        pass

    class Counted(list):
        pass

    named, counted = Named(a=1), Counted([1])
    named.calls, counted.calls = [0], 0

    def change():
        named.calls[0] = 1
        counted.calls = 1
        named['a'] = counted.append(2)

    return [named, counted], change, lambda: (dict(named), named.calls, list(counted), counted.calls)


def changed_slots():
    slotted = Slotted()
    return {'key': slotted}, slotted.change, slotted.state


def changed_keys():
    key = Thing(value=1)
    return {key: None}, lambda: setattr(key, 'value', 2), lambda: key.value


def changed_closures():
    total, emptied, filled = 0, 1, None
    del filled

    def count(step, *, history=[]):  # noqa: B006
        nonlocal total, emptied, filled
        total += step
        history.append(total)
        filled = emptied
        del emptied

    def state():
        return total, count.__kwdefaults__['history'], [cell_is_empty(cell) for cell in count.__closure__]

    hook = functools.partial(count, 3)
    return Thing(hook=hook), hook, state


def cell_is_empty(cell):
    try:
        return cell.cell_contents is None
    except ValueError:
        return True


def changed_generators():
    found = [random.Random(1), np.random.default_rng(1), np.random.Generator(np.random.SFC64(1)), np.random.Philox(1)]
    found += [np.random.RandomState(1), np.random.RandomState(np.random.PCG64(1))]
    draw = [getattr(one, 'random', None) or getattr(one, 'random_raw', None) or one.standard_normal for one in found]

    def state():
        later = [found[0].getstate(), *(one.get_state(legacy=False) for one in found[4:])]
        return later, [getattr(one, 'bit_generator', one).state for one in found[1:4]]

    return found, lambda: [one() for one in draw], state


def changed_globals():
    draws = random.random, np.random.standard_normal
    return None, lambda: [draw() for draw in draws], lambda: repr((random.getstate(), np.random.get_state()))


CHANGES = [
    changed_in_place,
    changed_containers,
    changed_arrays,
    changed_subclasses,
    changed_slots,
    changed_keys,
    changed_closures,
    changed_generators,
    changed_globals,
]


@pytest.mark.parametrize('make', CHANGES)
def test_what_has_changed_is_put_back(make):
    thing, change, state = make()
    before = repr(state())
    saved = begun(thing)
    for _ in range(2):
        change()
        assert repr(state()) != before
        saved.restore()
        assert repr(state()) == before


def test_generators_go_on_with_the_same_numbers():
    generator = np.random.default_rng(1)
    saved = begun(generator)
    first = generator.random(3).tolist()
    saved.restore()
    assert generator.random(3).tolist() == first


def test_replaced_objects_come_back_themselves():
    array = np.zeros(2)
    thing = Thing(array=array, inner=Thing(value=1))
    inner, saved = thing.inner, begun(thing)
    inner.value, array[0] = 2, 1
    thing.array = thing.inner = None
    saved.restore()
    assert thing.array is array
    assert thing.inner is inner
    assert (inner.value, array.tolist()) == (1, [0, 0])


def test_what_has_not_changed_is_not_touched():
    class Watched:
        def __setattr__(self, name, value):
            raise AssertionError('touched')

    frame = pd.DataFrame({'a': [0.0, 1.0]})
    values = frame._mgr.arrays[0]
    thing = Thing(watched=Watched(), locked=np.zeros(1), frame=frame)
    thing.locked.flags.writeable = False
    begun(thing).restore()
    assert not thing.locked.flags.writeable
    assert frame._mgr.arrays[0] is values


def test_an_error_does_not_keep_the_rest_from_being_put_back():
    first, closed, last = (io.BytesIO(b'found') for _ in range(3))
    saved = begun([first, closed, last])
    for stream in (first, last):
        stream.write(b'changed')
    closed.close()
    with pytest.raises(ValueError, match='closed file'):
        saved.restore()
    assert [stream.getvalue() for stream in (first, last)] == [b'found', b'found']


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM])
def test_a_signal_waits_until_everything_is_put_back(number):
    class Signals(np.random.RandomState):
        def set_state(self, state):
            signal.raise_signal(number)
            super().set_state(state)

    def handle(*_):
        raise KeyboardInterrupt

    streams = [io.BytesIO(b'found') for _ in range(2)]
    generator = Signals(0)
    saved = SavedState([streams[0], generator, streams[1]])
    for stream in streams:
        stream.write(b'changed')
    earlier = signal.signal(number, handle)
    try:
        with pytest.raises(KeyboardInterrupt):
            saved.restore()
        assert signal.getsignal(number) is handle
    finally:
        signal.signal(number, earlier)
    assert [stream.getvalue() for stream in streams] == [b'found', b'found']


def test_it_works_in_a_thread():
    values, saved = {'a': 1}, []

    def work():
        saved.append(begun(values))
        values['a'] = 2
        saved[0].restore()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert values == {'a': 1}


def test_a_cycle_of_references_is_no_trouble():
    thing = Thing()
    thing.itself, thing.list = thing, [thing]
    thing.list.append(thing.list)
    saved = begun(thing)
    thing.list.clear()
    saved.restore()
    assert len(thing.list) == 2


def test_deep_nesting_is_no_trouble():
    nest = [0]
    for _ in range(20_000):
        nest = [nest]
    begun(nest).restore()


def test_threads_queues_and_files_are_left_alone(tmp_path):
    thread = threading.Thread(target=lambda: None)
    with open(tmp_path / 'log', 'w') as file:
        saved = begun(Thing(thread=thread, file=file, wait=threading.Event(), odds=[random.SystemRandom(), re, Thing, len]))
        thread.start()
        thread.join()
        file.write('line')
        saved.restore()
    assert not thread.is_alive()
    assert (tmp_path / 'log').read_text() == 'line'


# ---- data sets and results


def test_a_data_set_is_not_copied():
    pixels = np.zeros((20_000, 250), np.float32)  # 20 MB
    rows = list(pixels)
    data = chainer.datasets.TupleDataset(pixels, rows)
    halves = chainer.datasets.SubDataset(data, 0, 10_000)
    updater = updater_of(iterators.SerialIterator(halves, 4))
    updater.loss_func = lambda *_: data  # wherever else it hangs
    tracemalloc.start()
    saved = begun(updater)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    saved.restore()
    assert size < 500_000


def test_the_activations_behind_a_kept_result_are_not_copied():
    x = chainer.Variable(np.ones((1000, 1000), np.float32))
    model = Thing(loss=chainer.functions.sum(chainer.functions.relu(x * 2)))
    tracemalloc.start()
    saved = begun(model)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    saved.restore()
    assert size < 100_000


def train(updater):
    for _ in range(3):
        updater.update()


def try_rates(updater):
    with preserved(updater) as undo:
        for _ in range(3):
            undo()
            train(updater)


def memory_of(run, before):
    """How much there is at most while an updater runs that has made some updates before, in sizes of its model."""
    tracemalloc.start()
    try:
        optimizer = optimizers.Adam().setup(L.Classifier(L.Linear(1000, 500)))
        data = [(np.zeros(1000, np.float32), np.int32(0))] * 9
        updater = training.StandardUpdater(iterators.SerialIterator(data, 3), optimizer)
        for _ in range(before):
            updater.update()
        tracemalloc.reset_peak()
        run(updater)
        return tracemalloc.get_traced_memory()[1] / (1000 * 500 * 4)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize('before, expected', [(0, 2), (1, 4)])
def test_the_model_its_gradients_and_the_state_of_its_optimizer_are_kept_once(before, expected):
    # Weights and gradients; and, once the optimizer has stepped, Adam's two moments.
    assert memory_of(try_rates, before) - memory_of(train, before) == pytest.approx(expected, abs=0.1)


def plain_gradient(weight):
    return weight


def gradient_held_elsewhere(weight):
    return Thing(weight=weight, all=[weight.grad, (weight.grad,)], boxed=np.array([weight.grad, None], object))


def view_of_a_buffer(weight):
    buffer = np.zeros(10, np.float32)
    weight.grad = buffer[:4].reshape(2, 2)
    return Thing(weight=weight, buffer=buffer)


def gradient_with_a_graph(weight):
    x = weight * weight
    chainer.functions.sum(x * x).backward(enable_double_backprop=True)
    assert weight.grad_var.creator is not None
    return weight


@pytest.mark.parametrize('make', [plain_gradient, gradient_held_elsewhere, view_of_a_buffer, gradient_with_a_graph])
def test_gradients_are_put_back(make):
    weight = chainer.Parameter(np.ones((2, 2), np.float32))
    weight.grad = np.full((2, 2), 3, np.float32)
    held = make(weight)
    gradient, variable, before = weight.grad, weight.grad_var, weight.grad.copy()
    saved = begun(held)
    for _ in range(2):
        assert (weight.grad == before).all()
        weight.grad += 5
        saved.begin()
        assert (weight.grad == before).all()
        weight.cleargrad()
        saved.begin()
    saved.restore()
    assert weight.grad is gradient
    assert weight.grad_var is variable
    assert (gradient == before).all()


def test_a_data_set_keeps_its_attributes_and_generators():
    data = Thing(random=np.random.RandomState(1), reads=0, order=[0, 1, 2], pixels=np.zeros(3))
    state = repr(data.random.get_state())
    saved = begun(Thing(dataset=data))
    data.reads, data.pixels[0] = 1, 1
    data.random.rand()
    data.order.reverse()
    saved.restore()
    assert (data.reads, data.order, repr(data.random.get_state())) == (0, [0, 1, 2], state)
    assert data.pixels[0] == 1  # only read, as a rule


def test_a_model_that_a_data_set_refers_to_is_kept_all_the_same():
    model = L.Linear(2, 2)
    saved = begun(Thing(dataset=Thing(model=model), model=model))
    before = model.W.array.copy()
    model.W.array += 1
    saved.restore()
    assert (model.W.array == before).all()


def test_the_graph_of_a_kept_result_is_whole_again():
    weight = chainer.Parameter(np.ones((1, 1), np.float32))
    result = chainer.functions.sum(chainer.functions.matmul(weight, weight) * 3)
    saved = begun(Thing(loss=result))
    result.unchain_backward()
    saved.restore()
    weight.cleargrad()
    result.backward()
    assert weight.grad.item() == 6


# ---- iterators that read ahead


class SlowSampler:
    """Draws the next order from the global generator, late."""

    def __call__(self, order, position):
        time.sleep(0.03)
        return np.random.permutation(len(order))


class SlowData(list):
    """Draws from the global generator, late."""

    def __getitem__(self, index):
        time.sleep(0.002)
        return list.__getitem__(self, index)[0] + np.float32(np.random.rand()), np.int32(0)


def positions(make, disturb):
    np.random.seed(0)
    iterator = make()
    seen = []
    for _ in range(6):
        seen.append([x[0].item() for x, _ in iterator.next()])
        disturb(iterator)
    await_rest(iterator)
    iterator.finalize()
    return seen


def read_on(iterator):
    updater = updater_of(iterator, converter=lambda batch, device: chainer.dataset.concat_examples([DATA[0]] * len(batch)))
    with preserved(updater) as restore:
        assert type(iterator) is iterators.SerialIterator
        for _ in range(2):
            for _ in range(3):
                updater.update()
            restore()
        np.random.rand(5)


AHEAD = {
    'multiprocess': lambda: iterators.MultiprocessIterator(DATA, 8, n_processes=1, order_sampler=SlowSampler()),
    'multiprocess, three ahead': lambda: iterators.MultiprocessIterator(
        DATA, 8, n_processes=1, n_prefetch=3, order_sampler=SlowSampler()
    ),
    'multithread': lambda: iterators.MultithreadIterator(SlowData(DATA), 8, order_sampler=SlowSampler()),
}


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
@pytest.mark.parametrize('kind', AHEAD)
def test_what_was_read_ahead_is_kept(kind):
    undisturbed = positions(AHEAD[kind], lambda iterator: None)
    assert positions(AHEAD[kind], read_on) == undisturbed
    assert len({tuple(batch) for batch in undisturbed}) == 6


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_the_block_reads_what_would_come_next():
    iterator = iterators.MultiprocessIterator(DATA, 8, shuffle=False, n_processes=1)
    updater = updater_of(iterator)
    updater.update()
    with preserved(updater):
        assert [x[0] for x, _ in iterator.next()] == list(range(8, 16))
        assert (iterator.epoch_detail, iterator.previous_epoch_detail) == (0.8, 0.4)
    assert type(iterator) is iterators.MultiprocessIterator
    assert (iterator.epoch_detail, iterator.previous_epoch_detail) == (
        0.4,
        None if iterator._previous_epoch_detail < 0 else 0.0,
    )
    assert [x[0] for x, _ in iterator.next()] == list(range(8, 16))
    iterator.finalize()


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_finalized_iterators_are_no_trouble():
    iterator = iterators.MultiprocessIterator(DATA, 8, n_processes=1)
    updater = updater_of(iterator)
    updater.update()
    iterator.finalize()
    with preserved(updater):
        updater.update()
    assert updater.iteration == 1


# ---- what can't be put back is refused, before anything is touched


class Unserializable(chainer.dataset.Iterator):
    epoch, is_new_epoch = 0, False

    def __next__(self):
        raise AssertionError('touched')


class BadlySerializable(Unserializable):
    def serialize(self, serializer):
        raise RuntimeError('no way')


def in_converter(stream):
    return updater_of(iterators.SerialIterator(DATA, 4), converter=functools.partial(zip, stream))


REFUSED = [
    (
        lambda: updater_of(Unserializable()),
        "the iterator Unserializable has no serialize(), so that its position can't be put back; "
        'use one of chainer.iterators, or give it serialize()',
    ),
    (
        lambda: updater_of(BadlySerializable()),
        "BadlySerializable.serialize() fails, so that its position can't be put back: RuntimeError('no way')",
    ),
    (
        lambda: updater_of({'main': iterators.SerialIterator(DATA, 4), 'more': Unserializable()}),
        "the iterator Unserializable has no serialize(), so that its position can't be put back; "
        'use one of chainer.iterators, or give it serialize()',
    ),
    (
        lambda: in_converter(i for i in range(3)),
        "the generator in tuple can't be wound back after the range test; do without it there",
    ),
    (
        lambda: updater_of(iterators.SerialIterator(DATA, 4), loss_func=Thing(stream=csv.reader(['a']))),
        "the reader in Thing can't be wound back after the range test; do without it there",
    ),
]


@pytest.mark.parametrize('make, message', REFUSED)
def test_what_cannot_be_put_back_is_refused(make, message):
    updater = make()
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'), preserved(updater):
        raise AssertionError('entered')


def test_updaters_in_other_processes_are_refused():
    updater = object.__new__(training.updaters.MultiprocessParallelUpdater)
    with pytest.raises(ValueError, match='MultiprocessParallelUpdater keeps state in other processes'), preserved(updater):
        raise AssertionError('entered')


@pytest.mark.filterwarnings('ignore::FutureWarning')
def test_pipelines_of_dali_are_refused():
    updater = updater_of(iterators.DaliIterator(Thing(batch_size=4)))
    with pytest.raises(ValueError, match="DaliIterator can't be put back, since its serialize"), preserved(updater):
        raise AssertionError('entered')


def test_an_evaluator_may_have_any_iterator():
    class OnePass(Unserializable):
        repeat = False

        def reset(self):
            self.left = [DATA[:4], DATA[4:8]]

        def __next__(self):
            if not self.left:
                raise StopIteration
            return self.left.pop()

    updater = updater_of(iterators.SerialIterator(DATA, 4))
    evaluator = extensions.Evaluator(OnePass(), updater.get_optimizer('main').target)
    with preserved(updater, evaluator):
        assert 'main/loss' in evaluator()
    assert not hasattr(evaluator.get_iterator('main'), 'left')


def test_nothing_is_touched_where_something_is_refused():
    sampler = np.random.RandomState(0)
    ahead = iterators.MultithreadIterator(DATA, 4, order_sampler=iterators.ShuffleOrderSampler(sampler))
    updater = updater_of({'main': ahead, 'more': BadlySerializable()})
    state = repr(sampler.get_state())
    with pytest.raises(ValueError), preserved(updater):
        raise AssertionError('entered')
    assert type(ahead) is iterators.MultithreadIterator
    assert repr(sampler.get_state()) == state


class Untold:
    """Says that it knows how to be told its position, and does not."""

    def __next__(self):
        return next(self.batches)


@pytest.mark.parametrize(
    ('batches', 'name'),
    [
        (lambda: (number for number in itertools.count()), 'generator'),
        (lambda: itertools.tee(itertools.count())[0], '_tee'),
        (lambda: sqlite3.connect(':memory:').execute('select 1'), 'Cursor'),
    ],
)
def test_an_iterator_that_does_not_make_itself_a_new_generator_is_refused(batches, name):
    class Iterator(Untold, chainer.dataset.Iterator):
        def __init__(self):
            self.batches, self.seen = batches(), 0

        def serialize(self, serializer):
            self.seen = serializer('seen', self.seen)

    with pytest.raises(ValueError, match=f"^the {name} in Iterator can't be wound back"):
        SavedState(Iterator())


def test_an_iterator_may_open_its_file_anew(tmp_path):
    (tmp_path / 'lines').write_text('first\nsecond\n')

    class Lines(Untold, chainer.dataset.Iterator):
        def __init__(self):
            self.serialize(lambda name, value: 0)

        def __next__(self):
            self.seen += 1
            return next(self.batches)

        def serialize(self, serializer):
            self.seen = int(serializer('seen', getattr(self, 'seen', 0)))
            self.batches = open(tmp_path / 'lines')  # noqa: SIM115
            for _ in range(self.seen):
                next(self.batches)

    iterator = Lines()
    assert next(iterator) == 'first\n'
    state = SavedState(iterator)
    state.begin()
    assert next(iterator) == 'second\n'
    state.begin()
    assert next(iterator) == 'second\n'
    state.restore()
    assert (iterator.seen, next(iterator)) == (1, 'second\n')
