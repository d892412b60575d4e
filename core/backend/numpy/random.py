"""The NumPy backend's functions of the random room, drawn from Philox keyed by the seed. See `core.backend.protocol`."""

import numpy as np

from core.backend import seeds
from core.backend.distributions import check_rate, noise_dims, share_below
from core.base.dtypes import continuous, numpy_dtype, standardize_dtype
from core.base.shapes import normalize_axis


def _generator(seed):
    words = [int(word) for word in seeds.resolved(seed, "numpy")]
    return np.random.Generator(np.random.Philox(key=words))


def _as(values, dtype):
    return np.asarray(values).astype(numpy_dtype(standardize_dtype(dtype)), copy=False)


def _floats(values, dtype):
    return _as(values, continuous(dtype))


def seed_dtype():
    return "uint32"


def tracing():
    return False


def next_seed(holder):
    value = holder.value
    holder.put(value + np.array([0, 1], value.dtype))
    return value


def _wide(dtype):
    """What is drawn in: narrow dtypes by way of float32, which has enough bits for the tails."""
    return np.float64 if continuous(dtype) == "float64" else np.float32


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    return _floats(_generator(seed).standard_normal(shape, _wide(dtype)) * stddev + mean, dtype)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    draws = _generator(seed).random(shape, _wide(dtype)) * (maxval - minval) + minval
    top = np.maximum(maxval - np.abs(maxval) * share_below(continuous(dtype)), minval)
    return _floats(np.where(_floats(draws, dtype) < maxval, draws, top), dtype)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    return _as(_generator(seed).integers(minval, maxval, shape), dtype)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    generator, wide = _generator(seed), _wide(dtype)
    draws = np.asarray(generator.standard_normal(shape, wide))
    while (outside := np.abs(draws) > 2).any():
        draws[outside] = generator.standard_normal(outside.sum(), wide)
    return _floats(draws * stddev + mean, dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    if logits.ndim != 2 or num_samples < 0:
        raise ValueError("shapes")  # the op's rule says which
    dtype = standardize_dtype(dtype)
    noise = _generator(seed).gumbel(size=(logits.shape[0], num_samples, logits.shape[-1]))
    return _as(np.argmax(logits[:, None, :] + noise, -1), dtype)


def gamma(shape, alpha, dtype=None, seed=None):
    return _floats(_generator(seed).gamma(alpha, size=shape), dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    return _floats(_generator(seed).beta(alpha, beta, size=shape), dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    return _floats(_generator(seed).binomial(np.asarray(counts).astype(np.int64), probabilities, size=shape), dtype)


def shuffle(x, axis=0, seed=None):
    axis = normalize_axis(axis, x.ndim)
    return _generator(seed).permutation(x, axis)


def dropout(inputs, rate, noise_shape=None, seed=None):
    check_rate(rate)
    if rate == 0:
        return inputs
    shape = noise_dims(noise_shape, inputs.shape)
    kept = _generator(seed).random(shape, np.float32) >= rate
    return np.where(kept, inputs / (1 - rate) if rate < 1 else 0, 0).astype(inputs.dtype)
