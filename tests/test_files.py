"""Files are written whole or not at all."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading

from lrfinder._files import replacing, sweep, write_text

import pytest


def _has_nameless_files():
    try:
        os.close(os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR))
    except (AttributeError, OSError):
        return False
    return True


nameless = pytest.mark.skipif(not _has_nameless_files(), reason='the system or its disk knows no files without a name')


def test_the_text_is_written_in_utf_8(tmp_path):
    write_text(tmp_path / 'answer', 'größer\n')
    assert (tmp_path / 'answer').read_bytes() == b'gr\xc3\xb6\xc3\x9fer\n'
    assert os.listdir(tmp_path) == ['answer']


def test_lines_end_as_they_are_given(tmp_path):
    with replacing(tmp_path / 'answer') as file:
        file.write(b'a\r\nb\n')
    assert (tmp_path / 'answer').read_bytes() == b'a\r\nb\n'


@pytest.mark.parametrize('failure', [ValueError, KeyboardInterrupt, SystemExit, OSError])
def test_the_earlier_file_stays_where_writing_fails(tmp_path, failure):
    target = tmp_path / 'answer.txt'
    write_text(target, 'earlier')
    with pytest.raises(failure), replacing(target) as file:
        file.write(b'half')
        file.flush()
        assert target.read_text() == 'earlier'
        raise failure
    assert target.read_text() == 'earlier'
    assert os.listdir(tmp_path) == ['answer.txt']


def test_a_text_that_cannot_be_encoded_leaves_the_earlier_file(tmp_path):
    write_text(tmp_path / 'answer', 'earlier')
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / 'answer', '\ud800')
    assert (tmp_path / 'answer').read_text() == 'earlier'
    assert os.listdir(tmp_path) == ['answer']


def no_nameless_files(monkeypatch):
    monkeypatch.delattr(os, 'O_TMPFILE', raising=False)


def no_proc(monkeypatch):
    def refused(*args, **kwargs):
        raise OSError(2, 'No such file or directory', '/proc/self/fd/3')

    monkeypatch.setattr(os, 'link', refused)


@nameless
def test_until_it_is_whole_the_file_has_no_name_that_a_killed_process_could_leave(tmp_path):
    body = """
        import os, signal, sys
        from lrfinder._files import replacing
        with replacing(sys.argv[1]) as file:
            file.write(b'half' * 100_000)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = subprocess.run([sys.executable, '-c', textwrap.dedent(body), tmp_path / 'answer'])
    assert ended.returncode == -signal.SIGKILL
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('lack', [no_nameless_files, no_proc])
def test_systems_that_lack_something_write_whole_files_as_well(tmp_path, monkeypatch, lack):
    write_text(tmp_path / 'answer', 'earlier')
    lack(monkeypatch)
    write_text(tmp_path / 'answer', 'new')
    assert (tmp_path / 'answer').read_text() == 'new'
    assert os.listdir(tmp_path) == ['answer']
    with pytest.raises(ValueError), replacing(tmp_path / 'answer') as file:
        file.write(b'half')
        raise ValueError
    assert (tmp_path / 'answer').read_text() == 'new'
    assert os.listdir(tmp_path) == ['answer']


def test_its_permissions_are_those_of_any_new_file(tmp_path):
    mask = os.umask(0o027)
    try:
        write_text(tmp_path / 'answer', 'x')
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / 'answer').stat().st_mode) == 0o640


def test_paths_may_be_text_and_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text('answer', 'x')
    assert (tmp_path / 'answer').read_text() == 'x'


@pytest.mark.parametrize('path', ['missing/answer', '.', 'folder', '', 'n' * 300])
def test_where_nothing_can_be_written_it_is_an_error_of_the_system(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    os.mkdir('folder')
    with pytest.raises(OSError):
        write_text(path, 'x')
    assert os.listdir() == ['folder']
    assert os.listdir('folder') == []


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs a device that is always full')
def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    write_text(tmp_path / 'answer', 'earlier')
    with pytest.raises(OSError, match='No space left'), replacing(tmp_path / 'answer') as file, open('/dev/full', 'wb') as full:
        os.dup2(full.fileno(), file.fileno())
        file.write(b'x' * 100_000)
    assert (tmp_path / 'answer').read_text() == 'earlier'
    assert os.listdir(tmp_path) == ['answer']


def test_several_writers_at_once_leave_the_file_of_one(tmp_path):
    texts = [str(i) * 100_000 for i in range(8)]
    threads = [threading.Thread(target=write_text, args=(tmp_path / 'answer', text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / 'answer').read_text() in texts
    assert os.listdir(tmp_path) == ['answer']


def test_only_what_a_killed_writer_left_behind_is_swept_away(tmp_path):
    for name in (
        '.curve.csv-0123abcd',
        '.snapshot_iter_40-fedcba98',
        'curve.csv',
        '.gitignore',
        '.notes-2026.txt',
        'a-0123abcd.csv',
    ):
        (tmp_path / name).write_text('')
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {'curve.csv', '.gitignore', '.notes-2026.txt', 'a-0123abcd.csv'}
