"""Measures the learning rate range of a network that Chainer trains.

The names below are loaded when they are first used: importing this package loads neither Chainer, pandas nor Matplotlib, and
makes a later ``import chainer`` work on every supported Python and NumPy.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    from clr import __version__
    from clr._compat import missing
except ImportError as error:
    if 'clr' not in sys.modules or error.name not in ('clr', 'clr._compat'):
        raise
    found = sys.modules['clr']  # a folder of that name will do, and what pythonnet puts there need come from no file
    place = getattr(found, '__file__', None) or next(iter(getattr(found, '__path__', [])), 'another module')
    raise ImportError(
        f'lrfinder needs the package clr that it came with, but finds {place} in its place (pythonnet, too, brings a module of '
        'that name): rename or uninstall that, or start where it is not found',
        name='clr',
        path=place,
    ) from None

if TYPE_CHECKING:
    from lrfinder.analysis.analyzer import analyze
    from lrfinder.analysis.curve import read_curve
    from lrfinder.analysis.suggestion import NoRangeError, Suggestion
    from lrfinder.extension import LRRangeTest
    from lrfinder.finder import find
    from lrfinder.plotting import plot
    from lrfinder.result import Result
    from lrfinder.seeds import find_seeds
    from lrfinder.tuning.tuner import Tuned, tune

__all__ = [
    'LRRangeTest',
    'NoRangeError',
    'Result',
    'Suggestion',
    'Tuned',
    '__version__',
    'analyze',
    'find',
    'find_seeds',
    'plot',
    'read_curve',
    'tune',
]

_HOMES = {
    'LRRangeTest': 'lrfinder.extension',
    'NoRangeError': 'lrfinder.analysis.suggestion',
    'Result': 'lrfinder.result',
    'Suggestion': 'lrfinder.analysis.suggestion',
    'Tuned': 'lrfinder.tuning.tuner',
    'analyze': 'lrfinder.analysis.analyzer',
    'find': 'lrfinder.finder',
    'find_seeds': 'lrfinder.seeds',
    'plot': 'lrfinder.plotting',
    'read_curve': 'lrfinder.analysis.curve',
    'tune': 'lrfinder.tuning.tuner',
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        value = getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        raise missing.explained(error) from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
