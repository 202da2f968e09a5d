"""Range tests from several seeds, one after another or many at once, and the answer that they give together.

Which processes or machines carry them is joblib's business: its own processes on this machine, or those of the backend that
``joblib.parallel_config`` names, such as a cluster's scheduler. The answer is the same to the last bit wherever they run: each
range test has a process to itself while it runs, and one thread for linear algebra, whose sums depend on how many there are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import math
import numbers
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from statistics import fmean, pvariance
from typing import TYPE_CHECKING, Any

from clr.arguments import checked_callback
from lrfinder._names import suggest
from lrfinder.analysis.analyzer import Reading
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.analysis.trials import EIGHT_OF_TEN
from lrfinder.engine.built import Build, built
from lrfinder.engine.processes import alone, at_once, checked_jobs
from lrfinder.result import Result

import pandas as pd

if TYPE_CHECKING:
    from lrfinder.engine.run import OnRow

# What a test expects of others counts as so many answers more, for the spread of the answers.
OWN_WORTH = 3


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the range test of one seed came to.

    Attributes:
        seed: The seed.
        curve: What was recorded.
        suggestion: The range; ``None`` where there is none to give.
        why_none: Why there is none.
        reading: What the analyzer reads off the ramp; ``None`` where that is nothing.
        trials: The trial cycles, a row each; ``None`` where none were run.
        scan: The scan that said where to look; ``None`` where it is not known.
    """

    seed: int
    curve: pd.DataFrame
    suggestion: Suggestion | None
    why_none: str = ''
    reading: Reading | None = None
    trials: pd.DataFrame | None = None
    scan: pd.DataFrame | None = None


def find_seeds(
    build: Build,
    seeds: Iterable[int],
    jobs: int = 1,
    on_row: OnRow | None = None,
    *,
    done: Iterable[Outcome] = (),
    on_outcome: Callable[[Outcome], None] | None = None,
    **find_options: Any,
) -> Result:
    """Runs a range test for each seed, and joins what they find.

    Args:
        build: Called as ``build(seed)``, it makes everything anew and returns an updater and its evaluator, or ``None`` in
            place of the evaluator. All that is random must come from the seed. With ``jobs`` it is sent to other processes.
        seeds: One seed or more. With one alone, the answer is that of :func:`lrfinder.find`.
        jobs: How many range tests run at once; -1 for as many as there are cores.
        on_row: As for :func:`lrfinder.find`; with ``jobs``, called with the last row of each range test that is done.
        done: What some of several seeds have come to before: they are not run again.
        on_outcome: Called as soon as the range test of one of several seeds is done.
        **find_options: Whatever else :func:`lrfinder.find` takes.

    Returns:
        The curves one below the other, with a first column ``seed``, and a suggestion. Each of its bounds is the geometric
        mean of the seeds' bounds, ``spread`` says where that of another seed is expected, ``updates`` is what all of them cost.

    Raises:
        NoRangeError: Fewer than half of the seeds gave a range.
        ValueError: ``seeds`` or ``jobs`` is out of its range, or as :func:`lrfinder.find`.

    Like every other exception, KeyboardInterrupt too, a NoRangeError carries what was recorded as ``error.curve``.

    >>> from lrfinder.cli.build import Builder
    >>> from lrfinder.cli.options import Options
    >>> result = find_seeds(Builder(Options()).build, seeds=range(3), value_range=(0, 2), iterations=60)
    >>> result.curve['seed'].unique().tolist()
    [0, 1, 2]
    """
    seeds = _checked_seeds(seeds)
    jobs = checked_jobs(jobs)
    checked_callback('build', build, 'build(seed)', optional=False)
    checked_callback('on_row', on_row, 'on_row(rate, loss)')
    checked_callback('on_outcome', on_outcome, 'on_outcome(outcome)')
    _check_options(find_options)
    if len(seeds) == 1:
        return _find(build, seeds[0], find_options, on_row)
    outcomes = {outcome.seed: outcome for outcome in done}
    left = [seed for seed in seeds if seed not in outcomes]
    try:
        with contextlib.closing(_outcomes(build, left, jobs, on_row, find_options)) as found:
            for outcome in found:
                outcomes[outcome.seed] = outcome
                if on_outcome is not None:
                    on_outcome(outcome)
    except BaseException as error:
        unfinished = getattr(error, 'curve', None)
        parts = [_with_seed(outcomes[seed].curve, seed) for seed in seeds if seed in outcomes]
        vars(error)['curve'] = _one_table(parts if unfinished is None else [*parts, unfinished])
        raise
    return joined([outcomes[seed] for seed in seeds])


