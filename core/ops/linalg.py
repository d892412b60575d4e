"""Products of tensors, decompositions, solvers and norms."""

from __future__ import annotations

import math
import string
from collections.abc import Callable
from typing import Any

from core.backend.arguments import check_cross
from core.backend.symbolic import KerasTensor
from core.base import dtypes, shapes
from core.ops import rules
from core.ops.control import jvp  # Keras lists it among the linear algebra too
from core.ops.registry import op, primitive
from core.ops.rules import shaped

__all__ = [
    "cdist", "cholesky", "cholesky_inverse", "cross", "det", "dot", "eig", "eigh", "einsum", "inner", "inv", "jvp", "logdet", "lstsq",
    "lu_factor", "matmul", "matrix_rank", "norm", "outer", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "tensordot",
    "vdot",
]  # fmt: skip


def _accumulated(dtype: str) -> str:
    """int8 products are summed in int32, as Keras and quantized kernels do."""
    return "int32" if dtype == "int8" else dtype


@op("x1 x2", rule=rules.typed(rules.matmul, _accumulated), promote="numeric")
def matmul(x1, x2):
    """The matrix product over the last two axes; leading axes broadcast. The product of two int8 tensors is int32.

    A vector on the left counts as a row, on the right as a column, and its axis is dropped from the result.

    Raises: ValueError where the inner dimensions differ.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])  # [[11.]]
    """
    primitive()


