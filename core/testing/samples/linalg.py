"""Samples of the linalg ops. See `core.testing.samples`. Factors are compared through what they make up, since their signs are free."""

import numpy as np

from core.testing.sample import Sample, array


def _spd(*shape):
    """Symmetric positive definite matrices."""
    x = array(*shape)
    return (x @ np.swapaxes(x, -1, -2) + 2 * np.eye(shape[-1])).astype("float32")


def _square(n, *batch):
    """Well-conditioned square matrices."""
    return (array(*batch, n, n) + 4 * np.eye(n)).astype("float32")


def _solve(a, b, lower=None):
    a = a if lower is None else np.tril(a) if lower else np.triu(a)
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else np.linalg.solve(a, b)


def _lu(x):
    """By elimination, one matrix."""
    x, pivots = x.copy(), []
    for i in range(len(x)):
        row = i + int(np.argmax(np.abs(x[i:, i])))
        x[[i, row]] = x[[row, i]]
        pivots.append(row)
        for below in range(i + 1, len(x)):
            x[below, i] /= x[i, i]
            x[below, i + 1 :] -= x[below, i] * x[i, i + 1 :]
    return x, np.array(pivots)


def _wide(function):
    return lambda *xs: function(*(x.astype("int32") for x in xs))


SAMPLES: dict[str, list[Sample]] = {
    "matmul": [
        Sample((array(2, 3), array(3, 4)), reference=np.matmul),
        Sample((array(2, 2, 3), array(3, 4)), reference=np.matmul),
        Sample((array(5, 1, 2, 3), array(2, 3, 4)), reference=np.matmul),
        Sample((array(3), array(3, seed=1)), reference=np.matmul),
        Sample((array(3), array(2, 3, 4)), reference=np.matmul),
        Sample((array(2, 4, 3), array(3)), reference=np.matmul),
        Sample((array(2, 3, dtype="int8"), array(3, 2, dtype="int8")), reference=_wide(np.matmul)),
        Sample((array(2, 3, dtype="bool"), array(3, 2, dtype="bool")), reference=np.matmul),
    ],
    "einsum": [
        Sample(("ij,jk->ik", array(2, 3), array(3, 4)), reference=np.einsum),
        Sample(("...ij,...jk->...ik", array(5, 2, 3), array(3, 4)), reference=np.einsum),
        Sample(("bhqd,bhkd->bhqk", array(2, 2, 3, 4), array(2, 2, 5, 4)), reference=np.einsum),
        Sample(("ij,j", array(2, 3), array(3)), reference=np.einsum),
        Sample(("ijk->ki", array(2, 3, 4)), reference=np.einsum),
        Sample(("ab,bc,cd->ad", array(2, 3), array(3, 4), array(4, 2)), reference=np.einsum),
        Sample(
            ("ij,jk->ik", array(2, 3, dtype="int8"), array(3, 4, dtype="int8")),
            reference=lambda s, a, b: np.matmul(a.astype(int), b.astype(int)),
        ),
    ],
    "tensordot": [
        Sample((array(2, 3, 4), array(3, 4, 5)), reference=np.tensordot),
        Sample((array(2, 3, 4), array(4, 2)), {"axes": ([0, 2], [1, 0])}, reference=np.tensordot),
        Sample((array(2, 3), array(3)), {"axes": 1}, reference=np.tensordot),
        Sample((array(2), array(3)), {"axes": 0}, reference=np.tensordot),
    ],
    "dot": [
        Sample((array(3), array(3, seed=1)), reference=np.dot),
        Sample((array(2, 3), array(4, 3, 2)), reference=np.dot),
        Sample((array(), array(3, 2)), reference=np.dot),
    ],
    "vdot": [Sample((array(3), array(3, seed=1)), reference=np.vdot), Sample((array(2, 3), array(3, 2)), reference=np.vdot)],
    "inner": [Sample((array(2, 3), array(4, 3)), reference=np.inner), Sample((array(), array(3)), reference=np.inner)],
    "outer": [Sample((array(3), array(2)), reference=np.outer), Sample((array(2, 2), array(3)), reference=np.outer)],
    "cross": [
        Sample((array(4, 3), array(4, 3, seed=1)), reference=np.cross),
        Sample((array(3, 2), array(3, 2, seed=1)), {"axis": 0}, reference=lambda a, b, axis: np.cross(a, b, axis=axis)),
        Sample((array(3, 4), array(4, 3)), {"axisa": 0, "axisc": 0}, reference=np.cross),
    ],
    "norm": [
        Sample((array(3, 4),), reference=np.linalg.norm),
        Sample((array(3, 4),), {"axis": -1}, reference=np.linalg.norm),
        Sample((array(3, 4),), {"ord": 1, "axis": 0, "keepdims": True}, reference=np.linalg.norm),
        Sample((array(3, 4),), {"ord": 3, "axis": 1}, reference=np.linalg.norm),
        Sample((array(3, 4),), {"ord": np.inf, "axis": 1}, reference=np.linalg.norm),
        Sample((array(3, 4),), {"ord": "nuc"}, reference=np.linalg.norm, rtol=1e-4),
        Sample((array(2, 3, 4),), {"ord": 1, "axis": (0, 2), "keepdims": True}, reference=np.linalg.norm),
        Sample((array(2, 3, 4),), {"ord": 2, "axis": (1, 2)}, reference=np.linalg.norm, rtol=1e-4),
    ],
    "cholesky": [
        # Gradients live on symmetric matrices; a difference quotient of one element leaves them.
        Sample((_spd(2, 3, 3),), reference=np.linalg.cholesky, gradient=False),
        Sample((_spd(3, 3),), {"upper": True}, reference=lambda x, upper: np.linalg.cholesky(x).T, gradient=False),
    ],
    "cholesky_inverse": [
        Sample((np.tril(_square(3)),), reference=lambda x: np.linalg.inv(x @ x.T), gradient=False),
        Sample((np.triu(_square(3)),), {"upper": True}, reference=lambda x, upper: np.linalg.inv(x.T @ x), gradient=False),
    ],
    "det": [Sample((_square(3, 2),), reference=np.linalg.det, rtol=1e-4)],
    "slogdet": [Sample((_square(3, 2),), reference=lambda x: tuple(np.linalg.slogdet(x)))],
    "logdet": [Sample((_spd(2, 3, 3),), reference=lambda x: np.linalg.slogdet(x)[1], gradient=False)],
    # Eigenvectors are free up to a factor, eigenvalues come in any order: values are compared in tests/core/test_linalg.py.
    "eig": [Sample((_square(3),), reference=None, gradient=False)],
    "eigh": [Sample((_spd(3, 3),), reference=None, gradient=False)],
    "inv": [Sample((_square(3, 2),), reference=np.linalg.inv, rtol=1e-4)],
    "lstsq": [
        Sample((array(5, 3), array(5, 2)), reference=lambda a, b: np.linalg.lstsq(a, b, None)[0], rtol=1e-3, atol=1e-4),
        Sample((array(5, 3), array(5)), reference=lambda a, b: np.linalg.lstsq(a, b, None)[0], rtol=1e-3, atol=1e-4),
    ],
    "lu_factor": [Sample((array(3, 3),), reference=_lu, rtol=1e-4, gradient=False)],  # TensorFlow has no gradient of it
    "matrix_rank": [
        Sample((np.outer([1.0, 2, 3], [4.0, 5]).astype("float32"),), reference=np.linalg.matrix_rank),
        Sample((array(2, 3, 4),), reference=np.linalg.matrix_rank),
    ],
    "pinv": [Sample((array(2, 4, 3),), reference=np.linalg.pinv, rtol=1e-3, atol=1e-4)],
    # The signs of Q's columns are free: products are compared in tests/core/test_linalg.py.
    "qr": [
        Sample((array(4, 3),), reference=None, gradient=False),
        Sample((array(4, 3),), {"mode": "complete"}, reference=None, gradient=False),
    ],
    "solve": [
        Sample((_square(3, 2), array(2, 3, 4)), reference=_solve, rtol=1e-4),
        Sample((_square(3), array(3)), reference=_solve, rtol=1e-4),
        Sample((_square(3, 2), array(2, 3)), reference=_solve, rtol=1e-4),
    ],
    "solve_triangular": [
        Sample((_square(3, 2), array(2, 3, 4)), reference=lambda a, b: _solve(a, b, False), rtol=1e-4),
        Sample((_square(3), array(3)), {"lower": True}, reference=_solve, rtol=1e-4),
    ],
    "svd": [
        Sample((array(2, 4, 3),), {"compute_uv": False}, reference=lambda x, compute_uv: np.linalg.svd(x, compute_uv=False), rtol=1e-4),
        # The signs of U and V are free: products are compared in tests/core/test_linalg.py.
        Sample((array(4, 3),), reference=None, gradient=False),
        Sample((array(3, 4),), {"full_matrices": False}, reference=None, gradient=False),
    ],
    "cdist": [
        Sample((array(2, 4, 3), array(2, 5, 3)), reference=lambda x, y: np.linalg.norm(x[:, :, None] - y[:, None], axis=-1), rtol=1e-4)
    ],
}
