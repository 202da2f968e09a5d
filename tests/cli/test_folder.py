"""The folder of a run: nothing of the user's goes, nothing is in the way, nobody else is there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import lrfinder
from lrfinder.cli.errors import UsageError
from lrfinder.cli.folder import LOCK, check_names, passing, reserved
from lrfinder.cli.main import main

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ['--model', 'mlp:10', '--batchsize', '128', '--iterations', '60', '--quiet']
# What the command keeps its hands off.
THE_USERS = ('.env-20251126', '.bashrc-20240101', '.curve.csv-0123abcd', 'snapshot_iter_best', 'snapshot_iter_007', 'notes')


def names(folder):
    return {path.name for path in folder.iterdir()}


def holding(folder, also=''):
    """Another process that has the folder."""
    code = f"""if True:
        import sys, time
        from pathlib import Path
        from lrfinder.cli.folder import reserved
        with reserved(Path({str(folder)!r})):
            {also}
            print('here', flush=True)
            time.sleep(1000)
    """
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == 'here\n'
    return process


@pytest.fixture
def other(tmp_path):
    process = holding(tmp_path / 'out')
    yield process
    process.kill()
    process.communicate()


def test_a_folder_is_one_runs_at_a_time(other, tmp_path):
    message = (
        f'--out {tmp_path / "out"}: another run (process {other.pid}) is writing there; wait for it, or choose another --out'
    )
    with pytest.raises(UsageError) as found, reserved(tmp_path / 'out'):
        pass
    assert str(found.value) == message


def test_the_command_refuses_a_folder_that_is_in_use(other, tmp_path, capsys):
    assert main([*SMALL, '--out', str(tmp_path / 'out')]) == 2
    assert 'another run (process ' in capsys.readouterr().err
    assert names(tmp_path / 'out') == {LOCK}


def test_one_that_was_killed_holds_nobody_off(other, tmp_path):
    other.kill()
    other.wait()
    assert LOCK in names(tmp_path / 'out')
    with reserved(tmp_path / 'out'):
        pass
    assert names(tmp_path / 'out') == set()


def test_what_a_killed_run_has_left_running_holds_nobody_off(tmp_path, monkeypatch):
    """As the workers of an iterator do that are forked."""
    also = 'import os; child = os.fork() or time.sleep(1000); Path("child").write_text(str(child))'
    monkeypatch.chdir(tmp_path)
    process = holding(tmp_path / 'out', also)
    child = int(Path('child').read_text())
    process.kill()
    process.wait()
    try:
        with reserved(tmp_path / 'out'):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize(
    'make', [Path.touch, os.mkfifo, lambda path: path.symlink_to('nowhere'), lambda path: path.symlink_to(path)]
)
def test_what_is_no_folder_is_refused(tmp_path, make):
    make(tmp_path / 'out')
    with pytest.raises(UsageError, match='something that is not a directory is in the way'), reserved(tmp_path / 'out'):
        pass


def test_a_disk_that_is_full_leaves_no_lock(tmp_path):
    limit = 'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))'
    code = f'{limit}\nfrom pathlib import Path\nfrom lrfinder.cli.folder import reserved\nwith reserved(Path("out")): pass'
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    found = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert found.stderr.endswith('WriteError: --out out: File too large\n')
    assert names(tmp_path / 'out') == set()


def test_half_written_files_go_and_nothing_else(tmp_path):
    (tmp_path / 'fixed_min').mkdir()
    unfinished = '.0123456789abcdef.lrfinder-unfinished'
    for name in (*THE_USERS, unfinished, f'fixed_min/{unfinished}'):
        (tmp_path / name).write_text('x')
    with reserved(tmp_path, ['fixed_min', 'fixed_max']):
        pass
    assert names(tmp_path) == {*THE_USERS, 'fixed_min'}
    assert names(tmp_path / 'fixed_min') == set()


@pytest.mark.parametrize('out', ['.', 'h'])
def test_a_run_leaves_alone_what_is_the_users(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    Path(out).mkdir(exist_ok=True)
    for name in THE_USERS:
        (Path(out) / name).write_text('x')
        os.utime(Path(out) / name, (time.time() + 1e6,) * 2)
    (Path(out) / '.a-20251126').mkdir()
    assert main([*SMALL, '--epoch', '2', '--out', out]) == 0
    assert {*THE_USERS, '.a-20251126', 'snapshot_iter_22'} <= names(Path(out))
    assert [(Path(out) / name).read_text() for name in THE_USERS] == ['x'] * len(THE_USERS)


def test_what_is_in_the_way_is_named(tmp_path):
    (tmp_path / 'log').mkdir()
    (tmp_path / 'fixed_min').touch()
    check_names(tmp_path / 'missing', ['log'], ['fixed_min'])
    os.mkfifo(tmp_path / 'curve.csv')
    (tmp_path / 'tune').symlink_to('nowhere')
    check_names(tmp_path, ['tune'])  # a file takes the place of such a link
    for files, folders, what in (
        (['log'], [], 'directory called log'),
        ([], ['fixed_min'], 'file called fixed_min'),
        (['curve.csv'], [], 'pipe or device called curve.csv'),
        ([], ['tune'], 'broken link called tune'),
    ):
        with pytest.raises(UsageError) as found:
            check_names(tmp_path, files, folders)
        assert str(found.value) == f'--out {tmp_path}: there is a {what}; move it away, or choose another --out'


@pytest.mark.parametrize('name', ['curve.csv', 'run.json', 'training.png', 'compare.csv', 'snapshot_iter_12', LOCK])
def test_what_is_in_the_way_is_found_out_before_the_test(tmp_path, capsys, name):
    (tmp_path / name).mkdir()
    assert main([*SMALL, '--epoch', '2', '--compare', '--out', str(tmp_path)]) == 2
    assert f'there is a directory called {name}; ' in capsys.readouterr().err
    assert names(tmp_path) == {name}


@pytest.mark.parametrize('flag', ['--out', '--resume'])
def test_a_folder_that_nobody_can_look_into_is_named_with_its_flag(tmp_path, capsys, flag):
    name = str(tmp_path / ('x' * 300) / 'out')  # longer than a file system takes
    assert main([*SMALL[:-1], flag, name]) == 2
    assert capsys.readouterr().err.startswith(f'lrfinder: error: {flag} {name}: ')


def test_a_lock_that_is_a_link_leads_nowhere(tmp_path, capsys):
    (tmp_path / 'precious').write_text('x')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / LOCK).symlink_to(tmp_path / 'precious')
    assert main([*SMALL, '--out', str(tmp_path / 'out')]) == 2
    assert capsys.readouterr().err.endswith(f': there is a link called {LOCK}; move it away, or choose another --out\n')
    assert (tmp_path / 'precious').read_text() == 'x'


def test_an_empty_name_is_refused(capsys):
    for flag in ('--out', '--resume', '--model', '--dataset', '--curve', '--device'):
        assert main([flag, '']) == 2
        assert capsys.readouterr().err.endswith(': must not be empty\n')


def test_a_folder_that_goes_away_meanwhile_comes_back(tmp_path, user_module, capsys):
    source = """
        import chainer.links as L, os, shutil

        class Net(L.Linear):
            def forward(self, x):
                shutil.rmtree('out', ignore_errors=True)
                return super().forward(x)

        def make(n_classes):
            return Net(None, n_classes)
    """
    user_module('nets', source)
    assert main(['--model', 'nets:make', '--iterations', '60', '--quiet', '--out', 'out']) == 0
    assert names(Path('out')) == {'curve.csv', 'trials.csv', 'run.json', 'suggestion.json', 'range_test.png'}


def test_that_files_are_replaced_is_said(tmp_path, capsys):
    given = ['--model', 'mlp:10', '--batchsize', '128', '--iterations', '60', '--out', str(tmp_path)]
    line = f'# The files of an earlier run in {tmp_path} are replaced\n'
    assert main(given) == 0
    assert line not in capsys.readouterr().out
    assert main(given) == 0
    assert line in capsys.readouterr().out


def test_an_analysis_leaves_the_answer_of_a_run_alone(tmp_path, capsys):
    assert main([*SMALL, '--out', str(tmp_path)]) == 0
    before = (tmp_path / 'suggestion.json').read_bytes()
    capsys.readouterr()
    assert main(['--curve', str(tmp_path / 'curve.csv'), '--out', str(tmp_path)]) == 0
    assert (tmp_path / 'suggestion.json').read_bytes() == before
    assert names(tmp_path / 'from_curve') == {'suggestion.json', 'range_test.png'}
    assert f'Picture: {tmp_path / "from_curve" / "range_test.png"}\n' in capsys.readouterr().out


def test_what_is_no_curve_leaves_no_folder(tmp_path):
    (tmp_path / 'a.csv').write_text('epoch,loss\n1,2.3\n')
    assert main(['--curve', str(tmp_path / 'a.csv'), '--out', str(tmp_path / 'out')]) == 2
    assert not (tmp_path / 'out').exists()


def test_the_curve_is_there_when_the_process_is_killed(tmp_path, user_module):
    source = """
        import chainer.links as L, os, signal

        class Net(L.Linear):
            updates = 0

            def forward(self, x):
                Net.updates += 1
                if Net.updates == 60:
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().forward(x)

        def make(n_classes):
            return Net(None, n_classes)
    """
    user_module('nets', source)
    command = [sys.executable, '-m', 'lrfinder', '--model', 'nets:make', '--out', 'out', '--quiet']
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    assert subprocess.run(command, env=environment, cwd=tmp_path, timeout=1200).returncode == -signal.SIGKILL
    curve = lrfinder.read_curve(tmp_path / 'out' / 'curve.csv')
    assert len(curve) >= 10
    assert curve['iteration'].tolist() == list(range(1, len(curve) + 1))


def test_a_passing_folder_is_the_owners_alone():
    with passing() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert names(folder) == set()


def test_a_passing_folder_goes_with_its_process_even_if_that_is_killed(tmp_path):
    code = """if True:
        import os, signal, sys
        from lrfinder.cli.folder import passing
        with passing() as folder:
            (folder / 'curve.csv').touch()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'TMPDIR': str(tmp_path)}
    assert subprocess.run([sys.executable, '-c', code], env=environment).returncode == -signal.SIGKILL
    deadline = time.monotonic() + 600
    while names(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert names(tmp_path) == set()
