"""`Operation`: a callable object that can stand in a graph of symbolic calls. Layers are operations; users may subclass it."""

from __future__ import annotations

import inspect
from typing import Any

from core.backend.symbolic import KerasTensor, Node
from core.base import names, tree
from core.graph import abstract
from core.graph.context import CONTEXT


class Operation:
    """Something that is called on tensors: `call` computes, `compute_output_spec` tells shapes."""

    _public_module: str | None = "keras"
    _inbound_nodes: list[Node]

    def __new__(cls, *args: Any, **kwargs: Any):
        instance = super().__new__(cls)
        instance.__dict__["_init_arguments"] = (args, kwargs)
        instance.__dict__["_inbound_nodes"] = []
        return instance

    def __init__(self, name: str | None = None):
        self.name = check_name(name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. Subclasses define it."""
        raise TypeError(f"{type(self).__name__} has no `call` method: define `call(self, inputs)` in the class.")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Records the call; returns symbolic outputs."""
        outputs = self.compute_output_spec(*args, **kwargs)
        return self.record(args, kwargs, outputs)

    def record(self, args: tuple, kwargs: dict, outputs: Any) -> Any:
        """Makes the node of a symbolic call."""
        tensors = [x for x in tree.flatten(outputs) if isinstance(x, KerasTensor)]
        inputs = {id(x) for x in tree.flatten((args, kwargs))}
        if any(id(x) in inputs for x in tensors):  # an output that is an input needs a history of its own
            outputs = tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype, x.sparse) if id(x) in inputs else x, outputs)
            tensors = [x for x in tree.flatten(outputs) if isinstance(x, KerasTensor)]
        node = Node(self, args, kwargs, outputs, tensors)
        if not CONTEXT.abstract:
            self._inbound_nodes.append(node)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors."""
        return abstract.output_spec(self.call, *args, **kwargs)

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """What `call` is replaced by while the operation is quantized; the same as `call` where it is not."""
        return self.call(*args, **kwargs)

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """`layer_call`, with its intermediate values computed again in the backward pass instead of kept."""
        from core.transforms import remat

        return remat(layer_call)(*args, **kwargs)

    def get_config(self) -> dict:
        """The arguments of `__init__`, where they are plain values; subclasses with other arguments define it themselves."""
        return {**self._plain_init_config(), "name": self.name}

    def _plain_init_config(self) -> dict:
        args, kwargs = self._init_arguments  # type: ignore[attr-defined]
        signature = inspect.signature(type(self).__init__)
        bound = signature.bind(self, *args, **kwargs)
        config: dict = {}
        for name, value in list(bound.arguments.items())[1:]:
            kind = signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                config.update(value)
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                raise self._no_config(name)
            else:
                config[name] = value
        for name, value in config.items():
            if not _is_plain(value):
                raise self._no_config(name)
        return config

    def _no_config(self, argument: str) -> Exception:
        return ValueError(
            f"{type(self).__name__} has the argument {argument!r}, which is no plain value, so its config cannot be guessed. "
            f"Define `get_config(self)` in the class: return {{**super().get_config(), {argument!r}: ...}}."
        )

    @classmethod
    def from_config(cls, config: dict) -> Any:
        """The object that `get_config` describes."""
        return cls(**config)

    @property
    def input(self) -> Any:
        """The symbolic input of the only call so far."""
        args, kwargs = self._only_node("input").arguments
        tensors = [x for x in (*args, *kwargs.values()) if tree.is_nested(x) or isinstance(x, KerasTensor)]
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def output(self) -> Any:
        """The symbolic output of the only call so far."""
        return self._only_node("output").output_structure

    def _only_node(self, what: str) -> Node:
        if len(self._inbound_nodes) != 1:
            count = len(self._inbound_nodes)
            raise AttributeError(f"{self.name} has no one symbolic {what}: it was called on symbolic tensors {count} times.")
        return self._inbound_nodes[0]


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    return value is None or isinstance(value, (str, int, float, bool)) or hasattr(value, "get_config")


def check_name(name: str | None, obj: Any) -> str:
    """A given name checked, or a fresh one from the class."""
    if name is None:
        return names.auto_name(type(obj).__name__)
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"The name of a {type(obj).__name__} must be a non-empty string without '/', got {name!r}.")
    return name


def any_symbolic(args: tuple, kwargs: dict) -> bool:
    """Whether a symbolic tensor is anywhere among the arguments."""
    for value in args:
        if isinstance(value, KerasTensor):
            return True
    return any(isinstance(x, KerasTensor) for x in tree.flatten((args, kwargs)))
