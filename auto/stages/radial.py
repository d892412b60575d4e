"""Linear models of radial basis functions around landmarks."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.stages.linear import ACTIVATIONS, activation_of
from auto.stages.stage import Stage, stage
from core import ops


@stage("radial", "landmarks", "kernel", "bias")
def radial(x: Any, *, landmarks: Any, kernel: Any, bias: Any, gamma: float, activation: str) -> Any:
    """activation(exp(-gamma |x - landmark|^2) @ kernel + bias), `(batch, outputs)`."""
    squares = ops.sum(ops.square(x), axis=1, keepdims=True) - 2 * ops.matmul(x, ops.transpose(landmarks))
    squares = ops.maximum(squares + ops.sum(ops.square(landmarks), axis=1), 0.0)
    return ACTIVATIONS[activation](ops.matmul(ops.exp(-gamma * squares), kernel) + bias)


def radial_stage(landmarks: np.ndarray, kernel: np.ndarray, bias: np.ndarray, gamma: float, kind: str) -> Stage:
    """The stage of landmarks `(landmarks, features)` whose functions `kernel` `(landmarks, outputs)` combines."""
    arrays = {
        "landmarks": np.asarray(landmarks, "float32"), "kernel": np.asarray(kernel, "float32"), "bias": np.asarray(bias, "float32")
    }  # fmt: skip
    return Stage("radial", {"gamma": float(gamma), "activation": activation_of(kind)}, arrays, width=2 * len(landmarks))
