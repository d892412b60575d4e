"""The losses as classes: a function, its settings, a reduction.

A class names its function and the settings that its config holds; `_always` of them are written even where they have their
default, as Keras does, the others only where they differ.
"""

from __future__ import annotations

import inspect

from core.base import registry
from core.losses import functions
from core.losses.loss import LossFunctionWrapper


class _FunctionLoss(LossFunctionWrapper):
    _always: tuple[str, ...] = ()

    def get_config(self) -> dict:
        config = {k: v for k, v in super().get_config().items() if k not in self._fn_kwargs}
        defaults = inspect.signature(type(self)).parameters
        for key, value in self._fn_kwargs.items():
            if key in self._always or value != defaults[key].default:
                config[key] = registry.serialize_keras_object(value)
        return config


class MeanSquaredError(_FunctionLoss):
    """The mean of squared differences.

    >>> float(MeanSquaredError()(np.array([[0.0, 1.0]]), np.array([[2.0, 1.0]])))
    2.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(functions.mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(_FunctionLoss):
    """The mean of absolute differences."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(functions.mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(_FunctionLoss):
    """The mean of absolute differences in percent of `y_true`."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(functions.mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(_FunctionLoss):
    """The mean of squared differences of `log(1 + y)`."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(functions.mean_squared_logarithmic_error, reduction, name, dtype)


class CosineSimilarity(_FunctionLoss):
    """Minus the cosine between vectors along `axis`."""

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(functions.cosine_similarity, reduction, name, dtype, axis=axis)


class Huber(_FunctionLoss):
    """Half the squared difference up to `delta`, linear beyond."""

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(functions.huber, reduction, name, dtype, delta=delta)


class LogCosh(_FunctionLoss):
    """The mean of `log(cosh(y_pred - y_true))`."""

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(functions.log_cosh, reduction, name, dtype)


class Hinge(_FunctionLoss):
    """The mean of `max(1 - y_true * y_pred, 0)`; labels are -1 and 1, or 0 and 1."""

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(functions.hinge, reduction, name, dtype)


class SquaredHinge(_FunctionLoss):
    """The mean of `max(1 - y_true * y_pred, 0) ** 2`; labels are -1 and 1, or 0 and 1."""

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(functions.squared_hinge, reduction, name, dtype)


class CategoricalHinge(_FunctionLoss):
    """How far the true class' score fails to exceed the best other one by 1."""

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(functions.categorical_hinge, reduction, name, dtype)


class KLDivergence(_FunctionLoss):
    """The sum of `y_true * log(y_true / y_pred)`."""

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(functions.kl_divergence, reduction, name, dtype)


class Poisson(_FunctionLoss):
    """The mean of `y_pred - y_true * log(y_pred)`."""

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(functions.poisson, reduction, name, dtype)


class BinaryCrossentropy(_FunctionLoss):
    """Cross-entropy of labels 0 and 1 with probabilities, or logits.

    >>> float(BinaryCrossentropy(from_logits=True)(np.array([[1.0]]), np.array([[0.0]])))  # log 2
    0.6931471824645996
    """

    _always = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size", name="binary_crossentropy", dtype=None
    ):
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(functions.binary_crossentropy, reduction, name, dtype, **settings)


class BinaryFocalCrossentropy(_FunctionLoss):
    """Binary cross-entropy in which what is easy counts less."""

    _always = ("from_logits", "label_smoothing", "axis", "apply_class_balancing", "alpha", "gamma")

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        focus = {"apply_class_balancing": apply_class_balancing, "alpha": alpha, "gamma": gamma}
        super().__init__(functions.binary_focal_crossentropy, reduction, name, dtype, **settings, **focus)


class CategoricalCrossentropy(_FunctionLoss):
    """Cross-entropy of one-hot labels with probabilities, or logits."""

    _always = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size", name="categorical_crossentropy", dtype=None
    ):
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(functions.categorical_crossentropy, reduction, name, dtype, **settings)


class CategoricalFocalCrossentropy(_FunctionLoss):
    """Categorical cross-entropy in which what is easy counts less."""

    _always = ("from_logits", "label_smoothing", "axis", "alpha", "gamma")

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(functions.categorical_focal_crossentropy, reduction, name, dtype, **settings, alpha=alpha, gamma=gamma)


class SparseCategoricalCrossentropy(_FunctionLoss):
    """Cross-entropy of class indices with probabilities, or logits."""

    _casts_labels = False
    _always = ("from_logits", "ignore_class")

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        settings = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(functions.sparse_categorical_crossentropy, reduction, name, dtype, **settings)


class CategoricalGeneralizedCrossEntropy(_FunctionLoss):
    """`(1 - p ** q) / q` of the probability of the class index; robust to wrong labels."""

    _casts_labels = False
    _always = ("q",)

    def __init__(self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None):
        if not 0 < q < 1:
            raise ValueError(f"q must lie between 0 and 1, got {q}.")
        super().__init__(functions.categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


class CTC(_FunctionLoss):
    """Minus the log-probability of label sequences under connectionist temporal classification."""

    _casts_labels = False

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(functions.ctc, reduction, name, dtype)


class Dice(_FunctionLoss):
    """One minus the Dice overlap over `axis`, or over everything."""

    _always = ("axis",)

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(functions.dice, reduction, name, dtype, axis=axis)


class Tversky(_FunctionLoss):
    """One minus the Tversky overlap over `axis`, or over everything."""

    _always = ("alpha", "beta", "axis")

    def __init__(self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        super().__init__(functions.tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


class Circle(_FunctionLoss):
    """Circle loss of normalized embeddings and integer labels."""

    _casts_labels = False
    _always = ("gamma", "margin", "remove_diagonal")

    def __init__(self, gamma=80.0, margin=0.4, remove_diagonal=True, reduction="sum_over_batch_size", name="circle", dtype=None):
        super().__init__(functions.circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
