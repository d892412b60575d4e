"""Resizing and scaling: along each axis a product with a small matrix, alike on all backends."""

from __future__ import annotations

import builtins
import functools
import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.arguments import as_index
from core.base.dtypes import is_float_dtype, standardize_dtype
from core.base.shapes import compatible, normalize_axis
from core.ops.convert import cast, shape
from core.ops.creation import arange
from core.ops.elementwise import abs, floor_divide, maximum, sin
from core.ops.image.layout import along, axes_of, back_to, cut, padded, wide, with_size
from core.ops.indexing import take, where
from core.ops.reduction import sum
from core.ops.registry import op
from core.ops.rules import shaped

__all__ = ["resize", "scale_and_translate"]

_OPS = types.SimpleNamespace(abs=abs, where=where, sin=sin, ones_like=lambda x: x * 0 + 1)


def _triangle(x, xp):
    return xp.where(x < 1, 1 - x, x * 0)


def _keys(x, xp):
    """The cubic of Keys (1981) with a = -0.5."""
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return xp.where(x <= 1, near, xp.where(x < 2, far, x * 0))


def _lanczos(radius: int, x, xp):
    safe = xp.where(x < 1e-6, xp.ones_like(x), x) * math.pi
    return xp.where(x < 1e-6, xp.ones_like(x), xp.where(x < radius, radius * xp.sin(safe) * xp.sin(safe / radius) / (safe * safe), x * 0))


KERNELS: dict[str, Callable] = {
    **dict.fromkeys(("bilinear", "linear", "trilinear", "triangle"), _triangle),
    **dict.fromkeys(("bicubic", "cubic", "tricubic"), _keys),
    "lanczos3": functools.partial(_lanczos, 3),
    "lanczos5": functools.partial(_lanczos, 5),
}


def _weights(old: int, new: int, method: str, antialias: bool, scale, translation, xp, largest, total):
    """The matrix (old, new) of a resampling: new element i is centered on old position (i + 0.5 - translation) / scale - 0.5."""
    count = np.arange if isinstance(new, int) and isinstance(old, int) else arange
    places = (translation * -1 + (count(new, dtype="float32") + 0.5)) / scale - 0.5
    width = largest(1 / scale) if antialias else 1.0
    weights = KERNELS[method](xp.abs(places[None, :] - count(old, dtype="float32")[:, None]) / width, xp)
    sums = total(weights)
    weights = weights / xp.where(xp.abs(sums) > 1e-4, sums, xp.ones_like(sums))
    inside = (places[None, :] >= -0.5) & (places[None, :] <= old - 0.5)
    return xp.where(inside, weights, weights * 0)


@functools.lru_cache(256)
def _host_weights(old: int, new: int, method: str, antialias: bool) -> np.ndarray:
    return _weights(
        old, new, method, antialias, np.float64(new / old), 0.0, np, lambda s: np.maximum(s, 1.0), lambda w: w.sum(0, keepdims=True)
    ).astype("float32")


def _traced_weights(old: Any, new: Any, method: str, antialias: bool):
    """The same where the sizes are tensors, in a graph of unknown sizes."""
    old, new = cast(old, "float32"), cast(new, "float32")
    return _weights(old, new, method, antialias, new / old, 0.0, _OPS, lambda s: maximum(s, 1.0), lambda w: sum(w, axis=0, keepdims=True))


