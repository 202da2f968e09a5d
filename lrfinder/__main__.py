"""``python -m lrfinder``."""

import gc
import sys

from clr._compat import missing


def run() -> None:
    """Runs the command, and ends the process with its exit status."""
    status = _main()
    gc.freeze()  # all goes with the process; to look for garbage in it takes Python a third of a second
    sys.exit(status)


def _main() -> int:
    try:
        from lrfinder.cli.main import main

        return main()
    except ModuleNotFoundError as error:
        explained = missing.explained(error)
        if explained is error:
            raise
        print('lrfinder: error:', explained, file=sys.stderr)
        return 2


if __name__ == '__main__':
    run()
