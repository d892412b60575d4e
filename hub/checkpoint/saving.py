"""Networks to folders: `config.json` in transformers' dialect, and weights in safetensors."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.saving import ConfigError, replacing
from hub.checkpoint.folder import WEIGHTS
from hub.checkpoint.loading import CONFIG
from hub.checkpoint.safetensors_file import write_safetensors
from hub.checkpoint.table import Row, Tensor, tensors

# Fields that change no outputs outside of training; a config that cannot say them is still a faithful export. (A length that is not
# said is that of rotary positions, which have no table; learned ones always say it.)
_WITHOUT_EFFECT = {"dropout", "attention_dropout", "initializer_range", "max_sequence_length"}


def save_backbone(
    backbone: Any,
    folder: str | os.PathLike,
    *,
    strict: bool = False,
    head: Sequence[Row] = (),
    architecture: str | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """Writes a backbone, and a head beside it, to a folder.

    Args:
        backbone: the network.
        folder: made where it does not exist.
        strict: whether transformers must understand all of the config.
        head: rows of the head, of `family.head_table(kind, layer)`.
        architecture: the class name for the config; that of the base model where it is None.
        extra: more keys for the config, for example `id2label`.

    Raises:
        ConfigError: with `strict`, the backbone has a property that the family's config cannot say.
    """
    folder = pathlib.Path(folder)
    family = backbone.family
    config = config_json(backbone, strict=strict)
    config.update({"architectures": [architecture or family.architecture], "dtype": backbone.dtype, **(extra or {})})
    rows = [*family.weight_table(backbone), *head]
    entries = [(t.name, t.shape, _dtype(t), t.gather) for t in tensors(rows)]
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as temporary:
        write_safetensors(temporary, entries, {"format": "pt"})
    write_json(folder / CONFIG, config)


def config_json(backbone: Any, *, strict: bool = False) -> dict[str, Any]:
    """The `config.json` of a backbone. What the family's dialect cannot say stands under the key "hornbeam"."""
    family, config = backbone.family, backbone.config
    written = {"model_type": family.name, **family.write(config)}
    if written.get("max_position_embeddings", 0) is None:
        del written["max_position_embeddings"]
    again = type(config)(**family.arguments(json.loads(json.dumps(written))))
    left = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if getattr(again, field.name) != getattr(config, field.name)
    }
    lost = sorted(set(left) - _WITHOUT_EFFECT)
    if strict and lost:
        raise ConfigError(
            f"A {family.name!r} config of transformers cannot say {', '.join(f'{name}={left[name]!r}' for name in lost)}; "
            "use save_to_preset, whose folders from_preset loads."
        )
    return {**written, "hornbeam": left} if left else written


def write_json(path: pathlib.Path, content: Any) -> None:
    """Writes JSON, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _dtype(tensor: Tensor) -> np.dtype:
    from hub.checkpoint.safetensors_file import DTYPES

    names = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}
    value = tensor.values[0]
    dtype = value.dtype if isinstance(value.dtype, str) else str(value.dtype).rpartition(".")[2]
    return DTYPES[names[dtype]]
