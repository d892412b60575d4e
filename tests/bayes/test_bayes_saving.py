"""Approximators in one file: the same draws for the same seed, in a fresh process too; no code in the file."""

import json
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import bayes
import core
from bayes import simulators
from bayes.networks import CouplingFlow

ROOT = pathlib.Path(__file__).resolve().parents[2]


def trained(backend, transform="affine"):
    with core.backend.use(backend):
        core.utils.set_random_seed(0)
        network = CouplingFlow(transform=transform, depth=1, subnet_kwargs={"widths": (8,)})
        flow = bayes.BasicWorkflow(
            simulators.TwoMoons(), inference_network=network, inference_variables="parameters", inference_conditions="observables"
        )
        flow.fit_offline(simulators.TwoMoons().sample(64, seed=0), epochs=1, verbose=0)
    return flow.approximator


def answers(approximator):
    x = {"observables": np.array([[0.1, -0.2], [0.3, 0.0]])}
    return approximator.sample(num_samples=5, conditions=x, seed=3)["parameters"], approximator.log_prob(
        {"parameters": np.array([[0.1, 0.2], [-0.5, 0.3]]), **x}
    )


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_a_loaded_approximator_answers_the_same(backend, tmp_path):
    approximator = trained(backend)
    approximator.save(tmp_path / "a.keras")
    with core.backend.use(backend):
        loaded = bayes.load(tmp_path / "a.keras")
        for mine, other in zip(answers(approximator), answers(loaded)):
            assert np.array_equal(mine, other)
    assert repr(loaded.adapter) == repr(approximator.adapter)
    with core.backend.use("tensorflow" if backend == "jax" else "jax"):
        elsewhere = bayes.load(tmp_path / "a.keras")
        assert np.allclose(answers(elsewhere)[1], answers(approximator)[1], atol=1e-4)


def test_a_fresh_process_gives_equal_draws(tmp_path):
    approximator = trained("torch", "spline")
    approximator.save(tmp_path / "a.keras")
    code = (
        f"import sys, numpy as np, core, bayes; core.config.set_backend('torch'); a = bayes.load({str(tmp_path / 'a.keras')!r});"
        "x = {'observables': np.array([[0.1, -0.2], [0.3, 0.0]])};"
        f"np.save({str(tmp_path / 'draws.npy')!r}, a.sample(num_samples=5, conditions=x, seed=3)['parameters'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300, env=environment)
    assert np.array_equal(np.load(tmp_path / "draws.npy"), answers(approximator)[0])


def test_files_hold_no_code(tmp_path):
    trained("torch").save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["adapter"] = {"module": "os", "class_name": "system", "config": "true", "registered_name": "os>system"}
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as file:
        for name, content in members.items():
            file.writestr(name, json.dumps(config) if name == "config.json" else content)
    with pytest.raises(core.saving.UnsafeArtifactError):
        bayes.load(tmp_path / "b.keras")


def test_other_models_are_no_approximators(tmp_path):
    with core.backend.use("torch"):
        core.Sequential([core.Input((2,)), core.layers.Dense(1)]).save(tmp_path / "c.keras")
        with pytest.raises(ValueError, match="no approximator"):
            bayes.load(tmp_path / "c.keras")
