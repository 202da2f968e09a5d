"""CLR in real trainers: the values each update uses, resumed runs, and every error."""

import copy
import functools
import math
import pickle
import re
import warnings
from fractions import Fraction

from clr import policies
from clr.training.extensions import CLR

import chainer
import numpy
import pytest
from chainer import links, optimizers, serializers, training
from chainer.datasets import TupleDataset
from chainer.iterators import SerialIterator
from chainer.training import extension, extensions, triggers, updaters

ITERATIONS_PER_EPOCH = 3


@pytest.fixture(autouse=True)
def quiet_and_repeatable(tmp_path, monkeypatch):
    numpy.random.seed(0)
    monkeypatch.chdir(tmp_path)


def dataset():
    draw = numpy.random.RandomState(1)
    return TupleDataset(draw.randn(6, 3).astype('f'), draw.randint(2, size=6).astype('i'))


def classifier():
    return links.Classifier(links.Linear(3, 2, initialW=numpy.arange(6, dtype='f').reshape(2, 3) / 10))


def make_trainer(optimizer, iterations, **options):
    if getattr(optimizer, 'target', None) is None:
        optimizer.setup(classifier())
    iterator = SerialIterator(dataset(), 2, shuffle=False)
    return training.Trainer(updaters.StandardUpdater(iterator, optimizer), (iterations, 'iteration'), **options)


def run(trainer, optimizer, *attrs):
    """The values of the attributes that each update used."""
    used = []

    def record(trainer):
        values = tuple(getattr(optimizer, attr) for attr in attrs)
        used.append(values if len(attrs) > 1 else values[0])

    trainer.extend(record, name='record', priority=extension.PRIORITY_WRITER)
    trainer.run()
    return used


def used_values(clr, iterations, trigger=None, optimizer=None, attr='lr'):
    optimizer = optimizer or optimizers.MomentumSGD(lr=77.0)
    trainer = make_trainer(optimizer, iterations)
    trainer.extend(clr, trigger=trigger)
    return run(trainer, optimizer, attr)


# ---- the values that updates use


def test_the_first_update_uses_the_first_bound_and_the_cycle_follows():
    assert used_values(CLR('lr', (0.0, 1.0), 4), 10) == [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.25]


@pytest.mark.parametrize(
    'policy, expected',
    [
        ('triangular', [0.0, 0.5, 1.0, 0.5, 0.0, 0.5, 1.0]),
        ('triangular2', [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5]),
        ('exp_range', [0.0, 0.5 * 0.99994, 0.99994**2, 0.5 * 0.99994**3, 0.0, 0.5 * 0.99994**5, 0.99994**6]),
        ('one_cycle', [0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0]),
        ('cosine', [1.0, 0.5 + 0.125**0.5, 0.5, 0.5 - 0.125**0.5, 1.0, 0.5 + 0.125**0.5, 0.5]),
        ('wsd', [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
        ('cyclic_wsd', [0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0]),
        ('polynomial', [1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0]),
        ('inverse_sqrt', [(1 + 6 * step) ** -0.5 for step in range(7)]),
    ],
)
def test_every_policy_is_known_by_its_name(policy, expected):
    assert used_values(CLR('lr', (0.0, 1.0), 2, policy), 7) == pytest.approx(expected, abs=1e-15)


def test_gamma_is_that_of_exp_range():
    assert used_values(CLR('lr', (0.0, 1.0), 2, 'exp_range', 0.5), 6) == [0.0, 0.25, 0.25, 0.0625, 0.0, 0.015625]


def test_a_gamma_of_zero_is_not_an_absent_one():
    assert used_values(CLR('lr', (0.25, 1.0), 2, 'exp_range', gamma=0), 6) == [0.25] * 6


def test_gamma_is_that_of_exp_range_given_as_a_function_too():
    assert used_values(CLR('lr', (0.0, 1.0), 1, policies.exp_range, gamma=0.5), 4) == [0.0, 0.5, 0.0, 0.125]


@pytest.mark.parametrize('policy', ['triangular', 'warmed_up'])
@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, lambda clr: pickle.loads(pickle.dumps(clr))])
def test_copies_move_the_rate_in_the_same_way(policy, copied):
    options = {'policy': 'cosine', 'steps': 3} if policy == 'warmed_up' else None
    clr = CLR('lr', (0.25, 1.0), 2, policy, options=options)
    assert used_values(copied(clr), 8) == used_values(clr, 8)


def test_gamma_leaves_the_other_policies_alone():
    assert used_values(CLR('lr', (0.0, 1.0), 2, 'triangular', gamma=0.5), 5) == [0.0, 0.5, 1.0, 0.5, 0.0]


def test_a_call_every_second_iteration_counts_calls():
    assert used_values(CLR('lr', (0.0, 1.0), 2), 9, (2, 'iteration')) == [0, 0, 0.5, 0.5, 1, 1, 0.5, 0.5, 0]


def test_a_call_every_epoch_counts_epochs():
    assert used_values(CLR('lr', (0.0, 1.0), 2), 10, (1, 'epoch')) == [0] * 3 + [0.5] * 3 + [1] * 3 + [0.5]


def test_a_given_optimizer_is_moved_instead_of_the_main_one():
    other = optimizers.SGD(lr=77.0)
    main = optimizers.SGD(lr=0.5)
    trainer = make_trainer(main, 4)
    trainer.extend(CLR('lr', (0.0, 1.0), 2, optimizer=other))
    assert run(trainer, other, 'lr') == [0.0, 0.5, 1.0, 0.5]
    assert main.lr == 0.5


def test_each_optimizer_of_an_updater_may_have_its_cycles():
    generator, critic = (optimizers.Adam().setup(classifier()) for _ in range(2))

    class Both(updaters.StandardUpdater):
        def update_core(self):
            batch = chainer.dataset.concat_examples(self.get_iterator('main').next())
            for name in ('generator', 'critic'):
                optimizer = self.get_optimizer(name)
                optimizer.update(optimizer.target, *batch)

    iterator = SerialIterator(dataset(), 2, shuffle=False)
    trainer = training.Trainer(Both(iterator, {'generator': generator, 'critic': critic}), (4, 'iteration'))
    trainer.extend(CLR('alpha', (0.0, 1.0), 2, optimizer=generator))
    trainer.extend(CLR('alpha', (0.5, 0.25), 1, optimizer=critic))
    seen = []
    trainer.extend(lambda _: seen.append((generator.alpha, critic.alpha)), name='see', priority=300)
    trainer.run()
    assert seen == [(0.0, 0.5), (0.5, 0.25), (1.0, 0.5), (0.5, 0.25)]


@pytest.mark.parametrize('attr, kind', [('alpha', optimizers.Adam), ('alpha', optimizers.AMSGrad), ('lr', optimizers.RMSprop)])
def test_any_attribute_of_any_optimizer_can_move(attr, kind):
    assert used_values(CLR(attr, (0.0, 1.0), 2), 4, optimizer=kind(), attr=attr) == [0.0, 0.5, 1.0, 0.5]


