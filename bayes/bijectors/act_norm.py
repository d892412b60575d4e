"""`ActNorm`: a learned scale and shift of each coordinate."""

from __future__ import annotations

from typing import Any

from core import layers, ops
from core.saving import register_keras_serializable


@register_keras_serializable("bayes")
class ActNorm(layers.Layer):
    """`z = exp(log_scale) * x + bias`, of (batch, dim). Kingma and Dhariwal, 2018 (Glow, arXiv 1807.03039).

    It starts as the identity: what enters a flow is standardised, so that no first batch need be looked at.

    >>> z, log_det = ActNorm()(np.ones((2, 3), "float32"))
    """

    def build(self, input_shape):
        self.log_scale = self.add_weight((input_shape[-1],), "zeros", name="log_scale")
        self.bias = self.add_weight((input_shape[-1],), "zeros", name="bias")

    def call(self, x: Any) -> tuple[Any, Any]:
        return self.forward(x)

    def forward(self, x: Any) -> tuple[Any, Any]:
        """`(z, log_det)`."""
        return x * ops.exp(self.log_scale) + self.bias, ops.sum(self.log_scale)

    def inverse(self, z: Any) -> tuple[Any, Any]:
        """`(x, log_det)`, the log-determinant being that of this inverse."""
        return (z - self.bias) * ops.exp(-self.log_scale), -ops.sum(self.log_scale)
