"""The command, run as its users run it."""

import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import clr  # noqa: F401
import lrfinder
from lrfinder.cli import options
from lrfinder.cli.main import main
from lrfinder.cli.manifest import RANGE_TEST

import chainer
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SMALL = ['--model', 'mlp:10', '--batchsize', '128', '--iterations', '60']  # 12 iterations an epoch

# A model that sends its own process a signal at the n-th update: NETS_STOP=n:signal.
NETS = """
    import os
    import random
    import chainer
    import chainer.functions as F
    import chainer.links as L

    class Net(chainer.Chain):
        updates = 0

        def __init__(self, n_classes):
            super().__init__()
            with self.init_scope():
                self.first = L.Linear(None, 10)
                self.last = L.Linear(10, n_classes)

        def forward(self, x):
            at, number = map(int, os.environ.get('NETS_STOP', '-1:0').split(':'))
            if chainer.config.train:
                Net.updates += 1
                if Net.updates == at:
                    os.kill(os.getpid(), number)
            return self.last(F.dropout(F.relu(self.first(x)), 0.1 + 0.1 * random.random()))

    def learns_nothing(n_classes):
        return chainer.Sequential(L.Linear(None, n_classes), lambda x: x * 0)

    class Silent(chainer.Chain):
        def forward(self, x, t):
            return F.sum(x)

    class Wrong(chainer.Chain):
        def forward(self, x):
            raise RuntimeError('of the user')

    def fails(n_classes):
        raise RuntimeError('no weights')

    def exits(n_classes):
        raise SystemExit(0)

    def memory(n_classes):
        raise MemoryError

    class Exits(chainer.Chain):
        def forward(self, x):
            raise SystemExit(0)

    class Silly(Exception):
        def __str__(self):
            raise ValueError('no words')

    def silly(n_classes):
        raise Silly

    def wordy(n_classes):
        raise RuntimeError('\\x1b[31m' + 'y' * 1_000_000)
"""


@pytest.fixture
def command(capsys):
    """Runs the command in this process: status, what it printed, what it printed on standard error."""

    def run(*arguments):
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


