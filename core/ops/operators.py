"""Python's operators on what stands for a tensor: `x + 1`, `x @ w`, `x[0]`, `x.T`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from core.ops import bitwise, comparison, elementwise

_BINARY = {
    "add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply, "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide, "mod": elementwise.mod, "pow": elementwise.power,
    "and": bitwise.bitwise_and, "or": bitwise.bitwise_or, "xor": bitwise.bitwise_xor,
    "lshift": bitwise.bitwise_left_shift, "rshift": bitwise.bitwise_right_shift,
}  # fmt: skip
_COMPARED = {"lt": comparison.less, "le": comparison.less_equal, "gt": comparison.greater, "ge": comparison.greater_equal}


def install(cls: Any) -> None:
    """Gives `cls` the operators, each an op. `==` stays identity, so that the objects can be keys."""
    for name, function in _BINARY.items():
        setattr(cls, f"__{name}__", _method(function))
        setattr(cls, f"__r{name}__", _reflected(function))
    for name, function in _COMPARED.items():
        setattr(cls, f"__{name}__", _method(function))
    cls.__neg__ = lambda self: elementwise.negative(self)
    cls.__abs__ = lambda self: elementwise.abs(self)
    cls.__invert__ = lambda self: bitwise.bitwise_not(self)
    cls.__round__ = lambda self, ndigits=None: elementwise.round(self, ndigits or 0)
    cls.__matmul__, cls.__rmatmul__ = _matmul, lambda self, other: _matmul(other, self)
    cls.__getitem__, cls.reshape, cls.squeeze, cls.T = _get_item, _reshape, _squeeze, property(_transpose)
    cls.__array_priority__ = 1000  # a NumPy array on the left leaves the operation to us


def _method(function: Callable) -> Callable:
    return functools.wraps(function)(lambda self, other: function(self, other))


def _reflected(function: Callable) -> Callable:
    return functools.wraps(function)(lambda self, other: function(other, self))


def _matmul(self, other):
    from core.ops.linalg import matmul

    return matmul(self, other)


def _get_item(self, key):
    from core.ops.indexing import get_item

    return get_item(self, key)


def _reshape(self, *newshape):
    """The same values in another shape, given as a tuple or as separate numbers."""
    from core.ops.shape import reshape

    return reshape(self, newshape[0] if len(newshape) == 1 and not isinstance(newshape[0], int) else newshape)


def _squeeze(self, axis=None):
    """Without its axes of length one, or without `axis`."""
    from core.ops.shape import squeeze

    return squeeze(self, axis)


def _transpose(self):
    """The axes in reverse order."""
    from core.ops.shape import transpose

    return transpose(self)
