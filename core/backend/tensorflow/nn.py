"""Neural-network functions on TensorFlow tensors: activations, normalization, cross-entropies, attention, dense."""

import ml_dtypes
import tensorflow as tf

from core.base import shapes

FUNCTIONS = {
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "sigmoid": tf.math.sigmoid,
    "softplus": tf.math.softplus,
    "softsign": tf.nn.softsign,
    "silu": tf.nn.silu,
    "selu": tf.nn.selu,
    "log_sigmoid": tf.math.log_sigmoid,
}


def elu(x, alpha=1.0):
    return tf.nn.elu(x) if alpha == 1 else tf.where(x > 0, tf.nn.elu(x), alpha * tf.nn.elu(x))


def gelu(x, approximate=True):
    return tf.nn.gelu(x, approximate)


def leaky_relu(x, negative_slope=0.2):
    return tf.nn.leaky_relu(x, negative_slope)


def polar(abs_, angle):
    if abs_.dtype in (tf.float16, tf.bfloat16):
        abs_, angle = tf.cast(abs_, tf.float32), tf.cast(angle, tf.float32)
    return tf.complex(abs_ * tf.cos(angle), abs_ * tf.sin(angle))


def _over(function, x, axis):
    """`function(x, axis)` over one axis, several, or all of them (None)."""
    if isinstance(axis, int):
        return function(x, axis)
    axes = sorted(shapes.normalize_axes(axis, x.shape.rank))
    order = [i for i in range(x.shape.rank) if i not in axes] + axes
    moved = tf.transpose(x, order)
    rows = tf.reshape(moved, tf.concat((tf.shape(moved)[: len(order) - len(axes)], [-1]), 0))
    back = sorted(range(len(order)), key=order.__getitem__)
    return tf.ensure_shape(tf.transpose(tf.reshape(function(rows, -1), tf.shape(moved)), back), x.shape)


def softmax(x, axis=-1):
    return _over(tf.nn.softmax, x, axis)


def log_softmax(x, axis=-1):
    return _over(tf.nn.log_softmax, x, axis)


def dense(x, kernel, bias=None):
    y = tf.matmul(x, kernel) if x.shape.rank == 2 else tf.tensordot(x, kernel, 1)
    return y if bias is None else tf.nn.bias_add(y, bias) if y.shape.rank > 1 else y + bias


def normalize_batch(x, axis, offset=None, scale=None, epsilon=0.001):
    axis = shapes.normalize_axis(axis, x.shape.rank)
    channels, others = x.shape[axis], [i for i in range(x.shape.rank) if i != axis]
    if not all(p is None or p.shape.is_compatible_with((channels,)) for p in (offset, scale)):
        raise ValueError("shapes")  # the op's rule says which
    # TensorFlow's kernel takes images of channels last, and no smaller epsilon.
    if axis != 3 or x.shape.rank != 4 or x.dtype != tf.float32 or 0 in x.shape or channels is None or epsilon <= 1.001e-5:
        mean, variance = tf.nn.moments(x, others, keepdims=True)
        along = lambda p: None if p is None else tf.reshape(p, tf.shape(mean))  # noqa: E731
        y = tf.nn.batch_normalization(x, mean, variance, along(offset), along(scale), epsilon)
        mean, variance = tf.squeeze(mean, others), tf.squeeze(variance, others)
    else:
        offset, scale = tf.zeros(channels) if offset is None else offset, tf.ones(channels) if scale is None else scale
        y, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, scale, offset, epsilon=epsilon)
        count = tf.cast(tf.reduce_prod(tf.shape(x)[:3]), x.dtype)
        variance = variance * ((count - 1) / count)  # it divides by one less
    return y, tf.stop_gradient(mean), tf.stop_gradient(variance)


def dot_product_attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None, attn_logits_soft_cap=None
):
    batch, targets, heads, size = query.shape
    others, logits_shape = key.shape[2], (batch, heads, targets, key.shape[1])
    agree = key.shape.is_compatible_with((batch, None, others, size)) and value.shape.is_compatible_with((*key.shape[:3], None))
    if not agree or heads % others or not all(x is None or shapes.fits(tuple(x.shape), logits_shape) for x in (bias, mask)):
        raise ValueError("shapes")  # the op's rule says which
    query, key, value = (tf.transpose(x, (0, 2, 1, 3)) for x in (query, key, value))
    full = tf.concat((tf.shape(query)[:3], tf.shape(key)[2:3]), 0)  # of the logits: batch, heads, targets, sources
    query = query * (size**-0.5 if scale is None else scale)  # `tf.cast` of a Python number would round it to float32
    logits = tf.matmul(_grouped(query, others), key, transpose_b=True)
    logits = logits if heads == others else tf.reshape(logits, full)
    if attn_logits_soft_cap is not None:
        logits = attn_logits_soft_cap * tf.tanh(logits / attn_logits_soft_cap)
    logits = logits if bias is None else logits + bias
    lowest = tf.constant(float(ml_dtypes.finfo(logits.dtype.as_numpy_dtype).min) / 2, logits.dtype)
    if mask is not None:
        logits = tf.where(tf.cast(mask, tf.bool), logits, lowest)
    if is_causal:
        logits = tf.where(tf.range(full[2])[:, None] >= tf.range(full[3]), logits, lowest)
    found = tf.matmul(_grouped(tf.nn.softmax(logits), others), value)
    found = found if heads == others else tf.reshape(found, tf.concat((full[:3], tf.shape(value)[3:]), 0))
    return tf.ensure_shape(tf.transpose(found, (0, 2, 1, 3)), (batch, targets, heads, value.shape[3]))


def _grouped(x, groups):
    """The heads (batch, heads, rows, size) that share a key head one after the other, so that no key is repeated."""
    if x.shape[1] == groups:
        return x
    sizes = tf.shape(x)
    return tf.reshape(x, tf.stack((sizes[0], groups, x.shape[1] // groups * sizes[2], sizes[3])))


def ctc_loss(target, output, target_length, output_length, mask_index=0):
    if output.shape[0] == 0:  # TensorFlow's own needs a sample
        return tf.reduce_sum(output, (1, 2))
    target, target_length, output_length = (tf.cast(x, tf.int32) for x in (target, target_length, output_length))
    logits = tf.cast(output, tf.float32)  # the dtype of the kernel
    loss = tf.nn.ctc_loss(target, logits, target_length, output_length, logits_time_major=False, blank_index=mask_index)
    return tf.cast(loss, output.dtype)


def ctc_beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    from core.backend.numpy.nn import ctc_beam_search as on_host

    search = lambda x, lengths: on_host(x, lengths, beam_width, top_paths, mask_index)  # noqa: E731
    paths, scores = tf.numpy_function(search, [tf.cast(inputs, tf.float32), sequence_lengths], [tf.int32, tf.float32], stateful=False)
    return tf.ensure_shape(paths, [top_paths, *inputs.shape[:2]]), tf.ensure_shape(scores, [inputs.shape[0], top_paths])


def replica_mean(x):
    context = tf.distribute.get_replica_context()
    return x if context is None or context.num_replicas_in_sync == 1 else context.all_reduce(tf.distribute.ReduceOp.MEAN, x)
