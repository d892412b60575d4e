"""The NumPy backend's functions of the control room. See `core.backend.protocol`."""

import numpy as np

from core.backend import loops
from core.backend.numpy.array import convert_to_tensor

FUNCTIONS = loops.functions(np.stack, convert_to_tensor)


def vectorized_map(function, elements):
    steps = loops.scan_steps(elements, None, False)
    return loops.stacked([function(loops.row(elements, i)) for i in steps], np.stack)


def vmap(fn, in_axes=0, out_axes=0):
    def run(*args):
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        (count,) = {x.shape[axis] for x, axis in zip(args, axes) if axis is not None}
        rows = [fn(*(x if axis is None else np.take(x, i, axis) for x, axis in zip(args, axes))) for i in range(count)]
        return loops.stacked(rows, lambda parts: np.stack(parts, out_axes))

    return run


def jvp(fun, primals, tangents, has_aux=False):
    raise ValueError("The numpy backend has no derivatives: use jax, torch or tensorflow for jvp (core.config.set_backend).")
