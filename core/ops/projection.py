"""The product of trailing axes with a kernel of several axes: what attention's projections are."""

from __future__ import annotations

from core.backend.symbolic import KerasTensor
from core.base.shapes import check_integer, compatible, fits
from core.ops.linalg import tensordot
from core.ops.registry import op

__all__ = ["projection"]


def _check(x, kernel, axes: int) -> None:
    """An error unless the last axes of `x` are the first ones of the kernel."""
    check_integer(axes, "axes", 0)
    shape, wanted = tuple(x.shape), tuple(kernel.shape[:axes])
    if len(shape) < axes or not compatible(shape[len(shape) - axes :], wanted):
        raise ValueError(f"projection expected inputs whose last axes are {wanted}, got shape {shape}.")


def _projection_rule(x, kernel, bias=None, axes=1):
    _check(x, kernel, axes)
    shape = (*x.shape[: len(x.shape) - axes], *kernel.shape[axes:])
    if bias is not None and not fits(bias.shape, shape):
        raise ValueError(f"projection expected a bias of shape {kernel.shape[axes:]}, or one that broadcasts to {shape}, got {bias.shape}.")
    return KerasTensor(shape, x.dtype)


@op("x kernel bias", rule=_projection_rule, promote="numeric")
def projection(x, kernel, bias=None, axes=1):
    """The last `axes` axes of `x` contracted with the first ones of `kernel`, plus `bias`.

    Shapes: x (..., in axes), kernel (in axes, out axes), bias (out axes) or what broadcasts to it; result (..., out axes).

    >>> projection(np.ones((2, 5, 4)), np.ones((4, 3, 2))).shape
    (2, 5, 3, 2)
    """
    _check(x, kernel, axes)
    y = tensordot(x, kernel, axes=axes)
    return y if bias is None else y + bias
