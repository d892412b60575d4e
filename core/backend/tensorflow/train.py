"""Lifted transforms on TensorFlow: `tf.function` and tapes see variables by themselves."""

from __future__ import annotations

import contextlib
import functools

import tensorflow as tf

from core.backend import gradients
from core.base import tree


class Jitted:
    """A `tf.function`, with the count of its traces."""

    def __init__(self, fn, xla):
        functools.update_wrapper(self, fn)
        self.fn, self.traces = fn, 0

        def traced(*args, **kwargs):
            self.traces += 1
            return fn(*args, **kwargs)

        self.function = tf.function(traced, autograph=False, jit_compile=xla, reduce_retracing=True)

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)


def jit(fn, xla=None, **options):
    return Jitted(fn, xla)


def no_grad():
    return contextlib.nullcontext()


def _require_scalar(loss):
    if loss.shape.rank != 0:
        raise ValueError(f"A gradient needs a scalar loss, got one of shape {tuple(loss.shape)}; reduce it, for example with core.ops.mean.")


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
