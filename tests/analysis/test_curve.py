"""The recorded curve: how it is written, what can be read, and what is refused."""

import json
import math
import re
import warnings

from lrfinder.analysis.curve import COLUMNS, check_curve, make_curve, read_curve, write_curve

import numpy as np
import pandas as pd
import pytest

NAN = math.nan
HEADER = 'iteration,lr,main/loss,main/accuracy,validation/main/loss,validation/main/accuracy\n'


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_curve(path)


# ---- written and read


def test_a_curve_has_a_row_an_iteration_and_a_column_a_metric():
    curve = make_curve([(1, 0.5, 2.25, 0.125, NAN, NAN), (2, 1.0, 2.0, 0.25, 1.5, 0.5)])
    assert list(curve.columns) == list(COLUMNS)
    assert curve['iteration'].tolist() == [1, 2]
    assert curve['iteration'].dtype == np.int64
    assert curve['validation/main/loss'].tolist()[1] == 1.5
    assert make_curve([]).shape == (0, 6)


def test_the_file_is_csv_with_empty_cells_for_what_was_not_measured(tmp_path):
    write_curve(make_curve([(1, 0.1, 2.5, 0.125, NAN, NAN), (2, 0.2, math.inf, NAN, 1.5, 1 / 3)]), tmp_path / 'curve.csv')
    assert (tmp_path / 'curve.csv').read_text() == HEADER + '1,0.1,2.5,0.125,,\n2,0.2,inf,,1.5,0.3333333333333333\n'


def test_what_is_written_is_read_again_to_the_last_bit(tmp_path):
    random = np.random.RandomState(0)
    bits = random.randint(0, 2**63, (500, 6), dtype=np.int64) | random.randint(0, 2, (500, 6)) << 62
    numbers = bits.view(np.float64)
    numbers[np.isnan(numbers)] = NAN  # the one that text can tell
    numbers[:, 0] = np.arange(1, 501)
    numbers[np.isnan(numbers[:, 1]), 1] = 0.5  # a row without a rate is no row of a curve
    numbers[3] = 4, 5e-324, -0.0, -math.inf, 1.7976931348623157e308, NAN
    curve = make_curve(numbers)
    write_curve(curve, tmp_path / 'curve.csv')
    again = read_curve(tmp_path / 'curve.csv')
    assert again.dtypes.tolist() == curve.dtypes.tolist()
    assert again.to_numpy(float, copy=True).tobytes() == curve.to_numpy(float, copy=True).tobytes()


def test_the_curves_of_several_seeds_keep_the_seed_in_front(tmp_path):
    curve = pd.concat([make_curve([(1, 0.1, seed, NAN, NAN, NAN)]).assign(seed=seed) for seed in (3, 4)])[['seed', *COLUMNS]]
    write_curve(curve, tmp_path / 'curve.csv')
    again = read_curve(tmp_path / 'curve.csv')
    assert again.equals(curve.reset_index(drop=True))
    assert list(again.columns)[:2] == ['seed', 'iteration']


def test_tests_that_broke_at_once_keep_their_rows(tmp_path):
    curve = pd.concat([make_curve([(1, 0.1, NAN, NAN, NAN, NAN)]).assign(seed=seed) for seed in (3, 4)])[['seed', *COLUMNS]]
    write_curve(curve, tmp_path / 'curve.csv')
    assert read_curve(tmp_path / 'curve.csv')['seed'].tolist() == [3, 4]


def test_an_interrupted_test_without_a_row_can_be_read(tmp_path):
    write_curve(make_curve([]), tmp_path / 'curve.csv')
    assert read_curve(str(tmp_path / 'curve.csv')).shape == (0, 6)


# ---- what else is a curve


