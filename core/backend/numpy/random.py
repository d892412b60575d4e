"""The NumPy backend's functions of the random room, drawn from Philox keyed by the seed. See `core.backend.protocol`."""

import numpy as np

from core.backend import seeds
from core.base.dtypes import continuous, numpy_dtype, standardize_dtype


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


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    return _floats(_generator(seed).standard_normal(shape, np.float32) * stddev + mean, dtype)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    return _floats(_generator(seed).random(shape, np.float32) * (maxval - minval) + minval, dtype)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    return _as(_generator(seed).integers(minval, maxval, shape), dtype)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    generator = _generator(seed)
    draws = np.asarray(generator.standard_normal(shape, np.float32))
    while (outside := np.abs(draws) > 2).any():
        draws[outside] = generator.standard_normal(outside.sum(), np.float32)
    return _floats(draws * stddev + mean, dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    noise = _generator(seed).gumbel(size=(logits.shape[0], num_samples, logits.shape[-1]))
    return _as(np.argmax(logits[:, None, :] + noise, -1), dtype)


def gamma(shape, alpha, dtype=None, seed=None):
    return _floats(_generator(seed).gamma(alpha, size=shape), dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    return _floats(_generator(seed).beta(alpha, beta, size=shape), dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    return _floats(_generator(seed).binomial(np.asarray(counts).astype(np.int64), probabilities, size=shape), dtype)


def shuffle(x, axis=0, seed=None):
    return _generator(seed).permutation(x, axis)


def dropout(inputs, rate, noise_shape=None, seed=None):
    if rate == 0:
        return inputs
    shape = inputs.shape if noise_shape is None else [d if n is None else n for n, d in zip(noise_shape, inputs.shape, strict=True)]
    kept = _generator(seed).random(shape, np.float32) >= rate
    return np.where(kept, inputs / (1 - rate) if rate < 1 else 0, 0).astype(inputs.dtype)
