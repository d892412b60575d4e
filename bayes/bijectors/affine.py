"""`AffineTransform`: shift and scale, with parameters that a network gives."""

from __future__ import annotations

import math
from typing import Any

from core import ops

_UNIT = math.log(math.e - 1)  # softplus(_UNIT) = 1


class AffineTransform:
    """`z = s y + t` in each coordinate, with `s = softplus(asinh(a) + log(e - 1))`, which is 1 at a = 0.

    The inverse hyperbolic sine makes the scale grow with the logarithm of `a`: a large output of a network cannot overflow it.
    """

    parameters_per_dim = 2
    location_scale = 2  # how many of them, counted from the last, are location and scale

    def forward(self, y: Any, parameters: Any) -> tuple[Any, Any]:
        """`(z, log_det)` of shapes (batch, dim) and (batch,), from parameters (batch, dim, 2)."""
        scale, shift = self._scale_and_shift(parameters)
        return y * scale + shift, ops.sum(ops.log(scale), -1)

    def inverse(self, z: Any, parameters: Any) -> tuple[Any, Any]:
        """`(y, log_det)`, the log-determinant being that of this inverse."""
        scale, shift = self._scale_and_shift(parameters)
        return (z - shift) / scale, -ops.sum(ops.log(scale), -1)

    def _scale_and_shift(self, parameters: Any) -> tuple[Any, Any]:
        return ops.softplus(ops.arcsinh(parameters[..., 0]) + _UNIT), parameters[..., 1]

    def get_config(self) -> dict:
        return {}
