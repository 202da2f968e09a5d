"""Range tests from several seeds: what they say together, and many at once through joblib."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import lrfinder
from lrfinder import NoRangeError, Suggestion
from lrfinder.cli.build import Builder
from lrfinder.cli.main import main
from lrfinder.cli.options import Options
from lrfinder.seeds import Outcome, expected_between, find_seeds, geometric_mean, joined

import joblib
import pandas as pd
import pytest

# A range test that takes part of a second.
SHORT = dict(value_range=(0.0, 1.0), iterations=40)


@pytest.fixture(scope='module')
def build():
    return Builder(Options(batchsize=64)).build


@pytest.fixture(scope='module')
def one_after_another(build):
    return find_seeds(build, range(3), **SHORT)


HANGS = 600  # seconds


def curve(*losses):
    return pd.DataFrame({'iteration': range(1, len(losses) + 1), 'lr': 0.1, 'main/loss': losses})


def found(seed, low, high, **fields):
    reasons = {'min': f'min of {seed}', 'max': f'max of {seed}', 'step_size': 'two epochs'}
    suggestion = Suggestion('lr', (low, high), 90, reasons=reasons, updates=100, **fields)
    return Outcome(seed, curve(2.0, 1.0), suggestion)


def not_found(seed):
    return Outcome(seed, curve(2.0, 2.0, 2.0), None, 'nothing was learned')


def environment():
    """That of a process that is to find the project."""
    return {**os.environ, 'PYTHONPATH': str(Path(lrfinder.__file__).parents[1])}


def wait_for(condition):
    until = time.monotonic() + HANGS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f'/proc/{process}/stat')
    return not stat.exists() or ' Z ' not in stat.read_text()


# What they say together


def test_each_bound_is_the_geometric_mean_and_the_spread_is_where_another_seed_is_expected():
    suggestion = joined([found(0, 0.01, 0.1), found(1, 0.02, 0.8), found(2, 0.04, 0.2)]).suggestion
    assert suggestion.value_range == (pytest.approx(0.02), pytest.approx(0.016 ** (1 / 3)))
    assert suggestion.spread == {'min': (0.01, 0.04), 'max': (0.1, 0.8)}  # where no seed says what it expects of others
    assert suggestion.updates == 300


@pytest.mark.parametrize(
    'values, mean', [([3.0], 3.0), ([0.1, 0.4], 0.2), ([8.0, 1.0, 2.0, 16.0], 4.0), ([0.0, 0.1], 0.0), ([0.1, 0.1], 0.1)]
)
def test_geometric_mean(values, mean):
    assert geometric_mean(values) == pytest.approx(mean, rel=1e-12)


def test_another_seed_is_expected_where_the_seeds_and_their_own_spreads_say():
    # One test by itself: its own interval.
    assert expected_between([0.1], [(0.05, 0.2)]) == (pytest.approx(0.05), pytest.approx(0.2))
    # Three that agree: their own variance counts thrice, and none between them is added to it twice more.
    low, high = expected_between([0.1, 0.1, 0.1], [(0.05, 0.2)] * 3)
    reach = 2 ** ((3 / 5 * 4 / 3 / 2) ** 0.5)
    assert (low, high) == (pytest.approx(0.1 / reach), pytest.approx(0.1 * reach))
    # Three that don't: further.
    apart = expected_between([0.01, 0.1, 1.0], [(0.05, 0.2)] * 3)
    assert apart[0] < 0.02 and apart[1] > 0.5
    assert expected_between([0.0, 0.1], [(0.0, 0.1), (0.05, 0.2)]) == (0.0, 0.1)


def test_the_trials_are_one_below_the_other_after_a_column_with_the_seed(one_after_another):
    assert one_after_another.trials.columns[0] == 'seed'
    assert one_after_another.trials['seed'].unique().tolist() == [0, 1, 2]
    assert one_after_another.scan['seed'].unique().tolist() == [0, 1, 2]


def test_the_band_is_the_mean_of_the_seeds_bands_and_it_diverges_where_the_lowest_does():
    outcomes = [found(0, 0.01, 0.1, band=(0.05, 0.2), diverges=0.3), found(1, 0.01, 0.1, band=(0.2, 0.8))]
    suggestion = joined(outcomes).suggestion
    assert suggestion.band == (pytest.approx(0.1), pytest.approx(0.4))
    assert suggestion.diverges == 0.3
    assert joined([*outcomes, found(2, 0.01, 0.1)]).suggestion.diverges is None


def test_the_reasons_are_those_of_the_seed_that_is_nearest_to_the_upper_bound():
    reasons = joined([found(0, 0.01, 0.1), found(1, 0.02, 0.8), found(2, 0.04, 0.2)]).suggestion.reasons
    assert reasons['max'] == 'the geometric mean of 3 seeds, 0.1 to 0.8; the nearest: max of 2'
    assert reasons['min'] == 'the geometric mean of 3 seeds, 0.01 to 0.04; the nearest: min of 2'
    assert reasons['step_size'] == 'two epochs'


def test_the_curves_are_one_below_the_other_after_a_column_with_the_seed():
    table = joined([found(5, 0.01, 0.1), found(6, 0.01, 0.1)]).curve
    assert list(table.columns) == ['seed', 'iteration', 'lr', 'main/loss']
    assert table['seed'].tolist() == [5, 5, 6, 6]
    assert table['iteration'].tolist() == [1, 2, 1, 2]


def test_a_warning_of_several_seeds_is_given_once():
    outcomes = [found(0, 0.1, 0.2, warnings=('few data',)), found(1, 0.1, 0.2, warnings=('few data', 'noise'))]
    assert joined(outcomes).suggestion.warnings == ('few data', 'noise')


def test_the_ramp_was_exhausted_where_it_was_for_most_seeds():
    assert joined([found(seed, 0.1, 0.2, exhausted=seed > 0) for seed in range(3)]).suggestion.exhausted
    assert not joined([found(seed, 0.1, 0.2, exhausted=seed > 1) for seed in range(3)]).suggestion.exhausted


def test_half_of_the_seeds_are_enough_and_the_others_are_a_warning():
    suggestion = joined([found(0, 0.01, 0.1), not_found(1)]).suggestion
    assert suggestion.value_range == (0.01, 0.1)
    assert suggestion.warnings == ('seed 1 gave no range: nothing was learned',)
    assert suggestion.updates == 103


def test_less_than_half_of_the_seeds_give_no_range_but_their_curves():
    with pytest.raises(NoRangeError, match=r'^only 1 of 3 seeds gave a range; seed 1: nothing was learned$') as caught:
        joined([found(0, 0.01, 0.1), not_found(1), not_found(2)])
    assert caught.value.curve['seed'].tolist() == [0, 0, 1, 1, 1, 2, 2, 2]


# One after another


def test_one_seed_alone_answers_as_find_does(build):
    alone = find_seeds(build, [7], **SHORT)
    updater, evaluator = build(7)
    same = lrfinder.find(updater, evaluator=evaluator, **SHORT)
    pd.testing.assert_frame_equal(alone.curve, same.curve)
    assert alone.suggestion == same.suggestion


def test_no_seed_and_no_job_are_refused(build):
    with pytest.raises(ValueError, match='seeds must name one seed or more'):
        find_seeds(build, [])
    for jobs in 0, 1.5, True:
        with pytest.raises(ValueError, match='jobs must be a whole number'):
            find_seeds(build, [0, 1], jobs=jobs)


@pytest.mark.parametrize('seeds', [None, 3, 'ab', [0.5, 1.5], ['a', 'b'], [[0], [1]], [True, 2], {0: 1}])
def test_seeds_are_whole_numbers(build, seeds):
    with pytest.raises(ValueError, match=r'^seeds must be a list of whole numbers, such as range'):
        find_seeds(build, seeds)


def test_a_seed_that_comes_twice_says_no_more_than_once(build):
    with pytest.raises(ValueError, match=r'^seeds must differ, as equal ones give equal answers: \[0, 1, 0\]$'):
        find_seeds(build, [0, 1, 0])


@pytest.mark.parametrize(
    'options, error, message',
    [
        ({'jobs': -2}, ValueError, 'jobs must be a whole number, 1 or more, or -1 for every core, not -2'),
        ({'on_row': 3}, ValueError, r'on_row must be a function to be called as on_row\(rate, loss\), not 3'),
        ({'on_outcome': 3}, ValueError, r'on_outcome must be a function to be called as on_outcome\(outcome\), not 3'),
        ({'evaluator': 3}, ValueError, r'evaluator is what build\(seed\) returns beside the updater'),
        ({'epochs': 3}, TypeError, r"find_seeds\(\) got an unexpected keyword argument 'epochs'"),
    ],
)
def test_what_is_asked_is_looked_at_before_anything_is_built(options, error, message):
    def build(seed):
        raise AssertionError

    with pytest.raises(error, match=f'^{message}'):
        find_seeds(build, [0, 1], **options)


@pytest.mark.parametrize('build', [None, 3, lambda: None])
def test_what_can_not_be_called_with_a_seed_builds_nothing(build):
    with pytest.raises(ValueError, match=r'^build must be a function to be called as build\(seed\)'):
        find_seeds(build, [0, 1])


@pytest.mark.parametrize('made', [None, 3, (1,), (1, 2, 3)])
@pytest.mark.parametrize('seeds', [[0], [0, 1]])
def test_what_is_built_is_a_pair(made, seeds):
    with pytest.raises(ValueError, match=r'^build\(seed\) must return an updater and its evaluator or None, as a pair, not '):
        find_seeds(lambda seed: made, seeds)


def test_an_interruption_carries_what_was_recorded_before(build):
    def build_two(seed):
        if seed == 2:
            raise KeyboardInterrupt
        return build(seed)

    with pytest.raises(KeyboardInterrupt) as caught:
        find_seeds(build_two, range(4), **SHORT)
    assert caught.value.curve['seed'].unique().tolist() == [0, 1]


def test_an_interruption_carries_what_the_unfinished_test_has_recorded(build):
    def interrupt(rate, loss):
        if rate > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        find_seeds(build, [8, 9], on_row=interrupt, **SHORT)
    assert caught.value.curve['seed'].unique().tolist() == [8]
    assert caught.value.curve['lr'].iloc[-1] > 0.5


def test_what_is_done_is_told_and_need_not_be_done_again(build, one_after_another):
    told = []
    find_seeds(build, range(2), on_outcome=told.append, **SHORT)
    assert [outcome.seed for outcome in told] == [0, 1]
    again = find_seeds(build, range(3), done=[told[1]], on_outcome=told.append, **SHORT)
    assert [outcome.seed for outcome in told] == [0, 1, 0, 2]
    pd.testing.assert_frame_equal(again.curve, one_after_another.curve, check_exact=True)
    assert again.suggestion == one_after_another.suggestion


# Many at once


@pytest.mark.parametrize('backend', ['loky', 'multiprocessing'])
def test_the_answer_is_that_of_one_after_another(backend, build, one_after_another):
    rows = []
    with joblib.parallel_config(backend):
        at_once = find_seeds(build, range(3), jobs=2, on_row=lambda rate, loss: rows.append((rate, loss)), **SHORT)
    pd.testing.assert_frame_equal(at_once.curve, one_after_another.curve, check_exact=True)
    assert at_once.suggestion == one_after_another.suggestion
    ends = at_once.curve.groupby('seed').last()
    assert sorted(rows) == sorted(zip(ends['lr'], ends['main/loss']))


def test_one_that_is_slow_holds_up_no_other(build, tmp_path):
    told = []

    def build_two(seed):
        while seed == 0 and not (tmp_path / 'told').exists():
            time.sleep(0.01)
        return build(seed)

    def tell(outcome):
        told.append(outcome.seed)
        (tmp_path / 'told').touch()

    find_seeds(build_two, range(2), jobs=2, on_outcome=tell, **SHORT)
    assert told == [1, 0]


def test_a_process_that_is_killed_is_told_and_what_was_found_before_is_kept(build):
    def build_two(seed):
        if seed == 3:
            os.kill(os.getpid(), signal.SIGKILL)  # as the system does when memory runs out
        return build(seed)

    with pytest.raises(RuntimeError, match='one of the processes was killed, as when memory runs out') as caught:
        find_seeds(build_two, range(4), jobs=1 + 1, **SHORT)
    assert caught.value.curve['seed'].iloc[0] == 0


def test_threads_of_one_process_take_turns(build, one_after_another):
    with joblib.parallel_config('threading'):
        at_once = find_seeds(build, range(3), jobs=3, **SHORT)
    pd.testing.assert_frame_equal(at_once.curve, one_after_another.curve, check_exact=True)


def test_a_scheduler_of_dask_carries_them(build, one_after_another, tmp_path):
    distributed = pytest.importorskip('distributed')
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host='127.0.0.1')

    def build_and_tell(seed):
        (tmp_path / str(os.getpid())).touch()
        return build(seed)

    with cluster, distributed.Client(cluster) as client, joblib.parallel_config('dask'):
        at_once = find_seeds(build_and_tell, range(3), jobs=3, **SHORT)
        assert {int(path.name) for path in tmp_path.iterdir()} <= set(client.run(os.getpid).values())
    pd.testing.assert_frame_equal(at_once.curve, one_after_another.curve, check_exact=True)
    assert at_once.suggestion == one_after_another.suggestion


@pytest.mark.parametrize('jobs', [1, 2])
def test_each_has_one_thread_for_linear_algebra(jobs):
    def build_nothing(seed):
        from threadpoolctl import threadpool_info

        limits = {pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'}
        raise ValueError(f'threads: {limits}')

    with pytest.raises(ValueError, match=r'threads: \{1\}'):
        find_seeds(build_nothing, range(2), jobs=jobs)


def test_the_arrays_of_a_build_may_be_changed_in_place(build):
    """joblib's own way with large arrays is to lend them to be read only."""

    class Large(Builder):
        def build(self, seed):
            self.large += 1
            return super().build(seed)

    large = Large(Options(batchsize=64))
    large.large = pd.Series(range(500_000)).to_numpy(copy=True)
    with joblib.parallel_config('loky'):
        assert len(find_seeds(large.build, range(2), jobs=2, **SHORT).curve)


