"""The range tests of a run's seeds that are done, as ``run.json`` keeps them until all are.

So a run that was killed goes on with the rest of its seeds, and its answer is to the last bit that of an undisturbed one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lrfinder.analysis import analyzer, trial_table
from lrfinder.analysis.curve import make_curve
from lrfinder.analysis.suggestion import Suggestion
from lrfinder.seeds import Outcome

import pandas as pd


def to_json(outcome: Outcome) -> dict[str, Any]:
    """What a seed came to, as values of JSON.

    >>> to_json(Outcome(3, make_curve([(1, 0.1, 2.3, 0.2, float('nan'), float('nan'))]), None, 'nothing learned'))
    {'seed': 3, 'rows': ['1,0.1,2.3,0.2,,'], 'trials': None, 'scan': None, 'suggestion': None, 'why_none': 'nothing learned'}
    """
    return {
        'seed': outcome.seed,
        'rows': _rows(outcome.curve),
        'trials': None if outcome.trials is None else outcome.trials.to_csv(index=False),
        'scan': None if outcome.scan is None else _rows(outcome.scan),
        'suggestion': None if outcome.suggestion is None else json.loads(outcome.suggestion.to_json()),
        'why_none': outcome.why_none,
    }


def from_json(content: Any) -> Outcome:
    """What :func:`to_json` was given.

    Raises:
        ValueError, KeyError, TypeError: It is something else.

    >>> from_json({'seed': 3, 'rows': ['1,0.1,2.3,0.2,,'], 'suggestion': None, 'why_none': ''}).curve['main/loss'].tolist()
    [2.3]
    """
    curve = _curve(content['rows'])
    tried = None if content.get('trials') is None else trial_table.from_text(content['trials'])
    if content['suggestion'] is None:
        return Outcome(int(content['seed']), curve, None, str(content['why_none']), trials=tried)
    suggestion = Suggestion.from_json(json.dumps(content['suggestion']))
    reading = analyzer.readings(curve).get(None)
    scan = None if content.get('scan') is None else _curve(content['scan'])
    return Outcome(int(content['seed']), curve, suggestion, reading=reading, trials=tried, scan=scan)


def _rows(curve: pd.DataFrame) -> list[str]:
    return curve.to_csv(header=False, index=False).split()  # with as many digits as tell a number from others


def _curve(rows: Sequence[str]) -> pd.DataFrame:
    return make_curve([[float(cell or 'nan') for cell in row.split(',')] for row in rows])
