"""The scripts in examples/ run as a user runs them."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_quickstart_reaches_its_accuracy_and_reloads(backend):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(ROOT / "examples" / "quickstart.py"), backend]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "predicts the same: True" in done.stdout and "Conv2D" in done.stdout and "Epoch 15/15" in done.stdout


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
