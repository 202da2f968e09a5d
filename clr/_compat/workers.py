"""Processes that Python or Chainer start: they can import Chainer too, and nothing waits for a dead one."""

import functools
import multiprocessing
import pathlib
import types
from multiprocessing import pool, spawn
from typing import Any

import clr

_FOLDER = str(pathlib.Path(clr.__file__).resolve().parents[1])
_IMPORT = f'import sys\nsys.path.insert(0, {_FOLDER!r})\ntry: import clr\nexcept ImportError: pass\nfinally: del sys.path[0]'


# ---- clr on the way to a new process


def pass_on() -> None:
    """Has each process that ``multiprocessing`` spawns from here on, or has a fork server start, import clr first.

    What such a process is to do names classes and functions of Chainer's, which it imports to read it: before any line of the
    user's could import clr. A second call changes nothing.
    """
    prepare = spawn.get_preparation_data
    if hasattr(prepare, 'with_clr'):
        return

    @functools.wraps(prepare)
    def prepare_with_clr(name: str) -> dict[str, object]:
        return {**prepare(name), 'clr': _ImportsClr()}

    vars(prepare_with_clr)['with_clr'] = True
    spawn.get_preparation_data = prepare_with_clr


class _ImportsClr:
    """Imports clr where it is unpickled: in a process that has no more than Python, and not yet its parent's ``sys.path``."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (_IMPORT, {})


# ---- MultiprocessIterator


def mend_iterator(module: types.ModuleType) -> None:
    """Has MultiprocessIterator raise an error where it waited for ever: when a worker dies, or the data set raises one.

    Args:
        module: ``chainer.iterators.multiprocess_iterator``.
    """
    loop, queue = module._PrefetchLoop, module._Communicator
    do_task, get = loop._task, queue.get

    def _task(self: Any) -> bool:  # in a thread, whose errors nobody sees
        try:
            return bool(do_task(self))
        except BaseException as error:
            self._pool.terminate()
            self._comm.put(_Failure(error), None, self._comm._reset_count)
            return False

    def get_or_raise(self: Any) -> Any:
        if self.failure is None:
            batch, state = get(self)
            if not isinstance(batch, _Failure):
                return batch, state
            self.failure = batch.error
        raise self.failure

    vars(module)['_Pool'] = Pool
    loop._task, queue.get, queue.failure = _task, get_or_raise, None


class _Failure:
    """Stands in the queue of batches for the error that came in place of one."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Pool(pool.Pool):
    """A pool whose asynchronous results raise an error when a worker has died, rather than never be ready."""

    def __init__(self, **options: Any) -> None:
        started: list[Any] = []

        def start(context: Any, *args: Any, **kwargs: Any) -> Any:
            started.append(context.Process(*args, **kwargs))
            return started[-1]

        vars(self)['Process'] = start
        self._started = started
        try:
            super().__init__(context=multiprocessing.get_context(), **options)
        except (ConnectionError, EOFError) as error:  # a fork server imports the main script too
            raise _died() from error

    def map_async(self, *args: Any, **kwargs: Any) -> Any:
        result = super().map_async(*args, **kwargs)
        get = result.get

        def get_or_raise(timeout: float | None = None) -> Any:
            try:
                return get(timeout)
            except multiprocessing.TimeoutError:
                if any(process.exitcode for process in self._started):
                    raise _died() from None
                raise

        vars(result)['get'] = get_or_raise
        return result


def _died() -> RuntimeError:
    method = multiprocessing.get_start_method()
    why = 'a worker process of MultiprocessIterator died; if it could say why, that stands above'
    if method == 'fork':
        return RuntimeError(why)
    return RuntimeError(
        f'{why}. Started by {method!r}, it imports the main script, whose work must be under "if __name__ == \'__main__\':", '
        "and the data set's class, which must be in a module; multiprocessing.set_start_method('fork') does without"
    )


# ---- snapshot writers


def end_writer(writer: Any) -> None:
    """Ends a snapshot writer that has a queue; nothing in it is waited for where nobody reads it any more.

    Raises:
        RuntimeError: The process that writes died before.
    """
    writer._consumer.join()
    writer._started, writer._finalized = False, True
    if getattr(writer._consumer, 'exitcode', 0):  # a thread has none
        writer._queue.cancel_join_thread()
        raise RuntimeError('the process that writes snapshots died, and the last ones are missing; its own error stands above')
