"""Installing, as strangers do it: sdist and wheel, pip, uv, with Chainer and without; it then runs outside of the tree."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
UV = shutil.which('uv', path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')]))
LIMIT = 900  # seconds, with packages to download on a busy machine; what hangs is stopped then

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(LIMIT),
    pytest.mark.skipif(UV is None, reason="uv is missing: pip install '.[test]'"),
]

# What the tests run with is not what is installed.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ('PIP_CONSTRAINT', 'PYTHONPATH', 'VIRTUAL_ENV')}
ENVIRONMENT |= {'OMP_NUM_THREADS': '1', 'UV_PYTHON': sys.executable, 'UV_PYTHON_DOWNLOADS': 'never', 'UV_NO_PROGRESS': '1'}

SHORT_TEST = '--model', 'mlp', '--value-range', '0', '1', '--iterations', '90', '--quiet'
CHAINER_FIRST = """
import multiprocessing
import chainer

if __name__ == '__main__':
    for method in 'fork', 'spawn', 'forkserver':
        multiprocessing.set_start_method(method, force=True)
        iterator = chainer.iterators.MultiprocessIterator(chainer.datasets.TupleDataset(range(4)), 2, shuffle=False)
        print(method, next(iterator), next(iterator))
        iterator.finalize()
"""


def run(*command, **options):
    options = {'capture_output': True, 'text': True, 'timeout': LIMIT, 'env': ENVIRONMENT, **options}
    return subprocess.run([str(part) for part in command], **options)


def output(*command, **options):
    result = run(*command, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    """What is installed: a repository of its own with what packaging needs of this one."""
    folder = tmp_path_factory.mktemp('sources')
    for name in ('setup.cfg', 'pyproject.toml', 'MANIFEST.in', 'LICENSE', 'README.md', '.gitignore'):
        shutil.copy(ROOT / name, folder)
    for name in ('building', 'clr', 'lrfinder'):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
    git = 'git', '-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b.c'
    output(*git, 'init', '-q')
    output(*git, 'add', '.')
    output(*git, 'commit', '-q', '-m', 'all of it')
    return folder


@pytest.fixture(scope='module')
def built(sources, tmp_path_factory):
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp('dist')
    output(UV, 'build', '--out-dir', folder, sources)
    (sdist,), (wheel,) = folder.glob('*.tar.gz'), folder.glob('*.whl')
    return sdist, wheel


def chainer_comes_first_and_the_command_runs(bin, folder):
    """Whether an environment is good for Chainer, and for this project."""
    script = folder / 'script.py'
    script.write_text(textwrap.dedent(CHAINER_FIRST))
    lines = output(bin / 'python', script, cwd=folder).splitlines()
    assert {line.partition(' ')[2] for line in lines} == {'[(0,), (1,)] [(2,), (3,)]'}
    assert len(output(bin / 'lrfinder', *SHORT_TEST, cwd=folder).split()) == 3


# ---- what is published


def test_sdist_and_wheel_pass_the_checks_of_those_who_publish(built):
    scripts = Path(sys.executable).parent
    output(scripts / 'twine', 'check', '--strict', *built)
    # W009: two packages, and what starts with Python, are meant.
    output(scripts / 'check-wheel-contents', '--ignore', 'W009', built[1])


def test_the_sdist_holds_what_a_build_needs_and_no_more(built):
    with tarfile.open(built[0]) as archive:
        names = {'/'.join(name.split('/')[1:]) for name in archive.getnames()}
    assert {
        'building/backend.py',
        'building/startup.py',
        'building/chainer/backend.py',
        'building/chainer/pyproject.toml',
    } <= names
    folders = {name.split('/')[0] for name in names if '/' in name}
    assert folders == {'building', 'chainer_lrfinder.egg-info', 'clr', 'lrfinder'}


# ---- without Chainer


def test_without_chainer_a_curve_is_read_and_the_rest_says_what_to_install(built, tmp_path):
    output(UV, 'venv', '-q', tmp_path / 'env')
    python = tmp_path / 'env' / 'bin' / 'python'
    output(UV, 'pip', 'install', '-q', '--python', python, built[1])
    rows = [f'{i / 500},{2 - 1.8 * min(i, 50) / 50 + max(0, i - 80) / 4},{min(i, 50) / 50}' for i in range(100)]
    (tmp_path / 'curve.csv').write_text('\n'.join(['lr,main/loss,main/accuracy', *rows]))
    command = tmp_path / 'env' / 'bin' / 'lrfinder'
    assert 'value_range' in output(command, '--curve', 'curve.csv', cwd=tmp_path)
    assert output(python, '-c', 'from clr import policies; print(policies.triangular(5, (0, 1), 10))').split() == ['0.5']
    result = run(command, '--model', 'mlp', cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, '')
    (line,) = result.stderr.splitlines()
    assert line.startswith('lrfinder: error: Chainer is not installed: "pip install ')


# ---- with Chainer, in one command


def test_pip_installs_the_wheel_and_chainer(built, sources, tmp_path):
    output(sys.executable, '-m', 'venv', tmp_path / 'env')
    bin = tmp_path / 'env' / 'bin'
    output(
        bin / 'python', '-m', 'pip', 'install', '-q', '--no-compile', f'{built[1]}[chainer]', sources / 'building' / 'chainer'
    )
    chainer_comes_first_and_the_command_runs(bin, tmp_path)


@pytest.mark.parametrize('newest', [False, True], ids=['the pip of this Python', 'the newest pip'])
def test_pip_builds_chainer_from_nothing(sources, tmp_path, newest):
    output(sys.executable, '-m', 'venv', tmp_path / 'env')
    pip = tmp_path / 'env' / 'bin' / 'python', '-m', 'pip'
    if newest:
        output(*pip, 'install', '-q', '--upgrade', 'pip')
    uncached = {**ENVIRONMENT, 'PIP_NO_CACHE_DIR': '1'}  # where a wheel that was built once hides what is wrong
    output(*pip, 'wheel', '-q', '--no-deps', '--wheel-dir', tmp_path, sources / 'building' / 'chainer', env=uncached)
    assert [path.name for path in tmp_path.glob('*.whl')] == ['chainer-7.8.1-py3-none-any.whl']


def test_pip_finds_all_in_a_repository(sources, tmp_path):
    repository = f'git+file://localhost{sources}'  # pip asks for a host
    wanted = f'chainer-lrfinder[chainer] @ {repository}', f'chainer @ {repository}#subdirectory=building/chainer'
    output(sys.executable, '-m', 'venv', tmp_path / 'env')
    report = output(tmp_path / 'env' / 'bin' / 'python', '-m', 'pip', 'install', '--dry-run', *wanted)
    (found,) = re.findall('^Would install (.*)$', report, re.MULTILINE)
    assert {'chainer-7.8.1', 'chainer-lrfinder-0.1.0'} <= set(found.split())


def test_uv_runs_the_command_in_a_clone(sources, tmp_path):
    clone = tmp_path / 'clone'
    output('git', 'clone', '-q', sources, clone)
    assert len(output(UV, 'run', '-q', 'lrfinder', *SHORT_TEST, cwd=clone).split()) == 3
    assert not output('git', '-C', clone, 'status', '--porcelain')
    chainer_comes_first_and_the_command_runs(clone / '.venv' / 'bin', tmp_path)


def test_uv_runs_the_command_from_a_repository(sources, tmp_path):
    wanted = f'chainer-lrfinder[chainer] @ git+{sources.as_uri()}'
    assert len(output(UV, 'tool', 'run', '-q', '--from', wanted, 'lrfinder', *SHORT_TEST, cwd=tmp_path).split()) == 3


def test_uv_adds_it_to_a_project_of_the_user_s(sources, tmp_path):
    output(UV, 'init', '-q', '--bare', '--name', 'mine', cwd=tmp_path)
    output(UV, 'add', '-q', f'chainer-lrfinder[chainer] @ git+{sources.as_uri()}', cwd=tmp_path)
    printed = output(UV, 'run', '-q', 'python', '-c', 'import chainer, clr; print(chainer.__version__)', cwd=tmp_path)
    assert printed.split() == ['7.8.1']
