"""PyTorch's reductions."""

from operator import index

import torch

from core.backend.numpy.reduction import SUMMED
from core.backend.torch.array import native_dtype
from core.base.shapes import normalize_axes

_SUMMED = {native_dtype(small): native_dtype(wide) for small, wide in SUMMED.items()}


def _reduce(function, x, axis, keepdims, **options):
    if axis is None:
        return function(x, dim=tuple(range(x.ndim)), keepdim=keepdims, **options)
    axis = tuple(map(index, axis)) if isinstance(axis, (tuple, list)) else index(axis)
    if not x.ndim and axis != ():  # PyTorch lets a scalar have an axis
        raise ValueError("axis")  # the op's rule says what is wrong
    if axis == () and x.ndim:  # PyTorch reads () as all axes
        return function(x[None], dim=(0,), keepdim=False, **options)
    return function(x, dim=axis, keepdim=keepdims, **options)


def sum(x, axis=None, keepdims=False):
    wide = _SUMMED.get(x.dtype)
    if wide is torch.uint32:
        return _reduce(torch.sum, x, axis, keepdims, dtype=torch.int64).to(wide)
    return _reduce(torch.sum, x, axis, keepdims, dtype=wide or x.dtype)


def prod(x, axis=None, keepdims=False, dtype=None):
    target = native_dtype(dtype) if dtype else _SUMMED.get(x.dtype, x.dtype)
    x = x.to(torch.int64 if target is torch.uint32 else target)
    for one in sorted(normalize_axes(axis, x.ndim), reverse=True):
        x = torch.prod(x, one, keepdim=keepdims, dtype=x.dtype)
    return x.to(target)


def max(x, axis=None, keepdims=False, initial=None):
    result = _reduce(torch.amax, x, axis, keepdims) if x.numel() or initial is None else _initial_only(x, axis, keepdims, initial)
    return result if initial is None else torch.maximum(result, torch.as_tensor(initial, dtype=x.dtype, device=x.device))


def min(x, axis=None, keepdims=False, initial=None):
    result = _reduce(torch.amin, x, axis, keepdims) if x.numel() or initial is None else _initial_only(x, axis, keepdims, initial)
    return result if initial is None else torch.minimum(result, torch.as_tensor(initial, dtype=x.dtype, device=x.device))


def _initial_only(x, axis, keepdims, initial):
    return torch.full_like(_reduce(torch.sum, x, axis, keepdims, dtype=x.dtype), initial)


def mean(x, axis=None, keepdims=False):
    if axis is None and not keepdims:
        return torch.mean(x)
    return _reduce(torch.mean, x, axis, keepdims)


def var(x, axis=None, keepdims=False):
    return _reduce(torch.var, x, axis, keepdims, correction=0)


def std(x, axis=None, keepdims=False):
    return _reduce(torch.std, x, axis, keepdims, correction=0)


def any(x, axis=None, keepdims=False):
    return _reduce(torch.any, x.to(torch.bool), axis, keepdims)


def all(x, axis=None, keepdims=False):
    return _reduce(torch.all, x.to(torch.bool), axis, keepdims)


def _check_axis(x, axis):
    if axis is not None and not x.ndim:
        raise ValueError("axis")


def argmax(x, axis=None, keepdims=False):
    _check_axis(x, axis)
    return torch.argmax(x.to(torch.uint8) if x.dtype == torch.bool else x, axis, keepdim=keepdims).to(torch.int32)


def argmin(x, axis=None, keepdims=False):
    _check_axis(x, axis)
    return torch.argmin(x.to(torch.uint8) if x.dtype == torch.bool else x, axis, keepdim=keepdims).to(torch.int32)


def logsumexp(x, axis=None, keepdims=False):
    return _reduce(torch.logsumexp, x, axis, keepdims)


def _accumulate(function, x, axis, dtype):
    _check_axis(x, axis)
    target = native_dtype(dtype) if dtype else torch.int32 if x.dtype == torch.bool else x.dtype
    return function(x.reshape(-1) if axis is None else x, axis or 0, dtype=target)


def cumsum(x, axis=None, dtype=None):
    return _accumulate(torch.cumsum, x, axis, dtype)


def cumprod(x, axis=None, dtype=None):
    return _accumulate(torch.cumprod, x, axis, dtype)


def bincount(x, weights=None, minlength=0, sparse=False):
    if sparse:
        raise ValueError("bincount gives no sparse tensors on torch: call it with sparse=False, or use jax or tensorflow.")
    if x.is_floating_point() or minlength < 0:
        raise ValueError("arguments")  # the op's rule says which
    rows = x.reshape(x.shape[:-1].numel(), x.shape[-1]).long()
    longest = int(rows.max()) + 1 if rows.numel() else 0
    length = longest if longest > minlength else minlength
    ones = torch.ones_like(rows, dtype=torch.int32) if weights is None else weights.reshape(rows.shape)
    return torch.zeros(len(rows), length, dtype=ones.dtype, device=x.device).scatter_add(1, rows, ones).reshape(*x.shape[:-1], length)


def _segment(reduction, data, segment_ids, num_segments, empty):
    if segment_ids.shape != data.shape[:1] or segment_ids.is_floating_point():
        raise ValueError("shapes")  # the op's rule says which
    ids = segment_ids.long()
    count = (int(ids.max()) + 1 if ids.numel() else 0) if num_segments is None else num_segments
    ids = torch.where((ids >= 0) & (ids < count), ids, count)  # one more segment takes what belongs to none
    out = torch.full((count + 1, *data.shape[1:]), empty, dtype=data.dtype, device=data.device)
    if reduction == "sum":
        return out.index_add(0, ids, data)[:count]
    ids = ids.reshape(-1, *[1] * (data.ndim - 1)).expand(data.shape)
    return out.scatter_reduce(0, ids, data, reduction)[:count]


def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    return _segment("sum", data, segment_ids, num_segments, 0)


def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    return _segment("prod", data, segment_ids, num_segments, 1)


def _extreme(reduction, data, segment_ids, num_segments, of_floats, of_integers):
    if data.dtype == torch.bool:
        return _segment(reduction, data.to(torch.uint8), segment_ids, num_segments, reduction == "amin").bool()
    empty = of_floats if data.dtype.is_floating_point else of_integers(torch.iinfo(data.dtype))
    return _segment(reduction, data, segment_ids, num_segments, empty)


def segment_max(data, segment_ids, num_segments=None, sorted=False):
    return _extreme("amax", data, segment_ids, num_segments, -float("inf"), lambda integers: integers.min)


def segment_min(data, segment_ids, num_segments=None, sorted=False):
    return _extreme("amin", data, segment_ids, num_segments, float("inf"), lambda integers: integers.max)
