"""How a `Variable` is held: a `tf.Variable`, so that tapes, `tf.function` and checkpoints see it."""

import tensorflow as tf

from core.backend import gradients
from core.backend.tensorflow.array import convert_to_tensor


def init_scope():
    """A variable made inside a tf.function still holds values."""
    return tf.init_scope()


def variable(value, trainable):
    return tf.Variable(convert_to_tensor(value), trainable=bool(trainable))


def assign(held, value):
    if not isinstance(held, tf.Variable):  # in a stateless call
        return tf.convert_to_tensor(value)
    gradients.before_write(held, tf.identity)
    held.assign(value)
    return held


def set_trainable(held, trainable):
    held._trainable = bool(trainable)  # what tf.Variable.trainable reads; TensorFlow has no public setter
    return held


def as_functional(held):
    """A value to run on in the variable's place, whose replacement leaves `held` alone; gradients flow to `held`."""
    return tf.convert_to_tensor(held)


def assign_add(held, value):
    if not isinstance(held, tf.Variable):  # in a stateless call
        return held + value
    gradients.before_write(held, tf.identity)
    held.assign_add(tf.broadcast_to(value, held.shape) if len(getattr(value, "shape", ())) != held.shape.rank else value)
    return held


def assign_sub(held, value):
    if not isinstance(held, tf.Variable):  # in a stateless call
        return held - value
    gradients.before_write(held, tf.identity)
    held.assign_sub(tf.broadcast_to(value, held.shape) if len(getattr(value, "shape", ())) != held.shape.rank else value)
    return held
