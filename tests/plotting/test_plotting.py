"""The pictures: what they show, where it stands, and what they leave alone."""

import itertools
import subprocess
import sys
import warnings

import lrfinder
from benchmarks import draw_policies
from clr import policies
from lrfinder import plotting
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.plotting import comparison, policy, range_test, style, training, tuning

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

REASONS = {'min': 'learning starts to pay', 'max': '0.4 of the rate at which the curve degrades'}
LONG = {
    'min': 'learning starts to pay where a tenth of the whole fall of the smoothed loss and of the accuracy has come, ' * 2,
    'max': 'half of the rate at which the training loss rose by more than it had fallen before, and below the rate where '
    'validation accuracy turns ragged beyond what its noise explains',
}
SUGGESTION = Suggestion('lr', (0.05, 0.2), step_size=90, reasons=REASONS)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


def curve(rows=150, stop=1.0, tail=(), accuracy=True, validation=True):
    """A loss that falls from 2 to 0.5, an accuracy that rises from 0.1 to 0.9, and a tail of losses to end with."""
    rates = np.linspace(0, stop, rows)
    fall = 1 - np.exp(-6 * rates / stop)
    table = pd.DataFrame({'iteration': np.arange(rows), 'lr': rates, 'main/loss': 2 - 1.5 * fall})
    if accuracy:
        table['main/accuracy'] = 0.1 + 0.8 * fall
    if validation:
        table['validation/main/loss'] = 2.1 - 1.4 * fall
        table.loc[table.index % 10 != 9, 'validation/main/loss'] = np.nan
    if validation and accuracy:
        table['validation/main/accuracy'] = (0.1 + 0.7 * fall).round(3)
        table.loc[table.index % 10 != 9, 'validation/main/accuracy'] = np.nan
    if len(tail):
        table.loc[rows - len(tail) :, 'main/loss'] = tail
    return table


def axes(width=6.0, height=4.5):
    figure = Figure(figsize=(width, height), dpi=100)
    FigureCanvasAgg(figure)
    return figure.subplots()


def line(ax, label):
    (found,) = [one for one in ax.lines if one.get_label() == label]
    return found


def twin(ax):
    (found,) = [one for one in ax.figure.axes if one is not ax]
    return found


def words(ax):
    return [text.get_text().replace('\n', ' ') for text in ax.texts]


def upright(ax):
    """The rates at which there is an upright line."""
    return [float(one.get_xdata()[0]) for one in ax.lines if len(set(one.get_xdata())) == 1 and len(one.get_xdata()) == 2]


def visible_losses(ax):
    """The lowest and the highest loss that fit into the part of the axes that is the loss's."""
    ticks = ax.get_yticks()
    return min(ticks), max(ticks)


# The range test


def test_plot_draws_into_the_given_axes_and_returns_them():
    ax = axes()
    assert plotting.plot(curve(), SUGGESTION, ax) is ax
    assert lrfinder.plot is plotting.plot


def test_loss_is_on_the_axes_and_accuracy_on_a_twin_smoothed_and_named():
    ax = plotting.plot(curve(), SUGGESTION, axes())
    assert ax.get_ylabel() == 'loss'
    assert twin(ax).get_ylabel() == 'accuracy (%)'
    assert line(ax, 'training loss').get_ydata()[-1] == pytest.approx(0.5, abs=0.01)
    assert line(twin(ax), 'validation accuracy').get_ydata()[-1] == pytest.approx(0.8, abs=0.01)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ['training', 'validation', 'as measured']


def test_training_and_validation_differ_in_colour_and_in_dashes():
    ax = plotting.plot(curve(), SUGGESTION, axes())
    training, validation = line(ax, 'training loss'), line(ax, 'validation loss')
    assert (training.get_color(), validation.get_color()) == ('#0072B2', '#D55E00')
    assert training.get_linestyle() == '-'
    assert validation.get_linestyle() == '--'


def test_what_was_measured_is_drawn_as_it_was():
    table = curve(accuracy=False, validation=False)
    ax = plotting.plot(table, SUGGESTION, axes())
    raw = next(one for one in ax.lines if len(one.get_xdata()) == 150)
    np.testing.assert_array_equal(raw.get_xdata(), table['lr'])
    np.testing.assert_array_equal(raw.get_ydata(), table['main/loss'])


