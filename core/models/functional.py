"""`Functional`: a model that is a graph of layers."""

from __future__ import annotations

from typing import Any

from core.backend import slot
from core.backend.masks import any_masks, get_mask, set_mask
from core.backend.symbolic import KerasTensor, Node
from core.base import tree
from core.base.dtypes import is_float_dtype
from core.base.shapes import compatible
from core.graph import abstract
from core.graph.context import CONTEXT
from core.graph.function import Function
from core.graph.plan import describe
from core.layers import layer as layer_module
from core.layers.input_layer import InputLayer
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer
from core.models.model import Model
from core.state.seed import SeedGenerator
from core.training.trainer import Trainer

_TRAINING = frozenset({"training"})


class Functional(Function, Model):
    """The model from `inputs` to `outputs`, run by a flat plan for each phase."""

    _public_module = "keras.src.models.functional"  # where Keras' files say that it stands
    _untracked = Model._untracked | {
        "_inputs_structure",
        "_outputs_structure",
        "_input_tensors",
        "_output_tensors",
        "_nodes",
        "_plans",
        "_operations",
        "_ready",
    }

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any):
        trainable = kwargs.pop("trainable", None)
        Trainer.__init__(self)
        Layer.__init__(self, name=name, **kwargs)
        for x in tree.flatten(inputs):
            if isinstance(x, KerasTensor) and (x.node is None or not isinstance(x.node.operation, InputLayer)):
                inputs, outputs = rebase(inputs, outputs)
                break
        self._set_graph(inputs, outputs)
        layers = [op for op in self._operations if isinstance(op, Layer)]
        _require_unique_names(layers)
        self._graph_layers = layers
        draws = (node for node in self._nodes if not isinstance(node.operation, Layer))
        seeds = [x for node in draws for x in tree.flatten((node.args, node.kwargs)) if isinstance(x, SeedGenerator)]
        if seeds:  # those of calls such as core.random.normal((batch, 2), seed=seeds) are the model's own
            self._seed_generators = list(dict.fromkeys(seeds))
        self._masked = any(layer._makes_masks for layer in layers)
        self._ready: Any = None
        self.built = True
        if trainable is not None:
            self.trainable = trainable

    @property
    def layers(self) -> list[Layer]:
        """The layers of the graph, from inputs to outputs."""
        own = {id(x) for x in self._graph_layers}
        return [*self._graph_layers, *(x for x in self._layers if id(x) not in own)]

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("`Model.layers` is read from the graph and cannot be set.")

    @property
    def _makes_masks(self) -> bool:
        return self._masked

    @property
    def input(self) -> Any:
        """The symbolic inputs, as given."""
        return self._inputs_structure

    @property
    def output(self) -> Any:
        """The symbolic outputs, as given."""
        return self._outputs_structure

    @property
    def input_shape(self) -> Any:
        """The shapes of the inputs, as given."""
        return tree.map_structure(lambda x: x.shape, self._inputs_structure)

    @property
    def output_shape(self) -> Any:
        """The shapes of the outputs, as given."""
        return tree.map_structure(lambda x: x.shape, self._outputs_structure)

    @property
    def input_names(self) -> list[str]:
        return [x.name for x in self._input_tensors]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs."""
        return [getattr(x.node.operation, "name", None) or x.node.operation.op.name for x in self._output_tensors]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        ready = self._ready
        if ready is not None and len(args) == 1 and kwargs.keys() <= _TRAINING:
            x = args[0]
            if type(x) is ready[0] and x.dtype == ready[1] and x.shape[1:] == ready[2] and not any_masks() and slot.active() is ready[3]:
                return self._quick_call(x, kwargs.get("training"))
        outputs = super().__call__(*args, **kwargs)
        self._note_ready(args)
        return outputs

    def _on_backend(self, backend: Any) -> None:
        super()._on_backend(backend)
        self._ready = None

    def _note_ready(self, args: tuple) -> None:
        """Opens the quick path for one tensor of a kind that has come through the full one."""
        x: Any = args[0] if len(args) == 1 else None
        plain = isinstance(self._inputs_structure, KerasTensor) and isinstance(self._outputs_structure, KerasTensor) and not self._masked
        plain = (
            plain
            and self.activity_regularizer is None
            and slot.owner(x) is self.backend
            and len(x.shape) == len(self._input_tensors[0].shape)
        )
        plain = plain and type(self).call is Functional.call and self.backend.dtype(x) == self._input_tensors[0].dtype
        plain = plain and (self.compute_dtype == self.variable_dtype)
        self._ready = (type(x), x.dtype, x.shape[1:], self.backend) if plain else None

    def _quick_call(self, x: Any, training: bool | None) -> Any:
        context = CONTEXT
        before = context.training
        if training is None:
            training = before
        if context.depth == 0 and layer_module._with_losses:
            self.clear_losses()
        context.training = training
        context.depth += 1
        try:
            return self._plan((training, False, False), lambda node: self._bind(node, training, False)).run_one(x)
        except Exception as error:
            error.add_note(f"in {describe(self)}")
            raise
        finally:
            context.training = before
            context.depth -= 1

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs, in the structure in which they were given."""
        flat = [self._adjusted(x, spec) for x, spec in zip(self._flat_inputs(inputs), self._input_tensors)]
        if mask is not None:
            for x, one in zip(flat, tree.flatten(mask)):
                set_mask(x, one)
        training = CONTEXT.training if training is None else training
        masked = self._masked or any_masks()
        symbolic = any(isinstance(x, KerasTensor) for x in flat)
        plan = self._plan((training, masked, symbolic), lambda node: self._bind(node, training, masked or symbolic))
        return tree.unflatten(self._outputs_spec, plan.run(flat))

    def _bind(self, node: Node, training: bool | None, full: bool) -> tuple:
        """What a step runs: a layer's bare `call` where nothing else would happen in a call of the layer."""
        layer = node.operation
        if not isinstance(layer, Layer):
            return layer, {}
        takes_training = layer._call_spec.training and "training" not in node.kwargs and len(node.args) <= 1
        extra = {"training": training} if takes_training else {}
        if full or not self._is_bare(layer, node):
            return layer, {k: v for k, v in extra.items() if v is not None}
        return layer.call, extra

    @staticmethod
    def _is_bare(layer: Layer, node: Node) -> bool:
        if type(layer).__call__ is not Layer.__call__ or not layer.built or layer.activity_regularizer is not None or layer._makes_masks:
            return False
        if layer.compute_dtype != layer.variable_dtype:
            return False
        inputs = [x for x in tree.flatten((node.args, node.kwargs)) if isinstance(x, KerasTensor)]
        if layer.autocast and any(is_float_dtype(x.dtype) and x.dtype != layer.compute_dtype for x in inputs):
            return False
        if isinstance(layer, Functional) or not layer._layers:
            return True
        return type(layer).__module__.startswith("core.layers.") and all(part.built for part in layer._flatten_layers())

    def _adjusted(self, x: Any, spec: KerasTensor) -> Any:
        """An input as the graph expects it: its dtype, and a last axis of 1 added or taken away."""
        if x is None or isinstance(x, str):
            return x
        shape = tuple(x.shape)
        if len(shape) == len(spec.shape) and (
            shape == spec.shape or compatible(shape[1:], spec.shape[1:]) and compatible(shape[:1], spec.shape[:1])
        ):
            pass
        elif len(shape) == len(spec.shape) - 1 and spec.shape[-1] == 1 and compatible(shape, spec.shape[:-1]):
            x = x[..., None]
        elif len(shape) == len(spec.shape) + 1 and shape[-1] == 1 and compatible(shape[:-1], spec.shape):
            x = x[..., 0]
        else:
            raise ValueError(f"Model {self.name!r} expected its input {spec.name!r} to have shape {spec.shape}, got {shape}.")
        if isinstance(x, KerasTensor):
            return x
        owner = slot.owner(x)
        if owner is not None and owner.dtype(x) != spec.dtype and spec.dtype != "string":
            if not (is_float_dtype(spec.dtype) and is_float_dtype(owner.dtype(x)) and self.compute_dtype != self.variable_dtype):
                kept = get_mask(x)
                x = owner.cast(x, spec.dtype)
                set_mask(x, kept)
        return x

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The outputs' masks are set by the layers that make them."""
        return None

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs for symbolic inputs."""
        flat = self._flat_inputs(inputs)
        if all(isinstance(x, KerasTensor) and x.shape == y.shape for x, y in zip(flat, self._input_tensors)):
            return tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype, x.sparse), self._outputs_structure)
        return abstract.output_spec(self.call, inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output shapes for input shapes."""
        return Function.compute_output_shape(self, input_shape)

    @property
    def input_spec(self) -> Any:
        return None

    @input_spec.setter
    def input_spec(self, value: InputSpec | None) -> None:
        """The graph checks its inputs by itself."""

    def build(self, input_shape: Any = None) -> None:
        """A graph is built as it is made."""
        self.built = True

    def get_build_config(self) -> dict | None:
        return None

    def get_config(self) -> dict:
        from core.saving.graph_config import graph_config

        if type(self) is not Functional and type(self).__init__ is not Functional.__init__:
            return Layer.get_config(self)
        return graph_config(self)

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        from core.saving.graph_config import graph_from_config

        if "layers" in config and "output_layers" in config:
            return graph_from_config(cls if cls.__init__ is Functional.__init__ else Functional, config, custom_objects)
        return cls(**config)


