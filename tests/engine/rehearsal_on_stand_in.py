"""What `test_gpu_rehearsal` runs in a process of its own, where a stand-in for CuPy (`stand_in_for_cupy`) is all there is."""

import lrfinder
from benchmarks import gpu as table
from clr.training.extensions import CLR
from lrfinder.cli.build import Builder
from lrfinder.cli.main import main
from lrfinder.cli.options import Options
from lrfinder.engine.state import preserved

import numpy as np
import pytest
import stand_in_for_cupy as stand_in
from chainer import training
from chainer.backends import cuda
from chainer.serializers import load_npz, save_npz


@pytest.fixture(autouse=True)
def nothing_refused():
    """After each test: no conversion has been refused, although the error may have been caught."""
    stand_in.refused.clear()
    stand_in.numpy_scalars.clear()
    stand_in.transfers.clear()
    yield
    assert stand_in.refused == []


@pytest.fixture
def transfers():
    """What has been brought over since :func:`built` has."""
    return stand_in.transfers


def built(device='0'):
    updater, evaluator = Builder(Options(device=device)).build(seed=0)
    stand_in.transfers.clear()
    return updater, evaluator


def trainer_with(updater, *extended, iterations):
    trainer = training.Trainer(updater, (iterations, 'iteration'))
    for extension in extended:
        trainer.extend(extension)
    return trainer


def bits(updater):
    """Everything that Chainer would save, and the gradients."""
    return table.contents(updater)


# ---- the stand-in itself


@pytest.mark.parametrize(
    'convert',
    [float, int, bool, complex, list, repr, str, '{}'.format, np.asarray, range(3).__getitem__, lambda a: 0 in a],
    ids=['float', 'int', 'bool', 'complex', 'list', 'repr', 'str', 'format', 'asarray', 'index', 'in'],
)
def test_what_is_not_asked_for_by_name_is_refused(convert):
    with pytest.raises(TypeError):
        convert(cuda.cupy.ones(()))
    assert len(stand_in.refused) == 1
    stand_in.refused.clear()


@pytest.mark.parametrize(
    'mix',
    [
        lambda here, there: here + there,
        lambda here, there: there + here,
        lambda here, there: np.concatenate([here, there]),
        lambda here, there: cuda.cupy.maximum(there, here),
        lambda here, there: there.__setitem__(..., here),
        lambda here, there: here.__setitem__(..., there),
        lambda here, there: here.__iadd__(there),
    ],
)
def test_arrays_of_numpy_do_not_mix_with_those_on_the_device(mix):
    with pytest.raises(TypeError):
        mix(np.ones(3), cuda.cupy.ones(3))
    assert len(stand_in.refused) == 1
    stand_in.refused.clear()


def test_what_is_asked_for_by_name_is_counted(transfers):
    array = cuda.cupy.arange(3) * 2
    found = array.get().tolist(), cuda.to_cpu(array[1:]).tolist(), cuda.cupy.asnumpy(array).tolist(), array[2].item()
    assert found == ([0, 2, 4], [2, 4], [0, 2, 4], 4)
    assert transfers == {'get': 3, 'item': 1}


# ---- find

validations = []  # a global variable, which find does not put back


def count_validation(evaluator):
    validations.append(evaluator)


def test_find_reads_ten_updates_at_once_and_two_numbers_of_a_validation(transfers):
    updater, evaluator = built()
    validations.clear()
    evaluator.eval_hook = count_validation
    suggestion = lrfinder.find(updater, evaluator=evaluator, quiet=True).suggestion
    runs = 7  # a scan, five trials and a ramp; each ends with what no full block has brought over
    assert transfers.keys() == {'get', 'item'}
    assert transfers['get'] <= suggestion.updates / 10 + runs
    assert transfers['item'] == 2 * len(validations) <= 40
    assert stand_in.numpy_scalars == set()  # kernels would be compiled anew for a rate of NumPy's


def test_find_does_so_without_an_evaluator(transfers):
    updater, _ = built()
    suggestion = lrfinder.find(updater, quiet=True).suggestion
    assert transfers.keys() == {'get', 'item'}
    assert transfers['get'] <= suggestion.updates / 10 + 7
    assert transfers['item'] <= 40


def test_the_range_is_that_of_the_cpu():
    there, here = (lrfinder.find(updater, evaluator=evaluator, quiet=True) for updater, evaluator in (built(), built('-1')))
    assert there.suggestion.value_range == pytest.approx(here.suggestion.value_range, rel=1e-3)


def test_training_goes_on_as_if_find_had_not_been():
    ends = []
    for finds in False, True:
        updater, evaluator = built()
        if finds:
            lrfinder.find(updater, evaluator=evaluator, quiet=True)
        for _ in range(20):
            updater.update()
        ends.append(bits(updater))
    assert ends[0] == ends[1]


