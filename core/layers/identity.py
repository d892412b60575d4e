"""`Identity`: the inputs, unchanged."""

from __future__ import annotations

from core.base import tree
from core.layers.layer import Layer


class Identity(Layer):
    """The inputs, a tensor or a structure of tensors, unchanged.

    >>> Identity()(np.ones((2, 3), "float32")).shape
    (2, 3)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs):
        return tree.map_structure(lambda x: x, inputs)

    def get_config(self):
        return super().get_config()
