"""What the range test makes of Chainer's own examples: `python -m benchmarks.examples PATH` writes `examples.csv`.

PATH is a checkout of Chainer's repository. Each example that runs on a CPU is run as it is, but for a line or two inserted
where its training begins, on a small stand-in for its data. The range is asked for from the first of three seeds. From all
three the example trains at its own rate, and under CLR in the range, for as many updates.

Nothing is left changed where the weights, the optimizers, the iterators and the random generators are the same before and
after `lrfinder.find`, and the training that follows is the one that it would have been, both to the last bit. A script that
splits its data at random without a seed trains on others each time: then only the first is asked.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import example_data, provenance, tables
from benchmarks.example_run import COMPARED, Specification
from benchmarks.example_scripts import EXAMPLES, NOT_RUN, Example

import numpy as np
import pandas as pd

TABLE = 'examples.csv'
SEEDS = (0, 1, 2)
LEVEL = (
    'level: the means of the three seeds differ by no more than the scores at the own rate do from seed to seed '
    '(highest less lowest)'
)
# Whichever of these all trainings have, the first, is compared; less is better.
SCORES = ('validation error', 'perplexity', 'validation loss', 'training loss')
# Against hangs alone.
LIMIT_SECONDS = 2400


def main() -> None:
    """Run the examples asked for, put their rows into the table, and print it."""
    args = _options()
    origin = provenance.here()
    wanted = [example for example in EXAMPLES if any(part in example.name for part in args.only.split(','))]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(args.jobs) as pool:
        runner = Runner(args.path / 'examples', Path(scratch))
        for future in as_completed([pool.submit(measured, example, runner) for example in wanted]):
            row = future.result()
            tables.update(TABLE, pd.DataFrame([row]), origin)
            print(f'{row["task"]}: {row["answer"]}, {row["verdict"]}', file=sys.stderr, flush=True)
    print('\n'.join(report(tables.read(TABLE))))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('path', type=_checkout, metavar='PATH', help="a checkout of Chainer's repository")
    parser.add_argument('--only', default='', help='run only the examples with one of these in their names, comma separated')
    parser.add_argument('--jobs', type=int, default=2, help='examples at once (default: 2)')
    return parser.parse_args()


def _checkout(text: str) -> Path:
    path = Path(text).resolve()
    if not (path / 'examples' / 'mnist' / 'train_mnist.py').exists():
        raise argparse.ArgumentTypeError(f'{text} has no examples/mnist/train_mnist.py: give a checkout of Chainer')
    return path


class Runner:
    """Runs scripts, each example's in a folder of its own.

    Args:
        examples: Chainer's examples.
        scratch: An empty folder.
    """

    def __init__(self, examples: Path, scratch: Path) -> None:
        self._examples, self._scratch = examples, scratch
        example_data.write_modules(scratch / 'modules')
        example_data.write_datasets(scratch / 'datasets', examples)
        self._environment = os.environ | {
            'PYTHONPATH': os.pathsep.join(map(str, (provenance.ROOT, scratch / 'modules'))),
            'CHAINER_DATASET_ROOT': str(scratch / 'datasets'),
            'MPLBACKEND': 'Agg',
            'OMP_NUM_THREADS': '1',
            'PYTHONHASHSEED': '0',  # a model may take its weights in the order of a set of names
        }

    def run(self, example: Example, seed: int, updates: int, **options: Any) -> list[dict[str, Any]]:
        """What came of a run: a record a process. `options` are fields of the specification."""
        folder = self._scratch / example.name.replace('/', '-').replace(' ', '-')
        if not folder.exists():
            folder.mkdir()
            example.stand_in(folder)
        do = Specification(
            script=str(self._examples / example.script),
            record=str(folder / 'record'),
            seed=seed,
            updates=updates,
            optimizer=example.optimizer,
            prelude=example.prelude,
            loop=example.loop,
            score=example.score,
            **options,
        )
        command = [sys.executable, '-m', 'benchmarks.example_run', json.dumps(asdict(do)), *example.arguments.split()]
        if example.processes > 1:
            command = [_mpiexec(), '-n', str(example.processes), *command]
        _run(command, folder, self._environment | example.environment)
        records = sorted(folder.glob('record.*'))
        found = [json.loads(record.read_text()) for record in records]
        for record in records:
            record.unlink()
        return found or [{'error': 'it ended, or hung, without a word'}]


def _mpiexec() -> str:
    beside = Path(sys.executable).with_name('mpiexec')
    return str(beside) if beside.exists() else 'mpiexec'


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    with (folder / 'log.txt').open('a') as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with the workers
            process.wait()


def measured(example: Example, runner: Runner) -> dict[str, Any]:
    """The row of an example."""
    first = runner.run(example, SEEDS[0], example.updates, finds=True)
    row = {'task': example.name, 'budget': example.updates, **_answer(first)}
    own = [runner.run(example, seed, example.updates) for seed in SEEDS]
    if any(_errors(records) for records in own):
        return row | {'answer': f'does not run: {_errors(own[0])}', 'verdict': ''}
    plan = first[0].get('plan')
    if plan is None or _errors(first):
        return row | _scores(own, [])
    under = [first, *(runner.run(example, seed, example.updates, plan=plan) for seed in SEEDS[1:])]
    row['unchanged'] = row['unchanged'] and _goes_on(first, lambda: runner.run(example, SEEDS[0], COMPARED, plan=plan))
    return row | _scores(own, under)


def _goes_on(first: Sequence[Mapping[str, Any]], replay: Callable[[], Sequence[Mapping[str, Any]]]) -> bool:
    """Whether a training went on as without the range test; yes, too, where it is another each time without."""
    without = _digests(replay())
    return _digests(first) == without or _digests(replay()) != without


def _errors(records: Iterable[Mapping[str, Any]]) -> str:
    return next((record['error'] for record in records if 'error' in record), '')


def _digests(records: Iterable[Mapping[str, Any]]) -> list[str | None]:
    return [record.get('digest') for record in records]


def _answer(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the range test said: 'range', 'refused: ...' or 'failed: ...'."""
    record = records[0]
    low, high = record['plan']['value_range'] if 'plan' in record else (math.nan, math.nan)
    kind = 'range' if 'plan' in record else f'refused: {record.get("refused")}' if 'refused' in record else 'failed'
    return {
        'answer': f'failed: {_errors(records)}' if _errors(records) else kind,
        'min': low,
        'max': high,
        'own': record.get('own_rate', math.nan),
        'updates': record.get('updates', 0),
        'seconds': round(record.get('seconds', 0.0), 1),
        'unchanged': all(record.get('unchanged', False) for record in records),
        'judged_by': record.get('judged_by', ''),
        'warnings': ' | '.join(record.get('warnings', [])),
    }


