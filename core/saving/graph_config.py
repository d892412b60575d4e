"""Functional graphs as configs in Keras' form, and back.

A layer's entry holds its config and, for each call in the graph, the arguments with `__keras_tensor__` in place of symbolic
tensors. An op's entry is Keras' class of that name: static arguments in its config, tensors in the call. Arithmetic on unknown
dimensions, which Keras' graphs do not have, is in a form of our own: entries of the module `core.dimensions`.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import core.ops  # fills the op table
from core.backend.bounds import Bounds
from core.backend.dimension import DIMENSION, OPERATIONS, Dimension, DimensionOp, holds_symbolic
from core.backend.symbolic import KerasTensor, Node
from core.base import config, registry, tree
from core.base.errors import ConfigError
from core.base.names import to_snake_case
from core.graph.plan import sort_nodes
from core.layers.input_layer import InputLayer
from core.layers.layer import Layer
from core.ops.registry import REGISTRY, Op

# Where Keras keeps its op classes: by the file of ours that defines the op, with exceptions; `numpy` holds the rest.
_HOMES = {
    "activations": "nn", "attention": "nn", "conv": "nn", "crossentropy": "nn", "ctc": "nn", "image": "image", "linalg": "linalg",
    "nn": "nn", "normalization": "nn", "rearrange": "einops",
}  # fmt: skip
_EXCEPTIONS = {
    "core": "cast convert_to_tensor saturate_cast scatter scatter_update slice slice_update stop_gradient unstack shape while_loop cond",
    "math": "segment_sum segment_max segment_min segment_prod top_k in_top_k logsumexp extract_sequences fft fft2 ifft2 rfft irfft "
    "stft istft rsqrt erf erfc erfinv logdet cdist view_as_complex view_as_real",
    "nn": "one_hot multi_hot polar psnr",
    "numpy": "matmul einsum tensordot dot vdot inner outer cross slogdet",
    "linalg": "norm",
}
_MODULES = {name: module for module, names in _EXCEPTIONS.items() for name in names.split()}
_CLASS_NAMES = {
    "abs": "Absolute", "allclose": "AllClose", "batch_normalization": "BatchNorm", "cdist": "CDist", "conj": "Conjugate",
    "ctc_decode": "CTCDecode", "ctc_loss": "CTCLoss", "extract_patches_3d": "ExtractPatches", "fft": "FFT", "fft2": "FFT2",
    "hsv_to_rgb": "HSVToRGB", "ifft2": "IFFT2", "irfft": "IRFFT", "isin": "IsIn", "istft": "ISTFT", "layer_normalization": "LayerNorm",
    "psnr": "PSNR", "rfft": "RFFT", "rgb_to_grayscale": "RGBToGrayscale", "rgb_to_hsv": "RGBToHSV", "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted", "ssim": "SSIM", "stft": "STFT", "svd": "SVD",
}  # fmt: skip
# Arguments that Keras keeps elsewhere than the rule (tensors in the call by position, all else in the config) says.
_IN_CALL = {"isclose": {"rtol", "atol"}, "slice": {"start_indices"}, "slice_update": {"start_indices"}, "get_item": {"key"},
            "rearrange": {"pattern"}, "scale_and_translate": {"output_shape"}}  # fmt: skip
_BY_KEYWORD = {
    "average": {"weights"},
    "dot_product_attention": {"bias", "mask", "scale"},
    "pad": {"constant_values"},
    "rms_normalization": {"scale"},
}
_IN_CONFIG = {"clip": {"x_min", "x_max"}}
_IN_CONFIG_IF_NONE = {"bincount": {"weights"}, "trapezoid": {"x"}}
_DIMENSIONS = "core.dimensions"  # the module of an entry that makes a dimension
_OURS_ALONE = {
    "slice_update": {"donate"},
    "einsum": {"optimize"}, "multi_hot": {"num_tokens"}, "binary_crossentropy": {"reduction"}, "categorical_crossentropy": {"reduction"},
    "sparse_categorical_crossentropy": {"reduction"},
}  # fmt: skip


def op_class_name(name: str) -> str:
    """`"expand_dims"` as Keras' class name `"ExpandDims"`."""
    return _CLASS_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))


