"""What a run is, kept in its folder as ``run.json``: so a run that was killed at any moment can go on, and no other can.

The file is written before anything else, with the options that decide the outcome. Of several seeds it keeps what those have
come to that are done. When the range test is done, the digests of its files come in: what is not there in full, or stems from
another run, has no digest and is made again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lrfinder import _files
from lrfinder._names import CURVE, RUN, SUGGESTION, TRIALS
from lrfinder.cli import finished, trial_folders
from lrfinder.cli.errors import ANEW, UsageError, writing
from lrfinder.cli.options import OF_A_RUN, Options, arguments_of, check, flag, parse
from lrfinder.seeds import Outcome
from lrfinder.zoo.factory import describe

SCHEMA = 1
RANGE_TEST = (CURVE, TRIALS, SUGGESTION)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A run in its folder.

    Attributes:
        folder: Where its files are.
        options: Its options.
        run_id: Tells it from other runs; its snapshots have it too.
        digests: SHA-256 of the finished files of the range test, by name, with the range before tuning; empty before.
        inputs: SHA-256 of what it gets from the user, data, modules and ``CHAINER_DTYPE``, by name.
        finished: What those of several seeds came to whose range test is done; empty when all are.
    """

    folder: Path
    options: Options
    run_id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    digests: Mapping[str, str] = dataclasses.field(default_factory=dict)
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    finished: tuple[Outcome, ...] = ()

    @property
    def range_is_known(self) -> bool:
        """Whether the files of the range test are there, in full, and of this run."""
        return bool(self.digests) and _digests(self.folder, self.digests) == self.digests

    def save(self) -> None:
        """Writes the manifest into its folder.

        Raises:
            UsageError: It can't be written.
        """
        content = {
            'schema': SCHEMA,
            'run_id': self.run_id,
            'arguments': arguments_of(self.options),
            'digests': self.digests,
            'inputs': self.inputs,
            **({'finished': [finished.to_json(outcome) for outcome in self.finished]} if self.finished else {}),
        }
        with writing(self.folder):
            _files.write_text(self.folder / RUN, json.dumps(content, indent=2) + '\n')

    @property
    def is_tuned(self) -> bool:
        """Whether tuning has begun, so that the range without it is in a file of its own."""
        return trial_folders.RANGE_FILE in self.digests

    def with_digests(self, tuned: bool = False) -> Manifest:
        """The manifest of the run whose range test has just been written, and the range without tuning where that has begun."""
        names = [*RANGE_TEST, *[trial_folders.RANGE_FILE] * tuned]
        return dataclasses.replace(self, digests=_digests(self.folder, names), finished=())

    def fed_with(self, inputs: Mapping[str, str]) -> Manifest:
        """The manifest with what the run gets from the user.

        Raises:
            UsageError: The range test, or that of a seed, was done with something else.
        """
        changed = [name for name, digest in self.inputs.items() if inputs.get(name) != digest]
        if changed and (self.digests or self.finished):
            raise UsageError(
                f'--resume {self.options.out}: {changed[0]} is not what it was when the run began; put it back, or start a new '
                'run without --resume'
            )
        return dataclasses.replace(self, inputs=inputs)


def begin(options: Options) -> Manifest:
    """The manifest of a new run."""
    return Manifest(Path(options.out), options)


def find_earlier(options: Options) -> Manifest | None:
    """The manifest of the run that ``--resume`` names; ``None`` where that had not begun, but its folder is known.

    Raises:
        UsageError: There is no such run.
    """
    path = Path(str(options.resume))
    folder = path if path.is_dir() else path.parent
    if path.exists() and (folder / RUN).is_file():
        return _load(folder)
    # It may have been killed before it had written anything. A path that is a slip of the pen is no such run, though.
    if 'out' in options.given and _same(path, Path(options.out)) and not path.is_file():
        return None
    if not path.exists():
        raise UsageError(f'--resume {path}: there is no such file or directory')
    raise UsageError(f'--resume {path}: there is no {RUN} in {folder}: it is not the --out directory of an earlier run')


def options_to_go_on(options: Options, earlier: Manifest) -> Options:
    """The options of the earlier run, with what may be new.

    Raises:
        UsageError: An option was given that makes it another run.
    """
    for name in sorted(options.given & set(OF_A_RUN) - _may_be_new(earlier.options)):
        new, old = getattr(options, name), getattr(earlier.options, name)
        if new != old:
            raise UsageError(
                f'{flag(name)} {_shown(new)}: the run in {earlier.folder} has {_shown(old)}; drop the flag, or start a new '
                'run without --resume'
            )
    if 'out' in options.given and not _same(Path(options.out), earlier.folder):
        raise UsageError(f'--out {options.out}: --resume continues in {earlier.folder}; drop --out')
    given = {name: getattr(options, name) for name in options.given}
    merged = dataclasses.replace(earlier.options, **{**given, 'out': str(earlier.folder)})
    check(merged)
    return merged


def _may_be_new(earlier: Options) -> set[str]:
    """What does not change anything that an earlier run has done."""
    if not earlier.epoch:
        return {'epoch', 'policy', 'compare', 'tune', 'tune_trials'}
    if earlier.compare:
        return set()
    return {'compare', 'tune_trials'} if earlier.tune else {'compare'}


def _load(folder: Path) -> Manifest:
    path = folder / RUN
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        if content['schema'] != SCHEMA:
            raise ValueError(f'schema {SCHEMA} is expected, not {content["schema"]!r}')
        options = parse([str(argument) for argument in content['arguments']])
        outcomes = tuple(map(finished.from_json, content.get('finished', ())))
        return Manifest(folder, options, str(content['run_id']), dict(content['digests']), dict(content['inputs']), outcomes)
    except OSError as error:
        raise UsageError(f'--resume {folder}: {path}: {error.strerror}') from error
    except (ValueError, KeyError, TypeError, RecursionError, UsageError, SystemExit) as error:
        why = f'{path} is not the manifest of a run ({describe(error)})'
        raise UsageError(f'--resume {folder}: {why}; {ANEW}') from error


def _digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The digests of files in a folder by their names; empty where one is missing."""
    try:
        return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    except OSError:
        return {}


def _shown(value: Any) -> str:
    if value is None:
        return 'none'
    return ' '.join(map(str, value)) if isinstance(value, tuple) else str(value)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
