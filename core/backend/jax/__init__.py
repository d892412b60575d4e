"""The JAX backend."""

import jax

from core.backend.jax import (
    array,
    control,
    conv,
    data,
    fft,
    image,
    linalg,
    math,
    nn,
    optimize,
    packing,
    random,
    recurrent,
    reduction,
    shape,
    train,
    variable,
)
from core.backend.protocol import Backend

backend = Backend(
    "jax",
    (jax.Array, jax.core.Tracer),
    (array, variable, math, reduction, shape, nn, conv, recurrent, image, linalg, fft, optimize, random, control, train, packing, data),
    trains=True,
    native=jax,
    sparse="core.backend.jax.sparse",
)
