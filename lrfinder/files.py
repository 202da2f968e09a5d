"""Writing files whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# The names that replacing gives its temporary files.
_LEFT_BEHIND = re.compile(r'\..+-[0-9a-f]{8}(\.[^.]*)?')


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary path beside ``path`` to write to, and moves it to ``path`` when the block ends well.

    Whoever reads ``path`` sees the earlier file or the new one, whole, also when the process is killed in the middle.

    Raises:
        OSError: The folder can't be written to. The earlier file is as it was.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / 'answer.txt'
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text('42')
    >>> target.read_text()
    '42'
    """
    target = Path(path)
    # The suffix stays last: writers such as Matplotlib choose the format by it.
    temporary = target.parent / f'.{target.stem}-{secrets.token_hex(4)}{target.suffix}'
    try:
        temporary.open('xb').close()
        yield temporary
        _flush(temporary)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def sweep(folder: str | os.PathLike[str]) -> None:
    """Removes from a folder what :func:`replacing` left behind where its process was killed.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / '.curve-0123abcd.csv').write_text('half a fi')
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
    with replacing(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _flush(path: Path) -> None:
    with open(path, 'rb') as file:
        os.fsync(file.fileno())
