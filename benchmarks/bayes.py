"""Posteriors of three sbibm tasks from 10,000 simulations: accuracy (C2ST, 0.5 is perfect) and cost in CPU seconds.

    python benchmarks/bayes.py [--backends jax,torch,tensorflow] [--tasks two_moons,gaussian_linear,slcp] [--networks coupling_flow]

Everything at its default. One process per backend; with `--bayesflow`, BayesFlow's coupling flow runs as well where it is importable.
The first sampling of each network compiles it, where a backend compiles; the figure is the median of those that follow.
"""

import argparse
import importlib.util
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # this file has the name of the package
SBIBM = ROOT / "tests" / "data" / "sbibm"
TASKS = {"two_moons": "TwoMoons", "gaussian_linear": "GaussianLinear", "slcp": "SLCP"}
DRAWS = SIMULATIONS = 10_000
OBSERVATIONS = (1, 2, 3)


def reference(task, simulator, observation):
    """The observation and draws of its reference posterior."""
    if task == "gaussian_linear":  # exact
        x = simulator.sample(1, seed=1000 + observation)["observables"][0]
        return x, simulator.posterior_sample(x, DRAWS, seed=observation)
    folder = SBIBM / task / str(observation)
    read = lambda name: np.loadtxt(folder / name, delimiter=",", skiprows=1)  # noqa: E731
    return read("observation.csv").astype("float32"), read("reference_posterior_samples.csv.bz2")


def ours(backend, simulator, data, network):
    import bayes
    import core

    core.config.set_backend(backend)
    core.utils.set_random_seed(0)
    return bayes.BasicWorkflow(
        simulator, inference_network=network, inference_variables="parameters", inference_conditions="observables"
    ), {"seed": 0}


def theirs(backend, simulator, data, network):
    import bayesflow

    return bayesflow.BasicWorkflow(
        inference_network=network, inference_variables=["parameters"], inference_conditions=["observables"]
    ), {}


def run(make, label, backend, task, network, with_c2st):
    from bayes import simulators
    from bayes.diagnostics.metrics import classifier_two_sample_test

    simulator = getattr(simulators, TASKS[task])()
    data = simulator.sample(SIMULATIONS, seed=1)
    workflow, options = make(backend, simulator, data, network)
    start = time.process_time()
    history = workflow.fit_offline(data, verbose=0, **options)
    training, epochs = time.process_time() - start, len(history.history["loss"])
    seconds, scores = [], []
    for observation in OBSERVATIONS:
        x, draws = reference(task, simulator, observation)
        start = time.process_time()
        found = workflow.sample(num_samples=DRAWS, conditions={"observables": x[None]}, seed=observation)["parameters"][0]
        seconds.append(time.process_time() - start)
        if with_c2st:
            scores.append(classifier_two_sample_test(found, draws))
    listed = " ".join(f"{score:.3f}" for score in scores) + f"  mean {statistics.mean(scores):.3f}" if scores else "-"
    print(
        f"{label:10s} {backend:10s} {task:16s} {network:14s} {epochs:6d} {training:9.1f} {seconds[0]:8.2f} "
        f"{statistics.median(seconds[1:]):8.2f}   {listed}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default="jax,torch,tensorflow")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--networks", default="coupling_flow")
    parser.add_argument("--bayesflow", action="store_true")
    parser.add_argument("--no-c2st", action="store_true", help="costs only; the classifier takes longer than the training")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        label, backend, task, network = args.inside.split(",")
        run(ours if label == "ours" else theirs, label, backend, task, network, not args.no_c2st)
        return
    header = "library    backend    task             network        epochs train CPU  1st CPU  10k CPU   C2ST of observations 1, 2, 3"
    print(header, flush=True)
    labels = ["ours"] + (["bayesflow"] if args.bayesflow and importlib.util.find_spec("bayesflow") else [])
    for task in args.tasks.split(","):
        for network in args.networks.split(","):
            for label in labels:
                for backend in args.backends.split(",") if label == "ours" else ["jax"]:
                    command = [sys.executable, __file__, "--inside", f"{label},{backend},{task},{network}"] + ["--no-c2st"] * args.no_c2st
                    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
                    subprocess.run(command, check=False, env=environment)


if __name__ == "__main__":
    main()
