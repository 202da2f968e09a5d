"""Signals that ask the command to end: it does so by an exception, and keeps what was recorded."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

# Within so many seconds after a signal others say the same: a closing terminal sends two, and fingers are impatient.
GRACE = 3.0
# So many seconds after a signal that came to nothing it comes again.
_SOON = 0.01
# Those that there are on this system.
SIGNALS = tuple(getattr(signal, name) for name in ('SIGINT', 'SIGTERM', 'SIGHUP') if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A signal came that asks to end.

    Attributes:
        number: Which.
        status: The exit status that says so, as shells have it.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.status = 128 + number


def end_at_once(status: int | None = None, message: str = '', grace: float = 0.0) -> None:
    """Lets a signal end the process at once from here on: before its work it has nothing to lose, and after it.

    Args:
        status: The exit status; the signal's own if there is none.
        message: What to say on standard error.
        grace: For so many seconds from now on signals are ignored: the process is about to end.
    """
    now, ending = time.monotonic(), False

    def handle(number: int, _: Any) -> None:
        nonlocal ending
        if time.monotonic() - now < grace or ending:
            return
        ending = True
        if message:
            with contextlib.suppress(OSError):
                os.write(2, f'lrfinder: {message}\n'.encode())
        if 'PMI_FD' in os.environ:  # the mpiexec of MPICH ends the others where one is killed, not where one ends by itself
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        os._exit(128 + number if status is None else status)

    for number in SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, handle)


def ignore() -> None:
    """Has signals ignored from here on, where no other process waits for this one to end."""
    for number in SIGNALS if 'PMI_FD' not in os.environ else ():
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def deadly() -> Iterator[None]:
    """Lets signals kill the process, as they do one that handles none, while it waits in a library that looks for none."""
    with _handled_by(lambda _: signal.SIG_DFL):
        yield


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Lets Ctrl-C, SIGTERM and SIGHUP end the block by an :class:`Interrupted`; more of them do not disturb what it then does.

    A signal that is ignored, as by ``nohup`` or in the background of a shell, stays so.

    >>> with contextlib.suppress(Interrupted), interruptible():
    ...     signal.raise_signal(signal.SIGTERM)
    ...     print('never comes here')
    """
    process, raised = os.getpid(), -math.inf

    def handling(earlier: Any) -> Any:
        def handle(number: int, _: Any) -> None:
            nonlocal raised
            if os.getpid() != process:  # one that was forked from this one, such as an iterator's, which ends it by a signal
                signal.signal(number, earlier)
                signal.raise_signal(number)
            elif time.monotonic() - raised > GRACE:
                raised = time.monotonic()
                raise Interrupted(number)

        return handle

    def again(lost: Interrupted) -> None:
        nonlocal raised
        raised = -math.inf
        threading.Timer(_SOON, os.kill, (process, lost.number)).start()

    with _handled_by(handling), _none_lost(again):
        yield


@contextlib.contextmanager
def _none_lost(again: Callable[[Interrupted], None]) -> Iterator[None]:
    """Tells of each :class:`Interrupted` that Python has dropped over the block, as it does with what a finalizer raises."""
    earlier = sys.unraisablehook

    def hook(dropped: Any) -> None:
        if isinstance(dropped.exc_value, Interrupted):
            again(dropped.exc_value)
        else:
            earlier(dropped)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = earlier


@contextlib.contextmanager
def _handled_by(handling: Callable[[Any], Any]) -> Iterator[None]:
    """Gives each signal that is not ignored a handler that is made from its earlier one, over the block."""
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    earlier = {number: signal.getsignal(number) for number in SIGNALS}
    earlier = {number: handler for number, handler in earlier.items() if handler not in (signal.SIG_IGN, None)}
    for number, handler in earlier.items():
        signal.signal(number, handling(handler))
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
