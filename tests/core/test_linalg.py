"""Decompositions, judged by what their factors make up; einsum's shape rule on random equations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import ops
from core.backend import KerasTensor, use


@pytest.fixture(params=["numpy", "torch", "jax", "tensorflow"])
def backend(request):
    pytest.importorskip(request.param)
    with use(request.param) as chosen:
        yield chosen


X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
SQUARE = np.random.default_rng(1).normal(size=(2, 4, 4)).astype("float32")


def host(backend, results):
    return [np.asarray(backend.convert_to_numpy(x)) for x in results]


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(backend, mode):
    q, r = host(backend, ops.qr(X, mode))
    close(q @ r, X)
    close(np.swapaxes(q, -1, -2) @ q, np.broadcast_to(np.eye(q.shape[-1]), (2, q.shape[-1], q.shape[-1])))
    close(np.tril(r, -1), 0 * r)


@pytest.mark.parametrize("full", [True, False])
def test_svd(backend, full):
    u, s, v = host(backend, ops.svd(X, full_matrices=full))
    close((u[..., :3] * s[..., None, :]) @ v, X)
    assert u.shape == (2, 4, 4 if full else 3) and (np.diff(s) <= 0).all()


def test_eigh_and_eig(backend):
    symmetric = SQUARE + np.swapaxes(SQUARE, -1, -2)
    values, vectors = host(backend, ops.eigh(symmetric))
    close((vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2), symmetric)
    assert (np.diff(values) >= 0).all()
    values, vectors = host(backend, ops.eig(SQUARE))
    assert values.dtype == np.complex64
    close(SQUARE @ vectors, vectors * values[..., None, :])


def test_lu_factor_of_batches(backend):
    lu, pivots = host(backend, ops.lu_factor(SQUARE))
    for matrix, one, rows in zip(SQUARE, lu, pivots):
        product = (np.tril(one, -1) + np.eye(4)) @ np.triu(one)
        for i in reversed(range(4)):
            product[[i, rows[i]]] = product[[rows[i], i]]
        close(product, matrix)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_einsum_rule_agrees_with_numpy(data):
    dims = {letter: data.draw(st.integers(1, 3)) for letter in "abcd"}
    terms = data.draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    dotted = [data.draw(st.booleans()) for _ in terms]
    used = sorted(set("".join(terms)))
    result = data.draw(st.permutations(used))[: data.draw(st.integers(0, len(used)))]
    shapes = [((2, 3) if dot else ()) + tuple(dims[c] for c in term) for term, dot in zip(terms, dotted)]
    left = ",".join(("..." if dot else "") + term for term, dot in zip(terms, dotted))
    equation = left if data.draw(st.booleans()) else left + "->" + ("..." if any(dotted) else "") + "".join(result)
    expected = np.einsum(equation, *(np.ones(shape) for shape in shapes)).shape
    assert ops.einsum(equation, *(KerasTensor(shape) for shape in shapes)).shape == expected


def test_errors_teach():
    with pytest.raises(ValueError, match="axis 'j' has 3 and 4"):
        ops.einsum("ij,jk", KerasTensor((2, 3)), KerasTensor((4, 5)))
    with pytest.raises(ValueError, match="square"):
        ops.inv(KerasTensor((2, 3)))
    with pytest.raises(ValueError, match="equal inner dimensions"):
        ops.matmul(KerasTensor((2, 3)), KerasTensor((2, 3)))
