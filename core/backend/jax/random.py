"""The JAX backend's functions of the random room: threefry keys made of the seed's two words. See `core.backend.protocol`."""

import jax
import jax.numpy as jnp
import numpy as np

from core.backend import seeds
from core.backend.jax.array import allowed
from core.base.dtypes import continuous, standardize_dtype


def _key(seed):
    words = seeds.resolved(seed, "jax")
    words = jnp.asarray(np.array(words, np.uint32) if isinstance(words, tuple) else words).astype(jnp.uint32)
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def _dtype(dtype):
    return allowed(standardize_dtype(dtype))


def seed_dtype():
    return "uint32"


def tracing():
    return seeds.journaled()


def next_seed(holder):
    value = holder.value
    holder.put(value + np.array([0, 1], value.dtype))
    return value


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    return (jax.random.normal(_key(seed), shape, dtype) * stddev + mean).astype(dtype)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    return jax.random.uniform(_key(seed), shape, _dtype(continuous(dtype)), minval, maxval)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    dtype = _dtype(dtype)
    wide = dtype if np.dtype(dtype).kind in "iu" else jnp.int32
    return jax.random.randint(_key(seed), shape, minval, maxval, wide).astype(dtype)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    return (jax.random.truncated_normal(_key(seed), -2.0, 2.0, shape, dtype) * stddev + mean).astype(dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    draws = jax.random.categorical(_key(seed), logits[:, None, :], shape=(logits.shape[0], num_samples))
    return draws.astype(_dtype(dtype))


def gamma(shape, alpha, dtype=None, seed=None):
    return jax.random.gamma(_key(seed), alpha, shape, _dtype(continuous(dtype)))


def beta(shape, alpha, beta, dtype=None, seed=None):
    return jax.random.beta(_key(seed), alpha, beta, shape, _dtype(continuous(dtype)))


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    return jax.random.binomial(_key(seed), counts, probabilities, shape).astype(_dtype(continuous(dtype)))


def shuffle(x, axis=0, seed=None):
    return jax.random.permutation(_key(seed), x, axis)


def dropout(inputs, rate, noise_shape=None, seed=None):
    if isinstance(rate, (int, float)) and (rate == 0 or rate >= 1):
        return inputs if rate == 0 else jnp.zeros_like(inputs)
    shape = inputs.shape if noise_shape is None else [d if n is None else n for n, d in zip(noise_shape, inputs.shape, strict=True)]
    return jnp.where(jax.random.bernoulli(_key(seed), 1 - rate, shape), inputs / (1 - rate), 0).astype(inputs.dtype)
