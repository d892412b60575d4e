"""Llama 1 to 3. Touvron et al., 2023, https://arxiv.org/abs/2302.13971"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.saving import register_keras_serializable
from hub.checkpoint.table import Row
from hub.families.family import Family, Head, Tie
from hub.families.reader import ConfigReader, read_keys, read_rope, write_keys, write_rope
from hub.templates.decoder import DecoderBackbone

# What the configs of Llama and its relatives share: key -> field, and the values of absent keys.
KEYS = {
    "vocab_size": "vocabulary_size",
    "hidden_size": "hidden_dim",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_query_heads",
    "intermediate_size": "intermediate_dim",
    "max_position_embeddings": "max_sequence_length",
    "rms_norm_eps": "layer_norm_epsilon",
    "hidden_act": "activation",
    "tie_word_embeddings": "tie_word_embeddings",
    "attention_dropout": "attention_dropout",
    "initializer_range": "initializer_range",
}
DEFAULTS: dict[str, Any] = {
    "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "hidden_act": "silu", "tie_word_embeddings": False, "attention_dropout": 0.0,
    "initializer_range": 0.02,
}  # fmt: skip


def read_common(reader: ConfigReader, keys: dict[str, str] = KEYS, **defaults: Any) -> dict[str, Any]:
    """The fields that Llama and its relatives share; `defaults` are values of absent keys that differ from Llama's."""
    fields = read_keys(reader, keys, {**DEFAULTS, **defaults})
    heads, width = reader.size("num_attention_heads"), reader.size("hidden_size")
    fields["num_key_value_heads"] = reader.size("num_key_value_heads", defaults.get("num_key_value_heads", heads))
    fields["head_dim"] = reader.size("head_dim", defaults.get("head_dim", width // heads))
    return {**fields, **read_rope(reader)}


def write_common(config: Any, keys: dict[str, str] = KEYS) -> dict[str, Any]:
    """The inverse of `read_common`."""
    return {
        **write_keys(config, keys), **write_rope(config), "num_key_value_heads": config.num_key_value_heads, "head_dim": config.head_dim,
    }  # fmt: skip


def read(reader: ConfigReader) -> dict[str, Any]:
    bias = reader.read("attention_bias", False)
    return {**read_common(reader), "attention_bias": bias, "output_bias": bias, "mlp_bias": reader.read("mlp_bias", False)}


def write(config: Any) -> dict[str, Any]:
    return {**write_common(config), "attention_bias": config.attention_bias, "mlp_bias": config.mlp_bias}


def rows(backbone: Any) -> Iterator[Row]:
    """The rows of Llama and its relatives; parts that a network lacks are left out."""
    yield Row("model.embed_tokens", backbone.token_embedding)
    for i, block in enumerate(backbone.transformer_layers):
        name, attention, feed_forward = f"model.layers.{i}", block.attention, block.feed_forward
        yield Row(f"{name}.input_layernorm", block.attention_norm)
        yield Row(f"{name}.self_attn.q_proj", attention.query)
        yield Row(f"{name}.self_attn.k_proj", attention.key)
        yield Row(f"{name}.self_attn.v_proj", attention.value)
        yield Row(f"{name}.self_attn.o_proj", attention.output_dense)
        if attention.query_norm is not None:
            yield Row(f"{name}.self_attn.q_norm", attention.query_norm)
            yield Row(f"{name}.self_attn.k_norm", attention.key_norm)
        if block.post_attention_norm is None:
            yield Row(f"{name}.post_attention_layernorm", block.feed_forward_norm)
        else:
            yield Row(f"{name}.post_attention_layernorm", block.post_attention_norm)
            yield Row(f"{name}.pre_feedforward_layernorm", block.feed_forward_norm)
            yield Row(f"{name}.post_feedforward_layernorm", block.post_feed_forward_norm)
        yield Row(f"{name}.mlp.gate_proj", feed_forward.gate)
        yield Row(f"{name}.mlp.up_proj", feed_forward.up)
        yield Row(f"{name}.mlp.down_proj", feed_forward.down)
    yield Row("model.norm", backbone.final_norm)
    if not backbone.config.tie_word_embeddings:
        yield Row("lm_head.weight", backbone.token_embedding, attribute="reverse_embeddings", optional=True)


def heads(name: str) -> dict[str, Head]:
    """The heads of Llama and its relatives; `name` begins their class names."""
    return {
        "causal_lm": Head(f"{name}ForCausalLM", repeated=("lm_head.weight",)),
        "text_classifier": Head(f"{name}ForSequenceClassification", {"output_dense": "score"}, state="last", use_bias=False),
    }


TIE = Tie("lm_head.weight", "model.embed_tokens.weight")
IGNORED = (r".*\.rotary_emb\.inv_freq",)


@register_keras_serializable(package="hub")
class LlamaBackbone(DecoderBackbone):
    """Llama without its head: token ids (batch, time) to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_query_heads, hidden_dim, intermediate_dim, num_key_value_heads: sizes.
        rope_max_wavelength: base of the rotary frequencies.
        rope_position_scaling_factor: positions are divided by it.
        rope_frequency_adjustment_factor, rope_low_freq_factor, rope_high_freq_factor, rope_pretraining_sequence_length: the scaling
            of Llama 3.1; see `hub.layers.Rotary`.
        layer_norm_epsilon, dropout, tie_word_embeddings: as they say.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.DecoderConfig`, such as `attention_bias`.

    >>> backbone = LlamaBackbone(99, 1, 4, 16, 32, 2)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    family_name = "llama"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_query_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        num_key_value_heads: int,
        rope_max_wavelength: float = 10000,
        rope_position_scaling_factor: float = 1.0,
        rope_frequency_adjustment_factor: float | None = None,
        rope_low_freq_factor: float | None = None,
        rope_high_freq_factor: float | None = None,
        rope_pretraining_sequence_length: int | None = None,
        layer_norm_epsilon: float = 1e-6,
        dropout: float = 0,
        dtype: Any = None,
        tie_word_embeddings: bool = False,
        **options: Any,
    ):
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_query_heads": num_query_heads, "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim, "num_key_value_heads": num_key_value_heads, "head_dim": hidden_dim // num_query_heads,
            "rope_max_wavelength": rope_max_wavelength, "rope_scaling_factor": rope_position_scaling_factor,
            "rope_frequency_adjustment_factor": rope_frequency_adjustment_factor, "rope_low_freq_factor": rope_low_freq_factor,
            "rope_high_freq_factor": rope_high_freq_factor, "rope_pretraining_sequence_length": rope_pretraining_sequence_length,
            "layer_norm_epsilon": layer_norm_epsilon, "dropout": dropout, "tie_word_embeddings": tie_word_embeddings,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


@register_keras_serializable(package="hub")
class Llama3Backbone(LlamaBackbone):
    """`LlamaBackbone` under the name that users of Llama 3 look for."""


FAMILIES = {
    "llama": Family(
        "llama", "hub.families.llama:LlamaBackbone", read, write, rows, prefix="model.", architecture="LlamaModel", heads=heads("Llama"),
        tie=TIE, ignored=IGNORED,
    )
}  # fmt: skip
