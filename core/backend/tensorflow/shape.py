"""TensorFlow's moves of elements: shapes, order, places. Sizes that are not known while a graph is built are read in it."""

import functools

import numpy as np
import tensorflow as tf

from core.backend import slot
from core.backend.arguments import (
    PAD_MODES,
    check_key,
    check_reduction,
    index_plan,
    is_array,
    is_mask,
    key_parts,
    out_of_range,
    pad_pairs,
    reshape_dims,
)  # fmt: skip
from core.backend.margins import COMPUTED, padded
from core.base.shapes import normalize_axes as _normalized
from core.base.shapes import normalize_axis


def _list(value):
    return (
        list(value)
        if isinstance(value, (tuple, list, np.ndarray, tf.TensorShape))
        else value
        if tf.is_tensor(value) and value.shape.rank
        else [value]
    )


def _axis(x, axis):
    return normalize_axis(axis, x.shape.rank)


def _dim(x, axis):
    return tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]


def reshape(x, newshape):
    dims = _list(reshape_dims(newshape))
    if isinstance(dims, list) and all(isinstance(n, int) for n in dims) and -1 in dims and 0 in dims:  # it would find anything
        raise ValueError("shapes")  # the op's rule says which
    return tf.reshape(x, dims)


def stack(xs, axis=0):
    xs = tf.unstack(xs) if tf.is_tensor(xs) else xs
    if not xs:
        raise ValueError("tensors")  # the op's rule says what is wrong
    return tf.stack(xs, _axis_after(xs[0], axis))


def _axis_after(x, axis):
    """An axis of the tensor that has one more than `x`."""
    return normalize_axis(axis, x.shape.rank + 1)


def concatenate(xs, axis=0):
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    xs = tf.unstack(xs) if tf.is_tensor(xs) else xs  # a tensor would count as one
    if len(xs) == 1:
        _axis(xs[0], axis)  # it would not look
    return tf.concat(xs, axis)


def ravel(x):
    return tf.reshape(x, [-1])


def broadcast_to(x, shape):
    return tf.broadcast_to(x, _list(shape))


def _reordered(x, order):
    return x if list(order) == list(range(len(order))) else tf.transpose(x, order)


def transpose(x, axes=None):
    return tf.transpose(x, None if axes is None else [_axis(x, axis) for axis in axes])


def swapaxes(x, axis1, axis2):
    order = list(range(x.shape.rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return _reordered(x, order)


def moveaxis(x, source, destination):
    sources, targets = ([_axis(x, a) for a in _list(axes)] for axes in (source, destination))
    if len(sources) != len(targets):
        raise ValueError("shapes")  # the op's rule says which
    order = [axis for axis in range(x.shape.rank) if axis not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return _reordered(x, order)


def expand_dims(x, axis):
    axes = _list(axis)
    for one in sorted(_normalized(tuple(axes), x.shape.rank + len(axes))):
        x = tf.expand_dims(x, one)
    return x


def squeeze(x, axis=None):
    return tf.squeeze(x, axis) if axis is None or not isinstance(axis, (tuple, list)) or axis else x  # it reads () as all axes


def size(x):
    count = x.shape.num_elements()
    return tf.size(x) if count is None else tf.constant(count, tf.int32)


def split(x, indices_or_sections, axis=0):
    indices_or_sections = int(indices_or_sections) if isinstance(indices_or_sections, np.integer) else indices_or_sections
    if isinstance(indices_or_sections, int):
        return tf.split(x, indices_or_sections, axis)
    dim = _dim(x, axis)
    points = [0, *_list(indices_or_sections), dim]
    if isinstance(dim, int):
        parts = [range(dim)[a:b] for a, b in zip(points, points[1:])]
        if sum(map(len, parts)) == dim:
            return tf.split(x, list(map(len, parts)), axis)
        before = (slice_type(None),) * _axis(x, axis)  # parts that overlap
        return [x[(*before, slice_type(part.start, part.start + len(part)))] for part in parts]
    points = [p + dim if isinstance(p, int) and p < 0 else p for p in points]
    return tf.split(x, tf.stack([b - a for a, b in zip(points, points[1:])]), axis, num=len(points) - 1)


def unstack(x, num=None, axis=0):
    return tf.unstack(x, num, _axis(x, axis))


def tile(x, repeats):
    counts = _list(repeats)
    rank = len(counts) if isinstance(counts, list) else counts.shape[0]
    if rank > x.shape.rank:
        x = tf.reshape(x, [1] * (rank - x.shape.rank) + [_dim(x, a) for a in range(x.shape.rank)])
    elif rank < x.shape.rank:
        counts = tf.concat([[1] * (x.shape.rank - rank), counts], 0)
    return tf.tile(x, counts)


def repeat(x, repeats, axis=None):
    if isinstance(repeats, (list, tuple)) and any(isinstance(n, int) and n < 0 for n in repeats):
        raise ValueError("repeats")  # the op's rule says what is wrong
    if 0 in x.shape and isinstance(repeats, (list, tuple)):  # its own loses count of tensors without elements
        x, axis = (tf.reshape(x, [-1]), 0) if axis is None else (x, axis)
        return tf.gather(x, np.repeat(np.arange(x.shape[axis]), repeats), axis=axis)
    return tf.repeat(x, repeats, axis if axis is None else _axis(x, axis))


def flip(x, axis=None):
    return tf.reverse(x, list(range(x.shape.rank)) if axis is None else [_axis(x, one) for one in _list(axis)])


def roll(x, shift, axis=None):
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, [-1]), shift, 0), tf.shape(x))
    axes, shifts = _list(axis), _list(shift)
    return tf.roll(x, shifts * len(axes) if len(shifts) == 1 else shifts, axes * len(shifts) if len(axes) == 1 else axes)


