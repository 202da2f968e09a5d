"""``python -m lrfinder``."""

import gc
import sys

from lrfinder.cli.main import main


def run() -> None:
    """Runs the command, and ends the process with its exit status."""
    status = main()
    gc.freeze()  # all goes with the process; to look for garbage in it takes Python a third of a second
    sys.exit(status)


if __name__ == '__main__':
    run()
