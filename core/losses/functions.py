"""The loss functions: one value per sample from `y_true` and `y_pred`. Both are read as floats of one dtype.

Arguments may be tensors of one framework, NumPy arrays or lists. Where the ranks differ by a last axis of length 1, it is dropped or added.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from core import ops
from core.backend.masks import set_mask
from core.base import config, dtypes
from core.losses.loss import as_tensor, average_of, check_shapes, loss_function, owner_of


@loss_function
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of `(y_true - y_pred) ** 2` over the last axis.

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]])
    array([2.], dtype=float32)
    """
    check_shapes("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_pred, y_true)), axis=-1)


@average_of(mean_squared_error)
def _mean_squared_error(y_true, y_pred):
    return ops.mean_squared_difference(y_true, y_pred) if y_true.shape == y_pred.shape else None


@loss_function
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of `|y_true - y_pred|` over the last axis."""
    check_shapes("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_pred, y_true)), axis=-1)


@loss_function
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """One hundred times the mean of `|y_true - y_pred| / |y_true|` over the last axis; the divisor is at least epsilon."""
    check_shapes("mean_absolute_percentage_error", y_true, y_pred)
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), config.epsilon())), axis=-1)


@loss_function
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """The mean squared difference of `log(1 + y)` over the last axis; values below epsilon count as epsilon."""
    check_shapes("mean_squared_logarithmic_error", y_true, y_pred)
    logs = [ops.log1p(ops.maximum(y, config.epsilon())) for y in (y_true, y_pred)]
    return ops.mean(ops.square(logs[0] - logs[1]), axis=-1)


@loss_function
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the squared error up to an error of `delta`, linear beyond, as its mean over the last axis. Huber, 1964."""
    check_shapes("huber", y_true, y_pred)
    error = ops.abs(y_pred - y_true)
    return ops.mean(ops.where(error <= delta, 0.5 * ops.square(error), delta * error - 0.5 * delta**2), axis=-1)


@loss_function
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """The mean of `log(cosh(y_pred - y_true))` over the last axis."""
    check_shapes("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


@loss_function
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between the vectors along `axis`: -1 where they point the same way."""
    check_shapes("cosine_similarity", y_true, y_pred)
    return -ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


@loss_function
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """The sum of `y_true * log(y_true / y_pred)` over the last axis; probabilities are at least epsilon."""
    check_shapes("kl_divergence", y_true, y_pred)
    y_true, y_pred = (ops.clip(y, config.epsilon(), 1.0) for y in (y_true, y_pred))
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@loss_function
def poisson(y_true: Any, y_pred: Any) -> Any:
    """The mean of `y_pred - y_true * log(y_pred)` over the last axis: Poisson counts `y_true` of rates `y_pred`."""
    check_shapes("poisson", y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + config.epsilon()), axis=-1)


def _signed(labels: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; labels that are not all 0 or 1 as they are."""
    binary = ops.all(ops.logical_or(ops.equal(labels, 0), ops.equal(labels, 1)))
    return ops.where(binary, 2.0 * labels - 1.0, labels)


@loss_function
def hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of `max(1 - y_true * y_pred, 0)` over the last axis; labels are -1 and 1, or 0 and 1."""
    check_shapes("hinge", y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - _signed(y_true) * y_pred, 0.0), axis=-1)


@loss_function
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of `max(1 - y_true * y_pred, 0) ** 2` over the last axis; labels are -1 and 1, or 0 and 1."""
    check_shapes("squared_hinge", y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - _signed(y_true) * y_pred, 0.0)), axis=-1)


@loss_function
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """How far the score of the true class fails to exceed the best other one by 1; `y_true` is one-hot."""
    check_shapes("categorical_hinge", y_true, y_pred)
    return ops.maximum(ops.max((1.0 - y_true) * y_pred, axis=-1) - ops.sum(y_true * y_pred, axis=-1) + 1.0, 0.0)


def _smoothed(y_true: Any, label_smoothing: float, classes: Any) -> Any:
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be between 0 and 1, got {label_smoothing}.")
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true


