"""Single images: between arrays, Pillow's images and files."""

from __future__ import annotations

import io
import os
import pathlib
import warnings
from typing import Any

import numpy as np

from core.backend import slot
from core.base import config
from core.base.errors import unknown_name
from core.training.data.source import host_array

COLOR_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def pillow() -> Any:
    """Pillow's `PIL.Image` module.

    Raises:
        ImportError: it is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ImportError("Image files are read and written by Pillow, which is not installed. Run `pip install pillow`.") from error
    return Image


def _layout(data_format: str | None) -> str:
    data_format = data_format or config.image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"data_format must be 'channels_first' or 'channels_last', got {data_format!r}.")
    return data_format


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """The pixels of a Pillow image as an array (height, width, channels), or (channels, height, width) with `"channels_first"`.

    Args:
        img: a Pillow image, or an array (height, width) or (height, width, channels).
        data_format: the configured one where it is None.
        dtype: floatx where it is None; values are not scaled.

    >>> img_to_array(np.zeros((4, 5), "uint8")).shape
    (4, 5, 1)
    """
    layout = _layout(data_format)
    pixels = np.asarray(img, dtype or config.floatx())
    if pixels.ndim not in (2, 3):
        raise ValueError(f"An image is (height, width) or (height, width, channels), got shape {pixels.shape}; convert a batch one by one.")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return pixels if layout == "channels_last" else pixels.transpose(2, 0, 1)


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """A Pillow image of an array or tensor of three axes, of mode L, RGB or RGBA after its 1, 3 or 4 channels.

    Args:
        data_format: where the channels stand; the configured one where it is None.
        scale: whether the values are stretched to 0 .. 255. Without it they are cut to integers as they are; one channel with values above
            255 then gives an image of 32-bit integers (mode I).
        dtype: to compute in, floatx where it is None.

    Raises:
        ValueError: the shape is not that of an image.
        ImportError: Pillow is not installed.

    >>> array_to_img(np.zeros((4, 5, 3))).size  # width, height
    (5, 4)
    """
    image, layout = pillow(), _layout(data_format)
    pixels = np.array(host_array(x), dtype or config.floatx())
    if pixels.ndim != 3:
        raise ValueError(f"array_to_img takes one image of three axes, got shape {pixels.shape}.")
    pixels = pixels.transpose(1, 2, 0) if layout == "channels_first" else pixels
    if pixels.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"An image has 1, 3 or 4 channels, got {pixels.shape[-1]} on the channel axis of {layout!r}; set data_format if it is another."
        )
    if scale:
        pixels = pixels - pixels.min(initial=np.inf)
        largest = pixels.max(initial=0)
        pixels = pixels / (largest if largest else 1) * 255
    if pixels.shape[-1] > 1:
        return image.fromarray(pixels.astype("uint8"))
    return image.fromarray(pixels[..., 0].astype("int32" if pixels.max(initial=0) > 255 else "uint8"))


def load_img(path: Any, color_mode: str = "rgb", target_size: tuple[int, int] | None = None, interpolation: str = "nearest",
             keep_aspect_ratio: bool = False) -> Any:  # fmt: skip
    """A Pillow image from a file.

    Args:
        path: a path, or a binary stream such as `io.BytesIO`.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`; a grayscale image of more than 8 bits keeps them.
        target_size: (height, width) to resize to.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`.
        keep_aspect_ratio: whether the middle part of the target's aspect ratio is cut out first.

    Raises:
        ValueError: an unknown color mode or interpolation.
        ImportError: Pillow is not installed.

    >>> img_to_array(load_img("photo.jpg", target_size=(224, 224))).shape
    (224, 224, 3)
    """
    if color_mode not in COLOR_MODES:
        raise unknown_name("color_mode", color_mode, COLOR_MODES)
    if interpolation not in INTERPOLATIONS:
        raise unknown_name("interpolation", interpolation, INTERPOLATIONS)
    if not isinstance(path, (str, os.PathLike)) and not hasattr(path, "read"):
        raise TypeError(f"load_img takes a path or a binary stream, got a {type(path).__name__}.")
    image = pillow()
    source = path if hasattr(path, "read") else io.BytesIO(pathlib.Path(path).read_bytes())  # so that the file is closed
    result = image.open(source)
    if color_mode != "grayscale" or result.mode not in ("L", "I", "I;16"):
        result = result.convert(COLOR_MODES[color_mode])
    result.load()
    if target_size is None:
        return result
    height, width = target_size
    box = None
    if keep_aspect_ratio:
        w = min(result.width, max(1, result.height * width // height))
        h = min(result.height, max(1, result.width * height // width))
        left, top = (result.width - w) // 2, (result.height - h) // 2
        box = (left, top, left + w, top + h)
    if result.size == (width, height) and box is None:
        return result
    return result.resize((width, height), getattr(image.Resampling, interpolation.upper()), box=box)


def save_img(path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any) -> None:
    """Writes an array as an image file; see `array_to_img`.

    Args:
        path: a path or a binary stream.
        file_format: for example `"png"`; by default after the path's ending.
        kwargs: handed on to Pillow's `save`, for example `quality=90`.

    >>> save_img("ramp.png", np.arange(12).reshape(2, 2, 3))
    """
    result = array_to_img(x, data_format, scale)
    kind = (file_format or pathlib.Path(getattr(path, "name", "") if hasattr(path, "write") else path).suffix.lstrip(".")).lower()
    if result.mode == "RGBA" and kind in ("jpg", "jpeg"):
        warnings.warn("JPEG files hold no transparency: the image is written as RGB.", stacklevel=2)
        result = result.convert("RGB")
    result.save(path, format="jpeg" if file_format and kind == "jpg" else file_format, **kwargs)


def smart_resize(x: Any, size: tuple[int, int], interpolation: str = "bilinear", data_format: str = "channels_last", **kwargs: Any) -> Any:
    """Images (..., height, width, channels) resized to `size = (height, width)` without distortion: their middle part of that aspect ratio.

    An array gives an array, a tensor a tensor of its framework; the dtype stays, integers are rounded.

    >>> smart_resize(np.ones((40, 60, 3)), (20, 20)).shape
    (20, 20, 3)
    """
    from core import ops

    kwargs.pop("backend_module", None)  # Keras' name for a choice that the input makes here
    if kwargs:
        raise TypeError(f"smart_resize got unexpected arguments {sorted(kwargs)}.")
    if slot.owner(x) is not None:
        return ops.image.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return resize_array(np.asarray(x), size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)


def resize_array(x: np.ndarray, size: tuple[int, int], interpolation: str, **options: Any) -> np.ndarray:
    """`core.ops.image.resize` of an array, on the host."""
    from core import ops

    with slot.use("numpy"):
        return np.asarray(ops.image.resize(x, tuple(size), interpolation, **options))
