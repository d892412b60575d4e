"""A graph of symbolic calls as a flat list of steps: `values[out] = function(values[source])`, in an order that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.backend.symbolic import KerasTensor, Node
from core.base import tree


def sort_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """The nodes between inputs and outputs, each after those that it needs.

    Raises:
        ValueError: an output does not come from the inputs.
    """
    boundary = {id(x) for x in inputs}
    order: list[Node] = []
    done: set[int] = set()
    for output in outputs:
        stack: list[tuple[KerasTensor, bool]] = [(output, False)]
        while stack:  # depth first without recursion, since models may be thousands of calls deep
            tensor, ready = stack.pop()
            node = tensor.node
            if id(tensor) in boundary or (node is not None and id(node) in done):
                continue
            if node is None or not node_inputs(node):  # an Input that is not among the inputs
                raise ValueError(
                    f"The graph is not connected: a tensor of shape {tensor.shape} named {tensor.name!r} does not come from the given "
                    "inputs. "
                    "Add its core.Input to `inputs`."
                )
            if ready:
                done.add(id(node))
                order.append(node)
            else:
                stack.append((tensor, True))
                stack.extend((x, False) for x in reversed(node_inputs(node)) if x.node is None or id(x.node) not in done)
    return order


def node_inputs(node: Node) -> list[KerasTensor]:
    """The symbolic tensors among a node's arguments."""
    return [x for x in tree.flatten((node.args, node.kwargs)) if isinstance(x, KerasTensor)]


class Slot:
    """The place of a value in a step's arguments."""

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index


class Plan:
    """The steps of one graph for one phase.

    Args:
        inputs, outputs: flat lists of symbolic tensors.
        nodes: from `sort_nodes`.
        bind: `(node) -> (function, extra kwargs)`, what to run for a node.
    """

    def __init__(
        self, inputs: list[KerasTensor], outputs: list[KerasTensor], nodes: list[Node], bind: Callable[[Node], tuple[Callable, dict]]
    ):
        places = {id(x): i for i, x in enumerate(inputs)}
        for node in nodes:
            for output in node.outputs:
                places.setdefault(id(output), len(places))
        self.size = len(places)
        self.count = len(inputs)
        self.steps = [self._step(node, places, *bind(node)) for node in nodes]
        self.names = [describe(node.operation) for node in nodes]
        self.results = [places[id(x)] for x in outputs]
        self.chain = self._chain()

    def _step(self, node: Node, places: dict[int, int], function: Callable, extra: dict) -> tuple:
        """`(function, source, out, general)`; `general` is None for the common step of one tensor in, one out."""
        outs = [places[id(x)] for x in node.outputs]
        one_out = isinstance(node.output_structure, KerasTensor)
        kwargs = {**node.kwargs, **extra}
        if one_out and len(node.args) == 1 and isinstance(node.args[0], KerasTensor) and not kwargs:
            return function, places[id(node.args[0])], outs[0], None
        return function, None, outs[0] if one_out else outs, self._general(node.args, kwargs, places, one_out)

    @staticmethod
    def _general(args: tuple, kwargs: dict, places: dict[int, int], one_out: bool) -> Callable:
        leaves, spec = tree.flatten_with_spec((args, kwargs))
        leaves = [Slot(places[id(x)]) if isinstance(x, KerasTensor) else x for x in leaves]

        if args and all(isinstance(x, KerasTensor) for x in args) and not any(isinstance(x, KerasTensor) for x in tree.flatten(kwargs)):
            indices = [places[id(x)] for x in args]

            def fetch(values: list) -> tuple:
                return [values[i] for i in indices], kwargs
        else:

            def fetch(values: list) -> tuple:
                return tree.unflatten(spec, [values[x.index] if type(x) is Slot else x for x in leaves])

        return fetch

    def _chain(self) -> list[Callable] | None:
        """The functions alone, where each step takes just what the one before gave; else None."""
        if self.count != 1 or len(self.results) != 1 or any(general is not None for *_, general in self.steps):
            return None
        last, functions = 0, []
        for function, source, out, _ in self.steps:
            if source != last:
                return None
            functions.append(function)
            last = out
        return functions if last == self.results[0] else None

    def run_one(self, x: Any) -> Any:
        """The one output from the one input."""
        chain = self.chain
        if chain is None:
            return self.run([x])[0]
        function = None
        try:
            for function in chain:
                x = function(x)
        except Exception as error:
            if function is not None:
                error.add_note(f"in {self.names[chain.index(function)]}")
            raise
        return x

    def run(self, inputs: list) -> list:
        """The flat outputs from flat inputs."""
        values = [None] * self.size
        values[: self.count] = inputs
        step = None
        try:
            for step in self.steps:
                function, source, out, general = step
                if general is None:
                    values[out] = function(values[source])
                else:
                    args, kwargs = general(values)
                    result = function(*args, **kwargs)
                    if type(out) is int:
                        values[out] = result
                    else:
                        for place, value in zip(out, tree.flatten(result)):
                            values[place] = value
        except Exception as error:
            if step is not None:
                error.add_note(f"in {self.names[self.steps.index(step)]}")
            raise
        return [values[i] for i in self.results]


def describe(operation: Any) -> str:
    """How an error names an operation: `layer dense_3 (Dense)` or `op matmul`."""
    spec = getattr(operation, "op", None)
    return f"op {spec.name}" if spec is not None else f"layer {operation.name} ({type(operation).__name__})"
