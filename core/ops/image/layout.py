"""What all image ops share: where height, width and channels are, and moves along one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.backend.symbolic import KerasTensor
from core.base.config import standardize_data_format
from core.base.dtypes import is_int_dtype, standardize_dtype
from core.ops import rules
from core.ops.convert import cast
from core.ops.elementwise import clip, round
from core.ops.linalg import tensordot
from core.ops.rules import shaped
from core.ops.shape import moveaxis, pad


def axes_of(x: Any, data_format: str | None, spatial: int = 2) -> tuple[int, ...]:
    """The spatial axes and the channel axis, counted from the end."""
    if len(x.shape) not in (spatial + 1, spatial + 2):
        raise ValueError(f"Images need {spatial + 1} dimensions, or {spatial + 2} with a batch axis; got shape {tuple(x.shape)}.")
    first = standardize_data_format(data_format) == "channels_first"
    return (*range(-spatial, 0), -spatial - 1) if first else (*range(-spatial - 1, -1), -1)


def with_size(x: KerasTensor, axes: Sequence[int], size: Sequence[int | None]) -> KerasTensor:
    """`x` with other sizes along these axes."""
    shape = list(x.shape)
    for axis, dim in zip(axes, size):
        shape[axis] = dim
    return shaped(x, shape)


def like_images(images, data_format=None):
    """The shape of images, which is checked."""
    axes_of(images, data_format)
    return rules.like(images)


def along(x, matrix, axis: int):
    """`x` with its elements along `axis` (counted from the end) multiplied by a matrix (old, new)."""
    return moveaxis(tensordot(x, cast(matrix, x.dtype), axes=([axis], [0])), -1, axis)


def cut(x, parts: dict[int, tuple[int, int]]):
    """`x` with (start, length) taken along axes counted from the end."""
    key = [slice(None)] * len(x.shape)
    for axis, (start, length) in parts.items():
        key[axis] = slice(start, start + length)
    return x[tuple(key)]


def padded(x, parts: dict[int, tuple[int, int]], value=0):
    """`x` with (total, before) padding along axes counted from the end."""
    widths = [(0, 0)] * len(x.shape)
    for axis, (total, before) in parts.items():
        widths[axis] = (before, total - before)
    return pad(x, widths, constant_values=value)


def wide(x):
    """`x` in float32 where its dtype has too few digits for positions in an image."""
    return x if standardize_dtype(x.dtype) == "float64" else cast(x, "float32")


def back_to(x, dtype: str):
    """`x` in `dtype`; rounded and held in range where that is an integer dtype."""
    if standardize_dtype(x.dtype) == dtype:
        return x
    if is_int_dtype(dtype):
        limits = np.iinfo(dtype)
        x = clip(round(x), float(limits.min), float(limits.max))
    return cast(x, dtype)
