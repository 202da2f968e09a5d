"""Curves that other tools recorded, and what others do with an answer."""

import gzip
import io
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
TABLE = pd.DataFrame({'lr': RATES, 'loss': LOSSES})


@pytest.fixture
def read(tmp_path):
    """Reads a curve from a file with this content."""

    def read_content(content, **options):
        path = tmp_path / 'curve'
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else json.dumps(content)).encode()
        path.write_bytes(content)
        return lrfinder.read_curve(path, **options)

    return read_content


def refusal(read, content, **options):
    with pytest.raises(ValueError) as caught:
        read(content, **options)
    place, _, message = str(caught.value).partition(': not a curve: ')
    assert place.endswith('curve') and '\n' not in message
    return message


# Other tools' files

JSON = {
    "ignite's results": {'lr': RATES, 'loss': LOSSES},
    "torch-lr-finder's history": {'lr': RATES, 'loss': LOSSES, 'mode': 'exponential'},
    "fastai's recorder": {'lrs': RATES, 'losses': LOSSES},
    'pairs': [list(pair) for pair in zip(RATES, LOSSES)],
    'a list of rows': [{'learning_rate': rate, 'train_loss': loss} for rate, loss in zip(RATES, LOSSES)],
    "Chainer's LogReport": [{'main/lr': rate, 'main/loss': loss, 'elapsed_time': 1.5} for rate, loss in zip(RATES, LOSSES)],
    'one rate more than losses': {'lr': [*RATES, 0.4], 'loss': LOSSES},
    'scalars and other lists beside': {'best': 0.1, 'lr': RATES, 'loss': LOSSES, 'seen': [1, 2], 'val_loss': 1.5, 'x': []},
    "Keras' history in an object": {'params': {'epochs': 3}, 'history': {'loss': LOSSES, 'learning_rate': RATES}},
    'several tables, of which one is a curve': {
        'runs': [{'loss': 1}],
        'best': {'lr': [1, 2]},
        'test': {'log': {'lr': RATES, 'loss': LOSSES}},
    },
    "a table of Weights & Biases": {'columns': ['lr', 'loss'], 'data': [[0.1, 2.3], [0.2, 1.9], [0.3, 1.5]], 'ncols': 2},
}  # fmt: skip


@pytest.mark.parametrize('content', JSON.values(), ids=JSON)
def test_json_of_other_tools(read, content):
    pd.testing.assert_frame_equal(read(content), EXPECTED)


PANDAS = {
    'columns': '{"lr":{"0":0.1,"1":0.2,"2":0.3},"loss":{"0":2.3,"1":1.9,"2":1.5}}',
    'split': '{"columns":["lr","loss"],"index":[0,1,2],"data":[[0.1,2.3],[0.2,1.9],[0.3,1.5]]}',
    'records': '[{"lr":0.1,"loss":2.3},{"lr":0.2,"loss":1.9},{"lr":0.3,"loss":1.5}]',
    'index': '{"0":{"lr":0.1,"loss":2.3},"1":{"lr":0.2,"loss":1.9},"2":{"lr":0.3,"loss":1.5}}',
    'values': '[[0.1,2.3],[0.2,1.9],[0.3,1.5]]',
}


@pytest.mark.parametrize('orient', [*PANDAS, 'table'])
def test_json_of_pandas(read, orient):
    written = TABLE.to_json(orient=orient)
    assert written == PANDAS.get(orient, written)
    pd.testing.assert_frame_equal(read(written), EXPECTED)


@pytest.mark.parametrize('index', [[50, 100, 150], ['first', 'second', 'third'], pd.date_range('2024-01-01', periods=3)])
@pytest.mark.parametrize('orient', ['columns', 'index'])
def test_json_of_pandas_with_an_index_of_its_own(read, index, orient):
    table = TABLE.set_index(pd.Index(index)).drop(index=index[1])
    assert read(table.to_json(orient=orient, date_format='iso'))['lr'].tolist() == [0.1, 0.3]


def test_json_of_pandas_whose_columns_the_user_names(read):
    table = pd.DataFrame({'cost': LOSSES, 'eta': RATES})
    for orient in ('columns', 'split', 'index'):
        found = read(table.to_json(orient=orient), columns={'lr': 'eta', 'loss': 'cost'})
        pd.testing.assert_frame_equal(found, EXPECTED)
        assert refusal(read, table.to_json(orient=orient)).startswith("no column 'lr', and no column 'main/loss'")


def test_one_of_several_curves_is_not_chosen_silently(read):
    one = {'lr': RATES, 'loss': LOSSES}
    assert refusal(read, {'sgd': one, 'more': {'adam': one}, 'seeds': 2}) == (
        'it holds more than one curve (sgd, more/adam); write one of them to a file of its own'
    )
    pd.testing.assert_frame_equal(read({**one, 'raw': one}), EXPECTED)
    pd.testing.assert_frame_equal(read({'a': one, 'b': {'lr': [1], 'x': [2]}}), EXPECTED)


