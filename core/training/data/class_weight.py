"""Class weights as sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.base import config, tree


def check_class_weight(class_weight: Any) -> dict[int, float]:
    """`class_weight` with int keys and float values.

    Raises:
        ValueError: it is not a dict of class indices to weights.
    """
    try:
        weights = {int(k): float(v) for k, v in class_weight.items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"class_weight must be a dict of class index to weight, like {{0: 1.0, 1: 3.5}}; got {class_weight!r}.") from None
    if not weights or min(weights) < 0:
        raise ValueError(f"class_weight needs at least one class, and indices from 0 on; got {class_weight!r}.")
    return weights


def weights_of_labels(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """One weight per row of the labels `y`: integers of shape (n,) or (n, 1), or one-hot rows; classes without an entry weigh 1.

    With labels of more axes (one per pixel or token), the weights have the shape of the labels.

    >>> weights_of_labels(np.array([0, 2, 1]), {0: 0.5, 1: 2.0}).tolist()
    [0.5, 1.0, 2.0]
    """
    if tree.is_nested(y) or y is None:
        raise ValueError("class_weight needs one array of labels; with several outputs or none, pass sample_weight, one per output.")
    y = np.asarray(y)
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(y.shape[:-1] if y.ndim > 1 else y.shape)
    labels = np.rint(labels).astype(np.int64)
    table = np.ones(max(int(labels.max(initial=0)), *class_weight) + 1, config.floatx())
    table[list(class_weight)] = list(class_weight.values())
    return table[np.maximum(labels, 0)]