def test_bounds_are_upright_lines_with_the_range_shaded_between_and_the_reasons_in_words():
    ax = plotting.plot(curve(), SUGGESTION, axes())
    assert upright(ax) == [0.05, 0.2]
    (shade,) = ax.patches
    assert shade.get_extents().transformed(ax.transData.inverted()).intervalx == pytest.approx([0.05, 0.2])
    assert {'min', REASONS['min'], 'max', REASONS['max'], 'min 0.05', 'max 0.2'} <= set(words(ax))


def test_the_spread_of_each_bound_is_a_bar():
    suggestion = Suggestion('lr', (0.05, 0.2), 90, spread={'min': (0.04, 0.07), 'max': (0.15, 0.3)})
    ax = plotting.plot(curve(), suggestion, axes())
    bars = [one for one in ax.lines if one.get_marker() == '|']
    assert [list(one.get_xdata()) for one in bars] == [[0.04, 0.07], [0.15, 0.3]]
    assert bars[0].get_ydata()[0] > bars[1].get_ydata()[0]  # so neither covers the other


def test_the_limit_is_marked():
    table = curve(tail=[5.0] * 30)
    limit = lrfinder.analysis.analyzer.read(table).limit.rate
    ax = plotting.plot(table, SUGGESTION, axes())
    assert limit in upright(ax)
    assert f'degrades {limit:.3g}' in words(ax)


def test_a_range_up_to_the_end_of_the_ramp_says_so():
    ax = plotting.plot(curve(), Suggestion('lr', (0.2, 1.0), 90, exhausted=True), axes())
    assert 'max 1, end of ramp' in words(ax)
    assert not any(text.startswith(('degrades', 'diverges')) for text in words(ax))
    assert [one.get_xdata()[0] for one in ax.lines if one.get_marker() == '>'] == pytest.approx([1 - 0.02 / 1.04])


def test_a_range_below_the_end_of_a_ramp_on_which_nothing_degraded_says_that_too():
    ax = plotting.plot(curve(), Suggestion('lr', (0.1, 0.4), 90, exhausted=True), axes())
    assert 'max 0.4, higher may do' in words(ax)


def test_the_optimizers_attribute_is_named():
    assert plotting.plot(curve(), Suggestion('alpha', (0.05, 0.2), 90), axes()).get_xlabel() == 'learning rate (alpha)'
    assert plotting.plot(curve(), None, axes()).get_xlabel() == 'learning rate'


@pytest.mark.parametrize('value_range', [(0.0, 1.0), (0.0, 1e-4), (0.5, 2.0)])
def test_the_axis_of_a_linear_ramp_is_linear(value_range):
    table = curve().assign(lr=np.linspace(*value_range, 150))
    assert plotting.plot(table, None, axes()).get_xscale() == 'linear'


@pytest.mark.parametrize('value_range', [(1e-5, 10.0), (1e-3, 0.1)])
def test_the_axis_of_an_exponential_ramp_is_logarithmic(value_range):
    table = curve().assign(lr=np.geomspace(*value_range, 150))
    ax = plotting.plot(table, Suggestion('lr', (0.0, 0.05), 90), axes())
    assert ax.get_xscale() == 'log'
    assert ax.get_xlim()[0] == pytest.approx(value_range[0], rel=0.5)


def test_a_ramp_far_beyond_its_limit_is_cut_and_the_axis_says_so():
    table = curve(rows=1000)
    table.loc[table['lr'] > 0.02, 'main/loss'] = 1e6
    limit = lrfinder.analysis.analyzer.read(table).limit.rate
    ax = plotting.plot(table, Suggestion('lr', (0.002, 0.01), 90), axes())
    assert ax.get_xlim()[1] == pytest.approx(1.02 * 4 * limit)
    assert ax.get_xlabel() == 'learning rate (lr), tested up to 1'


@pytest.mark.parametrize(
    'tail',
    [
        [1e30] * 20,
        10.0 ** np.arange(2, 40, 2),
        [1e300, float('inf'), float('nan')] + [float('nan')] * 10,
        [float('nan')] * 30,
    ],
    ids=['huge', 'growing', 'not finite', 'not a number'],
)
@pytest.mark.parametrize('shift', [0.0, -10.0], ids=['positive', 'negative'])
def test_an_exploding_tail_does_not_flatten_the_curve(tail, shift):
    table = curve(tail=tail)
    table['main/loss'] += shift
    table['validation/main/loss'] += shift
    ax = plotting.plot(table, SUGGESTION, axes())
    ax.figure.canvas.draw()
    low, high = visible_losses(ax)
    assert 0.5 <= low - shift <= 1.2
    assert 1.5 <= high - shift <= 3.5
    assert high - low >= 0.5
    smooth = line(ax, 'training loss')
    np.testing.assert_allclose(smooth.get_ydata()[:100], table['main/loss'][:100], atol=0.2)


