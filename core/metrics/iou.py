"""Intersection over union of classes, from a confusion matrix. The state is int32 unless another dtype is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from core import ops
from core.base import dtypes
from core.losses.loss import as_tensor, owner_of
from core.metrics.metric import Metric


class _IoUBase(Metric):
    """Collects the matrix of targets (rows) and predictions (columns)."""

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        # Counts in float32 would stop at 16,777,216 pixels.
        super().__init__(dtype or "int32", name)
        self.num_classes, self.ignore_class, self.axis = num_classes, ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_weight((num_classes, num_classes), name="total_confusion_matrix")

    def _classes(self, y: Any, sparse: bool, backend: Any) -> Any:
        y = as_tensor(y, None, backend)
        return ops.reshape(ops.cast(y if sparse else ops.argmax(y, axis=self.axis), "int32"), (-1,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        backend = owner_of(y_pred, y_true)
        y_true, y_pred = self._classes(y_true, self.sparse_y_true, backend), self._classes(y_pred, self.sparse_y_pred, backend)
        if y_true.shape != y_pred.shape and None not in (*y_true.shape, *y_pred.shape):
            raise ValueError(f"{type(self).__name__} expected as many targets as predictions, got {y_true.shape[0]} and {y_pred.shape[0]}.")
        if sample_weight is None:
            weights = ops.ones_like(y_true, dtype=self._dtype)
        else:
            weights = as_tensor(sample_weight, None, backend)
            if dtypes.is_int_dtype(self._dtype) and dtypes.is_float_dtype(weights.dtype):
                warnings.warn(
                    f"{type(self).__name__} counts in {self._dtype}, so weights lose their fractions; give dtype='float32'.", stacklevel=2
                )
            weights = ops.reshape(ops.cast(weights, self._dtype), (-1,))
            if weights.shape != y_true.shape:  # one weight per sample of several values
                each = ops.shape(y_true)[0] // ops.shape(weights)[0]
                weights = ops.reshape(ops.repeat(ops.expand_dims(weights, 1), each, axis=1), (-1,))
        if self.ignore_class is not None:
            valid = ops.not_equal(y_true, self.ignore_class)
            y_true, y_pred = ops.where(valid, y_true, 0), ops.where(valid, y_pred, 0)
            weights = weights * ops.cast(valid, self._dtype)
        cells = ops.segment_sum(weights, y_true * self.num_classes + y_pred, num_segments=self.num_classes**2)
        self.total_cm.assign_add(ops.reshape(cells, (self.num_classes, self.num_classes)))

    def _mean_over(self, class_ids: Sequence[int]) -> Any:
        """The mean of the classes that occur at all."""
        matrix = ops.cast(self.total_cm, "float32")
        both = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - both
        chosen = ops.convert_to_tensor(list(class_ids), dtype="int32")
        both, union = ops.take(both, chosen, axis=0), ops.take(union, chosen, axis=0)
        occurring = ops.sum(ops.cast(ops.greater(union, 0), "float32"))
        return ops.divide_no_nan(ops.sum(ops.divide_no_nan(both, union)), occurring)

    def get_config(self) -> dict:
        return {
            **super().get_config(), "num_classes": self.num_classes, "ignore_class": self.ignore_class, "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred, "axis": self.axis,
        }  # fmt: skip


class IoU(_IoUBase):
    """The mean over `target_class_ids` of intersection over union: `tp / (tp + fp + fn)`.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to average over; those that never occur do not count.
        ignore_class: a target that does not count.
        sparse_y_true, sparse_y_pred: whether they hold class indices, rather than one value per class on `axis`.

    >>> float(IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1]))
    0.3333333432674408
    """

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        self.target_class_ids = list(target_class_ids)
        if not self.target_class_ids or not all(0 <= i < num_classes for i in self.target_class_ids):
            raise ValueError(f"target_class_ids must lie in 0 to {num_classes - 1}, got {self.target_class_ids}.")

    def result(self) -> Any:
        return self._mean_over(self.target_class_ids)

    def get_config(self) -> dict:
        return {**super().get_config(), "target_class_ids": self.target_class_ids}


class BinaryIoU(IoU):
    """Intersection over union of the classes below and from `threshold` on.

    >>> float(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]))
    0.3333333432674408
    """

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = as_tensor(y_pred, "float32", owner_of(y_pred, y_true))
        super().update_state(y_true, ops.cast(ops.greater_equal(y_pred, self.threshold), "int32"), sample_weight)

    def get_config(self) -> dict:
        return {"target_class_ids": self.target_class_ids, "threshold": self.threshold, "name": self.name, "dtype": self._dtype}


class MeanIoU(IoU):
    """The mean intersection over union of all classes."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict:
        return _without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """Intersection over union for one-hot targets; predictions too have one value per class, unless `sparse_y_pred`."""

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict:
        return _without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(OneHotIoU):
    """The mean intersection over union of all classes for one-hot targets."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_pred, axis)

    def get_config(self) -> dict:
        return _without(super().get_config(), "target_class_ids")


def _without(config: dict, key: str) -> dict:
    return {k: v for k, v in config.items() if k != key}
