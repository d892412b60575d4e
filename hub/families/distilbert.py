"""DistilBERT. Sanh et al., 2019, https://arxiv.org/abs/1910.01108"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.saving import register_keras_serializable
from hub.checkpoint.table import Row
from hub.families.family import Family, Head, Tie
from hub.families.reader import ConfigReader, read_keys, write_keys
from hub.templates.encoder import EncoderBackbone

KEYS = {
    "vocab_size": "vocabulary_size",
    "dim": "hidden_dim",
    "n_layers": "num_layers",
    "n_heads": "num_heads",
    "hidden_dim": "intermediate_dim",
    "max_position_embeddings": "max_sequence_length",
    "dropout": "dropout",
    "attention_dropout": "attention_dropout",
    "activation": "activation",
    "initializer_range": "initializer_range",
    "tie_word_embeddings": "tie_word_embeddings",
}
DEFAULTS = {
    "vocab_size": 30522, "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072, "max_position_embeddings": 512, "dropout": 0.1,
    "attention_dropout": 0.1, "activation": "gelu", "initializer_range": 0.02, "tie_word_embeddings": True,
}  # fmt: skip


def read(reader: ConfigReader) -> dict[str, Any]:
    reader.ignore("sinusoidal_pos_embds")  # how the table was first filled; the file has it
    return {**read_keys(reader, KEYS, DEFAULTS), "num_segments": 0, "pooler": False, "layer_norm_epsilon": 1e-12}


def write(config: Any) -> dict[str, Any]:
    return write_keys(config, KEYS)


def rows(backbone: Any) -> Iterator[Row]:
    yield Row("distilbert.embeddings.word_embeddings", backbone.token_embedding)
    yield Row("distilbert.embeddings.position_embeddings", backbone.position_embedding)
    yield Row("distilbert.embeddings.LayerNorm", backbone.embeddings_norm)
    for i, block in enumerate(backbone.transformer_layers):
        name, attention = f"distilbert.transformer.layer.{i}", block.attention
        yield Row(f"{name}.attention.q_lin", attention.query)
        yield Row(f"{name}.attention.k_lin", attention.key)
        yield Row(f"{name}.attention.v_lin", attention.value)
        yield Row(f"{name}.attention.out_lin", attention.output_dense)
        yield Row(f"{name}.sa_layer_norm", block.attention_norm)
        yield Row(f"{name}.ffn.lin1", block.feed_forward.up)
        yield Row(f"{name}.ffn.lin2", block.feed_forward.down)
        yield Row(f"{name}.output_layer_norm", block.feed_forward_norm)
    if not backbone.config.tie_word_embeddings:
        yield Row("vocab_projector.weight", backbone.token_embedding, attribute="reverse_embeddings", optional=True)


@register_keras_serializable(package="hub")
class DistilBertBackbone(EncoderBackbone):
    """DistilBERT without a head: a dict of `"token_ids"` and `"padding_mask"`, (batch, time), to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim, max_sequence_length: sizes.
        dropout: rate, also that of the attention's weights.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.EncoderConfig`.

    >>> backbone = DistilBertBackbone(99, 1, 4, 16, 32)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    family_name = "distilbert"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        dropout: float = 0.1,
        max_sequence_length: int = 512,
        dtype: Any = None,
        **options: Any,
    ):
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_heads": num_heads, "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim, "dropout": dropout, "attention_dropout": dropout,
            "max_sequence_length": max_sequence_length, "num_segments": 0, "pooler": False,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


FAMILIES = {
    "distilbert": Family(
        "distilbert", "hub.families.distilbert:DistilBertBackbone", read, write, rows, prefix="distilbert.",
        architecture="DistilBertModel",
        tie=Tie("vocab_projector.weight", "distilbert.embeddings.word_embeddings.weight"),
        heads={
            "masked_lm": Head(
                "DistilBertForMaskedLM", {"dense": "vocab_transform", "norm": "vocab_layer_norm", "bias": "vocab_projector.bias"},
                epsilon=1e-12, repeated=("vocab_projector.weight",),
            ),
            "text_classifier": Head(
                "DistilBertForSequenceClassification", {"hidden": "pre_classifier", "output_dense": "classifier"}, activation="relu",
                state="first",
            ),
        },
        ignored=(r"embeddings\.position_ids", r"qa_outputs\..*"),
    )
}  # fmt: skip
