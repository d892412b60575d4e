"""New tensors from shapes and numbers. They land on the active backend, or on the backend of the tensors given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.dimension import Dimension
from core.backend.symbolic import KerasTensor
from core.base import config, dtypes, shapes
from core.ops.convert import cast
from core.ops.elementwise import abs as absolute
from core.ops.elementwise import add, cos, floor, i0, maximum, multiply, power, sqrt, square, subtract, true_divide
from core.ops.registry import op, primitive

__all__ = [
    "arange", "bartlett", "blackman", "empty", "empty_like", "eye", "full", "full_like", "geomspace", "hamming", "hanning", "identity",
    "kaiser", "linspace", "logspace", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip


@op("", rule=lambda shape, dtype=None: KerasTensor(shape, dtype))
def zeros(shape, dtype=None):
    """Zeros of a shape; the dtype is `floatx()` unless given.

    >>> zeros((2,))
    array([0., 0.], dtype=float32)
    """
    primitive()


@op("", rule=lambda shape, dtype=None: KerasTensor(shape, dtype))
def ones(shape, dtype=None):
    """Ones of a shape; the dtype is `floatx()` unless given.

    >>> ones((2,), dtype="int32")
    array([1, 1], dtype=int32)
    """
    primitive()


@op("", rule=lambda shape, dtype=None: KerasTensor(shape, dtype))
def empty(shape, dtype=None):
    """A tensor of a shape whose values mean nothing yet (zeros where a backend has nothing cheaper); `floatx()` unless given.

    >>> empty((2, 3)).shape
    (2, 3)
    """
    primitive()


def _full(shape, fill_value, dtype=None):
    result = KerasTensor(shape, dtype)
    _check_fill(fill_value, result)
    return result


def _full_like(x, fill_value, dtype=None):
    _check_fill(fill_value, x)
    return KerasTensor(x.shape, dtype or x.dtype)


def _check_fill(fill_value, result) -> None:
    if not shapes.fits(fill_value.shape, result.shape):
        raise ValueError(f"A fill_value of shape {fill_value.shape} does not broadcast to the shape {result.shape}.")


@op("", also="fill_value", rule=_full)
def full(shape, fill_value, dtype=None):
    """One value, or one tensor broadcast, in a shape; the dtype is `floatx()` unless given.

    >>> full((2,), 7)
    array([7., 7.], dtype=float32)
    """
    primitive()


@op(rule=lambda x, dtype=None: KerasTensor(x.shape, dtype or x.dtype))
def zeros_like(x, dtype=None):
    """Zeros in the shape of `x`, and in its dtype unless another is given.

    >>> zeros_like([1, 2])
    array([0, 0], dtype=int32)
    """
    primitive()


@op(rule=lambda x, dtype=None: KerasTensor(x.shape, dtype or x.dtype))
def ones_like(x, dtype=None):
    """Ones in the shape of `x`, and in its dtype unless another is given.

    >>> ones_like([0.5, 2.0])
    array([1., 1.], dtype=float32)
    """
    primitive()


@op(rule=lambda x, dtype=None: KerasTensor(x.shape, dtype or x.dtype))
def empty_like(x, dtype=None):
    """A tensor in the shape and dtype of `x` whose values mean nothing yet.

    >>> empty_like([[1, 2]]).shape
    (1, 2)
    """
    return zeros_like(x, dtype=dtype)


@op(also="fill_value", rule=_full_like)
def full_like(x, fill_value, dtype=None):
    """One value, or one tensor broadcast, in the shape of `x`, and in its dtype unless another is given.

    >>> full_like([1, 2], 7)
    array([7, 7], dtype=int32)
    """
    primitive()


def _range(start, stop=None, step=None, dtype=None) -> KerasTensor:
    start, stop, step = (0, start, step) if stop is None else (start, stop, step)
    step = 1 if step is None else step
    if isinstance(step, (int, float)) and step == 0:
        raise ValueError(f"arange needs a step that is not 0, got start={start}, stop={stop}, step={step}.")
    known = all(isinstance(v, (int, float)) for v in (start, stop, step))
    length = max(0, math.ceil((stop - start) / step)) if known else None
    return KerasTensor((length,), dtype or dtypes.promote(*map(_kind_of_end, (start, stop, step))))


def _kind_of_end(value: Any) -> str:
    if isinstance(value, KerasTensor):
        return dtypes.kind_of(0) if isinstance(value, Dimension) else value.dtype
    return dtypes.kind_of(value)


@op("", rule=_range)
def arange(start, stop=None, step=None, dtype=None):
    """Numbers from `start` (0 where only one is given) up to but without `stop`, `step` (1) apart.

    int32 for Python ints, `floatx()` where one is a float, the promoted dtype for tensors, unless `dtype` is given.

    >>> arange(1, 7, 2)
    array([1, 3, 5], dtype=int32)
    """
    primitive()


def _spaced(start: KerasTensor, stop: KerasTensor, num: int, dtype: Any, axis: int) -> KerasTensor:
    shapes.check_integer(num, "num", 0)
    shape = list(shapes.broadcast(start.shape, stop.shape))
    shape.insert(shapes.normalize_axis(axis, len(shape) + 1), num)
    return KerasTensor(shape, dtype or start.dtype)


def _linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    result = _spaced(start, stop, num, dtype, axis)
    return (result, KerasTensor(shapes.broadcast(start.shape, stop.shape), start.dtype)) if retstep else result


def _logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    return _spaced(start, stop, num, dtype, axis)


def _geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    return _spaced(start, stop, num, dtype, axis)


@op("start stop", promote="float", rule=_linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` numbers evenly spaced from `start` to `stop`, along a new `axis`; `endpoint=False` leaves the last out.

    With `retstep`, also the distance between two of them.

    >>> linspace(0, 1, 3)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    divisions = num - 1 if endpoint else num
    # Weighting both ends, rather than adding up steps, meets them exactly.
    fraction = _fractions(start, num, endpoint)
    low, high = _inserted(start, stop, axis)
    fraction = _along(fraction, len(low.shape), axis)
    result = add(multiply(low, subtract(1, fraction)), multiply(high, fraction))
    if dtype is not None:
        if dtypes.is_int_dtype(dtype):
            result = floor(result)
        result = cast(result, dtype)
    if retstep:
        difference, none = subtract(stop, start), isinstance(divisions, (int, np.integer)) and divisions <= 0
        return result, multiply(difference, math.nan) if none else true_divide(difference, divisions)
    return result


def _fractions(like: Any, num: int, endpoint: bool) -> Any:
    """`num` numbers from 0 to 1, in the dtype of `like`."""
    shapes.check_integer(num, "num", 0)
    divisions = num - 1 if endpoint else num
    larger = max if isinstance(divisions, (int, np.integer)) else maximum  # a tensor in a graph of unknown sizes
    divisions = larger(divisions, 1)
    return true_divide(arange(num, dtype=slot.active().dtype(like)), divisions)


def _inserted(start: Any, stop: Any, axis: int) -> tuple[Any, Any]:
    """Both ends broadcast to each other, with an axis of one for the numbers between them."""
    from core.ops.shape import expand_dims

    both = add(start, stop)
    rank = len(both.shape)
    at = shapes.normalize_axis(axis, rank + 1)
    if rank == 0:
        return expand_dims(start, 0), expand_dims(stop, 0)
    nothing = zeros_like(both)
    return expand_dims(add(start, nothing), at), expand_dims(add(stop, nothing), at)


def _along(x: Any, rank: int, axis: int) -> Any:
    """A vector as a tensor of `rank` dimensions that lies along `axis`."""
    from core.ops.shape import reshape

    shape = [1] * rank
    shape[axis] = -1
    return reshape(x, shape)


@op("start stop", promote="float", rule=_logspace)
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`num` numbers from `base ** start` to `base ** stop`, each the same multiple of the one before.

    >>> logspace(0, 2, 3)
    array([  1.,  10., 100.], dtype=float32)
    """
    result = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return result if dtype is None else cast(result, dtype)


