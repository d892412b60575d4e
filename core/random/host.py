"""Draws on the host: one counter-based generator, so that a seed gives the same weights and shuffles whatever the backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import seeds


def host_generator(seed: Any = None) -> np.random.Generator:
    """A NumPy generator (Philox) keyed by an integer, a `SeedGenerator` (which advances), two words, or None (NumPy's global generator).

    >>> host_generator(1).integers(10) == host_generator(1).integers(10)
    True
    """
    if isinstance(seed, (tuple, list, np.ndarray)):
        words = tuple(int(word) for word in seed)
    elif hasattr(seed, "next"):
        words = tuple(int(word) & seeds.MASK for word in seed.backend.convert_to_numpy(seed.next()))
    else:
        words = seeds.fresh() if seed is None else seeds.from_int(seed)
    if len(words) != 2:
        raise ValueError(f"A seed of words has two of them, got {seed!r}.")
    return np.random.Generator(np.random.Philox(key=words))


def _normal(generator: np.random.Generator, shape: tuple, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
    return generator.standard_normal(shape, np.float32) * np.float32(stddev) + np.float32(mean)


def _uniform(generator: np.random.Generator, shape: tuple, minval: float = 0.0, maxval: float = 1.0) -> np.ndarray:
    return generator.random(shape, np.float32) * np.float32(maxval - minval) + np.float32(minval)


def _truncated_normal(generator: np.random.Generator, shape: tuple, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
    draws = np.asarray(generator.standard_normal(shape, np.float32))
    while (outside := np.abs(draws) > 2).any():  # about 1 in 22 is drawn again
        draws[outside] = generator.standard_normal(np.count_nonzero(outside), np.float32)
    return draws * np.float32(stddev) + np.float32(mean)


KINDS = {"normal": _normal, "uniform": _uniform, "truncated_normal": _truncated_normal}


def draw(kind: str, shape: tuple[int, ...], seed: Any = None, **parameters: float) -> np.ndarray:
    """A float32 array of draws: `"normal"` and `"truncated_normal"` (mean, stddev; cut at two of them), `"uniform"` (minval, maxval).

    >>> draw("uniform", (2, 3), seed=1, minval=-1.0).shape
    (2, 3)
    """
    if kind not in KINDS:
        raise ValueError(f"draw knows {sorted(KINDS)}, got {kind!r}.")
    return np.asarray(KINDS[kind](host_generator(seed), tuple(shape), **parameters), np.float32)
