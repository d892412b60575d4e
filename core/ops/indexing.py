"""Ops about places: taking and putting elements, choosing between tensors, order, sets, bins."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from core.backend.arguments import as_index, check_block, check_key, check_reduction, index_plan, is_array, is_mask, key_parts
from core.backend.symbolic import KerasTensor
from core.base import shapes, tree
from core.ops import rules
from core.ops.comparison import equal, greater, isfinite, logical_and, logical_not, not_equal
from core.ops.convert import cast, convert_to_tensor, dtype
from core.ops.convert import shape as shape_of
from core.ops.creation import arange, full_like, linspace, ones_like
from core.ops.elementwise import add, clip, floor_divide, mod, multiply, subtract
from core.ops.joining import concatenate
from core.ops.reduction import any as some
from core.ops.reduction import cumsum
from core.ops.reduction import max as largest
from core.ops.reduction import min as smallest
from core.ops.reduction import sum as total
from core.ops.registry import op, primitive
from core.ops.shape import expand_dims, flip, moveaxis, pad, ravel, reshape

__all__ = [
    "argpartition", "argsort", "correlate", "diff", "digitize", "get_item", "histogram", "in_top_k", "isin", "nonzero", "scatter",
    "scatter_update", "searchsorted", "select", "slice", "slice_update", "sort", "take", "take_along_axis", "top_k", "unique",
    "unravel_index", "where",
]  # fmt: skip

# Getting.


def _sliced(dim: int | None, part: builtins.slice) -> int | None:
    """The length of a slice of `dim` elements, None where it is not known."""
    bounds = [as_index(bound) for bound in (part.start, part.stop, part.step)]
    return shapes.sliced(dim, *bounds) if builtins.all(bound is None or isinstance(bound, int) for bound in bounds) else None


def _get_item(x, key):
    parts: list[Any] = []
    given = key_parts(key)
    if builtins.sum(part is Ellipsis for part in given) > 1:
        raise ValueError(f"An indexing key may hold one Ellipsis, got {key!r}.")
    check_key(given, x.shape)
    for part in given:
        # A mask stands for as many vectors of indices as it has dimensions.
        parts += [KerasTensor((None,), "int32")] * len(part.shape) if is_mask(part) else [as_index(part)]
    if builtins.any(map(is_array, parts)):
        plan = index_plan(parts, len(x.shape))
        between = list(_get_item(x, plan.basic).shape)
        new = shapes.broadcast(*(tuple(getattr(array, "shape", ())) for array in plan.arrays))
        for axis in reversed(plan.axes):
            del between[axis]
        return rules.shaped(x, (*between[: plan.place], *new, *between[plan.place :]))
    taken = builtins.sum(part is not None and part is not Ellipsis for part in parts)
    if not builtins.any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    dims, rest = [], list(x.shape)
    for part in parts:
        if part is Ellipsis:
            dims += rest[: len(x.shape) - taken]
            del rest[: len(x.shape) - taken]
        elif part is None:
            dims.append(1)
        elif isinstance(part, builtins.slice):
            dims.append(_sliced(rest.pop(0), part))
        else:
            del rest[0]
    return rules.shaped(x, tuple(dims))


@op(rule=_get_item)
def get_item(x, key):
    """`x[key]`, in NumPy's sense: integers, slices, None, Ellipsis, arrays of indices, masks, and tuples of those.

    An index out of range is an error; in an array of indices not on JAX, which takes the nearest place.

    >>> get_item([[1, 2], [3, 4]], (..., 0))
    array([1, 3], dtype=int32)
    """
    primitive()


def _check_python_places(name: str, bound: dict) -> None:
    """A ValueError for a Python integer, or one in a list, beyond its axis: in a tensor, JAX and symbolic calls do not look at it."""
    x, indices, axis = bound["x"], bound["indices"], bound.get("axis")
    if type(indices) not in (int, list, tuple):
        return
    shape = tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
    dim = shapes.size(shape) if axis is None else shape[shapes.normalize_axis(axis, len(shape), f"{name}: axis")]
    for place in tree.flatten(indices):
        if isinstance(dim, int) and type(place) is int and not -dim <= place < dim:
            raise ValueError(f"{name}: index {place} is out of range for an axis of {dim} in the shape {tuple(shape)}.")


def _take(x, indices, axis=None):
    rules.check_integers(indices, "The indices")
    if axis is None:
        return rules.shaped(x, indices.shape)
    axis = shapes.normalize_axis(axis, len(x.shape))
    return rules.shaped(x, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@op(also="indices", rule=_take, prepare=_check_python_places)
def take(x, indices, axis=None):
    """The slices of `x` at `indices` along `axis`, or the flat elements where it is None; negative places count from the end.

    An index out of range is an error, except in a tensor on JAX, which does not look at values: there it gives NaN, or the least integer.

    >>> take([[1, 2], [3, 4]], [1, 1], axis=0)
    array([[3, 4],
           [3, 4]], dtype=int32)
    """
    primitive()


def _take_along_axis(x, indices, axis=None):
    rules.check_integers(indices, "The indices")
    if axis is None:
        return rules.shaped(x, (shapes.size(indices.shape),))
    if len(x.shape) != len(indices.shape):
        raise ValueError(f"take_along_axis needs tensors of one number of dimensions, got the shapes {x.shape} and {indices.shape}.")
    axis = shapes.normalize_axis(axis, len(x.shape))
    dims = shapes.broadcast(*((*shape[:axis], *shape[axis + 1 :]) for shape in (x.shape, indices.shape)))
    return rules.shaped(x, (*dims[:axis], indices.shape[axis], *dims[axis:]))


@op(also="indices", rule=_take_along_axis, prepare=_check_python_places)
def take_along_axis(x, indices, axis=None):
    """The elements of `x` at `indices` along `axis`, row by row: both have the same other axes, up to broadcasting.

    An index out of range counts as in `take`.

    >>> take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1)
    array([[2],
           [3]], dtype=int32)
    """
    primitive()


def _slice(inputs, start_indices, shape):
    lengths = tuple(as_index(n) for n in shape)
    if len(lengths) != len(inputs.shape):
        raise ValueError(f"slice needs one start and one length per axis of the shape {inputs.shape}, got the lengths {tuple(shape)}.")
    check_block(start_indices, shape, inputs.shape)
    return rules.shaped(inputs, tuple(n if isinstance(n, int) else None for n in lengths))


@op("inputs", rule=_slice)
def slice(inputs, start_indices, shape):
    """The block of `inputs` of a given `shape` that begins at `start_indices`, which may be a tensor.

    A block that leaves `inputs` is an error; with a tensor as start not on JAX, which moves it inside.

    >>> slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))
    array([[2, 3],
           [5, 6]], dtype=int32)
    """
    primitive()


# Putting.


def _slice_update(inputs, start_indices, updates, donate=False):
    fits = len(updates.shape) == len(inputs.shape)
    if not fits or builtins.any(n is not None and m is not None and m > n for n, m in zip(inputs.shape, updates.shape)):
        raise ValueError(f"slice_update needs a block that fits into the shape {inputs.shape}, got updates of shape {updates.shape}.")
    check_block(start_indices, updates.shape, inputs.shape)
    return rules.like(inputs)


@op("inputs updates", rule=_slice_update)
def slice_update(inputs, start_indices, updates, donate=False):
    """A copy of `inputs` with the block `updates` put at `start_indices`, which may be a tensor.

    With `donate=True` the memory of `inputs` may be used for the result, so that a cache that grows by one step is not copied at each;
    `inputs` must not be used afterwards. Tensors that gradients flow through are copied all the same.

    >>> slice_update([1, 2, 3], (1,), [8, 9])
    array([1, 8, 9], dtype=int32)
    """
    primitive()


def _check_updates(name: str, indices, updates, dims) -> None:
    """An error unless the updates are one element or slice of a tensor of `dims` for each index, or broadcast to that."""
    rules.check_integers(indices, f"The indices of {name}")
    depth = indices.shape[-1] if indices.shape else 0
    if depth is None:
        return
    wanted = (*indices.shape[:-1], *dims[depth:])
    if not 0 < depth <= len(dims) or not shapes.fits(updates.shape, wanted):
        raise ValueError(
            f"{name} needs updates of shape (..., rest) for indices of shape (..., depth) into a tensor of shape (depth axes, rest), "
            f"got updates of shape {updates.shape} for indices of shape {indices.shape} and a tensor of shape {dims}."
        )


def _scatter(indices, values, shape):
    dims = tuple(n if isinstance(n, int) else None for n in map(as_index, shape))
    _check_updates("scatter", indices, values, dims)
    return rules.shaped(values, dims)


@op("values", also="indices", rule=_scatter)
def scatter(indices, values, shape):
    """Zeros of a `shape` with `values` added at `indices`, whose last axis holds one place; repeated places add up.

    A place out of range is an error, except on JAX, which leaves it out.

    >>> scatter([[0], [2], [2]], [1, 2, 3], (4,))
    array([1, 0, 5, 0], dtype=int32)
    """
    primitive()


def _scatter_update(inputs, indices, updates, reduction=None):
    check_reduction(reduction)
    _check_updates("scatter_update", indices, updates, inputs.shape)
    return rules.like(inputs)


@op("inputs updates", also="indices", rule=_scatter_update)
def scatter_update(inputs, indices, updates, reduction=None):
    """A copy of `inputs` with `updates` put at `indices`, whose last axis holds one place.

    With a `reduction` of "add", "max", "min" or "mul" the updates are combined with what is there, and with each other. A place
    out of range is an error, except on JAX, which leaves it out.

    >>> scatter_update([1, 2, 3], [[0], [2]], [8, 9])
    array([8, 2, 9], dtype=int32)
    """
    primitive()


# Choosing.


def _where(condition, x1=None, x2=None):
    if (x1 is None) != (x2 is None):
        raise ValueError("where takes the condition alone, or two tensors to choose from; got one.")
    if x1 is None:
        return _nonzero(condition)
    return rules.shaped(x1, shapes.broadcast(condition.shape, x1.shape, x2.shape))


@op("x1 x2", also="condition", rule=_where, promote="numeric", scalars=True)
def where(condition, x1=None, x2=None):
    """The elements of `x1` where `condition` holds and of `x2` elsewhere, broadcast; with the condition alone, `nonzero`.

    >>> where([True, False], 1, [2, 3])
    array([1, 3], dtype=int32)
    """
    primitive()


def _select(condlist, choicelist, default=0):
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(f"select needs one choice for each condition, got {len(condlist)} conditions and {len(choicelist)} choices.")
    return rules.shaped(default, shapes.broadcast(default.shape, *(x.shape for x in (*condlist, *choicelist))))


@op("*choicelist default", also="*condlist", rule=_select, promote="numeric")
def select(condlist, choicelist, default=0):
    """At each place the element of the first choice whose condition holds, or `default`.

    >>> select([[True, False]], [[1, 2]], default=7)
    array([1, 7], dtype=int32)
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(f"select needs one choice for each condition, got {len(condlist)} conditions and {len(choicelist)} choices.")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        result = where(condition, choice, result)
    return result


