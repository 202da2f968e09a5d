"""The examples in the docstrings of the project."""

import doctest
import importlib
import pkgutil
import sys

import clr
import lrfinder
from clr import policies

import pytest

MODULES = [
    module.name
    for package in (clr, lrfinder)
    for module in [
        pkgutil.ModuleInfo(None, package.__name__, True),
        *pkgutil.walk_packages(package.__path__, f'{package.__name__}.'),
    ]
    if not module.name.endswith('__main__')
]


@pytest.mark.parametrize('name', MODULES)
def test_the_examples_of(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MPLBACKEND', 'agg')
    monkeypatch.setattr(sys, 'path', sys.path[:])  # the folder of an example is none for other tests
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert not failed


def test_every_policy_has_an_example():
    finder = doctest.DocTestFinder()
    with_examples = {test.name.rpartition('.')[2] for test in finder.find(policies) if test.examples}
    assert set(policies.POLICIES) <= with_examples


@pytest.mark.parametrize('name', sorted(set(lrfinder.__all__) - {'__version__'}))
def test_every_public_name_has_an_example(name):
    assert '>>> ' in getattr(lrfinder, name).__doc__
