"""The policies as a specification: values by hand, PyTorch's formula in exact arithmetic, and properties."""

import functools
import math
import pickle
from decimal import Decimal, localcontext
from fractions import Fraction

from clr.policies import (
    DEFAULT_GAMMA,
    LENGTHS,
    POLICIES,
    cosine,
    cyclic_wsd,
    exp_range,
    inverse_sqrt,
    is_endless,
    joined,
    length_of,
    named,
    one_cycle,
    part,
    parted,
    polynomial,
    step_size_of,
    triangular,
    triangular2,
    warmed_up,
    with_options,
    wsd,
)

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# A slow machine is no fault of the policies'.
settings.register_profile('patient', deadline=None)
settings.load_profile('patient')

RANGE = (0.001, 0.1)

bounds = st.floats(0, 1e300)
ranges = st.tuples(bounds, bounds)
whole_sizes = st.integers(1, 10**6)
sizes = whole_sizes | st.floats(1, 1e6)
steps = st.integers(0, 10**9)
policies = st.sampled_from(list(POLICIES.values()))
FALLING = [cosine, polynomial, inverse_sqrt]  # these start at the second bound


def values(policy, count, *args, **options):
    return [policy(step, *args, **options) for step in range(count)]


# ---- the values, by hand


@pytest.mark.parametrize(
    'policy, expected',
    [
        (triangular, [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0]),
        (triangular2, [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.125, 0.25, 0.375, 0.5, 0.375, 0.25, 0.125, 0.0]),
        (
            functools.partial(exp_range, gamma=0.5),
            [0.0, 0.25 / 2, 0.5 / 4, 0.75 / 8, 1.0 / 16, 0.75 / 32, 0.5 / 64, 0.25 / 128, 0.0, 0.25 / 512, 0.5 / 1024],
        ),
    ],
)
def test_the_values_of_the_paper_s_policies(policy, expected):
    assert values(policy, len(expected), (0.0, 1.0), 4) == expected


def test_half_cycles_may_differ():
    assert values(triangular, 13, (0.0, 12.0), 2, 4) == [0.0, 6.0, 12.0, 9.0, 6.0, 3.0] * 2 + [0.0]
    assert values(triangular2, 13, (0.0, 12.0), 2, 4) == [0, 6, 12, 9, 6, 3, 0, 3, 6, 4.5, 3, 1.5, 0]
    assert values(triangular, 7, (0.0, 12.0), 4, step_size_down=2) == [0.0, 3.0, 6.0, 9.0, 12.0, 6.0, 0.0]


def test_a_range_may_descend_as_that_of_the_momentum():
    assert values(triangular, 5, (1.0, 0.5), 2) == [1.0, 0.75, 0.5, 0.75, 1.0]
    assert values(triangular2, 9, (1.0, 0.5), 2) == [1.0, 0.75, 0.5, 0.75, 1.0, 0.875, 0.75, 0.875, 1.0]


def test_the_shortest_cycle_alternates():
    assert values(triangular, 6, (0.0, 1.0), 1) == [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]


def test_half_cycles_need_not_be_whole_numbers_of_steps():
    assert values(triangular, 6, (0.0, 1.0), 2.5) == pytest.approx([0.0, 0.4, 0.8, 0.8, 0.4, 0.0])
    assert triangular(1.25, (0.0, 1.0), 2.5) == 0.5


def test_gamma_shrinks_the_amplitude_by_default_to_three_quarters_in_5000_steps():
    assert exp_range(5000, (0.0, 1.0), 5000) == pytest.approx(math.exp(5000 * math.log(0.99994)), rel=1e-12)


def test_a_gamma_of_zero_leaves_nothing_of_the_cycles():
    assert values(exp_range, 9, (0.25, 1.0), 2, gamma=0) == [0.25] * 9


def test_a_gamma_of_one_leaves_them_whole():
    assert values(exp_range, 50, RANGE, 7, gamma=1) == values(triangular, 50, RANGE, 7)


# ---- PyTorch's CyclicLR, in exact arithmetic


def cyclic_lr(step, size_up, size_down, scale):
    """The value that torch.optim.lr_scheduler.CyclicLR has after so many steps; ``scale`` is its scale_fn at that step."""
    low, high = map(Fraction, RANGE)
    total = size_up + size_down
    ratio = Fraction(size_up, total)
    x = Fraction(step, total) - step // total
    height = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
    return low + (high - low) * height * scale


