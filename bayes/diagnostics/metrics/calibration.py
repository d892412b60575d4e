"""Whether posteriors are as wide as they should be: calibration error, the gamma test, coverage, model calibration."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayes.diagnostics.quantities import Arrays, quantities
from bayes.diagnostics.ranks import fractional_ranks, inside_bands


def calibration_error(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    resolution: int = 20,
    aggregation: Callable = np.median,
    min_quantile: float = 0.005,
    max_quantile: float = 0.995,
) -> dict[str, Any]:
    """How far the coverage of central intervals is from what they claim: |claimed - found|, aggregated over widths.

    Returns:
        `{"values": (quantities,), "metric_name": ..., "variable_names": [...]}`; 0 is perfect, 0.5 the worst of the median.
    """
    widths = np.linspace(min_quantile, max_quantile, resolution)
    found = coverage_of(estimates, targets, variable_keys, variable_names, test_quantities, widths=widths)
    errors = np.abs(found["values"] - widths[:, None])
    return {**found, "values": aggregation(errors, axis=0), "metric_name": "Calibration Error"}


def coverage_of(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    widths: Any = (0.5, 0.8, 0.9, 0.95),
) -> dict[str, Any]:
    """The share of data sets whose true value lies in the central interval of each width; `(widths, quantities)`.

    >>> rng = np.random.default_rng(0)
    >>> found = coverage_of(rng.normal(size=(500, 200, 1)), rng.normal(size=(500, 1)), widths=[0.5])
    >>> bool(abs(found["values"][0, 0] - 0.5) < 0.1)
    True
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    levels = np.atleast_1d(np.asarray(widths, "float64"))
    if np.any((levels <= 0) | (levels >= 1)):
        raise ValueError(f"The widths of intervals lie between 0 and 1, got {levels.tolist()}.")
    edges = np.quantile(q.draws, np.concatenate([(1 - levels) / 2, (1 + levels) / 2]), axis=1)
    lower, upper = edges[: len(levels)], edges[len(levels) :]
    return {**q.result(np.mean((lower <= q.truths) & (q.truths <= upper), axis=1), "Coverage"), "widths": levels}


def simulation_based_calibration(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    level: float = 0.95,
) -> dict[str, Any]:
    """Ranks `(datasets, quantities)` of true values among draws, and, in `values`, whether their distribution stays in its band.

    The band is simultaneous: a right posterior stays inside with probability `level`. Talts et al. 2018; Sailynoja et al. 2022.
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    ranks = fractional_ranks(q.draws, q.truths)
    return {**q.result(inside_bands(ranks, level), "SBC Inside Band"), "ranks": ranks}


def gamma_discrepancy(ranks: np.ndarray, num_post_draws: int = 100) -> float:
    """Twice the smallest binomial tail of the ranks' distribution function; small where the ranks are not uniform.

    `ranks` are integers from 0 to `num_post_draws`. Modrak et al. 2023 (arXiv:2211.02383).
    """
    from scipy.stats import binom

    counts = np.bincount(np.asarray(ranks, int), minlength=num_post_draws + 1)[:num_post_draws].cumsum()
    points = np.arange(1, num_post_draws + 1) / (num_post_draws + 1)
    total = len(ranks)
    return float(2 * np.min(np.minimum(binom.cdf(counts, total, points), binom.sf(counts - 1, total, points))))


@functools.lru_cache(maxsize=32)
def _null(num_ranks: int, num_post_draws: int, num_null_draws: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array([gamma_discrepancy(rng.integers(0, num_post_draws + 1, num_ranks), num_post_draws) for _ in range(num_null_draws)])


def gamma_null_distribution(num_ranks: int, num_post_draws: int = 1000, num_null_draws: int = 1000) -> np.ndarray:
    """The discrepancies of `num_null_draws` sets of uniform ranks."""
    return _null(num_ranks, num_post_draws, num_null_draws).copy()


def calibration_log_gamma(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    num_null_draws: int = 1000,
    quantile: float = 0.05,
) -> dict[str, Any]:
    """`log(gamma / gamma's quantile under calibration)`: below 0 where the ranks are not uniform at that error level.

    Modrak et al. 2023 (arXiv:2211.02383).
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    count = q.draws.shape[1]
    ranks = np.floor(fractional_ranks(q.draws, q.truths) * count).astype(int)
    threshold = np.quantile(gamma_null_distribution(len(ranks), count, num_null_draws), quantile)
    gammas = np.array([gamma_discrepancy(column, count) for column in ranks.T])
    with np.errstate(divide="ignore"):
        return q.result(np.log(gammas) - np.log(threshold), "Log Gamma")


def expected_calibration_error(
    estimates: np.ndarray,
    targets: np.ndarray,
    model_names: Sequence[str] | None = None,
    num_bins: int = 10,
    return_probs: bool = False,
) -> dict[str, Any]:
    """For each model, how far its probabilities are from how often it is true, weighted over bins. Naeini et al. 2015.

    Args:
        estimates: probabilities of the models, `(datasets, models)`.
        targets: the true models, one-hot of the same shape, or numbers `(datasets,)`.

    >>> expected_calibration_error(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))["values"].tolist()
    [0.0, 0.0]
    """
    probabilities = np.asarray(estimates, "float64")
    true = np.asarray(targets)
    if true.ndim == 1 or true.shape[-1] == 1:
        true = np.eye(probabilities.shape[1])[true.reshape(-1).astype(int)]
    if probabilities.ndim != 2 or true.shape != probabilities.shape:
        raise ValueError(
            f"Probabilities and one-hot models must share the shape (datasets, models), got {probabilities.shape} and {true.shape}."
        )
    values, found, predicted = [], [], []
    for p, is_true in zip(probabilities.T, true.T):
        bins = np.minimum((p * num_bins).astype(int), num_bins - 1)
        sizes = np.bincount(bins, minlength=num_bins)
        full = sizes > 0
        shares = np.bincount(bins, is_true, num_bins)[full] / sizes[full]
        means = np.bincount(bins, p, num_bins)[full] / sizes[full]
        values.append(float(np.sum(sizes[full] * np.abs(shares - means)) / len(p)))
        found.append(shares)
        predicted.append(means)
    names = list(model_names) if model_names is not None else [f"M_{i}" for i in range(probabilities.shape[1])]
    result = {"values": np.array(values), "metric_name": "Expected Calibration Error", "model_names": names}
    return {**result, "probs_true": found, "probs_pred": predicted} if return_probs else result
