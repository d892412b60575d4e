"""Core models for TensorFlow's users."""

from __future__ import annotations

from typing import Any

from core.backend import slot


def module(layer: Any) -> Any:
    """A built core layer or model as a `tf.Module` over the same `tf.Variable`s, for checkpoints and saved models.

    Raises:
        ValueError: the layer is not built, or not on the tensorflow backend.

    >>> dense = core.layers.Dense(2)
    >>> dense.build((None, 3))
    >>> len(module(dense).trainable_variables)
    2
    """
    return slot.get("tensorflow").layer_module(layer)


__all__ = ["module"]
