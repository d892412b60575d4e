"""`Backbone`: a pretrained network without a head, and the ways from and to folders."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, ClassVar

import core
from core import layers
from core.backend import KerasTensor
from core.saving import ConfigError
from hub.lora import LowRankAdaptable
from hub.templates import config as configs


class Backbone(LowRankAdaptable, core.Model):
    """Base of all backbones: token ids in, hidden states out.

    Inputs are dicts of `"token_ids"` (batch, time), `"padding_mask"` (batch, time; true at tokens, all of them where it is left out),
    and what a family adds, for example `"segment_ids"`. All weights exist once the object does.

    Attributes:
        config: the frozen dataclass that the network was made from.
        family: `hub.families.Family`, which knows the names in configs and files.
        token_embedding: the table of token vectors, a `core.layers.ReversibleEmbedding`.

    >>> hub.models.Backbone.from_preset("folder")  # doctest: +SKIP
    """

    config_class: ClassVar[type]
    family_name: ClassVar[str]
    token_embedding: Any

    def __init__(self, arguments: dict[str, Any], dtype: Any = None, options: dict[str, Any] | None = None):
        options = dict(options or {})
        of_layer = {key: options.pop(key) for key in ("name", "trainable") if key in options}
        super().__init__(dtype=dtype, **of_layer)
        self.config = configs.make(self.config_class, {**arguments, **options})
        with core.name_scope(self.name):
            self.create(self.config)
        self.built = True

    def create(self, config: Any) -> None:
        """Makes the layers and their variables. Templates define it."""
        raise TypeError(f"{type(self).__name__} is no template: make one of its subclasses, or use from_preset.")

    # ---------------------------------------------------------------------------------------- presets

    @property
    def family(self) -> Any:
        """The family that reads and writes this backbone's configs and files."""
        from hub import families

        return families.get(self.family_name)

    @classmethod
    def from_preset(cls, preset: str | os.PathLike, load_weights: bool = True, *, dtype: Any = None, **overrides: Any) -> Backbone:
        """The backbone in a folder as transformers writes it, on the Hugging Face hub, or built in.

        Args:
            preset: a folder with `config.json` and safetensors, `"hf://organization/name"`, or a built-in name.
            load_weights: whether weights are loaded; else they are drawn.
            dtype: dtype or policy of the weights; the global policy where it is None, that of the file where it is "auto".
            overrides: arguments of the backbone in place of those of the file, for example `dropout=0.0`.

        Raises:
            ConfigError: a config value that has no meaning here, by name.
            WeightMismatchError: tensors that are missing, not expected or of another shape; all are listed.
            CorruptArtifactError, UnsafeArtifactError, ResourceLimitError: files that are damaged, or that lie.
        """
        from hub.checkpoint import load_backbone

        return load_backbone(cls, preset, load_weights=load_weights, dtype=dtype, overrides=overrides)

    def save_to_preset(self, preset_dir: str | os.PathLike) -> None:
        """Writes `config.json` and `model.safetensors` to a folder, for `from_preset`."""
        from hub.checkpoint import save_backbone

        save_backbone(self, preset_dir)

    def export_to_transformers(self, path: str | os.PathLike) -> None:
        """Writes a folder that `transformers.AutoModel.from_pretrained` loads, with equal outputs.

        Raises:
            ConfigError: the backbone has a property that the family's config there cannot say.
        """
        from hub.checkpoint import save_backbone

        save_backbone(self, path, strict=True)

    # ---------------------------------------------------------------------------------------- symbolic inputs, configs

    def input_names(self) -> tuple[str, ...]:
        """The keys of the inputs."""
        return ("token_ids", "padding_mask")

    @property
    def input(self) -> dict[str, KerasTensor]:
        """Symbolic inputs (batch, time), one for each key, for functional models around the backbone."""
        if "_symbolic" not in self.__dict__:
            self.__dict__["_symbolic"] = {name: layers.Input((None,), dtype="int32", name=name) for name in self.input_names()}
        return self.__dict__["_symbolic"]

    inputs = input

    @property
    def output(self) -> Any:
        """The outputs for `input`, symbolic."""
        if "_symbolic_output" not in self.__dict__:
            self.__dict__["_symbolic_output"] = self(self.input)
        return self.__dict__["_symbolic_output"]

    outputs = output

    def get_config(self) -> dict:
        return {"name": self.name, "trainable": self.trainable, "dtype": core.dtype_policies.serialize(self.dtype_policy),
                **dataclasses.asdict(self.config)}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Backbone:
        arguments: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
        return cls(**arguments)


def required(inputs: Any, name: str) -> Any:
    """An entry of a backbone's inputs; the error says what inputs look like."""
    if not isinstance(inputs, dict) or name not in inputs:
        got = sorted(inputs) if isinstance(inputs, dict) else type(inputs).__name__
        raise ConfigError(f"Inputs are a dict with {name!r} (batch, time), got {got}. A task with its preprocessor makes them from text.")
    return inputs[name]
