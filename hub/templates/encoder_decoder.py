"""The encoder-decoder template: relative positions, normalized before each sublayer. Raffel et al., 2020 (T5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from core import backend, initializers, layers, name_scope, ops
from core.backend import KerasTensor
from hub.layers.attention import Attention
from hub.layers.feed_forward import FeedForward
from hub.layers.masks import as_bias, causal, padding_bias
from hub.layers.normalization import normalization
from hub.models.backbone import Backbone, required
from hub.templates.config import check_positive, check_rates
from hub.templates.encoder import dropped


@dataclass(frozen=True)
class EncoderDecoderConfig:
    """All that tells one encoder-decoder from another.

    Attributes:
        num_layers, num_decoder_layers: blocks of the encoder and of the decoder; as many where the latter is None.
        key_value_dim: features of a head.
        num_buckets, max_distance: of the relative positions.
        tie_embedding_weights: whether logits use the table of token vectors.
        scale_decoder_outputs: whether states are scaled by `hidden_dim ** -0.5` before logits are made of them.
    """

    vocabulary_size: int
    num_layers: int
    num_heads: int
    hidden_dim: int
    intermediate_dim: int
    key_value_dim: int
    num_decoder_layers: int | None = None
    dropout: float = 0.1
    activation: str = "relu"
    use_gated_activation: bool = True
    layer_norm_epsilon: float = 1e-6
    tie_embedding_weights: bool = True
    scale_decoder_outputs: bool = True
    num_buckets: int = 32
    max_distance: int = 128
    initializer_factor: float = 1.0

    def __post_init__(self) -> None:
        sizes = "vocabulary_size num_layers num_heads hidden_dim intermediate_dim key_value_dim num_decoder_layers"
        check_positive(self, [*sizes.split(), "num_buckets", "max_distance"])
        check_rates(self, ("dropout",))

    @property
    def decoder_layers(self) -> int:
        """Blocks of the decoder."""
        return self.num_layers if self.num_decoder_layers is None else self.num_decoder_layers


class RelativePositionBias(layers.Layer):
    """A learned term for each head and each bucket of distances, to be added to the logits of attention. Raffel et al., 2020.

    Small distances have a bucket each; larger ones share buckets whose widths grow, up to `max_distance`.

    Args:
        num_heads, num_buckets, max_distance: as they say.
        bidirectional: whether later sources have buckets of their own; they share the first one otherwise.

    >>> RelativePositionBias(2, 32, 128, True).call(np.arange(3), np.arange(3)).shape
    (1, 2, 3, 3)
    """

    def __init__(self, num_heads: int, num_buckets: int, max_distance: int, bidirectional: bool, stddev: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.bidirectional, self.max_distance = bidirectional, max_distance
        self.half = num_buckets // 2 if bidirectional else num_buckets
        self.buckets = distance_buckets(self.half, max_distance)
        with name_scope(self.name):
            self.table = layers.Embedding(
                num_buckets, num_heads, initializers.TruncatedNormal(stddev=stddev), name="table", dtype=self.dtype_policy
            )
            self.table.build()
        self.built = True

    def call(self, targets: Any, sources: Any) -> Any:
        """The term (1, heads, targets, sources) for the places of targets and of sources, integers in one dimension."""
        ahead = ops.expand_dims(sources, 0) - ops.expand_dims(targets, 1)
        distance = ops.abs(ahead) if self.bidirectional else ops.maximum(-ahead, 0)
        bucket = ops.take(ops.convert_to_tensor(self.buckets), ops.minimum(distance, self.max_distance), axis=0)
        if self.bidirectional:
            bucket = bucket + ops.cast(ahead > 0, "int32") * self.half
        return ops.expand_dims(ops.transpose(self.table(bucket), (2, 0, 1)), 0)


def distance_buckets(count: int, max_distance: int) -> np.ndarray:
    """The bucket of each distance from 0 to `max_distance`, int32.

    >>> distance_buckets(4, 8)
    array([0, 1, 2, 2, 3, 3, 3, 3, 3], dtype=int32)
    """
    exact = count // 2
    distances = np.arange(max_distance + 1)
    # In float32, as the published networks were trained: at powers of two the rounding decides.
    growth = np.log(np.maximum(distances, 1).astype(np.float32) / np.float32(exact)) / np.float32(math.log(max_distance / exact))
    wide = exact + (growth * np.float32(count - exact)).astype(np.int32)
    return np.where(distances < exact, distances, np.minimum(wide, count - 1)).astype(np.int32)


class EncoderDecoderBlock(layers.Layer):
    """`x += attention(norm(x))`, in a decoder the same to the encoder's states, `x += feed_forward(norm(x))`."""

    def __init__(self, config: EncoderDecoderConfig, is_decoder: bool, **kwargs):
        super().__init__(**kwargs)
        c, policy = config, self.dtype_policy
        inner, factor = c.num_heads * c.key_value_dim, c.initializer_factor
        stddev = factor * c.hidden_dim**-0.5

        def norm(name: str) -> layers.Layer:
            return normalization("rms", c.hidden_dim, c.layer_norm_epsilon, name, policy)

        def attention(name: str) -> Attention:
            return Attention(
                c.hidden_dim, c.num_heads, c.num_heads, c.key_value_dim, use_bias=False, use_output_bias=False, scale=1.0,
                dropout=c.dropout, stddev=stddev, query_stddev=stddev * c.key_value_dim**-0.5, output_stddev=factor * inner**-0.5,
                name=name, dtype=policy,
            )  # fmt: skip

        with name_scope(self.name):
            self.attention_norm, self.attention = norm("attention_norm"), attention("attention")
            self.cross_attention_norm: Any = None
            self.cross_attention: Any = None
            if is_decoder:
                self.cross_attention_norm, self.cross_attention = norm("cross_attention_norm"), attention("cross_attention")
            self.feed_forward_norm = norm("feed_forward_norm")
            self.feed_forward = FeedForward(
                c.hidden_dim, c.intermediate_dim, c.activation, gated=c.use_gated_activation, use_bias=False, stddev=stddev,
                down_stddev=factor * c.intermediate_dim**-0.5, name="feed_forward", dtype=policy,
            )  # fmt: skip
        self.dropout = layers.Dropout(c.dropout, name="dropout", dtype=policy) if c.dropout else None
        self.built = True

    def call(
        self,
        x: Any,
        bias: Any = None,
        cross: Any = None,
        cross_bias: Any = None,
        cache: Any = None,
        index: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, Any]:
        """New states, and the new cache. `cross` are the keys and values of the encoder's states, for a decoder."""
        found, cache = self.attention.call(self.attention_norm(x), bias, None, cache, index, training=training)
        x = x + dropped(self.dropout, found, training)
        if self.cross_attention is not None:
            query = self.cross_attention.queries(self.cross_attention_norm(x))
            x = x + dropped(self.dropout, self.cross_attention.attend(query, *cross, cross_bias, training), training)
        found = self.feed_forward.call(self.feed_forward_norm(x))
        return x + dropped(self.dropout, found, training), cache


