"""NumPy arrays: making, casting, looking at."""

import numpy as np

from core.base import config
from core.base.dtypes import numpy_dtype, standardize_dtype


def native_float_dtypes():
    return frozenset(numpy_dtype(name) for name in ("float16", "bfloat16", "float32", "float64"))


def convert_to_tensor(x, dtype=None):
    if dtype is not None:
        return np.asarray(to_host(x), numpy_dtype(dtype))
    if isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x)
    array = np.asarray(to_host(x))
    return array.astype(default_dtype(array.dtype), copy=False) if not hasattr(x, "dtype") else array


def to_host(x):
    """`x` without foreign tensors: what `np.asarray` takes."""
    if isinstance(x, (list, tuple)):
        return [to_host(part) for part in x]
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        return x.float().numpy().astype(numpy_dtype("bfloat16")) if str(x.dtype) == "torch.bfloat16" else x.numpy()
    return x


def default_dtype(dtype):
    """Python floats are floatx, Python ints int32 where they fit."""
    if dtype.kind == "f":
        return numpy_dtype(config.floatx())
    if dtype.kind in "iu":
        return np.dtype("int32")
    return np.dtype("complex64") if dtype.kind == "c" else dtype


def convert_to_numpy(x):
    return np.asarray(x)


def cast(x, dtype):
    return np.asarray(x).astype(numpy_dtype(dtype))


def dtype(x):
    return standardize_dtype(x.dtype)


def shape(x):
    return x.shape


def is_tensor(x):
    return isinstance(x, (np.ndarray, np.generic))


def stop_gradient(x):
    return x
