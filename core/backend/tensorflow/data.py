"""Batches for TensorFlow: a chunk becomes one tensor, which is split."""

import tensorflow as tf

from core.backend.tensorflow.array import convert_to_numpy, convert_to_tensor


def host_view(x):
    if isinstance(x, tf.RaggedTensor):
        return None
    return convert_to_numpy(x) if isinstance(x, tf.SparseTensor) or "GPU" not in getattr(x, "device", "") else None


def split_rows(x, size, native=True):
    if isinstance(x, tf.RaggedTensor):
        return [x[start : start + size] for start in range(0, x.shape[0], size)]
    x = tf.convert_to_tensor(x)
    rows = x.shape[0]
    if rows <= size:
        return [x]
    return tf.split(x, [size] * (rows // size) + ([rows % size] if rows % size else []))


def gather_rows(x, indices):
    return tf.gather(x, indices)


def batch_tensor(x, native=True):
    return convert_to_tensor(x)


def stack_batches(parts):
    return tf.stack(list(parts))


def seed_framework(seed):
    """Seeds TensorFlow's own draws, for user code that makes some."""
    tf.random.set_seed(seed)