def _nonzero(x):
    if not x.shape:
        raise ValueError("A scalar has no axes to give places on; nonzero needs a tensor of at least one dimension.")
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@op(rule=_nonzero)
def nonzero(x):
    """The places of the elements that are not zero: a tuple with one int32 vector per axis.

    >>> nonzero([5, 0, 6])
    (array([0, 2], dtype=int32),)
    """
    primitive()


# Order.


def _sort(x, axis=-1):
    if axis is None:
        return rules.shaped(x, (shapes.size(x.shape),))
    shapes.normalize_axis(axis, len(x.shape))
    return rules.like(x)


@op(rule=_sort)
def sort(x, axis=-1):
    """`x` in rising order along `axis`, NaNs last; flat where `axis` is None.

    >>> sort([3, 1, 2])
    array([1, 2, 3], dtype=int32)
    """
    primitive()


@op(rule=rules.typed(_sort, "int32"))
def argsort(x, axis=-1):
    """The places, as int32, that bring `x` in rising order along `axis`; equal elements keep their order.

    >>> argsort([3, 1, 2])
    array([1, 2, 0], dtype=int32)
    """
    primitive()


def _argpartition(x, kth, axis=-1):
    _check_kth(x, kth, axis)
    return rules.typed(_sort, "int32")(x, axis)


