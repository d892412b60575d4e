"""Ranks of true values among posterior draws, and the bands in which their distribution functions lie if all is calibrated."""

from __future__ import annotations

import functools

import numpy as np

BAND_DRAWS = 2000


def fractional_ranks(draws: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """The share of draws `(datasets, samples, quantities)` below each true value; shape `(datasets, quantities)`.

    Talts et al. 2018 (arXiv:1804.06788): uniform, if the posterior is right. Ties count half.

    >>> fractional_ranks(np.array([[[1.0], [2.0], [3.0], [4.0]]]), np.array([[2.5]])).tolist()
    [[0.5]]
    """
    below = np.sum(draws < truths[:, None, :], axis=1)
    ties = np.sum(draws == truths[:, None, :], axis=1)
    return (below + 0.5 * ties) / draws.shape[1]


def distance_ranks(draws: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """The share of draws nearer to zero than the true value, after standardization: one rank for all quantities together."""
    norms = np.linalg.norm(draws / draws.std(axis=(0, 1)), axis=-1)
    true = np.linalg.norm(truths / draws.std(axis=(0, 1)), axis=-1)
    return np.mean(norms < true[:, None], axis=1)[:, None]


def ecdf(ranks: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The share of ranks `(datasets,)` that are at most each point."""
    return np.searchsorted(np.sort(ranks), points, side="right") / len(ranks)


@functools.lru_cache(maxsize=64)
def simultaneous_bands(num_ranks: int, num_points: int = 100, level: float = 0.95, seed: int = 0) -> tuple[np.ndarray, ...]:
    """`(points, lower, upper)`: the whole distribution function of `num_ranks` uniform ranks lies in the band with probability `level`.

    Pointwise binomial intervals, widened until that holds, by simulation: Sailynoja et al. 2022 (arXiv:2103.10522), algorithm 1.

    >>> points, lower, upper = simultaneous_bands(50)
    >>> bool(np.all(lower <= points) and np.all(points <= upper))
    True
    """
    from scipy.stats import binom

    if not 0 < level < 1:
        raise ValueError(f"The level of the bands lies between 0 and 1, got {level!r}.")
    points = np.arange(1, num_points) / num_points
    rng = np.random.default_rng(seed)
    counts = np.stack([num_ranks * ecdf(rng.uniform(size=num_ranks), points) for _ in range(BAND_DRAWS)])
    tails = np.minimum(binom.cdf(counts, num_ranks, points), binom.sf(counts - 1, num_ranks, points))
    gamma = np.quantile(2 * tails.min(axis=1), 1 - level)  # the pointwise error at which one curve in twenty leaves its band
    lower = binom.ppf(gamma / 2, num_ranks, points) / num_ranks
    upper = binom.ppf(1 - gamma / 2, num_ranks, points) / num_ranks
    return points, lower, upper


def inside_bands(ranks: np.ndarray, level: float = 0.95) -> np.ndarray:
    """For ranks `(datasets, quantities)`, whether each quantity's distribution function stays in its simultaneous band."""
    points, lower, upper = simultaneous_bands(len(ranks), level=level)
    curves = np.stack([ecdf(column, points) for column in ranks.T])
    slack = 1e-9
    return np.all((curves >= lower - slack) & (curves <= upper + slack), axis=1)
