"""`Constrain`: a bounded variable as an unbounded one, and back into its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

import core
from bayes.adapters.transforms.transform import ElementwiseTransform, serializable, sum_per_row

METHODS = ("default", "sigmoid", "softplus", "exp", "log")
INCLUSIVE = ("both", "lower", "upper", "none")


@serializable
class Constrain(ElementwiseTransform):
    """The unbounded image of values in `[lower, upper]`: `inverse` lands inside the bounds, always.

    Two bounds: the logit of the place between them. One bound: the inverse of softplus (the default), or the logarithm (`method="exp"`),
    of the distance to it. Bounds may differ by axis; infinite ones are none, so that one variable can mix all kinds.

    Args:
        lower, upper: numbers or arrays; None for no bound.
        method: "default", "sigmoid" (two bounds), "softplus" or "exp" (one bound).
        inclusive: which bounds may be met by data ("both", "lower", "upper", "none"); values on them are moved in by `epsilon`.
        epsilon: the distance to a bound, as a share of the width, that values keep.

    Raises:
        ValueError: no bound, a lower one not below its upper one, a method that does not fit; data outside the bounds.
    """

    def __init__(
        self, *, lower: Any = None, upper: Any = None, method: str = "default", inclusive: str | None = "both", epsilon: float = 1e-15
    ):
        inclusive = inclusive or "none"
        if lower is None and upper is None:
            raise ValueError("constrain needs a lower bound, an upper bound, or both.")
        if method not in METHODS or inclusive not in INCLUSIVE:
            raise ValueError(f"constrain takes a method of {METHODS} and inclusive of {INCLUSIVE}, got {method!r} and {inclusive!r}.")
        low = np.asarray(-np.inf if lower is None else lower, "float64")
        high = np.asarray(np.inf if upper is None else upper, "float64")
        self.low, self.high = np.broadcast_arrays(low, high)
        if not np.all(self.low < self.high):
            raise ValueError(f"constrain needs each lower bound below its upper bound, got {lower!r} and {upper!r}.")
        self.has_low, self.has_high = np.isfinite(self.low), np.isfinite(self.high)
        self.both, self.free = self.has_low & self.has_high, ~self.has_low & ~self.has_high
        one = self.has_low ^ self.has_high
        if method == "sigmoid" and np.any(one):
            raise ValueError("The method 'sigmoid' needs two bounds; with one, use 'softplus' or 'exp'.")
        if method in ("softplus", "exp", "log") and np.any(self.both):
            raise ValueError(f"The method {method!r} needs one bound; with two, use 'sigmoid'.")
        self.lower, self.upper, self.method, self.inclusive, self.epsilon = lower, upper, method, inclusive, float(epsilon)
        self.exponential = method in ("exp", "log")

    def forward(self, data: Any, *, stage: str = "inference", **kwargs: Any) -> np.ndarray:
        """The unbounded values, float64: near a bound float32 would lose them.

        Values outside are an error; at the stage "density", where they have the density 0, they become NaN.
        """
        x = np.asarray(data, "float64")
        outside = self._outside(x)
        if stage == "density":
            x = np.where(outside, np.nan, x)
        elif np.any(outside):
            raise ValueError(self._complaint(x, outside))
        with np.errstate(all="ignore"):
            place = np.clip((x - self.low) / (self.high - self.low), self.epsilon, 1 - max(self.epsilon, 2**-53))
            between = np.log(place) - np.log1p(-place)
            distance = np.maximum(np.where(self.has_low, x - self.low, self.high - x), max(self.epsilon, 1e-300))
            one = np.log(distance) if self.exponential else _softplus_inverse(distance)
        return np.where(self.free, x, np.where(self.both, between, np.where(self.has_low, one, -one)))

    def inverse(self, data: Any, **kwargs: Any) -> np.ndarray:
        """The values inside the bounds, float64."""
        z = np.asarray(data, "float64")
        with np.errstate(all="ignore"):
            width = np.where(self.both, self.high - self.low, 1.0)
            between = np.where(self.both, self.low, 0.0) + width * _sigmoid(z)
            signed = np.where(self.has_low, z, -z)
            distance = np.exp(signed) if self.exponential else np.logaddexp(0, signed)
            one = np.where(self.has_low, self.low + distance, self.high - distance)
        return np.clip(np.where(self.free, z, np.where(self.both, between, one)), self.low, self.high)

    def log_det_jac(self, data: Any, *, inverse: bool = False, stage: str = "inference", **kwargs: Any) -> np.ndarray:
        """Of the inverse at unbounded `data`, else of the forward map at bounded `data`."""
        z = np.asarray(data, "float64") if inverse else self.forward(data, stage=stage)
        with np.errstate(all="ignore"):
            width = np.log(np.where(self.both, self.high - self.low, 1.0))
            between = width - np.logaddexp(0, -z) - np.logaddexp(0, z)  # of width * sigmoid(z)
            signed = np.where(self.has_low, z, -z)
            one = signed if self.exponential else -np.logaddexp(0, -signed)  # of exp(z), of softplus(z): log sigmoid(z)
        logs = sum_per_row(np.where(self.free, 0.0, np.where(self.both, between, one)))
        return logs if inverse else -logs

    def _outside(self, x: np.ndarray) -> np.ndarray:
        """Which values lie outside by more than float32 rounds."""
        slack = 1e-6 * np.where(self.both, self.high - self.low, 1.0)
        low = x < self.low - slack if self.inclusive in ("both", "lower") else x <= self.low
        high = x > self.high + slack if self.inclusive in ("both", "upper") else x >= self.high
        return low | high

    def _complaint(self, x: np.ndarray, outside: np.ndarray) -> str:
        return (
            f"constrain expected values between {self.lower!r} and {self.upper!r} (inclusive: {self.inclusive}), got "
            f"{float(x[outside].ravel()[0]):g} and {int(outside.sum()) - 1} more outside. Correct the bounds or the data."
        )

    def get_config(self) -> dict:
        return {
            "lower": core.saving.serialize_keras_object(self.lower),
            "upper": core.saving.serialize_keras_object(self.upper),
            "method": self.method,
            "inclusive": self.inclusive,
            "epsilon": self.epsilon,
        }


def _softplus_inverse(y: np.ndarray) -> np.ndarray:
    """`log(exp(y) - 1)` that holds for large and for tiny y."""
    return y + np.log(-np.expm1(-y))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))
