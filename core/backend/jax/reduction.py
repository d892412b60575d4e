"""JAX's reductions."""

import functools
import math

import jax
import jax.numpy as jnp

from core.backend.jax.array import allowed


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis


def sum(x, axis=None, keepdims=False):
    return jnp.sum(x, axis=_axes(axis), keepdims=keepdims)


def prod(x, axis=None, keepdims=False, dtype=None):
    return jnp.prod(x, axis=_axes(axis), keepdims=keepdims, dtype=allowed(dtype) if dtype else None)


def max(x, axis=None, keepdims=False, initial=None):
    return jnp.max(x, axis=_axes(axis), keepdims=keepdims, initial=initial)


def min(x, axis=None, keepdims=False, initial=None):
    return jnp.min(x, axis=_axes(axis), keepdims=keepdims, initial=initial)


def mean(x, axis=None, keepdims=False):
    return jnp.mean(x, axis=_axes(axis), keepdims=keepdims)


def var(x, axis=None, keepdims=False):
    return jnp.var(x, axis=_axes(axis), keepdims=keepdims)


def std(x, axis=None, keepdims=False):
    return jnp.std(x, axis=_axes(axis), keepdims=keepdims)


def any(x, axis=None, keepdims=False):
    return jnp.any(x, axis=_axes(axis), keepdims=keepdims)


def all(x, axis=None, keepdims=False):
    return jnp.all(x, axis=_axes(axis), keepdims=keepdims)


def argmax(x, axis=None, keepdims=False):
    return jnp.argmax(x, axis=axis, keepdims=keepdims).astype("int32")


def argmin(x, axis=None, keepdims=False):
    return jnp.argmin(x, axis=axis, keepdims=keepdims).astype("int32")


def logsumexp(x, axis=None, keepdims=False):
    return jax.nn.logsumexp(x, axis=_axes(axis), keepdims=keepdims)


def _accumulated(x, dtype):
    return allowed(dtype) if dtype else jnp.int32 if x.dtype == bool else x.dtype


def cumsum(x, axis=None, dtype=None):
    return jnp.cumsum(x, axis=axis, dtype=_accumulated(x, dtype))


def cumprod(x, axis=None, dtype=None):
    return jnp.cumprod(x, axis=axis, dtype=_accumulated(x, dtype))


def bincount(x, weights=None, minlength=0, sparse=False):
    if x.dtype.kind not in "iub" or minlength < 0:
        raise ValueError("arguments")  # the op's rule says which
    # Under jit the length cannot follow the values: then minlength is the length.
    longest = 0 if isinstance(x, jax.core.Tracer) or not x.size else int(x.max()) + 1
    length = longest if longest > minlength else minlength
    if not length and isinstance(x, jax.core.Tracer):
        raise ValueError("bincount under jit needs minlength, which is then the length of the result.")
    ones = jnp.ones(x.shape, "int32") if weights is None else weights
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    counts = jax.vmap(lambda row, w: jnp.zeros(length, w.dtype).at[row].add(w, mode="drop"))(rows, ones.reshape(rows.shape))
    counts = counts.reshape(*x.shape[:-1], length)
    if sparse:
        from core.backend.jax.sparse import from_dense  # takes long to load

        return from_dense(counts)
    return counts


def _check_rows(data, segment_ids):
    if segment_ids.shape != data.shape[:1] or segment_ids.dtype.kind not in "iub":
        raise ValueError("shapes")  # the op's rule says which


def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    _check_rows(data, segment_ids)
    return jax.ops.segment_sum(data, segment_ids, num_segments, indices_are_sorted=sorted)


def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    _check_rows(data, segment_ids)
    if num_segments is None:
        num_segments = int(segment_ids.max()) + 1 if segment_ids.size else 0
    return _segment_prod(data, segment_ids, num_segments, sorted)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2, 3))
def _segment_prod(data, ids, count, rising):
    return jax.ops.segment_prod(data, ids, count, indices_are_sorted=rising)


@_segment_prod.defjvp
def _segment_prod_jvp(count, rising, primals, tangents):
    # JAX has no gradient for repeated ids: each row's factor is the product of the others, which zeros keep from being a quotient.
    (data, ids), tangent = primals, tangents[0]
    factors = jnp.where(data == 0, 1, data)
    zeros = jax.ops.segment_sum((data == 0).astype("int32"), ids, count, indices_are_sorted=rising)
    product = jax.ops.segment_prod(factors, ids, count, indices_are_sorted=rising)
    others = jnp.where(zeros[ids] - (data == 0) == 0, product[ids] / factors, 0)
    return _segment_prod(data, ids, count, rising), jax.ops.segment_sum(others * tangent, ids, count, indices_are_sorted=rising)


def segment_max(data, segment_ids, num_segments=None, sorted=False):
    _check_rows(data, segment_ids)
    return jax.ops.segment_max(data, segment_ids, num_segments, indices_are_sorted=sorted)


def segment_min(data, segment_ids, num_segments=None, sorted=False):
    _check_rows(data, segment_ids)
    return jax.ops.segment_min(data, segment_ids, num_segments, indices_are_sorted=sorted)