def _scores(own: Sequence[Sequence[Mapping[str, Any]]], under: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What both trainings have come to, by the first score that all have."""
    runs = [*own, *under]
    what = next((name for name in SCORES if all(_score(records, name) is not None for records in runs)), None)
    if what is None:
        return {'score': '', 'verdict': 'not compared' if under else ''}
    mine, theirs = ([_finite(_score(records, what)) for records in side] for side in (under, own))
    columns = {f'own{seed}': value for seed, value in zip(SEEDS, theirs)} | {f'clr{seed}': v for seed, v in zip(SEEDS, mine)}
    return {'score': what, **columns, 'verdict': verdict(mine, theirs) if under else ''}


def _score(records: Sequence[Mapping[str, Any]], name: str) -> float | None:
    return next((record['scores'][name] for record in records if name in record.get('scores', {})), None)


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.inf


def verdict(under: Sequence[float], own: Sequence[float]) -> str:
    """How training under CLR compares with the example's own rate: 'better', 'level' or 'worse'; see `LEVEL`.

    >>> verdict([0.10, 0.12, 0.11], own=[0.10, 0.13, 0.12])
    'level'
    >>> verdict([0.05, 0.06, 0.04], own=[0.10, 0.11, 0.10])
    'better'
    """
    mine, theirs = np.mean(under), np.mean(own)
    whole = [value for value in own if math.isfinite(value)]  # a training that diverged has no score
    spread = max(whole) - min(whole) if whole else 0.0
    if mine == theirs or abs(mine - theirs) <= spread:
        return 'level'
    return 'better' if mine < theirs else 'worse'


def report(rows: pd.DataFrame) -> Iterator[str]:
    """The table as Markdown, with a summary below it."""
    yield '| example | range | own rate | judged by | at its own rate | under CLR | | updates | CPU seconds | left as it was |'
    yield '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |'
    order = [example.name for example in EXAMPLES]
    for row in sorted(rows.to_dict('records'), key=lambda row: order.index(row['task'])):
        yield _line(row)
    ran = rows[~rows.answer.str.startswith('does not run')]
    refused, failed = (int(ran.answer.str.startswith(kind).sum()) for kind in ('refused', 'failed'))
    counts = ran[ran.answer == 'range'].verdict.value_counts()
    compared = ', '.join(f'{counts.get(kind, 0)} were {kind}' for kind in ('better', 'level', 'worse', 'not compared'))
    yield ''
    yield (
        f'Of {len(ran)} that ran, {counts.sum()} got a range, {refused} were refused and {failed} failed; '
        f'{int(ran.unchanged.sum())} were left as they were. Under CLR, {compared}.'
    )
    yield f'{LEVEL[0].upper()}{LEVEL[1:]}.'
    yield ''
    yield '| not run | why |'
    yield '| --- | --- |'
    for name in order:
        if name not in set(rows.task):
            yield f'| {name} | not measured yet: takes minutes |'
    for name, why in NOT_RUN.items():
        yield f'| {name} | {why} |'


def _line(row: Mapping[str, Any]) -> str:
    answer = f'{row["min"]:.2g} to {row["max"]:.2g}' if row['answer'] == 'range' else row['answer'].split(',')[0]
    cells = [
        row['task'],
        answer,
        f'{row["own"]:.2g}',
        _text(row['score']),
        _mean(row, 'own'),
        _mean(row, 'clr'),
        _text(row['verdict']),
        f'{row["updates"]:.0f}',
        f'{row["seconds"]:.0f}',
        'yes' if row['unchanged'] else 'no',
    ]
    return f'| {" | ".join(cell.replace("|", "/") for cell in cells)} |'


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ''


def _mean(row: Mapping[str, Any], side: str) -> str:
    """The mean over the seeds, and the lowest and the highest."""
    values = [row.get(f'{side}{seed}', math.nan) for seed in SEEDS]
    if any(isinstance(value, str) or math.isnan(value) for value in values):
        return ''
    return f'{np.mean(values):.3g} ({min(values):.3g} to {max(values):.3g})'


if __name__ == '__main__':
    main()
