"""`AdditiveAttention`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.layers.attention import Attention


class AdditiveAttention(Attention):
    """Averages of values, weighted by `softmax(sum(scale * tanh(query + key)))`. Bahdanau et al., 2014.

    Inputs, masks and outputs are as in `Attention`.

    Args:
        use_scale: whether there is a learned `scale` of shape (dim,).
        dropout: share of the weights that training drops.

    >>> AdditiveAttention()([np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")]).shape
    (2, 3, 4)
    """

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape):
        self._check(input_shape, "shapes")
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def _scores(self, query: Any, key: Any) -> Any:
        sums = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(sums if self.scale is None else ops.multiply(sums, self.scale), axis=-1)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["score_mode"]
        return config


__all__ = ["AdditiveAttention"]
