"""Moments, and what is scaled by them."""

from __future__ import annotations

import ml_dtypes

from core.backend.symbolic import KerasTensor
from core.base import config, dtypes, shapes
from core.ops import rules
from core.ops.convert import cast, shape, stop_gradient
from core.ops.elementwise import abs, clip, maximum, power, rsqrt, square
from core.ops.reduction import mean, sum
from core.ops.registry import op
from core.ops.shape import reshape, squeeze

__all__ = [
    "batch_normalization", "group_normalization", "layer_normalization", "moments", "normalize", "normalize_batch", "replica_mean",
    "rms_normalization",
]  # fmt: skip


def _check_order(order) -> None:
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize expected an integer `order` of at least 1, got {order!r}.")


def _normalize_rule(x, axis=-1, order=2, epsilon=None):
    _check_order(order)
    shapes.normalize_axes(axis, len(x.shape))
    return rules.like(x)


@op(rule=_normalize_rule, promote="float")
def normalize(x, axis=-1, order=2, epsilon=None):
    """`x` divided by its norm of `order` (an integer of at least 1) along `axis`, or by `epsilon` where that is larger.

    >>> normalize([3.0, 4.0])
    array([0.6, 0.8], dtype=float32)
    """
    _check_order(order)
    axis = shapes.normalize_axes(axis, len(x.shape))
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 1:
        return x / maximum(sum(abs(x), axis=axis, keepdims=True), epsilon)
    if order == 2:
        return x * rsqrt(maximum(sum(square(x), axis=axis, keepdims=True), epsilon**2))
    total = maximum(sum(power(abs(x), order), axis=axis, keepdims=True), epsilon**order)
    return x / power(total, 1 / order)


def _moments_rule(x, axes, keepdims=False, synchronized=False):
    one = rules.reduce(x, axes, keepdims)
    return one, KerasTensor(one.shape, one.dtype)


def _widened(x):
    """`x` in at least float32, and its own dtype's name."""
    own = dtypes.standardize_dtype(x.dtype)
    return (cast(x, "float32") if own in ("float16", "bfloat16") else x), own


@op(rule=_moments_rule, promote="float")
def moments(x, axes, keepdims=False, synchronized=False):
    """`(mean, variance)` of `x` over `axes`; the variance is the mean squared distance from the mean.

    Half-precision tensors are averaged in float32 and the results clipped to their range. `synchronized=True` averages over the
    replicas of a distributed step too, where the framework runs one replica per call.

    >>> moments([1.0, 3.0], axes=[0])
    (array(2., dtype=float32), array(1., dtype=float32))
    """
    wide, own = _widened(x)
    average = mean(wide, axis=axes, keepdims=True)
    if synchronized:
        average = replica_mean(average)
        variance = replica_mean(mean(square(wide - average), axis=axes, keepdims=True))
    else:
        variance = mean(square(wide - average), axis=axes, keepdims=True)
    if not keepdims:
        average, variance = squeeze(average, axes), squeeze(variance, axes)
    if wide is x:
        return average, variance
    limit = float(ml_dtypes.finfo(dtypes.numpy_dtype(own)).max)
    return tuple(cast(clip(m, -limit, limit), own) for m in (average, variance))


@op(rule=rules.like, promote=None)
def replica_mean(x):
    """The mean of `x` over the replicas of a distributed step; `x` itself where there is one, or where arrays span all devices.

    >>> replica_mean([1.0, 2.0])
    array([1., 2.], dtype=float32)
    """
    return x


def _check_vectors(x, axis, **vectors) -> None:
    """An error unless each vector has one value per index of `axis`."""
    dim = x.shape[shapes.normalize_axis(axis, len(x.shape))]
    for name, p in vectors.items():
        if p is not None and not shapes.compatible(tuple(p.shape), (dim,)):
            shape = tuple(x.shape)
            raise ValueError(
                f"batch_normalization expected {name} of shape ({dim},), the size of axis {axis} of {shape}, got {tuple(p.shape)}."
            )


