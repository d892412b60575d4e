"""The decoder template: causal, normalized before each sublayer, with a cache for decoding one step at a time.

Radford et al., 2019 (GPT-2); Touvron et al., 2023 (Llama); Gemma Team, 2024 (Gemma 2). Which of the many small
differences a network has is all in `DecoderConfig`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from core import backend, layers, name_scope, ops
from core.backend import KerasTensor
from core.saving import ConfigError
from hub.layers.attention import Attention
from hub.layers.feed_forward import FeedForward
from hub.layers.masks import as_bias, causal
from hub.layers.normalization import KINDS, normalization
from hub.layers.rotary import Rotary
from hub.models.backbone import Backbone, required
from hub.templates.config import check_choice, check_positive, check_rates
from hub.templates.encoder import dropped, table


@dataclass(frozen=True)
class DecoderConfig:
    """All that tells one decoder from another.

    Attributes:
        num_query_heads, num_key_value_heads, head_dim: see `hub.layers.Attention`.
        normalization: "layer", "rms" or "offset_rms".
        gated, mlp_bias, activation: see `hub.layers.FeedForward`.
        attention_bias, output_bias: whether query, key and value, and the projection after them, add a bias.
        positions: "rotary" or "learned" (a table of `max_sequence_length` rows).
        rope_...: see `hub.layers.Rotary`.
        head_norm: whether each head's query and key are normalized.
        post_norm: whether the result of each sublayer is normalized as well.
        embedding_scale: factor of the token vectors.
        attention_scale: factor of the logits of attention; `head_dim ** -0.5` where it is None. With `attention_scale_by_layer` it
            is divided by the number of the layer, from 1.
        attention_soft_cap, final_soft_cap: caps of the logits of attention and of tokens.
        sliding_window_size: how far back the layers see that are true in `window_layers`.
        tie_word_embeddings: whether logits use the table of token vectors.
    """

    vocabulary_size: int
    num_layers: int
    num_query_heads: int
    num_key_value_heads: int
    head_dim: int
    hidden_dim: int
    intermediate_dim: int
    max_sequence_length: int | None = None
    normalization: str = "rms"
    layer_norm_epsilon: float = 1e-6
    activation: str = "silu"
    gated: bool = True
    attention_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    positions: str = "rotary"
    rope_max_wavelength: float = 10000.0
    rope_scaling_factor: float = 1.0
    rope_frequency_adjustment_factor: float | None = None
    rope_low_freq_factor: float | None = None
    rope_high_freq_factor: float | None = None
    rope_pretraining_sequence_length: int | None = None
    head_norm: bool = False
    post_norm: bool = False
    embedding_scale: float | None = None
    attention_scale: float | None = None
    attention_scale_by_layer: bool = False
    attention_soft_cap: float | None = None
    final_soft_cap: float | None = None
    sliding_window_size: int | None = None
    window_layers: tuple[bool, ...] = ()
    tie_word_embeddings: bool = False
    dropout: float = 0.0
    attention_dropout: float = 0.0
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        sizes = "vocabulary_size num_layers num_query_heads num_key_value_heads head_dim hidden_dim intermediate_dim max_sequence_length"
        check_positive(self, [*sizes.split(), "sliding_window_size"])
        check_rates(self, ("dropout", "attention_dropout"))
        check_choice(self, "normalization", KINDS)
        check_choice(self, "positions", ("rotary", "learned"))
        if self.num_query_heads % self.num_key_value_heads:
            raise ConfigError(f"num_query_heads {self.num_query_heads} is no multiple of num_key_value_heads {self.num_key_value_heads}.")
        if self.positions == "rotary" and self.head_dim % 2:
            raise ConfigError(f"Rotary positions pair features, so head_dim must be even, got {self.head_dim}.")
        if self.positions == "learned" and self.max_sequence_length is None:
            raise ConfigError("Learned positions need max_sequence_length.")
        if any(self.window_layers) and (self.sliding_window_size is None or len(self.window_layers) != self.num_layers):
            raise ConfigError(
                f"window_layers needs sliding_window_size and one value for each of the {self.num_layers} layers, "
                f"got {len(self.window_layers)} values and sliding_window_size={self.sliding_window_size}."
            )
        llama3 = (self.rope_low_freq_factor, self.rope_high_freq_factor, self.rope_pretraining_sequence_length)
        if self.rope_frequency_adjustment_factor is not None and None in llama3:
            raise ConfigError(
                "rope_frequency_adjustment_factor needs rope_low_freq_factor, rope_high_freq_factor and rope_pretraining_sequence_length."
            )
        # One way to say each thing, so that configs that mean the same are equal.
        if not any(self.window_layers):
            object.__setattr__(self, "window_layers", ())
        if self.attention_scale is not None and math.isclose(self.attention_scale, self.head_dim**-0.5, rel_tol=1e-12):
            object.__setattr__(self, "attention_scale", None)

    @property
    def rotary(self) -> Rotary | None:
        """The rotary positions, None for learned ones."""
        if self.positions != "rotary":
            return None
        return Rotary(
            self.head_dim, self.rope_max_wavelength, self.rope_scaling_factor, self.rope_frequency_adjustment_factor,
            self.rope_low_freq_factor, self.rope_high_freq_factor, self.rope_pretraining_sequence_length,
        )  # fmt: skip

    def has_window(self, layer: int) -> bool:
        """Whether that layer sees no further back than `sliding_window_size`."""
        return bool(self.window_layers) and self.window_layers[layer]

    def scale(self, layer: int) -> float:
        """The factor of that layer's attention logits."""
        scale = self.head_dim**-0.5 if self.attention_scale is None else self.attention_scale
        return scale / (layer + 1) if self.attention_scale_by_layer else scale


