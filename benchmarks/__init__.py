"""The benchmark: how good is the range that a rule suggests, measured by training in it.

Regret says how far a rule falls short: the validation error after training in its range, minus that after training in
the best of 16 ranges. `tasks` has the 72 problems, `results/` what was measured, `provenance` what it was measured with.

To measure a change of the analyzer or of the search:

    git commit                                    # so that the provenance can name what was measured
    python -m benchmarks.ours --tasks NAME,NAME   # a first look; choose constants by tasks of the group 'tune' alone
    python -m benchmarks.ours                     # the judgement: all tasks
    python -m benchmarks.steady                   # what `lrfinder.analyze` reads off ramps of two lengths
    python -m benchmarks.report                   # compare the rows of lrfinder: regret, collapses, updates, spread

`git diff benchmarks/results` then shows each answer that changed. Commit the tables with the change. Other packages or another
processor round otherwise, and so give other answers here and there: where the provenance of a table names others than yours,
measure the commit before the change, too.

All tables, in the order in which each needs those before it, and what they cost on two cores:

    python -m benchmarks.oracle                   # oracle.csv: every task in 16 ranges, from six seeds; an hour
    python -m benchmarks.ramps                    # ramps.npz: the losses that the peers look at; 6 minutes
    .venv-peers/bin/python -m benchmarks.peers    # peers.csv: what they make of them (requirements-peers.txt); 2 minutes
    python -m benchmarks.train_ranges             # peers_regret.csv: what that is worth; 10 minutes
    python -m benchmarks.ours                     # ours.csv, ours_other_seeds.csv, ours_without_validation.csv: what
                                                  # `lrfinder.find` suggests, and what that is worth; an hour
    python -m benchmarks.steady                   # steady.csv: six tasks by ramps of two lengths; a minute
    python -m benchmarks.report                   # prints the tables and draws regret.png; seconds

The first four do not depend on lrfinder: they are measured again for a task that is new or changed, with --tasks.
Apart from these: `benchmarks.analyze_speed`, `benchmarks.overhead` and `benchmarks.profile_demo` tell where time goes,
`benchmarks.draw_policies` draws the policies, `benchmarks.examples` runs Chainer's own examples (examples.csv), and
`benchmarks.gpu` measures what must hold on a GPU.
"""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # the runs go side by side, one a core; read when NumPy is first imported

import clr  # noqa: F401  makes Chainer importable, whatever a module imports first
