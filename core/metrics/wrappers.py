"""Metrics that are the mean of a function of targets and predictions.

Configs hold the settings named in `_settings`, those of `_if_changed` only where they differ from their default, as Keras does.
"""

from __future__ import annotations

from typing import Any

from core import ops
from core.losses import functions as losses
from core.losses.loss import as_tensor, same_rank
from core.metrics import functions
from core.metrics.metric import Metric
from core.metrics.reductions import Mean, MeanMetricWrapper


class _FunctionMetric(MeanMetricWrapper):
    _if_changed: dict[str, Any] = {}

    def get_config(self) -> dict:
        config = super().get_config()
        return {k: v for k, v in config.items() if k not in self._if_changed or v != self._if_changed[k]}


class Accuracy(_FunctionMetric):
    """How often `y_pred` equals `y_true`.

    >>> float(Accuracy()([1, 2, 3, 4], [1, 2, 3, 0]))
    0.75
    """

    _direction = "up"

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(functions.accuracy, name, dtype)


class BinaryAccuracy(_FunctionMetric):
    """How often `y_pred > threshold` agrees with labels 0 and 1."""

    _direction = "up"

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(f"threshold must lie between 0 and 1, got {threshold}; for logits, use 0.5 on their sigmoid.")
        super().__init__(functions.binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(_FunctionMetric):
    """How often the largest of `y_pred` is at the class of one-hot `y_true`."""

    _direction = "up"

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(functions.categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_FunctionMetric):
    """How often the largest of `y_pred` is at the class index `y_true`."""

    _direction, _casts_labels = "up", False

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(functions.sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(_FunctionMetric):
    """How often the class of one-hot `y_true` is among the `k` largest of `y_pred`."""

    _direction = "up"

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(functions.top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(_FunctionMetric):
    """How often the class index `y_true` is among the `k` largest of `y_pred`, or first `k` with `from_sorted_ids`."""

    _direction, _casts_labels = "up", False
    _if_changed = {"from_sorted_ids": False}

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        super().__init__(functions.sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)


class MeanSquaredError(_FunctionMetric):
    """The mean of squared differences."""

    _direction = "down"

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of squared differences."""

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]  # Mean's takes values
        y_true, y_pred = same_rank(*self._tensors(y_true, y_pred))
        super().update_state(ops.square(ops.subtract(y_true, y_pred)), sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())


class MeanAbsoluteError(_FunctionMetric):
    """The mean of absolute differences."""

    _direction = "down"

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(_FunctionMetric):
    """The mean of absolute differences in percent of `y_true`."""

    _direction = "down"

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(_FunctionMetric):
    """The mean of squared differences of `log(1 + y)`."""

    _direction = "down"

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(_FunctionMetric):
    """The mean of `log(cosh(y_pred - y_true))`."""

    _direction = "down"

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.log_cosh, name, dtype)


class CosineSimilarity(_FunctionMetric):
    """The mean cosine between vectors along `axis`."""

    _direction = "up"
    _if_changed = {"axis": -1}

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(functions.cosine_similarity, name, dtype, axis=axis)


class PearsonCorrelation(_FunctionMetric):
    """The mean of each sample's Pearson correlation along `axis`."""

    _direction = "up"

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(functions.pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(_FunctionMetric):
    """The mean of each sample's concordance correlation along `axis`."""

    _direction = "up"

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(functions.concordance_correlation, name, dtype, axis=axis)


class Hinge(_FunctionMetric):
    """The mean of `max(1 - y_true * y_pred, 0)`; labels are -1 and 1, or 0 and 1."""

    _direction = "down"

    def __init__(self, name="hinge", dtype=None):
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(_FunctionMetric):
    """The mean of `max(1 - y_true * y_pred, 0) ** 2`; labels are -1 and 1, or 0 and 1."""

    _direction = "down"

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(_FunctionMetric):
    """How far the true class' score fails to exceed the best other one by 1."""

    _direction = "down"

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(losses.categorical_hinge, name, dtype)


class KLDivergence(_FunctionMetric):
    """The mean over samples of the sum of `y_true * log(y_true / y_pred)`."""

    _direction = "down"

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(_FunctionMetric):
    """The mean of `y_pred - y_true * log(y_pred)`."""

    _direction = "down"

    def __init__(self, name="poisson", dtype=None):
        super().__init__(losses.poisson, name, dtype)


class BinaryCrossentropy(_FunctionMetric):
    """Mean cross-entropy of labels 0 and 1 with probabilities, or logits."""

    _direction = "down"

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(_FunctionMetric):
    """Mean cross-entropy of one-hot labels with probabilities, or logits."""

    _direction = "down"

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        super().__init__(losses.categorical_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(_FunctionMetric):
    """Mean cross-entropy of class indices with probabilities, or logits. `ignore_class` does not count."""

    _direction, _casts_labels = "down", False

    def __init__(self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None, axis=-1):
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis)


class R2Score(Metric):
    """The share of the targets' variance that predictions explain: 1 for perfect ones, 0 for those no better than the mean.

    Args:
        class_aggregation: over the columns of `y_true` (batch, targets): `"uniform_average"`, `"variance_weighted_average"`, or None
            for one value each.
        num_regressors: how many regressors there are, for the adjusted score; 0 for the plain one. Each target value counts as a
            sample there, as in Keras 3.
    """

    _direction = "up"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(dtype, name)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError(
                f"class_aggregation must be 'uniform_average', 'variance_weighted_average' or None, got {class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ValueError(f"num_regressors must be at least 0, got {num_regressors}.")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_weight(name="num_samples")
        self._built = False

    def _build(self, shape: tuple) -> None:
        if len(shape) != 2 or shape[1] is None:
            raise ValueError(f"R2Score expected y_true and y_pred of shape (batch, targets), got {tuple(shape)}.")
        self.squared_sum = self.add_weight((shape[1],), name="squared_sum")
        self.sum = self.add_weight((shape[1],), name="sum")
        self.total_mse = self.add_weight((shape[1],), name="residual")
        self.count = self.add_weight((shape[1],), name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = self._tensors(y_true, y_pred)
        if not self._built:
            self._build(tuple(y_pred.shape))
        weights = ops.ones_like(y_true) if sample_weight is None else _columns(self._tensors(sample_weight)[0], y_true)
        weighted = weights * y_true
        self.sum.assign_add(ops.sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.sum(y_true * weighted, axis=0))
        self.total_mse.assign_add(ops.sum(weights * ops.square(y_true - y_pred), axis=0))
        self.count.assign_add(ops.sum(weights, axis=0))
        self.num_samples.assign_add(ops.size(y_true))

    def result(self) -> Any:
        if not self._built:
            return as_tensor(0.0, self._dtype, self.backend)
        total = ops.subtract(self.squared_sum, ops.square(self.sum) / self.count)
        raw = ops.where(ops.equal(total, 0), 0.0, 1.0 - ops.divide_no_nan(self.total_mse, total))
        if self.class_aggregation == "uniform_average":
            raw = ops.mean(raw)
        elif self.class_aggregation == "variance_weighted_average":
            raw = ops.sum(raw * total) / ops.sum(total)
        if not self.num_regressors:
            return raw
        freedom = self.num_samples.value - 1.0
        return 1.0 - (1.0 - raw) * freedom / (freedom - self.num_regressors)

    def get_config(self) -> dict:
        return {**super().get_config(), "class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}


def _columns(weights: Any, values: Any) -> Any:
    """Weights per row as weights of every element of a matrix."""
    return ops.broadcast_to(ops.expand_dims(weights, -1) if len(weights.shape) == 1 else weights, ops.shape(values))
