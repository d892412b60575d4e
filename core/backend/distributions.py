"""What random draws take: a shape, and parameters in the range of their distribution.

All of it is checked before a seed is used, so that a call that is refused leaves its generator as it was. Values that only the
framework knows (tensors, tracers) are not looked at.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from core.backend import slot
from core.base import shapes, tree
from core.base.dtypes import continuous, is_int_dtype, numpy_dtype, standardize_dtype

# Each parameter: what it must be, in words and as a test. None is for any number.
_RANGES: dict[str, tuple[str, Callable[[Any], Any]] | None] = {
    "mean": None,
    "minval": None,
    "maxval": None,
    "stddev": ("at least 0", lambda x: x >= 0),
    "alpha": ("above 0", lambda x: x > 0),
    "beta": ("above 0", lambda x: x > 0),
    "counts": ("whole and at least 0", lambda x: (x >= 0) & (x == np.floor(x))),
    "probabilities": ("from 0 to 1", lambda x: (x >= 0) & (x <= 1)),
}
_INT64 = np.iinfo(np.int64)


def prepare_floats(name: str, bound: dict[str, Any]) -> None:
    """Checks the arguments of a draw of floats; its shape becomes a tuple and lists among its parameters arrays."""
    bound["shape"] = _dims(name, bound["shape"])
    if bound.get("dtype") is not None:
        bound["dtype"] = continuous(bound["dtype"])
    _check_parameters(name, bound)
    if name == "uniform" and "minval" in bound:
        low, high = bound["minval"], bound.get("maxval", 1.0)
        if _known(low) and _known(high) and not np.all(np.asarray(low) <= np.asarray(high)):
            raise ValueError(f"uniform draws from [minval, maxval) and needs minval <= maxval, got {low!r} and {high!r}.")


def prepare_integers(name: str, bound: dict[str, Any]) -> None:
    """Checks the arguments of a draw of integers; its shape becomes a tuple, and whole floats among its bounds integers."""
    bound["shape"] = _dims(name, bound["shape"])
    dtype = bound["dtype"] = "int32" if bound.get("dtype") is None else standardize_dtype(bound["dtype"])
    if not is_int_dtype(dtype):
        raise ValueError(f"{name} draws integers and needs an integer dtype, got {dtype!r}; cast the result, or draw by uniform.")
    _check_parameters(name, bound)
    for end in ("minval", "maxval"):
        if _known(bound[end]):
            bound[end] = _whole(name, end, bound[end])
    low, high = bound["minval"], bound["maxval"]
    if not (_known(low) and _known(high)):
        return
    if not np.all(np.asarray(low) < np.asarray(high)):
        raise ValueError(f"{name} draws from minval to maxval - 1 and needs minval < maxval, got {low!r} and {high!r}.")
    held = ml_dtypes.iinfo(numpy_dtype(dtype))
    least, most = max(held.min, _INT64.min), min(int(held.max) + 1, _INT64.max)
    if np.min(low) < least or np.max(high) > most:
        raise ValueError(f"{name} in {dtype} needs minval >= {least} and maxval <= {most}, got {low!r} and {high!r}; choose a wider dtype.")


def check_rate(rate: Any) -> None:
    """A `ValueError` where the rate of a dropout is a number that is no probability."""
    if isinstance(rate, (int, float, np.number)) and not 0 <= rate <= 1:
        raise ValueError(f"dropout needs a rate from 0 to 1, got {rate!r}.")


def noise_dims(noise_shape: Any, shape: tuple) -> tuple:
    """The shape of a dropout's noise: `shape` with 1 where `noise_shape` has it. Unknown dimensions of `shape` may be None."""
    if noise_shape is None:
        return tuple(shape)
    given = tuple(noise_shape)
    if len(given) == len(shape):
        given = tuple(d if n is None else n for n, d in zip(given, shape))
    if len(given) != len(shape) or not shapes.fits(given, shape):
        raise ValueError(f"dropout needs a noise_shape with 1, None or the dimension for each axis of {shape}, got {tuple(noise_shape)}.")
    return given


# A sum or a product may round to `maxval` itself, which is no draw. This share of its size below it lies, whatever its bits, nearest to the
# number before it: 5/8 of the distance from 1 to the next number.
def share_below(dtype: Any) -> float:
    """How much less than `maxval`, in shares of it, the largest draw of a uniform distribution is taken to be."""
    return 0.625 * float(ml_dtypes.finfo(numpy_dtype(dtype)).eps)


def is_unit(minval: Any, maxval: Any) -> bool:
    """Whether the interval is [0, 1), in which frameworks draw."""
    return isinstance(minval, (int, float)) and isinstance(maxval, (int, float)) and minval == 0 and maxval == 1


def _dims(name: str, shape: Any) -> Any:
    """`shape` as a tuple; sizes that come with the data, and shapes that are tensors, stay as they are."""
    if type(shape) is tuple and all(type(dim) is int and dim >= 0 for dim in shape):
        return shape
    if slot.owner(shape) is not None:
        return shape
    if not isinstance(shape, (tuple, list)):
        shape = shapes.standardize_shape(shape)
    return tuple(dim if _comes_with_data(dim) else _dim(name, dim, shape) for dim in shape)


def _comes_with_data(dim: Any) -> bool:
    return slot.owner(dim) is not None or getattr(dim, "is_symbolic_scalar", False)


def _dim(name: str, dim: Any, shape: Any) -> int:
    try:
        size = operator.index(dim)
    except TypeError:
        size = -1
    if size < 0:
        raise ValueError(f"{name} needs a shape of integers that are not negative, got {shape!r}.")
    return size


def _known(x: Any) -> bool:
    """Whether Python can look at the values of `x`."""
    return isinstance(x, (int, float, np.ndarray, np.generic))


def _check_parameters(name: str, bound: dict[str, Any]) -> None:
    dims = None
    for key, value in bound.items():
        if key not in _RANGES:
            continue
        if isinstance(value, (list, tuple)) and all(map(_known, tree.flatten(value))):
            value = bound[key] = np.asarray(value)
        allowed = _RANGES[key]
        if allowed is not None and _known(value) and not np.all(allowed[1](value)):
            raise ValueError(f"{name} needs {key} {allowed[0]}, got {value!r}.")
        if getattr(value, "shape", ()) and isinstance(bound["shape"], tuple):
            dims = dims or tuple(dim if isinstance(dim, int) else None for dim in bound["shape"])
            if not shapes.fits(tuple(value.shape), dims):
                raise ValueError(f"{name} of shape {dims} needs {key} to broadcast to it, got {key} of shape {tuple(value.shape)}.")


def _whole(name: str, end: str, value: Any) -> Any:
    """A bound, or an array of them, as integers."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    whole = np.floor(value)
    if not np.all(np.isfinite(value)) or not np.all(whole == value):
        raise ValueError(f"{name} needs a whole {end}, got {value!r}.")
    return whole.astype(np.int64) if np.ndim(value) else int(whole)
