"""Maps from the whole real line onto the support of a parameter, one coordinate at a time.

A density is learned on the line, where every point is allowed; `forward` carries its samples into the support, so that none
can lie outside. All maps keep float32 precision in their tails: nothing is exponentiated and taken back by a logarithm.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes.bijectors.bijector import Bijector
from core import ops
from core.saving import register_keras_serializable


def _log_expm1(y: Any) -> Any:
    """log(exp(y) - 1) for y > 0, as y + log(1 - exp(-y)): finite where exp(y) is not."""
    return y + ops.log(-ops.expm1(-y))


def _bound(value: Any, name: str) -> np.ndarray:
    bound = np.asarray(value, "float32")
    if bound.ndim > 1 or not np.isfinite(bound).all():
        raise ValueError(f"`{name}` must be a finite number, or one per coordinate; got {value!r}.")
    return bound


@register_keras_serializable("bayes")
class Identity(Bijector):
    """The real line itself.

    >>> Identity().log_det(np.ones((2, 3)))  # [0., 0.]
    """

    def forward(self, x: Any) -> Any:
        return ops.convert_to_tensor(x)

    def inverse(self, y: Any) -> Any:
        return ops.convert_to_tensor(y)

    def log_det(self, x: Any) -> Any:
        return ops.sum(ops.zeros_like(x), -1)


@register_keras_serializable("bayes")
class Exp(Bijector):
    """Onto everything above `lower`: `lower + exp(x)`. For scales that may differ by orders of magnitude.

    >>> Exp().forward(np.zeros((1, 2)))  # [[1., 1.]]
    """

    def __init__(self, lower: Any = 0.0):
        self.lower = _bound(lower, "lower")

    def forward(self, x: Any) -> Any:
        return ops.add(ops.exp(x), self.lower)

    def inverse(self, y: Any) -> Any:
        return ops.log(ops.subtract(y, self.lower))

    def log_det(self, x: Any) -> Any:
        return ops.sum(x, -1)

    def get_config(self) -> dict:
        return {"lower": self.lower.tolist()}


@register_keras_serializable("bayes")
class Softplus(Bijector):
    """Onto everything above `lower`: `lower + log(1 + exp(x))`. Nearly linear far from the bound.

    >>> Softplus(lower=1.0).forward(np.array([[50.0]]))  # [[51.]]
    """

    def __init__(self, lower: Any = 0.0):
        self.lower = _bound(lower, "lower")

    def forward(self, x: Any) -> Any:
        return ops.add(ops.softplus(x), self.lower)

    def inverse(self, y: Any) -> Any:
        return _log_expm1(ops.subtract(y, self.lower))

    def log_det(self, x: Any) -> Any:
        return ops.sum(ops.log_sigmoid(x), -1)

    def get_config(self) -> dict:
        return {"lower": self.lower.tolist()}


@register_keras_serializable("bayes")
class Negative(Bijector):
    """Onto everything below `upper`: `upper - softplus(-x)`, which grows with x.

    >>> Negative(upper=1.0).forward(np.array([[-50.0]]))  # [[-49.]]
    """

    def __init__(self, upper: Any = 0.0):
        self.upper = _bound(upper, "upper")

    def forward(self, x: Any) -> Any:
        return ops.subtract(self.upper, ops.softplus(ops.negative(x)))

    def inverse(self, y: Any) -> Any:
        return -_log_expm1(ops.subtract(self.upper, y))

    def log_det(self, x: Any) -> Any:
        return ops.sum(ops.log_sigmoid(ops.negative(x)), -1)

    def get_config(self) -> dict:
        return {"upper": self.upper.tolist()}


@register_keras_serializable("bayes")
class Sigmoid(Bijector):
    """Onto the box from `lower` to `upper`: `lower + (upper - lower) sigmoid(x)`.

    Args:
        lower, upper: numbers, or one per coordinate, `lower < upper`.

    >>> Sigmoid(-1.0, 1.0).forward(np.zeros((1, 2)))  # [[0., 0.]]
    """

    def __init__(self, lower: Any = 0.0, upper: Any = 1.0):
        self.lower, self.upper = _bound(lower, "lower"), _bound(upper, "upper")
        if not (self.lower < self.upper).all():
            raise ValueError(f"Sigmoid needs lower < upper in every coordinate, got {lower!r} and {upper!r}.")

    def forward(self, x: Any) -> Any:
        # Clipped, since a rounding of the sum may pass the bound by one unit in the last place.
        return ops.clip(ops.add(self.lower, ops.multiply(self.upper - self.lower, ops.sigmoid(x))), self.lower, self.upper)

    def inverse(self, y: Any) -> Any:
        # The distances to both bounds, not a logit of their ratio: exact near the upper bound as well.
        return ops.log(ops.subtract(y, self.lower)) - ops.log(ops.subtract(self.upper, y))

    def log_det(self, x: Any) -> Any:
        return ops.sum(ops.add(ops.log_sigmoid(x) + ops.log_sigmoid(ops.negative(x)), np.log(self.upper - self.lower)), -1)

    def get_config(self) -> dict:
        return {"lower": self.lower.tolist(), "upper": self.upper.tolist()}
