"""`DiagonalNormal`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bayes.distributions.distribution import Distribution, as_batch_shape
from core import ops, random
from core.saving import register_keras_serializable


@register_keras_serializable("bayes")
class DiagonalNormal(Distribution):
    """Independent normal coordinates.

    Args:
        mean, std: numbers, or one per coordinate; `std > 0`.
        trainable_parameters: whether they are trained.
        seed_generator: what `sample` draws from where it is given no seed.

    >>> base = DiagonalNormal()
    >>> base.build((None, 2))
    >>> base.log_prob(np.zeros((1, 2), "float32"))  # [-1.8379]
    """

    def __init__(self, mean: Any = 0.0, std: Any = 1.0, trainable_parameters: bool = False, seed_generator: Any = None, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.std = np.asarray(mean, "float32"), np.asarray(std, "float32")
        if not (np.isfinite(self.std).all() and (self.std > 0).all()):
            raise ValueError(f"DiagonalNormal needs std > 0, got {std!r}.")
        self.trainable_parameters, self.seed_generator = trainable_parameters, seed_generator

    def build(self, input_shape):
        shape = (input_shape[-1],)
        mean, log_std = np.broadcast_to(self.mean, shape), np.log(np.broadcast_to(self.std, shape))
        self.loc = self.add_weight(shape, lambda s, dtype=None: mean, trainable=self.trainable_parameters, name="mean")
        self.log_std = self.add_weight(shape, lambda s, dtype=None: log_std, trainable=self.trainable_parameters, name="log_std")

    def log_prob(self, samples: Any) -> Any:
        residual = (samples - self.loc) * ops.exp(-self.log_std)
        return -0.5 * ops.sum(ops.square(residual), -1) - ops.sum(self.log_std) - 0.5 * self.loc.shape[0] * math.log(2 * math.pi)

    def sample(self, batch_shape: int | Sequence[int], seed: Any = None) -> Any:
        shape = (*as_batch_shape(batch_shape), self.loc.shape[0])
        return random.normal(shape, seed=self.seed_generator if seed is None else seed) * ops.exp(self.log_std) + self.loc

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "trainable_parameters": self.trainable_parameters,
            "seed_generator": self.seed_generator,
        }
