"""What the command prints, and what happens where it can't."""

import os
import subprocess
import sys
from pathlib import Path

from lrfinder.cli.main import main
from lrfinder.cli.output import Lenient, Output, output

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ['--model', 'mlp:10', '--batchsize', '128', '--iterations', '60']

NETS = """
    import os
    import chainer.links as L

    def noisy(n_classes):
        print('made a net')
        os.system('echo a child of a net')
        return L.Linear(None, n_classes)

    def talkative(n_classes):
        print('x' * 100_000)
        return L.Linear(None, n_classes)
"""


def shell(line, *arguments, cwd):
    """Runs a line of bash in which "$@" is the command; its status, and both outputs."""
    command = ['bash', '-c', line, 'bash', sys.executable, '-m', 'lrfinder', *arguments]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    found = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=1200)
    return found.returncode, found.stdout, found.stderr


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def broken_pipe():
    """A stream whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, 'w') as stream:
        yield stream


@pytest.fixture
def full():
    """A stream to a disk that is full."""
    if not os.path.exists('/dev/full'):
        pytest.skip('there is no /dev/full')
    with open('/dev/full', 'w') as stream:
        yield stream


# Streams


def test_a_reader_who_has_gone_is_no_problem(broken_pipe):
    stream = Lenient(broken_pipe)
    Output(stream).say('one', 'two')
    print('x' * 100_000, file=stream)
    assert stream.problem == ''
    broken_pipe.flush()  # nothing is left that Python would try to write at its end


def test_a_full_disk_is_a_problem_that_is_told_once(full):
    stream = Lenient(full)
    out = Output(stream)
    out.say('one')
    out.say('two')
    assert out.problem == 'No space left on device'


def test_a_stream_that_is_closed_takes_nothing(tmp_path):
    with open(tmp_path / 'a', 'w') as file:
        stream = Lenient(file)
    print('one', file=stream, flush=True)
    assert stream.problem == 'I/O operation on closed file.'


def test_what_an_encoding_lacks_is_written_by_its_code(tmp_path):
    with open(tmp_path / 'a', 'w', encoding='ascii') as file:
        print('é', file=Lenient(file))
    assert (tmp_path / 'a').read_text() == '\\xe9\n'


def test_lines_hold_no_signs_that_steer_a_terminal(capsys):
    with output() as out:
        out.say('a \x1b[31mred\a line \u202e')
    assert capsys.readouterr().out == 'a \\x1b[31mred\\x07 line \\u202e\n'


def test_quiet_is_the_answer_alone(capsys):
    with output() as out:
        out.say('before')
        out.answer('only for scripts')
        with out.asked(quiet=True):
            out.say('for a person')
            out.answer('0.01 0.1 90')
            print('of a library')
        out.say('after')
    assert capsys.readouterr() == ('before\n0.01 0.1 90\nafter\n', 'of a library\n')


def test_the_streams_are_as_they_were_afterwards():
    before = sys.stdout, sys.stderr
    with output(), output():
        assert (sys.stdout, sys.stderr) != before
    assert (sys.stdout, sys.stderr) == before


# The command


def test_a_broken_pipe_drops_neither_files_nor_the_training(monkeypatch, broken_pipe, user_module, tmp_path):
    user_module('nets', NETS)
    monkeypatch.setattr(sys, 'stdout', broken_pipe)
    given = ['--model', 'nets:talkative', '--batchsize', '128', '--iterations', '60']
    assert main([*given, '--epoch', '2', '--out', str(tmp_path / 'out')]) == 0
    assert {'curve.csv', 'suggestion.json', 'range_test.png', 'training.png', 'log'} <= names(tmp_path / 'out')


@pytest.mark.parametrize('quiet', [[], ['--quiet']])
def test_output_onto_a_full_disk_is_one_line_after_all_is_done(monkeypatch, capsys, full, tmp_path, quiet):
    with monkeypatch.context() as patch:
        patch.setattr(sys, 'stdout', full)
        assert main([*SMALL, *quiet, '--out', str(tmp_path / 'out')]) == 2
    assert capsys.readouterr().err == 'lrfinder: error: standard output: No space left on device\n'
    assert {'curve.csv', 'suggestion.json', 'range_test.png'} <= names(tmp_path / 'out')


def test_closed_streams_in_a_shell(tmp_path):
    assert shell('"$@" --nope 2>&-', cwd=tmp_path) == (2, '', '')  # the error does not go to standard output
    assert shell('"$@" --nope <&- >&- 2>&-', cwd=tmp_path) == (2, '', '')
    assert shell('"$@" --help | true; exit ${PIPESTATUS[0]}', cwd=tmp_path) == (0, '', '')


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no /dev/full')
def test_full_disks_in_a_shell(tmp_path):
    assert shell('"$@" --nope 2>/dev/full', cwd=tmp_path) == (2, '', '')
    message = 'lrfinder: error: standard output: No space left on device\n'
    assert shell('"$@" --version >/dev/full', cwd=tmp_path) == (2, '', message)


def test_what_is_closed_is_not_taken_for_a_file(tmp_path):
    assert shell('"$@" >&-', *SMALL, '--out', 'out', cwd=tmp_path) == (0, '', '')
    assert (tmp_path / 'out' / 'run.json').read_text().startswith('{')


def test_quiet_holds_down_to_other_processes(user_module, tmp_path):
    user_module('nets', NETS)
    given = ['--model', 'nets:noisy', '--seeds', '2', '--jobs', '2', '--quiet']
    status, out, err = shell('"$@"', *given, cwd=tmp_path)
    assert status == 0
    assert len(out.split()) == 3 and out.count('\n') == 1
    assert 'made a net' in err and 'a child of a net' in err


def test_a_factory_is_called_once_for_a_range_test(user_module, capsys):
    user_module('nets', NETS)
    assert main(['--model', 'nets:noisy', '--iterations', '60', '--quiet']) == 0
    assert capsys.readouterr().err == 'made a net\n'


def test_a_wrong_matplotlib_backend_is_of_no_concern(tmp_path):
    status, _, err = shell('MPLBACKEND=nonsense "$@"', *SMALL, '--quiet', '--out', 'out', cwd=tmp_path)
    assert (status, err) == (0, '')
    assert 'range_test.png' in names(tmp_path / 'out')


def test_a_home_that_matplotlib_can_t_write_to_is_of_no_concern(tmp_path):
    (tmp_path / 'home').write_text('')
    status, _, err = shell('HOME=home XDG_CONFIG_HOME= XDG_CACHE_HOME= "$@"', *SMALL, '--quiet', '--out', 'out', cwd=tmp_path)
    assert (status, err) == (0, '')
