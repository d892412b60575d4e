"""Joining tensors, and taking them apart."""

from __future__ import annotations

import builtins
import itertools
from typing import Any

import numpy as np

from core.backend.arguments import check_number
from core.backend.symbolic import KerasTensor
from core.base import shapes
from core.ops import rules
from core.ops.registry import op, primitive
from core.ops.shape import expand_dims, ravel

__all__ = [
    "append", "array_split", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "split", "stack", "unstack", "vsplit", "vstack",
]  # fmt: skip


def _join(name: str, xs, axis: int) -> KerasTensor:
    """The shape of tensors joined along `axis`; an error that lists all shapes where they do not fit."""
    every = [x.shape for x in xs]
    if not every:
        raise ValueError(f"{name} needs at least one tensor, got an empty list.")
    if len({len(shape) for shape in every}) > 1:
        raise ValueError(f"{name} needs tensors of one number of dimensions, got the shapes {every}.")
    axis = shapes.normalize_axis(axis, len(every[0]))
    dims: list[int | None] = []
    for place, column in enumerate(zip(*every)):
        sizes = {dim for dim in column if dim is not None}
        if place == axis:
            dims.append(None if None in column else builtins.sum(column))
        elif len(sizes) > 1:
            raise ValueError(f"{name} along axis {axis} needs equal other dimensions, got the shapes {every}: axis {place} differs.")
        else:
            dims.append(sizes.pop() if sizes else None)
    return rules.shaped(xs[0], tuple(dims))


def _concatenate(xs, axis=0):
    if axis is None:
        return _join("concatenate", [rules.shaped(x, (shapes.size(x.shape),)) for x in xs], 0)
    return _join("concatenate", xs, axis)


@op("*xs", rule=_concatenate, promote="numeric")
def concatenate(xs, axis=0):
    """The tensors of the list `xs` one after the other along `axis`, in their common dtype; their flat elements where `axis` is None.

    Raises ValueError where their other dimensions differ.

    >>> concatenate([[1, 2], [3]])
    array([1, 2, 3], dtype=int32)
    """
    primitive()


def _stack(x, axis=0):
    if not x:
        raise ValueError("stack needs at least one tensor, got an empty list.")
    result = x[0].shape
    for other in x[1:]:
        if not shapes.compatible(result, other.shape):
            raise ValueError(f"stack needs tensors of one shape, got {[one.shape for one in x]}.")
        result = tuple(b if a is None else a for a, b in zip(result, other.shape))
    axis = shapes.normalize_axis(axis, len(result) + 1)
    return rules.shaped(x[0], (*result[:axis], len(x), *result[axis:]))


@op("*x", rule=_stack, promote="numeric")
def stack(x, axis=0):
    """The tensors of the list `x`, of one shape, along a new axis, in their common dtype.

    >>> stack([[1, 2], [3, 4]], axis=1)
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    primitive()


def _append(x1, x2, axis=None):
    if axis is None:
        x1, x2 = (rules.shaped(x, (shapes.size(x.shape),)) for x in (x1, x2))
        axis = 0
    return _join("append", [x1, x2], axis)


@op("x1 x2", rule=_append, promote="numeric")
def append(x1, x2, axis=None):
    """`x1` followed by `x2` along `axis`; the flat elements of both where `axis` is None.

    >>> append([1, 2], [[3]])
    array([1, 2, 3], dtype=int32)
    """
    return concatenate([ravel(x1), ravel(x2)]) if axis is None else concatenate([x1, x2], axis)


def _at_least(x, rank: int):
    """`x` with axes of size 1: up to `rank`, where NumPy's stacks put them."""
    before, after = {(0, 1): (1, 0), (0, 2): (2, 0), (1, 2): (1, 0), (0, 3): (2, 1), (1, 3): (1, 1), (2, 3): (0, 1)}.get(
        (len(x.shape), rank), (0, 0)
    )
    if isinstance(x, KerasTensor):
        return rules.shaped(x, (1,) * before + x.shape + (1,) * after)
    for _ in range(before):
        x = expand_dims(x, 0)
    return expand_dims(x, -1) if after else x


def _flat_stack_axis(xs) -> int:
    return 0 if builtins.max(len(x.shape) for x in xs) <= 1 else 1


@op("*xs", rule=lambda xs: _join("hstack", [_at_least(x, 1) for x in xs], _flat_stack_axis(xs)), promote="numeric")
def hstack(xs):
    """The tensors of `xs` side by side: along axis 1, or along axis 0 where they have one dimension.

    >>> hstack([[1, 2], [3]])
    array([1, 2, 3], dtype=int32)
    """
    return concatenate([_at_least(x, 1) for x in xs], _flat_stack_axis(xs))


