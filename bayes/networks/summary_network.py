"""`SummaryNetwork`: data of any number of observations as one vector."""

from __future__ import annotations

from typing import Any

from core import layers, ops
from core.saving import deserialize_keras_object


class SummaryNetwork(layers.Layer):
    """Base of the networks that summarize sets and series (batch, observations, features) as vectors (batch, summary_dim).

    `call(x, training, mask)` takes an optional mask (batch, observations), true where an observation is there.
    """

    def __init__(self, summary_dim: int = 16, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(summary_dim, int) or summary_dim < 1:
            raise ValueError(f"{type(self).__name__} needs a positive integer as `summary_dim`, got {summary_dim!r}.")
        self.summary_dim = summary_dim

    def compute_metrics(self, x: Any, stage: str = "training", **options: Any) -> dict[str, Any]:
        """`{"outputs": summaries}`; summary networks are trained by the loss of the density that reads them."""
        return {"outputs": self(x, training=stage == "training", **options)}

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.summary_dim)

    def get_config(self) -> dict:
        return {**super().get_config(), "summary_dim": self.summary_dim}

    @classmethod
    def from_config(cls, config: dict) -> SummaryNetwork:
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})


def check_sequence(input_shape: Any, owner: str) -> None:
    """An error where inputs are not (batch, observations, features)."""
    if len(input_shape) != 3:
        raise ValueError(
            f"{owner} summarizes inputs of shape (batch, observations, features), got {tuple(input_shape)}; "
            "expand_dims a single feature, or reshape."
        )


def masked(x: Any, mask: Any) -> Any:
    """`x` (batch, observations, features) with zeros where the mask (batch, observations) is false."""
    return x if mask is None else x * ops.cast(ops.expand_dims(mask, -1), x.dtype)


def pooled(x: Any, mask: Any, how: str) -> Any:
    """The mean or the maximum (batch, features) over the observations that are there."""
    if how == "max":
        if mask is not None:
            x = ops.where(ops.expand_dims(mask, -1), x, ops.full_like(x, -1e30))
        return ops.max(x, 1)
    if mask is None:
        return ops.mean(x, 1)
    count = ops.sum(ops.cast(mask, x.dtype), 1, keepdims=True)
    return ops.sum(masked(x, mask), 1) / ops.maximum(count, 1.0)