def test_an_outlier_at_the_very_start_does_not_flatten_the_curve():
    table = curve()
    table.loc[0, 'main/loss'] = 87.3
    assert visible_losses(plotting.plot(table, SUGGESTION, axes()))[1] <= 3


def test_the_parts_of_loss_and_accuracy_do_not_meet():
    ax = plotting.plot(curve(tail=[1e9] * 20), SUGGESTION, axes())
    tops = [one.get_clip_box().y1 for one in ax.lines if one.get_label() == 'training loss']
    bottoms = [one.get_clip_box().y0 for one in twin(ax).lines if one.get_label() == 'training accuracy']
    assert max(tops) < min(bottoms)


@pytest.mark.parametrize(
    'table, axes_labels',
    [
        (curve(accuracy=False, validation=False), ['loss']),
        (curve()[['lr', 'main/accuracy']], ['accuracy (%)']),
        (curve()[['lr', 'validation/main/loss', 'validation/main/accuracy']].dropna(), ['loss', 'accuracy (%)']),
        (
            curve().assign(**{'main/accuracy': np.linspace(3, 70, 150)}).drop(columns='validation/main/accuracy'),
            ['loss', 'accuracy'],
        ),
    ],
    ids=['loss alone', 'accuracy alone', 'validation alone', 'accuracy of another unit'],
)
def test_what_was_not_measured_takes_no_room(table, axes_labels):
    ax = plotting.plot(table, SUGGESTION, axes())
    assert [one.get_ylabel() for one in ax.figure.axes] == axes_labels
    assert ax is ax.figure.axes[0]


def test_several_seeds_are_thin_lines_with_their_median_and_a_band_from_the_lowest_to_the_highest():
    tables = [curve(accuracy=False, validation=False).assign(seed=seed) for seed in range(5)]
    for seed, table in enumerate(tables):
        table['main/loss'] += 0.1 * seed
    ax = plotting.plot(pd.concat(tables, ignore_index=True), SUGGESTION, axes())
    thin = [one for one in ax.lines if len(one.get_xdata()) == 150 and one.get_linewidth() < 1]
    assert len(thin) == 5
    (band,) = ax.collections
    last = band.get_paths()[0].vertices[band.get_paths()[0].vertices[:, 0] == 1.0][:, 1]
    smooth = line(ax, 'training loss').get_ydata()[-1]
    assert (last.min() - smooth, last.max() - smooth) == pytest.approx((-0.2, 0.2))
    assert ax.get_legend().get_texts()[-1].get_text() == 'each of 5 seeds'


def boxes_of_words(ax):
    ax.figure.canvas.draw()
    texts = [*ax.texts, *ax.get_legend().get_texts(), ax.xaxis.label, ax.yaxis.label, twin(ax).yaxis.label]
    return [text.get_window_extent() for text in texts if text.get_text()]


@pytest.mark.parametrize(
    'suggestion',
    [
        SUGGESTION,
        Suggestion('lr', (0.05, 0.2), 90, reasons=LONG),
        Suggestion('lr', (1e-5, 2e-5), 90, reasons=LONG),
        Suggestion('lr', (0.98, 1.0), 90, reasons=LONG, exhausted=True),
    ],
    ids=['usual', 'long reasons', 'far left', 'far right'],
)
@pytest.mark.parametrize('size', [(6.0, 4.5), (3.2, 3.0), (12.0, 3.0)], ids=['usual', 'small', 'wide'])
def test_no_word_covers_another_or_the_data_or_leaves_the_axes(suggestion, size):
    ax = plotting.plot(curve(tail=[9.0] * 20), suggestion, axes(*size))
    boxes = boxes_of_words(ax)
    for one, other in itertools.combinations(boxes, 2):
        assert not one.padded(-1).overlaps(other.padded(-1))
    data = max(one.get_clip_box().y1 for one in twin(ax).lines)
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.y0 >= data - 1
        assert ax.bbox.x0 - 1 <= box.x0 <= box.x1 <= ax.bbox.x1 + 1
    assert data >= ax.bbox.y0 + 0.35 * ax.bbox.height


def test_reasons_are_whole_in_a_picture_of_the_usual_size():
    figure = range_test.range_test_figure(curve(), Suggestion('lr', (0.05, 0.2), 90, reasons=LONG))
    assert {' '.join(reason.split()) for reason in LONG.values()} <= set(words(figure.axes[0]))


