"""NumPy's reductions."""

import builtins
import math

import numpy as np

from core.base.dtypes import numpy_dtype

# Sums of small integers are taken, and returned, in 32 bits; NumPy alone would take 64.
SUMMED = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
_SUMMED = {np.dtype(small): np.dtype(wide) for small, wide in SUMMED.items()}


def _axes(x, axis):
    if axis is not None and not x.ndim and axis not in ((), []):  # NumPy lets a scalar have an axis
        raise ValueError("axis")  # the op's rule says what is wrong
    return tuple(axis) if isinstance(axis, list) else axis


def sum(x, axis=None, keepdims=False):
    return np.sum(x, axis=_axes(x, axis), keepdims=keepdims, dtype=_SUMMED.get(x.dtype, x.dtype))


def prod(x, axis=None, keepdims=False, dtype=None):
    return np.prod(x, axis=_axes(x, axis), keepdims=keepdims, dtype=numpy_dtype(dtype) if dtype else _SUMMED.get(x.dtype, x.dtype))


def max(x, axis=None, keepdims=False, initial=None):
    return np.max(x, axis=_axes(x, axis), keepdims=keepdims, **({} if initial is None else {"initial": initial}))


def min(x, axis=None, keepdims=False, initial=None):
    return np.min(x, axis=_axes(x, axis), keepdims=keepdims, **({} if initial is None else {"initial": initial}))


def mean(x, axis=None, keepdims=False):
    return np.asarray(np.mean(x, axis=_axes(x, axis), keepdims=keepdims)).astype(x.dtype, copy=False)


def var(x, axis=None, keepdims=False):
    return np.asarray(np.var(x, axis=_axes(x, axis), keepdims=keepdims)).astype(np.finfo(x.dtype).dtype if x.dtype.kind == "c" else x.dtype)


def std(x, axis=None, keepdims=False):
    return np.sqrt(var(x, axis, keepdims))


def any(x, axis=None, keepdims=False):
    return np.any(x, axis=_axes(x, axis), keepdims=keepdims)


def all(x, axis=None, keepdims=False):
    return np.all(x, axis=_axes(x, axis), keepdims=keepdims)


def argmax(x, axis=None, keepdims=False):
    return np.asarray(np.argmax(x, axis=_axes(x, axis), keepdims=keepdims)).astype("int32")


def argmin(x, axis=None, keepdims=False):
    return np.asarray(np.argmin(x, axis=_axes(x, axis), keepdims=keepdims)).astype("int32")


def logsumexp(x, axis=None, keepdims=False):
    top = np.max(x, axis=_axes(x, axis), keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    with np.errstate(divide="ignore"):
        result = np.log(np.sum(np.exp(x - top), axis=_axes(x, axis), keepdims=True)) + top
    return result if keepdims else np.squeeze(result, _axes(x, axis))


def _accumulated(x, dtype):
    return numpy_dtype(dtype) if dtype else np.dtype("int32") if x.dtype == bool else x.dtype


def cumsum(x, axis=None, dtype=None):
    return np.cumsum(x, axis=_axes(x, axis), dtype=_accumulated(x, dtype))


def cumprod(x, axis=None, dtype=None):
    return np.cumprod(x, axis=_axes(x, axis), dtype=_accumulated(x, dtype))


def bincount(x, weights=None, minlength=0, sparse=False):
    if sparse:
        raise ValueError("NumPy has no sparse tensors: call bincount with sparse=False, or use jax or tensorflow.")
    if x.dtype.kind not in "iub" or minlength < 0:
        raise ValueError("arguments")  # the op's rule says which
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1]).astype("int64")
    length = builtins.max(int(np.max(rows, initial=-1)) + 1, minlength)
    weighed = [None] * len(rows) if weights is None else weights.reshape(rows.shape)
    counts = [np.bincount(row, w, length) for row, w in zip(rows, weighed)]
    return np.reshape(counts, (*x.shape[:-1], length)).astype("int32" if weights is None else weights.dtype)


def _segment(ufunc, data, segment_ids, num_segments, empty):
    if segment_ids.dtype.kind not in "iub":
        raise ValueError("dtypes")  # the op's rule says which
    segment_ids = segment_ids.astype("int64", copy=False)
    count = int(segment_ids.max(initial=-1)) + 1 if num_segments is None else num_segments
    known = (segment_ids >= 0) & (segment_ids < count)
    out = np.full((count, *data.shape[1:]), empty, data.dtype)
    ufunc.at(out, segment_ids[known], data[known])
    return out


def _lowest(dtype):
    """The identity of `max`; `-lowest` is no identity of `min` for integers, see `_highest`."""
    return np.iinfo(dtype).min if np.dtype(dtype).kind in "iu" else -np.inf


def _highest(dtype):
    """The identity of `min`."""
    return np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else np.inf


def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    return _segment(np.add, data, segment_ids, num_segments, 0)


def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    return _segment(np.multiply, data, segment_ids, num_segments, 1)


def segment_max(data, segment_ids, num_segments=None, sorted=False):
    return _segment(np.maximum, data, segment_ids, num_segments, _lowest(data.dtype))


def segment_min(data, segment_ids, num_segments=None, sorted=False):
    return _segment(np.minimum, data, segment_ids, num_segments, _highest(data.dtype))