def multi_node(actual):
    chainermn_optimizers = pytest.importorskip('chainermn.optimizers')

    class Workers:
        bcast_data = multi_node_mean_grad = staticmethod(lambda *args: None)

    return chainermn_optimizers._MultiNodeOptimizer(actual, Workers(), zero_fill=False).setup(classifier())


def test_a_multi_node_optimizer_moves_the_one_it_holds():
    actual = optimizers.Adam()
    wrapper = multi_node(actual)
    trainer = make_trainer(wrapper, 5)
    trainer.extend(CLR('alpha', (0.0, 1.0), 2))
    assert run(trainer, actual, 'alpha') == [0.0, 0.5, 1.0, 0.5, 0.0]
    with pytest.raises(ValueError, match=r"^Adam has no attribute 'lr' that can be set; use 'alpha' "):
        CLR('lr', (0.0, 1.0), 2, optimizer=wrapper)


def test_the_call_of_the_original_runs_as_written():
    policy, step_size, value_range = 'triangular', 2, (0.0, 1.0)
    assert used_values(CLR('lr', value_range, 2 * step_size, policy), 5) == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize('number', [int, float, numpy.int64, numpy.float32, Fraction])
def test_arguments_of_any_numeric_type_give_plain_floats(number):
    clr = CLR('lr', [number(1), number(3)], number(2), 'exp_range', gamma=number(1), step_size_down=number(1))
    values = used_values(clr, 5)
    assert values == [1.0, 2.0, 3.0, 1.0, 2.0]
    assert {type(value) for value in values} == {float}


def test_half_cycles_may_differ():
    assert used_values(CLR('lr', (0.0, 1.0), 1, step_size_down=4), 7) == [0.0, 1.0, 0.75, 0.5, 0.25, 0.0, 1.0]


def test_a_range_may_descend():
    assert used_values(CLR('momentum', (1.0, 0.5), 2), 5, attr='momentum') == [1.0, 0.75, 0.5, 0.75, 1.0]


def sawtooth(step, value_range, step_size):
    return numpy.float32(value_range[0] + step % step_size)


def test_a_policy_may_be_a_function_of_the_user_s():
    values = used_values(CLR('lr', (0.5, 1.0), 3, sawtooth), 5)
    assert values == [0.5, 1.5, 2.5, 0.5, 1.5]
    assert {type(value) for value in values} == {float}


def test_a_policy_of_the_user_s_is_given_the_second_half_cycle_where_there_is_one():
    def policy(step, value_range, step_size, step_size_down):
        return step_size_down

    assert used_values(CLR('lr', (0.5, 1.0), 3, policy, step_size_down=7), 2) == [7.0, 7.0]


def test_a_policy_may_be_given_its_options():
    growing = functools.partial(policies.cosine, t_mult=2)
    assert used_values(CLR('lr', (0.0, 1.0), 1, growing), 7) == pytest.approx(
        [1.0, 0.5, 1.0, 0.5 + 0.125**0.5, 0.5, 0.5 - 0.125**0.5, 1.0]
    )


@pytest.mark.parametrize(
    'policy, options, expected',
    [
        (
            'cosine',
            {'t_mult': 2, 'cycle_decay': 0.5},
            [1.0, 0.5, 0.5, 0.25 + 0.125**0.5 / 2, 0.25, 0.25 - 0.125**0.5 / 2, 0.25],
        ),
        ('exp_range', {'gamma': 0.5}, [0.0, 0.5, 0.0, 0.125, 0.0, 0.03125, 0.0]),
        ('one_cycle', {'step_size_final': 2, 'final_ratio': 0.5}, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        ('wsd', {'warmup_steps': 0, 'cooldown_steps': 1}, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        ('polynomial', {'power': 2}, [1.0, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0]),
        ('inverse_sqrt', {'timescale': 1}, [(1 + step) ** -0.5 for step in range(7)]),
        ('warmed_up', {'policy': 'polynomial', 'steps': 2}, [0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0]),
        ('joined', {'policies': ['triangular', 'polynomial'], 'boundaries': [3]}, [0.0, 1.0, 0.0, 1.0, 0.5, 0.0, 0.0]),
        (policies.cosine, {'cycle_decay': 0.5}, [1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]),
        (functools.partial(policies.cosine, t_mult=1), {'cycle_decay': 0.5}, [1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]),
        (lambda step, value_range, step_size, height: step * height, {'height': 0.5}, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]),
    ],
)
def test_options_are_given_by_their_names(policy, options, expected):
    assert used_values(CLR('lr', (0.0, 1.0), 1, policy, options=options), 7) == pytest.approx(expected, abs=1e-15)


def test_a_policy_may_be_made_of_others():
    whole = policies.joined([policies.warmed_up('cosine', 2), policies.part('polynomial', (0.0, 0.5), 1)], [4])
    assert used_values(CLR('lr', (0.0, 1.0), 1, whole), 7) == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.5, 0.25, 0.0])


def test_the_second_half_cycle_is_handed_on_to_all_parts():
    whole = policies.joined(['triangular', 'polynomial'], [5])
    assert used_values(CLR('lr', (0.0, 12.0), 2, whole, step_size_down=4), 9) == [0, 6, 12, 9, 6, 12, 10, 8, 6]


# ---- cooling down from where a training is

ROOT = [1 - (step / 4) ** 0.5 for step in range(5)]  # of the height, after so many of four calls


def cooling(clr, iterations, at, *arguments, first=False, optimizer=None):
    """The values that updates use where another extension calls cool_down, after CLR in the iteration, or before it."""
    optimizer = optimizer or optimizers.SGD(lr=77.0)
    trainer = make_trainer(optimizer, iterations)
    trainer.extend(clr)

    def decide(trainer):
        if trainer.updater.iteration == at:
            clr.cool_down(*arguments)

    trainer.extend(decide, name='decide', priority=200 if first else 50)
    return run(trainer, optimizer, 'lr')


def test_a_running_training_cools_down_from_where_it_is():
    # at the end of the third iteration the next update has a rate of 0.75 already, which is where it starts
    expected = [0.0, 0.25, 0.5, *(0.75 * height for height in ROOT), 0.0]
    assert cooling(CLR('lr', (0.0, 1.0), 4), 9, 3, 4) == pytest.approx(expected)


def test_a_cool_down_may_be_asked_for_before_clr_has_its_turn():
    expected = [0.0, 0.25, *(0.5 * height for height in ROOT), 0.0, 0.0]
    assert cooling(CLR('lr', (0.0, 1.0), 4), 9, 3, 4, first=True) == pytest.approx(expected)


