"""Sparse TensorFlow tensors."""

import tensorflow as tf

from core.backend.tensorflow import linalg, reduction
from core.backend.tensorflow.array import to_dense
from core.base import shapes
from core.base.dtypes import standardize_dtype

TYPES = (tf.SparseTensor,)
MULTIPLIES = (tf.float32, tf.float64, tf.bfloat16, tf.int32, tf.complex64, tf.complex128)  # what TensorFlow's sparse product takes


def parts(x):
    """Places (stored, rank), values (stored,) and shape, on the host."""
    return x.indices.numpy(), x.values.numpy(), tuple(x.dense_shape.numpy().tolist())


def _plain(x):
    return to_dense(x) if isinstance(x, TYPES) else x


def from_dense(x):
    return tf.sparse.from_dense(x)


def _numbers(indices, shape):
    """Each place's position in the flattened tensor."""
    return tf.linalg.matvec(indices, tf.math.cumprod(shape, exclusive=True, reverse=True))


def _summed(indices, values, shape):
    """With each place stored once, in order."""
    numbers = _numbers(indices, shape)
    places = tf.sort(tf.unique(numbers).y)
    found = tf.math.unsorted_segment_sum(values, tf.searchsorted(places, numbers), tf.size(places))
    unraveled = tf.transpose(tf.unravel_index(places, shape)) if shape.shape[0] else tf.zeros((tf.size(places), 0), tf.int64)
    return tf.SparseTensor(unraveled, found, shape)


def values(x):
    return x.values


def with_values(x, values):
    return tf.SparseTensor(x.indices, values, x.dense_shape)


def values_at(dense, x):
    """The values that `dense`, broadcast to the shape of `x`, has at its places."""
    dense = tf.convert_to_tensor(dense)
    if not dense.shape.rank:
        return dense
    within = x.indices[:, tf.shape(x.indices)[1] - dense.shape.rank :]
    repeated = tf.shape(dense, tf.int64) == 1
    return tf.gather_nd(dense, tf.where(repeated, tf.zeros_like(within), within))


def aligned(x1, x2):
    """Both with the places of both."""
    indices = tf.concat([x1.indices, x2.indices], 0)
    left = _summed(indices, tf.concat([x1.values, tf.zeros_like(x2.values)], 0), x1.dense_shape)
    return left, _summed(indices, tf.concat([tf.zeros_like(x1.values), x2.values], 0), x1.dense_shape)


def matmul(x1, x2):
    both = isinstance(x1, TYPES) and isinstance(x2, TYPES)
    product = _product(x1, to_dense(x2) if both else x2)
    return from_dense(product) if both else product


def _product(x1, x2):
    ranks = x1.shape.rank, x2.shape.rank
    if x1.dtype in MULTIPLIES and ranks == (2, 2):
        return tf.sparse.sparse_dense_matmul(x1, x2)
    if x1.dtype in MULTIPLIES and isinstance(x1, TYPES) and ranks[0] > 2 and ranks[1] == 2:
        rows = tf.sparse.sparse_dense_matmul(tf.sparse.reshape(x1, (-1, x1.shape[-1])), x2)
        return tf.reshape(rows, tf.concat([tf.cast(x1.dense_shape[:-1], tf.int32), tf.shape(rows)[-1:]], 0))
    return linalg.matmul(_plain(x1), _plain(x2))


def dense(x, kernel, bias=None):
    product = _product(x, _plain(kernel)) if isinstance(x, TYPES) else linalg.matmul(x, to_dense(kernel))
    return product if bias is None else product + _plain(bias)


def one_hot(x, num_classes, axis, dtype):
    named = (x >= 0) & (tf.cast(x, tf.int64) < tf.cast(num_classes, tf.int64))
    places, classes = tf.where(named), tf.cast(tf.boolean_mask(x, named), tf.int64)[:, None]
    indices = tf.concat([places[:, :axis], classes, places[:, axis:]], 1)
    shape = tf.shape(x, tf.int64)
    shape = tf.concat([shape[:axis], [tf.cast(num_classes, tf.int64)], shape[axis:]], 0)
    return tf.sparse.reorder(tf.SparseTensor(indices, tf.ones(tf.shape(classes)[:1], standardize_dtype(dtype)), shape))


def sum(x, axis=None, keepdims=False):
    rank = x.shape.rank
    axes = shapes.normalize_axes(axis, rank)
    kept = tf.constant([i for i in range(rank) if i not in axes], tf.int32)
    values = tf.cast(x.values, reduction.sum(x.values[:0]).dtype)  # what sums of this dtype have
    total = _summed(tf.gather(x.indices, kept, axis=1), values, tf.gather(x.dense_shape, kept))
    if not keepdims:
        return total
    return tf.sparse.reshape(total, tf.stack([1 if i in axes else x.dense_shape[i] for i in range(rank)]))


def mean(x, axis=None, keepdims=False):
    total = sum(x, axis, keepdims)
    count = tf.reduce_prod(x.dense_shape) // tf.maximum(tf.reduce_prod(total.dense_shape), 1)
    return with_values(total, total.values / tf.cast(count, total.dtype))


def reshape(x, newshape):
    return tf.sparse.reshape(x, tf.stack([newshape] if isinstance(newshape, int) else list(newshape)))


def ravel(x):
    return reshape(x, -1)


def transpose(x, axes=None):
    return tf.sparse.transpose(x, None if axes is None else shapes.normalize_axes(axes, x.shape.rank))


def expand_dims(x, axis):
    added = 1 if isinstance(axis, int) else len(axis)
    for one in sorted(shapes.normalize_axes(axis, x.shape.rank + added)):
        x = tf.sparse.expand_dims(x, one)
    return x


def squeeze(x, axis=None):
    rank = x.shape.rank
    axes = [i for i in range(rank) if x.shape[i] == 1] if axis is None else shapes.normalize_axes(axis, rank)
    if any(x.shape[i] not in (1, None) for i in axes):
        raise ValueError("shapes")  # the op's rule says which
    return tf.sparse.reshape(x, tf.gather(x.dense_shape, [i for i in range(rank) if i not in axes]))


def concatenate(xs, axis=0):
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    return tf.sparse.concat(shapes.normalize_axis(axis, xs[0].shape.rank), list(xs))
