"""The benchmark: how good is the range that a rule suggests, measured by training in it."""

import os

os.environ['OMP_NUM_THREADS'] = '1'  # the runs go side by side, one a core; read when NumPy is first imported
