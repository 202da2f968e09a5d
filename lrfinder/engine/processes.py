"""Many trainings at once, each in a process of its own, through joblib.

Which processes or machines carry them is joblib's business: its own processes on this machine, or those of the backend that
``joblib.parallel_config`` names, such as a cluster's scheduler. Each has one thread for linear algebra, whose sums depend on
how many there are.
"""

from __future__ import annotations

import contextlib
import functools
import numbers
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

# A backend's threads must take turns: NumPy's global random state, from which Chainer draws, is the process's.
_alone_in_the_process = threading.Lock()


# Whoever asks for more jobs, or for more trainings, has slipped.
MANY = 10_000
# How often a process that works for another looks whether that is there, in seconds.
_LOOKS = 0.5


def checked_jobs(jobs: Any) -> int:
    """How many run at once: 1 or more, or -1 for as many as there are cores.

    Raises:
        ValueError: ``jobs`` is something else.

    >>> checked_jobs(-1)
    -1
    """
    if isinstance(jobs, bool) or not isinstance(jobs, numbers.Integral) or not (int(jobs) == -1 or int(jobs) >= 1):
        raise ValueError(f'jobs must be a whole number, 1 or more, or -1 for every core, not {jobs!r}')
    return int(jobs)


def at_once(function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int) -> Generator[Any, None, None]:
    """Calls a function with each tuple of arguments, some of them at once, and gives what it returns as it comes.

    Raises:
        ValueError: joblib is not installed.
        RuntimeError: A process was killed.
    """
    try:
        from joblib import Parallel, delayed
        from joblib.parallel import get_active_backend
    except ImportError:
        raise ValueError("more than one job needs joblib: pip install 'chainer-lrfinder[jobs]'") from None
    # What is done is kept where the backend hands it over as it comes.
    return_as = 'generator_unordered' if get_active_backend()[0].supports_return_generator else 'list'
    try:
        # Large arrays are shared, but each process may change its own, as it may where one training follows another.
        with Parallel(n_jobs=min(jobs, len(calls)) or 1, batch_size=1, mmap_mode='c', return_as=return_as) as parallel:
            yield from parallel(delayed(_called)(os.getpid(), function, *call) for call in calls)
    except BrokenProcessPool as error:
        raise RuntimeError('one of the processes was killed, as when memory runs out; take fewer jobs') from error


def _called(process: int, function: Callable[..., Any], *arguments: Any) -> Any:
    if os.getpid() != process:
        _end_with_parent()
    return function(*arguments)


@functools.cache
def _end_with_parent() -> None:
    """Ends this process when the one that it works for has gone, as when that is killed: nothing else would, for joblib's wait
    for more work, and others may do the same work again meanwhile.
    """
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOKS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Lets the block be the only one that trains in this process, with one thread for linear algebra."""
    with _alone_in_the_process, _one_thread():
        yield


def _one_thread() -> contextlib.AbstractContextManager[Any]:
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # it comes with joblib, in the extra "jobs"
        return contextlib.nullcontext()
    return threadpool_limits(1, user_api='blas')