def _batch_normalization_rule(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    _check_vectors(x, axis, mean=mean, variance=variance, offset=offset, scale=scale)
    return KerasTensor(x.shape, x.dtype)


@op("x mean variance offset scale", rule=_batch_normalization_rule, promote="float")
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with one value of each per index of `axis`. Ioffe and Szegedy, 2015.

    The result has the shape of `x`; all tensors promote to one float dtype.

    >>> batch_normalization([[3.0]], [1.0], [4.0], axis=-1, epsilon=0.0)
    array([[1.]], dtype=float32)
    """
    _check_vectors(x, axis, mean=mean, variance=variance, offset=offset, scale=scale)
    factor = rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    rank, axis = len(x.shape), shapes.normalize_axis(axis, len(x.shape))
    if axis != rank - 1:
        shape = [-1 if i == axis else 1 for i in range(rank)]
        factor, shift = reshape(factor, shape), reshape(shift, shape)
    return x * factor + shift


def _normalize_batch_rule(x, axis, offset=None, scale=None, epsilon=0.001):
    _check_vectors(x, axis, offset=offset, scale=scale)
    one = KerasTensor((x.shape[axis],), x.dtype)
    return KerasTensor(x.shape, x.dtype), one, KerasTensor(one.shape, one.dtype)


@op("x offset scale", rule=_normalize_batch_rule, promote="float")
def normalize_batch(x, axis, offset=None, scale=None, epsilon=0.001):
    """`batch_normalization` of `x` by its own mean and variance, one of each per index of `axis`; and these two, without gradients.

    >>> normalize_batch([[1.0], [3.0]], axis=-1, epsilon=0.0)[0]
    array([[-1.],
           [ 1.]], dtype=float32)
    """
    _check_vectors(x, axis, offset=offset, scale=scale)
    own = shapes.normalize_axis(axis, len(x.shape))
    average, variance = moments(x, [i for i in range(len(x.shape)) if i != own])
    outputs = batch_normalization(x, average, variance, axis, offset, scale, epsilon)
    return outputs, stop_gradient(average), stop_gradient(variance)


def _sorted_axes(axis, rank: int) -> tuple[int, ...]:
    """The normalized axes in the order of the tensor, whichever way they were named."""
    return tuple(sorted(shapes.normalize_axes(axis, rank)))


def _scaled_rule(x, *parameters, axis=-1, **kwargs):
    _check_parameters(x, _sorted_axes(axis, len(x.shape)), *parameters)
    return KerasTensor(x.shape, x.dtype)


def _check_parameters(x, axes, *parameters) -> None:
    """An error unless the parameters have the normalized axes' shape, or broadcast to the shape of `x`."""
    shape = tuple(x.shape)
    for p in parameters:
        if p is not None and not shapes.fits(_spread(tuple(p.shape), axes, len(shape)), shape):
            wanted = tuple(shape[one] for one in axes)
            raise ValueError(
                f"A normalization over the axes {axes} of the shape {shape} needs parameters of shape {wanted}, got {p.shape}."
            )


def _spread(shape, axes, rank: int):
    """The shape in which a parameter of the normalized axes' shape broadcasts against the tensor."""
    if len(shape) != len(axes) or axes == tuple(range(rank - len(axes), rank)):
        return shape
    sizes = dict(zip(axes, shape))
    return tuple(sizes.get(i, 1) for i in range(rank))


def _across(parameter, axes, x):
    """A parameter of the normalized axes' shape, made to broadcast against `x`."""
    shape = tuple(parameter.shape)
    wanted = _spread(shape, axes, len(x.shape))
    return cast(parameter if wanted == shape else reshape(parameter, wanted), dtypes.standardize_dtype(x.dtype))


def _layer_rule(x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False):
    return _scaled_rule(x, gamma, None if rms_scaling else beta, axis=axis)


@op("x", also="gamma beta", rule=_layer_rule, promote="float")
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False):
    """`x` moved and scaled to mean 0 and variance 1 over `axis` (one or several), times `gamma`, plus `beta`. Ba et al., 2016.

    `gamma` and `beta` have the shape of the normalized axes, in the order of the tensor. Half-precision tensors are normalized in
    float32; the result has the dtype of `x`. `epsilon` (`core.config.epsilon()` unless given) is added to the variance.
    `rms_scaling=True`, kept for old models, divides by the standard deviation without moving the mean and ignores `beta`;
    `rms_normalization` is the better choice.

    >>> layer_normalization([1.0, 3.0])
    array([-1.,  1.], dtype=float32)
    """
    epsilon = config.epsilon() if epsilon is None else epsilon
    axes = _sorted_axes(axis, len(x.shape))
    _check_parameters(x, axes, gamma, None if rms_scaling else beta)
    wide, own = _widened(x)
    average = mean(wide, axis=axes, keepdims=True)
    centered = wide - average
    factor = rsqrt(mean(square(centered), axis=axes, keepdims=True) + epsilon)
    y = (wide if rms_scaling else centered) * factor
    if gamma is not None:
        y = y * _across(gamma, axes, wide)
    if beta is not None and not rms_scaling:
        y = y + _across(beta, axes, wide)
    return cast(y, own)


