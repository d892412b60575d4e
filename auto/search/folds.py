"""Which rows validate which model."""

from __future__ import annotations

import numpy as np

Fold = tuple[np.ndarray, np.ndarray]  # rows to train on, rows to validate on


def make_folds(target: np.ndarray, kind: str, count: int, share: float, seed: int) -> list[Fold]:
    """`count` folds that cover every row once, or for `count` 1 one split with `share` of the rows to validate.

    Classes keep their shares in every fold as far as they have rows enough; values are spread by their order, so that every fold
    has small and large ones.
    """
    rng = np.random.default_rng([seed, 17])
    n = len(target)
    if kind == "classes":
        group = target.argmax(axis=1).astype("float64")
    else:
        group = target[:, 0].astype("float64")
        group = np.floor(group.argsort().argsort() * (n // max(2 * count, 10) + 1) / n) if kind == "values" else group
    order = np.lexsort((rng.random(n), group))  # shuffled inside a group; dealing out in this order stratifies
    if count == 1:
        step = max(2, round(1 / share))
        place = np.empty(n, int)
        place[order] = np.arange(n) % step
        valid = place == rng.integers(step)
        if kind == "classes":  # a class must not be in the validation rows only
            lost = target[~valid].sum(axis=0) == 0
            valid &= ~lost[target.argmax(axis=1)]
        return [(np.flatnonzero(~valid), np.flatnonzero(valid))]
    place = np.empty(n, int)
    place[order] = (np.arange(n) + rng.integers(count)) % count
    return [(np.flatnonzero(place != i), np.flatnonzero(place == i)) for i in range(count)]
