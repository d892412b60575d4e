"""Metrics of binary decisions: how many are true and false, positive and negative, at one threshold or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core import ops
from core.base import config
from core.base.errors import unknown_name
from core.losses.loss import aligned, as_tensor, same_rank
from core.metrics.metric import Metric

_NEVER = -1e10  # a score, and a threshold, below all others
_FEW = 8  # up to so many thresholds each is compared with all scores; more are found by search


def checked_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list of numbers from 0 to 1."""
    given = [default] if thresholds is None else list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    wrong = [t for t in given if t is None or not 0 <= t <= 1]
    if wrong and thresholds is not None:
        raise ValueError(f"Thresholds must lie in 0 to 1, got {wrong} in {thresholds}.")
    return [float(t) for t in given]


def confusion(y_true: Any, y_pred: Any, weights: Any, thresholds: Sequence[float], by_label: bool = False) -> tuple[Any, Any, Any, Any]:
    """True positives, false positives, all positives, and all negatives, weighted: the first two per threshold.

    `y_true` (0 or 1) and `y_pred` have one shape (samples, labels); `weights` broadcasts or is None. With
    `by_label`, a last axis of labels stays.
    A score counts as positive where it is above the threshold.
    """
    axis = 0 if by_label else None
    hits = y_true if weights is None else y_true * weights
    misses = (1.0 - y_true) if weights is None else (1.0 - y_true) * weights
    positives, negatives = ops.sum(hits, axis=axis), ops.sum(misses, axis=axis)
    count = len(thresholds)
    if count == 1 and not by_label:
        chosen = ops.cast(ops.greater(y_pred, thresholds[0]), y_true.dtype)
        return ops.reshape(ops.sum(chosen * hits), (1,)), ops.reshape(ops.sum(chosen * misses), (1,)), positives, negatives
    if count <= _FEW:
        column = ops.convert_to_tensor(np.reshape(thresholds, (-1, 1, 1)).astype("float32"), dtype=y_pred.dtype)
        chosen = ops.cast(ops.greater(ops.expand_dims(y_pred, 0), column), y_true.dtype)
        axes = 1 if by_label else (1, 2)
        return ops.sum(chosen * hits, axis=axes), ops.sum(chosen * misses, axis=axes), positives, negatives
    # Each score counts as positive at as many of the sorted thresholds as are below it: count those, then sum up from above.
    order = np.argsort(thresholds, kind="stable")
    labels = y_pred.shape[1] if by_label else 1
    rising = ops.convert_to_tensor(np.asarray(thresholds, "float32")[order], dtype=y_pred.dtype)
    below = ops.cast(ops.reshape(ops.searchsorted(rising, ops.reshape(y_pred, (-1,))), (-1, y_pred.shape[1])), "int32")
    if by_label:
        below = below * labels + ops.arange(labels, dtype="int32")
    segments, back = ops.reshape(below, (-1,)), np.argsort(order, kind="stable")

    def above(values: Any) -> Any:
        counts = ops.segment_sum(
            ops.reshape(ops.broadcast_to(values, ops.shape(y_pred)), (-1,)), segments, num_segments=(count + 1) * labels
        )
        totals = ops.flip(ops.cumsum(ops.flip(ops.reshape(counts, (count + 1, labels))[1:], axis=0), axis=0), axis=0)
        totals = totals if (back == np.arange(count)).all() else ops.take(totals, back, axis=0)
        return totals if by_label else totals[:, 0]

    return above(hits), above(misses), positives, negatives


def _top_k(y_pred: Any, k: int) -> Any:
    """Scores, the ones that are not among the `k` largest of their row as `_NEVER`."""
    if k >= y_pred.shape[-1]:
        return y_pred
    ranks = ops.sum(ops.one_hot(ops.top_k(y_pred, k, sorted=False)[1], y_pred.shape[-1], dtype=y_pred.dtype), axis=-2)
    return y_pred * ranks + _NEVER * (1.0 - ranks)