def test_pairs_within_an_object_are_no_curve(read):
    assert 'boxes' in refusal(read, {'boxes': [[0.1, 2.3], [0.2, 1.9]]})


def test_json_lines_of_mmengine(read):
    curve = read(
        '{"lr": 0.1, "data_time": 0.01, "loss": 2.3, "epoch": 1, "iter": 50, "step": 50}\n'
        '{"lr": 0.2, "data_time": 0.01, "loss": 1.9, "epoch": 2, "iter": 100, "step": 100}\n'
        '{"accuracy/top1": 50.0, "data_time": 0.01, "step": 2}\n'
        '\n'
        '{"lr": 0.3, "data_time": 0.01, "loss": NaN, "epoch": 3, "iter": 150, "step": 150}\n'
    )
    expected = pd.DataFrame(
        {'epoch': [1.0, 2, 3], 'iteration': [50, 100, 150], 'lr': [0.1, 0.2, 0.3], 'main/loss': [2.3, 1.9, np.nan]}
    )
    pd.testing.assert_frame_equal(curve, expected)


def test_rows_that_say_that_they_are_of_the_validation_are_left_out(read):
    curve = read(
        '{"env_info": "linux", "seed": null}\n'
        '{"mode": "train", "epoch": 1, "iter": 50, "lr": 0.1, "loss": 2.3}\n'
        '{"mode": "val", "epoch": 1, "iter": 10, "lr": 0.1, "accuracy_top-1": 50.0}\n'
        '{"mode": "train", "epoch": 2, "iter": 100, "lr": 0.2, "loss": 1.9}\n'
    )
    expected = pd.DataFrame({'epoch': [1.0, 2], 'iteration': [50, 100], 'lr': [0.1, 0.2], 'main/loss': [2.3, 1.9]})
    pd.testing.assert_frame_equal(curve, expected)
    curve = read('step,phase,lr,loss\n1,train,0.1,2.3\n1,Validation,0.1,9\n2,train,0.2,1.9\n2,eval,0.2,9\n')
    assert curve.to_dict('list') == {'iteration': [1, 2], 'lr': [0.1, 0.2], 'main/loss': [2.3, 1.9]}
    assert refusal(read, 'split,lr,loss\ntest,0.1,2.3\n') == "column 'lr' has no value in any row"
    assert len(read({'lr': RATES, 'loss': LOSSES, 'stage': ['val']})) == 3


def test_the_state_of_a_hugging_face_trainer(read):
    log = [
        {'epoch': 0.5, 'grad_norm': 1.5, 'learning_rate': 1e-5, 'loss': 2.3, 'step': 500},
        {'epoch': 1.0, 'grad_norm': 1.5, 'learning_rate': 2e-5, 'loss': 1.9, 'step': 1000},
        {'epoch': 1.0, 'eval_accuracy': 0.75, 'eval_loss': 2.1, 'eval_runtime': 3.5, 'step': 1000},
        {'epoch': 1.5, 'grad_norm': 1.5, 'learning_rate': 3e-5, 'loss': 1.5, 'step': 1500},
        {'epoch': 1.5, 'total_flos': 1e15, 'train_loss': 1.9, 'train_runtime': 60.5, 'step': 1500},
    ]
    curve = read({'best_metric': None, 'epoch': 1.5, 'is_hyper_param_search': False, 'log_history': log, 'max_steps': 1500})
    expected = pd.DataFrame(
        {
            'epoch': [0.5, 1.0, 1.5],
            'iteration': [500, 1000, 1500],
            'lr': [1e-5, 2e-5, 3e-5],
            'main/loss': [2.3, 1.9, 1.5],
            'validation/main/loss': [np.nan, 2.1, np.nan],
            'validation/main/accuracy': [np.nan, 0.75, np.nan],
        }
    )
    pd.testing.assert_frame_equal(curve, expected)


def saved_by_numpy(**options):
    file = io.BytesIO()
    np.savetxt(file, TABLE.to_numpy(), **options)
    return file.getvalue()


