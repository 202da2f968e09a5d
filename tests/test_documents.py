"""What the README and docs/ say is so: commands are accepted, code runs, tables are complete, links lead somewhere."""

import configparser
import dataclasses
import fnmatch
import re
import shlex
from pathlib import Path

import clr  # noqa: F401  makes Chainer importable
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
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding='utf-8')
    for path in (ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', ROOT / 'CHANGELOG.md', *sorted((ROOT / 'docs').glob('*.md')))
}
README, STARTED = PAGES['README.md'], PAGES['docs/getting-started.md']


def blocks(language, text):
    """The blocks of code in a page."""
    return re.findall(rf'^```{language}\n(.*?)^```', text, flags=re.DOTALL | re.MULTILINE)


def commands(text):
    """The commands in the blocks of shell in a page."""
    lines = [line.partition(' #')[0].strip() for block in blocks('sh', text) for line in block.splitlines()]
    return [line for line in lines if line]


def section(title, text):
    return text.split(f'\n## {title}\n')[1].split('\n## ')[0]


def first_cells(text):
    """The cells of the first column of the tables in a text, without their heads."""
    bodies = re.findall(r'^\| -.*\n((?:\|.*\n)+)', text + '\n', flags=re.MULTILINE)
    return [row.split(' | ')[0].removeprefix('| ') for body in bodies for row in body.splitlines()]


def anchors(text):
    """The anchors of a page's headings, as code hosts and the site make them."""
    heads = re.findall(r'^#+ (.*)$', re.sub(r'```.*?```', '', text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r'[^\w -]', '', head).lower().replace(' ', '-') for head in heads}


# The first page


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 160


def test_the_readme_links_every_page_of_the_documentation():
    assert [page for page in PAGES if page.startswith('docs/') and page != 'docs/index.md' and f']({page})' not in README] == []


def test_the_index_of_the_site_links_every_page():
    index = PAGES['docs/index.md']
    names = [page.removeprefix('docs/') for page in PAGES if page.startswith('docs/')]
    assert [name for name in names if name != 'index.md' and f']({name})' not in index] == []


# Code


@pytest.fixture
def build():
    """Makes what a training script has when it comes to the range test, for a seed."""
    data = load_dataset('digits')

    def make(seed):
        np.random.seed(seed)
        model = classifier(mlp(10, hidden=(20,)))
        optimizer = chainer.optimizers.MomentumSGD().setup(model)
        iterator = chainer.iterators.SerialIterator(data.train, 32)
        held = chainer.iterators.SerialIterator(data.validation, 32, repeat=False, shuffle=False)
        evaluator = chainer.training.extensions.Evaluator(held, model)
        return chainer.training.updaters.StandardUpdater(iterator, optimizer), evaluator

    return make


@pytest.fixture
def names(build, tmp_path, monkeypatch):
    """The names that a training script has."""
    monkeypatch.chdir(tmp_path)
    updater, _ = build(0)
    trainer = chainer.training.Trainer(updater, (20, 'iteration'), out=str(tmp_path))
    return {'build': build, 'updater': updater, 'optimizer': updater.get_optimizer('main'), 'trainer': trainer}


CODE = [
    pytest.param(code, id=f'{page}-{number}')
    for page, text in PAGES.items()
    for number, code in enumerate(blocks('python', text), start=1)
    if 'dask' not in code  # which is run below, on a cluster
]


@pytest.mark.parametrize('code', CODE)
def test_the_code_runs(code, names):
    exec(code, names)


@pytest.mark.parametrize('text', [README, STARTED], ids=['README', 'getting-started'])
def test_the_five_lines_train_in_a_range(text, names):
    code = blocks('python', text)[0]
    assert len([line for line in code.splitlines() if line]) == 5
    exec(code, names)
    low, high = names['s'].value_range
    names['trainer'].run()
    assert low < names['optimizer'].lr < high


def test_what_else_find_can_do_runs(names, tmp_path):
    curve = make_curve([(i, i / 100, 1 / i, i / 100, np.nan, np.nan) for i in range(1, 101)])
    write_curve(curve, tmp_path / 'log.csv')
    suggestion = dataclasses.replace(lrfinder.analyze(curve), batchsize=32, optimizer='MomentumSGD')
    result = lrfinder.Result(curve, suggestion)
    names |= dict(lrfinder=lrfinder, find=lrfinder.find, analyze=lrfinder.analyze, CLR=CLR)
    names |= dict(result=result, test=result, ax=Figure().subplots())
    rows = re.findall(r'^\| .*? \| (.*) \|$', section('In your own training script', STARTED), flags=re.MULTILINE)
    codes = [code for row in rows for code in re.findall(r'`([^`]*\(.*?\))`', row)]
    assert len(codes) >= 8
    for code in codes:
        exec(code.replace("optimizer=..., observer='gen'", 'optimizer=optimizer'), names)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_scheduler_runs_the_range_tests_of_several_seeds(build):
    dask = pytest.importorskip('dask')
    distributed = pytest.importorskip('dask.distributed')
    pytest.importorskip('joblib')
    (code,) = [code for text in PAGES.values() for code in blocks('python', text) if 'dask' in code]
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host='127.0.0.1')
    with cluster:
        found = dict(dask=dask, address=cluster.scheduler_address, build=build)
        exec(code.replace('range(8)', 'range(2)'), found)
    assert found['result'].curve['seed'].unique().tolist() == [0, 1]


# Commands


COMMANDS = sorted({command for text in PAGES.values() for command in commands(text)})
OURS = [command for command in COMMANDS if re.search(r'(?<![-\w])lrfinder(?![-\w\[])', command)]


