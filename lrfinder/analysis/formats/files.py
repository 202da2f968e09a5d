"""The text in a file, whatever its encoding; and what a file is that holds none."""

from __future__ import annotations

import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_TO_CSV = "write its rates and losses as CSV: pandas.DataFrame({'lr': rates, 'loss': losses}).to_csv('curve.csv')"
_UNPACK = 'unpack it first'
_SAVE = 'save it as CSV'
_OF_EVENTS = "write its scalars, as TensorBoard's EventAccumulator gives them, as CSV with the columns step, lr and loss"
_NUMBERS = 'the numbers behind it are needed, as CSV or JSON'
# How files begin that people have at hand when they look for a curve; what they are; and what to do.
_KINDS = (
    (rb'\x80[\x02-\x05]', 'a pickle or a PyTorch checkpoint, which is never opened, as it may run any code', _TO_CSV),
    (rb'PK\x03\x04.{0,400}data\.pkl', 'a PyTorch checkpoint, which is never opened, as it may run any code', _TO_CSV),
    (rb'PK\x03\x04.{0,400}\.npy', 'an archive of NumPy arrays (npz)', _TO_CSV),
    (rb'PK\x03\x04.{0,400}(\[Content_Types\]|docProps|xl/|opendocument)', 'a spreadsheet', _SAVE),
    (rb'PK(\x03\x04|\x05\x06)', 'a zip archive', _UNPACK),
    (rb'\xd0\xcf\x11\xe0', 'a spreadsheet', _SAVE),
    (rb'\x93NUMPY', 'a NumPy array (npy)', _TO_CSV),
    (rb'.{20,30}brain\.Event:', "a file of TensorBoard's events", _OF_EVENTS),
    (rb'PAR1[\0-\x1f]', 'a Parquet file', "turn it: pandas.read_parquet(file).to_csv('curve.csv')"),
    (rb'(ARROW|FEA)1\0', 'a Feather file', "turn it: pandas.read_feather(file).to_csv('curve.csv')"),
    (rb'\x89HDF', 'an HDF5 file', _TO_CSV),
    (rb'MATLAB \d\.\d MAT-file', 'a MATLAB file', _TO_CSV),
    (rb'SQLite format 3\0', 'a database (SQLite)', _TO_CSV),
    (rb':W&B', 'a log of Weights & Biases', "export the run: wandb.Api().run(path).history().to_csv('curve.csv')"),
    (rb'\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|BM.{4}\0{4}', 'a picture', _NUMBERS),
    (rb'%PDF-\d', 'a PDF file', _NUMBERS),
    (rb'\s*<(![dD]|[hH][tT][mM][lL]|\?xml|svg)', 'a web page or XML', _NUMBERS),
    (
        rb'BZh[1-9]1AY|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!\x1a',
        'a compressed file',
        f'{_UNPACK}; only gzip is read as it is',
    ),
)
_BYTE_ORDERS = (
    (rb'\xef\xbb\xbf', 'utf-8-sig'),
    (rb'\xff\xfe\0\0|\0\0\xfe\xff', 'utf-32'),
    (rb'\xff\xfe|\xfe\xff', 'utf-16'),
    (rb'([^\0]\0){2,}', 'utf-16-le'),
    (rb'(\0[^\0]){2,}', 'utf-16-be'),
)
_HEAD = 1024


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[TextIO]:
    """Opens a file as text: UTF-8, UTF-16 or UTF-32, with a mark of the byte order or without, compressed by gzip or not.

    Nothing in the file is ever executed or unpickled.

    Raises:
        OSError: It can't be read.
        ValueError: It is no text; the message says what it is, and what to do.

    >>> with gzip.open('log.csv.gz', 'wt', encoding='utf-16') as file:
    ...     _ = file.write('lr,loss')
    >>> with opened('log.csv.gz') as file:
    ...     file.read()
    'lr,loss'
    """
    with open(path, 'rb') as file:
        try:
            stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b'\x1f\x8b' else file
            head = stream.peek(_HEAD)[:_HEAD]
            text = io.TextIOWrapper(stream, encoding=_encoding(head), newline='')
            yield text
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f'the gzip file is damaged: {error}') from None
        except UnicodeDecodeError as error:
            place = text.buffer.tell() - len(error.object) + error.start
            byte = error.object[error.start]
            raise ValueError(
                f"{error.encoding!r} codec can't decode byte 0x{byte:02x} in position {place}: {error.reason}"
            ) from None


def _encoding(head: bytes) -> str:
    """The encoding of a text that begins so.

    Raises:
        ValueError: It is no text.
    """
    kind = next((kind for kind in _KINDS if re.match(kind[0], head, re.DOTALL)), None)
    if kind is not None:
        raise ValueError(f'it is {kind[1]}; {kind[2]}')
    encoding = next((name for pattern, name in _BYTE_ORDERS if re.match(pattern, head, re.DOTALL)), 'utf-8')
    if encoding == 'utf-8' and b'\0' in head:
        raise ValueError('it is no text, but binary data; a curve is CSV or JSON')
    return encoding
