"""Files are written whole or not at all."""

import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time

from lrfinder._files import replacing, sweep, write_text

import pytest


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


# ---- killed


def killed(tmp_path, body, when):
    """Runs a writer of ``tmp_path / 'answer'`` until it is killed: at a point of its own, or after ``when(process)``."""
    with subprocess.Popen([sys.executable, '-c', WRITER + body], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        when(process)
    assert process.returncode == -signal.SIGKILL


WRITER = """
import os, signal
from lrfinder._files import replacing, write_text

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

"""
POINTS = {
    'in the middle': ("with replacing('answer') as file: file.write(b'new' * 100_000); file.flush(); kill()", 'earlier'),
    'before it is on the disk': ("os.fsync = kill; write_text('answer', 'new')", 'earlier'),
    'before it takes its place': ("os.replace = kill; write_text('answer', 'new')", 'earlier'),
    'after it took its place': ("write_text('answer', 'new'); kill()", 'new'),
}


@pytest.mark.parametrize('point', POINTS)
def test_a_writer_that_is_killed_leaves_the_earlier_file_or_the_new_one(tmp_path, point):
    body, expected = POINTS[point]
    write_text(tmp_path / 'answer', 'earlier')
    killed(tmp_path, body, lambda process: process.wait())
    assert (tmp_path / 'answer').read_text() == expected
    sweep(tmp_path)
    assert os.listdir(tmp_path) == ['answer']


def test_so_it_does_at_whatever_moment(tmp_path):
    texts = {letter * 200_000 for letter in 'abc'}
    body = "while True:\n    for letter in 'abc': write_text('answer', letter * 200_000); print(letter, flush=True)"
    waits = random.Random(0)

    def kill(process):
        process.stdout.readline()  # it has written
        time.sleep(waits.uniform(0, 0.02))
        process.kill()

    left_behind = 0
    for _ in range(40):
        killed(tmp_path, body, kill)
        assert (tmp_path / 'answer').read_text() in texts
        left_behind += len(os.listdir(tmp_path)) - 1
        sweep(tmp_path)
        assert os.listdir(tmp_path) == ['answer']
    assert left_behind  # some were killed in the middle


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


@pytest.mark.parametrize('name', ['n' * 255, '\u00fc' * 127])
def test_names_may_be_as_long_as_the_disk_takes_them(tmp_path, name):
    write_text(tmp_path / name, 'x')
    assert os.listdir(tmp_path) == [name]


def test_several_writers_at_once_leave_the_file_of_one(tmp_path):
    texts = [str(i) * 100_000 for i in range(8)]
    threads = [threading.Thread(target=write_text, args=(tmp_path / 'answer', text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / 'answer').read_text() in texts
    assert os.listdir(tmp_path) == ['answer']


# ---- the sweep

UNFINISHED = '.0123456789abcdef.lrfinder-unfinished'


@pytest.mark.parametrize(
    'name',
    [
        'curve.csv',
        '.gitignore',
        '.env-20251126',
        '.bashrc-20240101',
        '.curve.csv-0123abcd',
        '0123456789abcdef.lrfinder-unfinished',
        '.0123456789ABCDEF.lrfinder-unfinished',
        '.0123456789abcdef.lrfinder-unfinished~',
        '.curve.csv.0123456789abcdef.lrfinder-unfinished',
        '.lrfinder-unfinished',
    ],
)
def test_the_sweep_leaves_every_other_file(tmp_path, name):
    (tmp_path / name).write_text('kept')
    (tmp_path / UNFINISHED).write_text('half a fi')
    sweep(tmp_path)
    assert os.listdir(tmp_path) == [name]


def test_the_sweep_removes_only_files_and_follows_no_link(tmp_path):
    folder, outside = tmp_path / 'folder', tmp_path / 'outside'
    outside.write_text('kept')
    (folder / UNFINISHED).mkdir(parents=True)
    (folder / UNFINISHED / UNFINISHED).write_text('kept')
    link = folder / UNFINISHED.replace('0', 'f')
    link.symlink_to(outside)
    sweep(folder)
    assert outside.read_text() == 'kept'
    assert link.is_symlink()
    assert (folder / UNFINISHED / UNFINISHED).read_text() == 'kept'


def test_what_cannot_be_removed_does_not_keep_the_sweep_from_the_rest(tmp_path, monkeypatch):
    names = [f'.{digit * 16}.lrfinder-unfinished' for digit in 'abc']
    for name in names:
        (tmp_path / name).write_text('half a fi')
    unlink = os.unlink

    def refuse_the_second(entry):
        if entry.name == names[1]:
            raise PermissionError(13, 'Permission denied', entry.path)
        unlink(entry)

    monkeypatch.setattr(os, 'unlink', refuse_the_second)
    sweep(tmp_path)
    assert os.listdir(tmp_path) == [names[1]]


def test_a_folder_that_is_not_there_needs_no_sweep(tmp_path):
    sweep(tmp_path / 'missing')
