"""The scripts in examples/ run as a user runs them."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


BACKENDS = ("torch", "jax", "tensorflow")
PRINTED = {  # what each script must have said
    "finetune_classifier.py": ("accuracy on 16 other sentences: 1.00", "predicts the same: True"),
    "chat.py": ("assistant: ", "1 "),
    "tune_convnet.py": ("Best: {", "test accuracy 0.9"),
    "auto_tabular.py": ("test accuracy ", "predicts the same: True"),
    "two_moons.py": ("all inside the prior's box: True", "the saved approximator draws the same: True"),
}
RUNS = [
    pytest.param(script, backend, marks=[] if backend == "torch" else pytest.mark.slow) for script in PRINTED for backend in BACKENDS
]


def output_of(script, backend):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "CORE_BACKEND": backend}
    command = [sys.executable, str(ROOT / "examples" / script), backend]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_quickstart_reaches_its_accuracy_and_reloads(backend):
    printed = output_of("quickstart.py", backend)
    assert "predicts the same: True" in printed and "Conv2D" in printed and "Epoch 15/15" in printed


@pytest.mark.parametrize("script, backend", RUNS)
def test_an_example_ends_as_it_should(script, backend):
    printed = output_of(script, backend)
    assert all(expected in printed for expected in PRINTED[script]), printed


def test_import_loads_no_framework():
    code = "import sys, core; core.layers; print([m for m in ('jax', 'torch', 'tensorflow', 'keras') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_backend_loads_no_other_framework():
    code = (
        "import sys, core; core.config.set_backend('torch'); core.Sequential([core.Input((2,)), core.layers.Dense(1)]).predict([[1.0, "
        "2.0]], verbose=0);"
        "print([m for m in ('jax', 'tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    assert done.stdout.strip() == "[]"
