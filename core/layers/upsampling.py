"""Positions repeated, or images interpolated: `UpSampling1D` to `3D`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import config, windows
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling1D(Layer):
    """Each step `size` times: (batch, steps, channels) becomes (batch, steps * size, channels).

    >>> UpSampling1D(2)(np.ones((1, 3, 4), "float32")).shape
    (1, 6, 4)
    """

    def __init__(self, size: int = 2, **kwargs):
        super().__init__(**kwargs)
        (self.size,) = windows.spatial(size, 1, "size")
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs):
        return ops.repeat(inputs, self.size, axis=1)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class _UpSampling(Layer):
    rank: int

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.size = windows.spatial(size, self.rank, "size")
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        for axis, times in zip(windows.spatial_axes(self.rank, self.data_format == "channels_last"), self.size):
            inputs = ops.repeat(inputs, times, axis=axis)
        return inputs

    def get_config(self):
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}


class UpSampling2D(_UpSampling):
    """Images grown by whole factors: (batch, height, width, channels) becomes (batch, height * size, width * size, channels).

    Args:
        size: one number or two.
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.
        interpolation: `"nearest"` repeats rows and columns; `"bilinear"`, `"bicubic"`, `"lanczos3"` and `"lanczos5"` interpolate.

    >>> UpSampling2D(2)(np.ones((1, 3, 3, 4), "float32")).shape
    (1, 6, 6, 4)
    """

    rank = 2

    def __init__(self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation.lower()
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"UpSampling2D takes interpolation {', '.join(INTERPOLATIONS)}, got {interpolation!r}.")

    def call(self, inputs):
        if self.interpolation == "nearest":
            return super().call(inputs)
        first = 1 if self.data_format == "channels_last" else 2
        height, width = (n * times for n, times in zip(ops.shape(inputs)[first : first + 2], self.size))
        return ops.image.resize(inputs, (height, width), interpolation=self.interpolation, data_format=self.data_format)

    def get_config(self):
        return {**super().get_config(), "interpolation": self.interpolation}


class UpSampling3D(_UpSampling):
    """Volumes grown by whole factors: each position of (batch, depth, height, width, channels) is repeated along its axes.

    Args:
        size: one number or three.
        data_format: as in `UpSampling2D`.

    >>> UpSampling3D(2)(np.ones((1, 2, 2, 2, 3), "float32")).shape
    (1, 4, 4, 4, 3)
    """

    rank = 3
