"""BERT, and MiniLM. Devlin et al., 2019, https://arxiv.org/abs/1810.04805; Wang et al., 2020, https://arxiv.org/abs/2002.10957"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.saving import register_keras_serializable
from hub.checkpoint.table import Row
from hub.families.family import Family, Head, Tie
from hub.families.reader import ConfigReader, read_keys, write_keys
from hub.templates.encoder import EncoderBackbone

# Key -> field, as RoBERTa has them as well.
KEYS = {
    "vocab_size": "vocabulary_size",
    "hidden_size": "hidden_dim",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "intermediate_size": "intermediate_dim",
    "hidden_dropout_prob": "dropout",
    "attention_probs_dropout_prob": "attention_dropout",
    "type_vocab_size": "num_segments",
    "hidden_act": "activation",
    "layer_norm_eps": "layer_norm_epsilon",
    "initializer_range": "initializer_range",
    "tie_word_embeddings": "tie_word_embeddings",
}
DEFAULTS = {
    "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
    "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    "initializer_range": 0.02, "tie_word_embeddings": True,
}  # fmt: skip


def read_common(reader: ConfigReader) -> dict[str, Any]:
    """The fields that BERT and RoBERTa share."""
    reader.only("position_embedding_type", "absolute")
    reader.only("is_decoder", False)
    return read_keys(reader, KEYS, DEFAULTS)


def read(reader: ConfigReader) -> dict[str, Any]:
    return {**read_common(reader), "max_sequence_length": reader.read("max_position_embeddings", 512)}


def write(config: Any) -> dict[str, Any]:
    return {**write_keys(config, KEYS), "max_position_embeddings": config.max_sequence_length}


def rows_under(root: str, backbone: Any) -> Iterator[Row]:
    """The rows of BERT and RoBERTa, whose names begin with `root`."""
    yield Row(f"{root}.embeddings.word_embeddings", backbone.token_embedding)
    yield Row(f"{root}.embeddings.position_embeddings", backbone.position_embedding)
    if backbone.segment_embedding is not None:
        yield Row(f"{root}.embeddings.token_type_embeddings", backbone.segment_embedding)
    yield Row(f"{root}.embeddings.LayerNorm", backbone.embeddings_norm)
    for i, block in enumerate(backbone.transformer_layers):
        name, attention = f"{root}.encoder.layer.{i}", block.attention
        yield Row(f"{name}.attention.self.query", attention.query)
        yield Row(f"{name}.attention.self.key", attention.key)
        yield Row(f"{name}.attention.self.value", attention.value)
        yield Row(f"{name}.attention.output.dense", attention.output_dense)
        yield Row(f"{name}.attention.output.LayerNorm", block.attention_norm)
        yield Row(f"{name}.intermediate.dense", block.feed_forward.up)
        yield Row(f"{name}.output.dense", block.feed_forward.down)
        yield Row(f"{name}.output.LayerNorm", block.feed_forward_norm)
    if backbone.pooler is not None:
        yield Row(f"{root}.pooler.dense", backbone.pooler, optional=True)


def rows(backbone: Any) -> Iterator[Row]:
    yield from rows_under("bert", backbone)
    if not backbone.config.tie_word_embeddings:
        yield Row("cls.predictions.decoder.weight", backbone.token_embedding, attribute="reverse_embeddings", optional=True)


@register_keras_serializable(package="hub")
class BertBackbone(EncoderBackbone):
    """BERT without a head.

    Inputs are a dict of `"token_ids"`, `"padding_mask"` and `"segment_ids"`, each (batch, time); outputs a dict of
    `"sequence_output"` (batch, time, hidden_dim) and `"pooled_output"` (batch, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim, max_sequence_length, num_segments: sizes.
        dropout: rate, also that of the attention's weights.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.EncoderConfig`, such as `activation`.

    >>> backbone = BertBackbone(99, 1, 4, 16, 32)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")})["pooled_output"].shape
    (2, 16)
    """

    family_name = "bert"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        dropout: float = 0.1,
        max_sequence_length: int = 512,
        num_segments: int = 2,
        dtype: Any = None,
        **options: Any,
    ):
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_heads": num_heads, "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim, "dropout": dropout, "attention_dropout": dropout,
            "max_sequence_length": max_sequence_length, "num_segments": num_segments,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


FAMILIES = {
    "bert": Family(
        "bert", "hub.families.bert:BertBackbone", read, write, rows, prefix="bert.", architecture="BertModel",
        tie=Tie("cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"),
        heads={
            "masked_lm": Head(
                "BertForMaskedLM",
                {"dense": "cls.predictions.transform.dense", "norm": "cls.predictions.transform.LayerNorm", "bias": "cls.predictions.bias"},
                repeated=("cls.predictions.decoder.weight", "cls.predictions.decoder.bias"),
            ),
            "text_classifier": Head("BertForSequenceClassification", {"output_dense": "classifier"}, state="pooled"),
        },
        ignored=(r"embeddings\.position_ids", r"embeddings\.token_type_ids", r"cls\.seq_relationship\..*", r"qa_outputs\..*"),
    )
}  # fmt: skip