@pytest.mark.parametrize(
    'value_range, arguments, end',
    [((0.5, 1.0), (4,), 0.5), ((0.5, 1.0), (4, 0.25), 0.25), ((0.5, 1.0), (4, 0), 0.0), ((1.0, 0.5), (4,), 1.0)],
)
def test_a_cool_down_ends_at_the_first_bound_or_where_it_is_told_to(value_range, arguments, end):
    start = 0.75  # halfway up
    values = cooling(CLR('lr', value_range, 4), 9, 2, *arguments)
    assert values[2:] == pytest.approx([end + (start - end) * height for height in ROOT] + [end, end])


def test_a_cool_down_never_rises_to_the_first_bound():
    values = cooling(CLR('lr', (0.5, 1.0), 1, 'one_cycle', options={'final_ratio': 0.5}), 8, 5, 4)
    assert values[3:] == [0.25] * 5


def test_a_second_cool_down_starts_anew():
    optimizer = optimizers.SGD(lr=77.0)
    trainer = make_trainer(optimizer, 8)
    clr = CLR('lr', (0.0, 1.0), 2, 'polynomial', options={'power': 0})
    trainer.extend(clr)
    trainer.extend(lambda _: clr.cool_down(4), name='again', trigger=triggers.ManualScheduleTrigger([2, 3], 'iteration'))
    assert run(trainer, optimizer, 'lr') == pytest.approx([1.0, 1.0, 1.0, *(0.5 * height for height in ROOT)])


def test_a_training_may_cool_down_from_its_start():
    clr = CLR('lr', (0.0, 1.0), 4, 'cosine')
    clr.cool_down(4)
    assert used_values(clr, 6) == pytest.approx([*ROOT, 0.0])


def test_what_moves_along_cools_down_too():
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 7)
    clr = CLR('lr', (0.0, 1.0), 2, inverse=('momentum', (0.5, 1.0)))
    trainer.extend(clr)
    trainer.extend(lambda _: clr.cool_down(4), name='decide', trigger=triggers.ManualScheduleTrigger(2, 'iteration'))
    used = run(trainer, optimizer, 'lr', 'momentum')
    assert [lr for lr, _ in used] == pytest.approx([0.0, 0.5, *ROOT])
    assert [momentum for _, momentum in used] == pytest.approx([1 - lr / 2 for lr, _ in used])


@pytest.mark.parametrize(
    'arguments, message',
    [
        ((0,), 'steps must be a number of calls, 1 or more, not 0'),
        ((None,), 'steps must be a number of calls, 1 or more, not None'),
        ((math.nan,), 'steps must be a number of calls, 1 or more, not nan'),
        ((5, -1), 'to must be 0 or more, not -1'),
        ((5, math.inf), 'to must be finite, not inf'),
        ((5, '0'), "to must be 0 or more, not '0'"),
    ],
)
def test_a_wrong_cool_down_is_named_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        CLR('lr', (0.0, 1.0), 4).cool_down(*arguments)


# ---- what moves along


def test_the_momentum_moves_inversely_by_one_argument():
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 9)
    trainer.extend(CLR('lr', (0.0, 1.0), 2, 'triangular2', inverse=('momentum', (0.5, 1.0))))
    assert run(trainer, optimizer, 'lr', 'momentum') == [
        (0.0, 1.0), (0.5, 0.75), (1.0, 0.5), (0.5, 0.75), (0.0, 1.0), (0.25, 0.875), (0.5, 0.75), (0.25, 0.875), (0.0, 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize('value_range', [(0.0, 1.0), (1.0, 0.0)])
@pytest.mark.parametrize('bounds', [(0.85, 0.95), (0.95, 0.85)])
def test_the_inverse_is_low_where_the_rate_is_high_whatever_the_order(value_range, bounds):
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 4)
    trainer.extend(CLR('lr', value_range, 1, inverse=('momentum', bounds)))
    assert set(run(trainer, optimizer, 'lr', 'momentum')) == {(0.0, 0.95), (1.0, 0.85)}


def test_the_inverse_stays_at_its_bound_in_the_final_phase_of_one_cycle():
    optimizer = optimizers.Adam()
    trainer = make_trainer(optimizer, 6)
    trainer.extend(CLR('alpha', (0.5, 1.0), 1, 'one_cycle', inverse=('beta1', (0.85, 0.95))))
    assert run(trainer, optimizer, 'alpha', 'beta1')[1:] == [(1.0, 0.85), (0.5, 0.95)] + [(0.5e-4, 0.95)] * 3


def test_the_inverse_of_a_value_beyond_the_range_stays_at_its_bounds():
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 3)
    trainer.extend(CLR('lr', (0.5, 1.0), 3, sawtooth, inverse=('momentum', (0.85, 0.95))))
    assert run(trainer, optimizer, 'lr', 'momentum') == [(0.5, 0.95), (1.5, 0.85), (2.5, 0.85)]


def test_the_inverse_of_a_constant_rate_is_its_upper_bound():
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 2)
    trainer.extend(CLR('lr', (0.5, 0.5), 3, inverse=('momentum', (0.85, 0.95))))
    assert run(trainer, optimizer, 'lr', 'momentum') == [(0.5, 0.95)] * 2


def body_and_head(**rates):
    """An optimizer of two layers; the body's rate is its own."""
    model = links.Classifier(chainer.Sequential(links.Linear(3, 3), links.Linear(3, 2)))
    optimizer = optimizers.MomentumSGD(**rates).setup(model)
    for param in model.predictor[0].params():
        param.update_rule.hyperparam.lr = 0.125
    return optimizer


def rates_of(optimizer):
    return [param.update_rule.hyperparam.lr for _, param in optimizer.target.namedparams()]


def run_for_rates(trainer, optimizer):
    used = []
    trainer.extend(lambda _: used.append(rates_of(optimizer)), name='rates', priority=extension.PRIORITY_WRITER)
    trainer.run()
    return used


def test_rates_of_parameters_move_in_proportion_where_that_is_asked_for():
    optimizer = body_and_head(lr=0.5)
    trainer = make_trainer(optimizer, 5)
    trainer.extend(CLR('lr', (0.0, 1.0), 2, proportional=True))
    assert run_for_rates(trainer, optimizer) == [
        [0.0] * 4, [0.125] * 2 + [0.5] * 2, [0.25] * 2 + [1.0] * 2, [0.125] * 2 + [0.5] * 2, [0.0] * 4,
    ]  # fmt: skip


def test_rates_of_parameters_stay_where_it_is_not():
    optimizer = body_and_head(lr=0.5)
    trainer = make_trainer(optimizer, 3)
    trainer.extend(CLR('lr', (0.0, 1.0), 2))
    assert run_for_rates(trainer, optimizer) == [[0.125] * 2 + [rate] * 2 for rate in (0.0, 0.5, 1.0)]


def test_a_rate_is_in_no_proportion_to_zero():
    trainer = make_trainer(body_and_head(lr=0.0), 3)
    trainer.extend(CLR('lr', (0.0, 1.0), 2, proportional=True))
    message = (
        "the optimizer's lr is 0, so the parameters' own can't be moved in proportion to it; "
        'give it the rate beside which theirs were chosen'
    )
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        trainer.run()


