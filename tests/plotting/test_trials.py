"""The picture of a range test with its trials: which of them is marked where, and what stands beside them."""

import dataclasses
import itertools
import math

from lrfinder.analysis.suggestion import Suggestion
from lrfinder.analysis.trial_table import COLUMNS
from lrfinder.plotting import range_test, style
from lrfinder.result import Result

import numpy as np
import pandas as pd
import pytest

NAN = math.nan
CURVE = pd.DataFrame({'lr': np.linspace(0, 0.3, 50), 'main/loss': np.linspace(2.3, 0.5, 50)})
SCAN = pd.DataFrame({'lr': np.geomspace(1e-7, 1e2, 61), 'main/loss': 2.0 - np.linspace(0, 1, 61)})
SUGGESTION = Suggestion(
    'lr',
    (0.02, 0.08),
    90,
    reasons={
        'min': 'a fourth of the maximum; learning starts to pay at 0.001 already',
        'max': 'the middle; 4 trial cycles: ...',
    },
    spread={'min': (0.015, 0.03), 'max': (0.06, 0.12)},
    band=(0.03, 0.3),
    diverges=1.0,
)
# The rate of a trial, its updates, its losses and its accuracy on held-out data, whether it diverged, and its weight.
ROWS = [
    (0.1, 80, 0.25, 0.20, 0.95, False, 0.5),
    (0.01, 80, 0.90, 0.80, 0.80, False, 0.0),
    (0.03, 80, 0.35, 0.30, 0.93, False, 0.1),
    (0.3, 80, 0.30, 0.25, 0.94, False, 0.02),
    (1.0, 12, NAN, NAN, NAN, True, 0.0),
]
SHORT = [(0.1, 20, 0.6, 0.5, 0.9, False, 0.0), (0.01, 20, 1.8, 1.7, 0.5, False, 0.0)]


def table(rows=ROWS, **changed):
    return pd.DataFrame(rows, columns=list(COLUMNS)).assign(**changed)


def figure(trials, suggestion=SUGGESTION, note=None, scan=None, curve=CURVE):
    return range_test.range_test_figure(curve, suggestion, note, None, trials, scan)


def panels(trials, *args, **options):
    """The axes with the loss of the trials, those with their accuracy (``None`` without), and those with the ramp."""
    axes = figure(trials, *args, **options).axes
    return axes[0], axes[2] if len(axes) > 2 else None, axes[1]


def joined(ax):
    """The rates and the values of the trials that a line joins, a list for each rung; strongest lines last."""
    rungs = [one for one in ax.lines if one.get_color() in (style.VERMILLION, style.BLUE) and len(one.get_xdata()) > 1]
    return [(one.get_xdata().tolist(), one.get_ydata().tolist()) for one in rungs]


def dots(ax):
    """Where markers stand, by rate; one rate has one marker."""
    return {float(x): float(y) for part in ax.collections for x, y in part.get_offsets()}


def areas(ax):
    return {float(x): float(size) for part in ax.collections for (x, _), size in zip(part.get_offsets(), part.get_sizes())}


def crosses(ax):
    return [one for one in ax.lines if one.get_marker() == 'x' and len(one.get_xdata())]


def upright(ax):
    lines = [one.get_xydata() for one in ax.lines if len(one.get_xdata()) == 2]
    return sorted(float(low[0]) for low, high in lines if low[0] == high[0] and low[1] == 0)