def _check_kth(x, kth, axis) -> None:
    dim = shapes.size(tuple(x.shape)) if axis is None else x.shape[shapes.normalize_axis(axis, len(x.shape))]
    if isinstance(kth, int) and dim is not None and not -dim <= kth < dim:
        raise ValueError(f"kth={kth} is out of range for an axis of {dim}.")


@op(rule=_argpartition)
def argpartition(x, kth, axis=-1):
    """Places that bring the element of rank `kth` along `axis` to its sorted place, none larger before it, none smaller behind.

    All elements are put in order, which is one such arrangement.

    >>> int(argpartition([3, 1, 2], 0)[0])
    1
    """
    _check_kth(x, kth, axis)
    return argsort(x, axis)


def _top_k(x, k, sorted=True):
    if not x.shape:
        raise ValueError("top_k needs a tensor of at least one dimension, got the shape ().")
    dim = x.shape[-1]
    shapes.check_integer(k, "k", 0)
    if isinstance(k, int) and dim is not None and k > dim:
        raise ValueError(f"top_k cannot find {k} elements in a last axis of {dim}.")
    dims = (*x.shape[:-1], k if isinstance(k, int) else None)
    return rules.shaped(x, dims), rules.shaped(x, dims, "int32")


@op(rule=_top_k)
def top_k(x, k, sorted=True):
    """The `k` largest elements of the last axis, falling, and their places as int32.

    >>> top_k([3, 1, 2], 2)
    (array([3, 2], dtype=int32), array([0, 2], dtype=int32))
    """
    primitive()


