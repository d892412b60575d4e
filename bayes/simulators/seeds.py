"""Where the random numbers of simulators come from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

Seed = int | np.random.Generator | None


def generator_of(seed: Seed = None) -> np.random.Generator:
    """A NumPy generator: the given one, one from an integer, or, for None, one seeded by NumPy's global state.

    So `np.random.seed` and `core.utils.set_random_seed` make programs that name no seed reproducible, too.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None:
        return np.random.default_rng(np.random.randint(0, 2**31 - 1, size=4))
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"A seed is a non-negative integer, a numpy.random.Generator or None, got {seed!r}.")
    return np.random.default_rng(int(seed))


@contextlib.contextmanager
def global_state_from(rng: np.random.Generator) -> Iterator[None]:
    """Seeds NumPy's global functions from `rng` in the block, and puts their state back: users' functions may draw from them."""
    before = np.random.get_state()
    np.random.seed(rng.integers(0, 2**32, size=4, dtype=np.uint32))
    try:
        yield
    finally:
        np.random.set_state(before)
