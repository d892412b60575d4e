"""Arithmetic of sliding windows: convolutions, pooling, their transposes. All backends and shape rules share it."""

from __future__ import annotations

import functools
import operator
from typing import NamedTuple

from core.base import config
from core.base.shapes import Shape

PADDINGS = ("valid", "same")


class Windows(NamedTuple):
    """The geometry of one call: tuples have one entry per spatial axis."""

    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str
    pads: tuple[tuple[int, int], ...] | None  # (before, after); None where a size is unknown and padding depends on it
    channels_last: bool
    groups: int
    outputs: Shape  # spatial sizes of the result

    @property
    def rank(self) -> int:
        return len(self.window)


def spatial(value, rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One integer for all spatial axes, or one per axis, as a checked tuple."""
    many = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    try:
        many = tuple(map(operator.index, many))
    except TypeError:
        raise ValueError(f"{name} must be an integer or {rank} integers, got {value!r}.") from None
    if len(many) != rank or any(v < least for v in many):
        raise ValueError(f"{name} must be an integer or {rank} integers of at least {least}, got {value!r}.")
    return many


def spatial_axes(rank: int, channels_last: bool) -> range:
    """The spatial axes of a batch with `rank` of them."""
    return range(1, rank + 1) if channels_last else range(2, rank + 2)


def _hashable(value):
    return tuple(value) if isinstance(value, list) else value


def _padding(padding) -> str:
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in PADDINGS:
        raise ValueError(f"padding must be one of {PADDINGS}, got {padding!r}; pad the inputs yourself for other amounts.")
    return name


def _pad(size: int | None, window: int | None, stride: int, padding: str) -> tuple[int, int] | None:
    """Zeros before and after, TensorFlow's way: as many as the last window needs, the odd one after. `window` counts its holes."""
    if padding == "valid":
        return 0, 0
    if window is None:
        return None
    if size is None:
        total = window - 1 if stride == 1 else None
        return None if total is None else (total // 2, total - total // 2)
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _length(size: int | None, window: int | None, stride: int, padding: str) -> int | None:
    if size is None or (window is None and padding == "valid"):
        return None
    length = -(-size // stride) if padding == "same" or window is None else (size - window) // stride + 1
    if length < 0 or (length == 0 and size > 0):
        raise ValueError(f"A window of {window} does not fit into {size} positions; pad the inputs, or use padding='same'.")
    return length


def _geometry(sizes, window, strides, dilation, padding, channels_last, groups) -> Windows:
    spans = [None if w is None else (w - 1) * d + 1 for w, d in zip(window, dilation)]
    pads = tuple(_pad(n, w, s, padding) for n, w, s in zip(sizes, spans, strides))
    outputs = tuple(_length(n, w, s, padding) for n, w, s in zip(sizes, spans, strides))
    return Windows(window, strides, dilation, padding, None if None in pads else pads, channels_last, groups, outputs)  # type: ignore[arg-type]


def _rank(shape: Shape, ranks=(1, 2, 3)) -> int:
    if len(shape) - 2 not in ranks:
        allowed = " or ".join(str(r + 2) for r in ranks)
        raise ValueError(f"inputs must have {allowed} dimensions (batch, spatial axes and channels), got shape {tuple(shape)}.")
    return len(shape) - 2


def conv(shape: Shape, kernel: Shape, strides, padding, data_format, dilation_rate, depthwise: bool = False) -> Windows:
    """The geometry of a convolution; raises where inputs and kernel do not fit."""
    return _conv(tuple(shape), tuple(kernel), _hashable(strides), padding, _last(data_format), _hashable(dilation_rate), depthwise)


def _last(data_format) -> bool:
    return config.standardize_data_format(data_format) == "channels_last"


@functools.lru_cache(1024)
def _conv(shape, kernel, strides, padding, last, dilation_rate, depthwise) -> Windows:
    rank = _rank(shape, (1, 2) if depthwise else (1, 2, 3))
    if len(kernel) != rank + 2:
        layout = "(*window, channels, multiplier)" if depthwise else "(*window, in_channels / groups, out_channels)"
        raise ValueError(f"inputs of shape {shape} need a kernel of {rank + 2} dimensions {layout}, got kernel shape {kernel}.")
    strides, dilation = spatial(strides, rank, "strides"), spatial(dilation_rate, rank, "dilation_rate")
    if max(strides) > 1 and max(dilation) > 1:
        raise ValueError(f"strides and dilation_rate cannot both be above 1, got strides={strides} and dilation_rate={dilation}.")
    channels, expected = shape[-1] if last else shape[1], kernel[-2]
    groups = 1
    if channels is not None and expected is not None:
        wrong = channels != expected if depthwise else channels % expected
        if wrong:
            raise ValueError(
                f"The kernel of shape {kernel} expects {expected} input channels{'' if depthwise else ' (or a multiple, for groups)'}, "
                f"got inputs of shape {shape} with {channels} on axis {'-1' if last else '1'}; check data_format and the kernel."
            )
        groups = 1 if depthwise else channels // expected
    if kernel[-1] is not None and kernel[-1] % groups:
        raise ValueError(f"{kernel[-1]} filters do not divide into the {groups} groups that inputs {shape} and kernel {kernel} imply.")
    sizes = shape[1:-1] if last else shape[2:]
    return _geometry(sizes, kernel[:rank], strides, dilation, _padding(padding), last, groups)


def pool(shape: Shape, pool_size, strides, padding, data_format) -> Windows:
    """The geometry of a pooling; `strides=None` means windows side by side."""
    strides = _hashable(pool_size if strides is None else strides)
    return _pool(tuple(shape), _hashable(pool_size), strides, padding, _last(data_format))


@functools.lru_cache(1024)
def _pool(shape, pool_size, strides, padding, last) -> Windows:
    rank = _rank(shape)
    window, strides = spatial(pool_size, rank, "pool_size"), spatial(strides, rank, "strides")
    return _geometry(shape[1:-1] if last else shape[2:], window, strides, (1,) * rank, _padding(padding), last, 1)


class Transposed(NamedTuple):
    """The geometry of a transposed convolution: the full result, cropped (or, where negative, padded) on both sides."""

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    spans: tuple[int, ...]  # window lengths with their holes
    crops: tuple[tuple[int, int], ...]  # independent of the inputs' size
    channels_last: bool
    outputs: Shape


def conv_transpose(shape: Shape, kernel: Shape, strides, padding, output_padding, data_format, dilation_rate) -> Transposed:
    """The geometry of a transposed convolution with a kernel of shape (*window, out_channels, in_channels)."""
    return _conv_transpose(
        tuple(shape), tuple(kernel), _hashable(strides), padding, _hashable(output_padding), _last(data_format), _hashable(dilation_rate)
    )


@functools.lru_cache(1024)
def _conv_transpose(shape, kernel, strides, padding, output_padding, last, dilation_rate) -> Transposed:
    rank = _rank(shape)
    if len(kernel) != rank + 2:
        raise ValueError(
            f"inputs of shape {shape} need a kernel (*window, out_channels, in_channels) of {rank + 2} dimensions, got {kernel}."
        )
    strides, dilation, padding = spatial(strides, rank, "strides"), spatial(dilation_rate, rank, "dilation_rate"), _padding(padding)
    channels = shape[-1] if last else shape[1]
    if channels is not None and kernel[-1] is not None and channels != kernel[-1]:
        raise ValueError(
            f"The kernel of shape {kernel} expects {kernel[-1]} input channels (its last axis), got inputs of shape {shape} with "
            f"{channels} on axis {'-1' if last else '1'}; check data_format and the kernel."
        )
    extra = None if output_padding is None else spatial(output_padding, rank, "output_padding", least=0)
    spans, crops, outputs = [], [], []
    for i, size in enumerate(shape[1:-1] if last else shape[2:]):
        if kernel[i] is None:
            known = size is not None and padding == "same" and extra is None
            outputs.append(size * strides[i] if known else None)
            continue
        span, stride = (kernel[i] - 1) * dilation[i] + 1, strides[i]
        if extra is None:
            total = span - stride if padding == "same" else min(span - stride, 0)
        else:
            total = (2 * (span // 2) if padding == "same" else 0) - extra[i]
        before = max(total, 0) // 2
        spans.append(span)
        crops.append((before, total - before))
        outputs.append(None if size is None else (size - 1) * stride + span - total)
    return Transposed(strides, dilation, tuple(spans), tuple(crops), last, tuple(outputs))
