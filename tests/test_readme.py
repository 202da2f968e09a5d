"""What the README says is so: its scripts run, its commands are accepted, its tables are complete."""

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import clr  # noqa: F401
import lrfinder
from clr import policies
from clr.training.extensions import CLR
from lrfinder.analysis.curve import make_curve, write_curve
from lrfinder.cli import options
from lrfinder.zoo.datasets import load_dataset
from lrfinder.zoo.models import classifier, mlp

import chainer
import numpy as np
import pytest
from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / 'README.md').read_text(encoding='utf-8')
SCRIPTS = {
    line.split()[0]: (line.split()[1:], code)
    for line, code in re.findall(r'<!-- run: ([^\n]*) -->\n```python\n(.*?)```\n', README, flags=re.DOTALL)
}
COMMANDS = [
    line.partition(' #')[0].strip()
    for block in re.findall(r'^```sh\n(.*?)^```', README, flags=re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if line.strip()
]


def section(title):
    return README.split(f'\n## {title}\n')[1].split('\n## ')[0]


def first_cells(text):
    """The cells of the first column of the tables in a text, without their heads."""
    rows = re.findall(r'^\| (.*?) \|', text, flags=re.MULTILINE)
    return [row for row in rows if '---' not in row]


# Scripts


@pytest.fixture(scope='module')
def datasets(tmp_path_factory):
    """A folder with what Chainer has downloaded: a little data in the form of MNIST and of the Penn Treebank."""
    root = tmp_path_factory.mktemp('datasets')
    mnist = root / 'pfnet' / 'chainer' / 'mnist'
    mnist.mkdir(parents=True)
    with np.load(ROOT / 'lrfinder' / 'zoo' / 'digits.npz') as digits:
        x = np.pad(digits['x'].repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2))).reshape(-1, 784) * 15
        np.savez(mnist / 'train.npz', x=x[:1500], y=digits['y'][:1500])
        np.savez(mnist / 'test.npz', x=x[1500:], y=digits['y'][1500:])
    ptb = root / 'pfnet' / 'chainer' / 'ptb'
    ptb.mkdir()
    words = np.frombuffer((ROOT / 'LICENSE').read_bytes(), np.uint8).astype(np.int32)
    for name, part in ('train', np.tile(words, 3)), ('valid', words[:200]), ('test', words[:200]):
        np.savez(ptb / f'{name}.npz', x=part)
    return root


