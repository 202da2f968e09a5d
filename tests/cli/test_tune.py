"""``--tune``: the schedule by trial, in the folder of a run."""

import importlib.util
import json
import shutil
import subprocess
import sys
import time

from lrfinder import Suggestion
from lrfinder.cli import trial_folders
from lrfinder.cli.main import main
from lrfinder.cli.options import Options, parse

import pandas as pd
import pytest

optuna = pytest.importorskip('optuna')

SMALL = ['--model', 'mlp:8', '-b', '256', '--iterations', '20']
TUNE = [*SMALL, '--epoch', '4', '--tune', '--tune-trials', '4']
HANGS = 600


@pytest.fixture(scope='module')
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tuned') / 'out'
    assert main([*TUNE, '--out', str(folder)]) == 0
    return folder


def copy_of(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / 'copy')


def test_the_files_are_those_of_a_training_and_of_the_trials(tuned):
    assert sorted(path.name for path in tuned.iterdir()) == [
        'curve.csv',
        'log',
        'range_test.png',
        'run.json',
        'snapshot_iter_22',
        'suggestion.json',
        'training.png',
        'trials.csv',
        'tune',
        'tune.csv',
        'tune.db',
        'tune.png',
        'tune_policies.png',
    ]
    assert [path.name for path in (tuned / 'tune').iterdir()] == ['range.json']


def test_the_answer_has_the_reason_and_what_all_of_it_cost(tuned):
    suggestion, before = Suggestion.load(tuned / 'suggestion.json'), Suggestion.load(tuned / 'tune' / 'range.json')
    table = pd.read_csv(tuned / 'tune.csv')
    assert 'cost ' in suggestion.reasons['tuned']
    assert suggestion.updates >= before.updates + table['updates'].sum()
    assert suggestion.reasons['max'] == before.reasons['max']


def test_the_table_has_a_row_a_trial(tuned):
    table = pd.read_csv(tuned / 'tune.csv')
    columns = ['trial', 'policy', 'cycles', 'min', 'max', 'step_size', 'updates', 'state', 'value']
    assert list(table.columns) == columns
    assert table['policy'].tolist()[:2] == ['triangular2', 'fixed']
    assert len(table) == 4


def test_the_training_of_the_answer_is_that_of_its_trial(tuned):
    log = json.loads((tuned / 'log').read_text())
    best = pd.read_csv(tuned / 'tune.csv')['value'].tolist()
    assert log[-1]['validation/main/accuracy'] in best
    assert log[-1]['iteration'] == 22


def test_the_study_is_an_ordinary_one(tuned):
    study = optuna.load_study(study_name='lrfinder', storage=f'sqlite:///{tuned / "tune.db"}')
    assert study.direction.name == 'MAXIMIZE'
    assert len(study.trials) == 4


def test_quiet_prints_the_three_numbers_of_the_answer_alone(tuned, tmp_path, capsys):
    assert main([*TUNE, '--quiet', '--out', str(tmp_path / 'out')]) == 0
    suggestion = Suggestion.load(tuned / 'suggestion.json')
    low, high = suggestion.value_range
    assert capsys.readouterr().out == f'{low!r} {high!r} {suggestion.step_size}\n'


def test_a_run_that_was_tuned_is_not_tuned_again(tuned, tmp_path, capsys):
    folder = copy_of(tuned, tmp_path)
    assert main(['--resume', str(folder)]) == 0
    assert '1 of 10: ' not in capsys.readouterr().out
    for name in ('tune.csv', 'suggestion.json', 'log'):
        assert (folder / name).read_bytes() == (tuned / name).read_bytes()


def test_a_new_run_begins_a_study_of_its_own(tuned, tmp_path):
    folder = copy_of(tuned, tmp_path)
    assert main([*TUNE, '--seed', '5', '--out', str(folder)]) == 0
    other = pd.read_csv(folder / 'tune.csv')
    assert len(other) == 4
    assert other['max'][0] != pd.read_csv(tuned / 'tune.csv')['max'][0]


