"""The benchmark: how good is the range that a rule suggests, measured by training in it.

Regret says how far a rule falls short: the validation error after training in its range, minus that after training in
the best of 16 ranges. `tasks` has the problems, `scoring` says what the figures mean, `results/` has what was measured,
`provenance` what it was measured with.

To measure a change of the analyzer or of the search:

    python -m benchmarks.rules                    # what it is worth on recorded trials, and what each constant is; two minutes
    git commit                                    # so that the provenance can name what was measured
    python -m benchmarks.ours --tasks NAME,NAME   # a first look; choose constants by tasks of the group 'tune' alone
    python -m benchmarks.ours                     # the judgement: all tasks
    python -m benchmarks.ours --budget 600,1600   # the same, told what an answer may cost
    python -m benchmarks.long ours                # trainings of 6,000 updates; --budget as above
    python -m benchmarks.steady                   # what `lrfinder.analyze` reads off ramps of two lengths
    python -m benchmarks.report                   # compare the rows of lrfinder: regret, collapses, updates, spread

`git diff benchmarks/results` then shows each answer that changed. Commit the tables with the change. Other packages or another
processor round otherwise, and so give other answers here and there: where the provenance of a table names others than yours,
measure the commit before the change, too.

`--tasks` takes names of tasks and of groups. Each command writes a task down when it is measured, in place of its rows: what
was cut off is continued with the tasks that are left. The groups:

    tune     28: may be looked at when constants are chosen
    held     44: choose nothing, but were measured while the algorithm was designed
    fresh     8: drawn up before the algorithm was changed, and without a say in any change since
    kinds     8: attention, fine-tuning, a loss without accuracy, a balanced iterator; as 'held'
    long      4: more data, for long trainings

All tables, in the order in which each needs those before it, and what they cost on two cores:

    python -m benchmarks.oracle                   # oracle.csv: every task in 16 ranges, from six seeds; two hours
    python -m benchmarks.trials --tasks tune,held # trials.csv, scans.npz: the trials that benchmarks.rules replays; an hour
    python -m benchmarks.ramps --tasks tune,held  # ramps.npz: the losses that the peers look at; 6 minutes
    .venv-peers/bin/python -m benchmarks.peers    # peers.csv: what they make of them (requirements-peers.txt); 2 minutes
    python -m benchmarks.train_ranges             # peers_regret.csv: what that is worth; 10 minutes
    python -m benchmarks.optuna_rivals            # optuna.csv: what Optuna makes of 600 and 1,600 updates; half an hour
    python -m benchmarks.ours                     # ours.csv, ours_other_seeds.csv, ours_without_validation.csv: what
                                                  # `lrfinder.find` suggests, and what that is worth; two hours
    python -m benchmarks.ours --budget 1600       # ours_1600.csv: the same for more updates, in the training alone
    python -m benchmarks.long oracle              # long_oracle.csv: 16 tasks in 16 ranges for 6,000 updates; an hour
    python -m benchmarks.long ours                # long.csv, and long_1600.csv with --budget 1600: what `lrfinder.find`
                                                  # suggests for that length; ten minutes
    python -m benchmarks.steady                   # steady.csv: six tasks by ramps of two lengths; a minute
    python -m benchmarks.report                   # prints the tables and draws regret.png and frontier.png; seconds

The oracles and the rivals do not depend on lrfinder: they are measured again for a task that is new or changed, with --tasks.
What schedules are worth in the ranges found, and what tuning them is; both may be ended at any time, and go on where they were:

    python -m benchmarks.policies                 # policies.csv: sixteen tasks, each schedule; 90 minutes on one core
    python -m benchmarks.tuning                   # tuning.csv: eight tasks, tuned with and without a range test; ten minutes
    python -m benchmarks.policies_report          # prints the tables, draws policies.png and tuning.png

Apart from these: `benchmarks.analyze_speed`, `benchmarks.overhead` and `benchmarks.profile_demo` tell where time goes,
`benchmarks.cost` what a range test costs in time and memory beside torch-lr-finder's (`benchmarks.torch_networks`),
`benchmarks.draw_policies` draws the policies, `benchmarks.examples` runs Chainer's own examples (examples.csv), and
`benchmarks.gpu` measures what must hold on a GPU.
"""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # the runs go side by side, one a core; read when NumPy is first imported

import clr  # noqa: F401  makes Chainer importable, whatever a module imports first
