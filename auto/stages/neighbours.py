"""Nearest neighbours, weighted by the inverse of their distance."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.stages.stage import Stage, stage
from core import ops


@stage("neighbours", "examples", "targets", "weights")
def neighbours(x: Any, *, examples: Any, targets: Any, weights: Any, k: int) -> Any:
    """The weighted mean of the targets of the k nearest examples, `(batch, outputs)`."""
    products = ops.matmul(x, ops.transpose(examples))
    squares = ops.sum(ops.square(x), axis=1, keepdims=True) - 2 * products + ops.sum(ops.square(examples), axis=1)
    near, index = ops.top_k(-squares, k)
    share = ops.take(weights, index) / (ops.sqrt(ops.maximum(-near, 0.0)) + 1e-6)
    share = share / (ops.sum(share, axis=1, keepdims=True) + 1e-30)
    return ops.sum(ops.expand_dims(share, -1) * ops.take(targets, index, axis=0), axis=1)


def neighbours_stage(examples: np.ndarray, targets: np.ndarray, weights: np.ndarray | None, k: int) -> Stage:
    """A stage that remembers the examples `(examples, features)` and their targets `(examples, outputs)`."""
    arrays = {
        "examples": np.asarray(examples, "float32"),
        "targets": np.asarray(targets, "float32"),
        "weights": np.ones(len(examples), "float32") if weights is None else np.asarray(weights, "float32"),
    }
    return Stage("neighbours", {"k": min(k, len(examples))}, arrays, width=2 * len(examples))
