"""What NumPy lets a shape argument look like, brought to one form: padding widths and indexing keys."""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from core.backend.journal import Holder
from core.base.dtypes import standardize_dtype
from core.base.shapes import check_integer, compatible

_NUMPYS = "constant", "reflect", "symmetric", "edge", "wrap", "linear_ramp", "maximum", "mean", "median", "minimum"
PAD_MODES = {mode: mode for mode in _NUMPYS}
PAD_MODES |= {"circular": "wrap", "empty": "constant"}  # another name, and one that promises no values


def pad_pairs(pad_width: Any, rank: int, mode: str = "constant", constant_values: Any = None) -> tuple[tuple[Any, Any], ...]:
    """One `(before, after)` per axis from an integer, one pair, or one pair per axis. A value to pad with goes with its mode only."""
    if mode != "constant" and constant_values is not None:
        raise ValueError(f"constant_values goes with mode='constant', got mode={mode!r}.")
    if mode not in PAD_MODES:
        raise ValueError(f"pad's mode is one of {', '.join(PAD_MODES)}; got {mode!r}.")
    if not isinstance(pad_width, (tuple, list, np.ndarray)):
        check_integer(pad_width, "pad_width", 0)
        return ((pad_width, pad_width),) * rank
    widths = list(pad_width)
    if widths and not isinstance(widths[0], (tuple, list, np.ndarray)):
        widths = [widths]
    pairs = [tuple(pair) * 2 if len(pair) == 1 else tuple(pair) for pair in widths]
    if len(pairs) == 1:
        pairs *= rank
    if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"pad_width must be an integer, a pair, or one pair for each of the {rank} axes, got {pad_width!r}.")
    for pair in pairs:
        for width in pair:
            check_integer(width, "pad_width", 0)
    return tuple(pairs)


def key_parts(key: Any) -> tuple:
    """An indexing key as a tuple: variables unwrapped, lists made arrays."""
    given = key if isinstance(key, tuple) else (key,)
    parts = (part.value if isinstance(part, Holder) else part for part in given)
    return tuple(np.asarray(part, "int32" if not part else None) if isinstance(part, list) else part for part in parts)


def check_key(parts: Sequence[Any], shape: Sequence[int | None]) -> None:
    """A `ValueError` for a key that cannot be meant: a static place out of range, a mask of another shape, floats, names."""
    taken = sum(len(part.shape) if is_mask(part) else part is not None and part is not Ellipsis for part in parts)
    if taken > len(shape):
        raise ValueError(f"{taken} indices are too many for the shape {tuple(shape)}.")
    axis = 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - taken
        elif is_mask(part):
            own, wanted = tuple(part.shape), tuple(shape[axis : axis + len(part.shape)])
            if not compatible(own, wanted):
                raise ValueError(f"A mask of shape {own} does not fit the axes {wanted} of the shape {tuple(shape)}.")
            axis += len(own)
        elif part is not None:
            _check_part(part, shape[axis], shape)
            axis += 1


def _check_part(part: Any, dim: int | None, shape: Sequence[int | None]) -> None:
    """What `check_key` says of one index along an axis of `dim`."""
    if isinstance(part, slice):
        if part.step is not None and as_index(part.step) == 0:
            raise ValueError(f"A slice needs a step that is not 0, got {part}.")
        return
    if isinstance(part, (int, np.integer)):  # a tensor's value is not asked for
        if dim is not None and not -dim <= part < dim:
            raise ValueError(f"Index {part} is out of range for an axis of {dim} in the shape {tuple(shape)}.")
    elif "int" not in str(getattr(part, "dtype", "")):
        kind = f"an array of dtype {standardize_dtype(part.dtype)}" if hasattr(part, "dtype") else repr(part)
        raise ValueError(f"An index is an integer, a slice, None, Ellipsis, or an array of integers or bools; got {kind}.")


def out_of_range(name: str, error: Exception) -> ValueError:
    """The error for an index beyond its axis, in place of a framework's, whose words tell which."""
    words = re.sub(r"{{.*?}} ?| ?\[Op:.*", "", str(error).splitlines()[0])
    return ValueError(f"{name} got an index out of range; indices count from 0, or from -1 backwards: {words}.")