class Stack(layers.Layer):
    """An encoder or a decoder: its blocks, its relative positions and its last norm."""

    def __init__(self, config: EncoderDecoderConfig, is_decoder: bool, **kwargs):
        super().__init__(**kwargs)
        c, policy = config, self.dtype_policy
        count = c.decoder_layers if is_decoder else c.num_layers
        with name_scope(self.name):
            self.position_bias = RelativePositionBias(
                c.num_heads, c.num_buckets, c.max_distance, not is_decoder, c.initializer_factor * c.hidden_dim**-0.5,
                name="position_bias", dtype=policy,
            )  # fmt: skip
            self.blocks = [EncoderDecoderBlock(c, is_decoder, name=f"transformer_layer_{i}", dtype=policy) for i in range(count)]
            self.final_norm = normalization("rms", c.hidden_dim, c.layer_norm_epsilon, "final_norm", policy)
        self.dropout = layers.Dropout(c.dropout, name="dropout", dtype=policy) if c.dropout else None
        self.built = True

    def call(
        self,
        x: Any,
        bias: Any = None,
        cross: Any = None,
        cross_bias: Any = None,
        cache: Any = None,
        index: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, tuple]:
        x, new = dropped(self.dropout, x, training), []
        for i, block in enumerate(self.blocks):
            x, of_block = block.call(
                x, bias, None if cross is None else cross[i], cross_bias, None if cache is None else cache[i], index, training
            )
            new.append(of_block)
        return dropped(self.dropout, self.final_norm(x), training), tuple(new)


