"""Simulators: seeded, vectorized, exactly the benchmark's tasks."""

import pathlib

import numpy as np
import pytest
from scipy import stats

from bayes import priors, simulators

SBIBM = pathlib.Path(__file__).resolve().parents[1] / "data" / "sbibm"
TASKS = {
    "TwoMoons": (2, 2), "GaussianLinear": (10, 10), "GaussianLinearUniform": (10, 10), "GaussianMixture": (2, 2), "SLCP": (5, 8),
}  # fmt: skip


def reference(task, observation):
    folder = SBIBM / task / str(observation)
    read = lambda name: np.loadtxt(folder / name, delimiter=",", skiprows=1)  # noqa: E731
    return read("observation.csv"), read("reference_posterior_samples.csv.bz2")


@pytest.mark.parametrize("task", TASKS)
def test_tasks_have_their_shapes_and_follow_the_seed(task):
    simulator, sizes = getattr(simulators, task)(), TASKS[task]
    first, again, other = (simulator.sample(7, seed=s) for s in (3, 3, 4))
    assert (first["parameters"].shape, first["observables"].shape) == ((7, sizes[0]), (7, sizes[1]))
    assert all(np.array_equal(first[k], again[k]) and not np.array_equal(first[k], other[k]) for k in first)
    assert simulator.support["parameters"].contains(first["parameters"]).all()
    assert simulator.prior(seed=0).shape == sizes[:1] and simulator.observation_model(simulator.prior(seed=0), seed=1).shape == sizes[1:]


def test_without_a_seed_numpys_global_state_decides():
    np.random.seed(5)
    first = simulators.TwoMoons().sample(3)["observables"]
    np.random.seed(5)
    assert np.array_equal(first, simulators.TwoMoons().sample(3)["observables"])


def test_scales_of_gaussian_linear_are_variances():
    data = simulators.GaussianLinear().sample(20_000, seed=0)
    noise = data["observables"] - data["parameters"]
    assert abs(data["parameters"].var() - 0.1) < 0.002 and abs(noise.var() - 0.1) < 0.002
    mean, variance = simulators.GaussianLinear().posterior(np.ones(10))
    assert np.allclose(mean, 0.5) and np.allclose(variance, 0.05)


def test_gaussian_mixture_mixes_its_two_scales():
    data = simulators.GaussianMixture().sample(40_000, seed=0)
    noise = (data["observables"] - data["parameters"]).astype("float64")
    expected = 0.5 * stats.norm.cdf(0.1) + 0.5 * stats.norm.cdf(1.0)
    assert abs(noise.var() - 0.505) < 0.02 and abs(np.mean(noise[:, 0] < 0.1) - expected) < 0.01
    both_small = np.mean(np.all(np.abs(noise) < 0.1, axis=1))  # one draw of the component serves both axes
    share = [stats.norm.cdf(0.1 / s) - stats.norm.cdf(-0.1 / s) for s in (1.0, 0.1)]
    assert abs(both_small - 0.5 * (share[0] ** 2 + share[1] ** 2)) < 0.01


@pytest.mark.parametrize("observation", [1, 2, 3])
def test_two_moons_posterior_is_the_benchmarks(observation):
    x, draws = reference("two_moons", observation)
    ours = simulators.TwoMoons().posterior_sample(x, 10_000, seed=observation)
    for direction in ([1, 0], [0, 1], [1, 1], [1, -1]):
        assert stats.ks_2samp(ours @ direction, draws @ direction).pvalue > 1e-3


def test_slcp_likelihood_explains_the_benchmarks_posterior():
    """Under the reference posterior of a flat prior, the draws' likelihood is far above the prior's, and draws simulate the data."""
    x, draws = reference("slcp", 1)
    task = simulators.SLCP()
    prior = task.parameter_prior.sample(10_000, seed=0)
    high = np.median(task.log_likelihood(draws, x))
    assert high > np.quantile(task.log_likelihood(prior, x), 0.99)
    weights = task.log_likelihood(prior := task.parameter_prior.sample(400_000, seed=1), x)
    weights = np.exp(weights - weights.max())
    weights /= weights.sum()
    mean, std = weights @ prior, draws.std(axis=0)
    assert np.all(np.abs(mean[:2] - draws[:, :2].mean(axis=0)) < 0.3 * std[:2])


def test_slcp_data_has_the_moments_of_its_parameters():
    theta = np.array([0.7, -2.9, -1.0, 0.9, 0.6])
    x = simulators.SLCP().observation_model(np.tile(theta, (50_000, 1)), seed=0).reshape(-1, 2)
    mean, covariance = theta[:2], np.array([[1.0, np.tanh(0.6) * 0.81], [np.tanh(0.6) * 0.81, 0.81**2]])
    assert np.allclose(x.mean(axis=0), mean, atol=0.01) and np.allclose(np.cov(x.T), covariance, atol=0.02)


