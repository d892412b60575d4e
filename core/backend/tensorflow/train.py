"""Lifted transforms on TensorFlow: `tf.function` and tapes see variables by themselves."""

from __future__ import annotations

import contextlib
import functools
import threading
import time

import numpy as np
import tensorflow as tf

from core.backend import gradients
from core.backend.journal import Holder
from core.backend.masks import traced_masks
from core.backend.signature import of_traced, signature
from core.base import tree

_tracing = threading.local()


def under_xla():
    """Whether what is being traced in this thread will be compiled by XLA."""
    return getattr(_tracing, "xla", False)


class Jitted:
    """A function as `tf.function`s of the tensors among its arguments, one for each set of static values; they count their traces."""

    def __init__(self, fn, xla):
        functools.update_wrapper(self, fn)
        self.fn, self.xla = fn, xla
        self.functions = {}
        self.traces, self.trace_seconds = 0, 0.0
        self.reason = None  # why it runs without XLA, where that was wanted

    def __call__(self, *args, **kwargs):
        key, spec, static, leaves = signature(args, kwargs, _DYNAMIC)
        key = (key, *map(_rank, leaves))  # sizes may be left open by a trace, ranks may not
        function = self.functions.get(key)
        if function is None:
            return self._first_call(key, of_traced(self.fn, spec, static), leaves)
        return function(leaves)

    def _first_call(self, key, call, leaves):
        """The first run compiles. With xla="auto", what XLA cannot compile runs without it; XLA refuses before anything has run."""
        self.functions[key] = function = self._function(call, bool(self.xla))
        try:
            return function(leaves)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, tf.errors.NotFoundError) as error:
            if self.xla != "auto":
                del self.functions[key]
                raise
            self.reason = f"XLA cannot compile it: {str(error).splitlines()[0][:200]}"
            self.functions[key] = function = self._function(call, False)
            return function(leaves)

    def _function(self, call, xla):
        def traced(leaves):
            started = time.perf_counter()
            before, _tracing.xla = under_xla(), xla
            try:
                with traced_masks():
                    result = call(leaves)
            finally:
                _tracing.xla = before
            self.traces += 1
            self.trace_seconds += time.perf_counter() - started
            return tree.map_structure(lambda x: x.value if isinstance(x, Holder) else x, result)

        return tf.function(traced, autograph=False, jit_compile=xla or None, reduce_retracing=True)


def _rank(x):
    shape = x.shape
    return shape.rank if type(shape) is tf.TensorShape else len(shape)


_DYNAMIC = (tf.Tensor, tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices, np.ndarray, np.generic)


def jit(fn, xla=None, **options):
    return Jitted(fn, xla)


def no_grad():
    return contextlib.nullcontext()


inference = no_grad  # what is computed is never differentiated: nothing more to save here


def _require_scalar(loss):
    if loss.shape.rank != 0:
        raise ValueError(f"A gradient needs a scalar loss, got one of shape {tuple(loss.shape)}; reduce it, say with core.ops.mean.")


def value_and_grad(fn, variables, has_aux=False):
    variables = list(variables)

    def run(*args, **kwargs):
        values = [v.value for v in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for value in values:
                tape.watch(value)
            result = fn(*args, **kwargs)
        loss = result[0] if has_aux else result
        _require_scalar(loss)
        return result, [tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g for g in tape.gradient(loss, values)]

    return run


def argument_value_and_grad(fn, argnums=0, has_aux=False):
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def run(*args, **kwargs):
        args = list(args)
        for i in numbers:  # tensors of their own: `fn` may also close over the given ones, which stay constant
            args[i] = tree.map_structure(tf.identity, args[i])
        sources = [args[i] for i in numbers]
        with tf.GradientTape() as tape:
            for source in tree.flatten(sources):
                tape.watch(source)
            result = fn(*args, **kwargs)
        loss = result[0] if has_aux else result
        _require_scalar(loss)
        gradients = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return result, (gradients[0] if isinstance(argnums, int) else tuple(gradients))

    return run


def remat(fn):
    def run(*args, **kwargs):
        tensors, of_tensors = gradients.split(args, kwargs, tf.is_tensor, fn)
        again = gradients.repeatable(of_tensors, tf.identity, lambda held, value: held.assign(value))
        return tf.recompute_grad(again)(*tensors)

    return functools.wraps(fn)(run)


def vmap(fn, in_axes=0, out_axes=0):
    def run(*args):
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        moved = [_to_front(x, axis) for x, axis in zip(args, axes) if axis is not None]

        def one(parts):
            parts = iter(parts)
            return fn(*(x if axis is None else next(parts) for x, axis in zip(args, axes)))

        result = tf.vectorized_map(one, moved)
        return tree.map_structure(lambda x: _from_front(x, out_axes), result)

    return run


def _to_front(x, axis):
    order = [axis % x.shape.rank] + [i for i in range(x.shape.rank) if i != axis % x.shape.rank]
    return x if order[0] == 0 else tf.transpose(x, order)


def _from_front(x, axis):
    order = list(range(1, x.shape.rank))
    order.insert(axis % x.shape.rank, 0)
    return x if order[0] == 0 else tf.transpose(x, order)


def custom_gradient(fn):
    """`fn(*args)` returns `(outputs, grad_fn)`; see `core.backend.gradients.call` for how `grad_fn` is called."""

    def forward(*args):
        outputs, grad_fn = fn(*args)
        return outputs, lambda *upstream: gradients.call(grad_fn, args, upstream)

    return functools.wraps(fn)(tf.custom_gradient(forward))


def device(name):
    """A `with` form that puts new tensors on a device, for example `"gpu:0"`."""
    return tf.device(name.lower().replace("cuda", "gpu"))
