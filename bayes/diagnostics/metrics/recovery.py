"""How near posterior draws come to the truth: errors, correlation, contraction, z-scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayes.diagnostics.quantities import Arrays, quantities


def root_mean_squared_error(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    normalize: str | None = "prior",
    aggregation: Callable = np.median,
) -> dict[str, Any]:
    """The root mean square, over data sets, of each draw's error; `aggregation` over draws. By default in prior standard deviations.

    Args:
        estimates: draws `(datasets, samples, dim)`, an array or arrays by name.
        targets: true values `(datasets, dim)`.
        normalize: "prior" for true values' standard deviations, "range" for their range, None for the variable's units.

    Returns:
        `{"values": (quantities,), "metric_name": ..., "variable_names": [...]}`.

    >>> root_mean_squared_error(np.ones((2, 3, 1)), np.zeros((2, 1)), normalize=None)["values"].tolist()
    [1.0]
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    errors = np.sqrt(np.mean((q.draws - q.truths[:, None, :]) ** 2, axis=0))  # (samples, quantities)
    if normalize not in ("prior", "range", None):
        raise ValueError(f"normalize must be 'prior', 'range' or None, got {normalize!r}.")
    if normalize is not None:
        errors = errors / (np.std(q.truths, axis=0, ddof=1) if normalize == "prior" else np.ptp(q.truths, axis=0))
    return q.result(aggregation(errors, axis=0), "RMSE" if normalize is None else "NRMSE")


def correlation(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    aggregation: Callable = np.median,
) -> dict[str, Any]:
    """Pearson's correlation, over data sets, of true values and the draws' `aggregation`.

    >>> truths = np.arange(4.0)[:, None]
    >>> correlation(truths[:, None, :] + np.zeros((4, 5, 1)), truths)["values"].round(6).tolist()
    [1.0]
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    points = aggregation(q.draws, axis=1)
    a, b = points - points.mean(axis=0), q.truths - q.truths.mean(axis=0)
    norm = np.sqrt(np.sum(a**2, axis=0) * np.sum(b**2, axis=0))
    return q.result(np.sum(a * b, axis=0) / np.where(norm > 0, norm, 1), "Correlation")


def posterior_contraction(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    aggregation: Callable | None = np.median,
) -> dict[str, Any]:
    """`1 - posterior variance / prior variance`, clipped to [0, 1]; the prior's variance is that of the true values.

    With `aggregation=None`, the values are `(datasets, quantities)`. Schad et al. 2021 (arXiv:1904.12765).

    >>> posterior_contraction(np.zeros((2, 3, 1)), np.array([[0.0], [1.0]]))["values"].tolist()
    [1.0]
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    prior = np.var(q.truths, axis=0, ddof=1)
    values = np.clip(1 - np.var(q.draws, axis=1, ddof=1) / np.where(prior > 0, prior, 1), 0, 1)
    return q.result(values if aggregation is None else aggregation(values, axis=0), "Posterior Contraction")


def posterior_z_score(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
    aggregation: Callable | None = np.median,
) -> dict[str, Any]:
    """`(posterior mean - truth) / posterior standard deviation`; with `aggregation=None`, of shape `(datasets, quantities)`.

    >>> posterior_z_score(np.array([[[-1.0], [1.0]]]), np.array([[0.0]]))["values"].tolist()
    [0.0]
    """
    q = quantities(estimates, targets, variable_keys, variable_names, test_quantities)
    std = np.std(q.draws, axis=1, ddof=1)
    values = (np.mean(q.draws, axis=1) - q.truths) / np.where(std > 0, std, 1)
    return q.result(values if aggregation is None else aggregation(values, axis=0), "Posterior z-score")
