"""The activations: against Keras, their names, and what they refuse."""

import numpy as np
import peer
import pytest

import core.activations as activations
from core import ops
from core.backend import use
from core.base.registry import custom_object_scope, register_keras_serializable

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
NAMES = [name for name in activations.__all__ if name not in ("get", "serialize", "deserialize")]
X = np.linspace(-3, 3, 12).reshape(3, 4).astype("float32")


@pytest.mark.parametrize("name", NAMES)
def test_agree_with_keras(name):
    # Keras 3.15 on PyTorch returns zeros for sparsemax of rows whose mass lies on two entries; the test below has the closed form.
    skipped = {"": "wrong in Keras"} if name == "sparsemax" else None
    assert not peer.differences("activations", name, skipped)


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_sparsemax_is_the_projection_on_the_simplex(backend_name):
    with use(backend_name):
        value = ops.convert_to_numpy(activations.sparsemax(X))
    gap = X[0, 1] - X[0, 0]  # two entries share: half the difference each way
    np.testing.assert_allclose(value, np.tile([0, 0, (1 - gap) / 2, (1 + gap) / 2], (3, 1)), atol=1e-5)


FORMULAS = {
    "exponential": np.exp,
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(__import__("math").erf)(x / np.sqrt(2))),
    "linear": lambda x: x,
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "relu": lambda x: np.maximum(x, 0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "swish": lambda x: x / (1 + np.exp(-x)),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_formulas(backend_name, name):
    with use(backend_name):
        value = ops.convert_to_numpy(getattr(activations, name)(ops.convert_to_tensor(X)))
    np.testing.assert_allclose(value, FORMULAS[name](X.astype("float64")), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_general_relu(backend_name):
    with use(backend_name):
        value = ops.convert_to_numpy(activations.relu(X, negative_slope=0.1, max_value=1.2, threshold=0.3))
    np.testing.assert_allclose(value, np.where(X > 0.3, np.minimum(X, 1.2), 0.1 * (X - 0.3)), atol=1e-6)
    with pytest.raises(ValueError, match="negative_slope and max_value"):
        activations.relu(X, max_value=-1.0)


def test_names_and_configs():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu and activations.get("hard_swish") is activations.hard_silu
    for name in NAMES:
        function = getattr(activations, name)
        assert activations.get(name) is activations.get(activations.serialize(function)) is activations.deserialize(name) is function
    assert activations.serialize(ops.relu) == "relu"
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="lambda"):
        activations.serialize(lambda x: x)


def test_users_functions():
    @register_keras_serializable(package="tests_activations")
    def doubled(x):
        return 2 * x

    assert activations.deserialize(activations.serialize(doubled)) is doubled

    def halved(x):
        return x / 2

    with custom_object_scope({"halved": halved}):
        assert activations.get("halved") is halved
    assert activations.deserialize("halved", custom_objects={"halved": halved}) is halved
    assert activations.get(halved) is halved