CSV = {
    'names': 'lr,loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n',
    'capitals and spaces': 'Learning Rate,Train loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n',
    'capitals within': 'LearningRate,trainLoss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n',
    'semicolons': 'lr;loss\r\n0.1;2.3\r\n0.2;1.9\r\n0.3;1.5\r\n',
    'tabs': 'lr\tloss\n0.1\t2.3\n0.2\t1.9\n0.3\t1.5\n',
    'bars': 'lr|loss\n0.1|2.3\n0.2|1.9\n0.3|1.5\n',
    'commas and tabs': 'lr,\tloss\n0.1,\t2.3\n0.2,\t1.9\n0.3,\t1.5\n',
    'spaces': 'lr  loss\n0.1 2.3\n 0.2 1.9\n0.3   1.5\n',
    'no names': '0.1, 2.3\n0.2, 1.9\n0.3, 1.5\n',
    'no names, spaces': '0.1 2.3\n0.2 1.9\n0.3 1.5\n',
    "pandas' index": ',lr,loss\n0,0.1,2.3\n1,0.2,1.9\n2,0.3,1.5\n',
    'a printed DataFrame': '    lr  loss\n0  0.1   2.3\n1  0.2   1.9\n2  0.3   1.5\n',
    "R's write.table": '"lr" "loss"\n"1" 0.1 2.3\n"2" 0.2 1.9\n"3" 0.3 1.5\n',
    'a table in Markdown': '| lr | loss |\n| ---: | ---: |\n| 0.1 | 2.3 |\n| 0.2 | 1.9 |\n| 0.3 | 1.5 |\n',
    'empty lines': '\nlr,loss\n0.1,2.3\n\n0.2,1.9\n0.3,1.5\n\n',
    'lines of spaces': '  \nlr,loss\n0.1,2.3\n   \n0.2,1.9\n0.3,1.5\n  ',
    'commas at the ends': 'lr,loss,\n0.1,2.3,\n0.2,1.9,\n0.3,1.5,\n',
    'commas at the ends of the rows': 'lr,loss\n0.1,2.3,\n0.2,1.9,,\n0.3,1.5\n',
    'a column without a name': 'lr,loss,\n0.1,2.3,7\n0.2,1.9,\n0.3,1.5\n',
    'a spreadsheet with empty columns and rows': 'lr,loss,,\n0.1,2.3,,\n0.2,1.9,,\n0.3,1.5,,\n,,,\n,,,\n',
    'the separator in the first line': 'sep=;\r\nlr;loss\r\n0.1;2.3\r\n0.2;1.9\r\n0.3;1.5\r\n',
    'a separator that is named and rare': '"sep=:"\nlr:loss\n0.1:2.3\n0.2:1.9\n0.3:1.5\n',
    'a tab that is named': 'sep=\t\nlr\tloss\n0.1\t2.3\n0.2\t1.9\n0.3\t1.5\n',
    'decimal commas': 'lr;loss\n0,1;2,3\n0,2;1,9\n0,3;1,5\n',
    'decimal commas and tabs': 'lr\tloss\n0,1\t2,3\n0,2\t1,9\n0,3\t1,5\n',
    'decimal commas and spaces': 'lr loss\n0,1 2,3\n0,2 1,9\n3e-1 1,5e0\n',
    'decimal commas without names': '0,1;2,3\n0,2;1,9\n0,3;1,5\n',
    'decimal commas in quotes': '"lr","loss"\n"0,1","2,3"\n"0,2","1,9"\n"0,3","1,5"\n',
    'decimal commas and the separator': 'sep=;\nlr;loss\n0,1;2,3\n0,2;1,9\n,3;1,5\n',
    'decimal commas without names, between comments': '# a\n0,1;2,3\n# half\n0,2;1,9\n  \n0,3;1,5\n# done\n',
    'units': 'lr,loss\n1/s,nats\n0.1,2.3\n0.2,1.9\n0.3,1.5\n',
    'units of some': 'name,lr,loss\n7,-,[nats]\n8,0.1,2.3\n9,0.2,1.9\n9,0.3,1.5\n',
    'comments': '# a range test\n# of today\nlr,loss\n0.1,2.3\n# half\n0.2,1.9\n#,\n0.3,1.5\n# done\n',
    'names in a comment': '# lr loss\n0.1 2.3\n0.2 1.9\n0.3 1.5\n',
    'names in a comment, without a space': '#Seconds TrainingLoss LearningRate\n5 2.3 0.1\n6 1.9 0.2\n7 1.5 0.3\n',
    'names of several lines': '"a\nnote",lr,loss\n1,0.1,2.3\n2,0.2,1.9\n"3\n4",0.3,1.5\n',
    'np.savetxt': saved_by_numpy(header='lr loss'),
    'np.savetxt without names': saved_by_numpy(),
    'np.savetxt with commas': saved_by_numpy(header='lr,loss', delimiter=','),
    'np.savetxt, its header another way': saved_by_numpy(header='a range test\nlr, loss', footer='done'),
    'quotes': '"lr","loss"\n"0.1","2.3"\n"0.2","1.9"\n"0.3","1.5"\n',
    'all in quotes, separators within': '"lr";"loss";"a; note"\n"0.1";"2.3";"1;2"\n"0.2";"1.9";"x"\n"0.3";"1.5";";"\n',
    'old lines, a mark of the byte order': b'\xef\xbb\xbflr,loss\r0.1,2.3\r0.2,1.9\r0.3,1.5\r',
    'UTF-16': 'lr\tloss\r\n0.1\t2.3\r\n0.2\t1.9\r\n0.3\t1.5\r\n'.encode('utf-16'),
    'UTF-16 of the other order': b'\xfe\xff' + 'lr,loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n'.encode('utf-16-be'),
    'UTF-16 without a mark': 'lr,loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n'.encode('utf-16-le'),
    'UTF-32': 'lr,loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n'.encode('utf-32'),
    'gzip': gzip.compress(b'lr,loss\n0.1,2.3\n0.2,1.9\n0.3,1.5\n'),
    'gzip, UTF-16 and JSON': gzip.compress(json.dumps({'lr': RATES, 'loss': LOSSES}).encode('utf-16')),
}  # fmt: skip


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


