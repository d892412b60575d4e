"""Layers to configs and back."""

from __future__ import annotations

from typing import Any

from core.base import registry
from core.base.errors import ConfigError


def serialize(layer: Any) -> dict:
    """A config that `deserialize` makes the same layer from, without its weights."""
    return registry.serialize_keras_object(layer)


def deserialize(config: dict, custom_objects: dict | None = None) -> Any:
    """The layer that a config describes.

    Raises:
        ConfigError: the config describes something else.
    """
    from core.layers.layer import Layer

    if isinstance(config, dict) and config.get("class_name") and config.get("module") is None and config.get("registered_name") is None:
        config = {**config, "module": "keras.layers"}
    layer = registry.deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ConfigError(f"The config describes a {type(layer).__name__}, which is no layer.")
    return layer
