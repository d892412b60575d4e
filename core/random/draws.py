"""The random functions. `seed` is an integer (the same numbers at each call), a `SeedGenerator` (new ones at each call) or None."""

from __future__ import annotations

from typing import Any

from core.backend.distributions import check_rate, noise_dims, prepare_floats, prepare_integers
from core.backend.symbolic import KerasTensor
from core.base.dtypes import continuous
from core.base.shapes import normalize_axis, standardize_shape
from core.ops import rules
from core.ops.registry import op, primitive
from core.ops.structured import structured_op

__all__ = ["beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle", "truncated_normal", "uniform"]


def _floats(shape: Any, *parameters: Any, dtype: Any = None, seed: Any = None) -> KerasTensor:
    return KerasTensor(standardize_shape(shape), continuous(dtype))


def _two(shape, first=None, second=None, dtype=None, seed=None):
    return _floats(shape, dtype=dtype)


@structured_op(also="mean stddev", rule=_two, prepare=prepare_floats)
def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draws from the normal distribution, of `shape` and a float `dtype` (floatx for None).

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    primitive()


@structured_op(also="minval maxval", rule=_two, prepare=prepare_floats)
def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Draws from [minval, maxval), of `shape` and a float `dtype` (floatx for None). What would round to `maxval` is below it.

    >>> uniform((2, 3), -1.0, 1.0, seed=1).shape
    (2, 3)
    """
    primitive()


def _integers(shape, minval, maxval, dtype="int32", seed=None):
    return KerasTensor(standardize_shape(shape), dtype or "int32")


@structured_op(also="minval maxval", rule=_integers, prepare=prepare_integers)
def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Integers from `minval` to `maxval - 1`, equally likely; both broadcast to `shape` and must fit the integer `dtype`.

    >>> randint((4,), 0, 10, seed=1).shape
    (4,)
    """
    primitive()


@structured_op(also="mean stddev", rule=_two, prepare=prepare_floats)
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draws from the normal distribution within two standard deviations (of the distribution before the cut) of its mean.

    >>> truncated_normal((2, 3), seed=1).shape
    (2, 3)
    """
    primitive()


def _categorical_rule(logits, num_samples, dtype="int32", seed=None):
    if logits.ndim != 2:
        raise ValueError(f"categorical needs logits (batch, classes), got shape {logits.shape}.")
    return KerasTensor((logits.shape[0], num_samples), dtype)


@op("logits", rule=_categorical_rule, promote="float")
def categorical(logits, num_samples, dtype="int32", seed=None):
    """Class numbers (batch, num_samples) drawn with probabilities softmax(logits), logits being (batch, classes).

    >>> categorical([[0.0, -1e9]], 3, seed=1)  # [[0, 0, 0]]
    """
    primitive()


@structured_op(also="alpha", rule=lambda shape, alpha, dtype=None, seed=None: _floats(shape, dtype=dtype), prepare=prepare_floats)
def gamma(shape, alpha, dtype=None, seed=None):
    """Draws from the gamma distribution of shape parameter `alpha` (broadcast to `shape`) and scale 1.

    >>> gamma((3,), 2.0, seed=1).shape
    (3,)
    """
    primitive()


@structured_op(also="alpha beta", rule=_two, prepare=prepare_floats)
def beta(shape, alpha, beta, dtype=None, seed=None):
    """Draws from the beta distribution; `alpha` and `beta` broadcast to `shape`.

    >>> beta((3,), 2.0, 5.0, seed=1).shape
    (3,)
    """
    primitive()


@structured_op(also="counts probabilities", rule=_two, prepare=prepare_floats)
def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` trials succeed, each with its probability, as a float `dtype`; both broadcast to `shape`.

    >>> binomial((3,), 10.0, 0.5, seed=1).shape
    (3,)
    """
    primitive()


def _shuffle_rule(x, axis=0, seed=None):
    normalize_axis(axis, len(x.shape))
    return rules.like(x)


@op("x", rule=_shuffle_rule)
def shuffle(x, axis=0, seed=None):
    """`x` with its slices along `axis` in random order.

    >>> shuffle([1, 2, 3], seed=1).shape
    (3,)
    """
    primitive()


def _dropout_rule(inputs, rate, noise_shape=None, seed=None):
    check_rate(rate)
    noise_dims(noise_shape, inputs.shape)
    return rules.like(inputs)


@op("inputs", rule=_dropout_rule, promote="float")
def dropout(inputs, rate, noise_shape=None, seed=None):
    """`inputs` with elements set to 0 with probability `rate`, the others divided by `1 - rate`; `inputs` itself where `rate` is 0.

    `noise_shape` has 1 along axes that share one draw, None for the dimension of `inputs`.

    >>> dropout([1.0, 1.0], 0.0)  # [1., 1.]
    """
    primitive()
