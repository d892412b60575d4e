"""`TimeDistributed`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import tree
from core.layers.wrapper import Wrapper


class TimeDistributed(Wrapper):
    """One layer, applied to each step of (batch, time, ...): steps and batch are joined for the call, and split after it.

    A mask (batch, time) is passed on to layers that take one, joined likewise.

    >>> TimeDistributed(Dense(4))(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 4)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        if isinstance(input_shape, (list, tuple)) and len(input_shape) < 3:
            raise ValueError(f"TimeDistributed expected inputs (batch, time, ...), got shape {tuple(input_shape)}.")
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs, training=None, mask=None):
        shape = ops.shape(inputs)
        options: dict[str, Any] = {"training": training} if self.layer._call_spec.training else {}
        if mask is not None and self.layer._call_spec.mask:
            options["mask"] = ops.reshape(mask, (-1, *ops.shape(mask)[2:]))
        outputs = self.layer(ops.reshape(inputs, (-1, *shape[2:])), **options)
        return tree.map_structure(lambda y: ops.reshape(y, (*self._lead(shape), *ops.shape(y)[1:])), outputs)

    @staticmethod
    def _lead(shape: tuple) -> tuple:
        """Batch and time for a reshape, at most one of them unknown."""
        if isinstance(shape[1], int):
            return (shape[0] if isinstance(shape[0], int) else -1, shape[1])
        return (shape[0], -1)

    def compute_output_shape(self, input_shape):
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return tree.map_shape_structure(lambda shape: (shape[0], input_shape[1], *shape[1:]), inner)


__all__ = ["TimeDistributed"]
