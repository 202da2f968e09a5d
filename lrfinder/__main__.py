"""``python -m lrfinder``."""

import atexit
import gc
import sys

from lrfinder.cli.interrupts import GRACE, end_at_once, ignore


def run() -> None:
    """Runs the command, and ends the process with its exit status."""
    end_at_once(message='interrupted before anything was recorded')
    atexit.register(ignore)  # as the last, since it is the first: when Python has all but ended, a signal would kill it
    from lrfinder.cli.main import main

    end_at_once()  # what a signal ends from here on the command says itself
    status = main()
    end_at_once(status, grace=GRACE)
    gc.freeze()  # all goes with the process; to look for garbage in it takes Python a third of a second
    sys.exit(status)


if __name__ == '__main__':
    run()
