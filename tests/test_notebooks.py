"""The notebooks run from their first cell to their last, and are kept with what they show."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HANGS = 1800  # seconds: each notebook takes about ten
NOTEBOOKS = sorted((ROOT / 'notebooks').glob('*.ipynb'))


def cells(path):
    return [cell for cell in json.loads(path.read_text(encoding='utf-8'))['cells'] if cell['cell_type'] == 'code']


@pytest.mark.slow
@pytest.mark.timeout(2 * HANGS)
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    pytest.importorskip('nbmake')
    copy = shutil.copy(path, tmp_path)  # it writes beside itself
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    options = ['-q', '--rootdir', str(tmp_path), '--nbmake', f'--nbmake-timeout={HANGS}']
    command = [sys.executable, '-m', 'pytest', *options, str(copy)]
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS)
    assert found.returncode == 0, found.stdout


def test_there_are_notebooks():
    names = ['1_range_test', '2_train_with_clr', '3_your_own', '4_other_frameworks', '5_tune_the_schedule']
    assert [path.stem for path in NOTEBOOKS] == names


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_as_a_whole_run_left_it(path):
    assert [cell['execution_count'] for cell in cells(path)] == list(range(1, len(cells(path)) + 1))
    outputs = [output for cell in cells(path) for output in cell['outputs']]
    assert any('image/png' in output.get('data', {}) for output in outputs)
    assert not [output for output in outputs if output['output_type'] == 'error']
    errors = [line for output in outputs if output.get('name') == 'stderr' for line in output['text']]
    assert [line for line in errors if not line.startswith('lrfinder: warning: ')] == []


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_knows_nothing_of_where_it_ran(path):
    text = path.read_text(encoding='utf-8')
    assert len(text) < 400_000
    assert not re.search(r'/(home|tmp|root|work|Users)/', text)
