"""Qwen2 and Qwen3. Yang et al., 2024, https://arxiv.org/abs/2407.10671; Yang et al., 2025, https://arxiv.org/abs/2505.09388"""

from __future__ import annotations

from typing import Any

from core.saving import register_keras_serializable
from hub.families.family import Family
from hub.families.llama import IGNORED, TIE, heads, read_common, rows, write_common
from hub.families.reader import ConfigReader
from hub.families.windows import read_layer_types, write_layer_types
from hub.templates.decoder import DecoderBackbone


def _window(reader: ConfigReader, num_layers: int) -> dict[str, Any]:
    """Layers from `max_window_layers` on see a window, where `use_sliding_window` says so; newer configs list the layers."""
    used, first = reader.read("use_sliding_window", False), reader.read("max_window_layers", 28)
    size = reader.nullable("sliding_window", 4096) if used else None
    reader.ignore("sliding_window")
    return read_layer_types(reader, size, tuple(size is not None and i >= first for i in range(num_layers)))


def read_qwen2(reader: ConfigReader) -> dict[str, Any]:
    fields = read_common(reader, max_position_embeddings=32768, num_key_value_heads=32)
    return {**fields, **_window(reader, fields["num_layers"]), "attention_bias": True}


def read_qwen3(reader: ConfigReader) -> dict[str, Any]:
    fields = read_common(reader, max_position_embeddings=32768, num_key_value_heads=32, head_dim=128)
    bias = reader.read("attention_bias", False)
    return {**fields, **_window(reader, fields["num_layers"]), "attention_bias": bias, "output_bias": bias, "head_norm": True}


def write_qwen2(config: Any) -> dict[str, Any]:
    layers = write_layer_types(config)
    return {**write_common(config), **layers, "use_sliding_window": any(config.window_layers), "max_window_layers": 0}


def write_qwen3(config: Any) -> dict[str, Any]:
    return {**write_qwen2(config), "attention_bias": config.attention_bias}


@register_keras_serializable(package="hub")
class QwenBackbone(DecoderBackbone):
    """Qwen2 without its head: token ids (batch, time) to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_query_heads, num_key_value_heads, hidden_dim, intermediate_dim: sizes.
        rope_max_wavelength, rope_scaling_factor: see `hub.layers.Rotary`.
        layer_norm_epsilon, dropout, tie_word_embeddings: as they say.
        use_sliding_window_attention, sliding_window_size: whether all layers see no more than so many tokens back; `window_layers`
            tells single ones.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.DecoderConfig`.

    >>> backbone = QwenBackbone(99, 1, 4, 2, 16, 32)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    family_name = "qwen2"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_query_heads: int,
        num_key_value_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        rope_max_wavelength: float = 10000,
        rope_scaling_factor: float = 1.0,
        layer_norm_epsilon: float = 1e-6,
        dropout: float = 0,
        dtype: Any = None,
        tie_word_embeddings: bool = True,
        use_sliding_window_attention: bool = False,
        sliding_window_size: int | None = 32768,
        **options: Any,
    ):
        windowed = bool(use_sliding_window_attention) or any(options.get("window_layers", ()))
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_query_heads": num_query_heads,
            "num_key_value_heads": num_key_value_heads, "head_dim": hidden_dim // num_query_heads, "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim, "rope_max_wavelength": rope_max_wavelength, "rope_scaling_factor": rope_scaling_factor,
            "layer_norm_epsilon": layer_norm_epsilon, "dropout": dropout, "tie_word_embeddings": tie_word_embeddings,
            "attention_bias": True, "sliding_window_size": sliding_window_size if windowed else None,
            "window_layers": (windowed,) * num_layers,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


@register_keras_serializable(package="hub")
class Qwen3Backbone(DecoderBackbone):
    """Qwen3 without its head: token ids (batch, time) to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_query_heads, num_key_value_heads, head_dim, hidden_dim, intermediate_dim: sizes.
        rope_max_wavelength, rope_scaling_factor: see `hub.layers.Rotary`.
        layer_norm_epsilon, dropout, tie_word_embeddings: as they say.
        sliding_window_size: how many tokens back the layers see that are true in `window_layers`; by default none is.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.DecoderConfig`.

    >>> backbone = Qwen3Backbone(99, 1, 4, 2, 8, 16, 32)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    family_name = "qwen3"

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_query_heads: int,
        num_key_value_heads: int,
        head_dim: int,
        hidden_dim: int,
        intermediate_dim: int,
        rope_max_wavelength: float = 10000,
        rope_scaling_factor: float = 1.0,
        layer_norm_epsilon: float = 1e-6,
        dropout: float = 0.0,
        tie_word_embeddings: bool = True,
        sliding_window_size: int | None = 32768,
        dtype: Any = None,
        **options: Any,
    ):
        windowed = any(options.get("window_layers", ()))
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_query_heads": num_query_heads,
            "num_key_value_heads": num_key_value_heads, "head_dim": head_dim, "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim, "rope_max_wavelength": rope_max_wavelength, "rope_scaling_factor": rope_scaling_factor,
            "layer_norm_epsilon": layer_norm_epsilon, "dropout": dropout, "tie_word_embeddings": tie_word_embeddings, "head_norm": True,
            "sliding_window_size": sliding_window_size if windowed else None, "window_layers": (False,) * num_layers,
        }  # fmt: skip
        super().__init__(arguments, dtype, options)


FAMILIES = {
    "qwen2": Family(
        "qwen2", "hub.families.qwen:QwenBackbone", read_qwen2, write_qwen2, rows, prefix="model.", architecture="Qwen2Model",
        heads=heads("Qwen2"), tie=TIE, ignored=IGNORED,
    ),
    "qwen3": Family(
        "qwen3", "hub.families.qwen:Qwen3Backbone", read_qwen3, write_qwen3, rows, prefix="model.", architecture="Qwen3Model",
        heads=heads("Qwen3"), tie=TIE, ignored=IGNORED,
    ),
}  # fmt: skip
