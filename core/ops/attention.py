"""Scaled dot-product attention."""

from __future__ import annotations

import ml_dtypes

from core.backend.symbolic import KerasTensor
from core.base import dtypes, shapes
from core.ops.activations import softmax
from core.ops.convert import cast
from core.ops.creation import arange
from core.ops.elementwise import tanh
from core.ops.indexing import where
from core.ops.linalg import einsum
from core.ops.registry import op
from core.ops.shape import repeat

__all__ = ["dot_product_attention"]


def _check_sizes(query, key, value) -> None:
    """An error unless the sizes agree over which products are summed, and the batches."""
    q, k, v = (tuple(x.shape) for x in (query, key, value))
    if not (shapes.compatible((q[0], q[3]), (k[0], k[3])) and shapes.compatible(k[:3], v[:3])):
        raise ValueError(
            "dot_product_attention expected query and key of one batch and head size, and key and value of one batch, length and "
            f"number of heads, got shapes {q}, {k} and {v}."
        )


def _check_masks(query, key, **masks) -> None:
    logits = (query.shape[0], query.shape[2], query.shape[1], key.shape[1])
    for name, x in masks.items():
        if x is not None and not shapes.fits(tuple(x.shape), logits):
            raise ValueError(f"The {name} of dot_product_attention must broadcast to {logits}, got shape {tuple(x.shape)}.")


def _attention_rule(query, key, value, bias=None, mask=None, *args, **kwargs):
    for name, x in (("query", query), ("key", key), ("value", value)):
        if len(x.shape) != 4:
            raise ValueError(f"dot_product_attention expected {name} as (batch, length, heads, head size), got shape {x.shape}.")
    heads, others = query.shape[2], key.shape[2]
    _check_sizes(query, key, value)
    _check_masks(query, key, bias=bias, mask=mask)
    if heads is not None and others and heads % others:
        raise ValueError(f"The {heads} heads of the query are no multiple of the {others} heads of the key.")
    return KerasTensor((*query.shape[:3], value.shape[3]), query.dtype)


@op("query key value bias", also="mask", rule=_attention_rule, promote="float")
def dot_product_attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None, attn_logits_soft_cap=None
):
    """Averages of `value`, weighted by `softmax(scale * query . key + bias)`, per head. Vaswani et al., 2017.

    `query` is (batch, targets, heads, size), `key` and `value` (batch, sources, key heads, size); heads may be a multiple of key heads
    (grouped queries). `bias` and the boolean `mask` (True attends) broadcast to (batch, heads, targets, sources); `is_causal` hides
    later sources. A target that may attend nowhere gets an even average. `scale` is `size ** -0.5` unless given.
    `attn_logits_soft_cap=c` replaces logits by `c * tanh(logits / c)`. `flash_attention=True` asks JAX for its cuDNN kernel;
    PyTorch chooses by itself.

    >>> x = [[[[1.0, 2.0]]]]
    >>> dot_product_attention(x, x, x)
    array([[[[1., 2.]]]], dtype=float32)
    """
    _check_sizes(query, key, value)
    _check_masks(query, key, bias=bias, mask=mask)
    groups = query.shape[2] // key.shape[2]
    if groups > 1:
        key, value = repeat(key, groups, axis=2), repeat(value, groups, axis=2)
    logits = einsum("btnh,bsnh->bnts", query, key) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if attn_logits_soft_cap is not None:
        logits = attn_logits_soft_cap * tanh(logits / attn_logits_soft_cap)
    if bias is not None:
        logits = logits + bias
    lowest = float(ml_dtypes.finfo(dtypes.numpy_dtype(dtypes.standardize_dtype(query.dtype))).min) / 2
    if mask is not None:
        logits = where(cast(mask, "bool"), logits, lowest)
    if is_causal:
        targets, sources = logits.shape[-2:]
        logits = where(arange(targets)[:, None] >= arange(sources)[None, :], logits, lowest)
    return einsum("bnts,bsnh->btnh", softmax(logits), value)
