"""Infers a posterior of two crescents from simulations, checks it against the exact one, and saves it.

    python examples/two_moons.py [jax | torch | tensorflow]
"""

import pathlib
import sys
import tempfile

import numpy as np

import bayes
import core

if len(sys.argv) > 1:
    core.config.set_backend(sys.argv[1])
core.utils.set_random_seed(0)

simulator = bayes.simulators.TwoMoons()
workflow = bayes.BasicWorkflow(simulator, inference_variables="parameters", inference_conditions="observables")
history = workflow.fit_offline(simulator.sample(4000, seed=1), verbose=0, seed=1)
print(f"trained for {len(history.history['loss'])} epochs, validation loss {min(history.history['val_loss']):.2f}")

observation = {"observables": np.zeros((1, 2), "float32")}
draws = workflow.sample(num_samples=2000, conditions=observation, seed=2)["parameters"][0]
exact = simulator.posterior_sample(np.zeros(2), 2000, seed=3)
print(f"posterior draws {draws.shape}, all inside the prior's box: {bool(np.all(np.abs(draws) <= 1))}")
print(f"mean distance to the nearest exact draw: {np.mean([np.min(np.linalg.norm(exact - d, axis=1)) for d in draws[:500]]):.3f}")
print(workflow.compute_default_diagnostics(test_data=200, num_samples=200, seed=4).round(2))

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "two_moons.keras"
    workflow.approximator.save(path)
    again = bayes.load(path).sample(num_samples=2000, conditions=observation, seed=2)["parameters"][0]
print(f"the saved approximator draws the same: {bool(np.array_equal(again, draws))}")
