"""The lifted transforms: functions of functions that read and write variables, the same on every backend.

`core.jit`, `core.grad`, `core.value_and_grad`, `core.vmap`, `core.remat`, `core.custom_gradient`, and, from the ops,
`core.scan` and `core.cond`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from core.backend import slot
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.base import tree


def _backend_of(values: Any) -> Backend:
    leaves = [x.value if isinstance(x, Holder) else x for x in tree.flatten(values)]
    own = (x.backend for x in leaves if isinstance(getattr(x, "backend", None), Backend))
    return slot.owner_of(leaves) or next(own, None) or slot.active()


def jit(fn: Callable | None = None, *, backend: str | Backend | None = None, **options: Any) -> Callable:
    """`fn` compiled: by XLA on JAX, as a `tf.function` on TensorFlow; on PyTorch and NumPy `fn` itself.

    Arrays and tensors among the arguments are traced; everything else (Python numbers and strings, models) is static, and a new
    value compiles anew. Variables that `fn` reads or writes need not be named: they are found, and written ones keep what was written.

    Args:
        fn: any function; without it, a decorator is returned.
        backend: where to run; by default the backend of the arguments' tensors, else the active one.
        options: `compile=True` for `torch.compile`; `xla=True` for XLA under TensorFlow. On JAX the buffers of the variables that `fn`
            writes are reused, so that an array taken from `v.value` before a call is gone after it: copy it, or give `donate=False`.

    >>> step = jit(lambda x: x * 2)
    """
    if fn is None:
        return functools.partial(jit, backend=backend, **options)
    compiled: dict[Backend, Callable] = {}
    fixed = slot.get(backend) if backend is not None else getattr(getattr(fn, "__self__", None), "backend", None)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        where = fixed if isinstance(fixed, Backend) else _backend_of((args, kwargs))
        run = compiled.get(where)
        if run is None:
            run = compiled[where] = where.jit(fn, **options)
        return run(*args, **kwargs)

    call.compiled = compiled  # type: ignore[attr-defined]
    return call


def value_and_grad(fn: Callable, variables: Sequence | None = None, has_aux: bool = False, argnums: int | Sequence[int] = 0) -> Callable:
    """A function that returns `fn`'s scalar value and its gradients.

    Args:
        fn: returns a scalar loss, or `(loss, aux)` with `has_aux`.
        variables: the `Variable`s to differentiate by; the gradients come as a list in their order, None where the loss does not read one.
            Without them, the gradients are those of the arguments `argnums`.
        has_aux: whether `fn` returns `(loss, aux)`.

    Returns:
        `(value, gradients)`, or `((value, aux), gradients)` with `has_aux`.

    >>> (loss, y), grads = value_and_grad(loss_fn, model.trainable_variables, has_aux=True)()
    """
    if variables is not None:
        variables = [v for v in variables]
        if not all(isinstance(v, Holder) for v in variables):
            strange = next(v for v in variables if not isinstance(v, Holder))
            raise TypeError(f"value_and_grad differentiates by core Variables, got a {type(strange).__name__} among `variables`.")

    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        if variables is not None:
            backend = slot.owner_of(v._value for v in variables) or (variables[0].backend if variables else _backend_of((args, kwargs)))
            return backend.value_and_grad(fn, variables, has_aux)(*args, **kwargs)
        backend = _backend_of((args, kwargs))
        numbers = (argnums,) if isinstance(argnums, int) else argnums
        args = tuple(tree.map_structure(backend.convert_to_tensor, a) if i in numbers else a for i, a in enumerate(args))
        return backend.argument_value_and_grad(fn, argnums, has_aux)(*args, **kwargs)

    return run


def grad(fn: Callable, variables: Sequence | None = None, has_aux: bool = False, argnums: int | Sequence[int] = 0) -> Callable:
    """A function that returns the gradients of the scalar function `fn`; see `value_and_grad`. With `has_aux`, `(gradients, aux)`.

    >>> float(grad(lambda x: x * x)(3.0))
    6.0
    """
    both = value_and_grad(fn, variables, has_aux, argnums)

    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return run


def vmap(fn: Callable, in_axes: Any = 0, out_axes: Any = 0) -> Callable:
    """`fn` mapped over an axis of its arguments, vectorized. `in_axes` is one axis or one per argument, None for those not mapped."""

    @functools.wraps(fn)
    def run(*args: Any) -> Any:
        backend = _backend_of(args)
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        args = tuple(a if axis is None else tree.map_structure(backend.convert_to_tensor, a) for a, axis in zip(args, axes))
        return backend.vmap(fn, tuple(axes), out_axes)(*args)

    return run


def remat(f: Callable) -> Callable:
    """`f` whose intermediate values are computed again in the backward pass instead of kept: less memory, more time."""

    @functools.wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        return _backend_of((args, kwargs)).remat(f)(*args, **kwargs)

    return run


def custom_gradient(f: Callable) -> Callable:
    """`f` with a gradient of its own: `f(*args)` returns `(outputs, grad_fn)`, and `grad_fn(upstream)` the gradients of the arguments.

    `grad_fn` may also be written as `grad_fn(*args, upstream)`; it is called so where a parameter that is not the first is named
    `upstream`. On PyTorch such a function can be differentiated once.
    """

    @functools.wraps(f)
    def run(*args: Any, **kwargs: Any) -> Any:
        return _backend_of((args, kwargs)).custom_gradient(f)(*args, **kwargs)

    return run
