"""The options of the command line: what they are, what they default to, and what contradicts what. Loads no Chainer."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from clr import __version__
from clr.arguments import checked_count
from clr.choice import check_first_values
from clr.policies import POLICIES, named
from lrfinder._names import COMMUNICATOR_NAMES, DATASET_NAMES, MODEL_NAMES, OPTIMIZER_NAMES, RAMP_NAMES, canonical, suggest
from lrfinder.analysis.budget import BUDGET, LEAST_BUDGET, MOST_BUDGET
from lrfinder.cli.errors import UsageError, blaming
from lrfinder.engine.processes import MANY

LARGEST_SEED = 2**32 - 1  # NumPy's
# From how many seeds --tune tells its best schedule from that without tuning, unless --seeds says more.
TUNING_SEEDS = 3
# Whoever asks for more epochs has slipped.
MOST_EPOCHS = 10_000_000

# A step_size in which the steps of any option fit: whether they do in the training is known when that is planned.
_LONG = 2.0**53

_DESCRIPTION = """\
Finds the learning rate range of a Chainer model with a range test: a short training run in which the rate
rises. Model, data and optimizer can be your own. With --epoch it then trains with cyclical learning rates
(CLR) in that range."""

_EXAMPLES = """\
examples:
  lrfinder --model resnet                        find the range of a ResNet-8 on the embedded digits
  lrfinder --model nets:make --dataset my.npz    the same for your own model and data
  lrfinder --model cnn --epoch 30 --compare      then train in it, and compare with fixed rates
  lrfinder --epoch 30 --tune                     choose the schedule by trial, with Optuna
  lrfinder --curve result/log                    read the range off an existing log
  lrfinder --curve a.csv --columns lr=rate       the same for a log with other column names
  lrfinder --resume result                       continue an interrupted run
  range=$(lrfinder --quiet) || exit              in a shell script: MIN MAX STEP_SIZE

exit status:
  0 a range was given; 1 no range can be given, and the last line on standard error says why; 2 bad usage or
  bad input; 130, 143 or 129 interrupted (Ctrl-C, SIGTERM, SIGHUP), what was recorded is kept."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The options, named as their flags.

    Attributes:
        given: The names of those that were given on the command line.
    """

    model: str = 'mlp'
    dataset: str = 'digits'
    optimizer: str = 'momentum_sgd'
    batchsize: int = 32
    device: str = '-1'
    seed: int = 0
    value_range: tuple[float, float] | None = None
    iterations: int | None = None
    ramp: str = 'linear'
    budget: int = BUDGET
    seeds: int = 1
    jobs: int = 1
    communicator: str | None = None
    curve: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    epoch: int = 0
    policy: str = 'triangular2'
    compare: bool = False
    tune: bool = False
    tune_trials: int | None = None
    out: str = 'result'
    resume: str | None = None
    quiet: bool = False
    given: frozenset[str] = frozenset()


# What decides the outcome of a run: all but where it goes and how it is shown.
OF_A_RUN = tuple(
    field.name
    for field in dataclasses.fields(Options)
    if field.name not in ('jobs', 'curve', 'columns', 'out', 'resume', 'quiet', 'given')
)
# What --curve goes with: it trains nothing.
_WITH_CURVE = ('curve', 'columns', 'policy', 'out', 'quiet')


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options from the arguments of the command line, ``sys.argv[1:]`` if there are none.

    Raises:
        UsageError: They are wrong or contradict each other.
        SystemExit: ``--help`` or ``--version`` was asked for, and has been printed.

    >>> parse(['--model', 'resnet', '-b', '64']).batchsize
    64
    """
    parser = _parser()
    found, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise UsageError(_unknown(parser, unknown[0]))
    given = vars(found)
    for name, value in given.items():
        if value == []:  # of --model=-- some versions of Python leave nothing
            raise UsageError(f'{flag(name)}: expected one argument, not --')
    given.update({name: tuple(value) for name, value in given.items() if isinstance(value, list)})
    options = Options(**given, given=frozenset(given))
    if options.resume is None or options.curve is not None:  # else the earlier run's options come first
        check(options)
    return options


def asks_for_workers(arguments: Sequence[str]) -> bool:
    """Whether the arguments, which may be wrong, ask for several workers.

    >>> asks_for_workers(['--seed', 'x', '--communicator=naive'])
    True
    """
    return any(argument.partition('=')[0] == '--communicator' for argument in arguments)


def arguments_of(options: Options) -> list[str]:
    """The arguments that give these options: those that decide the outcome of a run.

    >>> parse(arguments_of(Options(epoch=3, value_range=(0.0, 1.0)))).value_range
    (0.0, 1.0)
    """
    arguments = []
    for name in OF_A_RUN:
        value = getattr(options, name)
        if value is True:
            arguments.append(flag(name))
        elif isinstance(value, tuple):
            arguments += [flag(name), *map(repr, value)]
        elif value is not None and value is not False:
            arguments.append(f'{flag(name)}={value}')
    return arguments


