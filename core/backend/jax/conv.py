"""Convolutions and pooling on JAX arrays."""

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from core.base import windows


def _numbers(rank, channels_last):
    space = "HWD"[:rank]
    data = f"N{space}C" if channels_last else f"NC{space}"
    return data, f"{space}IO", data


def _conv(inputs, kernel, w, groups):
    numbers = _numbers(w.rank, w.channels_last)
    return lax.conv_general_dilated(inputs, kernel, w.strides, w.pads, None, w.dilation, numbers, groups)


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    return _conv(inputs, kernel, w, w.groups)


def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, depthwise=True)
    channels, multiplier = kernel.shape[-2:]
    return _conv(inputs, kernel.reshape(*kernel.shape[:-2], 1, channels * multiplier), w, channels)


def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    t = windows.conv_transpose(inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    pads = [(span - 1 - before, span - 1 - after) for span, (before, after) in zip(t.spans, t.crops)]
    numbers = _numbers(len(t.strides), t.channels_last)
    return lax.conv_transpose(inputs, kernel, t.strides, pads, t.dilation, numbers, transpose_kernel=True)


def _reduce(x, start, function, w):
    inner = lambda values, outer: (outer, *values, outer) if w.channels_last else (outer, outer, *values)  # noqa: E731
    return lax.reduce_window(x, start, function, inner(w.window, 1), inner(w.strides, 1), inner(w.pads, (0, 0)))


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    lowest = jnp.iinfo(inputs.dtype).min if inputs.dtype.kind in "iu" else -jnp.inf
    return _reduce(inputs, np.array(lowest, inputs.dtype), lax.max, w)


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    total = _reduce(inputs, 0.0, lax.add, w)
    if not any(map(any, w.pads)):
        return total / math.prod(w.window)
    return total / _reduce(jnp.ones(inputs.shape, inputs.dtype), 0.0, lax.add, w)  # padding does not count