@pytest.mark.parametrize('command', OURS)
def test_a_command_is_accepted(command):
    arguments = re.search(r'\blrfinder ([^)]*)', command)[1]
    assert options.parse(shlex.split(arguments)).given


def test_every_target_of_make_is_there():
    makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
    in_text = [name for text in PAGES.values() for name in re.findall(r'`(?:\w+=\S+ )*make (\w+)', text)]
    in_blocks = [name for command in COMMANDS for name in re.findall(r'^(?:\w+=\S+ )*make (\w+)', command)]
    assert {'demo', 'test', 'lint', 'docs'} <= {*in_text, *in_blocks}
    assert [name for name in [*in_text, *in_blocks] if not re.search(rf'^{name}:', makefile, flags=re.MULTILINE)] == []


def test_every_command_of_the_benchmark_is_there():
    named = {name for text in PAGES.values() for name in re.findall(r'\bbenchmarks\.(\w+)', text)}
    assert {'ours', 'report'} <= named
    assert [name for name in named if not (ROOT / 'benchmarks' / f'{name}.py').exists()] == []


def test_every_extra_is_there():
    config = configparser.RawConfigParser()
    config.read(ROOT / 'setup.cfg', encoding='utf-8')
    named = {name for command in COMMANDS for name in re.findall(r'\.\[(\w+)\]', command)}
    assert named and named <= set(config['options.extras_require'])


# Tables


def test_the_table_of_flags_has_every_flag_and_no_other():
    cells = first_cells(section('Flags', PAGES['docs/command-line.md']))
    known = {flag for action in options._parser()._actions for flag in action.option_strings if flag.startswith('--')}
    assert {flag for cell in cells for flag in re.findall(r'--[a-z-]+', cell)} == known - {'--help', '--version'}


def test_the_table_of_policies_has_every_policy():
    cells = first_cells(section('Policies', PAGES['docs/schedules.md']))
    assert [cell.strip('`') for cell in cells] == list(policies.POLICIES)


def test_the_versions_are_those_that_the_package_declares():
    config = configparser.RawConfigParser()
    config.read(ROOT / 'setup.cfg', encoding='utf-8')
    minors = sorted(map(int, re.findall(r'Python :: 3\.(\d+)$', config['metadata']['classifiers'], flags=re.MULTILINE)))
    today = [text for page, text in PAGES.items() if page != 'CHANGELOG.md']
    spans = {span for text in today for span in re.findall(r'3\.\d+ to 3\.\d+', text)}
    assert spans == {f'3.{minors[0]} to 3.{minors[-1]}'}
    least = dict(re.findall(r'^(\w+) >=([\d.]+)$', config['options']['install_requires'], flags=re.MULTILINE))
    rows = dict(re.findall(r'^\| (\w+) \| ([\d.]+)', section('Install', STARTED), flags=re.MULTILINE))
    documented = {name.lower(): rows[name] for name in ('NumPy', 'pandas', 'Matplotlib')}
    assert documented == {name: least[name] for name in documented}


def test_every_module_has_its_room_in_the_architecture():
    rooms = section('The rooms', PAGES['docs/architecture.md'])
    house = ROOT / 'lrfinder'
    inside = [*house.glob('[a-z]*.py'), *house.glob('*/[a-z]*.py'), *(path.parent for path in house.glob('*/*/__init__.py'))]
    modules = {path.stem for path in inside}
    assert 'analyzer' in modules
    named = re.findall(r'`([\w*]+)`', rooms)
    assert [module for module in modules if not any(fnmatch.fnmatch(module, name) for name in named)] == []


def test_every_public_name_is_in_the_reference():
    reference = PAGES['docs/reference.md']
    assert [name for name in lrfinder.__all__ if name != '__version__' and f':: lrfinder.{name}\n' not in reference] == []


# Where they point to


LINKS = [
    (page, link)
    for page, text in PAGES.items()
    for link in re.findall(r'\]\((?!https?:)(.*?)\)', text) + re.findall(r'src="(.*?)"', text)
]


@pytest.mark.parametrize(('page', 'link'), LINKS)
def test_a_link_within_the_repository_leads_somewhere(page, link):
    target, _, anchor = link.partition('#')
    path = (ROOT / page).parent / target if target else ROOT / page
    assert path.exists()
    assert not anchor or anchor in anchors(path.read_text(encoding='utf-8'))


def test_every_file_that_is_named_is_there():
    named = {
        name for text in PAGES.values() for name in re.findall(r'`((?:benchmarks|clr|docs|lrfinder|tests)/[\w/]+\.\w+)`', text)
    }
    assert 'lrfinder/engine/recorder.py' in named
    assert [name for name in named if not (ROOT / name).exists()] == []


# The form for reports


def test_the_form_for_a_wrong_range_is_one_that_a_code_host_takes():
    yaml = pytest.importorskip('yaml')
    form = yaml.safe_load((ROOT / '.github' / 'ISSUE_TEMPLATE' / 'wrong-range.yml').read_text(encoding='utf-8'))
    assert {'name', 'description', 'body'} <= set(form) <= {'name', 'description', 'title', 'labels', 'assignees', 'body'}
    fields = [field for field in form['body'] if field['type'] != 'markdown']
    assert {field['type'] for field in fields} <= {'textarea', 'input', 'dropdown', 'checkboxes'}
    assert [field['id'] for field in fields] == ['suggestion', 'curve', 'setup', 'seen', 'seeds']
    assert all(field['attributes']['label'] for field in fields)
    assert all(field['validations']['required'] is True for field in fields if field['type'] == 'textarea')
