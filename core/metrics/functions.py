"""Accuracies and correlations as functions: values per sample or element, floats of `y_pred`'s dtype (`floatx()` for integers)."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import config, dtypes
from core.losses.loss import as_tensor, check_shapes, loss_function, owner_of


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any, str]:
    """Both as tensors of one backend with dtypes kept, and the float dtype of results."""
    backend = owner_of(y_pred, y_true)
    y_true, y_pred = as_tensor(y_true, None, backend), as_tensor(y_pred, None, backend)
    return y_true, y_pred, dtypes.to_float(dtypes.standardize_dtype(y_pred.dtype))


@loss_function
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """How often labels are equal, as the mean over the last axis."""
    check_shapes("accuracy", y_true, y_pred)
    return ops.mean(ops.cast(ops.equal(y_true, y_pred), y_true.dtype), axis=-1)


@loss_function
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where `y_pred > threshold` agrees with labels 0 and 1, else 0, for each element.

    >>> binary_accuracy([1, 0], [0.7, 0.8])
    array([1., 0.], dtype=float32)
    """
    check_shapes("binary_accuracy", y_true, y_pred)
    return ops.cast(ops.equal(y_true, ops.cast(ops.greater(y_pred, threshold), y_pred.dtype)), y_pred.dtype)


@loss_function
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest of `y_pred` is at the one of one-hot `y_true`, else 0; the last axis is gone."""
    check_shapes("categorical_accuracy", y_true, y_pred)
    return ops.cast(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)), y_pred.dtype)


def _indices(y_true: Any, y_pred: Any) -> Any:
    """Class indices without a trailing 1, as int32."""
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if len(y_true.shape) != len(y_pred.shape) - 1:
        raise ValueError(
            f"Sparse accuracies expected one class index per sample, y_true of shape {tuple(y_pred.shape[:-1])} for y_pred "
            f"{tuple(y_pred.shape)}, got {tuple(y_true.shape)}; for one-hot labels use the categorical ones."
        )
    return ops.cast(y_true, "int32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest of `y_pred` is at the class index `y_true`, else 0; the last axis is gone.

    >>> sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred, dtype = _pair(y_true, y_pred)
    return ops.cast(ops.equal(_indices(y_true, y_pred), ops.argmax(y_pred, axis=-1)), dtype)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class of one-hot `y_true` is among the `k` largest of `y_pred`, else 0; the last axis is gone."""
    y_true, y_pred, _ = _pair(y_true, y_pred)
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the class index `y_true` is among the `k` largest of `y_pred`, else 0, in the shape of `y_true`.

    With `from_sorted_ids`, `y_pred` holds class indices, best first.
    """
    y_true, y_pred, dtype = _pair(y_true, y_pred)
    labels = _indices(y_true, y_pred)
    if from_sorted_ids:
        found = ops.any(ops.equal(ops.expand_dims(labels, -1), ops.cast(y_pred[..., :k], "int32")), axis=-1)
    else:
        classes = y_pred.shape[-1]
        flat = ops.in_top_k(ops.reshape(labels, (-1,)), ops.reshape(y_pred, (-1, classes)), min(k, classes))
        found = flat if len(labels.shape) == 1 else ops.reshape(flat, ops.shape(labels))
    found = ops.cast(found, dtype)
    return ops.expand_dims(found, -1) if len(y_true.shape) > len(labels.shape) else found


@loss_function
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between the vectors along `axis`."""
    check_shapes("cosine_similarity", y_true, y_pred)
    return ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


def _moments(y_true: Any, y_pred: Any, axis: int) -> tuple[Any, Any, Any, Any]:
    means = [ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    true, pred = y_true - means[0], y_pred - means[1]
    covariance = ops.mean(true * pred, axis=axis)
    gap = ops.squeeze(means[0] - means[1], axis)
    return covariance, ops.mean(ops.square(true), axis=axis), ops.mean(ops.square(pred), axis=axis), gap


@loss_function
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Covariance over the product of the standard deviations along `axis`: 1 for a rising line, nan for constant vectors."""
    check_shapes("pearson_correlation", y_true, y_pred)
    covariance, true, pred, _ = _moments(y_true, y_pred, axis)
    return covariance / ops.sqrt(true * pred)


@loss_function
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Pearson correlation lessened by the distance from the line y = x, along `axis`; 1 for equal vectors. Lin, 1989."""
    check_shapes("concordance_correlation", y_true, y_pred)
    covariance, true, pred, gap = _moments(y_true, y_pred, axis)
    return 2.0 * covariance / (true + pred + ops.square(gap) + config.epsilon())
