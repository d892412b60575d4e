"""The JAX backend's functions of the linalg room. See `core.backend.protocol`."""

import string

import jax
import jax.numpy as jnp

from core.backend.arguments import as_index


def _wide(x1, *others):
    """What int8 products are summed in."""
    return jnp.int32 if x1.dtype == jnp.int8 else None


def _lapack(function, *tensors):
    """`function` on tensors in a dtype that LAPACK takes; real results come back in the dtype of the first."""
    if tensors[0].dtype not in (jnp.float16, jnp.bfloat16):
        return function(*tensors)
    results = function(*(x.astype(jnp.float32) for x in tensors))
    return jax.tree.map(lambda x: x.astype(tensors[0].dtype) if x.dtype == jnp.float32 else x, results)


def matmul(x1, x2):
    return jnp.matmul(x1, x2, preferred_element_type=_wide(x1))


_NOTATION = frozenset(string.ascii_letters + ",.-> ")


def einsum(subscripts, *operands, optimize="auto"):
    if not _NOTATION.issuperset(subscripts):  # JAX takes any character for an axis
        raise ValueError("subscripts")  # the op's rule says what is wrong
    return jnp.einsum(
        subscripts, *operands, optimize="optimal" if optimize == "auto" else optimize, preferred_element_type=_wide(*operands)
    )


def tensordot(x1, x2, axes=2):
    if isinstance(axes, int) and axes < 0:
        raise ValueError("axes")  # the op's rule says what is wrong
    return jnp.tensordot(x1, x2, tuple(map(as_index, axes)) if isinstance(axes, (tuple, list)) else as_index(axes))


def norm(x, ord=None, axis=None, keepdims=False):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return _lapack(lambda x: jnp.linalg.norm(x, ord, axis, keepdims), x)


def cholesky(x, upper=False):
    return _lapack(lambda x: jnp.linalg.cholesky(x, upper=upper), x)


def cholesky_inverse(x, upper=False):
    identity = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    return _lapack(lambda x, eye: _factor_solve(x, eye, upper), x, identity)


def _factor_solve(x, b, upper):
    first, second = (1, 0) if upper else (0, 1)
    half = jax.scipy.linalg.solve_triangular(x, b, trans=first, lower=not upper)
    return jax.scipy.linalg.solve_triangular(x, half, trans=second, lower=not upper)


def det(x):
    return _lapack(jnp.linalg.det, x)


def slogdet(x):
    return tuple(_lapack(lambda x: tuple(jnp.linalg.slogdet(x)), x))


def logdet(x):
    return _lapack(lambda x: 2 * jnp.sum(jnp.log(jnp.diagonal(jnp.linalg.cholesky(x), axis1=-2, axis2=-1)), -1), x)


def eig(x):
    return tuple(_lapack(lambda x: tuple(jnp.linalg.eig(x)), x))


def eigh(x):
    return tuple(_lapack(lambda x: tuple(jnp.linalg.eigh(x)), x))


def inv(x):
    return _lapack(jnp.linalg.inv, x)


def lstsq(a, b, rcond=None):
    return _lapack(lambda a, b: jnp.linalg.lstsq(a, b, rcond)[0], a, b)


def lu_factor(x):
    return tuple(_lapack(lambda x: jax.lax.linalg.lu(x)[:2], x))


def matrix_rank(x, tol=None):
    if x.ndim < 2:
        return jnp.any(x != 0).astype(jnp.int32)
    singular = svd(x, compute_uv=False)
    bound = jnp.max(singular, -1, keepdims=True) * max(x.shape[-2:]) * jnp.finfo(singular.dtype).eps if tol is None else tol
    return jnp.sum(singular > bound, -1, dtype=jnp.int32)


def pinv(x, rcond=None):
    return _lapack(lambda x: jnp.linalg.pinv(x, rcond), x)


def qr(x, mode="reduced"):
    if mode not in ("reduced", "complete"):
        raise ValueError("mode")  # the op's rule says which there are
    return tuple(_lapack(lambda x: tuple(jnp.linalg.qr(x, mode)), x))


def solve(a, b):
    vector = b.ndim == a.ndim - 1
    x = _lapack(jnp.linalg.solve, a, b[..., None] if vector else b)
    return x[..., 0] if vector else x


def solve_triangular(a, b, lower=False):
    vector = b.ndim == a.ndim - 1
    b = b[..., None] if vector else b
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = jnp.broadcast_to(a, (*batch, *a.shape[-2:])), jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    x = _lapack(lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=lower), a, b)
    return x[..., 0] if vector else x


def svd(x, full_matrices=True, compute_uv=True):
    parts = _lapack(lambda x: jnp.linalg.svd(x, full_matrices=full_matrices, compute_uv=compute_uv), x)
    return tuple(parts) if compute_uv else parts


def cdist(x, y):
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("shapes")  # the op's rule says which
    squares = jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), -1)
    positive = squares > 0  # the root's slope at 0 is infinite; there the gradient is 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)


FUNCTIONS = {"vdot": jnp.vdot, "outer": jnp.outer, "cross": jnp.cross, "dot": jnp.dot, "inner": jnp.inner}