def pad(x, pad_width, mode="constant", constant_values=None):
    pairs, mode = pad_pairs(pad_width, x.shape.rank, mode, constant_values), PAD_MODES[mode]
    if mode in COMPUTED:
        return padded(slot.get("tensorflow"), x, pairs, mode)
    if not pairs:
        return x
    if mode == "constant":
        return tf.pad(x, pairs, constant_values=tf.cast(0 if constant_values is None else constant_values, x.dtype))
    if mode in ("reflect", "symmetric") and _mirrored_once(x.shape, pairs, mode):
        return tf.pad(x, pairs, mode.upper())
    for axis, pair in enumerate(pairs):  # any other mode copies elements: let NumPy say which
        if tuple(pair) != (0, 0):
            x = tf.gather(x, np.pad(np.arange(x.shape[axis]), pair, mode), axis=axis)
    return x


def _mirrored_once(shape, pairs, mode):
    """Whether the margins are no longer than what there is to mirror, beyond which TensorFlow does not go."""
    own = 1 if mode == "reflect" else 0
    return all(n is None or 0 < n and max(pair) <= n - own for n, pair in zip(shape, pairs))


def _band(x, k, lower):
    below = tf.range(_dim(x, -1))[None, :] - tf.range(_dim(x, -2))[:, None] <= k
    return tf.where(below if lower else ~below, x, tf.zeros([], x.dtype))


def tril(x, k=0):
    return _band(x, k, True)


def triu(x, k=0):
    return _band(x, k - 1, False)


def diag(x, k=0):
    if x.shape.rank > 2:
        raise ValueError("shapes")  # the op's rule says which
    return tf.linalg.diag(x, k=k) if x.shape.rank == 1 else diagonal(x, k)


def diagonal(x, offset=0, axis1=0, axis2=1):
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    return tf.linalg.diag_part(x[..., -offset:, :] if offset < 0 else x[..., offset:])  # its own k must lie within the matrix


def get_item(x, key):
    parts = key_parts(key)
    if not any(map(is_array, parts)):
        try:
            return x[parts]
        except tf.errors.InvalidArgumentError as error:
            raise out_of_range("get_item", error) from None
    if len(parts) == 1 and is_mask(parts[0]):
        return tf.boolean_mask(x, parts[0])
    check_key(parts, x.shape)
    flat = []
    for part in parts:
        flat += tf.unstack(tf.where(part), len(part.shape), axis=1) if is_mask(part) else [part]
    plan = index_plan(flat, x.shape.rank)
    x = x[plan.basic]
    x = moveaxis(x, plan.axes, tuple(range(len(plan.axes))))
    places = [_from_front(tf.cast(part, tf.int32), _dim(x, axis)) for axis, part in enumerate(plan.arrays)]
    shape = places[0].shape
    for place in places[1:]:
        shape = tf.broadcast_static_shape(shape, place.shape)
    dynamic = shape if shape.is_fully_defined() else functools.reduce(tf.broadcast_dynamic_shape, map(tf.shape, places))
    if 0 in x.shape:  # it gathers from nothing not even slices without elements
        found = tf.zeros([*dynamic, *(_dim(x, axis) for axis in range(len(places), x.shape.rank))], x.dtype)
    else:
        places = tf.stack([tf.broadcast_to(place, dynamic) for place in places], -1)
        try:
            found = tf.gather_nd(x, places)
        except tf.errors.InvalidArgumentError as error:
            raise out_of_range("get_item", error) from None
    return moveaxis(found, tuple(range(shape.rank)), tuple(range(plan.place, plan.place + shape.rank)))


def where(condition, x1=None, x2=None):
    return nonzero(condition) if x1 is None else tf.where(tf.cast(condition, tf.bool), x1, x2)


def nonzero(x):
    return tuple(tf.cast(places, tf.int32) for places in tf.unstack(tf.where(tf.cast(x, tf.bool)), x.shape.rank, axis=1))


def _from_front(indices, count):
    return indices if indices.dtype.is_unsigned else tf.where(indices < 0, indices + tf.cast(count, indices.dtype), indices)


def _places(indices):
    if indices.dtype.is_floating:
        raise ValueError("dtypes")  # the op's rule says which
    return indices if indices.dtype in (tf.int32, tf.int64) else tf.cast(indices, tf.int32)


