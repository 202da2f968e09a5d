"""The schedule by trial, on trainings whose outcome is known, and on real ones."""

import math

import clr  # noqa: F401  makes Chainer importable
import lrfinder
from lrfinder import Suggestion
from lrfinder.analysis.cycles import plan
from lrfinder.analysis.metrics import LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.cli.build import Builder
from lrfinder.cli.options import Options

import chainer
import pytest

optuna = pytest.importorskip('optuna')
trials = pytest.importorskip('lrfinder.tuning.trials')
tuner = pytest.importorskip('lrfinder.tuning.tuner')

BASE = Suggestion('lr', (0.1, 0.4), step_size=10, policy='triangular2', iterations_per_epoch=10, updates=600)
EPOCHS = 12


class Told:
    """Trainings that end as they are told, and are validated after each of their epochs."""

    def __init__(self, ends, noise=lambda seed: 0.0, break_at=None):
        self.made = []
        self._ends, self._noise, self._break_at = ends, noise, break_at

    def __call__(self, training, watch):
        if len(self.made) == self._break_at:
            self._break_at = None
            raise KeyboardInterrupt
        self.made.append(training)
        end = self._ends(training.suggestion) + self._noise(training.seed)
        entry = {}
        for iteration in (*range(10, training.iterations, 10), training.iterations):
            entry = {VALIDATION_ACCURACY: end * iteration / training.iterations, LOSS: None if math.isnan(end) else 0.1}
            if watch(iteration, entry):
                break
        return entry


def made(train, count=8, study=None, own=True, seeds=3, metric=VALIDATION_ACCURACY):
    task = tuner.task_of(BASE, plan(10, (EPOCHS, 'epoch')), {metric: 0.1}, count, 0, train, own)
    study = study or trials.new_study(task)
    return tuner.tuned_by(study, task, tuner.search(study, task, seeds))


def test_the_first_trials_are_the_plan_without_tuning_a_fixed_rate_in_the_middle_and_two_that_often_do_well():
    tuned = made(Told(lambda _: 0.5), count=4)
    assert tuned.trials['policy'].tolist() == ['triangular2', 'fixed', 'cosine', 'wsd']
    assert tuned.trials['cycles'].tolist()[::2] == [3, 1]
    assert tuned.trials['max'].tolist() == pytest.approx([0.4, 0.2, 0.4, 0.4])


def test_a_plan_of_more_cycles_than_are_tried_otherwise_is_tried_all_the_same(recwarn):
    train = Told(lambda _: 0.5)
    task = tuner.task_of(BASE, plan(10, (400, 'epoch')), {VALIDATION_ACCURACY: 0.1}, 2, 0, train, True)
    tuner.search(trials.new_study(task), task, 1)
    assert task.cycles.cycles == 20
    assert train.made[0].iterations == 4000
    assert not recwarn.list


def test_a_schedule_that_is_better_from_each_seed_is_the_answer():
    tuned = made(Told(lambda found: 0.9 if found.value_range[0] == found.value_range[1] else 0.8, lambda seed: 0.01 * seed))
    assert tuned.suggestion.value_range == pytest.approx((0.2, 0.2))
    assert tuned.difference.shows == 1
    assert tuned.suggestion.reasons['tuned'].startswith('fixed: 10 +- ')
    assert 'better than the plan without tuning, by 3 seeds; cost ' in tuned.suggestion.reasons['tuned']


def test_a_schedule_that_is_better_by_luck_is_not():
    train = lambda training, watch: Told(lambda f: 0.95 if training.name == 'trial_1' else 0.8)(training, watch)  # noqa: E731
    tuned = made(train)
    assert tuned.best == 1
    assert (tuned.chosen, tuned.suggestion.policy, tuned.suggestion.value_range) == (0, 'triangular2', (0.1, 0.4))
    assert 'shows no difference to it that 3 seeds can tell (0 +- 0 points)' in tuned.suggestion.reasons['tuned']


def test_where_nothing_is_better_nothing_is_trained_again():
    train = Told(lambda found: 0.9 if found.policy == 'triangular2' and found.value_range == (0.1, 0.4) else 0.8)
    tuned = made(train, count=4)
    assert len(train.made) == 4
    assert tuned.difference is None
    assert tuned.suggestion.reasons['tuned'] == 'no schedule ended better than the plan without tuning; cost 480 updates'


def test_the_winner_is_judged_by_other_seeds_than_it_was_chosen_by():
    train = Told(lambda found: 0.9 if found.value_range[0] == found.value_range[1] else 0.8)
    made(train, count=2)
    assert [(training.seed, training.suggestion.value_range[1]) for training in train.made[2:]] == [
        (seed, pytest.approx(high)) for seed in (1, 2, 3) for high in (0.4, 0.2)
    ]


