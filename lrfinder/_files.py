"""Writing files whole or not at all.

What is written goes to a temporary file beside the target, is forced onto the disk, and then takes the target's name in one
step. A process that is killed before that leaves the temporary file behind; :func:`sweep` removes it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# The names of temporary files say whose they are, and no file of a user's has one. They don't grow with the target's name.
_SUFFIX = '.lrfinder-unfinished'
_UNFINISHED = re.compile(r'\.[0-9a-f]{16}' + re.escape(_SUFFIX))


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Gives a file to write to, which takes the place of ``path`` when the block ends well.

    Whoever reads ``path`` sees the earlier file or the new one, whole, also when the process is killed in the middle.

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
    temporary = target.parent / f'.{secrets.token_hex(8)}{_SUFFIX}'
    try:
        with temporary.open('xb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def sweep(folder: str | os.PathLike[str]) -> None:
    """Removes from a folder what :func:`replacing` left behind where its process was killed, and nothing else.

    Nobody else may be writing into the folder meanwhile. What can't be removed stays: it does no harm.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / '.0123456789abcdef.lrfinder-unfinished').write_text('half a fi')
    >>> sweep(folder)
    >>> list(folder.iterdir())
    []
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    os.unlink(entry)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes the text to the file in UTF-8, whole or not at all.

    Raises:
        OSError: As :func:`replacing`.
    """
    with replacing(path) as file:
        file.write(text.encode())