@pytest.mark.parametrize(
    'name', ['step', 'steps', 'global_step', 'iter', 'Iteration', '_step', 'Step', 'trainer/global_step', 'train/global_step']
)
def test_the_iteration_is_kept_whatever_it_is_called(read, name):
    curve = read(f'{name},lr,loss,epoch\n50,0.1,2.3,0.5\n100,0.2,1.9,1\n')
    expected = pd.DataFrame({'epoch': [0.5, 1], 'iteration': [50, 100], 'lr': [0.1, 0.2], 'main/loss': [2.3, 1.9]})
    pd.testing.assert_frame_equal(curve, expected)


@pytest.mark.parametrize('other', ['_step', 'step', 'iter'])
def test_the_count_of_all_updates_goes_before_others(read, other):
    curve = read(f'{other},trainer/global_step,lr,loss\n1,49,0.1,2.3\n2,99,0.2,1.9\n')
    assert curve['iteration'].tolist() == [49, 99]


def test_missing_values_of_any_spelling(read):
    words = ['NA', 'null', 'None', 'nan', '', ' ', 'NaN', 'N/A', '#N/A', '<NA>', '-', '1.#QNAN']
    curve = read('lr,loss\n' + ''.join(f'0.1,{word}\n' for word in words) + '0.2,2.3\n')
    assert curve['main/loss'].isna().tolist() == [True] * 12 + [False]
    assert read([{'lr': 0.1, 'loss': None}, {'lr': 0.2, 'loss': 'null'}, {'lr': 0.3}])['main/loss'].isna().all()


def test_losses_that_are_no_numbers_any_more_are_kept(read):
    assert np.isnan(read('{"lr": [0.1, 0.2], "loss": [2.3, NaN]}')['main/loss'][1])
    assert read('lr,loss\n0.1,2.3\n0.2,inf\n')['main/loss'][1] == np.inf


# Rows without a rate


def test_rates_logged_in_rows_of_their_own_are_joined_with_the_losses_of_their_step(read):
    curve = read('step,epoch,lr,train_loss\n1,0,0.1,\n1,0,,2.3\n2,0,0.2,\n2,0,,1.9\n3,0,,1.5\n')
    assert curve['iteration'].tolist() == [1, 2]
    assert curve['lr'].tolist() == [0.1, 0.2]
    assert curve['main/loss'].tolist() == [2.3, 1.9]


def test_a_log_of_lightning_whose_validation_has_rows_of_its_own(read):
    # As CSVLogger and LearningRateMonitor of 2.6 write it, with log_every_n_steps=3 and ten batches an epoch.
    curve = read(
        'epoch,lr-SGD,lr-SGD-momentum,step,train_loss,val_acc,val_loss\n'
        ',0.0075,0,2,,,\n0,,,2,2.5,,\n,0.0150,0,5,,,\n0,,,5,2.25,,\n,0.0225,0,8,,,\n0,,,8,2.0,,\n'
        '0,,,9,,0.5,1.5\n'
        ',0.0300,0,11,,,\n1,,,11,nan,,\n1,,,11,,0.25,1.75\n,0.0375,0,14,,,\n'
    )
    expected = pd.DataFrame(
        {
            'epoch': [0.0, 0, 0, 1],
            'iteration': [2, 5, 8, 11],
            'lr': [0.0075, 0.015, 0.0225, 0.03],
            'main/loss': [2.5, 2.25, 2.0, np.nan],
            'validation/main/loss': [np.nan, np.nan, np.nan, 1.75],
            'validation/main/accuracy': [np.nan, np.nan, np.nan, 0.25],
        }
    )
    pd.testing.assert_frame_equal(curve, expected)


