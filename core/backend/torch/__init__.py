"""The PyTorch backend."""

import torch

from core.backend.protocol import Backend
from core.backend.torch import (
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
    "torch",
    (torch.Tensor,),
    (array, variable, math, reduction, shape, nn, conv, recurrent, image, linalg, fft, optimize, random, control, train, modules)
    + (packing, data),
    trains=True,
    native=torch,
)
