"""Layers that disturb their inputs in training: Gaussian noise, added or multiplied, and dropout that keeps SELU's moments."""

from __future__ import annotations

from core import ops, random
from core.layers.dropout import check_rate
from core.layers.layer import Layer
from core.state.seed import SeedGenerator


class GaussianNoise(Layer):
    """The inputs, in training with normal noise of standard deviation `stddev` added.

    >>> GaussianNoise(0.1)(np.ones((2, 3)))  # ones: no noise outside training
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(stddev, (int, float)) or stddev < 0:
            raise ValueError(f"GaussianNoise expected a `stddev` of at least 0, got {stddev!r}.")
        self.stddev, self.seed = stddev, seed
        if stddev > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        return inputs + random.normal(ops.shape(inputs), 0.0, self.stddev, dtype=self.compute_dtype, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


class GaussianDropout(Layer):
    """The inputs, in training multiplied by normal noise of mean 1 and variance `rate / (1 - rate)`. Srivastava et al., 2014.

    >>> GaussianDropout(0.5)(np.ones((2, 3)), training=True).shape
    (2, 3)
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if check_rate("GaussianDropout", rate) == 1:
            raise ValueError("GaussianDropout expected a `rate` below 1: at 1 the noise has no finite variance.")
        self.rate, self.seed = rate, seed
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        stddev = (self.rate / (1 - self.rate)) ** 0.5
        return inputs * random.normal(ops.shape(inputs), 1.0, stddev, dtype=self.compute_dtype, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


class AlphaDropout(Layer):
    """The inputs, in training with elements set to SELU's lower limit and all rescaled, so that mean and variance stay 0 and 1.

    Klambauer et al., 2017.

    >>> AlphaDropout(0.5)(np.ones((2, 3)), training=True).shape
    (2, 3)
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if check_rate("AlphaDropout", rate) == 1:
            raise ValueError("AlphaDropout expected a `rate` below 1: nothing would be left to rescale.")
        self.rate, self.seed, self.noise_shape = rate, seed, noise_shape
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        limit = -1.7580993408473766  # -alpha * scale of SELU
        factor = ((1 - self.rate) * (1 + self.rate * limit**2)) ** -0.5
        shape = ops.shape(inputs)
        if self.noise_shape is not None:
            shape = tuple(own if given is None else given for own, given in zip(shape, self.noise_shape))
        kept = random.uniform(shape, dtype=self.compute_dtype, seed=self.seed_generator) >= self.rate
        return ops.subtract(ops.multiply(ops.where(kept, inputs, limit), factor), factor * limit * self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


__all__ = ["AlphaDropout", "GaussianDropout", "GaussianNoise"]
