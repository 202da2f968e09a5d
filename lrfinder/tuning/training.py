"""One training with a schedule, on the user's updater."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import clr  # noqa: F401  makes Chainer importable
from clr.training.extensions import CLR
from lrfinder import _files
from lrfinder.analysis.metrics import LOSS, METRICS, VALIDATION
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.engine.built import Build, built
from lrfinder.engine.judge import EvaluatorJudge
from lrfinder.engine.progress import Progress
from lrfinder.engine.recorder import Names, as_number
from lrfinder.engine.run import chosen_optimizer
from lrfinder.engine.workers import workers_of
from lrfinder.tuning.trials import Training, Watch

import chainer
import numpy as np
from chainer import serializers

NO_EVALUATOR = 'tune judges trainings by validation: build must return an updater and an evaluator'
# How often a training is validated where it is not known how long an epoch is.
VALIDATIONS = 10


@dataclasses.dataclass(frozen=True)
class Trainer:
    """Makes the trainings of a study.

    Attributes:
        build: Called as ``build(seed)``, returns an updater and its evaluator.
        per_epoch: After how many iterations to validate.
        folder: Where to leave a snapshot of each trial; nowhere by default.
        quiet: Whether to show no progress bar.
    """

    build: Build
    per_epoch: int
    folder: Path | None = None
    quiet: bool = False

    def __call__(self, training: Training, watch: Watch) -> Mapping[str, Any]:
        updater, evaluator = built(self.build, training.seed)
        found: dict[str, Any] = {}
        with tempfile.TemporaryDirectory() as out, Progress(training.title, training.iterations, self.quiet) as progress:
            trainer = chainer.training.Trainer(updater, lambda trainer: _ended(trainer, training, found), out=out)
            suggestion = training.suggestion
            trainer.extend(CLR(*_arguments(suggestion), proportional=suggestion.proportional))
            optimizer = updater.get_optimizer('main')

            def look(trainer: Any) -> None:
                iteration = updater.iteration
                loss = trainer.observation.get(LOSS)
                if loss is not None and progress.due:
                    progress.show(float(getattr(optimizer, suggestion.attr)), as_number(loss) or 0.0, iteration)
                if iteration % self.per_epoch == 0 or iteration == training.iterations:
                    number = None if loss is None else as_number(loss)
                    found.update(validated(updater, evaluator), **({} if number is None else {LOSS: number}))
                    found['stop'] = watch(iteration, found)

            trainer.extend(look, name='tune', priority=chainer.training.PRIORITY_READER, trigger=(1, 'iteration'))
            with np.errstate(all='ignore'):
                trainer.run(show_loop_exception_msg=False)
            self._keep(training.name, trainer)
        return {name: found[name] for name in METRICS if name in found}

    def _keep(self, name: str, trainer: Any) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _files.replacing(self.folder / name) as file:
                serializers.save_npz(file, trainer)


def _arguments(suggestion: Suggestion) -> tuple[Any, ...]:
    return suggestion.attr, suggestion.value_range, suggestion.step_size, suggestion.policy


def _ended(trainer: Any, training: Training, found: Mapping[str, Any]) -> bool:
    return bool(trainer.updater.iteration >= training.iterations or found.get('stop'))


def validated(updater: Any, evaluator: Any) -> dict[str, Any]:
    """What an evaluator says of the model as it is now, by the names of a curve's columns.

    Raises:
        ValueError: There is none, it reports neither a loss nor an accuracy, several workers train together, or this is no
            updater.
    """
    if evaluator is None:
        raise ValueError(NO_EVALUATOR)
    chosen_optimizer(updater)
    workers = workers_of(updater)
    if workers.size > 1:
        raise ValueError('tune works for one process alone, not for workers that train together')
    observed = EvaluatorJudge(evaluator, workers).validate(chainer.Reporter())
    found = Names().validated(observed)
    if not found:
        raise ValueError(
            f'the evaluator must report one of {", ".join(VALIDATION)}; it reports {", ".join(observed) or "none"}'
        )
    return found
