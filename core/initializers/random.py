"""Random initializers. They draw on the host, so that a seed gives the same weights on every backend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.backend import seeds
from core.base.errors import unknown_name
from core.initializers.initializer import Initializer
from core.random import host


class RandomInitializer(Initializer):
    """Base of the random ones. An integer seed, or none, gives the same values at each call; a `SeedGenerator` new ones.

    Without a seed, one is drawn from NumPy's global generator when the initializer is made.
    """

    def __init__(self, seed: Any = None):
        self.seed = seed
        self._words = seeds.fresh() if seed is None else seed

    def draw(self, kind: str, shape: tuple[int, ...], **parameters: float) -> np.ndarray:
        """Draws with this initializer's seed."""
        return host.draw(kind, shape, self._words, **parameters)

    def get_config(self) -> dict:
        return {"seed": self.seed}


class RandomNormal(RandomInitializer):
    """Draws from a normal distribution.

    >>> core.ops.shape(RandomNormal(stddev=0.1, seed=1)((2, 3)))
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.draw("normal", shape, mean=self.mean, stddev=self.stddev)

    def get_config(self) -> dict:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Draws from a normal distribution cut at two standard deviations from its mean."""

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.draw("truncated_normal", shape, mean=self.mean, stddev=self.stddev)


class RandomUniform(RandomInitializer):
    """Draws between `minval` and `maxval`, all equally likely."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.draw("uniform", shape, minval=self.minval, maxval=self.maxval)

    def get_config(self) -> dict:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def fans(shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None) -> tuple[int, int]:
    """How many inputs each output of a kernel sums, and how many outputs each input feeds.

    >>> fans((3, 3, 16, 32))  # window, inputs, outputs
    (144, 288)
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
_CUT_STDDEV = 0.87962566103423978  # of a standard normal cut at two


class VarianceScaling(RandomInitializer):
    """Draws with mean zero and variance `scale / n`, where n counts inputs, outputs, or their average.

    Args:
        scale: a positive number.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"` (also `"normal"`), `"untruncated_normal"` or `"uniform"`.
        seed: an integer, a `SeedGenerator` or None.
        input_axes, output_axes: the axes of the shape that count as inputs and outputs; both or neither. By default the last two,
            each times the window that stands before them.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(f"scale must be a positive number, got {scale!r}.")
        if mode not in _MODES:
            raise unknown_name("mode", mode, _MODES)
        distribution = "truncated_normal" if str(distribution).lower() == "normal" else str(distribution).lower()
        if distribution not in _DISTRIBUTIONS:
            raise unknown_name("distribution", distribution, _DISTRIBUTIONS)
        if (input_axes is None) != (output_axes is None):
            raise ValueError(f"input_axes and output_axes go together, got {input_axes} and {output_axes}; give both or neither.")
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = _axes(input_axes), _axes(output_axes)

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = max(1.0, {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode])
        stddev = math.sqrt(self.scale / n)
        if self.distribution == "uniform":
            return self.draw("uniform", shape, minval=-math.sqrt(3) * stddev, maxval=math.sqrt(3) * stddev)
        if self.distribution == "untruncated_normal":
            return self.draw("normal", shape, stddev=stddev)
        return self.draw("truncated_normal", shape, stddev=stddev / _CUT_STDDEV)

    def get_config(self) -> dict:
        axes = {"input_axes": self.input_axes, "output_axes": self.output_axes}
        return {**super().get_config(), "scale": self.scale, "mode": self.mode, "distribution": self.distribution, **axes}


def _axes(axes: Any) -> list[int] | None:
    return None if axes is None else [axes] if isinstance(axes, int) else list(axes)


class _Named(VarianceScaling):
    """A variance scaling whose three settings are fixed by its name."""

    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None):
        super().__init__(*self.settings, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict:
        return {"seed": self.seed, "input_axes": self.input_axes, "output_axes": self.output_axes}


class GlorotUniform(_Named):
    """Uniform draws of variance 2 / (inputs + outputs); Glorot and Bengio, 2010."""

    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal draws of variance 2 / (inputs + outputs); Glorot and Bengio, 2010."""

    settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform draws of variance 2 / inputs, for ReLU networks; He et al., 2015."""

    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal draws of variance 2 / inputs, for ReLU networks; He et al., 2015."""

    settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform draws of variance 1 / inputs; LeCun et al., 1998."""

    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal draws of variance 1 / inputs; Klambauer et al., 2017."""

    settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`; Saxe et al., 2014.

    Shapes of more than two dimensions count as matrices whose columns are the last axis.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None):
        super().__init__(seed)
        self.gain = gain

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal makes matrices, so the shape must have at least two dimensions, got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        draws = self.draw("normal", (max(rows, columns), min(rows, columns))).astype(np.float64)
        q, r = np.linalg.qr(draws)
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # makes all rotations equally likely
        return self.gain * (q.T if rows < columns else q).reshape(shape)

    def get_config(self) -> dict:
        return {**super().get_config(), "gain": self.gain}
