"""Mistral. Jiang et al., 2023, https://arxiv.org/abs/2310.06825"""

from __future__ import annotations

from typing import Any

from core.saving import register_keras_serializable
from hub.families.family import Family
from hub.families.llama import IGNORED, TIE, heads, read_common, rows, write_common
from hub.families.reader import ConfigReader
from hub.templates.decoder import DecoderBackbone


def read(reader: ConfigReader) -> dict[str, Any]:
    fields = read_common(reader, max_position_embeddings=131072, num_key_value_heads=8)
    window = reader.nullable("sliding_window", 4096)
    return {**fields, "sliding_window_size": window, "window_layers": (window is not None,) * fields["num_layers"]}


def write(config: Any) -> dict[str, Any]:
    return {**write_common(config), "sliding_window": config.sliding_window_size}


@register_keras_serializable(package="hub")
class MistralBackbone(DecoderBackbone):
    """Mistral without its head: token ids (batch, time) to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_query_heads, hidden_dim, intermediate_dim, num_key_value_heads: sizes.
        rope_max_wavelength, rope_scaling_factor: see `hub.layers.Rotary`.
        layer_norm_epsilon, dropout: as they say.
        sliding_window: how many tokens back each layer sees, itself included; None for all.
        head_dim: features of a head; `hidden_dim // num_query_heads` where it is None.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.DecoderConfig`.

    >>> backbone = MistralBackbone(99, 1, 4, 16, 32, 2, sliding_window=8)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    family_name = "mistral"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_query_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        num_key_value_heads: int,
        rope_max_wavelength: float = 10000,
        rope_scaling_factor: float = 1.0,
        layer_norm_epsilon: float = 1e-6,
        sliding_window: int | None = 512,
        head_dim: int | None = None,
        dropout: float = 0,
        dtype: Any = None,
        **options: Any,
    ):
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_query_heads": num_query_heads, "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim, "num_key_value_heads": num_key_value_heads,
            "head_dim": head_dim or hidden_dim // num_query_heads, "rope_max_wavelength": rope_max_wavelength,
            "rope_scaling_factor": rope_scaling_factor, "layer_norm_epsilon": layer_norm_epsilon, "dropout": dropout,
            "sliding_window_size": sliding_window, "window_layers": (sliding_window is not None,) * num_layers,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


FAMILIES = {
    "mistral": Family(
        "mistral", "hub.families.mistral:MistralBackbone", read, write, rows, prefix="model.", architecture="MistralModel",
        heads=heads("Mistral"), tie=TIE, ignored=IGNORED,
    )
}  # fmt: skip
