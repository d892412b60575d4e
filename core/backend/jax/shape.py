"""JAX's moves of elements: shapes, order, places."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from core.backend.arguments import PAD_MODES, check_block, check_key, check_number, check_reduction, key_parts, pad_pairs, reshape_dims
from core.backend.jax.reduction import segment_prod

FUNCTIONS = {
    "broadcast_to": jnp.broadcast_to, "concatenate": jnp.concatenate, "diag": jnp.diag, "diagonal": jnp.diagonal,
    "expand_dims": jnp.expand_dims, "flip": jnp.flip, "moveaxis": jnp.moveaxis, "ravel": jnp.ravel,
    "roll": jnp.roll, "stack": jnp.stack, "swapaxes": jnp.swapaxes,
    "transpose": jnp.transpose, "tril": jnp.tril, "triu": jnp.triu,
}  # fmt: skip


def reshape(x, newshape):
    return jnp.reshape(x, reshape_dims(newshape))


def tile(x, repeats):
    return jnp.tile(x, repeats)


def squeeze(x, axis=None):
    return jnp.squeeze(x, tuple(axis) if isinstance(axis, list) else axis)


def repeat(x, repeats, axis=None):
    if isinstance(repeats, (tuple, list)) and any(n < 0 for n in repeats):
        raise ValueError("repeats")  # the op's rule says what is wrong
    return jnp.repeat(x, repeats if isinstance(repeats, (int, jax.Array)) else np.asarray(repeats), axis)


def size(x):
    return np.int32(x.size)  # no JAX array: it may be used as a shape under jit


def split(x, indices_or_sections, axis=0):
    indices_or_sections = int(indices_or_sections) if isinstance(indices_or_sections, np.integer) else indices_or_sections
    if isinstance(indices_or_sections, int):
        return list(jnp.split(x, indices_or_sections, axis))
    dim, points = x.shape[axis], [0, *map(int, indices_or_sections), None]
    parts = [range(dim)[a:b] for a, b in itertools.pairwise(points)]  # JAX knows no points outside or out of order
    return [jax.lax.slice_in_dim(x, part.start, part.start + len(part), axis=axis) for part in parts]


def unstack(x, num=None, axis=0):
    check_number(num, x.shape[axis])
    return list(jnp.unstack(x, axis=axis))


def pad(x, pad_width, mode="constant", constant_values=None):
    pairs, mode = pad_pairs(pad_width, x.ndim, mode, constant_values), PAD_MODES[mode]
    options = {"constant_values": 0 if constant_values is None else constant_values} if mode == "constant" else {}
    return jnp.pad(x, pairs, mode, **options) if pairs else x


def get_item(x, key):
    parts = key_parts(key)
    check_key(parts, x.shape)  # JAX takes the nearest place for one out of range
    return x[parts]


def where(condition, x1=None, x2=None):
    return nonzero(condition) if x1 is None else jnp.where(condition, x1, x2)


def nonzero(x):
    return tuple(places.astype("int32") for places in jnp.nonzero(x))


def take(x, indices, axis=None):
    if axis is None:
        x, axis = x.reshape(-1), 0
    if indices.dtype.kind not in "iu":
        if indices.dtype.kind != "b":
            raise ValueError("dtypes")  # the op's rule says which
        indices = indices.astype("int32")
    return jnp.take(x, indices, axis)


def take_along_axis(x, indices, axis=None):
    return jnp.take_along_axis(x, indices, axis)


def slice(inputs, start_indices, shape):
    check_block(start_indices, shape, inputs.shape)  # JAX moves a block into the tensor, which is left to starts that are not known
    return jax.lax.dynamic_slice(inputs, tuple(start_indices), shape)


def slice_update(inputs, start_indices, updates, donate=False):
    check_block(start_indices, updates.shape, inputs.shape)
    start, updates = tuple(start_indices), updates.astype(inputs.dtype)
    if not donate:
        return jax.lax.dynamic_update_slice(inputs, updates, start)
    # XLA finds out by itself that it may update in place, but not through axes of size 1 that the owner of the tensor left out.
    kept = [i for i, n in enumerate(inputs.shape) if n != 1 or updates.shape[i] != 1]
    thin, new = (x.reshape([x.shape[i] for i in kept]) for x in (inputs, updates))
    return jax.lax.dynamic_update_slice(thin, new, [start[i] for i in kept]).reshape(inputs.shape)


def scatter(indices, values, shape):
    return jnp.zeros(shape, values.dtype).at[tuple(jnp.moveaxis(indices, -1, 0))].add(values)


def scatter_update(inputs, indices, updates, reduction=None):
    check_reduction(reduction)
    places = tuple(jnp.moveaxis(indices, -1, 0))
    updates = jnp.broadcast_to(updates.astype(inputs.dtype), (*indices.shape[:-1], *inputs.shape[len(places) :]))
    if reduction == "mul":  # JAX has no gradient of `.at[].multiply` for repeated places
        lead = inputs.shape[: len(places)]
        places = [jnp.where(p < 0, p + n, p) for p, n in zip(places, lead)]
        inside = functools.reduce(jnp.logical_and, [(p >= 0) & (p < n) for p, n in zip(places, lead)])
        flat = jnp.where(inside, jnp.ravel_multi_index(places, lead, mode="clip"), math.prod(lead)).reshape(-1)  # others count nowhere
        factors = segment_prod(updates.reshape(-1, *inputs.shape[len(places) :]), flat, math.prod(lead))
        return inputs * factors.reshape(inputs.shape)
    target = inputs.at[places]
    return {None: target.set, "add": target.add, "max": target.max, "min": target.min}[reduction](updates)


def sort(x, axis=-1):
    return jnp.sort(x, axis)


def argsort(x, axis=-1):
    return jnp.argsort(x, axis, stable=True).astype("int32")


def top_k(x, k, sorted=True):
    return tuple(jax.lax.top_k(x, k))


def searchsorted(sorted_sequence, values, side="left"):
    return jnp.searchsorted(sorted_sequence, values, side=side).astype("int32")


def unique(x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None):
    # Under jit the result's length must be given as `size`.
    return jnp.unique(x, return_index, return_inverse, return_counts, axis, size=size, fill_value=0 if fill_value is None else fill_value)