def take(x, indices, axis=None):
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    try:
        return tf.gather(x, _from_front(_places(indices), _dim(x, axis)), axis=axis)
    except tf.errors.InvalidArgumentError as error:
        raise out_of_range("take", error) from None


def take_along_axis(x, indices, axis=None):
    if axis is None:
        x, indices, axis = tf.reshape(x, [-1]), tf.reshape(indices, [-1]), 0
    if x.shape.rank != indices.shape.rank:
        raise ValueError("take_along_axis needs tensors of one number of dimensions.")
    x, indices = swapaxes(x, axis, -1), swapaxes(_from_front(_places(indices), _dim(x, axis)), axis, -1)
    lead, other = x.shape[:-1], indices.shape[:-1]
    if not (lead.is_fully_defined() and lead == other):
        lead = tf.broadcast_dynamic_shape(tf.shape(x)[:-1], tf.shape(indices)[:-1])
        x, indices = (tf.broadcast_to(t, tf.concat([lead, tf.shape(t)[-1:]], 0)) for t in (x, indices))
    try:
        return swapaxes(tf.gather(x, indices, batch_dims=x.shape.rank - 1), axis, -1)
    except tf.errors.InvalidArgumentError as error:
        raise out_of_range("take_along_axis", error) from None


slice_type = slice  # the op `slice` below takes the name


def slice(inputs, start_indices, shape):
    if isinstance(shape, (tuple, list)) and any(isinstance(n, int) and n < 0 for n in shape):
        raise ValueError("shapes")  # TensorFlow reads -1 as all the rest
    return tf.slice(inputs, _list(start_indices), _list(shape)) if inputs.shape.rank else inputs


def slice_update(inputs, start_indices, updates, donate=False):  # the runtime reuses memory that nothing else holds
    if updates.shape.rank != inputs.shape.rank:
        raise ValueError("shapes")
    updates = tf.cast(updates, inputs.dtype)
    if not inputs.shape.rank or 0 in updates.shape:  # it takes neither
        return inputs if inputs.shape.rank else updates
    starts = tf.cast(tf.stack(_list(start_indices)), tf.int32)
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=inputs, begin=starts, end=starts + tf.shape(updates), strides=tf.ones_like(starts), value=updates
    )


def scatter(indices, values, shape):
    dims = _list(shape)
    if isinstance(dims, list) and any(isinstance(n, int) and n == 0 for n in dims):
        return tf.zeros(dims, values.dtype)
    try:
        return tf.scatter_nd(indices, values, dims)
    except tf.errors.InvalidArgumentError as error:
        raise out_of_range("A scatter", error) from None


def scatter_update(inputs, indices, updates, reduction=None):
    check_reduction(reduction)
    if 0 in inputs.shape:
        return inputs
    updates = tf.cast(updates, inputs.dtype)
    lead = [_dim(inputs, axis) for axis in range(indices.shape[-1])]
    indices = _from_front(_places(indices), tf.stack(lead))
    if reduction != "mul":
        update = {None: "update", "add": "add", "max": "max", "min": "min"}[reduction]
        try:
            return getattr(tf, f"tensor_scatter_nd_{update}")(inputs, indices, updates)
        except tf.errors.InvalidArgumentError as error:
            raise out_of_range("A scatter", error) from None
    ids = tf.reduce_sum(indices * tf.math.cumprod(tf.stack([*lead[1:], 1]), reverse=True), -1)
    try:
        tf.gather_nd(inputs, indices)  # which looks at each index; a place in the flat elements may be another one's
        factors = tf.math.unsorted_segment_prod(updates, ids, tf.reduce_prod(tf.stack(lead)))
    except tf.errors.InvalidArgumentError as error:
        raise out_of_range("A scatter", error) from None
    return inputs * tf.reshape(factors, tf.shape(inputs))


def _sortable(x, axis):
    x = tf.cast(x, tf.int32) if x.dtype == tf.bool else x
    return (tf.reshape(x, [-1]), -1) if axis is None else (x, _axis(x, axis))


def sort(x, axis=-1):
    if x.dtype.is_floating:
        return take_along_axis(x, argsort(x, axis), axis)
    return tf.cast(tf.sort(*_sortable(x, axis)), x.dtype)


def argsort(x, axis=-1):
    x, axis = _sortable(x, axis)
    if not x.dtype.is_floating:
        return tf.argsort(x, axis, stable=True)
    missing = tf.math.is_nan(x)  # TensorFlow leaves open where NaNs go: sort them as inf, then behind it
    order = tf.argsort(tf.where(missing, tf.cast(float("inf"), x.dtype), x), axis, stable=True)
    last = tf.argsort(tf.cast(take_along_axis(missing, order, axis), tf.int32), axis, stable=True)
    return take_along_axis(order, last, axis)


def top_k(x, k, sorted=True):
    values, places = tf.math.top_k(_sortable(x, -1)[0], k, sorted)
    return tf.cast(values, x.dtype), places


def searchsorted(sorted_sequence, values, side="left"):
    return tf.reshape(tf.searchsorted(sorted_sequence, tf.reshape(values, [-1]), side), tf.shape(values))
