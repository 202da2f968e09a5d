"""A range test from its scan to its ramp: it asks a runner for runs, and the analysis what they say and what to run next.

A scan finds where to look; rungs of trial cycles there settle the maximum, the last of them by cycles as long as the budget
allows; a ramp shows what happens on the way there and beyond. Each run begins from the state in which the updater was found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from clr.policies import triangular
from lrfinder._names import counted
from lrfinder.analysis import analyzer, ramp, search, trial_table
from lrfinder.analysis import trials as weighing
from lrfinder.analysis.analyzer import Reading
from lrfinder.analysis.budget import Budget, Rung
from lrfinder.analysis.curve import make_curve
from lrfinder.analysis.learning import DIVERGED, Score, alike, knows_already, knows_more, learned, moved, same, untouched
from lrfinder.analysis.metrics import ACCURACY, LOSS, VALIDATION_ACCURACY, VALIDATION_LOSS
from lrfinder.analysis.suggestion import NoRangeError
from lrfinder.analysis.trials import Trial, Verdict, scores_of
from lrfinder.engine.judge import Judge, unsteady, why_not
from lrfinder.engine.recorder import Names
from lrfinder.engine.run import OnRow
from lrfinder.engine.runner import Runner

import numpy as np
import numpy.typing as npt
import pandas as pd

# Between these rates the scan looks first.
SCAN = (1e-7, 1e2)
# The lowest rate of a trial cycle is this share of its highest (arXiv 1506.01186, section 3.3: a third or a fourth).
TRIAL_MIN_SHARE = 0.25
# A trial is judged by its training loss over this share of its updates, and by its answers over that one: the last of them.
LOSS_SHARE, ANSWER_SHARE = 3, 10
# The ramp ends at so many times the rate of the best trial. An exponential one begins at this share of its end.
RAMP_END = math.sqrt(10)
RAMP_START_SHARE = 1e-3
VALIDATIONS = 10
# Losses that differ by no more than such a share are those of the same update: a scan begins at a rate above 0.
ALIKE = 1e-3
# Trial cycles that come to the same over such a range of rates are those of a network that collapses at each.
COLLAPSED_OVER = 100.0
KNOWN_WARNING = (
    'the model had learned before: the range says which rates it stands and still learns at, not how far it gets; '
    'give an evaluator, and compare with what you had'
)
NOT_ITS_OWN = (
    'where something else decides the loss, such as an opponent or a target that moves, hold that still meanwhile '
    '(disable_update()), or name a loss that tells of progress (loss=)'
)


class Question:
    """Where to look, by what ramp, and what it may cost.

    Args:
        value_range: The first and the last rate of the ramp; ``None`` where the test is to find them.
        shape: ``'linear'`` or ``'exponential'``.
        iterations: The length of the ramp; ``None`` for that of the budget.
        budget: How the updates are to be spent, given the length of the training in updates (``None`` where that is not known).

    Raises:
        ValueError: There is no such ramp, or no such budget.
    """

    def __init__(
        self,
        value_range: tuple[float, float] | None,
        shape: str,
        iterations: int | None,
        budget: Callable[[int | None], Budget],
    ) -> None:
        self._given = None if value_range is None else ramp.check_range(value_range, shape)
        self._shape = shape
        self._budget = budget
        plan = budget(None)
        self.scan = plan.scan
        self.ramp_updates = plan.ramp if iterations is None else iterations
        self.ramp(best=1.0)  # refuses a wrong length or shape before any update
        self.most = plan.most(self.ramp_updates)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest rate that may be tried."""
        return self._given or (0.0, math.inf)

    def rungs(self, length: int | None) -> tuple[Rung, ...]:
        """The rungs of trials for a training of so many updates."""
        return self._budget(length).rungs

    def ramp(self, best: float) -> npt.NDArray[np.float64]:
        """The rates of the ramp, given the highest rate that it must pass."""
        end = RAMP_END * best
        start = 0.0 if self._shape == 'linear' else RAMP_START_SHARE * end
        return ramp.rates(self._given or (start, end), self.ramp_updates, self._shape)


