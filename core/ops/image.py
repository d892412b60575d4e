"""Image ops: resizing, geometric transforms, filters, colors. Images are (height, width, channels) or batches of them, either layout.

Everything linear along one axis (resizing, blurring, Sobel) is a product with a small matrix made on the host, alike on all backends.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import math
import numbers
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.arguments import as_index
from core.backend.symbolic import KerasTensor
from core.base.config import standardize_data_format
from core.base.dtypes import is_float_dtype, is_int_dtype, standardize_dtype
from core.base.shapes import broadcast, check_integer, compatible, fits, normalize_axis
from core.ops import rules
from core.ops.control import vectorized_map
from core.ops.convert import cast, shape
from core.ops.creation import arange
from core.ops.elementwise import abs, clip, floor, floor_divide, maximum, minimum, round, sin
from core.ops.indexing import take, where
from core.ops.joining import concatenate, stack
from core.ops.linalg import solve, tensordot
from core.ops.reduction import max, mean, min, sum
from core.ops.registry import op
from core.ops.rules import shaped
from core.ops.shape import broadcast_to, expand_dims, moveaxis, pad, reshape

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches", "extract_patches_3d", "gaussian_blur", "hsv_to_rgb",
    "map_coordinates", "pad_images", "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv", "scale_and_translate",
    "sobel_edges", "ssim",
]  # fmt: skip

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _axes(x: Any, data_format: str | None, spatial: int = 2) -> tuple[int, ...]:
    """The spatial axes and the channel axis, counted from the end."""
    if len(x.shape) not in (spatial + 1, spatial + 2):
        raise ValueError(f"Images need {spatial + 1} dimensions, or {spatial + 2} with a batch axis; got shape {tuple(x.shape)}.")
    first = standardize_data_format(data_format) == "channels_first"
    return (*range(-spatial, 0), -spatial - 1) if first else (*range(-spatial - 1, -1), -1)


def _with_size(x: KerasTensor, axes: Sequence[int], size: Sequence[int | None]) -> KerasTensor:
    shape = list(x.shape)
    for axis, dim in zip(axes, size):
        shape[axis] = dim
    return shaped(x, shape)


def _along(x, matrix, axis: int):
    """`x` with its elements along `axis` (counted from the end) multiplied by a matrix (old, new)."""
    return moveaxis(tensordot(x, cast(matrix, x.dtype), axes=([axis], [0])), -1, axis)


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
    return _with_size(images, _axes(images, data_format)[:2], size)


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
    height, width, _ = _axes(images, data_format)
    h, w = images.shape[height], images.shape[width]
    if crop_to_aspect_ratio:
        ch = builtins.max(1, builtins.min(h, int(w * size[0] / size[1])))
        cw = builtins.max(1, builtins.min(w, int(h * size[1] / size[0])))
        images = _cut(images, {height: ((h - ch) // 2, ch), width: ((w - cw) // 2, cw)})
    elif pad_to_aspect_ratio:
        ph, pw = builtins.max(h, int(w * size[0] / size[1])), builtins.max(w, int(h * size[1] / size[0]))
        images = _padded(images, {height: (ph - h, (ph - h) // 2), width: (pw - w, (pw - w) // 2)}, fill_value)
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
            x = _along(x, (_host_weights if known else _traced_weights)(old, new, interpolation, antialias), axis)
    return _back(x, dtype)


def _back(x, dtype: str):
    """`x` in `dtype`; rounded and held in range where that is an integer dtype."""
    if standardize_dtype(x.dtype) == dtype:
        return x
    if is_int_dtype(dtype):
        limits = np.iinfo(dtype)
        x = clip(round(x), float(limits.min), float(limits.max))
    return cast(x, dtype)


def _cut(x, parts: dict[int, tuple[int, int]]):
    """`x` with (start, length) taken along axes counted from the end."""
    key = [slice(None)] * len(x.shape)
    for axis, (start, length) in parts.items():
        key[axis] = slice(start, start + length)
    return x[tuple(key)]


def _padded(x, parts: dict[int, tuple[int, int]], value=0):
    """`x` with (total, before) padding along axes counted from the end."""
    widths = [(0, 0)] * len(x.shape)
    for axis, (total, before) in parts.items():
        widths[axis] = (before, total - before)
    return pad(x, widths, constant_values=value)


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
    images, scale, translation = map(_wide, (images, scale, translation))
    for i, axis in enumerate(spatial_dims):
        axis -= len(images.shape) if axis >= 0 else 0
        matrix = _weights(images.shape[axis], output_shape[axis], method, antialias, scale[i], translation[i], _OPS,
                          lambda s: maximum(s, 1.0), lambda w: sum(w, axis=0, keepdims=True))  # fmt: skip
        images = _along(images, matrix, axis)
    return cast(images, dtype)


def _wide(x):
    """`x` in float32 where its dtype has too few digits for positions in an image."""
    return x if standardize_dtype(x.dtype) == "float64" else cast(x, "float32")


def _fixed(index, size: int, mode: str):
    """Whole positions brought into 0 .. size - 1 as the fill mode says."""
    if mode == "wrap":
        return index - floor(index / size) * size
    if mode == "mirror":  # dcb|abcd|cba
        period = builtins.max(2 * (size - 1), 1)
        return (size - 1) - abs(index - floor(index / period) * period - (size - 1))
    if mode == "reflect":  # dcba|abcd|dcba
        index = index - floor(index / (2 * size)) * (2 * size)
        return minimum(index, 2 * size - 1 - index)
    return clip(index, 0, size - 1)


def _interpolated(values, coordinates: Sequence, order: int, mode: str, fill_value):
    """`values` (sizes..., rest...) at float positions, one tensor per leading axis, all of one shape."""
    sizes, rest = tuple(values.shape)[: len(coordinates)], tuple(values.shape)[len(coordinates) :]
    flat = reshape(values, (math.prod(sizes), *rest))
    corners = []
    for place in coordinates:
        low = round(place) if order == 0 else floor(place)
        corners.append([(low, None)] if order == 0 else [(low, 1 - (place - low)), (low + 1, place - low)])
    total = None
    for corner in itertools.product(*corners):
        index, weight, inside = None, None, None
        for (place, share), size in zip(corner, sizes):
            at = cast(_fixed(place, size, mode), "int32")
            index = at if index is None else index * size + at
            weight = share if weight is None else weight * share
            within = (place >= 0) & (place <= size - 1)
            inside = within if inside is None else inside & within
        found = take(flat, index, axis=0)
        if rest:
            weight, inside = None if weight is None else expand_dims(weight, -1), expand_dims(inside, -1)
        if mode == "constant":
            found = where(inside, found, cast(fill_value, found.dtype))
        found = found if weight is None else found * cast(weight, found.dtype)
        total = found if total is None else total + found
    return total


def _check_filling(name: str, fill_mode: str, order: int = 0) -> None:
    if fill_mode not in FILL_MODES or order not in (0, 1):
        raise ValueError(f"{name} needs order 0 or 1 and a fill_mode of {FILL_MODES}, got order={order} and fill_mode={fill_mode!r}.")


def _coordinates_rule(inputs, coordinates, order, fill_mode="constant", fill_value=0):
    _check_filling("map_coordinates", fill_mode, order)
    if not inputs.shape or not coordinates.shape or coordinates.shape[0] not in (len(inputs.shape), None):
        raise ValueError(
            f"map_coordinates needs coordinates ({len(inputs.shape)}, ...), one row per axis of the inputs, which have at least one; got "
            f"inputs of shape {inputs.shape} and coordinates of shape {coordinates.shape}."
        )
    return shaped(inputs, coordinates.shape[1:])


@op("inputs", also="coordinates", rule=_coordinates_rule)
def map_coordinates(inputs, coordinates, order, fill_mode="constant", fill_value=0):
    """`inputs` at the positions `coordinates` (rank of inputs, ...), interpolated linearly (`order` 1) or nearest (0).

    `fill_mode` tells what lies outside: `"constant"` (fill_value), `"nearest"`, `"wrap"`, `"mirror"` (edge once), `"reflect"` (edge twice).

    >>> map_coordinates(np.array([0.0, 10.0]), np.array([[0.5]]), 1)  # [5.]
    """
    _coordinates_rule(*(KerasTensor(tuple(x.shape)) for x in (inputs, coordinates)), order, fill_mode)
    dtype = standardize_dtype(inputs.dtype)
    values = inputs if is_float_dtype(dtype) or order == 0 else cast(inputs, "float32")
    places = coordinates if is_float_dtype(coordinates.dtype) else cast(coordinates, "float32")
    return _back(_interpolated(values, [places[i] for i in range(len(values.shape))], order, fill_mode, fill_value), dtype)


_ORDERS = {"nearest": 0, "bilinear": 1}


def _check_sampling(name: str, interpolation: str, fill_mode: str = "constant") -> None:
    if interpolation not in _ORDERS:
        raise ValueError(f"{name} knows the interpolations {sorted(_ORDERS)}, got {interpolation!r}.")
    _check_filling(name, fill_mode)


def _sampled(images, places: Callable, interpolation: str, mode: str, fill_value, data_format: str | None):
    """A batch of images at the positions (batch, 2, height, width) that `places(height, width)` makes."""
    height, width, channels = _axes(images, data_format)
    if 0 in tuple(images.shape):
        return images  # nothing to sample, and no image to take the loop over images from
    x = moveaxis(images, channels, -1)
    single = len(x.shape) == 3
    x = expand_dims(x, 0) if single else x
    dtype = standardize_dtype(x.dtype)
    x = _wide(x)
    positions = cast(places(x.shape[1], x.shape[2]), x.dtype)

    def one(parts):
        image, place = parts
        return _interpolated(image, [place[0], place[1]], _ORDERS[interpolation], mode, fill_value)

    x = _back(vectorized_map(one, (x, positions)), dtype)
    return moveaxis(x[0] if single else x, -1, channels)


def _projected(transforms):
    """The map of `places` for projective transforms (batch, 8), which take output points (x, y) to input points."""

    def places(h: int, w: int):
        y, x = (grid.reshape(-1).astype("float32") for grid in np.meshgrid(np.arange(h), np.arange(w), indexing="ij"))
        a = [expand_dims(_wide(transforms)[:, i], -1) for i in range(8)]
        scale = a[6] * x + a[7] * y + 1
        rows = [(a[3] * x + a[4] * y + a[5]) / scale, (a[0] * x + a[1] * y + a[2]) / scale]
        return reshape(stack(rows, axis=1), (-1, 2, h, w))

    return places


def _like_images(images, data_format=None):
    """The shape of images, which is checked."""
    _axes(images, data_format)
    return rules.like(images)


def _check_transform(images, transform) -> None:
    """An error unless there are eight numbers, for all images or for each."""
    batch = tuple(images.shape[:1]) if len(images.shape) == 4 else (1,)
    given = tuple(transform.shape)
    if given[-1:] not in ((8,), (None,)) or not (len(given) == 1 or fits(given[:-1], batch)):
        raise ValueError(f"affine_transform needs a transform (8,) or (batch, 8) for images of shape {tuple(images.shape)}, got {given}.")


def _affine_rule(images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, data_format=None):
    _check_sampling("affine_transform", interpolation, fill_mode)
    _check_transform(images, transform)
    return _like_images(images, data_format)


@op("images", also="transform", rule=_affine_rule)
def affine_transform(images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, data_format=None):
    """Images whose point (x, y) shows the input's point (a0 x + a1 y + a2, b0 x + b1 y + b2) / (c0 x + c1 y + 1).

    `transform` is (8,), or (batch, 8), of a0, a1, a2, b0, b1, b2, c0, c1; the fill modes are those of `map_coordinates`.

    >>> affine_transform(np.ones((4, 4, 1), "float32"), np.array([1.0, 0, 1, 0, 1, 0, 0, 0], "float32")).shape
    (4, 4, 1)
    """
    _check_sampling("affine_transform", interpolation, fill_mode)
    _check_transform(images, transform)
    transform = transform if len(transform.shape) == 2 else expand_dims(transform, 0)
    if len(images.shape) == 4 and transform.shape[0] == 1:
        transform = broadcast_to(transform, (images.shape[0], 8))
    return _sampled(images, _projected(transform), interpolation, fill_mode, fill_value, data_format)


def _perspective_rule(images, start_points, end_points, interpolation="bilinear", fill_value=0, data_format=None):
    _check_corners(start_points, end_points, interpolation)
    return _like_images(images, data_format)


def _check_corners(start_points, end_points, interpolation) -> None:
    _check_sampling("perspective_transform", interpolation)
    for name, points in (("start_points", start_points), ("end_points", end_points)):
        if len(points.shape) not in (2, 3) or not compatible(tuple(points.shape[-2:]), (4, 2)):
            raise ValueError(f"perspective_transform needs {name} (4, 2) or (batch, 4, 2), got {tuple(points.shape)}.")


@op("images", also="start_points end_points", rule=_perspective_rule)
def perspective_transform(images, start_points, end_points, interpolation="bilinear", fill_value=0, data_format=None):
    """Images in which the four `start_points` (x, y) have moved to the `end_points`, both (4, 2) or (batch, 4, 2).

    >>> corners = np.array([[0.0, 0], [3, 0], [0, 3], [3, 3]], "float32")
    >>> perspective_transform(np.ones((4, 4, 1), "float32"), corners, corners).shape
    (4, 4, 1)
    """
    _check_corners(start_points, end_points, interpolation)
    start, end = (cast(p if len(p.shape) == 3 else expand_dims(p, 0), "float32") for p in (start_points, end_points))
    x, y, u, v = end[..., 0], end[..., 1], start[..., 0], start[..., 1]
    one, none = x * 0 + 1, x * 0
    upper = stack([x, y, one, none, none, none, -(u * x), -(u * y)], axis=-1)
    lower = stack([none, none, none, x, y, one, -(v * x), -(v * y)], axis=-1)
    transforms = solve(concatenate([upper, lower], axis=1), concatenate([u, v], axis=1))
    if len(images.shape) == 4 and transforms.shape[0] == 1:
        transforms = broadcast_to(transforms, (images.shape[0], 8))
    return _sampled(images, _projected(transforms), interpolation, "constant", fill_value, data_format)


@functools.lru_cache(256)
def _band(size: int, kernel: tuple[float, ...], padding: str) -> np.ndarray:
    """The matrix (size, new) of a correlation with `kernel`: `"same"` (zeros outside), `"reflect"` or `"valid"`."""
    left = (len(kernel) - 1) // 2 if padding != "valid" else 0
    rows = size if padding != "valid" else size - len(kernel) + 1
    matrix = np.zeros((size, rows), "float32")
    for row in range(rows):
        for offset, weight in enumerate(kernel):
            place = row + offset - left
            if padding == "reflect":
                place = size - 1 - builtins.abs(size - 1 - builtins.abs(place))
            if 0 <= place < size:
                matrix[place, row] += weight
    return matrix


def _gaussian(size: int, sigma: float) -> tuple[float, ...]:
    x = np.arange(size) - (size - 1) / 2
    kernel = np.exp(-0.5 * (x / sigma) ** 2)
    return tuple((kernel / kernel.sum()).tolist())


def _filtered(x, kernels: Sequence[tuple[float, ...]], axes: Sequence[int], padding: str):
    for kernel, axis in zip(kernels, axes):
        x = _along(x, _band(x.shape[axis], kernel, padding), axis)
    return x


def _sides(value: Any, name: str) -> tuple:
    """One positive number for height and width, or one for each."""
    sides = (value, value) if isinstance(value, numbers.Real) else tuple(value)
    if len(sides) != 2 or any(not isinstance(n, numbers.Real) or n <= 0 for n in sides):
        raise ValueError(f"gaussian_blur needs a {name} above 0, or (height, width) of such, got {value!r}.")
    return sides


def _blur_rule(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    _sides(kernel_size, "kernel_size"), _sides(sigma, "sigma")
    return _like_images(images, data_format)


@op("images", rule=_blur_rule)
def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Images smoothed with a Gaussian of `kernel_size` and standard deviations `sigma`, (height, width) each; zeros lie outside.

    >>> gaussian_blur(np.ones((4, 4, 1), "float32")).shape
    (4, 4, 1)
    """
    sizes, sigmas = _sides(kernel_size, "kernel_size"), _sides(sigma, "sigma")
    dtype = standardize_dtype(images.dtype)
    x = images if is_float_dtype(dtype) else cast(images, "float32")
    return _back(_filtered(x, [_gaussian(int(n), float(s)) for n, s in zip(sizes, sigmas)], _axes(images, data_format)[:2], "same"), dtype)


