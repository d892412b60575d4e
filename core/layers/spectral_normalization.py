"""`SpectralNormalization`: a layer whose kernel keeps a largest singular value of 1. Miyato et al., 2018."""

from __future__ import annotations

from typing import Any

from core import ops
from core.layers.input_spec import InputSpec
from core.layers.wrapper import Wrapper


class SpectralNormalization(Wrapper):
    """`layer(inputs)`; in training, its kernel is divided before by an estimate of its largest singular value.

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: steps of the power method per call.

    >>> from core.layers import Dense
    >>> SpectralNormalization(Dense(4))(np.ones((2, 3), "float32"), training=True).shape
    (2, 4)
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations < 1:
            raise ValueError(f"SpectralNormalization needs a positive number of power_iterations, got {power_iterations}.")
        self.power_iterations = power_iterations

    def build(self, input_shape):
        super().build(input_shape)
        self.input_spec = InputSpec(shape=[None, *input_shape[1:]])
        self.kernel = next((getattr(self.layer, name) for name in ("kernel", "embeddings") if hasattr(self.layer, name)), None)
        if self.kernel is None:
            raise ValueError(
                f"SpectralNormalization needs a layer with a kernel or embeddings, got {type(self.layer).__name__} {self.layer.name!r}."
            )
        self.vector_u = self.add_weight((1, self.kernel.shape[-1]), "truncated_normal", trainable=False, name="vector_u")

    def call(self, inputs, training=False):
        if training:
            vector_u, kernel = self.normalized_weights()
            self.vector_u.assign(ops.cast(vector_u, self.vector_u.dtype))
            self.kernel.assign(ops.cast(kernel, self.kernel.dtype))
        return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def normalized_weights(self) -> tuple[Any, Any]:
        """`(u, kernel)`: the next estimate of the leading right singular vector, and the kernel over its singular value."""
        weights = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = ops.convert_to_tensor(self.vector_u)
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(weights)), epsilon=1e-12)
            u = ops.normalize(ops.matmul(v, weights), epsilon=1e-12)
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        sigma = ops.matmul(ops.matmul(v, weights), ops.transpose(u))
        # A kernel of zeros has no direction to normalize.
        return u, ops.reshape(ops.divide(weights, ops.where(ops.equal(sigma, 0), ops.ones_like(sigma), sigma)), self.kernel.shape)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
