"""GPT-2. Radford et al., 2019, https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.saving import register_keras_serializable
from hub.checkpoint.table import Row
from hub.families.family import Family, Head, Tie
from hub.families.reader import ConfigReader, read_keys, write_keys
from hub.templates.decoder import DecoderBackbone

KEYS = {
    "vocab_size": "vocabulary_size",
    "n_embd": "hidden_dim",
    "n_layer": "num_layers",
    "n_head": "num_query_heads",
    "n_positions": "max_sequence_length",
    "activation_function": "activation",
    "layer_norm_epsilon": "layer_norm_epsilon",
    "resid_pdrop": "dropout",
    "attn_pdrop": "attention_dropout",
    "initializer_range": "initializer_range",
    "tie_word_embeddings": "tie_word_embeddings",
    "scale_attn_by_inverse_layer_idx": "attention_scale_by_layer",
}
DEFAULTS = {
    "vocab_size": 50257, "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5, "resid_pdrop": 0.1, "attn_pdrop": 0.1, "initializer_range": 0.02, "tie_word_embeddings": True,
    "scale_attn_by_inverse_layer_idx": False,
}  # fmt: skip
# What all GPT-2 networks have in common.
FIXED = {
    "normalization": "layer", "gated": False, "attention_bias": True, "output_bias": True, "mlp_bias": True, "positions": "learned",
}  # fmt: skip


def read(reader: ConfigReader) -> dict[str, Any]:
    fields = read_keys(reader, KEYS, DEFAULTS)
    hidden, heads = reader.size("n_embd", DEFAULTS["n_embd"]), reader.size("n_head", DEFAULTS["n_head"])
    scaled = reader.read("scale_attn_weights", True)
    return {
        **FIXED, **fields, "num_key_value_heads": heads, "head_dim": hidden // heads,
        "intermediate_dim": reader.read("n_inner", 4 * hidden), "attention_scale": None if scaled else 1.0,
    }  # fmt: skip


def write(config: Any) -> dict[str, Any]:
    return {**write_keys(config, KEYS), "n_inner": config.intermediate_dim, "scale_attn_weights": config.attention_scale is None}


def rows(backbone: Any) -> Iterator[Row]:
    """GPT-2 stores kernels as (in, out), and those of query, key and value side by side."""
    yield Row("transformer.wte", backbone.token_embedding)
    yield Row("transformer.wpe", backbone.position_embedding)
    for i, block in enumerate(backbone.transformer_layers):
        name, attention, feed_forward = f"transformer.h.{i}", block.attention, block.feed_forward
        yield Row(f"{name}.ln_1", block.attention_norm)
        yield Row(f"{name}.attn.c_attn", (attention.query, attention.key, attention.value), transposed=False)
        yield Row(f"{name}.attn.c_proj", attention.output_dense, transposed=False)
        yield Row(f"{name}.ln_2", block.feed_forward_norm)
        yield Row(f"{name}.mlp.c_fc", feed_forward.up, transposed=False)
        yield Row(f"{name}.mlp.c_proj", feed_forward.down, transposed=False)
    yield Row("transformer.ln_f", backbone.final_norm)
    if not backbone.config.tie_word_embeddings:
        yield Row("lm_head.weight", backbone.token_embedding, attribute="reverse_embeddings", optional=True)


@register_keras_serializable(package="hub")
class GPT2Backbone(DecoderBackbone):
    """GPT-2 without its head: token ids (batch, time) to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim, max_sequence_length: sizes.
        dropout: rate, also that of the attention's weights.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.DecoderConfig`.

    >>> backbone = GPT2Backbone(99, 1, 4, 16, 32, max_sequence_length=20)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    family_name = "gpt2"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int | None = None,
        hidden_dim: int | None = None,
        intermediate_dim: int | None = None,
        dropout: float = 0.1,
        max_sequence_length: int = 1024,
        dtype: Any = None,
        **options: Any,
    ):
        heads = num_heads or options.get("num_query_heads")
        if not (heads and hidden_dim and intermediate_dim):
            raise TypeError("GPT2Backbone needs num_heads, hidden_dim and intermediate_dim.")
        arguments = {
            **FIXED, "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_query_heads": heads, "num_key_value_heads": heads,
            "head_dim": hidden_dim // heads, "hidden_dim": hidden_dim, "intermediate_dim": intermediate_dim, "dropout": dropout,
            "attention_dropout": dropout, "max_sequence_length": max_sequence_length, "layer_norm_epsilon": 1e-5, "activation": "gelu_new",
            "tie_word_embeddings": True,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


FAMILIES = {
    "gpt2": Family(
        "gpt2", "hub.families.gpt2:GPT2Backbone", read, write, rows, prefix="transformer.", architecture="GPT2Model",
        tie=Tie("lm_head.weight", "transformer.wte.weight"),
        heads={
            "causal_lm": Head("GPT2LMHeadModel", repeated=("lm_head.weight",)),
            "text_classifier": Head("GPT2ForSequenceClassification", {"output_dense": "score"}, state="last", use_bias=False),
        },
        ignored=(r"h\.\d+\.attn\.(bias|masked_bias)",),
    )
}  # fmt: skip
