"""The losses: against formulas in float64, against Keras, and what happens to weights, masks and wrong shapes."""

import sys

import numpy as np
import peer
import pytest

import core.losses as losses
from core import ops
from core.backend import use
from core.backend.masks import set_mask
from core.backend.slot import get as backend

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
EPS = 1e-7
NAMES = [name for name in losses.__all__ if name[0].isupper() and name != "Loss"]
FUNCTIONS = [name for name in losses.__all__ if name[0].islower() and name not in ("get", "serialize", "deserialize")]


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _normal(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _huber(t, p, delta):
    e = np.abs(t - p)
    return np.where(e <= delta, e**2 / 2, delta * e - delta**2 / 2).mean(-1)


def _ctc(t, p):
    """Sums the probabilities of all paths by enumeration over label states, in float64."""
    result = []
    for labels, logits in zip(t, p):
        probabilities = _softmax(logits)
        states = [0]
        for label in labels[labels > 0]:
            states += [int(label), 0]
        alpha = np.zeros(len(states))
        alpha[:2] = probabilities[0, states[:2]]
        for row in probabilities[1:]:
            new = np.zeros_like(alpha)
            for s, label in enumerate(states):
                total = alpha[s] + (alpha[s - 1] if s else 0)
                if s > 1 and label and label != states[s - 2]:
                    total += alpha[s - 2]
                new[s] = total * row[label]
            alpha = new
        result.append(-np.log(alpha[-1] + (alpha[-2] if len(alpha) > 1 else 0)))
    return np.array(result)


def _circle(t, p, gamma=80, margin=0.4):
    result = []
    for i in range(len(p)):
        cosines = p @ p[i]
        near = [c for j, c in enumerate(cosines) if t[j] == t[i] and j != i]
        far = [c for j, c in enumerate(cosines) if t[j] != t[i]]
        pulls = sum(np.exp(gamma * max(1 + margin - c, 0) * (1 - margin - c)) for c in near)
        pushes = sum(np.exp(gamma * max(c + margin, 0) * (c - margin)) for c in far)
        result.append(np.log1p(pulls * pushes))
    return np.array(result)


def _focal(t, p, gamma=2.0):
    given = np.where(t == 1, p, 1 - p)
    return (-((1 - given) ** gamma) * np.log(given)).mean(-1)


FORMULAS = {  # function -> (kind of data, settings, values in float64)
    "mean_squared_error": ("regression", {}, lambda t, p: ((t - p) ** 2).mean(-1)),
    "mean_absolute_error": ("regression", {}, lambda t, p: np.abs(t - p).mean(-1)),
    "mean_absolute_percentage_error": ("regression", {}, lambda t, p: 100 * (np.abs(t - p) / t).mean(-1)),
    "mean_squared_logarithmic_error": ("regression", {}, lambda t, p: (np.log((1 + t) / (1 + p)) ** 2).mean(-1)),
    "huber": ("regression", {"delta": 0.4}, lambda t, p: _huber(t, p, 0.4)),
    "log_cosh": ("regression", {}, lambda t, p: np.log(np.cosh(t - p)).mean(-1)),
    "cosine_similarity": ("regression", {}, lambda t, p: -(_normal(t) * _normal(p)).sum(-1)),
    "kl_divergence": ("binary", {}, lambda t, p: (np.clip(t, EPS, 1) * np.log(np.clip(t, EPS, 1) / p)).sum(-1)),
    "poisson": ("regression", {}, lambda t, p: (p - t * np.log(p + EPS)).mean(-1)),
    "hinge": ("signed", {}, lambda t, p: np.maximum(1 - t * p, 0).mean(-1)),
    "squared_hinge": ("binary", {}, lambda t, p: (np.maximum(1 - (2 * t - 1) * p, 0) ** 2).mean(-1)),
    "categorical_hinge": ("onehot", {}, lambda t, p: np.maximum(np.where(t == 1, 0, p).max(-1) - (t * p).sum(-1) + 1, 0)),
    "binary_crossentropy": ("binary", {}, lambda t, p: -np.log(np.where(t == 1, p, 1 - p)).mean(-1)),
    "binary_focal_crossentropy": ("binary", {}, _focal),
    "categorical_crossentropy": ("onehot", {"from_logits": True}, lambda t, p: -(t * np.log(_softmax(p))).sum(-1)),
    "categorical_focal_crossentropy": (
        "onehot", {"from_logits": True}, lambda t, p: -(0.25 * t * (1 - _softmax(p)) ** 2 * np.log(_softmax(p))).sum(-1),
    ),
    "categorical_generalized_cross_entropy": ("sparse", {"q": 0.5}, lambda t, p: (1 - p[np.arange(6), t] ** 0.5) / 0.5),
    "sparse_categorical_crossentropy": ("sparse", {"from_logits": True}, lambda t, p: -np.log(_softmax(p)[np.arange(6), t])),
    "dice": ("binary", {"axis": -1}, lambda t, p: 1 - 2 * (t * p).sum(-1) / (t + p).sum(-1)),
    "tversky": (
        "binary", {"alpha": 0.2, "beta": 0.7}, lambda t, p: 1 - (t * p).sum() / ((t * p) + 0.2 * t * (1 - p) + 0.7 * (1 - t) * p).sum(),
    ),
    "ctc": ("ctc", {}, _ctc),
    "circle": ("circle", {}, _circle),
}  # fmt: skip


def test_every_function_has_a_formula_and_every_class_calls():
    assert set(FORMULAS) == set(FUNCTIONS)
    assert set(peer.LOSSES) == set(NAMES)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_functions_follow_their_formulas(backend_name, name):
    kind, settings, formula = FORMULAS[name]
    y_true, y_pred = peer.data(kind)
    expected = formula(*(y.astype("float64") if y.dtype.kind == "f" else y for y in (y_true, y_pred)))
    with use(backend_name):
        values = getattr(losses, name)(y_true, y_pred, **settings)
    assert backend(backend_name).dtype(values) == "float32"
    np.testing.assert_allclose(backend(backend_name).convert_to_numpy(values), expected, rtol=2e-4, atol=1e-5)


# What we do otherwise, and why.
OTHERWISE = {
    # Keras forgets these settings when it saves.
    "CosineSimilarity": {"config/1": "axis is kept"},
    "Huber": {"config/1": "delta is kept"},
}


@pytest.mark.parametrize("name", NAMES)
def test_classes_agree_with_keras(name):
    assert not peer.differences("losses", name, OTHERWISE.get(name))


@pytest.mark.parametrize("name", NAMES)
def test_configs_round_trip(name):
    for kind, settings in peer.LOSSES[name]:
        loss = getattr(losses, name)(**settings, reduction="sum", name="mine")
        again = losses.deserialize(losses.serialize(loss))
        assert type(again) is type(loss) and again.get_config() == loss.get_config()
        with use("numpy"):
            np.testing.assert_array_equal(again(*peer.data(kind)), loss(*peer.data(kind)))


def test_names_lead_to_losses():
    assert losses.get("mse") is losses.get("MSE") is losses.mean_squared_error
    assert isinstance(losses.get("CategoricalHinge"), losses.CategoricalHinge)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert isinstance(losses.get({"class_name": "Huber", "config": {"delta": 2.0}}), losses.Huber)
    assert losses.get(None) is None
    with pytest.raises(ValueError, match="did you mean 'huber'"):
        losses.get("hubr")
    with pytest.raises(ValueError, match="got 5"):
        losses.get(5)
    for name in NAMES:
        assert type(losses.get(name)) is getattr(losses, name)
    for name in FUNCTIONS:
        assert losses.get(name) is getattr(losses, name)


VALUES = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")


class Given(losses.Loss):
    """`y_pred` as the values."""

    def call(self, y_true, y_pred):
        return y_pred


@pytest.mark.parametrize("backend_name", BACKENDS)
@pytest.mark.parametrize(
    ("reduction", "weights", "mask", "expected"),
    [
        ("sum_over_batch_size", None, None, 3.5),
        ("mean", None, None, 3.5),
        ("sum", None, None, 21.0),
        ("none", None, None, VALUES),
        (None, None, None, VALUES),
        ("mean_with_sample_weight", None, None, 3.5),
        ("sum_over_batch_size", [1.0, 0.0], None, 1.0),  # a zero weight still counts as a sample
        ("mean_with_sample_weight", [1.0, 0.0], None, 2.0),
        ("sum", [[1.0], [2.0]], None, 36.0),
        ("none", [1.0, 2.0], None, VALUES * [[1], [2]]),
        ("sum", 2.0, None, 42.0),
        ("sum_over_batch_size", None, [[1, 1, 0], [0, 0, 1]], 3.0),  # a masked value does not
        ("sum", None, [[1, 1, 0], [0, 0, 1]], 9.0),
        ("none", None, [[1, 1, 0], [0, 0, 1]], [[1, 2, 0], [0, 0, 6]]),
        ("sum_over_batch_size", [1.0, 2.0], [[1, 1, 0], [0, 0, 1]], 5.0),
        ("mean_with_sample_weight", [1.0, 2.0], [[1, 1, 0], [0, 0, 1]], 15 / 4),
        ("sum_over_batch_size", None, [[0, 0, 0], [0, 0, 0]], 0.0),
    ],
)
def test_reductions(backend_name, reduction, weights, mask, expected):
    with use(backend_name):
        y_pred = ops.convert_to_tensor(VALUES + 0.0)
        if mask is not None:
            set_mask(y_pred, ops.convert_to_tensor(np.array(mask, bool)))
        value = Given(reduction=reduction)(VALUES, y_pred, None if weights is None else np.array(weights))
        np.testing.assert_allclose(ops.convert_to_numpy(value), expected, rtol=1e-5)


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_ignored_class_takes_no_part_in_the_mean(backend_name):
    labels, p = np.array([[0, 2, 2], [1, 2, 0]]), peer.data("masks")[1][:2, :3, :3]
    expected = -np.log(p / p.sum(-1, keepdims=True))[[0, 1, 1], [0, 0, 2], [0, 1, 0]].mean()
    with use(backend_name):
        value = losses.SparseCategoricalCrossentropy(ignore_class=2)(labels, p)
        np.testing.assert_allclose(ops.convert_to_numpy(value), expected, rtol=1e-4)


def test_circle_against_references():
    labels, embeddings = peer.data("circle")
    with use("numpy"):
        own = losses.circle(labels, embeddings, remove_diagonal=False)
        other = losses.circle(labels, embeddings, ref_labels=labels, ref_embeddings=embeddings)
        alone = losses.circle(np.arange(6), embeddings)
    np.testing.assert_allclose(own, other, rtol=1e-6)
    np.testing.assert_array_equal(alone, 0)  # nothing to be near to


def test_ranks_that_differ_by_one():
    y, p = peer.data("regression")
    with use("numpy"):
        expected = losses.MeanSquaredError()(y[:, :1], p[:, :1])
        assert losses.MeanSquaredError()(y[:, 0], p[:, :1]) == losses.MeanSquaredError()(y[:, :1], p[:, 0]) == expected


def test_structures_and_lists():
    y, p = peer.data("regression")
    with use("numpy"):
        assert losses.MeanSquaredError()(y.tolist(), p.tolist()) == losses.MeanSquaredError()(y, p)

        class Both(losses.Loss):
            def call(self, y_true, y_pred):
                return ops.mean(ops.square(y_true["a"] - y_pred["a"]) + y_pred["b"], axis=-1)

        np.testing.assert_allclose(Both()({"a": y, "b": y}, {"a": p, "b": p}), ((y - p) ** 2 + p).mean(), rtol=1e-6)


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_dtypes(backend_name):
    y, p = peer.data("regression")
    with use(backend_name):
        assert ops.dtype(losses.mean_squared_error(y.astype("float64"), p.astype("float16"))) == "float16"
        assert ops.dtype(losses.mean_squared_error(np.array([[1, 2]]), np.array([[2, 3]]))) == "float32"
        assert ops.dtype(losses.MeanSquaredError()(y.astype("float16"), p.astype("float16"))) == "float32"
        assert ops.dtype(losses.MeanSquaredError(dtype="float16")(y, p)) == "float16"
    assert losses.MeanSquaredError(dtype="float64").dtype == "float64"
    assert losses.MeanSquaredError(dtype="mixed_bfloat16").dtype == "bfloat16"
    assert losses.deserialize(losses.serialize(losses.MeanSquaredError(dtype="float64"))).dtype == "float64"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.MeanSquaredError()(np.ones((3, 4)), np.ones((2, 4))), r"mean_squared_error expected .* got \(3, 4\) and \(2, 4\)"),
        (lambda: losses.CategoricalCrossentropy()(np.ones(3), np.ones((3, 4))), "use sparse_categorical_crossentropy"),
        (lambda: losses.SparseCategoricalCrossentropy()(np.ones((3, 4)), np.ones((3, 4))), r"one class index per sample"),
        (lambda: losses.MeanSquaredError()(np.ones((3, 4)), np.ones((3, 4)), np.ones(5)), r"sample_weight of shape \(5,\)"),
        (lambda: losses.MeanSquaredError(reduction="average"), "Unknown reduction 'average'"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.5), "q must lie between 0 and 1"),
        (lambda: losses.binary_crossentropy([[0.0]], [[0.5]], label_smoothing=2), "label_smoothing must be between"),
        (lambda: losses.ctc(np.ones(3), np.ones((3, 4))), r"ctc expected y_true \(batch, labels\)"),
    ],
)
def test_errors_teach(call, message):
    with use("numpy"), pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="must define `call"):
        losses.Loss()(np.ones(2), np.ones(2))


def test_one_class_is_warned_about():
    with use("numpy"), pytest.warns(UserWarning, match="always zero"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))


def test_a_call_is_lean():
    """Counted in Python calls, which do not vary, on eager PyTorch."""
    with use("torch"):
        y, p = (ops.convert_to_tensor(x) for x in peer.data("regression"))
        loss, count = losses.MeanSquaredError(), 0
        loss(y, p)

        def counted(frame, event, argument):
            nonlocal count
            count += event == "call"

        sys.setprofile(counted)
        try:
            loss(y, p)
        finally:
            sys.setprofile(None)
    assert count <= 28
