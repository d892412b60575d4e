"""T5, versions 1.0 and 1.1, and Flan-T5. Raffel et al., 2020, https://arxiv.org/abs/1910.10683"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.saving import register_keras_serializable
from hub.checkpoint.table import Row
from hub.families.family import Family, Head, Tie
from hub.families.reader import ConfigReader, read_keys, write_keys
from hub.templates.encoder_decoder import EncoderDecoderBackbone

KEYS = {
    "vocab_size": "vocabulary_size",
    "d_model": "hidden_dim",
    "d_kv": "key_value_dim",
    "d_ff": "intermediate_dim",
    "num_layers": "num_layers",
    "num_heads": "num_heads",
    "relative_attention_num_buckets": "num_buckets",
    "relative_attention_max_distance": "max_distance",
    "dropout_rate": "dropout",
    "layer_norm_epsilon": "layer_norm_epsilon",
    "initializer_factor": "initializer_factor",
    "tie_word_embeddings": "tie_embedding_weights",
}
DEFAULTS = {
    "vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8, "relative_attention_num_buckets": 32,
    "relative_attention_max_distance": 128, "dropout_rate": 0.1, "layer_norm_epsilon": 1e-6, "initializer_factor": 1.0,
    "tie_word_embeddings": True,
}  # fmt: skip


def read(reader: ConfigReader) -> dict[str, Any]:
    fields = read_keys(reader, KEYS, DEFAULTS)
    projection = reader.read("feed_forward_proj", "relu")
    reader.ignore("dense_act_fn", "is_gated_act", "output_past", "n_positions")  # the first two follow from the projection
    name = projection.removeprefix("gated-")
    return {
        **fields,
        "num_decoder_layers": reader.read("num_decoder_layers", fields["num_layers"]),
        "activation": "gelu_new" if projection == "gated-gelu" else name,
        "use_gated_activation": projection != name,
        "scale_decoder_outputs": reader.read("scale_decoder_outputs", fields["tie_embedding_weights"]),
    }


def write(config: Any) -> dict[str, Any]:
    name = "gelu" if config.activation == "gelu_new" and config.use_gated_activation else config.activation
    return {
        **write_keys(config, KEYS), "num_decoder_layers": config.decoder_layers, "scale_decoder_outputs": config.scale_decoder_outputs,
        "feed_forward_proj": f"gated-{name}" if config.use_gated_activation else name, "is_encoder_decoder": True,
    }  # fmt: skip


def rows(backbone: Any) -> Iterator[Row]:
    yield Row("shared", backbone.token_embedding)
    for side, stack in (("encoder", backbone.encoder), ("decoder", backbone.decoder)):
        first = f"{side}.block.0.layer.0.SelfAttention"
        yield Row(f"{first}.relative_attention_bias", stack.position_bias.table)
        for i, block in enumerate(stack.blocks):
            sublayers = [("SelfAttention", block.attention_norm, block.attention)]
            if block.cross_attention is not None:
                sublayers.append(("EncDecAttention", block.cross_attention_norm, block.cross_attention))
            for j, (kind, norm, attention) in enumerate(sublayers):
                name = f"{side}.block.{i}.layer.{j}"
                yield Row(f"{name}.layer_norm", norm)
                yield Row(f"{name}.{kind}.q", attention.query)
                yield Row(f"{name}.{kind}.k", attention.key)
                yield Row(f"{name}.{kind}.v", attention.value)
                yield Row(f"{name}.{kind}.o", attention.output_dense)
            name, feed_forward = f"{side}.block.{i}.layer.{len(sublayers)}", block.feed_forward
            yield Row(f"{name}.layer_norm", block.feed_forward_norm)
            if feed_forward.gate is None:
                yield Row(f"{name}.DenseReluDense.wi", feed_forward.up)
            else:
                yield Row(f"{name}.DenseReluDense.wi_0", feed_forward.gate)
                yield Row(f"{name}.DenseReluDense.wi_1", feed_forward.up)
            yield Row(f"{name}.DenseReluDense.wo", feed_forward.down)
        yield Row(f"{side}.final_layer_norm", stack.final_norm)
    if not backbone.config.tie_embedding_weights:
        yield Row("lm_head.weight", backbone.token_embedding, attribute="reverse_embeddings", optional=True)


@register_keras_serializable(package="hub")
class T5Backbone(EncoderDecoderBackbone):
    """T5 without its head; see `hub.templates.EncoderDecoderBackbone` for inputs and outputs.

    Args:
        vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim: sizes.
        key_value_dim: features of a head; `hidden_dim // num_heads` where it is None.
        dropout, activation, use_gated_activation, layer_norm_epsilon: as they say.
        tie_embedding_weights: whether logits use the table of token vectors; their states are then scaled, too.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.EncoderDecoderConfig`.

    >>> backbone = T5Backbone(99, 1, 4, 16, 32)
    >>> ids = np.ones((2, 3), "int32")
    >>> backbone({"encoder_token_ids": ids, "decoder_token_ids": ids})["decoder_sequence_output"].shape
    (2, 3, 16)
    """

    family_name = "t5"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        key_value_dim: int | None = None,
        dropout: float = 0.1,
        activation: str = "relu",
        use_gated_activation: bool = True,
        layer_norm_epsilon: float = 1e-6,
        tie_embedding_weights: bool = True,
        dtype: Any = None,
        **options: Any,
    ):
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_heads": num_heads, "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim, "key_value_dim": key_value_dim or hidden_dim // num_heads, "dropout": dropout,
            "num_decoder_layers": num_layers, "activation": activation, "use_gated_activation": use_gated_activation,
            "layer_norm_epsilon": layer_norm_epsilon, "tie_embedding_weights": tie_embedding_weights,
            "scale_decoder_outputs": tie_embedding_weights,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


FAMILIES = {
    "t5": Family(
        "t5", "hub.families.t5:T5Backbone", read, write, rows, prefix="", architecture="T5Model",
        tie=Tie("lm_head.weight", "shared.weight", "tie_embedding_weights"),
        heads={"seq2seq_lm": Head("T5ForConditionalGeneration", repeated=("lm_head.weight",))},
        ignored=(
            r"(encoder|decoder)\.embed_tokens\.weight",
            r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight",  # in the first files, and never used
        ),
    )
}  # fmt: skip
