"""TensorFlow tensors: making, casting, looking at."""

import numpy as np
import tensorflow as tf

from core.backend.numpy.array import default_dtype, to_host
from core.base.dtypes import standardize_dtype


def native_float_dtypes():
    return frozenset((tf.float16, tf.bfloat16, tf.float32, tf.float64))


def convert_to_tensor(x, dtype=None):
    if isinstance(x, (tf.Tensor, tf.Variable, tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        x = tf.convert_to_tensor(x) if isinstance(x, (tf.Variable, tf.IndexedSlices)) else x
        return x if dtype is None or x.dtype == dtype else tf.cast(x, dtype)
    if isinstance(x, (bool, int, float)) and dtype is not None:
        return tf.cast(x, dtype) if isinstance(x, float) and dtype != "string" and not tf.as_dtype(dtype).is_floating else tf.constant(x, dtype)
    if isinstance(x, (list, tuple)) and any(tf.is_tensor(part) for part in x):
        return tf.stack([convert_to_tensor(part, dtype) for part in x])
    array = np.asarray(to_host(x))
    if not hasattr(x, "dtype"):
        array = array.astype(default_dtype(array.dtype), copy=False)
    tensor = tf.convert_to_tensor(array)
    return tensor if dtype is None or tensor.dtype == dtype else tf.cast(tensor, dtype)


def convert_to_numpy(x):
    if isinstance(x, tf.SparseTensor):
        x = tf.sparse.to_dense(x)
    elif isinstance(x, tf.RaggedTensor):
        x = x.to_tensor()
    elif isinstance(x, tf.IndexedSlices):
        x = tf.convert_to_tensor(x)
    return np.asarray(x)


def cast(x, dtype):
    return tf.cast(x, dtype)


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
