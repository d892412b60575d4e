"""Activations, codings of classes, and the dense product."""

from __future__ import annotations

import math

from core.backend.symbolic import KerasTensor
from core.base import dtypes, shapes
from core.ops import rules, sparsity
from core.ops.comparison import equal, greater
from core.ops.convert import cast, stop_gradient
from core.ops.creation import arange
from core.ops.elementwise import abs, clip, erf, exp, expm1, log, log10, logaddexp, maximum, minimum, sign, sqrt, square, tanh
from core.ops.indexing import sort, where
from core.ops.joining import split
from core.ops.linalg import matmul
from core.ops.reduction import any as some
from core.ops.reduction import cumsum, max, mean, sum
from core.ops.registry import op, primitive
from core.ops.shape import expand_dims, reshape

__all__ = [
    "celu", "dense", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "log_sigmoid", "log_softmax", "multi_hot", "one_hot", "polar", "psnr", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold",
]  # fmt: skip


@op(rule=rules.like, promote="numeric")
def relu(x):
    """`max(x, 0)`, of the shape and dtype of `x`.

    >>> relu([-1.0, 2.0])
    array([0., 2.], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="numeric")
def relu6(x):
    """`min(max(x, 0), 6)`, of the shape and dtype of `x`. Krizhevsky, 2010.

    >>> relu6([-1.0, 2.0, 9.0])
    array([0., 2., 6.], dtype=float32)
    """
    return clip(x, 0, 6)


@op(rule=rules.like, promote="float")
def sigmoid(x):
    """`1 / (1 + exp(-x))`, between 0 and 1.

    >>> sigmoid([0.0])
    array([0.5], dtype=float32)
    """
    primitive()


@op(rule=rules.like, promote="float")
def softplus(x):
    """`log(1 + exp(x))`, a smooth `relu`, without overflow.

    >>> softplus([0.0])
    array([0.6931472], dtype=float32)
    """
    return logaddexp(x, 0.0)


@op(rule=rules.like, promote="float")
def softsign(x):
    """`x / (1 + |x|)`, between -1 and 1.

    >>> softsign([1.0])
    array([0.5], dtype=float32)
    """
    return x / (1 + abs(x))


@op(rule=rules.like, promote="float")
def silu(x):
    """`x * sigmoid(x)`. Also named `swish`. Hendrycks and Gimpel, 2016; Ramachandran et al., 2017.

    >>> silu([0.0])
    array([0.], dtype=float32)
    """
    return x * sigmoid(x)


swish = silu


@op(rule=rules.like, promote="float")
def gelu(x, approximate=True):
    """`x * P(X <= x)` for a standard normal X; with `approximate`, by a tanh formula. Hendrycks and Gimpel, 2016.

    >>> gelu([0.0])
    array([0.], dtype=float32)
    """
    if approximate:
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


@op(rule=rules.like, promote="float")
def elu(x, alpha=1.0):
    """`x` where positive, else `alpha * (exp(x) - 1)`. Clevert et al., 2015.

    >>> elu([0.0, 3.0])
    array([0., 3.], dtype=float32)
    """
    return where(x > 0, x, alpha * expm1(minimum(x, 0.0)))


@op(rule=rules.like, promote="float")
def selu(x):
    """`scale * elu(x, alpha)` with the constants that keep mean 0 and variance 1 through layers. Klambauer et al., 2017.

    >>> selu([1.0])
    array([1.050701], dtype=float32)
    """
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


@op(rule=rules.like, promote="float")
def celu(x, alpha=1.0):
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`, smooth for every `alpha`. Barron, 2017.

    >>> celu([0.0, 3.0])
    array([0., 3.], dtype=float32)
    """
    return maximum(x, 0.0) + alpha * expm1(minimum(x, 0.0) / alpha)


def _half(x, axis=-1):
    axis = shapes.normalize_axis(axis, len(x.shape))
    half = shapes.with_fraction(x.shape[axis], 2)
    return KerasTensor((*x.shape[:axis], half, *x.shape[axis + 1 :]), x.dtype)


