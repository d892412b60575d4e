"""`Masking`: steps of padding are left out of what follows."""

from __future__ import annotations

from core import ops
from core.layers.layer import Layer


class Masking(Layer):
    """(batch, steps, features), with zeros where all features of a step equal `mask_value`, and a mask that says so.

    >>> Masking()(np.ones((2, 3, 4), "float32")).shape
    (2, 3, 4)
    """

    def __init__(self, mask_value: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    @property
    def _makes_masks(self):
        return True

    def _counts(self, inputs, keepdims=False):
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=keepdims)

    def compute_mask(self, inputs, mask=None):
        return self._counts(inputs)

    def call(self, inputs):
        return inputs * ops.cast(self._counts(inputs, keepdims=True), ops.dtype(inputs))

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}