_BY_CLASS_NAME = {op_class_name(name): name for name in REGISTRY if name != "extract_patches_3d"}  # extract_patches takes volumes too


def op_module(name: str) -> str:
    """The module that Keras writes for an op."""
    return f"keras.src.ops.{_MODULES.get(name) or _HOMES.get(REGISTRY[name].family, 'numpy')}"


def find_op(class_name: Any) -> Any:
    """The op of a class name, from the op table and its public aliases only."""
    if isinstance(class_name, str):
        if class_name in _BY_CLASS_NAME:
            return REGISTRY[_BY_CLASS_NAME[class_name]].public
        alias = to_snake_case(class_name)
        found = getattr(core.ops, alias, None)
        if isinstance(found, types.FunctionType) and hasattr(found, "op") and found.op.name in REGISTRY:
            return found
    raise registry.UnsafeArtifactError(f"The graph names the op {class_name!r}, which is not in the op table.")


# ------------------------------------------------------------------------------------------------ writing


def graph_config(model: Any) -> dict:
    """The config of a functional model."""
    names, places = _name_nodes(model)
    entries, done = [], set()
    for operation in model._operations:
        for node in _nodes_of(operation, model):
            if isinstance(operation, Layer):
                if id(operation) in done:
                    continue
                done.add(id(operation))
                entry = registry.serialize_keras_object(operation)
                calls = [] if isinstance(operation, InputLayer) else _nodes_of(operation, model)
                entry["name"] = operation.name
                entry["inbound_nodes"] = [_call_config(n.args, n.kwargs, places) for n in calls]
                entries.append(entry)
            elif id(node) not in done:
                done.add(id(node))
                entries.append(_op_entry(node, names[id(node)], places))
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": entries,
        "input_layers": tree.map_structure(lambda x: list(places[id(x)]), model._inputs_structure),
        "output_layers": tree.map_structure(lambda x: list(places[id(x)]), model._outputs_structure),
    }


def _nodes_of(operation: Any, model: Any) -> list[Node]:
    if isinstance(operation, InputLayer):
        return [operation._inbound_nodes[0]]
    return [node for node in model._nodes if node.operation is operation]


def _name_nodes(model: Any) -> tuple[dict[int, str], dict[int, tuple]]:
    """A name for each op call, and `(name, node index, tensor index)` for each tensor."""
    used = {op.name for op in model._operations if isinstance(op, Layer)}
    names: dict[int, str] = {}
    places: dict[int, tuple] = {}
    counts: dict[int, int] = {}
    for tensor in model._input_tensors:
        places[id(tensor)] = (tensor.node.operation.name, 0, tensor.index)
    for node in model._nodes:
        if isinstance(node.operation, Layer):
            index = counts.get(id(node.operation), 0)
            counts[id(node.operation)] = index + 1
            name = node.operation.name
        else:
            base, number = getattr(node.operation, "op", node.operation).name, 0
            name = base
            while name in used:
                number += 1
                name = f"{base}_{number}"
            used.add(name)
            names[id(node)] = name
            index = 0
        for tensor in node.outputs:
            places[id(tensor)] = (name, index, tensor.index)
    return names, places


def _call_config(args: tuple, kwargs: dict, places: dict[int, tuple]) -> dict:
    return {"args": [_value_config(a, places) for a in args], "kwargs": {k: _value_config(v, places) for k, v in kwargs.items()}}


def _value_config(value: Any, places: dict[int, tuple]) -> Any:
    if isinstance(value, KerasTensor):
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": list(value.shape), "dtype": value.dtype, "keras_history": list(places[id(value)])},
        }
    if isinstance(value, Bounds):
        return {"class_name": "__slice__", "config": {k: _value_config(v, places) for k, v in value._asdict().items()}}
    if isinstance(value, (list, tuple)):
        return [_value_config(v, places) for v in value]
    if isinstance(value, dict):
        return {k: _value_config(v, places) for k, v in value.items()}
    return registry.serialize_keras_object(value)