READ = {
    'other columns beside': ('name,lr,x,main/loss\na,0.1,,2\nb,0.2,?,1\n', [(0.1, 2), (0.2, 1)]),
    'spaces': (' lr , main/loss\n 0.1 ,  2 \n0.2,1', [(0.1, 2), (0.2, 1)]),
    'quotes': ('"lr","main/loss"\n"0.1","2"\n', [(0.1, 2)]),
    'a mark of the byte order': (b'\xef\xbb\xbflr,main/loss\n0.1,2\n', [(0.1, 2)]),
    'lines of Windows': ('lr,main/loss\r\n0.1,2\r\n0.2,1\r\n', [(0.1, 2), (0.2, 1)]),
    'lines of old Macs': ('lr,main/loss\r0.1,2\r', [(0.1, 2)]),
    'empty lines': ('\n\nlr,main/loss\n\n0.1,2\n\n', [(0.1, 2)]),
    'nan and infinity': ('lr,main/loss\n0.1,nan\n0.2,-inf\n0.3,\n', [(0.1, NAN), (0.2, -math.inf), (0.3, NAN)]),
    'huge and tiny values': ('lr,main/loss\n1e-400,1e400\n', [(0.0, math.inf)]),
    'a rate called alpha': ('alpha,main/loss\n0.1,2\n', [(0.1, 2)]),
    'a rate called main/lr': ('main/lr,main/loss\n0.1,2\n', [(0.1, 2)]),
    'lr and alpha': ('alpha,lr,main/loss\n9,0.1,2\n', [(0.1, 2)]),
    'a log': ('[{"main/loss": 2.5, "lr": 0.1, "epoch": 1, "iteration": 3, "elapsed_time": 1.5}]', [(0.1, 2.5)]),
    'a log with NaN': ('[{"main/loss": NaN, "lr": 0.1}, {"main/loss": -Infinity, "lr": 1}]', [(0.1, NAN), (1, -math.inf)]),
    'a log with null': ('[{"main/loss": null, "lr": 0.1}]', [(0.1, NAN)]),
    'a log with gaps': ('[{"lr": 0.1}, {"main/loss": 1, "lr": 0.2}]', [(0.1, NAN), (0.2, 1)]),
    'a log with whole numbers': ('[{"main/loss": 2, "lr": 1}]', [(1, 2)]),
    'a log with huge whole numbers': ('[{"main/loss": ' + '9' * 5000 + ', "lr": 1}]', [(1, math.inf)]),
    'a log with other entries': ('[{"main/loss": 2, "lr": 1, "x": [1], "y": {}, "z": "a"}]', [(1, 2)]),
}


@pytest.mark.parametrize('name', READ)
def test_what_can_be_read(tmp_path, name):
    content, expected = READ[name]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        curve = read(tmp_path / 'file', content)
    assert curve[['lr', 'main/loss']].to_numpy().tolist() == [pytest.approx(row, nan_ok=True) for row in expected]
    assert (curve.dtypes[['lr', 'main/loss']] == np.float64).all()


def test_any_one_metric_is_enough(tmp_path):
    for metric in ('main/loss', 'main/accuracy', 'validation/main/loss', 'validation/main/accuracy'):
        assert list(read(tmp_path / 'file', f'lr,{metric}\n1,2\n').columns) == ['lr', metric]


def test_counts_are_whole_numbers_where_they_can_be(tmp_path):
    curve = read(tmp_path / 'file', 'iteration,seed,epoch,lr,main/loss\n1,1e3,1.5,1,1\n2,2,2,1,1\n')
    assert curve.dtypes.astype(str).to_dict() == {
        'seed': 'int64',
        'epoch': 'float64',
        'iteration': 'int64',
        'lr': 'float64',
        'main/loss': 'float64',
    }
    for iteration in ('1.5', '', '1e300', 'inf', '9007199254740993'):
        assert read(tmp_path / 'file', f'iteration,lr,main/loss\n{iteration},1,1\n')['iteration'].dtype == np.float64