class EncoderDecoderBackbone(Backbone):
    """Two sequences of token ids to two of states.

    Inputs are a dict of `"encoder_token_ids"`, `"encoder_padding_mask"`, `"decoder_token_ids"` and `"decoder_padding_mask"`, each
    (batch, time) with times of their own; outputs a dict of `"encoder_sequence_output"` and `"decoder_sequence_output"`,
    (batch, time, hidden_dim).
    """

    config_class = EncoderDecoderConfig
    config: EncoderDecoderConfig

    def create(self, config: EncoderDecoderConfig) -> None:
        c, policy = config, self.dtype_policy
        self.token_embedding = layers.ReversibleEmbedding(
            c.vocabulary_size, c.hidden_dim, c.tie_embedding_weights, initializers.TruncatedNormal(stddev=c.initializer_factor),
            name="token_embedding", dtype=policy,
        )  # fmt: skip
        self.token_embedding.build()
        self.encoder = Stack(c, False, name="encoder", dtype=policy)
        self.decoder = Stack(c, True, name="decoder", dtype=policy)

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        token_ids, encoder_mask = required(inputs, "decoder_token_ids"), inputs.get("encoder_padding_mask")
        encoded = self.encode(inputs, training)
        places = ops.arange(ops.shape(token_ids)[1])
        bias = self._decoder_bias(places, places, inputs.get("decoder_padding_mask"))
        cross_bias = None if encoder_mask is None else padding_bias(encoder_mask, self.compute_dtype)
        x, _ = self.decoder.call(
            self.token_embedding(token_ids), bias, self.cross_cache(encoded), cross_bias, training=training
        )
        return {"encoder_sequence_output": encoded, "decoder_sequence_output": x}

    def encode(self, inputs: Any, training: bool | None = None) -> Any:
        """The encoder's states (batch, time, hidden_dim), from `"encoder_token_ids"` and `"encoder_padding_mask"`."""
        token_ids, mask = required(inputs, "encoder_token_ids"), inputs.get("encoder_padding_mask")
        places = ops.arange(ops.shape(token_ids)[1])
        bias = self.encoder.position_bias.call(places, places)
        if mask is not None:
            bias = bias + padding_bias(mask, self.compute_dtype)
        return self.encoder.call(self.token_embedding(token_ids), bias, training=training)[0]

    def logits(self, states: Any) -> Any:
        """Scores of the next token, (..., vocabulary_size), from the decoder's states (..., hidden_dim)."""
        if self.config.scale_decoder_outputs:
            states = states * ops.cast(self.config.hidden_dim**-0.5, states.dtype)
        return self.token_embedding(states, reverse=True)

    # ---------------------------------------------------------------------------------------- decoding

    def make_cache(self, batch_size: int, length: int, dtype: str | None = None) -> tuple:
        """An empty cache: for each block of the decoder `(keys, values)`, (batch_size, num_heads, length, key_value_dim)."""
        c = self.config
        shape, dtype = (batch_size, c.num_heads, length, c.key_value_dim), dtype or self.compute_dtype
        with backend.use(self.backend):
            return tuple((ops.zeros(shape, dtype), ops.zeros(shape, dtype)) for _ in range(c.decoder_layers))

    def cross_cache(self, encoded: Any) -> tuple:
        """The keys and values of the encoder's states, for each block of the decoder."""
        return tuple(block.cross_attention.keys_and_values(encoded) for block in self.decoder.blocks)

    def decode_with_cache(
        self, token_ids: Any, cache: tuple, cache_index: Any, mask: Any, cross: tuple, encoder_padding_mask: Any = None
    ) -> tuple[Any, tuple]:
        """The decoder's states of the next tokens, and the cache with them in it.

        Args:
            token_ids: the next tokens (batch, time).
            cache: of `make_cache`; it must not be used afterwards.
            cache_index: the slot of the first of them, an integer or a scalar tensor; slots are positions.
            mask: which slots hold tokens, those of `token_ids` included, (batch, length), or None. Later slots are hidden without it.
            cross: of `cross_cache`.
            encoder_padding_mask: (batch, encoder time), true at tokens.

        Returns:
            States (batch, time, hidden_dim), and the new cache.
        """
        slots = ops.arange(ops.shape(token_ids)[1]) + cache_index
        bias = self._decoder_bias(slots, ops.arange(cache[0][0].shape[2]), mask)
        cross_bias = None if encoder_padding_mask is None else padding_bias(encoder_padding_mask, self.compute_dtype)
        return self.decoder.call(self.token_embedding(token_ids), bias, cross, cross_bias, cache, cache_index)

    def _decoder_bias(self, targets: Any, sources: Any, mask: Any) -> Any:
        """Relative positions, no later sources, no padding; (batch or 1, heads, targets, sources)."""
        allowed = causal(targets, sources)[None, None]
        if mask is not None:
            allowed = ops.logical_and(allowed, ops.cast(mask, "bool")[:, None, None, :])
        return self.decoder.position_bias.call(targets, sources) + as_bias(allowed, self.compute_dtype)

    # ---------------------------------------------------------------------------------------- symbolic

    def input_names(self) -> tuple[str, ...]:
        return ("encoder_token_ids", "encoder_padding_mask", "decoder_token_ids", "decoder_padding_mask")

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        return {f"{side}_sequence_output": KerasTensor((*required(inputs, f"{side}_token_ids").shape, self.config.hidden_dim),
                                                       self.compute_dtype) for side in ("encoder", "decoder")}  # fmt: skip
