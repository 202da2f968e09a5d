"""What several tests need."""

import signal
import sys
import textwrap

import pytest

# A shell starts what it runs in the background with SIGINT ignored, and so would be all that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, 'SIGHUP'):  # and nohup starts it with SIGHUP ignored
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    """Writes a module of the user's into the current folder: ``user_module('nets', 'def make(): ...')``."""

    def write(name, source):
        (tmp_path / f'{name}.py').write_text(textwrap.dedent(source))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', sys.path[:])
    yield write
    for name, module in list(sys.modules.items()):
        if (getattr(module, '__file__', None) or '').startswith(str(tmp_path)):
            del sys.modules[name]