class DecoderBlock(layers.Layer):
    """`x += attention(norm(x)); x += feed_forward(norm(x))` on states (batch, time, features), with norms after both if asked for."""

    def __init__(self, config: DecoderConfig, index: int, **kwargs):
        super().__init__(**kwargs)
        c, policy = config, self.dtype_policy

        def norm(name: str) -> layers.Layer:
            return normalization(c.normalization, c.hidden_dim, c.layer_norm_epsilon, name, policy)

        with name_scope(self.name):
            self.attention_norm = norm("attention_norm")
            self.attention = Attention(
                c.hidden_dim, c.num_query_heads, c.num_key_value_heads, c.head_dim, use_bias=c.attention_bias,
                use_output_bias=c.output_bias, scale=c.scale(index), soft_cap=c.attention_soft_cap,
                head_norm=c.normalization if c.head_norm else None, epsilon=c.layer_norm_epsilon, dropout=c.attention_dropout,
                stddev=c.initializer_range, name="attention", dtype=policy,
            )  # fmt: skip
            self.post_attention_norm = norm("post_attention_norm") if c.post_norm else None
            self.feed_forward_norm = norm("feed_forward_norm")
            self.feed_forward = FeedForward(
                c.hidden_dim, c.intermediate_dim, c.activation, gated=c.gated, use_bias=c.mlp_bias, stddev=c.initializer_range,
                name="feed_forward", dtype=policy,
            )  # fmt: skip
            self.post_feed_forward_norm = norm("post_feed_forward_norm") if c.post_norm else None
        self.dropout = layers.Dropout(c.dropout, name="dropout", dtype=policy) if c.dropout else None
        self.built = True

    def call(
        self,
        x: Any,
        bias: Any = None,
        turns: Any = None,
        cache: Any = None,
        index: Any = None,
        sources: int | None = None,
        training: bool | None = None,
    ) -> tuple[Any, Any]:
        found, cache = self.attention.call(self.attention_norm(x), bias, turns, cache, index, sources, training)
        if self.post_attention_norm is not None:
            found = self.post_attention_norm(found)
        x = x + dropped(self.dropout, found, training)
        found = self.feed_forward.call(self.feed_forward_norm(x))
        if self.post_feed_forward_norm is not None:
            found = self.post_feed_forward_norm(found)
        return x + dropped(self.dropout, found, training), cache


