"""Which positions may attend to which, as terms that are added to the logits."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from core import ops


def as_bias(allowed: Any, dtype: str) -> Any:
    """0 where `allowed`, a large negative number elsewhere.

    The number is finite: a row that may attend nowhere gets an even average and no NaN. One term serves all layers.

    >>> as_bias(np.array([True, False]), "float32")[0]
    """
    lowest = float(ml_dtypes.finfo(np.dtype(dtype)).min) / 2
    return ops.where(allowed, ops.cast(0.0, dtype), ops.cast(lowest, dtype))


def padding_bias(padding_mask: Any, dtype: str) -> Any:
    """The bias (batch, 1, 1, sources) that hides padding, from a mask (batch, sources) that is true at tokens."""
    return as_bias(ops.cast(padding_mask, "bool")[:, None, None, :], dtype)


def causal(targets: Any, sources: Any, window: int | None = None) -> Any:
    """Whether target `t` may see source `s`, (targets, sources): not after it, and with a `window` less than that far before it.

    >>> causal(np.arange(3), np.arange(3), window=2)
    array([[ True, False, False],
           [ True,  True, False],
           [False,  True,  True]])
    """
    distance = ops.expand_dims(targets, 1) - ops.expand_dims(sources, 0)
    seen = distance >= 0
    return seen if window is None else ops.logical_and(seen, distance < window)