def _in_top_k(targets, predictions, k):
    rules.check_integers(targets, "The targets")
    if len(predictions.shape) != 2 or len(targets.shape) != 1:
        raise ValueError(f"in_top_k takes a vector of targets and a matrix of predictions, got {targets.shape} and {predictions.shape}.")
    return rules.shaped(targets, shapes.broadcast(targets.shape, predictions.shape[:1]), "bool")


@op("predictions", also="targets", rule=_in_top_k)
def in_top_k(targets, predictions, k):
    """Whether fewer than `k` predictions of a row are larger than that of the row's target class.

    Classes that tie with the target do not count against it. A target out of range, or whose prediction is not finite, is not in.

    >>> in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], k=1)
    array([ True, False])
    """
    rules.check_integers(targets, "The targets of in_top_k")
    targets = cast(targets, "int32")
    known = logical_and(targets >= 0, targets < predictions.shape[-1])
    own = take_along_axis(predictions, expand_dims(where(known, targets, 0), -1), -1)
    larger = total(cast(greater(predictions, own), "int32"), -1)
    return logical_and(logical_and(known, isfinite(own[:, 0])), larger < k)


# Bins and sets.


def _searchsorted(sorted_sequence, values, side="left"):
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted's side is 'left' or 'right', got {side!r}.")
    if len(sorted_sequence.shape) != 1:
        raise ValueError(f"searchsorted looks things up in one dimension, got a sorted_sequence of shape {tuple(sorted_sequence.shape)}.")
    return rules.shaped(values, values.shape, "int32")


