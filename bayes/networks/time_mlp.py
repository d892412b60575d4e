"""`TimeMLP`: a fully connected network of a state, a time and conditions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from bayes.networks.mlp import check_rate, fresh, norm_layer
from core import activations, initializers, layers, ops
from core.random import host
from core.saving import deserialize_keras_object, register_keras_serializable


@register_keras_serializable("bayes")
class FourierEmbedding(layers.Layer):
    """`[sin(2 pi f t), cos(2 pi f t), t]` with learned frequencies f: times (batch, 1) become (batch, dim + 1). Tancik et al., 2020.

    Args:
        dim: an even number of sines and cosines.
        scale: standard deviation of the frequencies at first, in periods per unit of time.
        seed: what they are drawn from.

    >>> FourierEmbedding(4)(np.zeros((1, 1), "float32"))  # [[0., 0., 1., 1., 0.]]
    """

    def __init__(self, dim: int = 32, scale: float = 30.0, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(dim, int) or dim < 2 or dim % 2:
            raise ValueError(f"FourierEmbedding needs an even, positive integer as `dim`, got {dim!r}.")
        self.dim, self.scale, self.seed = dim, float(scale), int(seed)

    def build(self, input_shape):
        start = host.draw("normal", (1, self.dim // 2), self.seed, stddev=self.scale)
        self.frequencies = self.add_weight(start.shape, lambda shape, dtype=None: start, name="frequencies")

    def call(self, t: Any) -> Any:
        angle = 2 * math.pi * ops.matmul(t, self.frequencies)
        return ops.concatenate([ops.sin(angle), ops.cos(angle), t], -1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.dim + 1)

    def get_config(self) -> dict:
        return {**super().get_config(), "dim": self.dim, "scale": self.scale, "seed": self.seed}


@register_keras_serializable("bayes")
class TimeMLP(layers.Layer):
    """Dense layers over a state and conditions, each shifted (and scaled, where asked) by an embedding of the time (FiLM).

    Inputs are `x` (batch, dim), `t` (batch, 1) and, optionally, `conditions` (batch, condition_dim); the output is
    (batch, widths[-1]). Perez et al., 2018 (FiLM, arXiv 1709.07871).

    Args:
        widths: units of the layers.
        time_embedding_dim: sines and cosines of the embedding; 0 hands the time on as it is.
        time_emb: a layer that embeds the times instead.
        fourier_scale: spread of the embedding's frequencies; a smooth function of the time needs a small one.
        activation, kernel_initializer, residual, dropout, norm: as of `MLP`.
        merge: how state and conditions come together: `"concat"`, or `"add"` after a linear layer each.
        film_use_gamma: whether the time also scales.

    >>> TimeMLP((8, 8))(np.ones((2, 3), "float32"), t=np.zeros((2, 1), "float32")).shape
    (2, 8)
    """

    def __init__(
        self,
        widths: Sequence[int] = (256, 256),
        *,
        time_embedding_dim: int = 32,
        time_emb: layers.Layer | None = None,
        fourier_scale: float = 30.0,
        activation: str | Callable = "mish",
        kernel_initializer: Any = "he_normal",
        residual: bool = True,
        dropout: float | None = 0.05,
        norm: str | layers.Layer | None = "layer",
        merge: str = "concat",
        film_use_gamma: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.widths = [int(width) for width in widths]
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"TimeMLP needs at least one positive width, got {widths!r}.")
        if merge not in ("concat", "add"):
            raise ValueError(f"TimeMLP merges by 'concat' or 'add', got {merge!r}.")
        self.time_embedding_dim, self.fourier_scale, self.merge = int(time_embedding_dim), float(fourier_scale), merge
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.residual, self.dropout, self.norm = bool(residual), check_rate(dropout, "TimeMLP"), norm
        self.film_use_gamma = bool(film_use_gamma)
        self._given_time_emb = time_emb is not None
        self.time_emb = time_emb
        if time_emb is None and self.time_embedding_dim:
            self.time_emb = FourierEmbedding(self.time_embedding_dim, self.fourier_scale)
        self.mergers = [layers.Dense(self.widths[0], kernel_initializer=fresh(self.kernel_initializer)) for _ in range(2)]
        self.dense = [layers.Dense(width, kernel_initializer=fresh(self.kernel_initializer)) for width in self.widths]
        # Shift and scale by the time start at zero: at first the network ignores it.
        self.films = [layers.Dense(width * (1 + self.film_use_gamma), kernel_initializer="zeros") for width in self.widths]
        self.norms = [norm_layer(norm) for _ in self.widths]
        self.drops = [layers.Dropout(self.dropout) if self.dropout else None for _ in self.widths]

    def build(self, x_shape, t_shape=None, conditions_shape=None):
        dim, condition_dim = x_shape[-1], 0 if conditions_shape is None else conditions_shape[-1]
        size = 1
        if self.time_emb is not None:
            self.time_emb.build((None, 1))
            size = self.time_emb.compute_output_shape((None, 1))[-1]
        shape = (None, dim + condition_dim)
        if self.merge == "add" and condition_dim:
            for merger, units in zip(self.mergers, (dim, condition_dim)):
                merger.build((None, units))
            shape = (None, self.widths[0])
        for dense, film, norm in zip(self.dense, self.films, self.norms):
            dense.build(shape)
            film.build((None, size))
            shape = (None, dense.units)
            if norm is not None:
                norm.build(shape)

    def call(self, x: Any, t: Any = None, conditions: Any = None, training: bool = False) -> Any:
        t = t if self.time_emb is None else self.time_emb(t)
        if conditions is not None and conditions.shape[-1]:
            x = self.mergers[0](x) + self.mergers[1](conditions) if self.merge == "add" else ops.concatenate([x, conditions], -1)
        for dense, film, norm, drop in zip(self.dense, self.films, self.norms, self.drops):
            h = dense(x)
            if norm is not None:
                h = norm(h, training=training)
            h = self.activation(self._modulated(h, film(t)))
            if drop is not None:
                h = drop(h, training=training)
            x = x + h if self.residual and x.shape[-1] == dense.units else h
        return x

    def _modulated(self, h: Any, film: Any) -> Any:
        if not self.film_use_gamma:
            return h + film
        units = film.shape[-1] // 2
        return h * (1.0 + film[..., :units]) + film[..., units:]

    def compute_output_shape(self, x_shape, t_shape=None, conditions_shape=None):
        return (*x_shape[:-1], self.widths[-1])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "widths": self.widths,
            "time_embedding_dim": self.time_embedding_dim,
            "time_emb": self.time_emb if self._given_time_emb else None,
            "fourier_scale": self.fourier_scale,
            "activation": activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "residual": self.residual,
            "dropout": self.dropout,
            "norm": self.norm,
            "merge": self.merge,
            "film_use_gamma": self.film_use_gamma,
        }

    @classmethod
    def from_config(cls, config: dict) -> TimeMLP:
        own = ("norm", "time_emb")
        return cls(**{key: deserialize_keras_object(value) if key in own else value for key, value in config.items()})
