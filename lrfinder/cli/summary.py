"""What the command says at its end: lines of text, made from results alone."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from clr.policies import is_endless, length_of
from lrfinder.analysis.comparison import Comparison, Ends, compare
from lrfinder.analysis.cycles import CYCLES, CyclePlan
from lrfinder.analysis.metrics import BY_WORTH, VALIDATION_ACCURACY, VALIDATION_LOSS, WORDS
from lrfinder.analysis.suggestion import LINE_WIDTH, Suggestion

import pandas as pd


def range_lines(suggestion: Suggestion) -> list[str]:
    """The range, and the reasons for it.

    >>> suggestion = Suggestion('lr', (0.01, 0.1), 90, reasons={'max': 'the loss rises above 0.2'})
    >>> print(*range_lines(suggestion)[:3], sep=chr(10))
    value_range: 0.01 to 0.1 (lr)
      min 0.01
      max 0.1: the loss rises above 0.2
    """
    return str(suggestion).splitlines()


def how_to_train(suggestion: Suggestion, plan: CyclePlan | None = None) -> list[str]:
    """The code that trains with a range.

    Args:
        suggestion: The range.
        plan: The training that follows, if one does.
    """
    return ['To train with it:', *(f'    {line}' for line in code_lines(suggestion, plan))]


def code_lines(suggestion: Suggestion, plan: CyclePlan | None = None) -> list[str]:
    """The three lines that train with a suggestion: in whole cycles, or as long as a policy lasts that knows none.

    >>> print(*code_lines(Suggestion('lr', (0.01, 0.1), 90)), sep=chr(10))
    from clr.training.extensions import CLR
    trainer = chainer.training.Trainer(updater, (540, 'iteration'))  # 3 whole cycles
    trainer.extend(CLR('lr', (0.01, 0.1), step_size=90, policy='triangular2'))
    """
    low, high = (float(f'{rate:.4g}') for rate in suggestion.value_range)
    iterations, comment = _length(suggestion, plan)
    own = ', proportional=True' if suggestion.proportional else ''
    return [
        'from clr.training.extensions import CLR',
        f"trainer = chainer.training.Trainer(updater, ({iterations}, 'iteration'))  # {comment}",
        f'trainer.extend(CLR({suggestion.attr!r}, ({low}, {high}), step_size={suggestion.step_size}, '
        f'policy={suggestion.policy!r}{own}))',
    ]


def _length(suggestion: Suggestion, plan: CyclePlan | None) -> tuple[int, str]:
    """The length of a training in iterations, and what that is."""
    if plan and plan.iterations and suggestion.value_range[0] == suggestion.value_range[1]:
        return plan.iterations, 'at a fixed rate'
    if not is_endless(suggestion.policy):
        length = int(length_of(suggestion.policy, suggestion.step_size))
        return (plan.iterations if plan and plan.iterations else length), f'{suggestion.policy} as a whole'
    cycles = plan.cycles if plan and plan.cycles else CYCLES
    return int(length_of(suggestion.policy, suggestion.step_size, cycles)), f'{cycles} whole cycle{"s" if cycles > 1 else ""}'


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
    found = ', '.join(f'{WORDS[metric]} {_number(entry[metric])}' for metric in BY_WORTH if metric in entry)
    return [f'After {entry["iteration"]} iterations: {found}', f'Picture: {picture}; snapshot: {snapshot}']


def tuning_lines(trials: pd.DataFrame, metric: str, chosen: int, reason: str) -> list[str]:
    """What tuning found: a table of all trials, and the reason for the answer.

    Args:
        trials: A row a trial, as of :class:`lrfinder.tuning.tuner.Tuned`.
        metric: What they are judged by.
        chosen: The trial that the answer is of.
        reason: Why.
    """
    rows = [['', 'policy', 'cycles', 'min', 'max', 'step_size', 'updates', WORDS[metric]]]
    for row in trials.to_dict('records'):
        ended = _number(row['value']) if row['state'] == 'finished' else row['state']
        cycles = '' if pd.isna(row['cycles']) else str(row['cycles'])
        numbers = [_number(row[name]) for name in ('min', 'max')] + [str(row[name]) for name in ('step_size', 'updates')]
        rows.append(['*' if row['trial'] == chosen else '', row['policy'], cycles, *numbers, ended])
    return [*_table(rows), *textwrap.wrap(f'Tuned: {reason}', LINE_WIDTH, break_on_hyphens=False)]


def comparison_lines(runs: Mapping[str, Ends | Sequence[Ends]], picture: str, examples: int) -> list[str]:
    """How runs of the same length compare, the first being that under CLR.

    Args:
        runs: The last entry of each run's log, by the run's name; of several seeds, one of each.
        picture: Where the picture of the comparison is.
        examples: How many examples there are to validate with.

    >>> ends = {'CLR': {'validation/main/accuracy': 0.9}, 'fixed 0.1': {'validation/main/accuracy': 0.95}}
    >>> comparison_lines(ends, 'compare.png', 360)[-2]
    'fixed 0.1 ended better than CLR: validation accuracy 0.95 against 0.9.'
    """
    several = {name: [ends] if isinstance(ends, Mapping) else list(ends) for name, ends in runs.items()}
    metrics = [metric for metric in BY_WORTH if any(metric in end for ends in several.values() for end in ends)]
    rows = [['', *(WORDS[metric] for metric in metrics)]]
    rows += [[name, *(_mean([end.get(metric) for end in ends]) for metric in metrics)] for name, ends in several.items()]
    found = compare(several)
    seeds = found.seeds if found else 1
    if seeds > 1:
        verdict = [_verdict_of_seeds(found)]
    else:
        ones = {name: ends[0] for name, ends in several.items()}
        verdict = [_verdict(found), *(_doubts(found, ones, examples) if found else [])]
    count = 'One run' if seeds == 1 else f'{seeds} runs'
    return [*_table(rows), *verdict, f'{count} each on {examples} validation examples. Picture: {picture}']


def _mean(values: Sequence[float | None]) -> str:
    """The mean over the seeds, and their standard deviation where there are several."""
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    if len(numbers) < len(values):
        return 'not finite'
    spread = f' +- {stdev(numbers):.2g}' if len(numbers) > 1 else ''
    return f'{fmean(numbers):.4g}{spread}'


def _verdict_of_seeds(found: Comparison | None) -> str:
    """Who won, where the trainings of several seeds say how sure that is."""
    if found is None or found.own is None:
        return 'There is nothing to compare.'
    if found.difference is None:
        return _verdict(found)
    if found.difference.by_divergence:
        ours, theirs = found.difference.diverged
        return f'{found.own} diverged from {ours} of {found.seeds} seeds, {found.rival} from {theirs}.'
    seeds, by = f'{found.seeds} seeds', found.difference.in_words(found.metric).removeprefix(f'{WORDS[found.metric]} ')
    shows, by = found.difference.shows, by.removeprefix('-')
    if shows > 0:
        return f'{found.own} ended better than every fixed rate; the best of them is {found.rival}: {by} by {seeds}.'
    if shows < 0:
        return f'{found.rival} ended better than {found.own}: {by} by {seeds}.'
    first, second = (found.own, found.rival) if found.difference.mean >= 0 else (found.rival, found.own)
    return f'{found.own} and the fixed rates show no difference that {seeds} can tell: {first} is {by} ahead of {second}.'


def _verdict(found: Comparison | None) -> str:
    """Who won, by one run each."""
    if found is None or found.own is None:
        return 'There is nothing to compare.'
    own, rival, ends = found.own, found.rival, found.ends
    if math.isnan(ends[own]):
        return f'{own} diverged: its loss is not finite.'
    if rival is None:
        return f'{own} alone did not diverge: at every fixed rate the loss became infinite or NaN.'
    against = f'{WORDS[found.metric]} {_number(ends[rival])} against {_number(ends[own])}.'
    if ends[rival] == ends[own]:
        return f'{own} and {rival} ended alike: {against}'
    if next(iter(ends)) != own:
        return f'{rival} ended better than {own}: {against}'
    return f'{own} ended better than every fixed rate; the best of them is {rival}: {against}'


def _doubts(found: Comparison, runs: Mapping[str, Ends], examples: int) -> list[str]:
    """What speaks against a verdict, in one line if anything does."""
    if found.own is None or found.rival is None or math.isnan(found.ends[found.own]):
        return []
    own, rival = found.ends[found.own], found.ends[found.rival]
    doubts = []
    if found.metric == VALIDATION_ACCURACY and own != rival:
        # Two shares that are measured on so many examples each differ as much by chance, in one of twenty cases.
        by_chance = 2 * math.sqrt(max(own * (1 - own) + rival * (1 - rival), 0) / examples)
        if abs(own - rival) <= by_chance:
            doubts.append(f'chance may decide that: it is {max(1, round(abs(own - rival) * examples))} of {examples} examples')
    theirs, ours = (runs[name].get(VALIDATION_LOSS) for name in (found.rival, found.own))
    contradicts = ours is not None and theirs is not None and (theirs - ours) * (rival - own) > 0
    if found.metric == VALIDATION_ACCURACY and contradicts:
        doubts.append(f'by validation loss it is the other way round, {_number(theirs)} against {_number(ours)}')
    return [f'But {", and ".join(doubts)}.'] if doubts else []


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _number(value: Any) -> str:
    return 'not finite' if value is None else f'{value:.4g}'
