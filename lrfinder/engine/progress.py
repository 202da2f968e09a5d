"""A progress bar on standard error, where that is a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import Any

# Reading a loss off a GPU waits for the GPU: not at every update.
_INTERVAL = 0.2


class Progress:
    """A progress bar with the rate and the loss; nothing where standard error is no terminal, or when told to be quiet.

    Args:
        title: What goes on.
        total: About how many updates there will be; ``None`` where that is not known before.
        quiet: Whether to show nothing.

    >>> with Progress('range test', quiet=True) as progress:
    ...     progress.show(0.1, 2.3)
    """

    def __init__(self, title: str, total: int | None = None, quiet: bool = False) -> None:
        self._title = title
        self._total = total
        self._bar: Any = None
        self._done = 0
        self._shown = 0.0
        self.visible = not quiet and sys.stderr is not None and sys.stderr.isatty()

    @property
    def due(self) -> bool:
        """Whether it is time to show something new."""
        return self.visible and time.monotonic() - self._shown > _INTERVAL

    def show(self, rate: float, loss: float, done: int | None = None) -> None:
        """Shows where the training is.

        Args:
            rate: The rate of the last update.
            loss: Its loss.
            done: How many updates have been done; one more than at the last call, unless it is told.
        """
        self._done = self._done + 1 if done is None else done
        if not self.visible or (self._bar is not None and done is None and not self.due):
            return
        self._shown = time.monotonic()
        if self._bar is None:
            self._bar = self._make_bar(self._done)
        self._bar.n = self._done
        if self._bar.total is not None:
            self._bar.total = max(self._bar.total, self._done)
        self._bar.set_postfix_str(f'rate {rate:.4g}, loss {loss:.4g}')

    def count(self, done: int) -> None:
        """Shows how many of several trainings are done."""
        if self.visible:
            self._bar = self._bar or self._make_bar(done)
            self._bar.n = done
            self._bar.refresh()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def _make_bar(self, done: int) -> Any:
        from tqdm import tqdm

        size = shutil.get_terminal_size()  # is never 0, unlike what tqdm finds, which then shows nothing
        return tqdm(
            desc=self._title,
            total=self._total,
            initial=done,
            file=sys.stderr,
            leave=False,
            ncols=size.columns,
            nrows=size.lines,
        )
