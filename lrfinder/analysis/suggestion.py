"""The answer of the tool: a range of learning rates, with its reasons."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import operator
import os
import platform
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from html import escape
from importlib import metadata
from typing import Any

from clr.arguments import checked_range
from lrfinder import _files
from lrfinder._names import counted, printable
from lrfinder.analysis import batchsize as batchsize_rules

SCHEMA = 1
LINE_WIDTH = 100  # of what is printed
_LONGEST_LINE = 2000
_OTHER_REASONS = {'length': 'length', 'batchsize': 'batchsize', 'judged_by': 'judged by', 'tuned': 'tuned'}


class NoRangeError(ValueError):
    """The run was sound, but no range can be given. The message says in one line why, and what to try.

    Attributes:
        curve: The recorded curve (a ``pandas.DataFrame``) where there is one, so that nothing is lost.
        trials: The trial cycles likewise.

    >>> try:
    ...     raise NoRangeError('the loss does not fall at any rate; check the labels')
    ... except ValueError as error:
    ...     print(error)
    the loss does not fall at any rate; check the labels
    """

    curve: Any = None
    trials: Any = None


def versions() -> dict[str, str]:
    """The versions of what made an answer: Python, this project, and the packages it uses where they are installed."""
    found = {'python': platform.python_version()}
    for package in ('chainer-lrfinder', 'chainer', 'cupy', 'cupy-cuda12x', 'cupy-cuda13x', 'numpy', 'pandas'):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


@dataclass(frozen=True)
class Suggestion:
    """A range to train with under cyclical learning rates, and why.

    Attributes:
        attr: The optimizer's attribute that the range is for: ``'lr'`` or ``'alpha'``.
        value_range: An answer: the lowest and the highest rate of a cycle. (In ``find`` it is a question: where to look.)
        step_size: Half the length of a cycle, in iterations.
        policy: The policy to train with.
        iterations_per_epoch: Iterations of an epoch of the data; ``None`` where only a curve is known.
        exhausted: Whether the ramp ended before the curve degraded or diverged: higher rates may do as well.
        reasons: Why these bounds, in words: keys ``'min'`` and ``'max'`` (and ``'step_size'``; ``'tuned'``, of a tuned one).
        warnings: Where the answer is weak, and what to do about it.
        updates: How many parameter updates the answer cost.
        spread: How sure each bound is: keys ``'min'`` and ``'max'``, a low and a high value each; empty when not estimated.
        batchsize: The examples of an update, over all workers, that the range holds for; ``None`` where not known. :meth:`at`
            gives the range for another one.
        optimizer: The name of the optimizer's class; ``None`` where not known.
        length: The iterations of the training that the range is for; a few times a trial's where that was not told;
            ``None`` where only a curve is known.
        band: The maxima that are expected to cost no more than a point of the right answers against the best one (where answers
            are not known, a hundredth of what was gained); ``None`` where that was not estimated.
        diverges: The lowest rate above the range at which a trial diverged or ended with more loss than it began with;
            ``None`` where none did.
        proportional: Whether parameters have rates of their own, which were moved in proportion: CLR is to do so, too.
        measured_batchsize: The examples of an update that the range was measured with, where :meth:`at` has given it for
            another number since; ``None`` where it has not.
        versions: Versions of what made the answer.
        schema: Version of this format.

    >>> suggestion = Suggestion('lr', (0.01, 0.1), step_size=90)
    >>> suggestion.value_range
    (0.01, 0.1)
    >>> suggestion.save('suggestion.json')
    >>> Suggestion.load('suggestion.json') == suggestion
    True
    """

    attr: str
    value_range: tuple[float, float]
    step_size: int
    policy: str = 'triangular2'
    iterations_per_epoch: int | None = None
    exhausted: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    updates: int = 0
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    batchsize: int | None = None
    optimizer: str | None = None
    length: int | None = None
    band: tuple[float, float] | None = None
    diverges: float | None = None
    proportional: bool = False
    measured_batchsize: int | None = None
    versions: Mapping[str, str] = field(default_factory=versions)
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        set_field = functools.partial(object.__setattr__, self)
        set_field('value_range', checked_range('value_range', self.value_range, ascending=True))
        for name, plain in _PLAIN.items():
            value = getattr(self, name)
            if value is not None or name not in _MAY_BE_NONE:
                try:
                    set_field(name, plain(value))
                except (TypeError, ValueError, AttributeError, OverflowError):
                    raise ValueError(f'{name} must be {_FIELDS[name][0]}, not {value!r}') from None

    def __str__(self) -> str:
        """The range with its reasons and warnings, as the command prints it.

        >>> print(Suggestion('lr', (0.01, 0.1), 90, reasons={'max': 'the loss rises above 0.2'}))
        value_range: 0.01 to 0.1 (lr)
          min 0.01
          max 0.1: the loss rises above 0.2
        step_size: 90 iterations
        """
        low, high = self.value_range
        lines = [
            f'value_range: {low:.4g} to {high:.4g} ({self.attr}){_spread(self.spread)}',
            *_because(f'  min {low:.4g}', self.reasons.get('min')),
            *_because(f'  max {high:.4g}', self.reasons.get('max')),
            *_band(self),
            *_because(f'step_size: {self.step_size} iterations', self.reasons.get('step_size')),
            *(
                line
                for name, head in _OTHER_REASONS.items()
                for line in _because(head, self.reasons.get(name))
                if name in self.reasons
            ),
            *(line for warning in self.warnings for line in _because('Warning', warning)),
        ]
        return '\n'.join(printable(line, _LONGEST_LINE) for line in lines)

    def at(self, batchsize: int) -> Suggestion:
        """The suggestion for another batch, by the rule for its optimizer (``lrfinder.analysis.batchsize``).

        A cycle takes as many epochs as before. ``reasons`` has the rule with its source and its limits; far from the batch that
        was measured, ``warnings`` says so.

        Args:
            batchsize: The examples of an update, over all workers; 1 or more.

        Raises:
            ValueError: ``batchsize`` is out of its range; it is not known for which batch the range was found; or there is no
                rule for its optimizer.

        >>> found = Suggestion('alpha', (0.001, 0.004), step_size=90, batchsize=32, optimizer='Adam')
        >>> found.at(batchsize=128).value_range, found.at(batchsize=128).step_size
        ((0.002, 0.008), 22)
        """
        other = batchsize_rules.checked_batchsize(batchsize)
        if self.batchsize is None:
            raise ValueError('it is not known for which batch this range was found, so there is none to give for another')
        if other == self.batchsize:
            return self
        rule = batchsize_rules.rule_of(self.optimizer)
        if rule is None:
            kind = printable(self.optimizer or 'the optimizer')
            raise ValueError(f'no rule is known for {kind}: find the range with the other batch')
        measured = self.measured_batchsize or self.batchsize
        _, before = batchsize_rules.scaled(measured, self.batchsize, rule)
        reason, doubts = batchsize_rules.scaled(measured, other, rule)
        if other == measured:
            reason = batchsize_rules.holds_for(measured, self.optimizer)
        step_size = {'step_size': f'as many epochs as with {counted(measured, "example")}'}
        ratio, per_epoch = other / self.batchsize, self.iterations_per_epoch
        factor = rule.factor(ratio)

        def higher(rates: tuple[float, float]) -> tuple[float, float]:
            return factor * rates[0], factor * rates[1]

        return replace(
            self,
            value_range=higher(self.value_range),
            step_size=max(1, round(self.step_size / ratio)),
            iterations_per_epoch=None if per_epoch is None else max(1, math.ceil(per_epoch / ratio)),
            reasons={**self.reasons, **(step_size if 'step_size' in self.reasons else {}), 'batchsize': reason},
            warnings=(*(text for text in self.warnings if text not in before), *doubts),
            spread={bound: higher(rates) for bound, rates in self.spread.items()},
            batchsize=other,
            measured_batchsize=measured,
            length=None if self.length is None else max(1, round(self.length / ratio)),
            band=None if self.band is None else higher(self.band),
            diverges=None if self.diverges is None else factor * self.diverges,
        )

    def to_json(self) -> str:
        """The suggestion as JSON text, as in ``suggestion.json``.

        Raises:
            ValueError: A field has a value with which the file could not be read again.
        """
        text = json.dumps(asdict(self), indent=2, allow_nan=False) + '\n'
        _checked(json.loads(text))
        return text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the suggestion to a JSON file, whole or not at all.

        Raises:
            ValueError: As :meth:`to_json`.
            OSError: The file can't be written.
        """
        _files.write_text(path, self.to_json())

    def _repr_html_(self) -> str:
        """The rich display in notebooks."""
        low, high = self.value_range
        head = f'<b>{escape(self.attr)} {low:.4g} to {high:.4g}</b>, step_size {self.step_size}, {escape(self.policy)}'
        rows = [*self.reasons.items(), *(('warning', text) for text in self.warnings)]
        left = 'style="text-align: left"'
        cells = ''.join(f'<tr><th>{escape(name)}</th><td {left}>{escape(text)}</td></tr>' for name, text in rows)
        return f'<p>{head}</p><table>{cells}</table>' if cells else f'<p>{head}</p>'

    @classmethod
    def from_json(cls, text: str) -> Suggestion:
        """Reads the text that :meth:`to_json` gave.

        Raises:
            ValueError: It is not such a text.
        """
        return cls(**_checked(_parse(text)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Suggestion:
        """Reads a suggestion that :meth:`save` wrote.

        Raises:
            ValueError: The file is not such a suggestion; the message names the file and what is wrong.
            OSError: The file can't be read.
        """
        try:
            with open(path, encoding='utf-8-sig') as file:
                return cls.from_json(file.read())
        except RecursionError:
            problem = 'it is nested too deeply'
        except ValueError as error:  # a UnicodeDecodeError is one
            problem = ' '.join(str(error).split())
        raise ValueError(f'{printable(os.fsdecode(path), _LONGEST_LINE)}: not a suggestion: {problem}')


def _because(what: str, reason: str | None) -> list[str]:
    if not reason:
        return [what]
    return textwrap.wrap(
        f'{what}: {reason}', LINE_WIDTH, subsequent_indent='    ', break_on_hyphens=False, break_long_words=False
    )


def what_is_in_the_band(suggestion: Suggestion) -> str:
    """How good the maxima in the band of a suggestion are, in words: its reason may say otherwise than usual.

    >>> what_is_in_the_band(Suggestion('lr', (0.01, 0.1), 90))
    'within a point of the best'
    """
    return suggestion.reasons.get('band', 'within a point of the best')


def _band(suggestion: Suggestion) -> list[str]:
    if suggestion.band is None:
        return []
    low, high = suggestion.band
    diverges = f'; diverges at {suggestion.diverges:.3g}' if suggestion.diverges else ''
    return [f'  {what_is_in_the_band(suggestion)}: max {low:.3g} to {high:.3g}{diverges}']


def _spread(spread: Mapping[str, tuple[float, float]]) -> str:
    parts = [f'{bound} from {low:.4g} to {high:.4g}' for bound, (low, high) in spread.items()]
    return f'; {", ".join(parts)}' if parts else ''


def _parse(text: str) -> Any:
    if not text.strip():
        raise ValueError('it is empty')
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise ValueError(f'broken JSON: {error}') from None


def _checked(content: Any) -> dict[str, Any]:
    """The arguments of a Suggestion from the content of its file; ValueError where they are not."""
    if not isinstance(content, dict):
        raise ValueError(f'a JSON object is expected, not {_kind(content)}')
    if 'schema' not in content:
        raise ValueError("'schema' is missing")
    if type(content['schema']) is not int or content['schema'] != SCHEMA:
        raise ValueError(f'schema {SCHEMA} is expected, not {_kind(content["schema"])}')
    for name, (expected, fits) in _FIELDS.items():
        if name not in content and name not in _OPTIONAL:
            raise ValueError(f'{name!r} is missing')
        if name in content and not fits(content[name]):
            raise ValueError(f'{name!r} must be {expected}')
    # Fields that a later version adds are left out, so that its files can still be read.
    known = {item.name for item in fields(Suggestion)}
    return {name: value for name, value in content.items() if name in known}


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False


def _is_count(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**53


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


# What a field must be, and whether a value of JSON is that.
_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    'attr': ('a name', lambda value: isinstance(value, str) and bool(value)),
    'value_range': ('two rates in ascending order, 0 or more', lambda value: _is_pair(value) and value[0] >= 0),
    'step_size': ('a number of iterations, 1 or more', lambda value: _is_count(value, 1)),
    'policy': ('a name', lambda value: isinstance(value, str) and bool(value)),
    'iterations_per_epoch': (
        'a number of iterations, 1 or more, or null',
        lambda value: value is None or _is_count(value, 1),
    ),
    'exhausted': ('true or false', lambda value: isinstance(value, bool)),
    'reasons': ('an object of texts', _is_texts),
    'warnings': (
        'a list of texts',
        lambda value: isinstance(value, list) and all(isinstance(text, str) for text in value),
    ),
    'updates': ('a number of updates, 0 or more', _is_count),
    'versions': ('an object of texts', _is_texts),
    'spread': ('an object of pairs', lambda value: isinstance(value, dict) and all(map(_is_pair, value.values()))),
    'batchsize': ('a number of examples, 1 or more, or null', lambda value: value is None or _is_count(value, 1)),
    'length': ('a number of iterations, 1 or more, or null', lambda value: value is None or _is_count(value, 1)),
    'optimizer': ('a name, or null', lambda value: value is None or isinstance(value, str)),
    'band': (
        'two rates in ascending order, 0 or more, or null',
        lambda value: value is None or (_is_pair(value) and value[0] >= 0),
    ),
    'diverges': ('a rate above 0, or null', lambda value: value is None or (_is_number(value) and value > 0)),
    'proportional': ('true or false', lambda value: isinstance(value, bool)),
    'measured_batchsize': ('a number of examples, 1 or more, or null', lambda value: value is None or _is_count(value, 1)),
}


def _texts(values: Any) -> tuple[str, ...]:
    if isinstance(values, str):  # whose letters would be taken for texts
        raise TypeError
    return tuple(values)


# What makes plain numbers and containers of NumPy's and pandas', which do not go into JSON.
_PLAIN: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ('step_size', 'iterations_per_epoch', 'updates', 'batchsize', 'length', 'measured_batchsize'), operator.index
    ),
    'band': lambda band: tuple(map(float, band)),
    'diverges': float,
    **dict.fromkeys(('exhausted', 'proportional'), bool),
    **dict.fromkeys(('reasons', 'versions'), dict),
    'warnings': _texts,
    'spread': lambda spread: {bound: (float(low), float(high)) for bound, (low, high) in spread.items()},
}
_MAY_BE_NONE = ('iterations_per_epoch', 'batchsize', 'length', 'band', 'diverges', 'measured_batchsize')
# Where these are not known, a file may leave them out.
_OPTIONAL = ('spread', 'batchsize', 'optimizer', 'length', 'band', 'diverges', 'proportional', 'measured_batchsize')


def _no_constant(name: str) -> None:
    raise ValueError(f'{name} is no number of JSON')


def _kind(value: Any) -> str:
    if _is_number(value):
        return f'{value:.6g}'
    kinds = {dict: 'an object', list: 'a list', str: 'a text', bool: 'true or false', type(None): 'null'}
    return kinds.get(type(value), 'a number that large')
