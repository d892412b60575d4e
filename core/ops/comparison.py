"""Questions about each element, answered in bools."""

from __future__ import annotations

from typing import Any

from core.backend.symbolic import KerasTensor
from core.base import shapes
from core.ops import rules
from core.ops.registry import op, primitive

__all__ = [
    "allclose", "equal", "greater", "greater_equal", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "not_equal", "signbit",
]  # fmt: skip

_compared = rules.typed(rules.broadcast, "bool")
_asked = rules.typed(rules.like, "bool")


def _one_answer(x1: KerasTensor, x2: KerasTensor, *args: Any, **kwargs: Any) -> KerasTensor:
    shapes.broadcast(x1.shape, x2.shape)
    return KerasTensor((), "bool")


@op("x1 x2", rule=_compared, promote="numeric", scalars=True)
def equal(x1, x2):
    """Whether both are equal, element by element, broadcast, as bools.

    >>> equal([1, 2, 3], 2)
    array([False,  True, False])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric", scalars=True)
def not_equal(x1, x2):
    """Whether both differ, element by element, broadcast, as bools.

    >>> not_equal([1, 2, 3], 2)
    array([ True, False,  True])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric", scalars=True)
def less(x1, x2):
    """Whether `x1` is less than `x2`, element by element, broadcast, as bools.

    >>> less([1, 2, 3], 2)
    array([ True, False, False])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric", scalars=True)
def less_equal(x1, x2):
    """Whether `x1` is at most `x2`, element by element, broadcast, as bools.

    >>> less_equal([1, 2, 3], 2)
    array([ True,  True, False])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric", scalars=True)
def greater(x1, x2):
    """Whether `x1` is greater than `x2`, element by element, broadcast, as bools.

    >>> greater([1, 2, 3], 2)
    array([False, False,  True])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric", scalars=True)
def greater_equal(x1, x2):
    """Whether `x1` is at least `x2`, element by element, broadcast, as bools.

    >>> greater_equal([1, 2, 3], 2)
    array([False,  True,  True])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric")
def logical_and(x1, x2):
    """Whether both are true (not zero), element by element, as bools.

    >>> logical_and([True], [False])
    array([False])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric")
def logical_or(x1, x2):
    """Whether one or both are true (not zero), element by element, as bools.

    >>> logical_or([True], [False])
    array([ True])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric")
def logical_xor(x1, x2):
    """Whether exactly one is true (not zero), element by element, as bools.

    >>> logical_xor([True], [False])
    array([ True])
    """
    primitive()


@op(rule=_asked)
def logical_not(x):
    """Whether `x` is false (zero), as bools.

    >>> logical_not([True, False])
    array([False,  True])
    """
    primitive()


@op(rule=_asked, promote="float")
def isfinite(x):
    """Whether a number is neither infinite nor NaN, as bools.

    >>> isfinite([1.0, float("inf"), float("nan")])
    array([ True, False, False])
    """
    primitive()


@op(rule=_asked, promote="float")
def isinf(x):
    """Whether a number is infinite, as bools.

    >>> isinf([1.0, float("inf"), float("nan")])
    array([False,  True, False])
    """
    primitive()


@op(rule=_asked, promote="float")
def isnan(x):
    """Whether a number is NaN, as bools.

    >>> isnan([1.0, float("inf"), float("nan")])
    array([False, False,  True])
    """
    primitive()


@op(rule=rules.real(_asked), promote="float")
def isposinf(x):
    """Whether a number is positive infinity, as bools.

    >>> isposinf([1.0, float("inf"), float("nan")])
    array([False,  True, False])
    """
    primitive()


@op(rule=rules.real(_asked), promote="float")
def isneginf(x):
    """Whether a number is negative infinity, as bools.

    >>> isneginf([1.0, float("inf"), float("nan")])
    array([False, False, False])
    """
    primitive()


@op(rule=_asked)
def isreal(x):
    """Whether the imaginary part is 0, as bools; always for real dtypes.

    >>> isreal([1 + 2j, 3.0])
    array([False,  True])
    """
    primitive()


@op(rule=rules.real(_asked))
def signbit(x):
    """Whether the sign bit is set, as bools: below 0, and for -0.0 too.

    >>> signbit([-1.0, -0.0, 0.0])
    array([ True,  True, False])
    """
    primitive()


@op("x1 x2", rule=_compared, promote="numeric")
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether `|x1 - x2| <= atol + rtol * |x2|`, element by element, as bools; NaN is close to NaN if `equal_nan`.

    >>> isclose([1.0, 2.0], [1.0, 2.1])
    array([ True, False])
    """
    primitive()


@op("x1 x2", rule=_one_answer, promote="numeric")
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether `isclose` holds for every element, as one bool tensor.

    >>> bool(allclose([1.0, 2.0], [1.0, 2.1]))
    False
    """
    primitive()
