"""Arithmetic on each element: sums, powers, roots, exponentials, angles, rounding.

Tensors broadcast, and promote to a common dtype; functions with fractional results turn integers and bools into `floatx()` first.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from core.backend.symbolic import KerasTensor
from core.base import dtypes, shapes
from core.ops import rules
from core.ops.convert import cast
from core.ops.registry import op, primitive

__all__ = [
    "abs", "absolute", "add", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil", "clip",
    "conj", "conjugate", "cos", "cosh", "deg2rad", "divide", "divide_no_nan", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fabs",
    "floor", "floor_divide", "fmax", "fmin", "fmod", "heaviside", "hypot", "i0", "imag", "ldexp", "log", "log10", "log1p", "log2",
    "logaddexp", "logaddexp2", "maximum", "minimum", "mod", "multiply", "nan_to_num", "negative", "nextafter", "power", "rad2deg", "real",
    "reciprocal", "round", "rsqrt", "sign", "sin", "sinc", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "true_divide", "trunc",
]  # fmt: skip


def _real(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def _counted(dtype: str) -> str:
    return "int32" if dtype == "bool" else dtype


def _signed(rule: Callable[..., KerasTensor], instead: str) -> Callable[..., KerasTensor]:
    """`rule` for what no bools can be taken: they have no negatives."""

    def without_bools(*xs: KerasTensor) -> KerasTensor:
        if xs[0].dtype == "bool":
            raise ValueError(f"Bools have no negatives or differences; use {instead}, or cast them to integers.")
        return rule(*xs)

    return without_bools


def _clip(x: KerasTensor, x_min: KerasTensor | None, x_max: KerasTensor | None) -> KerasTensor:
    bounds = [bound.shape for bound in (x_min, x_max) if bound is not None]
    return KerasTensor(shapes.broadcast(x.shape, *bounds), _counted(x.dtype))


def _check_exponent(x2) -> None:
    if not dtypes.is_int_dtype(x2.dtype):
        raise ValueError(f"ldexp needs an integer x2, got dtype {dtypes.standardize_dtype(x2.dtype)}.")


def _ldexp(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    _check_exponent(x2)
    return KerasTensor(shapes.broadcast(x1.shape, x2.shape), x1.dtype)


@op("x1 x2", rule=rules.broadcast, promote="numeric", scalars=True)
def add(x1, x2):
    """`x1 + x2` element by element, broadcast. Two bools give their logical or.

    >>> add([1, 2], 10)
    array([11, 12], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=_signed(rules.broadcast, "logical_xor"), promote="numeric", scalars=True)
def subtract(x1, x2):
    """`x1 - x2` element by element, broadcast. `ValueError` for two bools.

    >>> subtract([1, 2], 10)
    array([-9, -8], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="numeric", scalars=True)
def multiply(x1, x2):
    """`x1 * x2` element by element, broadcast. Two bools give their logical and.

    >>> multiply([1, 2], 10)
    array([10, 20], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="float", scalars=True)
def divide(x1, x2):
    """`x1 / x2` element by element, broadcast, as a float: integers become `floatx()` first.

    >>> divide([1, 2], 4)
    array([0.25, 0.5 ], dtype=float32)
    """
    primitive()


true_divide = divide


@op("x1 x2", rule=rules.broadcast, promote="float")
def divide_no_nan(x1, x2):
    """`x1 / x2` as a float, and 0 wherever `x2` is 0.

    >>> divide_no_nan([1, 2], [0, 4])
    array([0. , 0.5], dtype=float32)
    """
    primitive()


@op("x1 x2", rule=rules.real(rules.typed(rules.broadcast, _counted)), promote="numeric")
def floor_divide(x1, x2):
    """The greatest integer not above `x1 / x2`, in the promoted dtype; two bools give int32.

    >>> floor_divide([-7, 7], 2)
    array([-4,  3], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.real(rules.typed(rules.broadcast, _counted)), promote="numeric")
def mod(x1, x2):
    """What is left of `x1 / x2`, with the sign of `x2`; two bools give int32.

    >>> mod([-7, 7], 3)
    array([2, 1], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.real(rules.typed(rules.broadcast, _counted)), promote="numeric")
