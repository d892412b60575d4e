"""Ops that move elements without changing them: shapes, order of axes, repetition, triangles."""

from __future__ import annotations

import builtins
import itertools
import operator
from typing import Any

from core.backend.arguments import pad_pairs
from core.backend.dimension import factors
from core.backend.symbolic import KerasTensor
from core.base import shapes
from core.ops import rules
from core.ops.convert import shape
from core.ops.creation import ones, ones_like
from core.ops.elementwise import multiply
from core.ops.registry import op, primitive

__all__ = [
    "broadcast_to", "diag", "diagflat", "diagonal", "expand_dims", "flip", "fliplr", "flipud", "kron", "meshgrid", "moveaxis", "pad",
    "ravel", "repeat", "reshape", "roll", "rot90", "size", "squeeze", "swapaxes", "tile", "transpose", "tri", "tril", "triu", "vander",
]  # fmt: skip


def _axes(value: Any, rank: int) -> tuple[int, ...]:
    return shapes.normalize_axes(value, rank)


def _product(*dims: int | None) -> int | None:
    return shapes.size(dims)


def _reshape(x, newshape):
    for dim in newshape if isinstance(newshape, (tuple, list)) else [newshape]:
        if isinstance(dim, (float, str)):
            raise ValueError(f"reshape needs a newshape of integers, got {newshape!r}.")
    wanted = tuple(newshape) if hasattr(newshape, "__iter__") and getattr(newshape, "shape", None) != () else (newshape,)
    dims = [-1 if dim is None else _known(dim) for dim in wanted]
    if dims.count(-1) > 1:
        raise ValueError(f"reshape can find one dimension, got newshape={tuple(wanted)} with {dims.count(-1)} unknown ones.")
    if -1 in dims and 0 in dims:
        raise ValueError(
            f"reshape cannot find a dimension beside one of 0, got newshape={tuple(wanted)} for the shape {x.shape}; write it out."
        )
    if -1 not in dims:
        rest, total = _product(*dims), shapes.size(x.shape)
        if total is not None and rest is not None and total != rest:
            raise ValueError(f"reshape cannot make {tuple(dims)} ({rest} elements) of the shape {x.shape} ({total} elements).")
        return rules.shaped(x, tuple(dims))
    found = _left_over(x, [dim for dim, known in zip(wanted, dims) if known != -1])
    return rules.shaped(x, tuple(found if d == -1 else d for d in dims))


def _left_over(x: KerasTensor, wanted: list) -> int | None:
    """The one dimension that reshape finds beside the wanted ones, None where it is not known.

    Unknown dimensions of `x` among the wanted ones cancel: with (b, 4, 3) to (b, -1), -1 is 12; with (b, 6) to (-1, 6) it is unknown.
    """
    if 0 in x.shape:
        return 0
    own = {axis: (x._dimensions or {}).get(axis) for axis, dim in enumerate(x.shape) if dim is None}
    rest = 1
    for dim in wanted:
        known, unknown = factors(dim)
        rest *= known
        for part in unknown:
            axis = next((axis for axis, mine in own.items() if mine is part), None)
            if axis is None:
                return None
            del own[axis]
    if own or not rest:
        return None
    return shapes.with_fraction(_product(*(dim for dim in x.shape if dim is not None)), rest)


def _known(dim: Any) -> int | None:
    """A dimension as an integer, None where it is a tensor."""
    try:
        return operator.index(dim)
    except TypeError:
        return None