def check(options: Options) -> None:
    """Refuses options that contradict each other.

    Raises:
        UsageError: They do; the message names the flag.
    """
    superfluous = sorted(options.given - set(_WITH_CURVE)) if options.curve is not None else ()
    if superfluous:
        raise UsageError(f'--curve only reads a recorded curve: drop {flag(superfluous[0])}')
    if options.columns and options.curve is None:
        raise UsageError('--columns needs --curve FILE, whose columns it names')
    if options.compare and not options.epoch:
        raise UsageError('--compare needs --epoch N')
    if options.tune:
        _check_tuning(options)
    if options.tune_trials is not None and not options.tune:
        raise UsageError('--tune-trials needs --tune')
    if options.seed + options.seeds - 1 > LARGEST_SEED:
        raise UsageError(f'--seeds {options.seeds}: seeds end at {LARGEST_SEED}')
    if options.communicator is not None and options.jobs > 1:
        raise UsageError('--jobs cannot be combined with --communicator')
    if options.jobs > 1 and options.seeds == 1 and not options.tune:
        raise UsageError(f'--jobs {options.jobs} needs --seeds K or --tune, of whose trainings it runs as many at once')
    if options.jobs > 1 and importlib.util.find_spec('joblib') is None:
        raise UsageError(f"--jobs {options.jobs} needs joblib: pip install 'chainer-lrfinder[jobs]'")
    if options.communicator is not None and options.resume is not None:
        raise UsageError('--resume cannot be combined with --communicator: start a new run')
    if options.value_range is not None or options.iterations is not None:
        from lrfinder.analysis import ramp

        with blaming('--iterations'):
            iterations = checked_count('iterations', options.iterations or 2, 2, ramp.MOST)
        with blaming('--value-range'):
            ramp.rates(options.value_range or (1.0, 2.0), iterations, options.ramp)


def _check_tuning(options: Options) -> None:
    if not options.epoch:
        raise UsageError('--tune needs --epoch N')
    if options.communicator is not None:
        raise UsageError('--tune cannot be combined with --communicator')
    if importlib.util.find_spec('optuna') is None:
        raise UsageError("--tune needs Optuna: pip install 'chainer-lrfinder[tune]'")
    if options.seed + max(options.seeds, TUNING_SEEDS) > LARGEST_SEED:
        raise UsageError(f'--seed {options.seed}: --tune needs seeds above it, which end at {LARGEST_SEED}')


def flag(name: str) -> str:
    """The flag of an option.

    >>> flag('value_range')
    '--value-range'
    """
    return '--' + name.replace('_', '-')


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Adds the defaults to the help."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        default = getattr(Options, action.dest, None)
        none = default in (None, ()) or default is False
        return action.help if none else f'{action.help} (default: {default})'


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are of one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.removeprefix('argument '))


def _parser() -> argparse.ArgumentParser:
    # Only what is given comes back: the defaults are those of Options.
    parser = _Parser(
        prog='lrfinder',
        usage='%(prog)s [options], or python -m lrfinder [options]',
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=_HelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
        add_help=False,
    )
    _add_training(parser.add_argument_group('what to train'))
    _add_range_test(parser.add_argument_group('the range test'))
    _add_clr(parser.add_argument_group('training with the range'))
    _add_output(parser.add_argument_group('output'))
    return parser


def _add_training(group: Any) -> None:
    group.add_argument(
        '--model',
        metavar='NAME',
        type=_text,
        help=f'{", ".join(MODEL_NAMES)}, mlp:50,50 (hidden units), resnet:20 (depth), or module:factory, a callable '
        f'of yours that returns a Chainer link',
    )
    group.add_argument(
        '--dataset',
        metavar='NAME',
        type=_text,
        help=f'{", ".join(DATASET_NAMES)}, FILE.npz with x and y (and x_val, y_val), or module:factory',
    )
    group.add_argument(
        '--optimizer',
        metavar='NAME',
        type=_choice('optimizer', OPTIMIZER_NAMES),
        help=f'{", ".join(OPTIMIZER_NAMES)}',
    )
    group.add_argument('--batchsize', '-b', metavar='N', type=_count(1), help='examples per update')
    group.add_argument(
        '--device', '-d', metavar='SPEC', type=_device, help='-1 (or cpu) for the CPU, 0 (or cuda:0) for the first GPU'
    )
    group.add_argument('--seed', metavar='N', type=_count(0, LARGEST_SEED), help='seed of everything random')
    group.add_argument(
        '--communicator',
        metavar='NAME',
        type=_choice('communicator', COMMUNICATOR_NAMES),
        help='train with all workers started by mpiexec, each on its share of the data with --batchsize examples: '
        f'{", ".join(COMMUNICATOR_NAMES)}; with GPUs, --device 0 means the first of each machine',
    )


