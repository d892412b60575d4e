"""Images as flattened float32 rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class ImageEncoder:
    """Pixels of images of one shape, `(n, height * width * channels)`."""

    shape: tuple[int, int, int]

    def encode(self, x: Any) -> np.ndarray:
        """Flattened images; `(n, height, width)` counts as one channel."""
        images = as_images(x)
        if images.shape[1:] != self.shape:
            raise ValueError(f"Images of shape {self.shape} were trained on, got {images.shape[1:]}; resize them.")
        return images.reshape(len(images), -1)

    def config(self) -> dict[str, Any]:
        """The encoder as JSON."""
        return {"shape": list(self.shape)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ImageEncoder:
        """The encoder of a config."""
        height, width, channels = map(int, config["shape"])
        return cls((height, width, channels))


def as_images(x: Any) -> np.ndarray:
    """Images as float32 `(n, height, width, channels)`, from an array or a list of arrays of one shape."""
    if isinstance(x, (list, tuple)):
        shapes = {np.shape(image) for image in x}
        if len(shapes) > 1:
            raise ValueError(f"The images have several shapes, such as {sorted(shapes)[:3]}; resize them to one.")
    images = np.asarray(x)
    if images.dtype.kind not in "fiub":
        raise TypeError(f"Images must be arrays of numbers, got {images.dtype}.")
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(f"Images must have shape (n, height, width) or (n, height, width, channels), got {np.shape(x)}.")
    images = images.astype("float32")
    if not np.isfinite(images).all():
        raise ValueError("The images hold NaN or infinite pixels.")
    return images
