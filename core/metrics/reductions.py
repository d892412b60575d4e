"""Means and sums of values, and of what functions of targets and predictions return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import ops
from core.backend import slot
from core.backend.masks import get_mask
from core.base import registry
from core.losses.loss import aligned, as_tensor, owner_of, same_rank
from core.metrics.metric import Metric


def per_weight(values: Any, weights: Any) -> tuple[Any, Any]:
    """Values averaged over the axes for which there are no weights, and the weights, of one shape."""
    values, weights = same_rank(values, weights)
    if len(weights.shape) == len(values.shape) > 1 and weights.shape[-1] == 1 and values.shape[-1] != 1:
        weights = ops.squeeze(weights, -1)
    rank = len(weights.shape)
    if len(values.shape) > rank:
        values = ops.mean(values, axis=tuple(range(rank, len(values.shape))))
    return (values, weights) if values.shape == weights.shape else (values, ops.broadcast_to(aligned(weights, values)[0], values.shape))


class Sum(Metric):
    """The (weighted) sum of all values.

    >>> m = Sum()
    >>> m.update_state([1.0, 2.0])
    >>> float(m.result())
    3.0
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_weight(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        (values,) = self._tensors(values)
        if sample_weight is not None:
            weights, values = aligned(self._tensors(sample_weight)[0], values)
            values = ops.multiply(values, weights)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        return ops.copy(self.total)  # frameworks that assign in place would change it later


class Mean(Metric):
    """The (weighted) mean of all values. Values with more axes than the weights, or than one, are averaged over those first.

    >>> m = Mean()
    >>> m.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
    >>> float(m.result())
    1.5
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_weight(name="total")
        self.count = self.add_weight(name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        backend = slot.get(self._backend_name)
        values = as_tensor(values, self._dtype, backend)
        rank = len(values.shape)
        if sample_weight is None:
            if rank == 0:
                self.total.assign_add(values)
                self.count.assign_add(1)
                return
            if rank > 1:
                values = ops.mean(values, axis=tuple(range(1, rank)))
            self.total.assign_add(ops.sum(values))
            self.count.assign_add(ops.shape(values)[0])
            return
        if rank == 0 and type(sample_weight) is int:  # the mean of a batch, weighted by its size
            self.total.assign_add(values * sample_weight)
            self.count.assign_add(sample_weight)
            return
        weights = as_tensor(sample_weight, self._dtype, backend)
        if rank == 0 and not weights.shape:
            self.total.assign_add(values * weights)
            self.count.assign_add(weights)
            return
        values, weights = per_weight(values, weights)
        self.total.assign_add(ops.sum(ops.multiply(values, weights)))
        self.count.assign_add(ops.sum(weights))

    def result(self) -> Any:
        return ops.divide_no_nan(self.total, self.count)


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, which returns values per sample. Masked steps of `y_pred` do not count.

    >>> m = MeanMetricWrapper(core.losses.mean_squared_error, name="mse")
    >>> float(m([[0.0]], [[2.0]]))
    4.0
    """

    _casts_labels = True

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name, dtype)
        self._fn, self._fn_kwargs = fn, kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]  # Mean's takes values
        mask = get_mask(y_pred)
        if hasattr(y_pred, "shape"):
            backend = slot.OWNERS.get(type(y_pred)) or owner_of(y_pred, y_true)
            y_pred = as_tensor(y_pred, self._dtype, backend)
            y_true = as_tensor(y_true, self._dtype if self._casts_labels else None, backend) if hasattr(y_true, "shape") else y_true
        super().update_state(*self._weighted(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight, mask))

    def _weighted(self, values: Any, weights: Any, mask: Any) -> tuple[Any, Any]:
        own = get_mask(values)
        if own is not None:
            mask = own if mask is None else ops.logical_and(mask, own)
        if mask is None:
            return values, weights
        values, mask = self._tensors(values, mask)
        if weights is None:
            return values, mask
        mask, _ = aligned(mask, values)
        weights, _ = aligned(self._tensors(weights)[0], mask)
        return values, ops.multiply(mask, weights)

    def get_config(self) -> dict:
        kwargs = {key: registry.serialize_keras_object(value) for key, value in self._fn_kwargs.items()}
        if type(self) is not MeanMetricWrapper:
            return {**super().get_config(), **kwargs}
        fn = registry.serialize_keras_object(self._fn)
        if isinstance(fn, str):  # as Keras writes functions
            fn = {"module": "builtins", "class_name": "function", "config": fn, "registered_name": "function"}
        return {**super().get_config(), "fn": fn, **kwargs}
