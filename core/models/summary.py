"""The table that `model.summary()` prints."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from typing import Any

import rich.box
import rich.console
import rich.table

from core.base import tree
from core.base.dtypes import numpy_dtype
from core.layers.layer import Layer


def print_summary(
    model: Any, line_length: int | None, print_fn: Callable | None, expand_nested: bool, show_trainable: bool, layer_range: Any
) -> None:
    """Prints a model's layers, output shapes and parameter counts, through `print_fn` where one is given."""
    buffer = io.StringIO()
    width = line_length or min(shutil.get_terminal_size((88, 24)).columns, 120)
    console = rich.console.Console(file=buffer, width=max(width, 60), force_terminal=False, color_system=None)
    console.print(f'Model: "{model.name}"', highlight=False)
    console.print(_table(model, expand_nested, show_trainable, layer_range))
    total, trainable = _count(model.weights), _count(model.trainable_weights)
    lines = [("Total params", total), ("Trainable params", trainable), ("Non-trainable params", _count(model.non_trainable_weights))]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and getattr(optimizer, "built", False):
        lines.append(("Optimizer params", _count(optimizer.variables)))
        lines[0] = ("Total params", (total[0] + lines[-1][1][0], total[1] + lines[-1][1][1]))
    for label, (count, size) in lines:
        console.print(f" {label}: {count:,} ({_readable(size)})", highlight=False)
    text = buffer.getvalue().rstrip("\n")
    (print_fn or print)(text)


def _table(model: Any, expand_nested: bool, show_trainable: bool, layer_range: Any) -> rich.table.Table:
    table = rich.table.Table(box=rich.box.HEAVY_HEAD, expand=True)
    table.add_column("Layer (type)", ratio=5, overflow="fold")
    table.add_column("Output Shape", ratio=4, overflow="fold")
    table.add_column("Param #", justify="right", ratio=3)
    graph = _graph_of(model)
    branched = graph is not None and _is_branched(graph)
    if branched:
        table.add_column("Connected to", ratio=4, overflow="fold")
    if show_trainable:
        table.add_column("Trai…", justify="center", ratio=1)
    for layer, depth in _rows(model, expand_nested, _range(model.layers, layer_range)):
        row = [
            "   " * depth + f"{layer.name} ({type(layer).__name__})",
            _output_shape(layer),
            f"{_count(layer.weights)[0]:,}" if layer.built else "0 (unbuilt)",
        ]
        if branched:
            row.append(_sources(layer, graph))
        if show_trainable:
            row.append("Y" if layer.trainable else "N")
        table.add_row(*row)
    return table


def _graph_of(model: Any) -> Any:
    graph = getattr(model, "_graph", None)
    return graph if graph is not None else (model if hasattr(model, "_nodes") else None)


def _is_branched(graph: Any) -> bool:
    from core.graph.plan import node_inputs

    return len(graph.inputs) > 1 or any(len(node_inputs(node)) > 1 for node in graph._nodes)


def _sources(layer: Layer, graph: Any) -> str:
    from core.graph.plan import node_inputs

    found = []
    for node in graph._nodes:
        if node.operation is layer:
            for x in node_inputs(node):
                source = x.node.operation if x.node is not None else None
                name = getattr(source, "name", None) or getattr(getattr(source, "op", None), "name", "input")
                found.append(f"{name}[{x.index}]")
    return ", ".join(found) or "-"


def _rows(model: Any, expand_nested: bool, layers: list[Layer], depth: int = 0):
    for layer in layers:
        yield layer, depth
        if expand_nested and hasattr(layer, "layers"):
            yield from _rows(layer, True, layer.layers, depth + 1)


def _range(layers: list[Layer], layer_range: Any) -> list[Layer]:
    if layer_range is None:
        return layers
    names = [layer.name for layer in layers]
    try:
        first, last = (names.index(name) for name in layer_range)
    except (TypeError, ValueError):
        raise ValueError(f"layer_range must be two layer names of the model, first and last; got {layer_range!r}.") from None
    return layers[first : last + 1]


def _output_shape(layer: Layer) -> str:
    nodes = layer._inbound_nodes
    if not nodes:
        graph = _graph_of(layer)
        return _shown(tree.map_structure(lambda x: x.shape, graph.output)) if graph is not None else "?"
    return _shown(tree.map_structure(lambda x: x.shape, nodes[0].output_structure))


def _shown(shape: Any) -> str:
    if isinstance(shape, tuple) and all(d is None or isinstance(d, int) for d in shape):
        return str(shape)
    if isinstance(shape, (list, tuple)):
        return "[" + ", ".join(map(_shown, shape)) + "]"
    return str(shape)


def _count(variables: list) -> tuple[int, int]:
    """Values and bytes."""
    return sum(v.size for v in variables), sum(v.size * numpy_dtype(v.dtype).itemsize for v in variables)


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")
