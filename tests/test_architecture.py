"""Who may import whom: the house of docs/architecture.md, held to the code."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A room is a folder, or a module that stands by itself. Each may import from the rooms beside it alone.
BELOW_ANALYSIS = {'clr', '_files', '_names'}
MAY_IMPORT = {
    'clr': set(),
    '_files': set(),
    '_names': set(),
    'analysis': BELOW_ANALYSIS,
    'engine': {'analysis', *BELOW_ANALYSIS},
    'plotting': {'analysis', *BELOW_ANALYSIS},
    'zoo': {'analysis', *BELOW_ANALYSIS},
    'result': {'analysis', 'plotting'},
    'extension': {'analysis', 'engine', *BELOW_ANALYSIS},
    'range_test': {'analysis', 'engine', *BELOW_ANALYSIS},
    'finder': {'analysis', 'engine', 'range_test', 'result', *BELOW_ANALYSIS},
    'seeds': {'analysis', 'engine', 'finder', 'result', *BELOW_ANALYSIS},
    'tuning': {'analysis', 'engine', 'finder', 'plotting', *BELOW_ANALYSIS},
    'cli': {'analysis', 'engine', 'plotting', 'zoo', 'result', 'finder', 'seeds', 'tuning', *BELOW_ANALYSIS},
    '__main__': {'cli', *BELOW_ANALYSIS},
    '__init__': {'analysis', 'extension', 'finder', 'plotting', 'result', 'seeds', 'tuning', *BELOW_ANALYSIS},
}
# What pure rooms do without.
KEPT_OUT = {
    'clr': {'matplotlib', 'pandas'},
    'analysis': {'chainer', 'chainermn', 'matplotlib'},
    'plotting': {'chainer', 'chainermn'},
    'engine': {'matplotlib'},
}


def modules():
    """All modules of both packages, by their dotted names."""
    paths = [*(ROOT / 'clr').rglob('*.py'), *(ROOT / 'lrfinder').rglob('*.py')]
    return {'.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__'): path for path in paths}


MODULES = modules()


def room_of(module):
    package, _, rest = module.partition('.')
    if package == 'clr':
        return 'clr'
    return rest.partition('.')[0] or '__init__'


def imports(path, head=False):
    """The dotted names that a module imports, wherever in it; or at its head alone, which is run when it is loaded."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    for node in tree.body if head else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative imports hide where a name comes from'
            for alias in node.names:
                whole = f'{node.module}.{alias.name}'
                yield whole if whole in MODULES else node.module


OURS = {name: {found for found in imports(path) if found in MODULES} for name, path in MODULES.items()}


def test_every_room_is_known():
    assert {room_of(name) for name in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize('name', sorted(MODULES))
def test_imports_run_downward(name):
    room = room_of(name)
    rooms = {room_of(other) for other in OURS[name]} - {room}
    if rooms == {'__init__'}:  # the version, or a public name
        rooms = set()
    assert rooms <= MAY_IMPORT[room], f'{name} is in {room}, which may not import from {rooms - MAY_IMPORT[room]}'


@pytest.mark.parametrize('room', sorted(KEPT_OUT))
def test_a_room_does_without(room):
    loaded = {
        (found.partition('.')[0], name)
        for name, path in MODULES.items()
        if room_of(name) == room and not name.startswith('clr.training')
        for found in imports(path)
    }
    assert not [(package, name) for package, name in loaded if package in KEPT_OUT[room]]


def test_no_modules_import_each_other_in_a_circle():
    at_head = {name: {found for found in imports(path, head=True) if found in MODULES} for name, path in MODULES.items()}
    assert set(TopologicalSorter(at_head).static_order()) == set(MODULES)


def test_optuna_is_known_in_one_room_alone():
    assert {
        room_of(name) for name, path in MODULES.items() if 'optuna' in {one.partition('.')[0] for one in imports(path)}
    } == {'tuning'}


def test_clr_knows_nothing_of_lrfinder():
    assert not [name for name in MODULES if name.startswith('clr') and any(o.startswith('lrfinder') for o in OURS[name])]