def _elastic_rule(
    images, alpha=20.0, sigma=5.0, interpolation="bilinear", fill_mode="reflect", fill_value=0.0, seed=None, data_format=None
):
    _check_sampling("elastic_transform", interpolation, fill_mode)
    return _like_images(images, data_format)


@op("images", rule=_elastic_rule, promote="float")
def elastic_transform(
    images, alpha=20.0, sigma=5.0, interpolation="bilinear", fill_mode="reflect", fill_value=0.0, seed=None, data_format=None
):
    """Images warped by random displacements: uniform noise smoothed by a Gaussian of `sigma` and scaled by `alpha` (Simard et al., 2003).

    >>> elastic_transform(np.ones((8, 8, 1), "float32"), seed=1).shape
    (8, 8, 1)
    """
    from core.random.draws import uniform

    _check_sampling("elastic_transform", interpolation, fill_mode)
    count = 1 if len(images.shape) == 3 else images.shape[0]
    size = int(6 * sigma) | 1

    def places(h: int, w: int):
        noise = uniform((count, 2, h, w), -1.0, 1.0, dtype="float32", seed=seed)
        grid = np.stack(np.meshgrid(np.arange(h), np.arange(w), indexing="ij")).astype("float32")
        return _filtered(noise, [_gaussian(size, sigma)] * 2, (-2, -1), "same") * alpha + grid

    return _sampled(images, places, interpolation, fill_mode, fill_value, data_format)


