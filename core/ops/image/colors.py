"""Conversions of colors."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.base.dtypes import is_float_dtype, standardize_dtype
from core.ops.convert import cast
from core.ops.elementwise import abs, clip
from core.ops.image.layout import axes_of, with_size
from core.ops.indexing import where
from core.ops.joining import stack
from core.ops.linalg import tensordot
from core.ops.reduction import max, min
from core.ops.registry import op
from core.ops.shape import moveaxis

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]


def _colors(x, data_format: str | None) -> int:
    """The channel axis of images in colors."""
    channels = axes_of(x, data_format)[2]
    if x.shape[channels] not in (3, None):
        raise ValueError(f"Colors need 3 channels, got shape {tuple(x.shape)} (data_format={data_format}).")
    return channels


def _three(x, data_format: str | None) -> tuple[Any, int]:
    channels = _colors(x, data_format)
    return moveaxis(x, channels, -1), channels


def _like_colors(images, data_format=None):
    return with_size(images, [_colors(images, data_format)], [3])


@op("images", rule=lambda images, data_format=None: with_size(images, [_colors(images, data_format)], [1]))
def rgb_to_grayscale(images, data_format=None):
    """The luma 0.2989 R + 0.587 G + 0.114 B of RGB images, with one channel.

    >>> rgb_to_grayscale(np.ones((4, 4, 3), "float32")).shape
    (4, 4, 1)
    """
    x, channels = _three(images, data_format)
    dtype = standardize_dtype(x.dtype)
    x = x if is_float_dtype(dtype) else cast(x, "float32")
    return moveaxis(cast(tensordot(x, cast(np.array([[0.2989], [0.587], [0.114]], "float32"), x.dtype), 1), dtype), -1, channels)


@op("images", rule=_like_colors, promote="float")
def rgb_to_hsv(images, data_format=None):
    """Hue, saturation and value, all in [0, 1], of RGB images in [0, 1].

    >>> rgb_to_hsv(np.array([[[1.0, 0.0, 0.0]]]))  # [[[0., 1., 1.]]]
    """
    x, channels = _three(images, data_format)
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    value = max(x, axis=-1)
    spread = value - min(x, axis=-1)
    one, none = value * 0 + 1, value * 0
    saturation = where(value > 0, spread / where(value > 0, value, one), none)
    safe = where(spread > 0, spread, one)
    hue = where(r >= value, (g - b) / safe, where(g >= value, 2 + (b - r) / safe, 4 + (r - g) / safe)) / 6
    hue = where(spread > 0, where(hue < 0, hue + 1, hue), none)
    return moveaxis(stack([hue, saturation, value], axis=-1), -1, channels)


@op("images", rule=_like_colors, promote="float")
def hsv_to_rgb(images, data_format=None):
    """RGB images in [0, 1] from hue, saturation and value in [0, 1].

    >>> hsv_to_rgb(np.array([[[0.0, 1.0, 1.0]]]))  # [[[1., 0., 0.]]]
    """
    x, channels = _three(images, data_format)
    hue, saturation, value = x[..., 0], x[..., 1], x[..., 2]
    ramp = [abs(hue * 6 - 3) - 1, 2 - abs(hue * 6 - 2), 2 - abs(hue * 6 - 4)]
    return moveaxis(stack([(1 + (clip(c, 0.0, 1.0) - 1) * saturation) * value for c in ramp], axis=-1), -1, channels)
