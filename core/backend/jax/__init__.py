"""The JAX backend."""

import jax

from core.backend.jax import array, control, image, linalg, math, nn, random, reduction, shape, train, variable
from core.backend.protocol import Backend

backend = Backend(
    "jax", (jax.Array, jax.core.Tracer), (array, variable, math, reduction, shape, nn, image, linalg, random, control, train), trains=True, native=jax
)
