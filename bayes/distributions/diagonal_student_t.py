"""`DiagonalStudentT`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bayes.distributions.distribution import Distribution, as_batch_shape, split_seed
from core import ops, random
from core.saving import register_keras_serializable


@register_keras_serializable("bayes")
class DiagonalStudentT(Distribution):
    """Independent Student-t coordinates: tails that outliers do not stretch. Alexanderson and Henter, 2020 (arXiv 2006.06599).

    Args:
        df: degrees of freedom, the same for all coordinates.
        loc, scale: numbers, or one per coordinate; `scale > 0`.
        trainable_parameters: whether `loc` and `scale` are trained.
        seed_generator: what `sample` draws from where it is given no seed.

    >>> base = DiagonalStudentT(df=3)
    >>> base.build((None, 1))
    >>> base.log_prob(np.zeros((1, 1), "float32"))  # [-1.0009]
    """

    def __init__(
        self,
        df: float = 25,
        loc: Any = 0.0,
        scale: Any = 1.0,
        trainable_parameters: bool = False,
        seed_generator: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.df, self.mean, self.scale = float(df), np.asarray(loc, "float32"), np.asarray(scale, "float32")
        if not self.df > 0:
            raise ValueError(f"DiagonalStudentT needs df > 0, got {df!r}.")
        if not (np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise ValueError(f"DiagonalStudentT needs scale > 0, got {scale!r}.")
        self.trainable_parameters, self.seed_generator = trainable_parameters, seed_generator

    def build(self, input_shape):
        shape = (input_shape[-1],)
        loc, log_scale = np.broadcast_to(self.mean, shape), np.log(np.broadcast_to(self.scale, shape))
        self.loc = self.add_weight(shape, lambda s, dtype=None: loc, trainable=self.trainable_parameters, name="loc")
        self.log_scale = self.add_weight(shape, lambda s, dtype=None: log_scale, trainable=self.trainable_parameters, name="log_scale")

    def log_prob(self, samples: Any) -> Any:
        df, residual = self.df, (samples - self.loc) * ops.exp(-self.log_scale)
        constant = math.lgamma(0.5 * (df + 1)) - math.lgamma(0.5 * df) - 0.5 * math.log(math.pi * df)
        kernel = -0.5 * (df + 1) * ops.sum(ops.log1p(ops.square(residual) / df), -1)
        return kernel - ops.sum(self.log_scale) + constant * self.loc.shape[0]

    def sample(self, batch_shape: int | Sequence[int], seed: Any = None) -> Any:
        shape = (*as_batch_shape(batch_shape), self.loc.shape[0])
        first, second = split_seed(self.seed_generator if seed is None else seed, 2)
        chi_square = 2.0 * random.gamma(shape, 0.5 * self.df, seed=first)
        draws = random.normal(shape, seed=second) * ops.rsqrt(chi_square / self.df)
        return draws * ops.exp(self.log_scale) + self.loc

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "df": self.df,
            "loc": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "trainable_parameters": self.trainable_parameters,
            "seed_generator": self.seed_generator,
        }
