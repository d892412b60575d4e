"""Pooling over all positions."""

from __future__ import annotations

from core import ops
from core.base import config, windows
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


class GlobalPooling(Layer):
    """What global pooling layers share. `rank` counts the spatial axes."""

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._axes = tuple(windows.spatial_axes(self.rank, self.data_format == "channels_last"))

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalMaxPooling(GlobalPooling):
    """Maxima over all positions."""

    def call(self, inputs):
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """Means over all positions."""

    def call(self, inputs):
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest element over the steps: (batch, steps, channels) becomes (batch, channels).

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.
        keepdims: whether the steps stay, as an axis of 1.

    >>> GlobalMaxPooling1D()(np.ones((2, 5, 3), "float32")).shape
    (2, 3)
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest element over the image: (batch, height, width, channels) becomes (batch, channels).

    Args:
        data_format, keepdims: as in `GlobalMaxPooling1D`.

    >>> GlobalMaxPooling2D()(np.ones((2, 5, 5, 3), "float32")).shape
    (2, 3)
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest element over the volume: (batch, depth, height, width, channels) becomes (batch, channels).

    Args:
        data_format, keepdims: as in `GlobalMaxPooling1D`.

    >>> GlobalMaxPooling3D()(np.ones((2, 4, 4, 4, 3), "float32")).shape
    (2, 3)
    """

    rank = 3


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean over the steps, or over those that a mask (batch, steps) lets count: (batch, steps, channels) becomes (batch, channels).

    Args:
        data_format, keepdims: as in `GlobalMaxPooling1D`.

    >>> GlobalAveragePooling1D()(np.ones((2, 5, 3), "float32")).shape
    (2, 3)
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), 2 if self.data_format == "channels_last" else 1)
        total = ops.sum(inputs * weights, axis=self._axes, keepdims=self.keepdims)
        return total / ops.sum(weights, axis=self._axes, keepdims=self.keepdims)

    def compute_mask(self, inputs, mask=None):
        return None


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean over the image: (batch, height, width, channels) becomes (batch, channels).

    Args:
        data_format, keepdims: as in `GlobalMaxPooling1D`.

    >>> GlobalAveragePooling2D()(np.ones((2, 5, 5, 3), "float32")).shape
    (2, 3)
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean over the volume: (batch, depth, height, width, channels) becomes (batch, channels).

    Args:
        data_format, keepdims: as in `GlobalMaxPooling1D`.

    >>> GlobalAveragePooling3D()(np.ones((2, 4, 4, 4, 3), "float32")).shape
    (2, 3)
    """

    rank = 3


GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D
