"""`GroupQueryAttention`."""

from __future__ import annotations

from core import ops
from core.backend.symbolic import KerasTensor
from core.base import names
from core.layers.attention_core import attend, join_masks
from core.layers.multi_head_attention import AttentionProjections


class GroupQueryAttention(AttentionProjections):
    """Attention by heads in which several heads of the query share one of key and value. Ainslie et al., 2023.

    Takes `query` (batch, targets, dim), `value` and optionally `key` (batch, sources, dim); returns (batch, targets, dim), and with
    `return_attention_scores=True` also the weights (batch, query heads, targets, sources).

    Args:
        head_dim: size of each head.
        num_query_heads, num_key_value_heads: numbers of heads; the first is a multiple of the second.

    The other arguments, and those of calls, are as in `MultiHeadAttention`.

    >>> x = np.ones((2, 5, 8), "float32")
    >>> GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        head_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                f"GroupQueryAttention: {num_query_heads} query heads cannot share {num_key_value_heads} key heads evenly; take a multiple."
            )
        options = {
            "kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer, "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer, "kernel_constraint": kernel_constraint, "bias_constraint": bias_constraint,
        }  # fmt: skip
        if kwargs.get("name") is None:
            kwargs["name"] = names.auto_name("GroupedQueryAttention")  # its other name, which files have
        super().__init__(
            dropout=dropout, use_bias=use_bias, sliding_window=sliding_window, flash_attention=flash_attention, use_gate=use_gate,
            seed=seed, options=options, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.head_dim, self.num_query_heads, self.num_key_value_heads = head_dim, num_query_heads, num_key_value_heads

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        self._query_dense = self._dense(query_shape, (self.num_query_heads, self.head_dim), 1, "query")
        self._key_dense = self._dense(key_shape, (self.num_key_value_heads, self.head_dim), 1, "key")
        if self.use_gate:
            self._gate_dense = self._dense(query_shape, (self.num_query_heads, self.head_dim), 1, "gate")
        self._value_dense = self._dense(value_shape, (self.num_key_value_heads, self.head_dim), 1, "value")
        heads_shape = (*query_shape[:-1], self.num_query_heads, self.head_dim)
        self._output_dense = self._dense(heads_shape, (query_shape[-1],), 2, "attention_output")

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        mask = join_masks(
            query, value, value_mask=value_mask, key_mask=key_mask, attention_mask=attention_mask,
            use_causal_mask=use_causal_mask, sliding_window=self.sliding_window,
        )  # fmt: skip
        q, k, v = self._query_dense(query), self._key_dense(value if key is None else key), self._value_dense(value)
        dropped = training and self._dropout_layer is not None
        if return_attention_scores or dropped:
            groups = self.num_query_heads // self.num_key_value_heads
            k, v = ops.repeat(k, groups, axis=2), ops.repeat(v, groups, axis=2)
            outputs, weights = attend(q, k, v, mask, (1,), (lambda w: self._dropout_layer(w, training=True)) if dropped else None)
        else:
            mask = mask if mask is None else ops.expand_dims(mask, -3)
            outputs, weights = ops.dot_product_attention(q, k, v, mask=mask, flash_attention=self.flash_attention), None
        if self.use_gate:
            outputs = outputs * ops.sigmoid(self._gate_dense(query))
        outputs = self._output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return query_shape

    def compute_output_spec(self, query, value, key=None, *args, return_attention_scores=False, **kwargs):
        outputs = KerasTensor(query.shape, self.compute_dtype)
        weights_shape = (query.shape[0], self.num_query_heads, query.shape[1], value.shape[1])
        return (outputs, KerasTensor(weights_shape, self.compute_dtype)) if return_attention_scores else outputs

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            **self._options_config(),
        }


__all__ = ["GroupQueryAttention"]
