"""Runs one of Chainer's examples with a range test inserted: `python -m benchmarks.example_run SPECIFICATION ARGUMENTS`.

The lines are inserted where the script runs its trainer, or begins its own loop; all else stays as it is. What came of it is
written to a file, by each process its own. `benchmarks.examples` calls this.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import random
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lrfinder
from clr.attributes import rate_attribute
from clr.policies import POLICIES
from clr.training.extensions import CLR

import chainer
import numpy as np
from chainer.training import extensions, get_trigger

# Trainings are compared after so many updates, bit for bit.
COMPARED = 20


@dataclass(frozen=True)
class Specification:
    """What a run does.

    Attributes:
        script: The example's path.
        record: Where to write what came of it; the rank of the process is appended.
        seed: Of all random generators.
        updates: The budget.
        finds: Whether to ask for a range first.
        optimizer: The name of the optimizer to move.
        plan: The range to train in, and the like, as :func:`plan_of` gives it. Without one, and if none is asked for, the
            example trains at its own rate.
        prelude: As that of an `Example`; loop and score, too.
    """

    script: str
    record: str
    seed: int
    updates: int
    finds: bool = False
    optimizer: str = 'main'
    plan: dict[str, Any] | None = None
    prelude: str = ''
    loop: str = ''
    score: str = ''


def inserted(source: str, loop: str = '', score: str = '') -> str:
    """The source of a script with the lines of the range test, which name it `range_test`.

    Args:
        source: The script.
        loop: For a loop of its own, an expression for an updater; otherwise its trainer is looked for.
        score: For such a loop, an expression for what it has come to.

    Raises:
        ValueError: There is no trainer that is run, or no loop over epochs.

    >>> print(inserted('trainer = training.Trainer(updater)\\ntrainer.run()'))
    trainer = training.Trainer(updater)
    range_test.before(trainer)
    trainer.run()
    >>> print(inserted('while iterator.epoch < 3:\\n    step()', 'Updater(iterator)', 'evaluate()'))
    range_test.begin(Updater(iterator), lambda: evaluate())
    while iterator.epoch < 3:
        if range_test.done(): break
        step()
    """
    lines = source.splitlines()
    additions = list(_around_loops(ast.parse(source), loop, score) if loop else _around_runs(ast.parse(source)))
    if not additions:
        raise ValueError('the script has no loop over epochs' if loop else 'the script runs no trainer')
    for place, column, text in sorted(additions, reverse=True):
        lines.insert(place, ' ' * column + text)
    return '\n'.join(lines)


Addition = tuple[int, int, str]  # before which line (from 0 on), at which column, and what


def _around_runs(tree: ast.Module) -> Iterator[Addition]:
    trainers = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _last_name(node.value.func) == 'Trainer'
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            run, trainer = node.value.func, node.value.func.value
            if run.attr == 'run' and isinstance(trainer, ast.Name) and trainer.id in trainers:
                yield node.lineno - 1, node.col_offset, f'range_test.before({trainer.id})'


def _around_loops(tree: ast.Module, loop: str, score: str) -> Iterator[Addition]:
    for node in ast.walk(tree):
        if isinstance(node, ast.While) and any(_last_name(part) == 'epoch' for part in ast.walk(node.test)):
            yield node.lineno - 1, node.col_offset, f'range_test.begin({loop}, lambda: {score})'
            yield node.body[0].lineno - 1, node.body[0].col_offset, 'if range_test.done(): break'


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ''


def state_of(updater: Any) -> str:
    """A digest of the weights, the optimizers, the iterators and the random generators."""
    digest = hashlib.sha256()
    serializer = chainer.serializers.DictionarySerializer()
    updater.serialize(serializer)
    for name, value in sorted(serializer.target.items()):
        digest.update(name.encode() + (b'None' if value is None else np.asarray(value).tobytes()))
    for optimizer in updater.get_all_optimizers().values():
        digest.update(repr(sorted(optimizer.hyperparam.get_dict().items())).encode())
    digest.update(repr((random.getstate(), np.random.get_state()[1].tobytes(), np.random.get_state()[2:])).encode())
    return digest.hexdigest()


def plan_of(suggestion: lrfinder.Suggestion) -> dict[str, Any]:
    """What is needed to train as suggested."""
    names = 'attr', 'value_range', 'step_size', 'policy', 'proportional'
    return {name: getattr(suggestion, name) for name in names}


class RangeTest:
    """What the inserted lines call.

    Args:
        specification: What to do.

    Attributes:
        record: What came of it.
    """

    def __init__(self, specification: Specification) -> None:
        self._do = specification
        self._plan = specification.plan
        self._losses: list[float] = []
        self._iteration = 0
        self._updater: Any = None
        self._score: Callable[[], dict[str, float]] = dict
        self.record: dict[str, Any] = {}

    # A trainer's

    def before(self, trainer: Any) -> None:
        """Before a trainer runs: asks for the range, and lets it train as specified."""
        self._ask(trainer.updater, _evaluator(trainer))
        trainer.stop_trigger = get_trigger((self._do.updates, 'iteration'))
        note = chainer.training.make_extension((1, 'iteration'), priority=chainer.training.PRIORITY_READER)
        trainer.extend(note(lambda trainer: self._note(trainer)), name='note')
        if self._plan:
            for name, entry in list(trainer._extensions.items()):
                if isinstance(entry.extension, extensions.ExponentialShift):  # CLR refuses to go beside another schedule
                    del trainer._extensions[name]
            plan = {**self._plan, 'optimizer': trainer.updater.get_optimizer(self._do.optimizer)}
            trainer.extend(CLR(**plan))

    def _note(self, trainer: Any) -> None:
        if 'main/loss' in trainer.observation:
            self._losses.append(float(chainer.backends.cuda.to_cpu(_plain(trainer.observation['main/loss']))))
        if trainer.updater.iteration == COMPARED:
            self.record['digest'] = state_of(trainer.updater)
        if trainer.updater.iteration == self._do.updates:
            self.record['scores'] = {**_validated(_evaluator(trainer)), **self._late_loss()}

    def _late_loss(self) -> dict[str, float]:
        late = self._losses[-max(1, self._do.updates // 10) :]
        return {'training loss': float(np.mean(late))} if late else {}

    # A loop's

    def begin(self, updater: Any, score: Callable[[], dict[str, float]]) -> None:
        """Before a loop begins: asks for the range."""
        self._updater, self._score = updater, score
        self._ask(updater, None)

    def done(self) -> bool:
        """At the start of each iteration: sets the rate, and says whether the budget is spent."""
        if self._iteration == COMPARED:
            self.record['digest'] = state_of(self._updater)
        if self._iteration >= self._do.updates:
            self.record['scores'] = self._score()
            return True
        if self._plan:
            value = POLICIES[self._plan['policy']](self._iteration, self._plan['value_range'], self._plan['step_size'])
            setattr(self._updater.get_optimizer('main'), self._plan['attr'], value)
        self._iteration += 1
        return False

    def error(self, iterator: Any, model: Any) -> dict[str, float]:
        """The share of wrong answers to all examples of an iterator that ends."""
        return _validated(extensions.Evaluator(iterator, model))

    def unrolled_updater(self, *arguments: Any) -> Any:
        """An updater for a model that takes a list of batches, as that of the static graph's language model does."""
        return _UnrolledUpdater(*arguments)

    def rewound(self, iterator: Any) -> Any:
        """An iterator that is new, for a script that resets it: the static graph's has no `reset`."""
        iterator.reset = lambda: None
        return iterator

    # All

    def whole_number(self, value: Any) -> int:
        """As `int` was before NumPy 2.4: an array with one element is a number."""
        return int(value.item() if isinstance(value, np.ndarray) else value)

    def _ask(self, updater: Any, evaluator: Any) -> None:
        optimizer = updater.get_optimizer(self._do.optimizer)
        self.record['own_rate'] = getattr(optimizer, rate_attribute(optimizer))
        if not self._do.finds:
            return
        others = [other.target for name, other in updater.get_all_optimizers().items() if name != self._do.optimizer]
        arguments = {'optimizer': optimizer, 'observer': self._do.optimizer} if others else {}
        length = (self._do.updates, 'iteration')
        for other in others:  # the opponent of a GAN holds still
            other.disable_update()
        before, started = state_of(updater), time.process_time()
        try:
            result = lrfinder.find(updater, evaluator=evaluator, length=length, quiet=True, **arguments)
        except ValueError as error:  # a NoRangeError, or a program that can't be tested
            self.record['refused'] = str(error)
        else:
            self._plan = plan_of(result.suggestion)
            self.record |= {'plan': self._plan, 'updates': result.suggestion.updates}
            self.record['warnings'] = list(result.suggestion.warnings)
            self.record['judged_by'] = result.suggestion.reasons['judged_by']
        self.record['seconds'] = time.process_time() - started
        self.record['unchanged'] = state_of(updater) == before
        for other in others:
            other.enable_update()


