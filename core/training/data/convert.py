"""Batches as they come from foreign datasets, made native."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import slot
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.base import tree
from core.training.data.class_weight import weights_of_labels
from core.training.data.source import Batch, floats_to_floatx, host_array, is_frame, unpack_x_y_sample_weight


class BatchConverter:
    """Called with `x`, `(x, y)` or `(x, y, sample_weight)`, of tensors of any framework; returns the batch as a tuple of native tensors."""

    def __init__(self, backend: Backend, class_weight: dict[int, float] | None, native: bool):
        self.backend, self.class_weight, self.native = backend, class_weight, native

    def __call__(self, data: Any) -> Batch:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        if self.class_weight is not None:
            weights = weights_of_labels(tree.map_structure(lambda leaf: None if leaf is None else host_array(leaf), y), self.class_weight)
            sample_weight = weights if sample_weight is None else weights * host_array(sample_weight).astype(weights.dtype)
        batch = (x,) if y is None and sample_weight is None else (x, y) if sample_weight is None else (x, y, sample_weight)
        return tuple(self.leaf(part) if not tree.is_nested(part) else tree.map_structure(self.leaf, part) for part in batch)

    def leaf(self, x: Any) -> Any:
        """One tensor; own ones as they are, foreign ones over the host without a copy where that can be."""
        if x is None:
            return None
        if isinstance(x, Holder):
            x = x.value
        if slot.owner(x) is self.backend:
            return x
        array = host_array(x)
        if array.dtype == object and not isinstance(x, np.ndarray) and not is_frame(x):
            raise ValueError(
                f"A batch holds a {type(x).__name__}, which is no array; expected arrays, tensors, or dicts, lists and tuples of those."
            )
        return self.backend.batch_tensor(floats_to_floatx(array), self.native)
