"""Weights from folders into networks, and back. Every tensor is accounted for, and either all are loaded or none."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import core
from core import Variable
from core.saving import ConfigError, WeightMismatchError, allocation_limit, blank_variables
from hub import preset as presets
from hub.checkpoint.folder import Weights, has, read_json
from hub.checkpoint.table import Row, Tensor, tensors

CONFIG = "config.json"
_SLACK = 2**26  # bytes that a network may take beyond what its file accounts for
_LISTED = 40


def read_config(folder: str | os.PathLike) -> dict[str, Any]:
    """`config.json` of a folder."""
    if not has(folder, CONFIG):
        raise FileNotFoundError(f"The folder {str(folder)!r} has no {CONFIG}.")
    config = read_json(folder, CONFIG)
    if not isinstance(config, dict):
        raise ConfigError(f"{CONFIG} must hold an object, got a {type(config).__name__}.")
    return config


def load_backbone(cls: type, preset: Any, *, load_weights: bool, dtype: Any, overrides: dict[str, Any]) -> Any:
    """The backbone of a preset. `cls` is the class that was asked for; see `Backbone.from_preset`."""
    from hub import families

    folder = presets.resolve(preset, weights=load_weights)
    config = read_config(folder)
    family = families.of(config)
    found = family.backbone()
    if issubclass(cls, found):
        found = cls
    elif not issubclass(found, cls):
        raise ConfigError(
            f"{str(preset)!r} holds a {family.name!r} model; load it with {found.__name__}.from_preset or Backbone.from_preset."
        )
    arguments = {**family.arguments(config), **overrides}
    if not load_weights:
        return found(**arguments, dtype=None if dtype == "auto" else dtype)
    with Weights(folder) as weights:
        sizes = weights.tensors
        for name in ("num_layers", "num_decoder_layers"):
            if isinstance(arguments.get(name), int) and arguments[name] > len(sizes):
                raise ConfigError(f"The config says {name}={arguments[name]}, more than the {len(sizes)} tensors in the file.")
        if arguments.get(family.tie.field) and _heads_differ(weights, family):
            arguments[family.tie.field] = False  # what the file holds counts for more than what the config says
        if dtype == "auto":
            dtype = _most_common_dtype(weights)
        itemsize = np.dtype("float32").itemsize
        with blank_variables(), allocation_limit(2 * itemsize * sum(info.size for info in sizes.values()) + _SLACK):
            backbone = found(**arguments, dtype=dtype)
        load_into(backbone, weights)
    return backbone


def load_into(backbone: Any, source: str | os.PathLike | Weights, head: Sequence[Row] = ()) -> list[str]:
    """Loads a folder's weights into a backbone, and into a head beside it.

    Args:
        backbone: of the family whose files the folder has.
        source: the folder, or its open `Weights`.
        head: rows of `family.head_table(kind, layer)`; a file that has none of them leaves the head as it is.

    Returns:
        The names of tensors that the head expects and the file lacks: either none or all of the head's.

    Raises:
        WeightMismatchError: tensors are missing, unexpected or of another shape. Nothing has been changed.
    """
    if not isinstance(source, Weights):
        with Weights(source) as weights:
            return load_into(backbone, weights, head)
    family = backbone.family
    body, extra = tensors(family.weight_table(backbone)), tensors(head)
    found = _named(source, family, [*body, *extra])
    absent = [tensor.name for tensor in extra if tensor.name not in found]
    if len(absent) == len(extra):
        extra = []
    missing_optional = [t for t in body if t.optional and t.name not in found]
    wanted = [t for t in body if t not in missing_optional] + extra
    _check(source, backbone, wanted, found, {t.name for t in missing_optional})
    for tensor in wanted:
        for variable, piece in tensor.scatter(source.read(found[tensor.name])):
            variable.assign(piece)
    if missing_optional:
        _initialize(missing_optional)
        warnings.warn(
            f"The file has no {', '.join(t.name for t in missing_optional)}: these weights are drawn anew, so what depends on them must be "
            "trained first.",
            stacklevel=3,
        )
    return absent if not extra else []


def _named(weights: Weights, family: Any, wanted: list[Tensor]) -> dict[str, str]:
    """Name in the tables -> name in the file. Files of base models lack the prefix; old ones say gamma and beta."""
    known = {tensor.name for tensor in wanted}
    found: dict[str, str] = {}
    for name in weights.tensors:
        plain = name
        for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
            if plain.endswith(old):
                plain = plain.removesuffix(old) + new
        if plain not in known and family.prefix + plain in known:
            plain = family.prefix + plain
        if plain in found:
            raise WeightMismatchError(f"The file has both {found[plain]!r} and {name!r}, which mean the same weight.")
        found[plain] = name
    return found


def _check(weights: Weights, backbone: Any, wanted: list[Tensor], found: dict[str, str], optional: set[str]) -> None:
    """One error that lists all that does not fit."""
    infos, family = weights.tensors, backbone.family
    missing = [tensor.name for tensor in wanted if tensor.name not in found]
    mismatched = []
    for tensor in wanted:
        if any(not isinstance(value, Variable) for value in tensor.values):
            raise WeightMismatchError(f"{tensor.name} cannot be loaded into a weight with LoRA; load first, then enable it.")
        if tensor.name in found:
            info = infos[found[tensor.name]]
            if info.shape != tensor.shape:
                mismatched.append(f"{tensor.name} is {info.shape} in the file and {tensor.shape} in the model")
            elif info.dtype not in ("F64", "F32", "F16", "BF16"):
                mismatched.append(f"{tensor.name} holds {info.dtype}, no floats")
    known = {tensor.name for tensor in wanted} | optional
    others = re.compile("|".join(_elsewhere(family)) or r"(?!)")
    unexpected = [name for name in found if name not in known and not others.fullmatch(name)]
    if getattr(backbone.config, family.tie.field) and _heads_differ(weights, family):
        mismatched.append(f"{family.tie.head} differs from {family.tie.table}, to which the model ties it")
    problems = [
        f"{len(names)} {kind}: {', '.join(names[:_LISTED])}{', ...' if len(names) > _LISTED else ''}"
        for kind, names in (("missing", missing), ("unexpected", unexpected), ("mismatched", mismatched))
        if names
    ]
    if problems:
        listed = "; ".join(problems)
        raise WeightMismatchError(f"The weights in {str(weights.folder)!r} do not fit the {family.name!r} model. {listed}.")


def _heads_differ(weights: Weights, family: Any) -> bool:
    """Whether the file has an output table of its own, with other values than the table of token vectors."""
    infos, head = weights.tensors, family.tie.head
    table = next((name for name in (family.tie.table, family.tie.table.removeprefix(family.prefix)) if name in infos), None)
    if head not in infos or table is None:
        return False
    return infos[head].shape != infos[table].shape or not np.array_equal(weights.read(head), weights.read(table))


def _elsewhere(family: Any) -> list[str]:
    """Patterns of tensors that are rightly in the file and not in the network at hand: heads, copies of tied weights, buffers."""
    optional_prefix = f"(?:{re.escape(family.prefix)})?"
    patterns = [optional_prefix + pattern for pattern in family.ignored]
    for head in family.heads.values():
        patterns += [re.escape(name) + r"(\.weight|\.bias)?" for name in head.parts.values()]
        patterns += [re.escape(name) for name in head.repeated]
    return patterns


def _initialize(missing: list[Tensor]) -> None:
    """Draws what the file lacks, as the layers would have when they were built."""
    for tensor in missing:
        for layer, attribute in tensor.owners:
            initializer = getattr(layer, f"{attribute}_initializer", None) or layer.embeddings_initializer
            variable = getattr(layer, attribute)
            with core.backend.use(variable.backend):
                variable.assign(initializer(variable.shape, variable.dtype))


def _most_common_dtype(weights: Weights) -> str:
    """The float dtype that most of a file's values have."""
    names = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    counts: dict[str, int] = {}
    for info in weights.tensors.values():
        if info.dtype in names:
            counts[names[info.dtype]] = counts.get(names[info.dtype], 0) + info.size
    return max(counts, key=lambda name: counts[name]) if counts else "float32"