@pytest.mark.parametrize('size_up, size_down', [(2000, 2000), (37, 11), (3, 1000)])
def test_the_policies_agree_with_pytorch_over_10000_steps(size_up, size_down):
    with localcontext() as context:
        context.prec = 60
        power = Decimal(1)
        for step in range(10_000):
            cycle = step // (size_up + size_down)
            for policy, scale in ((triangular, 1), (triangular2, Fraction(1, 2**cycle)), (exp_range, Fraction(power))):
                expected = cyclic_lr(step, size_up, size_down, scale)
                assert abs(Fraction(policy(step, RANGE, size_up, size_down)) - expected) <= Fraction(1, 10**12)
            power *= Decimal(DEFAULT_GAMMA)


# ---- one cycle, and cosine annealing


def test_one_cycle_falls_far_below_the_first_bound_and_stays_there():
    schedule = functools.partial(one_cycle, value_range=(0.5, 1.0), step_size=2, step_size_down=4)
    tail = functools.partial(schedule, step_size_final=4, final_ratio=0.125)
    assert values(tail, 13) == [0.5, 0.75, 1.0, 0.875, 0.75, 0.625, 0.5, 0.390625, 0.28125, 0.171875, 0.0625, 0.0625, 0.0625]


def test_one_cycle_ends_by_default_after_an_eighth_of_the_cycle_at_a_ten_thousandth():
    assert one_cycle(1600, RANGE, 800) == 0.001
    assert one_cycle(1700, RANGE, 800) == pytest.approx(0.001 * (1 + 1e-4) / 2)
    assert one_cycle(1800, RANGE, 800) == one_cycle(10**9, RANGE, 800) == 0.001 * 1e-4


@given(sizes, sizes, steps)
def test_one_cycle_is_triangular_at_first_and_never_rises_afterwards(size_up, size_down, step):
    value = one_cycle(step, RANGE, size_up, size_down)
    if step <= size_up + size_down:
        assert value == triangular(step, RANGE, size_up, size_down)
    else:
        assert 0.001 * 1e-4 <= one_cycle(step + 1, RANGE, size_up, size_down) <= value <= 0.001


def annealing(cycles):
    """Equation 5 of SGDR for cycles of the given lengths, between 0 and 1."""
    return [0.5 * (1 + math.cos(math.pi * t_cur / t_i)) for t_i in cycles for t_cur in range(t_i)]


@pytest.mark.parametrize(
    't_mult, cycles', [(1, [20] * 9), (2, [20, 40, 80, 160, 320]), (3, [20, 60, 180, 540]), (1.5, [20, 30, 45])]
)
def test_cosine_is_equation_5_of_sgdr(t_mult, cycles):
    expected = annealing(cycles)
    assert values(cosine, len(expected), (0.0, 1.0), 10, t_mult=t_mult) == pytest.approx(expected, abs=1e-15)
    assert values(cosine, len(expected), (0.0, 1.0), 5, 15, t_mult=t_mult) == pytest.approx(expected, abs=1e-15)


def test_cosine_starts_and_restarts_at_exactly_the_second_bound():
    restarts = [0, 6, 18, 42, 90, 186]
    assert [cosine(step, RANGE, 3, t_mult=2) for step in restarts] == [0.1] * 6
    assert all(cosine(step - 1, RANGE, 3, t_mult=2) < 0.01 for step in restarts[1:])


def test_cosine_of_a_descending_range_rises():
    assert values(cosine, 4, (1.0, 0.0), 1) == pytest.approx([0.0, 0.5, 0.0, 0.5])


@pytest.mark.parametrize('t_mult', [0.5, 0, -1, math.nan])
def test_cycles_of_cosine_may_not_grow_shorter(t_mult):
    with pytest.raises(ValueError, match=f'^t_mult must be 1 or more, not {t_mult}$'):
        cosine(3, RANGE, 2, t_mult=t_mult)


