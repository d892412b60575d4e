"""Arithmetic on shapes whose dimensions may be unknown (None)."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

Shape = tuple[int | None, ...]


def standardize_shape(shape) -> Shape:
    """A shape as a tuple of ints and Nones; any sequence of integers is accepted, or one integer. Symbolic scalars are unknown."""
    if shape is None:
        raise ValueError("A shape is needed, got None. Give a tuple such as (32,) or (None, 8).")
    if isinstance(shape, str):
        raise ValueError(f"A shape must be a tuple of integers, got the string {shape!r}.")
    try:
        dims = tuple(shape)
    except TypeError:
        dims = (shape,)
    result = []
    for dim in dims:
        if dim is not None:
            try:
                dim = operator.index(dim)
            except TypeError:
                if not getattr(dim, "is_symbolic_scalar", False):  # one of those is a size that comes with the data
                    raise ValueError(f"A shape must hold integers or None, got {dim!r} in {tuple(dims)!r}.") from None
                dim = None
            if dim is not None and dim < 0:
                raise ValueError(f"A shape must hold no negative dimension, got {tuple(dims)!r}.")
        result.append(dim)
    return tuple(result)


def broadcast(*shapes: Shape) -> Shape:
    """The shape of an elementwise result. An unknown dimension meets 1 as unknown, and a known one above 1 as that one.

    >>> broadcast((None, 3), (4, 1, 3))
    (4, None, 3)
    """
    rank = max(map(len, shapes), default=0)
    result: list[int | None] = []
    for axis in range(-rank, 0):
        dim: int | None = 1
        for shape in shapes:
            other = shape[axis] if len(shape) >= -axis else 1
            if other == 1 or other == dim:
                continue
            if dim == 1 or (dim is None and other is not None):
                dim = other
            elif other is not None:
                raise ValueError(f"Shapes {' and '.join(map(str, shapes))} do not broadcast: axis {axis} has {dim} and {other}.")
        result.append(dim)
    return tuple(result)


def check_integer(value: Any, name: str, least: int | None = None) -> None:
    """A `ValueError` unless `value` is an integer of at least `least`. What comes with the data, a tensor, is not looked at.

    >>> check_integer(3, "num", 0)
    """
    try:
        value = operator.index(value)
    except TypeError:
        if hasattr(value, "dtype") and not isinstance(value, float):  # NumPy's float64 is a float
            return
    else:
        if least is None or value >= least:
            return
    raise ValueError(f"{name} must be an integer{'' if least is None else f' of at least {least}'}, got {value!r}.")


def normalize_axis(axis: int, rank: int, name: str = "axis") -> int:
    """`axis` counted from the front; an error that names the rank where it is out of range."""
    try:
        index = operator.index(axis)
    except TypeError:
        raise ValueError(f"{name} must be an integer, got {axis!r}.") from None
    if not -rank <= index < rank:
        raise ValueError(f"{name}={axis} is out of range for a tensor of {rank} dimensions.")
    return index % rank


def normalize_axes(axis: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """One axis, several, or None for all, as a tuple counted from the front."""
    if axis is None:
        return tuple(range(rank))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    result = tuple(normalize_axis(a, rank) for a in axes)
    if len(set(result)) != len(result):
        raise ValueError(f"axis={axis} names an axis twice for a tensor of {rank} dimensions.")
    return result


def size(shape: Shape) -> int | None:
    """The number of elements, None where a dimension is unknown and none is 0."""
    if None in shape:
        return 0 if 0 in shape else None
    return math.prod(shape)  # type: ignore[arg-type]


def sliced(dim: int | None, start: int | None, stop: int | None, step: int | None = None) -> int | None:
    """The length of `range(dim)[start:stop:step]`, None where it depends on an unknown `dim`.

    >>> sliced(5, 1, None), sliced(None, 1, 3), sliced(None, 3, 3)
    (4, None, 0)
    """
    if dim is not None:
        return len(range(dim)[start:stop:step])
    forward = step is None or step > 0
    if stop == (0 if forward else -1):
        return 0
    if start is None or stop is None or (start < 0) != (stop < 0):
        return None
    return 0 if (start >= stop if forward else start <= stop) else None


def fits(shape: Sequence[int | None], into: Sequence[int | None]) -> bool:
    """Whether `shape` may broadcast to the whole shape `into`, which it does not enlarge.

    >>> fits((3,), (2, 3)), fits((2, 1, 1), (2, 3)), fits((4,), (2, 3))
    (True, False, False)
    """
    return len(shape) <= len(into) and all(b is None or a in (None, 1, b) for a, b in zip(shape[::-1], into[::-1]))


def check_not_empty(shape: Sequence[int | None], axis: int | Sequence[int] | None) -> None:
    """A `ValueError` where an axis has no element, for what is not defined without one, such as the largest of them."""
    if 0 in shape and any(shape[one] == 0 for one in normalize_axes(axis, len(shape))):
        raise ValueError(f"There is no element to choose along axis={axis} of the shape {tuple(shape)}; an axis of at least one is needed.")


def reduced(shape: Shape, axis: int | Sequence[int] | None, keepdims: bool = False) -> Shape:
    """`shape` without the reduced axes, or with ones in their place."""
    axes = set(normalize_axes(axis, len(shape)))
    if keepdims:
        return tuple(1 if i in axes else dim for i, dim in enumerate(shape))
    return tuple(dim for i, dim in enumerate(shape) if i not in axes)


def compatible(a: Shape, b: Shape) -> bool:
    """Whether two shapes may be the same once their unknown dimensions are known."""
    return len(a) == len(b) and all(x is None or y is None or x == y for x, y in zip(a, b))


def with_fraction(total: int | None, part: int | None) -> int | None:
    """`total // part`, None where either is unknown; an error where it does not divide."""
    if total is None or part is None:
        return None
    if part == 0 or total % part:
        raise ValueError(f"{total} elements do not divide into groups of {part}.")
    return total // part