@op("*xs", rule=lambda xs: _join("vstack", [_at_least(x, 2) for x in xs], 0), promote="numeric")
def vstack(xs):
    """The tensors of `xs` below each other, along axis 0; one-dimensional ones are rows.

    >>> vstack([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    return concatenate([_at_least(x, 2) for x in xs], 0)


@op("*xs", rule=lambda xs: _join("dstack", [_at_least(x, 3) for x in xs], 2), promote="numeric")
def dstack(xs):
    """The tensors of `xs` behind each other, along axis 2.

    >>> tuple(dstack([[1, 2], [3, 4]]).shape)
    (1, 2, 2)
    """
    return concatenate([_at_least(x, 3) for x in xs], 2)


def _pieces(x, points, axis):
    """The parts of `x` between `points`, as slicing counts them."""
    dim, edges = x.shape[axis], [0, *(p if isinstance(p, KerasTensor) else int(p) for p in points), None]
    result = []
    for start, stop in itertools.pairwise(edges):
        unknown = isinstance(start, KerasTensor) or isinstance(stop, KerasTensor)
        length = None if unknown else shapes.sliced(dim, start, stop)
        result.append(rules.shaped(x, (*x.shape[:axis], length, *x.shape[axis + 1 :])))
    return result


def _points(places: Any) -> Any:
    """The places to split at, checked to be several."""
    if not hasattr(places, "__iter__"):
        raise ValueError(f"A tensor splits into a number of sections, or at the places of a list, got {places!r}.")
    return places


def _known_count(count: Any, name: str) -> None:
    if isinstance(count, KerasTensor):
        raise ValueError(f"{name} makes as many tensors as it is told, which must be known; got {count!r}.")


def _number(sections: Any) -> Any:
    """NumPy's integers as Python's, places as they are."""
    return int(sections) if isinstance(sections, np.integer) else sections


def _split(x, indices_or_sections, axis=0):
    _known_count(indices_or_sections, "split")
    axis, indices_or_sections = shapes.normalize_axis(axis, len(x.shape)), _number(indices_or_sections)
    if not isinstance(indices_or_sections, int):
        return _pieces(x, _points(indices_or_sections), axis)
    shapes.check_integer(indices_or_sections, "The number of sections", 1)
    dim = x.shape[axis]
    if dim is not None and dim % indices_or_sections:
        raise ValueError(f"Axis {axis} of the shape {x.shape} does not divide into {indices_or_sections} equal parts; see array_split.")
    part = shapes.with_fraction(dim, indices_or_sections)
    return [rules.shaped(x, (*x.shape[:axis], part, *x.shape[axis + 1 :])) for _ in range(indices_or_sections)]


@op(rule=_split)
def split(x, indices_or_sections, axis=0):
    """A list of parts of `x` along `axis`: so many equal ones, or those between the places of a list.

    Raises ValueError where the axis does not divide into equal parts.

    >>> [tuple(part.shape) for part in split(np.ones((5, 2)), [1, 3])]
    [(1, 2), (2, 2), (2, 2)]
    """
    primitive()


def _uneven(dim: int, sections: int) -> list[int]:
    """Where `sections` parts begin whose sizes differ by one at most, the larger ones first."""
    if sections < 1:
        raise ValueError(f"array_split needs at least one section, got {sections}.")
    size, larger = divmod(dim, sections)
    return [i * size + builtins.min(i, larger) for i in range(1, sections)]


def _array_split(x, indices_or_sections, axis=0):
    _known_count(indices_or_sections, "array_split")
    axis, indices_or_sections = shapes.normalize_axis(axis, len(x.shape)), _number(indices_or_sections)
    if not isinstance(indices_or_sections, int):
        return _pieces(x, _points(indices_or_sections), axis)
    if x.shape[axis] is not None:
        return _pieces(x, _uneven(x.shape[axis], indices_or_sections), axis)
    return [rules.shaped(x, x.shape) for _ in range(indices_or_sections)]


@op(rule=_array_split)
def array_split(x, indices_or_sections, axis=0):
    """Like `split`, but so many sections may be unequal: the first ones are longer by one.

    >>> [part.shape[0] for part in array_split(np.ones((5,)), 3)]
    [2, 2, 1]
    """
    indices_or_sections = _number(indices_or_sections)
    if isinstance(indices_or_sections, int):
        indices_or_sections = _uneven(x.shape[axis], indices_or_sections)
    return split(x, indices_or_sections, axis)


@op(rule=lambda x, indices_or_sections: _split(x, indices_or_sections, 0 if len(x.shape) == 1 else 1))
def hsplit(x, indices_or_sections):
    """`split` along axis 1, or along axis 0 of one dimension.

    >>> [tuple(part.shape) for part in hsplit(np.ones((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    return split(x, indices_or_sections, 0 if len(x.shape) == 1 else 1)


@op(rule=_split)
def vsplit(x, indices_or_sections):
    """`split` along axis 0.

    >>> [tuple(part.shape) for part in vsplit(np.ones((2, 4)), 2)]
    [(1, 4), (1, 4)]
    """
    return split(x, indices_or_sections, 0)


@op(rule=lambda x, indices_or_sections: _split(x, indices_or_sections, 2))
def dsplit(x, indices_or_sections):
    """`split` along axis 2.

    >>> [tuple(part.shape) for part in dsplit(np.ones((2, 3, 4)), 2)]
    [(2, 3, 2), (2, 3, 2)]
    """
    return split(x, indices_or_sections, 2)


def _unstack(x, num=None, axis=0):
    _known_count(num, "unstack")
    axis = shapes.normalize_axis(axis, len(x.shape))
    check_number(num, x.shape[axis])
    count = x.shape[axis] if num is None else num
    if count is None:
        raise ValueError(f"unstack cannot count the tensors: axis {axis} of the shape {x.shape} is unknown; give num.")
    return [rules.shaped(x, x.shape[:axis] + x.shape[axis + 1 :]) for _ in range(count)]


@op(rule=_unstack)
def unstack(x, num=None, axis=0):
    """The list of the slices of `x` along `axis`, without it. `num` is their number where the shape does not tell.

    >>> [int(part) for part in unstack([1, 2])]
    [1, 2]
    """
    primitive()