def test_the_details_of_a_reason_are_left_to_the_summary():
    reasons = {'max': 'the middle of the best; 4 trial cycles, by their highest rate: 0.1: loss 0.5; 0.3: diverged'}
    ax = plotting.plot(curve(), Suggestion('lr', (0.05, 0.2), 90, reasons=reasons), axes())
    assert {'max', 'the middle of the best'} <= set(words(ax))


def test_reasons_that_are_too_long_for_the_axes_end_in_dots():
    ax = plotting.plot(curve(), Suggestion('lr', (0.05, 0.2), 90, reasons={'max': 'word ' * 2000}), axes())
    (reason,) = [text for text in words(ax) if text.startswith('word')]
    assert reason.endswith(' ...')


def test_signs_in_a_name_are_no_formula_and_do_not_fill_the_picture():
    suggestion = Suggestion('$l_r$ \\frac', (0.05, 0.2), 90, policy='$p' + '!' * 1000)
    for figure in (
        range_test.range_test_figure(curve(), suggestion),
        training.training_figure(log(3), suggestion),
        policy.policy_figure('$p \x1b[31m', policies.triangular, 3),
    ):
        figure.canvas.draw()
    assert figure.axes[0].get_title(loc='left') == '$p \\x1b[31m'
    figure = range_test.range_test_figure(curve(), suggestion)
    assert figure.axes[0].get_xlabel() == 'learning rate ($l_r$ \\frac)'
    assert figure.axes[0].get_title(loc='left').endswith(', step_size 90, $p' + '!' * 58 + '...')


def test_signs_in_a_reason_are_no_formula():
    ax = plotting.plot(curve(), Suggestion('lr', (0.05, 0.2), 90, reasons={'max': 'costs $5 and \\frac $6'}), axes())
    ax.figure.canvas.draw()
    assert 'costs $5 and \\frac $6' in words(ax)


@pytest.mark.parametrize(
    'table',
    [
        pd.DataFrame({'lr': [], 'main/loss': []}),
        pd.DataFrame({'lr': [0.1], 'main/loss': [2.0]}),
        pd.DataFrame({'lr': [0.1, 0.1], 'main/loss': [2.0, 2.0]}),
        pd.DataFrame({'lr': [0.0, 0.1, 0.2], 'main/loss': [float('nan')] * 3}),
        pd.DataFrame({'lr': np.linspace(0, 1, 20), 'main/loss': [float('inf')] * 20, 'main/accuracy': [0.1] * 20}),
        pd.DataFrame({'lr': np.linspace(0, 1, 20), 'main/loss': [3.0] * 20, 'main/accuracy': [1.0] * 20}),
        pd.DataFrame({'lr': [float('nan'), 0.1, 0.2], 'main/loss': [1.0, 2.0, 3.0]}),
        pd.DataFrame({'lr': [0.3, 0.1, 0.2], 'main/loss': [1e30, 2.0, -1e30]}),
    ],
    ids=['empty', 'one row', 'one rate', 'no loss', 'infinite', 'constant', 'no rate', 'not ascending'],
)
@pytest.mark.parametrize('suggestion', [None, SUGGESTION])
def test_a_curve_that_shows_nothing_can_be_drawn(table, suggestion):
    assert plotting.png_bytes(table, suggestion, note='record a longer ramp').startswith(b'\x89PNG')


def test_a_long_curve_is_drawn_quickly():
    table = curve(rows=50_000)
    assert len(line(plotting.plot(table, SUGGESTION, axes()), 'training loss').get_xdata()) <= 4096


def test_a_table_that_is_no_curve_is_refused():
    with pytest.raises(ValueError, match="no column 'lr'"):
        plotting.plot(pd.DataFrame({'loss': [1.0]}), SUGGESTION, axes())


# Files


def test_save_range_test_writes_a_png_of_1200_pixels(tmp_path):
    plotting.save_range_test(tmp_path / 'range_test.png', curve(), SUGGESTION)
    content = (tmp_path / 'range_test.png').read_bytes()
    assert content[:8] == b'\x89PNG\r\n\x1a\n'
    assert int.from_bytes(content[16:20], 'big') == 1200
    assert [path.name for path in tmp_path.iterdir()] == ['range_test.png']


