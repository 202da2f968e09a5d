"""Rules of decision replayed on recorded trials."""

import math

from benchmarks import rules
from benchmarks.rules import Oracle, Recorded, Replay
from lrfinder.analysis.budget import Budget, Rung
from lrfinder.analysis.learning import DIVERGED, Score
from lrfinder.analysis.search import rate_of

import numpy as np
import pandas as pd
import pytest


def recorded(best=-4, start=2.0):
    """A loss whose best is at a step of the grid, two decades below where it diverges."""
    rates = np.geomspace(1e-7, 1e2, 60)
    scan = pd.DataFrame({'lr': rates, 'main/loss': start / (1 + (rates / rate_of(best)) ** 2)})
    losses = {step: 0.2 + 0.02 * (step - best) ** 2 for step in range(best - 8, best + 8)}
    scores = {step: Score(loss, loss, noise=0.01) for step, loss in losses.items()}
    scores[best + 8] = DIVERGED
    return Recorded('task', 0, 400, 10.0, scan[scan['main/loss'] > 0], Score(start, start), {90: scores})


BUDGET = Budget(60, 50, (Rung(5, 90),))


@pytest.mark.parametrize('position', [0, 1])
@pytest.mark.parametrize('best', [-12, -4, 0])
def test_a_replay_answers_near_the_best_of_what_was_recorded(best, position):
    test = Replay(recorded(best), position)
    assert test.answer(BUDGET) == pytest.approx(rate_of(best), rel=1)
    assert test.updates == 60 + 90 * len(test.trials)


def test_positions_of_the_grid_try_other_rates():
    tried = []
    for position in (0, 1):
        test = Replay(recorded(), position)
        test.answer(BUDGET)
        tried.append({round(4 * math.log10(rate * rate_of(position))) for rate in test.trials['rate']})
    assert not tried[0] & tried[1]


def test_where_nothing_would_be_answered_the_lowest_rate_that_was_tried_counts():
    dead = recorded()._replace(scores={90: dict.fromkeys(range(-30, 10), DIVERGED)})
    test = Replay(dead, 0)
    assert test.answer(BUDGET) == pytest.approx(test.trials['rate'].min())


def test_the_regret_is_interpolated_between_the_ranges_of_the_oracle():
    rows = [('task', high, seed, error) for seed in (0, 1, 2) for high, error in ((0.01, 8.0), (0.1, 2.0), (1.0, 6.0))]
    oracle = Oracle(pd.DataFrame(rows, columns=['task', 'max', 'seed', 'error']))
    assert oracle.regret('task', 0, 0.1) == 0
    assert oracle.regret('task', 0, math.sqrt(0.1)) == pytest.approx(2)
    assert oracle.distance('task', 1.0) == pytest.approx(1)


def test_a_row_says_how_much_a_rule_differs_and_how_sure_that_is():
    plain = pd.DataFrame({'regret': [1.0, 3.0], 'distance': [0.1, 0.3], 'updates': [400, 500], 'excess': [10.0, math.nan]})
    other = plain.assign(regret=[2.0, 6.0])
    row = rules.row('other', other, plain)
    assert row['regret'] == '4.00 / 6.0'
    assert row['difference'] == '+2.00 ± 1.00'
    assert (row['distance'], row['updates'], row['long']) == ('+0.20', '450', '10% / 10%')


def test_the_excess_of_a_long_training_is_interpolated_by_its_first_seed():
    rows = [('task', high, seed, error) for seed, error in ((0, 2.0), (1, 9.0)) for high, error in ((0.01, 8.0), (0.1, error))]
    long = rules.LongOracle(pd.DataFrame(rows, columns=['task', 'max', 'seed', 'error']))
    assert 'task' in long and 'other' not in long
    assert (long.excess('task', 0.1), long.excess('task', math.sqrt(0.001))) == pytest.approx((0, 150))
