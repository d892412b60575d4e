"""`MLP`: the fully connected network inside most others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core import activations, initializers, layers
from core.saving import deserialize_keras_object, register_keras_serializable

NORMS: dict[str, type[layers.Layer]] = {
    "batch": layers.BatchNormalization,
    "layer": layers.LayerNormalization,
    "rms": layers.RMSNormalization,
}


def norm_layer(norm: str | layers.Layer | None) -> layers.Layer | None:
    """A new normalization layer: by name, a copy of the given one, or None."""
    if norm is None:
        return None
    if isinstance(norm, str) and norm in NORMS:
        return NORMS[norm]()
    if isinstance(norm, layers.Layer):
        return type(norm).from_config({key: value for key, value in norm.get_config().items() if key != "name"})
    raise ValueError(f"`norm` is one of {sorted(NORMS)}, a layer or None, got {norm!r}.")


def check_rate(dropout: float | None, owner: str) -> float:
    """A dropout rate as a number; an error where it is none."""
    rate = 0.0 if dropout is None else float(dropout)
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"{owner} needs 0 <= dropout < 1, got {dropout!r}.")
    return rate


@register_keras_serializable("bayes")
class MLP(layers.Layer):
    """Dense layers of `widths`, each normalized (where asked), activated and dropped out: (..., in) becomes (..., widths[-1]).

    Args:
        widths: units of the layers.
        activation: name, function, or a function that makes a layer.
        kernel_initializer: of every layer.
        residual: whether the input of a layer is added to its output, where the widths are equal.
        dropout: rate after every activation; 0 or None for none.
        norm: `"batch"`, `"layer"`, `"rms"`, a layer that is copied, or None.

    >>> MLP((8, 4))(np.ones((2, 3), "float32")).shape
    (2, 4)
    """

    def __init__(
        self,
        widths: Sequence[int] = (256, 256),
        *,
        activation: str | Callable = "mish",
        kernel_initializer: Any = "he_normal",
        residual: bool = True,
        dropout: float | None = 0.05,
        norm: str | layers.Layer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.widths = [int(width) for width in widths]
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"MLP needs at least one positive width, got {widths!r}.")
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.residual, self.dropout, self.norm = bool(residual), check_rate(dropout, "MLP"), norm
        # An initializer draws the same values at each call: every layer needs one of its own.
        self.dense = [layers.Dense(width, kernel_initializer=fresh(self.kernel_initializer)) for width in self.widths]
        self.norms = [norm_layer(norm) for _ in self.widths]
        self.drops = [layers.Dropout(self.dropout) if self.dropout else None for _ in self.widths]

    def build(self, input_shape):
        shape = tuple(input_shape)
        for dense, norm in zip(self.dense, self.norms):
            dense.build(shape)
            shape = (*shape[:-1], dense.units)
            if norm is not None:
                norm.build(shape)

    def call(self, x: Any, training: bool = False) -> Any:
        for dense, norm, drop in zip(self.dense, self.norms, self.drops):
            h = dense(x)
            if norm is not None:
                h = norm(h, training=training)
            h = self.activation(h)
            if drop is not None:
                h = drop(h, training=training)
            x = x + h if self.residual and x.shape[-1] == dense.units else h
        return x

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.widths[-1])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "widths": self.widths,
            "activation": activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "residual": self.residual,
            "dropout": self.dropout,
            "norm": self.norm,
        }

    @classmethod
    def from_config(cls, config: dict) -> MLP:
        return cls(**{**config, "norm": deserialize_keras_object(config.get("norm"))})


def fresh(initializer: Any) -> Any:
    """A copy of an initializer that draws other values; one with a seed of its own stays as it is."""
    config = initializer.get_config() if hasattr(initializer, "get_config") else {}
    return type(initializer).from_config(config) if "seed" in config and config["seed"] is None else initializer
