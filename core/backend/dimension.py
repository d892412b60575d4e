"""Dimensions that are not known before data comes: what `core.ops.shape` gives for them, and arithmetic on them.

JAX needs whole numbers where shapes stand, so that a dimension is no tensor at run time: the calls recorded here are Python's own
operators, on Python ints wherever the framework knows them, and on scalar tensors in a TensorFlow graph of unknown sizes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.symbolic import KerasTensor, Node

DEPTH = 6  # of arithmetic that is looked into: a short file can describe a product of very many factors


def _arithmetic(name: str) -> tuple[Callable, Callable]:
    """Python's two methods for an operator: with the dimension on its left, and on its right."""

    def method(self: Dimension, other: Any) -> Any:
        if isinstance(other, (int, np.integer, Dimension)):
            return OPERATIONS[f"dimension_{name}"](self, other if isinstance(other, Dimension) else int(other))
        return getattr(super(Dimension, self), f"__{name}__")(other)

    def reflected(self: Dimension, other: Any) -> Any:
        if isinstance(other, (int, np.integer)):
            return OPERATIONS[f"dimension_{name}"](int(other), self)
        return getattr(super(Dimension, self), f"__r{name}__")(other)

    return method, reflected


def _comparison(name: str) -> Callable:
    """A comparison, which is an op; asked for its value it tells which dimension is not known."""

    def method(self: Dimension, other: Any) -> Any:
        result = getattr(super(Dimension, self), f"__{name}__")(other)
        result._compared = self
        return result

    return method


class Dimension(KerasTensor):
    """A whole number that comes with the data: a dimension of a symbolic tensor, or arithmetic on such. As a tensor, an int32 scalar.

    `+ - * // %` with ints and other dimensions give dimensions; all else goes through the ops. It equals itself and None, which
    stands for it in `x.shape`, and nothing else.

    >>> batch, features = core.ops.shape(core.Input((3,)))
    >>> core.ops.zeros((2 * batch, features)).shape
    (None, 3)
    """

    def __init__(self) -> None:
        super().__init__((), "int32")

    def __repr__(self) -> str:
        return f"<Dimension: {self.spelled()}>"

    def spelled(self, depth: int = DEPTH) -> str:
        """Where it comes from, in words: `dimension 0 of 'inputs'`, `2 * (dimension 0 of 'inputs')`."""
        operation = None if self.node is None else self.node.operation
        if self.node is None or not isinstance(operation, DimensionOp):
            return f"the dimension {self.name!r}"
        if operation is DIMENSION:
            x, axis = self.node.args
            return f"dimension {axis} of {x.name!r}"
        if not depth:
            return "..."
        parts = [f"({part.spelled(depth - 1)})" if isinstance(part, Dimension) else str(part) for part in self.node.args]
        return f" {operation.sign} ".join(parts) if len(parts) == 2 else operation.sign + parts[0]

    def __eq__(self, other: object) -> bool:
        return other is self or other is None

    __hash__ = object.__hash__

    __add__, __radd__ = _arithmetic("add")
    __sub__, __rsub__ = _arithmetic("sub")
    __mul__, __rmul__ = _arithmetic("mul")
    __floordiv__, __rfloordiv__ = _arithmetic("floordiv")
    __mod__, __rmod__ = _arithmetic("mod")
    __lt__, __le__, __gt__, __ge__ = map(_comparison, ("lt", "le", "gt", "ge"))

    def __neg__(self) -> Any:
        return OPERATIONS["dimension_neg"](self)

    def __index__(self):
        raise self._no_value("a Python int")

    def __divmod__(self, other: Any) -> tuple:
        return self // other, self % other

    def _no_value(self, use: str) -> TypeError:
        return TypeError(
            f"A size ({self.spelled()}) is not known before data comes, so it cannot be used as {use}. Compute with it by + - * // %, give "
            "it to core.ops functions that take shapes or sizes, choose with core.ops.where or core.ops.cond, put the code into a layer's "
            "`call`, or fix the size with core.Input(batch_shape=...)."
        )


class DimensionOp:
    """An operation on dimensions, which nodes hold as they hold ops: a function on ints with a name.

    Attributes:
        name: its key in `OPERATIONS`, what files and summaries call it.
        sign: how it is written between its operands.
    """

    def __init__(self, name: str, function: Callable, sign: str = ""):
        self.name = name
        self.function = function
        self.sign = sign

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def __reduce__(self) -> tuple:  # copies are the same one, as copies of functions are
        return find_operation, (self.name,)

    @property
    def op(self) -> DimensionOp:
        """Itself, since public ops have what names them under this name."""
        return self

    def __call__(self, *args: Any) -> Any:
        if any(isinstance(x, Dimension) for x in args) and all(isinstance(x, (int, Dimension)) for x in args):
            return self.recorded(*args)
        return self.function(*args)

    def recorded(self, *args: Any) -> Dimension:
        """A new dimension, and the node that makes it."""
        result = Dimension()
        Node(self, args, {}, result, [result])
        return result


def dimension(x: Any, axis: int) -> Any:
    """The size of `x` along `axis`: an int where it is known; one `Dimension` for each unknown one of a symbolic tensor."""
    if not isinstance(x, KerasTensor):
        owner = slot.owner(x)
        return np.shape(x)[axis] if owner is None else owner.shape(x)[axis]
    if x.shape[axis] is not None:
        return x.shape[axis]
    if x._dimensions is None:
        x._dimensions = {}
    if axis not in x._dimensions:
        x._dimensions[axis] = DIMENSION.recorded(x, axis)
    return x._dimensions[axis]


def dimensions(x: KerasTensor) -> tuple:
    """The shape of a symbolic tensor, each unknown dimension as a `Dimension`."""
    return tuple(dimension(x, axis) if dim is None else dim for axis, dim in enumerate(x.shape))


def factors(dim: Any, depth: int = DEPTH) -> tuple[int, list]:
    """`dim` as a known factor, and the list of unknown ones.

    >>> factors(2 * batch)
    (2, [<Dimension: dimension 0 of 'inputs'>])
    """
    if depth and isinstance(dim, Dimension) and dim.node is not None and dim.node.operation is OPERATIONS["dimension_mul"]:
        (a, left), (b, right) = (factors(part, depth - 1) for part in dim.node.args)
        return a * b, left + right
    try:
        return operator.index(dim), []
    except TypeError:
        return 1, [dim]


_PLAIN = frozenset((int, float, bool, str, type(None)))


def holds_symbolic(values: Iterable) -> bool:
    """Whether a symbolic tensor is among the values of a call, or in their tuples, lists, dicts and slices."""
    for value in values:
        kind = type(value)
        if kind in _PLAIN:
            continue
        if kind is tuple or kind is list:
            if holds_symbolic(value):
                return True
        elif isinstance(value, KerasTensor):
            return True
        elif kind is slice:
            if holds_symbolic((value.start, value.stop, value.step)):
                return True
        elif kind is dict and holds_symbolic(value.values()):
            return True
    return False


DIMENSION = DimensionOp("dimension", dimension)
_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "floordiv": "//", "mod": "%", "neg": "-"}
OPERATIONS: dict[str, DimensionOp] = {
    "dimension": DIMENSION,
    **{f"dimension_{name}": DimensionOp(f"dimension_{name}", getattr(operator, name), sign) for name, sign in _OPERATORS.items()},
}


def find_operation(name: str) -> DimensionOp:
    """The operation of that name."""
    return OPERATIONS[name]
