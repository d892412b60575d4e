"""`Support`: the box in which a variable can lie, one interval an axis, possibly endless."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Support:
    """The intervals `(lower, upper)` of a variable's axes; -inf and inf where there is no bound.

    Args:
        lower, upper: numbers, arrays of the variable's shape, or None for no bound.

    Raises:
        ValueError: a bound is NaN, or a lower bound is not below its upper bound.

    >>> Support(0, None).contains(np.array([[0.5], [-1.0]]))
    array([ True, False])
    """

    lower: Any = None
    upper: Any = None

    def __post_init__(self) -> None:
        lower = np.asarray(-np.inf if self.lower is None else self.lower, "float64")
        upper = np.asarray(np.inf if self.upper is None else self.upper, "float64")
        lower, upper = np.broadcast_arrays(lower, upper)
        if not np.all(lower < upper):
            raise ValueError(f"A support needs each lower bound below its upper bound, got lower={self.lower!r} and upper={self.upper!r}.")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @property
    def is_bounded(self) -> bool:
        """Whether any axis has a bound."""
        return bool(np.any(np.isfinite(self.lower)) or np.any(np.isfinite(self.upper)))

    def contains(self, values: Any) -> np.ndarray:
        """Whether values of shape `(batch, *event)` lie inside, bounds included; shape `(batch,)`."""
        values = np.asarray(values)
        inside = (values >= self.lower) & (values <= self.upper)
        return inside.reshape(len(values), -1).all(axis=1) if values.ndim > 1 else inside


def as_supports(given: Mapping[str, Any] | None) -> dict[str, Support]:
    """Supports by variable name, from `Support`s or pairs `(lower, upper)`.

    >>> as_supports({"sigma": (0, None)})["sigma"].lower
    array(0.)
    """
    found = {}
    for name, value in (given or {}).items():
        if not isinstance(value, Support):
            if not isinstance(value, (tuple, list)) or len(value) != 2:
                raise ValueError(f"The support of {name!r} must be a pair (lower, upper), None for no bound, got {value!r}.")
            value = Support(*value)
        found[name] = value
    return found
