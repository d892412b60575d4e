"""Whole-sequence recurrent layers on JAX arrays: `lax.scan` over time."""

import jax
import jax.numpy as jnp
from jax import lax


def _over_time(step, carry, x, kernel, bias, units):
    """Scans `step(carry, projected input)` over time.

    Few features are projected inside the loop, which spares an array of all projections and its gradient; many, where the product is
    what takes the time, in one product before it.
    """

    def project(x):
        return x @ kernel if bias is None else x @ kernel + bias

    if any(state.shape[0] != x.shape[0] for state in jax.tree.leaves(carry)):
        raise ValueError("shapes")  # the op's rule says which
    inputs = jnp.swapaxes(x, 0, 1)
    if x.shape[-1] <= units:
        carry, outputs = lax.scan(lambda carry, x: step(carry, project(x)), carry, inputs)
    else:
        carry, outputs = lax.scan(step, carry, project(inputs))
    return carry, jnp.swapaxes(outputs, 0, 1)


def lstm(x, h, c, kernel, recurrent_kernel, bias=None):
    def step(carry, z):
        h, c = carry
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    (h, c), outputs = _over_time(step, (h, c), x, kernel, bias, h.shape[-1])
    return outputs, h, c


def gru(x, h, kernel, recurrent_kernel, bias=None):
    def step(h, projected):
        recurrent = h @ recurrent_kernel if bias is None else h @ recurrent_kernel + bias[1]
        (z, r, n), (hz, hr, hn) = jnp.split(projected, 3, -1), jnp.split(recurrent, 3, -1)
        z, r = jax.nn.sigmoid(z + hz), jax.nn.sigmoid(r + hr)
        h = z * h + (1 - z) * jnp.tanh(n + r * hn)
        return h, h

    h, outputs = _over_time(step, h, x, kernel, None if bias is None else bias[0], h.shape[-1])
    return outputs, h


def simple_rnn(x, h, kernel, recurrent_kernel, bias=None):
    def step(h, projected):
        h = jnp.tanh(projected + h @ recurrent_kernel)
        return h, h

    h, outputs = _over_time(step, h, x, kernel, bias, h.shape[-1])
    return outputs, h
