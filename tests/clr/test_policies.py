"""The policies as a specification: values by hand, PyTorch's formula in exact arithmetic, and properties."""

import functools
import math
from decimal import Decimal, localcontext
from fractions import Fraction

from clr.policies import DEFAULT_GAMMA, POLICIES, cosine, exp_range, one_cycle, triangular, triangular2

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


# ---- what holds for every policy


@given(policies, ranges, sizes, sizes | st.none(), steps)
def test_no_value_lies_outside_of_the_bounds(policy, value_range, size_up, size_down, step):
    lowest = 0.0 if policy is one_cycle else min(value_range)
    assert lowest <= policy(step, value_range, size_up, size_down) <= max(value_range)


@given(policies, ranges, sizes, sizes | st.none())
def test_a_policy_starts_at_the_first_bound_and_cosine_at_the_second(policy, value_range, size_up, size_down):
    assert policy(0, value_range, size_up, size_down) == value_range[policy is cosine]


@given(st.sampled_from([triangular, triangular2, one_cycle]), ranges, whole_sizes, whole_sizes)
def test_both_bounds_are_met_exactly(policy, value_range, size_up, size_down):
    assert policy(size_up, value_range, size_up, size_down) == value_range[1]
    assert policy(size_up + size_down, value_range, size_up, size_down) == value_range[0]


@given(st.sampled_from([triangular, triangular2, exp_range, cosine]), bounds, sizes, steps)
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
    assert list(POLICIES) == ['triangular', 'triangular2', 'exp_range', 'one_cycle', 'cosine']