def joined(outcomes: Sequence[Outcome]) -> Result:
    """The answer of several seeds together.

    Raises:
        NoRangeError: Fewer than half of them gave a range.
    """
    curve = _one_table([_with_seed(outcome.curve, outcome.seed) for outcome in outcomes])
    trials = _one_table([_with_seed(one.trials, one.seed) for one in outcomes if one.trials is not None])
    none = [outcome for outcome in outcomes if outcome.suggestion is None]
    found = [outcome.suggestion for outcome in outcomes if outcome.suggestion is not None]
    if len(found) < len(none):
        why = f'only {len(found)} of {len(outcomes)} seeds gave a range; seed {none[0].seed}: {none[0].why_none}'
        error = NoRangeError(why)
        error.curve, error.trials = curve, trials
        raise error
    suggestion = _pooled(found)
    missing = tuple(f'seed {outcome.seed} gave no range: {outcome.why_none}' for outcome in none)
    updates = suggestion.updates + sum(_cost(outcome) for outcome in none)
    readings: dict[int | None, Reading] = {one.seed: one.reading for one in outcomes if one.reading is not None}
    suggestion = dataclasses.replace(suggestion, warnings=suggestion.warnings + missing, updates=updates)
    scans = [_with_seed(one.scan, one.seed) for one in outcomes if one.scan is not None]
    return Result(curve, suggestion, readings, trials, _one_table(scans) if scans else None)


def geometric_mean(values: Sequence[float]) -> float:
    """The mean on the logarithmic scale; 0 where one of the values is.

    >>> round(geometric_mean([0.1, 0.4, 0.2]), 3), geometric_mean([0.1, 0.0])
    (0.2, 0.0)
    """
    if min(values) == max(values):
        return values[0]
    return math.exp(fmean(map(math.log, values))) if min(values) > 0 else 0.0


