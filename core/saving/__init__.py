"""Saving and loading. Public as `core.saving`; what needs HDF5 is loaded when it is first used."""

from __future__ import annotations

from typing import Any

import core.backend  # noqa: F401 - enters the tensors of configs into the registry
from core.base.errors import (
    ConfigError,
    CorruptArtifactError,
    ResourceLimitError,
    UnsafeArtifactError,
    WeightMismatchError,
)
from core.base.registry import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from core.saving.atomic import replacing
from core.state.variable import allocation_limit, blank_variables


def load_model(filepath: Any, custom_objects: dict | None = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """The model that a `.keras` file holds; see `core.saving.archive.load_model`."""
    from core.saving import archive

    return archive.load_model(filepath, custom_objects, compile, safe_mode)


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Writes a model to a `.keras` file; see `core.saving.archive.save_model`."""
    from core.saving import archive

    archive.save_model(model, filepath, overwrite, zipped, **kwargs)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Loads weights into a built model; see `core.saving.weights.load_weights`."""
    from core.saving import weights

    weights.load_weights(model, filepath, skip_mismatch, **kwargs)


def save_weights(model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
    """Writes a model's weights; see `core.saving.weights.save_weights`."""
    from core.saving import weights

    weights.save_weights(model, filepath, overwrite, max_shard_size)


__all__ = [
    "ConfigError", "CorruptArtifactError", "CustomObjectScope", "ResourceLimitError", "UnsafeArtifactError", "WeightMismatchError",
    "allocation_limit", "blank_variables", "custom_object_scope", "deserialize_keras_object", "get_custom_objects", "get_registered_name",
    "get_registered_object", "load_model", "load_weights", "register_keras_serializable", "replacing", "save_model", "save_weights",
    "serialize_keras_object",
]  # fmt: skip
