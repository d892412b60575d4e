"""The normalizations of language models."""

from __future__ import annotations

from core import layers, ops


class OffsetRMSNormalization(layers.Layer):
    """The inputs divided by the root of their mean square over the last axis, times `1 + scale`, as in Gemma.

    The weight is stored as its distance from one, so that weight decay pulls towards the identity.

    Args:
        epsilon: added to the mean square.

    >>> OffsetRMSNormalization()(np.array([[3.0, 3.0]], "float32"))  # [[1., 1.]], nearly
    """

    def __init__(self, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "zeros", name="scale")

    def call(self, inputs):
        return ops.rms_normalization(inputs, self.scale + 1.0, -1, self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


KINDS = {
    "layer": layers.LayerNormalization,
    "rms": layers.RMSNormalization,
    "offset_rms": OffsetRMSNormalization,
}


def normalization(kind: str, size: int, epsilon: float, name: str, dtype=None) -> layers.Layer:
    """A built normalization of `size` features; `kind` is "layer", "rms" or "offset_rms".

    >>> normalization("rms", 4, 1e-6, "norm").scale.shape
    (4,)
    """
    layer = KINDS[kind](epsilon=epsilon, name=name, dtype=dtype)
    layer.build((None, None, size))
    return layer
