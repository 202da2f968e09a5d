"""What trials are judged by: the user's evaluator, examples held out of the training data, or the training itself.

A judge never takes the user's iterator away, unless that is exactly one of Chainer's own, which a serial one over fewer
examples can stand for. Whatever else an iterator does with its examples (balance classes, leave some out, yield other things
than pairs) belongs to the training.
"""

from __future__ import annotations

import inspect
import math
import traceback
from collections.abc import Mapping
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from lrfinder._names import counted, printable
from lrfinder.analysis.splits import HELD_OUT, at_random
from lrfinder.engine.protocols import Evaluator, Updater
from lrfinder.engine.rate import SetUpError
from lrfinder.engine.recorder import MOST_NAMED, Names, as_number
from lrfinder.engine.told import examples_in, main_iterator
from lrfinder.engine.workers import Workers

from chainer import Link
from chainer.datasets import SubDataset
from chainer.iterators import MultiprocessIterator, MultithreadIterator, SerialIterator, ShuffleOrderSampler
from chainer.training import Extension, StandardUpdater, Trainer, extensions

# More held-out examples than these say no more.
MOST_HELD_OUT = 1000
# Fewer say nothing.
LEAST_HELD_OUT = 10
# Iterators of Chainer's own that a serial one can stand for.
STANDARD_ITERATORS = (SerialIterator, MultiprocessIterator, MultithreadIterator)
# And the orders: another sampler may balance classes, or leave examples out.
STANDARD_ORDERS = (type(None), ShuffleOrderSampler)
# What a judge says of the same model twice may differ by such a share, by rounding on a GPU.
STEADY = 1e-4
# The split of more examples takes too much memory: so many may be none that are stored, but made when they are asked for.
LONGEST_SPLIT = 10_000_000


class Judge:
    """Judges by the training itself: the loss of each batch before it is trained on.

    Attributes:
        validates: Whether it can validate a model.
        holds_out: Whether it keeps examples from the training.
        examples: How many examples it judges by, over all workers; ``None`` where that is not known.
        words: By what it judges, in words.
        reported: The names that it has reported, as ``loss=`` and ``accuracy=`` would take them.
    """

    validates = False
    holds_out = False
    examples: int | None = None
    reported: tuple[str, ...] = ()
    words = 'the training loss of each batch before it is trained on'

    def hold_out(self, updater: Any) -> None:
        """Keeps what it judges by from the training, until everything is put back."""

    def validate(self, reporter: Any) -> Mapping[str, float]:
        """What is reported of the model as it is now, averaged over all workers: names begin with ``validation/``."""
        return {}


class EvaluatorJudge(Judge):
    """Judges by an evaluator.

    Args:
        evaluator: A ``chainer.training.extensions.Evaluator``, or whatever gives the same when it is called.
        workers: Those that train together.

    Raises:
        ValueError: It is no evaluator, would never end, or needs a trainer.
    """

    validates = True

    def __init__(self, evaluator: Evaluator, workers: Workers) -> None:
        self._evaluator: Any = evaluator
        self._workers = workers
        _check_callable(evaluator)
        iterators = getattr(evaluator, '_iterators', {})
        if any(getattr(iterator, 'repeat', False) is True for iterator in iterators.values()):
            raise ValueError("the evaluator's iterator would never end; make it with repeat=False")
        examples = examples_in(main_iterator(evaluator))
        if examples == 0:
            raise SetUpError("the evaluator's data are empty")
        self.examples = None if examples is None else examples * workers.size
        known = '' if self.examples is None else f' ({counted(self.examples, "example")})'
        self.words = f'the evaluator{known}'

    def validate(self, reporter: Any) -> Mapping[str, float]:
        observation: dict[str, Any] = {}
        with reporter.scope(observation):  # not into the observation of a trainer that may be running around this
            result = _without_trainer(self._evaluator)
        if not isinstance(result, (Mapping, type(None))):
            raise SetUpError(_no_dictionary(result))
        found = self._numbers(result or observation)  # in a trainer, what it reports counts
        self.reported = tuple(name.removeprefix('validation/') for name in found)
        return dict(zip(found, self._workers.mean(list(found.values()))))

    def _numbers(self, reported: Mapping[Any, Any]) -> dict[str, float]:
        """Those of the reported values that are numbers, by names that begin with ``validation/``."""
        # Where the evaluator belongs to a trainer, that has given it a name.
        prefix = f'{getattr(self._evaluator, "name", None) or "validation"}/'
        return {
            f'validation/{key.removeprefix(prefix).removeprefix("validation/")}': number
            for key, value in reported.items()
            if isinstance(key, str) and (number := as_number(value)) is not None
        }


class HeldOutJudge(EvaluatorJudge):
    """Judges by a fifth of the training data, which is kept from the trials.

    The split is the same each time and draws nothing from the global random generators.

    Args:
        updater: A ``chainer.training.StandardUpdater`` with an iterator of Chainer's own.
        workers: Those that train together.
    """

    holds_out = True

    def __init__(self, updater: StandardUpdater, workers: Workers) -> None:
        iterator = updater.get_iterator('main')
        dataset, self._batchsize = iterator.dataset, iterator.batch_size
        rest, kept = at_random(len(dataset), MOST_HELD_OUT)
        self._rest = SubDataset(dataset, 0, len(rest), rest + kept)
        self._shuffled = getattr(iterator, 'order_sampler', None) is not None
        held = SubDataset(dataset, 0, len(kept), kept + rest)
        evaluator = extensions.Evaluator(
            SerialIterator(held, self._batchsize, repeat=False, shuffle=False),
            updater.get_optimizer('main').target,
            converter=updater.converter,
            device=updater.input_device,
            eval_func=updater.loss_func,
        )
        super().__init__(evaluator, workers)
        self.words = f'{self.examples} examples held out of the training data'

    def hold_out(self, updater: Any) -> None:
        updater._iterators['main'] = SerialIterator(self._rest, self._batchsize, shuffle=self._shuffled)


