"""The attention of all templates: grouped heads, rotary positions, soft caps, and a cache for decoding."""

from __future__ import annotations

from typing import Any

from core import layers, name_scope, ops
from hub.layers.linear import linear
from hub.layers.normalization import normalization
from hub.layers.rotary import rotate


class Attention(layers.Layer):
    """Multi-head attention with projections: states (batch, time, features) to states of the same shape. Vaswani et al., 2017.

    Args:
        features: size of the states.
        num_heads, num_key_value_heads: heads of queries; heads of keys and values, each shared by as many queries (Ainslie et al., 2023).
        head_dim: features of a head.
        use_bias, use_output_bias: whether the projections to query, key and value, and the one of the result, add a bias.
        scale: factor of the logits; `head_dim ** -0.5` where it is None.
        soft_cap: where given, logits become `soft_cap * tanh(logits / soft_cap)`.
        head_norm: kind of a normalization of each head's query and key, with `epsilon`; none where it is None.
        dropout: rate for the weights in training.
        stddev: of the initial kernels; `query_stddev` and `output_stddev` where those differ.

    >>> x, _ = Attention(8, 2, 2, 4).call(np.ones((1, 3, 8), "float32"), None)
    >>> x.shape
    (1, 3, 8)
    """

    def __init__(
        self,
        features: int,
        num_heads: int,
        num_key_value_heads: int,
        head_dim: int,
        *,
        use_bias: bool = True,
        use_output_bias: bool = True,
        scale: float | None = None,
        soft_cap: float | None = None,
        head_norm: str | None = None,
        epsilon: float = 1e-6,
        dropout: float = 0.0,
        stddev: float = 0.02,
        query_stddev: float | None = None,
        output_stddev: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads, self.num_key_value_heads, self.head_dim = num_heads, num_key_value_heads, head_dim
        self.scale, self.soft_cap = scale, soft_cap
        policy, inner, shared = self.dtype_policy, num_heads * head_dim, num_key_value_heads * head_dim
        with name_scope(self.name):
            self.query = linear(features, inner, use_bias, query_stddev or stddev, "query", policy)
            self.key = linear(features, shared, use_bias, stddev, "key", policy)
            self.value = linear(features, shared, use_bias, stddev, "value", policy)
            self.output_dense = linear(inner, features, use_output_bias, output_stddev or stddev, "output_dense", policy)
            self.query_norm = self.key_norm = None
            if head_norm is not None:
                self.query_norm = normalization(head_norm, head_dim, epsilon, "query_norm", policy)
                self.key_norm = normalization(head_norm, head_dim, epsilon, "key_norm", policy)
        self.dropout = layers.Dropout(dropout, name="dropout", dtype=policy) if dropout else None
        self.built = True

    def call(
        self,
        x: Any,
        bias: Any,
        turns: Any = None,
        cache: Any = None,
        index: Any = None,
        sources: int | None = None,
        training: bool | None = None,
    ) -> tuple[Any, Any]:
        """Attends within `x`, or to the cache where one is given.

        Args:
            x: states (batch, time, features).
            bias: what is added to the logits (batch, heads, time, sources), or None; 1 broadcasts.
            turns: `Rotary.turns` of the positions of `x`, or None.
            cache: `(keys, values)`, each (batch, key heads, length, head_dim), so that what a head reads lies together; those of `x`
                are put at slot `index` and on.
            sources: how many slots of the cache are looked at, all of them where it is None.

        Returns:
            New states, and the new cache (None without one). The old cache must not be used afterwards.
        """
        query, (key, value) = self.queries(x), self.keys_and_values(x)
        if turns is not None:
            query, key = rotate(query, turns), rotate(key, turns)
        if cache is not None:
            cache = tuple(ops.slice_update(old, (0, 0, index, 0), _swapped(new), donate=True) for old, new in zip(cache, (key, value)))
            key, value = (_swapped(x if sources in (None, x.shape[2]) else x[:, :, :sources]) for x in cache)
        return self.attend(query, key, value, bias, training), cache

    def queries(self, x: Any) -> Any:
        """The queries (batch, time, heads, head_dim) of states."""
        query = _split(self.query(x), self.num_heads, self.head_dim)
        return query if self.query_norm is None else self.query_norm(query)

    def keys_and_values(self, x: Any) -> tuple[Any, Any]:
        """The keys and the values (batch, time, key heads, head_dim) of states."""
        key = _split(self.key(x), self.num_key_value_heads, self.head_dim)
        value = _split(self.value(x), self.num_key_value_heads, self.head_dim)
        return key if self.key_norm is None else self.key_norm(key), value

    def attend(self, query: Any, key: Any, value: Any, bias: Any, training: bool | None = None) -> Any:
        """The states (batch, time, features) that the queries find."""
        if self.dropout is not None and training:
            found = self._attend_dropping(query, key, value, bias, self.dropout)
        else:
            found = ops.dot_product_attention(query, key, value, bias, scale=self.scale, attn_logits_soft_cap=self.soft_cap)
        batch, time = ops.shape(found)[:2]
        return self.output_dense(ops.reshape(found, (batch, time, self.num_heads * self.head_dim)))

    def _attend_dropping(self, query: Any, key: Any, value: Any, bias: Any, dropout: layers.Dropout) -> Any:
        """As `ops.dot_product_attention`, with dropout of the weights, which that has not."""
        groups = self.num_heads // self.num_key_value_heads
        key, value = ops.repeat(key, groups, axis=2), ops.repeat(value, groups, axis=2)
        logits = ops.einsum("btnh,bsnh->bnts", query, key) * (self.head_dim**-0.5 if self.scale is None else self.scale)
        if self.soft_cap is not None:
            logits = self.soft_cap * ops.tanh(logits / self.soft_cap)
        weights = ops.softmax(logits if bias is None else logits + bias)
        return ops.einsum("bnts,bsnh->btnh", dropout(weights, training=True), value)


def _split(x: Any, heads: int, size: int) -> Any:
    batch, time = ops.shape(x)[:2]
    return ops.reshape(x, (batch, time, heads, size))


def _swapped(x: Any) -> Any:
    """(batch, time, heads, size) as (batch, heads, time, size), and back."""
    return ops.transpose(x, (0, 2, 1, 3))