def test_ctrl_c_ends_them_all(tmp_path):
    script = """
        import os, time
        from lrfinder.seeds import find_seeds

        def make():
            def build(seed):
                open(f'started{os.getpid()}', 'w').close()
                time.sleep(1000)
            return build

        if __name__ == '__main__':
            find_seeds(make(), range(4), jobs=2)
    """
    (tmp_path / 'script.py').write_text(textwrap.dedent(script))
    command = [sys.executable, 'script.py']
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    while len(started := [int(path.name[7:]) for path in tmp_path.glob('started*')]) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(started) == 2
    process.send_signal(signal.SIGINT)
    assert 'KeyboardInterrupt' in process.communicate(timeout=600)[1]
    for pid in started:
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _runs(pid)


def _runs(pid):
    with contextlib.suppress(OSError):
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    return False


def test_without_joblib_the_error_says_what_to_install(build, monkeypatch):
    monkeypatch.setitem(sys.modules, 'joblib', None)
    with pytest.raises(ValueError, match=r"more than one job needs joblib: pip install 'chainer-lrfinder\[jobs\]'"):
        find_seeds(build, range(2), jobs=2)


# The command


def test_the_command_writes_the_same_files_whatever_the_jobs(tmp_path, user_module):
    user_module(
        'users',
        """
        import chainer, numpy as np

        class Points(chainer.dataset.DatasetMixin):
            x = np.random.RandomState(0).normal(size=(300, 2)).astype('f')

            def __len__(self):
                return len(self.x)

            def get_example(self, i):
                return self.x[i], np.int32(self.x[i, 0] * self.x[i, 1] > 0)

        def points():
            return Points()
        """,
    )
    arguments = ['--dataset', 'users:points', '--seeds', '2', '--quiet', '--value-range', '0', '1', '--iterations', '30']
    assert main([*arguments, '--jobs', '1', '--out', '1']) == 0
    subprocess.run([sys.executable, '-m', 'lrfinder', *arguments, '--jobs', '2', '--out', '2'], env=environment(), check=True)
    for name in 'curve.csv', 'suggestion.json', 'range_test.png':
        assert (tmp_path / '1' / name).read_bytes() == (tmp_path / '2' / name).read_bytes()
    assert lrfinder.read_curve(tmp_path / '2' / 'curve.csv')['seed'].unique().tolist() == [0, 1]


def test_the_command_says_what_more_than_one_job_needs(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'joblib', None)
    assert main(['--seeds', '2', '--jobs', '2']) == 2
    assert capsys.readouterr().err == "lrfinder: error: --jobs 2 needs joblib: pip install 'chainer-lrfinder[jobs]'\n"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, 'getppid') or os.name == 'nt', reason='an orphan has another parent on POSIX alone')
def test_whoever_works_for_a_process_that_is_killed_ends_with_it(tmp_path):
    code = f"""
        import os, time
        from pathlib import Path
        from lrfinder.engine.processes import at_once

        def work(number):
            (Path({str(tmp_path)!r}) / str(os.getpid())).touch()
            time.sleep({HANGS})

        list(at_once(work, [(0,), (1,)], 2))
    """
    command = [sys.executable, '-c', textwrap.dedent(code)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as parent:
        wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
        parent.kill()
    for path in tmp_path.iterdir():
        wait_for(lambda number=int(path.name): not is_alive(number))
