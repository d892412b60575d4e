"""Summary networks: order does not matter for sets and does for series; what is masked is not seen."""

import numpy as np
import pytest
from conftest import host, stirred, tensor

import core
from bayes.networks import MLP, DeepSet, SetTransformer, TimeSeriesNetwork

SETS = {
    "deep_set": lambda **k: DeepSet(**{"summary_dim": 5, "embed_dim": 8, "mlp_widths": (8,), **k}),
    "deep_set_max": lambda **k: DeepSet(**{"summary_dim": 5, "embed_dim": 8, "mlp_widths": (8,), "inner_pooling": "max", "depth": 1, **k}),
    "set_transformer": lambda **k: SetTransformer(**{"summary_dim": 5, "embed_dims": (8, 8), "num_heads": (2, 2), **k}),
    "inducing": lambda **k: SetTransformer(**{"summary_dim": 5, "embed_dims": (8,), "num_heads": (2,), "num_inducing_points": 3, **k}),
    "no_norm": lambda **k: SetTransformer(**{"summary_dim": 5, "embed_dims": (8,), "num_heads": (2,), "layer_norm": False, **k}),
}
SERIES = {
    "gru": lambda **k: TimeSeriesNetwork(**{"summary_dim": 5, "filters": 4, "recurrent_dim": 4, **k}),
    "lstm": lambda **k: TimeSeriesNetwork(
        **{"summary_dim": 5, "filters": [4, 6], "recurrent_dim": 4, "recurrent_type": "lstm", "bidirectional": False, "groups": 2, **k}
    ),
    "no_skip": lambda **k: TimeSeriesNetwork(**{"summary_dim": 5, "filters": 4, "recurrent_dim": 4, "skip_steps": 0, **k}),
}
sets = pytest.mark.parametrize("name", sorted(SETS))
series = pytest.mark.parametrize("name", sorted(SERIES))


def data(rows=3, steps=7, features=2, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, steps, features)).astype("float32")


def built(make, x, **options):
    net = make(**options)
    net(tensor(x))
    return stirred(net, 0.1)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@sets
def test_order_of_a_set_does_not_matter(backend, name):
    x = data()
    net = built(SETS[name], x)
    y = host(net(tensor(x)))
    order = np.random.default_rng(1).permutation(7)
    assert y.shape == (3, 5)
    close(host(net(tensor(x[:, order]))), y)
    assert np.abs(host(net(tensor(x + np.array([0.5, -0.5])))) - y).max() > 1e-3
    assert net.compute_output_shape((3, 7, 2)) == (3, 5)


@sets
def test_masked_elements_are_not_seen(backend, name):
    x = data()
    net = built(SETS[name], x)
    mask = np.arange(7) < np.array([[7], [4], [1]])
    y = host(net(tensor(x), mask=core.ops.convert_to_tensor(mask)))
    garbage = np.where(mask[..., None], x, 100.0)
    close(host(net(tensor(garbage), mask=core.ops.convert_to_tensor(mask))), y)
    for row, size in enumerate((7, 4, 1)):  # as if the set were smaller
        close(host(net(tensor(x[row : row + 1, :size])))[0], y[row])


@series
def test_order_of_a_series_matters(backend, name):
    x = data(steps=9)
    net = built(SERIES[name], x)
    y = host(net(tensor(x)))
    assert y.shape == (3, 5)
    assert np.abs(host(net(tensor(x[:, ::-1].copy()))) - y).max() > 1e-3
    assert np.isfinite(host(net(tensor(x[:, :2])))).all()  # shorter than the skip


@pytest.mark.parametrize("name", ["gru", "no_skip"])
def test_masked_steps_are_not_seen(backend, name):
    x = data(steps=9)
    net = built(SERIES[name], x)
    mask = np.arange(9) < np.array([[9], [5], [2]])
    y = host(net(tensor(x), mask=core.ops.convert_to_tensor(mask)))
    close(host(net(tensor(np.where(mask[..., None], x, 100.0)), mask=core.ops.convert_to_tensor(mask))), y)


@pytest.mark.parametrize("name", sorted({**SETS, **SERIES}))
def test_gradients_and_round_trip(trains, name):
    make, x = {**SETS, **SERIES}[name], data()
    net = built(make, x)

    def loss():
        return core.ops.mean(core.ops.square(net(tensor(x), training=True)))

    _, gradients = core.value_and_grad(loss, net.trainable_variables)()
    assert all(g is not None and np.isfinite(host(g)).all() for g in gradients)
    again = core.saving.deserialize_keras_object(core.saving.serialize_keras_object(net))
    assert again.built
    again.set_weights(net.get_weights())
    close(host(again(tensor(x))), host(net(tensor(x))))


def test_a_set_network_learns_the_mean(trains):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 6, 1)) + rng.normal(size=(256, 1, 1))
    net = DeepSet(summary_dim=1, embed_dim=16, mlp_widths=(16,), depth=1, dropout=0.0)
    net(tensor(x))
    optimizer = core.optimizers.Adam(1e-2)
    optimizer.build(net.trainable_variables)

    def step(x):
        def loss():
            return core.ops.mean(core.ops.square(net(x) - core.ops.mean(x, 1)))

        value, gradients = core.value_and_grad(loss, net.trainable_variables)()
        optimizer.apply(gradients, net.trainable_variables)
        return value

    step = core.jit(step)
    losses = [float(host(step(tensor(x)))) for _ in range(120)]
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("norm", [None, "layer", "rms", "batch"])
def test_mlp(backend, norm):
    net = MLP((8, 8), norm=norm, dropout=0.0)
    x = data()[:, 0]
    y = host(net(tensor(x)))
    assert y.shape == (3, 8) and net.compute_output_shape((3, 2)) == (3, 8)
    kernels = [host(dense.kernel.value) for dense in net.dense]
    assert not np.array_equal(kernels[0][:2], kernels[1][:2])  # each layer draws its own
    again = core.saving.deserialize_keras_object(core.saving.serialize_keras_object(net))
    again.set_weights(net.get_weights())
    close(host(again(tensor(x))), y)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: DeepSet(summary_dim=0), "summary_dim"),
        (lambda: DeepSet(inner_pooling="sum"), "pools by"),
        (lambda: DeepSet(depth=0), "depth"),
        (lambda: SetTransformer(embed_dims=(8,), num_heads=(2, 2)), "number of heads"),
        (lambda: SetTransformer(embed_dims=(9,), num_heads=(2,)), "heads"),
        (lambda: TimeSeriesNetwork(recurrent_type="rnn"), "recurrent types"),
        (lambda: TimeSeriesNetwork(filters=[1, 2], kernel_sizes=[3, 3, 3]), "one length"),
        (lambda: MLP(()), "positive width"),
        (lambda: MLP((8,), dropout=1.0), "dropout"),
        (lambda: MLP((8,), norm="power"), "norm"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", [DeepSet, SetTransformer, TimeSeriesNetwork])
def test_wrong_shapes_are_named(on_torch, make):
    with pytest.raises(ValueError, match=r"batch, observations, features"):
        make()(tensor(np.zeros((3, 4))))
