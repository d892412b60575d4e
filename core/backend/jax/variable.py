"""How a `Variable` is held: a JAX array, replaced at each assignment."""

import jax
import jax.numpy as jnp


def init_scope():
    """A variable made inside a trace still holds values."""
    return jax.ensure_compile_time_eval()


def variable(value, trainable):
    return jnp.array(value)


def assign(held, value):
    # Two variables must never share a buffer: a compiled step donates the buffers of what it writes.
    return value if isinstance(value, jax.core.Tracer) else jnp.copy(value)


def set_trainable(held, trainable):
    return held


def as_functional(held):
    """A value to run on in the variable's place, whose replacement leaves `held` alone."""
    return held


def assign_add(held, value):
    return held + value


def assign_sub(held, value):
    return held - value