def judges_for(updater: Updater, evaluator: Evaluator | None, workers: Workers) -> list[Judge]:
    """The judges for an updater, the best first: its evaluator, if there is one; examples held out, where all workers can spare
    some; the training itself, which can always judge.

    Raises:
        ValueError: The evaluator would never end, or only some of the workers have one.
    """
    workers.check_alike('whether there is an evaluator', evaluator is not None)
    given = [] if evaluator is None else [EvaluatorJudge(evaluator, workers)]
    all_can = workers.mean([float(_can_hold_out(updater))])[0] == 1.0
    held_out = [HeldOutJudge(updater, workers)] if all_can else []
    return [*given, *held_out, Judge()]


def why_not(judge: Judge, found: Mapping[str, float] | Exception, names: Names) -> str:
    """Why a judge can't judge, in words; nothing where it can.

    Args:
        judge: The judge.
        found: What it has said of the found state, by the names of a curve's columns, or what it has raised.
        names: What the loss and the accuracy are called.

    >>> why_not(Judge(), {}, Names())
    ''
    """
    who = _who(judge)
    if isinstance(found, Exception):
        return f'{who} fails ({type(found).__name__}: {printable(" ".join(str(found).split()), 200)})'
    if not judge.validates or any(map(math.isfinite, found.values())):
        return ''
    if found:
        return f'what {who} reports is not finite as the model is now'
    others = ', '.join(map(repr, judge.reported[:MOST_NAMED]))
    reports = f'it reports {others}: loss= and accuracy= name what counts' if others else 'it reports nothing'
    return f'{who} reports neither {names.loss!r} nor {names.accuracy!r} ({reports})'


def unsteady(judge: Judge, found: Mapping[str, float] | Exception, again: Mapping[str, float] | Exception) -> str:
    """How a judge contradicts itself, in words; nothing where it does not: the random numbers that it draws are put back.

    Args:
        judge: The judge.
        found: What it has said of the found state.
        again: The same, said again.
    """
    if isinstance(found, Exception) or isinstance(again, Exception):
        return ''
    pairs = [(value, again.get(name, math.nan)) for name, value in found.items() if math.isfinite(value)]
    apart = [(one, other) for one, other in pairs if not math.isclose(one, other, rel_tol=STEADY)]
    if not apart:
        return ''
    values = ' and '.join(f'{value:.3g}' for value in apart[0])
    return f'{_who(judge)} says {values} of one and the same model (it draws random numbers of its own)'


def _who(judge: Judge) -> str:
    return 'the model in test mode (chainer.config.train is False)' if judge.holds_out else 'the evaluator'


def _can_hold_out(updater: Any) -> bool:
    """Whether the updater trains as Chainer's own does, on enough examples that an iterator of Chainer's own yields."""
    standard = getattr(type(updater), 'update_core', None) is StandardUpdater.update_core
    if not standard or 'main' not in updater.get_all_optimizers():
        return False
    iterator = main_iterator(updater)
    if type(iterator) not in STANDARD_ITERATORS or type(iterator.order_sampler) not in STANDARD_ORDERS:
        return False
    length = examples_in(iterator)
    if length is None or length > LONGEST_SPLIT:
        return False
    return HELD_OUT * length >= LEAST_HELD_OUT and (1 - HELD_OUT) * length >= iterator.batch_size


# Attributes of a trainer's own, beside those of its class.
OF_TRAINERS = ('observation', 'out', 'reporter', 'stop_trigger', 'updater')
NEEDS_TRAINER = 'the evaluator needs a trainer, and find calls it without one; give another evaluator'


def _check_callable(evaluator: Any) -> None:
    if not callable(evaluator) or isinstance(evaluator, (Link, type)):
        kind = f'the class {evaluator.__name__}' if isinstance(evaluator, type) else type(evaluator).__name__
        raise SetUpError(f'evaluator must be one of chainer.training.extensions, such as Evaluator(data, model), not {kind}')
    try:
        inspect.signature(evaluator).bind()
    except TypeError:
        raise SetUpError(NEEDS_TRAINER) from None
    except ValueError:  # it has no signature to look at
        return


def _without_trainer(evaluator: Any) -> Any:
    try:
        return evaluator()
    except AttributeError as error:
        if _asks_for_a_trainer(evaluator, error):
            raise SetUpError(f'{NEEDS_TRAINER} ({error})') from error
        if error.name == 'items' and _place_of(error) == 'iteritems':  # where Chainer reports what evaluate() returned
            raise SetUpError(_no_dictionary(error.obj)) from error
        raise


def _asks_for_a_trainer(evaluator: Any, error: AttributeError) -> bool:
    """Whether an error comes from ``None`` in place of a trainer, or from the lack of what one brings in ``initialize``."""
    if isinstance(evaluator, Extension) and type(evaluator).initialize is not Extension.initialize:
        return True
    is_of_none = error.obj is None and error.name is not None
    return is_of_none and (error.name in OF_TRAINERS or hasattr(Trainer, str(error.name)))


def _place_of(error: BaseException) -> str:
    """The function in which an error was raised."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_code.co_name


def _no_dictionary(result: Any) -> str:
    kind = type(result).__name__
    return f"the evaluator must return a dictionary of what it measured, such as {{'main/loss': 0.5}}, not {kind}"