def test_proportional_does_nothing_where_no_parameter_has_a_rate_of_its_own():
    assert used_values(CLR('lr', (0.0, 1.0), 2, proportional=True), 3, optimizer=optimizers.SGD(lr=0)) == [0.0, 0.5, 1.0]


# ---- resumed runs


def everything(iterations, trigger, snapshots=None):
    """A trainer as people have them: two CLRs, another shift, and the extensions that write."""
    optimizer = optimizers.RMSprop()
    trainer = make_trainer(optimizer, iterations, out=snapshots or 'resumed')
    trainer.extend(CLR('lr', (0.001, 0.01), 3, 'triangular2'), trigger=trigger())
    trainer.extend(CLR('alpha', (0.99, 0.9), 3), trigger=trigger())
    trainer.extend(extensions.ExponentialShift('eps', 0.99), trigger=(2, 'iteration'))
    trainer.extend(extensions.Evaluator(SerialIterator(dataset(), 3, repeat=False, shuffle=False), optimizer.target))
    trainer.extend(extensions.observe_lr(), trigger=(1, 'iteration'))
    trainer.extend(extensions.LogReport(trigger=(1, 'iteration')))
    if snapshots:
        trainer.extend(extensions.snapshot(), trigger=(1, 'iteration'))
    return trainer, optimizer


def outcome(trainer, optimizer):
    used = run(trainer, optimizer, 'lr', 'alpha', 'eps')
    return used, [param.array.tobytes() for param in optimizer.target.params()], log_of(trainer)


def log_of(trainer):
    """What LogReport has recorded, except for the time."""
    entries = trainer.get_extension('LogReport').log
    return [{key: value for key, value in entry.items() if key != 'elapsed_time'} for entry in entries]


@pytest.mark.parametrize(
    'iterations, trigger',
    [
        (12, lambda: (1, 'iteration')),
        (36, lambda: (3, 'iteration')),
        (36, lambda: (1, 'epoch')),
        (16, lambda: (0.5, 'epoch')),
        (14, lambda: triggers.ManualScheduleTrigger([2, 3, 5, 7, 8, 11], 'iteration')),
        (14, lambda: triggers.ManualScheduleTrigger([0.5, 2, 3], 'epoch')),
    ],
    ids=['iteration', '3 iterations', 'epoch', 'half epoch', 'schedule', 'schedule of epochs'],
)
def test_a_run_resumed_from_any_iteration_of_two_cycles_is_the_undisturbed_one_bit_by_bit(iterations, trigger):
    used, weights, log = outcome(*everything(iterations, trigger, snapshots='whole'))
    for iteration in range(1, iterations):
        trainer, optimizer = everything(iterations, trigger)
        serializers.load_npz(f'whole/snapshot_iter_{iteration}', trainer)
        assert outcome(trainer, optimizer) == (used[iteration:], weights, log), f'resumed at {iteration}'


def with_companions(iterations, policy, optimizer, snapshots=None):
    trainer = make_trainer(optimizer, iterations, out=snapshots or 'resumed')
    trainer.extend(CLR('lr', (0.0, 0.1), 3, policy, inverse=('momentum', (0.85, 0.95)), proportional=True))
    if snapshots:
        trainer.extend(extensions.snapshot(), trigger=(1, 'iteration'))
    return trainer


@pytest.mark.parametrize('policy', policies.POLICIES)
@pytest.mark.parametrize('in_place', [False, True], ids=['with a new optimizer', 'with the rates in place'])
def test_what_moves_along_resumes_bit_by_bit(policy, in_place):
    def everything_used(trainer, optimizer):
        own = []
        trainer.extend(lambda _: own.append(rates_of(optimizer)), name='own', priority=extension.PRIORITY_WRITER)
        return run(trainer, optimizer, 'lr', 'momentum'), own

    optimizer = body_and_head(lr=0.3)
    used, own = everything_used(with_companions(13, policy, optimizer, 'whole'), optimizer)
    for iteration in range(1, 13):
        if not in_place:
            optimizer = body_and_head(lr=0.3)
        trainer = with_companions(13, policy, optimizer)
        serializers.load_npz(f'whole/snapshot_iter_{iteration}', trainer)
        assert everything_used(trainer, optimizer) == (used[iteration:], own[iteration:])


MADE_OF_OTHERS = {
    'cosine': {'t_mult': 1.5, 'cycle_decay': 0.75},
    'wsd': {'warmup_steps': 1, 'cooldown_steps': 3},
    'warmed_up': {'policy': 'triangular2', 'steps': 4, 'start_factor': 0.25},
    'joined': {'policies': ['exp_range', 'inverse_sqrt', 'cyclic_wsd'], 'boundaries': [3, 7]},
}


@pytest.mark.parametrize('policy', MADE_OF_OTHERS)
@pytest.mark.parametrize('cooling', [False, True], ids=['', 'cooling down'])
def test_options_and_cool_downs_resume_bit_by_bit(policy, cooling):
    def make(snapshots=None):
        optimizer = optimizers.MomentumSGD(lr=77.0)
        trainer = make_trainer(optimizer, 16, out=snapshots or 'resumed')
        clr = CLR('lr', (0.001, 0.1), 3, policy, options=MADE_OF_OTHERS[policy], inverse=('momentum', (0.85, 0.95)))
        trainer.extend(clr)
        if cooling:
            trainer.extend(lambda _: clr.cool_down(7, 1e-5), name='decide', trigger=lambda t: t.updater.iteration == 5)
        if snapshots:
            trainer.extend(extensions.snapshot(), trigger=(1, 'iteration'))
        return trainer, optimizer

    def weights(optimizer):
        return [param.array.tobytes() for param in optimizer.target.params()]

    trainer, optimizer = make('whole')
    used = run(trainer, optimizer, 'lr', 'momentum')
    assert (used[-1][0] == 1e-5) == cooling
    for iteration in range(1, 16):
        resumed, its_optimizer = make()
        serializers.load_npz(f'whole/snapshot_iter_{iteration}', resumed)
        assert run(resumed, its_optimizer, 'lr', 'momentum') == used[iteration:], f'resumed at {iteration}'
        assert weights(its_optimizer) == weights(optimizer)


def test_a_snapshot_loaded_after_the_start_knows_of_its_cool_down():
    def make(iterations):
        optimizer = optimizers.SGD(lr=77.0)
        trainer = make_trainer(optimizer, iterations, out='out')
        clr = CLR('lr', (0.0, 1.0), 4)
        trainer.extend(clr)
        trainer.extend(lambda _: clr.cool_down(4), name='decide', trigger=lambda t: t.updater.iteration == 2)
        trainer.extend(extensions.snapshot(autoload=True), trigger=(1, 'iteration'))
        return trainer, optimizer

    trainer, optimizer = make(4)
    assert run(trainer, optimizer, 'lr') == pytest.approx([0.0, 0.25, 0.5, 0.25])
    trainer, optimizer = make(8)
    assert run(trainer, optimizer, 'lr') == pytest.approx([0.5 * height for height in (*ROOT[2:], 0.0)])


