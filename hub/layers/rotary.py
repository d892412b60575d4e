"""Rotary position embedding. Su et al., 2021, https://arxiv.org/abs/2104.09864"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from core import ops


@dataclass(frozen=True)
class Rotary:
    """How fast each pair of features turns with the position.

    Attributes:
        head_dim: number of features of a head; feature `i` is paired with `i + head_dim / 2`.
        max_wavelength: the base of the geometric row of frequencies (`rope_theta`).
        scaling_factor: positions are divided by it ("linear" scaling).
        frequency_adjustment_factor: where given, low frequencies are divided by it and those between are blended, as in Llama 3.1;
            `low_freq_factor`, `high_freq_factor` and `pretraining_sequence_length` say which are low.
    """

    head_dim: int
    max_wavelength: float = 10000.0
    scaling_factor: float = 1.0
    frequency_adjustment_factor: float | None = None
    low_freq_factor: float | None = None
    high_freq_factor: float | None = None
    pretraining_sequence_length: int | None = None

    @functools.cache  # noqa: B019 - instances are equal by value, and few
    def frequencies(self) -> np.ndarray:
        """Radians per position, (head_dim / 2,), float32.

        >>> Rotary(4).frequencies()
        array([1.  , 0.01], dtype=float32)
        """
        exponents = np.arange(0, self.head_dim, 2, dtype=np.float32) / np.float32(self.head_dim)
        frequencies = (np.float32(1.0) / np.float32(self.max_wavelength) ** exponents).astype(np.float32)
        if self.frequency_adjustment_factor is not None:
            frequencies = self._adjusted(frequencies, self.frequency_adjustment_factor)
        return (frequencies / np.float32(self.scaling_factor)).astype(np.float32)

    def _adjusted(self, frequencies: np.ndarray, factor: float) -> np.ndarray:
        """High frequencies stay, low ones are divided by the factor, and those between go from the one to the other linearly."""
        low, high, length = self.low_freq_factor, self.high_freq_factor, self.pretraining_sequence_length
        assert low is not None and high is not None and length is not None
        turns = length * frequencies / (2 * math.pi)  # in the sequences of the pretraining
        kept = np.clip((turns - low) / (high - low), 0.0, 1.0)
        return (kept * frequencies + (1 - kept) * frequencies / factor).astype(np.float32)

    def turns(self, positions: Any, dtype: str) -> tuple[Any, Any]:
        """Cosines and signed sines for `rotate`, each (batch, time, 1, head_dim), from integer positions (batch, time)."""
        angles = ops.expand_dims(ops.cast(positions, "float32"), -1) * ops.convert_to_tensor(self.frequencies())
        cosine, sine = ops.cos(angles), ops.sin(angles)
        cosine, sine = ops.concatenate([cosine, cosine], -1), ops.concatenate([-sine, sine], -1)
        return ops.expand_dims(ops.cast(cosine, dtype), 2), ops.expand_dims(ops.cast(sine, dtype), 2)


def rotate(x: Any, turns: tuple[Any, Any]) -> Any:
    """`x` (batch, time, heads, head_dim) with each pair of features `(i, i + head_dim / 2)` turned.

    >>> x = np.ones((1, 1, 1, 2), "float32")
    >>> rotate(x, Rotary(2).turns(np.zeros((1, 1), "int32"), "float32")).shape
    (1, 1, 1, 2)
    """
    cosine, sine = turns
    return x * cosine + ops.roll(x, x.shape[-1] // 2, axis=-1) * sine
