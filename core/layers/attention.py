"""`Attention`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.backend.symbolic import KerasTensor
from core.layers.attention_core import join_masks, masked_softmax
from core.layers.dropout import check_rate
from core.layers.layer import Layer
from core.random import dropout as drop
from core.state.seed import SeedGenerator


class Attention(Layer):
    """Averages of values, weighted by how well keys fit queries, without projections. Luong et al., 2015.

    Called on `[query, value]` or `[query, value, key]` of shapes (batch, targets, dim), (batch, sources, dim), (batch, sources, dim);
    returns (batch, targets, dim), and with `return_attention_scores=True` also the weights (batch, targets, sources). `mask` is
    `[query_mask, value_mask]`, each (batch, steps) or None; outputs of hidden queries are 0.

    Args:
        use_scale: whether scores are multiplied by a learned number.
        score_mode: `"dot"` for `query . key`, `"concat"` for `tanh(query + key)` summed and multiplied by a learned number.
        dropout: share of the weights that training drops.
        seed: of the dropout.

    >>> Attention()([np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")]).shape
    (2, 3, 4)
    """

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"{type(self).__name__} expected score_mode 'dot' or 'concat', got {score_mode!r}.")
        self.use_scale, self.score_mode, self.seed = use_scale, score_mode, seed
        self.dropout = check_rate(type(self).__name__, dropout)
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)
        self.scale = self.concat_score_weight = None
        self.supports_masking = True

    def build(self, input_shape):
        self._check(input_shape, "shapes")
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _scores(self, query: Any, key: Any) -> Any:
        """How well each of `key` (batch, sources, dim) fits each of `query`: (batch, targets, sources)."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -1, -2))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        sums = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        sums = sums if self.scale is None else ops.multiply(sums, self.scale)
        return ops.multiply(ops.sum(ops.tanh(sums), axis=-1), self.concat_score_weight)

    def call(self, inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False):
        self._check(inputs, "tensors")
        query, value, *rest = inputs
        key = rest[0] if rest else value
        query_mask, value_mask = self._masks(mask)
        joined = join_masks(query, value, value_mask=value_mask, use_causal_mask=use_causal_mask)
        weights = masked_softmax(self._scores(query, key), joined)
        if training and self.dropout > 0:
            weights = drop(weights, self.dropout, seed=self.seed_generator)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            outputs = outputs * ops.expand_dims(ops.cast(query_mask, outputs.dtype), -1)
        return (outputs, weights) if return_attention_scores else outputs

    def _check(self, inputs, what):
        if not isinstance(inputs, (list, tuple)) or not 2 <= len(inputs) <= 3:
            raise ValueError(f"{type(self).__name__} expected {what} [query, value] or [query, value, key], got {inputs!r}.")

    def _masks(self, mask):
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= 3:
            raise ValueError(f"{type(self).__name__} expected masks [query_mask, value_mask], got {mask!r}.")
        return mask[0], mask[1]

    def compute_mask(self, inputs, mask=None):
        return self._masks(mask)[0]

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(self, inputs, *args, return_attention_scores=False, **kwargs):
        self._check(inputs, "tensors")
        query, value = inputs[:2]
        outputs = KerasTensor((*query.shape[:-1], value.shape[-1]), self.compute_dtype)
        weights = KerasTensor((query.shape[0], query.shape[1], value.shape[1]), self.compute_dtype)
        return (outputs, weights) if return_attention_scores else outputs

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


__all__ = ["Attention"]
