"""The benchmark: how good is the range that a rule suggests, measured by training in it.

Each command has a module of its own and replaces one data file here; `--tasks a,b` measures only some tasks anew.

    python -m benchmarks.oracle                     # oracle.csv: every task in 16 ranges, from six seeds
    python -m benchmarks.ramps                      # ramps.npz: what the peers look at
    .venv-peers/bin/python benchmarks/peers.py      # peers.csv: what they make of it (requirements-peers.txt)
    python -m benchmarks.train_ranges               # peers_regret.csv: what that is worth
    python -m benchmarks.ours                       # ours*.csv: what lrfinder finds, and what that is worth
    python -m benchmarks.steady                     # steady.csv: by ramps of two lengths
    python -m benchmarks.report                     # the tables, and regret.png

On two cores the first and the fifth take an hour or less, the others a few minutes each.
`python -m benchmarks.analyze_speed` stands apart.
"""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # the runs go side by side, one a core; read when NumPy is first imported
