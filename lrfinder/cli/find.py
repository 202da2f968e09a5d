"""The job of the command: the range test, then the training with the range, as far as the options ask for."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from clr.choice import check_first_values
from clr.policies import named
from lrfinder._names import CURVE, PICTURE, RUN, SUGGESTION, TRIALS
from lrfinder.analysis import analyzer, cycles, trial_table
from lrfinder.analysis.budget import spent
from lrfinder.analysis.curve import read_curve, write_curve
from lrfinder.analysis.suggestion import NoRangeError, Suggestion
from lrfinder.cli import compare, inputs, manifest, snapshots, summary, train, trial_folders
from lrfinder.cli.build import Builder, Parts
from lrfinder.cli.errors import UsageError, WriteError, blaming, looking, writing
from lrfinder.cli.folder import check_names, reserved
from lrfinder.cli.manifest import Manifest
from lrfinder.cli.options import Options, check
from lrfinder.cli.output import Output
from lrfinder.cli.recording import Recording
from lrfinder.engine.progress import Progress
from lrfinder.engine.workers import Workers
from lrfinder.result import Result
from lrfinder.seeds import Outcome, find_seeds
from lrfinder.zoo.factory import describe

TRAINING = 'training.png'


def run(options: Options, out: Output, workers: Workers | None = None) -> None:
    """Finds the range, or takes that of the run to be resumed; then trains with it where ``--epoch`` says so.

    Args:
        options: The command's.
        out: Where it says what it finds.
        workers: Those that train together; all of them must do the same job.

    Raises:
        NoRangeError: The run was sound, but there is no range to give; what was recorded is written.
        UsageError: Something that the user gave is wrong, or the files can't be written.
        KeyboardInterrupt: With a message that says how to go on.
    """
    current = _in_place(_begin_or_go_on(options))
    _Job(current, Builder(current.options, workers), out).run(resumes=options.resume is not None)


def _begin_or_go_on(options: Options) -> Manifest:
    with looking(f'--resume {options.resume}'):
        earlier = manifest.find_earlier(options) if options.resume is not None else None
    if earlier is None:
        check(options)
        return manifest.begin(options)
    named = Path(str(options.resume))
    if named.is_file():
        origin = snapshots.origin_of(named)
        if origin is None or origin.run_id != earlier.run_id:
            raise UsageError(f'--resume {options.resume}: this snapshot is not of the run in {earlier.folder}')
    return dataclasses.replace(earlier, options=manifest.options_to_go_on(options, earlier))


def _in_place(current: Manifest) -> Manifest:
    """The run with paths that hold wherever the user's code goes by ``os.chdir``."""
    resume = current.options.resume
    try:
        options = dataclasses.replace(current.options, resume=None if resume is None else str(Path(resume).absolute()))
        return dataclasses.replace(current, folder=current.folder.absolute(), options=options)
    except FileNotFoundError as error:
        raise UsageError(f'--out {current.options.out}: the current directory has been removed') from error