def test_a_run_may_be_given_more_trials(tuned, tmp_path, capsys):
    folder = copy_of(tuned, tmp_path)
    assert main(['--resume', str(folder), '--tune-trials', '6']) == 0
    assert '5 of 12: ' in capsys.readouterr().out
    table = pd.read_csv(folder / 'tune.csv')
    assert table['trial'].tolist()[:4] == pd.read_csv(tuned / 'tune.csv')['trial'].tolist()
    assert len(table) == 6


def test_another_answer_takes_the_place_of_the_earlier_one(tuned, tmp_path):
    folder = copy_of(tuned, tmp_path)
    study = optuna.load_study(study_name='lrfinder', storage=f'sqlite:///{folder / "tune.db"}')
    plan, other = study.trials[0], study.trials[1]
    seeds = {
        schedule: [f'repeated {schedule}, seed {seed}' for seed in (1, 2, 3)] for schedule in ('triangular2, 1 cycle', 'fixed')
    }
    assert plan.params == {'policy': 'triangular2', 'factor': 1.0, 'cycles': 1}
    # As if a fixed rate had been the best, and better from all seeds.
    attrs = {**other.user_attrs, 'value_range': other.user_attrs['value_range']}
    best = optuna.trial.create_trial(
        params={'policy': 'fixed', 'factor': 2.0}, distributions=other.distributions, value=0.999, user_attrs=attrs
    )
    study.add_trial(best)
    for number, names in enumerate(
        [seeds['triangular2, 1 cycle'], [name.replace('fixed', 'fixed, max x2') for name in seeds['fixed']]]
    ):
        for name in names:
            study.set_user_attr(name, {'name': 'x', 'value': 0.5 + 0.4 * number, 'updates': 24})
    assert main(['--resume', str(folder), '--tune-trials', '5', '--quiet']) == 0
    low, high = Suggestion.load(folder / 'suggestion.json').value_range
    assert low == high
    log = json.loads((folder / 'log').read_text())
    assert [entry['lr'] for entry in log] == pytest.approx([low] * 4)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(tuned, tmp_path):
    folder = tmp_path / 'killed'
    first = [*TUNE, '--out', str(folder)]
    for wait in (0.0, 0.3, 0.6, 0.9):
        arguments = ['--resume', str(folder)] if (folder / 'run.json').exists() else first
        with subprocess.Popen([sys.executable, '-m', 'lrfinder', *arguments], stdout=subprocess.DEVNULL) as process:
            until = time.monotonic() + HANGS
            while not (folder / 'tune.db').exists() and process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(wait)
            process.kill()
    assert main(['--resume', str(folder)]) == 0
    assert (folder / 'tune.csv').read_bytes() == (tuned / 'tune.csv').read_bytes()
    assert Suggestion.load(folder / 'suggestion.json') == Suggestion.load(tuned / 'suggestion.json')
    assert [path.name for path in (folder / 'tune').iterdir()] == ['range.json']


def test_a_range_that_was_found_may_be_tuned_later(tmp_path):
    folder = tmp_path / 'later'
    assert main([*SMALL, '--quiet', '--out', str(folder)]) == 0
    assert main(['--resume', str(folder), '--epoch', '4', '--tune', '--tune-trials', '2', '--quiet']) == 0
    assert 'tuned' in Suggestion.load(folder / 'suggestion.json').reasons


def test_a_range_that_was_changed_since_is_not_believed(tuned, tmp_path):
    folder = copy_of(tuned, tmp_path)
    path = folder / 'tune' / 'range.json'
    for content in (path.read_text().replace('"min"', '"least"'), '{}', ''):
        path.write_text(content)
        assert main(['--resume', str(folder), '--quiet']) == 0
        assert path.read_bytes() == (tuned / 'tune' / 'range.json').read_bytes()
        assert Suggestion.load(folder / 'suggestion.json') == Suggestion.load(tuned / 'suggestion.json')