def test_rows_without_a_rate_are_dropped_where_no_count_tells_where_they_belong(read):
    assert read('lr,loss,val_loss\n0.1,2.3,\n,,9\n0.2,1.9,\n')['main/loss'].tolist() == [2.3, 1.9]
    # The step begins anew with each epoch.
    curve = read('step,lr,loss,val_loss\n1,0.1,2.3,\n2,0.2,1.9,\n2,,,9\n1,0.3,1.5,\n2,0.4,1.25,\n2,,,9\n')
    assert curve['lr'].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert curve['main/loss'].tolist() == [2.3, 1.9, 1.5, 1.25]
    assert curve['validation/main/loss'].isna().all()


def test_a_loss_that_is_no_number_any_more_keeps_its_row_among_rows_without_a_rate(read):
    curve = read('step,lr,loss,val_loss\n1,0.1,2.3,\n2,0.2,nan,\n2,,,\n3,0.3,nan,\n')
    assert curve['lr'].tolist() == [0.1, 0.2, 0.3]
    assert curve['main/loss'].isna().tolist() == [False, True, True]


def test_rows_of_several_seeds_are_joined_each_with_its_own(read):
    curve = read('seed,iteration,lr,loss,val_loss\n0,1,0.1,2.3,\n1,1,0.1,1.9,\n1,1,,,5\n0,1,,,4\n')
    assert curve['validation/main/loss'].tolist() == [4, 5]


def test_rates_and_losses_that_nothing_joins_are_refused(read):
    assert refusal(read, 'lr,loss\n0.1,\n,2.3\n') == (
        'no row has both a rate and a metric, and no iteration tells which rows belong together'
    )
    assert refusal(read, 'lr,loss\n,2.3\n,1.9\n') == "column 'lr' has no value in any row"


# Monitors of the rate


@pytest.mark.parametrize(
    'name', ['lr-SGD', 'lr-Adam/pg1', 'lr-AdamW', 'lr/pg0', 'lr_0', 'lr0', 'optimizer/lr', 'Learning_Rate/group_0', 'train/lr']
)
def test_a_monitor_names_the_rate_after_its_optimizer(read, name):
    assert read(f'{name},{name}-momentum,loss\n0.1,0.9,2.3\n')['lr'].tolist() == [0.1]


def test_groups_of_parameters_with_the_same_rates_have_one(read):
    curve = read('step,lr-Adam/pg1,lr-Adam/pg2,lr-Adam/pg1-weight_decay,loss\n1,0.1,0.1,5,2.3\n2,,,5,1.9\n3,0.2,0.2,5,1.5\n')
    assert curve['lr'].tolist() == [0.1, 0.2]


def test_groups_of_parameters_with_other_rates_are_asked_for(read):
    text = 'step,lr-Adam/pg1,lr-Adam/pg2,loss\n1,0.1,0.01,2.3\n2,0.2,0.02,1.9\n'
    assert refusal(read, text) == (
        "the columns 'lr-Adam/pg1' and 'lr-Adam/pg2' differ, and both may be 'lr'; say which it is: "
        "columns={'lr': 'lr-Adam/pg1'}, on the command line --columns lr=lr-Adam/pg1"
    )
    assert read(text, columns={'lr': 'lr-Adam/pg2'})['lr'].tolist() == [0.01, 0.02]


def test_the_export_of_a_chart_of_weights_and_biases(read):
    curve = read('"Step","run 1 - lr","run 1 - lr__MIN","run 1 - loss","run 1 - loss__MAX"\n"50","0.1","0","2.3","3"\n')
    assert curve.to_dict('list') == {'iteration': [50], 'lr': [0.1], 'main/loss': [2.3]}
    assert refusal(read, '"lr","run 1 - loss","run 2 - loss"\n"0.1","2.3","2.4"\n') == (
        "the columns 'run 1 - loss' and 'run 2 - loss' differ, and both may be 'main/loss'; say which it is: "
        "columns={'loss': 'run 1 - loss'}, on the command line --columns loss='run 1 - loss'"
    )


# Lightning's lr_find


def lightning_rates(count, low, high, mode):
    """The rates of Lightning's ramp, which leaves out its second."""
    shares = [step / count for step in (0, *range(2, count + 1))]
    return [low * (high / low) ** share if mode == 'exponential' else low + share * (high - low) for share in shares]


def running_means(losses, ahead):
    """The running means of ``losses`` as Lightning takes them, whose count of steps is ``ahead``."""
    mean, found, count = 0.0, [], 0
    for step, loss in enumerate(losses, start=1):
        if loss is None:  # a step without a loss
            found.append(float('nan'))
            continue
        count = step if ahead else count + 1
        mean = 0.98 * mean + 0.02 * loss
        found.append(mean / (1 - 0.98 ** (count + ahead)))
    return found


NOISY = (2.3 + 0.1 * np.random.RandomState(0).randn(100) - np.linspace(0, 1, 100) ** 4).tolist()


