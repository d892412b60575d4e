"""The NumPy backend: the reference, without gradients."""

import numpy

from core.backend.numpy import (
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
    reduction,
    shape,
    train,
    variable,
)
from core.backend.protocol import Backend

# NumPy arrays belong to nobody: every backend takes them. They act here when this backend is active.
backend = Backend(
    "numpy",
    (),
    (array, variable, math, reduction, shape, nn, conv, image, linalg, fft, optimize, random, control, train, packing, data),
    trains=False,
    native=numpy,
)