@op(rule=_half, promote="float")
def glu(x, axis=-1):
    """The first half of `x` along `axis` times the sigmoid of the second half. Dauphin et al., 2016.

    Raises ValueError where the axis has an odd length.

    >>> glu([[2.0, 0.0]])
    array([[1.]], dtype=float32)
    """
    value, gate = split(x, 2, axis)
    return value * sigmoid(gate)


@op(rule=rules.like, promote="float")
def leaky_relu(x, negative_slope=0.2):
    """`x` where positive, else `negative_slope * x`.

    >>> leaky_relu([-1.0, 1.0])
    array([-0.2,  1. ], dtype=float32)
    """
    return where(x > 0, x, negative_slope * x)


@op(rule=rules.like, promote="float")
def log_sigmoid(x):
    """`log(sigmoid(x))`, without overflow.

    >>> log_sigmoid([0.0])
    array([-0.6931472], dtype=float32)
    """
    return -softplus(-x)


@op(rule=rules.like, promote="float")
def hard_sigmoid(x):
    """`relu6(x + 3) / 6`: a sigmoid of three straight lines.

    >>> hard_sigmoid([-3.0, 0.0, 3.0])
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return clip(x / 6 + 0.5, 0.0, 1.0)


@op(rule=rules.like, promote="float")
def hard_silu(x):
    """`x * hard_sigmoid(x)`. Also named `hard_swish`. Howard et al., 2019.

    >>> hard_silu([-3.0, 3.0])
    array([-0.,  3.], dtype=float32)
    """
    return x * hard_sigmoid(x)


hard_swish = hard_silu


@op(rule=rules.like, promote="numeric")
def hard_tanh(x):
    """`x` clipped to -1 and 1.

    >>> hard_tanh([-2.0, 0.5])
    array([-1. ,  0.5], dtype=float32)
    """
    return clip(x, -1, 1)


@op(rule=rules.like, promote="float")
def hard_shrink(x, threshold=0.5):
    """`x` where `|x| > threshold`, else 0.

    >>> hard_shrink([-1.0, 0.2])
    array([-1.,  0.], dtype=float32)
    """
    return where(abs(x) > threshold, x, 0.0)


@op(rule=rules.like, promote="float")
def soft_shrink(x, threshold=0.5):
    """`x` moved towards 0 by `threshold`, and 0 within it.

    >>> soft_shrink([-1.0, 0.2])
    array([-0.5,  0. ], dtype=float32)
    """
    return where(abs(x) > threshold, x - threshold * sign(x), 0.0)


@op(rule=rules.like, promote="float")
def tanh_shrink(x):
    """`x - tanh(x)`.

    >>> tanh_shrink([0.0])
    array([0.], dtype=float32)
    """
    return x - tanh(x)


@op(rule=rules.like, promote="numeric")
def threshold(x, threshold, default_value):
    """`x` where it is above `threshold`, else `default_value`.

    >>> threshold([1.0, 3.0], 2, 0)
    array([0., 3.], dtype=float32)
    """
    return where(greater(x, threshold), x, cast(default_value, x.dtype))


@op(rule=rules.like, promote="float")
def squareplus(x, b=4):
    """`(x + sqrt(x ** 2 + b)) / 2`, a smooth `relu` without exponentials. Barron, 2021.

    >>> squareplus([0.0])
    array([1.], dtype=float32)
    """
    return (x + sqrt(square(x) + b)) * 0.5


@op(rule=rules.like, promote="float")
def sparse_plus(x):
    """0 below -1, `x` above 1, and `(x + 1) ** 2 / 4` between.

    >>> sparse_plus([-2.0, 0.0, 2.0])
    array([0.  , 0.25, 2.  ], dtype=float32)
    """
    return where(x <= -1, 0.0, where(x < 1, 0.25 * square(x + 1), x))


@op(rule=rules.like, promote="float")
def sparse_sigmoid(x):
    """`(x + 1) / 2` clipped to 0 and 1, the derivative of `sparse_plus`.

    >>> sparse_sigmoid([-2.0, 0.0, 2.0])
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return clip(0.5 * (x + 1), 0.0, 1.0)


