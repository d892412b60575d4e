"""Gemma 1 and 2. Gemma Team, 2024, https://arxiv.org/abs/2403.08295 and https://arxiv.org/abs/2408.00118"""

from __future__ import annotations

from typing import Any

from core.saving import register_keras_serializable
from hub.families.family import Family
from hub.families.llama import IGNORED, KEYS, TIE, heads, read_common, rows, write_common
from hub.families.reader import ConfigReader
from hub.families.windows import read_layer_types, write_layer_types
from hub.templates.decoder import DecoderBackbone

_KEYS = {key: field for key, field in KEYS.items() if key != "hidden_act"}
_ACTIVATION = "gelu_pytorch_tanh"


def _common(reader: ConfigReader, **defaults: Any) -> dict[str, Any]:
    fields = read_common(reader, _KEYS, max_position_embeddings=8192, head_dim=256, tie_word_embeddings=True, **defaults)
    bias = reader.read("attention_bias", False)
    return {
        **fields, "normalization": "offset_rms", "embedding_scale": fields["hidden_dim"] ** 0.5, "attention_bias": bias,
        "output_bias": bias,
    }  # fmt: skip


def read_gemma(reader: ConfigReader) -> dict[str, Any]:
    fields = _common(reader, num_key_value_heads=16)
    # The first files say "gelu" and mean its approximation; `hidden_activation` corrected them.
    legacy = reader.read("hidden_act", _ACTIVATION)
    activation = reader.read("hidden_activation", _ACTIVATION if legacy == "gelu" else legacy)
    return {**fields, "activation": activation}


def read_gemma2(reader: ConfigReader) -> dict[str, Any]:
    fields = _common(reader, num_key_value_heads=4)
    reader.ignore("hidden_act")
    size = reader.nullable("sliding_window", 4096)
    return {
        **fields,
        **read_layer_types(reader, size, tuple(i % 2 == 0 for i in range(fields["num_layers"]))),
        "activation": reader.read("hidden_activation", _ACTIVATION),
        "post_norm": True,
        "attention_scale": reader.read("query_pre_attn_scalar", 256) ** -0.5,
        "attention_soft_cap": reader.nullable("attn_logit_softcapping", 50.0),
        "final_soft_cap": reader.nullable("final_logit_softcapping", 30.0),
    }


def write_gemma(config: Any) -> dict[str, Any]:
    return {**write_common(config, _KEYS), "hidden_activation": config.activation, "hidden_act": config.activation,
            "attention_bias": config.attention_bias}  # fmt: skip


def write_gemma2(config: Any) -> dict[str, Any]:
    scale = config.attention_scale or config.head_dim**-0.5
    return {
        **write_gemma(config), **write_layer_types(config), "query_pre_attn_scalar": _whole(scale**-2),
        "attn_logit_softcapping": config.attention_soft_cap, "final_logit_softcapping": config.final_soft_cap,
    }  # fmt: skip


def _whole(x: float) -> float:
    """A whole number that rounding has moved, whole again."""
    return round(x) if abs(x - round(x)) < 1e-9 * abs(x) else x


@register_keras_serializable(package="hub")
class GemmaBackbone(DecoderBackbone):
    """Gemma 1 or 2 without its head: token ids (batch, time) to states (batch, time, hidden_dim).

    Args:
        vocabulary_size, num_layers, num_query_heads, num_key_value_heads, hidden_dim, intermediate_dim, head_dim: sizes.
        query_head_dim_normalize: whether logits of attention are scaled by `head_dim ** -0.5`, else by
            `(hidden_dim / num_query_heads) ** -0.5`; `attention_scale` gives any other.
        use_post_ffw_norm, use_post_attention_norm: whether the results of sublayers are normalized, both or none: true in Gemma 2.
        attention_logit_soft_cap, final_logit_soft_cap: caps of the logits of attention and of tokens.
        use_sliding_window_attention, sliding_window_size: whether every other layer, from the first, sees no more than so many tokens.
        layer_norm_epsilon, dropout: as they say.
        dtype: dtype or policy of the weights.
        options: `name`, `trainable`, and other fields of `hub.templates.DecoderConfig`.

    >>> backbone = GemmaBackbone(99, 1, 4, 2, 16, 32, 8)
    >>> backbone({"token_ids": np.ones((2, 3), "int32")}).shape
    (2, 3, 16)
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int,
        num_query_heads: int,
        num_key_value_heads: int,
        hidden_dim: int,
        intermediate_dim: int,
        head_dim: int,
        query_head_dim_normalize: bool = True,
        use_post_ffw_norm: bool = False,
        use_post_attention_norm: bool = False,
        attention_logit_soft_cap: float | None = None,
        final_logit_soft_cap: float | None = None,
        use_sliding_window_attention: bool = False,
        sliding_window_size: int | None = 4096,
        layer_norm_epsilon: float = 1e-6,
        dropout: float = 0,
        dtype: Any = None,
        **options: Any,
    ):
        if use_post_ffw_norm != use_post_attention_norm:
            raise ValueError("Gemma normalizes the results of both sublayers or of none: give use_post_ffw_norm and "
                             "use_post_attention_norm the same value.")  # fmt: skip
        windowed = bool(use_sliding_window_attention) or any(options.get("window_layers", ()))
        arguments = {
            "vocabulary_size": vocabulary_size, "num_layers": num_layers, "num_query_heads": num_query_heads,
            "num_key_value_heads": num_key_value_heads, "hidden_dim": hidden_dim, "intermediate_dim": intermediate_dim,
            "head_dim": head_dim, "normalization": "offset_rms", "layer_norm_epsilon": layer_norm_epsilon, "activation": _ACTIVATION,
            "embedding_scale": hidden_dim**0.5, "tie_word_embeddings": True, "post_norm": bool(use_post_ffw_norm), "dropout": dropout,
            "attention_scale": (head_dim if query_head_dim_normalize else hidden_dim / num_query_heads) ** -0.5,
            "attention_soft_cap": attention_logit_soft_cap, "final_soft_cap": final_logit_soft_cap,
            "sliding_window_size": sliding_window_size if windowed else None,
            "window_layers": tuple(windowed and i % 2 == 0 for i in range(num_layers)),
        }  # fmt: skip
        super().__init__(arguments, dtype, options)

    @property
    def family_name(self) -> str:  # type: ignore[override]
        """Gemma 2 is the one that normalizes the results of sublayers."""
        return "gemma2" if self.config.post_norm else "gemma"


FAMILIES = {
    name: Family(
        name, "hub.families.gemma:GemmaBackbone", read, write, rows, prefix="model.", architecture=f"{title}Model", heads=heads(title),
        tie=TIE, ignored=IGNORED,
    )
    for name, title, read, write in (("gemma", "Gemma", read_gemma, write_gemma), ("gemma2", "Gemma2", read_gemma2, write_gemma2))
}  # fmt: skip
