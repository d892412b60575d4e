"""The TensorFlow backend's functions of the control room. See `core.backend.protocol`.

Eager code runs as Python loops; inside a `tf.function` loops become `tf.while_loop`s. Variables are read and written in place.
"""

import tensorflow as tf

from core.backend import loops
from core.backend.tensorflow.array import convert_to_tensor
from core.base import tree

_EAGER = loops.functions(tf.stack, convert_to_tensor)


def cond(pred, true_fn, false_fn):
    if tf.executing_eagerly() or not tf.is_tensor(pred):
        return _EAGER["cond"](pred, true_fn, false_fn)
    return tf.cond(pred, true_fn, false_fn)


def switch(index, branches, *operands):
    if tf.executing_eagerly():
        return _EAGER["switch"](index, branches, *operands)
    index = tf.clip_by_value(tf.cast(index, tf.int32), 0, len(branches) - 1)
    return tf.switch_case(index, [lambda branch=branch: branch(*operands) for branch in branches])


def while_loop(cond, body, loop_vars, maximum_iterations=None):
    if tf.executing_eagerly():
        return _EAGER["while_loop"](cond, body, loop_vars, maximum_iterations)
    several = isinstance(loop_vars, (tuple, list))
    first, spec = tree.flatten_with_spec(tuple(loop_vars) if several else (loop_vars,))
    leaves = [convert_to_tensor(leaf) for leaf in first if leaf is not None]

    def structured(leaves):
        given = iter(leaves)
        return tree.unflatten(spec, [None if leaf is None else next(given) for leaf in first])

    def step(*leaves):
        result = body(*structured(leaves))
        result = tuple(result) if several and isinstance(result, (tuple, list)) else (result,)
        new = [leaf for leaf in tree.flatten(result) if leaf is not None]
        return [tf.cast(value, old.dtype) for value, old in zip(new, leaves, strict=True)]

    last = tf.while_loop(lambda *leaves: cond(*structured(leaves)), step, leaves, maximum_iterations=maximum_iterations)
    last = structured(last if isinstance(last, (list, tuple)) else [last])
    return type(loop_vars)(last) if type(loop_vars) in (tuple, list) else last if several else last[0]


def fori_loop(lower, upper, body_fun, init_val):
    if tf.executing_eagerly():
        return _EAGER["fori_loop"](lower, upper, body_fun, init_val)
    state = (tf.convert_to_tensor(lower), init_val)
    limit = int(upper) - int(lower) if isinstance(lower, int) and isinstance(upper, int) else None
    return while_loop(lambda i, _: i < upper, lambda i, value: (i + 1, body_fun(i, value)), state, limit)[1]


def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    if tf.executing_eagerly():
        return _EAGER["scan"](f, init, xs, length, reverse)
    sequences, xs_spec = tree.flatten_with_spec(xs)
    if length is None:
        static = next((x.shape[0] for x in sequences if x is not None and x.shape[0] is not None), None)
        length = tf.shape(next(x for x in sequences if x is not None))[0] if static is None else static
    carry, carry_spec = tree.flatten_with_spec(init)
    carry = [convert_to_tensor(leaf) for leaf in carry]

    # Read from arrays of slices: the gradient of `x[index]` would be a whole sequence per step.
    slices = [None if x is None else tf.TensorArray(x.dtype, length, element_shape=x.shape[1:]).unstack(x) for x in sequences]

    def at(index):
        return tree.unflatten(xs_spec, [None if x is None else x.read(index) for x in slices])

    first = [None if x is None else tf.zeros(tf.shape(x)[1:], x.dtype) for x in sequences]
    outputs, ys_spec = _outline(lambda: f(tree.unflatten(carry_spec, carry), tree.unflatten(xs_spec, first))[1])
    arrays = [tf.TensorArray(y.dtype, length, element_shape=y.shape) for y in outputs if y is not None]

    def step(count, carry, arrays):
        index = length - 1 - count if reverse else count
        new, y = f(tree.unflatten(carry_spec, carry), at(index))
        new = [tf.cast(value, old.dtype) for value, old in zip(tree.flatten(new), carry, strict=True)]
        values = [convert_to_tensor(value) for value in tree.flatten(y) if value is not None]
        return count + 1, new, [array.write(index, value) for array, value in zip(arrays, values, strict=True)]

    state = (tf.constant(0), carry, arrays)
    _, carry, arrays = tf.while_loop(lambda count, *_: count < length, step, state, maximum_iterations=length)
    stacks = iter([array.stack() for array in arrays])
    return tree.unflatten(carry_spec, carry), tree.unflatten(ys_spec, [None if y is None else next(stacks) for y in outputs])


def _outline(fn):
    """Shapes and dtypes of what `fn` returns, and its structure, from a trace that is thrown away."""
    found = []

    def trace():
        leaves, spec = tree.flatten_with_spec(fn())
        found[:] = [None if leaf is None else tf.TensorSpec.from_tensor(convert_to_tensor(leaf)) for leaf in leaves], spec
        return tf.constant(0)

    tf.function(trace, autograph=False).get_concrete_function()
    return found


def vectorized_map(function, elements):
    return tf.vectorized_map(function, elements)


def jvp(fun, primals, tangents, has_aux=False):
    primals, tangents = tuple(primals), tuple(tangents)
    with tf.autodiff.ForwardAccumulator(primals, tangents) as accumulator:
        result = fun(*primals)
    outputs, aux = result if has_aux else (result, None)
    change = tree.map_structure(lambda y: accumulator.jvp(y, tf.UnconnectedGradients.ZERO), outputs)
    return (outputs, change, aux) if has_aux else (outputs, change)
