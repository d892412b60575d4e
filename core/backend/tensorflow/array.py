"""TensorFlow tensors: making, casting, looking at."""

import numpy as np
import tensorflow as tf

from core.backend.numpy.array import host_array
from core.base import tree
from core.base.dtypes import standardize_dtype


def native_float_dtypes():
    return frozenset((tf.float16, tf.bfloat16, tf.float32, tf.float64))


def native_int_dtypes():
    return frozenset((tf.int32, tf.int64))


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    dtype = None if dtype is None else standardize_dtype(dtype)
    if isinstance(x, (tf.Tensor, tf.Variable, tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        x = tf.convert_to_tensor(x) if isinstance(x, (tf.Variable, tf.IndexedSlices)) else x
        x = to_dense(x) if sparse is False and isinstance(x, tf.SparseTensor) else x
        x = x.to_tensor() if ragged is False and isinstance(x, tf.RaggedTensor) else x
        return x if dtype is None or x.dtype == dtype else tf.cast(x, dtype)
    if isinstance(x, (list, tuple)) and any(tf.is_tensor(part) for part in tree.flatten(x)):
        return tf.stack([convert_to_tensor(part, dtype) for part in x])
    tensor = tf.convert_to_tensor(host_array(x))
    return tensor if dtype is None or tensor.dtype == dtype else tf.cast(tensor, dtype)


def to_dense(x):
    """A sparse tensor, its places in any order, as a dense one."""
    return tf.sparse.to_dense(tf.sparse.reorder(x))


def convert_to_numpy(x):
    if isinstance(x, tf.SparseTensor):
        x = to_dense(x)
    elif isinstance(x, tf.RaggedTensor):
        x = x.to_tensor()
    elif isinstance(x, tf.IndexedSlices):
        x = tf.convert_to_tensor(x)
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x)  # scalars in bfloat16 have no `__array__` that NumPy takes


def cast(x, dtype):
    return tf.cast(x, standardize_dtype(dtype))


def dtype(x):
    return standardize_dtype(x.dtype.name)


def shape(x):
    """Static dimensions as ints, the others as scalar tensors."""
    static = x.shape
    if static.rank is None or None in static.as_list():
        dynamic = tf.shape(x)
        if static.rank is None:
            raise ValueError("The rank of this TensorFlow tensor is not known; give it a shape with tf.ensure_shape.")
        return tuple(dynamic[i] if dim is None else dim for i, dim in enumerate(static.as_list()))
    return tuple(static.as_list())


def is_tensor(x):
    return tf.is_tensor(x)


def stop_gradient(x):
    return tf.stop_gradient(x)


def copy(x):
    return tf.identity(x)


def view(x, dtype=None):
    if dtype is None:
        return x
    target = tf.as_dtype(standardize_dtype(dtype))
    before, after = x.dtype.size, target.size
    leading = list(shape(x))[:-1]
    if x.shape[-1:] != [None] and sum(x.shape[-1:]) * before % after:
        raise ValueError("shapes")  # the op's rule says which
    if after > before:
        x = tf.reshape(x, [*leading, shape(x)[-1] * before // after, after // before])
    result = tf.bitcast(x, target)
    return tf.reshape(result, [*leading, shape(x)[-1] * before // after]) if after < before else result


def view_as_complex(x):
    if x.shape[-1] not in (2, None):
        raise ValueError("shapes")
    x = x if x.dtype == tf.float64 else tf.cast(x, tf.float32)
    return tf.complex(x[..., 0], x[..., 1])


def view_as_real(x):
    x = x if x.dtype.is_complex else tf.cast(x, tf.complex64)
    return tf.stack([tf.math.real(x), tf.math.imag(x)], axis=-1)
