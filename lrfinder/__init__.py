"""Measures the learning rate range of a network that Chainer trains.

The names below are loaded when they are first used: importing this package loads neither Chainer, pandas nor Matplotlib, and
makes a later ``import chainer`` work on every supported Python and NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clr import __version__

if TYPE_CHECKING:
    from lrfinder.analysis.analyzer import analyze
    from lrfinder.analysis.curve import read_curve
    from lrfinder.analysis.suggestion import NoRangeError, Suggestion
    from lrfinder.extension import LRRangeTest
    from lrfinder.finder import find
    from lrfinder.plotting import plot
    from lrfinder.result import Result

__all__ = [
    'LRRangeTest',
    'NoRangeError',
    'Result',
    'Suggestion',
    '__version__',
    'analyze',
    'find',
    'plot',
    'read_curve',
]

_HOMES = {
    'LRRangeTest': 'lrfinder.extension',
    'NoRangeError': 'lrfinder.analysis.suggestion',
    'Result': 'lrfinder.result',
    'Suggestion': 'lrfinder.analysis.suggestion',
    'analyze': 'lrfinder.analysis.analyzer',
    'find': 'lrfinder.finder',
    'plot': 'lrfinder.plotting',
    'read_curve': 'lrfinder.analysis.curve',
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