def test_a_study_of_another_run_is_not_gone_on_with(tuned, tmp_path):
    folder = copy_of(tuned, tmp_path)
    assert main([*SMALL, '--seed', '5', '--quiet', '--out', str(folder)]) == 0
    assert main(['--resume', str(folder), '--epoch', '4', '--tune', '--tune-trials', '2', '--quiet']) == 0
    other = pd.read_csv(folder / 'tune.csv')
    assert len(other) == 2
    assert other['max'][0] != pd.read_csv(tuned / 'tune.csv')['max'][0]


def test_a_study_of_the_users_is_left_alone(tmp_path, capsys):
    (tmp_path / 'tune.db').write_text('the work of a week')
    assert main([*TUNE, '--out', str(tmp_path)]) == 2
    message = f'--out {tmp_path}: there is a tune.db of no run; move it away, or choose another --out'
    assert capsys.readouterr().err == f'lrfinder: error: {message}\n'
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [('tune.db', 'the work of a week')]


@pytest.mark.parametrize('name', ['snapshot_iter_1', 'snapshot_iter_999'])
def test_what_is_no_snapshot_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text('mine')
    assert main([*SMALL, '--epoch', '4', '--tune', '--tune-trials', '2', '--quiet', '--out', str(tmp_path)]) == 0
    assert (tmp_path / name).read_text() == 'mine'


def test_a_damaged_study_is_named(tuned, tmp_path, capsys):
    folder = copy_of(tuned, tmp_path)
    (folder / 'tune.db').write_bytes(b'no database, but a text of some length' * 100)
    assert main(['--resume', str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f'lrfinder: error: --tune: {folder / "tune.db"} is not a study, or is damaged (')


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / 'a?b #c%20d'
    assert main([*TUNE, '--tune-trials', '2', '--quiet', '--out', str(folder)]) == 0
    assert (folder / 'tune.db').is_file()


def test_a_model_that_breaks_is_blamed_in_one_line(user_module, tmp_path, capsys):
    user_module(
        'breaks',
        """
        import chainer
        import chainer.links as L

        class Net(chainer.Chain):
            updates = 0

            def __init__(self, n_classes):
                super().__init__()
                with self.init_scope():
                    self.last = L.Linear(None, n_classes)

            def forward(self, x):
                if chainer.config.train:
                    Net.updates += 1
                if Net.updates > 620:
                    raise ValueError('the cable is out')
                return self.last(x)
        """,
    )
    arguments = ['--model', 'breaks:Net', '-b', '256', '--epoch', '8', '--tune', '--out', str(tmp_path / 'out')]
    assert main(arguments) == 2
    blamed = '--model breaks:Net on --dataset digits: the cable is out (breaks.py, line 17)'
    assert capsys.readouterr().err.splitlines() == [f'lrfinder: error: {blamed}']
    assert main(['--resume', str(tmp_path / 'out')]) == 2


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--tune'], '--tune needs --epoch N'),
        (['--epoch', '2', '--tune-trials', '4'], '--tune-trials needs --tune'),
        (['--epoch', '2', '--tune', '--tune-trials', '1'], '--tune-trials: must be a whole number from 2 to 10,000, not 1'),
        (['--epoch', '2', '--tune', '--communicator', 'naive'], '--tune cannot be combined with --communicator'),
        (['--epoch', '2', '--tune', '--seed', '4294967295'], '--seed 4294967295: --tune needs seeds above it'),
        (['--curve', 'a.csv', '--tune'], '--curve only reads a recorded curve: drop --tune'),
    ],
)
def test_what_can_not_be_tuned_is_refused(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_without_optuna_the_command_says_what_to_install(monkeypatch, capsys):
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *rest: None if name == 'optuna' else there(name, *rest))
    assert main(['--epoch', '2', '--tune']) == 2
    assert capsys.readouterr().err == "lrfinder: error: --tune needs Optuna: pip install 'chainer-lrfinder[tune]'\n"


def test_the_names_of_the_files_need_no_optuna():
    assert trial_folders.trainings(trial_folders.Path('nowhere')) == []
    assert parse(['--epoch', '2', '--tune']) == Options(epoch=2, tune=True, given=frozenset({'epoch', 'tune'}))
