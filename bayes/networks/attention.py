"""Blocks of attention over the observations of a set or series. Lee et al., 2019 (Set Transformer, arXiv 1810.00825)."""

from __future__ import annotations

from typing import Any

from core import layers, ops

GATES = {"swiglu": ops.silu, "geglu": ops.gelu, "reglu": ops.relu}


class GatedFeedForward(layers.Layer):
    """`W3 (gate(x W1) * (x W2))`, of the width of x. Shazeer, 2020 (arXiv 2002.05202).

    Args:
        expansion_factor: of the width inside, times 2/3, so that the three matrices cost as much as two of the full expansion.
    """

    def __init__(self, width: int, expansion_factor: float, glu_variant: str, use_bias: bool, kernel_initializer: Any, **kwargs):
        super().__init__(**kwargs)
        if glu_variant not in GATES:
            raise ValueError(f"A gated feed-forward layer knows the variants {sorted(GATES)}, got {glu_variant!r}.")
        inner = max(1, round(width * expansion_factor * 2 / 3))
        self.gate = GATES[glu_variant]
        options = {"use_bias": use_bias, "kernel_initializer": kernel_initializer}
        self.gated, self.linear = layers.Dense(inner, **options), layers.Dense(inner, **options)
        self.outward = layers.Dense(width, **options)

    def build(self, input_shape):
        self.gated.build(input_shape)
        self.linear.build(input_shape)
        self.outward.build((*input_shape[:-1], self.gated.units))

    def call(self, x: Any) -> Any:
        return self.outward(self.gate(self.gated(x)) * self.linear(x))


class AttentionBlock(layers.Layer):
    """Queries (batch, q, width) that gather from a set (batch, n, features): `h = q + attention(norm q, norm set)`, `h + ffn(norm h)`.

    Called with one argument, a set attends to itself. Masked observations are never looked at.
    """

    def __init__(
        self,
        width: int,
        num_heads: int = 4,
        dropout: float | None = 0.05,
        expansion_factor: float = 4.0,
        glu_variant: str = "swiglu",
        kernel_initializer: Any = "glorot_uniform",
        use_bias: bool = False,
        layer_norm: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if width % num_heads:
            raise ValueError(f"An attention of {num_heads} heads needs a width that they divide, got {width}.")
        self.width, rate = width, dropout or 0.0
        self.inward = layers.Dense(width, use_bias=use_bias, kernel_initializer=kernel_initializer)
        self.attention = layers.MultiHeadAttention(
            num_heads, width // num_heads, dropout=rate, use_bias=use_bias, kernel_initializer=kernel_initializer
        )
        self.feed_forward = GatedFeedForward(width, expansion_factor, glu_variant, use_bias, kernel_initializer)
        self.norms = [layers.RMSNormalization() for _ in range(3)] if layer_norm else []
        self.drop = layers.Dropout(rate) if rate else None

    def build(self, query_shape, value_shape=None):
        inner = (*query_shape[:-1], self.width)
        if query_shape[-1] != self.width:
            self.inward.build(query_shape)
        self.attention.build(inner, inner if value_shape is None else value_shape)
        self.feed_forward.build(inner)
        for norm, shape in zip(self.norms, (inner, value_shape, inner)):
            if shape is not None:
                norm.build(shape)

    def call(self, query: Any, value: Any = None, mask: Any = None, training: bool = False) -> Any:
        own = value is None
        query = self.inward(query) if query.shape[-1] != self.width else query
        normed = self.norms[0](query) if self.norms else query
        if own:
            gathered = normed
        else:
            gathered = self.norms[1](value) if self.norms else value
        attention_mask = None if mask is None else ops.expand_dims(mask, 1)  # the same observations for every query
        h = query + self.attention(normed, gathered, attention_mask=attention_mask, training=training)
        change = self.feed_forward(self.norms[2](h) if self.norms else h)
        return h + (change if self.drop is None else self.drop(change, training=training))


class InducedAttentionBlock(layers.Layer):
    """Self-attention by way of a few learned points: linear instead of quadratic in the number of observations."""

    def __init__(self, num_points: int, width: int, **options: Any):
        super().__init__()
        self.num_points, self.width = num_points, width
        self.gather, self.spread = AttentionBlock(width, **options), AttentionBlock(width, **options)

    def build(self, input_shape):
        self.points = self.add_weight((1, self.num_points, self.width), "glorot_uniform", name="points")
        points = (input_shape[0], self.num_points, self.width)
        self.gather.build(points, input_shape)
        self.spread.build(input_shape, points)

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        points = ops.broadcast_to(self.points, (ops.shape(x)[0], self.num_points, self.width))
        return self.spread(x, self.gather(points, x, mask=mask, training=training), training=training)


class AttentionPooling(layers.Layer):
    """A set (batch, n, features) as the answers (batch, num_seeds * width) to a few learned queries."""

    def __init__(self, num_seeds: int, width: int, **options: Any):
        super().__init__()
        if num_seeds < 1:
            raise ValueError(f"Attention pooling needs at least one seed, got {num_seeds!r}.")
        self.num_seeds, self.width = num_seeds, width
        self.block = AttentionBlock(width, **options)

    def build(self, input_shape):
        self.seeds = self.add_weight((1, self.num_seeds, self.width), "glorot_uniform", name="seeds")
        self.block.build((input_shape[0], self.num_seeds, self.width), input_shape)

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        rows = ops.shape(x)[0]
        seeds = ops.broadcast_to(self.seeds, (rows, self.num_seeds, self.width))
        return ops.reshape(self.block(seeds, x, mask=mask, training=training), (rows, self.num_seeds * self.width))