def test_a_snapshot_without_a_cool_down_ends_one():
    trainer = make_trainer(optimizers.SGD(), 2)
    trainer.extend(CLR('lr', (0.0, 1.0), 4))
    trainer.run()
    serializers.save_npz('snapshot', trainer)
    optimizer = optimizers.SGD()
    trainer = make_trainer(optimizer, 5)
    clr = CLR('lr', (0.0, 1.0), 4)
    clr.cool_down(1)
    trainer.extend(clr)
    serializers.load_npz('snapshot', trainer)
    assert run(trainer, optimizer, 'lr') == [0.5, 0.75, 1.0]


@pytest.mark.parametrize('given', [False, True], ids=['main optimizer', 'given optimizer'])
def test_a_snapshot_that_is_loaded_after_the_start_counts_from_the_next_update(given):
    def make(iterations):
        optimizer = optimizers.SGD(lr=77.0)
        trainer = make_trainer(optimizer, iterations, out='out')
        trainer.extend(CLR('lr', (0.0, 1.0), 4, optimizer=optimizer if given else None))
        trainer.extend(extensions.snapshot(autoload=True), trigger=(1, 'iteration'))
        return trainer, optimizer

    trainer, optimizer = make(3)
    assert run(trainer, optimizer, 'lr') == [0.0, 0.25, 0.5]
    trainer, optimizer = make(7)
    assert run(trainer, optimizer, 'lr') == [0.75, 1.0, 0.75, 0.5]


def test_the_last_value_of_a_trigger_that_fires_once_is_put_back_in_a_given_optimizer():
    def make(iterations):
        optimizer = optimizers.SGD(lr=77.0)
        trainer = make_trainer(optimizer, iterations)
        trainer.extend(CLR('lr', (0.0, 1.0), 4, optimizer=optimizer), trigger=triggers.OnceTrigger())
        return trainer, optimizer

    trainer, optimizer = make(3)
    assert run(trainer, optimizer, 'lr') == [0.0, 0.25, 0.25]
    serializers.save_npz('snapshot', trainer)
    trainer, optimizer = make(5)
    serializers.load_npz('snapshot', trainer)
    assert run(trainer, optimizer, 'lr') == [0.25, 0.25]


def test_the_rate_that_the_optimizer_has_when_a_run_is_resumed_does_not_matter():
    optimizer = optimizers.SGD()
    trainer = make_trainer(optimizer, 3)
    trainer.extend(CLR('lr', (0.0, 1.0), 4))
    trainer.run()
    serializers.save_npz('snapshot', trainer)
    trainer = make_trainer(optimizer, 6)
    trainer.extend(CLR('lr', (0.0, 1.0), 4))
    serializers.load_npz('snapshot', trainer)
    optimizer.lr = 77.0
    assert run(trainer, optimizer, 'lr') == [0.75, 1.0, 0.75]


def two_clrs(order, **names):
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 6)
    clrs = {'lr': CLR('lr', (0.0, 1.0), 4), 'momentum': CLR('momentum', (1.0, 0.5), 4)}
    for attr in order:
        trainer.extend(clrs[attr], name=names.get(attr))
    return trainer, optimizer


def test_two_clrs_are_told_apart_by_the_names_that_the_trainer_gives_them():
    trainer, optimizer = two_clrs(['lr', 'momentum'])
    assert run(trainer, optimizer, 'lr', 'momentum')[-1] == (0.75, 0.625)
    serializers.save_npz('snapshot', trainer)
    with numpy.load('snapshot') as saved:
        assert [key for key in saved if key.startswith('extensions/')] == [
            'extensions/CLR/_arguments', 'extensions/CLR/_t', 'extensions/CLR/_last_value',
            'extensions/CLR_1/_arguments', 'extensions/CLR_1/_t', 'extensions/CLR_1/_last_value',
        ]  # fmt: skip


def test_names_of_their_own_make_the_order_of_two_clrs_free():
    names = {'lr': 'CLR of lr', 'momentum': 'CLR of momentum'}
    trainer, _ = two_clrs(['lr', 'momentum'], **names)
    trainer.run()
    serializers.save_npz('snapshot', trainer)
    trainer, optimizer = two_clrs(['momentum', 'lr'], **names)
    trainer.stop_trigger = triggers.IntervalTrigger(8, 'iteration')
    serializers.load_npz('snapshot', trainer, ignore_names=lambda key: key.startswith('stop_trigger'))
    assert run(trainer, optimizer, 'lr', 'momentum') == [(0.5, 0.75), (0.25, 0.875)]


def falling(step, value_range, step_size):
    return value_range[1] / (1 + step)


SAVED = dict(attr='lr', value_range=(0.01, 0.1), step_size=4, policy='cosine', options={'t_mult': 2})


def save_snapshot():
    trainer = make_trainer(optimizers.MomentumSGD(), 3)
    trainer.extend(CLR(**SAVED))
    trainer.run()
    serializers.save_npz('snapshot', trainer)


@pytest.mark.parametrize(
    'changed, what',
    [
        ({'attr': 'momentum'}, "attr 'lr', not 'momentum'"),
        ({'value_range': (0.01, 0.2)}, 'value_range [0.01, 0.1], not [0.01, 0.2]'),
        ({'value_range': (0.1, 0.01), 'policy': 'triangular', 'options': {}}, 'value_range [0.01, 0.1], not [0.1, 0.01]'),
        ({'step_size': 4.5}, 'step_size 4, not 4.5'),
        ({'step_size_down': 8}, 'policy cosine(t_mult=2), not cosine(step_size_down=8, t_mult=2)'),
        ({'options': {'t_mult': 3}}, 'policy cosine(t_mult=2), not cosine(t_mult=3)'),
        ({'policy': 'exp_range', 'options': {}, 'gamma': 0.5}, 'policy cosine(t_mult=2), not exp_range(gamma=0.5)'),
        ({'policy': falling, 'options': {}}, 'policy cosine(t_mult=2), not falling'),
        ({'inverse': ('momentum', (0.85, 0.95))}, "inverse None, not ['momentum', [0.85, 0.95]]"),
        ({'proportional': True}, 'proportional False, not True'),
    ],
)
def test_a_snapshot_taken_with_other_arguments_is_refused(changed, what):
    save_snapshot()
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 6)
    trainer.extend(CLR(**{**SAVED, **changed}))
    message = (
        f'the snapshot of CLR was taken with {what}; give it the same arguments, or load all but it: '
        "load_npz(file, trainer, ignore_names=lambda name: name.startswith('extensions/CLR/'))"
    )
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        serializers.load_npz('snapshot', trainer)
    serializers.load_npz('snapshot', trainer, ignore_names=lambda name: name.startswith('extensions/CLR/'))
    assert len(run(trainer, optimizer, 'lr')) == 3


