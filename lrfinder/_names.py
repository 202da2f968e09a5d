"""The names of models, data sets, optimizers, ramps and files, without loading Chainer, and help for a misspelt one."""

import difflib
from collections.abc import Iterable

MODEL_NAMES = ('mlp', 'cnn', 'resnet')
DATASET_NAMES = ('digits', 'mnist', 'fashion_mnist', 'cifar10', 'cifar100')
# Chainer's optimizers that have a rate to move: the classes' names in snake case (AdaDelta finds its own rate).
OPTIMIZER_NAMES = (
    'sgd',
    'momentum_sgd',
    'corrected_momentum_sgd',
    'nesterov_ag',
    'adam',
    'adamw',
    'amsgrad',
    'adabound',
    'amsbound',
    'ada_grad',
    'rms_prop',
    'rms_prop_graves',
    'smorms3',
    'msvag',
)
RAMP_NAMES = ('linear', 'exponential')
COMMUNICATOR_NAMES = ('naive', 'flat', 'non_cuda_aware', 'pure_nccl')
# What says that a folder is that of a run, and what a range test leaves in --out.
RUN = 'run.json'
CURVE, TRIALS, PICTURE, SUGGESTION = 'curve.csv', 'trials.csv', 'range_test.png', 'suggestion.json'

_MOST_SHOWN = 20


def suggest(word: str, names: Iterable[str]) -> str:
    """Says which of ``names`` a misspelt ``word`` may stand for, as the end of an error message.

    >>> suggest('resent', MODEL_NAMES)
    'did you mean resnet?'
    >>> suggest('transformer', MODEL_NAMES)
    'choose from mlp, cnn, resnet'
    """
    by_lower_case = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower_case, n=1)
    if near:
        return f'did you mean {by_lower_case[near[0]]}?'
    known = list(by_lower_case.values())
    shown = known if len(known) <= _MOST_SHOWN else [*known[:_MOST_SHOWN], '...']
    return f'choose from {", ".join(shown) or "(nothing)"}'


def printable(text: str, most: int = 60) -> str:
    """A text of the user's as it can be shown within a line: no more than ``most`` characters and ``...``, and none that moves
    the cursor, turns the direction of writing or can't be seen; such a character is shown by its code.

    >>> printable('a\\nb \\x1b[31mred')
    'a\\\\nb \\\\x1b[31mred'
    >>> printable('ab' * 1000, most=5)
    'ababa...'
    """
    shown = text if len(text) <= most else text[:most] + '...'
    return ''.join(char if char.isprintable() else char.encode('unicode_escape').decode('ascii') for char in shown)


def canonical(word: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that is written like ``word`` but for capitals, hyphens and underscores; ``None`` where none is.

    >>> canonical('MomentumSGD', OPTIMIZER_NAMES)
    'momentum_sgd'
    """
    return next((name for name in names if _plain(name) == _plain(word)), None)


def _plain(word: str) -> str:
    return word.lower().replace('_', '').replace('-', '')


def counted(count: float, word: str) -> str:
    """A number with what it counts; one that is no whole number to four digits.

    >>> counted(1, 'epoch'), counted(2.5, 'epoch'), counted(2e6, 'epoch')
    ('1 epoch', '2.5 epochs', '2000000 epochs')
    """
    number = int(count) if count == int(count) else f'{count:.4g}'
    return f'{number} {word}' if count == 1 else f'{number} {word}s'