def test_a_log_of_chainer_can_be_read(tmp_path):
    import clr  # noqa: F401  makes Chainer importable

    import chainer
    import chainer.links as L
    from chainer import training
    from chainer.training import extensions

    data = [(np.full(2, i, np.float32), np.int32(i % 2)) for i in range(8)]
    optimizer = chainer.optimizers.SGD(0.0).setup(L.Classifier(L.Linear(2, 2, initialW=0.5)))
    updater = training.StandardUpdater(chainer.iterators.SerialIterator(data, 4, shuffle=False), optimizer)
    trainer = training.Trainer(updater, (5, 'iteration'), out=tmp_path)
    trainer.extend(extensions.LinearShift('lr', (0.0, 2.0**126), (0, 4)))
    trainer.extend(extensions.observe_lr(), trigger=(1, 'iteration'))
    trainer.extend(extensions.LogReport(trigger=(1, 'iteration')))
    with np.errstate(all='ignore'):
        trainer.run()
    curve = read_curve(tmp_path / 'log')
    assert curve['lr'].tolist() == [0, 2.0**124, 2.0**125, 1.5 * 2.0**125, 2.0**126]
    assert curve['iteration'].tolist() == [1, 2, 3, 4, 5]
    assert curve['epoch'].tolist() == [0, 1, 1, 2, 2]
    assert 'NaN' in (tmp_path / 'log').read_text()
    assert curve['main/loss'].iloc[:2].tolist() == pytest.approx([math.log(2)] * 2)
    assert math.isnan(curve['main/loss'].iloc[-1])


# ---- what is none