@op("start stop", promote="float", rule=_geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers from `start` to `stop`, each the same multiple of the one before; both ends have one sign, and neither is 0.

    >>> geomspace(1, 100, 3)
    array([  1.,  10., 100.], dtype=float32)
    """
    low, high = _inserted(start, stop, axis)
    fraction = _along(_fractions(start, num, endpoint), len(low.shape), axis)
    result = multiply(low, power(true_divide(high, low), fraction))
    return result if dtype is None else cast(result, dtype)


@op("", rule=lambda N, M=None, k=0, dtype=None: KerasTensor((N, N if M is None else M), dtype))
def eye(N, M=None, k=0, dtype=None):
    """An N x M matrix (square unless M is given) with ones on diagonal `k`: 0 is the main one, above it positive.

    >>> eye(2, 3, k=1)
    array([[0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    primitive()


@op("", rule=lambda n, dtype=None: KerasTensor((n, n), dtype))
def identity(n, dtype=None):
    """The n x n identity matrix.

    >>> identity(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


def _window(x: Any, *args: Any) -> KerasTensor:
    return KerasTensor((x if isinstance(x, KerasTensor) else int(x),), None)


def _angles(points: int) -> Any:
    """From 0 to 2 pi in `points` steps."""
    return multiply(arange(points, dtype=config.floatx()), 2 * math.pi / max(points - 1, 1))


@op("", rule=_window)
def bartlett(x):
    """The Bartlett (triangular) window of `x` points, 0 at both ends.

    >>> bartlett(5)
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    points = int(x)
    if points == 1:
        return ones((1,))
    return subtract(1, absolute(subtract(multiply(arange(points, dtype=config.floatx()), 2 / max(points - 1, 1)), 1)))


@op("", rule=_window)
def blackman(x):
    """The Blackman window of `x` points: 0.42 - 0.5 cos(t) + 0.08 cos(2t), t from 0 to 2 pi.

    >>> blackman(5).shape
    (5,)
    """
    points = int(x)
    if points == 1:
        return ones((1,))
    t = _angles(points)
    return add(subtract(0.42, multiply(0.5, cos(t))), multiply(0.08, cos(multiply(2, t))))


@op("", rule=_window)
def hamming(x):
    """The Hamming window of `x` points: 0.54 - 0.46 cos(t), t from 0 to 2 pi.

    >>> hamming(3)
    array([0.08, 1.  , 0.08], dtype=float32)
    """
    points = int(x)
    return subtract(0.54, multiply(0.46, cos(_angles(points)))) if points != 1 else ones((1,))


@op("", rule=_window)
def hanning(x):
    """The Hann window of `x` points: 0.5 - 0.5 cos(t), t from 0 to 2 pi.

    >>> hanning(5)
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    points = int(x)
    return subtract(0.5, multiply(0.5, cos(_angles(points)))) if points != 1 else ones((1,))


@op("", rule=_window)
def kaiser(x, beta):
    """The Kaiser window of `x` points: I0(beta sqrt(1 - t^2)) / I0(beta), t from -1 to 1.

    >>> kaiser(3, 0.0)
    array([1., 1., 1.], dtype=float32)
    """
    points = int(x)
    if points == 1:
        return ones((1,))
    t = subtract(multiply(arange(points, dtype=config.floatx()), 2 / max(points - 1, 1)), 1)
    inside = sqrt(subtract(1, square(t)))
    return true_divide(i0(multiply(inside, beta)), i0(multiply(ones((1,)), beta)))
