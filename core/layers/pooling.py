"""Pooling over sliding windows."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import config, windows
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


class Pooling(Layer):
    """What pooling layers share. `rank` counts the spatial axes."""

    rank: int

    def __init__(
        self, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None, name: str | None = None, **kwargs
    ):
        super().__init__(name=name, **kwargs)
        self.pool_size = windows.spatial(pool_size, self.rank, "pool_size")
        self.strides = windows.spatial(pool_size if strides is None else strides, self.rank, "strides")
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in windows.PADDINGS:
            raise ValueError(f"{type(self).__name__} takes padding 'valid' or 'same', got {padding!r}.")
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def get_config(self):
        names = ("pool_size", "padding", "strides", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class MaxPooling(Pooling):
    """Maxima of windows."""

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def call(self, inputs):
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class AveragePooling(Pooling):
    """Means of windows."""

    def call(self, inputs):
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(MaxPooling):
    """The largest element of each window of steps, per channel: (batch, steps, channels) becomes (batch, new steps, channels).

    Args:
        pool_size: length of the window.
        strides: its step; `pool_size` where it is None.
        padding: `"valid"` (none) or `"same"` (steps become ceil(steps / strides)).
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.

    >>> MaxPooling1D(2)(np.ones((1, 6, 3), "float32")).shape
    (1, 3, 3)
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest element of each window, per channel: (batch, height, width, channels) becomes (batch, new height, new width, channels).

    Args:
        pool_size, strides: one number or two.
        padding, data_format: as in `MaxPooling1D`.

    >>> MaxPooling2D()(np.ones((1, 6, 6, 3), "float32")).shape
    (1, 3, 3, 3)
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest element of each window, per channel, of (batch, depth, height, width, channels).

    Args:
        pool_size, strides: one number or three.
        padding, data_format: as in `MaxPooling1D`.

    >>> MaxPooling3D()(np.ones((1, 4, 4, 4, 3), "float32")).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


class AveragePooling1D(AveragePooling):
    """The mean of each window of steps, per channel; padding does not count.

    Args:
        pool_size, strides, padding, data_format: as in `MaxPooling1D`.

    >>> AveragePooling1D(2)(np.ones((1, 6, 3), "float32")).shape
    (1, 3, 3)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """The mean of each window, per channel, of (batch, height, width, channels); padding does not count.

    Args:
        pool_size, strides, padding, data_format: as in `MaxPooling2D`.

    >>> AveragePooling2D(2)(np.ones((1, 6, 6, 3), "float32")).shape
    (1, 3, 3, 3)
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """The mean of each window, per channel, of (batch, depth, height, width, channels); padding does not count.

    Args:
        pool_size, strides, padding, data_format: as in `MaxPooling3D`.

    >>> AveragePooling3D(2)(np.ones((1, 4, 4, 4, 3), "float32")).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
