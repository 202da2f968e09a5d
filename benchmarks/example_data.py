"""Small stand-ins for the data of Chainer's examples, in the files and folders that its loaders and scripts expect.

Each can be learned: digits that scikit-learn ships, striped images, sentences of a Markov chain, trees whose labels follow from
their words. All is drawn from fixed seeds.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

Random = np.random.RandomState

# Two packages that examples import for their data alone, as far as they use them.
MODULES = {
    'nltk/__init__.py': """
        from nltk import corpus
        def download(name):
            pass
    """,
    'nltk/corpus.py': """
        import random
        WORDS = [(f'{tag}{number}', tag) for tag in ('AT', 'JJ', 'NN', 'VB', 'IN') for number in range(20)]
        class brown:
            def tagged_sents():
                draw = random.Random(0)
                return [[draw.choice(WORDS) for _ in range(draw.randint(3, 12))] for _ in range(600)]
    """,
    'nltk/translate/__init__.py': '',
    'nltk/translate/bleu_score.py': """
        class SmoothingFunction:
            method1 = None
        def corpus_bleu(references, hypotheses, smoothing_function):
            '''The share of words that are right: no BLEU, but as much the better the higher.'''
            pairs = [(a, b) for (wanted,), found in zip(references, hypotheses) for a, b in zip(wanted, found)]
            return sum(a == b for a, b in pairs) / max(1, len(pairs))
    """,
    'progressbar.py': """
        class ProgressBar:
            def __call__(self, iterable, max_value=None):
                return iterable
    """,
}


def write_modules(folder: Path) -> None:
    """Write the packages that stand in for ones which bring data."""
    for name, code in MODULES.items():
        lines = code.strip('\n').splitlines()
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        _write(folder / name, [line[indent:] for line in lines])


def write_datasets(folder: Path, examples: Path) -> None:
    """Write what `chainer.datasets` and `cached_download` look for below `CHAINER_DATASET_ROOT`.

    Args:
        folder: The root.
        examples: Chainer's examples, one of which says where its texts come from.
    """
    chainers = folder / 'pfnet' / 'chainer'
    _save(chainers / 'mnist' / 'train.npz', **_digits(0, 1200))
    _save(chainers / 'mnist' / 'test.npz', **_digits(1200, 1797))
    x, y = _striped(Random(0), 440, 32)
    flat = x.reshape(len(x), -1)
    _save(chainers / 'cifar' / 'cifar-10.npz', train_x=flat[:400], train_y=y[:400], test_x=flat[400:], test_y=y[400:])
    words = _markov(Random(0), 200, 20600)
    for name, part in ('train', words[:20000]), ('valid', words[20000:20300]), ('test', words[20300:]):
        _save(chainers / 'ptb' / f'{name}.npz', x=part)
    _write(chainers / 'ptb' / 'vocab.txt', [f'w{number}' for number in range(200)])
    (base,) = re.findall(
        r"^URL_OTHER_BASE = '(.*?)'", (examples / 'text_classification' / 'text_datasets.py').read_text(), re.M
    )
    for name, part in ('train', slice(0, 600)), ('test', slice(600, 800)):
        address = hashlib.md5(f'{base}stsa.binary.{name}'.encode()).hexdigest()
        _write(folder / '_dl_cache' / address, list(_reviews(Random(0), 800))[part])


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(lines) + '\n')


def _save(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


def _digits(start: int, stop: int) -> dict[str, np.ndarray]:
    """Digits of 8x8 as images of 28x28, pixels in 0 to 255."""
    x, y = load_digits(return_X_y=True)
    order = Random(0).permutation(len(x))[start:stop]
    large = np.pad(np.kron(x[order].reshape(-1, 8, 8), np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2)))
    return {'x': (large * (255 / 16)).astype(np.uint8).reshape(len(order), -1), 'y': y[order].astype(np.uint8)}


def _striped(random: Random, count: int, size: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images whose class is the direction and the colour of their stripes."""
    y = random.randint(0, classes, count)
    across, down = np.meshgrid(np.arange(size), np.arange(size))
    angle = np.pi * y / classes
    along = across * np.cos(angle)[:, None, None] + down * np.sin(angle)[:, None, None]
    waves = np.sin(along * (2 * np.pi * 3 / size) + random.uniform(0, 2 * np.pi, (count, 1, 1)))
    colours = 0.5 + 0.5 * np.cos(2 * np.pi * (y[:, None] / classes + np.arange(3) / 3))
    images = 127 + 60 * waves[:, None] * colours[:, :, None, None] + random.normal(0, 25, (count, 3, size, size))
    return images.clip(0, 255).astype(np.uint8), y.astype(np.uint8)


def _markov(random: Random, words: int, length: int) -> np.ndarray:
    """A text in which each word is followed by one of eight, some of them more often."""
    followers = np.array([random.permutation(words)[:8] for _ in range(words)])
    choices = random.choice(8, length, p=2.0 ** -np.arange(1, 9) / (1 - 2.0**-8))
    text = np.zeros(length, np.int32)
    for place in range(1, length):
        text[place] = followers[text[place - 1], choices[place]]
    text[:words] = np.arange(words)  # each word is there
    return text


