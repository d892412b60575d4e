"""The torch backend's functions of the control room. See `core.backend.protocol`."""

import torch

from core.backend import loops
from core.backend.torch.array import convert_to_tensor

FUNCTIONS = loops.functions(lambda parts: torch.stack(tuple(parts)), convert_to_tensor)


def vectorized_map(function, elements):
    return torch.vmap(function)(elements)


def jvp(fun, primals, tangents, has_aux=False):
    return torch.func.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)