@dataclass(frozen=True)
class Estimate:
    """What the range test says of the range; most fields are those of a Suggestion.

    Attributes:
        reading: What the analyzer reads off the ramp; ``None`` where that is nothing.
    """

    value_range: tuple[float, float]
    exhausted: bool
    reasons: Mapping[str, str]
    warnings: tuple[str, ...]
    spread: Mapping[str, tuple[float, float]]
    length: int
    band: tuple[float, float]
    diverges: float | None
    reading: Reading | None


@dataclass
class Deciding:
    """The trials of one rung.

    Attributes:
        updates: How long they are.
        length: How long the training is; ``None`` where that is not known.
        epochs: How many epochs each of them takes; ``None`` where the iterator does not tell.
        examples: How many held-out examples they are judged by; ``None`` where that is not known.
        before: What the rung before spoke for; ``None`` for the first one.
        trials: Those so far.
    """

    updates: int
    length: int | None
    epochs: float | None
    examples: int | None
    before: Verdict | None = None
    trials: list[Trial] = field(default_factory=list)

    def verdict(self, start: Score, length: int | None = None) -> Verdict | None:
        """What they speak for: for the training, or for a run of another length."""
        longer = weighing.times_as_long(length or self.length, self.updates)
        again = weighing.seen_again(self.epochs)
        return weighing.verdict(self.trials, start, longer, self.before, again=again, examples=self.examples)


