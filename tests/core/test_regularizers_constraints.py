"""Regularizers and constraints: formulas, Keras, configs."""

import numpy as np
import peer
import pytest

from core import constraints, ops, regularizers
from core.backend import use
from core.state.variable import Variable

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
W = np.random.RandomState(0).normal(size=(4, 3)).astype("float32")
NORM = np.linalg.norm(W, axis=0, keepdims=True)


def _mean_cosine(x):
    rows = x / np.linalg.norm(x, axis=1, keepdims=True)
    n = len(x)
    return np.abs((rows @ rows.T)[~np.eye(n, dtype=bool)]).mean()


PENALTIES = [
    (regularizers.L1(0.3), 0.3 * np.abs(W).sum()),
    (regularizers.L2(0.3), 0.3 * (W**2).sum()),
    (regularizers.L1L2(0.2, 0.3), 0.2 * np.abs(W).sum() + 0.3 * (W**2).sum()),
    (regularizers.L1L2(), 0.0),
    (regularizers.OrthogonalRegularizer(0.5), 0.5 * _mean_cosine(W)),
    (regularizers.OrthogonalRegularizer(0.5, "columns"), 0.5 * _mean_cosine(W.T)),
]
PROJECTIONS = [
    (constraints.NonNeg(), np.maximum(W, 0)),
    (constraints.UnitNorm(), W / NORM),
    (constraints.UnitNorm(axis=[0, 1]), W / np.linalg.norm(W)),
    (constraints.MaxNorm(1.5), W * np.minimum(NORM, 1.5) / NORM),
    (constraints.MinMaxNorm(0.5, 1.0, rate=0.25), W * (0.25 * np.clip(NORM, 0.5, 1.0) + 0.75 * NORM) / NORM),
    (constraints.Constraint(), W),
]


@pytest.mark.parametrize(("function", "expected"), PENALTIES + PROJECTIONS, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_formulas(backend_name, function, expected):
    with use(backend_name):
        for x in (W, ops.convert_to_tensor(W), Variable(W)):
            value = function(x)
            assert ops.dtype(value) == "float32"
            np.testing.assert_allclose(ops.convert_to_numpy(value), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", ["regularizers", "constraints"])
def test_agree_with_keras(family):
    assert not peer.differences(family)


@pytest.mark.parametrize(
    ("family", "objects"), [(regularizers, PENALTIES), (constraints, PROJECTIONS)], ids=["regularizers", "constraints"]
)
def test_configs_and_names(family, objects):
    covered = set()
    for obj, _ in objects:
        again = family.deserialize(family.serialize(obj))
        assert type(again) is type(obj) and again.get_config() == obj.get_config()
        covered.add(type(obj))
    base = family.Regularizer if family is regularizers else family.Constraint
    for name in family.__all__:
        if name in ("get", "serialize", "deserialize") or getattr(family, name) is base:
            continue
        assert type(family.get(name)) is getattr(family, name) and getattr(family, name) in covered
    assert family.get(None) is None and family.get(abs) is abs


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regularizers.L2(-1.0), "l2 must be a finite number"),
        (lambda: regularizers.L1(float("nan")), "l1 must be a finite number"),
        (lambda: regularizers.OrthogonalRegularizer(mode="both"), "mode must be"),
        (lambda: regularizers.OrthogonalRegularizer()(W[0]), r"matrices, got a tensor of shape \(3,\)"),
        (lambda: regularizers.get("l3"), "did you mean"),
        (lambda: constraints.get("max_nrm"), "did you mean 'max_norm'"),
    ],
)
def test_errors_teach(call, message):
    with use("numpy"), pytest.raises(ValueError, match=message):
        call()
