"""The figures in the README and in docs/ are those of the tables in benchmarks/results."""

from pathlib import Path

import clr  # noqa: F401  makes Chainer importable

import pytest

pytest.importorskip('sklearn', reason='the benchmark needs scikit-learn')
pytest.importorskip('joblib', reason='the benchmark needs joblib')

from benchmarks import examples, policies_report, report, scoring, tables, targets

ROOT = Path(__file__).resolve().parents[2]
README, BENCHMARK, SCHEDULES, EXAMPLES = (
    ' '.join((ROOT / name).read_text(encoding='utf-8').split())
    for name in ('README.md', 'docs/benchmark.md', 'docs/schedules.md', 'docs/examples-of-chainer.md')
)
ALL = ['held', 'tune']


def missing(lines, page):
    """Those of the lines that are not in a page, whatever its line breaks."""
    return [line for line in lines if ' '.join(line.split()) not in page]


def of(values, groups):
    return values[[targets.GROUP[task] in groups for task in values.index]]


@pytest.fixture(scope='module')
def results():
    return targets.read()


@pytest.fixture(scope='module')
def scores(results):
    return report.all_scores(results)


@pytest.fixture(scope='module')
def regrets(results):
    """The regret of lrfinder on each task, by the budget."""
    return {
        budget: scoring.score(results.oracle, rows.assign(rule='lrfinder'), targets.GROUP).set_index('task').regret
        for budget, rows in results.ours.items()
    }


@pytest.fixture(scope='module')
def optuna(scores):
    """The scores of Optuna with 1,600 updates and the median pruner."""
    return scores[scores.rule == targets.OPTUNA].set_index('task')


def test_the_table_of_all_rules(scores):
    table = report.summary(scores)
    assert missing(report.markdown(table[~table.rule.str.startswith('Optuna')]).splitlines(), BENCHMARK) == []


def test_what_the_range_costs(scores, regrets, optuna):
    short, more = (of(regrets[budget], ALL) for budget in (600, 1600))
    fresh, more_fresh = (of(regrets[budget], ['fresh']) for budget in (600, 1600))
    kinds = of(regrets[1600], ['kinds'])
    worst = short.sort_values(ascending=False)
    shared = short[short.index.intersection(optuna.index)]
    theirs = optuna.regret[shared.index]
    cost = optuna.updates.mean() / scores[scores.rule == report.OURS].updates.mean()
    said = [
        f"""costs {short.mean():.1f} points of validation error on average ({short.median():.2f} in the median,
        {short.max():.1f} at worst), compared with the best of 16 ranges, and with `--budget 1600` {more.mean():.1f};
        on eight tasks that had no say in the rule, {fresh.mean():.1f}""",
        f'with Optuna at {cost:.1f} times the cost {theirs.mean():.1f}',
    ]
    assert missing(said, README) == []
    said = [
        f"""On {(short <= 2).sum()} of the 72 tasks it costs 2 points or less; in the median {short.median():.2f}. At worst it
        is {worst.iloc[0]:.1f} on `{worst.index[0]}`""",
        f'and {worst.iloc[1]:.1f} on `{worst.index[1]}`',
        f"""the 72 tasks cost {more.mean():.1f} points in the mean and {more.max():.1f} at worst; {(more <= 2).sum()} of them
        cost 2 points or less. The kinds cost {kinds.mean():.1f} and {kinds.max():.1f}.""",
        f'The fresh tasks go from {fresh.mean():.1f} points to {more_fresh.mean():.1f}',
        f'costs {theirs.mean():.1f} points and {theirs.max():.1f} at worst',
        f'{theirs.mean() / shared.mean():.1f} times what lrfinder costs there with 600',
    ]
    assert missing(said, BENCHMARK) == []


def test_what_the_peers_cost(scores):
    theirs = scores[scores.rule.isin(tables.read('peers.csv').rule) & scores.group.isin(ALL)].groupby('rule').regret.mean()
    said = f"""With the learning rate finders of fastai, torch-lr-finder and Lightning it costs {theirs.min():.0f} to
    {theirs.max():.0f} points on average"""
    assert missing([said], README) == []


def test_how_often_the_range_keeps_its_word(results):
    kept, more = (scoring.kept_promises(results.oracle, results.ours[budget]) for budget in (600, 1600))
    short, fresh, kinds = (100 * of(kept, groups).mean() for groups in (ALL, ['fresh'], ['kinds']))
    said = [
        f"""The ends of the band keep their word, within a point of the best range, in {short:.0f}% of the trainings on the 72
        tasks, in {fresh:.0f}% on the fresh ones and in {kinds:.0f}% on the kinds.""",
        f'The ends of the band keep their word in {100 * of(more, ALL).mean():.0f}%',
    ]
    assert missing(said, BENCHMARK) == []


def test_what_it_costs_in_long_trainings(results):
    details = {budget: scoring.long_trainings(results.long_oracle, runs) for budget, runs in results.long.items()}
    short, more, most = details[600], details[1600], details[6000]
    rows = [
        ' | '.join([f'| `{task}`', f'{row.best:.1f}', *(f'{one.excess[task]:.0f}%' for one in (short, more, most))])
        for task, row in short.iterrows()
    ]
    grid = scoring.long_trainings(results.long_oracle, scoring.long_grid_search(results.long_oracle))
    said = [
        f"""In the mean that is {short.excess.mean():.0f}% after 600 updates, {more.excess.mean():.0f}% after 1,600, and
        {most.excess.mean():.0f}% after 6,000, as many as the training itself takes ({short.points.mean():.1f},
        {more.points.mean():.1f} and {most.points.mean():.1f} points); in the median {short.excess.median():.0f},
        {more.excess.median():.0f} and {most.excess.median():.0f}%.""",
        f"""comes to {grid.excess.mean():.0f}% in the mean, {grid.excess.median():.0f}% in the median and
        {grid.excess.max():.0f}% at worst""",
    ]
    assert missing([*rows, *said], BENCHMARK) == []
    said = f"""{short.excess.median():.0f} % above that of the best range in the median, and {short.excess.mean():.0f} % on
    average"""
    assert missing([said], README) == []


def test_how_much_the_answer_varies(results, scores):
    spread = of(scores[scores.rule == report.OURS].set_index('task').spread, ALL)
    held = {budget: scoring.coverage(rows) for budget, rows in results.ours.items()}
    short, more = ([100 * of(held[budget], groups).mean() for groups in (ALL, ['fresh'], ['kinds'])] for budget in (600, 1600))
    often = of(held[600], ALL)
    within = f'stays within a factor of 2 on {(spread <= 2).sum()} of the 72 tasks'
    said = [
        within,
        """holds the maximum of another seed in {:.0f}% of the cases, in {:.0f}% on the fresh tasks and in {:.0f}% on the kinds;
        after 1,600 updates in {:.0f}, {:.0f} and {:.0f}%.""".format(*short, *more),
        f"""On {(often < 0.5).sum()} of the 72 an interval holds less than half of the others, down to {100 * often.min():.0f}%
        (`{often.idxmin()}`)""",
    ]
    assert missing(said, BENCHMARK) == []
    assert missing([within], README) == []


def test_what_schedules_are_worth():
    table = policies_report.final(tables.read('policies.csv'))
    assert missing(report.markdown(table).splitlines(), SCHEDULES) == []
    table = policies_report.by_budget(tables.read('tuning.csv'))
    assert missing(report.markdown(table).splitlines(), SCHEDULES) == []


def test_what_became_of_chainers_examples():
    assert missing(examples.report(tables.read(examples.TABLE)), EXAMPLES) == []
