"""The feed-forward half of a transformer block."""

from __future__ import annotations

from typing import Any

from core import layers, name_scope
from hub.layers.activation import activation as named
from hub.layers.linear import linear


class FeedForward(layers.Layer):
    """`down(f(up(x)))`, or gated `down(f(gate(x)) * up(x))` (Shazeer, 2020): states (batch, time, features) to the same shape.

    Args:
        features, inner: sizes of the states and between.
        activation: name of `f`.
        gated: whether there is a gate.
        use_bias: whether the projections add a bias.
        stddev: of the initial kernels; `down_stddev` where that of `down` differs.

    >>> FeedForward(4, 8, "silu", gated=True).call(np.ones((1, 2, 4), "float32")).shape
    (1, 2, 4)
    """

    def __init__(
        self,
        features: int,
        inner: int,
        activation: str,
        *,
        gated: bool = False,
        use_bias: bool = True,
        stddev: float = 0.02,
        down_stddev: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.activation = named(activation)
        with name_scope(self.name):
            self.gate = linear(features, inner, use_bias, stddev, "gate", policy) if gated else None
            self.up = linear(features, inner, use_bias, stddev, "up", policy)
            self.down = linear(inner, features, use_bias, down_stddev or stddev, "down", policy)
        self.built = True

    def call(self, x: Any) -> Any:
        if self.gate is None:
            return self.down(self.activation(self.up(x)))
        return self.down(self.activation(self.gate(x)) * self.up(x))
