"""The bar on a terminal."""

import contextlib
import io
import re

import lrfinder
from lrfinder.cli.build import Builder
from lrfinder.cli.options import Options
from lrfinder.engine import progress
from lrfinder.engine.progress import Progress

import pytest


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def wide_and_prompt(monkeypatch):
    monkeypatch.setattr(progress, '_INTERVAL', -1.0)
    monkeypatch.setenv('COLUMNS', '100')


@contextlib.contextmanager
def bars():
    """Gathers the bars that are shown in the block."""
    found = []
    with contextlib.redirect_stderr(Terminal()) as terminal:
        yield found
    found += [bar for bar in terminal.getvalue().split('\r') if '|' in bar]


def test_it_shows_what_is_done_of_how_much_and_the_rate_and_the_loss():
    with bars() as shown, Progress('training', total=4) as bar:
        bar.show(0.1, 2.3)
        bar.show(0.2, 1.5)
    assert shown[-1].startswith('training:  50%|')
    assert '| 2/4 [' in shown[-1] and shown[-1].endswith('rate 0.2, loss 1.5]')


def test_more_updates_than_were_expected_are_all():
    with bars() as shown, Progress('training', total=1) as bar:
        bar.show(0.1, 2.3)
        bar.show(0.2, 1.5)
    assert '| 2/2 [' in shown[-1]


def test_it_is_not_shown_where_it_is_not_wanted():
    with bars() as shown, Progress('training', total=1, quiet=True) as bar:
        bar.show(0.1, 2.3)
    assert shown == []


def test_find_shows_how_many_updates_there_will_be():
    updater, evaluator = Builder(Options(model='mlp:10', batchsize=128)).build(0)
    with bars() as shown:
        updates = lrfinder.find(updater, evaluator=evaluator).suggestion.updates
    done, totals = zip(*(map(int, re.search(r'\| *(\d+)/(\d+) \[', bar).groups()) for bar in shown))
    assert len(set(totals)) == 1
    assert 0 < done[-1] <= updates <= totals[0]
