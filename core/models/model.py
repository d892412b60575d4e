"""`Model`: a layer that can be trained, saved and shown."""

from __future__ import annotations

import json
from typing import Any

from core.backend import slot
from core.backend.symbolic import KerasTensor
from core.base import registry, tree
from core.base.errors import unknown_name
from core.layers.layer import Layer
from core.training.trainer import Trainer


class Model(Trainer, Layer):
    """A layer with `fit`, `evaluate`, `predict`, `save` and `summary`.

    Three ways to make one: `Model(inputs, outputs)` from symbolic tensors, `core.Sequential([...])`, or a subclass that makes its
    layers in `__init__` and uses them in `call`.

    >>> from core import layers
    >>> x = layers.Input((8,))
    >>> Model(x, layers.Dense(2)(x)).count_params()
    18
    """

    _public_module = "keras"
    _untracked = Layer._untracked | Trainer._of_training

    def __new__(cls, *args: Any, **kwargs: Any):
        if cls is Model and is_functional_init(args, kwargs):
            from core.models.functional import Functional

            return super().__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any):
        Trainer.__init__(self)
        if is_functional_init(args, kwargs):
            from core.models.functional import Functional, make_functional

            make_functional(type(self))
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]  # what `make_functional` made it
            return
        if args:
            raise TypeError(f"{type(self).__name__} takes keyword arguments (name, trainable, dtype) or inputs and outputs, got {args!r}.")
        Layer.__init__(self, **kwargs)

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        """The model that `get_config` describes; a functional one where the config is a graph."""
        if cls is Model and "layers" in config and "output_layers" in config:
            from core.models.functional import Functional

            return Functional.from_config(config, custom_objects)
        return super().from_config(config)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. Subclasses define it."""
        raise TypeError(
            f"{type(self).__name__} has no `call` method: define `call(self, inputs)` in the class, or give inputs and outputs."
        )

    def _converted(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """A model takes arrays of any framework: those of others go through NumPy."""
        own = self.backend

        def convert(x: Any) -> Any:
            owner = slot.owner(x)
            return x if owner is None or owner is own else own.convert_to_tensor(owner.convert_to_numpy(x))

        return super()._converted(tree.map_structure(convert, args), kwargs)

    @property
    def layers(self) -> list[Layer]:
        """The layers directly in the model."""
        return list(self._layers)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("`Model.layers` is read from the attributes and cannot be set; keep your list under another name.")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name or at that index."""
        if (name is None) == (index is None):
            raise ValueError("get_layer needs a name or an index, and not both.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"{self.name!r} has {len(layers)} layers, so there is no layer at index {index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise unknown_name(f"layer of {self.name!r}", name, [layer.name for layer in layers])

    def get_weights(self) -> list:
        """The values of `weights`, as NumPy arrays."""
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} is not built, so it has no weights yet: call it on data, or build it, first."
            )
        return super().get_weights()

    def summary(self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False, layer_range=None) -> None:
        """Prints a table of the layers with their output shapes and parameters."""
        from core.models.summary import print_summary

        print_summary(self, line_length, print_fn, expand_nested, show_trainable, layer_range)

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Writes the whole model (layers, weights, optimizer) to a `.keras` file. `core.saving.load_model` reads it."""
        from core.saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Writes the weights to a `.weights.h5` file."""
        from core.saving import save_weights

        save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Reads weights that `save_weights` (or Keras') wrote. Nothing is changed unless all fit."""
        from core.saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, without weights; `core.models.model_from_json` reads it."""
        return json.dumps(registry.serialize_keras_object(self), **kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Creates the variables by a call on symbolic inputs of that shape (batch axis included)."""
        if self.built or input_shape is None:
            self.built = True
            return
        if isinstance(input_shape, dict):
            specs: Any = {k: KerasTensor(tuple(v), self.compute_dtype) for k, v in input_shape.items()}
        else:
            specs = tree.map_shape_structure(lambda s: KerasTensor(tuple(s), self.compute_dtype), input_shape)
        from core.graph import abstract

        try:
            abstract.output_spec(self.call, specs)
        except Exception as error:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} could not be built for input shape {input_shape}: {error}. Call it on data instead."
            ) from error

    def _build_from(self, args: tuple, kwargs: dict) -> None:
        """On data, the layers inside build themselves as `call` reaches them."""
        if type(self).build is not Model.build:
            super()._build_from(args, kwargs)
            return
        shapes = tree.map_structure(lambda x: tuple(x.shape) if hasattr(x, "shape") else None, args[0]) if args else None
        self._build_shapes = {"input_shape": shapes}
        self._backend_name = self._backend_for(args, kwargs).name
        self.built = True

    def build_from_config(self, config: dict) -> None:
        """Builds from `get_build_config`'s result."""
        if config and not self.built:
            shape = config.get("input_shape") or config.get("shapes_dict")
            if shape is not None:
                from core.layers.layer import _as_shape

                self.build(_as_shape(shape))


def is_functional_init(args: tuple, kwargs: dict) -> bool:
    """Whether `Model(...)` was given inputs and outputs."""
    return len(args) == 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


def model_from_json(json_string: str, custom_objects: dict | None = None) -> Model:
    """The model that `to_json` described, with fresh weights."""
    return registry.deserialize_keras_object(json.loads(json_string), custom_objects=custom_objects)
