"""`set_random_seed`: one seed for everything."""

from __future__ import annotations

import random

import numpy as np

from core.backend import seeds, slot


def set_random_seed(seed: int) -> None:
    """Seeds Python, NumPy, the loaded frameworks, and with them all of core's unseeded draws, initial weights and shuffles.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    >>> set_random_seed(1)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"The seed must be an integer from 0 to 2**32 - 1, got {seed!r}.")
    random.seed(int(seed))
    np.random.seed(int(seed))
    for backend in slot.loaded():
        if backend.has("seed_framework"):
            backend.seed_framework(int(seed))
    seeds.reseed()
