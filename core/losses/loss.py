"""`Loss`: from targets and predictions to one number, with weights, masks and a reduction."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from core import ops
from core.backend import slot
from core.backend.journal import Holder
from core.backend.masks import get_mask
from core.backend.symbolic import KerasTensor
from core.base import config, dtypes, names, registry, shapes, tree
from core.base.errors import unknown_name
from core.state import dtype_policy

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "none", "mean_with_sample_weight")


def owner_of(*values: Any) -> Any:
    """The backend of the first native tensor among `values`, or the active one."""
    for value in values:
        found = slot.owner(value.value if isinstance(value, Holder) else value)
        if found is not None:
            return found
    return slot.active()


def as_tensor(x: Any, dtype: str | None, backend: Any) -> Any:
    """`x` as a tensor of that backend and dtype; None keeps the dtype."""
    if isinstance(x, Holder):
        x = x.value
    other: Any = slot.OWNERS.get(type(x)) or slot.owner(x)
    if other is backend:
        return x if dtype is None or backend.dtype(x) == dtype else backend.cast(x, dtype)
    if isinstance(x, KerasTensor):
        return x if dtype is None or x.dtype == dtype else ops.cast(x, dtype)
    return backend.convert_to_tensor(x if other is None else other.convert_to_numpy(x), dtype)


def same_rank(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Both tensors with one rank where they differ by a last axis of length 1."""
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        return (x1, ops.expand_dims(x2, -1)) if rank2 == 1 else (ops.squeeze(x1, -1), x2)
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        return (ops.expand_dims(x1, -1), x2) if rank1 == 1 else (x1, ops.squeeze(x2, -1))
    return x1, x2


