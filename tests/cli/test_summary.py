"""What the command says at its end."""

from lrfinder.analysis.cycles import plan as cycle_plan
from lrfinder.analysis.suggestion import LINE_WIDTH, Suggestion
from lrfinder.cli import summary

import pytest

FOUND = Suggestion(
    'lr',
    (0.0123456, 0.1),
    step_size=90,
    reasons={'min': 'learning pays', 'max': 'the loss rises', 'step_size': '2 epochs of 45 iterations'},
    warnings=('the ramp ended early',),
)


def test_the_range_comes_with_the_reason_for_each_bound():
    assert summary.range_lines(FOUND) == [
        'value_range: 0.01235 to 0.1 (lr)',
        '  min 0.01235: learning pays',
        '  max 0.1: the loss rises',
        'step_size: 90 iterations: 2 epochs of 45 iterations',
        'Warning: the ramp ended early',
    ]


def test_the_code_comes_with_its_cycles():
    assert summary.how_to_train(FOUND) == [
        'To train with it:',
        '    from clr.training.extensions import CLR',
        "    trainer = chainer.training.Trainer(updater, (540, 'iteration'))  # 3 whole cycles",
        "    trainer.extend(CLR('lr', (0.01235, 0.1), step_size=90, policy='triangular2'))",
    ]


def test_the_code_has_the_cycles_of_the_training_that_follows():
    plan = cycle_plan(45, (4, 'epoch'))
    line = "    trainer = chainer.training.Trainer(updater, (180, 'iteration'))  # 1 whole cycle"
    assert line in summary.how_to_train(FOUND, plan)


def test_the_code_runs():
    lines = summary.code_lines(FOUND)
    import chainer

    class Updater:
        def connect_trainer(self, trainer):
            pass

        def get_all_optimizers(self):
            return {}

    names = {'chainer': chainer, 'updater': Updater()}
    exec('\n'.join(lines), names)
    assert names['trainer'].get_extension('CLR')._value_range == (0.01235, 0.1)
    assert names['trainer'].stop_trigger.period == 540


def test_what_is_missing_is_left_out():
    assert summary.range_lines(Suggestion('alpha', (0.01, 0.1), 90)) == [
        'value_range: 0.01 to 0.1 (alpha)',
        '  min 0.01',
        '  max 0.1',
        'step_size: 90 iterations',
    ]


def test_the_spread_of_several_seeds_is_told():
    found = Suggestion('lr', (0.01, 0.1), 90, spread={'min': (0.008, 0.012), 'max': (0.09, 0.2)})
    line = 'value_range: 0.01 to 0.1 (lr); min from 0.008 to 0.012, max from 0.09 to 0.2'
    assert summary.range_lines(found)[0] == line


def test_long_reasons_are_wrapped():
    found = Suggestion('lr', (0.01, 0.1), 90, reasons={'max': 'word ' * 40})
    assert all(len(line) <= LINE_WIDTH for line in summary.range_lines(found))


def test_quiet_is_exact():
    assert summary.quiet_line(FOUND) == '0.0123456 0.1 90'


def test_a_training_ends_with_its_last_values():
    entry = {'iteration': 540, 'epoch': 12, 'validation/main/accuracy': 0.975, 'main/loss': None, 'lr': 0.1}
    assert summary.training_lines(entry, 'training.png', 'snapshot_iter_540') == [
        'After 540 iterations: validation accuracy 0.975, training loss not finite',
        'Picture: training.png; snapshot: snapshot_iter_540',
    ]


def test_a_comparison_is_a_table():
    ends = {
        'CLR': {'validation/main/accuracy': 0.975, 'main/loss': 0.05},
        'fixed 0.01': {'validation/main/accuracy': 0.9, 'main/loss': 0.123456},
    }
    assert summary.comparison_lines(ends, 'compare.png', 360) == [
        '            validation accuracy  training loss',
        'CLR         0.975                0.05',
        'fixed 0.01  0.9                  0.1235',
        'CLR ended better than every fixed rate; the best of them is fixed 0.01: validation accuracy 0.9 against 0.975.',
        'One run each on 360 validation examples. Picture: compare.png',
    ]


ACCURACY, LOSS = 'validation/main/accuracy', 'validation/main/loss'


@pytest.mark.parametrize(
    ('ends', 'verdict'),
    [
        (
            {'CLR': {ACCURACY: 0.9}, 'fixed 1': {ACCURACY: 0.95}, 'fixed 2': {ACCURACY: 0.92}},
            'fixed 1 ended better than CLR: validation accuracy 0.95 against 0.9.',
        ),
        (
            {'CLR': {ACCURACY: 0.9}, 'fixed 1': {ACCURACY: 0.9}},
            'CLR and fixed 1 ended alike: validation accuracy 0.9 against 0.9.',
        ),
        (
            {'CLR': {LOSS: 0.5}, 'fixed 1': {LOSS: 0.25}},
            'fixed 1 ended better than CLR: validation loss 0.25 against 0.5.',
        ),
        (
            {'CLR': {LOSS: -0.5}, 'fixed 1': {LOSS: 0.25}},
            'CLR ended better than every fixed rate; the best of them is fixed 1: validation loss 0.25 against -0.5.',
        ),
        (
            {'CLR': {ACCURACY: 0.1, 'main/loss': None}, 'fixed 1': {ACCURACY: 0.9, 'main/loss': 0.3}},
            'CLR diverged: its loss is not finite.',
        ),
        (
            {'CLR': {ACCURACY: 0.9, 'main/loss': 0.3}, 'fixed 1': {ACCURACY: 0.95, 'main/loss': None}},
            'CLR alone did not diverge: at every fixed rate the loss became infinite or NaN.',
        ),
    ],
)
def test_the_verdict_is_honest(ends, verdict):
    lines = summary.comparison_lines(ends, 'compare.png', 10_000)
    assert lines[len(ends) + 1 : -1] == [verdict]


def doubts(own, rival, examples=360):
    """What is said between the verdict and the last line of two runs with these accuracies and losses."""
    ends = {name: {ACCURACY: accuracy, LOSS: loss} for name, (accuracy, loss) in {'CLR': own, 'fixed 1': rival}.items()}
    return summary.comparison_lines(ends, 'compare.png', examples)[4:-1]


def test_what_one_image_decides_is_no_victory():
    assert doubts((0.975, 0.1), (0.9722, 0.11)) == ['But chance may decide that: it is 1 of 360 examples.']
    assert doubts((0.975, 0.1), (0.9, 0.11)) == []
    # One of 10,000 is one of 10,000; 100 are not.
    assert doubts((0.9750, 0.1), (0.9749, 0.2), 10_000) == ['But chance may decide that: it is 1 of 10000 examples.']
    assert doubts((0.975, 0.1), (0.965, 0.2), 10_000) == []


def test_a_loss_that_contradicts_is_told():
    other = 'by validation loss it is the other way round'
    assert doubts((0.975, 0.2), (0.9, 0.1)) == [f'But {other}, 0.1 against 0.2.']
    assert doubts((0.9722, 0.1), (0.975, 0.2)) == [
        f'But chance may decide that: it is 1 of 360 examples, and {other}, 0.2 against 0.1.'
    ]
    assert doubts((0.975, None), (0.9, 0.1)) == []