def test_keeping_and_putting_back_brings_nothing_over(transfers):
    updater, evaluator = built()
    for _ in range(3):
        updater.update()
    before = bits(updater)
    transfers.clear()
    with preserved(updater, evaluator) as undo:
        for _ in range(2):
            updater.update()
            undo()
    assert transfers == {}
    assert bits(updater) == before


# ---- in a Trainer


def test_the_range_test_brings_values_over_at_every_tenth_update_alone(transfers):
    updater, evaluator = built()
    seen = []
    test = lrfinder.LRRangeTest('lr', (0.001, 0.1), 30)
    trainer = trainer_with(updater, test, iterations=30)
    trainer.extend(evaluator, trigger=(7, 'iteration'))
    trainer.extend(lambda trainer: seen.append(transfers.total()), trigger=(1, 'iteration'), priority=0, name='count')
    trainer.run()
    assert [update for update, more in enumerate(np.diff([0, *seen]), start=1) if more] == [10, 20, 30]
    assert transfers == {'get': 3}
    assert test.curve['main/loss'].notna().all()
    assert test.curve['validation/main/loss'].notna().sum() == 4
    assert stand_in.numpy_scalars == set()


def test_cycles_bring_nothing_over(transfers):
    updater, _ = built()
    trainer_with(updater, CLR('lr', (0.01, 0.1), 10), iterations=25).run()
    assert transfers == {}
    assert stand_in.numpy_scalars == set()


@pytest.mark.parametrize(
    'make_extension',
    [lambda: lrfinder.LRRangeTest('lr', (0.001, 0.1), 24), lambda: CLR('lr', (0.01, 0.1), 10)],
    ids=['LRRangeTest', 'CLR'],
)
def test_what_is_resumed_ends_as_what_ran_through(make_extension, tmp_path):
    through, _ = built()
    trainer_with(through, make_extension(), iterations=24).run()
    begun = trainer_with(built()[0], make_extension(), iterations=13)
    begun.run()
    save_npz(tmp_path / 'snapshot.npz', begun)
    resumed = trainer_with(built()[0], make_extension(), iterations=24)
    load_npz(tmp_path / 'snapshot.npz', resumed)
    resumed.run()
    assert bits(resumed.updater) == bits(through)


def test_the_rows_of_a_resumed_test_are_those_of_one_that_ran_through(tmp_path):
    tests = [lrfinder.LRRangeTest('lr', (0.001, 0.1), 24) for _ in range(3)]
    trainer_with(built()[0], tests[0], iterations=24).run()
    begun = trainer_with(built()[0], tests[1], iterations=13)
    begun.run()
    save_npz(tmp_path / 'snapshot.npz', begun)
    resumed = trainer_with(built()[0], tests[2], iterations=24)
    load_npz(tmp_path / 'snapshot.npz', resumed)
    resumed.run()
    assert tests[2].curve.equals(tests[0].curve)


# ---- the command, and the table of benchmarks.gpu


def test_the_command_finds_trains_and_goes_on(tmp_path, capsys):
    command = ['--device', '0', '--out', str(tmp_path)]
    assert main([*command, '--epoch', '1']) == 0
    assert 'Device: @cupy:0' in capsys.readouterr().out
    assert main([*command, '--resume', str(next(tmp_path.glob('snapshot*')))]) == 0
    assert (tmp_path / 'curve.csv').exists()


def test_the_table_says_what_is_met():
    plan = table.Plan(seeds=2, pairs=1, timed=Options(), network='MLP on digits', batch=32, updates=20)
    rows = [row for measure in table.measurements(plan) for row in table.measured(measure)]
    times = [row for row in rows if 'time' in row.what or 'seconds' in row.what]
    assert (len(rows), len(times)) == (8, 2)
    assert [row.what for row in rows if not row.met and row not in times] == []
    assert 'a stand-in' in table.platform_line()


def test_the_table_names_what_fails():
    def broken():
        raise ValueError('of a\nkind')

    (row,) = table.measured(broken)
    assert row == ('broken', 'ValueError: of a kind', 'no error', False)
    assert table.table([row]).splitlines()[-1] == '| broken | ValueError: of a kind | no error | failed |'


def test_the_waits_of_updates_that_wait_are_counted():
    class Waiting(training.Extension):
        trigger = 1, 'iteration'

        def __call__(self, trainer):
            for _ in range(trainer.updater.iteration % 3):
                trainer.observation['main/loss'].array.item()
            cuda.Stream.null.synchronize()

    plan = table.Plan(network='MLP on digits', batch=32, updates=6)
    assert table.waits(plan, lambda updates: Waiting()) == [2, 3, 1, 2, 3, 1]
    assert table.waits(plan, None) == [0] * 6
