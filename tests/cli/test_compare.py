"""``--compare`` with ``--seeds``: as many trainings of each rate, and a verdict that knows the noise."""

from lrfinder.analysis.metrics import VALIDATION_ACCURACY as ACCURACY
from lrfinder.analysis.metrics import VALIDATION_LOSS as LOSS
from lrfinder.cli import compare, summary
from lrfinder.cli.main import main
from lrfinder.cli.options import Options

import pandas as pd
import pytest

RUN = ['--model', 'mlp:8', '-b', '256', '--iterations', '20', '--epoch', '4', '--compare', '--seeds', '2']


@pytest.fixture(scope='module')
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp('compared') / 'out'
    assert main([*RUN, '--out', str(folder)]) == 0
    return folder


def test_each_rate_is_trained_from_each_seed(compared):
    table = pd.read_csv(compared / 'compare.csv')
    assert list(table.columns)[:4] == ['seed', 'run', 'epoch', 'iteration']
    ends = table[table['iteration'] == table['iteration'].max()]
    assert len(ends) == 8
    assert ends.groupby('run')['seed'].apply(list).tolist() == [[0, 1]] * 4
    assert ends[ACCURACY].nunique() > 1


def test_the_trainings_of_other_seeds_have_folders_of_their_own(compared):
    def folders(parent):
        return sorted(path.name for path in parent.iterdir() if path.is_dir())

    assert folders(compared) == ['fixed_max', 'fixed_middle', 'fixed_min', 'seed_1']
    assert folders(compared / 'seed_1') == ['fixed_max', 'fixed_middle', 'fixed_min']


def test_what_is_done_is_not_done_again(compared, capsys):
    before = (compared / 'compare.csv').read_bytes()
    assert main(['--resume', str(compared)]) == 0
    assert (compared / 'compare.csv').read_bytes() == before
    assert '2 runs each on 360 validation examples.' in capsys.readouterr().out


@pytest.mark.slow
def test_many_at_once_come_to_the_same(compared, tmp_path):
    pytest.importorskip('joblib')
    assert main([*RUN, '--jobs', '2', '--out', str(tmp_path / 'out')]) == 0
    one, two = (pd.read_csv(folder / 'compare.csv')['main/loss'].tolist() for folder in (compared, tmp_path / 'out'))
    assert two == pytest.approx(one, rel=1e-3)


def test_one_seed_needs_no_folder_but_those_of_the_rates():
    assert compare.folders(Options(compare=True)) == ['fixed_min', 'fixed_middle', 'fixed_max']
    assert compare.folders(Options()) == []


def ends(**runs):
    return {name.replace('_', ' '): [{ACCURACY: value} for value in values] for name, values in runs.items()}


@pytest.mark.parametrize(
    ('runs', 'verdict'),
    [
        (
            ends(CLR=[0.95, 0.96, 0.95], fixed_1=[0.90, 0.91, 0.91]),
            'CLR ended better than every fixed rate; the best of them is fixed 1: 4.7 +- 1.4 points by 3 seeds.',
        ),
        (
            ends(CLR=[0.90, 0.91, 0.91], fixed_1=[0.95, 0.96, 0.95]),
            'fixed 1 ended better than CLR: 4.7 +- 1.4 points by 3 seeds.',
        ),
        (
            ends(CLR=[0.90, 0.94, 0.95], fixed_1=[0.95, 0.91, 0.91]),
            'CLR and the fixed rates show no difference that 3 seeds can tell: CLR is 0.67 +- 12 points ahead of fixed 1.',
        ),
        (
            ends(CLR=[0.90, 0.91], fixed_1=[0.95, 0.91]),
            'CLR and the fixed rates show no difference that 2 seeds can tell: fixed 1 is 2.5 +- 32 points ahead of CLR.',
        ),
        (
            {'CLR': [{LOSS: None}] * 2, 'fixed 1': [{LOSS: 0.1}] * 2},
            'CLR diverged from 2 of 2 seeds, fixed 1 from 0.',
        ),
    ],
)
def test_the_verdict_knows_the_noise(runs, verdict):
    assert summary.comparison_lines(runs, 'compare.png', 360)[-2] == verdict


def test_the_table_has_mean_and_spread():
    lines = summary.comparison_lines(ends(CLR=[0.9, 0.92], fixed_1=[0.8, 0.8]), 'compare.png', 360)
    assert lines[1:3] == ['CLR      0.91 +- 0.014', 'fixed 1  0.8 +- 0']
    assert lines[-1] == '2 runs each on 360 validation examples. Picture: compare.png'