def is_array(part: Any) -> bool:
    """Whether a part of a key is an array of indices or a mask, and not one place or a range."""
    return hasattr(part, "shape") and (len(part.shape) > 0 or "bool" in str(part.dtype))


def is_mask(part: Any) -> bool:
    """Whether a part of a key is a boolean array."""
    return hasattr(part, "shape") and "bool" in str(part.dtype)


class IndexPlan(NamedTuple):
    """Indexing with arrays in two steps: `x[basic]`, then gather along `axes` and put the new axes at `place`."""

    basic: tuple
    axes: tuple[int, ...]
    arrays: tuple
    place: int


def index_plan(parts: Sequence[Any], rank: int) -> IndexPlan:
    """NumPy's advanced indexing, taken apart. Masks must have been replaced by their indices before."""
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if taken > rank:
        raise ValueError(f"{taken} indices are too many for a tensor of {rank} dimensions.")
    basic: list[Any] = []
    axes: list[int] = []
    arrays: list[Any] = []
    places: list[int] = []
    axis = 0
    for place, part in enumerate(parts):
        if part is Ellipsis:
            basic += [slice(None)] * (rank - taken)
            axis += rank - taken
        elif part is None or isinstance(part, slice):
            basic.append(part)
            axis += 1
        else:  # beside an array, a single place counts as an array too
            basic.append(slice(None))
            axes.append(axis)
            arrays.append(part)
            places.append(place)
            axis += 1
    together = places[-1] - places[0] == len(places) - 1
    return IndexPlan(tuple(basic), tuple(axes), tuple(arrays), axes[0] if together else 0)


def as_index(part: Any) -> Any:
    """`part` as a Python integer where it is one, else as it is."""
    try:
        return operator.index(part)
    except TypeError:
        return part


def check_reduction(reduction: str | None) -> None:
    """A `ValueError` unless `scatter_update` knows this way of combining."""
    if reduction not in (None, "add", "max", "min", "mul"):
        raise ValueError(f"scatter_update's reduction is None, 'add', 'max', 'min' or 'mul', got {reduction!r}.")


def reshape_dims(newshape: Any) -> Any:
    """A shape as `reshape` takes it: what a symbolic tensor's shape leaves open (None) is found, as -1."""
    if isinstance(newshape, (tuple, list)):
        return [-1 if dim is None else dim for dim in newshape]
    return newshape


def check_number(num: int | None, dim: int | None) -> None:
    """A `ValueError` where `unstack` is told another number of tensors than there are."""
    if num is not None and dim is not None and num != dim:
        raise ValueError(f"unstack was told num={num} for an axis of {dim}; leave num out where the shape is known.")


def check_block(starts: Any, lengths: Any, dims: Sequence[int | None]) -> None:
    """A `ValueError` where a block with static bounds leaves a tensor."""
    if isinstance(starts, (tuple, list)):
        if len(starts) != len(dims):
            raise ValueError(f"One start is needed for each axis of the shape {tuple(dims)}, got the starts {tuple(starts)}.")
        for start, length, dim in zip(map(as_index, starts), map(as_index, lengths), dims):
            known = isinstance(start, int) and isinstance(length, int)
            if known and (start < 0 or length < 0 or (dim is not None and start + length > dim)):
                raise ValueError(f"A block of {tuple(lengths)} at {tuple(starts)} does not lie within the shape {tuple(dims)}.")


def check_pair(x: Sequence[Any]) -> None:
    """A `ValueError` unless the real and the imaginary part have one shape; frameworks would broadcast them."""
    if tuple(x[0].shape) != tuple(x[1].shape):
        raise ValueError(f"The real and the imaginary part need one shape, got {tuple(x[0].shape)} and {tuple(x[1].shape)}.")


def check_cross(a: int | None, b: int | None) -> None:
    """A `ValueError` unless the vectors of a cross product have 2 or 3 elements."""
    if not {a, b} <= {2, 3, None}:
        raise ValueError(f"cross needs vectors of 2 or 3 elements, got {a} and {b}.")