@op("sorted_sequence values", rule=_searchsorted, promote="numeric")
def searchsorted(sorted_sequence, values, side="left"):
    """Where `values` would have to be put into the rising vector to keep its order, before equal elements or ("right") behind.

    >>> searchsorted([1, 3, 5], [3, 4])
    array([1, 2], dtype=int32)
    """
    primitive()


def _digitize(x, bins):
    if len(bins.shape) != 1:
        raise ValueError(f"digitize needs a vector of edges, got bins of shape {bins.shape}.")
    return rules.shaped(x, x.shape, "int32")


@op(also="bins", rule=_digitize)
def digitize(x, bins):
    """The number of the bin of each element, as int32: 0 below the first of the rising edges `bins`, their number above the last.

    >>> digitize([0.5, 1.0, 7.0], [1.0, 5.0])
    array([0, 1, 2], dtype=int32)
    """
    return searchsorted(bins, x, side="right")


def _histogram(x, bins=10, range=None):
    edges = "float64" if x.dtype == "float64" else x.dtype if "float" in x.dtype else None
    if not isinstance(bins, (int, np.integer)):
        return KerasTensor((len(_edges(bins)) - 1,), "int32"), KerasTensor((len(bins),), edges)
    _check_bins(bins, range)
    return KerasTensor((bins,), "int32"), KerasTensor((bins + 1,), edges)


def _check_bins(bins, range) -> None:
    if not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ValueError(f"histogram needs a positive number of bins, got {bins!r}.")
    if range is not None and (len(range) != 2 or range[1] < range[0]):
        raise ValueError(f"histogram's range is (low, high), got {range!r}.")


@op(rule=_histogram, promote="float")
def histogram(x, bins=10, range=None):
    """How many elements of `x` fall in each of `bins` equal bins, as int32, and the edges of the bins.

    The bins span `range`, by default from the smallest to the largest element; the last one includes its upper edge. A list or an array
    of `bins` holds the edges themselves, in increasing order.

    >>> histogram([1.0, 2.0, 2.0], bins=2)[0]
    array([1, 2], dtype=int32)
    """
    x = ravel(x)
    if not isinstance(bins, (int, np.integer)):
        edges = convert_to_tensor(_edges(bins), dtype(x))
        return _counts(x, edges, len(bins) - 1, edges[0], edges[-1]), edges
    _check_bins(bins, range)
    low, high = (smallest(x), largest(x)) if range is None else (convert_to_tensor(v, x.dtype) for v in map(float, range))
    flat = equal(low, high)  # a range of one point is widened, as NumPy does
    low, high = where(flat, low - 0.5, low), where(flat, high + 0.5, high)
    edges = linspace(low, high, bins + 1, dtype=dtype(x))
    return _counts(x, edges, bins, low, high), edges


def _edges(bins: Any) -> Any:
    """The edges of bins, checked to be two or more in increasing order."""
    edges = np.asarray(bins) if isinstance(bins, (tuple, list, np.ndarray)) else None
    if edges is None or edges.ndim != 1 or len(edges) < 2 or edges.dtype.kind not in "iufb" or not (edges[:-1] <= edges[1:]).all():
        raise ValueError(f"histogram needs a positive number of bins, or a list of two or more edges in increasing order, got {bins!r}.")
    return edges


def _counts(x, edges, bins, low, high):
    """How many of `x` lie between each two edges, and between `low` and `high`."""
    place = clip(searchsorted(edges, x, side="right") - 1, 0, bins - 1)
    inside = logical_and(x >= low, x <= high)
    return total(cast(logical_and(equal(expand_dims(place, 1), arange(bins, dtype="int32")), expand_dims(inside, 1)), "int32"), 0)


