"""Approximators: exact densities with every volume change, supports, standardization by the data, model comparison."""

import numpy as np
import pytest
from scipy import stats

import core
from bayes import Adapter, ContinuousApproximator, ModelComparisonApproximator, OfflineDataset, simulators
from bayes.approximators import Standardization
from bayes.networks import CouplingFlow, InferenceNetwork

BACKENDS = ["jax", "torch", pytest.param("tensorflow", marks=pytest.mark.slow)]


@core.saving.register_keras_serializable("tests")
class ConditionalNormal(InferenceNetwork):
    """The density N(x; W c + b, I): exact for a linear Gaussian model with unit noise."""

    def build(self, xz_shape, conditions_shape=None):
        self._note_sizes(xz_shape, conditions_shape)
        self.mean = core.layers.Dense(self.dim, name="mean")
        self.mean.build((None, self.condition_dim))

    def log_density(self, x, conditions=None):
        return self.base_distribution.log_prob(x - self.mean(conditions))

    def loss(self, x, conditions=None, training=False):
        return -self.log_density(x, conditions)

    def transport(self, z, conditions=None):
        return z + self.mean(conditions)


def with_density(adapter, standardize="all", low=0.5, high=3.0, rows=400):
    """An approximator over data in [low, high], its mean layer zero, and the data."""
    rng = np.random.default_rng(0)
    data = {"theta": rng.uniform(low, high, (rows, 2)), "x": rng.normal(2.0, 3.0, (rows, 3))}
    approximator = ContinuousApproximator(inference_network=ConditionalNormal(), adapter=adapter, standardize=standardize)
    approximator.prepare(OfflineDataset(data, 32, adapter))
    approximator.inference_network.mean.set_weights([np.zeros((3, 2)), np.zeros(2)])
    return approximator, data


ADAPTERS = {
    "plain": lambda a: a,
    "log": lambda a: a.log("theta"),
    "box": lambda a: a.constrain("theta", lower=0.0, upper=[4.0, 5.0]),
    "half line": lambda a: a.constrain("theta", lower=0.0),
    "scaled, cast": lambda a: a.scale("theta", by=3.0).convert_dtype("float64", "float32"),
}
FORWARD = {
    "plain": lambda t: t,
    "log": np.log,
    "box": lambda t: np.log(t / [4.0, 5.0]) - np.log1p(-t / [4.0, 5.0]),
    "half line": lambda t: np.log(np.expm1(t)),
    "scaled, cast": lambda t: 3 * t,
}


@pytest.mark.parametrize("name", ADAPTERS)
def test_log_prob_holds_every_volume_change(name):
    """The density in the simulator's units is the normal's of the transformed, standardized parameters times the slopes."""
    with core.backend.use("torch"):
        adapter = ADAPTERS[name](Adapter()).rename("theta", "inference_variables").rename("x", "inference_conditions")
        approximator, data = with_density(adapter)
        point = {"theta": data["theta"][:5], "x": data["x"][:5]}
        u = FORWARD[name](data["theta"])
        mean, std, step = u.mean(axis=0), u.std(axis=0), 1e-6
        slope = (FORWARD[name](point["theta"] + step) - FORWARD[name](point["theta"] - step)) / (2 * step)
        z = (FORWARD[name](point["theta"]) - mean) / std
        expected = np.sum(stats.norm.logpdf(z) + np.log(slope / std), axis=1)
        assert np.allclose(approximator.log_prob(point), expected, atol=2e-4)
        many = approximator.log_prob({"theta": np.repeat(point["theta"][:, None], 3, axis=1), "x": point["x"]})
        assert many.shape == (5, 3) and np.allclose(many, expected[:, None], atol=2e-4)
        draws = approximator.sample(num_samples=4000, conditions={"x": point["x"][:1]}, seed=0)["theta"][0]
        assert np.allclose(FORWARD[name](draws).mean(axis=0), mean, atol=0.1 * std.max() + 0.02)


def test_outside_the_support_the_density_is_zero():
    with core.backend.use("torch"):
        adapter = Adapter().constrain("theta", lower=0.0, upper=4.0)
        adapter.rename("theta", "inference_variables").rename("x", "inference_conditions")
        approximator, _ = with_density(adapter)
        theta = np.array([[1.0, 1.0], [5.0, 1.0], [1.0, -0.1]])
        assert np.isfinite(approximator.log_prob({"theta": theta, "x": np.zeros((3, 3))})).tolist() == [True, False, False]


@pytest.mark.parametrize("backend", BACKENDS)
def test_gaussian_posterior_is_learned(backend):
    """theta ~ N(0, I), x = theta + noise: the mean is x / 2, and the loss its entropy."""
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(4096, 2))
    data = {"theta": theta, "x": theta + rng.normal(size=theta.shape)}
    with core.backend.use(backend):
        core.utils.set_random_seed(0)
        adapter = ContinuousApproximator.build_adapter("theta", "x")
        approximator = ContinuousApproximator(inference_network=ConditionalNormal(), adapter=adapter, standardize="inference_conditions")
        approximator.compile(core.optimizers.Adam(0.05))
        approximator.fit(data=data, batch_size=256, epochs=4, verbose=0)
        x = np.array([[1.0, -2.0]])
        draws = approximator.sample(num_samples=20_000, conditions={"x": x}, seed=1)["theta"][0]
        assert np.allclose(draws.mean(axis=0), x / 2, atol=0.12) and np.allclose(draws.std(axis=0), 1, atol=0.03)
        again = approximator.sample(num_samples=20_000, conditions={"x": x}, seed=1)["theta"][0]
        assert np.array_equal(draws, again)
        truth = stats.norm.logpdf(np.array([[0.3, 0.1]]) - x / 2).sum()
        assert abs(approximator.log_prob({"theta": [[0.3, 0.1]], "x": x})[0] - truth) < 0.25
        estimates = approximator.estimate(conditions={"x": x}, num_samples=500, seed=0)["theta"]
        assert estimates["mean"].shape == (1, 2) and estimates["quantiles"].shape == (1, 5, 2)


