"""Views of the encoded matrix: missing values filled, numbers scaled, categories as one-hot vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.stages.stage import Stage, stage
from core import ops

CLIP = 8.0  # standard deviations; what lies further out says no more


def fill(x: Any, numeric: Any, median: Any, holes: Any) -> tuple[Any, Any]:
    """The numeric columns with missing values filled by the median, and a 0/1 column for each that had some in training."""
    values = ops.take(x, numeric, axis=1)
    missing = ops.isnan(values)
    return ops.where(missing, median, values), ops.cast(ops.take(missing, holes, axis=1), "float32")


@stage("trees view", "numeric", "median", "holes", "codes")
def tree_view(x: Any, *, numeric: Any, median: Any, holes: Any, codes: Any) -> Any:
    """Numbers, flags of missing ones, and categories as codes in the order of their frequency."""
    values, flags = fill(x, numeric, median, holes)
    return ops.concatenate([values, flags, ops.take(x, codes, axis=1)], axis=1)


@stage("dense view", "numeric", "median", "holes", "codes", "mean", "scale")
def dense_view(x: Any, *, numeric: Any, median: Any, holes: Any, codes: Any, mean: Any, scale: Any, levels: list[int]) -> Any:
    """Standardised numbers, flags of missing ones, and categories one-hot; a category never seen is all zeros."""
    values, flags = fill(x, numeric, median, holes)
    parts = [ops.clip((values - mean) / scale, -CLIP, CLIP), flags]
    for position, count in enumerate(levels):
        parts.append(ops.one_hot(ops.cast(x[:, codes[position]], "int32"), count))
    return ops.concatenate(parts, axis=1)


@stage("image view", "mean", "scale")
def image_view(x: Any, *, mean: Any, scale: Any, shape: list[int]) -> Any:
    """Pixels as `(batch, height, width, channels)`, each channel standardised."""
    return (ops.reshape(x, (-1, *shape)) - mean) / scale


def feature_views(raw: np.ndarray, levels: list[int]) -> dict[str, Stage]:
    """The views "trees" and "dense" of a matrix whose column i is a number (`levels[i]` 0) or a code below `levels[i]`.

    Columns that never vary are left out of both.
    """
    with np.errstate(all="ignore"):
        lowest, highest = np.fmin.reduce(raw, axis=0), np.fmax.reduce(raw, axis=0)
    holed = np.isnan(raw).any(axis=0)
    varies = (highest > lowest) | (holed & ~np.isnan(highest))
    numeric = np.array([i for i, count in enumerate(levels) if not count and varies[i]], "int32")
    codes = np.array([i for i, count in enumerate(levels) if count], "int32")
    values = raw[:, numeric]
    median = np.nanmedian(values, axis=0) if len(numeric) else np.zeros(0)
    filled = np.where(np.isnan(values), median, values).astype("float64")
    mean, scale = filled.mean(axis=0), filled.std(axis=0)
    scale[scale < 1e-12 * np.maximum(1, np.abs(mean))] = 1.0
    shared = {
        "numeric": numeric,
        "median": median.astype("float32"),
        "holes": np.flatnonzero(holed[numeric]).astype("int32"),
        "codes": codes,
    }
    counts = [levels[i] for i in codes]
    width = 3 * len(numeric) + sum(counts) + 1
    scaled = {**shared, "mean": mean.astype("float32"), "scale": scale.astype("float32")}
    return {
        "trees": Stage("trees view", {}, shared, width),
        "dense": Stage("dense view", {"levels": counts}, scaled, width),
    }


def image_stage(raw: np.ndarray, shape: tuple[int, ...]) -> Stage:
    """The view "image" of flattened pixels."""
    pixels = raw.reshape(-1, shape[-1])
    mean, scale = pixels.mean(axis=0, dtype="float64"), pixels.std(axis=0, dtype="float64")
    arrays = {"mean": mean.astype("float32"), "scale": np.where(scale > 0, scale, 1.0).astype("float32")}
    return Stage("image view", {"shape": list(shape)}, arrays, raw.shape[1])
