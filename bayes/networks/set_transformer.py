"""`SetTransformer`: a summary of a set by attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayes.networks.attention import AttentionBlock, AttentionPooling, InducedAttentionBlock
from bayes.networks.summary_network import SummaryNetwork, check_sequence
from core import initializers, layers
from core.saving import register_keras_serializable


@register_keras_serializable("bayes")
class SetTransformer(SummaryNetwork):
    """(batch, set size, features) as (batch, summary_dim), whatever the order of the set. Lee et al., 2019 (arXiv 1810.00825).

    Args:
        summary_dim: size of the summary.
        embed_dims, num_heads: width and heads of each block of self-attention.
        num_seeds: learned queries that pool the set.
        dropout, expansion_factor, glu_variant, kernel_initializer, use_bias, layer_norm: of the blocks.
        num_inducing_points: where given, blocks attend by way of so many learned points: linear in the size of the set.
        seed_dim: width of the pooling; the last of `embed_dims` where None.

    >>> SetTransformer(summary_dim=4)(np.ones((2, 7, 3), "float32")).shape
    (2, 4)
    """

    def __init__(
        self,
        summary_dim: int = 16,
        embed_dims: Sequence[int] = (64, 64),
        num_heads: Sequence[int] = (4, 4),
        num_seeds: int = 4,
        dropout: float | None = 0.05,
        expansion_factor: float = 4.0,
        glu_variant: str = "swiglu",
        kernel_initializer: Any = "glorot_uniform",
        use_bias: bool = False,
        layer_norm: bool = True,
        num_inducing_points: int | None = None,
        seed_dim: int | None = None,
        **kwargs,
    ):
        super().__init__(summary_dim, **kwargs)
        if len(embed_dims) != len(num_heads) or not embed_dims:
            raise ValueError(f"SetTransformer needs a width and a number of heads for each block, got {embed_dims!r} and {num_heads!r}.")
        self.embed_dims, self.num_heads, self.num_seeds = list(embed_dims), list(num_heads), num_seeds
        self.num_inducing_points, self.seed_dim = num_inducing_points, seed_dim
        self.options = {
            "dropout": dropout,
            "expansion_factor": expansion_factor,
            "glu_variant": glu_variant,
            "kernel_initializer": initializers.serialize(initializers.get(kernel_initializer)),
            "use_bias": use_bias,
            "layer_norm": layer_norm,
        }
        self.blocks: list[layers.Layer] = []
        for width, heads in zip(self.embed_dims, self.num_heads):
            options = {**self.options, "num_heads": heads}
            if num_inducing_points is None:
                self.blocks.append(AttentionBlock(width, **options))
            else:
                self.blocks.append(InducedAttentionBlock(num_inducing_points, width, **options))
        self.pooling = AttentionPooling(num_seeds, seed_dim or self.embed_dims[-1], **self.options, num_heads=self.num_heads[-1])
        self.head = layers.Dense(summary_dim)

    def build(self, input_shape):
        check_sequence(input_shape, "SetTransformer")
        shape = tuple(input_shape)
        for block, width in zip(self.blocks, self.embed_dims):
            block.build(shape)
            shape = (*shape[:-1], width)
        self.pooling.build(shape)
        self.head.build((shape[0], self.pooling.num_seeds * self.pooling.width))

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        for block in self.blocks:
            x = block(x, mask=mask, training=training)
        return self.head(self.pooling(x, mask=mask, training=training))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **self.options,
            "embed_dims": self.embed_dims,
            "num_heads": self.num_heads,
            "num_seeds": self.num_seeds,
            "num_inducing_points": self.num_inducing_points,
            "seed_dim": self.seed_dim,
        }
