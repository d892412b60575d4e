"""`Rescaling`: `inputs * scale + offset`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import registry
from core.layers.data_layer import DataLayer


class Rescaling(DataLayer):
    """`inputs * scale + offset`, in the compute dtype: `Rescaling(1 / 255)` brings pixels into [0, 1].

    Args:
        scale, offset: numbers, or lists that broadcast to the inputs.

    >>> Rescaling(0.5, offset=1.0)(np.array([2, 4]))
    array([2., 3.], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True

    def call(self, inputs):
        dtype = self.compute_dtype
        return ops.add(ops.multiply(ops.cast(inputs, dtype), ops.cast(self.scale, dtype)), ops.cast(self.offset, dtype))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "scale": registry.serialize_keras_object(self.scale),
            "offset": registry.serialize_keras_object(self.offset),
        }
