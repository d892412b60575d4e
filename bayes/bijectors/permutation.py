"""Maps that mix coordinates between couplings: fixed permutations, and a learned linear map."""

from __future__ import annotations

from typing import Any

import numpy as np

from core import initializers, layers, ops
from core.random import host
from core.saving import register_keras_serializable


@register_keras_serializable("bayes")
class Permutation(layers.Layer):
    """The coordinates of (batch, dim) in another, fixed order.

    Args:
        kind: `"random"`, an order drawn from `seed` that moves the coordinates between the halves wherever it can; `"swap"`, a roll by
            half of the coordinates.
        seed: an integer, of which the order is a function.

    >>> z, _ = Permutation("swap")(np.array([[1.0, 2.0, 3.0, 4.0]], "float32"))  # [[3., 4., 1., 2.]]
    """

    def __init__(self, kind: str = "random", seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        if kind not in ("random", "swap"):
            raise ValueError(f"Permutation knows the kinds 'random' and 'swap', got {kind!r}.")
        self.kind, self.seed = kind, seed

    def build(self, input_shape):
        dim = input_shape[-1]
        if self.kind == "swap" or dim < 3:  # of two coordinates, the other order is the only one that mixes
            order = np.roll(np.arange(dim), dim // 2)
        else:
            order = host.host_generator(self.seed).permutation(dim)
        self.order = order.astype("int32")
        self.back = np.argsort(order).astype("int32")

    def call(self, x: Any) -> tuple[Any, Any]:
        return self.forward(x)

    def forward(self, x: Any) -> tuple[Any, Any]:
        """`(z, log_det)`; the log-determinant is 0."""
        return ops.take(x, self.order, -1), 0.0

    def inverse(self, z: Any) -> tuple[Any, Any]:
        """`(x, log_det)`."""
        return ops.take(z, self.back, -1), 0.0

    def get_config(self) -> dict:
        return {**super().get_config(), "kind": self.kind, "seed": self.seed}


@register_keras_serializable("bayes")
class OrthogonalLinear(layers.Layer):
    """`z = x W` with a learned square matrix that starts orthogonal: a permutation that can turn. Glow's 1 x 1 convolution.

    The log-determinant costs O(dim^3), as does the inverse.

    >>> z, log_det = OrthogonalLinear()(np.ones((2, 3), "float32"))
    """

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, input_shape):
        dim = input_shape[-1]
        self.kernel = self.add_weight((dim, dim), initializers.Orthogonal(seed=self.seed), name="kernel")

    def call(self, x: Any) -> tuple[Any, Any]:
        return self.forward(x)

    def forward(self, x: Any) -> tuple[Any, Any]:
        """`(z, log_det)`."""
        return ops.matmul(x, self.kernel), ops.slogdet(self.kernel)[1]

    def inverse(self, z: Any) -> tuple[Any, Any]:
        """`(x, log_det)`, the log-determinant being that of this inverse."""
        return ops.matmul(z, ops.inv(self.kernel)), -ops.slogdet(self.kernel)[1]

    def get_config(self) -> dict:
        return {**super().get_config(), "seed": self.seed}
