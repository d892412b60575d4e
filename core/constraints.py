"""Projections that optimizers apply to weights after each update. Public as `core.constraints`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import config
from core.base.families import Family

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm", "non_neg", "serialize",
    "unit_norm",
]  # fmt: skip


class Constraint:
    """Base of the constraints: `__call__(w)` returns the weights that are allowed, in place of `w`.

    >>> class Capped(Constraint):
    ...     def __call__(self, w):
    ...         return ops.minimum(w, 1.0)
    """

    def __call__(self, w: Any) -> Any:
        """The projected weights, of the shape and dtype of `w`."""
        return ops.convert_to_tensor(w)

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Constraint:
        return cls(**config)


class NonNeg(Constraint):
    """Negative weights become zero."""

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0.0)


class _Norm(Constraint):
    """Rescales so that the norm along `axis` becomes `wanted(norm)`."""

    axis: Any

    def wanted(self, norm: Any) -> Any:
        """The norm to have, from the norm that is."""
        return 1.0

    def __call__(self, w: Any) -> Any:
        norm = ops.sqrt(ops.sum(ops.square(w), axis=self.axis, keepdims=True))
        return ops.multiply(w, self.wanted(norm) / (config.epsilon() + norm))


class UnitNorm(_Norm):
    """Norms along `axis` become one: `axis=0` for dense kernels, `(0, 1, 2)` for 2D convolution kernels."""

    def __init__(self, axis: Any = 0):
        self.axis = axis

    def get_config(self) -> dict:
        return {"axis": self.axis}


class MaxNorm(_Norm):
    """Norms along `axis` above `max_value` become `max_value`."""

    def __init__(self, max_value: float = 2, axis: Any = 0):
        self.max_value, self.axis = max_value, axis

    def wanted(self, norm: Any) -> Any:
        return ops.clip(norm, 0, self.max_value)

    def get_config(self) -> dict:
        return {"max_value": self.max_value, "axis": self.axis}


class MinMaxNorm(_Norm):
    """Norms along `axis` outside `min_value` to `max_value` move towards that range, all the way for `rate=1`."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def wanted(self, norm: Any) -> Any:
        return self.rate * ops.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm

    def get_config(self) -> dict:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_FAMILY = Family("constraint", "keras.constraints", [MaxNorm, MinMaxNorm, NonNeg, UnitNorm])


def get(identifier: Any) -> Any:
    """The constraint that a name, config, class, instance or function means; None for None."""
    return _FAMILY.get(identifier)


def serialize(constraint: Any) -> Any:
    """A config that `deserialize` makes the same constraint from."""
    return _FAMILY.serialize(constraint)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The constraint that a config or name describes."""
    return _FAMILY.deserialize(config, custom_objects)
