"""What training makes small. Public as `core.losses`."""

from __future__ import annotations

from typing import Any

from core.base.families import Family
from core.losses.classes import (
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)
from core.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    circle,
    cosine_similarity,
    ctc,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
from core.losses.loss import Loss

_CLASSES = [BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
            CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle, CosineSimilarity, CTC, Dice, Hinge, Huber, KLDivergence, LogCosh,
            MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
            SparseCategoricalCrossentropy, SquaredHinge, Tversky]  # fmt: skip
_FUNCTIONS = [binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
              categorical_generalized_cross_entropy, categorical_hinge, circle, cosine_similarity, ctc, dice, hinge, huber, kl_divergence,
              log_cosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, poisson,
              sparse_categorical_crossentropy, squared_hinge, tversky]  # fmt: skip
_SHORT = {
    "mse": mean_squared_error, "mae": mean_absolute_error, "mape": mean_absolute_percentage_error, "msle": mean_squared_logarithmic_error,
    "bce": binary_crossentropy, "kld": kl_divergence,
}  # fmt: skip
_FAMILY = Family("loss", "keras.losses", [*_CLASSES, *_FUNCTIONS], {**_SHORT, **{k.upper(): v for k, v in _SHORT.items()}})

__all__ = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CTC", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle", "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence",
    "LogCosh", "Loss", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "categorical_hinge", "circle",
    "cosine_similarity", "ctc", "deserialize", "dice", "get", "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson", "serialize",
    "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """The loss that a name, config, class, instance or function means; None for None.

    A snake_case name is the function, a CamelCase one an instance of the class.

    >>> get("mse") is mean_squared_error
    True
    """
    return _FAMILY.get(identifier)


def serialize(loss: Any) -> Any:
    """A config that `deserialize` makes the same loss from."""
    return _FAMILY.serialize(loss)


def deserialize(name: Any, custom_objects: dict | None = None) -> Any:
    """The loss that a config or name describes."""
    return _FAMILY.deserialize(name, custom_objects)
