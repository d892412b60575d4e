"""TensorFlow's reductions."""

from operator import index

import tensorflow as tf

from core.backend.numpy.reduction import SUMMED
from core.base.shapes import check_not_empty

_SUMMED = {tf.as_dtype(small): tf.as_dtype(wide) for small, wide in SUMMED.items()}


def _wide(x):
    wide = _SUMMED.get(x.dtype)
    return x if wide is None else tf.cast(x, wide)


def _number(x):
    return tf.cast(x, tf.uint8) if x.dtype == tf.bool else x


def sum(x, axis=None, keepdims=False):
    return tf.reduce_sum(_wide(x), axis, keepdims)


def prod(x, axis=None, keepdims=False, dtype=None):
    return tf.reduce_prod(tf.cast(x, dtype) if dtype else _wide(x), axis, keepdims)


def _with_elements(x, axis):
    """`x`, after an error where there is nothing to choose from, which TensorFlow answers with a number."""
    check_not_empty(tuple(x.shape), axis)
    return x


def max(x, axis=None, keepdims=False, initial=None):
    x = x if initial is not None else _with_elements(x, axis)
    result = tf.cast(tf.reduce_max(_number(x), axis, keepdims), x.dtype)
    return result if initial is None else tf.maximum(result, tf.cast(initial, x.dtype))


def min(x, axis=None, keepdims=False, initial=None):
    x = x if initial is not None else _with_elements(x, axis)
    result = tf.cast(tf.reduce_min(_number(x), axis, keepdims), x.dtype)
    return result if initial is None else tf.minimum(result, tf.cast(initial, x.dtype))


def _in_32_bits(function, x, axis, keepdims):
    if x.dtype not in (tf.float16, tf.bfloat16):
        return function(x, axis, keepdims)
    return tf.cast(function(tf.cast(x, tf.float32), axis, keepdims), x.dtype)  # TensorFlow would add up in 16 bits


def mean(x, axis=None, keepdims=False):
    return _in_32_bits(tf.reduce_mean, x, axis, keepdims)


def var(x, axis=None, keepdims=False):
    return _in_32_bits(tf.math.reduce_variance, x, axis, keepdims)


def std(x, axis=None, keepdims=False):
    return _in_32_bits(tf.math.reduce_std, x, axis, keepdims)


def any(x, axis=None, keepdims=False):
    return tf.reduce_any(tf.cast(x, tf.bool), axis, keepdims)


def all(x, axis=None, keepdims=False):
    return tf.reduce_all(tf.cast(x, tf.bool), axis, keepdims)


def _position(function, x, axis, keepdims):
    x, axis = _with_elements(x, axis), None if axis is None else index(axis)
    result = function(_number(x) if axis is not None else tf.reshape(_number(x), [-1]), axis or 0, output_type=tf.int32)
    if not keepdims:
        return result
    return tf.reshape(result, [1] * x.shape.rank) if axis is None else tf.expand_dims(result, axis)


def argmax(x, axis=None, keepdims=False):
    return _position(tf.argmax, x, axis, keepdims)


def argmin(x, axis=None, keepdims=False):
    return _position(tf.argmin, x, axis, keepdims)


def logsumexp(x, axis=None, keepdims=False):
    return tf.reduce_logsumexp(x, axis, keepdims)


def _accumulate(function, x, axis, dtype):
    x = tf.cast(x, dtype) if dtype else tf.cast(x, tf.int32) if x.dtype == tf.bool else x
    return function(tf.reshape(x, [-1]) if axis is None else x, axis or 0)


def cumsum(x, axis=None, dtype=None):
    return _accumulate(tf.cumsum, x, axis, dtype)


def cumprod(x, axis=None, dtype=None):
    return _accumulate(tf.math.cumprod, x, axis, dtype)


def bincount(x, weights=None, minlength=0, sparse=False):
    if x.dtype.is_floating or (isinstance(minlength, int) and minlength < 0):
        raise ValueError("arguments")  # the op's rule says which
    length = tf.maximum(tf.reduce_max(tf.concat([[-1], tf.reshape(tf.cast(x, tf.int32), [-1])], 0)) + 1, minlength)
    rows = tf.reshape(tf.cast(x, tf.int32), [tf.reduce_prod(tf.shape(x)[:-1]), tf.shape(x)[-1]])
    ones = tf.ones_like(rows) if weights is None else tf.reshape(weights, tf.shape(rows))
    ids = rows + tf.range(tf.shape(rows)[0])[:, None] * length
    counts = tf.math.unsorted_segment_sum(tf.reshape(ones, [-1]), tf.reshape(ids, [-1]), tf.shape(rows)[0] * length)
    counts = tf.reshape(counts, tf.concat([tf.shape(x)[:-1], [length]], 0))
    counts.set_shape([*x.shape[:-1], None])
    return tf.sparse.from_dense(counts) if sparse else counts


def _segment(function, data, segment_ids, num_segments, empty=None):
    if segment_ids.dtype.is_floating or segment_ids.shape.rank not in (1, None):
        raise ValueError("shapes")  # the op's rule says which
    segment_ids = segment_ids if segment_ids.dtype in (tf.int32, tf.int64) else tf.cast(segment_ids, tf.int32)
    count = tf.maximum(tf.reduce_max(segment_ids) + 1, 0) if num_segments is None else tf.cast(num_segments, segment_ids.dtype)
    ids = tf.where(segment_ids < count, segment_ids, -1)  # TensorFlow drops negative ids and rejects large ones
    result = function(data, ids, count)
    if empty is None or not data.dtype.is_floating:
        return result
    used = tf.math.unsorted_segment_sum(tf.ones_like(ids), ids, count) > 0
    return tf.where(tf.reshape(used, [-1, *[1] * (data.shape.rank - 1)]), result, tf.cast(empty, data.dtype))


def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    return _segment(tf.math.unsorted_segment_sum, data, segment_ids, num_segments)


def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    return _segment(tf.math.unsorted_segment_prod, data, segment_ids, num_segments)


def segment_max(data, segment_ids, num_segments=None, sorted=False):
    return _segment(tf.math.unsorted_segment_max, data, segment_ids, num_segments, -float("inf"))


def segment_min(data, segment_ids, num_segments=None, sorted=False):
    return _segment(tf.math.unsorted_segment_min, data, segment_ids, num_segments, float("inf"))
