"""Scores of predictions, weighted by row, each with its direction."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from core.saving import ConfigError

EPSILON = 1e-7


@dataclasses.dataclass(frozen=True)
class Metric:
    """A named score `function(target, prediction, weights) -> float` of matrices `(n, outputs)`, and whether more is better.

    Targets are one-hot classes, 0/1 labels or values in their own units; predictions are probabilities or values.

    >>> import numpy as np
    >>> METRICS["accuracy"](np.eye(2), np.array([[0.9, 0.1], [0.6, 0.4]]))
    0.5
    """

    name: str
    function: Callable[[np.ndarray, np.ndarray, np.ndarray], float]
    greater_is_better: bool
    kinds: tuple[str, ...]

    def __call__(self, target: np.ndarray, prediction: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The score; NaN where a prediction is not finite, so that such a model never ranks."""
        if not np.isfinite(prediction).all():
            return float("nan")
        return float(self.function(target, prediction, np.ones(len(target)) if weights is None else weights))

    def loss(self, target: np.ndarray, prediction: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The score turned so that less is better, infinite for NaN."""
        score = self(target, prediction, weights)
        return float("inf") if np.isnan(score) else -score if self.greater_is_better else score


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(values, weights=weights))


def log_loss(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """Mean negative log-likelihood of one class of several."""
    prediction = np.clip(prediction, EPSILON, 1)
    return -_mean((target * np.log(prediction / prediction.sum(axis=1, keepdims=True))).sum(axis=1), weights)


def binary_log_loss(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """Mean negative log-likelihood of labels, averaged over the labels."""
    prediction = np.clip(prediction, EPSILON, 1 - EPSILON)
    return -_mean((target * np.log(prediction) + (1 - target) * np.log1p(-prediction)).mean(axis=1), weights)


def accuracy(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """The share of rows whose most probable class is right."""
    return _mean(target.argmax(1) == prediction.argmax(1), weights)


def label_accuracy(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """The share of labels that are right."""
    return _mean(((prediction >= 0.5) == (target > 0.5)).mean(axis=1), weights)


def balanced_accuracy(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """The mean over classes of the share of their rows that are found."""
    right = target.argmax(1) == prediction.argmax(1)
    mass = target * weights[:, None]
    present = mass.sum(0) > 0
    return float(((mass * right[:, None]).sum(0)[present] / mass.sum(0)[present]).mean())


def f1(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """F1 of the second class of two (the positive one); the mean over classes of three or more."""
    chosen = np.eye(target.shape[1])[prediction.argmax(1)]
    hits, found, true = ((weights[:, None] * part).sum(0) for part in (target * chosen, chosen, target))
    scores = 2 * hits / np.maximum(found + true, EPSILON)
    return float(scores[1] if len(scores) == 2 else scores.mean())


def roc_auc(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """Area under the ROC curve; one class against the rest, averaged, for three or more, or for labels."""
    from sklearn.metrics import roc_auc_score

    columns = [1] if target.shape[1] == 2 else [i for i in range(target.shape[1]) if 0 < target[:, i].sum() < len(target)]
    scores = [roc_auc_score(target[:, i] > 0.5, prediction[:, i], sample_weight=weights) for i in columns]
    return float(np.mean(scores)) if scores else float("nan")


def mse(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """Mean squared error."""
    return _mean(np.square(target - prediction).mean(axis=1), weights)


def rmse(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """Root mean squared error."""
    return float(np.sqrt(mse(target, prediction, weights)))


def mae(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """Mean absolute error."""
    return _mean(np.abs(target - prediction).mean(axis=1), weights)


def r2(target: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> float:
    """The share of the variance that is explained, averaged over outputs."""
    centre = np.average(target, axis=0, weights=weights)
    spread = np.average(np.square(target - centre), axis=0, weights=weights)
    return float((1 - np.average(np.square(target - prediction), axis=0, weights=weights) / np.maximum(spread, 1e-30)).mean())


CLASSES, LABELS, VALUES = ("classes",), ("labels",), ("values",)
TABLE = [
    Metric("log_loss", log_loss, False, CLASSES),
    Metric("accuracy", accuracy, True, CLASSES),
    Metric("balanced_accuracy", balanced_accuracy, True, CLASSES),
    Metric("f1", f1, True, CLASSES),
    Metric("roc_auc", roc_auc, True, CLASSES + LABELS),
    Metric("binary_log_loss", binary_log_loss, False, LABELS),
    Metric("label_accuracy", label_accuracy, True, LABELS),
    Metric("rmse", rmse, False, VALUES),
    Metric("mse", mse, False, VALUES),
    Metric("mae", mae, False, VALUES),
    Metric("r2", r2, True, VALUES),
]
METRICS = {metric.name: metric for metric in TABLE}
SYNONYMS = {
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "auc": "roc_auc",
    "f1_score": "f1",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_crossentropy": "log_loss",
    "sparse_categorical_crossentropy": "log_loss",
    "binary_crossentropy": "log_loss",
}
LOSSES = {"classes": "log_loss", "labels": "binary_log_loss", "values": "rmse"}
OF_LABELS = {"log_loss": "binary_log_loss", "accuracy": "label_accuracy"}


def find_metric(metric: Any, objective: str | None, kind: str) -> Metric:
    """The metric that models are chosen by: `metric` where given, else the objective ("val_accuracy"), else the loss of the kind."""
    if isinstance(metric, Metric):
        return metric
    if callable(metric):
        raise ConfigError(
            "metric is a function, which does not say whether more is better; pass "
            "auto.Metric(name, function, greater_is_better, kinds=(kind,)) with function(target, prediction, weights) -> float."
        )
    name = metric or (objective or "val_loss").removeprefix("val_")
    if name == "loss":
        return METRICS[LOSSES[kind]]
    name = SYNONYMS.get(name, name)
    name = OF_LABELS.get(name, name) if kind == "labels" else name
    if name not in METRICS or kind not in METRICS[name].kinds:
        fitting = [known for known, entry in METRICS.items() if kind in entry.kinds]
        known = ", ".join(fitting)
        raise ConfigError(f"The metric {metric or objective!r} does not exist for this task; it may be {known}, or an auto.Metric.")
    return METRICS[name]
