"""Between Python, NumPy and tensors: making, casting, looking at, and the bits of a tensor."""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np

from core.backend import slot
from core.backend.dimension import Dimension, dimensions
from core.backend.journal import Holder
from core.backend.symbolic import KerasTensor
from core.base import dtypes, tree
from core.ops import rules
from core.ops.registry import op, primitive

__all__ = [
    "array", "cast", "convert_to_numpy", "convert_to_tensor", "copy", "dtype", "is_tensor", "ndim", "saturate_cast", "shape",
    "stop_gradient", "view", "view_as_complex", "view_as_real",
]  # fmt: skip


def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """`x` as a tensor of the backend that owns it, or of the active one where nobody does.

    A tensor stays what it is unless `dtype` differs; a Variable gives its value; a list of tensors is stacked; Python floats
    become `floatx()`, Python ints int32 where they fit; NumPy arrays keep their dtype. A symbolic tensor stays symbolic.
    `sparse=False` and `ragged=False` make TensorFlow's sparse and ragged tensors dense; True is refused by backends without them.

    >>> convert_to_tensor([1, 2], dtype="float16")
    array([1., 2.], dtype=float16)
    """
    if isinstance(x, Holder):
        x = x.value
    if isinstance(x, Dimension):
        return cast(x, dtype or x.dtype)
    if isinstance(x, KerasTensor):
        return x if dtype is None or x.dtype == dtypes.standardize_dtype(dtype) else cast(x, dtype)
    backend = slot.owner(x)
    if backend is None and isinstance(x, (list, tuple)):
        parts = [part.value if isinstance(part, Holder) else part for part in tree.flatten(x)]
        if any(isinstance(part, KerasTensor) for part in parts):
            from core.ops.joining import stack

            return stack([convert_to_tensor(part, dtype) for part in x])
        backend = slot.owner_of(parts)
    return (backend or slot.active()).convert_to_tensor(x, dtype, sparse, ragged)


def array(x: Any, dtype: Any = None) -> Any:
    """A new tensor with the values of `x`; `dtype` as in `convert_to_tensor`.

    >>> array([1.5, 2.5])
    array([1.5, 2.5], dtype=float32)
    """
    return copy(convert_to_tensor(x, dtype))


def convert_to_numpy(x: Any) -> np.ndarray:
    """A NumPy array with the values of a tensor, a Variable or a nested list. A symbolic tensor has none: `TypeError`.

    >>> convert_to_numpy([1, 2])
    array([1, 2], dtype=int32)
    """
    if isinstance(x, Holder):
        x = x.value
    backend = slot.owner(x)
    if backend is not None:
        return backend.convert_to_numpy(x)
    return slot.get("numpy").convert_to_tensor(x)


def shape(x: Any) -> tuple:
    """The dimensions as a tuple. Unknown ones are scalar tensors in TensorFlow graphs, and `Dimension`s of symbolic tensors.

    A `Dimension` equals None and can be computed with: by `+ - * // %`, in ops that take shapes or sizes, and as an int32 scalar.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    if isinstance(x, Holder):
        x = x.value
    if isinstance(x, KerasTensor):
        return dimensions(x)
    backend = slot.owner(x)
    if backend is not None:
        return backend.shape(x)
    return tuple(np.shape(x))


def ndim(x: Any) -> int:
    """The number of dimensions.

    >>> ndim([[1, 2, 3]])
    2
    """
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def dtype(x: Any) -> str:
    """The dtype's name; Python values have the dtype that their tensor would have.

    >>> dtype(2.0), dtype([True])
    ('float32', 'bool')
    """
    if hasattr(x, "dtype"):
        return dtypes.standardize_dtype(x.dtype)
    return dtypes.standardize_dtype(convert_to_tensor(x).dtype)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor with values, of any loaded backend; NumPy arrays are where NumPy is the active one.

    >>> is_tensor(convert_to_tensor(1)), is_tensor(1)
    (True, False)
    """
    if slot.owner(x) is not None:
        return True
    return not isinstance(x, KerasTensor) and slot.active().is_tensor(x)