def expected_between(values: Sequence[float], spreads: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Between which rates the answer of one more test lies in eight of ten cases, given those of several.

    A prediction interval on the logarithmic scale. The variance between tests is that of the values, and what each test by
    itself expects of others counts as :data:`OWN_WORTH` more of them: two values alone say little of it.

    Args:
        values: The answers, above 0.
        spreads: Where each test by itself expects the answer of another one; shape (values, 2).

    >>> low, high = expected_between([0.1, 0.2, 0.4], [(0.05, 0.2), (0.1, 0.4), (0.2, 0.8)])
    >>> round(low, 3), round(high, 3)
    (0.091, 0.438)
    """
    count, middle = len(values), geometric_mean(values)
    if middle == 0:
        return min(values), max(values)
    # Two tests of the same spread differ by twice the variance of one.
    own = fmean(math.log(high / low) ** 2 for low, high in spreads) / (2 * EIGHT_OF_TEN) ** 2 / 2
    between = pvariance(map(math.log, values)) * count
    deviation = math.sqrt((OWN_WORTH * own + between) / (OWN_WORTH + count - 1) * (1 + 1 / count))
    reach = math.exp(EIGHT_OF_TEN * deviation)
    return middle / reach, middle * reach


# What is asked


def _checked_seeds(seeds: Any) -> list[int]:
    found = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, (str, bytes, Mapping)) else None
    if found is None or not all(isinstance(seed, numbers.Integral) and not isinstance(seed, bool) for seed in found):
        raise ValueError(f'seeds must be a list of whole numbers, such as range(3), not {seeds!r}')
    if not found:
        raise ValueError('seeds must name one seed or more')
    if len(set(found)) < len(found):
        raise ValueError(f'seeds must differ, as equal ones give equal answers: {found!r}')
    return [int(seed) for seed in found]


def _check_options(options: Mapping[str, Any]) -> None:
    from lrfinder.finder import find

    known = inspect.signature(find).parameters
    for name in options:
        if name == 'evaluator':
            raise ValueError('evaluator is what build(seed) returns beside the updater: (updater, evaluator)')
        if name not in known or name == 'updater':
            raise TypeError(f'find_seeds() got an unexpected keyword argument {name!r}: {suggest(name, known)}')


# The range tests


def _outcomes(
    build: Build,
    seeds: Sequence[int],
    jobs: int,
    on_row: OnRow | None,
    find_options: dict[str, Any],
) -> Generator[Outcome, None, None]:
    """What the seeds come to, in the order in which they are done."""
    if jobs == 1:
        yield from (_outcome(build, seed, find_options, on_row) for seed in seeds)
        return
    find_options = {**find_options, 'quiet': True}  # no bar of its own for each
    for outcome in at_once(_outcome, [(build, seed, find_options) for seed in seeds], jobs):
        if on_row is not None and len(outcome.curve):
            last = outcome.curve.iloc[-1]
            on_row(float(last['lr']), float(last['main/loss']))
        yield outcome


def _outcome(build: Build, seed: int, find_options: dict[str, Any], on_row: OnRow | None = None) -> Outcome:
    with alone():
        try:
            result = _find(build, seed, find_options, on_row)
        except NoRangeError as error:
            return Outcome(seed, error.curve, None, str(error), trials=getattr(error, 'trials', None))
        except BaseException as error:
            if getattr(error, 'curve', None) is not None:
                vars(error)['curve'] = _with_seed(vars(error)['curve'], seed)
            raise
        reading = (result.readings or {}).get(None)
        return Outcome(seed, result.curve, result.suggestion, reading=reading, trials=result.trials, scan=result.scan)


def _find(build: Build, seed: int, find_options: dict[str, Any], on_row: OnRow | None) -> Result:
    from lrfinder.finder import find

    updater, evaluator = built(build, seed)
    return find(updater, evaluator=evaluator, on_row=on_row, **find_options)


# What they find together


def _pooled(found: Sequence[Suggestion]) -> Suggestion:
    bounds = {'min': [one.value_range[0] for one in found], 'max': [one.value_range[1] for one in found]}
    low, high = map(geometric_mean, bounds.values())
    # The seed that speaks for all: the one whose upper bound is nearest to theirs.
    nearest = min(found, key=lambda one: abs(one.value_range[1] - high))
    bands = [one.band for one in found if one.band is not None]
    diverging = [one.diverges for one in found if one.diverges is not None]
    return dataclasses.replace(
        nearest,
        value_range=(low, high),
        exhausted=2 * sum(one.exhausted for one in found) > len(found),
        reasons={name: _reason(text, bounds.get(name)) for name, text in nearest.reasons.items()},
        warnings=tuple(dict.fromkeys(warning for one in found for warning in one.warnings)),
        updates=sum(one.updates for one in found),
        spread={name: _expected(name, values, found) for name, values in bounds.items()},
        band=(geometric_mean([band[0] for band in bands]), geometric_mean([band[1] for band in bands])) if bands else None,
        diverges=min(diverging) if 2 * len(diverging) >= len(found) else None,
    )


def _expected(bound: str, values: Sequence[float], found: Sequence[Suggestion]) -> tuple[float, float]:
    spreads = [one.spread.get(bound) for one in found]
    known = [spread for spread in spreads if spread is not None]
    return expected_between(values, known) if len(known) == len(found) else (min(values), max(values))


def _cost(outcome: Outcome) -> int:
    """The updates of a test without an answer, as far as they were recorded."""
    return len(outcome.curve) + (0 if outcome.trials is None else int(outcome.trials['updates'].sum()))


def _reason(text: str, values: Sequence[float] | None) -> str:
    if values is None:
        return text
    return f'the geometric mean of {len(values)} seeds, {min(values):.4g} to {max(values):.4g}; the nearest: {text}'


def _with_seed(curve: pd.DataFrame, seed: int) -> pd.DataFrame:
    rest = curve.drop(columns='seed', errors='ignore')
    rest.insert(0, 'seed', seed)
    return rest


def _one_table(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