@pytest.mark.parametrize('name, begins', [('a.svg', b'<?xml'), ('a.pdf', b'%PDF'), ('a', b'\x89PNG')])
def test_the_suffix_says_the_format(tmp_path, name, begins):
    plotting.save_range_test(tmp_path / name, curve(), SUGGESTION)
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / 'a.unknown').write_text('earlier')
    with pytest.raises(ValueError, match='unknown'):
        plotting.save_range_test(tmp_path / 'a.unknown', curve(), SUGGESTION)
    assert (tmp_path / 'a.unknown').read_text() == 'earlier'
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OSError):
        plotting.save_range_test(tmp_path / 'missing' / 'a.png', curve(), SUGGESTION)


def test_the_title_gives_the_answer_and_a_note_says_why_there_is_none():
    given = range_test.range_test_figure(curve(), SUGGESTION).axes[0]
    assert given.get_title(loc='left') == 'Range test: lr 0.05 to 0.2, step_size 90, triangular2'
    none = range_test.range_test_figure(curve(), None, 'no metric improved').axes[0]
    assert none.get_title(loc='left') == 'Range test: no range'
    assert {'why', 'no metric improved'} <= set(words(none))


def test_the_users_style_and_backend_stay_as_they_are(tmp_path):
    with matplotlib.rc_context({'axes.facecolor': 'black', 'font.size': 23.0}):
        before, backend = dict(matplotlib.rcParams), matplotlib.get_backend()
        plotting.plot(curve(), SUGGESTION, axes())
        plotting.save_range_test(tmp_path / 'a.png', curve(), SUGGESTION)
        plotting.save_training(tmp_path / 'b.png', log(3), SUGGESTION)
        assert dict(matplotlib.rcParams) == before
        assert matplotlib.get_backend() == backend


def test_files_look_alike_in_every_style_of_the_users(tmp_path):
    usual = plotting.png_bytes(curve(), SUGGESTION)
    with matplotlib.rc_context({'axes.facecolor': 'black', 'font.size': 23.0}):
        assert plotting.png_bytes(curve(), SUGGESTION) == usual


def test_pyplot_is_loaded_by_plot_without_axes_alone():
    code = """
        import sys
        import pandas as pd
        from lrfinder import plotting
        from matplotlib.figure import Figure
        curve = pd.DataFrame({'lr': [0.1, 0.2, 0.3], 'main/loss': [2.0, 1.0, 0.5]})
        plotting.png_bytes(curve, None)
        plotting.plot(curve, None, Figure().subplots())
        assert 'matplotlib.pyplot' not in sys.modules
        assert 'chainer' not in sys.modules
        ax = plotting.plot(curve, None)
        from matplotlib import pyplot
        assert ax is pyplot.gcf().axes[0]
        assert plotting.plot(curve, None).figure is not ax.figure
        pyplot.figure()
        given = pyplot.subplot(1, 2, 1)
        assert plotting.plot(curve, None) is given
    """
    lines = '\n'.join(one.strip() for one in code.splitlines())
    subprocess.run([sys.executable, '-c', lines], check=True, env={'MPLBACKEND': 'Agg', 'HOME': '/nonexistent', **_paths()})


def _paths():
    return {'PYTHONPATH': ':'.join(sys.path), 'MPLCONFIGDIR': matplotlib.get_configdir()}


# The training


def log(epochs, fall=0.5, diverged=None, **also):
    entries = []
    for epoch in range(1, epochs + 1):
        loss = 2 * np.exp(-fall * epoch)
        entry = {'epoch': epoch, 'iteration': 45 * epoch, 'lr': 0.1, 'main/loss': loss, 'main/accuracy': 1 - loss / 2.5}
        entry |= {'validation/main/loss': loss + 0.1, 'validation/main/accuracy': 0.95 - loss / 2.5}
        if diverged and epoch >= diverged:
            entry |= {'main/loss': None, 'validation/main/loss': None, 'main/accuracy': 0.1, 'validation/main/accuracy': 0.1}
        entries.append({**entry, **also})
    return entries


def test_a_training_shows_accuracy_loss_and_rate_one_below_the_other():
    figure = training.training_figure(log(20), Suggestion('lr', (0.05, 0.2), 225, iterations_per_epoch=45))
    accuracy, loss, rate = figure.axes
    assert [ax.get_ylabel() for ax in figure.axes] == ['accuracy (%)', 'loss', 'lr']
    assert accuracy.get_position().y0 > loss.get_position().y1
    assert loss.get_position().y0 > rate.get_position().y1
    assert rate.get_xlabel() == 'epoch'
    assert rate.get_xlim() == (0, 20)
    assert accuracy.get_title(loc='left') == 'Training: lr 0.05 to 0.2, step_size 225, triangular2'