class _UnrolledUpdater(chainer.training.StandardUpdater):
    """Trains a model of a list of batches, and reports its loss."""

    def __init__(self, iterator: Any, optimizer: Any, length: int, device: Any) -> None:
        super().__init__(iterator, optimizer, device=device)
        self._length = length

    def update_core(self) -> None:
        optimizer, iterator = self.get_optimizer('main'), self.get_iterator('main')
        pairs = [self.converter(next(iterator), self.device) for _ in range(self._length)]
        answers = optimizer.target([x for x, _ in pairs])
        loss = sum(chainer.functions.softmax_cross_entropy(y, t) for y, (_, t) in zip(answers, pairs))
        optimizer.target.cleargrads()
        loss.backward()
        loss.unchain_backward()
        optimizer.update()
        chainer.report({'loss': loss}, optimizer.target)


def _evaluator(trainer: Any) -> Any:
    entries = trainer._extensions.values()
    return next((entry.extension for entry in entries if isinstance(entry.extension, extensions.Evaluator)), None)


def _validated(evaluator: Any) -> dict[str, float]:
    found = {} if evaluator is None else evaluator()
    values = {name.rpartition('main/')[2]: float(_plain(value)) for name, value in found.items()}
    scores = {'validation error': 1 - values['accuracy']} if 'accuracy' in values else {}
    return scores | ({'validation loss': values['loss']} if 'loss' in values else {})


def _plain(value: Any) -> Any:
    return value.array if isinstance(value, chainer.Variable) else value


def main() -> None:
    """Run the example; what ends it is noted, too."""
    do = Specification(**json.loads(sys.argv[1]))
    range_test = RangeTest(do)
    script = types.ModuleType('__main__')
    vars(script).update(__file__=do.script, range_test=range_test)
    sys.argv = [do.script, *sys.argv[2:]]
    sys.path[0] = str(Path(do.script).parent)
    sys.modules['__main__'] = script
    random.seed(do.seed)
    np.random.seed(do.seed)
    code = compile(inserted(Path(do.script).read_text(encoding='utf-8'), do.loop, do.score), do.script, 'exec')
    try:
        exec(do.prelude, vars(script))
        exec(code, vars(script))
    except BaseException as error:
        if 'scores' not in range_test.record:  # whatever comes after the training is not of interest
            range_test.record['error'] = f'{type(error).__name__}: {error}'
        raise
    finally:
        rank = os.environ.get('PMI_RANK', '0')
        Path(f'{do.record}.{rank}').write_text(json.dumps(range_test.record))


if __name__ == '__main__':
    main()