def make_functional(cls: type) -> None:
    """Puts `Functional` in the place of `Model` among the bases of a subclass that was given inputs and outputs."""
    if issubclass(cls, Functional) or cls is object:
        return
    for base in cls.__bases__:
        if base is not Model:
            make_functional(base) if issubclass(base, Model) else None
    cls.__bases__ = tuple(Functional if base is Model else base for base in cls.__bases__)


def rebase(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """A graph that starts in the middle of another one, as a graph that starts at `Input`s."""
    from core.graph.plan import Plan, sort_nodes
    from core.layers.input_layer import Input

    flat = tree.flatten(inputs)
    fresh = [x if isinstance(getattr(x.node, "operation", None), InputLayer) else Input(batch_shape=x.shape, dtype=x.dtype) for x in flat]
    flat_outputs, spec = tree.flatten_with_spec(outputs)
    plan = Plan(flat, flat_outputs, sort_nodes(flat, flat_outputs), lambda node: (node.operation, {}))
    return tree.pack_sequence_as(inputs, fresh), tree.unflatten(spec, plan.run(fresh))


def _require_unique_names(layers: list[Layer]) -> None:
    seen: set[str] = set()
    for layer in layers:
        if layer.name in seen:
            raise ValueError(f"The name {layer.name!r} is used by two layers of the model; every layer needs a name of its own.")
        seen.add(layer.name)