@op(rule=lambda x, dtype: KerasTensor(x.shape, dtype))
def cast(x, dtype):
    """`x` in another dtype; floats are cut towards zero on their way to integers.

    >>> cast([1.7, -1.7], "int32")
    array([ 1, -1], dtype=int32)
    """
    primitive()


@op(rule=lambda x, dtype: KerasTensor(x.shape, dtype))
def saturate_cast(x, dtype):
    """`x` in another dtype, values out of its range at the range's ends instead of wrapping.

    >>> saturate_cast([-3, 300], "uint8")
    array([  0, 255], dtype=uint8)
    """
    from core.ops.elementwise import clip

    source, target = dtypes.standardize_dtype(x.dtype), dtypes.standardize_dtype(dtype)
    if "bool" in (source, target) or source == target:
        return cast(x, target)
    return cast(clip(x, *_common_range(source, target)), target)


@functools.cache
def _common_range(source: str, target: str) -> tuple:
    """The least and the greatest value of `source` that `target` holds too."""
    ends: list[int | float] = []
    for end in ("min", "max"):
        limit = getattr(_info(target), end)
        if dtypes.is_int_dtype(source):
            own = getattr(_info(source), end)
            ends.append(int(min(own, limit) if end == "max" else max(own, limit)))
            continue
        with np.errstate(over="ignore"):
            value = np.asarray(limit).astype(dtypes.numpy_dtype(source))
        if abs(float(value)) > abs(float(limit)) or abs(int(float(value)) if np.isfinite(value) else 0) > abs(int(limit)):
            value = np.nextafter(value, np.zeros_like(value))  # the limit was rounded away from zero
        ends.append(float(value))
    return tuple(ends)


def _info(dtype: str) -> Any:
    return ml_dtypes.iinfo(dtypes.numpy_dtype(dtype)) if dtypes.is_int_dtype(dtype) else ml_dtypes.finfo(dtypes.numpy_dtype(dtype))


@op("variable", rule=rules.like)
def stop_gradient(variable):
    """The same values, which gradients take for constants.

    >>> stop_gradient([1.0])
    array([1.], dtype=float32)
    """
    primitive()


@op(rule=rules.like)
def copy(x):
    """A new tensor with the values of `x`.

    >>> copy([1, 2])
    array([1, 2], dtype=int32)
    """
    primitive()


def _viewed(x: KerasTensor, dtype: Any = None) -> KerasTensor:
    if dtype is None:
        return KerasTensor(x.shape, x.dtype)
    before, after = (dtypes.numpy_dtype(name).itemsize for name in (x.dtype, dtypes.standardize_dtype(dtype)))
    if before == after:
        return KerasTensor(x.shape, dtype)
    if not x.shape:
        raise ValueError(f"view of a scalar needs dtypes of one size, got {x.dtype} and {dtype}.")
    last = x.shape[-1]
    if last is not None and last * before % after:
        raise ValueError(f"view as {dtype} needs a last axis of whole {after}-byte elements, got {last} of {before} bytes.")
    return KerasTensor((*x.shape[:-1], None if last is None else last * before // after), dtype)


@op(rule=_viewed)
def view(x, dtype=None):
    """The bits of `x` read as another dtype; where the sizes differ, the last axis grows or shrinks.

    >>> view(cast([1.0], "float32"), "int32")
    array([1065353216], dtype=int32)
    """
    primitive()


def _as_complex(x: KerasTensor) -> KerasTensor:
    if not x.shape or x.shape[-1] not in (2, None):
        raise ValueError(f"view_as_complex needs a last axis of 2 (real and imaginary part), got shape {x.shape}.")
    return KerasTensor(x.shape[:-1], "complex128" if x.dtype == "float64" else "complex64")


@op(rule=_as_complex, promote="float")
def view_as_complex(x):
    """Complex numbers from a last axis that holds real and imaginary part; that axis goes away.

    >>> view_as_complex([[1.0, 2.0]])
    array([1.+2.j], dtype=complex64)
    """
    primitive()


@op(rule=lambda x: KerasTensor((*x.shape, 2), "float64" if x.dtype == "complex128" else "float32"))
def view_as_real(x):
    """Real and imaginary part in a new last axis.

    >>> view_as_real([1 + 2j])
    array([[1., 2.]], dtype=float32)
    """
    primitive()
