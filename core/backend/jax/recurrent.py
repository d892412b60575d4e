"""Whole-sequence recurrent layers on JAX arrays: `lax.scan` over time."""

import jax
import jax.numpy as jnp
from jax import lax


def _over_time(step, states, x, kernel, bias, mask):
    """Scans `step(states, projected input)`, which returns the new states, over time; stacks the first state.

    Few features are projected inside the loop, which spares an array of all projections and its gradient; many, where the product is
    what takes the time, in one product before it.
    """

    def project(x):
        return x @ kernel if bias is None else x @ kernel + bias

    if any(state.shape[0] != x.shape[0] for state in states) or mask is not None and mask.shape != x.shape[:2]:
        raise ValueError("shapes")  # the op's rule says which
    inside = x.shape[-1] <= states[0].shape[-1]
    inputs = jnp.swapaxes(x, 0, 1)
    inputs = inputs if inside else project(inputs)
    seen = None if mask is None else jnp.swapaxes(mask.astype(bool), 0, 1)

    def advance(states, given):
        x, seen = given
        new = step(states, project(x) if inside else x)
        if seen is not None:
            new = tuple(jnp.where(seen[:, None], one, old) for one, old in zip(new, states))
        return new, new[0]

    states, outputs = lax.scan(advance, states, (inputs, seen))
    outputs = jnp.swapaxes(outputs, 0, 1)
    if mask is not None:  # nothing to repeat before the first step that is seen
        outputs = jnp.where(lax.cummax(mask.astype(bool).astype("int32"), 1)[..., None] > 0, outputs, 0)
    return outputs, *states


def lstm(x, h, c, kernel, recurrent_kernel, bias=None, mask=None):
    def step(states, z):
        h, c = states
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    return _over_time(step, (h, c), x, kernel, bias, mask)


def gru(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    if bias is not None and bias.ndim != 2:
        raise ValueError("shapes")

    def step(states, projected):
        (h,) = states
        recurrent = h @ recurrent_kernel if bias is None else h @ recurrent_kernel + bias[1]
        (z, r, n), (hz, hr, hn) = jnp.split(projected, 3, -1), jnp.split(recurrent, 3, -1)
        z, r = jax.nn.sigmoid(z + hz), jax.nn.sigmoid(r + hr)
        return (z * h + (1 - z) * jnp.tanh(n + r * hn),)

    return _over_time(step, (h,), x, kernel, None if bias is None else bias[0], mask)


def simple_rnn(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    def step(states, projected):
        return (jnp.tanh(projected + states[0] @ recurrent_kernel),)

    return _over_time(step, (h,), x, kernel, bias, mask)
