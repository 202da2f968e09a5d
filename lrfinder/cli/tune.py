"""The job of ``--tune``: the trials in the folder of a run, each of which goes on where it was interrupted."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfinder import _files, plotting
from lrfinder.analysis.cycles import CyclePlan
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.cli import snapshots, summary, train
from lrfinder.cli.build import Builder
from lrfinder.cli.errors import UsageError, writing
from lrfinder.cli.options import TUNING_SEEDS, Options
from lrfinder.cli.output import Output
from lrfinder.cli.trial_folders import BY_POLICY, CURVES, FOLDER, STUDY, TABLE, trainings
from lrfinder.engine.progress import Progress
from lrfinder.tuning import trials
from lrfinder.tuning.training import validated
from lrfinder.tuning.trials import Training, Watch
from lrfinder.tuning.tuner import TRIALS, Tuned, search, task_of, tuned_by
from lrfinder.zoo.factory import describe


@dataclasses.dataclass(frozen=True)
class Courses:
    """Makes the trainings of a study in the folder of a run, with a log and a snapshot each.

    Attributes:
        builder: Builds what is trained.
        folder: The folder for all of them.
        run_id: Which run it is.
        quiet: Whether to show no progress bars.
    """

    builder: Builder
    folder: Path
    run_id: str
    quiet: bool

    def __call__(self, training: Training, watch: Watch) -> Mapping[str, Any]:
        folder = self.folder / training.name
        course = train.Course(
            folder,
            training.iterations,
            self.builder.iterations_per_epoch,
            self.run_id,
            snapshots.newest_snapshot(folder, self.run_id),
            self.quiet,
            training.title,
            watch,
        )
        return train.train_with_clr(self.builder.build(training.seed), training.suggestion, course)[-1]


class Tuning:
    """Tunes the schedule of a run.

    Args:
        options: The command's.
        builder: Builds what is trained.
        folder: The folder of the run.
        run_id: Which run it is.
        out: Where it says what it finds.
    """

    def __init__(self, options: Options, builder: Builder, folder: Path, run_id: str, out: Output) -> None:
        self._options, self._builder, self._folder, self._run_id, self._out = options, builder, folder, run_id, out
        self._seeds = max(TUNING_SEEDS, options.seeds)

    def run(self, suggestion: Suggestion, plan: CyclePlan) -> Tuned:
        """Finds the best schedule within a range; leaves the snapshot of its training in the folder of the run.

        Raises:
            UsageError: The study can't be read, or what is trained can't be validated.
        """
        several = self._options.jobs > 1
        courses = Courses(self._builder, self._folder / FOLDER, self._run_id, self._options.quiet or several)
        measured = validated(*self._builder.build(self._options.seed))
        count = self._options.tune_trials or TRIALS
        task = task_of(suggestion, plan, measured, count, self._options.seed, courses, own=True)
        self._out.say(f'Tuning: {count} trials; then the best and the plan without tuning from {self._seeds} seeds each')
        with trials.silent():
            study = self._study(task)
            with Progress('trainings', count + 2 * self._seeds, self._options.quiet or not several) as progress:

                def on_training(done: int, most: int, words: str) -> None:
                    self._out.say(f'{done} of {most}: {words}')
                    progress.count(done)
                    self._tidy(study, task)

                verdict = search(study, task, self._seeds, self._options.jobs, on_training)
            tuned = tuned_by(study, task, verdict)
        self._keep(tuned)
        return tuned

    def _study(self, task: trials.Task) -> Any:
        path = self._folder / STUDY
        try:
            return trials.study_for(task, trials.in_file(path), self._run_id)
        except Exception as error:  # SQLAlchemy's are of many kinds
            raise UsageError(f'--tune: {path} is not a study, or is damaged ({describe(error)}); remove it') from error

    def _tidy(self, study: Any, task: trials.Task) -> None:
        """Removes the trainings that nothing goes on from: only those of the best trial and the default are needed."""
        kept = {f'trial_{trial.number}' for trial in trials.best_of(study, task)} if trials.has_default(study, task) else None
        done = {f'trial_{trial.number}' for trial in trials.tried(study)}
        for path in trainings(self._folder):
            repeated = not path.name.startswith('trial_') and trials.is_repeated(study, path.name)
            if kept is not None and (repeated or (path.name in done and path.name not in kept)):
                self._remove(path)

    def _remove(self, folder: Path) -> None:
        names = [name for name in snapshots.all_names(folder) if snapshots.own_origin(folder / name, self._run_id)]
        with contextlib.suppress(OSError):
            for name in ('log', *names):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()

    def _keep(self, tuned: Tuned) -> None:
        """Puts the training of the answer where that of a run without tuning is, and writes the files."""
        folder = self._folder / FOLDER / f'trial_{tuned.chosen}'
        trained = snapshots.newest_snapshot(folder, self._run_id)
        with writing(self._folder):
            self._drop_other_answers(tuned.suggestion)
            if trained is not None:
                with contextlib.suppress(FileNotFoundError):  # it was moved before the run was killed
                    os.replace(folder / 'log', self._folder / 'log')
                os.replace(trained, self._folder / trained.name)
            for path in trainings(self._folder):
                self._remove(path)
            _files.write_text(self._folder / TABLE, tuned.trials.to_csv(index=False, lineterminator='\n'))
            plotting.save_tuning(self._folder / CURVES, tuned.trials, tuned.curves, tuned.metric, tuned.chosen)
            plotting.save_by_policy(self._folder / BY_POLICY, tuned.trials, tuned.metric, tuned.chosen)
        pictures = f'{Path(self._options.out) / CURVES} and {BY_POLICY}'
        self._out.say(
            '',
            *summary.tuning_lines(tuned.trials, tuned.metric, tuned.chosen, tuned.suggestion.reasons['tuned']),
            f'Pictures: {pictures}',
            '',
        )

    def _drop_other_answers(self, suggestion: Suggestion) -> None:
        """Removes the snapshot of what was the answer before there were more trials."""
        for name in snapshots.all_names(self._folder):
            origin = snapshots.own_origin(self._folder / name, self._run_id)
            if origin is not None and origin.trained_with != train.trained_with(suggestion):
                (self._folder / name).unlink()
