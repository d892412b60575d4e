"""`Embedding`: a vector for each integer, and `ReversibleEmbedding`, which also maps vectors back."""

from __future__ import annotations

from typing import Any

import numpy as np

from core import constraints, initializers, ops, regularizers
from core.backend.symbolic import KerasTensor
from core.layers.lora import LowRankLayer


class Embedding(LowRankLayer):
    """The rows of a table at the integers of the inputs: (batch, ...) becomes (batch, ..., output_dim).

    Args:
        input_dim: number of rows; inputs are from 0 to `input_dim - 1`.
        output_dim: length of a row.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table (input_dim, output_dim).
        mask_zero: whether a 0 is padding; the outputs then carry a mask.
        weights: the initial table, in place of `embeddings_initializer`.
        lora_rank, lora_alpha: where given, the table gets a low-rank update; see `enable_lora`.

    >>> Embedding(10, 4)(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    adapted = "embeddings"

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        length = kwargs.pop("input_length", None)  # of Keras 2; shapes need no help now
        if input_dim < 1 or output_dim < 1:
            raise ValueError(f"{type(self).__name__} needs positive input_dim and output_dim, got {input_dim} and {output_dim}.")
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, autocast=False, **kwargs)
        self.input_dim, self.output_dim, self.input_length = input_dim, output_dim, length
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.supports_masking = bool(mask_zero)
        self.quantization_config = quantization_config
        if weights is not None:
            self.build()
            table = weights if isinstance(weights, (list, tuple)) and len(weights) == 1 else [weights]
            self.set_weights([np.asarray(table[0]), *self.get_weights()[1:]])

    def build(self, input_shape=None):
        # Rows are cast after they are taken: casting the table would touch all of it in each call.
        self._embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer, autocast=False, regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint, name="embeddings",
        )  # fmt: skip
        if self.lora_rank:
            self._add_factors(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def embeddings(self):
        """The (input_dim, output_dim) table, its low-rank update included."""
        return self._adaptable() if self.lora_enabled or not self.built else self._embeddings

    def call(self, inputs):
        if "int" not in ops.dtype(inputs):
            inputs = ops.cast(inputs, "int32")
        rows = ops.take(self._embeddings, inputs, axis=0)
        if self.lora_enabled:
            a, b = self._lora_factors()
            rows = ops.add(rows, (self.lora_alpha / self.lora_rank) * ops.matmul(ops.take(a, inputs, axis=0), b))
        return rows if self.compute_dtype == self.variable_dtype else ops.cast(rows, self.compute_dtype)

    @property
    def _makes_masks(self):
        return self.mask_zero

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": self.quantization_config,
            **self._lora_config(),
        }


class ReversibleEmbedding(Embedding):
    """An `Embedding` that with `reverse=True` maps vectors (..., output_dim) to logits (..., input_dim).

    Args:
        input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero: as in `Embedding`.
        tie_weights: whether the way back uses the same table, transposed; else it has a kernel (output_dim, input_dim) of its own.
        reverse_dtype: dtype of the way back; the compute dtype where it is None.
        logit_soft_cap: where given, logits become `tanh(logits / cap) * cap`.

    >>> layer = ReversibleEmbedding(10, 4)
    >>> vectors = layer(np.array([[1, 2, 3]]))
    >>> layer(vectors, reverse=True).shape
    (1, 3, 10)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs,
    ):
        super().__init__(input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero, **kwargs)
        self.tie_weights, self.reverse_dtype, self.logit_soft_cap = tie_weights, reverse_dtype, logit_soft_cap

    def build(self, input_shape=None):
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer, regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint, name="reverse_embeddings",
            )  # fmt: skip

    def call(self, inputs, reverse=False):
        if not reverse:
            return super().call(inputs)
        dtype = self.reverse_dtype or self.compute_dtype
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        logits = ops.matmul(ops.cast(inputs, dtype), ops.cast(kernel, dtype))
        cap = self.logit_soft_cap
        return logits if cap is None else ops.multiply(ops.tanh(ops.divide(logits, cap)), cap)

    def compute_output_shape(self, input_shape, reverse=False):
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs, reverse=False):
        dtype = (self.reverse_dtype or self.compute_dtype) if reverse else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape, reverse), dtype)

    def compute_mask(self, inputs, mask=None):
        return super().compute_mask(inputs, mask) if "int" in ops.dtype(inputs) else mask

    @property
    def variable_serialization_spec(self):
        return {None: ["embeddings", *([] if self.tie_weights else ["reverse_embeddings"])]}

    def get_config(self):
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }
