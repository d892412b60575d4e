"""`SplineTransform`: monotone rational-quadratic splines with linear tails, with parameters that a network gives.

Durkan et al., 2019, "Neural Spline Flows" (arXiv 1906.04032), equations 4 to 8.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core import ops

_LOG_SIZE_LIMIT = 3.0

class SplineTransform:
    """A monotone spline in a box that moves with the parameters, and straight lines outside of it.

    Each coordinate is first brought to the unit interval by its box, `u = (y - c) / w + 1/2`; there the spline of `bins` pieces
    acts; `z = h (g(u) - 1/2) + d` then leads out of the box. Outside, g(u) = u, so that the tails continue the spline with
    the overall slope of the box, and centre and size of the box do what an affine transform does. Parameters of zeros are the identity.

    Args:
        bins: number of pieces.
        box: the half width of the box at parameters of zeros.
        min_bin: the smallest width and height of a bin, as a part of the box.
        min_slope: the smallest derivative at a knot.
    """

    location_scale = 4  # so many parameters, counted from the last, are centre and size of the box

    def __init__(self, bins: int = 8, box: float = 3.0, min_bin: float = 1e-3, min_slope: float = 1e-3):
        if not isinstance(bins, int) or bins < 2:
            raise ValueError(f"A spline needs at least 2 bins, got {bins!r}.")
        if box <= 0:
            raise ValueError(f"`box` is half the width of the box and must be positive, got {box!r}.")
        if not 0 < min_bin * bins < 1:
            raise ValueError(f"{bins} bins of at least {min_bin} each do not fit into the unit interval; give min_bin < {1 / bins:.3g}.")
        if not 0 < min_slope < 1:
            raise ValueError(f"`min_slope` must lie between 0 and 1, got {min_slope!r}.")
        self.bins, self.box, self.min_bin, self.min_slope = bins, float(box), float(min_bin), float(min_slope)
        self.parameters_per_dim = 3 * bins + 3  # widths, heights, inner derivatives; centre and size of the box on both sides

    def forward(self, y: Any, parameters: Any) -> tuple[Any, Any]:
        """`(z, log_det)` of shapes (batch, dim) and (batch,), from parameters (batch, dim, 3 bins + 3)."""
        bins, (y_centre, z_centre, log_width, log_height) = self._bins_and_box(parameters)
        u = (ops.transpose(y) - y_centre) * ops.exp(-log_width) + 0.5
        inside = ops.clip(u, 0.0, 1.0)
        left, bottom, width, height, slope, next_slope = self._bin_of(inside, bins, side=0)

        xi = (inside - left) / width
        mean_slope, product = height / width, xi * (1.0 - xi)
        denominator = mean_slope + (next_slope + slope - 2.0 * mean_slope) * product
        g = bottom + height * (mean_slope * xi * xi + slope * product) / denominator  # eq. 4; outside of the box, 0 or 1
        log_slope = self._log_slope(xi, product, mean_slope, slope, next_slope, denominator)

        z = (g + (u - inside) - 0.5) * ops.exp(log_height) + z_centre
        return ops.transpose(z), ops.sum(log_slope + log_height - log_width, 0)

    def inverse(self, z: Any, parameters: Any) -> tuple[Any, Any]:
        """`(y, log_det)`, the log-determinant being that of this inverse."""
        bins, (y_centre, z_centre, log_width, log_height) = self._bins_and_box(parameters)
        v = (ops.transpose(z) - z_centre) * ops.exp(-log_height) + 0.5
        inside = ops.clip(v, 0.0, 1.0)
        left, bottom, width, height, slope, next_slope = self._bin_of(inside, bins, side=1)

        mean_slope, above = height / width, inside - bottom
        bend = next_slope + slope - 2.0 * mean_slope
        a = height * (mean_slope - slope) + above * bend  # eq. 6 to 8
        b = height * slope - above * bend
        c = -mean_slope * above
        xi = -2.0 * c / (b + ops.sqrt(ops.maximum(b * b - 4.0 * a * c, 0.0)))
        xi = ops.clip(xi, 0.0, 1.0)
        product = xi * (1.0 - xi)
        log_slope = self._log_slope(xi, product, mean_slope, slope, next_slope, mean_slope + bend * product)

        u = left + width * xi + (v - inside)
        y = (u - 0.5) * ops.exp(log_width) + y_centre
        return ops.transpose(y), ops.sum(log_width - log_height - log_slope, 0)

    def _log_slope(self, xi: Any, product: Any, mean_slope: Any, slope: Any, next_slope: Any, denominator: Any) -> Any:
        """log g'(u), eq. 5. At the edges of the box it is log 1, as outside."""
        rest = 1.0 - xi
        numerator = next_slope * xi * xi + 2.0 * mean_slope * product + slope * rest * rest
        return ops.log(numerator) + 2.0 * ops.log(mean_slope / denominator)

    # The parts below keep the bins on the first axis and the batch on the last, (bins, dim, batch): sums over few bins then run
    # along the batch, several times faster than over a short last axis.

    def _bins_and_box(self, parameters: Any) -> tuple[tuple, tuple]:
        """`((low edges, sizes, slopes at the edges), (y centre, z centre, log width, log height))`."""
        bins, (batch, dim, _) = self.bins, ops.shape(parameters)
        sizes, slopes, centres, log_sizes = ops.split(ops.transpose(parameters, (2, 1, 0)), [2 * bins, 3 * bins - 1, 3 * bins + 1], 0)
        sizes = ops.softmax(ops.reshape(sizes, (2, bins, dim, batch)), 1)
        sizes = self.min_bin + (1.0 - self.min_bin * bins) * sizes  # widths and heights
        below = np.tril(np.ones((bins, bins), "float32"), -1)
        low = ops.reshape(ops.matmul(below, ops.reshape(sizes, (2, bins, -1))), (2, bins, dim, batch))
        slopes = self.min_slope + ops.softplus(slopes + math.log(math.expm1(1.0 - self.min_slope)))
        one = ops.ones_like(slopes[:1])
        slopes = ops.concatenate([one, slopes, one], 0)  # (bins + 1, dim, batch)
        return (low, sizes, slopes), (*ops.unstack(centres, axis=0), *ops.unstack(self._log_size(log_sizes), axis=0))

    def _log_size(self, x: Any) -> Any:
        # Sizes stay within e^-3 to e^3 of their first value: a chain of couplings far outside of the training data cannot overflow.
        return x / (1.0 + ops.abs(x) / _LOG_SIZE_LIMIT) + math.log(2.0 * self.box)

    def _bin_of(self, u: Any, bins: tuple, side: int) -> tuple:
        """What describes the bin that holds `u` (dim, batch), found by its left edges (side 0) or its bottom edges (side 1)."""
        low, sizes, slopes = bins
        passed = ops.cast(u >= low[side, 1:], u.dtype)
        one = ops.ones_like(passed[:1])
        here = ops.concatenate([one, passed], 0) - ops.concatenate([passed, ops.zeros_like(one)], 0)  # one-hot over the bins
        low, sizes = ops.unstack(ops.sum(low * here, 1), axis=0), ops.unstack(ops.sum(sizes * here, 1), axis=0)
        return *low, *sizes, ops.sum(slopes[:-1] * here, 0), ops.sum(slopes[1:] * here, 0)

    def get_config(self) -> dict:
        return {"bins": self.bins, "box": self.box, "min_bin": self.min_bin, "min_slope": self.min_slope}
