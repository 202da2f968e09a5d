"""The trial cycles as a table."""

import math

from lrfinder.analysis import trial_table
from lrfinder.analysis.learning import DIVERGED, Score
from lrfinder.analysis.trials import Trial, verdict

import pandas as pd
import pytest

START = Score(train=2.0, loss=2.0, error=0.9)


def test_the_table_has_a_row_a_trial_and_no_figure_where_none_was_measured(tmp_path):
    short, last = [Trial(0.01, Score(1.0, 1.1, 0.5), 90)], [Trial(0.01, Score(0.5, 0.6, 0.25), 90), Trial(0.0316, DIVERGED, 90)]
    table = trial_table.table([*short, *last], last, verdict(last, START), validated=True)
    assert table.columns.tolist() == [
        'rate', 'updates', 'main/loss', 'validation/main/loss', 'validation/main/accuracy', 'diverged', 'weight',
    ]  # fmt: skip
    expected = [
        [0.01, 90, 1.0, 1.1, 0.5, False, 0.0],
        [0.01, 90, 0.5, 0.6, 0.75, False, 1.0],
        [0.0316, 90, math.nan, math.nan, math.nan, True, 0.0],
    ]
    pd.testing.assert_frame_equal(table, pd.DataFrame(expected, columns=table.columns))
    trial_table.write(table, tmp_path / 'trials.csv')
    pd.testing.assert_frame_equal(trial_table.read(tmp_path / 'trials.csv'), table)
    unjudged = trial_table.table(last, last, None, validated=False)
    assert unjudged['validation/main/loss'].isna().all() and unjudged['validation/main/accuracy'].tolist()[0] == 0.75


def test_a_table_that_is_none_is_not_read(tmp_path):
    (tmp_path / 'trials.csv').write_text('a,b\n1,2\n')
    assert trial_table.read(tmp_path / 'trials.csv') is None
    assert trial_table.read(tmp_path / 'missing.csv') is None
    with pytest.raises(ValueError, match='no trials'):
        trial_table.from_text('a,b\n1,2\n')
