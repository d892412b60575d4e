"""The JAX backend's functions of the random room: threefry keys made of the seed's two words. See `core.backend.protocol`."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from core.backend import seeds
from core.backend.distributions import check_rate, noise_dims, share_below
from core.backend.jax.array import allowed
from core.base.dtypes import continuous, standardize_dtype
from core.base.shapes import normalize_axis


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


def _wide(dtype):
    """What is drawn in: narrow dtypes by way of float32, which has enough bits for the tails."""
    return dtype if dtype == jnp.float64 else jnp.dtype(jnp.float32)


# Compiled as one, so that an eager draw is one call of the framework.


@partial(jax.jit, static_argnums=(0, 2, 5))
def _scaled(draw, key, shape, scale, shift, dtype):
    return (draw(key, shape, _wide(dtype)) * scale + shift).astype(dtype)


@partial(jax.jit, static_argnums=(1, 4))
def _between(key, shape, minval, maxval, dtype):
    draws = jax.random.uniform(key, shape, _wide(dtype)) * (maxval - minval) + minval
    top = jnp.maximum(maxval - jnp.abs(maxval) * share_below(dtype), minval)
    return jnp.where(draws.astype(dtype).astype(draws.dtype) < maxval, draws, top).astype(dtype)


def _truncated(key, shape, dtype):
    return jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    return _scaled(jax.random.normal, _key(seed), tuple(shape), stddev, mean, _dtype(continuous(dtype)))


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    return _between(_key(seed), tuple(shape), minval, maxval, _dtype(continuous(dtype)))


def _high_word(a, b):
    """The upper 32 bits of the 64 of a product of 32-bit words."""
    upper, lower = b >> 16, b & 0xFFFF
    middle = (a >> 16) * lower + ((a & 0xFFFF) * lower >> 16)
    other = (a & 0xFFFF) * upper + (middle & 0xFFFF)
    return (a >> 16) * upper + (middle >> 16) + (other >> 16)


@partial(jax.jit, static_argnums=(1, 4))
def _integers(key, shape, low, high, dtype):
    """`low` plus the span times 64 random bits read as a fraction: even to 2**-32, where `jax.random.randint` takes 32 bits modulo it."""
    span = high - low
    first, second = jax.random.bits(key, (2, *shape), jnp.uint32)
    fraction = first * span
    carry = fraction + _high_word(second, span) < fraction
    offset = jnp.where(span == 0, first, _high_word(first, span) + carry)  # all 2**32 words are a span of 0
    return (low + offset).astype(jnp.int32 if jnp.issubdtype(dtype, jnp.signedinteger) else jnp.uint32).astype(dtype)


def _word(end):
    """A bound as a 32-bit word, in two's complement."""
    if isinstance(end, jax.Array):
        return (end if end.dtype == jnp.uint32 else end.astype(jnp.int32)).astype(jnp.uint32)
    return np.asarray(end, np.int64).astype(np.uint32)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    dtype = _dtype(dtype)
    if isinstance(minval, int) and isinstance(maxval, int) and not jnp.iinfo(dtype).min <= minval < maxval <= int(jnp.iinfo(dtype).max) + 1:
        raise ValueError(f"randint between {minval} and {maxval} needs int64, which JAX has in its x64 mode only (jax_enable_x64).")
    if dtype.itemsize == 8:
        return jax.random.randint(_key(seed), shape, minval, maxval, dtype)
    return _integers(_key(seed), tuple(shape), _word(minval), _word(maxval), dtype)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    return _scaled(_truncated, _key(seed), tuple(shape), stddev, mean, _dtype(continuous(dtype)))


def categorical(logits, num_samples, dtype="int32", seed=None):
    if logits.ndim != 2 or num_samples < 0:
        raise ValueError("shapes")  # the op's rule says which
    dtype, logits = _dtype(dtype), logits.astype(_wide(logits.dtype))
    return jax.random.categorical(_key(seed), logits[:, None, :], shape=(logits.shape[0], num_samples)).astype(dtype)


def gamma(shape, alpha, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    return jax.random.gamma(_key(seed), alpha, shape, _wide(dtype)).astype(dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    dtype = _dtype(continuous(dtype))
    return jax.random.beta(_key(seed), alpha, beta, shape, _wide(dtype)).astype(dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    return jax.random.binomial(_key(seed), counts, probabilities, shape).astype(_dtype(continuous(dtype)))


def shuffle(x, axis=0, seed=None):
    axis = normalize_axis(axis, x.ndim)
    return jax.random.permutation(_key(seed), x, axis, independent=False)


def dropout(inputs, rate, noise_shape=None, seed=None):
    check_rate(rate)
    if isinstance(rate, (int, float)) and (rate == 0 or rate >= 1):
        return inputs if rate == 0 else jnp.zeros_like(inputs)
    shape = noise_dims(noise_shape, inputs.shape)
    return jnp.where(jax.random.bernoulli(_key(seed), 1 - rate, shape), inputs / (1 - rate), 0).astype(inputs.dtype)
