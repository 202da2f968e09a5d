"""What is inserted into Chainer's examples, what of a training is compared, and how the table puts it."""

import math
import random

import clr  # noqa: F401  makes Chainer importable

import chainer
import chainer.links as L
import numpy as np
import pandas as pd
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import example_data, examples, tables
from benchmarks.example_run import RangeTest, Specification, inserted, state_of
from benchmarks.example_scripts import EXAMPLES, NOT_RUN

# Insertions

SCRIPT = """\
def main():
    process.run()
    teacher = training.Trainer(updater, (3, 'epoch'))
    if fast:
        teacher.run(
            show_loop_exception_msg=False)
    else:
        teacher.run()
"""

WITH_LINES = """\
def main():
    process.run()
    teacher = training.Trainer(updater, (3, 'epoch'))
    if fast:
        range_test.before(teacher)
        teacher.run(
            show_loop_exception_msg=False)
    else:
        range_test.before(teacher)
        teacher.run()"""

LOOP = """\
while waiting:
    pass
while train_iter.epoch < args.epoch:
    # a step
    step(train_iter.next())
    if done:
        break
"""

LOOP_WITH_LINES = """\
while waiting:
    pass
range_test.begin(make(), lambda: {'loss': loss})
while train_iter.epoch < args.epoch:
    # a step
    if range_test.done(): break
    step(train_iter.next())
    if done:
        break"""


def test_a_line_goes_before_each_run_of_a_trainer_and_no_other():
    assert inserted(SCRIPT) == WITH_LINES


def test_two_lines_go_around_a_loop_over_epochs_and_no_other():
    assert inserted(LOOP, 'make()', "{'loss': loss}") == LOOP_WITH_LINES


@pytest.mark.parametrize(
    ('script', 'loop', 'message'),
    [
        ('process.run()', '', 'the script runs no trainer'),
        ('trainer = Trainer()', 'make()', 'the script has no loop over epochs'),
    ],
)
def test_a_script_without_an_anchor_is_refused(script, loop, message):
    with pytest.raises(ValueError, match=message):
        inserted(script, loop)


# What the inserted lines do


@pytest.fixture
def updater():
    np.random.seed(0)
    random.seed(0)
    x = np.random.normal(size=(60, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int32)
    iterator = chainer.iterators.SerialIterator(chainer.datasets.TupleDataset(x, y), 10)
    optimizer = chainer.optimizers.MomentumSGD(0.02).setup(L.Classifier(L.Linear(4, 2)))
    return chainer.training.updaters.StandardUpdater(iterator, optimizer)


CHANGES = {
    'a weight': lambda updater: np.add.at(updater.get_optimizer('main').target.predictor.W.array, (0, 0), 1e-6),
    'the rate': lambda updater: setattr(updater.get_optimizer('main'), 'lr', 0.021),
    'the place in the data': lambda updater: updater.get_iterator('main').next(),
    "NumPy's generator": lambda updater: np.random.random(),
    "Python's generator": lambda updater: random.random(),
}


@pytest.mark.parametrize('change', CHANGES.values(), ids=CHANGES)
def test_the_digest_tells_a_change(updater, change):
    before = state_of(updater)
    assert state_of(updater) == before
    change(updater)
    assert state_of(updater) != before


PLAN = {'attr': 'lr', 'value_range': [0.1, 0.3], 'step_size': 2, 'policy': 'triangular', 'proportional': False}


def test_a_trainer_trains_for_the_budget_in_the_planned_range(updater, tmp_path):
    rates = []
    trainer = chainer.training.Trainer(updater, (9, 'epoch'), out=tmp_path)
    shift = chainer.training.extensions.ExponentialShift('lr', 0.5)
    trainer.extend(shift)
    trainer.extend(lambda trainer: rates.append(updater.get_optimizer('main').lr), 'rates', (1, 'iteration'), priority=400)
    range_test = RangeTest(Specification('', '', seed=0, updates=5, plan=PLAN))
    range_test.before(trainer)
    trainer.run()
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.2, 0.1])
    assert range_test.record['own_rate'] == 0.02
    assert 0 < range_test.record['scores']['training loss'] < 1


def test_a_loop_takes_as_many_steps_as_the_budget_at_the_planned_rates(updater):
    range_test = RangeTest(Specification('', '', seed=0, updates=3, plan=PLAN))
    range_test.begin(updater, lambda: {'validation error': 0.25})
    rates = []
    while not range_test.done():
        rates.append(updater.get_optimizer('main').lr)
    assert rates == pytest.approx([0.1, 0.2, 0.3])
    assert range_test.record['scores'] == {'validation error': 0.25}


def test_asking_for_a_range_changes_nothing_and_is_told(updater, tmp_path):
    before = state_of(updater)
    trainer = chainer.training.Trainer(updater, (9, 'epoch'), out=tmp_path)
    range_test = RangeTest(Specification('', '', seed=0, updates=5, finds=True))
    range_test.before(trainer)
    low, high = range_test.record['plan']['value_range']
    assert range_test.record['unchanged'] and state_of(updater) == before
    assert 0 < low < high
    assert 100 < range_test.record['updates'] <= 600


def test_a_refusal_is_told_and_the_training_goes_on_at_its_own_rate(updater, tmp_path):
    updater.get_optimizer('main').target.disable_update()  # so that nothing can be learned
    trainer = chainer.training.Trainer(updater, (9, 'epoch'), out=tmp_path)
    range_test = RangeTest(Specification('', '', seed=0, updates=5, finds=True))
    range_test.before(trainer)
    trainer.run()
    assert 'no trial cycle made the model better' in range_test.record['refused']
    assert range_test.record['unchanged']
    assert updater.iteration == 5
    assert updater.get_optimizer('main').lr == 0.02


