"""Reading `config.json`: every key is read, known to change nothing, or refused by its name."""

from __future__ import annotations

from typing import Any

from core.saving import ConfigError

# What these say has no effect on the outputs: it is about training, about generation, or about the file.
WITHOUT_EFFECT = frozenset(
    """
    _attn_implementation _attn_implementation_autoset _commit_hash _name_or_path _num_labels adapters architectures attention_dropout
    attn_implementation bad_words_ids begin_suppress_tokens bos_token_id cache_implementation chunk_size_feed_forward
    classifier_dropout classifier_dropout_prob decoder_start_token_id directionality diversity_penalty do_sample dtype
    early_stopping embd_pdrop encoder_no_repeat_ngram_size eos_token_id exponential_decay_length_penalty finetuning_task
    forced_bos_token_id forced_eos_token_id gradient_checkpointing id2label initializer_factor initializer_range is_decoder
    is_encoder_decoder keys_to_ignore_at_inference label2id length_penalty max_length min_length model_type n_ctx
    no_repeat_ngram_size num_beam_groups num_beams num_return_sequences output_attentions output_hidden_states output_past output_scores
    pad_token_id prefix pretraining_tp problem_type pruned_heads qa_dropout reorder_and_upcast_attn remove_invalid_values
    repetition_penalty return_dict return_dict_in_generate seq_classif_dropout sep_token_id summary_activation
    summary_first_dropout summary_proj_to_labels summary_type summary_use_proj suppress_tokens task_specific_params temperature
    tf_legacy_loss tie_encoder_decoder tokenizer_class top_k top_p torch_dtype torchscript transformers_version
    typical_p unsloth_fixed unsloth_version use_bfloat16 use_cache pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers
    pooler_size_per_head pooler_type
    """.split()
)
# With these in effect the network would compute something else than what is built here.
REFUSED_IF_SET = {
    "add_cross_attention": "cross attention",
    "cross_attention_hidden_size": "cross attention",
    "quantization_config": "quantized weights",
    "auto_map": "code of its own, which is never run",
    "use_bidirectional_attention": "bidirectional attention in a decoder",
    "pruned_heads": "pruned heads",
}
_MISSING = object()


class ConfigReader:
    """The keys of a `config.json`, and which of them have been read."""

    def __init__(self, config: dict[str, Any]):
        self.config = config
        self._read: set[str] = set()

    def read(self, key: str, default: Any = _MISSING) -> Any:
        """The value of a key; `default` where it is absent or null."""
        self._read.add(key)
        value = self.config.get(key)
        if value is not None:
            return value
        if default is _MISSING:
            raise ConfigError(f"The config of this {self.config.get('model_type')!r} model has no {key!r}.")
        return default

    def size(self, key: str, default: Any = _MISSING) -> int:
        """The value of a key that must be a positive integer, of which others are made."""
        value = self.read(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"The config says {key}={value!r}; it must be a positive integer.")
        return value

    def nullable(self, key: str, default: Any) -> Any:
        """The value of a key, which may be null; `default` where it is absent."""
        self._read.add(key)
        return self.config.get(key, default)

    def only(self, key: str, *values: Any) -> None:
        """Refuses a value other than these; the key may be absent or null."""
        self._read.add(key)
        value = self.config.get(key)
        if value is not None and value not in values:
            raise ConfigError(f"The config says {key}={value!r}; only {' or '.join(map(repr, values))} can be loaded.")

    def ignore(self, *keys: str) -> None:
        """Notes keys that change nothing here."""
        self._read.update(keys)

    def finish(self) -> None:
        """Refuses what has neither been read nor is known to change nothing."""
        left = {key: value for key, value in self.config.items() if key not in self._read and value not in (None, False, {}, [], "")}
        for key, what in REFUSED_IF_SET.items():
            if key in left:
                raise ConfigError(f"The config says {key}={str(left[key])[:80]}: {what} cannot be loaded.")
        unknown = sorted(set(left) - WITHOUT_EFFECT)
        if unknown:
            listed = ", ".join(f"{key}={str(left[key])[:60]}" for key in unknown)
            raise ConfigError(
                f"The config of this {self.config.get('model_type')!r} model has keys whose meaning is not known: {listed}. "
                "Loading could give wrong outputs. Take them out of config.json if they have no effect."
            )


def read_rope(reader: ConfigReader) -> dict[str, Any]:
    """The rotary fields of a `DecoderConfig`, from `rope_parameters` or from `rope_theta` and `rope_scaling`."""
    values = {**reader.read("rope_scaling", {}), **reader.read("rope_parameters", {})}
    theta = reader.read("rope_theta", values.pop("rope_theta", 10000.0))
    kind, legacy = values.pop("rope_type", None), values.pop("type", None)
    kind = kind or legacy or "default"
    if values.pop("partial_rotary_factor", 1.0) != 1.0:
        raise ConfigError("The config says partial_rotary_factor; only heads that turn as a whole can be loaded.")
    reader.only("partial_rotary_factor", 1.0)
    fields: dict[str, Any] = {"rope_max_wavelength": float(theta)}
    if kind == "linear":
        fields["rope_scaling_factor"] = float(values.pop("factor"))
    elif kind == "llama3":
        for field, key in LLAMA3_KEYS.items():
            if key not in values:
                raise ConfigError(f"The config's rotary positions of type 'llama3' lack {key!r}.")
            fields[field] = values.pop(key)
    elif kind != "default":
        raise ConfigError(f"The config says rope_type={kind!r}; known are 'default', 'linear' and 'llama3'.")
    values.pop("original_max_position_embeddings", None)
    if values:
        raise ConfigError(f"The config's rotary positions of type {kind!r} have unknown values: {', '.join(sorted(values))}.")
    return fields


LLAMA3_KEYS = {
    "rope_frequency_adjustment_factor": "factor",
    "rope_low_freq_factor": "low_freq_factor",
    "rope_high_freq_factor": "high_freq_factor",
    "rope_pretraining_sequence_length": "original_max_position_embeddings",
}


def write_rope(config: Any) -> dict[str, Any]:
    """The inverse of `read_rope`, in the dialect that all readers know."""
    scaling: dict[str, Any] | None = None
    if config.rope_frequency_adjustment_factor is not None:
        scaling = {"rope_type": "llama3", **{key: getattr(config, field) for field, key in LLAMA3_KEYS.items()}}
    elif config.rope_scaling_factor != 1.0:
        scaling = {"rope_type": "linear", "factor": config.rope_scaling_factor}
    return {"rope_theta": config.rope_max_wavelength, "rope_scaling": scaling}


def read_keys(reader: ConfigReader, keys: dict[str, str], defaults: dict[str, Any]) -> dict[str, Any]:
    """Fields of a template's config from the keys that name them, `keys` being key -> field."""
    return {field: reader.read(key, defaults[key]) if key in defaults else reader.read(key) for key, field in keys.items()}


def write_keys(config: Any, keys: dict[str, str]) -> dict[str, Any]:
    """The inverse of `read_keys`."""
    return {key: getattr(config, field) for key, field in keys.items()}