class RangeTest:
    """Scan, trial cycles and ramp.

    Args:
        runner: Runs them.
        judges: Whom the trials are judged by: the first one who can.
        names: What the loss and the accuracy are called.
        length: The updates of the training, once that can be known; ``None`` where it is not.
        on_row: As for :func:`lrfinder.find`.

    Attributes:
        curve: The curve of the last scan or ramp, as far as it came.
        scan: That of the scan which said where to look.
        judge: Whom the trials are judged by.
    """

    def __init__(
        self,
        runner: Runner,
        judges: Sequence[Judge],
        names: Names,
        length: Callable[[], int | None],
        on_row: OnRow | None = None,
    ) -> None:
        self._runner = runner
        self._names = names
        self._length = length
        self._judges = judges
        self.judge = judges[0]
        self._on_row = on_row
        self._held: Mapping[str, float] = {}
        self._known = False
        self._doubts: list[str] = []
        self._rungs: list[Deciding] = []
        self._found: Verdict | None = None
        self.curve = self.scan = make_curve([])

    @property
    def trials(self) -> pd.DataFrame:
        """The trials so far, a row each; the columns are those of :func:`lrfinder.analysis.trial_table.table`."""
        tried = [trial for rung in self._rungs for trial in rung.trials]
        deciding = self._rungs[-1].trials if self._rungs else []
        return trial_table.table(tried, deciding, self._found, validated=VALIDATION_LOSS in self._held)

    def run(self, question: Question) -> Estimate:
        """The answer, from scan to ramp."""
        anchors = self.look(question.scan)
        start = self.start()
        self._known = knows_already(start, search.ruined(self.scan))
        deciding, found = self.decide(anchors, start, question)
        self._found = found
        self._record(question.ramp(max(found.best.rate, found.rate)))
        return self._estimate(deciding, found, start, question.bounds)

    def _ask_the_judges(self) -> None:
        """Looks who can judge, before anything is trained."""
        reasons = []
        for judge in self._judges:
            found = self._runner.validated(judge)
            reason = why_not(judge, found, self._names) or unsteady(judge, found, self._runner.validated(judge))
            if not isinstance(found, Exception) and not reason:
                self.judge, self._held = judge, found
                break
            reasons.append(reason)
        self._doubts += [f'{reason}, so the trials are judged by {self.judge.words}' for reason in reasons]

    def look(self, updates: int) -> list[float]:
        """Where to look; and where to look if there is nothing, because what seemed to be a spike was an outlier."""
        self._ask_the_judges()
        self._record(ramp.rates(SCAN, updates, 'exponential'), validations=0)
        self.scan = self.curve
        elsewhere = search.look_elsewhere(self.scan, SCAN)
        if elsewhere is not None:
            self._look_elsewhere(elsewhere, updates)
        return search.where_to_look(self.scan)

    def _look_elsewhere(self, between: tuple[float, float], updates: int) -> None:
        """A second scan.

        Raises:
            NoRangeError: It diverges at its start, as the first one did.
        """
        self._record(ramp.rates(between, updates, 'exponential'), validations=0)
        if between[0] >= SCAN[1]:
            self.scan = pd.concat([self.scan, self.curve], ignore_index=True)
            return
        self.scan = self.curve
        if search.ends_at_its_start(self.scan, between):
            what = f'the loss diverges whatever the rate, from {between[0]:.2g} on as from {SCAN[0]:.2g}'
            advice = [NOT_ITS_OWN] * math.isfinite(self.scan[LOSS].iloc[0])
            raise NoRangeError('; '.join([what, 'check the data and the loss', *advice, *self._rivals()]))

    def _record(self, rates: npt.NDArray[np.float64], validations: int = VALIDATIONS) -> None:
        try:
            self._runner.run(rates.tolist(), self._ramp_judge, validations, self._on_row)
        finally:
            self.curve = self._runner.curve

    def start(self) -> Score:
        """The state that all runs begin with, as the scan and the judge saw it."""
        opening = self.scan.iloc[: search.SCAN_LOSSES]
        train = float(opening[LOSS].mean())
        loss = self._held.get(VALIDATION_LOSS, math.nan)
        right = float(opening[ACCURACY].mean())
        return Score(
            train=train,
            loss=loss if math.isfinite(loss) else train,
            error=1 - self._held.get(VALIDATION_ACCURACY, right),
            noise=0.0 if math.isfinite(loss) else _standard_error(opening[LOSS].to_numpy(float)),
            wrong=1 - right,
        )

    def decide(self, anchors: list[float], start: Score, question: Question) -> tuple[Deciding, Verdict]:
        """The trials that decide, and what they speak for.

        Raises:
            NoRangeError: They speak for nothing.
        """
        self._try(anchors, start, question)
        return self._judged(start)

    def _try(self, anchors: list[float], start: Score, question: Question) -> None:
        """Rungs of trial cycles: each around what the one before speaks for, or around the anchors until one has learned."""
        length = self._length()
        rungs = question.rungs(length)
        bounds = question.bounds
        for place, rung in enumerate(rungs):
            found = self._rungs[-1].verdict(start, rung.updates) if self._rungs else None
            if place and (found is None or self._have_collapsed(start)):
                return
            if place and not self._known and not any(moved(score, start) for score in scores_of(self._rungs[-1].trials)):
                found = None  # nothing has begun there, so that nothing tells where to go on
            deciding = Deciding(rung.updates, length, self._runner.epochs(rung.updates), self.judge.examples, found)
            self._rungs.append(deciding)
            last = self._runner.updates + (rung.trials - 1) * rung.updates
            if found is None:
                self._begin(deciding, anchors, start, rung, bounds)
                apart = search.COARSE
            else:
                deciding.trials += [self.trial(rate, rung.updates) for rate in search.rates_around(found.rate, bounds)]
                apart = search.FINE
            self._go_on(deciding, start, rung, bounds, apart, last)

    def _begin(self, deciding: Deciding, anchors: list[float], start: Score, rung: Rung, bounds: tuple[float, float]) -> None:
        trials = deciding.trials
        for anchor in anchors:
            tried = [trial.rate for trial in trials]
            trials += [self.trial(rate, rung.updates) for rate in search.first_rates(anchor, bounds) if rate not in tried]
            if self._known or knows_more(scores_of(trials), start, self.judge.examples):
                break

    def _go_on(self, deciding: Deciding, start: Score, rung: Rung, bounds: tuple[float, float], apart: int, last: int) -> None:
        """More trials until the good ones are between others or the updates are spent."""
        trials = deciding.trials
        while self._runner.updates <= last:
            rate = search.next_rate(trials, start, bounds, self.judge.examples, self._known, apart, self.scan)
            if rate is None:
                return
            trials.append(self.trial(rate, rung.updates))

    @property
    def _ramp_judge(self) -> Judge | None:
        """Scan and ramp train on all of the user's data: no example is held out of them."""
        return None if self.judge.holds_out else self.judge

    def trial(self, rate: float, updates: int) -> Trial:
        """A trial cycle from the found state."""
        cycle = [triangular(step, (TRIAL_MIN_SHARE * rate, rate), updates / 2) for step in range(updates)]
        run = self._runner.run(cycle, self.judge, 1, self._on_row, watched=False)
        return Trial(rate, DIVERGED if run.diverged else _score(self._runner.curve), len(run))

    def _have_learned(self, start: Score) -> bool:
        scores = scores_of(self._rungs[-1].trials)
        told_apart = not (self._widely and same(scores, start)) or any(moved(score, start) for score in scores)
        return self._known or (learned(scores, start, self.judge.examples) and told_apart)

    def _have_collapsed(self, start: Score) -> bool:
        """Whether all trials of the last rung came to the same, over a wide range of rates."""
        return not self._known and self._widely and alike(scores_of(self._rungs[-1].trials), start)

    @property
    def _widely(self) -> bool:
        """Whether the trials of the last rung lie far apart; the rates of the grid are rounded."""
        rates = [trial.rate for trial in self._rungs[-1].trials]
        return max(rates) > COLLAPSED_OVER * min(rates) * (1 - 1e-9)

    def _judged(self, start: Score) -> tuple[Deciding, Verdict]:
        """The rung that decides, and what it speaks for; the one before, where nothing stood the last one's length."""
        if len(self._rungs) > 1 and self._rungs[-1].verdict(start) is None:
            lowest = min(trial.rate for trial in self._rungs[-1].trials)
            self._doubts.append(f'longer trials diverged, down to the rate {lowest:.3g}')
            del self._rungs[-1]
        deciding = self._rungs[-1]
        found = deciding.verdict(start)
        reason = self._reason_against(deciding, found, start)
        if found is None or reason:
            raise NoRangeError('; '.join([reason, *self._remarks(), *self._rivals()]))
        return deciding, found

    def _reason_against(self, deciding: Deciding, found: Verdict | None, start: Score) -> str:
        """Why the trials speak for nothing; empty where they speak for something."""
        if found is None:
            lowest = min(trial.rate for trial in deciding.trials)
            return f'every trial cycle diverged, down to the rate {lowest:.3g}; check the data and the loss'
        what = f'judged by {self.judge.words} ({weighing.outcomes(deciding.trials)})'
        if self._widely and untouched(scores_of(deciding.trials)):
            none = f'no trial cycle made the model better, and the rate made no difference, {what}'
            return f'{none}; check labels, loss and gradients; {NOT_ITS_OWN}'
        if not self._have_learned(start):
            longer = 'let a larger budget make the trials longer (--budget, budget=)'
            if deciding.updates == deciding.length:
                longer = f'train longer: the trials are as long as the training ({counted(deciding.length, "update")})'
            return f'no trial cycle made the model better, {what}; check labels, loss and gradients, or {longer}'
        if self._have_collapsed(start):
            return (
                f'all trial cycles came to the same, as when a network collapses at each rate, {what}; '
                'scale inputs and targets, or look lower with a range of your own'
            )
        return ''

    def _estimate(self, deciding: Deciding, found: Verdict, start: Score, bounds: tuple[float, float]) -> Estimate:
        try:
            reading = analyzer.read(self.curve)
        except NoRangeError:  # too short a ramp to tell by itself; the trial cycles have told
            reading = None
        trials = deciding.trials
        high = min(max(found.rate, bounds[0]), bounds[1])
        low, why_low = analyzer.minimum(reading or _whole(self.curve), high)
        everything = [trial for rung in self._rungs for trial in rung.trials]
        highest = max(trial.rate for trial in everything)
        return Estimate(
            value_range=(low, high),
            exhausted=(reading is None or reading.limit is None) and found.best.rate == highest,
            reasons={
                'min': why_low,
                'max': weighing.reason(trials, found),
                **weighing.beyond(deciding.length, deciding.updates),
                **weighing.band_of_losses(trials, start),
            },
            warnings=(
                *self._remarks(),
                *left_changed(self.scan, self.curve),
                *self._rivals(),
                *(KNOWN_WARNING,) * self._known,
                *weighing.warnings(everything, found, start, deciding.epochs),
                *doubts(reading, high),
            ),
            spread=_spread(found.interval, low, high),
            length=self._length_in_iterations(),
            band=(min(found.band[0], high), max(found.band[1], high)),
            diverges=weighing.diverges(everything, found, start),
            reading=reading,
        )

    def _length_in_iterations(self) -> int:
        """That of the training that the answer is for: the one that was asked for, or one as long as usual."""
        updates = self._length() or weighing.USUAL_LENGTH
        return max(1, round(updates * self._runner.iterations_per_update))

    def _rivals(self) -> list[str]:
        names = ', '.join(map(repr, self._runner.others))
        advice = 'where that works against this one, hold its model still meanwhile by disable_update()'
        return [f'the updater steps the optimizer {names}, too: {advice}'] if names else []

    def _remarks(self) -> list[str]:
        """What was noticed on the way, whatever the answer is."""
        failure = self._runner.failure
        failed = [f'at high rates updates failed, which counts as divergence ({failure})'] if failure else []
        return [*self._doubts, *self._runner.doubts, *failed]