def process(*arguments, **options):
    """Runs the command in a process of its own."""
    command = [sys.executable, '-m', 'lrfinder', *map(str, arguments)]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), **options.pop('env', {})}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1200, **options)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The folder of an undisturbed run, with training and comparison."""
    folder = tmp_path_factory.mktemp('trained') / 'out'
    assert main([*SMALL, '--epoch', '4', '--compare', '--quiet', '--out', str(folder)]) == 0
    return folder


@pytest.fixture
def copy(trained, tmp_path):
    """A copy of that folder, to be changed."""
    return Path(shutil.copytree(trained, tmp_path / 'copy'))


def is_one_line(text):
    return text.count('\n') == 1 and text.startswith('lrfinder: ')


def weights(folder):
    (path,) = folder.glob('snapshot_iter_*')
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays if name.startswith('updater/model:main/')}


def log(folder):
    entries = json.loads((folder / 'log').read_text())
    return [{name: value for name, value in entry.items() if name != 'elapsed_time'} for entry in entries]


def assert_same_outcome(folder, other):
    for name in ('curve.csv', 'suggestion.json'):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    assert log(folder) == log(other)
    mine, theirs = weights(folder), weights(other)
    assert mine.keys() == theirs.keys() and mine
    for name, array in mine.items():
        np.testing.assert_array_equal(array, theirs[name])


# The answer


def test_a_run_leaves_the_files_of_the_contract(trained):
    assert sorted(path.name for path in trained.iterdir() if path.is_file()) == [
        'compare.csv',
        'compare.png',
        'curve.csv',
        'log',
        'range_test.png',
        'run.json',
        'snapshot_iter_44',
        'suggestion.json',
        'training.png',
        'trials.csv',
    ]
    for path in trained.glob('*.png'):
        assert path.read_bytes()[:4] == b'\x89PNG'


def test_the_curve_has_the_columns_of_the_contract(trained):
    curve = pd.read_csv(trained / 'curve.csv')
    assert list(curve.columns) == [
        'iteration',
        'lr',
        'main/loss',
        'main/accuracy',
        'validation/main/loss',
        'validation/main/accuracy',
    ]
    assert curve['validation/main/loss'].notna().any()


def test_the_suggestion_is_a_range_for_the_optimizer(trained):
    suggestion = lrfinder.Suggestion.load(trained / 'suggestion.json')
    low, high = suggestion.value_range
    assert 0 < low < high
    assert suggestion.attr == 'lr' and suggestion.policy == 'triangular2'


def test_the_training_is_of_whole_cycles(trained):
    # 4 epochs of 1437 examples are 45 iterations, which one cycle with half cycles of 22 fits into.
    suggestion = lrfinder.Suggestion.load(trained / 'suggestion.json')
    assert suggestion.step_size == 22
    entries = log(trained)
    assert [entry['iteration'] for entry in entries] == [12, 24, 36, 44]
    low, high = suggestion.value_range
    # The height of the triangle at the last update of each epoch.
    heights = [(entry['lr'] - low) / (high - low) for entry in entries]
    assert heights == pytest.approx([11 / 22, 21 / 22, 9 / 22, 1 / 22])


def test_the_comparison_has_the_same_budget_at_three_fixed_rates(trained):
    table = pd.read_csv(trained / 'compare.csv')
    low, high = lrfinder.Suggestion.load(trained / 'suggestion.json').value_range
    runs = dict(iter(table.groupby('run', sort=False)))
    assert list(runs) == ['CLR', f'fixed {low:.4g}', f'fixed {(low * high) ** 0.5:.4g}', f'fixed {high:.4g}']
    assert all(part['iteration'].tolist() == [12, 24, 36, 44] for part in runs.values())
    np.testing.assert_allclose(runs[f'fixed {low:.4g}']['lr'], low)


def test_the_summary_is_for_a_person_to_act_on(command, copy):
    status, out, error = command('--resume', copy)
    assert (status, error) == (0, '')
    assert out.startswith(
        'Device: @numpy\n# Minibatch-size: 128\n# Model: mlp:10, optimizer: momentum_sgd, seed: 0\n'
        '# Data: digits, 1437 examples to train on, 360 to validate with\n# epoch: 4\n\nvalue_range: '
    )
    low, high = lrfinder.Suggestion.load(copy / 'suggestion.json').value_range
    assert f'\n  min {low:.4g}: ' in out and f'\n  max {high:.4g}: ' in out
    assert '\nstep_size: 22 iterations: 1 whole cycle with half cycles of 1.96 epochs in 4 epochs' in out
    assert f'\nPicture: {copy / "range_test.png"}\n' in out
    assert 'from clr.training.extensions import CLR\n' in out
    assert '\nAfter 44 iterations: validation accuracy ' in out
    assert f'Picture: {copy / "training.png"}; snapshot: {copy / "snapshot_iter_44"}\n' in out
    assert out.endswith(f'One run each on 360 validation examples. Picture: {copy / "compare.png"}\n')


def test_quiet_prints_the_answer_alone(command, copy):
    status, out, error = command('--resume', copy, '--quiet')
    suggestion = lrfinder.Suggestion.load(copy / 'suggestion.json')
    assert (status, error) == (0, '')
    assert out == '{!r} {!r} {}\n'.format(*suggestion.value_range, suggestion.step_size)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown_on_a_terminal(monkeypatch, *arguments):
    """What the command shows on standard error where that is a terminal."""
    with monkeypatch.context() as patch:
        terminal = Terminal()
        patch.setattr(sys, 'stderr', terminal)
        assert main([*SMALL, *arguments]) == 0
    return terminal.getvalue()


def test_on_a_terminal_there_is_a_progress_bar_with_rate_and_loss(monkeypatch, tmp_path):
    shown = shown_on_a_terminal(monkeypatch, '--epoch', '4', '--out', str(tmp_path))
    # At most 60 updates of the scan, five trial cycles of 44, which is as long as the training, and the ramp of 60.
    assert re.search(r'range test: +\d+%\|.*\| \d+/340 \[\d\d:\d\d<.*, rate [\d.e-]+, loss [\d.]+\]', shown)
    assert re.search(r'CLR: +\d+%\|.*\| \d+/44 \[.*, rate [\d.e-]+, loss [\d.]+\]', shown)


def test_of_several_seeds_the_bar_counts_all_updates(monkeypatch, tmp_path):
    # Twice the scan, five trial cycles of 86, and a ramp of 60.
    assert '/1100 [' in shown_on_a_terminal(monkeypatch, '--seeds', '2', '--out', str(tmp_path))


def test_quiet_shows_no_progress_bar_on_a_terminal_either(monkeypatch, tmp_path):
    assert shown_on_a_terminal(monkeypatch, '--quiet', '--out', str(tmp_path)) == ''


def test_several_seeds_give_one_answer_with_its_spread(command, tmp_path):
    status, out, _ = command(*SMALL, '--seeds', 2, '--seed', 5, '--out', tmp_path / 'out')
    assert status == 0
    curve = pd.read_csv(tmp_path / 'out' / 'curve.csv')
    assert curve.columns[0] == 'seed' and curve['seed'].unique().tolist() == [5, 6]
    suggestion = lrfinder.Suggestion.load(tmp_path / 'out' / 'suggestion.json')
    low, high = suggestion.spread['max']
    assert low <= suggestion.value_range[1] <= high
    assert f'max from {low:.4g} to {high:.4g}' in out


def test_an_optimizer_with_another_name_for_its_rate(command, tmp_path):
    given = ['--value-range', 0, 0.1, '--optimizer', 'Adam', '-b', 64, '-d', -1, '-e', 1, '--policy', 'triangular']
    status, out, _ = command(*SMALL, *given, '-o', tmp_path)
    assert status == 0
    suggestion = lrfinder.Suggestion.load(tmp_path / 'suggestion.json')
    assert (suggestion.attr, suggestion.policy) == ('alpha', 'triangular')
    assert suggestion.value_range[1] <= 0.1
    assert '# Minibatch-size: 64\n' in out
    assert log(tmp_path)[-1]['lr'] > 0


def test_no_range_is_status_1_with_the_reason_last_and_what_was_recorded(command, user_module, tmp_path):
    user_module('nets', NETS)
    given = ['--model', 'nets:learns_nothing', '--iterations', 60, '--quiet', '--out', tmp_path / 'out']
    status, out, error = command(*given)
    assert (status, out) == (1, '')
    assert is_one_line(error) and error.startswith('lrfinder: no range: ')
    assert len(pd.read_csv(tmp_path / 'out' / 'curve.csv')) > 5
    assert (tmp_path / 'out' / 'range_test.png').is_file()
    assert not (tmp_path / 'out' / 'suggestion.json').exists()


# --curve


@pytest.fixture
def recorded(tmp_path):
    """A curve that falls, and breaks at 0.8."""
    rates = np.linspace(0.01, 1, 100)
    path = tmp_path / 'recorded.csv'
    pd.DataFrame({'lr': rates, 'main/loss': 1 / (1 + 20 * rates) + np.where(rates > 0.8, 50, 0)}).to_csv(path, index=False)
    return path


def test_a_recorded_curve_is_only_analyzed(command, recorded, tmp_path):
    status, out, error = command('--curve', recorded, '--out', tmp_path / 'out')
    assert (status, error) == (0, '')
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['range_test.png', 'suggestion.json']
    expected = lrfinder.analyze(lrfinder.read_curve(recorded))
    assert lrfinder.Suggestion.load(tmp_path / 'out' / 'suggestion.json') == expected
    assert out.startswith('value_range: ')


def test_the_columns_of_a_recorded_curve_can_be_named(command, recorded, tmp_path):
    curve = pd.read_csv(recorded).rename(columns={'lr': 'rate', 'main/loss': 'objective'})
    curve.to_csv(tmp_path / 'other.csv', index=False)
    named = ['--columns', 'lr=rate', 'loss=objective', '--quiet', '--out', tmp_path / 'out']
    status, out, _ = command('--curve', tmp_path / 'other.csv', *named)
    assert (status, out) == (0, command('--curve', recorded, '--quiet', '--out', tmp_path / 'out')[1])
    status, _, error = command('--curve', tmp_path / 'other.csv', '--columns', 'lr=rat', '--out', tmp_path / 'out')
    path = tmp_path / 'other.csv'
    assert (status, error) == (
        2,
        f"lrfinder: error: --curve: {path}: not a curve: there is no column 'rat': did you mean rate?\n",
    )


def test_a_recorded_curve_needs_no_chainer(recorded, tmp_path):
    curve = pd.read_csv(recorded)
    pd.concat([curve.assign(seed=seed) for seed in (1, 2)]).to_csv(tmp_path / 'several.csv', index=False)
    (tmp_path / 'chainer.py').write_text('raise ImportError("Chainer was imported")\n')
    paths = {'PYTHONPATH': f'{tmp_path}{os.pathsep}{ROOT}'}
    found = process('--curve', tmp_path / 'several.csv', '--out', tmp_path / 'out', '--quiet', env=paths)
    assert (found.returncode, found.stderr) == (0, '')


def test_a_curve_of_several_seeds_gives_one_answer(command, recorded, tmp_path):
    curve = pd.read_csv(recorded)
    several = pd.concat([curve.assign(seed=seed, lr=curve['lr'] * factor) for seed, factor in ((1, 1.0), (2, 4.0))])
    several.to_csv(tmp_path / 'several.csv', index=False)
    status, _, _ = command('--curve', tmp_path / 'several.csv', '--out', tmp_path / 'out', '--quiet')
    assert status == 0
    suggestion = lrfinder.Suggestion.load(tmp_path / 'out' / 'suggestion.json')
    alone = lrfinder.analyze(lrfinder.read_curve(recorded)).value_range[1]
    assert suggestion.spread['max'] == pytest.approx((alone, 4 * alone))
    assert suggestion.value_range[1] == pytest.approx(2 * alone)


def test_a_curve_without_a_range_has_a_picture(command, tmp_path):
    path = tmp_path / 'flat.csv'
    pd.DataFrame({'lr': np.linspace(0, 1, 50), 'main/loss': 1.0}).to_csv(path, index=False)
    status, out, error = command('--curve', path, '--out', tmp_path / 'out')
    assert (status, out) == (1, '') and is_one_line(error)
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['range_test.png']


# Going on


def stopped(folder, state):
    """Puts a finished folder in the state in which a kill at some moment would have left it."""
    record = json.loads((folder / 'run.json').read_text())
    if state == 'before the test was done':
        record['digests'] = {}
    keep = {
        'before the test was done': [],
        'between curve and suggestion': ['curve.csv'],
        'after the test': [*RANGE_TEST, 'range_test.png'],
        'after the training': [*RANGE_TEST, 'range_test.png', 'log', 'snapshot_iter_44'],
    }[state]
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in keep:
            path.unlink()
    (folder / 'run.json').write_text(json.dumps(record))


@pytest.mark.parametrize(
    'state', ['before the test was done', 'between curve and suggestion', 'after the test', 'after the training']
)
def test_a_stopped_run_goes_on_to_the_same_end(command, trained, copy, state):
    stopped(copy, state)
    status, _, _ = command('--resume', copy, '--quiet')
    assert status == 0
    assert_same_outcome(copy, trained)
    assert (copy / 'compare.csv').read_bytes() == (trained / 'compare.csv').read_bytes()
    assert (copy / 'training.png').is_file() and (copy / 'compare.png').is_file()


@pytest.fixture
def undisturbed(user_module, tmp_path):
    """Options with a model that can be stopped, the folder of a run with them that was not, and how many updates that took."""
    user_module('nets', NETS)
    given = ['--model', 'nets:Net', '--iterations', '60', '--epoch', '6', '--batchsize', '128', '--quiet']
    assert main([*given, '--out', str(tmp_path / 'undisturbed')]) == 0
    return given, tmp_path / 'undisturbed', sys.modules['nets'].Net.updates


@pytest.mark.parametrize(('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_says_how_to_go_on_and_does(command, undisturbed, tmp_path, monkeypatch, number, status):
    given, folder, updates = undisturbed
    out = tmp_path / 'a folder'

    def interrupted(at, *resume):
        monkeypatch.setenv('NETS_STOP', f'{at}:{int(number)}')
        sys.modules['nets'].Net.updates = 0
        found, _, error = command(*given, '--out', out, *resume)
        assert found == status
        assert error == (
            f"lrfinder: interrupted; what was recorded is in '{out}'; to continue: python -m lrfinder --resume '{out}'\n"
        )
        return {path.name for path in out.iterdir()}

    assert interrupted(40) == {'run.json', 'curve.csv'}  # in the range test
    # The last 68 updates are the training, 12 an epoch at most: this is in the fourth.
    assert {'suggestion.json', 'log', 'snapshot_iter_36'} <= interrupted(updates - 68 + 40, '--resume', out)
    monkeypatch.delenv('NETS_STOP')
    assert command('--resume', out)[0] == 0
    assert_same_outcome(out, folder)


def test_a_killed_run_goes_on_to_the_same_end(command, undisturbed, tmp_path):
    given, folder, updates = undisturbed
    out = tmp_path / 'out'
    killed = process(*given, '--out', out, env={'NETS_STOP': f'{updates - 20}:{int(signal.SIGKILL)}'}, cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    (snapshot,) = out.glob('snapshot_iter_*')
    assert command('--resume', snapshot)[0] == 0
    assert_same_outcome(out, folder)


def test_what_seeds_came_to_outlives_a_kill(command, user_module, tmp_path):
    user_module('nets', NETS)
    given = ['--model', 'nets:Net', '--seeds', '3', '--iterations', '60', '--batchsize', '128', '--quiet']
    assert main([*given, '--out', str(tmp_path / 'undisturbed')]) == 0
    updates, out = sys.modules['nets'].Net.updates, tmp_path / 'out'
    killed = process(*given, '--out', out, env={'NETS_STOP': f'{updates - 20}:{int(signal.SIGKILL)}'}, cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    before = lrfinder.read_curve(out / 'curve.csv')
    assert before[before['seed'] < 2].groupby('seed').size().tolist() == [60, 60]
    sys.modules['nets'].Net.updates = 0
    assert command('--resume', out)[0] == 0
    assert sys.modules['nets'].Net.updates < updates / 2
    for name in 'curve.csv', 'suggestion.json', 'range_test.png':
        assert (out / name).read_bytes() == (tmp_path / 'undisturbed' / name).read_bytes()
    assert 'finished' not in json.loads((out / 'run.json').read_text())


def test_sigterm_is_as_it_was_afterwards(command):
    before = signal.getsignal(signal.SIGTERM)
    command('--compare')
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_run_that_had_not_begun_begins(command, tmp_path):
    assert command(*SMALL, '--out', tmp_path / 'out', '--resume', tmp_path / 'out')[0] == 0
    assert (tmp_path / 'out' / 'suggestion.json').is_file()


def test_training_can_follow_a_range_test_later(command, trained, tmp_path):
    out = tmp_path / 'out'
    assert command(*SMALL, '--quiet', '--out', out)[0] == 0
    curve = (out / 'curve.csv').read_bytes()
    assert command('--resume', out, '--epoch', 4, '--quiet')[0] == 0
    assert (out / 'curve.csv').read_bytes() == curve
    assert (out / 'snapshot_iter_44').is_file()
    warning = 'the range was found for a training of about 360 iterations, and this one takes 44: a new run with'
    assert any(text.startswith(warning) for text in lrfinder.Suggestion.load(out / 'suggestion.json').warnings)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--model', 'cnn'], '--model cnn: the run in {out} has mlp:10'),
        (['--value-range', 0, 1], '--value-range 0.0 1.0: the run in {out} has none'),
        (['--epoch', 8], '--epoch 8: the run in {out} has 4'),
    ],
)
def test_a_run_can_not_go_on_as_another(command, copy, arguments, message):
    status, out, error = command('--resume', copy, *arguments)
    assert (status, out) == (2, '')
    advice = 'drop the flag, or start a new run without --resume'
    assert error == f'lrfinder: error: {message.format(out=copy)}; {advice}\n'


def test_a_run_can_not_go_on_elsewhere(command, copy):
    status, _, error = command('--resume', copy, '--out', 'elsewhere')
    assert (status, error) == (2, f'lrfinder: error: --out elsewhere: --resume continues in {copy}; drop --out\n')


def test_what_is_no_run_can_not_go_on(command, copy, tmp_path):
    def refusal(path):
        status, _, error = command('--resume', path)
        assert status == 2 and is_one_line(error)
        return error.removeprefix('lrfinder: error: ').removesuffix('\n')

    missing = tmp_path / 'missing'
    assert refusal(missing) == f'--resume {missing}: there is no such file or directory'
    other = copy / 'fixed_min'
    assert (
        refusal(other) == f'--resume {other}: there is no run.json in {other}: it is not the --out directory of an earlier run'
    )
    assert refusal(copy / 'curve.csv').startswith(f'--resume: {copy / "curve.csv"} is not a snapshot, or is damaged (')
    record = copy / 'run.json'
    content = json.loads(record.read_text())
    record.write_text(record.read_text().replace('--seed=0', '--seed=x'))
    assert refusal(copy).startswith(f'--resume {copy}: {record} is not the manifest of a run (')
    record.write_text(json.dumps({**content, 'finished': [{'seed': 0, 'rows': ['1,2']}]}))
    assert refusal(copy).startswith(f'--resume {copy}: {record} is not the manifest of a run (')
    record.write_text('{')
    assert refusal(copy).startswith(f'--resume {copy}: {record} is not the manifest of a run (')


def test_a_snapshot_of_another_run_is_refused(command, copy):
    record = json.loads((copy / 'run.json').read_text())
    (copy / 'run.json').write_text(json.dumps({**record, 'run_id': 'another'}))
    path = copy / 'snapshot_iter_44'
    _, _, error = command('--resume', path)
    assert error == f'lrfinder: error: --resume {path}: this snapshot is not of the run in {copy}\n'


# Bad usage and bad input

USAGE = [
    (['--epochs', '3'], 'unknown flag --epochs: did you mean --epoch?'),
    (['stray'], "'stray' is not a flag or the value of one; see --help"),
    (['--model'], '--model: expected one argument'),
    (['--optimizer', 'adm'], "--optimizer: unknown optimizer 'adm': did you mean adam?"),
    (['--policy', 'triangel'], "--policy: unknown policy 'triangel': did you mean triangular?"),
    (['--policy', 'cosine:t_mul=2'], "--policy: 'cosine' has no option 't_mul'; it has t_mult, cycle_decay"),
    (['--policy', 'cosine:t_mult=0.5'], '--policy: t_mult must be 1 or more, not 0.5'),
    (['--policy', 'exp_range:gamma=nan'], '--policy: gamma must be a number from 0 to 1, not nan'),
    (
        ['--policy', 'wsd:'],
        "--policy: policy 'wsd:': options are NAME=NUMBER with commas between them, such as 'cosine:t_mult=2', not ''",
    ),
    (
        ['--model', 'mlp:8', '--epoch', '2', '--policy', 'wsd:warmup_steps=1000'],
        '--policy: warmup_steps and cooldown_steps must fit into 90 steps; they are 1000 and 18',
    ),
    (
        ['--model', 'mlp:8', '--epoch', '2', '--policy', 'one_cycle:step_size_final=90'],
        '--policy: step_size_final must be less than the 90 steps of the training, not 90',
    ),
    (['--ramp', 'linaer'], "--ramp: unknown ramp 'linaer': did you mean linear?"),
    (['-b', '0'], '--batchsize/-b: must be a whole number, 1 or more, not 0'),
    (['--epoch', '1.5'], "--epoch/-e: must be a whole number from 0 to 10,000,000, not '1.5'"),
    (['--epoch', '999999999'], '--epoch/-e: must be a whole number from 0 to 10,000,000, not 999999999'),
    (['--iterations', '1'], '--iterations: must be a whole number, 2 or more, not 1'),
    (['--seeds', '0'], '--seeds: must be a whole number from 1 to 10,000, not 0'),
    (['--seeds', '999999999'], '--seeds: must be a whole number from 1 to 10,000, not 999999999'),
    (['--jobs', '10001'], '--jobs: must be a whole number from 1 to 10,000, not 10001'),
    (['--tune-trials', '9' * 20], f'--tune-trials: must be a whole number from 2 to 10,000, not {"9" * 20}'),
    (['--seed', '-1'], '--seed: must be a whole number from 0 to 4,294,967,295, not -1'),
    (['--seed', '4294967295', '--seeds', '2'], '--seeds 2: seeds end at 4294967295'),
    (
        ['--value-range', '1', '0'],
        '--value-range: value_range must be finite, not negative and in ascending order, not (1.0, 0.0)',
    ),
    (
        ['--value-range', '0', 'inf'],
        '--value-range: value_range must be finite, not negative and in ascending order, not (0.0, inf)',
    ),
    (['--value-range', '0', 'x'], "--value-range: invalid float value: 'x'"),
    (['--value-range', '1'], '--value-range: expected 2 arguments'),
    (['--value-range', '1', '1'], '--value-range: value_range must be two different rates, not (1.0, 1.0)'),
    (
        ['--value-range', '1', '1.0000000000000002', '--iterations', '9'],
        '--value-range: value_range (1.0, 1.0000000000000002) is too narrow for 9 different rates',
    ),
    (['--iterations', '20000000'], '--iterations: iterations must be a whole number from 2 to 10,000,000, not 20000000'),
    (['--value-range', '0', '1', '--ramp', 'exponential'], '--value-range: an exponential ramp must start above 0'),
    (['--compare'], '--compare needs --epoch N'),
    (['--jobs', '2'], '--jobs 2 needs --seeds K or --tune, of whose trainings it runs as many at once'),
    (['--model', 'nets'], "--model: unknown model 'nets': name what makes it, such as nets:make"),
    (['--model', 'nets:'], "--model: unknown model 'nets:': name what makes it, such as nets:make"),
    (['--model', 'nets.py'], "--model: unknown model 'nets.py': name what makes it, such as nets:make"),
    (['--dataset', 'nets.fails'], "--dataset: unknown data 'nets.fails': did you mean nets:fails?"),
    (['--model', 'nets:exits'], "--model: 'nets:exits' raised SystemExit: 0 (nets.py, line 40)"),
    (['--model', 'nets:memory'], "--model: 'nets:memory' raised MemoryError (nets.py, line 43)"),
    (['--model', 'nets:Exits'], '--model nets:Exits on --dataset digits: SystemExit: 0 (nets.py, line 47)'),
    (['--model', 'nets:silly'], "--model: 'nets:silly' raised Silly (nets.py, line 54)"),
    (['--device', 'zero'], '--device zero: no such device; use -1 for the CPU, 0 for the first GPU'),
    (['--curve', 'a.csv', '--epoch', '3'], '--curve only reads a recorded curve: drop --epoch'),
    (['--curve', 'a.csv', '--resume', 'result'], '--curve only reads a recorded curve: drop --resume'),
    (['--curve', 'missing.csv'], '--curve missing.csv: No such file or directory'),
    (['--curve', '.'], '--curve .: Is a directory'),
    (['--columns', 'lr=rate'], '--columns needs --curve FILE, whose columns it names'),
    (['--curve', 'a.csv', '--columns', 'lr'], "--columns: NAME=THEIRS is needed, such as lr=rate, not 'lr'"),
    (['--model', 'resent'], "--model: unknown model 'resent': did you mean resnet?"),
    (['--model', 'nets:fails'], "--model: 'nets:fails' raised RuntimeError: no weights (nets.py, line 37)"),
    (['--model', 'nets:Nett'], "--model: 'nets:Nett': there is no 'Nett': did you mean Net?"),
    (['--dataset', 'cifar'], "--dataset: unknown data 'cifar': did you mean cifar10?"),
    (['--dataset', 'missing.npz'], '--dataset: missing.npz: No such file or directory'),
    (['--batchsize', '2000'], '--batchsize 2000: the training data has 1437 examples'),
    (
        ['--model', 'nets:Silent'],
        "--model nets:Silent on --dataset digits: the update reported no 'main/loss' (it reported: nothing); wrap the model "
        'in chainer.links.Classifier, or call chainer.report in it',
    ),
    (
        ['--model', 'nets:Wrong'],
        '--model nets:Wrong on --dataset digits: RuntimeError: of the user (nets.py, line 34)',
    ),
]


@pytest.mark.parametrize(('arguments', 'message'), USAGE, ids=[' '.join(arguments) for arguments, _ in USAGE])
def test_bad_usage_is_one_line_that_names_the_flag(command, user_module, arguments, message):
    user_module('nets', NETS)
    status, out, error = command(*arguments)
    assert (status, error) == (2, f'lrfinder: error: {message}\n')
    assert not out or out.startswith('Device: ')


CHDIR = """
import os
import chainer