@op(rule=_reshape)
def reshape(x, newshape):
    """The elements of `x`, in order, in another shape; one dimension may be -1 and follows from the others.

    Raises ValueError where the numbers of elements differ.

    >>> reshape([1, 2, 3, 4], (2, -1))
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    primitive()


@op(rule=lambda x: rules.shaped(x, (shapes.size(x.shape),)))
def ravel(x):
    """The elements of `x` in one dimension.

    >>> ravel([[1, 2], [3, 4]])
    array([1, 2, 3, 4], dtype=int32)
    """
    return reshape(x, (-1,))


def _transpose(x, axes=None):
    if axes is None:
        return rules.shaped(x, x.shape[::-1])
    if not hasattr(axes, "__len__") or len(axes) != len(x.shape):
        raise ValueError(f"transpose needs each axis of the shape {x.shape} once, got axes={axes!r}.")
    return rules.shaped(x, tuple(x.shape[a] for a in _axes(axes, len(x.shape))))


@op(rule=_transpose)
def transpose(x, axes=None):
    """`x` with its axes in the order `axes`, reversed by default.

    >>> transpose([[1, 2, 3]])
    array([[1],
           [2],
           [3]], dtype=int32)
    """
    primitive()


def _moveaxis(x, source, destination):
    rank = len(x.shape)
    sources, targets = _axes(source, rank), _axes(destination, rank)
    if len(sources) != len(targets):
        raise ValueError(f"moveaxis needs as many sources as destinations, got {source} and {destination}.")
    order = [axis for axis in range(rank) if axis not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return rules.shaped(x, tuple(x.shape[a] for a in order))


@op(rule=_moveaxis)
def moveaxis(x, source, destination):
    """`x` with the axes `source` at `destination`; the others keep their order. Both are integers or tuples.

    >>> tuple(moveaxis(ones((2, 3, 4)), 0, -1).shape)
    (3, 4, 2)
    """
    primitive()


def _swapaxes(x, axis1, axis2):
    a, b = (shapes.normalize_axis(axis, len(x.shape)) for axis in (axis1, axis2))
    dims = list(x.shape)
    dims[a], dims[b] = dims[b], dims[a]
    return rules.shaped(x, tuple(dims))


@op(rule=_swapaxes)
def swapaxes(x, axis1, axis2):
    """`x` with two axes exchanged.

    >>> tuple(swapaxes(ones((2, 3, 4)), 0, 2).shape)
    (4, 3, 2)
    """
    primitive()


def _expand_dims(x, axis):
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    dims = list(x.shape)
    for one in sorted(_axes(axes, len(dims) + len(axes))):
        dims.insert(one, 1)
    return rules.shaped(x, tuple(dims))


@op(rule=_expand_dims)
def expand_dims(x, axis):
    """`x` with axes of size 1 put in; `axis`, one or several, are places in the result.

    >>> tuple(expand_dims(ones((2, 3)), -1).shape)
    (2, 3, 1)
    """
    primitive()


def _squeeze(x, axis=None):
    if axis is None:
        return rules.shaped(x, tuple(dim for dim in x.shape if dim != 1))
    for one in (gone := _axes(axis, len(x.shape))):
        if x.shape[one] not in (1, None):
            raise ValueError(f"squeeze takes away axes of size 1, got axis={axis} for the shape {x.shape}.")
    return rules.shaped(x, tuple(dim for i, dim in enumerate(x.shape) if i not in gone))


@op(rule=_squeeze)
def squeeze(x, axis=None):
    """`x` without its axes of size 1, or without those named by `axis`. Raises an error where such an axis is larger.

    >>> tuple(squeeze(ones((1, 3, 1))).shape)
    (3,)
    """
    primitive()


def _broadcast_to(x, shape):
    wanted = tuple(_known(dim) for dim in shape)
    if not shapes.fits(x.shape, wanted):
        raise ValueError(f"broadcast_to cannot stretch the shape {x.shape} to {wanted}.")
    return rules.shaped(x, wanted)


@op(rule=_broadcast_to)
def broadcast_to(x, shape):
    """`x` repeated along axes of size 1, and along new leading axes, up to `shape`.

    >>> broadcast_to([1, 2], (2, 2))
    array([[1, 2],
           [1, 2]], dtype=int32)
    """
    primitive()


def _tile(x, repeats):
    repeats = repeats if isinstance(repeats, (tuple, list)) else (repeats,)
    for count in repeats:
        shapes.check_integer(count, "The number of repeats", 0)
    counts = [_known(n) for n in repeats]
    rank = builtins.max(len(counts), len(x.shape))
    dims, counts = (1,) * (rank - len(x.shape)) + x.shape, [1] * (rank - len(counts)) + counts
    return rules.shaped(x, tuple(_product(d, n) for d, n in zip(dims, counts)))


@op(rule=_tile)
def tile(x, repeats):
    """`x` laid out `repeats` times along each axis; the shorter of both is filled with leading ones.

    >>> tile([1, 2], 2)
    array([1, 2, 1, 2], dtype=int32)
    """
    primitive()


def _repeat(x, repeats, axis=None):
    if axis is None:
        x, axis = rules.shaped(x, (shapes.size(x.shape),)), 0
    axis = shapes.normalize_axis(axis, len(x.shape))
    counts = repeats if isinstance(repeats, (tuple, list)) else repeats.tolist() if hasattr(repeats, "tolist") else [repeats]
    if isinstance(counts, int):
        counts = [counts]
    for count in counts:
        shapes.check_integer(count, "The number of repeats", 0)
    known = [_known(count) for count in counts]
    if len(known) > 1 and x.shape[axis] not in (None, len(known)):
        raise ValueError(
            f"repeat needs one number of repeats, or {x.shape[axis]} for axis {axis} of the shape {x.shape}; got {len(known)}."
        )
    total = _product(x.shape[axis], known[0]) if len(known) == 1 else None if None in known else builtins.sum(known)
    return rules.shaped(x, (*x.shape[:axis], total, *x.shape[axis + 1 :]))


@op(rule=_repeat)
def repeat(x, repeats, axis=None):
    """Each element of `x` `repeats` times in a row along `axis`; over the flat elements where `axis` is None.

    `repeats` is one number or one for each place along the axis.

    >>> repeat([1, 2], 2)
    array([1, 1, 2, 2], dtype=int32)
    """
    primitive()


def _flip(x, axis=None):
    _axes(axis, len(x.shape))
    return rules.shaped(x, x.shape)


@op(rule=_flip)
def flip(x, axis=None):
    """`x` in reverse order along `axis`, one or several; along all axes by default.

    >>> flip([1, 2, 3])
    array([3, 2, 1], dtype=int32)
    """
    primitive()


@op(rule=lambda x: _flip(x, 1))
def fliplr(x):
    """`x`, of two or more dimensions, in reverse order along axis 1.

    >>> fliplr([[1, 2]])
    array([[2, 1]], dtype=int32)
    """
    return flip(x, 1)


@op(rule=lambda x: _flip(x, 0))
def flipud(x):
    """`x` in reverse order along axis 0.

    >>> flipud([1, 2])
    array([2, 1], dtype=int32)
    """
    return flip(x, 0)


def _roll(x, shift, axis=None):
    axes = axis if isinstance(axis, (tuple, list)) else () if axis is None else (axis,)
    if isinstance(shift, (tuple, list)) and len(shift) not in (1, len(axes)) and len(axes) > 1:
        raise ValueError(f"roll needs one shift, or one for each axis, got shift={tuple(shift)} and axis={axis}.")
    for one in axes:  # an axis may be named twice
        shapes.normalize_axis(one, len(x.shape))
    return rules.like(x)


@op(rule=_roll)
def roll(x, shift, axis=None):
    """`x` moved by `shift` places along `axis`, what leaves at the end coming in at the start; flat where `axis` is None.

    >>> roll([1, 2, 3], 1)
    array([3, 1, 2], dtype=int32)
    """
    primitive()


def _plane(axes, rank: int) -> tuple[int, ...]:
    """The two axes of a quarter turn, checked."""
    if not hasattr(axes, "__len__") or len(axes) != 2:
        raise ValueError(f"rot90 needs two different axes, got axes={axes!r}.")
    found = _axes(tuple(axes), rank)
    return found


def _rot90(array, k=1, axes=(0, 1)):
    first, second = _plane(axes, len(array.shape))
    return _swapaxes(array, first, second) if k % 2 else rules.shaped(array, array.shape)


@op("array", rule=_rot90)
def rot90(array, k=1, axes=(0, 1)):
    """`array` turned by `k` quarter turns in the plane of two axes, from the first towards the second.

    >>> rot90([[1, 2], [3, 4]])
    array([[2, 4],
           [1, 3]], dtype=int32)
    """
    first, second = _plane(axes, len(array.shape))
    match k % 4:
        case 0:
            return array
        case 1:
            return flip(swapaxes(array, first, second), first)
        case 2:
            return flip(array, (first, second))
        case _:
            return flip(swapaxes(array, first, second), second)


def _pad(x, pad_width, mode="constant", constant_values=None):
    pairs = pad_pairs(pad_width, len(x.shape), mode, constant_values)
    return rules.shaped(x, tuple(map(_padded, x.shape, pairs)))


def _padded(dim: int | None, pair: tuple) -> int | None:
    return None if dim is None or builtins.any(isinstance(n, KerasTensor) for n in pair) else dim + builtins.sum(map(int, pair))


@op(rule=_pad)
def pad(x, pad_width, mode="constant", constant_values=None):
    """`x` with margins. `pad_width` is an integer, one pair `(before, after)`, or one pair per axis.

    `mode` is "constant" (filled with `constant_values`, 0 by default), "reflect" (mirrored without the border),
    "symmetric" (with it), "edge", "wrap" (also "circular"), "linear_ramp" (to 0), "maximum", "mean", "median" or "minimum" (of the
    axis), as in NumPy, or "empty" (any values).

    >>> pad([1, 2], (1, 2))
    array([0, 1, 2, 0, 0], dtype=int32)
    """
    primitive()


def _size(x):
    return KerasTensor((), "int32")


@op(rule=_size)
def size(x):
    """The number of elements of `x`, as an int32 scalar.

    >>> int(size(ones((2, 3))))
    6
    """
    primitive()


def _diag(x, k=0):
    shapes.check_integer(k, "k")
    if len(x.shape) == 1:
        dim = None if x.shape[0] is None else x.shape[0] + builtins.abs(k)
        return rules.shaped(x, (dim, dim))
    if len(x.shape) != 2:
        raise ValueError(f"diag needs one or two dimensions, got the shape {x.shape}; see diagonal.")
    return _diagonal(x, k)


@op(rule=_diag)
def diag(x, k=0):
    """The matrix with the vector `x` on its `k`-th diagonal, or that diagonal where `x` is a matrix.

    >>> diag([1, 2])
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    primitive()


