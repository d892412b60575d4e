"""Patches of images and volumes."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Sequence

from core.base.shapes import check_integer
from core.ops.image.layout import axes_of, with_size
from core.ops.joining import concatenate
from core.ops.registry import op
from core.ops.shape import moveaxis, pad

__all__ = ["extract_patches", "extract_patches_3d"]


def _patches_rule(spatial: int):
    def rule(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
        *axes, channels = axes_of(images, data_format, spatial)
        size = _each(size, spatial, "size")
        news = _patch_counts([images.shape[axis] for axis in axes], size, strides, dilation_rate, padding)[0]
        depth = images.shape[channels]
        return with_size(images, (*axes, channels), [*news, None if depth is None else depth * math.prod(size)])

    return rule


def _patch_counts(olds: Sequence, size: tuple[int, ...], strides, dilation_rate, padding: str) -> tuple[list, ...]:
    """Per spatial axis: the number of patches, the steps between them, the steps inside, and the places that one spans."""
    if padding not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same', got {padding!r}.")
    steps = list(_each(size if strides is None else strides, len(size), "strides"))
    rates = list(_each(dilation_rate, len(size), "dilation_rate"))
    spans = [(n - 1) * r + 1 for n, r in zip(size, rates)]
    news = [None if o is None else -(-o // s) if padding == "same" else (o - n) // s + 1 for o, s, n in zip(olds, steps, spans)]
    if any(isinstance(n, int) and n < 1 for n in news):
        raise ValueError(
            f"Patches of {size} that span {spans} do not fit into {list(olds)} positions; pad the images, or use padding='same'."
        )
    return news, steps, rates, spans


def _each(value, count: int, name: str) -> tuple[int, ...]:
    """One number for each of `count` axes, from one for all or several."""
    many = tuple(value) if hasattr(value, "__len__") else (value,) * count
    if len(many) != count:
        raise ValueError(f"The {name} of patches must be an integer or {count} integers, got {value!r}.")
    for one in many:
        check_integer(one, f"The {name} of patches", 1)
    return many


def _patches(x, size, strides, dilation_rate, padding, data_format, spatial: int):
    *axes, channels = axes_of(x, data_format, spatial)
    x, batch = moveaxis(x, channels, -1), len(x.shape) - spatial - 1
    size = _each(size, spatial, "size")
    olds = [x.shape[batch + i] for i in range(spatial)]
    news, steps, rates, spans = _patch_counts(olds, size, strides, dilation_rate, padding)
    if padding == "same":
        extra = [builtins.max(0, (m - 1) * s + n - o) for m, s, n, o in zip(news, steps, spans, olds)]
        x = pad(x, [(0, 0)] * batch + [(e // 2, e - e // 2) for e in extra] + [(0, 0)])
    parts = []
    for offsets in itertools.product(*(range(n) for n in size)):
        cuts = [slice(o * r, o * r + (m - 1) * s + 1, s) for o, r, m, s in zip(offsets, rates, news, steps)]
        parts.append(x[(slice(None),) * batch + tuple(cuts)])
    return moveaxis(concatenate(parts, axis=-1), -1, channels)


@op("images", rule=_patches_rule(2))
def extract_patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """Patches of `size`, one every `strides` (default: side by side), laid out flat in the channel axis: row, column, channel.

    `dilation_rate` spreads a patch's elements; `"same"` padding adds zeros so that patches start at every stride.

    >>> extract_patches(np.ones((4, 4, 3), "float32"), 2).shape
    (2, 2, 12)
    """
    return _patches(images, size, strides, dilation_rate, padding, data_format, 2)


@op("volumes", rule=_patches_rule(3))
def extract_patches_3d(volumes, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """`extract_patches` for volumes (depth, height, width, channels) or batches of them.

    >>> extract_patches_3d(np.ones((4, 4, 4, 1), "float32"), 2).shape
    (2, 2, 2, 8)
    """
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3)
