"""Scores as a Gaussian process likes them: standardised, and where the bad ones are far out, with their part of the axis compressed."""

from __future__ import annotations

import numpy as np


def standardised(scores: np.ndarray) -> tuple[np.ndarray, float]:
    """Scores with mean zero and deviation one, and the sum of the logs of the map's slopes."""
    spread = scores.std()
    spread = spread if spread > 0 else 1.0
    return (scores - scores.mean()) / spread, -len(scores) * float(np.log(spread))


def compressed(scores: np.ndarray) -> tuple[np.ndarray, float]:
    """The same after a map that leaves the better half alone and lets what lies above the median grow like a logarithm.

    What good trials differ by would otherwise vanish beside a trial that diverged. With the slopes, the likelihoods of plain and
    compressed scores can be compared (Snelson et al. 2004, "Warped Gaussian processes").

    >>> compressed(np.array([0.0, 1.0, 2.0, 1e6]))[0].round(1)
    array([-0.7, -0.6, -0.5,  1.7])
    """
    middle = float(np.median(scores))
    scale = middle - scores.min()
    if scale <= 0:
        return standardised(scores)
    above = np.maximum((scores - middle) / scale, 0.0)
    bent = np.minimum(scores, middle) + scale * np.log1p(above)
    values, slopes = standardised(bent)
    return values, slopes - float(np.log1p(above).sum())