def test_the_same_arguments_in_other_words_are_the_same():
    save_snapshot()
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 6)
    words = dict(
        value_range=numpy.array([0.01, 0.1]), step_size=4.0, policy=policies.cosine, options={'t_mult': numpy.int64(2)}
    )
    trainer.extend(CLR('lr', **words))
    serializers.load_npz('snapshot', trainer)
    assert len(run(trainer, optimizer, 'lr')) == 3


class OriginalCLR(extension.Extension):
    """Leaves in a snapshot what the extension of clr_chainer leaves there: NumPy's number under the second of two keys."""

    default_name = 'CLR'

    def __call__(self, trainer):
        pass

    def serialize(self, serializer):
        serializer('_t', 5)
        serializer('_last_value', numpy.float64(0.08))


@pytest.mark.parametrize('options', [{}, {'inverse': ('momentum', (0.5, 1.0))}, {'proportional': True}])
def test_snapshots_of_the_original_extension_go_on_from_the_value_they_hold(options):
    trainer = make_trainer(optimizers.MomentumSGD(), 5)
    trainer.extend(OriginalCLR())
    trainer.run()
    serializers.save_npz('snapshot', trainer)

    optimizer = optimizers.MomentumSGD(lr=77.0)
    trainer = make_trainer(optimizer, 8)
    trainer.extend(CLR('lr', (0.01, 0.1), 4, **options))
    serializers.load_npz('snapshot', trainer)
    values = run(trainer, optimizer, 'lr')
    assert values == pytest.approx([0.08, 0.055, 0.0325], rel=1e-15)
    assert type(values[0]) is float


def test_a_snapshot_with_other_parameters_of_their_own_rate_is_refused():
    optimizer = body_and_head(lr=0.5)
    with_companions(2, 'triangular', optimizer, 'whole').run()
    optimizer = body_and_head(lr=0.5)
    optimizer.target.predictor[1].b.update_rule.hyperparam.lr = 0.1
    trainer = with_companions(4, 'triangular', optimizer)
    serializers.load_npz('whole/snapshot_iter_2', trainer)
    message = (
        "3 parameters have a rate 'lr' of their own, but the snapshot was taken with 2; "
        'give the same parameters their own rate before resuming'
    )
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        trainer.run()


# ---- what else moves the attribute

SHIFTS = {
    'ExponentialShift': lambda: extensions.ExponentialShift('lr', 0.5),
    'InverseShift': lambda: extensions.InverseShift('lr', 0.5, 1.0),
    'LinearShift': lambda: extensions.LinearShift('lr', (0.1, 0.2), (0, 5)),
    'MultistepShift': lambda: extensions.MultistepShift('lr', 0.1, [3], 0.5),
    'PolynomialShift': lambda: extensions.PolynomialShift('lr', 2, 5),
    'StepShift': lambda: extensions.StepShift('lr', 0.1, 3),
    'WarmupShift': lambda: extensions.WarmupShift('lr', 0.1, 3, 0.5),
    'CLR_1': lambda: CLR('lr', (0.1, 0.2), 5),
    'mine': lambda: type('Mine', (extensions.StepShift,), {'default_name': 'mine'})('lr', 0.1, 3),
    'momentum': lambda: CLR('momentum', (0.1, 0.2), 5, inverse=('lr', (0.1, 0.5))),
}


@pytest.mark.parametrize('name', SHIFTS)
@pytest.mark.parametrize('last', [False, True])
def test_another_schedule_of_the_attribute_is_refused_before_the_first_update(name, last):
    trainer = make_trainer(optimizers.MomentumSGD(), 3)
    both = [(CLR('lr', (0.01, 0.1), 4), 'CLR'), (SHIFTS[name](), name)]
    for one, its_name in reversed(both) if last else both:
        trainer.extend(one, name=its_name)
    with pytest.raises(ValueError) as caught:
        trainer.run()
    first, second = (name, 'CLR') if str(caught.value).startswith(name) else ('CLR', name)
    assert str(caught.value) == (
        f'{first} and {second} both move lr, and their order would decide its value; take one of them out of the trainer'
    )
    assert trainer.updater.iteration == 0


def test_another_schedule_of_what_moves_along_is_refused():
    trainer = make_trainer(optimizers.MomentumSGD(), 3)
    trainer.extend(CLR('lr', (0.01, 0.1), 4, inverse=('momentum', (0.85, 0.95))))
    trainer.extend(extensions.LinearShift('momentum', (0.5, 0.9), (0, 5)))
    with pytest.raises(ValueError, match=r'^LinearShift and CLR both move momentum, and their order would decide its value; '):
        trainer.run()


def test_another_schedule_of_the_same_optimizer_is_refused_however_it_is_given():
    optimizer = optimizers.SGD()
    trainer = make_trainer(optimizer, 3)
    trainer.extend(CLR('lr', (0.01, 0.1), 4))
    trainer.extend(extensions.StepShift('lr', 0.1, 3, optimizer=optimizer))
    with pytest.raises(ValueError, match=r'^StepShift and CLR both move lr, '):
        trainer.run()


def test_a_schedule_of_the_optimizer_that_a_multi_node_optimizer_holds_is_refused():
    actual = optimizers.SGD()
    trainer = make_trainer(multi_node(actual), 3)
    trainer.extend(CLR('lr', (0.01, 0.1), 4))
    trainer.extend(extensions.StepShift('lr', 0.1, 3, optimizer=actual))
    with pytest.raises(ValueError, match=r'^StepShift and CLR both move lr, '):
        trainer.run()


def test_schedules_of_other_attributes_and_other_optimizers_are_none_of_its_business(recwarn):
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 5)
    trainer.extend(CLR('lr', (0.0, 1.0), 2))
    trainer.extend(extensions.StepShift('momentum', 0.5, 2, init=0.5))
    trainer.extend(CLR('lr', (0.1, 0.2), 4, optimizer=optimizers.SGD()))
    assert run(trainer, optimizer, 'lr') == [0.0, 0.5, 1.0, 0.5, 0.0]
    assert not recwarn


def halve_at(iteration):
    def halve(trainer):
        if trainer.updater.iteration == iteration:
            trainer.updater.get_optimizer('main').lr *= 0.5

    return halve


@pytest.mark.parametrize('last', [False, True])
def test_an_attribute_that_the_user_s_code_sets_is_noticed_once_and_set_anew(last):
    optimizer = optimizers.SGD()
    trainer = make_trainer(optimizer, 8)
    steps = [CLR('lr', (0.0, 1.0), 4), halve_at(2)]
    for one in steps if last else reversed(steps):
        trainer.extend(one)
    trainer.extend(halve_at(6), name='later')
    trainer.extend(extensions.LogReport(trigger=(1, 'iteration')))
    with pytest.warns(UserWarning) as caught:
        used = run(trainer, optimizer, 'lr')
    (warning,) = caught
    found, calls, meant = (0.25, 2, 0.5) if last else (0.125, 1, 0.25)
    assert str(warning.message) == (
        f'lr is {found} after {calls} calls of CLR, which had set {meant}: something else moves it too, and CLR sets it anew '
        'in each call; take one of them out of the training '
        '(it may be: halve, later, record, the updater, hooks of the optimizer)'
    )
    assert used[3:6] == [0.75, 1.0, 0.75]  # the reference goes on as if nothing had been


