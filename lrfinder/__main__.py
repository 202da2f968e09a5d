"""``python -m lrfinder``."""

import atexit
import gc
import sys


def run() -> None:
    """Runs the command, and ends the process with its exit status."""
    from lrfinder.cli.interrupts import GRACE, end_at_once, ignore

    end_at_once(message='interrupted before anything was recorded')
    atexit.register(ignore)  # as the last, since it is the first: when Python has all but ended, a signal would kill it
    from lrfinder.cli.main import main

    end_at_once()  # what a signal ends from here on the command says itself
    status = main()
    end_at_once(status, grace=GRACE)
    gc.freeze()  # all goes with the process; to look for garbage in it takes Python a third of a second
    sys.exit(status)


def _take_modules_from_here_last() -> None:
    """Has a ``random.py`` in the current folder not stand in for Python's, which ``python -m`` would take it for.

    Where the user names a module of this folder, it is looked for there first.
    """
    if not (sys.flags.isolated or getattr(sys.flags, 'safe_path', False)):  # else Python has not put the folder first
        sys.path.append(sys.path.pop(0))


if __name__ == '__main__':
    _take_modules_from_here_last()
    run()
