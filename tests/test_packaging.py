"""What the packaging promises: metadata, extras, entry point, what the wheel holds, light imports."""

import ast
import configparser
import importlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='module')
def config():
    parser = configparser.RawConfigParser()
    parser.read(ROOT / 'setup.cfg', encoding='utf-8')
    return parser


@pytest.fixture(scope='module')
def project():
    tomllib = pytest.importorskip('tomllib')  # Python 3.11
    return tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))


def requirements(text):
    """Maps the names of the packages in a list of requirements to their version ranges."""
    pairs = [re.match(r'([\w.-]+(?:\[.*\])?)\s*([^;]*)', line.strip()) for line in text.strip().splitlines()]
    return {pair[1]: pair[2].strip() for pair in pairs}


# ---- metadata


def test_the_version_is_a_literal_so_that_building_imports_nothing(config):
    assert config['metadata']['version'] == 'attr: clr.__version__'
    body = ast.parse((ROOT / 'clr' / '__init__.py').read_text(encoding='utf-8')).body
    versions = [n.value for n in body if isinstance(n, ast.Assign) and n.targets[0].id == '__version__']
    assert [ast.literal_eval(version) for version in versions] == ['0.1.0']


def test_the_licence_is_mit(config):
    assert config['metadata']['license'] == 'MIT'
    assert (ROOT / 'LICENSE').read_text(encoding='utf-8').startswith('MIT License\n')


def test_each_python_that_is_tested_is_declared_and_a_newer_one_is_not_refused(config):
    declared = re.findall(r':: Python :: (3\.\d+)$', config['metadata']['classifiers'], re.MULTILINE)
    assert declared == ['3.10', '3.11', '3.12', '3.13', '3.14']
    assert config['options']['python_requires'] == '>=3.10'


def test_chainer_is_an_extra_pinned_as_its_workarounds_are_written_for_one_release(config):
    assert requirements(config['options.extras_require']['chainer'])['chainer'] == '==7.8.1'
    assert 'chainer' not in requirements(config['options']['install_requires'])


def test_every_way_to_get_chainer_gets_the_same_release(project):
    backend = ast.parse((ROOT / 'building' / 'chainer' / 'backend.py').read_text(encoding='utf-8')).body
    releases = [ast.literal_eval(n.value) for n in backend if isinstance(n, ast.Assign) and n.targets[0].id == 'RELEASE']
    assert releases == ['chainer==7.8.1']
    assert project['dependency-groups']['dev'] == ['chainer ==7.8.1']
    assert project['tool']['uv']['sources'] == {'chainer': {'path': 'building/chainer'}}


def test_the_table_that_uv_asks_for_leaves_the_metadata_to_setup_cfg(config, project):
    table = project['project']
    assert table['name'] == config['metadata']['name']
    assert table['requires-python'].replace(' ', '') == config['options']['python_requires']
    assert table.keys() == {'name', 'requires-python', 'dynamic'}


@pytest.mark.parametrize(
    ('extra', 'package'),
    [
        ('cuda12', 'cupy-cuda12x[ctk]'),
        ('cuda13', 'cupy-cuda13x[ctk]'),
        ('mpi', 'mpi4py'),
        ('jobs', 'joblib'),
        ('notebooks', 'jupyterlab'),
        ('test', 'pytest'),
        ('test', 'hypothesis'),
        ('test', 'uv'),
    ],
)
def test_extras_bring_what_they_are_for(config, extra, package):
    assert package in requirements(config['options.extras_require'][extra])


def test_extras_that_others_include_exist(config):
    extras = config['options.extras_require']
    lists = re.findall(r'chainer-lrfinder\[(.*)\]', '\n'.join(extras.values()))
    included = {name for names in lists for name in names.split(',')}
    assert included == {'benchmarks', 'chainer', 'docs', 'jobs', 'mpi', 'tune'}
    assert included <= set(extras)


@pytest.mark.parametrize('extra', ['cuda12', 'cuda13', 'mpi', 'notebooks', 'test'])
def test_extras_that_are_nothing_without_chainer_bring_it(config, extra):
    assert 'chainer' in ','.join(re.findall(r'chainer-lrfinder\[(.*)\]', config['options.extras_require'][extra])).split(',')


def test_floor_file_holds_the_oldest_versions_that_are_declared(config):
    lines = (ROOT / 'floor.txt').read_text(encoding='utf-8').splitlines()
    floor = requirements('\n'.join(line for line in lines if not line.startswith('#')))
    declared = requirements(config['options']['install_requires'])
    assert floor.keys() == declared.keys()
    for package, lowest in declared.items():
        oldest = floor[package].removeprefix('==').removesuffix('.*')
        assert oldest in (lowest.removeprefix('>='), lowest.removeprefix('>=') + '.0')