@pytest.mark.parametrize('mode', ['exponential', 'linear'])
@pytest.mark.parametrize('losses', [NOISY, [*NOISY[:20], None, None, *NOISY[22:50], None, *NOISY[51:]]], ids=['all', 'gaps'])
def test_the_losses_of_lightnings_lr_find_are_put_right(read, mode, losses):
    rates = lightning_rates(100, 1e-8, 1.0, mode)
    recorded = running_means(losses, ahead=1)
    assert recorded[0] == pytest.approx(losses[0] / 1.98)
    expected = pd.DataFrame({'lr': rates, 'main/loss': running_means(losses, ahead=0)})
    results = {'lr': rates, 'loss': recorded}
    pd.testing.assert_frame_equal(read(results), expected, rtol=1e-12)
    pd.testing.assert_frame_equal(read(pd.DataFrame(results).to_csv()), expected, rtol=1e-12)
    rounded = pd.DataFrame(results).to_csv(index=False, float_format='%.5g')
    pd.testing.assert_frame_equal(read(rounded), expected, rtol=1e-4)


def test_what_lightning_itself_recorded(read):
    # Tuner.lr_find(num_training=12) of 2.6.6 on a model whose losses are 2.0, 2.1, 2.0, 2.1, ...
    rates = lightning_rates(12, 1e-8, 1.0, 'exponential')
    recorded = [1.010101010101009, 1.3807645218337634, 1.5402958373780646, 1.6568047475231351, 1.7169313085138658,
                1.7750272691523734, 1.8051769994323121, 1.840643950655969, 1.8580668440631902, 1.8823489533510438,
                1.8932788359401604, 1.911178507115877]  # fmt: skip
    curve = read({'lr': rates, 'loss': recorded})
    assert curve['main/loss'].tolist() == pytest.approx(running_means([2.0, 2.1] * 6, ahead=0), rel=1e-12)


def test_a_curve_in_memory_is_put_right_once(tmp_path):
    results = pd.DataFrame({'lr': lightning_rates(100, 1e-8, 1.0, 'linear'), 'loss': running_means(NOISY, ahead=1)})
    once = lrfinder.analysis.curve.check_curve(results)
    assert once['main/loss'][0] == pytest.approx(NOISY[0])
    once['main/loss'] = results['loss']  # Chainer's name, and no log of Lightning's
    pd.testing.assert_frame_equal(lrfinder.analysis.curve.check_curve(once), once)


RATES_OF_LIGHTNING = lightning_rates(100, 1e-8, 1.0, 'exponential')
SOUND = {
    'an earlier Lightning, whose count is right': (RATES_OF_LIGHTNING, running_means(NOISY, ahead=0)),
    'single losses on the same ramp': (RATES_OF_LIGHTNING, NOISY),
    'a mean that starts from the first loss (torch-lr-finder)': (
        RATES_OF_LIGHTNING,
        pd.Series(NOISY).ewm(alpha=0.05, adjust=False).mean().tolist(),
    ),
    'a loss that rises from a half to all of it on a whole ramp': (
        np.geomspace(1e-8, 1.0, 100).tolist(),
        running_means(NOISY, ahead=1),
    ),
    'losses that vary too much to tell': (
        RATES_OF_LIGHTNING,
        running_means((2.3 * np.exp(np.random.RandomState(0).randn(100))).tolist(), ahead=1),
    ),
    'losses that are all zero': (RATES_OF_LIGHTNING, [0.0] * 100),
    'losses of which the first is none': (RATES_OF_LIGHTNING, running_means([None, *NOISY[1:]], ahead=1)),
    'too few rows to tell': (RATES_OF_LIGHTNING[:10], running_means(NOISY, ahead=1)[:10]),
}


@pytest.mark.parametrize('case', SOUND)
def test_a_curve_that_is_not_surely_lightnings_stays_as_it_is(read, case):
    rates, losses = SOUND[case]
    assert read({'lr': rates, 'loss': losses})['main/loss'].tolist() == pytest.approx(losses, nan_ok=True, rel=0, abs=0)


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


def test_both_columns_that_are_missing_are_named_at_once(read):
    assert refusal(read, 'eta,objective\n0.1,2.3\n', columns={'lr': 'eto', 'loss': 'objectiv'}) == (
        "there is no column 'eto': did you mean eta?; there is no column 'objectiv': did you mean objective?"
    )


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
    assert refusal(read, 'eta,cost\n0.1,2.3\n') == (
        "no column 'lr', and no column 'main/loss' or other metric (columns: eta, cost); say which they are: "
        "columns={'lr': NAME, 'loss': NAME}, on the command line --columns lr=NAME loss=NAME"
    )


