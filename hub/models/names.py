"""The tasks of the model families, by name: a general task under the family's name, with its defaults."""

from __future__ import annotations

import importlib
from typing import Any

from core.saving import ConfigError

# What heads are called in families -> the general task.
KINDS: dict[str, str] = {
    "text_classifier": "TextClassifier",
    "masked_lm": "MaskedLM",
    "causal_lm": "CausalLM",
    "seq2seq_lm": "Seq2SeqLM",
    "text_embedder": "TextEmbedder",
}
WITH_HEADS = ("text_classifier", "masked_lm", "causal_lm", "seq2seq_lm")  # that a family describes; an embedder has none

_ENCODER = ("TextClassifier", "MaskedLM", "TextEmbedder")
_DECODER = ("CausalLM", "TextClassifier", "TextEmbedder")
# How the names of a family begin -> its model types, its tasks, and class attributes that differ from the general task's.
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[str, ...], dict[str, dict[str, Any]]]] = {
    "Bert": (("bert",), _ENCODER, {"TextClassifier": {"default_dropout": 0.1}}),
    "DistilBert": (("distilbert",), _ENCODER, {"TextClassifier": {"default_dropout": 0.2}}),
    "Roberta": (("roberta",), _ENCODER, {}),
    "GPT2": (("gpt2",), _DECODER, {}),
    "Llama": (("llama",), _DECODER, {"TextEmbedder": {"default_pooling": "last"}}),
    "Llama3": ((), ("CausalLM",), {}),
    "Mistral": (("mistral",), _DECODER, {"TextEmbedder": {"default_pooling": "last"}}),
    "Qwen": (("qwen2",), _DECODER, {"TextEmbedder": {"default_pooling": "last"}}),
    "Qwen3": (("qwen3",), _DECODER, {"TextEmbedder": {"default_pooling": "last"}}),
    "Gemma": (("gemma", "gemma2"), _DECODER, {}),
    "T5": (("t5",), ("Seq2SeqLM",), {}),
}
_GENERAL = {"Task": "task", **{task: kind for kind, task in KINDS.items()}}

# Public name of `hub.models` -> the module that has it.
HOMES: dict[str, str] = {
    **{name: f"hub.models.{module}" for name, module in _GENERAL.items()},
    **{prefix + task: "hub.models.names" for prefix, (_, tasks, _) in FAMILIES.items() for task in tasks},
    "MaskedLMHead": "hub.layers.heads",
    "Tokenizer": "hub.tokenizers",
    **{
        f"{prefix}Tokenizer": "hub.tokenizers"
        for prefix in ("Bert", "DistilBert", "Roberta", "GPT2", "Llama", "Llama3", "Mistral", "Qwen", "Qwen3", "Gemma", "T5")
    },
    **{
        name: "hub.preprocessing.families"
        for name in (
            "Preprocessor", "BertPreprocessor", "DistilBertPreprocessor", "RobertaPreprocessor", "GPT2Preprocessor",
            *(f"{task}Preprocessor" for task in KINDS.values()),
            *(f"{prefix}{task}Preprocessor" for prefix, (_, tasks, _) in FAMILIES.items() for task in tasks),
        )
    },
}  # fmt: skip

_made: dict[str, type] = {}


def general(task: str) -> type:
    """The general task of that name."""
    return getattr(importlib.import_module(f"hub.models.{_GENERAL[task]}"), task)


def task(prefix: str, name: str) -> type:
    """The task `name` of a family, a subclass of the general one."""
    if prefix + name not in _made:
        base = general(name)
        _made[prefix + name] = type(
            prefix + name,
            (base,),
            {
                **FAMILIES[prefix][2].get(name, {}), "prefix": prefix, "__module__": __name__, "__qualname__": prefix + name,
                "__doc__": base.__doc__, "backbone_cls": _LazyClass("hub.models", f"{prefix}Backbone"),
                "preprocessor_cls": _LazyClass("hub.preprocessing.families", f"{prefix}{name}Preprocessor"),
            },
        )  # fmt: skip
    return _made[prefix + name]


class _LazyClass:
    """A class attribute that is imported when it is read."""

    def __init__(self, module: str, name: str):
        self.module, self.name = module, name

    def __get__(self, instance: Any, owner: type) -> type:
        return getattr(importlib.import_module(self.module), self.name)


def prefix_of(model_type: str) -> str | None:
    """How the names of that model type's family begin."""
    return next((prefix for prefix, (types, _, _) in FAMILIES.items() if model_type in types), None)


def task_for(cls: type[Any], model_type: str) -> type[Any]:
    """The class to make for a preset: the family's where a general one is asked for.

    Raises:
        ConfigError: the class is of another family, or is no task.
    """
    name = KINDS.get(cls.kind)
    if name is None:
        raise ConfigError(f"Task.from_preset does not know which task; use from_preset of {', '.join(KINDS.values())}.")
    prefix = prefix_of(model_type)
    if cls is general(name):
        return task(prefix, name) if prefix is not None and name in FAMILIES[prefix][1] else cls
    asked = getattr(cls, "prefix", "")
    if asked and prefix and asked != prefix and (asked, prefix) != ("Llama3", "Llama"):
        raise ConfigError(f"The preset holds a model of type {model_type!r}; use {prefix}{name} or {name}, not {cls.__name__}.")
    return cls


def preprocessor_for(cls: type[Any]) -> type[Any]:
    """The preprocessor's class for a task."""
    from hub.preprocessing import families

    name = cls.preprocessor_kind
    return families.NAMES.get(getattr(cls, "prefix", "") + name, families.NAMES[name])


def kind_of(name: Any) -> str | None:
    """The kind of the task of a class name that a file has."""
    return next((kind for kind, task in KINDS.items() if isinstance(name, str) and name.endswith(task)), None)


def __getattr__(name: str) -> Any:
    for prefix, (_, tasks, _) in FAMILIES.items():
        if name.startswith(prefix) and name.removeprefix(prefix) in tasks:
            return task(prefix, name.removeprefix(prefix))
    raise AttributeError(f"hub.models.names has no {name!r}.")