def _rms_rule(x, scale=None, axis=-1, epsilon=None):
    return _scaled_rule(x, scale, axis=axis)


@op("x", also="scale", rule=_rms_rule, promote="float")
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """`x / sqrt(mean(x ** 2) + epsilon)` over `axis`, times `scale`. Zhang and Sennrich, 2019.

    Dtypes, axes and `epsilon` as in `layer_normalization`.

    >>> rms_normalization([3.0, 3.0])
    array([1., 1.], dtype=float32)
    """
    epsilon = config.epsilon() if epsilon is None else epsilon
    axes = _sorted_axes(axis, len(x.shape))
    _check_parameters(x, axes, scale)
    wide, own = _widened(x)
    y = wide * rsqrt(mean(square(wide), axis=axes, keepdims=True) + epsilon)
    return cast(y if scale is None else y * _across(scale, axes, wide), own)


def _group_axis(x, groups, axis, gamma, beta) -> int:
    """The axis of the channels, counted from the front; raises where they do not part into the groups."""
    axis = shapes.normalize_axis(axis, len(x.shape))
    channels = x.shape[axis]
    if axis == 0:
        raise ValueError(f"group_normalization normalizes each example by itself: axis must not be 0, that of the examples, of {x.shape}.")
    if not isinstance(groups, int) or groups < 1 or (channels is not None and channels % groups):
        raise ValueError(f"group_normalization expected groups as a divisor of the {channels} channels of shape {x.shape}, got {groups!r}.")
    if not all(p is None or shapes.compatible(tuple(p.shape), (channels,)) for p in (gamma, beta)):
        raise ValueError(
            f"group_normalization expected gamma and beta of shape ({channels},), one value per channel of shape {x.shape}, "
            f"got {[None if p is None else p.shape for p in (gamma, beta)]}."
        )
    return axis


def _group_rule(x, groups, gamma=None, beta=None, axis=-1, epsilon=None):
    _group_axis(x, groups, axis, gamma, beta)
    return rules.like(x)


@op("x", also="gamma beta", rule=_group_rule, promote="float")
def group_normalization(x, groups, gamma=None, beta=None, axis=-1, epsilon=None):
    """`x` moved and scaled to mean 0 and variance 1 in each of the `groups` of channels of each example, times `gamma`, plus `beta`.

    The channels are on `axis`, one value of `gamma` and `beta` for each. Dtypes and `epsilon` as in `layer_normalization`. Wu and He, 2018.

    >>> group_normalization([[1.0, 3.0, 5.0, 5.0]], 2)
    array([[-1.,  1.,  0.,  0.]], dtype=float32)
    """
    axis = _group_axis(x, groups, axis, gamma, beta)
    epsilon = config.epsilon() if epsilon is None else epsilon
    wide, own = _widened(x)
    sizes = shape(x)
    parted = reshape(wide, (*sizes[:axis], groups, x.shape[axis] // groups, *sizes[axis + 1 :]))
    average, variance = moments(parted, [i for i in range(1, len(x.shape) + 1) if i != axis], keepdims=True)
    y = reshape((parted - average) * rsqrt(variance + epsilon), sizes)
    y = y if gamma is None else y * _across(gamma, (axis,), wide)
    return cast(y if beta is None else y + _across(beta, (axis,), wide), own)
