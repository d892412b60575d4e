"""Lifted transforms on JAX: code that reads and writes variables becomes a pure function and back.

The one idea: run the code with tracers in the variables, note in a journal what it read and wrote, give the written values
out as extra results, and put them into the variables after the call. Everything is restored where the code raises.
"""

from __future__ import annotations

import contextlib
import functools
import time

import jax
import numpy as np

from core.backend.journal import TRACING, journal, swapped
from core.base import tree

DYNAMIC = (jax.Array, jax.core.Tracer, np.ndarray, np.generic)


def no_grad():
    return contextlib.nullcontext()


def pure(fn):
    """`fn` as a function that also returns what it wrote: `(result, {holder: new value})`; the holders keep their old values."""

    def run(*args, **kwargs):
        with journal() as notes:
            try:
                result = fn(*args, **kwargs)
            finally:
                written = notes.take_back()
        return result, written

    return run


def value_and_grad(fn, variables, has_aux=False):
    variables = list(variables)

    def run(*args, **kwargs):
        holders = []

        def loss_of(values):
            with swapped(variables, values):
                result, written = pure(fn)(*args, **kwargs)
            holders[:] = written
            loss, aux = result if has_aux else (result, None)
            _require_scalar(loss)
            return loss, (aux, list(written.values()))

        with TRACING:
            (loss, (aux, new)), gradients = jax.value_and_grad(loss_of, has_aux=True)([v.value for v in variables])
        for holder, value in zip(holders, new):
            holder.put(value)
        return ((loss, aux) if has_aux else loss), gradients

    return run


def _require_scalar(loss):
    if getattr(loss, "shape", ()) != ():
        raise ValueError(f"A gradient needs a scalar loss, got one of shape {tuple(loss.shape)}; reduce it, for example with core.ops.mean.")


def argument_value_and_grad(fn, argnums=0, has_aux=False):
    """Gradients with respect to arguments; what `fn` writes to variables is kept."""

    def run(*args, **kwargs):
        holders = []

        def loss_of(*args, **kwargs):
            result, written = pure(fn)(*args, **kwargs)
            holders[:] = written
            loss, aux = result if has_aux else (result, None)
            _require_scalar(loss)
            return loss, (aux, list(written.values()))

        with TRACING:
            (loss, (aux, new)), gradients = jax.value_and_grad(loss_of, argnums, has_aux=True)(*args, **kwargs)
        for holder, value in zip(holders, new):
            holder.put(value)
        return ((loss, aux) if has_aux else loss), gradients

    return run


def _lifted(transform, fn):
    """`fn` under a transform that needs a pure function and keeps its written values as extra results."""

    @functools.wraps(fn)
    def run(*args, **kwargs):
        holders = []

        def inner(*args, **kwargs):
            result, written = pure(fn)(*args, **kwargs)
            holders[:] = written
            return result, list(written.values())

        with TRACING:
            result, new = transform(inner)(*args, **kwargs)
        for holder, value in zip(holders, new):
            holder.put(value)
        return result

    return run


def remat(fn):
    return _lifted(jax.checkpoint, fn)


def vmap(fn, in_axes=0, out_axes=0):
    @functools.wraps(fn)
    def run(*args):
        def inner(*args):
            result, written = pure(fn)(*args)
            if written:
                raise ValueError(f"vmap cannot write variables, since each element would write its own value: {[h.path for h in written]}.")
            return result

        with TRACING:
            return jax.vmap(inner, in_axes, out_axes)(*args)

    return run


def custom_gradient(fn):
    """`fn(*args)` returns `(outputs, grad_fn)`; `grad_fn(*args, upstream=...)` or `grad_fn(upstream)` returns the arguments' gradients."""
    return functools.wraps(fn)(jax.custom_gradient(fn))


