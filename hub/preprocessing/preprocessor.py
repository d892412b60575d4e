"""`Preprocessor`: raw strings to the arrays that a model takes. A plain Python callable over NumPy."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

import core
from core.saving import ConfigError
from hub.checkpoint import has, read_json, write_json
from hub.tokenizers.tokenizer import Tokenizer, as_list, as_text

FILE = "preprocessor.json"

Self = TypeVar("Self", bound="Preprocessor")


class Preprocessor:
    """Base of all preprocessors: `preprocessor(x, y=None, sample_weight=None)` gives what `fit` takes, as NumPy arrays.

    It holds no tensors and no state of a framework, so that it works in the workers of any data loader.

    Args:
        tokenizer: a `hub.tokenizers.Tokenizer`.
        name: a name for configs.

    Attributes:
        tokenizer: the tokenizer.
        sequence_length: length of the arrays' last axis; it may be changed.
    """

    options: ClassVar[tuple[str, ...]] = ()  # constructor arguments besides the tokenizer, each kept in an attribute of its name
    lengths: ClassVar[tuple[str, ...]] = ("sequence_length",)
    tokenizer: Any
    sequence_length: int

    def __init__(self, tokenizer: Any, *, name: str | None = None, **kwargs: Any):
        for ignored in ("dtype", "trainable", "config_file"):
            kwargs.pop(ignored, None)
        if kwargs:
            raise ConfigError(f"{type(self).__name__} got unexpected arguments {sorted(kwargs)}.")
        if not isinstance(tokenizer, Tokenizer) and not callable(tokenizer):
            raise ConfigError(f"{type(self).__name__} needs a tokenizer, and was given {type(tokenizer).__name__}.")
        self.tokenizer = tokenizer
        self.name = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    def _store(self, **options: Any) -> None:
        """Keeps options in attributes; lengths must be positive integers."""
        for key, value in options.items():
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1
            if key in self.lengths and value is not None and not whole:
                raise ConfigError(f"{type(self).__name__}: {key} must be a positive integer, got {value!r}.")
            setattr(self, key, value)

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(x, y=None, sample_weight=None).")

    def get_config(self) -> dict[str, Any]:
        """The options; the tokenizer has a config and files of its own."""
        return {"name": self.name, **{key: getattr(self, key) for key in self.options}}

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """A preprocessor from `get_config`'s result with a `tokenizer` put in."""
        return cls(**config)

    # -------------------------------------------------------------------------------------------- presets

    @classmethod
    def from_preset(cls: type[Self], preset: str | os.PathLike, **kwargs: Any) -> Self:
        """The preprocessor of a preset, with its tokenizer.

        Options come from `preprocessor.json` where the preset has one of this kind, and otherwise from what the tokenizer's and the
        model's files say: the tokens that frame a sequence, and the length that the model knows.

        Args:
            preset: a folder, `"hf://organisation/name"`, or the name of a built-in preset.
            **kwargs: options that override the preset's, for example `sequence_length`.
        """
        from hub import preset as presets

        folder = presets.resolve(preset, weights=False)
        made = _class_for(cls, folder)
        tokenizer = kwargs.pop("tokenizer", None) or Tokenizer.from_preset(folder)
        stored = _stored(folder)
        options = made.defaults_of(folder, tokenizer)
        if isinstance(stored.get("config"), dict) and _kind(stored.get("class_name")) == _kind(made.__name__):
            options.update({key: value for key, value in stored["config"].items() if key in made.options})
        unknown = sorted(set(kwargs) - {*made.options, "name"})
        if unknown:
            raise ConfigError(f"{made.__name__} has no options {', '.join(unknown)}; it has {', '.join(made.options)}.")
        return made(tokenizer, **{**options, **kwargs})

    @classmethod
    def defaults_of(cls, folder: pathlib.Path, tokenizer: Any) -> dict[str, Any]:
        """Options that follow from the files of a preset."""
        known = known_length(folder, tokenizer)
        return {} if known is None else {key: min(known, 512) for key in cls.lengths if key == "sequence_length"}

    def save_to_preset(self, preset_dir: str | os.PathLike) -> None:
        """Writes the options and the tokenizer into a folder."""
        folder = pathlib.Path(preset_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save_to_preset(folder)
        write_json(folder / FILE, {"class_name": type(self).__name__, "config": self.get_config()})

    def export_to_transformers(self, path: str | os.PathLike) -> None:
        """Writes the tokenizer's files as transformers reads them."""
        self.tokenizer.export_to_transformers(path)


def known_length(folder: pathlib.Path, tokenizer: Any) -> int | None:
    """The longest sequence that a preset's model knows, as its files say."""
    config = read_json(folder, "config.json") if has(folder, "config.json") else {}
    stated = [config.get("max_position_embeddings"), config.get("n_positions"), tokenizer._config.get("model_max_length")]
    if has(folder, "sentence_bert_config.json"):
        stated.append(read_json(folder, "sentence_bert_config.json").get("max_seq_length"))
    lengths = [int(n) for n in stated if isinstance(n, (int, float)) and not isinstance(n, bool) and 0 < n < 10**7]
    if config.get("model_type") == "roberta" and isinstance(config.get("max_position_embeddings"), int):
        lengths.append(config["max_position_embeddings"] - int(config.get("pad_token_id") or 0) - 1)  # positions start after padding's
    return max(min(lengths), 1) if lengths else None


def texts(x: Any) -> tuple[list[str], bool]:
    """Strings as a list, and whether a single one was given."""
    single = as_text(x)
    if single is not None:
        return [single], True
    rows = [as_text(row) for row in as_list(x)]
    if any(row is None for row in rows):
        raise ConfigError("A preprocessor takes a string, a list of strings, or a tuple of such for sequences that belong together.")
    return [row for row in rows if row is not None], False


def segments_of(x: Any) -> tuple[list[list[str]], bool]:
    """The sequences that belong together: one list of strings for each place of the tuple `x`, or one for anything else."""
    if isinstance(x, list) and x and all(isinstance(row, tuple) and len(row) == len(x[0]) for row in x):
        x = tuple(map(list, zip(*x)))  # pairs, row by row
    found = [texts(part) for part in (x if isinstance(x, tuple) else (x,))]
    if len({(len(rows), single) for rows, single in found}) != 1:
        raise ConfigError(f"Sequences that belong together must be equally many, and are {[len(rows) for rows, _ in found]}.")
    return [rows for rows, _ in found], found[0][1]


def ids_of(tokenizer: Any, rows: list[str]) -> list[list[int]]:
    """The ids of each row; of a tokenizer that somebody wrote, by its `tokenize`."""
    if not rows:
        return []
    if isinstance(tokenizer, Tokenizer) and type(tokenizer).tokenize is Tokenizer.tokenize:
        return tokenizer._encode(rows)
    return [np.asarray(tokenizer(row)).tolist() for row in rows]


def packed(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """`x`, `(x, y)` or `(x, y, sample_weight)`."""
    return x if y is None and sample_weight is None else core.utils.pack_x_y_sample_weight(x, y, sample_weight)


def first_row(arrays: Any) -> Any:
    """The arrays of a single row without the batch axis."""
    return core.tree.map_structure(lambda array: array[0], arrays)


def _stored(folder: pathlib.Path) -> dict[str, Any]:
    stored = read_json(folder, FILE) if has(folder, FILE) else {}
    return stored if isinstance(stored, dict) else {}


def _kind(name: Any) -> str:
    """What a preprocessor is for, from its class name: `BertTextClassifierPreprocessor` and `TextClassifierPreprocessor` are alike."""
    from hub.preprocessing.families import KINDS

    return next((kind for kind in KINDS if isinstance(name, str) and name.endswith(kind)), str(name))


def _class_for(cls: type[Self], folder: pathlib.Path) -> type[Self]:
    """The family's class for a general one."""
    from hub.preprocessing import families

    config = read_json(folder, "config.json") if has(folder, "config.json") else {}
    made = families.of_model(cls, config.get("model_type"), _stored(folder).get("class_name"))
    if made is Preprocessor:
        raise ConfigError("Preprocessor.from_preset does not know what for; use a task's class, for example TextClassifierPreprocessor.")
    return made
