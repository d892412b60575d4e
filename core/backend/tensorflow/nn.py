"""Neural-network functions on TensorFlow tensors: activations, normalization, cross-entropies, attention, dense."""

import tensorflow as tf

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


def softmax(x, axis=-1):
    return tf.nn.softmax(x, axis) if isinstance(axis, int) else tf.exp(log_softmax(x, axis))


def log_softmax(x, axis=-1):
    return tf.nn.log_softmax(x, axis) if isinstance(axis, int) else x - tf.reduce_logsumexp(x, axis, keepdims=True)


def dense(x, kernel, bias=None):
    y = tf.matmul(x, kernel) if x.shape.rank == 2 else tf.tensordot(x, kernel, 1)
    return y if bias is None else tf.nn.bias_add(y, bias) if y.shape.rank > 1 else y + bias


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