def _host_places(old: int, new: int) -> np.ndarray:
    """The old places under the centers of the new ones."""
    return ((2 * np.arange(new, dtype="int64") + 1) * old // (2 * new)).astype("int32")


def _traced_places(old: Any, new: Any):
    old, new = cast(old, "int64"), cast(new, "int64")
    return floor_divide((2 * arange(new, dtype="int64") + 1) * old, 2 * new)


def _check_resize(size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode) -> None:
    if not hasattr(size, "__len__") or len(size) != 2 or any(isinstance(n, (int, float)) and (n != int(n) or n < 0) for n in size):
        raise ValueError(f"resize needs size=(height, width), two integers, got {size!r}.")
    if interpolation != "nearest" and interpolation not in KERNELS:
        raise ValueError(f"resize knows the interpolations {sorted(['nearest', *KERNELS])}, got {interpolation!r}.")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize takes crop_to_aspect_ratio or pad_to_aspect_ratio, not both.")
    if pad_to_aspect_ratio and fill_mode != "constant":
        raise ValueError(f"resize pads with fill_mode='constant' only, got {fill_mode!r}.")


def _resize_rule(images, size, interpolation="bilinear", antialias=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
                 fill_mode="constant", fill_value=0.0, data_format=None):  # fmt: skip
    _check_resize(size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    return with_size(images, axes_of(images, data_format)[:2], size)


@op("images", rule=_resize_rule)
def resize(images, size, interpolation="bilinear", antialias=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
           fill_mode="constant", fill_value=0.0, data_format=None):  # fmt: skip
    """Images of `size = (height, width)`, of the same dtype (integers are rounded).

    Args:
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"`, `"lanczos5"`.
        antialias: widens the filter where the image shrinks.
        crop_to_aspect_ratio: cuts the middle part of the new aspect ratio out first.
        pad_to_aspect_ratio: pads with `fill_value` to the new aspect ratio first.

    >>> resize(np.ones((2, 4, 4, 3), "float32"), (8, 6)).shape
    (2, 8, 6, 3)
    """
    _check_resize(size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    height, width, _ = axes_of(images, data_format)
    h, w = images.shape[height], images.shape[width]
    if crop_to_aspect_ratio:
        ch = builtins.max(1, builtins.min(h, int(w * size[0] / size[1])))
        cw = builtins.max(1, builtins.min(w, int(h * size[1] / size[0])))
        images = cut(images, {height: ((h - ch) // 2, ch), width: ((w - cw) // 2, cw)})
    elif pad_to_aspect_ratio:
        ph, pw = builtins.max(h, int(w * size[0] / size[1])), builtins.max(w, int(h * size[1] / size[0]))
        images = padded(images, {height: (ph - h, (ph - h) // 2), width: (pw - w, (pw - w) // 2)}, fill_value)
    dtype = standardize_dtype(images.dtype)
    x = images if interpolation == "nearest" or is_float_dtype(dtype) else cast(images, "float32")
    for axis, new in zip((height, width), size):
        old = shape(images)[axis]
        new = as_index(new) if slot.owner(new) is not None else int(new)
        known = isinstance(old, int) and isinstance(new, int)
        if known and old == new:
            continue
        if interpolation == "nearest":
            x = take(x, (_host_places if known else _traced_places)(old, new), axis=axis)
        else:
            x = along(x, (_host_weights if known else _traced_weights)(old, new, interpolation, antialias), axis)
    return back_to(x, dtype)


def _scale_rule(images, output_shape, scale, translation, spatial_dims, method, antialias=True):
    _check_scaling(images, output_shape, scale, translation, spatial_dims, method)
    return shaped(images, output_shape)


def _check_scaling(images, output_shape, scale, translation, spatial_dims, method) -> None:
    if method not in KERNELS:
        raise ValueError(f"scale_and_translate knows the methods {sorted(KERNELS)}, got {method!r}.")
    if len(output_shape) != len(images.shape):
        raise ValueError(f"scale_and_translate needs an output_shape of {len(images.shape)} dimensions, got {tuple(output_shape)}.")
    for axis in spatial_dims:
        normalize_axis(axis, len(images.shape), "An axis of scale_and_translate's spatial_dims")
    wanted = (len(spatial_dims),)
    for name, x in (("scale", scale), ("translation", translation)):
        if not compatible(tuple(x.shape), wanted):
            raise ValueError(f"scale_and_translate needs a {name} of shape {wanted}, one number per spatial axis, got {tuple(x.shape)}.")


@op("images scale translation", rule=_scale_rule, promote="float")
def scale_and_translate(images, output_shape, scale, translation, spatial_dims, method, antialias=True):
    """Images of `output_shape`, scaled and moved along `spatial_dims`: position p goes to `p * scale + translation`; 0 outside.

    `scale` and `translation` have one element per spatial axis; `method` is an interpolation of `resize` other than nearest.

    >>> scale_and_translate(np.ones((4, 4, 1), "float32"), (8, 8, 1), np.array([2.0, 2.0]), np.zeros(2), (0, 1), "linear").shape
    (8, 8, 1)
    """
    _check_scaling(images, output_shape, scale, translation, spatial_dims, method)
    dtype = standardize_dtype(images.dtype)
    images, scale, translation = map(wide, (images, scale, translation))
    for i, axis in enumerate(spatial_dims):
        axis -= len(images.shape) if axis >= 0 else 0
        matrix = _weights(images.shape[axis], output_shape[axis], method, antialias, scale[i], translation[i], _OPS,
                          lambda s: maximum(s, 1.0), lambda w: sum(w, axis=0, keepdims=True))  # fmt: skip
        images = along(images, matrix, axis)
    return cast(images, dtype)
