"""Convolutions and pooling on NumPy arrays, as sums over windows: correct rather than fast."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.base import windows


def _last(x, channels_last):
    return x if channels_last else np.moveaxis(x, 1, -1)


def _back(y, channels_last):
    return y if channels_last else np.moveaxis(y, -1, 1)


def _windows(x, w, fill=0):
    """(batch, *outputs, channels, *window) of channels-last `x`, padded with `fill`."""
    x = np.pad(x, ((0, 0), *w.pads, (0, 0)), constant_values=fill)
    spans = [(n - 1) * d + 1 for n, d in zip(w.window, w.dilation)]
    view = sliding_window_view(x, spans, tuple(range(1, w.rank + 1)))
    steps = [slice(None, None, s) for s in w.strides]
    holes = [slice(None, None, d) for d in w.dilation]
    return view[(slice(None), *steps, slice(None), *holes)]


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    view = _windows(_last(inputs, w.channels_last), w)
    shape, axes = view.shape, tuple(range(w.rank + 1, 2 * w.rank + 2))
    order = (w.rank, *range(w.rank))  # input channels first, as in the windows
    parts = []
    for x, k in zip(np.split(view, w.groups, w.rank + 1), np.split(kernel, w.groups, -1)):
        parts.append(np.tensordot(x, np.transpose(k, (*order, w.rank + 1)), (axes, tuple(range(w.rank + 1)))))
    y = np.concatenate(parts, -1).reshape(*shape[: w.rank + 1], kernel.shape[-1])
    return _back(y.astype(inputs.dtype, copy=False), w.channels_last)


def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, depthwise=True)
    view, space = _windows(_last(inputs, w.channels_last), w), "hwd"[: w.rank]
    wide = np.result_type(inputs.dtype, np.float32)  # einsum takes no bfloat16
    y = np.einsum(f"...c{space},{space}cm->...cm", view.astype(wide, copy=False), kernel.astype(wide, copy=False))
    return _back(y.reshape(*y.shape[:-2], y.shape[-2] * y.shape[-1]).astype(inputs.dtype, copy=False), w.channels_last)


def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    t = windows.conv_transpose(inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    x = _last(inputs, t.channels_last)
    sizes = x.shape[1:-1]
    full = np.zeros((x.shape[0], *((n - 1) * s + span for n, s, span in zip(sizes, t.strides, t.spans)), kernel.shape[-2]), x.dtype)
    for index in np.ndindex(*kernel.shape[:-2]):  # each tap adds the inputs, spread by the strides
        place = [slice(i * d, i * d + (n - 1) * s + 1, s) for i, d, n, s in zip(index, t.dilation, sizes, t.strides)]
        full[(slice(None), *place)] += x @ kernel[index].T
    full = np.pad(full, ((0, 0), *((max(-a, 0), max(-b, 0)) for a, b in t.crops), (0, 0)))
    kept = [slice(max(a, 0), n - max(b, 0)) for (a, b), n in zip(t.crops, full.shape[1:-1])]
    return _back(full[(slice(None), *kept)], t.channels_last)


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    lowest = np.iinfo(inputs.dtype).min if inputs.dtype.kind in "iu" else -np.inf
    view = _windows(_last(inputs, w.channels_last), w, lowest)
    return _back(view.max(tuple(range(-w.rank, 0))), w.channels_last)


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    x, axes = _last(inputs, w.channels_last), tuple(range(-w.rank, 0))
    total, count = _windows(x, w).sum(axes), _windows(np.ones_like(x), w).sum(axes)  # padding does not count
    return _back((total / count).astype(inputs.dtype, copy=False), w.channels_last)
