"""What the measuring commands ask for, of lrfinder and of the command line."""

import math
import sys

import clr  # noqa: F401  makes Chainer importable

import pandas as pd
import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

import lrfinder
from benchmarks import long, measuring, ours
from benchmarks.task import Outcome
from benchmarks.tasks import BY_NAME, TASKS
from lrfinder import NoRangeError, Suggestion

NAME = 'iris-linear-adagrad'


@pytest.fixture
def asked(monkeypatch):
    """What `lrfinder.find` was asked; it answers at once."""
    questions = []

    def find(updater, **wishes):
        questions.append(wishes)
        suggestion = Suggestion('lr', (0.1, 0.4), 90, updates=555, spread={'max': (0.3, 0.5)})
        return lrfinder.Result(None, suggestion, {})

    monkeypatch.setattr(lrfinder, 'find', find)
    return questions


def test_a_budget_and_a_length_are_passed_on_only_where_they_are_given(asked):
    assert measuring.suggested(NAME, 0)[:5] == (0.1, 0.4, 555, 0.3, 0.5)
    measuring.suggested(NAME, 0, validated=False, budget=1600, length=(6000, 'iteration'))
    assert set(asked[0]) == {'evaluator', 'quiet'}
    assert asked[1] == {'budget': 1600, 'length': (6000, 'iteration'), 'quiet': True}


def test_what_an_answer_does_not_tell_is_not_known(asked):
    answer = measuring.suggested(NAME, 0)
    assert all(math.isnan(value) for value in (answer.band_low, answer.band_high, answer.diverges))


def test_a_refusal_has_no_range_and_no_cost(monkeypatch):
    def refuse(*_, **__):
        raise NoRangeError('nothing')

    monkeypatch.setattr(lrfinder, 'find', refuse)
    assert measuring.suggested(NAME, 0)[:3] == (0, 0, 0)


def test_tasks_are_named_singly_or_by_their_group(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['x', '--tasks', f'fresh,{NAME}', '--budget', '600,1600'])
    args = measuring.options('', budget=True)
    assert {task.name for task in args.tasks} == {NAME, *(task.name for task in TASKS if task.group == 'fresh')}
    assert args.budget == [600, 1600]


def test_a_task_that_there_is_not_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['x', '--tasks', 'nothing'])
    with pytest.raises(SystemExit):
        measuring.options('')
    assert 'no such task or group: nothing' in capsys.readouterr().err


def test_both_ends_of_a_band_are_tried_from_three_seeds(monkeypatch):
    rows = pd.DataFrame(
        {
            'task': NAME,
            'seed': [0, 1, 4],
            'min': 0.1,
            'max': 0.4,
            'band_low': [0.2, math.nan, 0.2],
            'band_high': [0.8, math.nan, 0.8],
        }
    )
    tried = []

    def trained(rows, jobs):
        tried.append(rows[['seed', 'min', 'max']].values.tolist())
        return [(7.0, 0)] * len(rows)

    monkeypatch.setattr(ours, 'trained', trained)
    errors = ours.at_the_ends(rows, 1)
    assert tried == [[[0, pytest.approx(0.05), 0.2]], [[0, pytest.approx(0.2), 0.8]]]
    assert errors.fillna(-1).values.tolist() == [[7.0, 7.0], [-1, -1], [-1, -1]]


def test_a_long_training_has_the_cycles_that_lrfinder_plans():
    setup = BY_NAME['diabetes-mlp-adam'].build(0)
    suggestion = lrfinder.find(setup.updater, length=long.LENGTH, quiet=True).suggestion
    plan = long.planned(BY_NAME['diabetes-mlp-adam'], 0)
    assert (plan.step_size, long.POLICY) == (suggestion.step_size, suggestion.policy)
    assert plan.iterations == 2 * plan.cycles * plan.step_size
    assert plan.cycles >= 3
    assert 5900 <= plan.iterations <= 6000


def test_sixteen_long_tasks_of_all_kinds():
    tasks = [BY_NAME[name] for name in long.NAMES]
    assert len({task.name for task in tasks}) == 16
    assert {task.name for task in tasks} > {task.name for task in TASKS if task.group == 'long'}
    assert {task.kind for task in tasks} >= {'classification', 'regression'}
    assert {type(task.optimizer()).__name__ for task in tasks} >= {
        'SGD',
        'MomentumSGD',
        'NesterovAG',
        'Adam',
        'AdamW',
        'RMSprop',
        'AdaGrad',
    }


def test_the_second_seed_trains_in_ranges_in_reach_of_the_best_alone(monkeypatch):
    errors = {0: [50.0] * 12 + [4.0, 7.0, 9.0, 90.0], 1: [5.0, 6.0]}
    monkeypatch.setattr(
        long, 'train_together', lambda task, ranges, seed, *_: [Outcome(error, False) for error in errors[seed]]
    )
    rows = long.searched(BY_NAME[NAME], 1)
    assert rows.error.tolist() == [*errors[0], *errors[1]]
    assert rows[rows.seed == 1]['max'].tolist() == rows[rows.seed == 0]['max'].tolist()[12:14]
