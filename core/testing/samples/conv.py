"""Samples of the convolutions and poolings. The references are plain loops over output positions."""

import math

import numpy as np

from core.testing.sample import Sample, array


def _many(value, rank):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def _positions(x, window, strides, padding, dilation, fill=np.nan):
    """(index of the output, window contents (batch, *window, channels)), nan where padding lies."""
    sizes, rank = x.shape[1:-1], x.ndim - 2
    spans = [(w - 1) * d + 1 for w, d in zip(window, dilation)]
    if padding == "same":
        outs = [math.ceil(n / s) for n, s in zip(sizes, strides)]
        totals = [max((o - 1) * s + w - n, 0) for o, s, w, n in zip(outs, strides, spans, sizes)]
    else:
        outs, totals = [(n - w) // s + 1 for n, w, s in zip(sizes, spans, strides)], [0] * rank
    x = np.pad(x, [(0, 0), *((t // 2, t - t // 2) for t in totals), (0, 0)], constant_values=fill)
    for index in np.ndindex(*outs):
        place = [slice(i * s, i * s + w, d) for i, s, w, d in zip(index, strides, spans, dilation)]
        yield index, x[(slice(None), *place)]


def _by_windows(x, window, strides, padding, dilation, channels_first, function):
    x = np.moveaxis(x, 1, -1) if channels_first else x
    found = {index: function(part) for index, part in _positions(x, window, strides, padding, dilation)}
    outs = [n + 1 for n in max(found)]
    first = next(iter(found.values()))
    y = np.zeros((x.shape[0], *outs, first.shape[-1]))
    for index, value in found.items():
        y[(slice(None), *index)] = value
    return np.moveaxis(y, -1, 1) if channels_first else y


def _conv(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    rank, first = x.ndim - 2, data_format == "channels_first"
    groups = x.shape[1 if first else -1] // kernel.shape[-2]

    def product(part):
        part = np.nan_to_num(part)
        pairs = zip(np.split(part, groups, -1), np.split(kernel, groups, -1))
        return np.concatenate([p.reshape(len(p), -1) @ k.reshape(-1, k.shape[-1]) for p, k in pairs], -1)

    return _by_windows(x, kernel.shape[:rank], _many(strides, rank), padding, _many(dilation_rate, rank), first, product)


def _biased_conv(x, kernel, bias, strides=1, padding="valid", data_format=None):
    first = data_format == "channels_first"
    return _conv(x, kernel, strides, padding, data_format) + (bias.reshape(-1, *[1] * (x.ndim - 2)) if first else bias)


def _depthwise(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    rank, first = x.ndim - 2, data_format == "channels_first"

    def product(part):
        return (np.nan_to_num(part)[..., None] * kernel).sum(tuple(range(1, rank + 1))).reshape(len(part), -1)

    return _by_windows(x, kernel.shape[:rank], _many(strides, rank), padding, _many(dilation_rate, rank), first, product)


def _separable(x, depthwise, pointwise, strides=1, padding="valid", data_format=None, dilation_rate=1):
    return _conv(_depthwise(x, depthwise, strides, padding, data_format, dilation_rate), pointwise, data_format=data_format)


def _transpose(x, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """Each input adds the kernel, times itself, at its place; then the borders are cropped."""
    first, rank = data_format == "channels_first", x.ndim - 2
    x = np.moveaxis(x, 1, -1) if first else x
    strides, dilation = _many(strides, rank), _many(dilation_rate, rank)
    spans = [(w - 1) * d + 1 for w, d in zip(kernel.shape, dilation)]
    sizes = [(n - 1) * s + w for n, s, w in zip(x.shape[1:-1], strides, spans)]
    full = np.zeros((len(x), *(n + 8 for n in sizes), kernel.shape[-2]))
    for index in np.ndindex(*x.shape[1:-1]):
        place = [slice(i * s, i * s + w, d) for i, s, w, d in zip(index, strides, spans, dilation)]
        full[(slice(None), *place)] += np.einsum("bi,...oi->b...o", x[(slice(None), *index)], kernel)
    crop = []
    for n, s, w, out in zip(x.shape[1:-1], strides, spans, _many(output_padding, rank)):
        length = (n - 1) * s + w
        if out is not None:
            wanted = length + out - (2 * (w // 2) if padding == "same" else 0)
        else:
            wanted = n * s if padding == "same" else n * s + max(w - s, 0)
        start = max(length - wanted, 0) // 2
        crop.append(slice(start, start + wanted))
    y = full[(slice(None), *crop)]
    return np.moveaxis(y, -1, 1) if first else y


def _pool(function):
    def reference(x, pool_size, strides=None, padding="valid", data_format=None):
        rank = x.ndim - 2
        window = _many(pool_size, rank)
        strides = window if strides is None else _many(strides, rank)
        reduce = lambda part: function(part, tuple(range(1, rank + 1)))  # noqa: E731
        return _by_windows(x.astype(float), window, strides, padding, (1,) * rank, data_format == "channels_first", reduce)

    return reference


def _adaptive(function):
    def reference(x, output_size, data_format=None):
        x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
        outs = _many(output_size, x.ndim - 2)
        y = np.zeros((len(x), *outs, x.shape[-1]))
        for index in np.ndindex(*outs):
            place = [slice(i * n // o, -(-(i + 1) * n // o)) for i, n, o in zip(index, x.shape[1:-1], outs)]
            y[(slice(None), *index)] = function(x[(slice(None), *place)], tuple(range(1, x.ndim - 1)))
        return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y

    return reference


def _unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    kernel, dilation, padding, stride = (_many(v, 2) for v in (kernel_size, dilation, padding, stride))
    x = np.moveaxis(np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2)), 1, -1)
    parts = [np.moveaxis(part, -1, 1).reshape(len(x), -1) for _, part in _positions(x, kernel, stride, "valid", dilation)]
    return np.stack(parts, -1)


def _fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The transpose of `_unfold`, by its matrix."""
    size = _many(output_size, 2)
    channels = x.shape[1] // math.prod(_many(kernel_size, 2))
    units = np.eye(channels * math.prod(size)).reshape(-1, channels, *size)
    matrix = _unfold(units, kernel_size, dilation, padding, stride).reshape(len(units), -1)
    return (x.reshape(len(x), -1) @ matrix.T).reshape(-1, channels, *size)


def _to_space(x, block_size, data_format="channels_last"):
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    n, h, w, c = x.shape
    y = np.zeros((n, h * block_size, w * block_size, c // block_size**2))
    for i, j in np.ndindex(block_size, block_size):
        start = (i * block_size + j) * y.shape[-1]
        y[:, i::block_size, j::block_size] = x[..., start : start + y.shape[-1]]
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


def _to_depth(x, block_size, data_format="channels_last"):
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    y = np.concatenate([x[:, i::block_size, j::block_size] for i, j in np.ndindex(block_size, block_size)], -1)
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


_max, _mean = _pool(np.nanmax), _pool(np.nanmean)
_LOOSE = {"rtol": 1e-4, "atol": 1e-4}
_FIRST = {"data_format": "channels_first"}
_IMAGES, _LINES, _VOLUMES = array(2, 6, 5, 2), array(2, 7, 3), array(1, 4, 3, 4, 2)

SAMPLES = {
    "conv": [
        Sample((_LINES, array(3, 3, 4)), reference=_conv, **_LOOSE),
        Sample((_LINES, array(2, 3, 4), 2, "same"), reference=_conv, **_LOOSE),
        Sample((_LINES, array(3, 3, 2), 1, "same"), {"dilation_rate": 2}, reference=_conv, **_LOOSE),
        Sample((_IMAGES, array(3, 2, 2, 3)), reference=_conv, **_LOOSE),
        Sample((_IMAGES, array(3, 3, 2, 3), 2, "same"), reference=_conv, **_LOOSE),
        Sample((_IMAGES, array(2, 3, 2, 3), (2, 1), "same"), reference=_conv, **_LOOSE),
        Sample((_IMAGES, array(2, 2, 2, 3), 1, "same"), {"dilation_rate": (2, 1)}, reference=_conv, **_LOOSE),
        Sample((array(1, 5, 5, 4), array(3, 3, 2, 6), 2, "same"), reference=_conv, **_LOOSE),
        Sample((array(1, 2, 6, 5), array(3, 2, 2, 3), 2, "same"), _FIRST, reference=_conv, **_LOOSE),
        Sample((_VOLUMES, array(2, 3, 2, 2, 2), (1, 2, 2), "same"), reference=_conv, **_LOOSE),
    ],
    "biased_conv": [
        Sample((_LINES, array(3, 3, 4), array(4)), reference=_biased_conv, **_LOOSE),
        Sample((_IMAGES, array(3, 3, 2, 3), array(3), 2, "same"), reference=_biased_conv, **_LOOSE),
        Sample((array(1, 5, 5, 4), array(3, 3, 2, 6), array(6), 2, "same"), reference=_biased_conv, **_LOOSE),
        Sample((array(1, 2, 6, 5), array(3, 2, 2, 3), array(3), 2, "same"), _FIRST, reference=_biased_conv, **_LOOSE),
        Sample((_VOLUMES, array(2, 3, 2, 2, 2), array(2)), reference=_biased_conv, **_LOOSE),
    ],
    "depthwise_conv": [
        Sample((_LINES, array(2, 3, 2), 2, "same"), reference=_depthwise, **_LOOSE),
        Sample((_IMAGES, array(3, 2, 2, 2)), reference=_depthwise, **_LOOSE),
        Sample((_IMAGES, array(3, 3, 2, 1), (2, 1), "same"), reference=_depthwise, **_LOOSE),
        Sample((array(1, 2, 6, 5), array(2, 2, 2, 2), 1, "same"), {**_FIRST, "dilation_rate": 2}, reference=_depthwise, **_LOOSE),
    ],
    "separable_conv": [
        Sample((_IMAGES, array(3, 2, 2, 2), array(1, 1, 4, 3), 2, "same"), reference=_separable, **_LOOSE),
        Sample((_LINES, array(2, 3, 1), array(1, 3, 2)), reference=_separable, **_LOOSE),
    ],
    "conv_transpose": [
        Sample((_LINES, array(3, 2, 3), 2, padding, output), reference=_transpose, **_LOOSE)
        for padding in ("valid", "same") for output in (None, 0, 1)
    ] + [
        Sample((_LINES, array(1, 2, 3), 3), reference=_transpose, **_LOOSE),
        Sample((_LINES, array(1, 2, 3), 3, "same"), reference=_transpose, **_LOOSE),
        Sample((_LINES, array(4, 2, 3), 3, "same"), {"dilation_rate": 1}, reference=_transpose, **_LOOSE),
        Sample((_LINES, array(3, 2, 3), 1, "same"), {"dilation_rate": 2}, reference=_transpose, **_LOOSE),
        Sample((_IMAGES, array(3, 2, 4, 2), (2, 1), "same"), reference=_transpose, **_LOOSE),
        Sample((array(1, 2, 3, 4), array(2, 3, 3, 2), 2), _FIRST, reference=_transpose, **_LOOSE),
        Sample((array(1, 2, 3, 2, 2), array(2, 3, 2, 2, 2), 2, "same"), reference=_transpose, **_LOOSE),
    ],
    "max_pool": [
        Sample((_LINES, 2), reference=_max), Sample((_LINES, 3, 2, "same"), reference=_max),
        Sample((_IMAGES, (2, 3), 1, "same"), reference=_max),
        Sample((_IMAGES, 2, 2, "same"), reference=_max), Sample((array(1, 2, 6, 5), 3, 2), _FIRST, reference=_max),
        Sample((_VOLUMES, 2, 1, "same"), reference=_max),
    ],
    "average_pool": [
        Sample((_LINES, 2), reference=_mean), Sample((_LINES, 3, 2, "same"), reference=_mean),
        Sample((_IMAGES, (2, 3), 1, "same"), reference=_mean),
        Sample((_IMAGES, 2, 2, "same"), reference=_mean), Sample((array(1, 2, 6, 5), 3, 2), _FIRST, reference=_mean),
        Sample((_VOLUMES, 2, 1, "same"), reference=_mean),
    ],
    "adaptive_average_pool": [
        Sample((_LINES, 3), reference=_adaptive(np.mean)), Sample((_IMAGES, (4, 2)), reference=_adaptive(np.mean)),
        Sample((array(1, 2, 3, 4, 5), 2), _FIRST, reference=_adaptive(np.mean)), Sample((_LINES, 9), reference=_adaptive(np.mean)),
    ],
    "adaptive_max_pool": [
        Sample((_LINES, 3), reference=_adaptive(np.max)), Sample((_IMAGES, (4, 2)), reference=_adaptive(np.max)),
        Sample((array(1, 2, 6, 5), (3, 3)), _FIRST, reference=_adaptive(np.max)),
    ],
    "unfold": [
        Sample((array(2, 2, 4, 5), 2), reference=_unfold), Sample((array(2, 2, 5, 4), (3, 2), 1, 1, 2), reference=_unfold),
        Sample((array(1, 2, 5, 5), 2, (2, 1), (0, 1), (1, 2)), reference=_unfold),
    ],
    "fold": [
        Sample((array(2, 8, 12), (4, 5), 2), reference=_fold), Sample((array(2, 12, 9), (5, 4), (3, 2), 1, 1, 2), reference=_fold),
        Sample((array(1, 8, 9), (5, 5), 2, (2, 1), (0, 1), (1, 2)), reference=_fold),
    ],
    "depth_to_space": [
        Sample((array(2, 2, 3, 8), 2), reference=_to_space),
        Sample((array(1, 8, 3, 2), 2, "channels_first"), reference=_to_space),
    ],
    "space_to_depth": [
        Sample((array(2, 4, 6, 2), 2), reference=_to_depth),
        Sample((array(1, 2, 4, 6), 2, "channels_first"), reference=_to_depth),
    ],
}  # fmt: skip
