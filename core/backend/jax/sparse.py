"""Sparse JAX arrays: BCOO with sparse dimensions alone, which JAX's other formats become."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import sparse as jsparse

from core.backend.jax import linalg, reduction
from core.backend.jax.array import allowed, cast
from core.base import shapes

TYPES = (jsparse.JAXSparse,)


def canonical(x):
    if not isinstance(x, jsparse.BCOO):
        x = x.to_bcoo() if isinstance(x, jsparse.BCSR) else jsparse.BCOO.fromdense(x.todense())
    return jsparse.bcoo_update_layout(x, n_batch=0, n_dense=0, on_inefficient=None) if x.n_batch or x.n_dense else x


def to_dense(x):
    return x.todense()


def parts(x):
    """Places (stored, rank), values (stored,) and shape, on the host."""
    x = _summed(x)
    places, values = np.asarray(x.indices), np.asarray(x.data)
    inside = (places < np.array(x.shape, places.dtype)).all(1)  # compiled code stores some outside, in vain
    return places[inside], values[inside], x.shape


def _plain(x):
    return to_dense(x) if isinstance(x, TYPES) else x


def from_dense(x):
    """In compiled code, where no value is known, all places are stored."""
    return jsparse.BCOO.fromdense(x, nse=x.size if isinstance(x, jax.core.Tracer) else None)


def _summed(x):
    """With each place stored once. Compiled code, which must know the number of places before, keeps it."""
    if x.unique_indices:
        return x
    return x.sum_duplicates(nse=x.nse if isinstance(x.indices, jax.core.Tracer) else None, remove_zeros=False)


def values(x):
    return _summed(x).data


def with_values(x, values):
    x = _summed(x)
    return jsparse.BCOO((values, x.indices), shape=x.shape, indices_sorted=x.indices_sorted, unique_indices=x.unique_indices)


def values_at(dense, x):
    """The values that `dense`, broadcast to the shape of `x`, has at its places."""
    dense, indices = jnp.asarray(dense), _summed(x).indices
    dense = dense.reshape((1,) * (x.ndim - dense.ndim) + dense.shape)
    places = tuple(0 if size == 1 else indices[:, axis] for axis, size in enumerate(dense.shape))
    found = dense.at[places].get(mode="fill", fill_value=1)  # the places that compiled code stores in vain lie outside
    return jnp.broadcast_to(found, indices.shape[:1])


def aligned(x1, x2):
    """Both with the places of both."""
    indices = jnp.concatenate([x1.indices, x2.indices])

    def padded(x, before, after):
        data = jnp.concatenate([jnp.zeros(before, x.dtype), x.data, jnp.zeros(after, x.dtype)])
        return _summed(jsparse.BCOO((data, indices), shape=x.shape))

    return padded(x1, 0, x2.nse), padded(x2, x1.nse, 0)


def matmul(x1, x2):
    if isinstance(x1, TYPES) != isinstance(x2, TYPES) and x1.ndim > 2 and x2.ndim > 2:  # BCOO's product has no batches
        return linalg.matmul(_plain(x1), _plain(x2))
    if not jnp.issubdtype(x1.dtype, jnp.inexact):  # integers are summed in what the dense product has
        one = jnp.ones((1, 1), x1.dtype)
        x1, x2 = (cast(x, linalg.matmul(one, one).dtype) for x in (x1, x2))
    product = jsparse.sparsify(jnp.matmul)(x1, x2)
    return _summed(product) if isinstance(product, TYPES) else product


def dense(x, kernel, bias=None):
    product = matmul(x, _plain(kernel) if isinstance(x, TYPES) else kernel)
    return product if bias is None else product + _plain(bias)


def one_hot(x, num_classes, axis, dtype):
    places = jnp.indices(x.shape, dtype="int32").reshape(x.ndim, x.size)
    classes = x.ravel().astype("int32")
    named = (classes >= 0) & (classes < num_classes)
    indices = jnp.insert(places, axis, jnp.where(named, classes, 0), axis=0).T
    shape = (*x.shape[:axis], num_classes, *x.shape[axis:])
    return jsparse.BCOO((named.astype(allowed(dtype)), indices), shape=shape, unique_indices=True)


def sum(x, axis=None, keepdims=False):
    axes = shapes.normalize_axes(axis, x.ndim)
    kept = tuple(1 if i in axes else size for i, size in enumerate(x.shape) if keepdims or i not in axes)
    data = x.data.astype(reduction.sum(x.data[:0]).dtype)  # what sums of this dtype have
    total = jsparse.bcoo_reduce_sum(jsparse.BCOO((data, x.indices), shape=x.shape), axes=axes)
    return _summed(jsparse.bcoo_reshape(total, new_sizes=kept))


def mean(x, axis=None, keepdims=False):
    total = sum(x, axis, keepdims)
    return with_values(total, values(total) / (math.prod(x.shape) / max(1, math.prod(total.shape))))


def reshape(x, newshape):
    sizes = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    rest = x.size // max(1, -math.prod(sizes)) if -1 in sizes else 0
    return _summed(jsparse.bcoo_reshape(x, new_sizes=tuple(rest if size == -1 else size for size in sizes)))


def ravel(x):
    return reshape(x, -1)


def transpose(x, axes=None):
    axes = range(x.ndim)[::-1] if axes is None else shapes.normalize_axes(axes, x.ndim)
    return jsparse.bcoo_transpose(x, permutation=tuple(axes))


def expand_dims(x, axis):
    rank, sizes = x.ndim + (1 if isinstance(axis, int) else len(axis)), iter(x.shape)
    added = shapes.normalize_axes(axis, rank)
    return reshape(x, tuple(1 if i in added else next(sizes) for i in range(rank)))


def squeeze(x, axis=None):
    axes = [i for i, size in enumerate(x.shape) if size == 1] if axis is None else shapes.normalize_axes(axis, x.ndim)
    return jsparse.bcoo_squeeze(x, dimensions=tuple(axes))


def concatenate(xs, axis=0):
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    return jsparse.bcoo_concatenate(xs, dimension=shapes.normalize_axis(axis, xs[0].ndim))