def test_an_attribute_that_the_updater_sets_is_noticed():
    class OwnRate(updaters.StandardUpdater):
        def update_core(self):
            self.get_optimizer('main').lr = 0.3
            super().update_core()

    trainer = make_trainer(optimizers.SGD(), 3)
    updater = OwnRate(SerialIterator(dataset(), 2), trainer.updater.get_optimizer('main'))
    trainer = training.Trainer(updater, (3, 'iteration'))
    trainer.extend(CLR('lr', (0.1, 1.0), 4))
    with pytest.warns(UserWarning, match=r'^lr is 0.3 after 0 calls of CLR, which had set 0.1: .* \(it may be: the updater, '):
        trainer.run()


def test_what_moves_along_is_watched_too():
    optimizer = optimizers.MomentumSGD()
    trainer = make_trainer(optimizer, 3)
    trainer.extend(CLR('lr', (0.0, 1.0), 4, inverse=('momentum', (0.5, 1.0))))
    trainer.extend(lambda _: setattr(optimizer, 'momentum', 0.9), name='mine')
    with pytest.warns(UserWarning, match=r'^momentum is 0.9 after 1 calls of CLR, which had set 0.875: '):
        trainer.run()


def test_a_trigger_that_is_seldom_notices_at_the_next_call():
    trainer = make_trainer(optimizers.SGD(), 7)
    trainer.extend(CLR('lr', (0.0, 1.0), 4), trigger=(1, 'epoch'))
    trainer.extend(halve_at(4))
    with pytest.warns(UserWarning, match=r'^lr is 0.125 after 1 calls of CLR, which had set 0.25: '):
        trainer.run()


def test_an_optimizer_that_rounds_what_it_is_given_is_left_alone():
    class Single(optimizers.SGD):
        @property
        def lr(self):
            return self.hyperparam.lr

        @lr.setter
        def lr(self, value):
            self.hyperparam.lr = numpy.float32(value)

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert used_values(CLR('lr', (0.0, 0.3), 3), 4, optimizer=Single()) == pytest.approx([0.0, 0.1, 0.2, 0.3])


# ---- errors


def no_number(step, value_range, step_size):
    return 'fast'


def nothing(step, value_range, step_size):
    return math.nan


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf, numpy.float32('nan')])
def test_a_value_that_is_not_finite_is_refused_when_it_occurs(value):
    trainer = make_trainer(optimizers.SGD(lr=77.0), 9)
    trainer.extend(CLR('lr', (0.1, 1.0), 4, lambda step, value_range, step_size: value if step == 3 else 0.1))
    with pytest.raises(ValueError, match=r'^policy must return a finite number; it does not at step 3$'):
        trainer.run(show_loop_exception_msg=False)
    assert trainer.updater.iteration == 3
    assert trainer.updater.get_optimizer('main').lr == 0.1


def test_a_value_that_is_no_number_is_refused_when_it_occurs():
    trainer = make_trainer(optimizers.SGD(), 9)
    trainer.extend(CLR('lr', (0.1, 1.0), 4, lambda step, value_range, step_size: None if step == 3 else 0.1))
    with pytest.raises(ValueError, match=r'^policy must be callable as .* and return a number: float\(\) argument must be '):
        trainer.run(show_loop_exception_msg=False)


ALL_POLICIES = (
    "'triangular', 'triangular2', 'exp_range', 'one_cycle', 'cosine', 'wsd', 'cyclic_wsd', 'polynomial', 'inverse_sqrt'"
)
NOT_TWO = 'value_range must be two numbers, such as (0.01, 0.1), not '
NOT_FINITE = 'value_range must be finite and not negative, not '
NOT_CALLS = 'must be a number of calls, 1 or more, not '
NOT_POLICY = f'; use {ALL_POLICIES}, or a function policy(step, value_range, step_size)'
NOT_ATTR = "attr must be the name of an attribute of the optimizer, such as 'lr' or 'alpha', not "
NOT_OPTIONS = "options must be a dictionary by names, such as {'t_mult': 2}, not "
NOT_INVERSE = "inverse must be another attribute than 'lr' and its bounds, such as ('momentum', (0.85, 0.95)), not "


