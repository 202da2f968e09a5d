"""Curves that other tools recorded, and what others do with an answer."""

import json

import lrfinder
from lrfinder.analysis import formats
from lrfinder.cli.main import main

import numpy as np
import pandas as pd
import pytest

RATES = [0.1, 0.2, 0.3]
LOSSES = [2.3, 1.9, 1.5]
EXPECTED = pd.DataFrame({'lr': RATES, 'main/loss': LOSSES})


@pytest.fixture
def read(tmp_path):
    """Reads a curve from a file with this content."""

    def read_text(content, **options):
        path = tmp_path / 'curve'
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return lrfinder.read_curve(path, **options)

    return read_text


def refusal(read, content, **options):
    with pytest.raises(ValueError) as caught:
        read(content, **options)
    place, _, message = str(caught.value).partition(': not a curve: ')
    assert place.endswith('curve') and '\n' not in message
    return message


# Other tools' files

JSON = {
    "Lightning's lr_find().results": {'lr': RATES, 'loss': LOSSES},
    "torch-lr-finder's history": {'lr': RATES, 'loss': LOSSES, 'mode': 'exponential'},
    "fastai's recorder": {'lrs': RATES, 'losses': LOSSES},
    'pairs': [list(pair) for pair in zip(RATES, LOSSES)],
    'a list of rows': [{'learning_rate': rate, 'train_loss': loss} for rate, loss in zip(RATES, LOSSES)],
    "Chainer's LogReport": [{'main/lr': rate, 'main/loss': loss, 'elapsed_time': 1.5} for rate, loss in zip(RATES, LOSSES)],
}


@pytest.mark.parametrize('content', JSON.values(), ids=JSON)
def test_json_of_other_tools(read, content):
    pd.testing.assert_frame_equal(read(content), EXPECTED)


CSV = {
    'names': 'lr,loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n',
    'capitals and spaces': 'Learning Rate,Train loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n',
    'semicolons': 'lr;loss\r\n0.1;2.3\r\n0.2;1.9\r\n0.3;1.5\r\n',
    'tabs': 'lr\tloss\n0.1\t2.3\n0.2\t1.9\n0.3\t1.5\n',
    'no names': '0.1, 2.3\n0.2, 1.9\n0.3, 1.5\n',
    "pandas' index": ',lr,loss\n0,0.1,2.3\n1,0.2,1.9\n2,0.3,1.5\n',
    'empty lines': '\nlr,loss\n0.1,2.3\n\n0.2,1.9\n0.3,1.5\n\n',
}


@pytest.mark.parametrize('content', CSV.values(), ids=CSV)
def test_csv_of_other_tools(read, content):
    pd.testing.assert_frame_equal(read(content), EXPECTED)


def test_every_metric_of_keras_is_known(read):
    curve = read('epoch,accuracy,loss,learning_rate,val_accuracy,val_loss\n0,0.5,2.3,0.1,0.25,2.5\n1,0.75,1.9,0.2,,\n')
    assert curve.columns.tolist() == [
        'epoch',
        'lr',
        'main/loss',
        'main/accuracy',
        'validation/main/loss',
        'validation/main/accuracy',
    ]
    assert curve.iloc[0].tolist() == [0, 0.1, 2.3, 0.5, 2.5, 0.25]
    assert curve.iloc[1].isna().tolist() == [False, False, False, False, True, True]


def test_our_own_names_come_first(read):
    curve = read('lr,loss,main/loss,train_loss\n0.1,7,2.3,8\n')
    assert curve['main/loss'].tolist() == [2.3]


def test_rates_logged_in_rows_of_their_own_are_joined_with_the_losses_of_their_step(read):
    curve = read('step,epoch,lr,train_loss\n1,0,0.1,\n1,0,,2.3\n2,0,0.2,\n2,0,,1.9\n3,0,,1.5\n')
    assert curve['iteration'].tolist() == [1, 2]
    assert curve['lr'].tolist() == [0.1, 0.2]
    assert curve['main/loss'].tolist() == [2.3, 1.9]


def test_losses_that_are_no_numbers_any_more_are_kept(read):
    assert np.isnan(read('{"lr": [0.1, 0.2], "loss": [2.3, NaN]}')['main/loss'][1])
    assert read('lr,loss\n0.1,2.3\n0.2,inf\n')['main/loss'][1] == np.inf


# Columns that the user names


def test_columns_can_be_named(read):
    text = 'eta,objective,hits,held out\n0.1,2.3,0.5,2.5\n'
    curve = read(text, columns={'lr': 'eta', 'loss': 'objective', 'accuracy': 'hits', 'validation/main/loss': 'held out'})
    assert curve.to_dict('list') == {
        'lr': [0.1],
        'main/loss': [2.3],
        'main/accuracy': [0.5],
        'validation/main/loss': [2.5],
    }


def test_a_column_that_is_named_goes_before_one_that_is_known(read):
    curve = read('lr,base_lr,loss\n7,0.1,2.3\n', columns={'lr': 'base_lr'})
    assert curve['lr'].tolist() == [0.1]


