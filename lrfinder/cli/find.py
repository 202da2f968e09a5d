"""The job of the command: the range test, then the training with the range, as far as the options ask for."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrfinder import _files
from lrfinder._names import CURVE, PICTURE, SUGGESTION
from lrfinder.analysis import analyzer, cycles
from lrfinder.analysis.curve import read_curve, write_curve
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.cli import manifest, snapshots, summary, train
from lrfinder.cli.build import Builder
from lrfinder.cli.errors import UsageError, writing
from lrfinder.cli.manifest import Manifest
from lrfinder.cli.options import Options, check
from lrfinder.engine.progress import Progress
from lrfinder.engine.workers import Workers
from lrfinder.result import Result
from lrfinder.seeds import find_seeds
from lrfinder.zoo.factory import describe


def run(options: Options, workers: Workers | None = None) -> None:
    """Finds the range, or takes that of the run to be resumed; then trains with it where ``--epoch`` says so.

    Args:
        options: The command's.
        workers: Those that train together; all of them must do the same job.

    Raises:
        NoRangeError: The run was sound, but there is no range to give; what was recorded is written.
        UsageError: Something that the user gave is wrong, or the files can't be written.
        KeyboardInterrupt: With a message that says how to go on.
    """
    current = _begin_or_go_on(options)
    _Job(current, Builder(current.options, workers)).run(resumes=options.resume is not None)


def _begin_or_go_on(options: Options) -> Manifest:
    earlier = manifest.find_earlier(options) if options.resume is not None else None
    if earlier is None:
        check(options)
        return manifest.begin(options)
    if Path(str(options.resume)).is_file() and snapshots.run_id_of(Path(str(options.resume))) != earlier.run_id:
        raise UsageError(f'--resume {options.resume}: this snapshot is not of the run in {earlier.folder}')
    return dataclasses.replace(earlier, options=manifest.options_to_go_on(options, earlier))


class _Job:
    """One run of the command, in its folder."""

    def __init__(self, current: Manifest, builder: Builder) -> None:
        self._manifest = current
        self._options = current.options
        self._folder = current.folder
        self._builder = builder
        epochs = self._options.epoch
        self._length = (epochs, 'epoch') if epochs else None
        self._plan = cycles.plan(builder.iterations_per_epoch, self._length) if epochs else None

    def run(self, resumes: bool) -> None:
        self._say(*self._head())
        self._builder.build(self._options.seed)  # what can't be built is refused before anything is written
        self._manifest.save()
        with self._interruptible():
            suggestion = self._range()
            if self._plan is not None:
                log = self._train(suggestion, self._plan, resumes)
                if self._options.compare:
                    self._compare(suggestion, self._plan, log, resumes)

    # The range test

    def _range(self) -> Suggestion:
        result = self._earlier_result() if self._manifest.range_is_known else self._test()
        from lrfinder import plotting

        picture, suggestion = self._folder / PICTURE, result.suggestion
        with writing(self._folder):
            suggestion.save(self._folder / SUGGESTION)
            self._manifest.with_digests().save()
            plotting.save_range_test(picture, result.curve, suggestion, readings=result.readings)
        self._say(*summary.range_lines(suggestion, str(picture), self._plan), '')
        if self._options.quiet:
            print(summary.quiet_line(suggestion), flush=True)
        return suggestion

    def _earlier_result(self) -> Result:
        """What the run to be resumed has found; its training may only be asked for now."""
        curve, suggestion = read_curve(self._folder / CURVE), Suggestion.load(self._folder / SUGGESTION)
        if self._plan is not None:
            suggestion = train.replanned(suggestion, self._plan, self._options.policy)
        return Result(curve, suggestion, analyzer.readings(curve))

    def _test(self) -> Result:
        options = self._options
        chosen = {name: getattr(options, name) for name in ('value_range', 'iterations', 'ramp', 'policy')}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        seeds = range(options.seed, options.seed + options.seeds)
        try:
            with self._blaming_what_is_trained(), Progress('range test', quiet=options.quiet) as progress:
                result = find_seeds(self._builder.build, seeds, options.jobs, progress.show, length=self._length, **chosen)
        except BaseException as error:
            self._keep(error)
            raise
        with writing(self._folder):
            write_curve(result.curve, self._folder / CURVE)
        return result

    def _keep(self, error: BaseException) -> None:
        """Writes what was recorded before the test ended early."""
        curve = getattr(error, 'curve', None)
        if curve is None or curve.empty:
            return
        with writing(self._folder):
            write_curve(curve, self._folder / CURVE)
            if isinstance(error, NoRangeError):
                from lrfinder import plotting

                plotting.save_range_test(self._folder / PICTURE, curve, None, note=str(error))

    # The training

    def _train(self, suggestion: Suggestion, plan: cycles.CyclePlan, resumes: bool) -> train.Log:
        course = self._course(self._folder, plan, resumes)
        with self._blaming_what_is_trained():
            log = train.train_with_clr(self._builder.build(self._options.seed), suggestion, course)
        from lrfinder import plotting

        picture = self._folder / 'training.png'
        with writing(self._folder):
            plotting.save_training(picture, log, suggestion)
        self._say(*summary.training_lines(log[-1], str(picture), str(snapshots.snapshot_path(self._folder, course.iterations))))
        return log

    def _compare(self, suggestion: Suggestion, plan: cycles.CyclePlan, log: train.Log, resumes: bool) -> None:
        logs = {'CLR': log}
        for name, rate in train.fixed_rates(suggestion.value_range).items():
            parts = self._builder.build(self._options.seed)
            course = self._course(self._folder / f'fixed_{name}', plan, resumes)
            with self._blaming_what_is_trained():
                logs[f'fixed {rate:.4g}'] = train.train_at(rate, parts, suggestion.attr, course)
        from lrfinder import plotting

        picture = self._folder / 'compare.png'
        table = train.comparison(logs)
        with writing(self._folder):
            _files.write_text(self._folder / 'compare.csv', table.to_csv(index=False, lineterminator='\n'))
            plotting.save_compare(picture, table)
        ends = {name: entries[-1] for name, entries in logs.items()}
        self._say('', *summary.comparison_lines(ends, str(picture), len(self._builder.data.validation)))

    def _course(self, folder: Path, plan: cycles.CyclePlan, resumes: bool) -> train.Course:
        assert plan.iterations is not None
        return train.Course(
            folder,
            plan.iterations,
            self._builder.iterations_per_epoch,
            self._manifest.run_id,
            self._snapshot(folder) if resumes else None,
            self._options.quiet,
        )

    def _snapshot(self, folder: Path) -> Path | None:
        named = Path(str(self._options.resume))
        if named.is_file() and folder == self._folder:
            return named
        return snapshots.newest_snapshot(folder, self._manifest.run_id)

    # What is said, and what went wrong

    def _head(self) -> list[str]:
        options, data = self._options, self._builder.data
        return [
            f'Device: {self._builder.device}',
            *([f'# MultiNodeWorkers: {self._builder.workers.size}; what follows is of each'] if options.communicator else []),
            f'# Minibatch-size: {options.batchsize}',
            f'# Model: {options.model}, optimizer: {options.optimizer}, seed: {options.seed}',
            f'# Data: {data.name}, {len(data.train)} examples to train on, {len(data.validation)} to validate with',
            *([f'# epoch: {options.epoch}'] if options.epoch else []),
            '',
        ]

    def _say(self, *lines: str) -> None:
        if not self._options.quiet:
            print(*lines, sep='\n', flush=True)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt as error:
            folder = shlex.quote(str(self._folder))
            go_on = '' if self._options.communicator else f'; to continue: python -m lrfinder --resume {folder}'
            error.args = (f'interrupted; what was recorded is in {folder}{go_on}',)
            raise

    @contextmanager
    def _blaming_what_is_trained(self) -> Iterator[None]:
        """Whatever the user's model and data raise while they are trained is told in one line."""
        try:
            yield
        except (UsageError, NoRangeError):
            raise
        except Exception as error:
            what = f'--model {self._options.model} on --dataset {self._options.dataset}'
            raise UsageError(f'{what}: {describe(error).removeprefix("ValueError: ")}') from error