def _reviews(random: Random, count: int) -> Iterator[str]:
    """Lines of a label and ten words, of which two or three speak for it."""
    for _ in range(count):
        label = random.randint(2)
        telling = [f'{"good" if label else "bad"}{random.randint(20)}' for _ in range(random.randint(2, 4))]
        words = [*telling, *(f'word{random.randint(100)}' for _ in range(10 - len(telling)))]
        yield f'{label} {" ".join(random.permutation(words))}'


def trees(folder: Path) -> None:
    """`trees/`: sentences whose parts have a mood of 0 to 4, the sum of those of their words."""
    random = Random(0)
    for name, count in ('train', 300), ('dev', 40), ('test', 40):
        _write(folder / 'trees' / f'{name}.txt', [_tree(random, random.randint(3, 7))[0] for _ in range(count)])


def _tree(random: Random, leaves: int) -> tuple[str, int]:
    if leaves == 1:
        number = random.randint(30)
        mood = number % 3 - 1
        return f'({2 + mood} w{number})', mood
    first = random.randint(1, leaves)
    (left, one), (right, other) = _tree(random, first), _tree(random, leaves - first)
    mood = one + other
    return f'({2 + max(-2, min(2, mood))} {left} {right})', mood


def stories(folder: Path) -> None:
    """Files as bAbI's: who went where, and where is he."""
    random = Random(0)
    names, places = ('Mary', 'John', 'Sandra', 'Daniel'), ('kitchen', 'garden', 'office', 'hallway', 'bathroom')
    for file, count in ('train.txt', 300), ('test.txt', 60):
        _write(folder / file, [line for _ in range(count) for line in _story(random, names, places)])


def _story(random: Random, names: tuple[str, ...], places: tuple[str, ...]) -> Iterator[str]:
    where = {}
    for number in (1, 2, 4, 5):
        name, place = random.choice(names), random.choice(places)
        where[name] = place, number
        yield f'{number} {name} went to the {place}.'
        if number in (2, 5):
            place, fact = where[name]
            yield f'{number + 1} Where is {name}? \t{place}\t{fact}'


def mushrooms(folder: Path) -> None:
    """`mushrooms.csv`: 22 letters a mushroom; three of them say whether it is poisonous."""
    random = Random(0)
    letters = random.randint(0, 5, (2000, 22))
    poisonous = letters[:, 3] + letters[:, 7] + letters[:, 11] + random.normal(0, 1, 2000) > 6
    rows = [','.join(['ep'[int(bad)], *('abcde'[letter] for letter in row)]) for row, bad in zip(letters, poisonous)]
    _write(folder / 'mushrooms.csv', [','.join(['class', *(f'a{number}' for number in range(22))]), *rows])


def sentences(folder: Path) -> None:
    """Pairs of sentences for seq2seq, the second the first backwards; and the vocabularies."""
    random = Random(0)
    lines = [[f'a{number}' for number in random.randint(0, 20, random.randint(3, 8))] for _ in range(600)]
    _write(folder / 'source.txt', [' '.join(line) for line in lines])
    _write(folder / 'target.txt', [' '.join(line[::-1]).replace('a', 'b') for line in lines])
    _write(folder / 'source_words.txt', [f'a{number}' for number in range(20)])
    _write(folder / 'target_words.txt', [f'b{number}' for number in range(20)])


def parallel_corpus(folder: Path) -> None:
    """The same pairs in the files of the WMT corpus."""
    random = Random(0)
    letters = 'abcdefghijklmnopqrst'
    for name, count in ('giga-fren.release2.fixed', 600), ('dev/newstest2013', 40):
        lines = [[letters[number] for number in random.randint(0, 20, random.randint(3, 8))] for _ in range(count)]
        for language, order in ('en', 1), ('fr', -1):
            path = folder / 'wmt' / f'{name}.{language}'
            path.parent.mkdir(parents=True, exist_ok=True)
            with gzip.open(f'{path}.gz', 'wt') as file:
                file.writelines(' '.join(line[::order]) + '\n' for line in lines)


def photographs(folder: Path) -> None:
    """Images of 256x256 in four classes, the lists of them, and their mean."""
    from PIL import Image

    images, labels = _striped(Random(0), 60, 256, classes=4)
    for number, image in enumerate(images):
        Image.fromarray(image.transpose(1, 2, 0)).save(folder / f'{number}.png')
    lines = [f'{number}.png {label}' for number, label in enumerate(labels)]
    _write(folder / 'train.txt', lines[:48])
    _write(folder / 'val.txt', lines[48:])
    np.save(folder / 'mean.npy', images.mean(0))


def nothing(folder: Path) -> None:
    """The example needs no files in its own folder."""


StandIn = Callable[[Path], None]
