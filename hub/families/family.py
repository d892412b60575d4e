"""`Family`: how one kind of pretrained model names its config keys and its weights."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from core.saving import ConfigError
from hub.checkpoint.table import Row
from hub.families.reader import ConfigReader


@dataclass(frozen=True)
class Head:
    """How a family names the weights of a task's head, and what the head computes.

    Attributes:
        architecture: the class name in transformers' configs.
        parts: attribute of the head's layer -> name in files. Where the attribute is a `Variable`, the name is the whole name.
        activation: of the hidden projection (`"hidden"` for a classifier, `"dense"` for masked tokens); None for the backbone's own.
        epsilon: of the normalization; None for the backbone's own.
        state: which state the head sees: "all", "pooled", "first" or "last" (the last that is no padding).
        use_bias: whether the last projection adds a bias.
        repeated: names of tensors that a file may hold a second time, since they are tied to the backbone or to each other.
    """

    architecture: str
    parts: dict[str, str] = field(default_factory=dict)
    activation: str | None = None
    epsilon: float | None = None
    state: str = "all"
    use_bias: bool = True
    repeated: tuple[str, ...] = ()

    def rows(self, head: Any) -> list[Row]:
        """The rows of a head whose layers are the attributes named in `parts`."""
        return [Row(name, getattr(head, attribute)) for attribute, name in self.parts.items()]


@dataclass(frozen=True)
class Tie:
    """The output table that is tied to the table of token vectors, unless a file has both with different values.

    Attributes:
        head, table: their names in files.
        field: the field of the backbone's config that says whether they are tied.
    """

    head: str
    table: str
    field: str = "tie_word_embeddings"


@dataclass(frozen=True)
class Family:
    """How one kind of pretrained model names its config keys and its weights.

    Attributes:
        name: the `model_type` of its configs.
        backbone_class: where the class is, as "module:name".
        read: `ConfigReader` -> arguments of the backbone. It need not say which keys are left over.
        write: the backbone's config -> `config.json` without architecture and dtype.
        rows: the backbone -> its rows, named as in files of models with a head.
        prefix: what names in files of base models lack.
        heads: kind of task -> `Head`; kinds are "masked_lm", "text_classifier", "causal_lm", "seq2seq_lm".
        ignored: patterns (regular expressions) of tensors that carry nothing: buffers of old versions, heads for pretraining.
        architecture: class name of the base model in transformers.
        tie: the output table.
    """

    name: str
    backbone_class: str
    read: Callable[[ConfigReader], dict[str, Any]]
    write: Callable[[Any], dict[str, Any]]
    rows: Callable[[Any], Iterable[Row]]
    prefix: str
    architecture: str
    tie: Tie
    heads: dict[str, Head] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    def backbone(self) -> type[Any]:
        """The backbone's class."""
        module, _, name = self.backbone_class.partition(":")
        return getattr(importlib.import_module(module), name)

    def arguments(self, config: dict[str, Any]) -> dict[str, Any]:
        """The backbone's arguments for a `config.json`.

        Raises:
            ConfigError: a key that is missing, of unknown meaning, or with a value that cannot be loaded.
        """
        reader = ConfigReader(config)
        own = reader.read("hornbeam", {})
        arguments = {**self.read(reader), **own}
        reader.finish()
        return arguments

    def weight_table(self, backbone: Any) -> list[Row]:
        """The rows of the backbone."""
        return list(self.rows(backbone))

    def head(self, kind: str) -> Head:
        """The facts of a head.

        Raises:
            ConfigError: this family has no such head.
        """
        if kind not in self.heads:
            raise ConfigError(f"{self.name!r} models have no head for {kind!r}; they have {', '.join(sorted(self.heads)) or 'none'}.")
        return self.heads[kind]

    def head_table(self, kind: str, head: Any) -> list[Row]:
        """The rows of a head, a layer with the attributes that `self.head(kind).parts` names."""
        return self.head(kind).rows(head)