@pytest.mark.parametrize(
    ('names', 'columns'),
    [
        ('learnrate,los', "columns={'lr': 'learnrate', 'loss': 'los'}, on the command line --columns lr=learnrate loss=los"),
        ('my lr,a loss', "columns={'lr': 'my lr', 'loss': 'a loss'}, on the command line --columns lr='my lr' loss='a loss'"),
        ('rate,main/loss', "columns={'lr': 'rate'}, on the command line --columns lr=rate"),
        ('lr,total_loss', "columns={'loss': 'total_loss'}, on the command line --columns loss=total_loss"),
        ('\x1b[31mrate,los' + 's' * 99, "columns={'lr': NAME, 'loss': NAME}, on the command line --columns lr=NAME loss=NAME"),
        ('lr!loss', "columns={'lr': NAME, 'loss': NAME}, on the command line --columns lr=NAME loss=NAME"),
    ],
)  # fmt: skip
def test_what_is_like_a_column_that_is_missing_is_proposed(read, names, columns):
    assert refusal(read, f'{names}\n1,2\n').endswith(columns)


SHOWN = {
    'a name that colours the terminal': ('\x1b[31mred,b\n1,2\n', '(columns: \\x1b[31mred, b)'),
    'a name that turns the writing': ('\u202eevil,b\n1,2\n', '(columns: \\u202eevil, b)'),
    'a name of two lines': ('"a\n\x07",b\n1,2\n', '(columns: a\\n\\x07, b)'),
    'half a character': ('[{"\\ud800": 1, "b": 2}]', '(columns: \\ud800, b)'),
    'a name that does not end': ('x' * 100_000 + ',b\n1,2\n', f'(columns: {"x" * 40}..., b)'),
    'a cell that colours the terminal': ('lr,loss\n0.1,\x1b[31m\n', "'\\x1b[31m' is no number"),
}


@pytest.mark.parametrize('case', SHOWN)
def test_what_the_file_holds_is_shown_harmlessly(read, case):
    content, shown = SHOWN[case]
    message = refusal(read, content)
    assert shown in message and message.isprintable() and len(message) < 400


def test_the_name_of_the_file_is_shown_harmlessly(tmp_path):
    path = tmp_path / 'a\x1b[31m\ncurve'
    path.write_text('a,b\n')
    with pytest.raises(ValueError) as caught:
        lrfinder.read_curve(path)
    assert 'a\\x1b[31m\\ncurve: not a curve: ' in str(caught.value) and str(caught.value).isprintable()


BINARY = {
    'npz': (b'PK\x03\x04' + bytes(26) + b'lr.npy', 'an archive of NumPy arrays (npz)'),
    'npy': (b'\x93NUMPY\x01\0', 'a NumPy array (npy)'),
    'a pickle': (b'\x80\x04\x95', 'a pickle or a PyTorch checkpoint, which is never opened, as it may run any code'),
    'a checkpoint': (b'PK\x03\x04' + bytes(26) + b'archive/data.pkl', 'a PyTorch checkpoint, which is never opened'),
    'xlsx': (b'PK\x03\x04' + bytes(26) + b'[Content_Types].xml', 'a spreadsheet; save it as CSV'),
    'xls': (b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'a spreadsheet; save it as CSV'),
    'ods': (b'PK\x03\x04' + bytes(26) + b'mimetypeapplication/vnd.oasis.opendocument', 'a spreadsheet; save it as CSV'),
    'zip': (b'PK\x03\x04' + bytes(26) + b'log.csv', 'a zip archive; unpack it first'),
    'tfevents': (b'\x18' + bytes(11) + b'\x09' + bytes(8) + b'\x1a\x0dbrain.Event:2', "a file of TensorBoard's events; write"),
    'parquet': (b'PAR1\x15\x04', "a Parquet file; turn it: pandas.read_parquet(file).to_csv('curve.csv')"),
    'feather': (b'ARROW1\0\0', "a Feather file; turn it: pandas.read_feather(file).to_csv('curve.csv')"),
    'HDF5': (b'\x89HDF\r\n\x1a\n', 'an HDF5 file'),
    'MATLAB': (b'MATLAB 5.0 MAT-file, Platform: GLNXA64', 'a MATLAB file'),
    'SQLite': (b'SQLite format 3\0', 'a database (SQLite)'),
    'W&B': (b':W&B\0\0\0', 'a log of Weights & Biases; export the run'),
    'PNG': (b'\x89PNG\r\n\x1a\n', 'a picture; the numbers behind it are needed, as CSV or JSON'),
    'JPEG': (b'\xff\xd8\xff\xe0', 'a picture; the numbers behind it are needed, as CSV or JSON'),
    'PDF': (b'%PDF-1.4\n', 'a PDF file; the numbers behind it are needed, as CSV or JSON'),
    'HTML': (b'\n<!DOCTYPE html><html>', 'a web page or XML; the numbers behind it are needed, as CSV or JSON'),
    'xz': (b'\xfd7zXZ\0', 'a compressed file; unpack it first; only gzip is read as it is'),
    'a pickle in gzip': (gzip.compress(b'\x80\x04\x95'), 'a pickle'),
    'anything else': (b'\x7fELF\x02\0\0', 'no text, but binary data; a curve is CSV or JSON'),
}  # fmt: skip


