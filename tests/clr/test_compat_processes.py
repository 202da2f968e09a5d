"""Processes that Chainer, or the user, starts can use Chainer too, however Python starts them; none is waited for in vain."""

import json
import multiprocessing
import pathlib
import subprocess
import sys
import textwrap

import clr

import chainer
import numpy as np
import pytest
from chainer.iterators import MultiprocessIterator
from chainer.training.extensions import snapshot_writers

ROOT = pathlib.Path(clr.__file__).parents[1]
LIMIT = 200  # seconds, on a busy machine; what hangs is stopped then
ANEW = ['spawn', 'forkserver']  # the process begins with nothing but Python
METHODS = ['fork', *ANEW]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT)]


@pytest.fixture(params=METHODS)
def method(request):
    """Has processes started so, for a test."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(request.param, force=True)
    yield request.param
    multiprocessing.set_start_method(before, force=True)


@pytest.fixture
def run(tmp_path):
    """Runs a script, where no installation prepares a Python for Chainer when it starts."""
    paths = [str(tmp_path), str(ROOT), *(path for path in sys.path if path.endswith('-packages'))]

    def run(script, **modules):
        for name, source in modules.items():
            (tmp_path / f'{name}.py').write_text(textwrap.dedent(source))
        path = tmp_path / 'script.py'
        path.write_text(f'import sys\nsys.path[:0] = {paths!r}\n' + textwrap.dedent(script))
        return subprocess.run([sys.executable, '-S', path], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT)

    return run


def printed(result):
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


# ---- Chainer in other processes


def test_from_pytest_an_iterator_with_processes_gives_every_example(method):
    data = chainer.datasets.TupleDataset(np.arange(6, dtype='f'), np.arange(6))
    iterator = MultiprocessIterator(data, 2, repeat=False, shuffle=False, n_processes=2)
    assert [[int(y) for _, y in batch] for batch in iterator] == [[0, 1], [2, 3], [4, 5]]
    iterator.finalize()


@pytest.mark.parametrize('method', METHODS)
def test_from_a_script_that_is_not_installed(run, method):
    script = f"""
    import multiprocessing

    def main():
        import clr
        import chainer
        iterator = chainer.iterators.MultiprocessIterator(chainer.datasets.TupleDataset(range(4)), 2, shuffle=False)
        print(next(iterator), next(iterator), next(iterator))
        iterator.finalize()

    if __name__ == '__main__':
        multiprocessing.set_start_method({method!r})
        main()
    """
    assert printed(run(script)) == ['[(0,), (1,)] [(2,), (3,)] [(0,), (1,)]']


@pytest.mark.parametrize('method', ANEW)
def test_a_process_of_the_user_s_own_class_whose_module_imports_chainer_first(run, method):
    script = f"""
    import multiprocessing

    if __name__ == '__main__':
        multiprocessing.set_start_method({method!r})
        import clr
        import mine
        process = mine.Process()
        process.start()
        process.join()
        raise SystemExit(process.exitcode)
    """
    mine = """
    import chainer, multiprocessing
    class Process(multiprocessing.Process):
        def run(self): print('Chainer', chainer.__version__)
    """
    assert printed(run(script, mine=mine)) == ['Chainer 7.8.1']


def test_from_a_notebook(tmp_path):
    cell = """
    import lrfinder, chainer, multiprocessing
    for method in 'fork', 'spawn', 'forkserver':
        multiprocessing.set_start_method(method, force=True)
        iterator = chainer.iterators.MultiprocessIterator(chainer.datasets.TupleDataset(range(4)), 2, shuffle=False)
        assert [next(iterator), next(iterator)] == [[(0,), (1,)], [(2,), (3,)]]
        iterator.finalize()
    """
    cells = [{'cell_type': 'code', 'execution_count': None, 'metadata': {}, 'outputs': [], 'source': textwrap.dedent(cell)}]
    kernel = {'kernelspec': {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'}}
    path = tmp_path / 'notebook.ipynb'
    path.write_text(json.dumps({'cells': cells, 'metadata': kernel, 'nbformat': 4, 'nbformat_minor': 4}))
    command = [sys.executable, '-m', 'pytest', '-q', '--rootdir', tmp_path, '--nbmake', f'--nbmake-timeout={LIMIT}', path]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize('writer', [snapshot_writers.ProcessWriter, snapshot_writers.ProcessQueueWriter])
def test_snapshots_are_written_by_another_process(method, writer, tmp_path):
    write = writer()
    for name in 'first', 'second':
        write(name, str(tmp_path), {'x': np.ones(3)})
    write.finalize()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['first', 'second']


# ---- nothing waits for ever


class Data(chainer.dataset.DatasetMixin):
    def __init__(self, fail):
        self.fail = fail

    def __len__(self):
        return 6

    def get_example(self, i):
        if i == 3:
            self.fail()
        return i


def refuse():
    raise ValueError('example 3 is damaged')


def die():
    import os

    os._exit(9)


@pytest.mark.parametrize(
    ('fail', 'error', 'why'),
    [
        (refuse, ValueError, r'^example 3 is damaged$'),
        (die, RuntimeError, r'^a worker process of MultiprocessIterator died; if it could say why, that stands above'),
    ],
)
def test_an_error_in_a_worker_is_raised_and_raised_again(method, fail, error, why, monkeypatch):
    # What is started anew finds this module by its name.
    monkeypatch.syspath_prepend(str(pathlib.Path(__file__).parent))
    import test_compat_processes as here

    data = here.Data(getattr(here, fail.__name__))
    iterator = MultiprocessIterator(data, 2, shuffle=False, n_processes=1, shared_mem=10)
    assert next(iterator) == [0, 1]
    for _ in range(2):
        with pytest.raises(error, match=why):
            next(iterator)
    iterator.finalize()


@pytest.mark.parametrize('method', ANEW)
def test_a_script_whose_work_is_not_guarded_ends_and_says_what_to_do(run, method):
    script = f"""
    import multiprocessing
    multiprocessing.set_start_method({method!r}, force=True)
    import clr, chainer
    iterator = chainer.iterators.MultiprocessIterator(chainer.datasets.TupleDataset(range(4)), 2, n_processes=1)
    next(iterator), next(iterator)
    """
    result = run(script)
    assert result.returncode == 1
    assert 'must be under "if __name__ == \'__main__\':"' in result.stderr.splitlines()[-1]


def fail_to_save(*_, **__):
    raise OSError('the disk is full')


@pytest.mark.parametrize('method', ['fork'], indirect=True)
def test_a_writer_s_dead_process_is_told(method, tmp_path):
    write = snapshot_writers.ProcessQueueWriter(savefun=fail_to_save)
    for _ in range(5):
        write('snapshot', str(tmp_path), {'x': np.ones(300_000)})  # more than fits into a pipe
    with pytest.raises(RuntimeError, match=r'^the process that writes snapshots died, and the last ones are missing'):
        write.finalize()
