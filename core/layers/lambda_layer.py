"""`Lambda`: a function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from core.backend.symbolic import KerasTensor
from core.base import registry, tree
from core.base.errors import ConfigError
from core.layers.layer import Layer


class Lambda(Layer):
    """`function(inputs, **arguments)`.

    The function is saved by its registered name, never as code: to save a model with it, define it with `def` and decorate it with
    `core.saving.register_keras_serializable()`. It cannot own variables; subclass `Layer` for those.

    Args:
        function: called with the inputs; with `mask` and `training` too where it takes them.
        output_shape: shape of the outputs without the batch axis, or a function of the inputs' shape; found from `function`
            where it is None.
        mask: mask of the outputs, or a function `(inputs, mask)` that returns it.
        arguments: dict of further keyword arguments.

    >>> Lambda(lambda x: x**2)(np.array([3.0], "float32"))
    array([9.], dtype=float32)
    """

    def __init__(self, function: Callable, output_shape: Any = None, mask: Any = None, arguments: dict | None = None, **kwargs):
        super().__init__(**kwargs)
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        self._takes = {"mask", "training"} & set(_parameters(function)) - set(self.arguments)

    def call(self, inputs, mask=None, training=None):
        given = {"mask": mask, "training": training}
        return self.function(inputs, **{name: given[name] for name in self._takes}, **self.arguments)

    def compute_output_spec(self, inputs, mask=None, training=None):
        if self._output_shape is None:
            return super().compute_output_spec(inputs, mask=mask, training=training)
        tensors = tree.flatten(inputs)
        return tree.map_shape_structure(
            lambda shape: KerasTensor(shape, tensors[0].dtype), self._told_shape(tree.map_structure(lambda x: x.shape, inputs))
        )

    def _told_shape(self, input_shape: Any) -> Any:
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        first = input_shape if not input_shape or isinstance(input_shape[0], (int, type(None))) else input_shape[0]
        return (first[0], *self._output_shape)

    def compute_mask(self, inputs, mask=None):
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self):
        config = {**super().get_config(), "function": self._written(self.function, "function")}
        if self._output_shape is not None:
            shape = self._output_shape
            config["output_shape"] = self._written(shape, "output_shape") if callable(shape) else shape
        if self.mask is not None:
            config["mask"] = self._written(self.mask, "mask") if callable(self.mask) else registry.serialize_keras_object(self.mask)
        return {**config, "arguments": registry.serialize_keras_object(self.arguments)}

    def _written(self, function: Callable, argument: str) -> Any:
        if getattr(function, "__name__", "<lambda>") == "<lambda>":
            raise ConfigError(
                f"Lambda {self.name!r} has a nameless {argument}, and code is never saved: define the function with `def`, decorate it "
                "with @core.saving.register_keras_serializable(), and pass that."
            )
        return registry.serialize_keras_object(function)

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        config = dict(config)
        with registry.custom_object_scope(custom_objects or {}):
            for name in ("function", "output_shape", "mask"):
                if isinstance(config.get(name), dict) or (name == "function" and isinstance(config.get(name), str)):
                    config[name] = _read(config[name])
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        return cls(**config)


def _read(value: Any) -> Any:
    return registry.find_function(value) if isinstance(value, str) else registry.deserialize_keras_object(value)


def _parameters(function: Callable) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a builtin without a signature
        return []
