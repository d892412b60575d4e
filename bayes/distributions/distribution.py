"""`Distribution`: a density that can be evaluated and drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core import layers
from core.random import SeedGenerator
from core.saving import deserialize_keras_object


class Distribution(layers.Layer):
    """Base of the base distributions of flows: a layer over vectors, since its parameters may be trained.

    Subclasses define `build(input_shape)`, `log_prob(samples)` and `sample(batch_shape, seed)`.
    """

    def call(self, samples: Any) -> Any:
        return self.log_prob(samples)

    def log_prob(self, samples: Any) -> Any:
        """The log-density of `samples` (..., dim), of shape (...,)."""
        raise TypeError(f"{type(self).__name__} does not define `log_prob`; a Distribution defines build, log_prob and sample.")

    def sample(self, batch_shape: int | Sequence[int], seed: Any = None) -> Any:
        """Draws of shape (*batch_shape, dim), from an integer seed, a `core.random.SeedGenerator`, or (None) the process' state."""
        raise TypeError(f"{type(self).__name__} does not define `sample`; a Distribution defines build, log_prob and sample.")

    def compute_output_shape(self, input_shape):
        return input_shape[:-1]

    @classmethod
    def from_config(cls, config: dict) -> Distribution:
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})


def as_batch_shape(batch_shape: int | Sequence[int]) -> tuple[int, ...]:
    """A batch shape as a tuple; an error names what is not one.

    >>> as_batch_shape(3)
    (3,)
    """
    shape = (batch_shape,) if isinstance(batch_shape, (int, np.integer)) else tuple(batch_shape)
    if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 0 for n in shape):
        raise ValueError(f"A batch shape is a number of samples or a tuple of non-negative integers, got {batch_shape!r}.")
    return tuple(int(n) for n in shape)


def split_seed(seed: Any, count: int) -> list:
    """`count` seeds for independent draws out of one: a `SeedGenerator` moves on by itself, an integer is spread by a hash.

    >>> split_seed(1, 2) == split_seed(1, 2), len(set(split_seed(1, 2)))
    (True, 2)
    """
    if seed is None or isinstance(seed, SeedGenerator):
        return [seed] * count
    return [int(word) for word in np.random.SeedSequence(int(seed) % 2**64).generate_state(count)]