def test_each_restart_of_cosine_is_lower_by_the_decay():
    halved = functools.partial(cosine, value_range=(0.0, 1.0), step_size=1, cycle_decay=0.5)
    assert values(halved, 8) == [1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]
    assert [halved(step, t_mult=2) for step in (0, 2, 6, 14)] == [1.0, 0.5, 0.25, 0.125]
    assert cosine(3, (0.25, 1.0), 1, cycle_decay=0.5) == 0.375  # halfway between 0.25 and 0.5


def test_a_restart_of_cosine_is_never_below_the_first_bound():
    assert values(cosine, 8, (0.25, 1.0), 1, cycle_decay=0.5)[4:] == [0.25] * 4
    assert values(cosine, 6, (0.25, 1.0), 1, cycle_decay=0) == [1.0, 0.625] + [0.25] * 4


@pytest.mark.parametrize('t_mult, cycle_decay', [(1, 0.5), (2, 0.5), (3, 0.9), (1, 1)])
def test_cosine_is_the_cosine_scheduler_of_timm(t_mult, cycle_decay):
    for step in range(500):
        cycle, length, since = 0, 20, step
        while since >= length:
            cycle, length, since = cycle + 1, length * t_mult, since - length
        lr_max = 0.1 * cycle_decay**cycle
        expected = 0.5 * lr_max * (1 + math.cos(math.pi * since / length))  # lr_min=0, cycle_limit without an end
        assert cosine(step, (0.0, 0.1), 10, t_mult=t_mult, cycle_decay=cycle_decay) == pytest.approx(expected, abs=1e-15)


def test_a_descending_range_has_no_maximum_that_could_decay():
    message = r'cycle_decay lowers the second bound, so it must not be the lower one already: \(1.0, 0.5\)'
    with pytest.raises(ValueError, match=f'^{message}$'):
        cosine(0, (1.0, 0.5), 2, cycle_decay=0.5)


# ---- warm up, hold, cool down


def test_wsd_warms_up_holds_and_cools_down_by_1_minus_sqrt():
    schedule = functools.partial(wsd, warmup_steps=2, cooldown_steps=4)
    falling = [1.0, 0.5, 1 - 0.5**0.5, 1 - 0.75**0.5, 0.0]
    assert values(schedule, 12, (0.0, 1.0), 5) == [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, *falling, 0.0]
    assert values(schedule, 12, (0.0, 1.0), 3, 7) == values(schedule, 12, (0.0, 1.0), 5)
    assert values(schedule, 11, (0.5, 1.0), 5)[:3] == [0.5, 0.75, 1.0]


def test_wsd_warms_up_for_a_tenth_and_cools_down_for_a_fifth_by_default():
    assert values(wsd, 100, RANGE, 50) == values(wsd, 100, RANGE, 50, warmup_steps=10, cooldown_steps=20)


