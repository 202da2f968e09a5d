"""Draws the pictures of the policies in images/ from the code: ``python -m benchmarks.draw_policies``."""

from __future__ import annotations

import functools
from pathlib import Path

from clr.policies import POLICIES, cosine
from lrfinder.plotting.training import save_policy

FOLDER = Path(__file__).parent.parent / 'images'
# One cycle and its last phase, which is an eighth as long; cosine's cycles of 1, 2 and 4 times the length.
CYCLES = {'one_cycle': 9 / 8, 'cosine_t_mult': 7}


def main() -> None:
    """Writes one PNG a policy."""
    policies = {**POLICIES, 'cosine_t_mult': functools.partial(cosine, t_mult=2)}
    for name, policy in policies.items():
        title = name.replace('_t_mult', ', t_mult=2')
        save_policy(FOLDER / f'{name}.png', title, policy, CYCLES.get(name, 3))


if __name__ == '__main__':
    main()