NO_RATE = (
    "no column 'lr' (columns: {}); record it with chainer's observe_lr, or say which it is: columns={{'lr': NAME}}, "
    'on the command line --columns lr=NAME'
)
NO_METRIC = (
    "no column 'main/loss' or other metric (columns: {}); say which it is: columns={{'loss': NAME}}, "
    'on the command line --columns loss=NAME'
)
NEITHER = (
    "no column 'lr', and no column 'main/loss' or other metric (columns: {}); say which they are: "
    "columns={{'lr': NAME, 'loss': NAME}}, on the command line --columns lr=NAME loss=NAME"
)
NO_LOG = 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'
REFUSED = {
    'an empty file': ('', 'it is empty'),
    'nothing but space': (' \n\t\n', 'it is empty'),
    'nothing but a mark of the byte order': (b'\xef\xbb\xbf', 'it is empty'),
    'text of another encoding': (
        'lr,main/loss\n0.1,2 é'.encode('latin-1'),
        "'utf-8' codec can't decode byte 0xe9 in position 19: unexpected end of data",
    ),
    'a picture': (b'\x89PNG\r\n\x1a\n\0\0', 'it is a picture; the numbers behind it are needed, as CSV or JSON'),
    'no rate': ('iteration,main/loss\n1,2\n', NO_RATE.format('iteration, main/loss')),
    'no metric': ('iteration,lr\n1,2\n', NO_METRIC.format('iteration, lr')),
    'no columns that are known': ('a,b\n1,2\n', NEITHER.format('a, b')),
    'no header': (
        '1,0.1,2\n2,0.2,1\n',
        'the first line names no columns; without names there must be two, the rate and the loss, and not 3',
    ),
    'another separator': ('lr!main/loss\n1!2\n', NEITHER.format('lr!main/loss')),
    'many columns': (','.join(f'c{i}' for i in range(999)), NEITHER.format(', '.join(f'c{i}' for i in range(20)) + ', ...')),
    'a rate twice': ('lr,lr,main/loss\n1,2,3\n', "the column 'lr' occurs twice"),
    'a metric twice': ('lr,main/loss, main/loss\n1,2,3\n', "the column 'main/loss' occurs twice"),
    'a word': ('lr,main/loss\n0.1,2\n0.2,low\n', "column 'main/loss', row 2: 'low' is no number"),
    'a word in a log': ('[{"lr": "fast", "main/loss": 1}]', "column 'lr', row 1: 'fast' is no number"),
    'a word like NA': ('lr,main/loss\n0.1,NAN1\n', "column 'main/loss', row 1: 'NAN1' is no number"),
    'two numbers': ('lr,main/loss\n0.1,1 2\n', "column 'main/loss', row 1: '1 2' is no number"),
    'a comma in a number': ('lr,main/loss\n0.1,"1,5"\n', "column 'main/loss', row 1: '1,5' is no number"),
    'a hexadecimal number': ('lr,main/loss\n0.1,0x10\n', "column 'main/loss', row 1: '0x10' is no number"),
    'an underscore in a number': ('lr,main/loss\n0.1,1_0\n', "column 'main/loss', row 1: '1_0' is no number"),
    'a date': ('lr,main/loss\n2024-01-01,1\n', "column 'lr', row 1: '2024-01-01' is no number"),
    'a long word': ('lr,main/loss\n0.1,' + 'x' * 999, "column 'main/loss', row 1: '" + 'x' * 39 + '... is no number'),
    'a word among the counts': ('iteration,lr,main/loss\nfirst,1,1\n', "column 'iteration', row 1: 'first' is no number"),
    'true in a log': ('[{"lr": 1, "main/loss": true}]', "column 'main/loss', row 1: True is no number"),
    'a list in a log': ('[{"lr": 1, "main/loss": [1]}]', "column 'main/loss', row 1: [1] is no number"),
    'an object in a log': ('[{"lr": {}, "main/loss": 1}]', "column 'lr', row 1: {} is no number"),
    'a short row': (HEADER + '1,2,3,4,5,6\n1,2,3\n', 'row 2 has 3 cells, but there are 6 columns'),
    'a long row': ('lr,main/loss\n1,2,3\n', 'row 1 has 3 cells, but there are 2 columns'),
    'an open quote': ('lr,main/loss\n"1,2\n', 'unexpected end of data'),
    'truncated JSON': ('[{"lr": 1, "main/loss": 2}, {"lr"', "broken JSON: Expecting ':' delimiter: line 1 column 34 (char 33)"),
    'JSON that goes on': ('[{"lr": 1, "main/loss": 2}] x', 'broken JSON: Extra data: line 1 column 29 (char 28)'),
    'JSON that ends at once': ('[', 'broken JSON: Expecting value: line 1 column 2 (char 1)'),
    'one entry of a log': ('{"lr": 1, "main/loss": 2}', NO_LOG),
    'a suggestion': ('{"schema": 1, "value_range": [0, 1]}', NEITHER.format('value_range')),
    'an empty log': ('[]', NO_LOG),
    'a list of numbers': ('[1, 2]', NO_LOG),
    'a list of all kinds of things': ('[{"lr": 1, "main/loss": 2}, null]', NO_LOG),
    'lists of different lengths': ('{"lr": [1, 2, 3], "loss": [1]}', "its lists are not equally long ('lr' 3, 'loss' 1)"),
    'a log without the rate': ('[{"main/loss": 1, "epoch": 1}]', NO_RATE.format('main/loss, epoch')),
    'a log of nothing': ('[{}]', NEITHER.format('none')),
    'deep nesting': ('[' * 100_000, 'it is nested too deeply'),
    'deep nesting of objects': ('[' + '{"lr":' * 100_000, 'it is nested too deeply'),
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_is_no_curve_is_refused_in_one_line(tmp_path, name):
    content, problem = REFUSED[name]
    path = tmp_path / 'file'
    with warnings.catch_warnings(), pytest.raises(ValueError, match=f'^{re.escape(f"{path}: not a curve: {problem}")}$'):
        warnings.simplefilter('error')
        read(path, content)


def test_a_huge_table_is_refused_as_fast(tmp_path):
    # A column an entry would be a table of 10^10 cells.
    entries = [{'lr': 1, 'main/loss': 2, str(i): i} for i in range(50_000)]
    assert len(read(tmp_path / 'file', json.dumps(entries))) == 50_000


def test_files_that_cannot_be_read_are_errors_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_curve(tmp_path / 'missing.csv')
    with pytest.raises(IsADirectoryError):
        read_curve(tmp_path)
    with pytest.raises(ValueError, match='embedded null'):
        read_curve('file\0')


# ---- tables


@pytest.mark.parametrize(
    'column',
    [
        pd.Series([1, 2]),
        pd.Series([1.0, 2.0], dtype='float32'),
        pd.Series([1, 2], dtype='uint8'),
        pd.Series([1, 2], dtype='Int64'),
        pd.Series(['1', ' 2 ']),
        pd.Series([1, '2'], dtype=object),
        pd.Series([np.float64(1), np.int8(2)], dtype=object),
        pd.Series(pd.Categorical([1, 2])),
    ],
)
def test_columns_of_any_kind_of_number_are_numbers(column):
    table = check_curve(pd.DataFrame({'lr': column, 'main/loss': [3.0, 4.0]}))
    assert table['lr'].tolist() == [1.0, 2.0]
    assert table['lr'].dtype == np.float64


def test_missing_values_of_any_kind_are_nan():
    table = check_curve(pd.DataFrame({'lr': pd.array([1, 2], dtype='Int64'), 'main/loss': [None, pd.NA]}))
    assert table['lr'].tolist() == [1.0, 2.0]
    assert table['main/loss'].isna().all()


def test_rows_keep_their_order_and_lose_their_index():
    table = check_curve(pd.DataFrame({'main/loss': [3, 1, 2], 7: 0, 'lr': [3, 1, 2]}, index=[5, 5, 0]))
    assert table.index.tolist() == [0, 1, 2]
    assert table['lr'].tolist() == [3, 1, 2]
    assert list(table.columns) == ['lr', 'main/loss']


def test_the_table_that_is_given_stays_as_it_is():
    given = pd.DataFrame({'lr': [1.0, 2.0], 'main/loss': [1.0, 2.0]})
    table = check_curve(given)
    table['lr'] *= 2
    assert given['lr'].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    'table, problem',
    [
        (None, 'a curve is a pandas DataFrame, not NoneType'),
        ([(0.1, 2)], 'a curve is a pandas DataFrame, not list'),
        (pd.Series([1]), 'a curve is a pandas DataFrame, not Series'),
        (pd.DataFrame(), NEITHER.format('none')),
        (pd.DataFrame({1: [1]}), NEITHER.format('1')),
        (pd.DataFrame([[1, 2, 3]], columns=['lr', 'lr', 'main/loss']), "the column 'lr' occurs twice"),
        (pd.DataFrame({'lr': [True], 'main/loss': [1]}), "column 'lr', row 1: True is no number"),
        (pd.DataFrame({'lr': [1j], 'main/loss': [1]}), "column 'lr', row 1: 1j is no number"),
        (
            pd.DataFrame({'lr': pd.Series([10**400], dtype=object), 'main/loss': [1]}),
            "column 'lr', row 1: the number is too large",
        ),
        (pd.DataFrame({'lr': [(1,)], 'main/loss': [1]}), "column 'lr', row 1: (1,) is no number"),
        (
            pd.DataFrame({'lr': pd.to_datetime(['2024-01-01']), 'main/loss': [1]}),
            "column 'lr', row 1: Timestamp('2024-01-01 00:00:00') is no number",
        ),
        (
            pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([('lr', 'a'), ('lr', 'b')])),
            "no column 'lr', and no column",
        ),
    ],
)
def test_what_is_no_table_of_a_curve_is_refused(table, problem):
    with warnings.catch_warnings(), pytest.raises(ValueError, match=f'^{re.escape(problem)}'):
        warnings.simplefilter('error')
        check_curve(table)


def test_of_a_table_too_rows_without_a_rate_are_joined_or_dropped():
    """As Lightning logs its validation."""
    table = pd.DataFrame(
        {
            'iteration': [1, 2, 2, 3],
            'lr': [0.1, 0.2, None, None],
            'main/loss': [2.0, 1.0, None, None],
            'validation/main/loss': [None, None, 1.5, 1.4],
        }
    )
    checked = check_curve(table)
    assert checked['lr'].tolist() == [0.1, 0.2]
    assert checked['validation/main/loss'].tolist() == pytest.approx([NAN, 1.5], nan_ok=True)
