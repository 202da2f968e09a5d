"""Pictures: of a range test, of a training, of a comparison, of a policy, of trials. Loads Matplotlib."""

from lrfinder.plotting.comparison import save_compare
from lrfinder.plotting.policy import save_policy
from lrfinder.plotting.range_test import plot, png_bytes, save_range_test
from lrfinder.plotting.training import save_training
from lrfinder.plotting.tuning import save_by_policy, save_tuning, tuning_png

__all__ = [
    'plot',
    'png_bytes',
    'save_by_policy',
    'save_compare',
    'save_policy',
    'save_range_test',
    'save_training',
    'save_tuning',
    'tuning_png',
]
