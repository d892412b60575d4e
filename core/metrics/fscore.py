"""F-scores of multi-label and multi-class predictions."""

from __future__ import annotations

from typing import Any

from core import ops
from core.losses.loss import as_tensor
from core.metrics.metric import Metric
from core.metrics.wrappers import _columns

AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall, where recall counts `beta` times as much.

    Args:
        average: None for one score per class, `"micro"` over all decisions, `"macro"` over classes, `"weighted"` over classes by
            how often they occur.
        beta: a positive number.
        threshold: what predictions must exceed to count as positive; None: the largest of each row does.

    Targets and predictions have the shape (batch, classes).
    """

    _direction = "up"
    true_positives: Any
    false_positives: Any
    false_negatives: Any
    intermediate_weights: Any

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        if average not in AVERAGES:
            raise ValueError(f"average must be one of {AVERAGES}, got {average!r}.")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"beta must be a positive float, got {beta!r}.")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(f"threshold must be a float above 0 and at most 1, or None, got {threshold!r}.")
        self.average, self.beta, self.threshold = average, beta, threshold
        self.axis = None if average == "micro" else 0
        self._built = False

    def _build(self, shape: tuple) -> None:
        if len(shape) != 2 or shape[1] is None:
            raise ValueError(f"{type(self).__name__} expected targets and predictions of shape (batch, classes), got {shape}.")
        for name in ("true_positives", "false_positives", "false_negatives", "intermediate_weights"):
            setattr(self, name, self.add_weight(() if self.axis is None else (shape[1],), name=name))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = self._tensors(y_true, y_pred)
        if not self._built:
            self._build(tuple(y_pred.shape))
        if self.threshold is None:
            largest = ops.equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
            chosen = ops.logical_and(largest, ops.greater(ops.abs(y_pred), 1e-9))  # a row of zeros chooses nothing
        else:
            chosen = ops.greater(y_pred, self.threshold)
        chosen = ops.cast(chosen, self._dtype)
        weights = 1.0 if sample_weight is None else _columns(self._tensors(sample_weight)[0], y_true)
        self.true_positives.assign_add(ops.sum(chosen * y_true * weights, axis=self.axis))
        self.false_positives.assign_add(ops.sum(chosen * (1.0 - y_true) * weights, axis=self.axis))
        self.false_negatives.assign_add(ops.sum((1.0 - chosen) * y_true * weights, axis=self.axis))
        self.intermediate_weights.assign_add(ops.sum(y_true * weights, axis=self.axis))

    def result(self) -> Any:
        if not self._built:
            return as_tensor(0.0, self._dtype, self.backend)
        precision = ops.divide_no_nan(self.true_positives, ops.add(self.true_positives, self.false_positives))
        recall = ops.divide_no_nan(self.true_positives, ops.add(self.true_positives, self.false_negatives))
        square = self.beta**2
        score = ops.divide_no_nan((1.0 + square) * precision * recall, square * precision + recall)
        if self.average == "weighted":
            return ops.sum(score * ops.divide_no_nan(self.intermediate_weights, ops.sum(self.intermediate_weights)))
        return score if self.average is None else ops.mean(score)

    def get_config(self) -> dict:
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall; arguments as in `FBetaScore`.

    >>> F1Score(threshold=0.5)([[1, 1], [0, 1]], [[0.9, 0.6], [0.8, 0.7]])  # per class
    array([0.6666667, 1.       ], dtype=float32)
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict:
        return {k: v for k, v in super().get_config().items() if k != "beta"}