def _add_range_test(group: Any) -> None:
    group.add_argument(
        '--value-range',
        nargs=2,
        type=float,
        metavar=('START', 'STOP'),
        help='first and last rate of the ramp (default: found by the tool)',
    )
    group.add_argument(
        '--iterations', metavar='N', type=_count(2), help='length of the ramp in updates (default: chosen by the tool)'
    )
    group.add_argument('--ramp', metavar='SHAPE', type=_choice('ramp', RAMP_NAMES), help=f'{" or ".join(RAMP_NAMES)}')
    group.add_argument(
        '--budget',
        metavar='N',
        type=_count(LEAST_BUDGET, MOST_BUDGET),
        help=f'how many updates the answer may cost (default: {BUDGET})',
    )
    group.add_argument(
        '--seeds', metavar='K', type=_count(1, MANY), help='run K range tests, and give one answer with its spread'
    )
    group.add_argument(
        '--jobs', metavar='J', type=_count(1, MANY), help='run J of the --seeds, or of the trainings of --tune, at once'
    )
    group.add_argument(
        '--curve',
        metavar='FILE',
        type=_text,
        help="only analyze a recorded curve: CSV, or the JSON log of Chainer's LogReport; needs no Chainer",
    )
    group.add_argument(
        '--columns',
        nargs='+',
        type=_column,
        metavar='NAME=THEIRS',
        help='with --curve: the names of its columns, if they are not found, such as lr=rate loss=objective '
        '(also accuracy, val_loss, val_accuracy)',
    )


def _add_clr(group: Any) -> None:
    group.add_argument(
        '--epoch', '-e', metavar='N', type=_count(0, MOST_EPOCHS), help='then train for about N epochs, in whole cycles'
    )
    group.add_argument(
        '--policy',
        metavar='NAME',
        type=_policy,
        help=f'{", ".join(POLICIES)}; with options as in cosine:t_mult=2,cycle_decay=0.5',
    )
    group.add_argument(
        '--compare',
        action='store_true',
        help='with --epoch: also train for as long at fixed rates, with --seeds K from K seeds, and show all',
    )
    group.add_argument(
        '--tune', action='store_true', help='with --epoch: choose policy, cycles and maximum by whole trainings, with Optuna'
    )
    group.add_argument('--tune-trials', metavar='N', type=_count(2, MANY), help='how many schedules --tune tries (default: 12)')


def _add_output(group: Any) -> None:
    group.add_argument('--out', '-o', metavar='DIR', type=_text, help='directory for all files')
    group.add_argument(
        '--resume',
        '-r',
        metavar='PATH',
        type=_text,
        help='continue an earlier run: its --out directory, or a snapshot in it',
    )
    group.add_argument('--quiet', action='store_true', help='print only MIN MAX STEP_SIZE')
    group.add_argument('--version', action='version', version=f'%(prog)s {__version__}', help='print the version')
    group.add_argument('--help', '-h', action='help', help='print this')


def _choice(what: str, names: Iterable[str]) -> Callable[[str], str]:
    def choose(text: str) -> str:
        known = canonical(text, names)
        if known is None:
            raise argparse.ArgumentTypeError(f'unknown {what} {text!r}: {suggest(text, names)}')
        return known

    return choose


def _policy(text: str) -> str:
    """A policy, by its name as others write it, and with its options."""
    name, colon, options = text.partition(':')
    policy = _choice('policy', POLICIES)(name) + colon + options
    try:
        check_first_values(named(policy), (0.0, 1.0), _LONG)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return policy


def _text(text: str) -> str:
    if not text or '\0' in text:
        raise argparse.ArgumentTypeError('must not be empty' if not text else 'must not have a null character')
    return text


def _device(text: str) -> str:
    """A device by Chainer's name; also by the names that others have for it."""
    kind, _, number = _text(text).lower().partition(':')
    if kind == 'cpu':
        return '-1'
    if kind in ('gpu', 'cuda') and (number.isdecimal() or not number):
        return str(int(number or 0))
    return text


def _column(text: str) -> tuple[str, str]:
    name, _, theirs = text.partition('=')
    if not (name and theirs):
        raise argparse.ArgumentTypeError(f'NAME=THEIRS is needed, such as lr=rate, not {text!r}')
    return name, theirs


def _count(least: int, most: int | None = None) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            return checked_count('it', int(text) if _is_whole(text) else text, least, most)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).removeprefix('it ')) from None

    return convert


def _is_whole(text: str) -> bool:
    # Python refuses to make an int of thousands of digits.
    return text.removeprefix('-').isdecimal() and len(text) < 100


def _unknown(parser: argparse.ArgumentParser, word: str) -> str:
    if not word.startswith('-'):
        return f'{word!r} is not a flag or the value of one; see --help'
    flags = [name for action in parser._actions for name in action.option_strings if name.startswith('--')]
    return f'unknown flag {word.partition("=")[0]}: {suggest(word.partition("=")[0], flags)}'
