"""Draws the pictures of the policies in images/ from the code: ``python -m benchmarks.draw_policies``."""

from __future__ import annotations

import functools
from pathlib import Path

from clr.policies import LENGTHS, POLICIES, Policy, cosine, joined, part, warmed_up
from lrfinder.plotting import save_policy

FOLDER = Path(__file__).parent.parent / 'images'

# What is not a policy by itself: options, and policies made of others. The numbers fit the range and the step_size of the
# pictures, (0.001, 0.006) and 2000.
EXAMPLES: dict[str, tuple[str, Policy]] = {
    'cosine_t_mult': ('cosine, t_mult=2', functools.partial(cosine, t_mult=2)),
    'cosine_cycle_decay': ('cosine, cycle_decay=0.7', functools.partial(cosine, cycle_decay=0.7)),
    'warmed_up': ("warmed_up('cosine', 1000)", warmed_up('cosine', 1000)),
    'joined': (
        "joined(['triangular', part('polynomial', (0, 0.001))], [8000])",
        joined(['triangular', part('polynomial', (0, 0.001))], [8000]),
    ),
    'cool_down': (
        'triangular, and CLR.cool_down(2000) at iteration 5000',
        joined(['triangular', part('wsd', (0.001, 0.0035), 1000, warmup_steps=0, cooldown_steps=2000)], [5000]),
    ),
}

# How many cycles to show where it is not three: a policy that comes to an end is shown to its end.
CYCLES = {
    **{name: length / 2 for name, length in LENGTHS.items()},
    'cosine_t_mult': 7,  # cycles of 1, 2 and 4 times the length
    'warmed_up': 2.25,
    'cool_down': 2,
}


def main() -> None:
    """Writes one PNG a policy, and one an example."""
    pictures = {**{name: (name, policy) for name, policy in POLICIES.items()}, **EXAMPLES}
    for name, (title, policy) in pictures.items():
        save_policy(FOLDER / f'{name}.png', title, policy, CYCLES.get(name, 3))


if __name__ == '__main__':
    main()
