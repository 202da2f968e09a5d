"""Which columns of a file are those of a curve, by what tools call them or by what the user says."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence

from lrfinder._names import printable, suggest
from lrfinder.analysis.metrics import METRICS

# What the columns are called here, and what by Chainer's observe_lr, Keras, Lightning, fastai, Hugging Face, MMEngine, Weights
# & Biases, torch-lr-finder and ignite. The first that is there is taken; capitals, and signs between words, make no difference.
_NAMES = {
    'seed': '',
    'epoch': 'epochs train/epoch trainer/epoch',
    'iteration': 'iterations global_step train/global_step trainer/global_step iter iters num_iters step steps',
    'lr': 'alpha main/lr main/alpha lrs learning_rate learning_rates train/lr train/learning_rate',
    'main/loss': 'loss losses train_loss training_loss loss/train train_loss_step loss_step',
    'main/accuracy': 'accuracy acc train_accuracy train_acc training_accuracy accuracy/train acc/train train_accuracy_step '
    'train_acc_step',
    'validation/main/loss': 'val_loss valid_loss validation_loss eval_loss loss/val loss/validation val_loss_epoch',
    'validation/main/accuracy': 'val_accuracy val_acc valid_accuracy validation_accuracy eval_accuracy accuracy/val acc/val '
    'accuracy/validation val_accuracy_epoch val_acc_epoch',
}
KNOWN = {name: tuple(others.split()) for name, others in _NAMES.items()}
# What a user may call them when he says which is which.
SHORT = {
    'loss': 'main/loss',
    'accuracy': 'main/accuracy',
    'val_loss': 'validation/main/loss',
    'val_accuracy': 'validation/main/accuracy',
}
# The columns of a file that names none.
PAIR = ['lr', 'loss']

# The rate of an optimizer, or of one of its groups of parameters, as monitors log it: lr-SGD, lr-Adam/pg1, lr/pg0, optim/lr.
_GROUP = re.compile(r'(.*/)?(lr|learning_rate)([-/].+|_?(pg|group)?_?\d+)?', re.IGNORECASE)
_NO_RATE = re.compile(r'momentum|weight_decay|betas?$', re.IGNORECASE)
# How Weights & Biases names the columns that it exports from a chart, behind the run's name.
_OF_RUN = ' - '
# What TensorBoard exports.
ONE_SCALAR = (
    'it holds one scalar, as TensorBoard exports it, and no curve: join the export of the rate and that of the loss on their '
    'steps, into one file with the columns step, lr and loss'
)
_MOST_SHOWN = 20
_LONGEST_SHOWN = 40
_MOST_COMPARED = 200


def places(names: Sequence[str], columns: Mapping[str, str] | None = None) -> dict[str, list[int]]:
    """Where the columns of a curve are among those of a file.

    Args:
        names: The file's.
        columns: What the file calls them, where that is not known: ``{'lr': 'rate', 'loss': 'objective'}``. The keys are those
            of :data:`KNOWN` and of :data:`SHORT`.

    Returns:
        The places by the names of :data:`KNOWN`, in their order; without those that are not there. Where there are several
        places, each is as likely to be meant: rates of several groups of parameters, metrics of several runs.

    Raises:
        ValueError: A column is there twice, or one of ``columns`` is not, or has an unknown key.

    >>> places(['Train loss', 'rate'], {'lr': 'rate'})
    {'lr': [1], 'main/loss': [0]}
    >>> places(['step', 'lr-Adam/pg1', 'lr-Adam/pg2', 'lr-Adam/pg1-momentum'])
    {'iteration': [0], 'lr': [1, 2]}
    """
    stripped = [name.strip() for name in names]
    chosen = {**_recognised(stripped), **_named(stripped, columns or {})}
    where: dict[str, list[int]] = {}
    for place, name in enumerate(stripped):
        where.setdefault(name, []).append(place)
    twice = next((theirs for several in chosen.values() for theirs in several if len(where[theirs]) > 1), None)
    if twice is not None:
        raise ValueError(f'the column {shown(twice)} occurs twice')
    return {name: [where[theirs][0] for theirs in chosen[name]] for name in KNOWN if name in chosen}


def check(names: Sequence[str], found: Mapping[str, Sequence[int]]) -> None:
    """Refuses a file without a rate or without a metric.

    Args:
        names: The file's columns.
        found: Which of them are known, as :func:`places` gives them.

    Raises:
        ValueError: There is none; the message says what to do.
    """
    lacks_rate, lacks_metric = 'lr' not in found, not set(METRICS) & set(found)
    if not lacks_rate and not lacks_metric:
        return
    if lacks_rate and lacks_metric and (why := _one_value_a_row(names)):
        raise ValueError(why)
    unknown = [name for place, name in enumerate(names) if not any(place in taken for taken in found.values())]
    there = f'(columns: {listed(names)})'
    if not lacks_metric:
        problem = f"no column 'lr' {there}; record it with chainer's observe_lr, or say which it is: "
    elif not lacks_rate:
        problem = f"no column 'main/loss' or other metric {there}; say which it is: "
    else:
        problem = f"no column 'lr', and no column 'main/loss' or other metric {there}; say which they are: "
    wanted = [*(['lr'] if lacks_rate else []), *(['main/loss'] if lacks_metric else [])]
    near = {name: _near(name, unknown) for name in wanted}
    raise ValueError(problem + how_to_name(near if len(set(near.values())) == len(near) else dict.fromkeys(near)))


def listed(names: Sequence[str]) -> str:
    """The names, or the first of many, as they can be shown."""
    few = [printable(name, _LONGEST_SHOWN) for name in names[:_MOST_SHOWN]]
    return ', '.join([*few, *(['...'] if len(names) > _MOST_SHOWN else [])]) or 'none'


def plain(name: str) -> str:
    """A name without capitals and without the signs between words.

    >>> plain('Train loss'), plain('train/loss')
    ('trainloss', 'trainloss')
    """
    return re.sub(r'[\s_./-]', '', name).lower()


def shown(name: str) -> str:
    """A name in quotes, as it can be shown."""
    return printable(repr(name), _LONGEST_SHOWN)


def how_to_name(columns: Mapping[str, str | None]) -> str:
    """How to say which column is which: in Python, and to the command.

    Args:
        columns: The file's names by ours; ``None`` for those that nobody knows.

    >>> print(how_to_name({'lr': None, 'main/loss': 'my loss'}))
    columns={'lr': NAME, 'loss': 'my loss'}, on the command line --columns lr=NAME loss='my loss'
    """
    short = {full: name for name, full in SHORT.items()}
    pairs = [(short.get(name, name), theirs if theirs and _is_readable(theirs) else None) for name, theirs in columns.items()]
    code = ', '.join(f'{name!r}: {"NAME" if theirs is None else repr(theirs)}' for name, theirs in pairs)
    flags = ' '.join(f'{name}={"NAME" if theirs is None else shlex.quote(theirs)}' for name, theirs in pairs)
    return f'columns={{{code}}}, on the command line --columns {flags}'


def _is_readable(name: str) -> bool:
    return len(name) <= _LONGEST_SHOWN and name.isprintable() and not name.isspace()


def _recognised(names: Sequence[str]) -> dict[str, list[str]]:
    """Our names for the columns that are known, and theirs."""
    by_plain = {plain(name): [name] for name in reversed(names)}
    of_runs: dict[str, list[str]] = {}
    for name in names:
        if _OF_RUN in name:
            of_runs.setdefault(plain(name.rpartition(_OF_RUN)[2]), []).append(name)
    exact = {name: [name] for name in names}
    found = {}
    for name, others in KNOWN.items():
        for alias in (name, *others):
            theirs = exact.get(alias) or by_plain.get(plain(alias)) or of_runs.get(plain(alias))
            if theirs:
                found[name] = theirs
                break
    rates = [name for name in names if _GROUP.fullmatch(name) and not _NO_RATE.search(name)]
    return {**({'lr': rates} if rates else {}), **found}


def _named(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, list[str]]:
    """The same for those that the user has named."""
    keys = ['lr', *SHORT, 'iteration', 'epoch']
    wrong = [f'unknown column {shown(name)}: {suggest(name, keys)}' for name in columns if SHORT.get(name, name) not in KNOWN]
    readable = [printable(name, _LONGEST_SHOWN) for name in names]
    wrong += [
        f'there is no column {shown(theirs)}: {suggest(theirs, readable)}' for theirs in columns.values() if theirs not in names
    ]
    if wrong:
        raise ValueError('; '.join(wrong))
    return {SHORT.get(name, name): [theirs] for name, theirs in columns.items()}


def _one_value_a_row(names: Sequence[str]) -> str | None:
    """What to do with a table that holds the values of all metrics in one column, or those of one metric alone."""
    by_plain = {plain(name): name for name in names}
    if 'value' not in by_plain:
        return None
    kind = next((by_plain[word] for word in ('tag', 'key', 'metric', 'variable', 'name') if word in by_plain), None)
    if kind is not None:
        return (
            f'each row holds one value, and {shown(kind)} says of what: turn it with '
            f"table.pivot(index='step', columns={shown(kind)}, values={shown(by_plain['value'])}).reset_index()"
        )
    return ONE_SCALAR if 'step' in by_plain else None


def _near(wanted: str, names: Sequence[str]) -> str | None:
    """The name that may be meant; ``None`` where none looks like it."""
    readable = [name for name in names[:_MOST_COMPARED] if name and _is_readable(name)]
    by_plain = {plain(name): name for name in reversed(readable)}
    for alias in (wanted, *KNOWN[wanted]):
        match = difflib.get_close_matches(plain(alias), by_plain, n=1, cutoff=0.75)
        if match:
            return by_plain[match[0]]
    speaks_of = re.compile(r'(\b|_)lr|rate$' if wanted == 'lr' else 'loss', re.IGNORECASE)
    return next((name for name in readable if speaks_of.search(name)), None)