def words(ax):
    return [text.get_text().replace('\n', ' ') for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_trials_are_above_the_ramp_on_a_logarithmic_axis():
    loss, accuracy, ramp = panels(table())
    assert loss.get_position().y0 > ramp.get_position().y1
    assert (loss.get_xscale(), ramp.get_xscale()) == ('log', 'linear')
    assert loss.get_xlabel() == 'highest learning rate of a trial (lr)'
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ('loss', 'accuracy (%)')
    assert loss.get_title(loc='left') == 'Range test: lr 0.02 to 0.08, step_size 90, triangular2'


@pytest.mark.parametrize('trials', [None, table([])], ids=['unknown', 'none run'])
def test_without_trials_there_is_the_ramp_alone(trials):
    (ramp,) = figure(trials).axes
    assert ramp.get_xlabel() == 'learning rate (lr)'


def test_each_trial_stands_at_its_highest_rate_with_what_it_came_to_on_held_out_data():
    loss, accuracy, _ = panels(table())
    assert joined(loss) == [([0.01, 0.03, 0.1, 0.3], [0.8, 0.3, 0.2, 0.25])]
    assert joined(accuracy) == [([0.01, 0.03, 0.1, 0.3], [0.8, 0.93, 0.95, 0.94])]
    assert dots(accuracy) == {0.01: 0.8, 0.03: 0.93, 0.1: 0.95, 0.3: 0.94}


def test_a_trial_has_a_larger_marker_the_more_weight_it_has():
    loss, accuracy, _ = panels(table())
    assert areas(loss) == areas(accuracy)
    assert [rate for rate, _ in sorted(areas(loss).items(), key=lambda item: item[1])] == [0.01, 0.3, 0.03, 0.1]
    assert 'larger: more weight' in legend(loss)


def test_a_trial_that_diverged_is_a_cross_at_the_top_and_no_rung_of_its_own():
    loss, accuracy, _ = panels(table())
    (cross,) = crosses(loss)
    assert cross.get_xdata().tolist() == [1.0]
    at = cross.get_transform().transform(cross.get_xydata())[0, 1]
    assert at > max(loss.transData.transform((rate, height))[1] for rate, height in dots(loss).items())
    assert not crosses(accuracy)
    assert [entry for entry in legend(loss) if 'after' in entry or entry == 'diverged'] == [
        'validation after 80 updates',
        'diverged',
    ]


def test_bounds_band_and_divergence_are_marked_and_named():
    loss, _, ramp = panels(table())
    assert upright(loss) == [0.02, 0.08, 1.0]
    assert {'min 0.02', 'max 0.08', 'diverges 1'} <= set(words(loss))
    assert {0.02, 0.08} <= set(upright(ramp))
    bars = [list(one.get_xdata()) for one in loss.lines if one.get_color() == style.GREEN and len(set(one.get_ydata())) == 1]
    assert bars == [[0.015, 0.03], [0.06, 0.12], [0.03, 0.3]]
    assert legend(loss)[-2:] == ['max within a point of the best', 'bounds of another test']


def test_what_is_not_known_is_neither_drawn_nor_named():
    bare = dataclasses.replace(SUGGESTION, band=None, diverges=None, spread={})
    loss, _, _ = panels(table(ROWS[:4]), bare)
    assert upright(loss) == [0.02, 0.08]
    assert legend(loss) == ['validation after 80 updates', 'larger: more weight']


def test_a_maximum_that_may_be_too_low_says_so():
    loss, _, _ = panels(table(), dataclasses.replace(SUGGESTION, exhausted=True))
    assert 'max 0.08, higher may do' in words(loss)


def test_longer_trials_are_stronger_and_have_another_marker():
    loss, _, _ = panels(table([*SHORT, *ROWS]))
    short, long = [one for one in loss.lines if one.get_color() == style.VERMILLION and len(one.get_xdata()) > 1]
    assert (short.get_xdata().tolist(), long.get_xdata().tolist()) == ([0.01, 0.1], [0.01, 0.03, 0.1, 0.3])
    assert long.get_alpha() > short.get_alpha()
    assert long.get_zorder() > short.get_zorder()
    first, second = loss.get_legend().get_lines()[:2]
    assert legend(loss)[:2] == ['validation after 80 updates', 'after 20 updates']
    assert first.get_marker() != second.get_marker()


def test_every_length_is_in_the_legend():
    rungs = [(0.1, updates, 0.5, 0.5, 0.9, False, float(updates == 1440)) for updates in (90, 360, 1440)]
    loss, _, _ = panels(table([*rungs, ROWS[-1]]), scan=SCAN)
    assert legend(loss) == [
        'validation after 1440 updates',
        'after 360 updates',
        'after 90 updates',
        'larger: more weight',
        'diverged',
        'scan (loss, own scale)',
        'max within a point of the best',
        'bounds of another test',
    ]


@pytest.mark.parametrize('exploded', [1e3, 1e300])
def test_a_trial_that_exploded_is_marked_at_the_edge_and_does_not_flatten_the_others(exploded):
    rows = [*ROWS[:4], (0.6, 80, exploded, exploded, 0.1, False, 0.0)]
    loss, accuracy, _ = panels(table(rows))
    assert 0.8 <= max(loss.get_yticks()) <= 3
    assert min(accuracy.get_yticks()) >= 0.5
    assert dots(loss)[0.6] == max(dots(loss).values())
    assert dots(accuracy)[0.6] == min(dots(accuracy).values())


def test_without_answers_there_is_the_loss_alone():
    loss, accuracy, _ = panels(table(**{'validation/main/accuracy': NAN}))
    assert accuracy is None
    assert joined(loss) == [([0.01, 0.03, 0.1, 0.3], [0.8, 0.3, 0.2, 0.25])]
    assert not loss.spines['right'].get_visible()


def test_without_held_out_data_there_is_the_training_loss():
    loss, accuracy, _ = panels(table(**{'validation/main/loss': NAN, 'validation/main/accuracy': NAN}))
    assert accuracy is None
    assert joined(loss) == [([0.01, 0.03, 0.1, 0.3], [0.9, 0.35, 0.25, 0.3])]
    assert legend(loss)[0] == 'training after 80 updates'


def test_the_scan_is_a_thin_grey_line_behind_as_high_as_the_losses():
    loss, _, _ = panels(table(), scan=SCAN)
    (scan,) = [one for one in loss.lines if len(one.get_xdata()) == 61]
    assert (scan.get_color(), scan.get_linewidth()) == (style.GREY, style.THIN)
    assert scan.get_zorder() < min(part.get_zorder() for part in loss.collections)
    assert (scan.get_ydata()[0], scan.get_ydata()[-1]) == pytest.approx((max(dots(loss).values()), min(dots(loss).values())))
    assert 'scan (loss, own scale)' in legend(loss)


def test_each_panel_gives_the_reason_for_what_it_decides_in_few_words():
    loss, _, ramp = panels(table())
    assert 'the middle' in words(loss)
    assert 'a fourth of the maximum' in words(ramp)
    assert 'by the trials above: the ramp is past each rate after one update' in words(ramp)


def test_where_there_is_no_range_the_trials_and_why_are_shown_but_no_bound():
    loss, _, ramp = panels(table(weight=0.0), None, 'no trial cycle made the model better')
    assert {'why', 'no trial cycle made the model better'} <= set(words(loss))
    assert words(ramp) == []
    assert upright(loss) == []
    assert legend(loss) == ['validation after 80 updates', 'diverged']
    assert loss.get_title(loc='left') == 'Range test: no range'


def test_trials_that_all_diverged_are_crosses_on_an_axis_without_numbers():
    loss, accuracy, _ = panels(
        table([(rate, 3, NAN, NAN, NAN, True, 0.0) for rate in (0.1, 1.0)]), None, 'every trial diverged'
    )
    assert crosses(loss)[0].get_xdata().tolist() == [0.1, 1.0]
    assert accuracy is None
    assert list(loss.get_yticks()) == []


def test_the_trials_of_each_seed_are_a_fainter_line():
    seeds = [table(ROWS[: 4 - seed]).assign(seed=seed) for seed in range(3)]
    loss, _, _ = panels(pd.concat(seeds, ignore_index=True))
    lines = [one for one in loss.lines if one.get_color() == style.VERMILLION and len(one.get_xdata()) > 1]
    assert sorted(len(one.get_xdata()) for one in lines) == [2, 3, 4]
    assert all(one.get_alpha() < 1 for one in lines)
    assert legend(loss)[0] == 'validation after 80 updates, 3 seeds'


def test_each_seeds_longest_trials_decide_where_those_of_one_are_shorter():
    seeds = [table([*SHORT, *ROWS]).assign(seed=0), table(SHORT, weight=0.5).assign(seed=1)]
    loss, _, _ = panels(pd.concat(seeds, ignore_index=True))
    short, deciding, long = [one for one in loss.lines if one.get_color() == style.VERMILLION and len(one.get_xdata()) > 1]
    assert short.get_alpha() < deciding.get_alpha() == long.get_alpha()


@pytest.mark.parametrize('value_range', [(0.01, 0.011), (0.0, 0.08), (1e-5, 10.0)], ids=['narrow', 'from zero', 'wide'])
@pytest.mark.parametrize('rows', [ROWS, [*SHORT, *ROWS], ROWS[:1]], ids=['one rung', 'two rungs', 'one trial'])
def test_no_word_covers_another_or_the_data_or_leaves_the_panel(value_range, rows):
    suggestion = dataclasses.replace(SUGGESTION, value_range=value_range)
    drawn = figure(table(rows), suggestion, scan=SCAN)
    drawn.canvas.draw()
    loss, _, accuracy = drawn.axes
    labels = [
        label
        for label in loss.get_xticklabels()
        if label.get_text() and loss.bbox.padded(40).contains(*label.get_window_extent().p0)
    ]
    texts = [*loss.texts, *loss.get_legend().get_texts(), *labels, loss.xaxis.label, loss.yaxis.label, accuracy.yaxis.label]
    boxes = [text.get_window_extent() for text in texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.padded(-1).overlaps(other.padded(-1))
    data = max(one.get_clip_box().y1 for one in accuracy.collections)
    for text in loss.texts:
        box = text.get_window_extent()
        assert box.y0 >= data - 1
        assert loss.bbox.x0 - 1 <= box.x0 <= box.x1 <= loss.bbox.x1 + 1
    assert data >= loss.bbox.y0 + 0.35 * loss.bbox.height


def test_a_result_shows_the_trials_in_a_notebook():
    def height(result):
        return int.from_bytes(result._repr_png_()[20:24], 'big')

    assert height(Result(CURVE, SUGGESTION, None, table(), SCAN)) > height(Result(CURVE, SUGGESTION))
