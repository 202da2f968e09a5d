"""The answer: how it is kept, and what is refused as one."""

import dataclasses
import json
import math
import re

from lrfinder.analysis.suggestion import NoRangeError, Suggestion, versions

import numpy as np
import pytest

FULL = Suggestion(
    'alpha',
    (0.001, 1 / 3),
    step_size=90,
    policy='triangular',
    iterations_per_epoch=45,
    exhausted=True,
    reasons={'min': 'learning starts', 'max': 'ragged: “1 < 2”\n'},
    warnings=('few examples', ''),
    updates=600,
    spread={'min': (0.0005, 0.002), 'max': (0.2, 0.5)},
    batchsize=32,
    versions={'python': '3.11.0'},
)
# What the README promises of suggestion.json.
CONTENT = {
    'schema': 1,
    'attr': 'lr',
    'value_range': [0.01, 0.1],
    'step_size': 90,
    'policy': 'triangular2',
    'iterations_per_epoch': 45,
    'exhausted': False,
    'reasons': {'min': 'a', 'max': 'b'},
    'warnings': [],
    'updates': 300,
    'versions': {},
}


def load(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Suggestion.load(path)


# ---- kept and loaded


@pytest.mark.parametrize('suggestion', [FULL, Suggestion('lr', (0, 0), 1), Suggestion('lr', (5e-324, 1.7e308), 2**53 - 1)])
def test_what_is_saved_is_loaded_again(tmp_path, suggestion):
    suggestion.save(tmp_path / 'suggestion.json')
    again = Suggestion.load(str(tmp_path / 'suggestion.json'))
    assert again == suggestion
    assert dataclasses.asdict(again) == dataclasses.asdict(suggestion)


def test_the_file_is_an_object_of_json(tmp_path):
    FULL.save(tmp_path / 'suggestion.json')
    content = json.loads((tmp_path / 'suggestion.json').read_text('ascii'), parse_constant=pytest.fail)
    known_of_some = {'spread', 'batchsize', 'measured_batchsize', 'optimizer', 'length', 'band', 'diverges', 'proportional'}
    assert set(content) == {*CONTENT, *known_of_some}
    assert content['value_range'] == [0.001, 1 / 3]
    assert content['iterations_per_epoch'] == 45
    assert content['spread'] == {'min': [0.0005, 0.002], 'max': [0.2, 0.5]}
    assert (content['schema'], content['exhausted'], content['warnings']) == (1, True, ['few examples', ''])


def test_a_file_by_another_hand_is_loaded(tmp_path):
    suggestion = load(tmp_path / 'file', json.dumps(CONTENT))
    assert suggestion.value_range == (0.01, 0.1)
    assert (suggestion.step_size, suggestion.batchsize, suggestion.spread) == (90, None, {})


def test_fields_of_later_versions_are_left_out(tmp_path):
    assert load(tmp_path / 'file', json.dumps({**CONTENT, 'momentum_range': [1, 2]})) == load(
        tmp_path / 'file', json.dumps(CONTENT)
    )


def test_a_mark_of_the_byte_order_is_no_trouble(tmp_path):
    assert load(tmp_path / 'file', b'\xef\xbb\xbf' + json.dumps(CONTENT).encode()).step_size == 90


def test_numbers_of_numpy_become_plain_ones(tmp_path):
    suggestion = Suggestion(
        'lr',
        (np.float32(0.25), np.float64(0.5)),
        step_size=np.int64(90),
        iterations_per_epoch=np.int32(45),
        exhausted=np.bool_(True),
        updates=np.uint8(7),
        spread={'min': np.array([0.25, 0.5])},
    )
    suggestion.save(tmp_path / 'suggestion.json')
    assert Suggestion.load(tmp_path / 'suggestion.json') == suggestion
    assert [type(value) for value in suggestion.value_range] == [float, float]
    assert type(suggestion.step_size) is type(suggestion.updates) is int


@pytest.mark.parametrize(
    ('field', 'value', 'message'),
    [
        ('step_size', 1.5, 'step_size must be a number of iterations, 1 or more, not 1.5'),
        ('length', 'long', "length must be a number of iterations, 1 or more, or null, not 'long'"),
        ('band', 5, 'band must be two rates in ascending order, 0 or more, or null, not 5'),
        ('diverges', [1], 'diverges must be a rate above 0, or null, not [1]'),
        ('reasons', None, 'reasons must be an object of texts, not None'),
        ('warnings', 'few examples', "warnings must be a list of texts, not 'few examples'"),
        ('spread', {'min': 1}, "spread must be an object of pairs, not {'min': 1}"),
    ],
)
def test_what_a_field_cannot_be_is_refused(field, value, message):
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        dataclasses.replace(FULL, **{field: value})


def test_what_a_file_says_steers_no_terminal(tmp_path):
    odd = dataclasses.replace(FULL, optimizer='\x1b[31m', reasons={'max': 'a \x1b[2J b'}, warnings=('\u202e',))
    assert str(odd).replace('\n', '').isprintable()
    with pytest.raises(ValueError, match=r'^no rule is known for \\x1b\[31m: find the range with the other batch$'):
        odd.at(batchsize=2 * odd.batchsize)


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.step_size = 3


def test_the_versions_are_those_of_what_is_installed():
    found = versions()
    assert found['numpy'] == np.__version__
    assert set(found) >= {'python', 'chainer', 'numpy', 'pandas'}
    assert Suggestion('lr', (0, 1), 1).versions == found


def test_no_range_is_a_kind_of_value_error_that_may_hold_a_curve():
    error = NoRangeError('why')
    assert isinstance(error, ValueError)
    assert error.curve is None


# ---- what is none


@pytest.mark.parametrize('value_range', [(0.2, 0.1), (-0.1, 0.1), (0, math.inf), (math.nan, 1)])
def test_two_numbers_that_are_no_range_are_refused(value_range):
    message = f'value_range must be finite, not negative and in ascending order, not {value_range!r}'
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        Suggestion('lr', value_range, 90)


@pytest.mark.parametrize('value_range', [(0.1,), (0.1, 0.2, 0.3), None, 0.1, 'ab', (0, 10**400), (None, 1)])
def test_what_is_not_two_numbers_is_refused(value_range):
    message = f'value_range must be two numbers, such as (0.01, 0.1), not {value_range!r}'
    with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
        Suggestion('lr', value_range, 90)


@pytest.mark.parametrize(
    'options, problem',
    [
        ({'step_size': 0}, "'step_size' must be a number of iterations, 1 or more"),
        ({'attr': ''}, "'attr' must be a name"),
        ({'reasons': {'min': 1}}, "'reasons' must be an object of texts"),
        ({'spread': {'min': (0, math.inf)}}, 'Out of range float values are not JSON compliant'),
        ({'updates': -1}, "'updates' must be a number of updates, 0 or more"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(tmp_path, options, problem):
    suggestion = Suggestion(**{'attr': 'lr', 'value_range': (0, 1), 'step_size': 1, **options})
    with pytest.raises(ValueError, match=f'^{re.escape(problem)}'):
        suggestion.save(tmp_path / 'suggestion.json')
    assert list(tmp_path.iterdir()) == []


def changed(**fields):
    return json.dumps({**CONTENT, **fields})


def without(field):
    return json.dumps({name: value for name, value in CONTENT.items() if name != field})


COUNT = "'step_size' must be a number of iterations, 1 or more"
RANGE = "'value_range' must be two rates in ascending order, 0 or more"
REFUSED = {
    'an empty file': ('', 'it is empty'),
    'nothing but space': (' \n', 'it is empty'),
    'latin-1': (
        changed(attr='é').replace('\\u00e9', 'é').encode('latin-1'),
        "'utf-8' codec can't decode byte 0xe9 in position 23: invalid continuation byte",
    ),
    'truncated': (changed()[:40], 'broken JSON: Unterminated string starting at: line 1 column 29 (char 28)'),
    'a word': ('range', 'broken JSON: Expecting value: line 1 column 1 (char 0)'),
    'more than one object': (
        changed() + '{}',
        f'broken JSON: Extra data: line 1 column {len(changed()) + 1} (char {len(changed())})',
    ),
    'deep nesting': ('[' * 100_000, 'it is nested too deeply'),
    'NaN': (changed(updates=math.nan), 'broken JSON: NaN is no number of JSON'),
    'infinity': (changed(value_range=[0, math.inf]), 'broken JSON: Infinity is no number of JSON'),
    'a list': ('[1]', 'a JSON object is expected, not a list'),
    'a text': ('"a"', 'a JSON object is expected, not a text'),
    'a number': ('12.5', 'a JSON object is expected, not 12.5'),
    'null': ('null', 'a JSON object is expected, not null'),
    'true': ('true', 'a JSON object is expected, not true or false'),
    'an empty object': ('{}', "'schema' is missing"),
    'a later schema': (changed(schema=2), 'schema 1 is expected, not 2'),
    'schema true': (changed(schema=True), 'schema 1 is expected, not true or false'),
    'schema 1.0': (changed(schema=1.0), 'schema 1 is expected, not 1'),
    'a schema of text': (changed(schema='1'), 'schema 1 is expected, not a text'),
    'an enormous schema': (changed(schema=10**400), 'schema 1 is expected, not a number that large'),
    **{f'no {name}': (without(name), f'{name!r} is missing') for name in CONTENT},
    'a range of one': (changed(value_range=[1]), RANGE),
    'a range of text': (changed(value_range='01'), RANGE),
    'a descending range': (changed(value_range=[2, 1]), RANGE),
    'a negative range': (changed(value_range=[-1, 1]), RANGE),
    'a range of truths': (changed(value_range=[False, True]), RANGE),
    'an enormous range': (changed(value_range=[0, 10**400]), RANGE),
    'a range beyond floats': (changed().replace('0.1]', '1e999]'), RANGE),
    'a step size of text': (changed(step_size='90'), COUNT),
    'half a step': (changed(step_size=0.5), COUNT),
    'no step': (changed(step_size=0), COUNT),
    'an enormous step': (changed(step_size=10**400), COUNT),
    'a step size of true': (changed(step_size=True), COUNT),
    'an attribute of null': (changed(attr=None), "'attr' must be a name"),
    'an empty attribute': (changed(attr=''), "'attr' must be a name"),
    'a policy of numbers': (changed(policy=2), "'policy' must be a name"),
    'no iterations': (
        changed(iterations_per_epoch=0),
        "'iterations_per_epoch' must be a number of iterations, 1 or more, or null",
    ),
    'exhausted by words': (changed(exhausted='yes'), "'exhausted' must be true or false"),
    'a list of reasons': (changed(reasons=['a']), "'reasons' must be an object of texts"),
    'a reason of numbers': (changed(reasons={'min': 1}), "'reasons' must be an object of texts"),
    'a warning that is no list': (changed(warnings='a'), "'warnings' must be a list of texts"),
    'warnings of null': (changed(warnings=[None]), "'warnings' must be a list of texts"),
    'negative updates': (changed(updates=-1), "'updates' must be a number of updates, 0 or more"),
    'versions of null': (changed(versions=None), "'versions' must be an object of texts"),
    'a spread of numbers': (changed(spread={'min': 1}), "'spread' must be an object of pairs"),
    'a descending spread': (changed(spread={'min': [2, 1]}), "'spread' must be an object of pairs"),
    'no examples': (changed(batchsize=0), "'batchsize' must be a number of examples, 1 or more, or null"),
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_is_no_suggestion_is_refused_in_one_line(tmp_path, name):
    content, problem = REFUSED[name]
    path = tmp_path / 'file'
    with pytest.raises(ValueError) as caught:
        load(path, content)
    assert str(caught.value) == f'{path}: not a suggestion: {problem}'
    assert '\n' not in str(caught.value)


def test_a_number_of_thousands_of_digits_is_refused_too(tmp_path):
    with pytest.raises(ValueError, match=r'^[^\n]*: not a suggestion: '):
        load(tmp_path / 'file', changed().replace('300', '9' * 5000))


def test_files_that_cannot_be_read_are_errors_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        Suggestion.load(tmp_path / 'missing.json')
    with pytest.raises(IsADirectoryError):
        Suggestion.load(tmp_path)
