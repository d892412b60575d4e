"""What the attention layers share: joined masks, and averages by scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import ops


def join_masks(
    query: Any,
    value: Any,
    *,
    value_mask: Any = None,
    key_mask: Any = None,
    attention_mask: Any = None,
    use_causal_mask: bool = False,
    sliding_window: int | None = None,
) -> Any:
    """The boolean mask (batch or 1, targets or 1, sources) that holds where all the given ones do; None where none is given.

    `value_mask` and `key_mask` (batch, sources), `attention_mask` (batch, targets, sources). The causal mask hides later
    sources, the sliding window those that are `sliding_window` or more steps away.
    """
    found = []
    for mask in (value_mask, key_mask):
        if mask is not None:
            found.append(ops.expand_dims(ops.cast(mask, "bool"), -2))
    if use_causal_mask or sliding_window is not None:
        targets, sources = ops.arange(ops.shape(query)[1])[None, :, None], ops.arange(ops.shape(value)[1])[None, None, :]
        if use_causal_mask:
            found.append(targets >= sources)
        if sliding_window is not None:
            found.append(ops.abs(targets - sources) < sliding_window)
    if attention_mask is not None:
        found.append(ops.cast(attention_mask, "bool"))
    if not found:
        return None
    joined = found[0]
    for mask in found[1:]:
        joined = ops.logical_and(joined, mask)
    return joined


def masked_softmax(scores: Any, mask: Any, axis: Any = -1) -> Any:
    """Weights by `scores` over `axis`, 0 where the boolean `mask` is False; even ones where all of it is."""
    if mask is not None:
        scores = ops.where(mask, scores, -1e9 if ops.dtype(scores) != "float16" else -3e4)
    return ops.softmax(scores, axis=axis)


def attend(query: Any, key: Any, value: Any, mask: Any, axes: tuple[int, ...], dropout: Callable | None = None) -> tuple[Any, Any]:
    """Scaled dot-product attention over any `axes` of (batch, ..., heads, size) tensors: the averages of `value`, and the weights.

    Weights are (batch, other axes, heads, targets, sources); `mask` is (batch, other axes, targets, sources), where the other axes and the
    batch may be missing.
    """
    rank = len(query.shape)
    letters = "abcdefghijklmnop"[: rank - 2]
    sources = "".join(c.upper() if i in axes else c for i, c in enumerate(letters))
    kept = "".join(c for i, c in enumerate(letters) if i not in axes)
    weights_term = f"{kept}y{''.join(letters[i] for i in axes)}{''.join(sources[i] for i in axes)}"
    scores = ops.einsum(f"{letters}yz,{sources}yz->{weights_term}", ops.multiply(query, query.shape[-1] ** -0.5), key)
    if mask is not None:
        for _ in range(len(scores.shape) - len(mask.shape)):
            mask = ops.expand_dims(mask, -2 * len(axes) - 1)
    weights = masked_softmax(scores, mask, tuple(range(-len(axes), 0)) if len(axes) > 1 else -1)
    used = weights if dropout is None else dropout(weights)
    return ops.einsum(f"{weights_term},{sources}yz->{letters}yz", used, value), weights