def _patches_rule(spatial: int):
    def rule(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
        *axes, channels = _axes(images, data_format, spatial)
        size = _each(size, spatial, "size")
        news = _patch_counts([images.shape[axis] for axis in axes], size, strides, dilation_rate, padding)[0]
        depth = images.shape[channels]
        return _with_size(images, (*axes, channels), [*news, None if depth is None else depth * math.prod(size)])

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
    *axes, channels = _axes(x, data_format, spatial)
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
        h, w, _ = _axes(images, data_format)
        news = []
        for axis, before, after, target in ((h, top, bottom, target_height), (w, left, right, target_width)):
            old = images.shape[axis]
            news.append(_side(old, before, after, target, name)[1])
        return _with_size(images, (h, w), news)

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
    h, w, _ = _axes(images, data_format)
    rows = _side(images.shape[h], top_cropping, bottom_cropping, target_height, "crop_images")
    columns = _side(images.shape[w], left_cropping, right_cropping, target_width, "crop_images")
    return _cut(images, {h: rows, w: columns})


@op("images", rule=_frame("pad_images"))
def pad_images(images, top_padding=None, left_padding=None, bottom_padding=None, right_padding=None, target_height=None,
               target_width=None, data_format=None):  # fmt: skip
    """Images with zeros around: along each axis two of start, end and target size are given.

    >>> pad_images(np.ones((4, 4, 1), "float32"), 1, 1, target_height=8, target_width=6).shape
    (8, 6, 1)
    """
    h, w, _ = _axes(images, data_format)
    top, height = _side(images.shape[h], top_padding, bottom_padding, target_height, "pad_images")
    left, width = _side(images.shape[w], left_padding, right_padding, target_width, "pad_images")
    return _padded(images, {h: (height - images.shape[h], top), w: (width - images.shape[w], left)})


def _colors(x, data_format: str | None) -> int:
    """The channel axis of images in colors."""
    channels = _axes(x, data_format)[2]
    if x.shape[channels] not in (3, None):
        raise ValueError(f"Colors need 3 channels, got shape {tuple(x.shape)} (data_format={data_format}).")
    return channels


def _three(x, data_format: str | None) -> tuple[Any, int]:
    channels = _colors(x, data_format)
    return moveaxis(x, channels, -1), channels


def _like_colors(images, data_format=None):
    return _with_size(images, [_colors(images, data_format)], [3])


@op("images", rule=lambda images, data_format=None: _with_size(images, [_colors(images, data_format)], [1]))
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


def _sobel_rule(images, data_format=None):
    _axes(images, data_format)
    return shaped(images, (*images.shape, 2))


@op("images", rule=_sobel_rule, promote="float")
def sobel_edges(images, data_format=None):
    """The Sobel derivatives of images, stacked as (dy, dx) in a new last axis; zeros lie outside.

    >>> sobel_edges(np.ones((4, 4, 1), "float32")).shape
    (4, 4, 1, 2)
    """
    h, w, _ = _axes(images, data_format)
    smooth, slope = (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)
    return stack([_filtered(images, kernels, (h, w), "same") for kernels in ((slope, smooth), (smooth, slope))], axis=-1)


def _ssim_rule(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format=None):
    _check_compared(image1, image2, filter_size, data_format)
    return shaped(image1, broadcast(image1.shape, image2.shape)[:-3])


def _check_compared(image1, image2, filter_size: int, data_format: str | None) -> tuple[int, int]:
    """The spatial axes of two images of one shape that a filter fits into."""
    h, w, _ = _axes(image1, data_format)
    shape = tuple(image1.shape)
    if not compatible(shape, tuple(image2.shape)):
        raise ValueError(f"ssim compares images of one shape, got {shape} and {tuple(image2.shape)}.")
    if any(shape[a] is not None and shape[a] < filter_size for a in (h, w)):
        raise ValueError(f"ssim needs images of at least {filter_size} x {filter_size} pixels, got shape {shape}.")
    return h, w


@op("image1 image2", rule=_ssim_rule, promote="float")
def ssim(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format=None):
    """The structural similarity of images, 1 for equal ones, averaged over pixels and channels (Wang et al., 2004).

    `max_val` is the range of the pixels; means and variances are taken in a Gaussian window.

    >>> ssim(np.ones((1, 16, 16, 1), "float32"), np.ones((1, 16, 16, 1), "float32"))  # [1.]
    """
    h, w = _check_compared(image1, image2, filter_size, data_format)
    kernel = _gaussian(filter_size, filter_sigma)

    def local(x):
        return _filtered(x, (kernel, kernel), (h, w), "valid")

    a, b = local(image1), local(image2)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    squares, product = local(image1 * image1 + image2 * image2) - a * a - b * b, local(image1 * image2) - a * b
    similarity = (2 * a * b + c1) / (a * a + b * b + c1) * (2 * product + c2) / (squares + c2)
    return mean(similarity, axis=(-3, -2, -1))
