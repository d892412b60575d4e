"""Models on several backends in one process, and models that move from one to another while they are trained."""

import threading

import numpy as np
import pytest

import core
from core import layers
from core.backend import use

BACKENDS = ("torch", "jax", "tensorflow")
RNG = np.random.default_rng(5)
X = RNG.normal(size=(48, 5)).astype("float32")
Y = np.tanh(X[:, :2] @ RNG.normal(size=(2, 1))).astype("float32")


def model_on(backend, dropout=0.0, **compiled):
    with use(backend):
        core.utils.set_random_seed(4)
        model = core.Sequential([
            layers.Input((5,)), layers.Dense(8, "tanh"), layers.Dropout(dropout, seed=3), layers.BatchNormalization(), layers.Dense(1),
        ])  # fmt: skip
        model.compile(core.optimizers.Adam(0.02), "mse", metrics=["mae"], **compiled)
    return model


def step_losses(model, epochs, x=X, y=Y):
    losses = []
    record = core.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: losses.append(logs["loss"]))
    model.fit(x, y, epochs=epochs, batch_size=16, shuffle=False, verbose=0, callbacks=[record])
    return losses


@pytest.fixture(scope="module")
def alone():
    """The losses of four epochs of one model by itself."""
    return step_losses(model_on("torch"), 4)


def test_models_on_all_backends_train_in_turns(alone):
    models = {backend: model_on(backend) for backend in BACKENDS}
    losses = {backend: [] for backend in BACKENDS}
    for _ in range(4):
        for backend, model in models.items():
            losses[backend] += step_losses(model, 1)
    for backend, model in models.items():
        assert model.backend.name == backend
        assert type(model.predict_on_batch(X)) is np.ndarray
        np.testing.assert_allclose(losses[backend], alone, rtol=1e-4, err_msg=backend)


@pytest.mark.parametrize(("first", "second"), [("torch", "jax"), ("jax", "tensorflow"), ("tensorflow", "torch")])
def test_a_half_trained_model_goes_on_elsewhere(first, second, alone):
    model = model_on(first)
    losses = step_losses(model, 2)
    before = [np.array(w.numpy()) for w in (*model.variables, *model.optimizer.variables)]
    assert model.to_backend(second) is model
    assert model.backend.name == second
    for variable in (*model.variables, *model.optimizer.variables, *model.metrics_variables):
        assert variable.backend.name == second, variable.path
    for old, new in zip(before, (*model.variables, *model.optimizer.variables), strict=True):
        np.testing.assert_allclose(new.numpy(), old, err_msg=new.path)
    assert model.optimizer.iterations.numpy() == 6
    losses += step_losses(model, 2)
    np.testing.assert_allclose(losses, alone, rtol=1e-4)
    results = model.evaluate(X, Y, verbose=0, return_dict=True)
    np.testing.assert_allclose(results["loss"], model_results(first), rtol=1e-4)


def model_results(backend, cache={}):  # noqa: B006 - one uninterrupted run serves all
    if "loss" not in cache:
        model = model_on(backend)
        step_losses(model, 4)
        cache["loss"] = model.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
    return cache["loss"]


def test_seeds_and_metrics_move_along():
    model = model_on("torch", dropout=0.5)
    model.train_on_batch(X[:16], Y[:16])
    seeds = [v for v in model.variables if "seed" in v.path]
    assert len(seeds) == 1
    state, metrics = seeds[0].numpy().tolist(), {k: float(v) for k, v in model.get_metrics_result().items()}
    assert state == [3, 1]
    model.to_backend("jax")
    assert seeds[0].numpy().tolist() == state
    assert seeds[0].backend.name == "jax"
    for key, value in model.get_metrics_result().items():
        np.testing.assert_allclose(value, metrics[key], rtol=1e-6)
    model.train_on_batch(X[:16], Y[:16])
    assert seeds[0].numpy().tolist() == [3, 2]


def test_the_active_backend_does_not_matter_to_a_model():
    model = model_on("torch")
    expected = model.predict(X, verbose=0)
    with use("jax"):
        assert model.backend.name == "torch"
        np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-6)
        assert type(core.ops.zeros((2,))).__module__.startswith("jax")
        outputs = model(X[:3])
    import torch

    assert isinstance(outputs, torch.Tensor)


def test_a_models_inputs_may_be_of_any_framework():
    import torch

    model = model_on("jax")
    expected = model.predict(X, verbose=0)
    np.testing.assert_allclose(model.predict(torch.from_numpy(X), verbose=0), expected, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(model(torch.from_numpy(X))), expected, rtol=1e-4, atol=1e-6)


def test_mixing_tensors_of_two_backends_names_both():
    with use("torch"):
        a = core.ops.ones((2,))
        dense = layers.Dense(2)
        dense(core.ops.ones((1, 2)))
    with use("jax"):
        b = core.ops.ones((2,))
    with pytest.raises(ValueError, match="(?s)torch.*jax"):
        core.ops.add(a, b)
    with pytest.raises(ValueError, match=r"(?s)torch.*jax"):
        dense(core.ops.reshape(b, (1, 2)))


def test_threads_train_models_on_different_backends(alone):
    models = {backend: model_on(backend) for backend in ("torch", "jax")}
    found, failed = {}, []

    def train(backend):
        try:
            found[backend] = step_losses(models[backend], 4)
        except Exception as error:  # noqa: BLE001 - shown below
            failed.append(error)

    threads = [threading.Thread(target=train, args=(backend,)) for backend in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    for backend, losses in found.items():
        np.testing.assert_allclose(losses, alone, rtol=1e-4, err_msg=backend)


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_a_moved_model_takes_arrays_of_its_old_backend(kind):
    import torch

    with use("torch"):
        i = layers.Input((5,))
        model = core.Sequential([i, layers.Dense(2)]) if kind == "sequential" else core.Model(i, layers.Dense(2)(i))
        expected = model(torch.from_numpy(X)).detach().numpy().copy()
        model.to_backend("jax")
        np.testing.assert_allclose(np.asarray(model(torch.from_numpy(X))), expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(np.asarray(model(X)), expected, rtol=1e-4, atol=1e-6)
    with use("jax"):
        np.testing.assert_allclose(np.asarray(model(core.ops.array(X))), expected, rtol=1e-4, atol=1e-6)
