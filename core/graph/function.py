"""`Function`: a graph of symbolic calls as one operation, run by flat plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.backend import slot
from core.backend.dimension import Dimension
from core.backend.symbolic import KerasTensor, Node
from core.base import tree
from core.base.shapes import compatible
from core.graph.operation import Operation
from core.graph.plan import Plan, node_inputs, sort_nodes
from core.ops.convert import cast
from core.state.module import Version


class Function(Operation):
    """The operation that leads from `inputs` to `outputs`, both (structures of) symbolic tensors.

    >>> x = KerasTensor((None, 3))
    >>> f = Function(x, x + 1)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name=name)
        self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        outputs = tree.map_structure(lambda x: cast(x, x.dtype) if isinstance(x, Dimension) else x, outputs)  # a tensor comes out
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            flat = tree.flatten(structure)
            strange = [x for x in flat if not isinstance(x, KerasTensor)]
            if strange or not flat:
                got = type(strange[0]).__name__ if strange else "nothing"
                raise ValueError(f"The {what} of a Function must be symbolic tensors (from core.Input and calls on it), got {got}.")
        self._inputs_structure, self._outputs_structure = inputs, outputs
        self._input_tensors, self._output_tensors = tree.flatten(inputs), tree.flatten(outputs)
        if len({id(x) for x in self._input_tensors}) != len(self._input_tensors):
            raise ValueError("A Function's inputs must be different tensors; one was given twice.")
        self._outputs_spec = tree.flatten_with_spec(outputs)[1]
        self._nodes = sort_nodes(self._input_tensors, self._output_tensors)
        self._operations = order_operations(self._input_tensors, self._output_tensors, self._nodes)
        self._plans: dict[Any, tuple[int, Plan]] = {}

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return list(self._input_tensors)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return list(self._output_tensors)

    @property
    def operations(self) -> list:
        """The operations in the graph, from inputs to outputs."""
        return list(self._operations)

    def call(self, inputs: Any) -> Any:
        """The outputs, in the structure in which they were given."""
        flat, plan = self._flat_inputs(inputs), self._plan(None, lambda node: (node.operation, {}))
        with slot.use(slot.owner_of(flat) or slot.active()):  # for calls on shapes alone
            return tree.unflatten(self._outputs_spec, plan.run(flat))

    def _plan(self, key: Any, bind: Callable[[Node], tuple[Callable, dict]]) -> Plan:
        """The plan of one phase, made again after any change of structure."""
        made = self._plans.get(key)
        if made is None or made[0] != Version.count:
            made = self._plans[key] = (Version.count, Plan(self._input_tensors, self._output_tensors, self._nodes, bind))
        return made[1]

    def _flat_inputs(self, inputs: Any) -> list:
        """The inputs in the order of the symbolic ones; dicts are matched by key or by the inputs' names."""
        structure = self._inputs_structure
        if isinstance(structure, KerasTensor) and not tree.is_nested(inputs):
            return [inputs]
        if isinstance(inputs, dict):
            names = [x.name for x in self._input_tensors]
            if isinstance(structure, dict):
                keys, names = set(structure), [k for k in sorted(structure)]
                if keys <= set(inputs):
                    return tree.flatten({k: inputs[k] for k in structure})
            elif set(names) <= set(inputs):
                return [inputs[name] for name in names]
            raise ValueError(f"{self.name} expected inputs named {sorted(names)}, got {sorted(map(str, inputs))}.")
        flat = tree.flatten(inputs)
        if len(flat) != len(self._input_tensors):
            raise ValueError(f"{self.name} expected {len(self._input_tensors)} inputs, got {len(flat)}.")
        return flat

    def compute_output_spec(self, inputs: Any) -> Any:
        """The outputs for symbolic inputs of any compatible shapes."""
        flat = self._flat_inputs(inputs)
        if all(compatible(x.shape, y.shape) and None not in y.shape or x.shape == y.shape for x, y in zip(flat, self._input_tensors)):
            if all(x.shape == y.shape for x, y in zip(flat, self._input_tensors)):
                return tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype, x.sparse), self._outputs_structure)
        return super().compute_output_spec(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output shapes for input shapes."""
        specs = tree.map_shape_structure(lambda s: KerasTensor(s), input_shape)
        specs = [KerasTensor(s.shape, x.dtype) for s, x in zip(tree.flatten(specs), self._input_tensors)]
        outputs = self.compute_output_spec(specs[0] if len(specs) == 1 else specs)
        return tree.map_structure(lambda x: x.shape, outputs)


def order_operations(inputs: list[KerasTensor], outputs: list[KerasTensor], nodes: list[Node]) -> list:
    """The operations of a graph by distance from the outputs, the furthest first; those equally far in the order in which they are met.

    This is the order of `model.layers`, and so of weights in files.
    """
    depth: dict[int, int] = {id(node): 0 for node in nodes}
    furthest: dict[int, int] = {}
    for node in reversed(nodes):
        mine = depth[id(node)] = max(depth[id(node)], furthest.get(id(node.operation), 0))
        furthest[id(node.operation)] = mine
        for tensor in node_inputs(node):
            if tensor.node is not None:
                depth[id(tensor.node)] = max(depth.get(id(tensor.node), 0), mine + 1)
    for tensor in inputs:
        if tensor.node is not None:
            furthest[id(tensor.node.operation)] = depth.get(id(tensor.node), 0)
    met: dict[int, int] = {}
    by_id: dict[int, Any] = {}
    boundary = {id(x) for x in inputs}

    def meet(operation: Any) -> None:
        if id(operation) not in met:
            met[id(operation)] = len(met)
            by_id[id(operation)] = operation

    seen: set[int] = set()
    stack = list(reversed(outputs))
    while stack:  # from each output back to the inputs, depth first
        tensor = stack.pop()
        source = tensor.node
        if source is None or id(source) in seen:
            continue
        seen.add(id(source))
        meet(source.operation)
        if id(tensor) not in boundary:
            stack.extend(reversed(node_inputs(source)))
    for tensor in inputs:
        if tensor.node is not None:
            meet(tensor.node.operation)
    return sorted(by_id.values(), key=lambda op: (-furthest.get(id(op), 0), met[id(op)]))