def test_a_training_names_its_last_values():
    accuracy, loss, _ = training.training_figure(log(20), SUGGESTION).axes
    assert {'training: 100.0%', 'validation: 95.0%'} <= set(words(accuracy))
    assert {'training: 9.08e-05', 'validation: 0.1'} <= set(words(loss))


def test_the_rate_of_a_training_is_the_policys_with_the_logged_one_as_dots():
    rate = training.training_figure(log(20), Suggestion('lr', (0.05, 0.2), 225, iterations_per_epoch=45)).axes[-1]
    policy, dots = rate.lines[:2]
    epochs, rates = policy.get_data()
    assert np.interp([0, 5, 10, 15, 20], epochs, rates) == pytest.approx([0.05, 0.2, 0.05, 0.125, 0.05], abs=1e-3)
    assert dots.get_ydata().tolist() == [0.1] * 20


def test_the_dots_of_the_rate_lie_on_its_line():
    suggestion = Suggestion('lr', (0.05, 0.2), 225, 'triangular', iterations_per_epoch=45)
    # The last of 45 n updates has the rate of step 45 n - 1.
    entries = [{**entry, 'lr': policies.triangular(45 * n - 1, (0.05, 0.2), 225)} for n, entry in enumerate(log(10), start=1)]
    line, dots = training.training_figure(entries, suggestion).axes[-1].lines[:2]
    np.testing.assert_allclose(np.interp(dots.get_xdata(), *line.get_data()), dots.get_ydata(), atol=1e-3 * 0.15)


def test_the_cycles_of_a_training_are_marked():
    accuracy, loss, rate = training.training_figure(log(30), Suggestion('lr', (0.05, 0.2), 225)).axes
    assert {'cycle 1', 'cycle 2', 'cycle 3'} <= set(words(accuracy))
    for ax in (accuracy, loss, rate):
        (shade,) = ax.patches
        assert shade.get_extents().transformed(ax.transData.inverted()).intervalx == pytest.approx([10, 20])


def test_a_training_that_diverged_says_so():
    _, loss, _ = training.training_figure(log(20, diverged=7), SUGGESTION).axes
    assert {'training: diverged', 'validation: diverged'} <= set(words(loss))


@pytest.mark.parametrize(
    'entries', [[], log(1), log(2, diverged=1), [{'epoch': 1, 'main/loss': 2.0}], [{'iteration': 9, 'alpha': 0.1}]]
)
@pytest.mark.parametrize('policy', ['triangular2', 'one_cycle', 'of my own'])
def test_a_training_of_any_length_and_policy_can_be_drawn(tmp_path, entries, policy):
    plotting.save_training(tmp_path / 'training.png', entries, Suggestion('lr', (0.05, 0.2), 2, policy))
    assert (tmp_path / 'training.png').stat().st_size > 1000


def test_a_broken_accuracy_is_not_read_as_percent():
    accuracy = training.training_figure([{**entry, 'main/accuracy': -3.0} for entry in log(5)], SUGGESTION).axes[0]
    assert accuracy.get_ylabel() == 'accuracy'


# The comparison


def table(**runs):
    return pd.DataFrame([{'run': name.replace('_', ' '), **entry} for name, entries in runs.items() for entry in entries])


def test_a_comparison_draws_each_run_and_stresses_clr():
    figure = comparison.compare_figure(table(CLR=log(20), fixed_1=log(20, 0.2), fixed_2=log(20, 0.1)))
    accuracy, loss = figure.axes
    assert [ax.get_ylabel() for ax in figure.axes] == ['accuracy (%)', 'loss']
    strong = [one for one in loss.lines if len(one.get_xdata()) == 20 and one.get_linewidth() > style.THIN]
    assert [one.get_linewidth() for one in strong] == [2.6, 1.3, 1.3]
    assert len({one.get_color() for one in strong}) == 3
    assert {'CLR: 95.0%', 'fixed 1: 93.5%', 'fixed 2: 84.2%'} <= set(words(accuracy))


@pytest.mark.parametrize(
    'clr, fixed, title',
    [
        (0.5, 0.2, 'Validation accuracy at the end: CLR 95.0%, fixed 1 93.5%'),
        (0.2, 0.5, 'Validation accuracy at the end: CLR 93.5%, fixed 1 95.0%'),
    ],
    ids=['wins', 'loses'],
)
def test_the_title_of_a_comparison_is_honest_whether_clr_wins_or_loses(clr, fixed, title):
    figure = comparison.compare_figure(table(CLR=log(20, clr), fixed_1=log(20, fixed), fixed_2=log(20, 0.1)))
    assert figure.axes[0].get_title(loc='left') == title


