"""Writing files whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# The names that replacing gives its temporary files.
_LEFT_BEHIND = re.compile(r'\..+-[0-9a-f]{8}')


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Gives a file to write to, which takes the place of ``path`` when the block ends well.

    Whoever reads ``path`` sees the earlier file or the new one, whole, also when the process is killed in the middle. Until the
    end the new one has no name where the system knows such files (Linux on most disks), so that a kill leaves nothing of it.

    Raises:
        OSError: It can't be written. The earlier file is as it was.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / 'answer.txt'
    >>> with replacing(target) as file:
    ...     _ = file.write(b'42')
    >>> target.read_bytes()
    b'42'
    """
    target = Path(path)
    temporary = target.parent / f'.{target.name}-{secrets.token_hex(4)}'
    try:
        with _begun(temporary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if os.fstat(file.fileno()).st_nlink == 0:
                _name(file, temporary)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _begun(path: Path) -> IO[bytes]:
    """A new file without a name in the folder of ``path``; with that path as its name where there is no such thing."""
    try:
        return os.fdopen(os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o666), 'w+b')
    except (AttributeError, OSError):  # another system; a disk that lacks it; or what the next line finds as well
        return path.open('xb')


def _name(file: IO[bytes], path: Path) -> None:
    """Gives a name to a file that has none."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # Python follows the link, to the file itself, only where a folder is given (CPython issue 81793).
        os.link(f'/proc/self/fd/{file.fileno()}', path.name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError:  # there is no /proc
        file.seek(0)
        with path.open('xb') as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(copy.fileno())
    finally:
        os.close(folder)


def sweep(folder: str | os.PathLike[str]) -> None:
    """Removes from a folder what :func:`replacing` left behind where its process was killed.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / '.curve.csv-0123abcd').write_text('half a fi')
    >>> sweep(folder)
    >>> list(folder.iterdir())
    []
    """
    for path in Path(folder).iterdir():
        if _LEFT_BEHIND.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes the text to the file in UTF-8, whole or not at all.

    Raises:
        OSError: As :func:`replacing`.
    """
    with replacing(path) as file:
        file.write(text.encode())
