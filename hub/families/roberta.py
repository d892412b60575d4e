"""RoBERTa and XLM-RoBERTa. Liu et al., 2019, https://arxiv.org/abs/1907.11692; Conneau et al., 2020, https://arxiv.org/abs/1911.02116"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.saving import ConfigError, register_keras_serializable
from hub.checkpoint.table import Row
from hub.families.bert import KEYS, read_common, rows_under
from hub.families.family import Family, Head, Tie
from hub.families.reader import ConfigReader, write_keys
from hub.templates.encoder import EncoderBackbone


def read(reader: ConfigReader) -> dict[str, Any]:
    padding_id, table = reader.read("pad_token_id", 1), reader.read("max_position_embeddings", 512)
    if table <= padding_id + 1:
        raise ConfigError(f"The config says max_position_embeddings={table}; positions begin after pad_token_id={padding_id}.")
    return {**read_common(reader), "padding_id": padding_id, "max_sequence_length": table - padding_id - 1, "pooler": False}


def write(config: Any) -> dict[str, Any]:
    return {**write_keys(config, KEYS), "max_position_embeddings": config.position_rows, "pad_token_id": config.padding_id}


def rows(backbone: Any) -> Iterator[Row]:
    yield from rows_under("roberta", backbone)
    if not backbone.config.tie_word_embeddings:
        yield Row("lm_head.decoder.weight", backbone.token_embedding, attribute="reverse_embeddings", optional=True)


@register_keras_serializable(package="hub")
class RobertaBackbone(EncoderBackbone):
    """RoBERTa without a head: a dict of `"token_ids"` and `"padding_mask"`, (batch, time), to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_heads, hidden_dim, intermediate_dim, max_sequence_length: sizes.
        dropout: rate, also that of the attention's weights.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.EncoderConfig`, such as `padding_id`.

    >>> backbone = RobertaBackbone(99, 1, 4, 16, 32)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    family_name = "roberta"

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
            "max_sequence_length": max_sequence_length, "num_segments": 1, "pooler": False, "padding_id": 1, "layer_norm_epsilon": 1e-5,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


@register_keras_serializable(package="hub")
class XLMRobertaBackbone(RobertaBackbone):
    """RoBERTa for many languages; see `RobertaBackbone`."""

    family_name = "xlm-roberta"


FAMILIES = {
    name: Family(
        name, f"hub.families.roberta:{title}Backbone", read, write, rows, prefix="roberta.", architecture=f"{title}Model",
        tie=Tie("lm_head.decoder.weight", "roberta.embeddings.word_embeddings.weight"),
        heads={
            "masked_lm": Head(
                f"{title}ForMaskedLM", {"dense": "lm_head.dense", "norm": "lm_head.layer_norm", "bias": "lm_head.bias"},
                activation="gelu", repeated=("lm_head.decoder.weight", "lm_head.decoder.bias"),
            ),
            "text_classifier": Head(
                f"{title}ForSequenceClassification", {"hidden": "classifier.dense", "output_dense": "classifier.out_proj"},
                activation="tanh", state="first",
            ),
        },
        ignored=(r"embeddings\.position_ids", r"embeddings\.token_type_ids", r"pooler\.dense\..*", r"qa_outputs\..*"),
    )
    for name, title in (("roberta", "Roberta"), ("xlm-roberta", "XLMRoberta"))
}  # fmt: skip
