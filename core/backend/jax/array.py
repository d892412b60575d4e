"""JAX arrays: making, casting, looking at. 64-bit dtypes become 32-bit ones unless JAX's x64 mode is on, as JAX documents."""

import jax
import jax.numpy as jnp
import numpy as np

from core.backend.numpy.array import default_dtype, to_host
from core.base.dtypes import numpy_dtype, standardize_dtype


def native_float_dtypes():
    return frozenset(numpy_dtype(name) for name in ("float16", "bfloat16", "float32", "float64"))


def convert_to_tensor(x, dtype=None):
    if isinstance(x, jax.Array):
        return x if dtype is None else x.astype(allowed(dtype))
    if isinstance(x, (list, tuple)) and any(isinstance(part, (jax.Array, jax.core.Tracer)) for part in x):
        return jnp.asarray([convert_to_tensor(part, dtype) for part in x])
    if dtype is not None:
        return jnp.asarray(to_host(x), allowed(dtype))
    array = np.asarray(to_host(x))
    target = standardize_dtype(array.dtype) if hasattr(x, "dtype") else standardize_dtype(default_dtype(array.dtype))
    return jnp.asarray(array, allowed(target))


def allowed(dtype):
    """The dtype that JAX will give for `dtype`, asked for outright so that it does not warn."""
    return jax.dtypes.canonicalize_dtype(numpy_dtype(dtype))


def convert_to_numpy(x):
    return np.asarray(x)


def cast(x, dtype):
    return jnp.asarray(x).astype(allowed(dtype))


def dtype(x):
    return standardize_dtype(x.dtype)


def shape(x):
    return x.shape


def is_tensor(x):
    return isinstance(x, (jax.Array, jax.core.Tracer))


def stop_gradient(x):
    return jax.lax.stop_gradient(x)
