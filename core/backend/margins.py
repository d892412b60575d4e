"""Margins whose values are computed, for frameworks without NumPy's modes of `pad`: linear_ramp, maximum, mean, median, minimum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.backend.protocol import Backend

COMPUTED = ("linear_ramp", "maximum", "mean", "median", "minimum")


def padded(backend: Backend, x: Any, pairs: Sequence[tuple[int, int]], mode: str) -> Any:
    """`x` with `(before, after)` elements more along each axis, one axis after the other, as NumPy does."""
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            x = backend.concatenate(_around(backend, x, axis, before, after, mode), axis)
    return x


def _around(backend: Backend, x: Any, axis: int, before: int, after: int, mode: str) -> list:
    if mode == "linear_ramp":
        return [_ramp(backend, x, axis, before, 0), x, _ramp(backend, x, axis, after, -1)]
    value = _statistic(backend, x, axis, mode)
    value = backend.round(value) if _is_exact(x, backend) and mode in ("mean", "median") else value
    value = backend.cast(value, backend.dtype(x))
    return [backend.repeat(value, before, axis), x, backend.repeat(value, after, axis)]


def _is_exact(x: Any, backend: Backend) -> bool:
    return "float" not in backend.dtype(x)


def _statistic(backend: Backend, x: Any, axis: int, mode: str) -> Any:
    if mode in ("maximum", "minimum"):
        return (backend.max if mode == "maximum" else backend.min)(x, axis, keepdims=True)
    x = backend.cast(x, "float32") if backend.dtype(x) not in ("float64", "float32") else x
    if mode == "mean":
        return backend.mean(x, axis, keepdims=True)
    ordered, size = backend.sort(x, axis), x.shape[axis]
    middle = np.arange((size - 1) // 2, size // 2 + 1, dtype="int32")  # the two in the middle, or the one
    return backend.mean(backend.take(ordered, backend.convert_to_tensor(middle), axis), axis, keepdims=True)


def _ramp(backend: Backend, x: Any, axis: int, count: int, edge: int) -> Any:
    """From 0, at the far end, to the element at the edge, which is not repeated."""
    place = backend.convert_to_tensor(np.array([edge % x.shape[axis]], "int32"))
    steps = np.arange(count, dtype="float32")[:: 1 if edge == 0 else -1] / max(count, 1)
    wide = "float64" if backend.dtype(x) == "float64" else "float32"
    factors = backend.convert_to_tensor(steps.reshape([-1 if i == axis else 1 for i in range(len(x.shape))]), wide)
    ramp = backend.cast(backend.take(x, place, axis), wide) * factors
    return backend.cast(backend.floor(ramp) if _is_exact(x, backend) else ramp, backend.dtype(x))