def test_functions_become_simulators():
    def prior(rng):
        return {"mu": rng.normal(size=2), "sigma": 1.5}

    def likelihood(mu, sigma, n, grid):
        return {"x": np.random.normal(mu, sigma, size=(n, 2)), "length": len(grid)}

    simulator = simulators.make_simulator([prior, likelihood], meta_fn=lambda: {"n": 7, "grid": np.arange(4)})
    for size in (4, 5):  # the shared grid of length 4 is no batch
        data = simulator.sample(size, seed=1)
        assert {k: np.shape(v) for k, v in data.items()} == {
            "n": (), "grid": (4,), "mu": (size, 2), "sigma": (size, 1), "x": (size, 7, 2), "length": (size, 1),
        }  # fmt: skip
        assert np.all(data["length"] == 4)
    again = simulator.sample(5, seed=1)
    assert all(np.array_equal(again[k], data[k]) for k in data)  # draws of the global generator included
    assert np.all(simulator.sample(3, seed=0, sigma=np.zeros((3, 1)))["sigma"] == 0)


def test_batched_functions_get_the_shape():
    simulator = simulators.LambdaSimulator(lambda batch_shape, rng: {"x": rng.normal(size=(*batch_shape, 2))}, is_batched=True)
    assert simulator.sample(4, seed=0)["x"].shape == (4, 2)
    assert simulators.LambdaSimulator(lambda batch_size: {"n": np.full(batch_size, 3)}, is_batched=True).sample(4)["n"].shape == (4,)


def test_parts_join_and_rejection_counts():
    simulator = simulators.TwoMoons()
    assert simulator.sample_batched(10, sample_size=4, seed=0)["parameters"].shape == (10, 2)
    kept = simulator.rejection_sample(6, lambda d: d["parameters"][:, 0] > 0.5, sample_size=8, seed=0)
    assert kept["parameters"].shape == (6, 2) and np.all(kept["parameters"][:, 0] > 0.5)
    with pytest.raises(RuntimeError, match="accepted 0 of 80"):
        simulator.rejection_sample(6, lambda d: np.zeros(8, bool), sample_size=8, max_rounds=10)


@pytest.mark.parametrize("mixed", [True, False])
def test_model_comparison_draws_models_by_their_probabilities(mixed):
    zero, one = (simulators.make_simulator([lambda v=v: {"x": float(v), f"only_{v}": 1.0}]) for v in (0, 1))
    simulator = simulators.ModelComparisonSimulator([zero, one], p=[0.25, 0.75], use_mixed_batches=mixed)
    data = simulator.sample(2000, seed=0)
    assert set(data) >= {"x", "model_indices"} and data["model_indices"].shape == (2000, 2)
    assert np.array_equal(data["model_indices"].argmax(axis=1), data["x"][:, 0])
    if mixed:
        assert abs(data["x"].mean() - 0.75) < 0.04 and set(data) == {"x", "model_indices"}
    filled = simulators.ModelComparisonSimulator([zero, one], key_conflicts="fill").sample(50, seed=0)
    assert np.isnan(filled["only_0"][filled["x"] == 1]).all()
    with pytest.raises(ValueError, match="Not every model returns"):
        simulators.ModelComparisonSimulator([zero, one], key_conflicts="error").sample(50, seed=0)


ERRORS = {
    "no dict": (lambda: simulators.make_simulator([lambda: 3]).sample(2), TypeError, "must return a dict"),
    "unknown argument": (lambda: simulators.make_simulator([lambda zzz: {"x": 1}]).sample(2), ValueError, "needs \\['zzz'\\]"),
    "ragged": (
        lambda: simulators.make_simulator([lambda rng: {"x": np.zeros(rng.integers(1, 9))}]).sample(9, seed=0), ValueError, "one shape",
    ),
    "batch shape": (lambda: simulators.TwoMoons().sample(0), ValueError, "positive integer"),
    "seed": (lambda: simulators.TwoMoons().sample(2, seed="a"), ValueError, "non-negative integer"),
    "one model": (lambda: simulators.ModelComparisonSimulator([simulators.TwoMoons()]), ValueError, "two models"),
    "probabilities": (
        lambda: simulators.ModelComparisonSimulator([simulators.TwoMoons()] * 2, p=[0.5, 0.6]), ValueError, "sum to 1",
    ),
    "support": (lambda: simulators.make_simulator([lambda: {"x": 1}], support={"x": 3}), ValueError, "pair"),
    "no prior": (lambda: priors.Joint(theta=3), TypeError, "a prior for each"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_teach(name):
    call, error, match = ERRORS[name]
    with pytest.raises(error, match=match):
        call()
