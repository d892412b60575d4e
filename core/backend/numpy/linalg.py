"""The NumPy backend's functions of the linalg room. See `core.backend.protocol`."""

import numpy as np

from core.backend.arguments import check_cross


def _wide(x):
    """int8 products are summed in int32."""
    return x.astype(np.int32) if x.dtype == np.int8 else x


def _lapack(x):
    """`x` in a dtype that NumPy's LAPACK takes, and the dtype to go back to."""
    return (x if x.dtype in (np.float32, np.float64) or x.dtype.kind == "c" else x.astype(np.float32)), x.dtype


def matmul(x1, x2):
    x1 = _wide(x1)
    return np.matmul(x1, _wide(x2)).astype(x1.dtype, copy=False)  # of bfloat16 NumPy makes float32


def einsum(subscripts, *operands, optimize="auto"):
    wide = [x.astype(np.float32) if x.dtype.kind == "V" else _wide(x) for x in operands]  # it takes no bfloat16
    return np.asarray(np.einsum(subscripts, *wide, optimize=True if optimize == "auto" else optimize), _wide(operands[0]).dtype)


def tensordot(x1, x2, axes=2):
    if isinstance(axes, int) and axes < 0:
        raise ValueError("axes")  # the op's rule says what is wrong
    return np.asarray(np.tensordot(x1, x2, axes))


def vdot(x1, x2):
    return np.asarray(np.vdot(x1, x2))


def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = np.moveaxis(x1, axisa, 0), np.moveaxis(x2, axisb, 0)
    check_cross(len(a), len(b))
    third = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b) == 2:
        return np.asarray(third)
    a2, b2 = (v[2] if len(v) == 3 else np.zeros_like(v[0]) for v in (a, b))
    return np.stack(np.broadcast_arrays(a[1] * b2 - a2 * b[1], a2 * b[0] - a[0] * b2, third), axisc)


def norm(x, ord=None, axis=None, keepdims=False):
    if isinstance(axis, float):
        raise ValueError("axis")
    axis = tuple(axis) if isinstance(axis, list) else axis
    return np.asarray(np.linalg.norm(_lapack(x)[0], ord, axis, keepdims)).astype(x.dtype)


def cholesky(x, upper=False):
    return np.linalg.cholesky(_lapack(x)[0], upper=upper).astype(x.dtype)


def cholesky_inverse(x, upper=False):
    x, dtype = _lapack(x)
    inverse = np.linalg.inv(np.triu(x) if upper else np.tril(x))
    transposed = np.swapaxes(inverse, -1, -2)
    return (inverse @ transposed if upper else transposed @ inverse).astype(dtype)


def det(x):
    return np.asarray(np.linalg.det(_lapack(x)[0])).astype(x.dtype)


def slogdet(x):
    return tuple(np.asarray(part).astype(x.dtype) for part in np.linalg.slogdet(_lapack(x)[0]))


def logdet(x):
    return np.asarray(2 * np.sum(np.log(np.diagonal(np.linalg.cholesky(_lapack(x)[0]), axis1=-2, axis2=-1)), -1)).astype(x.dtype)


def eig(x):
    kind = np.complex128 if x.dtype in (np.float64, np.complex128) else np.complex64
    return tuple(part.astype(kind) for part in np.linalg.eig(_lapack(x)[0]))


def eigh(x):
    return tuple(part.astype(x.dtype) for part in np.linalg.eigh(_lapack(x)[0]))


def inv(x):
    return np.linalg.inv(_lapack(x)[0]).astype(x.dtype)


def lstsq(a, b, rcond=None):
    return np.linalg.lstsq(_lapack(a)[0], _lapack(b)[0], rcond)[0].astype(a.dtype)


def lu_factor(x):
    x, dtype = _lapack(x)
    lu, rows = x.copy().reshape(-1, *x.shape[-2:]), min(x.shape[-2:])
    pivots = np.zeros((len(lu), rows), np.int32)
    every = np.arange(len(lu))
    for i in range(rows):
        pivots[:, i] = chosen = i + np.argmax(np.abs(lu[:, i:, i]), axis=1)
        lu[every, i], lu[every, chosen] = lu[every, chosen], lu[every, i].copy()
        lu[:, i + 1 :, i] /= lu[:, i, None, i]
        lu[:, i + 1 :, i + 1 :] -= lu[:, i + 1 :, i, None] * lu[:, i, None, i + 1 :]
    return lu.reshape(x.shape).astype(dtype), pivots.reshape(*x.shape[:-2], rows)


def matrix_rank(x, tol=None):
    return np.asarray(np.linalg.matrix_rank(_lapack(x)[0], tol), np.int32)


def pinv(x, rcond=None):
    floats = _lapack(x)[0]
    rcond = 10 * max(x.shape[-2:]) * np.finfo(floats.dtype).eps if rcond is None else rcond
    return np.linalg.pinv(floats, rcond).astype(x.dtype)


def qr(x, mode="reduced"):
    if mode not in ("reduced", "complete"):
        raise ValueError("mode")  # the op's rule says which there are
    return tuple(part.astype(x.dtype) for part in np.linalg.qr(_lapack(x)[0], mode))


def solve(a, b):
    vector = b.ndim == a.ndim - 1
    x = np.linalg.solve(_lapack(a)[0], _lapack(b[..., None] if vector else b)[0]).astype(a.dtype)
    return x[..., 0] if vector else x


def solve_triangular(a, b, lower=False):
    return solve(np.tril(a) if lower else np.triu(a), b)


def svd(x, full_matrices=True, compute_uv=True):
    parts = np.linalg.svd(_lapack(x)[0], full_matrices, compute_uv)
    return tuple(part.astype(x.dtype) for part in parts) if compute_uv else parts.astype(x.dtype)


def cdist(x, y):
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("shapes")  # the op's rule says which
    return np.sqrt(np.sum(np.square(x[..., :, None, :] - y[..., None, :, :]), -1)).astype(x.dtype)


FUNCTIONS = {"outer": np.outer}