def _has_symbolic(value: Any) -> bool:
    return any(isinstance(x, KerasTensor) for x in tree.flatten(value))


def _op_entry(node: Node, name: str, places: dict[int, tuple]) -> dict:
    if isinstance(node.operation, DimensionOp):
        return _dimension_entry(node, name, places)
    spec: Any = getattr(node.operation, "op", None)
    if spec is None:  # an Operation of the user's
        entry = registry.serialize_keras_object(node.operation)
        return {**entry, "name": name, "inbound_nodes": [_call_config(node.args, node.kwargs, places)]}
    filled = spec.signature.bind(*node.args, **node.kwargs)
    filled.apply_defaults()  # written out, so that a reader's own defaults do not matter
    bound = dict(filled.arguments)
    if spec.name == "get_item" and isinstance(bound["key"], (list, slice, Bounds)):
        bound["key"] = (bound["key"],)  # a list in a file stands for a tuple of indices
    if bound.get("data_format", "") is None:
        bound["data_format"] = config.image_data_format()
    if isinstance(bound.get("newshape"), int):
        bound["newshape"] = [bound["newshape"]]
    if spec.name.startswith("extract_patches") and isinstance(bound["size"], int):
        bound["size"] = [bound["size"]] * (3 if spec.name.endswith("3d") else 2)  # both are one class in Keras, told apart by this
    if spec.name in ("one_hot", "multi_hot") and bound["dtype"] is None:
        bound["dtype"] = config.floatx()
    in_call = ({*spec.tensors, *spec.also} | _IN_CALL.get(spec.name, set())) - _IN_CONFIG.get(spec.name, set())
    args: list = []
    kwargs: dict = {}
    static: dict = {}
    for key, value in bound.items():
        if key == spec.keywords:
            kwargs |= {k: _value_config(v, places) for k, v in value.items()}
        elif key in _OURS_ALONE.get(spec.name, ()) and value == spec.signature.parameters[key].default:
            continue
        elif key in _BY_KEYWORD.get(spec.name, ()) or (key not in in_call and key != spec.variadic and _has_symbolic(value)):
            kwargs[key] = _value_config(value, places)
        elif key == spec.variadic:
            args += [_value_config(v, places) for v in value]
        elif key in in_call and (value is not None or key not in _IN_CONFIG_IF_NONE.get(spec.name, ())):
            args.append(_value_config(value, places))
        else:
            static[key] = registry.serialize_keras_object(value)
    class_name = op_class_name(spec.name)
    return {
        "module": op_module(spec.name), "class_name": class_name, "config": {"name": name, **static}, "registered_name": class_name,
        "name": name, "inbound_nodes": [{"args": args, "kwargs": kwargs}],
    }  # fmt: skip


