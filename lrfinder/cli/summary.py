"""What the command says at its end: lines of text, made from results alone."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from lrfinder.analysis.curve import ACCURACY, LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.analysis.cycles import CYCLES, CyclePlan
from lrfinder.analysis.suggestion import Suggestion

WIDTH = 100
_SHOWN = (
    (VALIDATION_ACCURACY, 'validation accuracy'),
    (VALIDATION_LOSS, 'validation loss'),
    (ACCURACY, 'training accuracy'),
    (LOSS, 'training loss'),
)


def range_lines(suggestion: Suggestion, picture: str, plan: CyclePlan | None = None) -> list[str]:
    """The range, the reasons for it, and the code that trains with it.

    Args:
        suggestion: The range.
        picture: Where the picture of the range test is.
        plan: The training that follows, if one does.

    >>> suggestion = Suggestion('lr', (0.01, 0.1), 90, reasons={'max': 'the loss rises above 0.2'})
    >>> print(*range_lines(suggestion, 'result/range_test.png')[:3], sep=chr(10))
    value_range: 0.01 to 0.1 (lr)
      min 0.01
      max 0.1: the loss rises above 0.2
    """
    low, high = suggestion.value_range
    return [
        f'value_range: {low:.4g} to {high:.4g} ({suggestion.attr}){_spread(suggestion)}',
        *_because(f'  min {low:.4g}', suggestion.reasons.get('min')),
        *_because(f'  max {high:.4g}', suggestion.reasons.get('max')),
        *_because(f'step_size: {suggestion.step_size} iterations', suggestion.reasons.get('step_size')),
        *(_because('batchsize', suggestion.reasons['batchsize']) if 'batchsize' in suggestion.reasons else []),
        *(line for warning in suggestion.warnings for line in _because('Warning', warning)),
        f'Picture: {picture}',
        '',
        'To train with it:',
        *(f'    {line}' for line in code_lines(suggestion, plan.cycles if plan and plan.cycles else CYCLES)),
    ]


def code_lines(suggestion: Suggestion, cycles: int = CYCLES) -> list[str]:
    """The three lines that train with a suggestion, in whole cycles.

    >>> print(*code_lines(Suggestion('lr', (0.01, 0.1), 90)), sep=chr(10))
    from clr.training.extensions import CLR
    trainer = chainer.training.Trainer(updater, (540, 'iteration'))  # 3 whole cycles
    trainer.extend(CLR('lr', (0.01, 0.1), step_size=90, policy='triangular2'))
    """
    low, high = (float(f'{rate:.4g}') for rate in suggestion.value_range)
    whole = f'{cycles} whole cycle{"s" if cycles > 1 else ""}'
    return [
        'from clr.training.extensions import CLR',
        f"trainer = chainer.training.Trainer(updater, ({2 * cycles * suggestion.step_size}, 'iteration'))  # {whole}",
        f'trainer.extend(CLR({suggestion.attr!r}, ({low}, {high}), step_size={suggestion.step_size}, '
        f'policy={suggestion.policy!r}))',
    ]


def quiet_line(suggestion: Suggestion) -> str:
    """The range and the half cycle alone, for shell scripts.

    >>> quiet_line(Suggestion('lr', (0.01, 0.1), 90))
    '0.01 0.1 90'
    """
    low, high = suggestion.value_range
    return f'{low!r} {high!r} {suggestion.step_size}'


def training_lines(entry: Mapping[str, Any], picture: str, snapshot: str) -> list[str]:
    """How a training ended.

    Args:
        entry: The last entry of its log.
        picture: Where its picture is.
        snapshot: Where its snapshot is.

    >>> training_lines({'iteration': 540, 'main/loss': 0.25}, 'a.png', 'snapshot_iter_540')[0]
    'After 540 iterations: training loss 0.25'
    """
    found = ', '.join(f'{words} {_number(entry[metric])}' for metric, words in _SHOWN if metric in entry)
    return [f'After {entry["iteration"]} iterations: {found}', f'Picture: {picture}; snapshot: {snapshot}']


def comparison_lines(ends: Mapping[str, Mapping[str, Any]], picture: str, examples: int) -> list[str]:
    """How runs of the same length compare, the first being that under CLR.

    Args:
        ends: The last entry of each run's log, by the run's name.
        picture: Where the picture of the comparison is.
        examples: How many examples there are to validate with.

    >>> ends = {'CLR': {'validation/main/accuracy': 0.9}, 'fixed 0.1': {'validation/main/accuracy': 0.95}}
    >>> comparison_lines(ends, 'compare.png', 360)[-2]
    'fixed 0.1 ended better than CLR: validation accuracy 0.95 against 0.9.'
    """
    metrics = [(metric, words) for metric, words in _SHOWN if any(metric in end for end in ends.values())]
    rows = [['', *(words for _, words in metrics)]]
    rows += [[name, *(_number(end.get(metric)) for metric, _ in metrics)] for name, end in ends.items()]
    return [*_table(rows), _verdict(ends, *metrics[0]), f'One run each on {examples} validation examples. Picture: {picture}']


def _verdict(ends: Mapping[str, Mapping[str, Any]], metric: str, words: str) -> str:
    """Who won, by the first metric that there is."""
    sign = -1 if metric in (LOSS, VALIDATION_LOSS) else 1
    # Where the loss is no number any more, the accuracy still is one, but of nothing.
    sound = {name: end for name, end in ends.items() if end.get(metric) is not None and end.get(LOSS, 0) is not None}
    scores = {name: sign * end[metric] for name, end in sound.items()}
    own, *others = ends
    if own not in scores:
        return f'{own} broke: its loss is no number any more.'
    best = max((name for name in others if name in scores), key=lambda name: scores[name], default=None)
    if best is None:
        return f'{own} alone did not break: at every fixed rate the loss became no number.'
    against = f'{words} {_number(ends[best][metric])} against {_number(ends[own][metric])}.'
    if scores[best] == scores[own]:
        return f'{own} and {best} ended alike: {against}'
    if scores[best] > scores[own]:
        return f'{best} ended better than {own}: {against}'
    return f'{own} ended better than every fixed rate; the best of them is {best}: {against}'


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _because(what: str, reason: str | None) -> list[str]:
    if not reason:
        return [what]
    return textwrap.wrap(f'{what}: {reason}', WIDTH, subsequent_indent='    ', break_on_hyphens=False, break_long_words=False)


def _spread(suggestion: Suggestion) -> str:
    parts = [f'{bound} from {low:.4g} to {high:.4g}' for bound, (low, high) in suggestion.spread.items()]
    return f'; {", ".join(parts)}' if parts else ''


def _number(value: Any) -> str:
    return 'not finite' if value is None else f'{value:.4g}'
