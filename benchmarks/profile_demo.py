"""Where the time of `make demo` goes: `python -m benchmarks.profile_demo --model resnet`.

Runs the command with its options in this process, and prints the share of time that goes into Chainer's own forward,
backward and update, and into what else.
"""

from __future__ import annotations

import functools
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

TRAINING = 'forward, backward, update'
VALIDATION = 'forward in validations'
REST = "all but Chainer's own work"


class Clock:
    """Counts the seconds of each part, without those of the parts within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def watch(self, part: str, owner: Any, name: str) -> None:
        """Count the calls of a function of a module's or of a class's."""
        setattr(owner, name, self._counted(part, getattr(owner, name)))

    def watch_block(self, part: str, owner: Any, name: str) -> None:
        """Count the entering and leaving of a context manager, and the calls of the function that it yields."""
        make = getattr(owner, name)
        setattr(owner, name, lambda *args: Block(functools.partial(self._counted, part), make(*args)))

    def _counted(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.perf_counter() - start
                self.seconds[part] += spent - self._inner.pop()
                self._inner[-1] += spent

        return counted


class Block(AbstractContextManager):
    """A context manager whose work is counted, and not that of the lines within it."""

    def __init__(self, counted: Callable[..., Any], block: AbstractContextManager) -> None:
        self._counted = counted
        self._block = block

    def __enter__(self) -> Any:
        return self._counted(self._counted(self._block.__enter__)())

    def __exit__(self, *error: Any) -> bool | None:
        return self._counted(self._block.__exit__)(*error)


def main() -> int:
    """Print the seconds and the share of each part, and of all but Chainer's own work."""
    start = time.perf_counter()
    clock = Clock()
    watch_command(clock)

    from lrfinder.cli.main import main as command

    status = command(sys.argv[1:])
    total = time.perf_counter() - start
    seconds = {**clock.seconds, 'imports': total - sum(clock.seconds.values())}
    for part, spent in seconds.items():
        print(f'{part:30} {spent:8.2f} s {spent / total:7.2%}')
    chainers = clock.seconds[TRAINING] + clock.seconds[VALIDATION]
    print(f'{REST:30} {total - chainers:8.2f} s {1 - chainers / total:7.2%}')
    return status


def watch_command(clock: Clock) -> None:
    """Watch the parts of the command, which are imported for it: that is a part of the time, too."""
    from lrfinder.engine import state

    # The finder takes this function by its name when it is imported.
    clock.watch_block('keeping and putting back state', state, 'preserved')

    from lrfinder import plotting
    from lrfinder.cli import find

    import chainer
    from chainer.training import StandardUpdater, extensions

    clock.watch(TRAINING, chainer.GradientMethod, 'update')
    clock.watch(VALIDATION, extensions.Evaluator, 'evaluate')
    clock.watch('batches', StandardUpdater, 'update_core')
    clock.watch('pictures', plotting, 'save_range_test')
    clock.watch('range test', find, 'run')


if __name__ == '__main__':
    sys.exit(main())