def _einsum_terms(subscripts: str, ranks: list[int]) -> tuple[list[str], str, int]:
    """The letters of each operand and of the result, ellipses written out as capitals `...` -> unused letters; and how many those are."""
    subscripts = subscripts.replace(" ", "")
    left, arrow, right = subscripts.partition("->")
    if odd := set(left.replace("...", "").replace(",", "") + right.replace("...", "")) - set(string.ascii_letters):
        raise ValueError(f"einsum({subscripts!r}) is written in letters, commas, `...` and one `->`; got {sorted(odd)} besides.")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum({subscripts!r}) names {len(terms)} operands, got {len(ranks)}.")
    free = [letter for letter in string.ascii_letters if letter not in subscripts]
    widths = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks)]
    for term, rank, width in zip(terms, ranks, widths):
        if width < 0 or (width and "..." not in term):
            raise ValueError(f"einsum({subscripts!r}): the term {term!r} does not fit a tensor of {rank} dimensions.")
    most = max((width for width, term in zip(widths, terms) if "..." in term), default=0)
    ellipsis = "".join(free[:most])
    expanded = [term.replace("...", ellipsis[most - width :] if width else "") for term, width in zip(terms, widths)]
    if not arrow:
        letters = "".join(terms).replace("...", "")
        right = ("..." if "..." in left else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return expanded, right.replace("...", ellipsis), most


def _einsum_rule(subscripts: str, *operands: KerasTensor, optimize: object = None) -> KerasTensor:
    terms, result, _ = _einsum_terms(subscripts, [len(x.shape) for x in operands])
    dims: dict[str, int | None] = {}
    for term, x in zip(terms, operands):
        for letter, dim in zip(term, x.shape):
            known = dims.get(letter, 1)
            if dim is not None and known not in (None, 1, dim) and dim != 1:
                raise ValueError(f"einsum({subscripts!r}): the axis {letter!r} has {known} and {dim}.")
            dims[letter] = dim if known == 1 or (known is None and dim not in (None, 1)) else known
    if len(set(result)) != len(result):
        raise ValueError(f"einsum({subscripts!r}): the result names an axis twice.")
    unknown = [letter for letter in result if letter not in dims]
    if unknown:
        raise ValueError(f"einsum({subscripts!r}): the result names {unknown}, which no operand has.")
    return KerasTensor([dims[letter] for letter in result], _accumulated(operands[0].dtype))


@op("*operands", rule=_einsum_rule, promote="numeric")
def einsum(subscripts, *operands, optimize="auto"):
    """The sum of products that `subscripts` describes, in Einstein's notation; `...` stands for broadcast axes.

    Axes named twice on the left and missing on the right are summed. The dtype is the operands' common one (int32 for int8).
    `optimize` chooses the order of contraction where the framework offers a choice; the result does not depend on it.

    >>> einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])  # [3., 7.]
    """
    primitive()


def _pairs(axes: Any, rank1: int, rank2: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if getattr(axes, "shape", None) == () or not hasattr(axes, "__len__") or len(axes) != 2:
        shapes.check_integer(axes, "axes", 0)
        if axes > min(rank1, rank2):
            raise ValueError(f"tensordot over {axes} axes needs tensors of that many dimensions, got {rank1} and {rank2}.")
        return tuple(range(rank1 - axes, rank1)), tuple(range(axes))
    first, second = axes
    first, second = shapes.normalize_axes(first, rank1), shapes.normalize_axes(second, rank2)
    if len(first) != len(second):
        raise ValueError(f"tensordot needs as many axes on both sides, got {axes!r}.")
    return first, second


def _tensordot_rule(x1: KerasTensor, x2: KerasTensor, axes=2) -> KerasTensor:
    first, second = _pairs(axes, len(x1.shape), len(x2.shape))
    for a, b in zip(first, second):
        if not shapes.compatible((x1.shape[a],), (x2.shape[b],)):
            raise ValueError(f"tensordot over axes {a} and {b} needs equal dimensions, got shapes {x1.shape} and {x2.shape}.")
    kept = [d for i, d in enumerate(x1.shape) if i not in first] + [d for i, d in enumerate(x2.shape) if i not in second]
    return shaped(x1, kept)


@op("x1 x2", rule=_tensordot_rule, promote="numeric")
def tensordot(x1, x2, axes=2):
    """The sum of products over pairs of axes: the last `axes` of `x1` with the first of `x2`, or the pairs of two given lists.

    The result has the other axes of `x1`, then those of `x2`.

    >>> tensordot([[1.0, 2.0]], [[3.0, 4.0]], axes=([0, 1], [0, 1]))  # 11.
    """
    primitive()


def _dot_rule(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    if not x1.shape or not x2.shape:
        return rules.broadcast(x1, x2)
    return _tensordot_rule(x1, x2, ([-1], [-1 if len(x2.shape) == 1 else -2]))


@op("x1 x2", rule=_dot_rule, promote="numeric")
def dot(x1, x2):
    """The sum of products over the last axis of `x1` and the last but one of `x2` (its only one for a vector); a scalar multiplies.

    >>> dot([1.0, 2.0], [3.0, 4.0])  # 11.
    """
    if not len(x1.shape) or not len(x2.shape):  # a TensorShape of rank 0 is not false
        return x1 & x2 if dtypes.standardize_dtype(x1.dtype) == "bool" else x1 * x2
    return tensordot(x1, x2, axes=([-1], [-1 if len(x2.shape) == 1 else -2]))


def _vdot_rule(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    if not shapes.compatible((shapes.size(x1.shape),), (shapes.size(x2.shape),)):
        raise ValueError(f"vdot needs tensors of equally many elements, got shapes {x1.shape} and {x2.shape}.")
    return shaped(x1, ())


@op("x1 x2", rule=_vdot_rule, promote="numeric")
def vdot(x1, x2):
    """The scalar product of both tensors laid out flat; complex `x1` is conjugated.

    >>> vdot([[1.0, 2.0]], [3.0, 4.0])  # 11.
    """
    primitive()


def _inner_rule(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    return rules.broadcast(x1, x2) if not x1.shape or not x2.shape else _tensordot_rule(x1, x2, ([-1], [-1]))


@op("x1 x2", rule=_inner_rule, promote="numeric")
def inner(x1, x2):
    """The sum of products over both tensors' last axes; the result has the other axes of both.

    >>> inner([1.0, 2.0], [[3.0, 4.0], [0.0, 1.0]])  # [11., 2.]
    """
    return dot(x1, x2) if not len(x1.shape) or not len(x2.shape) else tensordot(x1, x2, axes=([-1], [-1]))


@op("x1 x2", rule=lambda x1, x2: shaped(x1, (shapes.size(x1.shape), shapes.size(x2.shape))), promote="numeric")
def outer(x1, x2):
    """The matrix of all products of an element of `x1` and one of `x2`, both laid out flat.

    >>> outer([1.0, 2.0], [3.0, 4.0])  # [[3., 4.], [6., 8.]]
    """
    primitive()


def _cross_rule(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None) -> KerasTensor:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = x1.shape[shapes.normalize_axis(axisa, x1.ndim, "axisa")], x2.shape[shapes.normalize_axis(axisb, x2.ndim, "axisb")]
    check_cross(a, b)
    batch = list(shapes.broadcast(shapes.reduced(x1.shape, axisa), shapes.reduced(x2.shape, axisb)))
    if a == b == 2:
        return shaped(x1, batch)
    if 3 in (a, b):
        batch.insert(shapes.normalize_axis(axisc, len(batch) + 1, "axisc"), 3)
        return shaped(x1, batch)
    raise ValueError(f"cross cannot tell the result's rank while the vectors' length is unknown, got shapes {x1.shape} and {x2.shape}.")


@op("x1 x2", rule=_cross_rule, promote="numeric")
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector product along `axisa` of `x1` and `axisb` of `x2`, put along `axisc`; `axis` sets all three.

    A vector of two elements counts as one with a zero third; from two such comes the third component alone.

    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])  # [0., 0., 1.]
    """
    primitive()


def _norm_rule(x: KerasTensor, ord=None, axis=None, keepdims=False) -> KerasTensor:
    if axis is None and ord is not None and x.ndim not in (1, 2):
        raise ValueError(f"norm with ord={ord!r} takes the norm of a vector or matrix; name its axis in a tensor of shape {x.shape}.")
    count = x.ndim if axis is None else len(shapes.normalize_axes(axis, x.ndim))
    if axis is not None and count not in (1, 2):
        raise ValueError(f"norm takes one axis for vectors or two for matrices, got axis={axis}.")
    orders = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
    if ord is not None and (ord not in orders if count == 2 else isinstance(ord, str)):
        raise ValueError(f"norm knows the orders {orders} of matrices and any number for vectors, got ord={ord!r}.")
    return rules.reduce(x, axis, keepdims)


@op("x", rule=_norm_rule, promote="float")
def norm(x, ord=None, axis=None, keepdims=False):
    """A norm of vectors (one `axis`) or matrices (two), of all of `x` laid out flat where neither `ord` nor `axis` is given.

    Args:
        ord: for vectors a number p (1, 2, 3, `inf`, `-inf`, 0 counts non-zeros; None means 2); for matrices `"fro"`, `"nuc"`, 1, -1,
            2, -2, `inf`, `-inf` (None means `"fro"`).

    >>> norm([3.0, 4.0])  # 5.
    """
    primitive()


def _square(x: KerasTensor, name: str) -> tuple:
    if x.ndim < 2 or not shapes.compatible(x.shape[-1:], x.shape[-2:-1]):
        raise ValueError(f"{name} needs square matrices (..., n, n), got shape {x.shape}.")
    return x.shape


def _square_rule(name: str, result: Callable[[KerasTensor], object]) -> Callable:
    """A rule that first checks for square matrices."""

    def rule(x: KerasTensor, *args, **kwargs):
        _square(x, name)
        return result(x)

    return rule


@op("x", rule=_square_rule("cholesky", rules.like), promote="float")
def cholesky(x, upper=False):
    """The triangular L with `L L^T = x`, for symmetric positive definite matrices (..., n, n); with `upper` its transpose.

    NaN (JAX, NumPy raises) or an error where a matrix is not positive definite.

    >>> cholesky([[4.0, 0.0], [0.0, 9.0]])  # [[2., 0.], [0., 3.]]
    """
    primitive()


@op("x", rule=_square_rule("cholesky_inverse", rules.like), promote="float")
def cholesky_inverse(x, upper=False):
    """The inverse of the matrix whose Cholesky factor `x` (..., n, n) is; `upper` tells which triangle that is.

    >>> cholesky_inverse([[2.0, 0.0], [0.0, 1.0]])  # [[0.25, 0.], [0., 1.]]
    """
    primitive()


@op("x", rule=_square_rule("det", lambda x: shaped(x, x.shape[:-2])), promote="float")
def det(x):
    """The determinant of square matrices (..., n, n), of shape (...).

    >>> det([[1.0, 2.0], [3.0, 4.0]])  # -2.
    """
    primitive()


@op("x", rule=_square_rule("slogdet", lambda x: (shaped(x, x.shape[:-2]), shaped(x, x.shape[:-2]))), promote="float")
def slogdet(x):
    """The sign of the determinant and the logarithm of its absolute value, for square matrices (..., n, n).

    >>> slogdet([[-2.0, 0.0], [0.0, 1.0]])  # (-1., 0.693)
    """
    primitive()


@op("x", rule=_square_rule("logdet", lambda x: shaped(x, x.shape[:-2])), promote="float")
def logdet(x):
    """The logarithm of the determinant of symmetric positive definite matrices (..., n, n), from their Cholesky factors.

    >>> logdet([[2.0, 0.0], [0.0, 2.0]])  # 1.386
    """
    return slogdet(x)[1]


def _eig_rule(x: KerasTensor):
    _square(x, "eig")
    dtype = "complex128" if x.dtype in ("float64", "complex128") else "complex64"
    return shaped(x, x.shape[:-1], dtype), shaped(x, x.shape, dtype)


@op("x", rule=_eig_rule, promote="float")
def eig(x):
    """Eigenvalues (..., n) and right eigenvectors (..., n, n) in columns, complex, of square matrices; in no fixed order.

    >>> eig([[2.0, 0.0], [0.0, 3.0]])[0]  # [2.+0.j, 3.+0.j]
    """
    primitive()


@op("x", rule=_square_rule("eigh", lambda x: (shaped(x, x.shape[:-1]), shaped(x, x.shape))), promote="float")
def eigh(x):
    """Eigenvalues (..., n), growing, and orthonormal eigenvectors (..., n, n) in columns, of symmetric matrices.

    >>> eigh([[2.0, 0.0], [0.0, 1.0]])[0]  # [1., 2.]
    """
    primitive()


@op("x", rule=_square_rule("inv", rules.like), promote="float")
def inv(x):
    """The inverse of square matrices (..., n, n).

    >>> inv([[2.0, 0.0], [0.0, 4.0]])  # [[0.5, 0.], [0., 0.25]]
    """
    primitive()


def _lstsq_rule(a: KerasTensor, b: KerasTensor, rcond=None) -> KerasTensor:
    if a.ndim != 2 or b.ndim not in (1, 2) or not shapes.compatible(a.shape[:1], b.shape[:1]):
        raise ValueError(f"lstsq needs a matrix (m, n) and right sides (m,) or (m, k), got shapes {a.shape} and {b.shape}.")
    return shaped(a, (a.shape[1], *b.shape[1:]))


@op("a b", rule=_lstsq_rule, promote="float")
def lstsq(a, b, rcond=None):
    """The x of least norm among those that make `|a x - b|` least; `a` is (m, n), `b` (m,) or (m, k), x (n,) or (n, k).

    Singular values below `rcond` times the largest count as zero; the default is the dtype's epsilon times max(m, n).

    >>> lstsq([[1.0, 0.0], [0.0, 2.0]], [1.0, 4.0])  # [1., 2.]
    """
    primitive()


def _lu_rule(x: KerasTensor):
    if x.ndim < 2:
        raise ValueError(f"lu_factor needs matrices (..., m, n), got shape {x.shape}.")
    return shaped(x, x.shape), shaped(x, (*x.shape[:-2], _least(*x.shape[-2:])), "int32")


def _least(m: int | None, n: int | None) -> int | None:
    return None if m is None or n is None else min(m, n)


@op("x", rule=_lu_rule, promote="float")
def lu_factor(x):
    """The LU decomposition with row exchanges of matrices (..., m, n): both triangles in one tensor, and int32 pivots from 0 on.

    Row i was exchanged with row `pivots[i]`, in order. L has ones on its diagonal, which are not stored.

    >>> lu_factor([[1.0, 2.0], [3.0, 4.0]])[1]  # [1, 1]
    """
    primitive()


@op("x", rule=lambda x, tol=None: shaped(x, x.shape[:-2], "int32"), promote="float")
def matrix_rank(x, tol=None):
    """How many singular values of matrices (..., m, n) exceed `tol`, int32; by default the largest times epsilon times max(m, n).

    Of a vector or a scalar, 1 unless all of it is 0.

    >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]])  # 1
    """
    primitive()


def _pinv_rule(x: KerasTensor, rcond=None) -> KerasTensor:
    if x.ndim < 2:
        raise ValueError(f"pinv needs matrices (..., m, n), got shape {x.shape}.")
    *batch, m, n = x.shape
    return shaped(x, (*batch, n, m))


@op("x", rule=_pinv_rule, promote="float")
def pinv(x, rcond=None):
    """The Moore-Penrose inverse (..., n, m) of matrices (..., m, n).

    Singular values below `rcond` times the largest count as zero; the default is 10 max(m, n) times the dtype's epsilon.

    >>> pinv([[2.0], [0.0]])  # [[0.5, 0.]]
    """
    primitive()


def _qr_rule(x: KerasTensor, mode="reduced"):
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr knows the modes 'reduced' and 'complete', got {mode!r}.")
    if x.ndim < 2:
        raise ValueError(f"qr needs matrices (..., m, n), got shape {x.shape}.")
    *batch, m, n = x.shape
    k = m if mode == "complete" else _least(m, n)
    return shaped(x, (*batch, m, k)), shaped(x, (*batch, k, n))


@op("x", rule=_qr_rule, promote="float")
def qr(x, mode="reduced"):
    """Q with orthonormal columns and upper triangular R with `Q R = x`, for matrices (..., m, n).

    Q is (..., m, k) and R (..., k, n), where k is min(m, n) in mode `"reduced"`, m in mode `"complete"`.

    >>> qr([[2.0, 0.0], [0.0, 3.0]])[1]  # [[-2., 0.], [0., -3.]]
    """
    primitive()


def _solve_rule(a: KerasTensor, b: KerasTensor, lower: bool = False) -> KerasTensor:
    _square(a, "solve")
    vector = b.ndim == a.ndim - 1
    rows = b.shape[-1:] if vector else b.shape[-2:-1]
    if b.ndim < 1 or not shapes.compatible(rows, a.shape[-1:]):
        raise ValueError(f"solve needs right sides (..., n) or (..., n, k) for matrices (..., n, n), got shapes {a.shape} and {b.shape}.")
    if vector:
        return shaped(b, (*shapes.broadcast(a.shape[:-2], b.shape[:-1]), b.shape[-1]))
    return shaped(b, (*shapes.broadcast(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))


@op("a b", rule=_solve_rule, promote="float")
def solve(a, b):
    """The x with `a x = b`; `a` is (..., n, n), `b` (..., n) with one dimension fewer than `a`, or (..., n, k); x is like `b`.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])  # [1., 0.5]
    """
    primitive()


@op("a b", rule=_solve_rule, promote="float")
def solve_triangular(a, b, lower=False):
    """The x with `a x = b` where `a` (..., n, n) is upper triangular, lower with `lower`; its other triangle is not read.

    >>> solve_triangular([[1.0, 1.0], [0.0, 2.0]], [3.0, 2.0])  # [2., 1.]
    """
    primitive()


def _svd_rule(x: KerasTensor, full_matrices=True, compute_uv=True):
    if x.ndim < 2:
        raise ValueError(f"svd needs matrices (..., m, n), got shape {x.shape}.")
    *batch, m, n = x.shape
    k = _least(m, n)
    if not compute_uv:
        return shaped(x, (*batch, k))
    u, v = (m, n) if full_matrices else (k, k)
    return shaped(x, (*batch, m, u)), shaped(x, (*batch, k)), shaped(x, (*batch, v, n))


@op("x", rule=_svd_rule, promote="float")
def svd(x, full_matrices=True, compute_uv=True):
    """U, the singular values s, falling, and V^T with `U diag(s) V^T = x`, for matrices (..., m, n); s alone without `compute_uv`.

    U is (..., m, m) and V^T (..., n, n); without `full_matrices` (..., m, k) and (..., k, n), k = min(m, n).

    >>> svd([[3.0, 0.0], [0.0, 2.0]], compute_uv=False)  # [3., 2.]
    """
    primitive()


def _cdist_rule(x: KerasTensor, y: KerasTensor) -> KerasTensor:
    if x.ndim < 2 or y.ndim < 2 or not shapes.compatible(x.shape[-1:], y.shape[-1:]):
        raise ValueError(f"cdist needs points (..., m, d) and (..., n, d), got shapes {x.shape} and {y.shape}.")
    return shaped(x, (*shapes.broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-2]))


@op("x y", rule=_cdist_rule, promote="float")
def cdist(x, y):
    """The Euclidean distances (..., m, n) between the points `x` (..., m, d) and `y` (..., n, d).

    >>> cdist([[0.0, 0.0]], [[3.0, 4.0]])  # [[5.]]
    """
    primitive()
