"""Ops that take axes together: sums, extremes, moments, ranks, and running sums.

Sums and products of bools and of integers below 32 bits are taken, and returned, in 32 bits; means and what is built on
them take integers to `floatx()`; positions and counts are int32.
"""

from __future__ import annotations

from typing import Any

from core.backend.arguments import as_index
from core.backend.numpy.reduction import SUMMED
from core.backend.symbolic import KerasTensor
from core.base import shapes
from core.ops import rules
from core.ops.comparison import equal, isnan, logical_not
from core.ops.convert import cast
from core.ops.creation import full_like
from core.ops.elementwise import ceil, clip, conj, divide, floor, maximum, multiply, real, sqrt, subtract
from core.ops.elementwise import round as rounded
from core.ops.registry import op, primitive

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "bincount", "corrcoef", "count_nonzero", "cumprod", "cumsum",
    "logsumexp", "max", "mean", "median", "min", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian",
    "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "percentile", "prod", "ptp", "quantile",
    "segment_max", "segment_min", "segment_prod", "segment_sum", "std", "sum", "trace", "trapezoid", "var",
]  # fmt: skip


def _summed(dtype: str) -> str:
    return SUMMED.get(dtype, dtype)


def _real(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


@op(rule=rules.typed(rules.reduce, _summed))
def sum(x, axis=None, keepdims=False):
    """The sum of `x` over `axis`, one or several, or over all.

    >>> sum([[1, 2], [3, 4]], axis=0)
    array([4, 6], dtype=int32)
    """
    primitive()


def _prod(x, axis=None, keepdims=False, dtype=None):
    return rules.shaped(x, shapes.reduced(x.shape, axis, keepdims), dtype or _summed(x.dtype))


@op(rule=_prod)
def prod(x, axis=None, keepdims=False, dtype=None):
    """The product of `x` over `axis`, in `dtype` where given.

    >>> int(prod([2, 3, 4]))
    24
    """
    primitive()


def _chosen(x, axis=None, keepdims=False, initial=None):
    """`rules.reduce` for one of the elements, which must be there."""
    if initial is None:
        shapes.check_not_empty(x.shape, axis)
    return rules.reduce(x, axis, keepdims)


@op(rule=_chosen)
def max(x, axis=None, keepdims=False, initial=None):
    """The largest element of `x` over `axis`, and at least `initial` where given (which an empty axis needs).

    >>> int(max([2, 7, 4]))
    7
    """
    primitive()


@op(rule=_chosen)
def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element of `x` over `axis`, and at most `initial` where given (which an empty axis needs).

    >>> int(min([2, 7, 4]))
    2
    """
    primitive()


amax, amin = max, min


def _place(x, axis=None, keepdims=False):
    """`_chosen` along one axis, or over all."""
    if axis is not None:
        shapes.normalize_axis(axis, len(x.shape))
    return rules.shaped(x, _chosen(x, axis, keepdims).shape, "int32")


@op(rule=rules.reduce, promote="float")
def mean(x, axis=None, keepdims=False):
    """The arithmetic mean of `x` over `axis`.

    >>> float(mean([1, 2]))
    1.5
    """
    primitive()


@op(rule=rules.typed(rules.reduce, _real), promote="float")
def var(x, axis=None, keepdims=False):
    """The variance of `x` over `axis`: the mean squared distance from the mean.

    >>> float(var([1, 3]))
    1.0
    """
    primitive()


@op(rule=rules.typed(rules.reduce, _real), promote="float")
def std(x, axis=None, keepdims=False):
    """The standard deviation of `x` over `axis`: the square root of `var`.

    >>> float(std([1, 3]))
    1.0
    """
    primitive()


@op(rule=rules.typed(rules.reduce, "bool"))
def any(x, axis=None, keepdims=False):
    """Whether some element of `x` over `axis` is not zero.

    >>> bool(any([0, 2]))
    True
    """
    primitive()


@op(rule=rules.typed(rules.reduce, "bool"))
def all(x, axis=None, keepdims=False):
    """Whether no element of `x` over `axis` is zero.

    >>> bool(all([0, 2]))
    False
    """
    primitive()


@op(rule=_place)
def argmax(x, axis=None, keepdims=False):
    """The place of the largest element along `axis`, the first of equals, as int32; in the flat elements where `axis` is None.

    >>> int(argmax([2, 7, 4]))
    1
    """
    primitive()


@op(rule=_place)
def argmin(x, axis=None, keepdims=False):
    """The place of the smallest element along `axis`, the first of equals, as int32; in the flat elements where `axis` is None.

    >>> int(argmin([2, 7, 4]))
    0
    """
    primitive()


@op(rule=rules.reduce, promote="float")
def logsumexp(x, axis=None, keepdims=False):
    """The logarithm of the sum of exponentials over `axis`, without overflow.

    >>> float(logsumexp([1000.0, -1000.0]))
    1000.0
    """
    primitive()


def _cumulative(x, axis=None, dtype=None):
    dtype = dtype or ("int32" if x.dtype == "bool" else x.dtype)
    if axis is None:
        return rules.shaped(x, (shapes.size(x.shape),), dtype)
    shapes.normalize_axis(axis, len(x.shape))
    return rules.shaped(x, x.shape, dtype)


@op(rule=_cumulative)
def cumsum(x, axis=None, dtype=None):
    """Running sums along `axis`, or over the flat elements where it is None.

    >>> cumsum([1, 2, 3])
    array([1, 3, 6], dtype=int32)
    """
    primitive()


@op(rule=_cumulative)
def cumprod(x, axis=None, dtype=None):
    """Running products along `axis`, or over the flat elements where it is None.

    >>> cumprod([1, 2, 3])
    array([1, 2, 6], dtype=int32)
    """
    primitive()


@op(rule=rules.typed(lambda x, axis=None: rules.reduce(x, axis), "int32"))
def count_nonzero(x, axis=None):
    """How many elements of `x` over `axis` are not zero, as int32.

    >>> int(count_nonzero([0, 2, 3]))
    2
    """
    return sum(cast(cast(x, "bool"), "int32"), axis)


def _ptp(x, axis=None, keepdims=False):
    if x.dtype == "bool":
        raise ValueError("Bools have no differences; cast them to integers for ptp.")
    return _chosen(x, axis, keepdims)


@op(rule=_ptp)
def ptp(x, axis=None, keepdims=False):
    """The largest element of `x` over `axis` less the smallest. `ValueError` for bools.

    >>> int(ptp([2, 7, 4]))
    5
    """
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def _average(x, axis=None, weights=None):
    if weights is not None:
        _check_weights(x, axis, weights)
    return rules.reduce(x, axis)


def _check_weights(x: Any, axis: Any, weights: Any) -> None:
    """An error unless there is one weight for each element, or for each place on the one axis."""
    shape, given = tuple(x.shape), tuple(weights.shape)
    wanted = (shape[shapes.normalize_axis(axis, len(shape))],) if _one_axis(axis, weights) else shape
    if not shapes.compatible(given, wanted):
        raise ValueError(f"average needs weights of the shape {shape}, or a vector and one axis of its length; got {given}, axis={axis}.")


def _one_axis(axis: Any, weights: Any) -> bool:
    return isinstance(as_index(axis), int) and len(weights.shape) == 1


@op("x weights", rule=_average, promote="float")
def average(x, axis=None, weights=None):
    """The mean of `x` over `axis`, each element counted by its weight.

    `weights` has the shape of `x`, or is a vector along the one `axis`.

    >>> float(average([1.0, 4.0], weights=[2, 1]))
    2.0
    """
    from core.ops.shape import reshape

    if weights is None:
        return mean(x, axis)
    _check_weights(x, axis, weights)
    if _one_axis(axis, weights):
        dims = [1] * len(x.shape)
        dims[axis] = -1
        weights = reshape(weights, dims)
    weights = multiply(weights, full_like(x, 1))
    return divide(sum(multiply(x, weights), axis), sum(weights, axis))


# Order statistics. NaNs are sorted to the end, so that the first `count` elements are the numbers.

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_fractions(q: Any, method: Any) -> None:
    if method not in _METHODS:
        raise ValueError(f"The method of a quantile is one of {', '.join(_METHODS)}; got {method!r}.")
    if len(q.shape) > 1:
        raise ValueError(f"Quantiles are asked for as a number or a vector q, got the shape {tuple(q.shape)}.")


def _quantile(x, q, axis=None, method="linear", keepdims=False):
    _check_fractions(q, method)
    return rules.shaped(x, (*q.shape, *shapes.reduced(x.shape, axis, keepdims)))


def _quantiles(x, q, axis, method, keepdims, propagate):
    """Quantiles of the numbers along `axis`; NaN where one is met and `propagate`, or where there is no number."""
    _check_fractions(q, method)
    from core.ops.convert import shape
    from core.ops.indexing import sort, take_along_axis, where
    from core.ops.shape import broadcast_to, expand_dims, moveaxis, pad, reshape

    rank, axes = len(x.shape), sorted(shapes.normalize_axes(axis, len(x.shape)))
    rest = [dim for place, dim in enumerate(shape(x)) if place not in axes]
    length = shapes.size(tuple(x.shape[one] for one in axes))
    rows = reshape(moveaxis(x, axes, tuple(range(rank - len(axes), rank))), [*rest, -1 if length is None else length])
    if length == 0:  # no number at all: NaN, as for rows that hold nothing else
        rows = pad(rows, [(0, 0)] * len(rest) + [(0, 1)], constant_values=float("nan"))
    missing = isnan(rows)
    rows = sort(where(missing, full_like(rows, float("inf")), rows), -1)
    count = sum(cast(logical_not(missing), x.dtype), -1, keepdims=True)
    q_flat = reshape(q, (-1,))
    place = multiply(maximum(subtract(count, 1), 0), q_flat)
    low, high = floor(place), ceil(place)
    if method == "nearest":
        low = high = rounded(place)
    indices = [cast(low if method != "higher" else high, "int32"), cast(high if method != "lower" else low, "int32")]
    below, above = (take_along_axis(rows, broadcast_to(i, [*rest, q_flat.shape[0]]), -1) for i in indices)
    share = {"linear": subtract(place, low), "midpoint": 0.5}.get(method, 0.0)
    result = below + (above - below) * share
    result = where(equal(below, above), below, result)  # two infinities have no difference
    gone = any(missing, -1, keepdims=True) if propagate else equal(count, 0)
    result = moveaxis(where(gone, full_like(result, float("nan")), result), -1, 0)
    if keepdims:
        for one in axes:
            result = expand_dims(result, one + 1)
    return result if len(q.shape) else result[0]


@op("x q", rule=_quantile, promote="float")
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """What the fraction `q` of the elements over `axis` lies below; a vector `q` adds a leading axis.

    `method` says what lies between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
    Where a NaN is met the result is NaN; see `nanquantile`.

    >>> float(quantile([1.0, 2.0, 3.0, 4.0], 0.5))
    2.5
    """
    return _quantiles(x, q, axis, method, keepdims, propagate=True)


@op("x q", rule=_quantile, promote="float")
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` of the elements that are numbers.

    >>> float(nanquantile([1.0, float("nan"), 3.0], 0.5))
    2.0
    """
    return _quantiles(x, q, axis, method, keepdims, propagate=False)


@op("x q", rule=_quantile, promote="float")
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` for `q` in percent.

    >>> float(percentile([1.0, 2.0, 3.0], 50))
    2.0
    """
    return quantile(x, divide(q, 100), axis, method, keepdims)


@op("x q", rule=_quantile, promote="float")
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """`nanquantile` for `q` in percent.

    >>> float(nanpercentile([1.0, float("nan"), 3.0], 50))
    2.0
    """
    return nanquantile(x, divide(q, 100), axis, method, keepdims)


@op(rule=rules.reduce, promote="float")
def median(x, axis=None, keepdims=False):
    """The middle element of `x` over `axis`, or the mean of the two middle ones.

    >>> float(median([1.0, 9.0, 2.0]))
    2.0
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)


@op(rule=rules.reduce, promote="float")
def nanmedian(x, axis=None, keepdims=False):
    """`median` of the elements that are numbers.

    >>> float(nanmedian([1.0, float("nan"), 2.0]))
    1.5
    """
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


# Reductions of the elements that are numbers: NaN gives way to what changes nothing.


def _filled(x, value):
    """`x` with `value` where it is NaN."""
    from core.ops.indexing import where

    return where(isnan(x), full_like(x, value), x) if _has_nan(x) else x


def _has_nan(x) -> bool:
    """Whether the dtype of `x` has NaNs at all."""
    from core.ops.convert import dtype

    return "float" in dtype(x) or "complex" in dtype(x)


def _where_empty(x, result, axis, keepdims):
    """`result` with NaN where no element of `x` over `axis` is a number."""
    from core.ops.indexing import where

    return where(all(isnan(x), axis, keepdims), full_like(result, float("nan")), result) if _has_nan(x) else result


@op(rule=rules.typed(rules.reduce, _summed))
def nansum(x, axis=None, keepdims=False):
    """`sum` of the elements that are numbers.

    >>> float(nansum([1.0, float("nan"), 2.0]))
    3.0
    """
    return sum(_filled(x, 0), axis, keepdims)


@op(rule=rules.typed(rules.reduce, _summed))
def nanprod(x, axis=None, keepdims=False):
    """`prod` of the elements that are numbers.

    >>> float(nanprod([3.0, float("nan"), 2.0]))
    6.0
    """
    return prod(_filled(x, 1), axis, keepdims)


@op(rule=_chosen)
def nanmax(x, axis=None, keepdims=False):
    """`max` of the elements that are numbers; NaN where there are none.

    >>> float(nanmax([3.0, float("nan"), 2.0]))
    3.0
    """
    return _where_empty(x, max(_filled(x, -float("inf")), axis, keepdims), axis, keepdims) if _has_nan(x) else max(x, axis, keepdims)


@op(rule=_chosen)
def nanmin(x, axis=None, keepdims=False):
    """`min` of the elements that are numbers; NaN where there are none.

    >>> float(nanmin([3.0, float("nan"), 2.0]))
    2.0
    """
    return _where_empty(x, min(_filled(x, float("inf")), axis, keepdims), axis, keepdims) if _has_nan(x) else min(x, axis, keepdims)


@op(rule=rules.reduce, promote="float")
def nanmean(x, axis=None, keepdims=False):
    """`mean` of the elements that are numbers; NaN where there are none.

    >>> float(nanmean([1.0, float("nan"), 2.0]))
    1.5
    """
    count = sum(cast(logical_not(isnan(x)), x.dtype), axis, keepdims)
    return divide(sum(_filled(x, 0), axis, keepdims), count)


@op(rule=rules.typed(rules.reduce, _real), promote="float")
def nanvar(x, axis=None, keepdims=False):
    """`var` of the elements that are numbers; NaN where there are none.

    >>> float(nanvar([1.0, float("nan"), 3.0]))
    1.0
    """
    distance = subtract(x, nanmean(x, axis, keepdims=True))
    return nanmean(real(multiply(distance, conj(distance))), axis, keepdims)


@op(rule=rules.typed(rules.reduce, _real), promote="float")
def nanstd(x, axis=None, keepdims=False):
    """`std` of the elements that are numbers; NaN where there are none.

    >>> float(nanstd([1.0, float("nan"), 3.0]))
    1.0
    """
    return sqrt(nanvar(x, axis, keepdims))


def _nan_position(position, fill, x, axis, keepdims):
    from core.ops.indexing import where

    if not _has_nan(x):
        return position(x, axis, keepdims)
    found = position(_filled(x, fill), axis, keepdims)
    return where(all(isnan(x), axis, keepdims), full_like(found, -1), found)


@op(rule=_place)
def nanargmax(x, axis=None, keepdims=False):
    """`argmax` among the elements that are numbers; -1 where there are none.

    >>> int(nanargmax([1.0, float("nan"), 2.0]))
    2
    """
    return _nan_position(argmax, -float("inf"), x, axis, keepdims)


@op(rule=_place)
def nanargmin(x, axis=None, keepdims=False):
    """`argmin` among the elements that are numbers; -1 where there are none.

    >>> int(nanargmin([3.0, float("nan"), 2.0]))
    2
    """
    return _nan_position(argmin, float("inf"), x, axis, keepdims)


@op(rule=_cumulative)
def nancumsum(x, axis=None, dtype=None):
    """`cumsum` with NaN counted as 0.

    >>> nancumsum([1.0, float("nan"), 2.0])
    array([1., 1., 3.], dtype=float32)
    """
    return cumsum(_filled(x, 0), axis, dtype)


@op(rule=_cumulative)
def nancumprod(x, axis=None, dtype=None):
    """`cumprod` with NaN counted as 1.

    >>> nancumprod([3.0, float("nan"), 2.0])
    array([3., 3., 6.], dtype=float32)
    """
    return cumprod(_filled(x, 1), axis, dtype)


# Sums over parts, lines and areas.


def _trace(x, offset=0, axis1=0, axis2=1):
    axes = {shapes.normalize_axis(axis, len(x.shape)) for axis in (axis1, axis2)}
    if len(axes) < 2:
        raise ValueError(f"trace needs two different axes, got axis1={axis1} and axis2={axis2} for the shape {x.shape}.")
    return rules.shaped(x, tuple(dim for i, dim in enumerate(x.shape) if i not in axes), _summed(x.dtype))


@op(rule=_trace)
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal of the planes of two axes.

    >>> int(trace([[1, 2], [3, 4]]))
    5
    """
    from core.ops.shape import diagonal

    return sum(diagonal(x, offset, axis1, axis2), -1)


def _trapezoid(y, x=None, dx=1.0, axis=-1):
    at = shapes.normalize_axis(axis, len(y.shape))
    if x is not None:
        points = x.shape if len(x.shape) == 1 else (*x.shape[:at], *x.shape[at + 1 :], x.shape[at]) if len(x.shape) > at else ()
        if not shapes.fits(points, (*y.shape[:at], *y.shape[at + 1 :], y.shape[at])) or not points:
            raise ValueError(f"trapezoid needs a place x for each element along axis={axis} of the shape {y.shape}, got shape {x.shape}.")
    return rules.reduce(y, axis)


@op("y x", rule=_trapezoid, promote="float")
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of `y` along `axis` by the trapezoidal rule, at the places `x` or in steps of `dx`.

    >>> float(trapezoid([1.0, 2.0, 3.0]))
    4.0
    """
    from core.ops.indexing import diff
    from core.ops.shape import moveaxis

    y = moveaxis(y, axis, -1)
    if x is not None:
        dx = diff(x) if len(x.shape) == 1 else diff(moveaxis(x, axis, -1))
    return sum(multiply((y[..., 1:] + y[..., :-1]) * 0.5, dx), -1)


def _corrcoef(x):
    if len(x.shape) not in (1, 2):
        raise ValueError(f"corrcoef takes a vector or a matrix whose rows are variables, got the shape {x.shape}.")
    return rules.shaped(x, x.shape[:1] * 2 if len(x.shape) == 2 else ())


@op(rule=_corrcoef, promote="float")
def corrcoef(x):
    """The matrix of Pearson correlations between the rows of `x`; for a vector, the scalar 1.

    >>> corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    from core.ops.linalg import matmul
    from core.ops.shape import diagonal, expand_dims, transpose

    if len(x.shape) == 1:
        return corrcoef(expand_dims(x, 0))[0, 0]
    distance = subtract(x, mean(x, 1, keepdims=True))
    products = matmul(distance, conj(transpose(distance)))
    scale = sqrt(diagonal(products))
    result = divide(divide(products, expand_dims(scale, 1)), expand_dims(scale, 0))
    return result if "complex" in str(x.dtype) else clip(result, -1, 1)


def _bincount(x, weights=None, minlength=0, sparse=False):
    _check_counted(x, minlength)
    if not x.shape or (weights is not None and not shapes.compatible(weights.shape, x.shape)):
        given = None if weights is None else weights.shape
        raise ValueError(
            f"bincount needs integers of at least one dimension, and weights of their shape; got the shapes {x.shape} and {given}."
        )
    return KerasTensor((*x.shape[:-1], None), "int32" if weights is None else weights.dtype, sparse=sparse)


@op("weights", also="x", rule=_bincount)
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each value from 0 on occurs along the last axis of the integers `x`, or the sum of its weights.

    The last axis of the result reaches to the largest value, and to `minlength` at least. Under `jit` on JAX, where values are
    not known, it is `minlength`. The dtype is int32 or that of `weights`. `sparse=True` gives a sparse tensor on TensorFlow and JAX.

    >>> bincount([0, 2, 2])
    array([1, 0, 2], dtype=int32)
    """
    primitive()


def _check_counted(x: Any, minlength: Any) -> None:
    rules.check_integers(x, "The elements")
    shapes.check_integer(minlength, "minlength", 0)


def _segment(data, segment_ids, num_segments=None, sorted=False):
    rules.check_integers(segment_ids, "The segment_ids")
    if num_segments is not None:
        shapes.check_integer(num_segments, "num_segments", 0)
    if len(segment_ids.shape) != 1 or not data.shape:
        raise ValueError(f"A segment op takes a vector of ids, one per row of data; got the shapes {segment_ids.shape} and {data.shape}.")
    if not shapes.compatible(segment_ids.shape, data.shape[:1]):
        raise ValueError(f"A segment op needs one id per row of data, got {segment_ids.shape[0]} ids for the shape {data.shape}.")
    return rules.shaped(data, (num_segments, *data.shape[1:]))


@op("data", also="segment_ids", rule=_segment)
def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    """The sums of the rows of `data` that have the same id: row `i` of the result belongs to id `i`.

    `num_segments` is the number of rows of the result, by default the largest id and one (`jit` needs it); ids outside of it are left
    out. `sorted=True` promises rising ids. Empty segments are 0.

    >>> segment_sum([1, 2, 3], [0, 0, 1])
    array([3, 3], dtype=int32)
    """
    primitive()


@op("data", also="segment_ids", rule=_segment)
def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    """The products of the rows of `data` that have the same id; see `segment_sum`. Empty segments are 1.

    >>> segment_prod([4, 2, 3], [0, 0, 1])
    array([8, 3], dtype=int32)
    """
    primitive()


@op("data", also="segment_ids", rule=_segment)
def segment_max(data, segment_ids, num_segments=None, sorted=False):
    """The largest of the rows of `data` that have the same id; see `segment_sum`. Empty segments are -inf or the least integer.

    >>> segment_max([1, 2, 3], [0, 0, 1])
    array([2, 3], dtype=int32)
    """
    primitive()


@op("data", also="segment_ids", rule=_segment)
def segment_min(data, segment_ids, num_segments=None, sorted=False):
    """The smallest of the rows of `data` that have the same id; see `segment_sum`. Empty segments are inf or the largest integer.

    >>> segment_min([1, 2, 3], [0, 0, 1])
    array([1, 3], dtype=int32)
    """
    primitive()
