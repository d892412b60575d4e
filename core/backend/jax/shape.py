"""JAX's moves of elements: shapes, order, places."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from core.backend.arguments import check_number, check_reduction, key_parts, pad_pairs, reshape_dims
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
    return jnp.repeat(x, repeats if isinstance(repeats, (int, jax.Array)) else np.asarray(repeats), axis)


def size(x):
    return np.int32(x.size)  # no JAX array: it may be used as a shape under jit


def split(x, indices_or_sections, axis=0):
    if isinstance(indices_or_sections, int):
        return list(jnp.split(x, indices_or_sections, axis))
    dim, points = x.shape[axis], [0, *map(int, indices_or_sections), None]
    parts = [range(dim)[a:b] for a, b in itertools.pairwise(points)]  # JAX knows no points outside or out of order
    return [jax.lax.slice_in_dim(x, part.start, part.start + len(part), axis=axis) for part in parts]


def unstack(x, num=None, axis=0):
    check_number(num, x.shape[axis])
    return list(jnp.unstack(x, axis=axis))


def pad(x, pad_width, mode="constant", constant_values=None):
    pairs = pad_pairs(pad_width, x.ndim, mode, constant_values)
    options = {"constant_values": 0 if constant_values is None else constant_values} if mode == "constant" else {}
    return jnp.pad(x, pairs, mode, **options) if pairs else x


def get_item(x, key):
    return x[key_parts(key)]


def where(condition, x1=None, x2=None):
    return nonzero(condition) if x1 is None else jnp.where(condition, x1, x2)


def nonzero(x):
    return tuple(places.astype("int32") for places in jnp.nonzero(x))


def take(x, indices, axis=None):
    if axis is None:
        x, axis = x.reshape(-1), 0
    return jnp.take(x, indices.astype("int32") if indices.dtype.kind not in "iu" else indices, axis)


def take_along_axis(x, indices, axis=None):
    return jnp.take_along_axis(x, indices, axis)


def slice(inputs, start_indices, shape):
    return jax.lax.dynamic_slice(inputs, tuple(start_indices), shape)


def slice_update(inputs, start_indices, updates, donate=False):  # XLA finds out by itself
    return jax.lax.dynamic_update_slice(inputs, updates.astype(inputs.dtype), tuple(start_indices))


def scatter(indices, values, shape):
    return jnp.zeros(shape, values.dtype).at[tuple(jnp.moveaxis(indices, -1, 0))].add(values)


def scatter_update(inputs, indices, updates, reduction=None):
    check_reduction(reduction)
    places = tuple(jnp.moveaxis(indices, -1, 0))
    updates = jnp.broadcast_to(updates.astype(inputs.dtype), (*indices.shape[:-1], *inputs.shape[len(places) :]))
    if reduction == "mul":  # JAX has no gradient of `.at[].multiply` for repeated places
        lead = inputs.shape[: len(places)]
        flat = jnp.ravel_multi_index([jnp.where(p < 0, p + n, p) for p, n in zip(places, lead)], lead, mode="clip").reshape(-1)
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
