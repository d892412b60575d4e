"""The weights of an ensemble, chosen greedily."""

from __future__ import annotations

import numpy as np

from auto.search.clock import Clock
from auto.search.metrics import Metric

ROWS = 20_000  # to select on; more would not change the weights
BAGS, ROUNDS = 20, 20
WORK = 5e7  # numbers to look at in all, about half a second


def select_bagged(
    predictions: list[np.ndarray], target: np.ndarray, metric: Metric, weights: np.ndarray, seed: int = 0, clock: Clock | None = None
) -> np.ndarray:
    """The mean of the weights that `select` finds on bootstrap samples of the rows.

    On few rows the best weights of one sample follow its accidents; their mean does so less (bagged ensemble selection, Caruana et al.
    2004). On many rows one selection on all of them takes its place. Where the budget of `clock` ends, what is found by then counts.
    """
    bags = int(min(BAGS, WORK / (ROUNDS * len(predictions) * target.size)))
    if bags < 2:
        return select(predictions, target, metric, weights, clock=clock)
    rng, found = np.random.default_rng([seed, 29]), np.zeros(len(predictions))
    for _ in range(bags):
        rows = rng.integers(len(target), size=len(target))
        found += select([prediction[rows] for prediction in predictions], target[rows], metric, weights[rows], ROUNDS, clock)
        if clock is not None and clock.over:
            break
    return found / found.sum()


def select(
    predictions: list[np.ndarray],
    target: np.ndarray,
    metric: Metric,
    weights: np.ndarray | None = None,
    rounds: int = 40,
    clock: Clock | None = None,
) -> np.ndarray:
    """Weights that sum to one of models with out-of-fold `predictions`, each `(n, outputs)`, for the least loss of their mean.

    Forward selection with replacement (Caruana et al. 2004): from the best model on, the model is added whose addition helps
    most; the best mean met on the way counts.

    >>> import numpy as np
    >>> from auto.search.metrics import METRICS
    >>> y = np.array([[0.0], [1.0], [2.0]])
    >>> select([y + 1, y - 1, y + 5], y, METRICS["rmse"]).tolist()
    [0.5, 0.5, 0.0]
    """
    if len(target) > ROWS:
        rows = np.random.default_rng(0).choice(len(target), ROWS, replace=False)
        predictions, target = [p[rows] for p in predictions], target[rows]
        weights = weights[rows] if weights is not None else None
    counts = np.zeros(len(predictions), int)
    total = np.zeros_like(predictions[0], dtype="float64")
    best_counts, best_loss = counts, float("inf")
    for size in range(1, rounds + 1):
        losses = [metric.loss(target, (total + prediction) / size, weights) for prediction in predictions]
        chosen = int(np.argmin(losses))
        counts = counts.copy()
        counts[chosen] += 1
        total += predictions[chosen]
        if losses[chosen] < best_loss - 1e-9 * max(1.0, abs(best_loss) if np.isfinite(best_loss) else 1.0):
            best_counts, best_loss = counts, losses[chosen]
        if clock is not None and clock.over:
            break
    if not best_counts.any():  # every loss was infinite
        best_counts = np.eye(len(predictions), dtype=int)[0]
    return best_counts / best_counts.sum()
