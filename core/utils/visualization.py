"""Drawings of models: `model_to_dot` and `plot_model`."""

from __future__ import annotations

import html
import itertools
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from core.backend.symbolic import KerasTensor, Node
from core.base import tree
from core.graph.plan import node_inputs
from core.layers.layer import Layer
from core.models.functional import Functional
from core.models.model import Model


def model_to_dot(model: Model, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = True, rankdir: str = "TB",
                 expand_nested: bool = False, dpi: int = 200, subgraph: bool = False, show_layer_activations: bool = False,
                 show_trainable: bool = False, splines: str = "ortho", **kwargs: Any) -> Any:  # fmt: skip
    """A model's layers and what flows between them as a `graphviz.Digraph`, whose `source` is the text in the DOT language.

    A layer that is called several times is one box with several arrows; a model that is no graph of layers is one box.

    Args:
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what the boxes tell.
        rankdir: `"TB"` draws from top to bottom, `"LR"` from left to right.
        expand_nested: whether models inside are drawn as frames with their layers in them.
        dpi: dots per inch of the drawing.
        subgraph: whether the graph is a frame (a DOT cluster) to be put into another one.
        splines: the shape of the arrows, for example `"ortho"`, `"curved"`.

    Raises:
        ValueError: the model is not built.
        ImportError: the Python package graphviz is not installed.

    >>> model_to_dot(model, show_shapes=True).save("model.dot")
    """
    if kwargs:
        raise TypeError(f"model_to_dot got unexpected arguments {sorted(kwargs)}.")
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} is not built, so its layers are not known. Call it on data, or `model.build(input_shape)`, first."
        )
    graphviz = _graphviz()
    name = f"cluster_{model.name}" if subgraph else model.name
    dot = graphviz.Digraph(name, graph_attr={"rankdir": rankdir, "dpi": str(dpi), "splines": splines}, node_attr={"shape": "plaintext"})
    if subgraph:
        dot.attr(label=_plain(model.name), style="dashed")
    shown = {
        "shapes": show_shapes, "dtype": show_dtype, "names": show_layer_names, "activations": show_layer_activations,
        "trainable": show_trainable,
    }  # fmt: skip
    _Drawing(shown, expand_nested).draw(model, dot)
    return dot


def plot_model(model: Model, to_file: Any = "model.png", show_shapes: bool = False, show_dtype: bool = False,
               show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: int = 200,
               show_layer_activations: bool = False, show_trainable: bool = False, splines: str = "ortho",
               **kwargs: Any) -> Any:  # fmt: skip
    """Writes a drawing of a model; in a notebook, returns it too, to be shown. See `model_to_dot`.

    Args:
        to_file: its ending says what is written: `.png`, `.svg`, `.pdf` and what else the program `dot` knows; `.dot` and `.gv` hold the
            text in the DOT language, for which the program is not needed.

    Raises:
        ImportError: the Python package graphviz, or Graphviz itself (the program `dot`), is not installed.

    >>> plot_model(model, "model.svg", show_shapes=True)
    """
    dot = model_to_dot(model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False, show_layer_activations,
                       show_trainable, splines, **kwargs)  # fmt: skip
    path = pathlib.Path(to_file)
    kind = path.suffix.lstrip(".").lower()
    if not kind:
        raise ValueError(f"to_file needs an ending that says the format, such as '.png', got {str(to_file)!r}.")
    if kind in ("dot", "gv"):
        path.write_text(dot.source, encoding="utf-8")
        return None
    try:
        drawing = dot.pipe(kind)
    except _graphviz().ExecutableNotFound as error:
        raise ImportError(
            "Drawings are rendered by Graphviz's program `dot`, which is not on the PATH. Install it (`apt install graphviz`, "
            "`brew install graphviz`, or https://graphviz.org/download), or write the text: to_file='model.dot'."
        ) from error
    path.write_bytes(drawing)
    display = sys.modules.get("IPython.display")
    if display is None or kind not in ("png", "jpg", "jpeg", "svg"):
        return None
    return display.SVG(data=drawing) if kind == "svg" else display.Image(data=drawing)


def _graphviz() -> Any:
    try:
        import graphviz
    except ModuleNotFoundError as error:
        raise ImportError(
            "Models are drawn with the Python package graphviz, which is not installed. Run `pip install graphviz`."
        ) from error
    return graphviz


