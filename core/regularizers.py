"""Penalties on weights and outputs: a function of a tensor whose scalar result is added to the loss. Public as `core.regularizers`."""

from __future__ import annotations

import math
from typing import Any

from core import ops
from core.base.families import Family

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2", "orthogonal_regularizer",
    "serialize",
]  # fmt: skip


class Regularizer:
    """Base of the regularizers: `__call__(x)` returns a scalar, `get_config` what `__init__` takes.

    >>> class Spread(Regularizer):
    ...     def __call__(self, x):
    ...         return ops.max(x) - ops.min(x)
    """

    def __call__(self, x: Any) -> Any:
        """The penalty on `x`, a scalar."""
        return 0.0

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Regularizer:
        return cls(**config)


def _factor(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}.")
    return float(value)


class L1L2(Regularizer):
    """`l1` times the sum of absolute values plus `l2` times the sum of squares.

    >>> float(L1L2(l1=0.1, l2=1.0)(np.array([-1.0, 2.0])))
    5.3
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0):
        self.l1, self.l2 = _factor("l1", l1 or 0.0), _factor("l2", l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        if not self.l1:
            return self.l2 * ops.sum(ops.square(x))
        penalty = self.l1 * ops.sum(ops.abs(x))
        return penalty + self.l2 * ops.sum(ops.square(x)) if self.l2 else penalty

    def get_config(self) -> dict:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """`l1` times the sum of absolute values."""

    def __init__(self, l1: float | None = 0.01):
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x))

    def get_config(self) -> dict:
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2` times the sum of squares."""

    def __init__(self, l2: float | None = 0.01):
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict:
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between different rows (or columns) of a matrix."""

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode must be 'rows' or 'columns', got {mode!r}.")
        self.factor, self.mode = _factor("factor", factor), mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer takes matrices, got a tensor of shape {tuple(x.shape)}.")
        x = ops.transpose(x) if self.mode == "columns" else ops.convert_to_tensor(x)
        rows = ops.normalize(x, axis=1)
        count = x.shape[0]
        cosines = ops.abs(ops.matmul(rows, ops.transpose(rows))) * (1.0 - ops.eye(count, dtype=rows.dtype))
        return self.factor * ops.sum(cosines) / max(count * (count - 1), 1)

    def get_config(self) -> dict:
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_FAMILY = Family("regularizer", "keras.regularizers", [L1, L2, L1L2, OrthogonalRegularizer], {"l1_l2": L1L2})


def get(identifier: Any) -> Any:
    """The regularizer that a name, config, class, instance or function means; None for None."""
    return _FAMILY.get(identifier)


def serialize(regularizer: Any) -> Any:
    """A config that `deserialize` makes the same regularizer from."""
    return _FAMILY.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The regularizer that a config or name describes."""
    return _FAMILY.deserialize(config, custom_objects)
