"""The TensorFlow backend."""

import tensorflow

from core.backend.protocol import Backend
from core.backend.tensorflow import array, control, image, linalg, math, nn, random, reduction, shape, train, variable

backend = Backend(
    "tensorflow",
    (tensorflow.Tensor, tensorflow.Variable, tensorflow.RaggedTensor, tensorflow.SparseTensor, tensorflow.IndexedSlices),
    (array, variable, math, reduction, shape, nn, image, linalg, random, control, train),
    trains=True,
    native=tensorflow,
)