@pytest.mark.parametrize(
    'warmup, cooldown, expected',
    [
        (0, 0, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
        (0, 4, [1.0, 0.5, 1 - 0.5**0.5, 1 - 0.75**0.5, 0.0, 0.0]),
        (4, 0, [0.0, 0.25, 0.5, 0.75, 0.0, 0.0]),
        (3, 1, [0.0, 1 / 3, 2 / 3, 1.0, 0.0, 0.0]),
        (0.5, 0, [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
    ],
)
def test_wsd_needs_no_part_but_its_end(warmup, cooldown, expected):
    assert values(wsd, 6, (0.0, 1.0), 2, warmup_steps=warmup, cooldown_steps=cooldown) == expected


def wsd_of_transformers(step, warmup, cooldown, length, min_lr_ratio):
    """get_wsd_schedule(warmup_type='linear', decay_type='1-sqrt'), as its documentation has it."""
    if step < warmup:
        height = step / warmup
    elif step < length - cooldown:
        height = 1.0
    else:
        height = 1 - math.sqrt((step - (length - cooldown)) / cooldown) if step < length else 0.0
    return height * (1 - min_lr_ratio) + min_lr_ratio


@pytest.mark.parametrize('warmup, cooldown', [(20, 40), (0, 120), (60, 60), (1, 1)])
def test_wsd_is_that_of_transformers(warmup, cooldown):
    for step in range(250):
        expected = 0.1 * wsd_of_transformers(step, warmup, cooldown, 120, 0.25)
        ours = wsd(step, (0.025, 0.1), 60, warmup_steps=warmup, cooldown_steps=cooldown)
        assert ours == pytest.approx(expected, abs=1e-15)


@given(st.sampled_from([wsd, cyclic_wsd]), ranges, st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 10**6))
def test_wsd_meets_its_bounds_exactly_at_its_joints(policy, value_range, warmup, hold, cooldown):
    length = warmup + hold + cooldown
    schedule = functools.partial(policy, warmup_steps=warmup, cooldown_steps=cooldown)
    at = {step: schedule(step, value_range, 1, length - 1) for step in (0, warmup, warmup + hold, length)}
    first, second = value_range
    assert at[warmup] == at[warmup + hold] == second
    assert at[0] == (first if warmup else second)
    assert at[length] == (second if policy is cyclic_wsd and not warmup else first)


@given(st.integers(0, 300), whole_sizes, st.integers(0, 5))
def test_cyclic_wsd_is_wsd_again_in_each_cycle(step, size, cycle):
    step %= 2 * size
    assert cyclic_wsd(step + 2 * size * cycle, RANGE, size) == wsd(step, RANGE, size)


def test_cyclic_wsd_without_a_warm_up_goes_straight_back():
    schedule = functools.partial(cyclic_wsd, warmup_steps=0, cooldown_steps=1)
    assert values(schedule, 9, (0.0, 1.0), 1, 2) == [1.0] * 9
    assert values(functools.partial(cyclic_wsd, warmup_steps=0, cooldown_steps=4), 5, (0.0, 1.0), 2)[3:] == [1 - 0.75**0.5, 1.0]


# ---- decay


def test_polynomial_falls_to_the_first_bound_and_stays_there():
    assert values(polynomial, 6, (0.0, 1.0), 2) == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    assert values(polynomial, 6, (0.5, 1.0), 1, 3, power=2) == [1.0, 0.78125, 0.625, 0.53125, 0.5, 0.5]
    assert values(polynomial, 5, (1.0, 0.5), 1, power=1) == [0.5, 0.75, 1.0, 1.0, 1.0]


@pytest.mark.parametrize('power', [0.5, 0.9, 1, 2])
def test_polynomial_is_that_of_optax_torch_and_timm(power):
    for step in range(250):
        expected = (0.1 - 0.01) * (1 - min(step, 120) / 120) ** power + 0.01
        assert polynomial(step, (0.01, 0.1), 50, 70, power=power) == pytest.approx(expected, abs=1e-15)


def test_inverse_sqrt_falls_as_one_over_the_root():
    schedule = functools.partial(inverse_sqrt, timescale=2)
    assert [schedule(step, (0.0, 1.0), 5) for step in (0, 6, 16, 30)] == [1.0, 0.5, 1 / 3, 0.25]
    assert [schedule(step, (0.5, 1.0), 5) for step in (0, 6, 30)] == [1.0, 0.75, 0.625]


def test_inverse_sqrt_is_a_fifth_above_the_first_bound_after_one_cycle_by_default():
    assert inverse_sqrt(240, (0.0, 1.0), 120) == inverse_sqrt(240, (0.0, 1.0), 40, 200) == 0.2


@pytest.mark.parametrize('warmup, timescale', [(20, 20), (10, 50), (0, 100)])
def test_inverse_sqrt_after_a_warm_up_is_that_of_transformers(warmup, timescale):
    schedule = warmed_up(functools.partial(inverse_sqrt, timescale=timescale), warmup)
    for step in range(250):
        height = step / warmup if step < warmup else 1 / math.sqrt((step + timescale - warmup) / timescale)
        assert schedule(step, (0.0, 0.1), 60) == pytest.approx(0.1 * height, abs=1e-15)


@given(st.sampled_from([wsd, polynomial]), ranges, sizes, sizes | st.none(), st.integers(0, 10**6))
def test_a_policy_that_ends_stays_at_the_first_bound(policy, value_range, size_up, size_down, after):
    end = math.ceil(size_up + (size_up if size_down is None else size_down))
    assert policy(end + after, value_range, size_up, size_down) == value_range[0]


@given(st.sampled_from([polynomial, inverse_sqrt]), sizes, steps)
def test_a_decay_never_rises(policy, size, step):
    assert policy(step + 1, RANGE, size) <= policy(step, RANGE, size)


@pytest.mark.parametrize('name', LENGTHS)
def test_a_policy_that_ends_does_not_move_after_its_length_but_right_before(name):
    end = 1000 * LENGTHS[name]
    last = POLICIES[name](end, RANGE, 1000)
    assert POLICIES[name](end - 1, RANGE, 1000) > last
    if name == 'inverse_sqrt':  # alone, it goes on for ever
        assert last == pytest.approx(0.001 + 0.2 * 0.099)
    else:
        assert POLICIES[name](end + 1, RANGE, 1000) == POLICIES[name](10 * end, RANGE, 1000) == last


# ---- made of others


def test_a_warm_up_rises_to_the_first_value_and_the_policy_counts_from_there():
    assert values(warmed_up('polynomial', 2), 7, (0.5, 1.0), 1) == [0.0, 0.5, 1.0, 0.75, 0.5, 0.5, 0.5]
    assert values(warmed_up('triangular', 2, 0.5), 7, (0.5, 1.0), 1) == [0.25, 0.375, 0.5, 1.0, 0.5, 1.0, 0.5]
    assert values(warmed_up(sawtooth, 2, start_factor=1), 5, (0.5, 1.0), 2) == [0.5, 0.5, 0.5, 1.5, 0.5]


def sawtooth(step, value_range, step_size):
    return value_range[0] + step % step_size


@given(policies, ranges, sizes, sizes | st.none(), st.integers(1, 10**6), st.floats(0, 1), steps)
def test_a_warm_up_is_right_at_its_ends_and_stays_between_them(policy, value_range, up, down, length, factor, step):
    warm = warmed_up(policy, length, factor)
    start = policy(0, value_range, up, down)
    assert warm(0, value_range, up, down) == start * factor
    assert warm(length, value_range, up, down) == start
    assert start * factor <= warm(step % length, value_range, up, down) <= start
    assert warm(length + step, value_range, up, down) == policy(step, value_range, up, down)


def test_no_warm_up_is_the_policy_itself():
    assert warmed_up('cosine', 0) is cosine


def test_joined_policies_count_from_their_own_boundaries():
    three = joined(['triangular', polynomial, sawtooth], [4, 7])
    assert values(three, 11, (0.0, 1.0), 2) == [0.0, 0.5, 1.0, 0.5, 1.0, 0.75, 0.5, 0.0, 1.0, 0.0, 1.0]


def test_one_policy_alone_may_be_joined():
    assert values(joined(['cosine'], []), 9, RANGE, 2) == values(cosine, 9, RANGE, 2)


def test_a_part_may_have_a_range_a_length_and_options_of_its_own():
    both = joined([part('triangular', step_size=1, step_size_down=3), part('polynomial', (0.0, 0.5), 1, power=2)], [4])
    assert values(both, 8, (0.0, 3.0), 1000) == [0.0, 3.0, 2.0, 1.0, 0.5, 0.125, 0.0, 0.0]
    assert part('triangular')(3, (0.0, 12.0), 2, 4) == 9.0
    assert part('triangular', step_size=2)(3, (0.0, 12.0), 5, 4) == 6.0


def test_joined_policies_may_be_joined_again():
    inner = joined(['polynomial', 'triangular'], [2])
    outer = warmed_up(joined([inner, inner], [5]), 2)
    once = [1.0, 0.5, 0.0, 1.0, 0.0]
    assert values(outer, 12, (0.0, 1.0), 1) == [0.0, 0.5, *once, *once]


@given(
    st.lists(st.tuples(policies, st.integers(1, 1000)), min_size=1, max_size=4), policies, ranges, sizes, st.integers(0, 5000)
)
def test_a_joined_policy_has_the_values_of_its_parts(parts, last, value_range, size, step):
    boundaries = numpy.cumsum([length for _, length in parts]).tolist()
    whole = joined([*(policy for policy, _ in parts), last], boundaries)
    index = sum(boundary <= step for boundary in boundaries)
    policy = [*(policy for policy, _ in parts), last][index]
    assert whole(step, value_range, size) == policy(step - [0, *boundaries][index], value_range, size)


def test_what_is_made_of_others_takes_arrays_and_can_be_pickled():
    whole = warmed_up(joined(['cosine', part('wsd', (0.0, 0.5), 10, warmup_steps=3)], [20]), 5)
    expected = values(whole, 60, RANGE, 7)
    assert whole(numpy.arange(60), RANGE, 7).tolist() == expected
    assert values(pickle.loads(pickle.dumps(whole)), 60, RANGE, 7) == expected


@pytest.mark.parametrize(
    'make, message',
    [
        (lambda: joined(['cosine'], [5]), 'boundaries must be one fewer than the policies, not 1 for 1 policies'),
        (lambda: joined([], []), 'boundaries must be one fewer than the policies, not 0 for 0 policies'),
        (lambda: joined(['wsd', 'wsd'], []), 'boundaries must be one fewer than the policies, not 0 for 2 policies'),
        (lambda: joined(['wsd'] * 3, [7, 5]), 'boundaries must be numbers above 0 in ascending order, not [7, 5]'),
        (lambda: joined(['wsd'] * 3, [5, 5]), 'boundaries must be numbers above 0 in ascending order, not [5, 5]'),
        (lambda: joined(['wsd'] * 2, [0]), 'boundaries must be numbers above 0 in ascending order, not [0]'),
        (lambda: joined(['wsd'] * 2, [math.nan]), 'boundaries must be numbers above 0 in ascending order, not [nan]'),
        (lambda: joined(['wsd'] * 2, [math.inf]), 'boundaries must be numbers above 0 in ascending order, not [inf]'),
        (lambda: joined(['wsd'] * 2, ['5']), "boundaries must be numbers above 0 in ascending order, not ['5']"),
        (lambda: joined(['wsd'] * 2, [True]), 'boundaries must be numbers above 0 in ascending order, not [True]'),
        (lambda: joined(['wsd'] * 2, 5), 'boundaries must be a list, not 5'),
        (lambda: joined('wsd', []), "policies must be a list, not 'wsd'"),
        (lambda: warmed_up('wsd', -1), 'steps must be 0 or more, not -1'),
        (lambda: warmed_up('wsd', math.nan), 'steps must be 0 or more, not nan'),
        (lambda: warmed_up('wsd', math.inf), 'steps must be finite, not inf'),
        (lambda: warmed_up('wsd', '5'), "steps must be 0 or more, not '5'"),
        (lambda: warmed_up('wsd', None), 'steps must be 0 or more, not None'),
        (lambda: warmed_up('wsd', 5, 1.5), 'start_factor must be a number from 0 to 1, not 1.5'),
        (lambda: part('wsd', (0.1,)), 'value_range must be two numbers, such as (0.01, 0.1), not (0.1,)'),
        (lambda: part('wsd', step_size=0), 'step_size must be a number of calls, 1 or more, not 0'),
        (lambda: part('wsd', step_size_down=5), 'step_size_down must be given with step_size'),
        (lambda: part('wsd', warmup=5), "'wsd' has no option 'warmup'; it has warmup_steps, cooldown_steps"),
        (lambda: with_options(triangular, {'gamma': 1}), "'triangular' has no option 'gamma'; it has none"),
        (lambda: with_options(sawtooth, {'height': 1}), "'sawtooth' has no option 'height'; it has none"),
    ],
)
def test_wrong_parts_are_named_in_one_line(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize('make', [lambda: joined(['nope'], []), lambda: warmed_up('nope', 5), lambda: part('nope')])
def test_a_part_that_is_no_policy_is_named(make):
    with pytest.raises(ValueError, match=r"^unknown policy 'nope'; use 'triangular', .*, or a function policy\("):
        make()


# ---- options


@pytest.mark.parametrize(
    'policy, options, message',
    [
        (exp_range, {'gamma': 1.5}, 'gamma must be a number from 0 to 1, not 1.5'),
        (one_cycle, {'step_size_final': 0}, 'step_size_final must be 1 or more, not 0'),
        (one_cycle, {'final_ratio': -1}, 'final_ratio must be a number from 0 to 1, not -1'),
        (cosine, {'t_mult': '2'}, "t_mult must be 1 or more, not '2'"),
        (cosine, {'t_mult': math.inf}, 't_mult must be finite, not inf'),
        (cosine, {'cycle_decay': 1.5}, 'cycle_decay must be a number from 0 to 1, not 1.5'),
        (polynomial, {'power': -1}, 'power must be 0 or more, not -1'),
        (polynomial, {'power': None}, 'power must be 0 or more, not None'),
        (polynomial, {'power': True}, 'power must be 0 or more, not True'),
        (inverse_sqrt, {'timescale': 0}, 'timescale must be 1 or more, not 0'),
        *(
            (policy, options, message)
            for policy in (wsd, cyclic_wsd)
            for options, message in [
                ({'warmup_steps': -1}, 'warmup_steps must be 0 or more, not -1'),
                ({'cooldown_steps': math.nan}, 'cooldown_steps must be 0 or more, not nan'),
                (
                    {'warmup_steps': 7, 'cooldown_steps': 5},
                    'warmup_steps and cooldown_steps must fit into 10 steps; they are 7 and 5',
                ),
                ({'warmup_steps': 9}, 'warmup_steps and cooldown_steps must fit into 10 steps; they are 9 and 2'),
            ]
        ),
    ],
)
@pytest.mark.parametrize('step', [0, 3, numpy.arange(3), 10**6], ids=['first', 'early', 'array', 'late'])
def test_a_wrong_option_is_named_at_any_step(policy, options, message, step):
    with pytest.raises(ValueError) as caught:
        policy(step, RANGE, 5, **options)
    assert str(caught.value) == message


def test_an_option_is_checked_whether_it_is_named_or_not():
    with pytest.raises(ValueError, match=r'^gamma must be a number from 0 to 1, not 2$'):
        exp_range(3, RANGE, 5, None, 2)


# ---- what holds for every policy


@given(policies, ranges, sizes, sizes | st.none(), steps)
def test_no_value_lies_outside_of_the_bounds(policy, value_range, size_up, size_down, step):
    lowest = 0.0 if policy is one_cycle else min(value_range)
    assert lowest <= policy(step, value_range, size_up, size_down) <= max(value_range)


@given(ranges, sizes, steps, st.sampled_from([1, 1.5, 2, 3]), st.floats(0, 1))
def test_no_restart_lies_outside_of_the_bounds(value_range, size, step, t_mult, cycle_decay):
    low, high = sorted(value_range)
    assert low <= cosine(step, (low, high), size, t_mult=t_mult, cycle_decay=cycle_decay) <= high


@given(policies, ranges, sizes, sizes | st.none())
def test_a_policy_starts_at_the_first_bound_and_a_falling_one_at_the_second(policy, value_range, size_up, size_down):
    assert policy(0, value_range, size_up, size_down) == value_range[policy in FALLING]


@given(st.sampled_from([triangular, triangular2, one_cycle]), ranges, whole_sizes, whole_sizes)
def test_both_bounds_are_met_exactly(policy, value_range, size_up, size_down):
    assert policy(size_up, value_range, size_up, size_down) == value_range[1]
    assert policy(size_up + size_down, value_range, size_up, size_down) == value_range[0]


@given(st.sampled_from([policy for policy in POLICIES.values() if policy is not one_cycle]), bounds, sizes, steps)
def test_a_range_of_one_value_is_that_value(policy, bound, size, step):
    assert policy(step, (bound, bound), size) == bound


@given(ranges, whole_sizes, whole_sizes, steps, st.integers(1, 100))
def test_triangular_repeats_after_each_cycle(value_range, size_up, size_down, step, cycles):
    later = step + cycles * (size_up + size_down)
    assert triangular(later, value_range, size_up, size_down) == triangular(step, value_range, size_up, size_down)


@given(ranges, whole_sizes, st.integers(0, 10**6))
def test_triangular_is_symmetric_in_time(value_range, size, distance):
    distance %= size + 1
    assert triangular(size + distance, value_range, size) == triangular(size - distance, value_range, size)


@given(whole_sizes, st.integers(0, 60))
def test_the_peaks_of_triangular2_halve(size, cycle):
    assert triangular2(size * (2 * cycle + 1), (0.0, 1.0), size) == 0.5**cycle


@given(policies, ranges, sizes, sizes | st.none(), st.lists(steps, max_size=12), st.sampled_from([1, 2, 3]))
def test_an_array_has_the_values_of_its_steps_to_the_last_bit(policy, value_range, size_up, size_down, some, columns):
    array = numpy.array(some[: len(some) // columns * columns], dtype=numpy.int64).reshape(-1, columns)
    result = policy(array, value_range, size_up, size_down)
    assert result.dtype == numpy.float64 and result.shape == array.shape
    assert result.ravel().tolist() == [policy(step, value_range, size_up, size_down) for step in array.ravel().tolist()]


@pytest.mark.parametrize('policy', POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize(
    'kind', [int, float, bool, numpy.int64, numpy.uint8, numpy.float32, numpy.float64, numpy.array, Fraction]
)
def test_a_scalar_of_any_kind_gives_a_plain_float(policy, kind):
    value = policy(kind(1), numpy.array([0.25, 1.0]), numpy.int32(300))
    assert type(value) is float
    assert value == policy(1, (0.25, 1.0), 300)


def test_small_integers_do_not_overflow():
    assert triangular(numpy.arange(250, 256, dtype=numpy.uint8), (0.0, 1.0), 1000).tolist() == [
        0.25, 0.251, 0.252, 0.253, 0.254, 0.255,
    ]  # fmt: skip


def test_a_list_of_steps_is_an_array_of_them():
    assert triangular([0, 1, 2], (0.0, 1.0), 2).tolist() == [0.0, 0.5, 1.0]


def test_the_policies_are_known_by_their_names():
    assert {name: policy.__name__ for name, policy in POLICIES.items()} == {name: name for name in POLICIES}
    assert list(POLICIES) == [
        'triangular', 'triangular2', 'exp_range', 'one_cycle', 'cosine', 'wsd', 'cyclic_wsd', 'polynomial', 'inverse_sqrt',
    ]  # fmt: skip


# Names with options


@pytest.mark.parametrize(
    ('text', 'name', 'options'),
    [
        ('wsd', 'wsd', {}),
        ('cosine:t_mult=2', 'cosine', {'t_mult': 2}),
        ('cosine: t_mult = 2 , cycle_decay=5e-1', 'cosine', {'t_mult': 2, 'cycle_decay': 0.5}),
        ('wsd:warmup_steps=none', 'wsd', {'warmup_steps': None}),
    ],
)
def test_a_name_may_have_options(text, name, options):
    assert parted(text) == (name, options)
    policy, same = named(text), with_options(name, options)
    assert [policy(step, RANGE, 9) for step in range(40)] == [same(step, RANGE, 9) for step in range(40)]


@pytest.mark.parametrize('text', ['cosine:', 'cosine:2', 'cosine:t_mult', 'cosine:t_mult=', 'cosine:t_mult=two', 'cosine:=2'])
def test_what_is_no_option_is_refused(text):
    with pytest.raises(ValueError, match=r'options are NAME=NUMBER with commas between them'):
        named(text)


def test_an_option_that_a_policy_has_not_is_refused():
    with pytest.raises(ValueError, match=r"^'wsd' has no option 't_mult'; it has warmup_steps, cooldown_steps$"):
        named('wsd:t_mult=2')


@pytest.mark.parametrize(
    ('policy', 'cycles', 'length', 'step_size'),
    [
        ('triangular', 1, 600, 300),
        ('triangular2', 3, 600, 100),
        ('cosine:t_mult=2', 3, 1400, 100),  # cycles of 200, 400 and 800 steps
        ('cosine:t_mult=1', 3, 600, 100),
        ('one_cycle', 1, 900, 400),
        ('one_cycle:step_size_final=100', 1, 900, 400),
        ('wsd:warmup_steps=9', 1, 600, 300),
    ],
)
def test_the_step_size_that_fills_a_training(policy, cycles, length, step_size):
    assert step_size_of(policy, length, cycles) == step_size
    assert length_of(policy, step_size, cycles) == length


@given(st.sampled_from([*POLICIES, 'cosine:t_mult=1.5']), st.integers(1, 6), st.integers(1, 10**6))
def test_length_and_step_size_are_each_others_opposite(policy, cycles, length):
    assert length_of(policy, step_size_of(policy, length, cycles), cycles) == pytest.approx(length)


def test_a_final_phase_that_leaves_no_cycle_is_refused():
    with pytest.raises(ValueError, match=r'^step_size_final must be less than the 50 steps of the training, not 50$'):
        step_size_of('one_cycle:step_size_final=50', 50)


def test_a_policy_with_options_is_endless_where_it_is_without():
    assert [is_endless(text) for text in ('cosine:t_mult=2', 'wsd:warmup_steps=1', 'triangular')] == [True, False, True]
