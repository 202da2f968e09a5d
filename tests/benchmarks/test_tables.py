"""The benchmark's files: how they are kept, and that each says what it was made with."""

import shutil
import subprocess
import sys

import clr  # noqa: F401  makes Chainer importable

import numpy as np
import pandas as pd
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import provenance, ramps, tables
from benchmarks.provenance import Origin
from benchmarks.tasks import BY_NAME

ONE = Origin('0026528' + 33 * '0', 'clean', '2026-11-25', 'Python 3.11.7, numpy 2.4.6')
OTHER = Origin('7777777' + 33 * '0', 'changed', '2026-11-26', 'Python 3.12.1, numpy 2.4.6')


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, 'RESULTS', tmp_path)
    return tmp_path


def test_measuring_a_task_again_replaces_its_rows_and_no_others(results):
    tables.update('t.csv', pd.DataFrame({'task': ['b', 'a'], 'seed': [0, 0], 'error': [1.0, 2.0]}), ONE)
    tables.update('t.csv', pd.DataFrame({'task': ['a', 'a'], 'seed': [1, 0], 'error': [3.0, 4.0]}), OTHER)
    assert tables.read('t.csv').values.tolist() == [['a', 1, 3.0], ['a', 0, 4.0], ['b', 0, 1.0]]


def test_each_task_of_a_table_keeps_what_it_was_made_with(results):
    tables.update('t.csv', pd.DataFrame({'task': ['b', 'a', 'c']}), ONE)
    tables.update('u.csv', pd.DataFrame({'task': ['a']}), ONE)
    tables.update('t.csv', pd.DataFrame({'task': ['a']}), OTHER)
    noted = tables.read_provenance()
    assert noted[['table', 'task', 'commit']].values.tolist() == [
        ['t.csv', 'a', OTHER.commit],
        ['t.csv', 'b', ONE.commit],
        ['t.csv', 'c', ONE.commit],
        ['u.csv', 'a', ONE.commit],
    ]
    assert noted.iloc[0].tolist() == ['t.csv', 'a', OTHER.commit, 'changed', '2026-11-26', 'Python 3.12.1, numpy 2.4.6']


def test_nothing_measured_is_nothing_noted(results):
    tables.note('t.csv', [], ONE)
    assert len(tables.read_provenance()) == 0


def test_the_summary_counts_the_tasks_of_each_origin(results):
    tables.note('t.csv', ['a', 'b', 'c'], ONE)
    tables.note('t.csv', ['a'], OTHER)
    tables.note('u.csv', ['a'], Origin(ONE.commit, 'unrecorded', '2026-11-25', ONE.versions))
    table, versions = provenance.summary(tables.read_provenance())
    assert table.columns.tolist() == ['table', 'tasks', 'commit', 'date', 'versions']
    assert table.values.tolist() == [
        ['t.csv', '2', '0026528', '2026-11-25', '1'],
        ['t.csv', '1', '7777777 with changes', '2026-11-26', '2'],
        ['u.csv', '1', 'came with 0026528', '2026-11-25', '1'],
    ]
    assert versions == [ONE.versions, OTHER.versions]


needs_git = pytest.mark.skipif(shutil.which('git') is None, reason='needs Git')


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A repository with one commit, which stands for this one."""

    def git(*args):
        subprocess.run(
            ['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *args], cwd=tmp_path, check=True, capture_output=True
        )

    (tmp_path / 'benchmarks' / 'results').mkdir(parents=True)
    (tmp_path / 'code.py').write_text('1')
    git('init')
    git('add', '.')
    git('commit', '-m', 'One')
    monkeypatch.setattr(provenance, 'ROOT', tmp_path)
    return tmp_path


@needs_git
def test_a_measurement_names_the_commit_and_the_versions(clone):
    head = subprocess.run(['git', 'rev-parse', 'HEAD'], cwd=clone, capture_output=True, text=True).stdout.strip()
    origin = provenance.here()
    assert (origin.commit, origin.tree) == (head, 'clean')
    assert origin.versions.startswith(f'Python {sys.version.split()[0]}, chainer 7.8.1, numpy {np.__version__}, pandas ')


@needs_git
@pytest.mark.parametrize('file', ['code.py', 'new.py', 'benchmarks/new.py'])
def test_a_changed_tree_is_told(clone, file):
    (clone / file).write_text('2')
    assert provenance.here().tree == 'changed'


@needs_git
def test_a_table_is_no_change_of_the_tree(clone):
    (clone / 'benchmarks' / 'results' / 't.csv').write_text('task')
    assert provenance.here().tree == 'clean'


def test_without_git_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, 'ROOT', tmp_path)
    monkeypatch.setenv('GIT_CEILING_DIRECTORIES', str(tmp_path.parent))
    origin = provenance.here()
    assert (origin.commit, origin.tree) == ('unknown', 'unknown')


def test_every_row_of_every_table_says_what_it_was_made_with():
    noted = tables.read_provenance()
    for file in tables.RESULTS.glob('*.csv'):
        if file.name != tables.PROVENANCE:
            assert set(noted[noted.table == file.name].task) == set(tables.read(file.name).task)
    assert not noted.isna().any(axis=None)
    assert set(noted.tree) <= {'clean', 'changed', 'unrecorded'}


def test_the_ramps_are_those_of_every_task_that_the_peers_were_asked_about():
    asked = {name for name, task in BY_NAME.items() if task.group in ('held', 'tune')}
    with np.load(tables.RESULTS / tables.RAMPS) as found:
        assert set(found) == {*ramps.RAMPS, *(f'{peer}/{name}' for peer in ramps.RAMPS for name in asked)}
        for peer, rates in ramps.RAMPS.items():
            np.testing.assert_allclose(found[peer], rates, rtol=1e-12)
            assert found[f'{peer}/iris-linear-adagrad'].shape == (10, len(rates))
    assert set(tables.read_provenance().query('table == @tables.RAMPS').task) == asked


def test_the_peers_ramps_start_and_end_where_their_code_says():
    ends = {peer: (rates[0], rates[-1], len(rates)) for peer, rates in ramps.RAMPS.items()}
    assert ends['fastai'] == pytest.approx((1e-7, 10, 101))
    assert ends['lightning'] == pytest.approx((1e-8, 1, 100))
    assert ends['torch-lr-finder'] == pytest.approx((1e-7, 10, 100))