@op("x1 x2", rule=lambda x1, x2, assume_unique=False, invert=False: rules.shaped(x1, x1.shape, "bool"), promote="numeric")
def isin(x1, x2, assume_unique=False, invert=False):
    """Whether each element of `x1` is among those of `x2`, or ("invert") is not.

    >>> isin([1, 2, 3], [2, 5])
    array([False,  True, False])
    """
    if dtype(x1) == "bool":
        x1, x2 = cast(x1, "int32"), cast(x2, "int32")
    found = some(equal(expand_dims(x1, -1), ravel(x2)), -1)
    return logical_not(found) if invert else found


def _unique(x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None):
    if size is not None:
        shapes.check_integer(size, "size", 0)
    if axis is None:
        values, rows = (size,), (shapes.size(x.shape),)
    else:
        axis = shapes.normalize_axis(axis, len(x.shape))
        values, rows = (*x.shape[:axis], size, *x.shape[axis + 1 :]), (x.shape[axis],)
    result = [rules.shaped(x, values)]
    result += [KerasTensor((size,), "int32")] * return_index
    result += [KerasTensor(x.shape if axis is None else rows, "int32")] * return_inverse
    result += [KerasTensor((size,), "int32")] * return_counts
    return tuple(KerasTensor(r.shape, r.dtype) for r in result) if len(result) > 1 else result[0]


@op(rule=_unique)
def unique(x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None):
    """The distinct elements of `x` in rising order, or its distinct slices along `axis`.

    On demand a tuple follows: the first place of each, the place among them of every element of `x`, how often each occurs
    (int32). `size` cuts or fills (with `fill_value`, 0) the result to a fixed length, which `jit` needs on JAX.

    >>> unique([3, 1, 1], return_counts=True)
    (array([1, 3], dtype=int32), array([2, 1], dtype=int32))
    """
    rows = reshape(x, (-1, 1)) if axis is None else reshape(moved := moveaxis(x, axis, 0), (shape_of(moved)[0], -1))
    count = shape_of(rows)[0]
    order = arange(count, dtype="int32")
    for column in reversed(range(rows.shape[1])):  # stable sorts from the last key to the first
        order = take(order, argsort(take(rows[:, column], order, 0)), 0)
    ordered = take(rows, order, 0)
    before, after = ordered[:-1], ordered[1:]
    differs = logical_and(not_equal(before, after), _either_number(before, after))
    new = concatenate([ones_like(order[:1], dtype="bool"), some(differs, 1)])
    starts = nonzero(new)[0]
    first = take(order, starts, 0)
    label = subtract(cumsum(cast(new, "int32")), 1)
    inverse = scatter(expand_dims(order, 1), label, (count,))
    values = ravel(take(rows, first, 0)) if axis is None else moveaxis(take(moved, first, 0), 0, axis)
    counts = subtract(concatenate([starts[1:], full_like(starts[:1], count)]), starts)
    if size is not None:
        values = _sized(values, size, 0 if axis is None else axis, 0 if fill_value is None else fill_value)
        first, counts = _sized(first, size, 0, first[0]), _sized(counts, size, 0, 0)
    wanted = (
        (values, True),
        (first, return_index),
        (reshape(inverse, shape_of(x)) if axis is None else inverse, return_inverse),
        (counts, return_counts),
    )
    result = tuple(part for part, asked in wanted if asked)
    return result if len(result) > 1 else result[0]


def _either_number(a, b):
    """Where `a` and `b` are not both NaN: NaNs count as equal."""
    return logical_not(logical_and(not_equal(a, a), not_equal(b, b)))


def _sized(x, size: int, axis: int, fill):
    """`x` cut or filled to `size` along `axis`."""
    axis %= len(x.shape)
    x = x[(builtins.slice(None),) * axis + (builtins.slice(size),)]
    missing = size - x.shape[axis]
    return pad(x, [(0, missing if place == axis else 0) for place in range(len(x.shape))], constant_values=fill) if missing else x


