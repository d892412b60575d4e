"""Images looked up at other places: coordinates, affine, perspective and elastic transforms."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from core.backend.symbolic import KerasTensor
from core.base.dtypes import is_float_dtype, standardize_dtype
from core.base.shapes import compatible, fits
from core.ops.control import vectorized_map
from core.ops.convert import cast
from core.ops.elementwise import abs, clip, floor, minimum, round
from core.ops.image.filters import filtered, gaussian
from core.ops.image.layout import axes_of, back_to, like_images, wide
from core.ops.indexing import take, where
from core.ops.joining import concatenate, stack
from core.ops.linalg import solve
from core.ops.registry import op
from core.ops.rules import shaped
from core.ops.shape import broadcast_to, expand_dims, moveaxis, reshape

__all__ = ["affine_transform", "elastic_transform", "map_coordinates", "perspective_transform"]

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


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
    return back_to(_interpolated(values, [places[i] for i in range(len(values.shape))], order, fill_mode, fill_value), dtype)


_ORDERS = {"nearest": 0, "bilinear": 1}


def _check_sampling(name: str, interpolation: str, fill_mode: str = "constant") -> None:
    if interpolation not in _ORDERS:
        raise ValueError(f"{name} knows the interpolations {sorted(_ORDERS)}, got {interpolation!r}.")
    _check_filling(name, fill_mode)


def _sampled(images, places: Callable, interpolation: str, mode: str, fill_value, data_format: str | None):
    """A batch of images at the positions (batch, 2, height, width) that `places(height, width)` makes."""
    height, width, channels = axes_of(images, data_format)
    if 0 in tuple(images.shape):
        return images  # nothing to sample, and no image to take the loop over images from
    x = moveaxis(images, channels, -1)
    single = len(x.shape) == 3
    x = expand_dims(x, 0) if single else x
    dtype = standardize_dtype(x.dtype)
    x = wide(x)
    positions = cast(places(x.shape[1], x.shape[2]), x.dtype)

    def one(parts):
        image, place = parts
        return _interpolated(image, [place[0], place[1]], _ORDERS[interpolation], mode, fill_value)

    x = back_to(vectorized_map(one, (x, positions)), dtype)
    return moveaxis(x[0] if single else x, -1, channels)


def _projected(transforms):
    """The map of `places` for projective transforms (batch, 8), which take output points (x, y) to input points."""

    def places(h: int, w: int):
        y, x = (grid.reshape(-1).astype("float32") for grid in np.meshgrid(np.arange(h), np.arange(w), indexing="ij"))
        a = [expand_dims(wide(transforms)[:, i], -1) for i in range(8)]
        scale = a[6] * x + a[7] * y + 1
        rows = [(a[3] * x + a[4] * y + a[5]) / scale, (a[0] * x + a[1] * y + a[2]) / scale]
        return reshape(stack(rows, axis=1), (-1, 2, h, w))

    return places


def _check_transform(images, transform) -> None:
    """An error unless there are eight numbers, for all images or for each."""
    batch = tuple(images.shape[:1]) if len(images.shape) == 4 else (1,)
    given = tuple(transform.shape)
    if given[-1:] not in ((8,), (None,)) or not (len(given) == 1 or fits(given[:-1], batch)):
        raise ValueError(f"affine_transform needs a transform (8,) or (batch, 8) for images of shape {tuple(images.shape)}, got {given}.")


def _affine_rule(images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, data_format=None):
    _check_sampling("affine_transform", interpolation, fill_mode)
    _check_transform(images, transform)
    return like_images(images, data_format)


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
    return like_images(images, data_format)


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


def _elastic_rule(
    images, alpha=20.0, sigma=5.0, interpolation="bilinear", fill_mode="reflect", fill_value=0.0, seed=None, data_format=None
):
    _check_sampling("elastic_transform", interpolation, fill_mode)
    return like_images(images, data_format)


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
        return filtered(noise, [gaussian(size, sigma)] * 2, (-2, -1), "same") * alpha + grid

    return _sampled(images, places, interpolation, fill_mode, fill_value, data_format)