def loss_function(raw: Callable) -> Callable:
    """Makes a public loss function of one on prepared tensors: floats of one dtype, backend and rank. That one stays as `.raw`."""

    @functools.wraps(raw)
    def prepared(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        backend = owner_of(y_pred, y_true)
        y_pred = as_tensor(y_pred, None, backend)
        dtype = dtypes.to_float(dtypes.standardize_dtype(y_pred.dtype))
        return raw(*same_rank(as_tensor(y_true, dtype, backend), as_tensor(y_pred, dtype, backend)), *args, **kwargs)

    prepared.raw = raw  # type: ignore[attr-defined]
    return prepared


def average_of(loss: Callable) -> Callable[[Callable], Callable]:
    """Declares how the mean of a loss over all samples is had in one op: a function of the loss' arguments that returns it, or None
    where their shapes or settings need the values first. It stays as `loss.average`."""

    def declare(average: Callable) -> Callable:
        loss.average = average  # type: ignore[attr-defined]
        return average

    return declare


def check_shapes(name: str, y_true: Any, y_pred: Any) -> None:
    """Raises where targets and predictions cannot be compared element by element."""
    if y_true.shape == y_pred.shape:
        return
    try:
        shapes.broadcast(tuple(y_true.shape), tuple(y_pred.shape))
    except ValueError:
        raise ValueError(
            f"{name} expected y_true and y_pred of one shape, got {tuple(y_true.shape)} and {tuple(y_pred.shape)}; check the units of the "
            "last layer and the shape of the targets."
        ) from None


def aligned(weights: Any, values: Any) -> tuple[Any, Any]:
    """Weights that broadcast against values: one per sample where the leading dimensions agree."""
    values, weights = same_rank(values, weights)
    shape, rank = tuple(values.shape), len(weights.shape)
    if 0 < rank < len(shape) and shapes.compatible(tuple(weights.shape), shape[:rank]):
        weights = ops.reshape(weights, (*(-1 if d is None else d for d in weights.shape), *(1,) * (len(shape) - rank)))
    elif rank > len(shape) or (rank and weights.shape != values.shape):
        try:
            fits = shapes.broadcast(tuple(weights.shape), shape) == shape
        except ValueError:
            fits = False
        if not fits and None not in shape:
            raise ValueError(
                f"sample_weight of shape {tuple(weights.shape)} does not fit values of shape {shape}: give one per sample or per value."
            )
    return weights, values


def reduced(values: Any, sample_weight: Any = None, mask: Any = None, reduction: str | None = "sum_over_batch_size") -> Any:
    """Values, weighted and without the masked ones, as their mean or sum, or as they are."""
    weights, kept = sample_weight, None
    if sample_weight is not None or mask is not None:
        dtype, backend = dtypes.standardize_dtype(values.dtype), owner_of(values)
        if mask is not None:
            kept = as_tensor(mask, dtype, backend)
        if weights is None:
            weights = kept
        else:
            weights = as_tensor(weights, dtype, backend)
            if kept is not None:
                kept, values = aligned(kept, values)
                weights = ops.multiply(aligned(weights, values)[0], kept)
        weights, values = aligned(weights, values)
        values = ops.multiply(values, weights)
    if reduction == "sum_over_batch_size" or reduction == "mean":
        average = ops.mean(values)
        return average if kept is None else average / ops.maximum(ops.mean(kept), config.epsilon())
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight":
        if weights is None:
            return ops.mean(values)
        return ops.divide_no_nan(ops.sum(values), ops.sum(ops.broadcast_to(weights, values.shape)))
    return values


class Loss:
    """Base of the losses: `call(y_true, y_pred)` returns values per sample, which `loss(y_true, y_pred)` weights and reduces.

    Args:
        name: made from the class name where it is None.
        reduction: `"sum_over_batch_size"` (the mean; also `"mean"`), `"sum"`, `"mean_with_sample_weight"` (divided by the sum of the
            weights), or `"none"`.
        dtype: dtype or policy in which to compute; `floatx()` where it is None.

    >>> class Distance(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return core.ops.norm(y_pred - y_true, axis=-1)
    >>> float(Distance()(np.zeros((2, 2)), np.array([[3.0, 4.0], [0.0, 0.0]])))
    2.5
    """

    _average: Callable | None = None  # see `average_of`
    _casts_labels = True  # whether y_true takes part in arithmetic, rather than naming classes

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction is not None and reduction not in REDUCTIONS:
            raise unknown_name("reduction", reduction, REDUCTIONS)
        self.name = name or names.auto_name(type(self).__name__)
        self.reduction = reduction
        self._given_dtype = dtype
        self._dtype = dtype if isinstance(dtype, str) and dtype in dtypes.ALLOWED else _compute_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The dtype in which targets and predictions meet."""
        return self._dtype

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The values to reduce, usually one per sample: shape `y_pred.shape[:-1]`."""
        raise TypeError(f"{type(self).__name__} must define `call(y_true, y_pred)`.")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss, a scalar; values where the reduction is `"none"`."""
        if isinstance(y_pred, (list, tuple, dict)) or isinstance(y_true, dict):
            return self._structured(y_true, y_pred, sample_weight)
        backend = slot.OWNERS.get(type(y_pred)) or owner_of(y_pred, y_true)
        mask = get_mask(y_pred)
        y_pred = as_tensor(y_pred, self._dtype, backend)
        y_true = as_tensor(y_true, self._dtype if self._casts_labels else None, backend)
        if self._average is not None and mask is None and sample_weight is None and self.reduction in ("sum_over_batch_size", "mean"):
            average = self._average(y_true, y_pred)
            if average is not None:
                return average
        return self._finish(self.call(y_true, y_pred), sample_weight, mask)

    def _structured(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        if not any(hasattr(leaf, "shape") for leaf in tree.flatten(y_pred)):  # plain nested numbers are one tensor
            return self(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred), sample_weight)
        backend = owner_of(*tree.flatten(y_pred), *tree.flatten(y_true))
        mask = next((m for m in map(get_mask, tree.flatten(y_pred)) if m is not None), None)
        y_pred = tree.map_structure(lambda x: as_tensor(x, self._dtype, backend), y_pred)
        y_true = tree.map_structure(lambda x: as_tensor(x, self._dtype if self._casts_labels else None, backend), y_true)
        return self._finish(self.call(y_true, y_pred), sample_weight, mask)

    def _finish(self, values: Any, sample_weight: Any, mask: Any) -> Any:
        own = get_mask(values)
        if own is not None:
            mask = own if mask is None else ops.logical_and(own, mask)
        return reduced(values, sample_weight, mask, self.reduction)

    def get_config(self) -> dict:
        config = {"name": self.name, "reduction": self.reduction}
        return config if self._given_dtype is None else {**config, "dtype": registry.serialize_keras_object(self._given_dtype)}

    @classmethod
    def from_config(cls, config: dict) -> Loss:
        if isinstance(config.get("dtype"), dict):
            config = {**config, "dtype": registry.deserialize_keras_object(config["dtype"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} reduction={self.reduction}>"


def _compute_dtype(dtype: Any) -> str:
    return config.floatx() if dtype is None else dtype_policy.get(dtype).compute_dtype


class LossFunctionWrapper(Loss):
    """The loss of a function `fn(y_true, y_pred, **kwargs)` that returns values per sample."""

    def __init__(
        self, fn: Callable, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None, **kwargs: Any
    ):
        super().__init__(name, reduction, dtype)
        self.fn, self._fn_kwargs = fn, kwargs
        self._raw = getattr(fn, "raw", fn)
        if hasattr(fn, "average") and type(self).call is LossFunctionWrapper.call:
            self._average = functools.partial(fn.average, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if isinstance(y_pred, (list, tuple, dict)):
            pairs = [same_rank(t, p) for t, p in zip(tree.flatten(y_true), tree.flatten(y_pred), strict=True)]
            spec = tree.flatten_with_spec(y_pred)[1]
            return self.fn(tree.unflatten(spec, [t for t, _ in pairs]), tree.unflatten(spec, [p for _, p in pairs]), **self._fn_kwargs)
        if len(y_true.shape) != len(y_pred.shape):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self._raw(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict:
        kwargs = {k: registry.serialize_keras_object(v) for k, v in self._fn_kwargs.items()}
        if type(self) is not LossFunctionWrapper:
            return {**super().get_config(), **kwargs}
        return {**super().get_config(), "fn": registry.serialize_keras_object(self.fn), **kwargs}

    @classmethod
    def from_config(cls, config: dict) -> Loss:
        if "fn" in config:
            config = {**config, "fn": registry.deserialize_keras_object(config["fn"])}
        return super().from_config(config)
