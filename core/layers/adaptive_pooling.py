"""Pooling to a given number of windows, whatever the size of the inputs."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import config, windows
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


class AdaptivePooling(Layer):
    """What adaptive pooling layers share. `rank` counts the spatial axes."""

    rank: int

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.output_size = windows.spatial(output_size, self.rank, "output_size")
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def get_config(self):
        return {**super().get_config(), "output_size": self.output_size, "data_format": self.data_format}


class AdaptiveAveragePooling(AdaptivePooling):
    """Means of windows."""

    def call(self, inputs):
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPooling(AdaptivePooling):
    """Maxima of windows."""

    def call(self, inputs):
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Means over `output_size` windows that cover the steps evenly: (batch, steps, channels) becomes (batch, output_size, channels).

    Args:
        output_size: number of windows.
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.

    >>> AdaptiveAveragePooling1D(2)(np.ones((1, 5, 3), "float32")).shape
    (1, 2, 3)
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Means over a grid of `output_size` windows: (batch, height, width, channels) becomes (batch, *output_size, channels).

    Args:
        output_size: one number or two.
        data_format: as in `AdaptiveAveragePooling1D`.

    >>> AdaptiveAveragePooling2D(2)(np.ones((1, 5, 5, 3), "float32")).shape
    (1, 2, 2, 3)
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Means over a grid of `output_size` windows of (batch, depth, height, width, channels).

    Args:
        output_size: one number or three.
        data_format: as in `AdaptiveAveragePooling1D`.

    >>> AdaptiveAveragePooling3D(2)(np.ones((1, 3, 4, 5, 3), "float32")).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Maxima over `output_size` windows that cover the steps evenly: (batch, steps, channels) becomes (batch, output_size, channels).

    Args:
        output_size, data_format: as in `AdaptiveAveragePooling1D`.

    >>> AdaptiveMaxPooling1D(2)(np.ones((1, 5, 3), "float32")).shape
    (1, 2, 3)
    """

    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Maxima over a grid of `output_size` windows: (batch, height, width, channels) becomes (batch, *output_size, channels).

    Args:
        output_size, data_format: as in `AdaptiveAveragePooling2D`.

    >>> AdaptiveMaxPooling2D(2)(np.ones((1, 5, 5, 3), "float32")).shape
    (1, 2, 2, 3)
    """

    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Maxima over a grid of `output_size` windows of (batch, depth, height, width, channels).

    Args:
        output_size, data_format: as in `AdaptiveAveragePooling3D`.

    >>> AdaptiveMaxPooling3D(2)(np.ones((1, 3, 4, 5, 3), "float32")).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3
