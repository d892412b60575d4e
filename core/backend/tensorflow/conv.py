"""Convolutions and pooling on TensorFlow tensors. The kernels of a CPU are channels-last: other tensors are transposed there and back."""

import functools

import tensorflow as tf

from core.base import windows

# Given outright: the gradients of 3-D kernels need it.
_FORMATS = {3: "NWC", 4: "NHWC", 5: "NDHWC"}


def _last(x, channels_last):
    return x if channels_last else tf.transpose(x, (0, *range(2, x.shape.rank), 1))


def _back(y, channels_last):
    return y if channels_last else tf.transpose(y, (0, y.shape.rank - 1, *range(1, y.shape.rank - 1)))


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    x, strides, dilation = _last(inputs, w.channels_last), list(w.strides), list(w.dilation)
    if x.shape[0] == 0:
        y = _nothing(x, w, kernel.shape[-1])
    elif w.groups == 1:
        y = tf.nn.convolution(x, kernel, strides, w.padding.upper(), _FORMATS[x.shape.rank], dilation)
    else:  # no gradient of grouped convolutions on a CPU
        parts = zip(tf.split(x, w.groups, -1), tf.split(kernel, w.groups, -1))
        y = tf.concat([tf.nn.convolution(part, k, strides, w.padding.upper(), _FORMATS[x.shape.rank], dilation) for part, k in parts], -1)
    return _back(y, w.channels_last)


def _nothing(x, w, channels):
    """The result without samples, for which TensorFlow gives the inputs back."""
    return tf.zeros((0, *w.outputs, channels), x.dtype)


def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, depthwise=True)
    x, strides, dilation = _last(inputs, w.channels_last), w.strides, w.dilation
    if x.shape[0] == 0:
        return _back(_nothing(x, w, kernel.shape[-2] * kernel.shape[-1]), w.channels_last)
    if w.rank == 1:
        x, kernel, strides, dilation = tf.expand_dims(x, 1), tf.expand_dims(kernel, 0), strides * 2, (1, *dilation)
    if strides[0] != strides[-1]:  # the kernel takes equal strides only
        y = tf.nn.depthwise_conv2d(_padded(x, w.pads), kernel, (1, 1, 1, 1), "VALID", dilations=dilation)[:, :: strides[0], :: strides[1]]
    else:
        y = tf.nn.depthwise_conv2d(x, kernel, (1, *strides, 1), w.padding.upper(), dilations=dilation)
    return _back(tf.squeeze(y, 1) if w.rank == 1 else y, w.channels_last)


def _padded(x, pads, value=0):
    if pads is None:
        raise ValueError(
            "Such strides or dtypes with padding='same' need inputs of known spatial size under tf.function; pad them yourself."
        )
    return tf.pad(x, ((0, 0), *pads, (0, 0)), constant_values=tf.cast(value, x.dtype))


def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    t = windows.conv_transpose(inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    x = _last(inputs, t.channels_last)
    sizes = [dim if dim is not None else tf.shape(x)[i] for i, dim in enumerate(x.shape)]
    full = [(n - 1) * s + span for n, s, span in zip(sizes[1:-1], t.strides, t.spans)]
    dilation = list(t.dilation)
    if x.dtype != tf.float32 and max(dilation) > 1:  # TensorFlow has no such kernel of other dtypes on the CPU
        kernel, dilation = _holed(kernel, dilation), [1] * len(dilation)
    y = tf.nn.conv_transpose(x, kernel, tf.stack([sizes[0], *full, kernel.shape[-2]]), list(t.strides), "VALID", dilations=dilation)
    if any(a < 0 or b < 0 for a, b in t.crops):
        y = tf.pad(y, ((0, 0), *((max(-a, 0), max(-b, 0)) for a, b in t.crops), (0, 0)))
    if any(a > 0 or b > 0 for a, b in t.crops):
        y = y[(slice(None), *(slice(max(a, 0), -b if b > 0 else None) for a, b in t.crops), slice(None))]
    y.set_shape((x.shape[0], *t.outputs, kernel.shape[-2]))
    return _back(y, t.channels_last)


def _holed(kernel, dilation):
    """A kernel with zeros between its elements."""
    for axis, rate in enumerate(dilation):
        size = kernel.shape[axis]
        wide = tf.pad(tf.expand_dims(kernel, axis + 1), [(0, rate - 1 if i == axis + 1 else 0) for i in range(kernel.shape.rank + 1)])
        kernel = tf.reshape(wide, (*kernel.shape[:axis], size * rate, *kernel.shape[axis + 1 :]))
        kernel = kernel[(slice(None),) * axis + (slice((size - 1) * rate + 1),)]
    return kernel


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    x = _last(inputs, w.channels_last)
    if w.rank == 3 and x.dtype != tf.float32:  # it has no kernel of others
        return _back(_over_slices(tf.maximum, _padded(x, w.pads, x.dtype.min), w), w.channels_last)
    return _back(tf.nn.max_pool(x, w.window, w.strides, w.padding.upper(), _FORMATS[x.shape.rank]), w.channels_last)


def _over_slices(function, x, w):
    """The elements of each window brought together, axis by axis."""
    for axis, (size, stride) in enumerate(zip(w.window, w.strides), 1):
        parts = [x[(slice(None),) * axis + (slice(at, at - size + 1 or None, stride),)] for at in range(size)]
        x = functools.reduce(function, parts)
    return x


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    x = _last(inputs, w.channels_last)
    if w.rank == 3 and x.dtype in (tf.float16, tf.bfloat16):
        return tf.cast(average_pool(tf.cast(inputs, tf.float32), pool_size, strides, padding, data_format), x.dtype)
    if w.rank == 3 and x.dtype != tf.float32:
        total, count = (_over_slices(tf.add, _padded(y, w.pads), w) for y in (x, tf.ones_like(x)))  # padding does not count
        return _back(total / count, w.channels_last)
    return _back(tf.nn.avg_pool(x, w.window, w.strides, w.padding.upper(), _FORMATS[x.shape.rank]), w.channels_last)
