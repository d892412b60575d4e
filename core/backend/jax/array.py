"""JAX arrays: making, casting, looking at. 64-bit dtypes become 32-bit ones unless JAX's x64 mode is on, as JAX documents."""

import jax
import jax.numpy as jnp
import numpy as np

from core.backend.numpy.array import dense_only, host_array
from core.base import tree
from core.base.dtypes import numpy_dtype, standardize_dtype


def native_float_dtypes():
    return frozenset(numpy_dtype(name) for name in ("float16", "bfloat16", "float32", "float64"))


def native_int_dtypes():
    return frozenset(numpy_dtype(name) for name in ("int32", "int64"))


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    dense_only("jax", None, ragged)
    if isinstance(x, jax.Array):
        return x if dtype is None else x.astype(allowed(dtype))
    if formats := sparse_formats(x):
        x = formats.canonical(x)
        return convert_to_tensor(formats.to_dense(x), dtype) if sparse is False else x if dtype is None else cast(x, dtype)
    if isinstance(x, (list, tuple)) and any(isinstance(part, jax.Array) for part in tree.flatten(x)):
        return jnp.stack([convert_to_tensor(part, dtype) for part in x])
    array = host_array(x)
    return jnp.asarray(array, allowed(array.dtype if dtype is None else dtype))


class _BySource(type):
    def __instancecheck__(cls, x):
        return type(x).__module__.startswith("jax.experimental.sparse")


class SparseArray(metaclass=_BySource):
    """Stands for the types of JAX's sparse arrays where an object is looked at: their module takes long to load."""


def sparse_formats(x):
    """The module for sparse arrays where `x` is one, else None."""
    if not isinstance(x, SparseArray):
        return None
    from core.backend.jax import sparse

    return sparse


def allowed(dtype):
    """The dtype that JAX will give for `dtype`, asked for outright so that it does not warn."""
    return jax.dtypes.canonicalize_dtype(numpy_dtype(dtype))


def convert_to_numpy(x):
    formats = sparse_formats(x)
    return np.asarray(formats.to_dense(x) if formats else x)


def cast(x, dtype):
    if formats := sparse_formats(x):
        return formats.with_values(x, formats.values(x).astype(allowed(dtype)))
    return jnp.asarray(x).astype(allowed(dtype))


def dtype(x):
    return standardize_dtype(x.dtype)


def shape(x):
    return x.shape


def is_tensor(x):
    return isinstance(x, (jax.Array, jax.core.Tracer, SparseArray))


def stop_gradient(x):
    return jax.lax.stop_gradient(x)


def copy(x):
    return jnp.array(x)


def view(x, dtype=None):
    if dtype is None:
        return x
    target = allowed(dtype)
    before, after = x.dtype.itemsize, target.itemsize
    if after > before:
        x = x.reshape(*x.shape[:-1], x.shape[-1] * before // after, after // before)
    result = jax.lax.bitcast_convert_type(x, target)
    return result.reshape(*x.shape[:-1], -1) if after < before else result


def view_as_complex(x):
    if x.shape[-1] != 2:
        raise ValueError("shapes")  # the op's rule says which
    x = x if x.dtype == jnp.float64 else x.astype(jnp.float32)
    return jax.lax.complex(x[..., 0], x[..., 1])


def view_as_real(x):
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1).astype(jnp.float64 if x.dtype == jnp.complex128 else jnp.float32)