class _Job:
    """One run of the command, in its folder."""

    def __init__(self, current: Manifest, builder: Builder, out: Output) -> None:
        self._manifest = current
        self._options = current.options
        self._folder = current.folder
        self._shown = Path(current.options.out)  # the same, as the user calls it
        self._builder = builder
        self._out = out
        epochs = self._options.epoch
        self._length = (epochs, 'epoch') if epochs else None
        with blaming('--policy'):
            plan = cycles.plan(builder.epoch, self._length, self._options.policy)
            check_first_values(named(self._options.policy), (0.0, 1.0), plan.step_size)
        self._plan = plan if epochs else None
        self._folders = compare.folders(self._options)
        self._built: Parts | None = None
        self._kept = False

    def run(self, resumes: bool) -> None:
        with looking(f'--out {self._shown}'):
            replaces = not resumes and (self._folder / RUN).exists()
        self._out.say(*self._head(replaces))
        self._prepare()
        tuned = trial_folders.parts(self._folder) if self._options.tune else []
        with reserved(self._folder, [*self._folders, *tuned]):
            if self._options.tune and not resumes:
                trial_folders.begin_anew(self._folder)  # before there is a run that could go on with it
            self._manifest.save()
            with self._saying_how_to_go_on():
                suggestion = self._range()
                if self._plan is not None:
                    plan = self._plan
                    if self._options.tune:
                        suggestion, plan = self._tune(suggestion, plan)
                    log = self._train(suggestion, plan, resumes or self._options.tune)
                    if self._options.compare:
                        self._compare(suggestion, plan, log, resumes)

    def _prepare(self) -> None:
        """Refuses what can't be built, read or written before anything is written."""
        with looking(f'--out {self._shown}'):
            check_names(self._folder, self._files(), [*self._folders, *[trial_folders.FOLDER] * self._options.tune])
        self._built = self._builder.build(self._options.seed)
        modules = inputs.of_modules([self._options.model, self._options.dataset])
        with blaming('--communicator'):
            self._builder.workers.check_alike('the code of --model and --dataset', modules)
        self._manifest = self._manifest.fed_with({**inputs.of_chainer(), **self._builder.inputs, **modules})

    def _files(self) -> list[str]:
        names = [RUN, CURVE, TRIALS, PICTURE, SUGGESTION]
        names += ['log', TRAINING, *snapshots.all_names(self._folder)] if self._plan is not None else []
        names += compare.FILES if self._options.compare else []
        return [*names, *trial_folders.FILES, trial_folders.RANGE_FILE] if self._options.tune else names

    def _build(self, seed: int) -> Parts:
        """What was built to see that it can be is as good as new, once."""
        built, self._built = self._built, None
        return built if built is not None and seed == self._options.seed else self._builder.build(seed)

    # The range test

    def _range(self) -> Suggestion:
        known = self._manifest.range_is_known
        result = self._earlier_result() if known else self._test()
        suggestion = result.suggestion
        if not self._options.tune:
            self._out.answer(summary.quiet_line(suggestion))
        self._out.say(*summary.range_lines(suggestion))
        with writing(self._folder):
            if not known:
                write_curve(result.curve, self._folder / CURVE)
                trial_table.write(result.trials, self._folder / TRIALS)
            suggestion.save(self._folder / SUGGESTION)
        self._manifest.with_digests(tuned=known and self._manifest.is_tuned).save()
        self._kept = True
        from lrfinder import plotting

        with writing(self._folder):
            plotting.save_range_test(
                self._folder / PICTURE, result.curve, suggestion, None, result.readings, result.trials, result.scan
            )
        how = [] if self._options.tune else [*summary.how_to_train(suggestion, self._plan), '']
        self._out.say(f'Picture: {self._shown / PICTURE}', '', *how)
        return suggestion

    def _earlier_result(self) -> Result:
        """What the run to be resumed has found; its training may only be asked for now."""
        name = trial_folders.RANGE_FILE if self._manifest.is_tuned else SUGGESTION
        curve, suggestion = read_curve(self._folder / CURVE), Suggestion.load(self._folder / name)
        if self._plan is not None:
            suggestion = cycles.replanned(suggestion, self._plan, self._options.policy)
        return Result(curve, suggestion, analyzer.readings(curve), trial_table.read(self._folder / TRIALS))

    def _test(self) -> Result:
        options = self._options
        chosen = {name: getattr(options, name) for name in ('value_range', 'iterations', 'ramp', 'budget', 'policy')}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        seeds = range(options.seed, options.seed + options.seeds)
        recording, progress = Recording(self._folder / CURVE, several=options.seeds > 1), self._progress()
        done = self._manifest.finished
        for outcome in done:
            recording.finish(outcome.seed, outcome.curve)

        def build(seed: int) -> Parts:
            recording.begin(seed)
            return self._build(seed)

        def on_row(rate: float, loss: float) -> None:
            recording.add(rate, loss)
            progress.show(rate, loss)

        def on_outcome(outcome: Outcome) -> None:
            recording.finish(outcome.seed, outcome.curve)
            self._manifest = dataclasses.replace(self._manifest, finished=(*self._manifest.finished, outcome))
            with suppress(WriteError):  # as on a disk that is full for a while
                self._manifest.save()

        # Other processes build for themselves, and tell a row alone when a range test is done.
        how: Any = (self._builder.build, seeds, options.jobs, progress.show) if options.jobs > 1 else (build, seeds, 1, on_row)
        try:
            with self._blaming_what_is_trained(), progress:
                return find_seeds(*how, done=done, on_outcome=on_outcome, length=self._length, quiet=True, **chosen)
        except BaseException as error:
            self._keep(error, recording)
            raise

    def _progress(self) -> Progress:
        """The bar of the test, which may take fewer updates."""
        options = self._options
        if options.jobs > 1:
            return Progress('range tests', options.seeds - len(self._manifest.finished), options.quiet)
        spending = spent(options.budget, self._plan.iterations if self._plan else None)
        left = options.seeds - len(self._manifest.finished)
        return Progress('range test', left * spending.most(options.iterations), options.quiet)

    def _keep(self, error: BaseException, recording: Recording) -> None:
        """Writes what was recorded before the test ended early."""
        curve = _recorded(error)
        with writing(self._folder):
            if curve is None:
                self._kept = recording.save()
                return
            write_curve(curve, self._folder / CURVE)
            tried = getattr(error, 'trials', None)
            if tried is not None and len(tried):
                trial_table.write(tried, self._folder / TRIALS)
            self._kept = True
            if isinstance(error, NoRangeError):
                from lrfinder import plotting

                plotting.save_range_test(self._folder / PICTURE, curve, None, note=str(error), trials=tried)

    # The training

    def _tune(self, suggestion: Suggestion, plan: cycles.CyclePlan) -> tuple[Suggestion, cycles.CyclePlan]:
        """The best schedule by trial, and its cycles."""
        from lrfinder.cli import tune

        trial_folders.keep_range(self._folder, suggestion)
        self._manifest.with_digests(tuned=True).save()
        tuning = tune.Tuning(self._options, self._builder, self._folder, self._manifest.run_id, self._out)
        with self._blaming_what_is_trained():
            tuned = tuning.run(suggestion, plan)
        self._out.answer(summary.quiet_line(tuned.suggestion))
        with writing(self._folder):
            tuned.suggestion.save(self._folder / SUGGESTION)
        self._manifest.with_digests(tuned=True).save()
        self._out.say(*summary.how_to_train(tuned.suggestion, tuned.plan), '')
        return tuned.suggestion, tuned.plan

    def _train(self, suggestion: Suggestion, plan: cycles.CyclePlan, resumes: bool) -> train.Log:
        course = self._course(self._folder, plan, resumes)
        with self._blaming_what_is_trained():
            log = train.train_with_clr(self._build(self._options.seed), suggestion, course)
        from lrfinder import plotting

        with writing(self._folder):
            plotting.save_training(self._folder / TRAINING, log, suggestion)
        picture, snapshot = (self._shown / name for name in (TRAINING, snapshots.snapshot_name(course.iterations)))
        self._out.say(*summary.training_lines(log[-1], str(picture), str(snapshot)))
        return log

    def _compare(self, suggestion: Suggestion, plan: cycles.CyclePlan, log: train.Log, resumes: bool) -> None:
        with self._blaming_what_is_trained():
            logs = compare.compared(
                self._options, self._builder, suggestion, log, lambda name: self._course(self._folder / name, plan, resumes)
            )
        compare.save(self._folder, logs, self._options.seed)
        ends = {name: [entries[-1] for entries in several] for name, several in logs.items()}
        examples = len(self._builder.data.validation) * self._builder.workers.size
        self._out.say('', *summary.comparison_lines(ends, str(self._shown / compare.PICTURE), examples))

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
        named = None if self._options.resume is None else Path(self._options.resume)
        if named is not None and named.is_file() and folder == self._folder:
            return named
        return snapshots.newest_snapshot(folder, self._manifest.run_id, sure=named is None)

    # What is said, and what went wrong

    def _head(self, replaces: bool) -> list[str]:
        options, data = self._options, self._builder.data
        floats = 'one float' if data.n_targets == 1 else f'{data.n_targets} floats'
        kind = '' if data.n_targets is None else f' (regression, {floats} each)'
        return [
            f'Device: {self._builder.device}',
            *([f'# Workers: {self._builder.workers.size}; what follows is of each'] if options.communicator else []),
            f'# Minibatch-size: {options.batchsize}',
            f'# Model: {options.model}, optimizer: {options.optimizer}, seed: {options.seed}',
            f'# Data: {data.name}, {len(data.train)} examples to train on, {len(data.validation)} to validate with{kind}',
            *([f'# Note: {data.note}'] if data.note else []),
            *([f'# epoch: {options.epoch}'] if options.epoch else []),
            *([f'# The files of an earlier run in {self._shown} are replaced'] if replaces else []),
            '',
        ]

    @contextmanager
    def _saying_how_to_go_on(self) -> Iterator[None]:
        folder = shlex.quote(str(self._shown))
        go_on = '' if self._options.communicator else f'; to continue: python -m lrfinder --resume {folder}'
        try:
            yield
        except KeyboardInterrupt as error:
            kept = f'what was recorded is in {folder}' if self._kept else 'nothing had been recorded'
            error.args = (f'interrupted; {kept}{go_on}',)
            raise
        except WriteError as error:
            error.args = (f'{error}{go_on}',)
            raise

    @contextmanager
    def _blaming_what_is_trained(self) -> Iterator[None]:
        """Whatever the user's model and data raise while they are trained is told in one line."""
        try:
            yield
        except (UsageError, NoRangeError, KeyboardInterrupt):
            raise
        except BaseException as error:  # whoever calls sys.exit() in a model has found no range
            if isinstance(error.__cause__, BrokenExecutor):
                raise UsageError(f'--jobs {self._options.jobs}: {error}') from error
            what = f'--model {self._options.model} on --dataset {self._options.dataset}'
            raise UsageError(f'{what}: {describe(error).removeprefix("ValueError: ")}') from error


def _recorded(error: BaseException | None) -> Any:
    """The curve that an error carries, or the one that it came of or came upon; ``None`` where there is none."""
    while error is not None:
        curve = getattr(error, 'curve', None)
        if curve is not None and len(curve):
            return curve
        error = error.__cause__ or error.__context__
    return None