@op(rule=lambda x, k=0: _diag(rules.shaped(x, (shapes.size(x.shape),)), k))
def diagflat(x, k=0):
    """The matrix with the flat elements of `x` on its `k`-th diagonal.

    >>> tuple(diagflat([[1, 2], [3, 4]]).shape)
    (4, 4)
    """
    return diag(ravel(x), k)


def _diagonal(x, offset=0, axis1=0, axis2=1):
    a, b = (shapes.normalize_axis(axis, len(x.shape)) for axis in (axis1, axis2))
    if a == b:
        raise ValueError(f"diagonal needs two different axes, got axis1={axis1} and axis2={axis2} for the shape {x.shape}.")
    rows, columns = x.shape[a], x.shape[b]
    known = [n for n in (rows and rows + builtins.min(offset, 0), columns and columns - builtins.max(offset, 0)) if n is not None]
    length = builtins.max(builtins.min(known), 0) if len(known) == 2 or builtins.min(known, default=1) <= 0 else None
    return rules.shaped(x, (*(dim for i, dim in enumerate(x.shape) if i not in (a, b)), length))


@op(rule=_diagonal)
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The diagonal of the planes of two axes, as a new last axis; `offset` counts to the right.

    >>> diagonal([[1, 2], [3, 4]])
    array([1, 4], dtype=int32)
    """
    primitive()


def _matrices(x, k=0):
    if len(x.shape) < 2:
        raise ValueError(f"A triangle is taken of matrices, of at least two dimensions; got the shape {x.shape}.")
    return rules.like(x)


@op(rule=_matrices)
def tril(x, k=0):
    """`x` with zeros above the `k`-th diagonal of its last two axes.

    >>> tril([[1, 2], [3, 4]])
    array([[1, 0],
           [3, 4]], dtype=int32)
    """
    primitive()


@op(rule=_matrices)
def triu(x, k=0):
    """`x` with zeros below the `k`-th diagonal of its last two axes.

    >>> triu([[1, 2], [3, 4]])
    array([[1, 2],
           [0, 4]], dtype=int32)
    """
    primitive()


@op("", rule=lambda N, M=None, k=0, dtype=None: KerasTensor((N, N if M is None else M), dtype))
def tri(N, M=None, k=0, dtype=None):
    """A matrix of `N` by `M` (`N`) with ones up to the `k`-th diagonal and zeros above.

    >>> tri(2)
    array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    return tril(ones((N, N if M is None else M), dtype), k)


