"""The TensorFlow backend's functions of the linalg room. See `core.backend.protocol`."""

import numpy as np
import tensorflow as tf

from core.backend.arguments import check_cross

_MULTIPLIES = (tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.int32, tf.int64, tf.complex64, tf.complex128)


def _product(function, *tensors, wide=False):
    """`function` on tensors in a dtype that TensorFlow multiplies, its result back in theirs (int32 for int8 where `wide`)."""
    dtype = tensors[0].dtype
    if dtype in _MULTIPLIES:
        return function(*tensors)
    way = tf.int64 if dtype in (tf.uint32, tf.uint64) else tf.int32
    return tf.cast(function(*(tf.cast(x, way) for x in tensors)), tf.int32 if wide and dtype == tf.int8 else dtype)


def _lapack(function, *tensors):
    """`function` on tensors in a dtype that LAPACK takes; real results come back in the dtype of the first."""
    dtype = tensors[0].dtype
    if dtype not in (tf.float16, tf.bfloat16):
        return function(*tensors)
    results = function(*(tf.cast(x, tf.float32) for x in tensors))
    return tf.nest.map_structure(lambda x: tf.cast(x, dtype) if x.dtype == tf.float32 else x, results)


def _transposed(x):
    return tf.linalg.matrix_transpose(x)


def matmul(x1, x2):
    return _product(_matmul, x1, x2, wide=True)


def _matmul(x1, x2):
    left, right = x1.shape.rank, x2.shape.rank
    if left == 1 and right == 1:
        return tf.tensordot(x1, x2, 1)
    if left == 1:
        return tf.squeeze(tf.matmul(x1[None, :], x2), -2)
    if right == 1:
        return tf.squeeze(tf.matmul(x1, x2[:, None]), -1)
    if right == 2 and left > 2:
        return tf.tensordot(x1, x2, 1)  # one large product instead of a batch of small ones
    return tf.matmul(x1, x2)


def einsum(subscripts, *operands, optimize="auto"):
    return _product(lambda *xs: tf.einsum(subscripts, *xs, optimize="optimal" if optimize in ("auto", True) else optimize or "greedy"),
                    *operands, wide=True)  # fmt: skip


def tensordot(x1, x2, axes=2):
    return _product(lambda a, b: tf.tensordot(a, b, axes), x1, x2)


def vdot(x1, x2):
    x1 = tf.math.conj(x1) if x1.dtype.is_complex else x1
    return _product(lambda a, b: tf.tensordot(a, b, 1), tf.reshape(x1, [-1]), tf.reshape(x2, [-1]))


def outer(x1, x2):
    return _product(tf.multiply, tf.reshape(x1, [-1, 1]), tf.reshape(x2, [1, -1]))


def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = tf.unstack(x1, axis=axisa), tf.unstack(x2, axis=axisb)
    check_cross(len(a), len(b))
    if isinstance(axisc, float):
        raise ValueError("axis")  # the op's rule says which
    third = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b) == 2:
        return third
    a2, b2 = (v[2] if len(v) == 3 else tf.zeros_like(v[0]) for v in (a, b))
    first, second = a[1] * b2 - a2 * b[1], a2 * b[0] - a[0] * b2
    shape = tf.shape(third)
    return tf.stack([tf.broadcast_to(first, shape), tf.broadcast_to(second, shape), third], axisc)


def norm(x, ord=None, axis=None, keepdims=False):
    if x.dtype in (tf.float16, tf.bfloat16):
        return tf.cast(norm(tf.cast(x, tf.float32), ord, axis, keepdims), x.dtype)
    axes = tuple(range(x.shape.rank)) if axis is None else tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    if (axis is not None and len(axes) not in (1, 2)) or (isinstance(ord, str) and len(axes) != 2):
        raise ValueError("axes")  # the op's rule says what is wrong
    if ord is None or ord == "fro" or (len(axes) == 1 and ord == 2):
        return tf.sqrt(tf.reduce_sum(tf.math.real(x * tf.math.conj(x)), axes, keepdims))
    return (_vector_norm if len(axes) == 1 else _matrix_norm)(tf.abs(x) if len(axes) == 1 else x, ord, axes, keepdims)


def _vector_norm(size, ord, axes, keepdims):
    if ord == np.inf:
        return tf.reduce_max(size, axes, keepdims)
    if ord == -np.inf:
        return tf.reduce_min(size, axes, keepdims)
    if ord == 0:
        return tf.reduce_sum(tf.cast(size != 0, size.dtype), axes, keepdims)
    if ord == 1:
        return tf.reduce_sum(size, axes, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"norm of vectors takes a number as ord, got {ord!r}.")
    return tf.reduce_sum(size**ord, axes, keepdims) ** (1.0 / ord)


def _matrix_norm(x, ord, axes, keepdims):
    rank = x.shape.rank
    rows, columns = (axis % rank for axis in axes)
    if ord in (1, -1, np.inf, -np.inf):
        summed, kept = (rows, columns) if ord in (1, -1) else (columns, rows)
        reduce = tf.reduce_max if ord > 0 else tf.reduce_min
        result = reduce(tf.reduce_sum(tf.abs(x), summed, True), kept, True)
        return result if keepdims else tf.squeeze(result, [rows, columns])
    if ord not in (2, -2, "nuc"):
        raise ValueError(f"norm of matrices knows ord 'fro', 'nuc', 1, -1, 2, -2, inf, -inf; got {ord!r}.")
    order = [i for i in range(rank) if i not in (rows, columns)] + [rows, columns]
    singular = tf.linalg.svd(tf.transpose(x, order), compute_uv=False)
    result = {2: tf.reduce_max, -2: tf.reduce_min, "nuc": tf.reduce_sum}[ord](singular, -1)
    if keepdims:
        for axis in sorted((rows, columns)):
            result = tf.expand_dims(result, axis)
    return result


