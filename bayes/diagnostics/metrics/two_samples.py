"""Whether two sets of draws come from one distribution: the classifier test and the maximum mean discrepancy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def classifier_two_sample_test(
    estimates: np.ndarray,
    targets: np.ndarray,
    metric: str = "accuracy",
    *,
    max_epochs: int = 10_000,
    cross_validation_splits: int = 5,
    standardize: bool = True,
    mlp_widths: Any = "auto",
    seed: int = 1,
    return_metric_only: bool = True,
) -> Any:
    """C2ST: how well a classifier tells draws from reference draws, out of sample; 0.5 is perfect agreement, 1 none.

    As sbibm defines it: both sets standardized by the reference, a perceptron of two hidden layers of 10 times the dimension, mean
    accuracy over 5 shuffled folds. Friedman 2003; Lopez-Paz & Oquab 2017 (arXiv:1610.06545); Lueckmann et al. 2021 (arXiv:2101.04653).

    Args:
        estimates, targets: draws `(samples, dim)`; the reference is `targets`.
        metric: a score of scikit-learn.
        max_epochs: passes over the data at most.
        mlp_widths: the hidden layers, "auto" for `(10 * dim, 10 * dim)`.
        return_metric_only: whether the number alone is returned, or a dict with each fold's score.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(100, 2)), rng.normal(5.0, 1.0, size=(100, 2))
    >>> bool(classifier_two_sample_test(a, b) > 0.95)
    True
    """
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.neural_network import MLPClassifier

    x, y = np.asarray(estimates, "float64"), np.asarray(targets, "float64")
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"Both sets of draws must have the shape (samples, dim), got {x.shape} and {y.shape}.")
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        raise ValueError("The draws hold NaN or infinity; a comparison would mean nothing.")
    if standardize:
        mean, std = y.mean(axis=0), y.std(axis=0, ddof=1)
        std = np.where(std > 0, std, 1)
        x, y = (x - mean) / std, (y - mean) / std
    widths = (10 * x.shape[1],) * 2 if isinstance(mlp_widths, str) else tuple(mlp_widths)
    classifier = MLPClassifier(hidden_layer_sizes=widths, activation="relu", solver="adam", max_iter=max_epochs, random_state=seed)
    folds = KFold(n_splits=cross_validation_splits, shuffle=True, random_state=seed)
    labels = np.concatenate([np.zeros(len(x)), np.ones(len(y))])
    scores = cross_val_score(classifier, np.concatenate([x, y]), labels, cv=folds, scoring=metric)
    return float(scores.mean()) if return_metric_only else {"score": float(scores.mean()), "folds": scores}


def maximum_mean_discrepancy(x: np.ndarray, y: np.ndarray, scale: float | None = None, unbiased: bool = True) -> float:
    """The squared discrepancy of two sets of draws `(samples, dim)` under a Gaussian kernel `exp(-d^2 / (2 scale^2))`.

    Args:
        scale: of the kernel; the median distance of all draws by default.
        unbiased: whether pairs of a draw with itself are left out: then 0 in the mean where the distributions agree.

    Gretton et al. 2012.

    >>> x = np.zeros((3, 1)); maximum_mean_discrepancy(x, x, scale=1.0)
    0.0
    """
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    both = np.concatenate([x, y])
    squares = np.sum(both**2, axis=1)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * both @ both.T, 0)
    if scale is None:
        scale = float(np.sqrt(np.median(distances[np.triu_indices(len(both), 1)]))) or 1.0
    kernel, m, n = np.exp(-distances / (2 * scale**2)), len(x), len(y)
    within_x, within_y, between = kernel[:m, :m], kernel[m:, m:], kernel[:m, m:]
    if unbiased:
        return float(
            (within_x.sum() - np.trace(within_x)) / (m * (m - 1))
            + (within_y.sum() - np.trace(within_y)) / (n * (n - 1))
            - 2 * between.mean()
        )
    return float(within_x.mean() + within_y.mean() - 2 * between.mean())


def bootstrap_comparison(
    observed_samples: np.ndarray,
    reference_samples: np.ndarray,
    comparison_fn: Callable[[np.ndarray, np.ndarray], float] = maximum_mean_discrepancy,
    num_null_samples: int = 100,
    seed: int | None = None,
) -> tuple[float, np.ndarray]:
    """`(comparison of observed and reference, null distribution)`; the null draws sets of the observed size from the reference."""
    rng = np.random.default_rng(seed)
    observed, reference = np.asarray(observed_samples), np.asarray(reference_samples)
    if len(observed) >= len(reference):
        raise ValueError(f"The reference must hold more draws than what is observed, got {len(reference)} and {len(observed)}.")
    null = np.empty(num_null_samples)
    for i in range(num_null_samples):
        order = rng.permutation(len(reference))
        null[i] = comparison_fn(reference[order[: len(observed)]], reference[order[len(observed) :]])
    return float(comparison_fn(observed, reference)), null
