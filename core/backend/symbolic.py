"""Symbolic tensors: a shape and a dtype, and the node that made them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.base import names, registry
from core.base.dtypes import standardize_dtype
from core.base.shapes import Shape, standardize_shape


class KerasTensor:
    """A tensor without values, what `core.Input` and symbolic calls return.

    Attributes:
        shape: tuple of ints, None where a dimension is unknown.
        dtype: name, for example `"float32"`.
        sparse, ragged: whether it stands for a sparse, for a ragged tensor.
        node: the `Node` whose output this is, or None.
        index: which output of the node.
    """

    shape: Shape = ()
    dtype: str = "float32"
    sparse: bool = False
    ragged: bool = False
    ragged_rank: int | None = None
    row_splits_dtype: str | None = None
    _dimensions: dict[int, Any] | None = None  # those of the unknown dimensions that were asked for, by axis
    _compared: KerasTensor | None = None  # the dimension that this is a comparison of

    def __init__(self, shape, dtype="float32", sparse=False, ragged=False, record_history=True, name=None, **kwargs):
        unknown = set(kwargs) - {"ragged_rank", "row_splits_dtype"}
        if unknown:
            raise TypeError(f"KerasTensor got unexpected arguments {sorted(unknown)}.")
        self.shape = standardize_shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.ragged_rank = kwargs.get("ragged_rank")
        self.row_splits_dtype = kwargs.get("row_splits_dtype")
        self.record_history = record_history
        self._name = name
        self.node: Node | None = None
        self.index = 0

    @property
    def name(self) -> str:
        """The given name, or one made when first asked for."""
        if self._name is None:
            self._name = names.auto_name("keras_tensor")
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def is_symbolic_scalar(self) -> bool:
        """Whether this may stand for a size in a shape."""
        return not self.shape

    @property
    def _keras_history(self) -> tuple:
        """`(operation, node_index, tensor_index)`, as Keras users read it."""
        if self.node is None:
            return (None, 0, 0)
        nodes = getattr(self.node.operation, "_inbound_nodes", [self.node])
        return (self.node.operation, nodes.index(self.node), self.index)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse={self.sparse}, ragged={self.ragged}, name={self.name}>"

    def _no_value(self, use: str) -> TypeError:
        if self._compared is not None:
            return self._compared._no_value(use)
        return TypeError(
            f"A symbolic tensor (shape {self.shape}, dtype {self.dtype}) has no value, so it cannot be used as {use}. "
            "It stands for data that comes later: use core.ops functions on it, or put the code into a layer's `call`."
        )

    def __bool__(self):
        raise self._no_value("a Python bool")

    def __array__(self, *args, **kwargs):
        raise self._no_value("a NumPy array")

    def __float__(self):
        raise self._no_value("a Python float")

    def __int__(self):
        raise self._no_value("a Python int")

    def __iter__(self):
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"A symbolic tensor of shape {self.shape} cannot be iterated: its first dimension is not known.")
        return (self[i] for i in range(self.shape[0]))

    def __len__(self):
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"A symbolic tensor of shape {self.shape} has no length: its first dimension is not known.")
        return self.shape[0]


class Node:
    """One symbolic call: the operation, its arguments as given, and its outputs.

    Attributes:
        operation: an op function or a layer.
        arguments: `(args, kwargs)` with the symbolic tensors in place.
        outputs: the flat list of symbolic tensors that came out.
    """

    __slots__ = ("args", "kwargs", "operation", "output_structure", "outputs")

    def __init__(self, operation: Callable, args: tuple, kwargs: dict, output_structure: Any, outputs: list[KerasTensor]):
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.output_structure = output_structure
        self.outputs = outputs
        for index, tensor in enumerate(outputs):
            tensor.node = self
            tensor.index = index

    @property
    def arguments(self) -> tuple[tuple, dict]:
        return self.args, self.kwargs


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)


registry.SPECIAL["__keras_tensor__"] = lambda config: KerasTensor(config["shape"], config.get("dtype"), name=config.get("name"))
