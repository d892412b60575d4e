"""`TextEmbedder`: a vector for each text."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from core import ops
from core.saving import ConfigError, CorruptArtifactError
from hub.layers.heads import first_token, last_token, max_of_tokens, mean_of_tokens
from hub.models.task import Task

POOLINGS: dict[str, Callable] = {"mean": mean_of_tokens, "cls": first_token, "last": last_token, "max": max_of_tokens}
# Ways to pool in files of sentence-transformers -> ours
FLAGS = {
    "pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "last", "pooling_mode_max_tokens": "max",
}  # fmt: skip
NAMED = {"mean": "mean", "cls": "cls", "lasttoken": "last", "max": "max"}
MODULES, POOLING = "modules.json", "1_Pooling/config.json"
KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")


class TextEmbedder(Task):
    """Vectors (batch, features) of texts: the pooled states of the backbone, of length 1 with `normalize`.

    `from_preset` reads how to pool from the files of sentence-transformers (`modules.json`, `1_Pooling/config.json`) where a preset has
    them.

    Args:
        backbone: a `hub.models.Backbone`.
        preprocessor: a `TextEmbedderPreprocessor`, or None to take arrays.
        pooling_mode: `"mean"` of all tokens, `"cls"` the first, `"last"` the last, `"max"` the largest value of each feature.
        normalize: whether vectors have length 1.

    >>> embedder = hub.models.TextEmbedder.from_preset("folder")  # doctest: +SKIP
    >>> embedder.encode_text(["a text", "another"]).shape  # doctest: +SKIP
    (2, 384)
    """

    kind = "text_embedder"
    preprocessor_kind = "TextEmbedderPreprocessor"
    unused = ("pooler", "lm_head", "decoder")
    options = ("pooling_mode", "normalize")
    default_pooling = "mean"

    def __init__(
        self,
        backbone: Any,
        preprocessor: Any = None,
        pooling_mode: str | None = None,
        normalize: bool = True,
        compile: bool = True,
        **kwargs: Any,
    ):
        super().__init__(compile=False, **kwargs)
        self._setup(backbone, preprocessor)
        pooling_mode = self.default_pooling if pooling_mode is None else pooling_mode
        if pooling_mode not in POOLINGS:
            raise ConfigError(f"pooling_mode must be one of {', '.join(map(repr, POOLINGS))}, got {pooling_mode!r}.")
        self.pooling_mode, self.normalize = pooling_mode, bool(normalize)
        self.built = True
        if compile:
            self.compile()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        vectors = POOLINGS[self.pooling_mode](self.states(inputs, training), inputs.get("padding_mask"))
        return ops.normalize(vectors, axis=-1) if self.normalize else vectors

    def encode_text(self, texts: Any, batch_size: int = 32, verbose: Any = 0) -> np.ndarray:
        """The vectors of texts, (batch, features); of one text, (features,)."""
        single = isinstance(texts, str)
        vectors = np.asarray(self.predict([texts] if single else texts, batch_size=batch_size, verbose=verbose))
        return vectors[0] if single else vectors

    def encode_documents(self, documents: Any, batch_size: int = 32, verbose: Any = 0) -> np.ndarray:
        """As `encode_text`."""
        return self.encode_text(documents, batch_size, verbose)

    def similarity(self, first: Any, second: Any) -> np.ndarray:
        """The cosines between vectors or texts, (rows of `first`, rows of `second`)."""
        rows = []
        for part in (first, second):
            texts = isinstance(part, str) or (isinstance(part, (list, tuple)) and len(part) > 0 and isinstance(part[0], str))
            vectors = np.atleast_2d(self.encode_text(part) if texts else np.asarray(ops.convert_to_numpy(part)))
            rows.append(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
        return rows[0] @ rows[1].T

    # -------------------------------------------------------------------------------------------- presets

    @classmethod
    def options_of(cls, folder: pathlib.Path, config: Mapping[str, Any]) -> dict[str, Any]:
        from hub.checkpoint import has, read_json

        if not has(folder, MODULES):
            return {}
        modules = read_json(folder, MODULES)
        if not isinstance(modules, list) or not all(isinstance(module, dict) and isinstance(module.get("type"), str) for module in modules):
            raise CorruptArtifactError(f"{MODULES} must hold a list of objects with 'type'.")
        kinds = [module["type"].rpartition(".")[2] for module in modules]
        unknown = [kind for kind in kinds if kind not in KNOWN_MODULES]
        if unknown:
            raise ConfigError(f"{MODULES} has {', '.join(unknown)}, which TextEmbedder has not; it has {', '.join(KNOWN_MODULES)}.")
        options: dict[str, Any] = {"normalize": "Normalize" in kinds}
        if has(folder, POOLING):
            options["pooling_mode"] = _pooling(read_json(folder, POOLING))
        return options

    def save_to_preset(self, preset_dir: str | os.PathLike) -> None:
        super().save_to_preset(preset_dir)
        self._write_sentence_files(pathlib.Path(preset_dir))

    def export_to_transformers(self, path: str | os.PathLike) -> None:
        """Writes a folder that transformers (`AutoModel`) loads; sentence-transformers finds there how to pool."""
        super().export_to_transformers(path)
        self._write_sentence_files(pathlib.Path(path))

    def _write_sentence_files(self, folder: pathlib.Path) -> None:
        from hub.checkpoint import write_json

        names = [("Transformer", ""), ("Pooling", "1_Pooling"), *([("Normalize", "2_Normalize")] if self.normalize else [])]
        (folder / "1_Pooling").mkdir(exist_ok=True)
        flags = {flag: mode == self.pooling_mode for flag, mode in FLAGS.items()}
        write_json(folder / POOLING, {"word_embedding_dimension": self.backbone.config.hidden_dim, **flags})
        modules = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"} for i, (name, path) in enumerate(names)
        ]
        write_json(folder / MODULES, modules)  # type: ignore[arg-type]
        if self.preprocessor is not None:
            write_json(folder / "sentence_bert_config.json", {"max_seq_length": self.preprocessor.sequence_length, "do_lower_case": False})


def _pooling(config: Any) -> str:
    """Our name of the way to pool in a `1_Pooling/config.json`."""
    if not isinstance(config, dict):
        raise CorruptArtifactError(f"{POOLING} must hold a JSON object.")
    stated = config.get("pooling_mode")
    chosen = [stated] if isinstance(stated, str) else [key for key, value in config.items() if key.startswith("pooling_mode_") and value]
    known = {**FLAGS, **NAMED}
    if len(chosen) != 1 or chosen[0] not in known:
        asked = ", ".join(map(str, chosen)) or "nothing"
        raise ConfigError(f"{POOLING} asks for {asked}; TextEmbedder has {', '.join(POOLINGS)}, one at a time.")
    return known[chosen[0]]
