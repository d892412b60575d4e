"""`MultiHeadAttention`."""

from __future__ import annotations

from typing import Any

from core import constraints, initializers, ops, regularizers
from core.backend.symbolic import KerasTensor
from core.layers.attention_core import attend, join_masks
from core.layers.dropout import Dropout
from core.layers.einsum_dense import EinsumDense
from core.layers.layer import Layer


class AttentionProjections(Layer):
    """The projections before and after attention by heads, with their weights' options. A base class."""

    def __init__(self, *, dropout, use_bias, sliding_window, flash_attention, use_gate, seed, options: dict, **kwargs):
        super().__init__(**kwargs)
        if sliding_window is not None and (not isinstance(sliding_window, int) or sliding_window < 1):
            raise ValueError(f"{type(self).__name__} expected `sliding_window` as a positive integer or None, got {sliding_window!r}.")
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.sliding_window, self.flash_attention = sliding_window, flash_attention
        self.kernel_initializer = initializers.get(options["kernel_initializer"])
        self.bias_initializer = initializers.get(options["bias_initializer"])
        self.kernel_regularizer = regularizers.get(options["kernel_regularizer"])
        self.bias_regularizer = regularizers.get(options["bias_regularizer"])
        self.kernel_constraint = constraints.get(options["kernel_constraint"])
        self.bias_constraint = constraints.get(options["bias_constraint"])
        self._dropout_layer = Dropout(dropout, dtype=self.dtype_policy, seed=seed) if dropout > 0 else None
        self.supports_masking = True

    def _dense(self, input_shape, heads: tuple[int, ...], contracted: int, name: str) -> EinsumDense:
        """A built product over the last `contracted` axes that gives axes of sizes `heads`."""
        kept = "abcdefghijklmnop"[: len(input_shape) - contracted]
        inner, outer = "uvw"[:contracted], "xyz"[: len(heads)]
        layer = EinsumDense(
            f"{kept}{inner},{inner}{outer}->{kept}{outer}",
            output_shape=(*[None] * (len(kept) - 1), *heads),
            bias_axes=outer if self.use_bias else None,
            kernel_initializer=_fresh(self.kernel_initializer),
            bias_initializer=_fresh(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(tuple(input_shape))
        return layer

    def _options_config(self) -> dict:
        return {
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }


def _fresh(initializer: Any) -> Any:
    """A copy, so that each kernel gets a draw of its own."""
    return initializer.clone() if isinstance(initializer, initializers.Initializer) else initializer


class MultiHeadAttention(AttentionProjections):
    """Averages of `value`, weighted by how well `key` fits `query`, in several heads side by side. Vaswani et al., 2017.

    Takes `query` (batch, targets, dim), `value` and optionally `key` (batch, sources, dim); returns (batch, targets, output), and with
    `return_attention_scores=True` also the weights (batch, heads, targets, sources).

    Args:
        num_heads, key_dim: number of heads, and size of queries and keys in each.
        value_dim: size of values in each head; `key_dim` where None.
        dropout: share of the weights that training drops.
        use_bias: whether the projections have biases.
        output_shape: size or sizes of the outputs' last axes; those of the query where None.
        attention_axes: axes that attention runs over; all but batch and features where None.
        sliding_window: sources that many or more steps away are hidden.
        flash_attention: asks for the framework's fused kernel where it must be asked for.
        use_gate: multiplies each head's output by a sigmoid of a projection of the query.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint: of all projections.
        activity_regularizer: penalty on the outputs.
        seed: of the dropout.

    In calls, `value_mask` and `key_mask` are (batch, sources), `attention_mask` is (batch, targets, sources), True attends;
    `use_causal_mask=True` hides later sources. A target that may attend nowhere gets an even average. `query_mask` changes nothing here
    and becomes the mask of the outputs.

    >>> x = np.ones((2, 5, 8), "float32")
    >>> MultiHeadAttention(num_heads=2, key_dim=4)(x, x).shape
    (2, 5, 8)
    """

    num_heads = key_dim = value_dim = dropout = use_bias = attention_axes = None
    query_dense = key_dense = value_dense = output_dense = None

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
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
        for name, size in (("num_heads", num_heads), ("key_dim", key_dim), ("value_dim", value_dim)):
            if (size is not None or name != "value_dim") and (not isinstance(size, int) or size < 1):
                raise ValueError(f"MultiHeadAttention expected `{name}` as a positive integer, got {size!r}.")
        options = {
            "kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer, "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer, "kernel_constraint": kernel_constraint, "bias_constraint": bias_constraint,
        }  # fmt: skip
        super().__init__(
            dropout=dropout, use_bias=use_bias, sliding_window=sliding_window, flash_attention=flash_attention, use_gate=use_gate,
            seed=seed, options=options, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim if value_dim is not None else key_dim
        self._output_shape = (output_shape,) if isinstance(output_shape, int) else None if output_shape is None else tuple(output_shape)
        self.attention_axes = attention_axes

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        if value_shape[1:-1] != key_shape[1:-1] and None not in (*value_shape[1:-1], *key_shape[1:-1]):
            raise ValueError(f"MultiHeadAttention expected key and value of equal lengths, got shapes {key_shape} and {value_shape}.")
        rank = len(query_shape)
        if self.attention_axes is None:
            self.attention_axes = tuple(range(1, rank - 1))
        axes = (self.attention_axes,) if isinstance(self.attention_axes, int) else self.attention_axes
        self._axes = tuple(axis % rank for axis in axes)
        self._plain = rank == 3 and self._axes == (1,)
        self.query_dense = self._dense(query_shape, (self.num_heads, self.key_dim), 1, "query")
        self.key_dense = self._dense(key_shape, (self.num_heads, self.key_dim), 1, "key")
        if self.use_gate:
            self._gate_dense = self._dense(query_shape, (self.num_heads, self.value_dim), 1, "gate")
        self.value_dense = self._dense(value_shape, (self.num_heads, self.value_dim), 1, "value")
        heads_shape = (*query_shape[:-1], self.num_heads, self.value_dim)
        self.output_dense = self._dense(heads_shape, self._output_shape or (query_shape[-1],), 2, "attention_output")

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
        # A causal mask alone needs no tensor in the fused kernel.
        fused = self._plain and not return_attention_scores and not (training and self._dropout_layer is not None)
        only_causal = fused and use_causal_mask and self.sliding_window is None
        only_causal = only_causal and value_mask is None and key_mask is None and attention_mask is None
        mask = join_masks(
            query, value, value_mask=value_mask, key_mask=key_mask, attention_mask=attention_mask,
            use_causal_mask=use_causal_mask and not only_causal, sliding_window=self.sliding_window,
        )  # fmt: skip
        q, k, v = self.query_dense(query), self.key_dense(value if key is None else key), self.value_dense(value)
        if fused:
            weights = None
            mask = mask if mask is None else ops.expand_dims(mask, -3)
            outputs = ops.dot_product_attention(q, k, v, mask=mask, is_causal=only_causal, flash_attention=self.flash_attention)
        else:
            outputs, weights = attend(q, k, v, mask, self._axes, self._dropper(training))
        if self.use_gate:
            outputs = outputs * ops.sigmoid(self._gate_dense(query))
        outputs = self.output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def _dropper(self, training):
        layer = self._dropout_layer
        return None if layer is None or not training else lambda weights: layer(weights, training=True)

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    def compute_output_spec(self, query, value, key=None, *args, return_attention_scores=False, **kwargs):
        outputs = KerasTensor(self.compute_output_shape(tuple(query.shape), tuple(value.shape)), self.compute_dtype)
        if not return_attention_scores:
            return outputs
        rank = len(query.shape)
        kept = [d for i, d in enumerate(query.shape[:-1]) if i not in self._axes and i < rank - 1]
        targets, sources = ([x.shape[i] for i in self._axes] for x in (query, value))
        return outputs, KerasTensor((*kept, self.num_heads, *targets, *sources), self.compute_dtype)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_shape,
            "attention_axes": self.attention_axes,
            **self._options_config(),
        }


__all__ = ["MultiHeadAttention"]
