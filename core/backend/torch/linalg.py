"""The torch backend's functions of the linalg room. See `core.backend.protocol`."""

from operator import index

import torch

from core.backend.arguments import check_cross


def _lapack(function, *tensors):
    """`function` on tensors in a dtype that LAPACK takes; real results come back in the dtype of the first."""
    dtype = tensors[0].dtype
    if dtype not in (torch.float16, torch.bfloat16):
        return function(*tensors)
    results = function(*(x.float() for x in tensors))
    back = lambda x: x.to(dtype) if x.dtype == torch.float32 else x  # noqa: E731
    return tuple(map(back, results)) if isinstance(results, (tuple, list)) else back(results)


def _by_int(function, *tensors):
    """`function` on bools by way of integers, which PyTorch multiplies."""
    return function(*(x.int() for x in tensors)).bool() if tensors[0].dtype == torch.bool else function(*tensors)


def matmul(x1, x2):
    if x1.dtype is torch.int8:
        return torch.matmul(x1.int(), x2.int())
    return torch.matmul(x1, x2) if x1.dtype is not torch.bool else torch.matmul(x1.int(), x2.int()).bool()


def einsum(subscripts, *operands, optimize="auto"):
    if operands[0].dtype == torch.int8:
        operands = [x.int() for x in operands]
    return _by_int(lambda *xs: torch.einsum(subscripts, *xs), *operands).to(operands[0].dtype)  # its sums of integers are wider


def tensordot(x1, x2, axes=2):
    if isinstance(axes, (tuple, list)):
        dims = [list(part) if isinstance(part, (tuple, list)) else [index(part)] for part in axes]
    else:
        dims = index(axes)
    first, second = (range(x1.ndim - dims, x1.ndim), range(dims)) if isinstance(dims, int) else dims
    if any(x1.shape[a] != x2.shape[b] for a, b in zip(first, second, strict=True)):  # PyTorch broadcasts axes of size 1
        raise ValueError("shapes")  # the op's rule says which
    return _by_int(lambda a, b: torch.tensordot(a, b, dims), x1, x2)


def vdot(x1, x2):
    return _by_int(torch.vdot, x1.reshape(-1), x2.reshape(-1))


def outer(x1, x2):
    return torch.outer(x1.reshape(-1), x2.reshape(-1))


def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = torch.movedim(x1, axisa, 0), torch.movedim(x2, axisb, 0)
    check_cross(len(a), len(b))
    third = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b) == 2:
        return third
    a2, b2 = (v[2] if len(v) == 3 else torch.zeros_like(v[0]) for v in (a, b))
    return torch.stack(torch.broadcast_tensors(a[1] * b2 - a2 * b[1], a2 * b[0] - a[0] * b2, third), axisc)


def norm(x, ord=None, axis=None, keepdims=False):
    axis = tuple(axis) if isinstance(axis, list) else axis
    if axis is not None and not x.ndim:  # PyTorch lets a scalar have an axis
        raise ValueError("axis")  # the op's rule says what is wrong
    return _lapack(lambda x: torch.linalg.norm(x, ord, axis, keepdims), x)


def cholesky(x, upper=False):
    return _lapack(lambda x: torch.linalg.cholesky(x, upper=upper), x)


def cholesky_inverse(x, upper=False):
    return _lapack(lambda x: torch.cholesky_inverse(x, upper=upper), x)


def det(x):
    return _lapack(torch.linalg.det, x)


def slogdet(x):
    return tuple(_lapack(lambda x: tuple(torch.linalg.slogdet(x)), x))


def logdet(x):
    return _lapack(lambda x: 2 * torch.linalg.cholesky(x).diagonal(dim1=-2, dim2=-1).log().sum(-1), x)


def eig(x):
    return tuple(_lapack(lambda x: tuple(torch.linalg.eig(x)), x))


def eigh(x):
    return tuple(_lapack(lambda x: tuple(torch.linalg.eigh(x)), x))


def inv(x):
    return _lapack(torch.linalg.inv, x)


def lstsq(a, b, rcond=None):
    if a.ndim != 2:
        raise ValueError("shapes")  # the op's rule says which

    def solution(a, b):
        rtol = max(a.shape) * torch.finfo(a.dtype).eps if rcond is None else rcond
        return torch.linalg.pinv(a, rtol=rtol) @ b  # unlike torch.linalg.lstsq: any rank, with gradients

    return _lapack(solution, a, b)


def lu_factor(x):
    lu, pivots = _lapack(lambda x: tuple(torch.linalg.lu_factor(x)), x)
    return lu, pivots - 1


def matrix_rank(x, tol=None):
    if x.ndim < 2:
        return (x != 0).any().int()
    return _lapack(lambda x: torch.linalg.matrix_rank(x, atol=tol, rtol=None if tol is None else 0.0), x).int()


def pinv(x, rcond=None):
    def inverse(x):
        return torch.linalg.pinv(x, rtol=10 * max(x.shape[-2:]) * torch.finfo(x.dtype).eps if rcond is None else rcond)

    return _lapack(inverse, x)


def qr(x, mode="reduced"):
    return tuple(_lapack(lambda x: tuple(torch.linalg.qr(x, mode)), x))


def solve(a, b):
    vector = b.ndim == a.ndim - 1
    x = _lapack(torch.linalg.solve, a, b[..., None] if vector else b)
    return x[..., 0] if vector else x


def solve_triangular(a, b, lower=False):
    vector = b.ndim == a.ndim - 1
    x = _lapack(lambda a, b: torch.linalg.solve_triangular(a, b, upper=not lower), a, b[..., None] if vector else b)
    return x[..., 0] if vector else x


def svd(x, full_matrices=True, compute_uv=True):
    if not compute_uv:
        return _lapack(torch.linalg.svdvals, x)
    return tuple(_lapack(lambda x: tuple(torch.linalg.svd(x, full_matrices)), x))


def cdist(x, y):
    return _lapack(torch.cdist, x, y)