def test_a_fixed_rate_that_diverged_flattens_nothing_and_is_not_the_best_one():
    broken = log(20, diverged=4)
    broken[2] |= {'main/loss': 1e20, 'validation/main/loss': 1e25}
    accuracy, loss = comparison.compare_figure(table(CLR=log(20), fixed_1=log(20, 0.2), fixed_9=broken)).axes
    assert max(loss.get_yticks()) <= 4
    assert 'fixed 9: diverged' in words(loss)
    assert ', fixed 1 ' in accuracy.get_title(loc='left')


def test_a_comparison_of_several_seeds_shows_their_means():
    seeds = [table(CLR=log(20, fall)).assign(seed=seed) for seed, fall in enumerate((0.2, 0.1))]
    accuracy, _ = comparison.compare_figure(pd.concat(seeds)).axes
    assert 'CLR: 88.9%' in words(accuracy)


@pytest.mark.parametrize(
    ('others', 'verdict'),
    [([0.2, 0.21], 'no difference'), ([0.1, 0.1001], 'CLR is better'), ([0.5, 0.5001], 'fixed 1 is better')],
)
def test_a_comparison_of_several_seeds_says_what_they_show(others, verdict):
    seeds = [
        table(CLR=log(20, own), fixed_1=log(20, other)).assign(seed=seed)
        for seed, (own, other) in enumerate(zip((0.2, 0.2001), others))
    ]
    (panel, _) = comparison.compare_figure(pd.concat(seeds)).axes
    assert f'strong: validation, thin: training; means of 2 seeds, which show: {verdict}' in words(panel)


def test_a_seed_that_diverged_is_not_averaged_away():
    seeds = [table(CLR=log(20, diverged=diverged)).assign(seed=seed) for seed, diverged in enumerate((None, 9))]
    _, loss = comparison.compare_figure(pd.concat(seeds)).axes
    assert 'CLR: diverged' in words(loss)


def test_names_at_the_end_of_lines_neither_overlap_nor_leave_the_picture():
    runs = {f'fixed_0.000{number}': log(20, 0.5 + 0.001 * number) for number in range(6)}
    figure = comparison.compare_figure(table(CLR=log(20), **runs))
    figure.canvas.draw()
    for ax in figure.axes:
        boxes = [text.get_window_extent() for text in ax.texts if text.get_position()[0] > 1]
        assert len(boxes) == 7
        assert max(box.x1 for box in boxes) <= figure.bbox.x1
        for one, other in itertools.combinations(boxes, 2):
            assert not one.padded(-1).overlaps(other.padded(-1))


def test_a_comparison_is_written_with_whatever_was_measured(tmp_path):
    losses = table(CLR=log(3), fixed_1=log(3))[['run', 'epoch', 'main/loss']]
    plotting.save_compare(tmp_path / 'compare.png', losses)
    assert (tmp_path / 'compare.png').stat().st_size > 1000


# The trials

TRIALS = pd.DataFrame(
    [
        (0, 'triangular2', 3, 0.1, 0.4, 10, 60, 'finished', 0.9),
        (1, 'fixed', None, 0.2, 0.2, 10, 60, 'finished', 0.95),
        (2, 'cosine', 1, 0.2, 0.8, 30, 40, 'stopped early', None),
        (3, 'wsd', None, 0.1, 0.4, 30, 10, 'diverged', None),
    ],
    columns=['trial', 'policy', 'cycles', 'min', 'max', 'step_size', 'updates', 'state', 'value'],
).astype({'cycles': 'Int64', 'value': float})
CURVES = pd.DataFrame(
    [
        (trial, iteration, 0.01 * (80 + iteration / 6 + trial))
        for trial, end in enumerate((60, 60, 40))
        for iteration in range(10, end + 1, 10)
    ],
    columns=['trial', 'iteration', 'value'],
)
ACCURACY = 'validation/main/accuracy'


def test_the_answer_is_in_front_of_the_other_trials_and_three_are_named():
    (ax,) = tuning.tuning_figure(TRIALS, CURVES, ACCURACY, chosen=0).axes
    named = words(ax)
    assert 'the answer triangular2, 3 cycles: 90.0%' in named
    assert 'best trial fixed: 91.0%' in named
    strongest = max((one for one in ax.lines if len(one.get_xdata()) > 2), key=lambda one: one.get_zorder())
    assert strongest.get_linewidth() == 2.6


