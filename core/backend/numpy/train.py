"""NumPy runs functions as they are and has no gradients."""

import contextlib


def jit(fn, **options):
    return fn


def value_and_grad(fn, variables, has_aux=False):
    raise ValueError("The numpy backend has no gradients: train on jax, torch or tensorflow (core.config.set_backend, or model.to_backend).")


def remat(fn):
    return fn


def custom_gradient(fn):
    return lambda *args, **kwargs: fn(*args, **kwargs)[0]


def no_grad():
    return contextlib.nullcontext()


def device(name):
    """NumPy has one device, the processor."""
    if not name.lower().startswith("cpu"):
        raise ValueError(f"NumPy runs on the processor only, got the device {name!r}.")
    return contextlib.nullcontext()
