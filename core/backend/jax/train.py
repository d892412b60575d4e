"""Lifted transforms on JAX: code that reads and writes variables becomes a pure function and back.

The one idea: run the code with tracers in the variables, note in a journal what it read and wrote, give the written values
out as extra results, and put them into the variables after the call. Everything is restored where the code raises.
"""

from __future__ import annotations

import contextlib
import functools
import time

import jax
import jax.numpy as jnp
import numpy as np

from core.backend import gradients
from core.backend.jax.array import SparseArray
from core.backend.journal import TRACING, any_open, journal, swapped
from core.backend.masks import traced_masks
from core.backend.signature import TRACED, of_traced, signature
from core.base import tree

DYNAMIC = (jax.Array, jax.core.Tracer, np.ndarray, np.generic, SparseArray)


def no_grad():
    return contextlib.nullcontext()


inference = no_grad  # what is computed is never differentiated: nothing more to save here


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
        holders, reads = [], {}

        def loss_of(values):
            with swapped(variables, values), journal() as notes:
                result, written = pure(fn)(*args, **kwargs)
                reads.update(notes.reads)
            holders[:] = written
            loss, aux = result if has_aux else (result, None)
            _require_scalar(loss)
            return jnp.asarray(loss), (aux, list(written.values()))

        with TRACING:
            (loss, (aux, new)), gradients = _differentiated(loss_of, 0)([v.value for v in variables])
            for holder, value in zip(holders, new):
                holder.put(value)
        gradients = [g if v in reads else None for v, g in zip(variables, gradients)]
        return ((loss, aux) if has_aux else loss), gradients

    return run


def _differentiated(loss_of, argnums):
    """`jax.value_and_grad` of a function that returns `(loss, (aux, new values))`, where aux may hold what is no array."""

    def run(*args, **kwargs):
        outline = []

        def arrays_only(*args, **kwargs):
            loss, (aux, new) = loss_of(*args, **kwargs)
            leaves, spec = tree.flatten_with_spec(aux)
            outline[:] = spec, [None if isinstance(leaf, DYNAMIC) else leaf for leaf in leaves]
            return loss, ([leaf if isinstance(leaf, DYNAMIC) else None for leaf in leaves], new)

        (loss, (leaves, new)), gradients = jax.value_and_grad(arrays_only, argnums, has_aux=True)(*args, **kwargs)
        spec, others = outline
        aux = tree.unflatten(spec, [other if leaf is None else leaf for leaf, other in zip(leaves, others)])
        return (loss, (aux, new)), gradients

    return run


def _require_scalar(loss):
    if getattr(loss, "shape", ()) != ():
        raise ValueError(f"A gradient needs a scalar loss, got one of shape {tuple(loss.shape)}; reduce it, say with core.ops.mean.")


def argument_value_and_grad(fn, argnums=0, has_aux=False):
    """Gradients with respect to arguments; what `fn` writes to variables is kept."""

    def run(*args, **kwargs):
        holders = []

        def loss_of(*args, **kwargs):
            result, written = pure(fn)(*args, **kwargs)
            holders[:] = written
            loss, aux = result if has_aux else (result, None)
            _require_scalar(loss)
            return jnp.asarray(loss), (aux, list(written.values()))

        with TRACING:
            (loss, (aux, new)), gradients = _differentiated(loss_of, argnums)(*args, **kwargs)
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
    """Arrays among the arguments are differentiated; what is no array (a flag, a mask of None) goes around the transform."""

    @functools.wraps(fn)
    def run(*args, **kwargs):
        arrays, of_arrays = gradients.split(args, kwargs, lambda x: isinstance(x, DYNAMIC), fn)
        return _lifted(jax.checkpoint, of_arrays)(*arrays)

    return run


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
    """`fn(*args)` returns `(outputs, grad_fn)`; see `core.backend.gradients.call` for how `grad_fn` is called."""

    def forward(*args):
        outputs, grad_fn = fn(*args)
        return outputs, lambda upstream: gradients.call(grad_fn, args, (upstream,))

    return functools.wraps(fn)(jax.custom_gradient(forward))


