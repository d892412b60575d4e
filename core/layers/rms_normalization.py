"""`RMSNormalization`."""

from __future__ import annotations

from core import ops
from core.base import shapes
from core.layers.layer import Layer


class RMSNormalization(Layer):
    """The inputs divided by the root of their mean square over `axis`, times a learned `scale`. Zhang and Sennrich, 2019.

    Args:
        axis: axis or axes of the mean, along which `scale` has a value each.
        epsilon: added to the mean square.

    >>> RMSNormalization()(np.array([[3.0, 3.0]]))  # [[1., 1.]], nearly
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis if isinstance(axis, int) else list(axis), epsilon
        self.supports_masking = True

    def build(self, input_shape):
        axes = shapes.normalize_axes(self.axis, len(input_shape))
        self.axis = [self.axis] if isinstance(self.axis, int) else self.axis  # as files have it
        self.scale = self.add_weight(tuple(input_shape[a] for a in axes), "ones", name="scale")

    def call(self, inputs):
        return ops.rms_normalization(inputs, self.scale, self.axis, self.epsilon)

    def compute_output_shape(self, input_shape):
        shapes.normalize_axes(self.axis, len(input_shape))
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


__all__ = ["RMSNormalization"]
