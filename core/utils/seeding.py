"""`set_random_seed`: one seed for everything; `seed_scope`: the same for a block."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from core.backend import seeds, slot


def set_random_seed(seed: int) -> None:
    """Seeds Python, NumPy, the loaded frameworks, and with them all of core's unseeded draws, initial weights and shuffles.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    >>> set_random_seed(1)
    """
    _seed(seed, slot.loaded())


def _seed(seed: int, frameworks: Iterable[Any]) -> None:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"The seed must be an integer from 0 to 2**32 - 1, got {seed!r}.")
    random.seed(int(seed))
    np.random.seed(int(seed))
    for backend in frameworks:
        if backend.has("seed_framework"):
            backend.seed_framework(int(seed))
    seeds.reseed()


@contextlib.contextmanager
def seed_scope(seed: int) -> Iterator[None]:
    """Runs a block under `set_random_seed(seed)`, and puts every generator back to where it was before.

    TensorFlow's own global seed cannot be read, so that it is left alone: draws that user code makes with `tf.random` are not seeded.
    Core's draws are, on TensorFlow as well.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    >>> import random
    >>> random.seed(0); first = random.random()
    >>> with seed_scope(7):
    ...     inside = random.random()
    >>> second = random.random(); random.seed(0)
    >>> (first, second) == (random.random(), random.random())
    True
    """
    python, host, states = random.getstate(), np.random.get_state(), seeds.snapshot()
    restorable = [backend for backend in slot.loaded() if backend.has("framework_seed_state")]
    frameworks = [(backend, backend.framework_seed_state()) for backend in restorable]
    try:
        _seed(seed, restorable)
        yield
    finally:
        random.setstate(python)
        np.random.set_state(host)
        for backend, state in frameworks:
            backend.restore_framework_seed(state)
        seeds.restore(states)
