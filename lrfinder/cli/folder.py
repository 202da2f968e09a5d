"""The folder that a run writes to: whether it can, and that no other run does meanwhile; and folders that go away."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from lrfinder import _files
from lrfinder.cli.errors import UsageError, writing

try:
    import fcntl
except ImportError:  # Windows: there two runs in one folder are not told apart
    fcntl = None  # type: ignore[assignment]

LOCK = '.lrfinder-lock'

# Removes a folder as soon as nobody is left who could write into the standard input.
_GUARD = 'import shutil, sys; sys.stdin.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)'


def check_names(folder: Path, files: Iterable[str], folders: Iterable[str] = ()) -> None:
    """Refuses a folder in which something else has a name that will be needed.

    Args:
        folder: It may not be there yet.
        files: The names of files to be written.
        folders: The names of folders to be made.

    Raises:
        UsageError: The message names what is in the way.
    """
    for wanted, names in (('file', (LOCK, *files)), ('directory', folders)):
        for name in names:
            kind = _kind(folder / name)
            replaced = wanted == 'file' and kind == 'broken link'
            if kind not in (wanted, None) and not replaced:
                raise UsageError(_in_the_way(folder, kind, name))
    if (folder / LOCK).is_symlink():  # it is not followed
        raise UsageError(_in_the_way(folder, 'link', LOCK))


def _in_the_way(folder: Path, kind: str, name: str) -> str:
    return f'--out {folder}: there is a {kind} called {name}; move it away, or choose another --out'


def _kind(path: Path) -> str | None:
    """What a path is; ``None`` where there is nothing."""
    if path.is_dir():
        return 'directory'
    if path.is_file():
        return 'file'
    return 'pipe or device' if path.exists() else 'broken link' if path.is_symlink() else None


@contextlib.contextmanager
def reserved(folder: Path, parts: Iterable[str] = ()) -> Iterator[None]:
    """Keeps a folder, which is made where it is missing, for one run alone; removes what killed runs left half-written.

    Args:
        folder: The folder.
        parts: The names of folders in it that are the run's, too.

    Raises:
        UsageError: Another run writes there, or nobody can.
    """
    with contextlib.ExitStack() as stack:
        with writing(folder):
            stack.enter_context(_locked(folder))
        for part in (folder, *(folder / name for name in parts)):
            _files.sweep(part)
        yield


@contextlib.contextmanager
def passing() -> Iterator[Path]:
    """Gives an empty folder that goes away when the block ends, or the process, even if it is killed.

    >>> with passing() as folder:
    ...     _ = (folder / 'curve.csv').write_text('iteration,lr')
    >>> folder.exists()
    False
    """
    folder = Path(tempfile.gettempdir(), f'lrfinder-{secrets.token_hex(8)}')
    guard = subprocess.Popen(
        [sys.executable, '-ISc', _GUARD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends this process and its like is not meant for it
    )
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        guard.communicate()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds a lock that ends with its process, however that ends; one whose owner is dead holds nobody off."""
    path = folder / LOCK
    while True:
        file = open(path, 'a+', opener=_not_through_a_link)  # noqa: SIM115  it is closed where the lock ends
        if not _lock(file):
            with file:
                owner = _owner(file)
            raise UsageError(f'--out {folder}: another run{owner} is writing there; wait for it, or choose another --out')
        if _is_at(path, file):
            break
        file.close()  # its owner has just removed it
    with file:
        try:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


def _not_through_a_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, 'O_NOFOLLOW', 0), 0o666)  # which may lead to a file of somebody else's


def _lock(file: IO[str]) -> bool:
    """Whether the lock could be had, which it is too where the file system knows no locks."""
    if fcntl is None:
        return True
    try:
        # A lock of this kind is the process's own: those that it forks, and leaves behind, do not hold it.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        pass
    return True


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except OSError:
        return False


def _owner(file: IO[str]) -> str:
    file.seek(0)
    number = file.read(20)
    return f' (process {number})' if number.isdecimal() else ''
