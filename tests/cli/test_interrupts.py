"""Signals that ask the command to end."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from lrfinder.cli.interrupts import SIGNALS, Interrupted, interruptible
from lrfinder.cli.main import main

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]

# From the 40th update on, a model sends its own process signals all the time: also while the curve is being kept.
NETS = """
    import chainer
    import chainer.links as L
    import os
    import signal

    def send(*_):
        for number in os.environ['NETS_SIGNALS'].split():
            os.kill(os.getpid(), int(number))

    class Net(chainer.Chain):
        updates = 0

        def __init__(self, n_classes):
            super().__init__()
            with self.init_scope():
                self.last = L.Linear(None, n_classes)

        def forward(self, x):
            Net.updates += chainer.config.train
            if Net.updates == 40:
                signal.signal(signal.SIGALRM, send)
                signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
                send()
            return self.last(x)
"""


@pytest.mark.parametrize(('name', 'status'), [('SIGINT', 130), ('SIGTERM', 143), ('SIGHUP', 129)])
def test_a_signal_raises_and_says_its_status(name, status):
    with pytest.raises(Interrupted) as found, interruptible():
        signal.raise_signal(getattr(signal, name))
    assert found.value.status == status


def test_impatient_fingers_disturb_nothing():
    steps = []
    with pytest.raises(Interrupted), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            steps.append('kept')
    assert steps == ['kept']


def test_one_that_comes_much_later_is_heard(monkeypatch):
    monkeypatch.setattr('lrfinder.cli.interrupts.GRACE', -1.0)
    with interruptible():
        for _ in range(2):
            with pytest.raises(Interrupted):
                signal.raise_signal(signal.SIGINT)


def test_one_that_comes_while_python_drops_exceptions_comes_again(capsys):
    class Last:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    hook = sys.unraisablehook
    with pytest.raises(Interrupted) as found, interruptible():
        Last()
        time.sleep(60)
    assert found.value.status == 143
    assert capsys.readouterr().err == ''
    assert sys.unraisablehook is hook


def test_what_else_python_drops_is_told_as_ever(monkeypatch, capsys):
    class Broken:
        def __del__(self):
            raise ValueError('broken')

    monkeypatch.setattr(sys, 'unraisablehook', sys.__unraisablehook__)
    with interruptible():
        Broken()
    assert 'ValueError: broken' in capsys.readouterr().err


def test_a_signal_that_is_ignored_stays_so():
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, earlier)


def test_handlers_are_as_they_were_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    main(['--compare'])
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_process_that_is_forked_ends_as_it_would_without():
    code = """
        import os, signal
        from lrfinder.cli.interrupts import interruptible

        with interruptible():
            child = os.fork()
            if child == 0:
                os.kill(os.getpid(), signal.SIGTERM)
            _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status))
    """
    found = _python(code)
    assert (found.stdout, found.stderr) == ('15\n', '')


@pytest.mark.parametrize(('signals', 'status'), [('2', 130), ('15 2', 143), ('1 15', 129)])
def test_more_signals_lose_nothing_that_the_message_says_is_kept(user_module, tmp_path, signals, status):
    user_module('nets', NETS)
    code = f"""
        import os
        from lrfinder.cli import interrupts
        from lrfinder.cli.main import main

        interrupts.end_at_once({status})  # as the program does: there is nothing to lose when all is kept
        os._exit(main(['--model', 'nets:Net', '--quiet', '--out', 'out']))
    """
    found = _python(code, env={'NETS_SIGNALS': signals}, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (status, '')
    assert found.stderr == 'lrfinder: interrupted; what was recorded is in out; to continue: python -m lrfinder --resume out\n'
    assert len(pd.read_csv(tmp_path / 'out' / 'curve.csv')) >= 30


# A module that a program imports, or what it leaves to do at its end, sends it a signal.
SENT_WHILE_IMPORTING = """
    import os, signal, sys
    from lrfinder.__main__ import run

    class Sender:
        def find_spec(name, path=None, target=None):
            if name == 'lrfinder.cli.main':
                {send}

    sys.meta_path.insert(0, Sender)
    run()
"""
SENT_AT_THE_END = """
    import atexit, os, signal, sys
    from lrfinder.__main__ import run

    atexit.register(os.kill, os.getpid(), signal.SIG{name})
    sys.argv[1:] = ['--version']
    run()
"""


@pytest.mark.parametrize(('name', 'status'), [('INT', 130), ('TERM', 143), ('HUP', 129)])
def test_before_its_work_the_program_ends_at_once(name, status):
    found = _python(SENT_WHILE_IMPORTING.replace('{send}', f'os.kill(os.getpid(), signal.SIG{name})'))
    assert (found.returncode, found.stderr) == (status, 'lrfinder: interrupted before anything was recorded\n')


def test_a_second_one_while_the_first_is_told_says_nothing_more():
    second = 'write = os.write; os.write = lambda *args: (write(*args), os.kill(os.getpid(), signal.SIGTERM))'
    found = _python(SENT_WHILE_IMPORTING.replace('{send}', f'{second}; os.kill(os.getpid(), signal.SIGINT)'))
    assert (found.returncode, found.stderr) == (130, 'lrfinder: interrupted before anything was recorded\n')


@pytest.mark.parametrize('name', ['INT', 'TERM', 'HUP'])
def test_after_its_work_too_and_with_the_status_of_that(name):
    found = _python(SENT_AT_THE_END.replace('{name}', name))
    assert (found.returncode, found.stderr) == (0, '')
    assert found.stdout.startswith('lrfinder ')


def _python(code, **options):
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), **options.pop('env', {})}
    command = [sys.executable, '-c', textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1200, **options)
