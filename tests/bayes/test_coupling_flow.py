"""The coupling flow: exact densities, samples that follow them, compiled once, trained on every backend."""

import numpy as np
import pytest
from conftest import compiled, host, jacobian, log_abs_det, stirred, tensor

import core
from bayes.networks import MLP, CouplingFlow
from core import layers, ops

OPTIONS = [
    {"transform": "spline"},
    {"transform": "affine"},
    {"transform": "spline", "permutation": "orthogonal", "use_actnorm": False},
    {"transform": "affine", "permutation": "swap", "base_distribution": "student"},
    {"transform": "spline", "permutation": None, "transform_kwargs": {"bins": 4}, "subnet_kwargs": {"widths": (16,)}},
]
SMALL = {"depth": 2, "subnet_kwargs": {"widths": (16, 16)}}
each = pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(str(v) for v in o.values() if isinstance(v, (str, bool))))


def flow(dim=3, condition_dim=2, noise=0.1, **options):
    net = CouplingFlow(**{**SMALL, **options})
    net.build((None, dim), (None, condition_dim) if condition_dim else None)
    return stirred(net, noise)


def data(dim=3, condition_dim=2, rows=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, dim)).astype("float32"), rng.normal(size=(rows, condition_dim)).astype("float32")


@each
def test_inverse_and_density(trains, options):
    net, (x, c) = flow(**options), data()
    z, log_det = compiled(lambda x, c: net.forward(x, c), x, c)
    back, log_det_back = compiled(lambda z, c: net.inverse(z, c), host(z), c)
    np.testing.assert_allclose(host(back), x, atol=1e-3)
    np.testing.assert_allclose(host(log_det_back), -host(log_det), atol=5e-3)
    expected = log_abs_det(jacobian(lambda v: net.forward(v, tensor(c))[0], x)) + host(net.base_distribution.log_prob(z))
    np.testing.assert_allclose(host(net.log_prob(x, c)), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dim, condition_dim", [(1, 2), (1, 0), (2, 0), (5, 1)])
def test_sizes(backend, dim, condition_dim):
    net = flow(dim, condition_dim)
    x, c = data(dim, condition_dim)
    conditions = c if condition_dim else None
    assert net.log_prob(x, conditions).shape == (8,)
    samples = host(net.sample(8, conditions, seed=1))
    assert samples.shape == (8, dim) and np.isfinite(samples).all()
    if condition_dim:
        assert np.abs(host(net.log_prob(x, c)) - host(net.log_prob(x, -c))).max() > 1e-4  # it reads them


def test_density_integrates_to_one(on_torch):
    net = flow(2, 1, noise=0.2)
    grid = np.linspace(-12, 12, 401, dtype="float32")
    x = np.stack(np.meshgrid(grid, grid), -1)
    mass = np.exp(host(net.log_prob(x, np.ones((1, 1), "float32"))).astype("float64")).sum() * (grid[1] - grid[0]) ** 2
    assert abs(mass - 1) < 0.01


def test_leading_axes_broadcast(backend):
    net, (x, c) = flow(), data()
    whole = host(net.log_prob(x[:, None], c[None]))
    assert whole.shape == (8, 8)
    np.testing.assert_allclose(np.diag(whole), host(net.log_prob(x, c)), rtol=1e-4, atol=1e-4)
    assert host(net.sample((4, 8), c, seed=1)).shape == (4, 8, 3)
    np.testing.assert_array_equal(host(net.sample(8, c[:1], seed=1)), host(net.sample(8, np.repeat(c[:1], 8, 0), seed=1)))


def test_seeds(backend):
    net, (_, c) = flow(), data()
    first, again, other = (host(net.sample(8, c, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.parametrize("transform", ["affine", pytest.param("spline", marks=pytest.mark.slow)])
def test_compiled_once(on_jax, transform):
    net, (x, c) = flow(depth=1, transform=transform), data()
    for seed in range(5):
        net.log_prob(x + seed, c)
        net.sample(8, c, seed=seed)
    traces = [run.traces for program in net._programs.values() for run in program.compiled.values()]
    assert traces == [1, 1]


def test_large_batches_go_through_in_parts(on_torch, monkeypatch):
    net, (x, c) = flow(), data(rows=10)
    whole, draws = host(net.log_prob(x, c)), host(net.sample(10, c, seed=1))
    monkeypatch.setattr("bayes.networks.inference_network.ROWS_AT_A_TIME", 4)
    np.testing.assert_allclose(host(net.log_prob(x, c)), whole, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(host(net.sample(10, c, seed=1)), draws, rtol=1e-5, atol=1e-5)


def test_no_gradient_is_recorded(trains):
    """Ten thousand draws must not hold the graph of their making."""
    net, (x, c) = flow(), data()
    for result in (net.log_prob(x, c), net.sample(8, c, seed=1)):
        assert not getattr(result, "requires_grad", False)


def trained(net, sample, steps, batch=256, rate=5e-3):
    """A minimal loop: fresh draws of `sample(rows)` at every step."""
    optimizer = core.optimizers.Adam(core.optimizers.schedules.CosineDecay(rate, steps))
    variables = net.trainable_variables
    optimizer.build(variables)

    def step(x, c):
        loss, gradients = core.value_and_grad(lambda: net.compute_metrics(x, c)["loss"], variables)()
        optimizer.apply(gradients, variables)
        return loss

    step = core.jit(step)
    for _ in range(steps):
        loss = step(*(tensor(part) for part in sample(batch)))
    return float(host(loss))


@pytest.mark.parametrize("transform", ["spline", "affine"])
def test_learns_a_conjugate_posterior(trains, transform):
    """theta ~ N(0, 1), x = theta + N(0, 1/4): the posterior is N(4 x / 5, 1/5), its density known."""
    rng = np.random.default_rng(0)

    def sample(rows):
        theta = rng.normal(size=(rows, 2))
        return theta, theta + 0.5 * rng.normal(size=(rows, 2))

    net = flow(2, 2, noise=0.0, transform=transform)
    trained(net, sample, 150)
    theta, x = sample(4000)
    exact = -0.5 * ((theta - 0.8 * x) ** 2 / 0.2 + np.log(2 * np.pi * 0.2)).sum(-1)
    assert np.mean(exact - host(net.log_prob(theta, x))) < 0.06  # the divergence from the exact posterior
    draws = host(net.sample(4000, np.array([[1.0, -0.5]]), seed=2))
    np.testing.assert_allclose(draws.mean(0), [0.8, -0.4], atol=0.1)
    np.testing.assert_allclose(draws.std(0), np.sqrt(0.2), rtol=0.15)


def test_weights_of_rows(quick_everywhere):
    net, (x, c) = flow(depth=1, transform="affine"), data()
    losses = -host(net.log_prob(x, c))
    weight = np.arange(8.0)
    given = host(net.compute_metrics(x, c, sample_weight=weight)["loss"])
    np.testing.assert_allclose(given, (losses * weight).sum() / weight.sum(), rtol=1e-4)
    np.testing.assert_allclose(host(net.compute_metrics(x, c, stage="validation")["loss"]), losses.mean(), rtol=1e-4)


def test_dropout_is_for_training(trains):
    net, (x, c) = flow(subnet_kwargs={"widths": (16, 16), "dropout": 0.5}), data()
    validation = [float(host(net.compute_metrics(x, c, stage="validation")["loss"])) for _ in range(2)]
    training = [float(host(net.compute_metrics(x, c)["loss"])) for _ in range(2)]
    assert validation[0] == validation[1] and training[0] != training[1]


@each
def test_round_trip(on_torch, options):
    net, (x, c) = flow(**options), data()
    again = core.saving.deserialize_keras_object(core.saving.serialize_keras_object(net))
    assert again.built
    again.set_weights(net.get_weights())
    np.testing.assert_array_equal(host(again.log_prob(x, c)), host(net.log_prob(x, c)))
    np.testing.assert_array_equal(host(again.sample(8, c, seed=1)), host(net.sample(8, c, seed=1)))


@pytest.mark.parametrize(
    "subnet", [MLP, MLP((16,), activation="tanh", dropout=0.0), layers.Dense(8, "relu")], ids=["class", "layer", "dense"]
)
def test_subnets(on_torch, subnet):
    net = flow(subnet=subnet, subnet_kwargs={"widths": (16,)} if isinstance(subnet, type) else None)
    x, c = data()
    assert np.isfinite(host(net.log_prob(x, c))).all()
    own = {id(v) for block in net.blocks for coupling in block.couplings for v in coupling.subnet.trainable_variables}
    assert len(own) == 2 * 2 * len(net.blocks[0].couplings[0].subnet.trainable_variables)  # none is shared


@pytest.mark.parametrize(
    "options, message",
    [
        ({"depth": 0}, "positive integer"),
        ({"transform": "cubic"}, "transforms"),
        ({"permutation": "sorted"}, "permutations"),
        ({"subnet": "cnn"}, "subnet is one of"),
        ({"base_distribution": "uniform"}, "base distribution"),
        ({"transform_kwargs": {"bins": 0}}, "bins"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        CouplingFlow(**options)


def test_wrong_shapes_are_named(on_torch):
    net, (x, c) = flow(), data()
    with pytest.raises(ValueError, match="vectors of size 3"):
        net.log_prob(x[:, :2], c)
    with pytest.raises(ValueError, match="conditions of size 2"):
        net.log_prob(x, c[:, :1])
    with pytest.raises(ValueError, match="give `conditions`"):
        net.sample(3)
    with pytest.raises(ValueError, match="broadcast"):
        net.log_prob(x, c[:3])
    with pytest.raises(ValueError, match="has not been built"):
        CouplingFlow().sample(3)


def test_mixed_precision_is_not_needed(backend):
    """Doubles that simulators give are taken as float32."""
    net, (x, c) = flow(), data()
    np.testing.assert_allclose(host(net.log_prob(x.astype("float64"), c.astype("float64"))), host(net.log_prob(x, c)), rtol=1e-5)
    assert ops.dtype(net.log_prob(x, c)) == "float32"
