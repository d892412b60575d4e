"""Speed, guarded by what does not vary: the number of Python calls that a built layer makes."""

import sys

import numpy as np
import pytest

from core import layers as L
from core.backend import slot


def python_calls(function):
    """How many Python functions `function()` enters."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count - 1  # `function` itself


@pytest.mark.parametrize(
    ("make", "shape", "most"),
    [
        (lambda: L.Dense(8), (4, 16), 40),
        (lambda: L.Dense(8, activation="relu"), (4, 16), 60),
        (lambda: L.ReLU(), (4, 16), 40),
        (lambda: L.Conv2D(4, 3), (2, 8, 8, 3), 80),
    ],
    ids=["Dense", "Dense-relu", "ReLU", "Conv2D"],
)
def test_a_built_layer_makes_few_python_calls_on_torch(make, shape, most):
    torch = pytest.importorskip("torch")
    with slot.use("torch"):
        layer, x = make(), torch.as_tensor(np.ones(shape, "float32"))
        layer(x)
        layer(x)
        calls = python_calls(lambda: layer(x))
    assert calls <= most, f"{calls} Python calls"
