"""Pretrained models, by name."""

from __future__ import annotations

import importlib
from typing import Any

from hub.models import names

# Public name -> the module that defines it.
_HOMES: dict[str, str] = {
    "Backbone": "hub.models.backbone",
    "BertBackbone": "hub.families.bert",
    "DistilBertBackbone": "hub.families.distilbert",
    "RobertaBackbone": "hub.families.roberta",
    "XLMRobertaBackbone": "hub.families.roberta",
    "GPT2Backbone": "hub.families.gpt2",
    "LlamaBackbone": "hub.families.llama",
    "Llama3Backbone": "hub.families.llama",
    "MistralBackbone": "hub.families.mistral",
    "QwenBackbone": "hub.families.qwen",
    "Qwen3Backbone": "hub.families.qwen",
    "GemmaBackbone": "hub.families.gemma",
    "T5Backbone": "hub.families.t5",
    **names.HOMES,
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"hub.models has no {name!r}.")


def __dir__() -> list[str]:
    return __all__
