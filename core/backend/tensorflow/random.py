"""The TensorFlow backend's functions of the random room: stateless Philox draws. See `core.backend.protocol`."""

import tensorflow as tf

from core.backend import gradients, seeds
from core.backend.distributions import check_rate, is_unit, noise_dims, share_below
from core.backend.tensorflow.array import convert_to_tensor
from core.base.dtypes import continuous, standardize_dtype
from core.base.shapes import normalize_axis


def _seed(seed):
    words = seeds.resolved(seed, "tensorflow")
    return tf.constant(words, tf.int64) if isinstance(words, tuple) else tf.cast(words, tf.int64)


def _float(dtype):
    """The dtype asked for, and the one to draw in."""
    dtype = tf.as_dtype(continuous(dtype))
    return dtype, dtype if dtype == tf.float64 else tf.float32


def seed_dtype():
    return "uint32"


def tracing():
    return tf.inside_function()


def next_seed(holder):
    held = holder.value
    if not isinstance(held, tf.Variable):  # in a stateless call
        holder.put(held + tf.constant([0, 1], held.dtype))
        return held
    seed = tf.identity(held)
    gradients.before_write(held, lambda _: seed)
    held.assign_add(tf.constant([0, 1], held.dtype))
    holder.put(held)
    return seed


def _scaled(draws, scale, shift, dtype):
    return tf.cast(draws * tf.cast(scale, draws.dtype) + tf.cast(shift, draws.dtype), dtype)


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype, wide = _float(dtype)
    return _scaled(tf.random.stateless_normal(shape, _seed(seed), dtype=wide, alg="philox"), stddev, mean, dtype)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    dtype, wide = _float(dtype)
    draws = tf.random.stateless_uniform(shape, _seed(seed), dtype=wide, alg="philox")
    if dtype == wide and is_unit(minval, maxval):
        return draws
    low, high = tf.cast(minval, wide), tf.cast(maxval, wide)
    draws = draws * (high - low) + low
    top = tf.maximum(high - tf.abs(high) * share_below(dtype), low)
    return tf.cast(tf.where(tf.cast(tf.cast(draws, dtype), wide) < high, draws, top), dtype)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    dtype, low, high = standardize_dtype(dtype), tf.cast(minval, tf.int64), tf.cast(maxval, tf.int64)
    if low.shape.rank == high.shape.rank == 0:
        draws = tf.random.stateless_uniform(shape, _seed(seed), low, high, tf.int64, alg="philox")  # in 32 bits, large ranges are uneven
    else:
        draws = low + tf.random.stateless_uniform(shape, _seed(seed), None, None, tf.int64, alg="philox") % (high - low)
    return tf.cast(draws, dtype)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype, wide = _float(dtype)
    return _scaled(tf.random.stateless_truncated_normal(shape, _seed(seed), dtype=wide, alg="philox"), stddev, mean, dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    if logits.shape.rank != 2 or (isinstance(num_samples, int) and num_samples < 0):
        raise ValueError("shapes")  # the op's rule says which
    dtype = standardize_dtype(dtype)
    return tf.cast(tf.random.stateless_categorical(tf.cast(logits, tf.float32), num_samples, _seed(seed)), dtype)


def gamma(shape, alpha, dtype=None, seed=None):
    dtype, wide = _float(dtype)
    return tf.cast(tf.random.stateless_gamma(shape, _seed(seed), tf.cast(alpha, wide), dtype=wide), dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    dtype, wide = _float(dtype)[0], tf.float64  # in float32, both gammas would often underflow for small parameters
    first, second = tf.unstack(tf.random.experimental.stateless_split(_seed(seed), 2))
    first = tf.random.stateless_gamma(shape, first, tf.cast(alpha, wide), dtype=wide)
    return tf.cast(first / (first + tf.random.stateless_gamma(shape, second, tf.cast(beta, wide), dtype=wide)), dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    dtype, wide = _float(dtype)
    counts, probabilities = (tf.broadcast_to(tf.cast(part, wide), shape) for part in (counts, probabilities))
    return tf.cast(tf.random.stateless_binomial(shape, _seed(seed), counts, probabilities, wide), dtype)


def shuffle(x, axis=0, seed=None):
    axis = normalize_axis(axis, x.shape.rank)
    order = tf.random.experimental.stateless_shuffle(tf.range(tf.shape(x)[axis]), _seed(seed), alg="philox")
    return tf.gather(x, order, axis=axis)


def dropout(inputs, rate, noise_shape=None, seed=None):
    check_rate(rate)
    if isinstance(rate, (int, float)) and (rate == 0 or rate >= 1):
        return inputs if rate == 0 else tf.zeros_like(inputs)
    inputs = convert_to_tensor(inputs)
    shape = tf.shape(inputs)
    if noise_shape is not None:
        given = noise_dims(noise_shape, tuple(inputs.shape))
        shape = [shape[i] if n is None else n for i, n in enumerate(given)]
    draws = tf.random.stateless_uniform(shape, _seed(seed), dtype=tf.float32, alg="philox")  # narrow dtypes have few steps below a rate
    return tf.where(draws >= tf.cast(rate, tf.float32), inputs / tf.cast(1 - rate, inputs.dtype), tf.zeros((), inputs.dtype))