# Stand-ins


@pytest.mark.parametrize('line', list(example_data._reviews(np.random.RandomState(1), 3)))
def test_a_review_has_a_label_and_ten_words_that_tell_it(line):
    label, *words = line.split()
    assert len(words) == 10
    assert {word.rstrip('0123456789') for word in words} == {'good' if label == '1' else 'bad', 'word'}


def test_in_a_story_each_answer_follows_from_the_sentence_it_names():
    story = list(example_data._story(np.random.RandomState(0), ('Mary', 'John'), ('garden', 'office')))
    assert [line.split()[0] for line in story] == ['1', '2', '3', '4', '5', '6']
    for line in (story[2], story[5]):
        question, answer, fact = line.split('\t')
        assert story[int(fact) - 1] == f'{fact} {question.split()[3].strip("?")} went to the {answer}.'


def test_a_tree_is_labelled_by_the_moods_of_its_words():
    tree, mood = example_data._tree(np.random.RandomState(0), 5)
    numbers = [int(part.strip(')')[1:]) for part in tree.split() if part.startswith('w')]
    assert len(numbers) == 5
    assert mood == sum(number % 3 - 1 for number in numbers)
    assert tree.startswith(f'({2 + max(-2, min(2, mood))} ')


# The table


@pytest.mark.parametrize(
    ('under', 'own', 'expected'),
    [
        ([0.2, 0.2, 0.2], [0.2, 0.2, 0.2], 'level'),
        ([0.2, 0.2, 0.2], [0.3, 0.3, 0.3], 'better'),
        ([0.3, 0.3, 0.3], [0.1, 0.2, 0.3], 'level'),
        ([0.5, 0.4, 0.4], [0.1, 0.2, 0.3], 'worse'),
        ([math.inf, 0.2, 0.2], [0.1, 0.2, 0.3], 'worse'),
        ([0.2, 0.2, 0.2], [math.inf, 0.2, 0.3], 'better'),
        ([math.inf, 0.2, 0.2], [math.inf, 0.2, 0.3], 'level'),
    ],
)
def test_the_verdict(under, own, expected):
    assert examples.verdict(under, own) == expected


def test_a_row_has_what_the_range_test_said():
    record = {'own_rate': 0.1, 'updates': 600, 'seconds': 2.34, 'unchanged': True, 'plan': {'value_range': [0.1, 0.4]}}
    row = examples._answer([record, {'unchanged': False}])
    assert (row['answer'], row['min'], row['max'], row['seconds'], row['unchanged']) == ('range', 0.1, 0.4, 2.3, False)
    assert examples._answer([{'refused': 'no loss', 'unchanged': True}])['answer'] == 'refused: no loss'
    assert examples._answer([record, {'error': 'ValueError: 1'}])['answer'] == 'failed: ValueError: 1'


@pytest.mark.parametrize(
    ('replays', 'expected'),
    [(['a'], True), (['b', 'b'], False), (['b', 'c'], True)],
    ids=['goes on as without', 'goes on otherwise', 'is another each time'],
)
def test_a_training_is_compared_with_one_without_the_range_test(replays, expected):
    records = iter([[{'digest': digest}] for digest in replays])
    assert examples._goes_on([{'digest': 'a'}], lambda: next(records)) is expected
    assert next(records, None) is None


def test_trainings_are_compared_by_what_all_report():
    def runs(*losses):
        return [[{'scores': {'validation loss': loss, 'training loss': 1.0}}] for loss in losses]

    row = examples._scores(own=runs(3.0, 3.1, 3.2), under=runs(2.0, 2.1, math.nan))
    assert (row['score'], row['own2'], row['clr0'], row['clr2'], row['verdict']) == (
        'validation loss',
        3.2,
        2.0,
        math.inf,
        'worse',
    )
    silent = [[{'scores': {}}]] * 3
    assert examples._scores(own=runs(1.0, 1.0, 1.0), under=silent) == {'score': '', 'verdict': 'not compared'}


def test_the_table_has_a_line_an_example_and_a_summary():
    row = {'task': EXAMPLES[0].name, 'answer': 'range', 'min': 0.01, 'max': 0.04, 'own': 0.001, 'score': 'validation error'}
    row |= {f'own{seed}': 0.1 for seed in range(3)} | {f'clr{seed}': 0.05 for seed in range(3)}
    row |= {'verdict': 'better', 'updates': 585, 'seconds': 1.1, 'unchanged': True}
    lines = list(examples.report(pd.DataFrame([row])))
    assert lines[2] == (
        f'| {EXAMPLES[0].name} | 0.01 to 0.04 | 0.001 | validation error | 0.1 (0.1 to 0.1) | 0.05 (0.05 to 0.05) '
        '| better | 585 | 1 | yes |'
    )
    assert lines[4] == (
        'Of 1 that ran, 1 got a range, 0 were refused and 0 failed; 1 were left as they were. '
        'Under CLR, 1 were better, 0 were level, 0 were worse, 0 were not compared.'
    )
    assert f'| {EXAMPLES[1].name} | not measured yet: takes minutes |' in lines
    assert f'| {next(iter(NOT_RUN))} | {next(iter(NOT_RUN.values()))} |' in lines


def test_every_example_is_in_the_table_or_is_said_not_to_run():
    names = [example.name for example in EXAMPLES]
    assert len(set(names)) == len(names)
    assert set(tables.read(examples.TABLE).task) == set(names)
    assert not {example.script for example in EXAMPLES} & set(NOT_RUN)