class DecoderBackbone(Backbone):
    """Token ids (batch, time) to states (batch, time, hidden_dim), each from its own token and those before it."""

    config_class = DecoderConfig
    config: DecoderConfig

    def create(self, config: DecoderConfig) -> None:
        c, policy = config, self.dtype_policy
        self.token_embedding = layers.ReversibleEmbedding(
            c.vocabulary_size, c.hidden_dim, c.tie_word_embeddings, table(c), logit_soft_cap=c.final_soft_cap, name="token_embedding",
            dtype=policy,
        )  # fmt: skip
        self.token_embedding.build()
        self.position_embedding = None
        if c.positions == "learned":
            self.position_embedding = layers.Embedding(
                c.max_sequence_length, c.hidden_dim, table(c), name="position_embedding", dtype=policy
            )
            self.position_embedding.build()
        self.embeddings_dropout = layers.Dropout(c.dropout, name="embeddings_dropout", dtype=policy) if c.dropout else None
        self.transformer_layers = [DecoderBlock(c, i, name=f"transformer_layer_{i}", dtype=policy) for i in range(c.num_layers)]
        self.final_norm = normalization(c.normalization, c.hidden_dim, c.layer_norm_epsilon, "final_norm", policy)
        self._rotary = c.rotary

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """States of whole sequences. `"position_ids"` (batch, time) may be given; they are places in the sequence otherwise."""
        token_ids, padding_mask = required(inputs, "token_ids"), inputs.get("padding_mask")
        time, positions = ops.shape(token_ids)[1], inputs.get("position_ids")
        positions = ops.expand_dims(ops.arange(time), 0) if positions is None else positions
        x, turns = self._embedded(token_ids, positions, training)
        biases = self._biases(time, time, padding_mask)
        for i, block in enumerate(self.transformer_layers):
            x, _ = block.call(x, biases[self.config.has_window(i)], turns, training=training)
        return self.final_norm(x)

    def logits(self, states: Any) -> Any:
        """Scores of the next token, (..., vocabulary_size), from states (..., hidden_dim)."""
        return self.token_embedding(states, reverse=True)

    # ---------------------------------------------------------------------------------------- decoding

    def make_cache(self, batch_size: int, length: int, dtype: str | None = None) -> tuple:
        """An empty cache: for each layer `(keys, values)`, (batch_size, num_key_value_heads, length, head_dim)."""
        c = self.config
        shape = (batch_size, c.num_key_value_heads, length, c.head_dim)
        with backend.use(self.backend):
            return tuple((ops.zeros(shape, dtype or self.compute_dtype), ops.zeros(shape, dtype or self.compute_dtype))
                         for _ in range(c.num_layers))  # fmt: skip

    def call_with_cache(self, token_ids: Any, cache: tuple, cache_index: Any, positions: Any, mask: Any) -> tuple[Any, tuple]:
        """States of the next tokens, and the cache with them in it.

        Args:
            token_ids: the next tokens (batch, time).
            cache: of `make_cache`; it must not be used afterwards.
            cache_index: the slot of the first of them, an integer or a scalar tensor; the others follow.
            positions: their positions (batch, time). Slots and positions of one row must advance together.
            mask: which slots hold tokens, those of `token_ids` included, (batch, length); all where it is None. Later slots are hidden
                without it.

        Returns:
            States (batch, time, hidden_dim), and the new cache.
        """
        x, turns = self._embedded(token_ids, positions, None)
        time, slots = ops.shape(token_ids)[1], cache[0][0].shape[2]
        if not self.backend.tracing():  # the index is a number: nobody need look at slots beyond it
            cache_index = int(cache_index)
            slots = cache_index + time
        biases = self._biases(time, slots, None if mask is None else mask[:, :slots], cache_index)
        new = []
        for i, block in enumerate(self.transformer_layers):
            x, of_layer = block.call(x, biases[self.config.has_window(i)], turns, cache[i], cache_index, slots)
            new.append(of_layer)
        return self.final_norm(x), tuple(new)

    # ---------------------------------------------------------------------------------------- parts

    def _embedded(self, token_ids: Any, positions: Any, training: bool | None) -> tuple[Any, Any]:
        """The first states, and the turns of rotary positions, None for learned ones."""
        x = self.token_embedding(token_ids)
        if self.config.embedding_scale is not None:
            x = x * ops.cast(self.config.embedding_scale, x.dtype)
        if self.position_embedding is not None:
            x = x + self.position_embedding(positions)
        turns = None if self._rotary is None else self._rotary.turns(positions, self.compute_dtype)
        return dropped(self.embeddings_dropout, x, training), turns

    def _biases(self, time: Any, sources: Any, mask: Any, index: Any = 0) -> dict[bool, Any]:
        """The bias of layers without a window (False) and with one (True), for targets `index` to `index + time` among `sources`.

        It is None where a target may see all sources: where the only one is the last, and there is neither padding nor a window.
        """
        c = self.config
        seen = None if mask is None else ops.cast(mask, "bool")[:, None, None, :]
        last = isinstance(index, int) and isinstance(time, int) and time == 1 and sources == index + 1
        biases = {}
        for windowed in sorted({c.has_window(i) for i in range(c.num_layers)}):
            allowed = seen
            if windowed or not last:
                allowed = causal(ops.arange(time) + index, ops.arange(sources), c.sliding_window_size if windowed else None)[None, None]
                allowed = allowed if seen is None else ops.logical_and(allowed, seen)
            biases[windowed] = None if allowed is None else as_bias(allowed, self.compute_dtype)
        return biases

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        return KerasTensor((*required(inputs, "token_ids").shape, self.config.hidden_dim), self.compute_dtype)