def _check_vector(x, N) -> None:
    if len(x.shape) != 1:
        raise ValueError(f"vander takes a vector, got the shape {tuple(x.shape)}.")
    if N is not None:
        shapes.check_integer(N, "vander's N", 0)


def _vander(x, N=None, increasing=False):
    _check_vector(x, N)
    return rules.shaped(x, (x.shape[0], x.shape[0] if N is None else N))


@op(rule=_vander)
def vander(x, N=None, increasing=False):
    """The matrix whose columns are powers of the vector `x`: `N` of them, falling unless `increasing`.

    >>> vander([1, 2, 3])
    array([[1, 1, 1],
           [4, 2, 1],
           [9, 3, 1]], dtype=int32)
    """
    from core.ops.joining import stack

    _check_vector(x, N)
    count = x.shape[0] if N is None else N
    if not count:
        return broadcast_to(expand_dims(x, 1), (x.shape[0], 1))[:, :0]
    powers = list(itertools.accumulate([ones_like(x)] + [x] * (count - 1), multiply))
    return stack(powers if increasing else powers[::-1], axis=1)


def _kron(x1, x2):
    rank = builtins.max(len(x1.shape), len(x2.shape))
    a, b = ((1,) * (rank - len(x.shape)) + x.shape for x in (x1, x2))
    return rules.shaped(x1, tuple(map(_product, a, b)))


