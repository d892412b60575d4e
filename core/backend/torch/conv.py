"""Convolutions and pooling on PyTorch tensors.

Channels-last tensors are passed as permuted views, which PyTorch knows as its channels_last memory format: no copies. Kernels are
wanted in that format too: variables of 4 and 5 dimensions keep it behind their view (`in_format`), others are brought into it once,
before the call, which spares the backward pass a copy. Measured on a CPU, 1-D convolutions are faster as 2-D ones of height 1.
"""

import torch
import torch.nn.functional as F

from core.base import windows

_CONV = {2: F.conv2d, 3: F.conv3d}
_TRANSPOSE = {2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX = {2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE = {2: F.avg_pool2d, 3: F.avg_pool3d}
_FIRST = {3: (0, 2, 1), 4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}
_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
_FORMAT = {4: torch.channels_last, 5: torch.channels_last_3d}
_KERNEL = {3: (2, 1, 0), 4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}


def _enter(x, channels_last):
    """As (batch, channels, *spatial) with at least two spatial axes."""
    if channels_last:
        if x.ndim == 3:
            return x.unsqueeze(1).permute(0, 3, 1, 2)
        return x.permute(_FIRST[x.ndim])
    return x.unsqueeze(2) if x.ndim == 3 else x


def _leave(y, rank, channels_last):
    y = y.permute(_LAST[y.ndim]) if channels_last else y
    return y.squeeze(1 if channels_last else 2) if rank == 1 else y


def _kernel(kernel):
    kernel = kernel.unsqueeze(0) if kernel.ndim == 3 else kernel
    return kernel.permute(_KERNEL[kernel.ndim]).contiguous(memory_format=_FORMAT[kernel.ndim])


def in_format(kernel):
    """A copy of a (height, width, in, out) kernel, or of one of 3-D convolutions, that convolutions take without another one."""
    order = _KERNEL[kernel.ndim]
    return kernel.permute(order).clone(memory_format=_FORMAT[kernel.ndim]).permute(sorted(range(kernel.ndim), key=order.__getitem__))


def is_in_format(kernel):
    """Whether a kernel lies in memory as convolutions want it."""
    return kernel.permute(_KERNEL[kernel.ndim]).is_contiguous(memory_format=_FORMAT[kernel.ndim])


def _two(values, fill):
    """One entry per spatial axis, at least two of them."""
    return (fill, *values) if len(values) == 1 else tuple(values)


def _pad(x, pads, value=0.0):
    """`x` with (before, after) on its last axes; negative amounts crop."""
    flat = [amount for pair in reversed(pads) for amount in pair]
    return F.pad(x, flat, value=value) if any(flat) else x


def _even(pads):
    return all(before == after for before, after in pads)


def _conv(x, kernel, w, groups, bias=None):
    x, pads, rank = _enter(x, w.channels_last), _two(w.pads, (0, 0)), w.rank
    if not _even(pads):
        x, pads = _pad(x, pads), ((0, 0),) * len(pads)
    y = _CONV[x.ndim - 2](x, kernel, bias, _two(w.strides, 1), tuple(p[0] for p in pads), _two(w.dilation, 1), groups)
    return _leave(y, rank, w.channels_last)


def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    return _conv(inputs, _kernel(kernel), w, w.groups)


def biased_conv(inputs, kernel, bias, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    return _conv(inputs, _kernel(kernel), w, w.groups, bias)


def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    w = windows.conv(inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, depthwise=True)
    channels, multiplier = kernel.shape[-2:]
    return _conv(inputs, _kernel(kernel.reshape(*kernel.shape[:-2], 1, channels * multiplier)), w, channels)


def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    t = windows.conv_transpose(inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate)
    x, crops, rank = _enter(inputs, t.channels_last), _two(t.crops, (0, 0)), len(t.strides)
    shared = tuple(max(min(pair), 0) for pair in crops)
    y = _TRANSPOSE[x.ndim - 2](x, _kernel(kernel), None, _two(t.strides, 1), shared, 0, 1, _two(t.dilation, 1))
    y = _pad(y, [(p - before, p - after) for p, (before, after) in zip(shared, crops)])
    return _leave(y, rank, t.channels_last)


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    x, pads = _enter(inputs, w.channels_last), _two(w.pads, (0, 0))
    if not _even(pads) or not x.is_floating_point():  # the pooling of integers below pads nothing itself
        lowest = torch.finfo(x.dtype).min if x.is_floating_point() else torch.iinfo(x.dtype).min
        x, pads = _pad(x, pads, lowest), ((0, 0),) * len(pads)
    if not x.is_floating_point():
        y = _windows(x, _two(w.window, 1), _two(w.strides, 1)).amax(-1)
    else:
        y = _MAX[x.ndim - 2](x, _two(w.window, 1), _two(w.strides, 1), tuple(p[0] for p in pads))
    return _leave(y, w.rank, w.channels_last)


def _windows(x, window, strides):
    for axis, (size, stride) in enumerate(zip(window, strides), 2):
        x = x.unfold(axis, size, stride)
    return x.flatten(-len(window))


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    w = windows.pool(inputs.shape, pool_size, strides, padding, data_format)
    if w.rank == 3 and inputs.dtype in (torch.bfloat16, torch.float16):  # torch has no such kernel on the CPU
        return average_pool(inputs.float(), pool_size, strides, padding, data_format).to(inputs.dtype)
    x, pads = _enter(inputs, w.channels_last), _two(w.pads, (0, 0))
    pool, size, strides = _AVERAGE[x.ndim - 2], _two(w.window, 1), _two(w.strides, 1)
    if _even(pads):
        y = pool(x, size, strides, tuple(p[0] for p in pads), count_include_pad=False)
    else:  # padding does not count
        ones = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        y = pool(_pad(x, pads), size, strides) / pool(_pad(ones, pads), size, strides)
    return _leave(y, w.rank, w.channels_last)


def _adaptive(functions, inputs, output_size, data_format):
    w = windows.pool(inputs.shape, 1, 1, "valid", data_format)
    x, size = _enter(inputs, w.channels_last), windows.spatial(output_size, w.rank, "output_size")
    return _leave(functions[x.ndim - 2](x, _two(size, 1)), w.rank, w.channels_last)


def adaptive_average_pool(inputs, output_size, data_format=None):
    return _adaptive({2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}, inputs, output_size, data_format)


def adaptive_max_pool(inputs, output_size, data_format=None):
    return _adaptive({2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}, inputs, output_size, data_format)


def _in_floats(function, x, *options):
    """The kernels know floats alone; whole numbers up to 2 ** 53 come through float64 as they are."""
    return function(x, *options) if x.is_floating_point() else function(x.double(), *options).to(x.dtype)


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    if x.ndim != 4:
        raise ValueError("shapes")  # the op's rule says which
    return _in_floats(F.unfold, x, kernel_size, dilation, padding, stride)


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return _in_floats(F.fold, x, output_size, kernel_size, dilation, padding, stride)
