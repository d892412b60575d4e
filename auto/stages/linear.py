"""Linear models and constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.stages.stage import Stage, stage
from core import ops

ACTIVATIONS = {"none": lambda x: x, "softmax": ops.softmax, "sigmoid": ops.sigmoid}


def activation_of(kind: str) -> str:
    """What turns scores into predictions for classes, labels (several at a time) and values."""
    return {"classes": "softmax", "labels": "sigmoid", "values": "none"}[kind]


@stage("linear", "kernel", "bias")
def linear(x: Any, *, kernel: Any, bias: Any, activation: str) -> Any:
    """activation(x @ kernel + bias), `(batch, outputs)`."""
    return ACTIVATIONS[activation](ops.matmul(x, kernel) + bias)


@stage("constant", "value")
def constant(x: Any, *, value: Any) -> Any:
    """The same row for every input: class shares, or the mean."""
    return ops.zeros_like(x[:, :1], dtype="float32") + value


def linear_stage(kernel: np.ndarray, bias: np.ndarray, kind: str) -> Stage:
    """The stage of a fitted linear model, kernel `(features, outputs)`."""
    arrays = {"kernel": np.asarray(kernel, "float32"), "bias": np.asarray(bias, "float32")}
    return Stage("linear", {"activation": activation_of(kind)}, arrays, width=kernel.shape[1])