@op("x1 x2", rule=_kron, promote="numeric")
def kron(x1, x2):
    """The Kronecker product: every element of `x1` times the whole of `x2`, block by block.

    >>> kron([1, 2], [1, 1])
    array([1, 1, 2, 2], dtype=int32)
    """
    rank = builtins.max(len(x1.shape), len(x2.shape))
    a, b = ((1,) * (rank - len(x.shape)) + tuple(shape(x)) for x in (x1, x2))
    left = reshape(x1, tuple(itertools.chain.from_iterable((dim, 1) for dim in a)))
    right = reshape(x2, tuple(itertools.chain.from_iterable((1, dim) for dim in b)))
    return reshape(multiply(left, right), tuple(map(operator.mul, a, b)))


def _meshgrid(*x, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid's indexing is 'xy' or 'ij', got {indexing!r}.")
    dims = [shapes.size(one.shape) for one in x]
    if indexing == "xy" and len(dims) > 1:
        dims[:2] = dims[1], dims[0]
    return [rules.shaped(one, tuple(dims)) for one in x]


@op("*x", rule=_meshgrid)
def meshgrid(*x, indexing="xy"):
    """The coordinates of a grid, one tensor for each vector; with "xy" the first two axes are exchanged, with "ij" not.

    Other tensors count as their flat elements.

    >>> [grid.tolist() for grid in meshgrid([1, 2], [3, 4])]
    [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid's indexing is 'xy' or 'ij', got {indexing!r}.")
    order = [1, 0, *range(2, len(x))] if indexing == "xy" and len(x) > 1 else list(range(len(x)))
    dims = [size(x[place]) for place in order]
    return [broadcast_to(reshape(one, [-1 if place == i else 1 for place in order]), dims) for i, one in enumerate(x)]