def _unravel_index(indices, shape):
    shape = _dimensions(shape)
    _check_places(indices, shape)
    return tuple(rules.shaped(indices, indices.shape) for _ in shape)


def _dimensions(shape: Any) -> Any:
    """One integer as a shape of it."""
    return (shape,) if isinstance(shape, (int, np.integer)) else shape


def _check_places(indices, shape) -> None:
    rules.check_integers(indices, "The indices of unravel_index")
    if builtins.any(isinstance(dim, int) and dim < 0 for dim in shape):
        raise ValueError(f"unravel_index needs a shape without negative dimensions, got {tuple(shape)}.")


@op("indices", rule=_unravel_index)
def unravel_index(indices, shape):
    """The coordinates, one tensor per axis, of places in the flat elements of a tensor of `shape`; negative ones count from the end.

    >>> unravel_index([1, 5], (2, 3))
    (array([0, 1], dtype=int32), array([1, 2], dtype=int32))
    """
    shape = _dimensions(shape)
    _check_places(indices, shape)
    result = []
    for dim in reversed(shape):
        result.append(mod(indices, dim))
        indices = floor_divide(indices, dim)
    return tuple(reversed(result))


# Along a line.


def _check_times(n) -> None:
    if n < 0:
        raise ValueError(f"diff is taken n >= 0 times, got {n}.")


def _diff(a, n=1, axis=-1):
    _check_times(n)
    axis = shapes.normalize_axis(axis, len(a.shape))
    dim = a.shape[axis]
    return rules.shaped(a, (*a.shape[:axis], None if dim is None else builtins.max(dim - n, 0), *a.shape[axis + 1 :]))


@op("a", rule=_diff)
def diff(a, n=1, axis=-1):
    """Each element less the one before it along `axis`, `n` times over; for bools, whether they differ.

    >>> diff([1, 4, 9])
    array([3, 5], dtype=int32)
    """
    _check_times(n)
    before = (builtins.slice(None),) * shapes.normalize_axis(axis, len(a.shape))
    minus = not_equal if dtype(a) == "bool" else subtract
    for _ in range(n):
        a = minus(a[(*before, builtins.slice(1, None))], a[(*before, builtins.slice(None, -1))])
    return a


def _correlate(x1, x2, mode="valid"):
    if len(x1.shape) != 1 or len(x2.shape) != 1:
        raise ValueError(f"correlate takes two vectors, got the shapes {x1.shape} and {x2.shape}.")
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate's mode is 'valid', 'same' or 'full', got {mode!r}.")
    if None in x1.shape + x2.shape:
        return rules.shaped(x1, (None,))
    short, long = sorted((x1.shape[0], x2.shape[0]))
    return rules.shaped(x1, ({"valid": long - short + 1, "same": long, "full": long + short - 1}[mode],))


@op("x1 x2", rule=_correlate, promote="float")
def correlate(x1, x2, mode="valid"):
    """The products of two vectors, summed, as one slides along the other: where they overlap whole ("valid"), at all ("full"),
    or as many places as the longer has ("same").

    >>> correlate([1.0, 2.0, 3.0], [1.0, 1.0])
    array([3., 5.], dtype=float32)
    """
    long, short = shape_of(x1)[0], shape_of(x2)[0]
    if isinstance(long, int) and isinstance(short, int) and long < short:  # NumPy lets the shorter one slide, and turns the result round
        return flip(correlate(x2, x1, mode), 0)
    margins = {"valid": (0, 0), "full": (short - 1, short - 1), "same": (short // 2, short - 1 - short // 2)}[mode]
    padded = pad(x1, (margins,))
    places = add(expand_dims(arange(shape_of(padded)[0] - short + 1, dtype="int32"), 1), arange(short, dtype="int32"))
    return total(multiply(take(padded, places, 0), x2), -1)
