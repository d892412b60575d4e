"""Neural-network functions on JAX arrays: activations, normalization, attention, dense."""

import jax
import jax.numpy as jnp
from jax import lax

from core.base import shapes

FUNCTIONS = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "softsign": jax.nn.soft_sign,
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "celu": jax.nn.celu,
    "glu": jax.nn.glu,
    "log_sigmoid": jax.nn.log_sigmoid,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "hard_silu": jax.nn.hard_silu,
    "hard_tanh": jax.nn.hard_tanh,
    "squareplus": jax.nn.squareplus,
    "sparse_plus": jax.nn.sparse_plus,
    "sparse_sigmoid": jax.nn.sparse_sigmoid,
}


def relu6(x):
    return jax.nn.relu6(x).astype(x.dtype)


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis


def softmax(x, axis=-1):
    return jax.nn.softmax(x, _axes(axis))


def log_softmax(x, axis=-1):
    return jax.nn.log_softmax(x, _axes(axis))


def leaky_relu(x, negative_slope=0.2):
    return jax.nn.leaky_relu(x, negative_slope)


def polar(abs_, angle):
    wide = jnp.promote_types(abs_.dtype, jnp.float32)
    abs_, angle = abs_.astype(wide), angle.astype(wide)
    return lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


def dense(x, kernel, bias=None):
    y = jnp.matmul(x, kernel)
    return y if bias is None else y + bias


def dot_product_attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None, attn_logits_soft_cap=None
):
    if not query.ndim == key.ndim == value.ndim == 4:  # JAX takes a missing batch axis for one of size 1
        raise ValueError("shapes")  # the op's rule says which
    (batch, targets, heads, size), (sources, others), cap = query.shape, key.shape[1:3], attn_logits_soft_cap
    if cap is None and size == value.shape[-1] and (targets > 1 or flash_attention):
        four = lambda x: None if x is None else x.reshape((1,) * (4 - x.ndim) + x.shape)  # noqa: E731
        return jax.nn.dot_product_attention(
            query, key, value, four(bias), four(mask if mask is None else mask.astype(bool)), scale=scale, is_causal=is_causal,
            implementation="cudnn" if flash_attention else None,
        )  # fmt: skip
    if not all(x is None or shapes.fits(x.shape, (batch, heads, targets, sources)) for x in (bias, mask)):
        raise ValueError("shapes")
    # Keys first and values last: so XLA reads both as they lie in a cache that keeps the slots of a head together.
    wide, rows = jnp.promote_types(query.dtype, jnp.float32), query.swapaxes(1, 2).reshape(batch, others, heads // others * targets, size)
    logits = lax.dot_general(key, rows, (((3,), (3,)), ((0, 2), (0, 1))), preferred_element_type=wide).mT
    logits = logits.reshape(batch, heads, targets, sources) * (size**-0.5 if scale is None else scale)
    logits = logits if cap is None else cap * jnp.tanh(logits / cap)
    logits = logits if bias is None else logits + bias
    lowest = jnp.finfo(logits.dtype).min / 2
    if mask is not None:
        logits = jnp.where(mask.astype(bool), logits, lowest)
    if is_causal:
        logits = jnp.where(jnp.tri(*logits.shape[-2:], dtype=bool), logits, lowest)
    weights = jax.nn.softmax(logits).astype(value.dtype).reshape(rows.shape[:3] + (sources,))
    found = lax.dot_general(weights, value, (((3,), (1,)), ((0, 1), (0, 2))))
    return found.reshape(batch, heads, targets, value.shape[-1]).swapaxes(1, 2)


def ctc_beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    from core.backend.numpy.nn import ctc_beam_search as on_host

    if inputs.ndim != 3:
        raise ValueError("shapes")  # the op's rule says which
    batch, steps = inputs.shape[:2]
    shapes = jax.ShapeDtypeStruct((top_paths, batch, steps), jnp.int32), jax.ShapeDtypeStruct((batch, top_paths), jnp.float32)
    search = lambda x, lengths: on_host(x, lengths, beam_width, top_paths, mask_index)  # noqa: E731
    return jax.pure_callback(search, shapes, lax.stop_gradient(inputs), sequence_lengths)
