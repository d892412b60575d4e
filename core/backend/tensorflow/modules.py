"""Core layers as TensorFlow modules, so that `tf.Module.variables`, checkpoints and saved models find their variables."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.autograph.core import config as autograph  # no public name says which packages to leave alone


class LayerModule(tf.Module):
    """A core layer as a `tf.Module` over the same `tf.Variable`s."""

    def __init__(self, layer: Any):
        if layer.backend.name != "tensorflow":
            raise ValueError(
                f"{layer.name!r} is on the {layer.backend.name} backend, so it has no tf.Variables: move it with .to_backend('tensorflow')."
            )
        for part in layer._flatten_layers():
            if not part.built and getattr(type(part).build, "__wrapped__", None) is not None:  # a `build` of its own makes variables
                raise ValueError(
                    f"{type(part).__name__} {part.name!r} is not built, so it has no variables to track yet: call it on data, or its "
                    "build(input_shape), before."
                )
        super().__init__()
        self._layer = _Untracked(layer)
        self._held = [v._value for v in layer.variables]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._layer.value(*args, **kwargs)


class _Untracked:
    def __init__(self, value: Any):
        self.value = value


def layer_module(layer: Any) -> LayerModule:
    """The layer as a `tf.Module`."""
    return LayerModule(layer)


def is_layer(value: Any) -> bool:
    """Whether `value` is a core layer."""
    return any(base.__module__ == "core.layers.layer" for base in type(value).__mro__)  # Keras' layers have methods of the same names


_plain_setattr = tf.Module.__setattr__


def _setattr(self: tf.Module, name: str, value: Any) -> None:
    """A core layer that becomes an attribute of a `tf.Module` has its variables tracked there, or is refused while it has none."""
    if is_layer(value):
        _plain_setattr(self, f"_module_of_{name}", LayerModule(value))
    _plain_setattr(self, name, value)


if tf.Module.__setattr__.__name__ != "_setattr":
    tf.Module.__setattr__ = _setattr


# A user's tf.function rewrites the Python that it calls; our code needs none of that, and the time is better spent.
autograph.CONVERSION_RULES = (autograph.DoNotConvert("core"), *autograph.CONVERSION_RULES)
