"""`Standardization`: a variable with mean 0 and standard deviation 1 on each axis, by moments taken from data once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import core
from core import layers, ops


@core.saving.register_keras_serializable("bayes")
class Standardization(layers.Layer):
    """`(x - mean) / std` over the last axis; the moments are weights, set by `adapt` and never by a batch in training.

    >>> layer = Standardization()
    >>> layer.adapt([np.array([[0.0], [2.0], [4.0]], "float32")])
    >>> core.ops.convert_to_numpy(layer(np.array([[2.0]], "float32"))).tolist()
    [[0.0]]
    """

    def build(self, input_shape):
        size = (int(input_shape[-1]),)
        self.mean = self.add_weight(shape=size, initializer="zeros", trainable=False, name="mean")
        self.std = self.add_weight(shape=size, initializer="ones", trainable=False, name="std")
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    @property
    def is_adapted(self) -> bool:
        """Whether the moments were taken from data."""
        return self.built and float(ops.convert_to_numpy(self.count)) > 0

    def adapt(self, arrays: Iterable[Any]) -> None:
        """Sets the moments to those of all the arrays, joined. Entries that are not finite do not count; constant axes keep their scale.

        Moments of parts are merged in float64 (Chan et al. 1979), so that data may come in pieces.
        """
        count, mean, squares = 0.0, np.zeros(1), np.zeros(1)
        for array in arrays:
            part = np.asarray(array, "float64")
            part = part.reshape(-1, part.shape[-1])
            if not self.built:
                self.build((None, part.shape[-1]))
            known = np.isfinite(part)
            n = known.sum(axis=0).astype("float64")
            own = np.where(known, part, 0).sum(axis=0) / np.maximum(n, 1)
            own_squares = np.where(known, (part - own) ** 2, 0).sum(axis=0)
            total = np.maximum(count + n, 1)
            squares = squares + own_squares + (own - mean) ** 2 * count * n / total
            mean = mean + (own - mean) * n / total
            count = count + n
        if not np.any(count):
            raise ValueError("There is no finite value to take the moments of.")
        std = np.sqrt(squares / np.maximum(count, 1))
        self.mean.assign(mean.astype("float32"))
        self.std.assign(np.where(std > 1e-6 * np.maximum(np.abs(mean), 1e-6), std, 1.0).astype("float32"))
        self.count.assign(float(np.max(count)))

    def call(self, x):
        return (x - self.mean) / self.std

    def inverse(self, z: Any) -> Any:
        """The values before standardization."""
        return z * self.std + self.mean

    def log_det(self) -> Any:
        """The log-determinant of one row; a scalar."""
        return -ops.sum(ops.log(self.std))

    def compute_output_shape(self, input_shape):
        return input_shape