class _Drawing:
    """Boxes and arrows in the making."""

    def __init__(self, shown: dict[str, bool], expand: bool):
        self.shown, self.expand = shown, expand
        self.numbers = itertools.count()
        self.ends: dict[tuple, tuple[list[str], list[str]]] = {}  # (frame, node or layer) -> the boxes of its inputs and of its outputs

    def draw(self, model: Layer, dot: Any) -> tuple[list[str], list[str]]:
        """Draws a model into `dot`; returns the boxes of its inputs and of its outputs."""
        graph = _graph_of(model)
        if graph is None:
            box = self.box(dot, model, None)
            return [box], [box]
        frame = next(self.numbers)
        entries = [self.enter(dot, frame, x.node)[1][0] for x in graph._input_tensors]
        for node in graph._nodes:
            heads, _ = self.enter(dot, frame, node)
            sources = [self.enter(dot, frame, x.node)[1] for x in node_inputs(node)]
            for place, (x, tails) in enumerate(zip(node_inputs(node), sources)):
                dot.edge(tails[x.index if len(tails) > 1 else 0], heads[place if len(heads) > 1 else 0])
        exits = [self.enter(dot, frame, x.node)[1] for x in graph._output_tensors]
        return entries, [boxes[x.index if len(boxes) > 1 else 0] for boxes, x in zip(exits, graph._output_tensors)]

    def enter(self, dot: Any, frame: int, node: Any) -> tuple[list[str], list[str]]:
        """The boxes of a call, drawn when it is met for the first time."""
        operation = node.operation
        key = (frame, id(operation) if isinstance(operation, Layer) else id(node))
        if key not in self.ends:
            if self.expand and isinstance(operation, Layer) and _graph_of(operation) is not None:
                with dot.subgraph(name=f"cluster_{next(self.numbers)}") as inner:
                    inner.attr(label=_plain(operation.name), style="dashed")
                    self.ends[key] = self.draw(operation, inner)
            else:
                box = self.box(dot, operation, node)
                self.ends[key] = [box], [box]
        return self.ends[key]

    def box(self, dot: Any, operation: Any, node: Node | None) -> str:
        name = f"box{next(self.numbers)}"
        rows = "".join(f'<tr><td bgcolor="{color}">{text}</td></tr>' for text, color in self.rows(operation, node))
        dot.node(name, f'<<table border="0" cellborder="1" cellspacing="0" cellpadding="6">{rows}</table>>')
        return name

    def rows(self, operation: Any, node: Node | None) -> Iterator[tuple[str, str]]:
        """The lines of a box, as HTML, and their colors."""
        is_layer = isinstance(operation, Layer)
        kind = type(operation).__name__ if is_layer or not hasattr(operation, "op") else operation.op.name
        named = self.shown["names"] and hasattr(operation, "name") and is_layer
        yield (f"<b>{html.escape(operation.name)}</b> ({html.escape(kind)})" if named else f"<b>{html.escape(kind)}</b>"), "#e8eef7"
        activation = getattr(operation, "activation", None)
        if self.shown["activations"] and activation is not None:
            spelled = getattr(activation, "__name__", None) or getattr(activation, "name", None) or type(activation).__name__
            yield f"activation: {html.escape(spelled)}", "white"
        made = node is not None and bool(node_inputs(node))
        if self.shown["shapes"]:
            if made:
                yield f"input: {_shapes(node_inputs(node))}", "white"  # type: ignore[arg-type]
            yield f"output: {_shapes(node.outputs) if node is not None else '?'}", "white"
        if self.shown["dtype"]:
            names = dict.fromkeys(x.dtype for x in node.outputs) if node is not None else [operation.compute_dtype]
            yield f"dtype: {', '.join(names)}", "white"
        if self.shown["trainable"] and is_layer and operation.weights:
            yield ("trainable", "#d5ead5") if operation.trainable else ("not trainable", "#f3d6d6")


def _graph_of(layer: Layer) -> Functional | None:
    return layer if isinstance(layer, Functional) else getattr(layer, "_graph", None)


def _shapes(tensors: list[KerasTensor]) -> str:
    return ", ".join(str(x.shape) for x in tensors)


def _plain(text: str) -> str:
    """A label that DOT shows as it is."""
    return f"<{html.escape(text)}>"


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The `core.Input`s that a symbolic tensor comes from, each once.

    >>> x = core.Input((3,))
    >>> get_source_inputs(core.ops.exp(x) + 1)[0] is x
    True
    """
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"get_source_inputs takes a symbolic tensor, such as the output of a layer called on core.Input, got a {type(tensor).__name__}."
        )
    found: list[KerasTensor] = []
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        x = stack.pop()
        node = x.node
        if id(x if node is None else node) in seen:
            continue
        seen.add(id(x if node is None else node))
        if node is None or not node_inputs(node):
            found.extend([x] if node is None else tree.flatten(node.outputs))
        else:
            stack.extend(reversed(node_inputs(node)))
    return found