def _dimension_entry(node: Node, name: str, places: dict[int, tuple]) -> dict:
    config = {"name": name, "operation": node.operation.name}  # type: ignore[attr-defined]  # a `DimensionOp`
    return {
        "module": _DIMENSIONS, "class_name": "Dimension", "config": config, "registered_name": "Dimension",
        "name": name, "inbound_nodes": [_call_config(node.args, {}, places)],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------ reading


def graph_from_config(cls: type, config: dict, custom_objects: dict | None = None) -> Any:
    """The functional model that a config describes."""
    with registry.custom_object_scope(custom_objects or {}):
        return _Reader(config).model(cls)


class _Reader:
    """Builds the layers of a config, then replays their calls as their inputs become known."""

    def __init__(self, config: dict):
        self.config = config
        for key in ("layers", "input_layers", "output_layers"):
            if key not in config:
                raise ConfigError(f"A functional model's config holds 'layers', 'input_layers' and 'output_layers'; {key!r} is missing.")
        self.tensors: dict[tuple, KerasTensor] = {}
        self.operations: dict[str, Any] = {}
        self.statics: dict[str, dict] = {}

    def model(self, cls: type) -> Any:
        pending = []
        for entry in _list_of_dicts(self.config["layers"]):
            name = entry.get("name") or entry.get("config", {}).get("name")
            if name in self.operations:
                raise ConfigError(f"The graph names two layers {name!r}.")
            self.operations[name] = self._operation(name, entry)
            if isinstance(self.operations[name], InputLayer):
                self.tensors[name, 0, 0] = self.operations[name].output
            pending += [(name, index, call) for index, call in enumerate(entry.get("inbound_nodes", ()))]
        while pending:
            left = [call for call in pending if not self._replay(*call)]
            if len(left) == len(pending):
                raise ConfigError(
                    f"The graph's calls cannot be ordered: {sorted({name for name, _, _ in left})} wait for tensors that never come."
                )
            pending = left
        inputs, outputs = self._structure(self.config["input_layers"]), self._structure(self.config["output_layers"])
        reached = {id(node) for node in sort_nodes(tree.flatten(inputs), tree.flatten(outputs))}
        given = {id(x) for x in tree.flatten(inputs)}
        dead = sorted({str(key[0]) for key, x in self.tensors.items() if id(x.node) not in reached and id(x) not in given})
        if dead:
            raise ConfigError(f"The graph holds calls that lead to no output: {dead}.")
        frozen = {"trainable": False} if self.config.get("trainable") is False else {}  # True would thaw the layers inside
        return cls(inputs, outputs, name=self.config.get("name"), **frozen)

    def _operation(self, name: str, entry: dict) -> Any:
        module = entry.get("module")
        if isinstance(module, str) and module.startswith("keras.src.ops"):
            operation = find_op(entry["class_name"])
            known = operation.op.signature.parameters
            given = {k: v for k, v in entry["config"].items() if k in known or k not in ("name", "dtype", "trainable")}
            if given.keys() - known.keys():
                raise ConfigError(
                    f"The op {operation.op.name} takes no arguments {sorted(given.keys() - known.keys())}, which the graph gives it."
                )
            self.statics[name] = {k: registry.deserialize_keras_object(v) for k, v in given.items()}
            return operation
        if module == _DIMENSIONS:
            return _find_dimension_op(entry["config"].get("operation"))
        operation = registry.deserialize_keras_object({k: v for k, v in entry.items() if k not in ("name", "inbound_nodes")})
        if not callable(operation) or not (isinstance(operation, Layer) or hasattr(operation, "symbolic_call")):
            raise registry.UnsafeArtifactError(f"The graph names a {type(operation).__name__} where a layer stands.")
        return operation

    def _replay(self, name: str, index: int, call: Any) -> bool:
        """Makes one call if its tensors are known."""
        try:
            args, kwargs = self._arguments(call)
        except _NotYetError:
            return False
        operation = self.operations[name]
        if isinstance(operation, DimensionOp):
            outputs = _make_dimension(operation, args, kwargs)
        elif hasattr(operation, "op"):
            outputs = _call_op(operation, args, kwargs, self.statics[name])
        else:
            outputs = operation(*args, **kwargs)
        for i, tensor in enumerate(x for x in tree.flatten(outputs) if isinstance(x, KerasTensor)):
            self.tensors[name, index, i] = tensor
        return True

    def _arguments(self, call: Any) -> tuple[list, dict]:
        if isinstance(call, dict):
            args = [self._value(a) for a in call.get("args", [])]
            kwargs = {k: self._value(v) for k, v in call.get("kwargs", {}).items()}
            return args, {k: v for k, v in kwargs.items() if v is not None}
        # Keras 2 wrote a list of [name, node index, tensor index, kwargs].
        tensors = [self._tensor(tuple(part[:3])) for part in call]
        return [tensors[0] if len(tensors) == 1 else tensors], dict(call[0][3]) if len(call[0]) > 3 else {}

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            return self._tensor(tuple(value["config"]["keras_history"]))
        if isinstance(value, list):
            return [self._value(v) for v in value]
        if isinstance(value, dict) and value.get("class_name") == "__slice__" and isinstance(value.get("config"), dict):
            return slice(*(self._value(value["config"].get(k)) for k in Bounds._fields))
        if isinstance(value, dict) and "class_name" not in value:
            return {k: self._value(v) for k, v in value.items()}
        return registry.deserialize_keras_object(value)

    def _tensor(self, key: tuple) -> KerasTensor:
        if key[0] not in self.operations:
            raise ConfigError(f"The graph refers to a layer {key[0]!r} that it does not hold.")
        if key not in self.tensors:
            raise _NotYetError
        return self.tensors[key]

    def _structure(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
            try:
                return self._tensor(tuple(value))
            except _NotYetError:
                raise ConfigError(f"The graph refers to output {value[1:]} of {value[0]!r}, which it does not have.") from None
        if isinstance(value, dict):
            return {k: self._structure(v) for k, v in value.items()}
        found = [self._structure(v) for v in value]
        return found


def _find_dimension_op(name: Any) -> DimensionOp:
    if not isinstance(name, str) or name not in OPERATIONS:
        raise registry.UnsafeArtifactError(f"The graph names the operation on dimensions {name!r}; known are {sorted(OPERATIONS)}.")
    return OPERATIONS[name]


def _make_dimension(operation: DimensionOp, args: list, kwargs: dict) -> Dimension:
    """The dimension that a file's entry describes; even where this graph knows the size, since others may refer to it."""
    if operation is DIMENSION:
        fits = len(args) == 2 and isinstance(args[0], KerasTensor) and type(args[1]) is int and 0 <= args[1] < len(args[0].shape)
    else:
        count = 1 if operation is OPERATIONS["dimension_neg"] else 2
        fits = len(args) == count and any(isinstance(x, Dimension) for x in args) and all(type(x) in (int, Dimension) for x in args)
    if not fits or kwargs:
        raise ConfigError(f"The graph gives the operation {operation.name} arguments that it does not take: {args} {kwargs or ''}.")
    return operation.recorded(*args)


def _call_op(operation: Callable, args: list, kwargs: dict, static: dict) -> Any:
    """The op's outputs: what is not in its config and not given by keyword stands in the call, in the order of the parameters."""
    spec: Op = operation.op  # type: ignore[attr-defined]
    if not holds_symbolic((args, kwargs)):
        raise ConfigError(f"The graph calls the op {spec.name} on no tensor of the graph, so that it would run while the file is read.")
    if spec.name == "extract_patches" and len(static.get("size", ())) == 3:
        spec = REGISTRY["extract_patches_3d"]
    operation = spec.public
    positional = spec.parameters[: spec.parameters.index(spec.variadic)] if spec.variadic is not None else spec.parameters
    names = [n for n in positional if n not in static and n not in kwargs and n != spec.keywords]
    bound = {**static, **kwargs, **dict(zip(names, args))}
    rest = args[len(names) :]
    if spec.name == "get_item" and isinstance(bound.get("key"), list):
        bound["key"] = tuple(bound["key"])
    if rest and spec.variadic is None:
        raise ConfigError(f"The graph gives the op {spec.name} {len(args)} arguments; it takes {len(names)}.")
    if spec.variadic is not None:
        return operation(*(bound.pop(n) for n in positional), *rest, **bound)
    found = spec.signature.bind(**bound)  # by position, as such calls are written: the order of the graph's inputs depends on it
    return operation(*found.args, **found.kwargs)


def _list_of_dicts(value: Any) -> list[dict]:
    if not isinstance(value, list) or not all(isinstance(v, dict) and isinstance(v.get("config"), dict) for v in value):
        raise ConfigError("A functional model's 'layers' must be a list of objects with a 'config' each.")
    return value


class _NotYetError(Exception):
    """A call waits for a tensor that another call makes."""


__all__ = ["graph_config", "graph_from_config"]
