"""The picture of a policy."""

from __future__ import annotations

import os

from clr.policies import Policy
from lrfinder._names import printable
from lrfinder.plotting import style

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# The example of arXiv 1506.01186, section 4.1: CIFAR-10.
EXAMPLE_RANGE, EXAMPLE_STEP_SIZE = (0.001, 0.006), 2000


def save_policy(path: str | os.PathLike[str], name: str, policy: Policy, cycles: float = 3) -> None:
    """Draws a policy over its steps, and writes it to a file, whole or not at all.

    Bounds and length are those of an example, CIFAR-10 in arXiv 1506.01186, section 4.1.

    Args:
        path: The file; its suffix says in which format, PNG where there is none.
        name: What to call it.
        policy: One of :mod:`clr.policies`, or any other of their form.
        cycles: How many cycles to show.

    Raises:
        OSError: The file can't be written.
    """
    with style.own_style():
        style.save(policy_figure(name, policy, cycles), path)


def policy_figure(name: str, policy: Policy, cycles: float) -> Figure:
    """The figure of :func:`save_policy`."""
    figure = style.own_figure(2.2)
    figure.subplots_adjust(left=0.12, right=0.92, bottom=0.22, top=0.88)
    ax = figure.subplots()
    low, high = EXAMPLE_RANGE
    end = 2 * cycles * EXAMPLE_STEP_SIZE
    steps = np.linspace(0, end * (1 - 1e-9), 3001)  # without the restart at the end
    style.shelve(ax, EXAMPLE_RANGE, (0.2, 0.94), 'learning rate')
    ax.set_xlim(0, end)
    ax.set_xlabel('iteration')
    ax.set_title(printable(name), loc='left', parse_math=False)
    ax.spines['right'].set_visible(False)
    for rate, word in zip(EXAMPLE_RANGE, ('min', 'max')):
        ax.axhline(rate, color=style.GREY, linewidth=0.7, linestyle=':')
        ax.annotate(word, (1.01, rate), xycoords=('axes fraction', 'data'), va='center', fontsize='small', fontweight='bold')
    ax.plot(steps, policy(steps, (low, high), EXAMPLE_STEP_SIZE), color=style.BLUE, linewidth=style.STRONG, clip_on=False)
    _mark_step_size(ax)
    return figure


def _mark_step_size(ax: Axes) -> None:
    end = EXAMPLE_STEP_SIZE / ax.get_xlim()[1]
    ax.annotate('', (0, 0.08), (end, 0.08), xycoords='axes fraction', arrowprops=dict(arrowstyle='<->', shrinkA=0, shrinkB=0))
    style.say(ax, end + 0.01, 0.08, f'step_size {EXAMPLE_STEP_SIZE}', va='center', fontsize='small')