def _score(curve: pd.DataFrame) -> Score:
    """What a whole trial cycle came to: its late updates, and the validation after it."""
    late = curve[LOSS].to_numpy(float)[-max(1, len(curve) // LOSS_SHARE) :]
    train = float(np.mean(late))
    loss = float(curve[VALIDATION_LOSS].iloc[-1])
    validated = not curve[VALIDATION_LOSS].isna().all()
    return Score(
        train=train,
        loss=loss if validated else train,
        error=1 - float(curve[VALIDATION_ACCURACY].iloc[-1]),
        noise=_standard_error(late),
        wrong=1 - float(curve[ACCURACY].iloc[-max(1, len(curve) // ANSWER_SHARE) :].mean()),
    )


def _standard_error(values: npt.NDArray[np.float64]) -> float:
    """That of their mean; 0 where some are not finite."""
    return float(np.std(values) / np.sqrt(len(values))) if np.isfinite(values).all() else 0.0


def _whole(curve: pd.DataFrame) -> Reading:
    """The reading of a ramp that shows nothing by itself: learning may pay from its first rate on."""
    first, last = curve['lr'].iloc[[0, -1]]
    return Reading(float(first), float(last), pays=0.0)


def doubts(reading: Reading | None, high: float) -> list[str]:
    """What the ramp says against a maximum that the trial cycles speak for."""
    limit = reading.limit if reading else None
    if limit is None or high < limit.rate:
        return []
    return [
        f'the ramp {limit.kind} at {limit.rate:.3g} ({limit.why}), which the trial cycles survived: '
        'try several seeds (--seeds, lrfinder.find_seeds)'
    ]


def left_changed(scan: pd.DataFrame, curve: pd.DataFrame) -> list[str]:
    """That the first updates of two runs from the found state differ, both at rates of next to nothing; nothing otherwise."""
    if curve['lr'].iloc[0] > scan['lr'].iloc[0]:
        return []
    first, again = (float(losses.iloc[0]) for losses in (scan[LOSS], curve[LOSS]))
    if math.isclose(first, again, rel_tol=ALIKE) or not math.isfinite(again - first):
        return []
    return [
        f'the first update of the scan had the loss {first:.3g} and that of the ramp {again:.3g}, though both begin with what '
        'was found: something that it depends on is not put back, such as a global variable or what other processes draw; keep '
        'it as an attribute of the updater'
    ]


def _spread(rates: tuple[float, float], low: float, high: float) -> dict[str, tuple[float, float]]:
    """The spread of both bounds: the lower one goes with the upper one."""
    around = (min(rates[0], high), max(rates[1], high))
    return {'min': (low / high * around[0], low / high * around[1]), 'max': around}