class Compiled:
    """One signature of a jitted function: the variables that it reads and writes, and the compiled pure function."""

    def __init__(self, owner, spec, static):
        self.owner, self.spec, self.static = owner, spec, static
        self.written, self.kept = [], []
        self.out_spec, self.out_static = None, []
        self.run = None

    def call(self, dynamic):
        """Runs the user's function on leaves, tracers or not."""
        leaves = iter(dynamic)
        args, kwargs = tree.unflatten(self.spec, [next(leaves) if s is _DYNAMIC else s.value for s in self.static])
        return self.owner.fn(*args, **kwargs)

    def discover(self, dynamic):
        """One abstract run that tells which variables the function reads and writes."""

        def abstract(dynamic):
            with journal() as notes:
                try:
                    self.call(dynamic)
                finally:
                    notes.take_back()
            known = set(self.written)
            self.written += [h for h in notes.writes if h not in known]
            known = {*self.written, *self.kept}
            self.kept = [h for h in (*self.kept, *notes.reads) if h not in set(self.written)]
            self.kept = list(dict.fromkeys(self.kept))
            return ()

        with TRACING:
            jax.eval_shape(abstract, dynamic)

    def build(self):
        def traced(written, kept, dynamic):
            started = time.perf_counter()
            with swapped(self.written + self.kept, [*written, *kept]):
                with journal() as notes:
                    try:
                        result = self.call(dynamic)
                    finally:
                        new = notes.take_back()
                if not (new.keys() <= set(self.written) and notes.reads.keys() <= {*self.written, *self.kept}):
                    raise _Grown
                new = [new.get(holder, holder._value) for holder in self.written]
            leaves, self.out_spec = tree.flatten_with_spec(result)
            arrays = [isinstance(leaf, DYNAMIC) for leaf in leaves]
            self.out_static = [None if array else leaf for leaf, array in zip(leaves, arrays)]
            self.out_arrays = arrays
            self.owner.traces += 1
            self.owner.trace_seconds += time.perf_counter() - started
            return new, [leaf for leaf, array in zip(leaves, arrays) if array]

        self.run = jax.jit(traced, donate_argnums=(0,) if self.owner.donate else ())

    def __call__(self, dynamic):
        if self.run is None:
            self.discover(dynamic)
            self.build()
        try:
            new, leaves = self.run([h.value for h in self.written], [h.value for h in self.kept], dynamic)
        except _Grown:  # a branch taken for the first time touches more variables
            self.discover(dynamic)
            self.build()
            new, leaves = self.run([h.value for h in self.written], [h.value for h in self.kept], dynamic)
        for holder, value in zip(self.written, new):
            holder.put(value)
        if all(self.out_arrays):
            return tree.unflatten(self.out_spec, leaves)
        leaves = iter(leaves)
        return tree.unflatten(self.out_spec, [next(leaves) if array else s for s, array in zip(self.out_static, self.out_arrays)])


class _Grown(Exception):
    """The trace met variables that the compiled signature does not know."""


class _Static:
    """A static leaf: hashed and compared by value where it can be, else by identity."""

    __slots__ = ("key", "value")

    def __init__(self, value):
        self.value = value
        try:
            hash(value)
            self.key = (type(value), value)
        except TypeError:
            self.key = (type(value), id(value))

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return isinstance(other, _Static) and self.key == other.key


_DYNAMIC = object()


class Jitted:
    """A function compiled by XLA, once per structure of its arguments, their shapes and dtypes, and its static arguments' values."""

    def __init__(self, fn, donate=True):
        functools.update_wrapper(self, fn)
        self.fn, self.donate = fn, donate
        self.entries = {}
        self.traces, self.trace_seconds = 0, 0.0

    def __call__(self, *args, **kwargs):
        leaves, spec = tree.flatten_with_spec((args, kwargs))
        static = tuple([_DYNAMIC if isinstance(leaf, DYNAMIC) else _Static(leaf) for leaf in leaves])
        entry = self.entries.get((spec, static))
        if entry is None:
            entry = self.entries[spec, static] = Compiled(self, spec, static)
        return entry([leaf for leaf in leaves if isinstance(leaf, DYNAMIC)])


def jit(fn, donate=True, **options):
    return Jitted(fn, donate)


def device(name):
    """A `with` form that puts new arrays on a device, for example `"gpu:0"`."""
    kind, _, index = name.lower().partition(":")
    return jax.default_device(jax.devices({"gpu": "gpu", "cuda": "gpu"}.get(kind, kind))[int(index or 0)])
