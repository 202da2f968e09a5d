"""Signals that wait."""

import signal

from lrfinder.engine.signals import signals_deferred

import pytest

NUMBERS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM)


def test_all_that_came_are_heard_afterwards_in_their_order():
    heard = []

    def handle(number, _):
        heard.append(number)
        raise InterruptedError(number)

    earlier = {number: signal.signal(number, handle) for number in NUMBERS}
    try:
        with pytest.raises(InterruptedError), signals_deferred():
            for number in NUMBERS:
                signal.raise_signal(number)
            assert heard == []
        assert heard == list(NUMBERS)
        assert [signal.getsignal(number) for number in NUMBERS] == [handle] * len(NUMBERS)
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def test_one_that_is_ignored_is_no_matter_of_the_block():
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_deferred():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, earlier)
