"""Cross-entropies, of probabilities and of logits: one value per sample or element, or their mean with `reduction="mean"`.

Probabilities are clipped to epsilon and 1 - epsilon (`core.config.epsilon()`, or half the spacing of a coarser dtype), so that their
logarithms are finite.
"""

from __future__ import annotations

import ml_dtypes

from core.backend.symbolic import KerasTensor
from core.base import config, dtypes, shapes
from core.ops import rules
from core.ops.activations import log_softmax
from core.ops.convert import cast
from core.ops.elementwise import abs, clip, exp, log, log1p, maximum, square, subtract
from core.ops.indexing import take_along_axis
from core.ops.reduction import mean, sum
from core.ops.registry import op
from core.ops.shape import expand_dims, squeeze

__all__ = ["binary_crossentropy", "categorical_crossentropy", "mean_squared_difference", "sparse_categorical_crossentropy"]


def _check_reduction(reduction) -> None:
    if reduction not in ("none", "mean"):
        raise ValueError(f'reduction is "none" or "mean", got {reduction!r}.')


def _reduced_spec(values, reduction):
    _check_reduction(reduction)
    return KerasTensor(() if reduction == "mean" else values.shape, values.dtype)


def _reduced(values, reduction):
    _check_reduction(reduction)
    return mean(values) if reduction == "mean" else values


@op("x1 x2", rule=lambda x1, x2: KerasTensor((), rules.broadcast(x1, x2).dtype), promote="float")
def mean_squared_difference(x1, x2):
    """The mean of `(x1 - x2) ** 2` over all elements, broadcast: a scalar.

    >>> mean_squared_difference([0.0, 1.0], [2.0, 1.0])
    array(2., dtype=float32)
    """
    return mean(square(subtract(x1, x2)))


def _clipped(probabilities):
    dtype = dtypes.numpy_dtype(dtypes.standardize_dtype(probabilities.dtype))
    epsilon = config.epsilon()
    spacing = float(ml_dtypes.finfo(dtype).eps) / 2
    epsilon = epsilon if epsilon > spacing else spacing
    return clip(probabilities, epsilon, 1 - epsilon)


def _same_shape(name, target, output):
    if not shapes.compatible(tuple(target.shape), tuple(output.shape)):
        raise ValueError(f"{name} expected target and output of one shape, got {tuple(target.shape)} and {tuple(output.shape)}.")


def _binary_rule(target, output, from_logits=False, reduction="none"):
    _same_shape("binary_crossentropy", target, output)
    return _reduced_spec(output, reduction)


@op("target output", rule=_binary_rule, promote="float")
def binary_crossentropy(target, output, from_logits=False, reduction="none"):
    """`-target * log(output) - (1 - target) * log(1 - output)` of each element; `output` holds probabilities, or logits.

    Raises ValueError where the shapes differ.

    >>> binary_crossentropy([1.0], [0.0], from_logits=True)
    array([0.6931472], dtype=float32)
    """
    _same_shape("binary_crossentropy", target, output)
    if from_logits:
        return _reduced(maximum(output, 0.0) - output * target + log1p(exp(-abs(output))), reduction)
    output = _clipped(output)
    return -_reduced(target * log(output) + (1 - target) * log1p(-output), reduction)


def _categorical_rule(target, output, from_logits=False, axis=-1, reduction="none"):
    _same_shape("categorical_crossentropy", target, output)
    return _reduced_spec(rules.reduce(output, axis), reduction)


@op("target output", rule=_categorical_rule, promote="float")
def categorical_crossentropy(target, output, from_logits=False, axis=-1, reduction="none"):
    """`-sum(target * log(output))` over the classes on `axis`; `output` holds probabilities (scaled to sum to one), or logits.

    The result lacks `axis`. Raises ValueError where the shapes differ.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    array([0.6931472], dtype=float32)
    """
    _same_shape("categorical_crossentropy", target, output)
    axis = shapes.normalize_axis(axis, len(output.shape))
    logs = log_softmax(output, axis=axis) if from_logits else log(_clipped(output / sum(output, axis=axis, keepdims=True)))
    return -_reduced(sum(target * logs, axis=axis), reduction)


def _samples(target, output, axis):
    """The shape that integer targets must have, after a trailing 1 is dropped; raises where they have another."""
    axis = shapes.normalize_axis(axis, len(output.shape))
    shape = (*output.shape[:axis], *output.shape[axis + 1 :])
    given = tuple(target.shape)
    if len(given) == len(output.shape) and given[-1] in (1, None):
        given = given[:-1]
    if not shapes.compatible(given, tuple(shape)):
        raise ValueError(
            f"sparse_categorical_crossentropy expected one class index per sample, target of shape {tuple(shape)} "
            f"for output {tuple(output.shape)} with classes on axis {axis}, got {tuple(target.shape)}."
        )
    return shape


def _sparse_rule(target, output, from_logits=False, axis=-1, reduction="none"):
    return _reduced_spec(KerasTensor(_samples(target, output, axis), output.dtype), reduction)


@op("output", also="target", rule=_sparse_rule, promote="float")
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1, reduction="none"):
    """`-log(output)` at the class that `target` names; `output` holds probabilities (scaled to sum to one), or logits, on `axis`.

    `target` has the shape of `output` without `axis`, or with a trailing 1; the result has the shape without. Classes must lie in
    0 to n - 1. Raises ValueError where the shapes do not fit.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    array([0.6931472], dtype=float32)
    """
    _samples(target, output, axis)
    if len(target.shape) == len(output.shape):
        target = squeeze(target, -1)
    target = expand_dims(cast(target, "int32"), axis)
    if from_logits:
        logs = take_along_axis(log_softmax(output, axis=axis), target, axis=axis)
    else:
        logs = log(_clipped(take_along_axis(output, target, axis=axis) / sum(output, axis=axis, keepdims=True)))
    return -_reduced(squeeze(logs, axis), reduction)
