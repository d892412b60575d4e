"""Whole-sequence recurrent layers on JAX arrays: `lax.scan` over time, the input projection taken out of the loop."""

import jax
import jax.numpy as jnp
from jax import lax


def _scan(step, carry, projected):
    carry, outputs = lax.scan(step, carry, jnp.swapaxes(projected, 0, 1))
    return carry, jnp.swapaxes(outputs, 0, 1)


def lstm(x, h, c, kernel, recurrent_kernel, bias=None):
    def step(carry, z):
        h, c = carry
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    projected = x @ kernel if bias is None else x @ kernel + bias
    (h, c), outputs = _scan(step, (h, c), projected)
    return outputs, h, c


def gru(x, h, kernel, recurrent_kernel, bias=None):
    def step(h, projected):
        recurrent = h @ recurrent_kernel if bias is None else h @ recurrent_kernel + bias[1]
        (z, r, n), (hz, hr, hn) = jnp.split(projected, 3, -1), jnp.split(recurrent, 3, -1)
        z, r = jax.nn.sigmoid(z + hz), jax.nn.sigmoid(r + hr)
        h = z * h + (1 - z) * jnp.tanh(n + r * hn)
        return h, h

    h, outputs = _scan(step, h, x @ kernel if bias is None else x @ kernel + bias[0])
    return outputs, h


def simple_rnn(x, h, kernel, recurrent_kernel, bias=None):
    def step(h, projected):
        h = jnp.tanh(projected + h @ recurrent_kernel)
        return h, h

    h, outputs = _scan(step, h, x @ kernel if bias is None else x @ kernel + bias)
    return outputs, h
