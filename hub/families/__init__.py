"""The families of pretrained models: for each `model_type` a config mapping and a table of weight names."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from core.saving import ConfigError

if TYPE_CHECKING:
    from hub.families.family import Family, Head

# model_type -> module of this package. A module's `FAMILIES` maps each of its model types to a `Family`.
MODULES = {
    "bert": "bert",
    "distilbert": "distilbert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "gpt2": "gpt2",
    "llama": "llama",
    "mistral": "mistral",
    "qwen2": "qwen",
    "qwen3": "qwen",
    "gemma": "gemma",
    "gemma2": "gemma",
    "t5": "t5",
}


def get(name: str) -> Family:
    """The family of that `model_type`.

    Raises:
        ConfigError: an unknown one; the message lists those that are known.

    >>> get("llama").prefix
    'model.'
    """
    if name not in MODULES:
        raise ConfigError(f"Models of type {name!r} cannot be loaded; known types are {', '.join(sorted(MODULES))}.")
    return importlib.import_module(f"hub.families.{MODULES[name]}").FAMILIES[name]


def of(config: dict[str, Any]) -> Family:
    """The family of a `config.json`."""
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ConfigError("config.json has no 'model_type', so there is no telling what the model is.")
    return get(config["model_type"])


def __getattr__(name: str) -> Any:
    if name in ("Family", "Head"):
        return getattr(importlib.import_module("hub.families.family"), name)
    raise AttributeError(f"hub.families has no {name!r}.")


__all__ = ["MODULES", "Family", "Head", "get", "of"]