@pytest.mark.parametrize('kind', BINARY)
def test_a_binary_file_is_named_for_what_it_is(read, kind):
    content, what = BINARY[kind]
    assert refusal(read, content).startswith(f'it is {what}')


def test_files_that_others_write_are_known(read, tmp_path):
    np.savez(tmp_path / 'a.npz', lr=RATES)
    np.save(tmp_path / 'a.npy', RATES)
    TABLE.to_pickle(tmp_path / 'a.pickle')
    assert 'NumPy arrays' in refusal(read, (tmp_path / 'a.npz').read_bytes())
    assert 'NumPy array' in refusal(read, (tmp_path / 'a.npy').read_bytes())
    assert 'a pickle' in refusal(read, (tmp_path / 'a.pickle').read_bytes())


def test_a_name_may_be_like_the_beginning_of_another_kind_of_file(read):
    for name in ('PAR1', 'ARROW1', 'BZh', 'Rar!', 'MATLAB results', 'BM', '%PDF'):
        assert read(f'{name},lr,loss\n1,0.1,2.3\n')['lr'].tolist() == [0.1]


def test_a_damaged_gzip_file_is_refused(read):
    whole = gzip.compress(CSV['names'].encode() * 100)
    assert refusal(read, whole[:40]).startswith('the gzip file is damaged: ')
    assert refusal(read, whole[:20] + b'x' * 20).startswith('the gzip file is damaged: ')
    assert refusal(read, whole[:-8] + bytes(8)).startswith('the gzip file is damaged: ')


ONE_SCALAR = (
    'it holds one scalar, as TensorBoard exports it, and no curve: join the export of the rate and that of the loss on their '
    'steps, into one file with the columns step, lr and loss'
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
        ('Wall time,Step,Value\n1700000000.5,1,2.3\n', ONE_SCALAR),
        ([[1700000000.5, 1, 2.3]], ONE_SCALAR),
        (
            'step,tag,value\n1,lr,0.1\n1,loss,2.3\n',
            "each row holds one value, and 'tag' says of what: turn it with "
            "table.pivot(index='step', columns='tag', values='value').reset_index()",
        ),
        ('lr,loss\n0.1,tensor(2.3)\n', "column 'main/loss', row 1: 'tensor(2.3)' is no number"),
        ({'lr': RATES, 'loss': [2.3]}, "its lists are not equally long ('lr' 3, 'loss' 1)"),
        ({'lr': RATES, 'loss': [*LOSSES, 1]}, "its lists are not equally long ('lr' 3, 'loss' 4)"),
        ({'lr': RATES, 'loss': LOSSES, 'val_acc': [1]}, "its lists are not equally long ('lr' 3, 'loss' 3, 'val_acc' 1)"),
        ('lr,loss\nfast,low\n', "column 'lr', row 1: 'fast' is no number"),
        ('lr,loss\n1/s,nats\n0.1,2.3\n0.2,x\n', "column 'main/loss', row 2: 'x' is no number"),
        ('lr;loss\n0,1;2.3\n', "column 'main/loss', row 1: '2.3' is no number with a decimal comma"),
        ('iteration;lr;loss\n1,000;0.1;2.3\n', "column 'lr', row 1: '0.1' is no number with a decimal comma"),
        (
            '# eta cost\n0.1 2.3\n',
            "no column 'lr', and no column 'main/loss' or other metric (columns: eta, cost); say which they "
            "are: columns={'lr': NAME, 'loss': NAME}, on the command line --columns lr=NAME loss=NAME",
        ),
        (
            '{"lr": 1, "loss": 2}\n{"lr": 1, "lo',
            'broken JSON in line 2: Unterminated string starting at: line 1 column 11 (char 10)',
        ),
        ({'columns': ['lr', 'loss'], 'data': [[1, 2], [3]]}, 'row 2 has 1 cells, but there are 2 columns'),
        ([[1, 2, 3]], 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'),
        ([], 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'),
        (
            {'lr': 0.1, 'loss': 2.3},
            'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected',
        ),
        ([{'lr': 0.1}, 2], 'a list of log entries, an object of lists, or a list of pairs of rate and loss is expected'),
        (
            "{'lr': [0.1], 'loss': [2.3]}",
            'broken JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); it is as Python prints '
            'it: write it with json.dump instead',
        ),
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
