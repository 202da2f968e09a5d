"""Keeps signals from coming between the steps of something that must be done whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Lets the block end before Ctrl-C, or whatever signal the program handles, has its effect.

    >>> steps = []
    >>> try:
    ...     with signals_deferred():
    ...         signal.raise_signal(signal.SIGINT)
    ...         steps.append('done')
    ... except KeyboardInterrupt:
    ...     steps.append('interrupted')
    >>> steps
    ['done', 'interrupted']
    """
    came: list[int] = []
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # signals are handled there alone
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    with contextlib.ExitStack() as stack:
        stack.callback(_raise_all, came)
        for number, handler in handlers.items():
            stack.callback(signal.signal, number, handler)
            signal.signal(number, lambda number, _: came.append(number))
        yield


def _raise_all(numbers: list[int]) -> None:
    with contextlib.ExitStack() as stack:  # each of them, whatever another one's handler raises
        for number in reversed(numbers):
            stack.callback(signal.raise_signal, number)