def test_an_answer_that_was_tuned_stands_beside_the_plan_without():
    (ax,) = tuning.tuning_figure(TRIALS, CURVES, ACCURACY, chosen=1).axes
    assert {'the answer fixed: 91.0%', 'without tuning triangular2, 3 cycles: 90.0%'} <= set(words(ax))


def test_trials_by_policy_are_a_row_each_and_what_did_not_end_is_told():
    (ax,) = tuning.by_policy_figure(TRIALS, ACCURACY, chosen=1).axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ['cosine', 'wsd', 'triangular2', 'fixed']
    assert {'1 stopped early', '1 diverged'} <= set(words(ax))
    assert ax.get_title(loc='left') == '4 trials; in blue the answer, fixed: 95.0%'


@pytest.mark.parametrize('metric', [ACCURACY, 'validation/main/loss'])
@pytest.mark.parametrize('rows', [1, 4])
def test_trials_of_any_number_can_be_drawn(tmp_path, metric, rows):
    plotting.save_tuning(tmp_path / 'a.png', TRIALS[:rows], CURVES[CURVES['trial'] < rows], metric, 0)
    plotting.save_by_policy(tmp_path / 'b.png', TRIALS[:rows], metric, 0)
    assert min((tmp_path / name).stat().st_size for name in ('a.png', 'b.png')) > 1000


def test_trials_of_which_none_ended_can_be_drawn(tmp_path):
    plotting.save_tuning(tmp_path / 'a.png', TRIALS[3:], CURVES[:0], ACCURACY, 3)
    plotting.save_by_policy(tmp_path / 'b.png', TRIALS[3:], ACCURACY, 3)
    assert (tmp_path / 'b.png').stat().st_size > 1000


# The policies


def test_a_policy_is_drawn_from_its_function():
    (ax,) = policy.policy_figure('triangular', policies.triangular, 3).axes
    (drawn,) = [one for one in ax.lines if len(one.get_xdata()) > 2]
    steps, rates = drawn.get_data()
    assert np.interp([0, 2000, 4000, 6000, 12000], steps, rates) == pytest.approx([0.001, 0.006, 0.001, 0.006, 0.001], abs=1e-6)
    assert {'min', 'max', 'step_size 2000'} <= set(words(ax))


def test_one_command_draws_a_picture_for_each_policy(tmp_path, monkeypatch):
    monkeypatch.setattr(draw_policies, 'FOLDER', tmp_path)
    draw_policies.main()
    drawn = {path.stem for path in tmp_path.iterdir()}
    assert drawn == {*policies.POLICIES, *draw_policies.EXAMPLES}


def test_the_repository_has_a_picture_for_each_policy():
    assert {*policies.POLICIES, *draw_policies.EXAMPLES} <= {path.stem for path in draw_policies.FOLDER.glob('*.png')}


# Where things go


def test_labels_move_as_little_as_needed():
    assert style.apart([0.25, 0.75], [0.25, 0.25], 0.0, 1.0) == [0.25, 0.75]
    assert style.apart([0.0, 0.0], [0.25, 0.25], 0.0, 1.0) == [0.125, 0.375]
    assert style.apart([1.0, 1.0], [0.25, 0.25], 0.0, 1.0) == [0.625, 0.875]


def test_limits_follow_the_curve_before_it_explodes():
    assert style.limits(np.array([3.0, 2.0, 1.0, 50.0])) == (1.0, 4.2)
    assert style.limits(np.array([0.2, 0.9, 0.1]), rising=True) == (0.1, 0.9)
    assert style.limits(np.array([float('nan')])) is None


@pytest.mark.parametrize('rates', [(0.0, 1.0), (0.0, 1.79e308), (1e-308, 1.0), (5e-324, 5e-322)], ids=str)
@pytest.mark.parametrize('losses', [[1.7e308, -1.7e308], [2.0, 1.7e308], [1.7e308, 1e308, 5e-324]], ids=str)
def test_numbers_at_the_end_of_what_there_is_can_be_drawn(rates, losses):
    spaced = np.geomspace if rates[0] else np.linspace
    table = pd.DataFrame({'lr': spaced(*rates, 60), 'main/loss': np.resize(losses, 60), 'main/accuracy': np.resize(losses, 60)})
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # as under python -W error
        warnings.simplefilter('ignore', DeprecationWarning)  # Matplotlib 3.7 calls today's pyparsing by old names
        assert range_test.png_bytes(table, None)[1:4] == b'PNG'
