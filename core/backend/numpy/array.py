"""NumPy arrays: making, casting, looking at."""

import numpy as np

from core.backend.journal import Holder
from core.base import config
from core.base.dtypes import numpy_dtype, standardize_dtype


def native_float_dtypes():
    return frozenset(numpy_dtype(name) for name in ("float16", "float32", "float64"))  # a Python float beside bfloat16 makes float32


def native_int_dtypes():
    return frozenset(numpy_dtype(name) for name in ("int32", "int64"))


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    dense_only("numpy", sparse, ragged)
    array = host_array(x)
    return array if dtype is None else array.astype(numpy_dtype(dtype), copy=False)


def dense_only(name, sparse, ragged):
    if sparse or ragged:
        kind, others = ("sparse", "jax and tensorflow have") if sparse else ("ragged", "tensorflow has")
        raise ValueError(f"The {name} backend has no {kind} tensors; {others}. Give dense data.")


def host_array(x):
    """`x` as a NumPy array; what has no dtype of its own gets the default one of its kind."""
    array = np.asarray(to_host(x))
    return array if hasattr(x, "dtype") else array.astype(default_dtype(array), copy=False)


def to_host(x):
    """`x` without foreign tensors and variables: what `np.asarray` takes."""
    if isinstance(x, (list, tuple)):
        return [to_host(part) for part in x]
    if isinstance(x, Holder):
        x = x.value
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        return x.float().numpy().astype(numpy_dtype("bfloat16")) if str(x.dtype) == "torch.bfloat16" else x.numpy()
    return x


def default_dtype(array):
    """Python floats are floatx; Python ints int32, int64 where that is too small."""
    if array.dtype.kind == "f":
        return numpy_dtype(config.floatx())
    if array.dtype.kind == "i":
        return np.dtype("int32" if not array.size or (array.min() >= -(2**31) and array.max() < 2**31) else "int64")
    return np.dtype("complex64") if array.dtype.kind == "c" else array.dtype


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


def copy(x):
    return np.array(x)


def view(x, dtype=None):
    return x if dtype is None else np.ascontiguousarray(x).reshape(x.shape).view(numpy_dtype(dtype))


def view_as_complex(x):
    wide = x if x.dtype == np.float64 else x.astype(np.float32)
    return np.ascontiguousarray(wide).view(np.complex128 if x.dtype == np.float64 else np.complex64)[..., 0]


def view_as_real(x):
    return np.stack([x.real, x.imag], axis=-1).astype(np.float64 if x.dtype == np.complex128 else np.float32, copy=False)


def settled(result, dtype):
    """`result` of a composite op on tensors of `dtype`: ml_dtypes widens bfloat16 to float32 beside Python floats."""
    if isinstance(result, (np.ndarray, np.generic)) and dtype in ("bfloat16", "float16") and result.dtype == np.float32:
        return result.astype(numpy_dtype(dtype))
    return result