def test_the_cost_is_that_of_the_range_and_of_all_trainings():
    train = Told(lambda found: 0.9 if found.value_range[0] == found.value_range[1] else 0.8)
    tuned = made(train, count=2)
    assert tuned.suggestion.updates == 600 + 8 * 120


def test_a_training_that_diverges_is_ended_and_never_wins():
    train = Told(lambda found: math.nan if found.value_range[0] == found.value_range[1] else 0.8)
    tuned = made(train, count=4)
    row = tuned.trials.iloc[1]
    assert (row['state'], row['updates'], tuned.best) == ('diverged', 10, 0)


def test_where_the_plan_without_tuning_diverges_what_does_not_is_better():
    train = Told(lambda found: math.nan if found.policy == 'triangular2' else 0.5)
    tuned = made(train, count=2)
    assert tuned.chosen == 1
    assert tuned.suggestion.reasons['tuned'].startswith(
        'fixed diverged from 0 of 3 seeds, the plan without tuning from 3; cost'
    )


def test_the_worst_are_stopped_in_their_last_third_but_never_the_plan_without_tuning():
    ends = iter([0.1, 0.9, 0.9, 0.9, *[0.2] * 8])
    train = lambda training, watch: Told(lambda _: next(ends, 0.2))(training, watch)  # noqa: E731
    table = made(train, count=12).trials
    assert table['state'].tolist()[:4] == ['finished'] * 4
    stopped = table[table['state'] == 'stopped early']
    assert len(stopped)
    assert (stopped['updates'] >= 80).all()


def test_a_loss_is_minimized():
    def train(training, watch):
        entry = {VALIDATION_LOSS: 0.5 if training.suggestion.value_range[0] == training.suggestion.value_range[1] else 0.9}
        watch(training.iterations, entry)
        return entry

    assert made(train, count=3, metric=VALIDATION_LOSS).best == 1


def test_no_schedule_is_trained_twice_from_a_seed():
    train = Told(lambda _: 0.5)
    made(train, count=40)
    schedules = [(t.seed, t.suggestion.policy, t.suggestion.step_size, t.suggestion.value_range) for t in train.made]
    assert len(schedules) == len(set(schedules)) == 40


@pytest.mark.parametrize('at', [0, 1, 4, 9, 12])
def test_a_study_that_was_interrupted_goes_on_as_if_it_had_not_been(at):
    ends = lambda found: 0.5 + 0.4 * (found.policy == 'wsd') + 0.01 * found.value_range[1]  # noqa: E731
    undisturbed = made(Told(ends, lambda seed: 0.01 * seed), count=10)

    train = Told(ends, lambda seed: 0.01 * seed, break_at=at)
    study = trials.new_study(tuner.task_of(BASE, plan(10, (EPOCHS, 'epoch')), {VALIDATION_ACCURACY: 0.1}, 10, 0, train, True))
    with pytest.raises(KeyboardInterrupt):
        made(train, count=10, study=study)
    resumed = made(train, count=10, study=study)
    assert resumed.trials.equals(undisturbed.trials)
    assert resumed.suggestion == undisturbed.suggestion
    assert len(train.made) == len(undisturbed.trials) + 6


def test_a_study_of_the_users_is_worked_in_and_gone_on_with():
    study = optuna.create_study(direction='maximize', sampler=optuna.samplers.RandomSampler(seed=1))
    first = Told(lambda _: 0.5)
    made(first, count=3, study=study, own=False)
    second = Told(lambda _: 0.5)
    tuned = made(second, count=5, study=study, own=False)
    assert tuned.study is study
    assert [training.name for training in second.made] == ['trial_3', 'trial_4']


def test_trials_of_somebody_else_in_the_study_are_left_alone():
    study = optuna.create_study(direction='maximize', sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda trial: trial.suggest_float('dropout', 0, 1), n_trials=3)
    tuned = made(Told(lambda _: 0.5), count=3, study=study, own=False)
    assert tuned.trials['trial'].tolist() == [3, 4, 5]


def test_a_trial_that_fails_in_a_study_of_the_users_is_told_so_and_tried_again():
    study = optuna.create_study(direction='maximize', sampler=optuna.samplers.RandomSampler(seed=1))
    train = Told(lambda _: 0.5, break_at=0)
    with pytest.raises(KeyboardInterrupt):
        made(train, count=3, study=study, own=False)
    assert [trial.state.name for trial in study.trials] == ['FAIL', *['WAITING'] * 2]
    assert made(train, count=3, study=study, own=False).trials['policy'].tolist() == ['triangular2', 'fixed', 'cosine']