@pytest.fixture
def script(datasets, tmp_path):
    """Runs a script of the README in an empty folder, with the arguments that it is marked with and others."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'CHAINER_DATASET_ROOT': str(datasets), 'OMP_NUM_THREADS': '1'}

    def run(name, *more, code=None):
        arguments, as_it_stands = SCRIPTS[name]
        (tmp_path / name).write_text(code or as_it_stands, encoding='utf-8')
        command = [sys.executable, name, *arguments, *map(str, more)]
        environment['MPLBACKEND'] = 'agg'
        found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
        assert found.returncode == 0, found.stderr
        return found.stdout

    return run


@pytest.mark.slow
def test_chainers_mnist_example_runs_with_the_range_test(script, tmp_path):
    script('train_mnist.py')
    found = {path.name for path in (tmp_path / 'result').iterdir()}
    assert {'log', 'snapshot_iter_30', 'loss.png', 'accuracy.png', 'cg.dot'} <= found
    suggestion = lrfinder.Suggestion.load(tmp_path / 'range.json')
    assert suggestion.attr == 'alpha'
    script('train_mnist.py', '-e', 3, '-r', 'result/snapshot_iter_30')
    assert lrfinder.Suggestion.load(tmp_path / 'range.json') == suggestion
    assert (tmp_path / 'result' / 'snapshot_iter_45').exists()


def test_six_lines_are_new_in_chainers_mnist_example():
    lines = SCRIPTS['train_mnist.py'][1].splitlines()
    assert 1 <= len([line for line in lines if '# new' in line]) <= 6


@pytest.mark.slow
def test_chainers_mnist_example_runs_without_them(script, tmp_path):
    lines = SCRIPTS['train_mnist.py'][1].splitlines()
    script('train_mnist.py', code='\n'.join(['import clr', *(line for line in lines if '# new' not in line)]))
    assert (tmp_path / 'result' / 'snapshot_iter_30').exists()


@pytest.mark.slow
def test_each_network_of_a_gan_has_its_range(script):
    out = script('train_gan.py')
    assert 'gen/loss' in out and 'dis/loss' in out


@pytest.mark.slow
def test_a_recurrent_language_model_can_be_tested(script):
    assert 'validation/main/loss' in script('train_ptb.py')


@pytest.mark.slow
def test_a_loop_without_a_trainer_can_be_tested(script):
    assert re.findall(r'^epoch (\d)', script('train_loop.py'), flags=re.MULTILINE) == ['1', '2']


def test_every_script_is_run_by_a_test():
    assert list(SCRIPTS) == ['in', 'train_mnist.py', 'train_gan.py', 'train_ptb.py', 'train_loop.py', 'on']
    assert README.count('```python') == len(SCRIPTS)


@pytest.fixture
def build():
    """Makes what a training script has when it comes to the range test, for a seed."""
    data = load_dataset('digits')

    def make(seed):
        np.random.seed(seed)
        model = classifier(mlp(10, hidden=(20,)))
        optimizer = chainer.optimizers.MomentumSGD().setup(model)
        iterator = chainer.iterators.SerialIterator(data.train, 32)
        return chainer.training.updaters.StandardUpdater(iterator, optimizer), None

    return make


@pytest.fixture
def names(build, tmp_path, monkeypatch):
    """The same, as a script calls it."""
    monkeypatch.chdir(tmp_path)
    updater, _ = build(0)
    return {'updater': updater, 'trainer': chainer.training.Trainer(updater, (20, 'iteration'), out=str(tmp_path))}


def test_the_five_lines_train_in_a_range(names):
    lines = SCRIPTS['in'][1].splitlines()
    assert len([line for line in lines if line]) == 5
    exec('\n'.join(lines), names)
    low, high = names['s'].value_range
    names['trainer'].run()
    assert low < names['updater'].get_optimizer('main').lr < high


def test_the_table_of_what_else_there_is_has_code_that_runs(names, tmp_path):
    curve = make_curve([(i, i / 100, 1 / i, i / 100, np.nan, np.nan) for i in range(1, 101)])
    write_curve(curve, tmp_path / 'log.csv')
    optimizer = names['updater'].get_optimizer('main')
    result = lrfinder.Result(curve, lrfinder.analyze(curve))
    names |= dict(lrfinder=lrfinder, find=lrfinder.find, CLR=CLR, result=result, ax=Figure().subplots(), test=result)
    names |= dict(analyze=lrfinder.analyze)
    rows = re.findall(r'^\| .*? \| (.*) \|$', section('In your own training script'), flags=re.MULTILINE)
    codes = [code for row in rows for code in re.findall(r'`([^`]*\(.*?\))`', row)]
    assert len(codes) >= 8
    for code in codes:
        exec(code.replace("optimizer=..., observer='gen'", 'optimizer=optimizer'), {**names, 'optimizer': optimizer})


@pytest.mark.slow
def test_a_scheduler_carries_the_range_tests_of_several_seeds(build):
    dask = pytest.importorskip('dask')
    distributed = pytest.importorskip('dask.distributed')
    joblib = pytest.importorskip('joblib')
    code = SCRIPTS['on'][1].replace('range(8)', 'range(2)')
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host='127.0.0.1')
    with cluster:
        names = dict(dask=dask, joblib=joblib, address=cluster.scheduler_address, build=build)
        exec(code, names)
    assert names['result'].curve['seed'].unique().tolist() == [0, 1]


# Commands


@pytest.mark.parametrize('command', [command for command in COMMANDS if 'lrfinder' in command and 'pip' not in command])
def test_a_command_is_accepted(command):
    words = shlex.split(command.replace('$(', '').rstrip(')'))
    assert options.parse(words[words.index('lrfinder') + 1 :]).given


@pytest.mark.parametrize(
    'target', re.findall(r'`make (\w+)`', README) + [c.split()[1] for c in COMMANDS if c.startswith('make')]
)
def test_a_target_of_make_is_there(target):
    assert re.search(rf'^{target}:', (ROOT / 'Makefile').read_text(), flags=re.MULTILINE)


def test_the_table_of_flags_has_every_flag_and_no_other():
    flags = {flag for cell in first_cells(section('The command line')) for flag in re.findall(r'--[a-z-]+', cell)}
    known = {flag for action in options._parser()._actions for flag in action.option_strings if flag.startswith('--')}
    assert flags == known - {'--help', '--version'}


def test_the_table_of_policies_has_every_policy():
    assert [re.match(r'`(\w+)`', cell)[1] for cell in first_cells(section('Policies'))[1:]] == list(policies.POLICIES)


# Where it points to


def test_every_link_within_the_repository_leads_somewhere():
    links = re.findall(r'\]\((?!https?:)(.*?)\)', README) + re.findall(r'src="(.*?)"', README)
    heads = {re.sub(r'[^\w -]', '', head).lower().replace(' ', '-') for head in re.findall(r'^#+ (.*)$', README, re.MULTILINE)}
    assert links
    for link in links:
        assert link[1:] in heads if link.startswith('#') else (ROOT / link).exists(), link


def rooms():
    """The modules of ``lrfinder`` that the README names, by the row of the table: the first is the top of the house."""
    rows = re.findall(r'^\| [^-].*? \| (.*) \|$', section('How it is built'), flags=re.MULTILINE)[1:-1]
    return {name: row for row, cell in enumerate(rows) for name in re.findall(r'`([a-z_]+)`', cell) if name != 'find'}


def imports(path):
    """The modules of ``lrfinder`` that a module imports, wherever in it."""
    nodes = ast.walk(ast.parse(path.read_text(encoding='utf-8')))
    for node in (node for node in nodes if isinstance(node, ast.ImportFrom)):
        if node.module == 'lrfinder':
            yield from (alias.name for alias in node.names)
        elif (node.module or '').startswith('lrfinder.'):
            yield node.module.split('.')[1]


MODULES = {path.stem: path for path in (ROOT / 'lrfinder').glob('[a-z]*.py')}


def test_every_module_has_its_room_in_the_house():
    assert rooms().keys() == MODULES.keys()


@pytest.mark.parametrize('name', sorted(MODULES))
def test_imports_run_downward(name):
    places = rooms()
    assert [other for other in imports(MODULES[name]) if places.get(other, 99) < places[name]] == []


def test_clr_knows_nothing_of_lrfinder():
    assert not [path for path in (ROOT / 'clr').rglob('*.py') if list(imports(path)) or 'import lrfinder' in path.read_text()]