def make():
    class Net(chainer.links.Classifier):
        def forward(self, *args):
            os.chdir('elsewhere' if os.path.isdir('elsewhere') else '.')
            return super().forward(*args)
    return Net(chainer.links.Linear(None, 10))
"""


def test_a_model_may_change_the_folder(command, user_module, tmp_path):
    user_module('nets', CHDIR)
    (tmp_path / 'elsewhere').mkdir()
    status, out, _ = command(
        '--model', 'nets:make', '--batchsize', '128', '--iterations', '20', '--epoch', '1', '--out', 'here'
    )
    assert status == 0
    assert 'Picture: here/training.png' in out
    assert not list((tmp_path / 'elsewhere').iterdir())
    assert {'curve.csv', 'suggestion.json', 'log', 'training.png'} <= {path.name for path in (tmp_path / 'here').iterdir()}


def test_a_file_in_the_folder_does_not_stand_in_for_one_of_python_s(user_module):
    for name in ('queue', 'random', 'signal'):
        user_module(name, 'raise RuntimeError')
    found = process('--version')
    assert (found.returncode, found.stderr) == (0, '')


def test_a_folder_that_has_been_removed_is_named(tmp_path):
    folder = tmp_path / 'gone'
    folder.mkdir()
    found = process('--iterations', '5', cwd=folder, preexec_fn=folder.rmdir)
    assert (found.returncode, found.stderr) == (2, 'lrfinder: error: --out result: the current directory has been removed\n')


@pytest.mark.parametrize('flag', ['--model', '--dataset', '--optimizer', '--epoch', '--seeds', '--columns', '--curve'])
def test_two_hyphens_are_the_value_of_no_flag(command, flag):
    status, _, error = command(f'{flag}=--', '--iterations', '5')
    assert (status, is_one_line(error)) == (2, True)


def test_an_exception_is_told_in_a_line_of_bounded_length_that_steers_no_terminal(command, user_module):
    user_module('nets', NETS)
    status, _, error = command('--model', 'nets:wordy')
    assert (status, is_one_line(error), len(error) < 700) == (2, True, True)
    assert error.startswith("lrfinder: error: --model: 'nets:wordy' raised RuntimeError: \\x1b[31myyy")
    assert error.endswith('y... (nets.py, line 57)\n')
    status, _, error = command('--curve', 'b\a\x1b[31mred\u202e')
    assert (status, error) == (2, 'lrfinder: error: --curve b\\x07\\x1b[31mred\\u202e: No such file or directory\n')
    status, _, error = command('--out', 'n' * 5000)
    assert (status, is_one_line(error), len(error) < 2500) == (2, True, True)


def test_a_fault_of_the_program_is_no_missing_range(command, monkeypatch):
    def broken(*_):
        raise AssertionError('a fault')

    monkeypatch.setattr('lrfinder.cli.find.run', broken)
    status, _, error = command()
    assert status == 2
    assert error.startswith('Traceback') and error.endswith('\nlrfinder: error: AssertionError: a fault\n')


def test_memory_that_runs_out_is_one_line(command, monkeypatch):
    def full(*_):
        raise MemoryError('Unable to allocate 8 PiB')

    monkeypatch.setattr('lrfinder.cli.build.load_dataset', full)
    assert command()[::2] == (2, 'lrfinder: error: MemoryError: Unable to allocate 8 PiB\n')


def test_bad_input_leaves_the_folder_as_it_was(command, copy, user_module):
    user_module('nets', NETS)
    before = {path: path.read_bytes() for path in copy.rglob('*') if path.is_file()}
    assert command('--model', 'nets:fails', '--out', copy)[0] == 2
    assert {path: path.read_bytes() for path in copy.rglob('*') if path.is_file()} == before


def test_a_killed_process_is_one_line_and_keeps_what_others_had_done(user_module, tmp_path):
    user_module('nets', NETS)
    given = ['--model', 'nets:Net', '--batchsize', '128', '--iterations', '60', '--seeds', '4', '--jobs', '2', '--quiet']
    # A range test takes some 300 to 600 updates: each process ends in its second one, or in its third.
    killed = process(*given, '--out', 'out', env={'NETS_STOP': f'700:{int(signal.SIGKILL)}'}, cwd=tmp_path)
    assert (killed.returncode, killed.stdout) == (2, '')
    assert is_one_line(killed.stderr)
    assert killed.stderr.startswith('lrfinder: error: --jobs 2: one of the processes was killed')
    kept = set(pd.read_csv(tmp_path / 'out' / 'curve.csv')['seed'])
    assert kept and kept < {0, 1, 2, 3}


def test_a_folder_that_can_not_be_written_to_is_found_out_at_once(command, recorded, tmp_path):
    (tmp_path / 'file').write_text('in the way')
    out = tmp_path / 'file' / 'out'
    why = 'something that is not a directory is in the way; choose another --out'
    expected = 2, f'lrfinder: error: --out {out}: {why}\n'
    assert command('--model', 'resnet', '--quiet', '--out', out)[::2] == expected
    assert command('--curve', recorded, '--quiet', '--out', out)[::2] == expected


def test_a_full_disk_is_one_line_and_leaves_earlier_files_intact(copy):
    def limit():  # as good as a full disk: no file may grow beyond this
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    def content():
        files = [path for path in copy.iterdir() if path.is_file() and path.name not in ('run.json', 'curve.csv')]
        return {path.name: path.read_bytes() for path in files}

    before = content()
    found = process(*SMALL, '--seed', 1, '--quiet', '--out', copy, preexec_fn=limit)
    assert found.returncode == 2
    assert len(found.stdout.split()) == 3  # the answer is not lost
    assert found.stderr == (f'lrfinder: error: --out {copy}: File too large; to continue: python -m lrfinder --resume {copy}\n')
    assert content() == before
    assert len(lrfinder.read_curve(copy / 'curve.csv')) > 0


@pytest.mark.skipif(chainer.backends.cuda.available, reason='there is a CuPy')
def test_a_gpu_that_is_not_there_is_one_line(command):
    assert command('--device', '0') == (
        2,
        '',
        "lrfinder: error: --device 0: there is no CuPy here; pip install 'chainer-lrfinder[cuda12]' (or cuda13) brings it; "
        '-1 is the CPU\n',
    )


# Help


def test_help_is_in_groups_with_examples_and_loads_nothing_slow():
    code = (
        'import sys; from lrfinder.cli.main import main; status = main(["--help"]); '
        'print([name for name in ("chainer", "numpy", "pandas", "matplotlib", "tqdm") if name in sys.modules], status)'
    )
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    found = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env=environment)
    assert found.stderr == ''
    assert found.stdout.endswith('[] 0\n')
    for heading in ('what to train:', 'the range test:', 'training with the range:', 'output:', 'examples:', 'exit status:'):
        assert f'\n{heading}\n' in found.stdout


def test_help_names_every_flag_of_the_contract(command):
    _, out, _ = command('--help')
    long = '--model --dataset --optimizer --batchsize --device --out --resume --seed --quiet --value-range --iterations --ramp'
    for flag in f'{long} --seeds --curve --epoch --policy --compare -b -d -o -r -e'.split():
        assert f'{flag} ' in out


def test_the_defaults_are_those_of_the_contract():
    chosen = options.parse([])
    assert (chosen.model, chosen.dataset, chosen.optimizer, chosen.batchsize) == ('mlp', 'digits', 'momentum_sgd', 32)
    assert (chosen.device, chosen.out, chosen.seed, chosen.ramp, chosen.seeds) == ('-1', 'result', 0, 'linear', 1)
    assert (chosen.value_range, chosen.iterations, chosen.curve, chosen.resume) == (None, None, None, None)
    assert (chosen.epoch, chosen.policy, chosen.compare, chosen.quiet) == (0, 'triangular2', False, False)


@pytest.mark.parametrize(
    ('word', 'device'),
    [
        ('cpu', '-1'),
        ('CPU', '-1'),
        ('gpu', '0'),
        ('cuda', '0'),
        ('cuda:1', '1'),
        ('GPU:0', '0'),
        ('@numpy', '@numpy'),
        ('3', '3'),
    ],
)
def test_a_device_may_be_called_as_elsewhere(word, device):
    assert options.parse(['--device', word]).device == device


def test_a_negative_device_is_a_value():
    assert options.parse(['-d', '-1', '--value-range', '0', '1']).device == '-1'


def test_version(command):
    assert command('--version') == (0, f'lrfinder {lrfinder.__version__}\n', '')
