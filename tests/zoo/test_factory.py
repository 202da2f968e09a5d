"""module:factory, and help for misspelt names."""

import os
import re
import sys

from lrfinder._names import DATASET_NAMES, MODEL_NAMES, suggest
from lrfinder.zoo.datasets import _LOADERS
from lrfinder.zoo.factory import call_factory, is_factory, load_object
from lrfinder.zoo.models import MODELS

import pytest


def test_the_listed_names_are_those_that_load():
    assert list(MODEL_NAMES) == list(MODELS)
    assert list(DATASET_NAMES) == ['digits', *_LOADERS]


@pytest.mark.parametrize(
    'word, expected',
    [
        ('resent', 'did you mean resnet?'),
        ('ResNet', 'did you mean resnet?'),
        ('resnet20', 'did you mean resnet?'),
        ('mpl', 'did you mean mlp?'),
        ('transformer', 'choose from mlp, cnn, resnet'),
        ('', 'choose from mlp, cnn, resnet'),
    ],
)
def test_suggest_names_the_nearest_or_all(word, expected):
    assert suggest(word, MODEL_NAMES) == expected


def test_suggest_keeps_capitals_and_cuts_long_lists():
    assert suggest('adamm', ['SGD', 'Adam']) == 'did you mean Adam?'
    assert suggest('zzz', [f'name{i}' for i in range(21)]).endswith(' name18, name19, ...')
    assert suggest('zzz', []) == 'choose from (nothing)'


@pytest.mark.parametrize(
    'spec, expected',
    [
        ('nets:make', True),
        ('package.nets:Net.make', True),
        ('folder/nets.py:make', True),
        ('resnet', False),
        ('resnet:56', False),
        ('resnet:', False),
        ('mlp:50,50', False),
    ],
)
def test_is_factory_looks_at_what_follows_the_colon(spec, expected):
    assert is_factory(spec) is expected


def test_loads_from_the_current_folder(user_module):
    user_module('nets', 'class Net:\n    def make():\n        return 5')
    assert load_object('nets:Net.make')() == 5


def test_the_current_folder_comes_before_all_others(user_module, tmp_path):
    user_module('nets', 'def make(): return "mine"')
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / 'nets.py').write_text('def make(): return "installed"')
    sys.path[:] = [str(tmp_path / 'other'), *sys.path, str(tmp_path)]
    assert load_object('nets:make')() == 'mine'


def test_the_factory_may_import_from_the_current_folder_when_it_is_called(user_module):
    user_module('helper', 'value = 7')
    user_module('nets', 'def make():\n    import helper\n    return helper.value')
    sys.path[:] = [folder for folder in sys.path if folder not in ('', os.getcwd())]
    assert call_factory('nets:make', load_object('nets:make')) == 7


BAD_MODULES = [
    ('nets:make', None, "no module named 'nets', neither in FOLDER nor installed"),
    ('nets.py:make', 'x = 1', "no module named 'nets.py', neither in FOLDER nor installed; drop .py"),
    ('nets.inner:make', 'x = 1', "no module named 'nets.inner', neither in FOLDER nor installed"),
    (
        'folder/nets:make',
        None,
        "'folder/nets:make' is not of the form module:factory, such as nets:make or package.nets:make",
    ),
    (
        '.nets:make',
        None,
        "'.nets:make' is not of the form module:factory, such as nets:make or package.nets:make",
    ),
    ('nets', None, "'nets' is not of the form module:factory, such as nets:make or package.nets:make"),
    (
        'nets:make',
        '\nimport missing_inside',
        "importing 'nets' raised ModuleNotFoundError: No module named 'missing_inside' (nets.py, line 2)",
    ),
    (
        'nets:make',
        'from json import missing',
        "importing 'nets' raised ImportError: cannot import name 'missing' from 'json' (JSON) (nets.py, line 1)",
    ),
    ('nets:make', 'def make(:', "importing 'nets' raised SyntaxError: invalid syntax (nets.py, line 1)"),
    (
        'nets:make',
        'import json\njson.loads("{")',
        "importing 'nets' raised JSONDecodeError: Expecting property name enclosed in double quotes: "
        'line 1 column 2 (char 1) (nets.py, line 2)',
    ),
    (
        'nets:make',
        'raise SystemExit(2)',
        "importing 'nets' ended the program (SystemExit: 2 (nets.py, line 1)): put what it runs as a "
        "script under if __name__ == '__main__':",
    ),
    ('nets:maek', 'def make(): pass', "'nets:maek': there is no 'maek': did you mean make?"),
    ('nets:zzz', 'def make(): pass', "'nets:zzz': there is no 'zzz': choose from make"),
    ('nets:make', '', "'nets:make': there is no 'make': choose from (nothing)"),
    ('nets:make', 'make = 3', "'nets:make' is of type int: name a function or a class"),
    (
        'nets:make',
        'def __getattr__(name):\n    raise ImportError("needs\\n  torch")',
        "'nets:make' raised ImportError: needs torch (nets.py, line 2)",
    ),
]


@pytest.mark.parametrize('spec, source, message', BAD_MODULES)
def test_what_cannot_be_loaded_is_told_in_one_line(user_module, spec, source, message):
    if source is not None:
        user_module('nets', source)
    with pytest.raises(ValueError) as caught:
        load_object(spec)
    told = re.sub(r'\(/.*json/__init__.py\)', '(JSON)', str(caught.value))
    assert told.replace(os.getcwd(), 'FOLDER') == message


BAD_CALLS = [
    (
        'def make():\n    return 1 / 0',
        "'nets:make' raised ZeroDivisionError: division by zero (nets.py, line 2)",
    ),
    ('def make():\n    raise KeyError', "'nets:make' raised KeyError (nets.py, line 2)"),
    ('def make():\n    raise SystemExit("bye")', "'nets:make' raised SystemExit: bye (nets.py, line 2)"),
    ('def make(a): pass', "'nets:make' raised TypeError: make() missing 1 required positional argument: 'a'"),
]


@pytest.mark.parametrize('source, message', BAD_CALLS)
def test_what_the_factory_raises_is_told_in_one_line(user_module, source, message):
    user_module('nets', source)
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$') as caught:
        call_factory('nets:make', load_object('nets:make'))
    assert caught.value.__cause__ is not None


def test_an_interrupt_is_not_turned_into_an_error(user_module):
    user_module('nets', 'def make(): raise KeyboardInterrupt')
    with pytest.raises(KeyboardInterrupt):
        call_factory('nets:make', load_object('nets:make'))
