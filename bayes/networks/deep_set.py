"""`DeepSet`: a summary of a set by pooled embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayes.networks.attention import AttentionPooling
from bayes.networks.mlp import MLP
from bayes.networks.summary_network import SummaryNetwork, check_sequence, pooled
from core import initializers, layers, ops
from core.saving import register_keras_serializable

POOLINGS = ("mean", "max")


class EquivariantBlock(layers.Layer):
    """`x + mlp([norm x, pooled(mlp(norm x))])`: every element sees itself and what the set says."""

    def __init__(self, embed_dim: int, inner_pooling: str, layer_norm: bool, mlp_options: dict[str, Any], **kwargs):
        super().__init__(**kwargs)
        self.embed_dim, self.inner_pooling = embed_dim, inner_pooling
        self.norm = layers.RMSNormalization() if layer_norm else None
        self.invariant, self.equivariant = MLP(**mlp_options), MLP(**mlp_options)
        self.outward = layers.Dense(embed_dim)

    def build(self, input_shape):
        if self.norm is not None:
            self.norm.build(input_shape)
        self.invariant.build(input_shape)
        code = self.invariant.compute_output_shape(input_shape)[-1]
        self.equivariant.build((*input_shape[:-1], input_shape[-1] + code))
        self.outward.build(self.equivariant.compute_output_shape(input_shape))

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        h = x if self.norm is None else self.norm(x)
        code = ops.expand_dims(pooled(self.invariant(h, training=training), mask, self.inner_pooling), 1)
        code = ops.broadcast_to(code, (*ops.shape(h)[:2], code.shape[-1]))
        return x + self.outward(self.equivariant(ops.concatenate([h, code], -1), training=training))


@register_keras_serializable("bayes")
class DeepSet(SummaryNetwork):
    """(batch, set size, features) as (batch, summary_dim), whatever the order of the set, linear in its size.

    Zaheer et al., 2017 (arXiv 1703.06114); Bloem-Reddy and Teh, 2020 (arXiv 1901.06082).

    Args:
        summary_dim: size of the summary.
        embed_dim: width of the elements' embeddings.
        depth: number of equivariant blocks.
        mlp_widths: of the networks inside a block.
        inner_pooling: `"mean"` or `"max"`.
        num_heads, num_seeds, seed_dim, expansion_factor, glu_variant, use_bias: of the attention that pools at the end.
        layer_norm, activation, kernel_initializer, dropout: of the blocks.

    >>> DeepSet(summary_dim=4)(np.ones((2, 7, 3), "float32")).shape
    (2, 4)
    """

    def __init__(
        self,
        summary_dim: int = 16,
        embed_dim: int = 64,
        depth: int = 2,
        mlp_widths: Sequence[int] = (64,),
        inner_pooling: str = "mean",
        num_heads: int = 4,
        num_seeds: int = 4,
        seed_dim: int | None = None,
        expansion_factor: float = 4.0,
        glu_variant: str = "swiglu",
        use_bias: bool = False,
        layer_norm: bool = True,
        activation: str = "silu",
        kernel_initializer: str = "he_normal",
        dropout: float | None = 0.05,
        **kwargs,
    ):
        super().__init__(summary_dim, **kwargs)
        if inner_pooling not in POOLINGS:
            raise ValueError(f"DeepSet pools by one of {POOLINGS}, got {inner_pooling!r}.")
        if not isinstance(depth, int) or depth < 1:
            raise ValueError(f"DeepSet needs a positive integer of blocks as `depth`, got {depth!r}.")
        self.options = {
            "embed_dim": embed_dim, "depth": depth, "mlp_widths": list(mlp_widths), "inner_pooling": inner_pooling,
            "num_heads": num_heads, "num_seeds": num_seeds, "seed_dim": seed_dim, "expansion_factor": expansion_factor,
            "glu_variant": glu_variant, "use_bias": use_bias, "layer_norm": layer_norm, "activation": activation,
            "kernel_initializer": initializers.serialize(initializers.get(kernel_initializer)), "dropout": dropout,
        }  # fmt: skip
        mlp = {"widths": mlp_widths, "activation": activation, "kernel_initializer": kernel_initializer, "dropout": dropout}
        self.embedding = layers.Dense(embed_dim)
        self.blocks = [EquivariantBlock(embed_dim, inner_pooling, layer_norm, mlp) for _ in range(depth)]
        self.pooling = AttentionPooling(
            num_seeds, seed_dim or embed_dim, num_heads=num_heads, dropout=dropout, expansion_factor=expansion_factor,
            glu_variant=glu_variant, use_bias=use_bias, layer_norm=layer_norm,
        )  # fmt: skip
        self.head = layers.Dense(summary_dim)

    def build(self, input_shape):
        check_sequence(input_shape, "DeepSet")
        self.embedding.build(input_shape)
        shape = (*input_shape[:-1], self.embedding.units)
        for block in self.blocks:
            block.build(shape)
        self.pooling.build(shape)
        self.head.build((shape[0], self.pooling.num_seeds * self.pooling.width))

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        x = self.embedding(x)
        for block in self.blocks:
            x = block(x, mask=mask, training=training)
        return self.head(self.pooling(x, mask=mask, training=training))

    def get_config(self) -> dict:
        return {**super().get_config(), **self.options}