def _along(x, axis=-1):
    shapes.normalize_axes(axis, len(x.shape))
    return rules.like(x)


def _largest(x, axis):
    """The largest elements; without any, the softmax of nothing is nothing."""
    axes = shapes.normalize_axes(axis, len(x.shape))
    return max(x, axis=axes, keepdims=True, initial=-float("inf") if 0 in x.shape else None)


@op(rule=_along, promote="float")
def softmax(x, axis=-1):
    """Exponentials of `x`, scaled to sum to one along `axis` (one axis, several, or None for all).

    >>> softmax([0.0, 0.0])
    array([0.5, 0.5], dtype=float32)
    """
    e = exp(x - stop_gradient(_largest(x, axis)))
    return e / sum(e, axis=axis, keepdims=True)


@op(rule=_along, promote="float")
def log_softmax(x, axis=-1):
    """The logarithm of `softmax(x, axis)`, computed without it.

    >>> log_softmax([0.0, 0.0])
    array([-0.6931472, -0.6931472], dtype=float32)
    """
    x = x - stop_gradient(_largest(x, axis))
    return x - log(sum(exp(x), axis=axis, keepdims=True))


def _as_axis(values, axis, rank):
    """A vector shaped to broadcast along one axis of a tensor of that rank."""
    return reshape(values, [-1 if i == axis else 1 for i in range(rank)])


def _along_one(x, axis=-1):
    shapes.normalize_axis(axis, len(x.shape))
    return rules.like(x)


@op(rule=_along_one, promote="float")
def sparsemax(x, axis=-1):
    """The point of the probability simplex nearest to `x` along `axis`: like softmax, but with exact zeros. Martins and Astudillo, 2016.

    >>> sparsemax([0.0, 0.5, 2.0])
    array([0., 0., 1.], dtype=float32)
    """
    rank = len(x.shape)
    axis = shapes.normalize_axis(axis, rank)
    descending = -sort(-x, axis=axis)
    ranks = _as_axis(cast(arange(1, x.shape[axis] + 1), x.dtype), axis, rank)
    total = cumsum(descending, axis=axis)
    chosen = cast(1 + ranks * descending > total, x.dtype)
    count = sum(chosen, axis=axis, keepdims=True)
    level = (sum(descending * chosen, axis=axis, keepdims=True) - 1) / count
    return maximum(x - level, 0.0)


def _polar_rule(abs_, angle):
    result = rules.broadcast(abs_, angle)
    return KerasTensor(result.shape, "complex128" if result.dtype == "float64" else "complex64")


@op("abs_ angle", rule=_polar_rule, promote="float")
def polar(abs_, angle):
    """Complex numbers of the given lengths and angles (radians): `abs_ * exp(i * angle)`.

    >>> polar([2.0], [0.0])
    array([2.+0.j], dtype=complex64)
    """
    primitive()


def _check_same_shape(x1, x2) -> None:
    if not shapes.compatible(tuple(x1.shape), tuple(x2.shape)):
        raise ValueError(f"psnr compares tensors of one shape, got {tuple(x1.shape)} and {tuple(x2.shape)}.")


def _psnr_rule(x1, x2, max_val):
    _check_same_shape(x1, x2)
    return KerasTensor((), x1.dtype)