def test_standardization_merges_parts_exactly():
    rng = np.random.default_rng(0)
    whole = rng.normal(1e4, 3.0, (997, 5, 3)).astype("float32")
    whole[..., 2] = 7.0
    with core.backend.use("torch"):
        layer = Standardization()
        layer.adapt(np.array_split(whole, 7))
        exact = whole.astype("float64").reshape(-1, 3)
        assert np.allclose(core.ops.convert_to_numpy(layer.mean), exact.mean(axis=0), rtol=1e-6)
        assert np.allclose(core.ops.convert_to_numpy(layer.std)[:2], exact.std(axis=0)[:2], rtol=1e-5)
        assert float(core.ops.convert_to_numpy(layer.std)[2]) == 1.0  # a constant axis keeps its scale


def test_moments_are_taken_once():
    with core.backend.use("torch"):
        adapter = Adapter().rename("theta", "inference_variables").rename("x", "inference_conditions")
        approximator, data = with_density(adapter)
        before = [np.array(w) for w in approximator.get_weights()]
        approximator.compile(core.optimizers.SGD(0.0))
        approximator.fit(data={k: v + 100 for k, v in data.items()}, epochs=1, verbose=0)
        moments = [s for s in approximator.standardizers.values()]
        assert len(moments) == 2 and all(np.array_equal(a, b) for a, b in zip(before, approximator.get_weights()))


def test_models_are_compared():
    """x ~ N(0, 1) against x ~ N(2, 1): the posterior probability is a logistic function of x."""
    first, second = (simulators.make_simulator([lambda rng, m=m: {"x": rng.normal(m, 1.0)}]) for m in (0.0, 2.0))
    data = simulators.ModelComparisonSimulator([first, second]).sample(8192, seed=0)
    with core.backend.use("torch"):
        core.utils.set_random_seed(0)
        adapter = Adapter().convert_dtype("float64", "float32").rename("x", "inference_conditions")
        network = core.Sequential([core.layers.Dense(8, activation="tanh")])
        approximator = ModelComparisonApproximator(num_models=2, classifier_network=network, adapter=adapter)
        approximator.compile(core.optimizers.Adam(0.02))
        approximator.fit(data=data, batch_size=256, epochs=5, verbose=0)
        x = np.linspace(-1, 3, 9)[:, None]
        exact = 1 / (1 + np.exp(2 - 2 * x[:, 0]))
        found = approximator.predict({"x": x})
        assert np.allclose(found.sum(axis=1), 1, atol=1e-5) and np.allclose(found[:, 1], exact, atol=0.06)


def flow():
    adapter = Adapter().rename("parameters", "inference_variables").rename("observables", "inference_conditions")
    network = CouplingFlow(transform="affine", depth=1, subnet_kwargs={"widths": (8,)})
    return ContinuousApproximator(inference_network=network, adapter=adapter)


def trained():
    approximator = flow()
    approximator.fit(data=simulators.TwoMoons().sample(64, seed=0), epochs=1, verbose=0)
    return approximator


ERRORS = {
    "untrained": (lambda: flow().sample(num_samples=1, conditions={"observables": np.zeros((1, 2))}), "fit it before"),
    "no batch axis": (lambda: trained().sample(num_samples=1, conditions={"observables": np.zeros(2)}), r"x\[None\]"),
    "sizes": (lambda: trained().sample(num_samples=1, conditions={"observables": np.zeros((1, 3))}), r"in training, got \(1, 3\)"),
    "names": (lambda: trained().sample(num_samples=1, conditions={"x": np.zeros((1, 2))}), "conditions lack"),
    "nan": (lambda: trained().sample(num_samples=1, conditions={"observables": np.full((2, 2), np.nan)}), "2 of 2 observations"),
    "number": (lambda: trained().sample(num_samples=0, conditions={"observables": np.zeros((1, 2))}), "positive integer"),
    "parameters": (lambda: trained().log_prob({"observables": np.zeros((1, 2))}), r"\['parameters'\] are missing"),
    "roles": (lambda: ContinuousApproximator(inference_network=None, standardize="y"), "can standardize"),
    "two sources": (lambda: flow().fit(data={}, simulator=simulators.TwoMoons()), "exactly one"),
    "nan simulations": (
        lambda: flow().fit(data={"parameters": np.full((8, 2), np.nan), "observables": np.zeros((8, 2))}, verbose=0), "8 of 8 simulations",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_teach(name):
    call, match = ERRORS[name]
    with core.backend.use("torch"), pytest.raises(ValueError, match=match):
        call()
