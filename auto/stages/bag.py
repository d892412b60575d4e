"""Bags of terms: tf-idf vectors times a matrix, without ever making the vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.stages.linear import ACTIVATIONS, activation_of
from auto.stages.stage import Stage, stage
from core import ops


@stage("bag", "idf", "kernel", "bias")
def bag(x: Any, *, idf: Any, kernel: Any, bias: Any, start: int, activation: str) -> Any:
    """activation(tfidf(terms) @ kernel + bias), `(batch, outputs)`; x holds a text's distinct terms from column `start` on, 0 is none.

    The vector of a text has idf[term] for each of its terms and length one. Row 0 of `idf` and `kernel` is zero.
    """
    terms = ops.cast(x[:, start:], "int32")
    weight = ops.take(idf, terms)
    norm = ops.sqrt(ops.sum(ops.square(weight), axis=1, keepdims=True)) + 1e-12
    scores = ops.einsum("bt,bto->bo", weight / norm, ops.take(kernel, terms, axis=0))
    return ACTIVATIONS[activation](scores + bias)


@stage("words", "offset")
def words(x: Any, *, offset: Any, stop: int) -> Any:
    """The word ids of a text in their order, `(batch, stop)` int32: what networks read."""
    return ops.cast(x[:, :stop], "int32") + offset


def bag_stage(idf: np.ndarray, kernel: np.ndarray, bias: np.ndarray, start: int, terms: int, kind: str) -> Stage:
    """A linear model on tf-idf vectors (kind "classes", "labels"), or a projection of them ("values")."""
    arrays = {"idf": idf.astype("float32"), "kernel": kernel.astype("float32"), "bias": np.asarray(bias, "float32")}
    return Stage("bag", {"start": start, "activation": activation_of(kind)}, arrays, width=terms * (kernel.shape[1] + 1))


def words_stage(stop: int) -> Stage:
    """The view "words" of encoded texts."""
    return Stage("words", {"stop": stop}, {"offset": np.zeros(1, "int32")}, stop)