@loss_function
def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Any:
    """The mean over `axis` of `-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)`.

    Args:
        from_logits: whether `y_pred` holds logits rather than probabilities.
        label_smoothing: moves labels towards one half: 1 becomes `1 - label_smoothing / 2`.
    """
    return ops.mean(ops.binary_crossentropy(_smoothed(y_true, label_smoothing, 2), y_pred, from_logits=from_logits), axis=axis)


@average_of(binary_crossentropy)
def _mean_binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    if label_smoothing or y_true.shape != y_pred.shape:
        return None
    return ops.binary_crossentropy(y_true, y_pred, from_logits, "mean")


@loss_function
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy times `(1 - p) ** gamma`, where p is the probability given to the true label. Lin et al., 2018.

    With `apply_class_balancing`, ones weigh `alpha` and zeros `1 - alpha`.
    """
    y_true = _smoothed(y_true, label_smoothing, 2)
    y_pred = ops.sigmoid(y_pred) if from_logits else y_pred
    given = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    values = ops.power(1.0 - given, gamma) * ops.binary_crossentropy(y_true, y_pred)
    if apply_class_balancing:
        values = values * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return ops.mean(values, axis=axis)


def _check_classes(name: str, y_true: Any, y_pred: Any, axis: int) -> None:
    if len(y_true.shape) != len(y_pred.shape):
        raise ValueError(
            f"{name} expected one-hot y_true of the shape of y_pred {tuple(y_pred.shape)}, got {tuple(y_true.shape)}; for class indices, "
            f"use sparse_categorical_crossentropy or core.utils.to_categorical."
        )
    if y_pred.shape[axis] == 1:
        warnings.warn(
            f"{name} over one class is always zero; use binary_crossentropy for two classes. y_pred: {tuple(y_pred.shape)}.", stacklevel=4
        )


@loss_function
def categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1) -> Any:
    """`-sum(y_true * log(y_pred))` over the classes on `axis`; `y_true` is one-hot or a distribution.

    Args:
        from_logits: whether `y_pred` holds logits; probabilities are scaled to sum to one.
        label_smoothing: moves labels towards the uniform distribution by this fraction.
    """
    _check_classes("categorical_crossentropy", y_true, y_pred, axis)
    return ops.categorical_crossentropy(_smoothed(y_true, label_smoothing, y_pred.shape[axis]), y_pred, from_logits=from_logits, axis=axis)


@average_of(categorical_crossentropy)
def _mean_categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    if label_smoothing or y_true.shape != y_pred.shape or y_pred.shape[axis] == 1:
        return None
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis, "mean")


@loss_function
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-sum(alpha * (1 - y_pred) ** gamma * y_true * log(y_pred))` over the classes on `axis`. Lin et al., 2018.

    `alpha` is one number or one per class.
    """
    _check_classes("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = _smoothed(y_true, label_smoothing, y_pred.shape[axis])
    y_pred = ops.softmax(y_pred, axis=axis) if from_logits else y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    y_pred = ops.clip(y_pred, config.epsilon(), 1.0 - config.epsilon())
    if isinstance(alpha, (list, tuple)):
        alpha = ops.convert_to_tensor(alpha, dtype=y_pred.dtype)
    return -ops.sum(alpha * ops.power(1.0 - y_pred, gamma) * y_true * ops.log(y_pred), axis=axis)


def _with_labels(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Class labels as they are and floating predictions, on one backend."""
    backend = owner_of(y_pred, y_true)
    y_pred = as_tensor(y_pred, None, backend)
    return as_tensor(y_true, None, backend), as_tensor(y_pred, dtypes.to_float(dtypes.standardize_dtype(y_pred.dtype)), backend)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """`-log` of the probability that `y_pred` gives to the class index `y_true`.

    Args:
        y_true: integers of the shape of `y_pred` without `axis`, or with a last 1.
        from_logits: whether `y_pred` holds logits; probabilities are scaled to sum to one.
        ignore_class: an index that does not count: the value is 0 there, and means are over the others.

    >>> sparse_categorical_crossentropy([1, 0], [[0.5, 0.5], [1.0, 0.0]])
    array([6.931472e-01, 1.000000e-07], dtype=float32)
    """
    y_true, y_pred = _with_labels(y_true, y_pred)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    y_true = ops.cast(y_true, "int32")
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    valid = ops.not_equal(y_true, ignore_class)
    labels = ops.where(valid, y_true, 0)
    values = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    values = ops.where(valid, values, 0.0)
    set_mask(values, valid)
    return values


@average_of(sparse_categorical_crossentropy)
def _mean_sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis, "mean") if ignore_class is None else None


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """`(1 - p ** q) / q`, where p is the probability of the class index `y_true`; robust to wrong labels. Zhang and Sabuncu, 2018."""
    if not 0 < q < 1:
        raise ValueError(f"q must lie between 0 and 1, got {q}.")
    y_true, y_pred = _with_labels(y_true, y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    chosen = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
    check_shapes("categorical_generalized_cross_entropy", chosen, y_pred)
    return (1.0 - ops.power(ops.sum(chosen * y_pred, axis=-1), q)) / q


@loss_function
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """One minus the Dice overlap of two soft sets, `2 |both| / (|y_true| + |y_pred|)`, over `axis` or everything."""
    check_shapes("dice", y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    total = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - (2.0 * both + config.epsilon()) / (total + config.epsilon())


@loss_function
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """One minus the Tversky overlap: like `dice`, with weight `alpha` on what is missed and `beta` on what is too much.

    That is which weighs which in Keras 3; Salehi et al., 2017, name them the other way round.
    """
    check_shapes("tversky", y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed, too_much = ops.sum(y_true * (1.0 - y_pred), axis=axis), ops.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - (both + config.epsilon()) / (both + alpha * missed + beta * too_much + config.epsilon())


def ctc(y_true: Any, y_pred: Any) -> Any:
    """Minus the log-probability of the labels under connectionist temporal classification. Graves et al., 2006.

    `y_true` holds labels (batch, max labels) from 1 on, padded with 0; `y_pred` logits (batch, steps, classes), where class 0 is the blank.
    """
    y_true, y_pred = _with_labels(y_true, y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ValueError(
            f"ctc expected y_true (batch, labels) and y_pred (batch, steps, classes), got {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    y_true = ops.cast(y_true, "int32")
    lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    return ops.ctc_loss(y_true, y_pred, lengths, ops.full_like(lengths, y_pred.shape[1]), mask_index=0)


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Circle loss of normalized embeddings, one value per sample: near to those of its label, far from the others. Sun et al., 2020.

    Args:
        y_true: integer labels (batch,) or (batch, 1).
        y_pred: embeddings (batch, size) of length one.
        ref_labels, ref_embeddings: what to compare with; the batch itself by default.
        remove_diagonal: whether a sample is not compared with itself, where the batch is the reference.
        gamma: scale. margin: how far apart the pairs should be.
    """
    labels, embeddings = _with_labels(y_true, y_pred)
    labels = ops.cast(ops.reshape(labels, (-1, 1)), "int32")
    references, ref = labels, embeddings
    if ref_labels is not None and ref_embeddings is not None:
        references, ref = _with_labels(ref_labels, ref_embeddings)
        references, ref = ops.cast(ops.reshape(references, (-1, 1)), "int32"), ops.cast(ref, embeddings.dtype)
    cosines = ops.matmul(embeddings, ops.transpose(ref))
    same = ops.equal(labels, ops.transpose(references))
    alike, other = same, ops.logical_not(same)
    if remove_diagonal and ref_labels is None:
        index = ops.arange(embeddings.shape[0])
        alike = ops.logical_and(same, ops.not_equal(ops.expand_dims(index, 1), ops.expand_dims(index, 0)))
    near = ops.maximum(1.0 + margin - cosines, 0.0) * (1.0 - margin - cosines)
    far = ops.maximum(cosines + margin, 0.0) * (cosines - margin)
    pulls = ops.logsumexp(ops.where(alike, gamma * near, _NEVER), axis=1)
    pushes = ops.logsumexp(ops.where(other, gamma * far, _NEVER), axis=1)
    return ops.softplus(pulls + pushes)


_NEVER = -1e9  # the logarithm of what does not take part
