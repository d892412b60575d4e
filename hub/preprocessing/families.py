"""The preprocessors of the model families, by name: a general one, made for a tokenizer."""

from __future__ import annotations

from typing import Any

from core.saving import ConfigError
from hub.models import names
from hub.preprocessing.language import CausalLMPreprocessor, Seq2SeqLMPreprocessor
from hub.preprocessing.preprocessor import Preprocessor
from hub.preprocessing.text import MaskedLMPreprocessor, TextClassifierPreprocessor, TextEmbedderPreprocessor

# What a preprocessor is for -> the general class.
KINDS: dict[str, type[Preprocessor]] = {
    "TextClassifierPreprocessor": TextClassifierPreprocessor,
    "TextEmbedderPreprocessor": TextEmbedderPreprocessor,
    "MaskedLMPreprocessor": MaskedLMPreprocessor,
    "CausalLMPreprocessor": CausalLMPreprocessor,
    "Seq2SeqLMPreprocessor": Seq2SeqLMPreprocessor,
}
# How names of a family begin -> its model types, its kinds, and whether its models take segments.
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    prefix: (types, tuple(f"{task}Preprocessor" for task in tasks), prefix == "Bert")
    for prefix, (types, tasks, _) in names.FAMILIES.items()
}


def _made(prefix: str, kind: str, has_segments: bool) -> type[Preprocessor]:
    """The class of a family and a kind: the general one under the family's name."""
    base = KINDS[kind]
    options: dict[str, Any] = {"__module__": __name__, "__doc__": base.__doc__, "__qualname__": prefix + kind}
    if hasattr(base, "has_segments"):
        options["has_segments"] = has_segments
    return type(prefix + kind, (base,), options)


NAMES: dict[str, type[Preprocessor]] = {
    **KINDS,
    **{prefix + kind: _made(prefix, kind, segments) for prefix, (_, kinds, segments) in FAMILIES.items() for kind in kinds},
}
# KerasHub's older names: what packs strings for a backbone alone.
for _prefix in ("Bert", "DistilBert", "Roberta"):
    NAMES[f"{_prefix}Preprocessor"] = NAMES[f"{_prefix}TextClassifierPreprocessor"]
NAMES["GPT2Preprocessor"] = NAMES["GPT2CausalLMPreprocessor"]
NAMES["Preprocessor"] = Preprocessor


def of_model(cls: type, model_type: Any, stored: Any = None) -> type:
    """The class to make for a preset: the family's where a general one is asked for."""
    if isinstance(stored, str) and stored in NAMES and issubclass(NAMES[stored], cls):
        return NAMES[stored]
    kind = next((name for name, general in KINDS.items() if issubclass(cls, general)), None)
    prefix = next((prefix for prefix, (types, _, _) in FAMILIES.items() if model_type in types), None)
    if kind is None or prefix is None:
        return cls
    if cls is KINDS[kind]:
        return NAMES.get(prefix + kind, cls)
    begins = cls.__name__.removesuffix(kind)
    if begins in FAMILIES and begins != prefix and not (begins == "Llama3" and prefix == "Llama"):
        raise ConfigError(f"The preset holds a model of type {model_type!r}; use {prefix + kind}, not {cls.__name__}.")
    return cls


def __getattr__(name: str) -> Any:
    if name in NAMES:
        return NAMES[name]
    raise AttributeError(f"hub.preprocessing.families has no {name!r}.")