class _Confusion(Metric):
    """Base: prepares targets, predictions and weights, and hands the four counts to `collect`."""

    thresholds: list[float]
    top_k: int | None = None
    class_id: int | None = None

    def collect(self, true_positives: Any, false_positives: Any, positives: Any, negatives: Any) -> None:
        """Adds the counts of one batch to the variables."""
        raise TypeError(f"{type(self).__name__} must define `collect`.")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = same_rank(*self._tensors(y_true, y_pred))
        if y_true.shape != y_pred.shape and None not in (*y_true.shape, *y_pred.shape):
            raise ValueError(
                f"{type(self).__name__} expected y_true and y_pred of one shape, got {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        if self.top_k is not None:
            y_pred = _top_k(y_pred, self.top_k)
        weights = None if sample_weight is None else self._tensors(sample_weight)[0]
        if self.class_id is not None:
            y_true, y_pred = (ops.take(y, self.class_id, axis=-1) for y in (y_true, y_pred))
            if weights is not None and len(weights.shape) > len(y_pred.shape):
                weights = ops.squeeze(weights, -1) if weights.shape[-1] == 1 else ops.take(weights, self.class_id, axis=-1)
        if weights is not None and weights.shape:
            weights, _ = aligned(weights, y_pred)
            weights = _matrix(ops.broadcast_to(weights, ops.shape(y_pred)))
        self.collect(*confusion(_matrix(self._labels(y_true)), _matrix(y_pred), weights, self.thresholds))

    def _labels(self, y_true: Any) -> Any:
        """Targets as 0 and 1: what is not 0 counts as 1."""
        return ops.cast(ops.not_equal(y_true, 0), self._dtype)


def _matrix(x: Any) -> Any:
    return ops.reshape(x, (-1, 1) if len(x.shape) < 2 else (-1, x.shape[-1]))


class _Count(_Confusion):
    """One of the four counts, a scalar for one threshold, else one value each."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self._thresholds, self.thresholds = thresholds, checked_thresholds(thresholds)
        self.accumulator = self.add_weight((len(self.thresholds),), name="accumulator")

    def result(self) -> Any:
        counts = ops.copy(self.accumulator)
        return counts[0] if len(self.thresholds) == 1 else counts

    def get_config(self) -> dict:
        return {**super().get_config(), "thresholds": self._thresholds}


class TruePositives(_Count):
    """How many ones are predicted above the threshold.

    >>> float(TruePositives()([1, 1, 0], [0.9, 0.2, 0.8]))
    1.0
    """

    def collect(self, true_positives, false_positives, positives, negatives):
        self.accumulator.assign_add(true_positives)


class FalsePositives(_Count):
    """How many zeros are predicted above the threshold."""

    def collect(self, true_positives, false_positives, positives, negatives):
        self.accumulator.assign_add(false_positives)


class TrueNegatives(_Count):
    """How many zeros are not predicted above the threshold."""

    def collect(self, true_positives, false_positives, positives, negatives):
        self.accumulator.assign_add(negatives - false_positives)


class FalseNegatives(_Count):
    """How many ones are not predicted above the threshold."""

    def collect(self, true_positives, false_positives, positives, negatives):
        self.accumulator.assign_add(positives - true_positives)


class _Rate(_Confusion):
    """True positives over themselves and one kind of error."""

    _direction = "up"
    _error: str

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self._thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self.thresholds = [_NEVER] if top_k is not None and thresholds is None else checked_thresholds(thresholds)
        self.true_positives = self.add_weight((len(self.thresholds),), name="true_positives")
        self._errors = self.add_weight((len(self.thresholds),), name=self._error)

    def result(self) -> Any:
        rate = ops.divide_no_nan(self.true_positives, ops.add(self.true_positives, self._errors))
        return rate[0] if len(self.thresholds) == 1 else rate

    def get_config(self) -> dict:
        return {**super().get_config(), "thresholds": self._thresholds, "top_k": self.top_k, "class_id": self.class_id}


class Precision(_Rate):
    """The share of ones among what is predicted above the threshold.

    Args:
        thresholds: a number or several, in 0 to 1; 0.5 by default. Several give a tensor.
        top_k: counts only the `k` largest predictions of each row.
        class_id: looks at one class only.

    >>> float(Precision()([0, 1, 1, 1], [0.8, 0.1, 0.9, 0.7]))
    0.6666666865348816
    """

    _error = "false_positives"

    def collect(self, true_positives, false_positives, positives, negatives):
        self.true_positives.assign_add(true_positives)
        self._errors.assign_add(false_positives)

    @property
    def false_positives(self):
        return self._errors


class Recall(_Rate):
    """The share of ones that are predicted above the threshold; arguments as in `Precision`."""

    _error = "false_negatives"

    def collect(self, true_positives, false_positives, positives, negatives):
        self.true_positives.assign_add(true_positives)
        self._errors.assign_add(positives - true_positives)

    @property
    def false_negatives(self):
        return self._errors


class _Curve(_Confusion):
    """All four counts at many thresholds."""

    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any

    def _counts(self, shape: tuple) -> None:
        for name in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
            setattr(self, name, self.add_weight(shape, name=name))

    def collect(self, true_positives, false_positives, positives, negatives):
        self.true_positives.assign_add(true_positives)
        self.false_positives.assign_add(false_positives)
        self.true_negatives.assign_add(negatives - false_positives)
        self.false_negatives.assign_add(positives - true_positives)

    def _values(self) -> tuple[Any, Any, Any, Any]:
        return tuple(
            ops.convert_to_tensor(v) for v in (self.true_positives, self.false_positives, self.true_negatives, self.false_negatives)
        )


class _AtConstraint(_Curve):
    """The best of one rate among the thresholds at which another is at least a given value."""

    _direction = "up"
    _constraint: str

    def __init__(self, value, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(dtype, name)
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"{self._constraint} must lie in 0 to 1, got {value!r}.")
        if num_thresholds <= 0:
            raise ValueError(f"num_thresholds must be above 0, got {num_thresholds}.")
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        self.thresholds = [0.5] if num_thresholds == 1 else np.linspace(0.0, 1.0, num_thresholds).tolist()
        self._counts((num_thresholds,))

    def rates(self, tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
        """The constrained rate and the one to be large."""
        raise TypeError(f"{type(self).__name__} must define `rates`.")

    def result(self) -> Any:
        constrained, wanted = self.rates(*self._values())
        return ops.max(ops.where(ops.greater_equal(constrained, self.value), wanted, 0.0))

    def get_config(self) -> dict:
        return {**super().get_config(), "num_thresholds": self.num_thresholds, "class_id": self.class_id, self._constraint: self.value}


class SensitivityAtSpecificity(_AtConstraint):
    """The largest sensitivity, `tp / (tp + fn)`, at which the specificity, `tn / (tn + fp)`, is at least `specificity`."""

    _constraint = "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def rates(self, tp, fp, tn, fn):
        return ops.divide_no_nan(tn, tn + fp), ops.divide_no_nan(tp, tp + fn)


class SpecificityAtSensitivity(_AtConstraint):
    """The largest specificity at which the sensitivity is at least `sensitivity`."""

    _constraint = "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def rates(self, tp, fp, tn, fn):
        return ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(tn, tn + fp)


class PrecisionAtRecall(_AtConstraint):
    """The largest precision, `tp / (tp + fp)`, at which the recall, `tp / (tp + fn)`, is at least `recall`."""

    _constraint = "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def rates(self, tp, fp, tn, fn):
        return ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(tp, tp + fp)


class RecallAtPrecision(_AtConstraint):
    """The largest recall at which the precision is at least `precision`."""

    _constraint = "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def rates(self, tp, fp, tn, fn):
        return ops.divide_no_nan(tp, tp + fp), ops.divide_no_nan(tp, tp + fn)


_CURVES = {"roc": "ROC", "pr": "PR", "prgain": "PRGAIN"}
_SUMMATIONS = {"interpolation": "interpolation", "minoring": "minoring", "majoring": "majoring"}


class AUC(_Curve):
    """The area under a curve of two rates over thresholds.

    Args:
        num_thresholds: how many thresholds, evenly spaced, the curve is drawn through.
        curve: `"ROC"` (recall over false positive rate), `"PR"` (precision over recall) or `"PRGAIN"` (Flach and Kull, 2015).
        summation_method: `"interpolation"` (trapezoids; for PR the one of Davis and Goadrich, 2006), `"minoring"`, `"majoring"`.
        thresholds: the thresholds themselves, in 0 to 1, in place of `num_thresholds`; 0 and 1 are added.
        multi_label: whether each of `num_labels` columns has a curve, whose areas are averaged with `label_weights`.
        from_logits: whether predictions are logits.

    >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        super().__init__(dtype, name)
        if str(curve).lower() not in _CURVES:
            raise unknown_name("curve", curve, _CURVES.values())
        if str(summation_method).lower() not in _SUMMATIONS:
            raise unknown_name("summation_method", summation_method, _SUMMATIONS)
        self.curve, self.summation_method = _CURVES[curve.lower()], summation_method.lower()
        self._own = None if thresholds is None else sorted(checked_thresholds(thresholds))
        if self._own is None and num_thresholds <= 1:
            raise ValueError(f"num_thresholds must be above 1, got {num_thresholds}.")
        inner = self._own if self._own is not None else [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.num_thresholds = len(inner) + 2
        self._edges = [-config.epsilon(), *inner, 1.0 + config.epsilon()]  # the ends take in all, and nothing
        self.multi_label, self.num_labels, self.label_weights = multi_label, num_labels, label_weights
        self.from_logits = from_logits
        self._built = False
        if not multi_label or num_labels is not None:
            self._build(num_labels)

    @property
    def thresholds(self) -> list[float]:  # type: ignore[override]
        """All thresholds, from just below 0 to just above 1."""
        return self._edges

    def _build(self, labels: int | None) -> None:
        if self.multi_label and self.label_weights is not None and len(self.label_weights) != labels:
            raise ValueError(f"label_weights must have one number for each of the {labels} labels, got {len(self.label_weights)}.")
        self._counts((self.num_thresholds, labels) if self.multi_label else (self.num_thresholds,))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = self._tensors(y_pred)[0]
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        if not self.multi_label:
            super().update_state(y_true, y_pred, sample_weight)
            return
        if len(y_pred.shape) != 2 or (self._built and y_pred.shape[1] != self.true_positives.shape[1]):
            expected = self.true_positives.shape[1] if self._built else "labels"
            raise ValueError(f"AUC(multi_label=True) expected predictions of shape (batch, {expected}), got {tuple(y_pred.shape)}.")
        if not self._built:
            self._build(y_pred.shape[1])
        weights = None
        if sample_weight is not None:
            weights, _ = aligned(self._tensors(sample_weight)[0], y_pred)
        y_true = ops.reshape(self._tensors(y_true)[0], ops.shape(y_pred))
        self.collect(*confusion(self._labels(y_true), y_pred, weights, self.thresholds, by_label=True))

    def result(self) -> Any:
        if not self._built:
            return as_tensor(0.0, self._dtype, self.backend)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        tp, fp, tn, fn = self._values()
        if self.curve == "ROC":
            x, y = ops.divide_no_nan(fp, fp + tn), ops.divide_no_nan(tp, tp + fn)
        elif self.curve == "PR":
            x, y = ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(tp, tp + fp)
        else:
            odds = ops.divide_no_nan(tp + fn, tn + fp)
            recall_gain = ops.maximum(1.0 - odds * ops.divide_no_nan(fn, tp), 0.0)
            x, y = ops.where(tp > 0, recall_gain, 0.0), 1.0 - odds * ops.divide_no_nan(fp, tp)
        join = {"interpolation": lambda a, b: (a + b) / 2.0, "minoring": ops.minimum, "majoring": ops.maximum}[self.summation_method]
        return self._over_labels(ops.sum((x[:-1] - x[1:]) * join(y[:-1], y[1:]), axis=0))

    def interpolate_pr_auc(self) -> Any:
        """The area under the precision-recall curve, true positives interpolated linearly between thresholds."""
        tp, fp, _, fn = self._values()
        predicted = tp + fp
        gained = tp[:-1] - tp[1:]
        slope = ops.divide_no_nan(gained, ops.maximum(predicted[:-1] - predicted[1:], 0.0))
        intercept = tp[1:] - slope * predicted[1:]
        both = ops.logical_and(predicted[:-1] > 0, predicted[1:] > 0)
        ratio = ops.where(both, ops.divide_no_nan(predicted[:-1], ops.maximum(predicted[1:], 0.0)), 1.0)
        area = slope * (gained + intercept * ops.log(ratio))
        return self._over_labels(ops.sum(ops.divide_no_nan(area, ops.maximum(tp[1:] + fn[1:], 0.0)), axis=0))

    def _over_labels(self, areas: Any) -> Any:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = self._tensors(np.asarray(self.label_weights))[0]
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))

    def get_config(self) -> dict:
        own = {} if self._own is None else {"thresholds": self._own}
        weights = None if self.label_weights is None else [float(w) for w in self.label_weights]
        return {
            **super().get_config(), "num_thresholds": self.num_thresholds, "curve": self.curve, "summation_method": self.summation_method,
            "multi_label": self.multi_label, "num_labels": self.num_labels, "label_weights": weights,
            "from_logits": self.from_logits, **own,
        }  # fmt: skip