def cholesky(x, upper=False):
    lower = _lapack(tf.linalg.cholesky, x)
    return _transposed(lower) if upper else lower


def cholesky_inverse(x, upper=False):
    identity = tf.eye(tf.shape(x)[-1], batch_shape=tf.shape(x)[:-2], dtype=x.dtype)
    return tf.ensure_shape(_lapack(tf.linalg.cholesky_solve, _transposed(x) if upper else x, identity), x.shape)


def det(x):
    return _lapack(tf.linalg.det, x)


def slogdet(x):
    return tuple(_lapack(lambda x: tuple(tf.linalg.slogdet(x)), x))


def logdet(x):
    return _lapack(tf.linalg.logdet, x)


def eig(x):
    return tuple(_lapack(lambda x: tuple(tf.linalg.eig(x)), x))


def eigh(x):
    return tuple(_lapack(lambda x: tuple(tf.linalg.eigh(x)), x))


def inv(x):
    return _lapack(tf.linalg.inv, x)


def lstsq(a, b, rcond=None):
    if a.shape.rank != 2:
        raise ValueError("shapes")  # the op's rule says which

    def solution(a, b):
        shape = [dim or 0 for dim in a.shape]
        rtol = max(shape) * np.finfo(a.dtype.as_numpy_dtype).eps if rcond is None else rcond
        x = tf.matmul(tf.linalg.pinv(a, rtol), b if b.shape.rank == 2 else b[:, None])
        return x if b.shape.rank == 2 else x[:, 0]

    return _lapack(solution, a, b)


def lu_factor(x):
    if x.shape[-2] != x.shape[-1]:
        raise ValueError(f"lu_factor on TensorFlow needs square matrices, got shape {tuple(x.shape)}.")
    lu, permutation = _lapack(lambda x: tuple(tf.linalg.lu(x)), x)
    rows = tf.reshape(permutation, [-1, x.shape[-1]])
    return lu, tf.reshape(_exchanges(rows, x.shape[-1]), tf.shape(permutation))


def _exchanges(permutation, size):
    """The row exchanges, in order, that make these permutations (batch, size)."""
    order, pivots = tf.ones_like(permutation) * tf.range(size), []
    for i in range(size):
        here = tf.argmax(tf.cast(order == permutation[:, i : i + 1], tf.int32), 1, tf.int32)
        pivots.append(here)
        swap = tf.one_hot(here, size, True, False, dtype=tf.bool)
        order = tf.where(swap, order[:, i : i + 1], order)
        order = tf.where(tf.range(size) == i, permutation[:, i : i + 1], order)
    return tf.stack(pivots, 1)


def matrix_rank(x, tol=None):
    if x.shape.rank < 2:
        return tf.cast(tf.reduce_any(x != 0), tf.int32)
    return _lapack(lambda x: tf.linalg.matrix_rank(x, tol), x)


def pinv(x, rcond=None):
    return _lapack(lambda x: tf.linalg.pinv(x, rcond), x)


def qr(x, mode="reduced"):
    if mode not in ("reduced", "complete"):
        raise ValueError("mode")  # the op's rule says which there are
    return tuple(_lapack(lambda x: tuple(tf.linalg.qr(x, full_matrices=mode == "complete")), x))


def solve(a, b):
    vector = b.shape.rank == a.shape.rank - 1
    x = _lapack(tf.linalg.solve, *_same_batch(a, b[..., None] if vector else b))
    return x[..., 0] if vector else x


def _same_batch(a, b):
    if a.shape[:-2] == b.shape[:-2]:
        return a, b
    batch = tf.broadcast_dynamic_shape(tf.shape(a)[:-2], tf.shape(b)[:-2])
    return tuple(tf.broadcast_to(x, tf.concat([batch, tf.shape(x)[-2:]], 0)) for x in (a, b))


def solve_triangular(a, b, lower=False):
    vector = b.shape.rank == a.shape.rank - 1
    x = _lapack(lambda a, b: tf.linalg.triangular_solve(a, b, lower=lower), a, b[..., None] if vector else b)
    return x[..., 0] if vector else x


def svd(x, full_matrices=True, compute_uv=True):
    if not compute_uv:
        return _lapack(lambda x: tf.linalg.svd(x, compute_uv=False), x)
    s, u, v = _lapack(lambda x: tuple(tf.linalg.svd(x, full_matrices)), x)
    return u, s, tf.linalg.adjoint(v)


def cdist(x, y):
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("shapes")  # the op's rule says which
    squares = tf.reduce_sum(tf.square(x[..., :, None, :] - y[..., None, :, :]), -1)
    positive = squares > 0  # the root's slope at 0 is infinite; there the gradient is 0
    return tf.where(positive, tf.sqrt(tf.where(positive, squares, tf.ones_like(squares))), tf.zeros_like(squares))