class Compiled:
    """One signature of a jitted function: the variables that it reads and writes, and the compiled pure function."""

    def __init__(self, owner, call):
        self.owner, self.call = owner, call
        self.written, self.kept = [], []
        self.run = None

    def discover(self, dynamic):
        """One abstract run that tells which variables the function reads and writes."""

        def abstract(dynamic):
            with journal() as notes:
                try:
                    with traced_masks():
                        self.call(dynamic)
                finally:
                    notes.take_back()
            self.written = list(dict.fromkeys((*self.written, *notes.writes)))
            written = set(self.written)
            self.kept = [h for h in dict.fromkeys((*self.kept, *notes.reads)) if h not in written]
            return ()

        jax.eval_shape(abstract, dynamic)

    def build(self):
        written, known = self.written, {*self.written, *self.kept}
        allowed = set(written)
        kept = self.kept

        def traced(written_values, kept_values, dynamic):
            started = time.perf_counter()
            with swapped(written + kept, [*written_values, *kept_values]):
                with journal() as notes:
                    try:
                        with traced_masks():
                            result = self.call(dynamic)
                    finally:
                        new = notes.take_back()
                if not (new.keys() <= allowed and notes.reads.keys() <= known):
                    raise _Grown
                new = [new.get(holder, holder._value) for holder in written]
            self.owner.traces += 1
            self.owner.trace_seconds += time.perf_counter() - started
            return _unshared(new, [*kept_values, *dynamic]), _output(result)

        self.run = jax.jit(traced, donate_argnums=(0,) if self.owner.donate else ())

    def __call__(self, dynamic):
        # One thread at a time: what one call gives away (donates) or fills with tracers, no other may read.
        with TRACING:
            if self.run is None:
                self.discover(dynamic)
                self.build()
            try:
                return self._step(dynamic)
            except _Grown:  # a branch taken for the first time touches more variables
                self.discover(dynamic)
                self.build()
                return self._step(dynamic)

    def _step(self, dynamic):
        if any_open():
            new, result = self.run([h.value for h in self.written], [h.value for h in self.kept], dynamic)
            for holder, value in zip(self.written, new):
                holder.put(value)
        else:  # nobody takes notes
            new, result = self.run([h._value for h in self.written], [h._value for h in self.kept], dynamic)
            for holder, value in zip(self.written, new):
                holder._value = value
        return result


def _unshared(values, others):
    """The values, those copied that are also an argument or stand twice: a variable's buffer is given away and must be its own."""
    seen, result = {id(x) for x in others}, []
    for value in values:
        result.append(jnp.copy(value) if id(value) in seen else value)
        seen.add(id(value))
    return result


def _output(result):
    """What a trace returns, so that JAX gives it back as it was: arrays as they are, the rest as part of the structure."""
    leaves, spec = tree.flatten_with_spec(result)
    if len(leaves) == 1 and leaves[0] is result and isinstance(result, DYNAMIC):
        return result
    return _Result(spec, leaves)


class _Result:
    """A structure of arrays and other things. JAX takes it apart, and puts the plain structure together after each call."""

    def __init__(self, spec, leaves):
        self.spec, self.leaves = spec, leaves


def _take_apart(result):
    arrays = [leaf for leaf in result.leaves if isinstance(leaf, DYNAMIC)]
    return arrays, _Outline(result.spec, [TRACED if isinstance(leaf, DYNAMIC) else leaf for leaf in result.leaves], len(arrays))


def _put_together(outline, arrays):
    if not outline.plain:
        arrays = iter(arrays)
        arrays = [next(arrays) if leaf is TRACED else leaf for leaf in outline.leaves]
    return tree.unflatten(outline.spec, arrays)


class _Outline:
    """The structure of a `_Result` and its leaves that are no arrays. Each trace has its own: two are equal where they are one."""

    def __init__(self, spec, leaves, count):
        self.spec, self.leaves, self.plain = spec, leaves, count == len(leaves)


jax.tree_util.register_pytree_node(_Result, _take_apart, _put_together)


class _Grown(Exception):
    """The trace met variables that the compiled signature does not know."""


class Jitted:
    """A function compiled by XLA, once per structure of its arguments, their shapes and dtypes, and its static arguments' values."""

    def __init__(self, fn, donate=True):
        functools.update_wrapper(self, fn)
        self.fn, self.donate = fn, donate
        self.entries = {}
        self.traces, self.trace_seconds = 0, 0.0

    def __call__(self, *args, **kwargs):
        key, spec, static, leaves = signature(args, kwargs, DYNAMIC)
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = Compiled(self, of_traced(self.fn, spec, static))
        return entry(leaves)


def jit(fn, donate=True, **options):
    return Jitted(fn, donate)


def device(name):
    """A `with` form that puts new arrays on a device, for example `"gpu:0"`."""
    kind, _, index = name.lower().partition(":")
    return jax.default_device(jax.devices({"gpu": "gpu", "cuda": "gpu"}.get(kind, kind))[int(index or 0)])
