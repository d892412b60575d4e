"""`Sequential`: a model that is a chain of layers."""

from __future__ import annotations

import contextlib
from typing import Any

from core.backend.symbolic import KerasTensor
from core.base import registry, tree
from core.layers.input_layer import Input, InputLayer
from core.layers.layer import Layer, _as_shape
from core.models.functional import Functional
from core.models.model import Model
from core.training.trainer import Trainer


class Sequential(Model):
    """Layers called one after another.

    Args:
        layers: the layers; a first `core.Input` (or a shape given to the first layer) builds the model at once, else its first call does.

    >>> from core import layers
    >>> Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)]).count_params()
    23
    """

    _untracked = Model._untracked | {"_graph"}

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any):
        Trainer.__init__(self)
        Layer.__init__(self, trainable=trainable, name=name, **kwargs)
        self._graph: Functional | None = None
        self._chain: list[Layer] = []
        for layer in layers if isinstance(layers, (list, tuple)) else [layers] if layers is not None else []:
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer at the end."""
        if isinstance(layer, KerasTensor):
            layer = layer.node.operation if layer.node is not None else layer
        if not isinstance(layer, Layer):
            if callable(layer):
                from core.layers import Lambda

                layer = Lambda(layer)
            else:
                raise ValueError(f"Sequential takes layers, got a {type(layer).__name__}: {layer!r}.")
        given = getattr(layer, "_batch_input_shape", None)
        if not self._chain and given is not None and not isinstance(layer, InputLayer):
            self.add(InputLayer(batch_shape=given), rebuild=False)
        if isinstance(layer, InputLayer) and self._chain:
            raise ValueError(f"Sequential {self.name!r} already starts with {self._chain[0].name!r}; an Input can only come first.")
        if any(layer.name == other.name for other in self._chain):
            raise ValueError(f"Sequential {self.name!r} already has a layer named {layer.name!r}; give this one another name.")
        self._chain = [*self._chain, layer]
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away and returns it."""
        if not self._chain:
            raise ValueError(f"Sequential {self.name!r} has no layer to pop.")
        *rest, layer = self._chain
        self._chain = rest
        layer._inbound_nodes.clear()
        self.built = False
        self._graph = None
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Builds where the input shape is known, and forgets the old graph."""
        self.built, self._graph = False, None
        first = self._chain[0] if self._chain else None
        if isinstance(first, InputLayer) and len(self._chain) > 1:
            self._build_graph(first.output)
        elif isinstance(first, Functional) or (isinstance(first, Sequential) and first._graph is not None):
            graph: Any = first if isinstance(first, Functional) else first._graph
            if len(graph.inputs) == 1:
                self._build_graph(Input(batch_shape=graph.inputs[0].shape, dtype=graph.inputs[0].dtype))

    def _build_graph(self, x: KerasTensor) -> None:
        from core.base import names

        inputs = x
        inside = names.current_path().rpartition("/")[2] == self.name  # called: the call has opened the scope
        with contextlib.nullcontext() if inside else names.scope(self.name):
            for layer in self._chain:
                if not isinstance(layer, InputLayer):
                    x = layer(x)
        if not isinstance(inputs, KerasTensor) or any(not isinstance(t, KerasTensor) for t in tree.flatten(x)):
            return
        self._graph = Functional(inputs, x, name=self.name)
        self._masked = self._graph._masked
        self.built = True

    def _on_backend(self, backend: Any) -> None:
        super()._on_backend(backend)
        if self._graph is not None:
            self._graph._on_backend(backend)

    def build(self, input_shape: Any = None) -> None:
        """Creates the variables for an input shape, batch axis included."""
        if self._graph is not None:
            return
        if not self._chain:
            raise ValueError(f"Sequential {self.name!r} has no layers, so it cannot be built. Add some with .add(layer).")
        if isinstance(self._chain[0], InputLayer):
            self._rebuild()
        elif input_shape is not None:
            self._build_graph(Input(batch_shape=tuple(input_shape), dtype=self._chain[0].compute_dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        graph = self._graph
        if graph is not None and graph._ready is not None and type(self).call is Sequential.call and self.activity_regularizer is None:
            return graph(*args, **kwargs)
        outputs = super().__call__(*args, **kwargs)
        if self._graph is not None:
            self._graph._note_ready(args)
        return outputs

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The last layer's outputs."""
        if self._graph is not None:
            return self._graph.call(inputs, training=training, mask=mask)
        for layer in self._chain:
            if not isinstance(layer, InputLayer):
                inputs = layer(inputs, **({"training": training} if layer._call_spec.training and training is not None else {}))
        return inputs

    @property
    def layers(self) -> list[Layer]:
        """The layers, a first Input left out."""
        return [layer for layer in self._chain if not isinstance(layer, InputLayer)]

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("`Sequential.layers` cannot be set; use add and pop.")

    @property
    def _makes_masks(self) -> bool:
        return self._graph is not None and self._graph._masked

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The output's mask is set by the layers that make it."""
        return None

    def _known_graph(self, what: str) -> Functional:
        if self._graph is None:
            raise AttributeError(
                f"Sequential {self.name!r} is not built yet, so its {what} are not known: start it with core.Input(shape), or call it on "
                "data."
            )
        return self._graph

    @property
    def inputs(self) -> list[KerasTensor]:
        return self._known_graph("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        return self._known_graph("outputs").outputs

    @property
    def input(self) -> Any:
        return self._known_graph("input").input

    @property
    def output(self) -> Any:
        return self._known_graph("output").output

    @property
    def input_shape(self) -> Any:
        return self._known_graph("input shape").input_shape

    @property
    def output_shape(self) -> Any:
        return self._known_graph("output shape").output_shape

    @property
    def input_names(self) -> list[str]:
        return self._known_graph("input names").input_names

    @property
    def output_names(self) -> list[str]:
        """The name of the layer that makes the output."""
        return self._known_graph("output names").output_names

    @property
    def input_dtype(self) -> str:
        """The dtype that the input is cast to."""
        return self._graph.inputs[0].dtype if self._graph is not None else self.compute_dtype

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output shape for an input shape."""
        if self._graph is not None:
            return self._graph.compute_output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The output for a symbolic input."""
        if self._graph is not None:
            return self._graph.compute_output_spec(inputs)
        for layer in self.layers:
            inputs = layer.compute_output_spec(inputs)
        return inputs

    def _build_from(self, args: tuple, kwargs: dict) -> None:
        x: Any = args[0] if args else None
        if hasattr(x, "shape"):
            from core.backend import slot

            backend = self._backend_for(args, kwargs)
            self._backend_name = backend.name
            dtype = x.dtype if isinstance(x, KerasTensor) else backend.dtype(x)
            with slot.use(backend):
                self._build_graph(Input(batch_shape=(None, *x.shape[1:]), dtype=dtype))
            self._build_shapes = {"input_shape": (None, *x.shape[1:])}
        self.built = True

    def get_config(self) -> dict:
        layers = [registry.serialize_keras_object(layer) for layer in self._chain]
        config = {"name": self.name, "trainable": self.trainable, "dtype": Layer.get_config(self)["dtype"], "layers": layers}
        if self._graph is not None and not isinstance(self._chain[0], InputLayer):
            config["build_input_shape"] = self._graph.inputs[0].shape
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Sequential:
        """The model that `get_config` describes."""
        model = cls(name=config.get("name"))
        for layer in config["layers"]:
            model.add(registry.deserialize_keras_object(layer, custom_objects=custom_objects), rebuild=False)
        model._rebuild()
        shape = config.get("build_input_shape")
        if not model.built and shape is not None:
            model.build(_as_shape(shape))
        if config.get("trainable") is False:
            model.trainable = False
        return model

    def get_build_config(self) -> dict | None:
        return {"input_shape": self._graph.inputs[0].shape} if self._graph is not None and len(self._graph.inputs) == 1 else None
