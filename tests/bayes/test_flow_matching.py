"""Flow matching: exact divergences and densities, samples, and integrations that do not arrive."""

import warnings

import numpy as np
import pytest
from conftest import host, jacobian, stirred, tensor
from test_coupling_flow import data, trained

import core
from bayes.networks import FlowMatching, TimeMLP

SMALL = {"subnet_kwargs": {"widths": (16, 16)}}


def flow(dim=3, condition_dim=2, noise=0.1, **options):
    net = FlowMatching(**{**SMALL, "seed": 1, **options})
    net.build((None, dim), (None, condition_dim) if condition_dim else None)
    return stirred(net, noise)


def test_divergence_is_the_trace_of_the_jacobian(trains):
    net, (x, c) = flow(), data()
    t = np.linspace(0, 1, 8, dtype="float32")[:, None]
    v, divergence = net._velocity_and_divergence(tensor(x), tensor(t), tensor(c))
    np.testing.assert_allclose(host(v), host(net.velocity(tensor(x), tensor(t), tensor(c))), rtol=1e-4, atol=1e-5)
    expected = np.trace(jacobian(lambda y: net.velocity(y, tensor(t), tensor(c)), x), axis1=1, axis2=2)
    np.testing.assert_allclose(host(divergence), expected, rtol=1e-3, atol=1e-4)


def test_density_is_that_of_the_samples(trains):
    """log q at a sample is the base density minus the log-determinant of the transport, by automatic differentiation."""
    net, (z, c) = flow(integrate_kwargs={"rtol": 1e-5, "atol": 1e-6}), data()
    x = host(net.transport(tensor(z), tensor(c)))
    matrices = jacobian(lambda y: net.transport(y, tensor(c), method="rk45", steps=12), z)
    expected = host(net.base_distribution.log_prob(tensor(z))) - np.linalg.slogdet(matrices)[1]
    np.testing.assert_allclose(host(net.log_prob(x, c)), expected, rtol=2e-3, atol=2e-3)


def test_density_integrates_to_one(on_torch):
    net = flow(1, 1, noise=0.2)
    grid = np.linspace(-15, 15, 1001, dtype="float32")[:, None]
    density = np.exp(host(net.log_prob(grid, np.ones((1, 1), "float32"))).astype("float64"))
    assert abs(density.sum() * (grid[1, 0] - grid[0, 0]) - 1) < 0.01


@pytest.mark.parametrize("dim, condition_dim", [(1, 2), (2, 0)])
def test_sizes_and_seeds(trains, dim, condition_dim):
    net = flow(dim, condition_dim)
    _, c = data(dim, condition_dim)
    conditions = c if condition_dim else None
    first, again, other = (host(net.sample(8, conditions, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (8, dim) and np.abs(first - other).max() > 0.1
    with pytest.raises(ValueError, match="vectors of size"):
        net.log_prob(np.zeros((8, dim + 1)), conditions)


def test_compiled_once(on_jax):
    net, (x, c) = flow(), data()
    for seed in range(4):
        net.log_prob(x + seed, c)
        net.sample(8, c, seed=seed)
    assert [run.traces for program in net._programs.values() for run in program.compiled.values()] == [1, 1]


def test_loss_is_the_regression_of_the_velocity(quick_everywhere):
    """A network of zeros predicts no velocity: the loss is E |y1 - y0|^2 / dim, which is 1 + E y1^2."""
    net = flow(2, 1, noise=0.0)
    x = np.random.default_rng(0).normal(2.0, 0.5, size=(20_000, 2)).astype("float32")
    losses = host(net.loss(tensor(x), tensor(np.zeros((20_000, 1))), training=True))
    np.testing.assert_allclose(losses.mean(), 1 + 4 + 0.25, rtol=0.03)
    assert np.abs(host(net.loss(tensor(x), tensor(np.zeros((20_000, 1))), training=True)) - losses).max() > 0.1  # new draws


@pytest.mark.parametrize("method", ["adaptive", "fixed"])
def test_learns_a_conjugate_posterior(trains, method):
    """theta ~ N(0, 1), x = theta + N(0, 1/4): the posterior is N(4 x / 5, 1/5)."""
    if method == "fixed" and trains != "jax":
        pytest.skip("training is the same; the solver is compared on one backend")
    rng = np.random.default_rng(0)

    def sample(rows):
        theta = rng.normal(size=(rows, 2))
        return theta, theta + 0.5 * rng.normal(size=(rows, 2))

    net = flow(2, 2, noise=0.0, subnet_kwargs={"widths": (32, 32)}, integrate_kwargs={"steps": 40} if method == "fixed" else None)
    trained(net, sample, 400, batch=512)
    theta, x = sample(1000)
    exact = -0.5 * ((theta - 0.8 * x) ** 2 / 0.2 + np.log(2 * np.pi * 0.2)).sum(-1)
    assert np.mean(exact - host(net.log_prob(theta, x))) < 0.1
    draws = host(net.sample(2000, np.array([[1.0, -0.5]]), seed=2))
    np.testing.assert_allclose(draws.mean(0), [0.8, -0.4], atol=0.12)
    np.testing.assert_allclose(draws.std(0), np.sqrt(0.2), rtol=0.2)


def test_rows_that_do_not_arrive_are_reported(trains):
    net, (_, c) = flow(), data()
    with pytest.warns(UserWarning, match="8 rows did not arrive"):
        draws = net.sample(8, c, seed=1, max_steps=2)
    assert np.isnan(host(draws)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(host(net.sample(8, c, seed=1))).all()


def test_round_trip(on_torch):
    net, (x, c) = flow(integrate_kwargs={"method": "rk45"}), data()
    again = core.saving.deserialize_keras_object(core.saving.serialize_keras_object(net))
    again.set_weights(net.get_weights())
    np.testing.assert_array_equal(host(again.sample(8, c, seed=1)), host(net.sample(8, c, seed=1)))
    np.testing.assert_array_equal(host(again.log_prob(x, c)), host(net.log_prob(x, c)))


@pytest.mark.parametrize(
    "options", [{"merge": "add"}, {"film_use_gamma": True}, {"norm": "layer"}, {"time_embedding_dim": 0}, {"residual": False}]
)
def test_time_mlp(trains, options):
    net = TimeMLP((8, 8), **options)
    x, c = data()
    t = np.linspace(0, 1, 8, dtype="float32")[:, None]
    net(tensor(x), t=tensor(t), conditions=tensor(c))
    stirred(net, 0.3)
    y, other_time, other_condition = (
        host(net(tensor(x), t=tensor(a), conditions=tensor(b))) for a, b in ((t, c), (1 - t, c), (t, -c))
    )
    assert y.shape == (8, 8) and np.abs(y - other_time).max() > 1e-3 and np.abs(y - other_condition).max() > 1e-3
    again = core.saving.deserialize_keras_object(core.saving.serialize_keras_object(net))
    again.set_weights(net.get_weights())
    np.testing.assert_array_equal(host(again(tensor(x), t=tensor(t), conditions=tensor(c))), y)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"integrate_kwargs": {"method": "leapfrog"}}, "integrates by"),
        ({"integrate_kwargs": {"step": 3}}, "takes 'method'"),
        ({"subnet": "mlp"}, "subnet is one of"),
        ({"time_power_law_alpha": -1.0}, "alpha > -1"),
        ({"subnet_kwargs": {"merge": "multiply"}}, "merges by"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        FlowMatching(**options)