def test_the_console_script_resolves_to_a_function(config):
    name, _, target = config['options.entry_points']['console_scripts'].strip().partition(' = ')
    module, _, function = target.partition(':')
    assert name == 'lrfinder'
    assert callable(getattr(importlib.import_module(module), function))


# ---- which Python the Makefile takes


def described(version):
    """What the Makefile says of a Python: its exit status, standard output and standard error."""
    (code,) = re.findall(r'^define DESCRIBE_PYTHON\n(.*?)^endef', (ROOT / 'Makefile').read_text(encoding='utf-8'), re.M | re.S)
    code = f'import sys; sys.version_info = {version}\n{code}'
    done = subprocess.run([sys.executable, '-c', code, 'here'], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize('version', [(3, 10, 0), (3, 14, 8)])
def test_make_takes_a_python_that_is_tested_without_a_word(version):
    status, _, said = described(version)
    assert (status, said) == (0, '')


def test_make_takes_a_newer_python_with_one_line():
    status, out, said = described((3, 15, 0))
    assert status == 0
    assert out.startswith('3.15.0 ')
    assert said == 'Python 3.15.0 is newer than any that this was tested with; 3.14 was the last.\n'


def test_make_refuses_an_older_python():
    assert described((3, 9, 18)) == (
        1,
        '',
        'Python 3.9.18 is not supported. Name one from 3.10 on: PYTHON=python3.12 make ...\n',
    )


# ---- what is shipped


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the sources: its names, and its METADATA."""
    folder = tmp_path_factory.mktemp('build')
    for name in ('setup.cfg', 'pyproject.toml', 'LICENSE'):
        shutil.copy(ROOT / name, folder)
    for package in ('building', 'clr', 'lrfinder', 'tests'):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns('__pycache__'))
    build = 'import sys; sys.path.insert(0, "building"); import backend; backend.build_wheel("dist")'
    subprocess.run([sys.executable, '-c', build], cwd=folder, check=True, capture_output=True)
    (path,) = (folder / 'dist').glob('*.whl')
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(n).decode() for n in names if n.endswith('.dist-info/METADATA'))
    return names, metadata


def test_the_wheel_ships_every_module_and_the_types_marker(wheel):
    names, _ = wheel
    modules = {str(p.relative_to(ROOT)) for room in ('clr', 'lrfinder') for p in (ROOT / room).rglob('*.py')}
    assert modules | {'clr/py.typed', 'lrfinder/py.typed'} <= set(names)


def test_the_wheel_ships_the_embedded_digits(wheel):
    assert 'lrfinder/zoo/digits.npz' in wheel[0]


def test_the_wheel_ships_nothing_but_the_two_packages_and_what_starts_with_python(wheel):
    started = {'chainer-lrfinder.pth', '_chainer_lrfinder_startup.py'}
    assert {name.split('/')[0] for name in wheel[0] if '.dist-info/' not in name} == {'clr', 'lrfinder', *started}


def test_the_wheel_names_its_licence_and_its_pythons(wheel):
    names, metadata = wheel
    assert 'Name: chainer-lrfinder\n' in metadata
    assert 'License: MIT\n' in metadata or 'License-Expression: MIT\n' in metadata
    assert 'Requires-Python: >=3.10\n' in metadata
    assert any(name.endswith('/LICENSE') for name in names)


# ---- imports that stay light

HEAVY = {'chainer', 'matplotlib', 'pandas'}


def loaded(code):
    """The heavy packages that a fresh interpreter has loaded once it ran the code."""
    report = 'import sys, atexit; atexit.register(lambda: print(*sys.modules, sep="\\n", file=sys.stderr))\n'
    done = subprocess.run([sys.executable, '-c', report + code], cwd=ROOT, check=True, capture_output=True, text=True)
    return HEAVY & set(done.stderr.splitlines())


def test_the_report_of_loaded_packages_sees_a_heavy_one():
    assert loaded('import pandas') == {'pandas'}


@pytest.mark.parametrize('package', ['clr', 'lrfinder'])
def test_importing_a_package_loads_nothing_heavy(package):
    assert loaded(f'import {package}') == set()


def test_help_loads_nothing_heavy():
    ask = 'import runpy, sys; sys.argv[1:] = ["--help"]; runpy.run_module("lrfinder", run_name="__main__")'
    assert loaded(ask) == set()
