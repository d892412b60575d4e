"""Convolutions, pooling, and the rearrangements of images around them.

Inputs are (batch, *spatial, channels), or (batch, channels, *spatial) with `data_format="channels_first"`; None means
`core.config.image_data_format()`. `padding="same"` pads as many zeros as the last window needs, the odd one after.
"""

from __future__ import annotations

import math

import numpy as np

from core.backend.symbolic import KerasTensor
from core.base import config, shapes, windows
from core.ops.convert import convert_to_tensor, dtype, shape
from core.ops.indexing import take
from core.ops.joining import stack
from core.ops.linalg import matmul
from core.ops.reduction import max
from core.ops.registry import op, primitive
from core.ops.shape import moveaxis, pad, reshape, transpose

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "biased_conv", "conv", "conv_transpose", "depth_to_space",
    "depthwise_conv", "fold", "max_pool", "separable_conv", "space_to_depth", "unfold",
]  # fmt: skip


def _spec(x, outputs, channels, channels_last):
    shape = (x.shape[0], *outputs, channels) if channels_last else (x.shape[0], channels, *outputs)
    return KerasTensor(shape, x.dtype)


def _conv_rule(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    return _spec(inputs, w.outputs, kernel.shape[-1], w.channels_last)


@op("inputs kernel", rule=_conv_rule, promote="float")
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """The cross-correlation of `inputs` (1 to 3 spatial axes) with a kernel (*window, in_channels / groups, out_channels).

    `groups` follows from the channels of both. Each spatial size n becomes ceil(n / stride) with padding "same",
    (n - window) // stride + 1 with "valid". Raises ValueError where channels do not fit.

    >>> conv([[[1.0], [2.0], [3.0]]], [[[1.0]], [[1.0]]])
    array([[[3.],
            [5.]]], dtype=float32)
    """
    primitive()


def _check_bias(kernel, bias) -> None:
    if not shapes.compatible(tuple(bias.shape), tuple(kernel.shape[-1:])):
        raise ValueError(f"biased_conv expected a bias of shape {tuple(kernel.shape[-1:])}, one value per filter, got {tuple(bias.shape)}.")


def _biased_conv_rule(inputs, kernel, bias, strides=1, padding="valid", data_format=None, dilation_rate=1):
    _check_bias(kernel, bias)
    return _conv_rule(inputs, kernel, strides, padding, data_format, dilation_rate)


@op("inputs kernel bias", rule=_biased_conv_rule, promote="float")
def biased_conv(inputs, kernel, bias, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """`conv` plus a bias (out_channels,) along the channels: one pass over memory where the framework has it so.

    >>> biased_conv([[[1.0], [2.0], [3.0]]], [[[1.0]], [[1.0]]], [0.5])
    array([[[3.5],
            [5.5]]], dtype=float32)
    """
    _check_bias(kernel, bias)
    y = conv(inputs, kernel, strides, padding, data_format, dilation_rate)
    last = config.standardize_data_format(data_format) == "channels_last"
    return y + (bias if last else reshape(bias, (1, -1, *(1,) * (len(y.shape) - 2))))


def _depthwise_rule(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, depthwise=True)
    channels, multiplier = kernel.shape[-2:]
    return _spec(inputs, w.outputs, None if channels is None or multiplier is None else channels * multiplier, w.channels_last)


@op("inputs kernel", rule=_depthwise_rule, promote="float")
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """A convolution of each channel by itself, with a kernel (*window, channels, multiplier): channels * multiplier come out.

    One or two spatial axes; sizes as in `conv`.

    >>> depthwise_conv([[[1.0, 10.0], [2.0, 20.0]]], [[[1.0], [1.0]], [[1.0], [1.0]]])
    array([[[ 3., 30.]]], dtype=float32)
    """
    primitive()


def _separable_rule(inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    inner = _depthwise_rule(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return _conv_rule(inner, pointwise_kernel, 1, "valid", data_format)


@op("inputs depthwise_kernel pointwise_kernel", rule=_separable_rule, promote="float")
def separable_conv(inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """`depthwise_conv`, then `conv` with a kernel (1, ..., channels * multiplier, out_channels) that mixes the channels.

    >>> separable_conv([[[1.0], [2.0]]], [[[1.0]], [[1.0]]], [[[2.0]]])
    array([[[6.]]], dtype=float32)
    """
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format)


def _transpose_rule(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    t = windows.conv_transpose(inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    return _spec(inputs, t.outputs, kernel.shape[-2], t.channels_last)


@op("inputs kernel", rule=_transpose_rule, promote="float")
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """The transpose (gradient) of a convolution, with a kernel (*window, out_channels, in_channels): sizes grow by `strides`.

    A spatial size n becomes n * stride with padding "same" and n * stride + max(window - stride, 0) with "valid"; with
    `output_padding`, (n - 1) * stride + window - 2 * (window // 2) + output_padding, or without the crop for "valid". Zeiler et al., 2010.

    >>> conv_transpose([[[1.0], [2.0]]], [[[1.0]], [[1.0]]], strides=2)
    array([[[1.],
            [1.],
            [2.],
            [2.]]], dtype=float32)
    """
    primitive()


def _pool_rule(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    return _spec(inputs, w.outputs, inputs.shape[-1 if w.channels_last else 1], w.channels_last)


@op("inputs", rule=_pool_rule, promote="numeric")
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest element of each window of `pool_size`, per channel; windows lie side by side unless `strides` is given.

    Sizes as in `conv`; padding never wins.

    >>> max_pool([[[1.0], [3.0], [2.0], [0.0]]], 2)
    array([[[3.],
            [2.]]], dtype=float32)
    """
    primitive()


@op("inputs", rule=_pool_rule, promote="float")
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window of `pool_size`, per channel; windows lie side by side unless `strides` is given.

    Sizes as in `conv`; padding does not count.

    >>> average_pool([[[1.0], [3.0], [2.0], [0.0]]], 2)
    array([[[2.],
            [1.]]], dtype=float32)
    """
    primitive()


def _adaptive_rule(inputs, output_size, data_format=None):
    w = windows.pool(inputs.shape, 1, 1, "valid", data_format)
    size = windows.spatial(output_size, w.rank, "output_size")
    return _spec(inputs, size, inputs.shape[-1 if w.channels_last else 1], w.channels_last)


def _adaptive_axes(inputs, output_size, data_format):
    """(axis, size, [(start, stop) of each window]) per spatial axis."""
    w = windows.pool(inputs.shape, 1, 1, "valid", data_format)
    for axis, out in zip(windows.spatial_axes(w.rank, w.channels_last), windows.spatial(output_size, w.rank, "output_size")):
        size = inputs.shape[axis]
        if size is None:
            raise ValueError(f"Adaptive pooling needs known spatial sizes, got shape {tuple(inputs.shape)}.")
        yield axis, size, [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


@op("inputs", rule=_adaptive_rule, promote="float")
def adaptive_average_pool(inputs, output_size, data_format=None):
    """Means of as many windows per spatial axis as `output_size` says; window i covers i * n / size to (i + 1) * n / size.

    >>> adaptive_average_pool([[[1.0], [2.0], [6.0]]], 1)
    array([[[3.]]], dtype=float32)
    """
    for axis, size, spans in _adaptive_axes(inputs, output_size, data_format):
        weights = np.zeros((size, len(spans)))
        for i, (start, stop) in enumerate(spans):
            weights[start:stop, i] = 1 / (stop - start)
        inputs = moveaxis(matmul(moveaxis(inputs, axis, -1), convert_to_tensor(weights, dtype(inputs))), -1, axis)
    return inputs


@op("inputs", rule=_adaptive_rule, promote="float")
def adaptive_max_pool(inputs, output_size, data_format=None):
    """Maxima of as many windows per spatial axis as `output_size` says; windows as in `adaptive_average_pool`.

    >>> adaptive_max_pool([[[1.0], [2.0], [6.0]]], 1)
    array([[[6.]]], dtype=float32)
    """
    for axis, _, spans in _adaptive_axes(inputs, output_size, data_format):
        longest = sorted(stop - start for start, stop in spans)[-1]
        # Shorter windows repeat their last element.
        index = np.array([[j if j < stop else stop - 1 for j in range(start, start + longest)] for start, stop in spans], "int32")
        inputs = max(take(inputs, index, axis=axis), axis=axis + 1)
    return inputs


def _patches(kernel_size, dilation, padding, stride):
    names = ("kernel_size", "dilation", "padding", "stride")
    return [windows.spatial(v, 2, n, least=0 if n == "padding" else 1) for v, n in zip((kernel_size, dilation, padding, stride), names)]


def _counts(sizes, kernel, dilation, padding, stride):
    amounts = zip(sizes, kernel, dilation, padding, stride)
    counts = [None if n is None else (n + 2 * p - (k - 1) * d - 1) // s + 1 for n, k, d, p, s in amounts]
    if any(isinstance(n, int) and n < 1 for n in counts):
        raise ValueError(f"Patches of {kernel}, dilated by {dilation}, do not fit into {tuple(sizes)} positions with padding {padding}.")
    return counts


def _unfold_rule(x, kernel_size, dilation=1, padding=0, stride=1):
    if len(x.shape) != 4:
        raise ValueError(f"unfold expected x as (batch, channels, height, width), got shape {x.shape}.")
    geometry = _patches(kernel_size, dilation, padding, stride)
    rows, columns = _counts(x.shape[2:], *geometry)
    length = None if rows is None or columns is None else rows * columns
    return KerasTensor((x.shape[0], None if x.shape[1] is None else x.shape[1] * math.prod(geometry[0]), length), x.dtype)


@op(rule=_unfold_rule)
def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """The patches of images (batch, channels, height, width) as columns: (batch, channels * patch size, number of patches).

    >>> unfold([[[[1.0, 2.0, 3.0]]]], (1, 2))
    array([[[1., 2.],
            [2., 3.]]], dtype=float32)
    """
    kernel, dilation, padding, stride = _patches(kernel_size, dilation, padding, stride)
    x = pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    rows, columns = _counts(x.shape[2:], kernel, dilation, (0, 0), stride)
    taps = []
    for i, j in np.ndindex(*kernel):
        top, left = i * dilation[0], j * dilation[1]
        taps.append(x[:, :, top : top + (rows - 1) * stride[0] + 1 : stride[0], left : left + (columns - 1) * stride[1] + 1 : stride[1]])
    return reshape(stack(taps, axis=2), (shape(x)[0], x.shape[1] * len(taps), rows * columns))


def _fold_rule(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    if len(x.shape) != 3:
        raise ValueError(f"fold expected x as (batch, channels * patch size, patches), got shape {x.shape}.")
    size, geometry = windows.spatial(output_size, 2, "output_size"), _patches(kernel_size, dilation, padding, stride)
    expected = math.prod(_counts(size, *geometry))
    if x.shape[2] is not None and x.shape[2] != expected:
        raise ValueError(f"fold expected {expected} patches for output_size {size}, got x of shape {x.shape}.")
    return KerasTensor((x.shape[0], shapes.with_fraction(x.shape[1], math.prod(geometry[0])), *size), x.dtype)


@op(rule=_fold_rule)
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The transpose of `unfold`: patches (batch, channels * patch size, number) added up into (batch, channels, *output_size).

    >>> fold([[[1.0, 2.0], [2.0, 3.0]]], (1, 3), (1, 2))
    array([[[[1., 4., 3.]]]], dtype=float32)
    """
    _fold_rule(KerasTensor(tuple(x.shape)), output_size, kernel_size, dilation, padding, stride)
    size = windows.spatial(output_size, 2, "output_size")
    kernel, dilation, padding, stride = _patches(kernel_size, dilation, padding, stride)
    rows, columns = _counts(size, kernel, dilation, padding, stride)
    height, width = size[0] + 2 * padding[0], size[1] + 2 * padding[1]
    channels = x.shape[1] // math.prod(kernel)
    batch = shape(x)[0]
    # Zeros between the patches' positions, as many as the stride skips.
    x = pad(reshape(x, (batch, channels, *kernel, rows, 1, columns, 1)), ((0, 0),) * 5 + ((0, stride[0] - 1), (0, 0), (0, stride[1] - 1)))
    x = reshape(x, (batch, channels, *kernel, rows * stride[0], columns * stride[1]))
    x = x[..., : (rows - 1) * stride[0] + 1, : (columns - 1) * stride[1] + 1]
    total = 0
    for i, j in np.ndindex(*kernel):
        top, left = i * dilation[0], j * dilation[1]
        tap = x[:, :, i, j]
        total = total + pad(tap, ((0, 0), (0, 0), (top, height - top - tap.shape[2]), (left, width - left - tap.shape[3])))
    return total[:, :, padding[0] : height - padding[0], padding[1] : width - padding[1]]


def _to_space_rule(x, block_size, data_format="channels_last"):
    _check_blocks("depth_to_space", block_size, data_format)
    grown = lambda n: None if n is None else n * block_size  # noqa: E731
    return _blocks_rule("depth_to_space", x, data_format, grown, lambda c: shapes.with_fraction(c, block_size**2))


def _to_depth_rule(x, block_size, data_format="channels_last"):
    _check_blocks("space_to_depth", block_size, data_format)
    grown = lambda c: None if c is None else c * block_size**2  # noqa: E731
    return _blocks_rule("space_to_depth", x, data_format, lambda n: shapes.with_fraction(n, block_size), grown)


def _check_blocks(name, block_size, data_format) -> None:
    shapes.check_integer(block_size, f"{name}'s block_size", 1)
    config.standardize_data_format(data_format)


def _blocks_rule(name, x, data_format, space, channels):
    if len(x.shape) != 4:
        raise ValueError(f"{name} expected a batch of images with 4 dimensions, got shape {x.shape}.")
    if data_format == "channels_first":
        n, c, h, w = x.shape
        return KerasTensor((n, channels(c), space(h), space(w)), x.dtype)
    n, h, w, c = x.shape
    return KerasTensor((n, space(h), space(w), channels(c)), x.dtype)


@op(rule=_to_space_rule)
def depth_to_space(x, block_size, data_format="channels_last"):
    """Channels moved into blocks: (batch, h, w, b * b * c) becomes (batch, h * b, w * b, c), the block's row and column leading.

    >>> depth_to_space([[[[1.0, 2.0, 3.0, 4.0]]]], 2)
    array([[[[1.],
             [2.]],
    <BLANKLINE>
            [[3.],
             [4.]]]], dtype=float32)
    """
    b = block_size
    _to_space_rule(KerasTensor(tuple(x.shape)), b, data_format)
    if data_format == "channels_first":
        n, c, h, w = shape(x)
        x = transpose(reshape(x, (n, b, b, c // b**2, h, w)), (0, 3, 4, 1, 5, 2))
        return reshape(x, (n, c // b**2, h * b, w * b))
    n, h, w, c = shape(x)
    x = transpose(reshape(x, (n, h, w, b, b, c // b**2)), (0, 1, 3, 2, 4, 5))
    return reshape(x, (n, h * b, w * b, c // b**2))


@op(rule=_to_depth_rule)
def space_to_depth(x, block_size, data_format="channels_last"):
    """Blocks moved into channels: (batch, h, w, c) becomes (batch, h / b, w / b, b * b * c), the inverse of `depth_to_space`.

    >>> space_to_depth([[[[1.0], [2.0]], [[3.0], [4.0]]]], 2)
    array([[[[1., 2., 3., 4.]]]], dtype=float32)
    """
    b = block_size
    _to_depth_rule(KerasTensor(tuple(x.shape)), b, data_format)
    if data_format == "channels_first":
        n, c, h, w = shape(x)
        x = transpose(reshape(x, (n, c, h // b, b, w // b, b)), (0, 3, 5, 1, 2, 4))
        return reshape(x, (n, c * b**2, h // b, w // b))
    n, h, w, c = shape(x)
    x = transpose(reshape(x, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return reshape(x, (n, h // b, w // b, c * b**2))
