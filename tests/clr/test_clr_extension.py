"""CLR in real trainers: the values each update uses, resumed runs, and every error."""

import functools
import math
import re
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
    ],
)
def test_every_policy_is_known_by_its_name(policy, expected):
    assert used_values(CLR('lr', (0.0, 1.0), 2, policy), 7) == pytest.approx(expected, abs=1e-15)


def test_gamma_is_that_of_exp_range():
    assert used_values(CLR('lr', (0.0, 1.0), 2, 'exp_range', 0.5), 6) == [0.0, 0.25, 0.25, 0.0625, 0.0, 0.015625]


def test_a_gamma_of_zero_is_not_an_absent_one():
    assert used_values(CLR('lr', (0.25, 1.0), 2, 'exp_range', gamma=0), 6) == [0.25] * 6


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


def test_a_multi_node_optimizer_moves_the_one_it_holds():
    chainermn_optimizers = pytest.importorskip('chainermn.optimizers')

    class Workers:
        bcast_data = multi_node_mean_grad = staticmethod(lambda *args: None)

    actual = optimizers.Adam()
    wrapper = chainermn_optimizers._MultiNodeOptimizer(actual, Workers(), zero_fill=False).setup(classifier())
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
            'extensions/CLR/_t', 'extensions/CLR/_last_value', 'extensions/CLR_1/_t', 'extensions/CLR_1/_last_value',
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


# ---- errors


def no_number(step, value_range, step_size):
    return 'fast'


def nothing(step, value_range, step_size):
    return math.nan


ALL_POLICIES = "'triangular', 'triangular2', 'exp_range', 'one_cycle', 'cosine'"
NOT_TWO = 'value_range must be two numbers, such as (0.01, 0.1), not '
NOT_FINITE = 'value_range must be finite and not negative, not '
NOT_CALLS = 'must be a number of calls, 1 or more, not '
NOT_POLICY = f'; use {ALL_POLICIES}, or a function policy(step, value_range, step_size)'
NOT_INVERSE = "inverse must be another attribute than 'lr' and its bounds, such as ('momentum', (0.85, 0.95)), not "


@pytest.mark.parametrize(
    'change, message',
    [
        ({'value_range': 0.1}, NOT_TWO + '0.1'),
        ({'value_range': (0.1,)}, NOT_TWO + '(0.1,)'),
        ({'value_range': (0.1, 0.2, 0.3)}, NOT_TWO + '(0.1, 0.2, 0.3)'),
        ({'value_range': (0.1, 'a lot')}, NOT_TWO + "(0.1, 'a lot')"),
        ({'value_range': '12'}, NOT_TWO + "'12'"),
        ({'value_range': None}, NOT_TWO + 'None'),
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
        ({'inverse': 'momentum'}, NOT_INVERSE + "'momentum'"),
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
