"""What must hold on a GPU, as one table: `python -m benchmarks.gpu`, or `make gpu`, which installs what it needs.

Runs the tests that need a GPU, and measures on the GPU and on the CPU in turn. Each row of the table names its target and says
whether it was met; the status is 0 if all were. Where there is no GPU, it says so in one line, with status 1.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import lrfinder
from benchmarks import overhead
from lrfinder.cli.build import Builder
from lrfinder.cli.options import Options
from lrfinder.engine.recorder import BLOCK
from lrfinder.result import Result
from lrfinder.seeds import find_seeds

import chainer
import numpy as np
from chainer import training
from chainer.backends import cuda
from chainer.serializers import DictionarySerializer

ROOT = Path(__file__).parent.parent
GPU, CPU = '@cupy:0', '@numpy'
SEEDS, PAIRS = 5, 15
MOST_OVERHEAD = 1.02
# Of the arrays and streams of CuPy, all that brings values over or waits for the device.
WAITS = {
    'ndarray': (
        'get',
        'item',
        'tolist',
        '__float__',
        '__int__',
        '__bool__',
        '__complex__',
        '__repr__',
        '__str__',
        '__format__',
    ),
    'cuda.Stream': ('synchronize',),
    'cuda.Event': ('synchronize',),
    'cuda.runtime': ('memcpy', 'memcpyAsync', 'deviceSynchronize', 'streamSynchronize', 'eventSynchronize'),
}


class Row(NamedTuple):
    """A row of the table: what was measured, what came out, what should have, and whether it did."""

    what: str
    found: str
    target: str
    met: bool


@dataclass(frozen=True)
class Plan:
    """How much is measured, and of which networks."""

    seeds: int = SEEDS
    pairs: int = PAIRS
    asked: Options = field(default_factory=Options)
    timed: Options = field(default_factory=lambda: Options(model='resnet'))
    network: str = 'ResNet-20 at 32x32'
    batch: int = 128
    updates: int = 40


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=SEEDS, help=f'how many to find the range from (default: {SEEDS})')
    parser.add_argument('--pairs', type=int, default=PAIRS, help=f'how often to compare times (default: {PAIRS})')
    options = parser.parse_args()
    missing = why_no_gpu()
    if missing:
        sys.exit(f'There is no GPU to measure on: {missing}')
    measures = [tests, *measurements(Plan(options.seeds, options.pairs))]
    rows = [row for measure in measures for row in measured(measure)]
    print(f'\n{platform_line()}\n\n{table(rows)}')
    sys.exit(not all(row.met for row in rows))


def why_no_gpu() -> str:
    """Why nothing can run on a GPU here, in one line; empty where it can."""
    if not cuda.available:
        return f"CuPy can't be imported ({cuda._resolution_error})".splitlines()[0]
    try:
        count = cuda.cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # of a class of the driver's
        return f'CuPy {cuda.cupy.__version__} says {error}'.splitlines()[0]
    return '' if count else f'CuPy {cuda.cupy.__version__} finds none'


def platform_line() -> str:
    """What it ran on."""
    runtime = cuda.cupy.cuda.runtime
    return ', '.join(
        (
            runtime.getDeviceProperties(0)['name'].decode(),
            f'CUDA {runtime.runtimeGetVersion()}',
            f'CuPy {cuda.cupy.__version__}',
            f'Chainer {chainer.__version__}',
            f'NumPy {np.__version__}',
            f'Python {platform.python_version()}',
        )
    )


def table(rows: list[Row]) -> str:
    """The rows, aligned, in Markdown.

    >>> print(table([Row('the first', '3', 'at most 2', False)]))
    | what      | found | target    |        |
    | --------- | ----- | --------- | ------ |
    | the first | 3     | at most 2 | failed |
    """
    texts = [('what', 'found', 'target', ''), *((*row[:3], 'passed' if row.met else 'failed') for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts)]
    texts.insert(1, tuple('-' * width for width in widths))
    return '\n'.join(f'| {" | ".join(map(str.ljust, row, widths))} |' for row in texts)


def measurements(plan: Plan) -> list[Callable[[], list[Row]]]:
    """What is measured beside the tests."""
    functions = (ranges, restoration, synchronisations, overheads, seconds)
    return [functools.wraps(function)(functools.partial(function, plan)) for function in functions]


def measured(measure: Callable[[], list[Row]]) -> list[Row]:
    """The rows of one measurement; what it raises is a row, too, so that the others still follow."""
    print(f'{measure.__name__} ...', flush=True)
    try:
        return measure()
    except Exception as error:
        return [Row(measure.__name__, ' '.join(f'{type(error).__name__}: {error}'.split())[:200], 'no error', False)]


def on(device: str, options: Options) -> Builder:
    """What builds a training there."""
    return Builder(Options(**{**vars(options), 'device': device}))


# ---- what is measured


def tests() -> list[Row]:
    """The tests that need a GPU."""
    command = [sys.executable, '-m', 'pytest', '-m', 'gpu', 'tests/engine/test_gpu.py']
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(ran.stdout, ran.stderr, sep='')
    last = (ran.stdout.splitlines() or ['nothing'])[-1]
    return [Row('tests that need a GPU', re.sub(r'^=+ | in [\d.]+s.*$', '', last), 'none failed', ran.returncode == 0)]


def ranges(plan: Plan) -> list[Row]:
    """The range that the GPU finds, within those that the CPU finds from several seeds."""
    here, there = (find_seeds(on(device, plan.asked).build, range(plan.seeds), quiet=True) for device in (CPU, GPU))
    return [
        Row(
            f'{end} rate, {plan.asked.model}, {plan.seeds} seeds',
            f'{rate:.4g}',
            f'{lowest:.4g} to {highest:.4g}, as on the CPU',
            lowest <= rate <= highest,
        )
        for end, rate, (lowest, highest) in zip(
            ('lowest', 'highest'), there.suggestion.value_range, here.suggestion.spread.values()
        )
    ]


def restoration(plan: Plan) -> list[Row]:
    """What Chainer keeps of a training, the gradients, and the random numbers to come, before `find` and after."""
    random = cuda.cupy.random
    updater, evaluator = on(GPU, plan.timed).build(0)
    for _ in range(5):
        updater.update()
    random.seed(7)
    expected = [random.uniform(size=100).get() for _ in range(2)]
    random.seed(7)
    drawn = [random.uniform(size=100).get()]
    before, numpy = contents(updater), np.random.get_state(legacy=False)['state']
    lrfinder.find(updater, evaluator=evaluator, quiet=True)
    drawn.append(random.uniform(size=100).get())
    after, numpy_after = contents(updater), np.random.get_state(legacy=False)['state']
    other = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    same = [
        np.array_equal(drawn, expected),
        np.array_equal(numpy['key'], numpy_after['key']),
        numpy['pos'] == numpy_after['pos'],
    ]
    return [
        Row(f'arrays that differ after find, of {len(before)}', str(len(other)), '0', bool(before) and not other),
        Row("random numbers of CuPy's and NumPy's after find", 'the same' if all(same) else 'others', 'the same', all(same)),
    ]


def contents(updater: Any) -> dict[str, bytes]:
    """The bits of all that Chainer would save of an updater, and of the gradients, by name."""
    saved = DictionarySerializer()
    updater.serialize(saved)
    gradients = {f'{name} (gradient)': param.grad for name, param in updater.get_optimizer('main').target.namedparams()}
    arrays = {**saved.target, **gradients}
    return {name: np.asarray(cuda.to_cpu(array)).tobytes() for name, array in arrays.items() if array is not None}


def synchronisations(plan: Plan) -> list[Row]:
    """How often an update with `LRRangeTest` waits for the GPU more than one without."""
    bare, tested = waits(plan, None), waits(plan, overhead.range_test)
    more = [with_it - without for with_it, without in zip(tested, bare, strict=True)]
    reading = [count for update, count in enumerate(more, start=1) if update % BLOCK == 0]
    others = [count for update, count in enumerate(more, start=1) if update % BLOCK]
    return [
        Row('synchronisations in an update, at most', str(max(others)), '0', max(others) == 0),
        Row(f'synchronisations in each {BLOCK}th update, at most', str(max(reading)), '1', max(reading) == 1),
    ]


def waits(plan: Plan, make_extension: Callable[[int], Any] | None) -> list[int]:
    """How often each update of a training waited for the GPU, whatever runs after it included."""
    trainer = training.Trainer(overhead.updater(plan.network, plan.batch, GPU), (plan.updates, 'iteration'))
    if make_extension is not None:
        trainer.extend(make_extension(plan.updates))
    totals = [0]
    with waits_counted() as counts:
        trainer.extend(lambda trainer: totals.append(counts.total()), trigger=(1, 'iteration'), priority=0, name='count')
        trainer.run()
    return np.diff(totals).tolist()


@contextlib.contextmanager
def waits_counted() -> Iterator[collections.Counter[str]]:
    """Counts over the block, by name, what brings values from the GPU over or waits for it."""
    counts: collections.Counter[str] = collections.Counter()
    inside: list[str] = []

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            if not inside:  # item() calls get()
                counts[name] += 1
            inside.append(name)
            try:
                return function(*args, **kwargs)
            finally:
                inside.pop()

        return counted

    with contextlib.ExitStack() as undo:
        for path, names in WAITS.items():
            owner = functools.reduce(getattr, path.split('.'), cuda.cupy)
            for name in filter(functools.partial(hasattr, owner), names):
                own, original = name in vars(owner), getattr(owner, name)
                setattr(owner, name, counting(f'{path}.{name}', original))
                undo.callback(*((setattr, owner, name, original) if own else (delattr, owner, name)))
        yield counts


def overheads(plan: Plan) -> list[Row]:
    """The time of an update with `LRRangeTest` over that of one without."""
    options = dict(batch=plan.batch, updates=plan.updates, device=GPU)
    runs = [
        functools.partial(overhead.trained, plan.network, extension, **options) for extension in (overhead.range_test, None)
    ]
    ratios, bare = overhead.compare(*runs, pairs=plan.pairs)
    ratio = median(ratios)
    what = f'time of an update with LRRangeTest over without, {plan.network}, batch {plan.batch}'
    return [Row(what, f'{ratio:.4f} ({1000 * bare:.1f} ms without)', f'at most {MOST_OVERHEAD}', ratio <= MOST_OVERHEAD)]


def seconds(plan: Plan) -> list[Row]:
    """How long `find` takes on the GPU and on the CPU; on the GPU for the second time, when its kernels are compiled."""
    timed_find(GPU, plan)
    (there, found), (here, _) = timed_find(GPU, plan), timed_find(CPU, plan)
    what = f'seconds of find, {plan.timed.model}, {found.suggestion.updates} updates'
    return [Row(what, f'{there:.1f}', f'less than the {here:.1f} on the CPU', there < here)]


def timed_find(device: str, plan: Plan) -> tuple[float, Result]:
    """The seconds that `find` takes, and its result."""
    updater, evaluator = on(device, plan.timed).build(0)
    start = time.perf_counter()
    result = lrfinder.find(updater, evaluator=evaluator, quiet=True)
    return time.perf_counter() - start, result


if __name__ == '__main__':
    main()