def test_a_study_that_has_enough_trials_but_not_the_plan_without_tuning_gets_that():
    study = optuna.create_study(direction='maximize', sampler=optuna.samplers.RandomSampler(seed=1))
    made(Told(lambda _: 0.5), count=3, study=study, own=False)
    stale = optuna.create_study(direction='maximize')
    stale.add_trials([trial for trial in study.trials if trial.params['policy'] != 'triangular2'])
    assert 'triangular2' in made(Told(lambda _: 0.5), count=2, study=stale, own=False).trials['policy'].tolist()


@pytest.mark.parametrize(
    ('study', 'message'),
    [
        (lambda: 'tune.db', r"study must be an optuna.Study, not 'tune.db'"),
        (
            lambda: optuna.create_study(direction='minimize'),
            r"study must maximize one value, as trainings are judged by validation/main/accuracy; it has \['minimize'\]",
        ),
        (lambda: optuna.create_study(directions=['maximize', 'minimize']), 'study must maximize one value'),
    ],
)
def test_a_study_that_does_not_fit_is_refused(study, message):
    with pytest.raises(ValueError, match=message):
        made(Told(lambda _: 0.5), study=study(), own=False)


# Real trainings


@pytest.fixture(scope='module')
def build():
    return Builder(Options(model='mlp:8', batchsize=256)).build


FOUND = Suggestion('lr', (0.1, 0.4), 12, iterations_per_epoch=6)


def test_real_trainings_give_a_curve_each_and_the_snapshot_of_the_answer(build, tmp_path):
    tuned = lrfinder.tune(build, (4, 'epoch'), trials=3, seeds=1, suggestion=FOUND, out=str(tmp_path / 'out'), quiet=True)
    assert tuned.trials['updates'].tolist()[:2] == [24, 24]
    assert tuned.curves[tuned.curves['trial'] == 0]['iteration'].tolist() == [6, 12, 18, 24]
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['snapshot']
    assert tuned._repr_png_().startswith(b'\x89PNG')


@pytest.mark.slow
def test_many_trainings_at_once_come_to_the_same(build):
    pytest.importorskip('joblib')
    one, two = (
        lrfinder.tune(build, (4, 'epoch'), trials=2, seeds=1, suggestion=FOUND, jobs=jobs, quiet=True).trials for jobs in (1, 2)
    )
    assert one.sort_values('policy', ignore_index=True)['policy'].tolist() == ['fixed', 'triangular2']
    assert sorted(two['value']) == pytest.approx(sorted(one['value']))


def test_many_trainings_need_a_study_that_processes_share(build):
    study = optuna.create_study(direction='maximize')
    with pytest.raises(ValueError, match=r"needs a storage that processes share, such as 'sqlite:///tune\.db'"):
        lrfinder.tune(build, (4, 'epoch'), suggestion=FOUND, study=study, jobs=2)


def test_without_a_validation_there_is_nothing_to_judge_by(build):
    with pytest.raises(ValueError, match='build must return an updater and an evaluator'):
        lrfinder.tune(lambda seed: (build(seed)[0], None), (4, 'epoch'), suggestion=FOUND)


def test_what_builds_no_updater_is_refused(build):
    updater, evaluator = build(0)
    trainer = chainer.training.Trainer(updater, (1, 'epoch'))
    for wrong, message in (
        (trainer, r'build must be a function to be called as build\(seed\), not <chainer'),
        (lambda seed: trainer, r'build\(seed\) must return an updater and its evaluator or None, as a pair, not Trainer'),
        (lambda seed: (trainer, evaluator), r'an updater is needed, such as trainer.updater, not Trainer'),
    ):
        with pytest.raises(ValueError, match=message):
            lrfinder.tune(wrong, (4, 'epoch'), suggestion=FOUND)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'trials': 1}, 'trials must be a whole number from 2 to 10,000, not 1'),
        ({'trials': 10**30}, 'trials must be a whole number from 2 to 10,000, not 1'),
        ({'seeds': 0}, 'seeds must be a whole number from 1 to 10,000, not 0'),
        ({'seed': 'x'}, 'seed must be a whole number from 0 to 4,294,967,292'),
        ({'suggestion': {'attr': 'lr'}}, r'suggestion must be a lrfinder\.Suggestion, not \{'),
        ({'policy': 'wsd', 'trails': 3}, 'suggestion is given, so that none is to be found: drop policy, trails'),
        ({'jobs': 0}, 'jobs must be a whole number'),
        ({'length': 30}, 'length must be a number and its unit'),
    ],
)
def test_arguments_that_make_no_sense_are_refused(build, options, message):
    with pytest.raises(ValueError, match=message):
        lrfinder.tune(build, **{'length': (4, 'epoch'), 'suggestion': FOUND, **options})
