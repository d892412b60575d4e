"""Whole-sequence recurrent layers on TensorFlow tensors: a loop over time with the input projection taken out of it."""

import tensorflow as tf

from core.backend.tensorflow.train import under_xla

UNROLLED = 64  # steps up to which a graph holds each on its own: its kernels start faster than a loop turns. XLA compiles loops better.


def _loop(step, states, projected, mask):
    """Runs `step(*states, projected[:, t])`, which returns the new states, over time; stacks the first state."""
    if any(not state.shape[:1].is_compatible_with(projected.shape[:1]) for state in states):
        raise ValueError("shapes")  # the op's rule says which
    inputs = tf.transpose(projected, (1, 0, 2))
    if mask is None:
        outputs, *states = _turn(lambda states, x: step(*states, x), states, [inputs])
    elif not mask.shape.is_compatible_with(projected.shape[:2]):
        raise ValueError("shapes")
    else:
        mask = tf.cast(mask, tf.bool)

        def masked_step(states, x, seen):
            return [tf.where(seen, new, old) for new, old in zip(step(*states, x), states)]

        outputs, *states = _turn(masked_step, states, [inputs, tf.expand_dims(tf.transpose(mask), 2)])
        begun = tf.cumsum(tf.cast(mask, tf.int32), 1) > 0  # before, there is nothing to repeat
        outputs = tf.where(tf.expand_dims(begun, 2), outputs, tf.zeros((), outputs.dtype))
    outputs.set_shape((*projected.shape[:2], states[0].shape[-1]))
    return outputs, *states


def _turn(step, states, sequences):
    """Runs `step(states, *elements)` along the sequences' first axis, unrolled where that is faster; stacks the first state."""
    length = sequences[0].shape[0]
    if tf.executing_eagerly() or (length or UNROLLED + 1) <= UNROLLED and not under_xla():
        found = []
        for elements in zip(*(tf.unstack(sequence) for sequence in sequences)):
            states = step(states, *elements)
            found.append(states[0])
        return tf.stack(found, 1), *states
    steps = tf.shape(sequences[0])[0]
    # Read from arrays of slices: the gradient of `inputs[t]` would be a whole sequence per step.
    slices = [tf.TensorArray(x.dtype, steps, element_shape=x.shape[1:]).unstack(x) for x in sequences]
    outputs = tf.TensorArray(sequences[0].dtype, steps, element_shape=states[0].shape)

    def body(t, outputs, *states):
        states = step(states, *(array.read(t) for array in slices))
        return t + 1, outputs.write(t, states[0]), *states

    _, outputs, *states = tf.while_loop(lambda t, *rest: t < steps, body, (0, outputs, *states), maximum_iterations=length)
    return tf.transpose(outputs.stack(), (1, 0, 2)), *states


def _project(x, kernel, bias):
    y = tf.tensordot(x, kernel, 1)
    return y if bias is None else y + bias


def lstm(x, h, c, kernel, recurrent_kernel, bias=None, mask=None):
    def step(h, c, projected):
        i, f, g, o = tf.split(projected + tf.matmul(h, recurrent_kernel), 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    return _loop(step, (h, c), _project(x, kernel, bias), mask)


def gru(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    if bias is not None and bias.shape.rank != 2:
        raise ValueError("shapes")

    def step(h, projected):
        recurrent = tf.matmul(h, recurrent_kernel) + (0 if bias is None else bias[1])
        (z, r, n), (hz, hr, hn) = tf.split(projected, 3, -1), tf.split(recurrent, 3, -1)
        z, r = tf.sigmoid(z + hz), tf.sigmoid(r + hr)
        return (z * h + (1 - z) * tf.tanh(n + r * hn),)

    return _loop(step, (h,), _project(x, kernel, None if bias is None else bias[0]), mask)


def simple_rnn(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    def step(h, projected):
        return (tf.tanh(projected + tf.matmul(h, recurrent_kernel)),)

    return _loop(step, (h,), _project(x, kernel, bias), mask)