@pytest.mark.parametrize(
    'change, message',
    [
        ({'attr': None}, NOT_ATTR + 'None'),
        ({'attr': 3}, NOT_ATTR + '3'),
        ({'attr': ''}, NOT_ATTR + "''"),
        ({'attr': optimizers.SGD}, NOT_ATTR + "<class 'chainer.optimizers.sgd.SGD'>"),
        ({'value_range': 0.1}, NOT_TWO + '0.1'),
        ({'value_range': (0.1,)}, NOT_TWO + '(0.1,)'),
        ({'value_range': (0.1, 0.2, 0.3)}, NOT_TWO + '(0.1, 0.2, 0.3)'),
        ({'value_range': (0.1, 'a lot')}, NOT_TWO + "(0.1, 'a lot')"),
        ({'value_range': '12'}, NOT_TWO + "'12'"),
        ({'value_range': None}, NOT_TWO + 'None'),
        ({'value_range': ('0', '1')}, NOT_TWO + "('0', '1')"),
        ({'value_range': (b'0', b'1')}, NOT_TWO + "(b'0', b'1')"),
        ({'value_range': (True, 2)}, NOT_TWO + '(True, 2)'),
        ({'value_range': {0: 1, 1: 2}}, NOT_TWO + '{0: 1, 1: 2}'),
        ({'value_range': {0.5}}, NOT_TWO + '{0.5}'),
        ({'proportional': 'no'}, "proportional must be True or False, not 'no'"),
        (
            {'policy': lambda step, value_range, step_size: {}[step]},
            'policy must be callable as policy(step, value_range, step_size) and return a number: KeyError(0)',
        ),
        ({'value_range': (0, 10**400)}, NOT_TWO + f'(0, {10**400})'),
        ({'value_range': (-0.1, 0.1)}, NOT_FINITE + '(-0.1, 0.1)'),
        ({'value_range': (0.1, math.inf)}, NOT_FINITE + '(0.1, inf)'),
        ({'value_range': (math.nan, 0.1)}, NOT_FINITE + '(nan, 0.1)'),
        ({'step_size': 0}, 'step_size ' + NOT_CALLS + '0'),
        ({'step_size': 0.5}, 'step_size ' + NOT_CALLS + '0.5'),
        ({'step_size': -3}, 'step_size ' + NOT_CALLS + '-3'),
        ({'step_size': math.inf}, 'step_size ' + NOT_CALLS + 'inf'),
        ({'step_size': math.nan}, 'step_size ' + NOT_CALLS + 'nan'),
        ({'step_size': '3'}, 'step_size ' + NOT_CALLS + "'3'"),
        ({'step_size': None}, 'step_size ' + NOT_CALLS + 'None'),
        ({'step_size': True}, 'step_size ' + NOT_CALLS + 'True'),
        ({'step_size_down': 0}, 'step_size_down ' + NOT_CALLS + '0'),
        ({'policy': 'triangle'}, "unknown policy 'triangle'" + NOT_POLICY),
        ({'policy': None}, 'unknown policy None' + NOT_POLICY),
        ({'policy': ['triangular']}, "unknown policy ['triangular']" + NOT_POLICY),
        ({'gamma': -0.1}, 'gamma must be a number from 0 to 1, not -0.1'),
        ({'gamma': 1.1}, 'gamma must be a number from 0 to 1, not 1.1'),
        ({'gamma': math.nan}, 'gamma must be a number from 0 to 1, not nan'),
        ({'gamma': 'half'}, "gamma must be a number from 0 to 1, not 'half'"),
        (
            {'policy': lambda: 0.1},
            'policy must be callable as policy(step, value_range, step_size) and return a number: '
            '<lambda>() takes 0 positional arguments but 3 were given',
        ),
        (
            {'policy': sawtooth, 'step_size_down': 3},
            'policy must be callable as policy(step, value_range, step_size) and return a number: '
            "sawtooth() got an unexpected keyword argument 'step_size_down'",
        ),
        (
            {'policy': no_number},
            'policy must be callable as policy(step, value_range, step_size) and return a number: '
            "could not convert string to float: 'fast'",
        ),
        ({'policy': nothing}, 'policy must return a finite number; it does not at step 0'),
        ({'policy': policies.joined(['wsd', nothing], [50])}, 'policy must return a finite number; it does not at step 50'),
        (
            {'policy': policies.joined(['wsd', policies.warmed_up(policies.part('cosine', t_mult=0.5), 7)], [50])},
            't_mult must be 1 or more, not 0.5',
        ),
        ({'policy': 'cosine', 'options': {'t_mul': 2}}, "'cosine' has no option 't_mul'; it has t_mult, cycle_decay"),
        (
            {'policy': 'wsd', 'options': {'step_size': 2}},
            "'wsd' has no option 'step_size'; it has warmup_steps, cooldown_steps",
        ),
        ({'options': {'gamma': 0.5}}, "'triangular' has no option 'gamma'; it has none"),
        ({'policy': 'cosine', 'options': {'t_mult': '2'}}, "t_mult must be 1 or more, not '2'"),
        ({'policy': 'cosine', 'options': {'t_mult': None}}, 't_mult must be 1 or more, not None'),
        ({'policy': 'polynomial', 'options': {'power': -1}}, 'power must be 0 or more, not -1'),
        (
            {'policy': 'wsd', 'options': {'warmup_steps': 7}},
            'warmup_steps and cooldown_steps must fit into 8 steps; they are 7 and 1.6',
        ),
        ({'policy': 'cosine', 'options': 'fast'}, NOT_OPTIONS + "'fast'"),
        ({'policy': 'cosine', 'options': {3: 4}}, NOT_OPTIONS + '{3: 4}'),
        ({'policy': 'exp_range', 'options': {'gamma': 2}}, 'gamma must be a number from 0 to 1, not 2'),
        (
            {'policy': 'exp_range', 'gamma': 0.5, 'options': {'gamma': 0.5}},
            'gamma must be given once, not as an argument and in options',
        ),
        (
            {'policy': 'warmed_up'},
            "options of 'warmed_up': missing a required argument: 'policy'; they are policy, steps, start_factor",
        ),
        (
            {'policy': 'joined', 'options': {'policies': ['wsd'], 'boundary': []}},
            "options of 'joined': missing a required argument: 'boundaries'; they are policies, boundaries",
        ),
        ({'policy': 'warmed_up', 'options': {'policy': 'nope', 'steps': 3}}, "unknown policy 'nope'" + NOT_POLICY),
        ({'inverse': 'momentum'}, NOT_INVERSE + "'momentum'"),
        ({'inverse': ('', (0.1, 0.2))}, NOT_INVERSE + "('', (0.1, 0.2))"),
        ({'inverse': ('lr', (0.1, 0.2))}, NOT_INVERSE + "('lr', (0.1, 0.2))"),
        ({'inverse': (0.85, 0.95)}, NOT_INVERSE + '(0.85, 0.95)'),
        ({'inverse': ('momentum', 0.9)}, 'the range of inverse must be two numbers, such as (0.01, 0.1), not 0.9'),
        ({'inverse': ('momentum', (-1, 1))}, 'the range of inverse must be finite and not negative, not (-1, 1)'),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(change, message):
    arguments = {'attr': 'lr', 'value_range': (0.01, 0.1), 'step_size': 4, **change}
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        CLR(**arguments)


WRONG_ATTRIBUTES = [
    (
        optimizers.Adam,
        {'attr': 'lr'},
        "Adam has no attribute 'lr' that can be set; "
        "use 'alpha' (others: beta1, beta2, eps, eta, final_lr, gamma, weight_decay_rate)",
    ),
    (optimizers.AdaDelta, {'attr': 'lr'}, "AdaDelta has no attribute 'lr' that can be set; it has eps, rho"),
    (optimizers.SGD, {'attr': 'momentum'}, "SGD has no attribute 'momentum' that can be set; use 'lr'"),
    (
        optimizers.MomentumSGD,
        {'attr': 'learning_rate'},
        "MomentumSGD has no attribute 'learning_rate' that can be set; use 'lr' (others: momentum)",
    ),
    (
        optimizers.MomentumSGD,
        {'attr': 'setup'},
        "MomentumSGD has no attribute 'setup' that can be set; use 'lr' (others: momentum)",
    ),
    (
        optimizers.SGD,
        {'attr': 'lr', 'inverse': ('momentum', (0.85, 0.95))},
        "SGD has no attribute 'momentum' that can be set; use 'lr'",
    ),
]


@pytest.mark.parametrize('kind, arguments, message', WRONG_ATTRIBUTES)
def test_an_attribute_that_can_not_be_set_is_refused_before_the_first_update(kind, arguments, message):
    trainer = make_trainer(kind(), 2)
    trainer.extend(CLR(value_range=(0.01, 0.1), step_size=4, **arguments))
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        trainer.run()
    assert trainer.updater.iteration == 0


@pytest.mark.parametrize('kind, arguments, message', WRONG_ATTRIBUTES)
def test_an_attribute_of_a_given_optimizer_is_refused_at_once(kind, arguments, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        CLR(value_range=(0.01, 0.1), step_size=4, optimizer=kind(), **arguments)
