"""Filters along height and width, and what follows from them: blurring, Sobel edges, structural similarity."""

from __future__ import annotations

import builtins
import functools
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.base.dtypes import is_float_dtype, standardize_dtype
from core.base.shapes import broadcast, compatible
from core.ops.convert import cast
from core.ops.image.layout import along, axes_of, back_to, like_images
from core.ops.joining import stack
from core.ops.reduction import mean
from core.ops.registry import op
from core.ops.rules import shaped

__all__ = ["gaussian_blur", "sobel_edges", "ssim"]


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


def gaussian(size: int, sigma: float) -> tuple[float, ...]:
    """`size` weights of a centered Gaussian, which add up to one."""
    x = np.arange(size) - (size - 1) / 2
    kernel = np.exp(-0.5 * (x / sigma) ** 2)
    return tuple((kernel / kernel.sum()).tolist())


def filtered(x, kernels: Sequence[tuple[float, ...]], axes: Sequence[int], padding: str):
    """`x` correlated with one kernel along each of the axes, which count from the end; `padding` as in `_band`."""
    for kernel, axis in zip(kernels, axes):
        x = along(x, _band(x.shape[axis], kernel, padding), axis)
    return x


def _sides(value: Any, name: str) -> tuple:
    """One positive number for height and width, or one for each."""
    sides = (value, value) if isinstance(value, numbers.Real) else tuple(value)
    if len(sides) != 2 or any(not isinstance(n, numbers.Real) or n <= 0 for n in sides):
        raise ValueError(f"gaussian_blur needs a {name} above 0, or (height, width) of such, got {value!r}.")
    return sides


def _blur_rule(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    _sides(kernel_size, "kernel_size"), _sides(sigma, "sigma")
    return like_images(images, data_format)


@op("images", rule=_blur_rule)
def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Images smoothed with a Gaussian of `kernel_size` and standard deviations `sigma`, (height, width) each; zeros lie outside.

    >>> gaussian_blur(np.ones((4, 4, 1), "float32")).shape
    (4, 4, 1)
    """
    sizes, sigmas = _sides(kernel_size, "kernel_size"), _sides(sigma, "sigma")
    dtype = standardize_dtype(images.dtype)
    x = images if is_float_dtype(dtype) else cast(images, "float32")
    kernels = [gaussian(int(n), float(s)) for n, s in zip(sizes, sigmas)]
    return back_to(filtered(x, kernels, axes_of(images, data_format)[:2], "same"), dtype)


def _sobel_rule(images, data_format=None):
    axes_of(images, data_format)
    return shaped(images, (*images.shape, 2))


@op("images", rule=_sobel_rule, promote="float")
def sobel_edges(images, data_format=None):
    """The Sobel derivatives of images, stacked as (dy, dx) in a new last axis; zeros lie outside.

    >>> sobel_edges(np.ones((4, 4, 1), "float32")).shape
    (4, 4, 1, 2)
    """
    h, w, _ = axes_of(images, data_format)
    smooth, slope = (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)
    return stack([filtered(images, kernels, (h, w), "same") for kernels in ((slope, smooth), (smooth, slope))], axis=-1)


def _ssim_rule(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format=None):
    _check_compared(image1, image2, filter_size, data_format)
    return shaped(image1, broadcast(image1.shape, image2.shape)[:-3])


def _check_compared(image1, image2, filter_size: int, data_format: str | None) -> tuple[int, int]:
    """The spatial axes of two images of one shape that a filter fits into."""
    h, w, _ = axes_of(image1, data_format)
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
    kernel = gaussian(filter_size, filter_sigma)

    def local(x):
        return filtered(x, (kernel, kernel), (h, w), "valid")

    a, b = local(image1), local(image2)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    squares, product = local(image1 * image1 + image2 * image2) - a * a - b * b, local(image1 * image2) - a * b
    similarity = (2 * a * b + c1) / (a * a + b * b + c1) * (2 * product + c2) / (squares + c2)
    return mean(similarity, axis=(-3, -2, -1))