def test_a_curve_in_memory_may_have_the_known_names_too():
    rates = np.linspace(0, 1, 100)
    curve = pd.DataFrame({'lr': rates, 'loss': 1 / (1 + 20 * rates) + np.where(rates > 0.8, 50, 0)})
    assert lrfinder.analyze(curve) == lrfinder.analyze(curve.rename(columns={'loss': 'main/loss'}))


# What is no curve


def test_a_column_that_is_missing_is_asked_for(read):
    assert refusal(read, 'eta,loss\n0.1,2.3\n') == (
        "no column 'lr' (columns: eta, loss); record it with chainer's observe_lr, or say which it is: columns={'lr': NAME}, "
        'on the command line --columns lr=NAME'
    )
    assert refusal(read, {'lr': RATES, 'cost': LOSSES}) == (
        "no column 'main/loss' or other metric (columns: lr, cost); say which it is: columns={'loss': NAME}, on the command "
        'line --columns loss=NAME'
    )


@pytest.mark.parametrize(
    ('columns', 'message'),
    [
        ({'lr': 'eto'}, "there is no column 'eto': did you mean eta?"),
        ({'los': 'loss'}, "unknown column 'los': did you mean loss?"),
    ],
)
def test_a_slip_in_a_name_is_found_out(read, columns, message):
    assert refusal(read, 'eta,loss\n0.1,2.3\n', columns=columns) == message


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', 'it is empty'),
        (' \n', 'it is empty'),
        (
            '0.1,2.3,0.5\n',
            'the first line names no columns; without names there must be two, the rate and the loss, and not 3',
        ),
        ('lr,loss\n0.1,2.3\n0.2\n', 'row 2 has 1 cells, but there are 2 columns'),
        ('lr,loss\n0.1,2.3,4\n', 'row 1 has 3 cells, but there are 2 columns'),
        ('lr,lr,loss\n0.1,0.1,2.3\n', "the column 'lr' occurs twice"),
        ('lr,loss\n0.1,tensor(2.3)\n', "column 'main/loss', row 1: 'tensor(2.3)' is no number"),
        ({'lr': RATES, 'loss': [2.3]}, "its lists are not equally long ('lr' 3, 'loss' 1)"),
        ([[1, 2, 3]], 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'),
        ([], 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'),
        (
            {'lr': 0.1, 'loss': 2.3},
            'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected',
        ),
        ([{'lr': 0.1}, 2], 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'),
        ('{"lr": [0.1', "broken JSON: Expecting ',' delimiter: line 1 column 12 (char 11)"),
    ],
)
def test_what_is_no_curve_is_refused_in_one_line(read, content, message):
    assert refusal(read, content) == message


def test_every_short_name_stands_for_a_known_column():
    assert set(formats.SHORT.values()) <= set(formats.KNOWN)


# The command


def test_the_command_reads_what_another_tool_recorded(tmp_path, capsys):
    rates = np.linspace(0.01, 1, 200)
    losses = 1 / (1 + 20 * rates) + np.where(rates > 0.8, 50, 0)
    path = tmp_path / 'results.json'
    path.write_text(json.dumps({'lr': rates.tolist(), 'loss': losses.tolist()}))
    assert main(['--curve', str(path), '--quiet', '--out', str(tmp_path)]) == 0
    low, high, step_size = capsys.readouterr().out.split()
    assert 0.01 <= float(low) < float(high) < 0.8
    assert step_size == '200'


def test_the_command_takes_the_names_of_the_columns(tmp_path, capsys):
    rates = np.linspace(0.01, 1, 200)
    table = pd.DataFrame({'eta': rates, 'objective': 1 / (1 + 20 * rates)})
    path = tmp_path / 'history.csv'
    table.to_csv(path, index=False)
    arguments = ['--curve', str(path), '--quiet', '--out', str(tmp_path)]
    assert main([*arguments, '--columns', 'lr=eta', 'loss=objective']) == 0
    assert float(capsys.readouterr().out.split()[1]) == pytest.approx(0.36, abs=0.01)
    assert main([*arguments, '--columns', 'lr=eto']) == 2
    assert capsys.readouterr().err == (
        f"lrfinder: error: --curve: {path}: not a curve: there is no column 'eto': did you mean eta?\n"
    )


# Rich displays


FOUND = lrfinder.Suggestion('lr', (0.01, 0.1), 90, reasons={'max': 'loss < 2'}, warnings=('few examples',))


def test_a_suggestion_shows_itself_in_a_notebook():
    html = FOUND._repr_html_()
    assert '0.01 to 0.1' in html and 'step_size 90' in html
    assert 'loss &lt; 2' in html and 'few examples' in html


def test_a_result_shows_its_picture_in_a_notebook():
    result = lrfinder.Result(EXPECTED, FOUND)
    assert result._repr_png_()[:4] == b'\x89PNG'
