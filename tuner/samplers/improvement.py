"""The logarithm of the expected improvement, exact far out in the tail, where the improvement itself would round to zero."""

from __future__ import annotations

import numpy as np
from scipy import special

ROOT_HALF_PI = np.sqrt(np.pi / 2)


def log_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """log E[max(best - f, 0)] for f normal with `mean` and `deviation` (Ament et al. 2023, "Unexpected improvements").

    >>> float(np.round(log_improvement(np.array([0.0]), np.array([1.0]), 0.0)[0], 6))  # the density of the standard normal at 0
    -0.918939
    """
    z = (best - mean) / deviation
    low = np.minimum(z, 0.0)
    tail = np.log(_mills(low)) - 0.5 * low * low - 0.5 * np.log(2 * np.pi)
    high = np.maximum(z, 0.0)
    near = np.log(np.exp(-0.5 * high * high) / np.sqrt(2 * np.pi) + high * special.ndtr(high))
    return np.where(z > 0, near, tail) + np.log(deviation)


def log_improvement_slope(mean: float, deviation: float, by_mean: np.ndarray, by_deviation: np.ndarray, best: float) -> np.ndarray:
    """The gradient of `log_improvement` at one point, from the gradients of mean and deviation there."""
    z = (best - mean) / deviation
    if z > 0:
        density, below = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi), special.ndtr(z)
        return (density * by_deviation - below * by_mean) / (deviation * (density + z * below))
    below = ROOT_HALF_PI * special.erfcx(-z / np.sqrt(2))  # over the density, as is the denominator
    return (by_deviation - below * by_mean) / (deviation * _mills(np.array(z)))


def _mills(z: np.ndarray) -> np.ndarray:
    """1 + z Phi(z) / phi(z) for z <= 0; below -50 by its series, where the difference would cancel."""
    direct = 1.0 + z * ROOT_HALF_PI * special.erfcx(-z / np.sqrt(2))
    safe = np.minimum(z, -1.0) ** -2
    return np.where(z < -50.0, safe * (1.0 - 3.0 * safe), direct)
