"""Learning rate schedules against Keras (one subprocess), at whole and fractional places, eager and compiled."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from core.backend import slot
from core.optimizers import schedules

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
STEPS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 15, 19, 21, 29, 31, 50, 69, 71, 100, 1000)

CASES = {
    "exponential": ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    "exponential_staircase": ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.9, "staircase": True}),
    "inverse_time": ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    "inverse_time_staircase": ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.9, "staircase": True}),
    "piecewise": ("PiecewiseConstantDecay", {"boundaries": [3, 10, 50], "values": [1.0, 0.5, 2.0, 0.1]}),
    "polynomial": ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10}),
    "polynomial_power": ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "end_learning_rate": 0.01, "power": 0.5}),
    "polynomial_cycle": ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 8, "power": 2.0, "cycle": True}),
    "cosine": ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 10}),
    "cosine_alpha": ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "alpha": 0.2}),
    "cosine_warmup": (
        "CosineDecay",
        {"initial_learning_rate": 0.01, "decay_steps": 20, "alpha": 0.1, "warmup_target": 0.5, "warmup_steps": 5},
    ),
    "cosine_no_target": ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 20, "warmup_steps": 5}),
    "restarts": ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 10}),
    "restarts_same_length": ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 8, "t_mul": 1.0, "m_mul": 0.5}),
    "restarts_all": (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 6, "t_mul": 3.0, "m_mul": 0.8, "alpha": 0.1},
    ),
}

ORACLE = """
import json, sys
import keras
task = json.load(sys.stdin)
answers = {}
for name, (kind, config) in task["cases"].items():
    schedule = getattr(keras.optimizers.schedules, kind)(**config)
    answers[name] = {"rates": [float(schedule(step)) for step in task["steps"]], "config": keras.optimizers.schedules.serialize(schedule)}
print("ANSWER" + json.dumps(answers))
"""


@pytest.fixture(scope="module")
def keras_answers():
    pytest.importorskip("keras", reason="the comparison needs Keras as the oracle")
    pytest.importorskip("jax", reason="the oracle runs on JAX")
    answer = subprocess.run(
        [sys.executable, "-c", ORACLE], input=json.dumps({"cases": CASES, "steps": STEPS}), env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads(answer.stdout.partition("ANSWER")[2])


def make(name):
    kind, config = CASES[name]
    return getattr(schedules, kind)(**config)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_like_keras(backend, name, keras_answers):
    schedule = make(name)
    with slot.use(backend) as used:
        rates = [float(schedule(step)) for step in STEPS]
        np.testing.assert_allclose(rates, keras_answers[name]["rates"], rtol=1e-5, atol=1e-6)
        compiled = used.jit(lambda step: schedule(step))
        for step, rate in list(zip(STEPS, rates))[::5]:
            result = compiled(used.convert_to_tensor(step, "int32"))
            np.testing.assert_allclose(float(used.convert_to_numpy(result)), rate, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_configs_are_keras_own(name, keras_answers):
    config = schedules.serialize(make(name))
    assert config == keras_answers[name]["config"]
    assert schedules.deserialize(config).get_config() == config["config"]


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: schedules.CosineDecay(0.1, 0), "decay_steps must be greater than 0"),
        (lambda: schedules.CosineDecayRestarts(0.1, -1), "first_decay_steps must be greater than 0"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps must be greater than 0"),
        (lambda: schedules.PiecewiseConstantDecay([1], [1.0]), "one longer"),
    ],
)
def test_wrong_arguments(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_own_schedule():
    class Mine(schedules.LearningRateSchedule):
        pass

    with pytest.raises(TypeError, match="__call__"):
        Mine()(0)
    with pytest.raises(TypeError, match="get_config"):
        Mine().get_config()
