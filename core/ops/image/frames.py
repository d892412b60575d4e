"""Cropping, and padding with zeros."""

from __future__ import annotations

import builtins
from typing import Any

from core.ops.image.layout import axes_of, cut, padded, with_size
from core.ops.registry import op

__all__ = ["crop_images", "pad_images"]


def _side(old: Any, before: Any, after: Any, target: Any, name: str) -> tuple[int, int | None]:
    """(before, new size) of a crop or padding from those two that are given."""
    if builtins.sum(n is None for n in (before, after, target)) != 1:
        raise ValueError(f"{name} needs exactly two of its start, end and target along each axis, got {before}, {after}, {target}.")
    if old is None:
        return before, target
    sign = 1 if name == "pad_images" else -1
    if target is None:
        target = old + sign * (before + after)
    elif before is None:
        before = sign * (target - old) - after
    margins = (before, sign * (target - old) - before, target)
    if any(isinstance(n, int) and n < 0 for n in margins):
        raise ValueError(f"{name} cannot bring an axis of {old} to {target} with {margins[0]} before and {margins[1]} behind.")
    return before, target


def _frame(name: str):
    def rule(images, top=None, left=None, bottom=None, right=None, target_height=None, target_width=None, data_format=None):
        h, w, _ = axes_of(images, data_format)
        news = []
        for axis, before, after, target in ((h, top, bottom, target_height), (w, left, right, target_width)):
            old = images.shape[axis]
            news.append(_side(old, before, after, target, name)[1])
        return with_size(images, (h, w), news)

    return lambda images, *args, **kwargs: rule(
        images, *args, **{k.replace("_cropping", "").replace("_padding", ""): v for k, v in kwargs.items()}
    )


@op("images", rule=_frame("crop_images"))
def crop_images(images, top_cropping=None, left_cropping=None, bottom_cropping=None, right_cropping=None, target_height=None,
                target_width=None, data_format=None):  # fmt: skip
    """Images cut to a part: along each axis two of start, end and target size are given.

    >>> crop_images(np.ones((4, 4, 1), "float32"), 1, 1, target_height=2, target_width=3).shape
    (2, 3, 1)
    """
    h, w, _ = axes_of(images, data_format)
    rows = _side(images.shape[h], top_cropping, bottom_cropping, target_height, "crop_images")
    columns = _side(images.shape[w], left_cropping, right_cropping, target_width, "crop_images")
    return cut(images, {h: rows, w: columns})


@op("images", rule=_frame("pad_images"))
def pad_images(images, top_padding=None, left_padding=None, bottom_padding=None, right_padding=None, target_height=None,
               target_width=None, data_format=None):  # fmt: skip
    """Images with zeros around: along each axis two of start, end and target size are given.

    >>> pad_images(np.ones((4, 4, 1), "float32"), 1, 1, target_height=8, target_width=6).shape
    (8, 6, 1)
    """
    h, w, _ = axes_of(images, data_format)
    top, height = _side(images.shape[h], top_padding, bottom_padding, target_height, "pad_images")
    left, width = _side(images.shape[w], left_padding, right_padding, target_width, "pad_images")
    return padded(images, {h: (height - images.shape[h], top), w: (width - images.shape[w], left)})