def fmod(x1, x2):
    """What is left of `x1 / x2`, with the sign of `x1`; two bools give int32.

    >>> fmod([-7, 7], 3)
    array([-1,  1], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.typed(rules.broadcast, _counted), promote="numeric", scalars=True)
def power(x1, x2):
    """`x1` to the power of `x2`, in the promoted dtype; two bools give int32.

    >>> power([2, 3], 2)
    array([4, 9], dtype=int32)
    """
    primitive()


@op(rule=_signed(rules.like, "logical_not"), promote="numeric")
def negative(x):
    """`-x`. `ValueError` for bools.

    >>> negative([1.0, -2.0])
    array([-1.,  2.], dtype=float32)
    """
    primitive()


@op(rule=rules.typed(rules.like, _real), promote="numeric")
def abs(x):
    """The absolute value; of a complex number its length, as a float.

    >>> abs([-1.5, 2.0])
    array([1.5, 2. ], dtype=float32)
    """
    primitive()


absolute = abs


@op(rule=rules.like, promote="float")
def fabs(x):
    """The absolute value as a float.

    >>> fabs([-1, 2])
    array([1., 2.], dtype=float32)
    """
    return abs(x)


@op(rule=rules.like, promote="numeric")
def sign(x):
    """-1, 0 or 1 by the sign of `x`, in its dtype.

    >>> sign([-1.5, 0.0, 2.0])
    array([-1.,  0.,  1.], dtype=float32)
    """
    primitive()


@op(rule=rules.typed(rules.like, _counted), promote="numeric")
def square(x):
    """`x * x`; bools give int32.

    >>> square([-3, 2])
    array([9, 4], dtype=int32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def sqrt(x):
    """The square root as a float; NaN below 0.

    >>> sqrt([4, 9])
    array([2., 3.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def rsqrt(x):
    """One over the square root.

    >>> rsqrt([4.0, 16.0])
    array([0.5 , 0.25], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="float")
def cbrt(x):
    """The cube root, negative below 0.

    >>> cbrt([-8.0, 27.0])
    array([-2.,  3.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def reciprocal(x):
    """`1 / x` as a float.

    >>> reciprocal([2, 4])
    array([0.5 , 0.25], dtype=float32)
    """
    primitive()


@op("x1 x2", rule=rules.real(rules.broadcast), promote="float")
def hypot(x1, x2):
    """The hypotenuse `sqrt(x1**2 + x2**2)`, safe from overflow on the way.

    >>> hypot([3.0], [4.0])
    array([5.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def exp(x):
    """e to the power of `x`.

    >>> exp([0.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def exp2(x):
    """2 to the power of `x`.

    >>> exp2([3.0])
    array([8.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def expm1(x):
    """`exp(x) - 1`, exact near 0.

    >>> expm1([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def log(x):
    """The natural logarithm; -inf at 0, NaN below.

    >>> log([1.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def log1p(x):
    """`log(1 + x)`, exact near 0.

    >>> log1p([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def log2(x):
    """The logarithm to base 2.

    >>> log2([8.0])
    array([3.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def log10(x):
    """The logarithm to base 10.

    >>> log10([100.0])
    array([2.], dtype=float32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="float")
def logaddexp(x1, x2):
    """`log(exp(x1) + exp(x2))` without overflow.

    >>> logaddexp([1000.0], [-1000.0])
    array([1000.], dtype=float32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="float")
def logaddexp2(x1, x2):
    """`log2(2**x1 + 2**x2)` without overflow.

    >>> logaddexp2([1000.0], [1000.0])
    array([1001.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def sin(x):
    """The sine of radians. Integers become floats.

    >>> sin([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def cos(x):
    """The cosine of radians. Integers become floats.

    >>> cos([0.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def tan(x):
    """The tangent of radians. Integers become floats.

    >>> tan([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def arcsin(x):
    """The angle in radians, between -pi/2 and pi/2, whose sine is `x`. Integers become floats.

    >>> arcsin([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def arccos(x):
    """The angle in radians, between 0 and pi, whose cosine is `x`. Integers become floats.

    >>> arccos([1.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def arctan(x):
    """The angle in radians, between -pi/2 and pi/2, whose tangent is `x`. Integers become floats.

    >>> arctan([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def sinh(x):
    """The hyperbolic sine. Integers become floats.

    >>> sinh([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def cosh(x):
    """The hyperbolic cosine. Integers become floats.

    >>> cosh([0.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def tanh(x):
    """The hyperbolic tangent, between -1 and 1. Integers become floats.

    >>> tanh([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def arcsinh(x):
    """The number whose hyperbolic sine is `x`. Integers become floats.

    >>> arcsinh([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def arccosh(x):
    """The number, 0 or more, whose hyperbolic cosine is `x`; NaN below 1. Integers become floats.

    >>> arccosh([1.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def arctanh(x):
    """The number whose hyperbolic tangent is `x`; NaN outside of -1 to 1. Integers become floats.

    >>> arctanh([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op("x1 x2", rule=rules.real(rules.broadcast), promote="float")
def arctan2(x1, x2):
    """The angle in radians, between -pi and pi, from the positive axis to the point (`x2`, `x1`).

    >>> arctan2([0.0], [1.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def deg2rad(x):
    """Degrees as radians.

    >>> deg2rad([0.0])
    array([0.], dtype=float32)
    """
    return multiply(x, math.pi / 180)


@op(rule=rules.like, promote="float")
def rad2deg(x):
    """Radians as degrees.

    >>> rad2deg([0.0])
    array([0.], dtype=float32)
    """
    return multiply(x, 180 / math.pi)


@op(rule=rules.like, promote="float")
def sinc(x):
    """`sin(pi x) / (pi x)`, 1 at 0.

    >>> sinc([0.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="float")
def i0(x):
    """The modified Bessel function of the first kind, order 0.

    >>> i0([0.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="float")
def erf(x):
    """The error function, between -1 and 1.

    >>> erf([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="float")
def erfc(x):
    """`1 - erf(x)`, exact where erf is near 1.

    >>> erfc([0.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="float")
def erfinv(x):
    """The number whose error function is `x`: infinite at -1 and 1, NaN outside.

    >>> erfinv([0.0])
    array([0.], dtype=float32)
    """
    primitive()


@op("x1 x2", rule=rules.real(rules.broadcast), promote="float")
def heaviside(x1, x2):
    """0 where `x1` is negative, 1 where positive, `x2` where 0.

    >>> heaviside([-1.0, 0.0, 2.0], 0.5)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    primitive()


@op("x1", also="x2", rule=_ldexp, promote="float")
def ldexp(x1, x2):
    """`x1 * 2**x2` for an integer `x2`; `ValueError` for a float one.

    >>> ldexp([1.5], [2])
    array([6.], dtype=float32)
    """
    _check_exponent(x2)
    return multiply(x1, exp2(cast(x2, x1.dtype)))


@op("x1 x2", rule=rules.real(rules.broadcast), promote="float")
def nextafter(x1, x2):
    """The next number after `x1` that its dtype can hold, in the direction of `x2`.

    >>> nextafter([1.0], [1.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="float")
def floor(x):
    """The greatest integer not above `x`, as a float.

    >>> floor([-1.5, 1.5])
    array([-2.,  1.], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="float")
def ceil(x):
    """The least integer not below `x`, as a float.

    >>> ceil([-1.5, 1.5])
    array([-1.,  2.], dtype=float32)
    """
    primitive()


@op(rule=rules.real(rules.like), promote="numeric")
def trunc(x):
    """`x` without its fraction, in its dtype.

    >>> trunc([-1.5, 1.5])
    array([-1.,  1.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="numeric")
def round(x, decimals=0):
    """`x` rounded to `decimals` decimals, halves to the even neighbour; negative `decimals` round left of the point.

    >>> round([0.5, 1.5])
    array([0., 2.], dtype=float32)
    """
    primitive()


@op("x x_min x_max", rule=_clip, promote="numeric", scalars=True)
def clip(x, x_min, x_max):
    """`x` with what is below `x_min` or above `x_max` put there; bounds broadcast, None means no bound; bools give int32.

    >>> clip([-1, 3, 9], 0, 5)
    array([0, 3, 5], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="numeric", scalars=True)
def maximum(x1, x2):
    """The greater of both, element by element; NaN where one is.

    >>> maximum([1, 5], [3, 2])
    array([3, 5], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="numeric", scalars=True)
def minimum(x1, x2):
    """The lesser of both, element by element; NaN where one is.

    >>> minimum([1, 5], [3, 2])
    array([1, 2], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="numeric")
def fmax(x1, x2):
    """The greater of both; the other one where one is NaN.

    >>> fmax([1.0, 5.0], [3.0, float("nan")])
    array([3., 5.], dtype=float32)
    """
    primitive()


@op("x1 x2", rule=rules.broadcast, promote="numeric")
def fmin(x1, x2):
    """The lesser of both; the other one where one is NaN.

    >>> fmin([1.0, 5.0], [3.0, float("nan")])
    array([1., 5.], dtype=float32)
    """
    primitive()


@op(rule=rules.like)
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """`x` with `nan` for NaN, and `posinf` and `neginf` for the infinities (None: the dtype's greatest and least number).

    >>> nan_to_num([float("nan"), 1.0])
    array([0., 1.], dtype=float32)
    """
    primitive()


@op(rule=rules.typed(rules.like, _real))
def real(x):
    """The real part; a real tensor itself.

    >>> real([1 + 2j])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.typed(rules.like, _real))
def imag(x):
    """The imaginary part; zeros for a real tensor.

    >>> imag([1 + 2j])
    array([2.], dtype=float32)
    """
    primitive()


@op(rule=rules.like)
def conj(x):
    """The complex conjugate; a real tensor itself.

    >>> conj([1 + 2j])
    array([1.-2.j], dtype=complex64)
    """
    primitive()


conjugate = conj


@op(rule=rules.typed(rules.like, _real), promote="float")
def angle(x):
    """The angle in radians of complex numbers; 0 for real ones, pi for negative ones.

    >>> angle([1j, 1.0])
    array([1.5707964, 0.       ], dtype=float32)
    """
    primitive()
