"""NumPy runs functions as they are and has no gradients."""

import contextlib

import numpy as np

from core.base import tree


def jit(fn, **options):
    return fn


def value_and_grad(fn, variables, has_aux=False):
    raise _no_gradients()


def argument_value_and_grad(fn, argnums=0, has_aux=False):
    raise _no_gradients()


def _no_gradients():
    return ValueError("The numpy backend has no gradients: train on jax, torch or tensorflow (core.config.set_backend, model.to_backend).")


def vmap(fn, in_axes=0, out_axes=0):
    """One call per element."""

    def run(*args):
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        mapped = [(tree.flatten(x)[0].shape[axis]) for x, axis in zip(args, axes) if axis is not None]
        results = [
            fn(
                *(
                    x if axis is None else tree.map_structure(lambda leaf, axis=axis, i=i: np.take(leaf, i, axis), x)
                    for x, axis in zip(args, axes)
                )
            )
            for i in range(mapped[0])
        ]
        return tree.map_structure(lambda *parts: np.stack(parts, out_axes), *results)

    return run


def remat(fn):
    return fn


def custom_gradient(fn):
    return lambda *args, **kwargs: fn(*args, **kwargs)[0]


def no_grad():
    return contextlib.nullcontext()


inference = no_grad  # what is computed is never differentiated: nothing more to save here


def device(name):
    """NumPy has one device, the processor."""
    if not name.lower().startswith("cpu"):
        raise ValueError(f"NumPy runs on the processor only, got the device {name!r}.")
    return contextlib.nullcontext()
