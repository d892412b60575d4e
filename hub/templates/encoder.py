"""The encoder template: bidirectional, normalized after each sublayer. Devlin et al., 2019; Vaswani et al., 2017."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core import initializers, layers, name_scope, ops
from core.backend import KerasTensor
from core.saving import ConfigError
from hub.layers.attention import Attention
from hub.layers.feed_forward import FeedForward
from hub.layers.linear import linear
from hub.layers.masks import padding_bias
from hub.layers.normalization import normalization
from hub.models.backbone import Backbone, required
from hub.templates.config import check_positive, check_rates


@dataclass(frozen=True)
class EncoderConfig:
    """All that tells one encoder from another.

    Attributes:
        max_sequence_length: rows of the position table that tokens use.
        num_segments: rows of the segment table; 0 where there is none.
        pooler: whether there is a projection of the first state, `tanh(dense(x[:, 0]))`.
        padding_id: where given, positions count tokens other than this one, and start after it, as in RoBERTa; else they are places.
    """

    vocabulary_size: int
    num_layers: int
    num_heads: int
    hidden_dim: int
    intermediate_dim: int
    dropout: float = 0.1
    attention_dropout: float = 0.1
    max_sequence_length: int = 512
    num_segments: int = 2
    activation: str = "gelu"
    layer_norm_epsilon: float = 1e-12
    initializer_range: float = 0.02
    pooler: bool = True
    padding_id: int | None = None
    tie_word_embeddings: bool = True

    def __post_init__(self) -> None:
        sizes = "vocabulary_size num_layers num_heads hidden_dim intermediate_dim max_sequence_length"
        check_positive(self, sizes.split())
        check_rates(self, ("dropout", "attention_dropout"))
        if self.hidden_dim % self.num_heads:
            raise ConfigError(f"hidden_dim {self.hidden_dim} is no multiple of num_heads {self.num_heads}.")

    @property
    def position_rows(self) -> int:
        """Rows of the position table, those that padding takes included."""
        return self.max_sequence_length + (0 if self.padding_id is None else self.padding_id + 1)


class EncoderBlock(layers.Layer):
    """`x = norm(x + attention(x)); x = norm(x + feed_forward(x))` on states (batch, time, features)."""

    def __init__(self, config: EncoderConfig, **kwargs):
        super().__init__(**kwargs)
        c, policy = config, self.dtype_policy
        with name_scope(self.name):
            self.attention = Attention(
                c.hidden_dim, c.num_heads, c.num_heads, c.hidden_dim // c.num_heads, dropout=c.attention_dropout,
                stddev=c.initializer_range, name="attention", dtype=policy,
            )  # fmt: skip
            self.attention_norm = normalization("layer", c.hidden_dim, c.layer_norm_epsilon, "attention_norm", policy)
            self.feed_forward = FeedForward(
                c.hidden_dim, c.intermediate_dim, c.activation, stddev=c.initializer_range, name="feed_forward", dtype=policy
            )
            self.feed_forward_norm = normalization("layer", c.hidden_dim, c.layer_norm_epsilon, "feed_forward_norm", policy)
        self.dropout = layers.Dropout(c.dropout, name="dropout", dtype=policy)
        self.built = True

    def call(self, x: Any, bias: Any = None, training: bool | None = None) -> Any:
        found, _ = self.attention.call(x, bias, training=training)
        x = self.attention_norm(x + dropped(self.dropout, found, training))
        found = self.feed_forward.call(x)
        return self.feed_forward_norm(x + dropped(self.dropout, found, training))


class EncoderBackbone(Backbone):
    """Token ids (batch, time) to states (batch, time, hidden_dim).

    With `pooler`, the outputs are a dict of `"sequence_output"` and `"pooled_output"` (batch, hidden_dim), else the states alone.
    """

    config_class = EncoderConfig
    config: EncoderConfig

    def create(self, config: EncoderConfig) -> None:
        c, policy = config, self.dtype_policy
        self.token_embedding = layers.ReversibleEmbedding(
            c.vocabulary_size, c.hidden_dim, c.tie_word_embeddings, table(c), name="token_embedding", dtype=policy
        )
        self.position_embedding = layers.Embedding(c.position_rows, c.hidden_dim, table(c), name="position_embedding", dtype=policy)
        self.segment_embedding = None
        self.token_embedding.build()
        self.position_embedding.build()
        if c.num_segments:
            self.segment_embedding = layers.Embedding(c.num_segments, c.hidden_dim, table(c), name="segment_embedding", dtype=policy)
            self.segment_embedding.build()
        self.embeddings_norm = normalization("layer", c.hidden_dim, c.layer_norm_epsilon, "embeddings_norm", policy)
        self.embeddings_dropout = layers.Dropout(c.dropout, name="embeddings_dropout", dtype=policy)
        self.transformer_layers = [EncoderBlock(c, name=f"transformer_layer_{i}", dtype=policy) for i in range(c.num_layers)]
        self.pooler = linear(c.hidden_dim, c.hidden_dim, True, c.initializer_range, "pooled_dense", policy) if c.pooler else None

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        token_ids, padding_mask = required(inputs, "token_ids"), inputs.get("padding_mask")
        x = self.token_embedding(token_ids) + self.position_embedding(self.positions(token_ids))
        if self.segment_embedding is not None:
            segments = inputs.get("segment_ids")
            x = x + self.segment_embedding(ops.zeros_like(token_ids) if segments is None else segments)
        x = dropped(self.embeddings_dropout, self.embeddings_norm(x), training)
        bias = None if padding_mask is None else padding_bias(padding_mask, self.compute_dtype)
        for block in self.transformer_layers:
            x = block.call(x, bias, training)
        if self.pooler is None:
            return x
        return {"sequence_output": x, "pooled_output": ops.tanh(self.pooler(x[:, 0]))}

    def positions(self, token_ids: Any) -> Any:
        """The rows of the position table that tokens take, (batch or 1, time)."""
        padding_id = self.config.padding_id
        if padding_id is None:
            return ops.expand_dims(ops.arange(ops.shape(token_ids)[1]), 0)
        is_token = ops.cast(ops.not_equal(token_ids, padding_id), "int32")
        return ops.cumsum(is_token, axis=1) * is_token + padding_id

    def input_names(self) -> tuple[str, ...]:
        return ("token_ids", "padding_mask", *(("segment_ids",) if self.config.num_segments > 1 else ()))

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        shape = required(inputs, "token_ids").shape
        states = KerasTensor((*shape, self.config.hidden_dim), self.compute_dtype)
        if self.pooler is None:
            return states
        return {"sequence_output": states, "pooled_output": KerasTensor((shape[0], self.config.hidden_dim), self.compute_dtype)}


def table(config: Any) -> initializers.Initializer:
    """The initial values of a table of embeddings."""
    return initializers.TruncatedNormal(stddev=config.initializer_range)


def dropped(dropout: Any, x: Any, training: bool | None) -> Any:
    """`x`, in training with dropout. Outside of training the layer is not called at all."""
    return dropout(x, training=True) if training and dropout is not None else x
