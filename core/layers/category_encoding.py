"""`CategoryEncoding`: integers as one-hot, multi-hot or count vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from core import ops
from core.backend import slot
from core.backend.symbolic import KerasTensor
from core.layers.data_layer import DataLayer

OUTPUT_MODES = ("one_hot", "multi_hot", "count")


class CategoryEncoding(DataLayer):
    """Integers from 0 to `num_tokens - 1` as vectors of length `num_tokens`.

    Args:
        num_tokens: number of categories.
        output_mode: `"one_hot"`: (batch, ...) becomes (batch, ..., num_tokens), with a last axis of 1 replaced; `"multi_hot"`: ones at all
            integers of the last axis, which is replaced; `"count"`: how often each occurs.
        sparse: whether the outputs are sparse tensors, which JAX and TensorFlow have.

    >>> CategoryEncoding(4)(np.array([[0, 2]]))
    array([[1., 0., 1., 0.]], dtype=float32)
    """

    def __init__(self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs):
        super().__init__(**kwargs)
        output_mode = {"binary": "multi_hot"}.get(output_mode, output_mode)  # Keras 2's name
        if output_mode not in OUTPUT_MODES:
            raise ValueError(f"CategoryEncoding takes output_mode {', '.join(OUTPUT_MODES)}, got {output_mode!r}.")
        if num_tokens is None or num_tokens < 1:
            raise ValueError(f"CategoryEncoding needs a positive num_tokens, got {num_tokens}.")
        self.num_tokens, self.output_mode, self.sparse = num_tokens, output_mode, sparse
        self.autocast = False

    def call(self, inputs, count_weights=None):
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(f"CategoryEncoding takes count_weights with output_mode='count' alone, which is {self.output_mode!r} here.")
        self._check(inputs)
        inputs = ops.cast(inputs, "int32")
        if self.output_mode == "one_hot" and len(inputs.shape) and inputs.shape[-1] == 1:
            inputs = ops.squeeze(inputs, -1)
        vectors = ops.one_hot(inputs, self.num_tokens, dtype=self.compute_dtype, sparse=self.sparse)
        if self.output_mode == "one_hot" or len(vectors.shape) == 1:
            return vectors
        if self.output_mode == "multi_hot":
            return ops.sign(ops.sum(vectors, axis=-2))
        if count_weights is not None:
            vectors = ops.multiply(vectors, ops.expand_dims(ops.cast(count_weights, self.compute_dtype), -1))
        return ops.sum(vectors, axis=-2)

    def _check(self, inputs: Any) -> None:
        """Raises where an integer is out of range; only outside of compiled code are there values to look at."""
        owner = slot.owner(inputs)
        try:
            values = np.asarray(inputs if owner is None else owner.convert_to_numpy(inputs))
        except Exception:  # noqa: BLE001 - a tracer: each framework has its own error
            return
        if values.dtype != object and values.size and (values.min() < 0 or values.max() >= self.num_tokens):
            raise ValueError(
                f"CategoryEncoding {self.name!r} expected integers from 0 to {self.num_tokens - 1}, got {values.min()} to {values.max()}."
            )

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if shape and shape[-1] == 1 else shape), self.num_tokens)
        return (*shape[:-1], self.num_tokens)

    def compute_output_spec(self, inputs, count_weights=None):
        return KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype, sparse=self.sparse)

    def get_config(self):
        config = {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
        return {**config, "sparse": True} if self.sparse else config  # Keras leaves it out, and loses it
