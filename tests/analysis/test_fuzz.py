"""Any input gives a valid result or the documented error: never another exception, never a warning.

And what must not matter to a range does not: the unit of the loss, its zero, the unit of the rates, what comes after a break.
"""

import csv
import gzip
import json
import math
import tempfile
from pathlib import Path

from clr import policies
from lrfinder import NoRangeError, Suggestion, analyze, read_curve
from lrfinder._names import printable
from lrfinder.analysis.curve import COLUMNS, check_curve, make_curve, write_curve
from lrfinder.analysis.cycles import plan
from lrfinder.analysis.divergence import Divergence, diverged_at
from lrfinder.analysis.metrics import METRICS
from lrfinder.analysis.ramp import rates

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st

# The time of an example is left to the test's timeout: other work on the machine must not fail a test.
settings.register_profile(
    'project',
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile('project')
pytestmark = pytest.mark.filterwarnings('error')


FLOATS = st.floats() | st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 5e-324, 1e308, -1e308, 1e-300])
RATES = st.floats(0, allow_infinity=False) | st.floats(0, 1)


# ---- files


def refused_or(result, load, content):
    """What is loaded from a file with this content, or the ValueError of one line that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'file'
        path.write_bytes(content if isinstance(content, bytes) else content.encode('utf-8', 'surrogatepass'))
        try:
            result(load(path))
        except ValueError as error:
            assert not isinstance(error, NoRangeError)
            assert str(error).startswith(f'{path}: not a ')
            assert len(str(error).splitlines()) == 1
            assert len(str(error)) < 2000


def is_curve(table):
    assert set(table.columns) <= {'seed', 'epoch', *COLUMNS}
    assert 'lr' in table.columns
    assert set(METRICS) & set(table.columns)
    assert all(dtype.kind in 'fi' for dtype in table.dtypes)
    assert table.index.tolist() == list(range(len(table)))


CELLS = st.one_of(
    st.sampled_from(
        ['', '1', '0.5', '-2', 'nan', 'inf', '1e400', 'NA', 'x', '"a"', '"', '0x1', '1_0', '1 2', 'true', '\x00', '٣']
    ),
    FLOATS.map(repr),
    st.integers().map(str),
    st.text(max_size=5),
)
NAMES = st.sampled_from([*COLUMNS, 'seed', 'epoch', 'alpha', 'loss', 'step', 'Learning Rate', ' lr', 'x', '']) | st.text(
    max_size=5
)


@st.composite
def csv_texts(draw):
    separator = draw(st.sampled_from([',', ',', ';', '\t', '|']))
    names = draw(st.lists(NAMES, min_size=1, max_size=6))
    if draw(st.booleans()):
        names[:0] = ['lr', 'main/loss']
    rows = draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)) | st.lists(CELLS, max_size=8), max_size=5))
    end = draw(st.sampled_from(['\n', '\r\n', '\r']))
    return end.join(separator.join(row) for row in [names, *rows])


def json_of(numbers):
    return st.recursive(
        st.none() | st.booleans() | st.integers() | numbers | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    )


JSON = json_of(FLOATS)
NUMBERS = FLOATS | st.integers() | st.none()
LOGS = st.one_of(
    JSON,
    st.lists(st.dictionaries(NAMES, NUMBERS, max_size=5), max_size=4),
    st.lists(
        st.fixed_dictionaries({'lr': NUMBERS, 'main/loss': NUMBERS}, optional={'iteration': NUMBERS, 'x': JSON}), max_size=4
    ),
    st.dictionaries(NAMES, st.lists(NUMBERS, max_size=3), max_size=4),
    st.lists(st.lists(NUMBERS, max_size=3), max_size=4),
)


@settings(max_examples=200)
@given(csv_texts() | st.text(max_size=60))
@example('lr,main/loss\n' + '1,2\n' * 1000 + '1')
def test_any_text_is_a_curve_or_refused(text):
    refused_or(is_curve, read_curve, text)


@settings(max_examples=200)
@given(st.binary(max_size=60) | csv_texts().map(lambda text: text.encode('utf-16')))
def test_any_bytes_are_a_curve_or_refused(content):
    refused_or(is_curve, read_curve, content)


@settings(max_examples=200)
@given(LOGS.map(json.dumps), st.integers(0, 200), st.booleans())
def test_any_log_is_a_curve_or_refused_also_when_it_is_cut_off(text, length, cut):
    refused_or(is_curve, read_curve, text[:length] if cut else text)


@settings(max_examples=200)
@given(
    (csv_texts() | LOGS.map(json.dumps) | st.lists(LOGS.map(json.dumps), max_size=4).map('\n'.join) | st.text(max_size=40)),
    st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'latin-1']),
    st.booleans(),
    st.integers(0, 400),
    st.binary(max_size=3),
)
def test_any_encoding_is_a_curve_or_refused_also_when_it_is_compressed_and_damaged(text, encoding, compress, length, noise):
    content = text.encode(encoding, 'replace')
    content = gzip.compress(content) if compress else content
    refused_or(is_curve, read_curve, content[:length] + noise)


@settings(max_examples=200)
@given(
    st.sampled_from(
        [b'\x1f\x8b', b'\x1f\x8b\x08\0\0\0\0\0', b'PK\x03\x04', b'\xff\xfe', b'\xfe\xff', b'\xff\xfe\0\0', b'\x80\x04', b'#']
    )
    | st.sampled_from([b'sep=', b'sep=;\n', b'# lr loss\n', b'{"a":1}\n', b'lr,loss\n', b'lr loss\n', b'lr;loss\n']),
    st.binary(max_size=80) | st.text('0123456789.,;- \n\t"#eE', max_size=80).map(str.encode),
)
def test_any_beginning_is_a_curve_or_refused(beginning, content):
    refused_or(is_curve, read_curve, beginning + content)


WAYS = {
    'CSV': lambda table: table.to_csv(index=False),
    'CSV with an index': lambda table: table.to_csv(),
    'CSV with semicolons and decimal commas': lambda table: table.to_csv(index=False, sep=';', decimal=','),
    'CSV with tabs, NA and lines of Windows': lambda table: table.to_csv(sep='\t', na_rep='NA', lineterminator='\r\n'),
    'CSV in quotes': lambda table: table.to_csv(index=False, quoting=csv.QUOTE_ALL, na_rep='nan'),
    'spaces': lambda table: table.to_csv(index=False, sep=' ', na_rep='null'),
    'JSON lines': lambda table: '\n'.join(json.dumps(row) for row in table.to_dict('records')),
    'JSON lists': lambda table: json.dumps({'history': table.to_dict('list'), 'mode': 'linear'}),
    'JSON columns': lambda table: json.dumps(table.to_dict('dict')),
    'JSON index': lambda table: json.dumps(table.to_dict('index')),
    'JSON split': lambda table: json.dumps(table.to_dict('split')),
}


@settings(max_examples=200)
@given(
    st.lists(st.tuples(RATES, FLOATS, FLOATS), min_size=2, max_size=8),
    st.sampled_from(sorted(WAYS)),
    st.sampled_from(['utf-8', 'utf-16']),
    st.booleans(),
)
def test_a_table_is_read_to_the_last_bit_however_it_is_written(rows, way, encoding, compress):
    table = pd.DataFrame(rows, columns=['learning_rate', 'Loss', 'val_loss'], index=range(1, len(rows) + 1))
    content = WAYS[way](table).encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'file'
        path.write_bytes(gzip.compress(content) if compress else content)
        again = read_curve(path)
    pd.testing.assert_frame_equal(again, check_curve(table), check_exact=True)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 10**6), RATES, *[FLOATS] * 4), max_size=20))
def test_a_curve_that_is_written_is_read_again_to_the_last_bit(rows):
    curve = make_curve(rows)
    curve = curve.where(curve.notna(), math.nan)  # one NaN for all
    with tempfile.TemporaryDirectory() as folder:
        write_curve(curve, Path(folder) / 'curve.csv')
        again = read_curve(Path(folder) / 'curve.csv')
    assert again.to_numpy(float, copy=True).tobytes() == curve.to_numpy(float, copy=True).tobytes()


SUGGESTIONS = st.fixed_dictionaries(
    {
        'schema': st.just(1),
        'attr': st.text(min_size=1, max_size=5),
        'value_range': st.tuples(RATES, RATES).map(sorted),
        'step_size': st.integers(1, 2**53 - 1),
        'policy': st.text(min_size=1, max_size=5),
        'iterations_per_epoch': st.none() | st.integers(1, 10**9),
        'exhausted': st.booleans(),
        'reasons': st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        'warnings': st.lists(st.text(max_size=5), max_size=2),
        'updates': st.integers(0, 10**9),
        'versions': st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    },
    optional={
        'batchsize': st.none() | st.integers(1, 10**6),
        'spread': st.dictionaries(st.text(max_size=5), st.tuples(RATES, RATES).map(sorted), max_size=2),
        'later': json_of(st.floats(allow_nan=False, allow_infinity=False)),
    },
)


def is_suggestion(suggestion):
    low, high = suggestion.value_range
    assert 0 <= low <= high < math.inf
    assert suggestion.step_size >= 1
    assert json.loads(suggestion.to_json(), parse_constant=pytest.fail)


@settings(max_examples=80)
@given(SUGGESTIONS)
def test_any_suggestion_is_loaded_and_saved_the_same(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'suggestion.json'
        path.write_text(json.dumps(content))
        suggestion = Suggestion.load(path)
        is_suggestion(suggestion)
        assert list(suggestion.value_range) == content['value_range']
        suggestion.save(path)
        assert Suggestion.load(path) == suggestion


@settings(max_examples=200)
@given(
    SUGGESTIONS,
    st.sampled_from(['schema', 'attr', 'value_range', 'step_size', 'reasons', 'updates', 'spread', 'warnings']),
    JSON,
)
def test_a_suggestion_with_anything_in_a_field_is_loaded_or_refused(content, field, value):
    refused_or(is_suggestion, Suggestion.load, json.dumps({**content, field: value}))


@settings(max_examples=200)
@given(JSON.map(json.dumps) | st.text(max_size=40) | st.binary(max_size=40), st.integers(0, 100))
def test_anything_else_is_no_suggestion(content, length):
    refused_or(is_suggestion, Suggestion.load, content[:length])


# ---- pure functions


@settings(max_examples=200)
@given(st.text(max_size=200), st.integers(0, 100))
def test_any_text_can_be_shown_in_a_line(text, most):
    shown = printable(text, most)
    assert shown.isprintable()
    assert len(shown) <= 10 * most + 3
    if text.isprintable() and len(text) <= most:
        assert shown == text


BOUNDS = st.tuples(*[st.floats(0, 1e300)] * 2)


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(policies.POLICIES)),
    BOUNDS,
    st.integers(1, 10**6),
    st.integers(0, 10**9),
    st.none() | st.integers(1, 99),
)
def test_every_policy_stays_between_its_bounds(name, value_range, step_size, step, step_size_down):
    policy = policies.POLICIES[name]
    value = policy(step, value_range, step_size, step_size_down)
    assert type(value) is float
    least = 0.0 if name == 'one_cycle' else min(value_range)  # it ends far below the range
    assert least <= value <= max(value_range)
    assert policy(np.array([step]), value_range, step_size, step_size_down).tolist() == [value]


@settings(max_examples=200)
@given(FLOATS, FLOATS, st.integers(-5, 300), st.sampled_from(['linear', 'exponential', 'cubic']))
def test_a_ramp_ascends_between_its_ends_or_is_refused(start, stop, iterations, shape):
    try:
        found = rates((start, stop), iterations, shape)
    except ValueError:
        return
    assert (found[0], found[-1], len(found)) == (start, stop, iterations)
    assert (np.diff(found) > 0).all()


@settings(max_examples=200)
@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_a_length_is_filled_with_whole_cycles(per_epoch, epochs):
    found = plan(per_epoch, (epochs, 'epoch'))
    assert found.step_size >= 1
    assert found.cycles >= 1
    assert found.iterations <= max(2, per_epoch * epochs)
    assert found.step_size <= max(10 * per_epoch, 100)
    assert 2 * per_epoch <= plan(per_epoch).step_size <= 10 * per_epoch


@settings(max_examples=200)
@given(st.lists(FLOATS, max_size=80), st.lists(FLOATS, max_size=10))
def test_a_break_is_where_it_is_whatever_comes_after(losses, later):
    found = diverged_at(losses)
    watch = Divergence()
    for index, loss in enumerate(losses):
        why = watch.update(loss)
        if why is not None:
            assert found == (index, why)
            assert diverged_at([*losses, *later]) == found
            return
    assert found is None
    assert all(map(math.isfinite, losses))


@settings(max_examples=200)
@given(st.lists(st.floats(-1e6, 1e6), max_size=80), st.integers(-40, 40))
def test_the_unit_of_the_loss_does_not_matter_to_a_break(losses, exponent):
    assume(all(loss == 0 or abs(loss) > 1e-100 for loss in losses))
    found, scaled = diverged_at(losses), diverged_at([math.ldexp(loss, exponent) for loss in losses])
    assert (found and found[0]) == (scaled and scaled[0])


# ---- analyze


@st.composite
def tables(draw):
    """Tables of all kinds: most have ascending rates, some are no curves at all."""
    length = draw(st.integers(0, 60))
    cells = st.lists(FLOATS, min_size=length, max_size=length)
    columns = {name: draw(cells) for name in draw(st.sets(st.sampled_from(METRICS), max_size=4))}
    columns['lr'] = draw(cells | st.lists(RATES, min_size=length, max_size=length).map(sorted))
    if draw(st.booleans()):
        columns['lr'] = np.linspace(0, 1, length) if draw(st.booleans()) else np.geomspace(1e-9, 1e3, length)
    if draw(st.integers(0, 9)) == 0:
        del columns['lr']
    return pd.DataFrame(columns)


def answer(table, **options):
    """The suggestion, valid and within what was tested; or None where no range can be given."""
    try:
        suggestion = analyze(table, **options)
    except NoRangeError as error:
        assert len(str(error).splitlines()) == 1
        return None
    low, high = suggestion.value_range
    tested = check_curve(table)['lr']
    assert tested.min() <= low <= high <= tested.max()
    is_suggestion(suggestion)
    return suggestion


@settings(max_examples=300)
@given(tables(), st.none() | st.integers(1, 1000))
def test_any_table_has_a_range_within_what_was_tested_or_none_or_is_refused(table, iterations_per_epoch):
    before = table.copy()
    try:
        answer(table, iterations_per_epoch=iterations_per_epoch)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
    pd.testing.assert_frame_equal(table, before)


@st.composite
def curves(draw, collapsing=True):
    """Curves as range tests give them: a level, a fall, noise, and maybe a rise; accuracy and validation now and then."""
    random = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    length = draw(st.integers(30, 300))
    top = draw(st.floats(1e-4, 1e3))
    lr = np.linspace(0, top, length) if draw(st.booleans()) else np.geomspace(top / 1e4, top, length)
    falls_at, depth = top * draw(st.floats(0.01, 0.3)), draw(st.floats(0.3, 5))
    fallen = lr / (lr + falls_at)
    noise = draw(st.floats(1e-3, 0.1)) * depth
    table = pd.DataFrame({'lr': lr, 'main/loss': 6 - depth * fallen + noise * random.randn(length)})
    if draw(st.booleans()):
        table['main/accuracy'] = 0.1 + 0.8 * fallen + 0.02 * random.randn(length)
    if draw(st.booleans()):
        every = np.arange(length) % draw(st.integers(1, 6)) == 0
        table['validation/main/loss'] = np.where(every, 6 - 0.9 * depth * fallen + 0.3 * noise * random.randn(length), np.nan)
    rise = draw(st.floats(0.3, 0.9))
    if collapsing and draw(st.booleans()):
        after = np.maximum(0, lr / top - rise)
        table['main/loss'] += 200 * depth * after
        for name in set(table.columns) & {'main/accuracy', 'validation/main/loss'}:
            table[name] += (-1 if 'accuracy' in name else 200 * depth) * after
    return table


def assert_same_range(one, other, factor=1.0):
    assert (one is None) == (other is None)
    if one is not None:
        assert [factor * value for value in one.value_range] == pytest.approx(list(other.value_range), rel=1e-6)
        assert one.exhausted == other.exhausted


LOSSES = ['main/loss', 'validation/main/loss']


@settings(max_examples=100)
@given(curves(), st.integers(-20, 20))
def test_the_unit_of_the_loss_does_not_matter(curve, exponent):
    scaled = curve.copy()
    for name in set(LOSSES) & set(curve.columns):
        scaled[name] *= 2.0**exponent
    assert_same_range(answer(curve), answer(scaled))


@settings(max_examples=100)
@given(curves(), st.sampled_from([-100.0, -6.0, -1.0, 3.0, 50.0]))
def test_the_zero_of_the_loss_does_not_matter(curve, constant):
    moved = curve.copy()
    for name in set(LOSSES) & set(curve.columns):
        moved[name] += constant
    assert_same_range(answer(curve), answer(moved))


@settings(max_examples=100)
@given(curves(), st.integers(-20, 20))
def test_with_the_rates_the_range_is_scaled(curve, exponent):
    assert_same_range(answer(curve), answer(curve.assign(lr=curve['lr'] * 2.0**exponent)), 2.0**exponent)


@settings(max_examples=150)
@given(curves(collapsing=False), st.floats(0.2, 0.9), st.sampled_from([math.nan, math.inf, 1e6]), st.data())
def test_rows_after_a_break_change_nothing(curve, where, loss, data):
    curve.loc[int(where * len(curve)) :, 'main/loss'] = loss
    index, _ = diverged_at(curve['main/loss'])
    cut = curve.iloc[: index + 1]
    rows = data.draw(st.integers(1, 300))
    later = pd.DataFrame({'lr': cut['lr'].iloc[-1] * (1 + 0.01 * np.arange(1, rows + 1))})
    for name in curve.columns.drop('lr'):
        later[name] = 0.0 if 'accuracy' in name else data.draw(st.sampled_from([math.nan, math.inf, 1e9, 6.0, -1e9]))
    assert_same_range(answer(cut), answer(pd.concat([cut, later], ignore_index=True)))


@settings(max_examples=100)
@given(curves())
def test_empty_cells_and_the_order_of_columns_do_not_matter(curve):
    other = curve.assign(**{name: math.nan for name in METRICS if name not in curve.columns}, x='a')
    assert_same_range(answer(curve), answer(other[sorted(other.columns)]))


def test_a_long_curve_takes_no_longer_than_the_others():
    length = 200_000
    lr = np.linspace(0, 1, length)
    noise = np.random.RandomState(0).randn(length)
    answer(pd.DataFrame({'lr': lr, 'main/loss': 2 / (1 + 20 * lr) + 0.1 * noise, 'main/accuracy': noise}))
