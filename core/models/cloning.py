"""`clone_model`: the same architecture with fresh weights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from core.base import tree
from core.layers.input_layer import InputLayer
from core.layers.layer import Layer
from core.models.functional import Functional
from core.models.model import Model
from core.models.sequential import Sequential
from core.state.seed import SeedGenerator


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A model of the same layers with fresh weights.

    Args:
        input_tensors: symbolic tensors to build on, in place of new inputs.
        clone_function: from a layer to its clone; by default `layer.from_config(layer.get_config())`.
        call_function: `(layer, *args, **kwargs) -> outputs`, called for each layer of a functional model.
        recursive: whether `clone_function` is applied to the layers of models inside.
    """
    cache = kwargs.pop("cache", None)
    if kwargs:
        raise TypeError(f"clone_model got unexpected arguments {sorted(kwargs)}.")

    def clone(layer: Layer) -> Layer:
        if cache is not None and id(layer) in cache:
            return cache[id(layer)]
        if recursive and isinstance(layer, (Functional, Sequential)):
            new: Layer = clone_model(layer, clone_function=clone_function, call_function=call_function, recursive=True)
        elif clone_function is not None and not isinstance(layer, InputLayer):
            new = clone_function(layer)
        else:
            new = type(layer).from_config(layer.get_config())
        if cache is not None:
            cache[id(layer)] = new
        return new

    if isinstance(model, Sequential):
        chain = [clone(layer) for layer in model._chain]
        if input_tensors is not None:
            first = tree.flatten(input_tensors)[0]
            chain = [first, *(layer for layer in chain if not isinstance(layer, InputLayer))]
        result = Sequential(chain, trainable=model.trainable, name=model.name)
        if not result.built and model._graph is not None:
            result.build(model._graph.inputs[0].shape)
        return result
    if isinstance(model, Functional):
        clones: dict[int, Any] = {}

        def own(x: Any) -> Any:
            if isinstance(x, SeedGenerator):
                x = clones.setdefault(id(x), type(x).from_config(x.get_config()))
            return x

        def call_with_own_seeds(operation: Callable, *args: Any, **kwargs: Any) -> Any:
            return operation(*tree.map_structure(own, args), **tree.map_structure(own, kwargs))

        def bind(node: Any) -> tuple[Callable, dict]:
            operation = node.operation
            if isinstance(operation, Layer):
                if id(operation) not in clones:
                    clones[id(operation)] = clone(operation)
                operation = clones[id(operation)]
            elif any(isinstance(x, SeedGenerator) for x in tree.flatten((node.args, node.kwargs))):
                operation = functools.partial(call_with_own_seeds, operation)
            if call_function is not None:
                return (lambda *a, **k: call_function(operation, *a, **k)), {}
            return operation, {}

        from core.graph.plan import Plan
        from core.layers.input_layer import Input

        if input_tensors is not None:
            fresh = tree.flatten(input_tensors)
        else:
            fresh = [Input(batch_shape=x.shape, dtype=x.dtype, name=x.name) for x in model.inputs]
        plan = Plan(model._input_tensors, model._output_tensors, model._nodes, bind)
        outputs = tree.unflatten(model._outputs_spec, plan.run(fresh))
        return Functional(tree.pack_sequence_as(model._inputs_structure, fresh), outputs, name=model.name)
    return type(model).from_config(model.get_config())
