"""The TensorFlow backend."""

import tensorflow

from core.backend.protocol import Backend
from core.backend.tensorflow import (
    array,
    control,
    conv,
    data,
    fft,
    image,
    linalg,
    math,
    modules,
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

backend = Backend(
    "tensorflow",
    (tensorflow.Tensor, tensorflow.Variable, tensorflow.RaggedTensor, tensorflow.IndexedSlices),
    (array, variable, math, reduction, shape, nn, conv, recurrent, image, linalg, fft, optimize, random, control, train, modules)
    + (packing, data),
    trains=True,
    native=tensorflow,
    sparse="core.backend.tensorflow.sparse",
)