@op("x1 x2", rule=_psnr_rule, promote="float")
def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio in decibels, a scalar: `20 * log10(max_val) - 10 * log10(mean((x1 - x2) ** 2))`.

    `max_val` is the largest possible value of the signal. Raises ValueError where the shapes differ.

    >>> float(psnr([0.0, 0.0], [1.0, 1.0], 10))
    20.0
    """
    _check_same_shape(x1, x2)
    return 20 * math.log10(max_val) - 10 * log10(mean(square(x1 - x2)))


def _one_hot_shape(shape, num_classes, axis):
    axis = shapes.normalize_axis(axis, len(shape) + 1)
    return (*shape[:axis], num_classes, *shape[axis:])


def _check_classes(num_classes) -> None:
    shapes.check_integer(num_classes, "num_classes", 0)


def _one_hot_rule(x, num_classes, axis=-1, dtype=None, sparse=False):
    _check_classes(num_classes)
    if sparse:
        sparsity.formats("one_hot")
    return KerasTensor(_one_hot_shape(x.shape, num_classes, axis), dtypes.standardize_dtype(dtype), sparse=sparse)


@op("", also="x", rule=_one_hot_rule)
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """Ones at the classes that `x` names, zeros elsewhere, on a new axis of length `num_classes` at `axis`; `floatx()` by default.

    A class outside of 0 to `num_classes - 1` gives zeros only. `sparse=True` gives a sparse tensor, on JAX and TensorFlow alone.

    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    _check_classes(num_classes)
    rank = len(x.shape) + 1
    axis = shapes.normalize_axis(axis, rank)
    if sparse:
        return sparsity.formats("one_hot").one_hot(x, num_classes, axis, dtypes.standardize_dtype(dtype))
    classes = _as_axis(arange(num_classes, dtype="int32"), axis, rank)
    return cast(equal(expand_dims(cast(x, "int32"), axis), classes), dtypes.standardize_dtype(dtype))


def _classes(num_classes, num_tokens):
    if num_classes is None and num_tokens is None:
        raise ValueError("multi_hot needs `num_classes`, the length of the new axis.")
    return num_tokens if num_classes is None else num_classes


def _multi_hot_rule(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, num_tokens=None):
    shape = _one_hot_rule(inputs, _classes(num_classes, num_tokens), axis, dtype, sparse).shape
    over = 1 if len(inputs.shape) > 1 else 0
    return KerasTensor((*shape[:over], *shape[over + 1 :]), dtypes.standardize_dtype(dtype), sparse=sparse)


@op("", also="inputs", rule=_multi_hot_rule)
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, num_tokens=None):
    """Ones at all the classes that each sample names: `one_hot` with the maximum taken over axis 1 (axis 0 of a single sample).

    (batch, n) integers become (batch, num_classes); negative ones are ignored. `num_tokens` is an old name of `num_classes`.

    >>> multi_hot([[0, 2, 2]], 4)
    array([[1., 0., 1., 0.]], dtype=float32)
    """
    over = 1 if len(inputs.shape) > 1 else 0
    if sparse:
        return sign(sum(one_hot(inputs, _classes(num_classes, num_tokens), axis, dtype, sparse=True), axis=over))
    return cast(some(one_hot(inputs, _classes(num_classes, num_tokens), axis, "bool"), axis=over), dtypes.standardize_dtype(dtype))


def _dense_rule(x, kernel, bias=None):
    if len(x.shape) < 1 or len(kernel.shape) != 2:
        raise ValueError(f"dense expected x of at least one dimension and a kernel (in, units), got shapes {x.shape} and {kernel.shape}.")
    if x.shape[-1] is not None and kernel.shape[0] is not None and x.shape[-1] != kernel.shape[0]:
        raise ValueError(f"dense expected last axis {kernel.shape[0]}, got x of shape {x.shape} for a kernel of shape {kernel.shape}.")
    shape = (*x.shape[:-1], kernel.shape[1])
    if bias is not None and not shapes.fits(bias.shape, shape):
        raise ValueError(f"dense expected a bias of shape ({kernel.shape[1]},), or one that broadcasts to {shape}, got {bias.shape}.")
    return KerasTensor(shape, x.dtype)


@op("x kernel bias", rule=_dense_rule, promote="numeric")
def dense(x, kernel, bias=None):
    """`x @ kernel + bias` over the last axis of `x`: (..., in) with a kernel (in, units) becomes (..., units).

    Raises ValueError where the last axis of `x` is not `in`.

    >>> dense([[1.0, 2.0]], [[1.0], [1.0]], [0.5])
    array([[3.5]], dtype=float32)
    """
    y = matmul(x, kernel)
    return y if bias is None else y + bias
