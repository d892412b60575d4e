"""One sample call of an op, and how its result is judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Sample:
    """Arguments of one call and the NumPy function that knows the answer.

    Attributes:
        args: positional arguments; NumPy arrays stand for tensors, everything else is passed as it is.
        kwargs: keyword arguments.
        reference: a NumPy function that gets the same arguments with float arrays in float64 and returns the expected values;
            None only where no independent answer exists (say why beside it): then shapes and dtypes alone are compared.
        rtol, atol: tolerances of float32 results.
        gradient: whether gradients with respect to the float tensor arguments are compared with finite differences.
        jit: whether the call works under `core.jit` (False for results whose shape depends on values).
        symbolic: whether the call works on symbolic tensors.
        derives: whether the op itself differentiates: a backend without gradients must refuse it with a ValueError that names those with.
    """

    args: tuple = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    reference: Callable | None = None
    rtol: float = 1e-5
    atol: float = 1e-5
    gradient: bool = True
    jit: bool = True
    symbolic: bool = True
    derives: bool = False


def array(*shape: int, dtype: str = "float32", seed: int = 0, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """A seeded array of uniform draws, for samples; integers are drawn from low to high - 1, bools fairly."""
    rng = np.random.default_rng(seed + 1000 * len(shape))
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if np.dtype(dtype).kind in "iu":
        return rng.integers(int(max(low, 0 if np.dtype(dtype).kind == "u" else low)), int(high) + 1, shape).astype(dtype)
    return rng.uniform(low, high, shape).astype(dtype)
