"""Batches for JAX. A compiled step takes NumPy arrays faster than arrays put on the device before: `native=False` leaves those."""

import jax
import jax.numpy as jnp
import numpy as np

from core.backend.jax.array import convert_to_tensor


def host_view(x):
    return np.asarray(x) if all(device.platform == "cpu" for device in x.devices()) else None


def split_rows(x, size, native=True):
    return [batch_tensor(x[start : start + size], native) for start in range(0, len(x), size)]


def gather_rows(x, indices):
    return jnp.take(x, indices, axis=0)


def batch_tensor(x, native=True):
    if x.dtype.kind in "OSU":  # text stays on the host
        return x
    return convert_to_tensor(x) if native and not isinstance(x, jax.Array) else x


def stack_batches(parts):
    return (jnp if any(isinstance(part, jax.Array) for part in parts) else np).stack(parts)
